"""OPA as a library, asked one question at a time; the facts are its data."""

import statistics
import sys
import time
from pathlib import Path
from typing import Dict

from .world import SIZE, TYPES, World

POLICY = """package check

import rego.v1

default allow := false

allow if some_role(object.get(data.given, [input.user, input.thing], ""), input.action)

# A role on the folder, box or shelf.
allow if {
	folder := data.above[input.thing]
	some place in [folder, data.above[folder], data.above[data.above[folder]]]
	some_role(object.get(data.given, [input.user, place], ""), input.action)
}

some_role("owner", _)

some_role("viewer", "read")
"""


def data(world: World) -> Dict:
    given: Dict = {}
    for one in world.assignments():
        given.setdefault(one["user"], {})[one["resource_instance"].split(":")[1]] = one["role"]
    above = {}
    for upper, kind in zip(TYPES, TYPES[1:]):
        above.update({f"{kind}-{n}": f"{upper}-{n // SIZE}" for n in range(world.counts[kind])})
    return {"given": given, "above": above}


def measure(home: Path, facts: int, count: int) -> Dict:
    sys.path.insert(0, str(home))
    from opa_bindings.engine import OpaEngine

    world, found = World(facts), {}
    with OpaEngine() as engine:
        engine.add_policy("check.rego", POLICY)
        engine.add_data(data(world))
        for kind in ("direct", "derived", "denied"):
            taken = []
            for question in world.questions(kind, count):
                asked = {"user": question["user"]["key"], "action": question["action"], "thing": question["resource"]["key"]}
                start = time.perf_counter_ns()
                allowed = engine.eval_document("check.allow", asked)
                taken.append(time.perf_counter_ns() - start)
                if allowed is (kind == "denied"):
                    raise RuntimeError(f"OPA answers {allowed} to {asked}")
            found[kind] = percentiles(taken)
    return {"facts": facts, **found}


def percentiles(nanoseconds) -> Dict:
    cuts = statistics.quantiles(nanoseconds, n=100)
    return {"p50": cuts[49] / 1e3, "p99": cuts[98] / 1e3}
