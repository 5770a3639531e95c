"""Requests over HTTP: how soon a waiting agent is told, decisions a second, long lists, and grants that end beside checks."""

import http.client
import json
import queue
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Tuple

from . import wrk
from .serving import Client

ROOT = Path(__file__).resolve().parents[2]
DISH = "restaurants:pizza-palace_truffle-pizza"
CLIENTS = 64
#: How long what is approved for the last part lasts: longer than it takes to approve it all.
LASTS = 40


def wish(number: int, **more) -> Dict:
    return {
        "user": "henry", "kind": "operation_approval", "element": "dish-approval", "resource_instance": DISH,
        "reason": "we are hungry", "action": "order", "arguments": {"dish": "truffle-pizza", "number": number}, **more,
    }


def events(server, query: str) -> Iterator[Dict]:
    """What the stream tells, from now on; the first thing given is that it listens."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("GET", f"/api/v1/stream?{query}", headers={"authorization": f"Bearer {server.key}"})
    response = connection.getresponse()
    if response.status != 200:
        raise RuntimeError(f"the stream answered {response.status}")
    while line := response.readline():
        if line.startswith(b": listening"):
            yield {}
        elif line.startswith(b"data:"):
            yield json.loads(line[5:])


def listen(server, query: str) -> "queue.Queue[Dict]":
    heard: "queue.Queue[Dict]" = queue.Queue()

    def run():
        try:
            for event in events(server, query):
                heard.put(event)
        except (OSError, http.client.HTTPException):
            pass  # the server has stopped

    threading.Thread(target=run, daemon=True).start()
    heard.get(timeout=30)
    return heard


def reviewer(server) -> None:
    """Joe's program: hears of a request on the stream and approves what it says."""
    asked = listen(server, "code=request.created")
    client = Client(server)

    def run():
        while True:
            request = asked.get().get("request")
            if request is None:
                return  # the server has stopped
            told = client.call("GET", f"/api/v1/requests/{request}?user=joe")
            client.call("POST", f"/api/v1/requests/{request}/approve?user=joe", {"shown": told["shown"]})

    threading.Thread(target=run, daemon=True).start()


def told(server, count: int) -> Dict:
    """From the call that asks, over a reviewer who decides at once, to the moment at which the agent that waits knows."""
    reviewer(server)
    client, found = Client(server), {}
    heard = listen(server, "code=request.approved")
    taken = []
    for number in range(count):
        start = time.monotonic()
        request = client.call("POST", "/api/v1/requests", wish(number))["id"]
        while heard.get(timeout=30)["request"] != request:
            pass
        taken.append(time.monotonic() - start)
    found["stream"] = spread(taken)
    taken = []
    for number in range(count, 2 * count):
        start = time.monotonic()
        request = client.call("POST", "/api/v1/requests", wish(number))["id"]
        while client.call("GET", f"/api/v1/requests/{request}?user=henry")["status"] == "pending":
            time.sleep(0.002)
        taken.append(time.monotonic() - start)
    found["asked_again"] = spread(taken)
    return found


def spread(taken: List[float]) -> Dict:
    taken = sorted(taken)
    return {"p50": statistics.median(taken) * 1e6, "p99": taken[int(len(taken) * 0.99)] * 1e6, "count": len(taken)}


def at_once(server, work: Callable, items: List) -> List:
    """Does it for each, from many connections at once."""
    own = threading.local()

    def one(item):
        if not hasattr(own, "client"):
            own.client = Client(server)
        return work(own.client, item)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(one, items))


def ask(server, numbers: range, **more) -> List[Tuple[str, str]]:
    """Opens that many requests; their ids and what is shown of each."""

    def one(client, number):
        answer = client.call("POST", "/api/v1/requests", wish(number, **more))
        return answer["id"], answer["shown"]

    return at_once(server, one, list(numbers))


def approval(asked: Tuple[str, str]) -> Tuple[str, Dict]:
    request, shown = asked
    return f"/api/v1/requests/{request}/approve?user=joe", {"shown": shown}


def sign_in(server) -> str:
    """Joe's cookie."""
    link = Client(server).call("POST", "/api/v1/links", {"user": "joe"})["url"]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"origin": server.url, "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate"}
    headers["content-type"] = "application/x-www-form-urlencoded"
    connection.request("POST", "/login/" + link.rsplit("/", 1)[1], "", headers)
    answer = connection.getresponse()
    if not answer.getheader("set-cookie"):
        raise RuntimeError(f"signing in was answered with {answer.status}")
    return answer.getheader("set-cookie").split(";")[0]


def lists(server, count: int) -> Dict:
    cookie = {"cookie": sign_in(server)}
    key = {"authorization": f"Bearer {server.key}"}
    found = {}
    for name, path, headers in (
        ("page", "/inbox", cookie),
        ("inbox", "/api/v1/inbox?user=joe", key),
        ("requests", "/api/v1/requests?user=joe&status=pending", key),
        ("own", "/api/v1/requests?user=henry", key),
    ):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        taken = []
        for _ in range(count):
            start = time.monotonic()
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            taken.append(time.monotonic() - start)
            if answer.status != 200 or not body:
                raise RuntimeError(f"{path}: {answer.status}")
        found[name] = spread(taken)
    return found


def checks(server, seconds: int) -> Dict:
    people = [("joe", "read"), ("joe", "operate"), ("henry", "read"), ("jane", "operate")]
    bodies = [
        {"user": {"key": user}, "action": action, "resource": {"type": "restaurants", "key": DISH.split(":")[1]}}
        for user, action in people
    ]
    return wrk.load(server.url, "/allowed", {"authorization": f"Bearer {server.key}"}, bodies, 1, seconds)


def ended(client: Client) -> int:
    return client.call("GET", "/api/v1/audit?code=grant.ended&per_page=1")["total_count"]


def endings(server, first: int, count: int) -> Dict:
    """Checks while nothing else happens, and checks while all these grants end."""
    asked = ask(server, range(first, first + count), lasts=f"{LASTS}s")
    begun = time.monotonic()
    at_once(server, lambda client, one: client.call("POST", *approval(one)), asked)
    took = time.monotonic() - begun
    seconds = max(2, min(8, int(LASTS - took) - 4))
    before = checks(server, seconds)
    time.sleep(max(0.0, begun + LASTS - time.monotonic()))
    client, start = Client(server), time.monotonic()
    during = checks(server, int(took) + 3)
    while ended(client) < count:
        if time.monotonic() - start > 120:
            raise RuntimeError(f"{ended(client)} of {count} grants have ended")
        time.sleep(0.05)
    return {"count": count, "before": before, "during": during}


def measure(server, size: Dict) -> Dict:
    client = Client(server)
    client.call("PUT", "/api/v1/policy", {"file": (ROOT / "examples/family/policy.yaml").read_text()})
    found = {"told": told(server, size["told"])}
    server.stop()  # ends the reviewer's program as well
    server.start()
    first, pending = 1_000_000, size["pending"]
    start = time.monotonic()
    asked = ask(server, range(first, first + pending))
    found["pending"] = pending
    found["asked_per_second"] = pending / (time.monotonic() - start)
    found["lists"] = lists(server, size["lists"])
    decide = [approval(one) for one in asked]
    key = {"authorization": f"Bearer {server.key}"}
    found["decisions"] = wrk.load_each(server.url, key, decide, CLIENTS, size["seconds"])
    found["endings"] = endings(server, first + pending, size["ending"])
    return found
