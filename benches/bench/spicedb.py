"""SpiceDB on the benchmarks' world, in a process of Node."""

import json
import os
import subprocess
from pathlib import Path
from typing import Dict

from .world import TYPES, World

HERE = Path(__file__).resolve().parent


def schema() -> str:
    blocks = ["definition user {}"]
    for above, kind in zip([None, *TYPES], TYPES):
        lines = ["relation owner: user", "relation viewer: user"]
        if above:
            lines.append(f"relation holds: {above}")
        derived = {key: f" + holds->{key}" if above else "" for key in ("write", "read")}
        lines += [f"permission write = owner{derived['write']}", f"permission read = viewer + write{derived['read']}"]
        blocks.append("\n".join([f"definition {kind} {{", *lines, "}"]))
    return "\n".join(blocks)


def measure(home: Path, facts: int, count: int) -> Dict:
    world = World(facts)
    relationships = []
    for one in world.tuples():
        relationships.append([*one["object"].split(":"), "holds", *one["subject"].split(":")])
    for one in world.assignments():
        relationships.append([*one["resource_instance"].split(":"), one["role"], "user", one["user"]])
    kinds = {
        kind: [["doc", it["resource"]["key"], it["action"], it["user"]["key"]] for it in world.questions(kind, count)]
        for kind in ("direct", "derived", "denied")
    }
    done = subprocess.run(
        ["node", str(HERE / "spicedb.mjs")],
        input=json.dumps({"schema": schema(), "relationships": relationships, "kinds": kinds}),
        env={**os.environ, "SPICEDB_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"SpiceDB ended with {done.returncode}\n{done.stderr[-2000:]}")
    return {"facts": facts, **json.loads(done.stdout)}
