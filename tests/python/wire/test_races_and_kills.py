"""Fifty people decide at once; the server is killed while requests wait."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import family
from harness.family import ACCESS, Permissions
from harness.server import Server
from harness.wire import Wire, error_of, is_uuid

pytestmark = pytest.mark.slow
DECIDERS = 50


def decide_all_at_once(attempts):
    """Sends all attempts (client, path) together; returns the answers."""
    together = threading.Barrier(len(attempts))

    def one(attempt):
        client, path = attempt
        client.send("GET", "/healthy")  # the connection is open before the race
        together.wait()
        return client.send("PUT", path, {})

    with ThreadPoolExecutor(len(attempts)) as pool:
        return list(pool.map(one, attempts))


def judge(answers, granted):
    """Exactly one decision: whoever was told yes was told the same, everybody else that it is over."""
    told = {}
    for answer in answers:
        if answer.is_success:
            body = answer.json()
            assert is_uuid(body["reviewer_user_id"])
            told.setdefault((body["status"], body["reviewer_user_id"], body["reviewed_at"]), []).append(body)
        else:
            assert answer.status_code == 409, answer.text
            error_of(answer)
    assert len(told) == 1, f"{len(told)} decisions: {list(told)}"
    (status, _, _), = told
    assert granted == (1 if status == "approved" else 0), f"{status}, and {granted} roles granted"


def test_one_access_request_and_fifty_deciders(server, wire, home):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    clients = [Wire(server.url, server.key) for _ in range(DECIDERS)]
    attempts = [
        (client, f"{Permissions(client, (home.joe, home.jane)[index % 2]).access}/{asked['id']}/{('approve', 'deny')[index // 2 % 2]}")
        for index, client in enumerate(clients)
    ]
    answers = decide_all_at_once(attempts)
    judge(answers, len(wire.get(f"{wire.facts}/role_assignments", user=home.henry)))


def test_one_operation_and_fifty_deciders(server, wire, home):
    asked = Permissions(wire, home.henry).ask_operation(home.place)
    tokens = [Permissions(wire, person).token() for person in (home.joe, home.jane)]
    path = Permissions(wire, home.joe).operations
    attempts = [
        (Wire(server.url, tokens[index % 2]), f"{path}/{asked['id']}/{('approve', 'deny')[index // 2 % 2]}")
        for index in range(DECIDERS)
    ]
    answers = decide_all_at_once(attempts)
    judge(answers, len(wire.get(f"{wire.facts}/role_assignments", user=home.henry)))


def test_fifty_equal_wishes_are_one_request(server, wire, home):
    together = threading.Barrier(DECIDERS)

    def ask(_):
        client = Wire(server.url, server.key)
        together.wait()
        return Permissions(client, home.henry).ask_access(home.place)["id"]

    with ThreadPoolExecutor(DECIDERS) as pool:
        assert len(set(pool.map(ask, range(DECIDERS)))) == 1
    assert Permissions(wire, home.joe).list_access(resource_instance_id=home.place)["total_count"] == 1


def test_pending_requests_outlive_a_kill(tmp_path):
    server = Server(tmp_path).start()
    try:
        wire = Wire(server.url, server.key)
        family.write_policy(wire)
        home = family.settle(wire)
        henry, rose, joe = (Permissions(wire, person) for person in (home.henry, home.rose, home.joe))
        decided = joe.decide_access(rose.ask_access(home.place)["id"], "approve")
        access, operation = henry.ask_access(home.place), henry.ask_operation(home.place)
        before = joe.list_access(resource_instance_id=home.place), joe.list_operations(resource_instance=home.place)
        port = server.port

        server.kill()
        server.start()
        assert server.port == port

        assert wire.allowed(home.rose, "read", home.instance) is True
        assert wire.allowed(home.henry, "read", home.instance) is False
        after = Permissions(wire, home.joe)
        assert after.list_access(resource_instance_id=home.place) == before[0]
        assert after.list_operations(resource_instance=home.place) == before[1]
        assert wire.get(f"{wire.elements}/config/{ACCESS}")["roles_to_levels"]["LEVEL_1"][0]["key"] == "parent"

        after.decide_access(access["id"], "approve")
        after.decide_operation(operation["id"], "approve")
        assert wire.allowed(home.henry, "read", home.instance) is True
        assert wire.allowed(home.henry, "operate", home.instance) is True
        wire.refused(409, "PUT", f"{Permissions(wire, home.jane).access}/{decided['id']}/deny", {})
    finally:
        server.kill()


def test_kills_while_wishes_arrive_lose_no_answered_one(tmp_path):
    server = Server(tmp_path).start()
    try:
        wire = Wire(server.url, server.key)
        family.write_policy(wire)
        homes = [family.settle(wire) for _ in range(3)]
        promised = []
        answered = threading.Semaphore(0)

        def ask_until_it_dies(home):
            client = Wire(server.url, server.key)
            for number in range(1000):
                place = f"place-{home.place}-{number}"
                try:
                    client.ok("POST", f"{client.facts}/resource_instances", {
                        "resource": family.RESOURCE, "key": place, "tenant": "default",
                    })
                    promised.append((home, Permissions(client, home.henry).ask_access(place)["id"]))
                    answered.release()
                except Exception:  # the server is gone, whatever the client calls it
                    return

        with ThreadPoolExecutor(3) as pool:
            for home in homes:
                pool.submit(ask_until_it_dies, home)
            arrived = all(answered.acquire(timeout=30) for _ in range(30))
            server.kill()
            assert arrived, "the server took no thirty wishes in time"
        server.start()
        fresh = Wire(server.url, server.key)
        for home, request in promised:
            path = f"{Permissions(fresh, home.henry).access}/{request}"
            assert fresh.get(path)["status"] == "pending"
    finally:
        server.kill()


def test_a_clean_stop_is_quick_and_says_success(tmp_path):
    server = Server(tmp_path).start()
    assert server.stop() == 0
    server.start()
    assert Wire(server.url, server.key).get("/v2/api-key/scope")
    server.kill()
