"""askfirst over HTTP on a world of a given size: writing, restarting, checking, listing."""

import http.client
import itertools
import json
import statistics
import time
from pathlib import Path
from typing import Dict, Iterable, List

from . import wrk
from .world import World, policy

#: How many different questions go round: more than any cache of the processor holds.
QUESTIONS = 50_000


class Client:
    def __init__(self, server):
        self.server = server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        self.headers = {"authorization": f"Bearer {server.key}", "content-type": "application/json"}

    def call(self, method: str, path: str, body=None):
        self.connection.request(method, path, json.dumps(body), self.headers)
        response = self.connection.getresponse()
        told = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {told[:500]!r}")
        return json.loads(told) if told else None


def batches(items: Iterable, size: int) -> Iterable[List]:
    items = iter(items)
    return iter(lambda: list(itertools.islice(items, size)), [])


def fill(client: Client, world: World) -> Dict:
    """Writes the world through Permit's bulk routes, one call after another."""
    client.call("PUT", "/api/v1/policy", {"file": json.dumps(policy())})
    facts = "/v2/facts/default/dev"
    parts = [
        ("users", "POST", f"{facts}/bulk/users", ({"key": f"user-{n}"} for n in range(world.users)), 3000),
        ("instances", "PUT", f"{facts}/bulk/resource_instances", world.instances(), 3000),
        ("tuples", "POST", f"{facts}/relationship_tuples/bulk", world.tuples(), 1000),
        ("assignments", "POST", f"{facts}/role_assignments/bulk", world.assignments(), 2000),
    ]
    written, start = {}, time.monotonic()
    for name, method, path, items, size in parts:
        count, begun = 0, time.monotonic()
        for batch in batches(items, size):
            client.call(method, path, batch if name == "assignments" else {"operations": batch})
            count += len(batch)
        written[name] = {"count": count, "per_second": count / (time.monotonic() - begun)}
    total = sum(part["count"] for part in written.values())
    return {"parts": written, "count": total, "per_second": total / (time.monotonic() - start)}


def restart(server, kill: bool) -> float:
    """Seconds from the start of the process to its ready line."""
    (server.kill if kill else server.stop)()
    start = time.monotonic()
    server.start()
    return time.monotonic() - start


def single_writes(client: Client, world: World, count: int) -> Dict:
    """One assignment after the other, each followed by a check that has to see it."""
    taken = []
    for number in range(count):
        user, doc = f"user-{number * 2 % world.users}", f"doc-{(number * 31 + 17) % world.docs}"
        body = {"user": user, "role": "owner", "tenant": "default", "resource_instance": f"doc:{doc}"}
        asked = {"user": {"key": user}, "action": "write", "resource": {"type": "doc", "key": doc}}
        start = time.monotonic()
        client.call("POST", "/v2/facts/default/dev/role_assignments", body)
        taken.append(time.monotonic() - start)
        if not client.call("POST", "/allowed", asked)["allow"]:
            raise RuntimeError("a check did not see the write before it")
        client.call("DELETE", "/v2/facts/default/dev/role_assignments", body)
    return {"p50": statistics.median(taken) * 1e6, "count": count}


def memory(server) -> int:
    """Resident bytes."""
    status = Path(f"/proc/{server._process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024


def checks(server, world: World, seconds: int) -> Dict:
    headers = {"authorization": f"Bearer {server.key}"}
    found = {}
    for kind in ("direct", "derived", "denied"):
        bodies = world.questions(kind, QUESTIONS)
        found[f"{kind}_one"] = wrk.load(server.url, "/allowed", headers, bodies, 1, seconds)
        found[f"{kind}_many"] = wrk.load(server.url, "/allowed", headers, bodies, 16, seconds)
    bodies = world.questions("direct", QUESTIONS)
    hundreds = list(batches(bodies, 100))
    for name, connections in (("one", 1), ("many", 4)):
        told = wrk.load(server.url, "/allowed/bulk", headers, hundreds, connections, seconds)
        found[f"bulk_{name}"] = {**told, "checks_per_second": told["per_second"] * 100}
    return found


def lists(client: Client, world: World, count: int) -> Dict:
    """`/user-permissions` of users who own a shelf, and `/authorized_users` of a document."""
    asked = {
        "user_permissions": ("/user-permissions", lambda n: {"user": {"key": f"user-{n * 2 + 1}"}, "resource_types": ["doc"]}),
        "authorized_users": (
            "/authorized_users",
            lambda n: {"action": "read", "resource": {"type": "doc", "key": f"doc-{n * 997 % world.docs}"}},
        ),
    }
    found = {}
    for name, (path, body) in asked.items():
        taken, results = [], []
        for number in range(count):
            start = time.monotonic()
            told = client.call("POST", path, body(number))
            taken.append(time.monotonic() - start)
            results.append(len(told.get("users", told)))
        found[name] = {"p50": statistics.median(taken) * 1e6, "results": statistics.mean(results)}
    return found


def measure(server, facts: int, seconds: int) -> Dict:
    world = World(facts)
    client = Client(server)
    found = {"facts": facts, "write": fill(client, world)}
    found["single_write"] = single_writes(client, world, 100)
    found["restart"] = restart(server, kill=False)
    found["restart_killed"] = restart(server, kill=True)
    found["resident"] = memory(server)
    found["checks"] = checks(server, world, seconds)
    found["lists"] = lists(Client(server), world, 50)
    return found
