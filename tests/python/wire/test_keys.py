"""Keys: which open what, and what a wrong one gets."""

import pytest

from harness.family import Permissions, access_body
from harness.wire import Wire, is_uuid


@pytest.fixture
def stranger(server):
    client = Wire(server.url, "not-a-key-of-this-server")
    yield client
    client.close()


def test_the_first_key_is_of_default_dev(wire):
    scope = wire.get("/v2/api-key/scope")
    assert all(is_uuid(scope[name]) for name in ("organization_id", "project_id", "environment_id")), scope
    assert wire.get("/v2/projects/default/envs/dev")["id"] == scope["environment_id"]


def test_the_bearer_word_is_read_in_any_case(server):
    for word in ("Bearer", "bearer", "BEARER"):
        client = Wire(server.url, None)
        answer = client.send("GET", "/v2/api-key/scope", headers={"authorization": f"{word} {server.key}"})
        assert answer.status_code == 200, answer.text
        client.close()


def test_a_wrong_key(stranger, home):
    for method, path, body in (
        ("GET", "/v2/api-key/scope", None),
        ("GET", f"{stranger.facts}/users", None),
        ("PUT", f"{stranger.facts}/users/eve", {"key": "eve"}),
        ("POST", f"{stranger.schema}/resources", {"key": "k", "name": "K", "actions": {}}),
        ("POST", Permissions(stranger, home.henry).access, access_body(home.place)),
        ("POST", "/v2/auth/elements_login_as", {"user_id": home.joe, "tenant_id": "default"}),
        ("POST", "/v2/no/such/route", {}),
    ):
        if path == "/v2/no/such/route":
            assert stranger.send(method, path, body).status_code in (401, 404)
        else:
            stranger.refused(401, method, path, body)


def test_a_refusal_leaves_the_connection_open(server):
    """A call that is refused before its body was read must not cost the client its next call."""
    client = Wire(server.url, "not-a-key-of-this-server")
    for _ in range(500):
        assert client.send("POST", "/v2/auth/elements_login_as", {"user_id": "joe", "tenant_id": "default"}).status_code == 401
        assert client.send("POST", "/v2/no/such/route", {"some": "body"}).status_code in (401, 404)
        assert client.send("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).status_code == 401
    client.close()


def test_no_key(server):
    client = Wire(server.url, None)
    client.refused(401, "GET", "/v2/api-key/scope")
    client.refused(401, "GET", f"{client.facts}/users")
    client.close()


@pytest.mark.parametrize("key", [None, "wrong"])
def test_checks_need_the_key_of_the_environment(server, home, key):
    client = Wire(server.url, key)
    for path in ("/allowed", "/allowed/bulk"):
        answer = client.send("POST", path, {"user": {"key": home.joe}, "action": "read", "resource": {"type": "restaurants"}})
        assert answer.status_code in (401, 403), answer.text
        assert "allow\":true" not in answer.text
    client.close()


def test_the_key_of_another_environment(server, wire, home, other_environment_key):
    foreign = Wire(server.url, other_environment_key)
    assert foreign.get("/v2/api-key/scope")["environment_id"] != wire.get("/v2/api-key/scope")["environment_id"]
    asked = Permissions(wire, home.henry).ask_access(home.place)
    for method, path, body in (
        ("GET", f"{wire.facts}/users", None),
        ("GET", f"{wire.facts}/users/{home.joe}", None),
        ("GET", f"{wire.schema}/resources", None),
        ("GET", f"{wire.elements}/config", None),
        ("POST", Permissions(wire, home.rose).access, access_body(home.place)),
        ("GET", Permissions(wire, home.joe).access, None),
        ("PUT", f"{Permissions(wire, home.joe).access}/{asked['id']}/approve", {}),
        ("DELETE", f"{wire.facts}/users/{home.joe}", None),
    ):
        foreign.refused((403, 404), method, path, body)
    assert foreign.allowed(home.joe, "read", home.instance) is False, "its own environment knows no such person"
    foreign.refused(404, "POST", "/v2/auth/elements_login_as", {"user_id": home.joe, "tenant_id": "default"})
    own = Wire(server.url, other_environment_key, environment="production")
    assert own.get(f"{own.facts}/users")["data"] == []
    foreign.close()
    own.close()


def test_a_session_of_another_environment(server, wire, home, other_environment_key):
    own = Wire(server.url, other_environment_key, environment="production")
    own.ok("PUT", f"{own.facts}/users/{home.joe}", {"key": home.joe})
    token = Permissions(own, home.joe).token()
    asked = Permissions(wire, home.henry).ask_operation(home.place)
    intruder = Wire(server.url, token)
    path = Permissions(wire, home.joe).operations
    intruder.refused((401, 403, 404), "PUT", f"{path}/{asked['id']}/approve", {})
    intruder.refused((401, 403, 404), "GET", path)
    assert wire.allowed(home.henry, "operate", home.instance) is False
    own.close()
    intruder.close()


def test_a_key_makes_no_wider_key(server):
    for scope in ("org", "project"):
        done = server.cli("key", "create", "--scope", scope)
        assert done.returncode != 0 and done.stdout == "", f"{scope}: {done.stdout}"
    own = Wire(server.url, server.new_key("--scope", "env"))
    assert own.get("/v2/api-key/scope") == Wire(server.url, server.key).get("/v2/api-key/scope")
    own.close()


def test_the_first_keys_open_what_they_say(server):
    for opens, members in (
        ("organization default", 1), ("project default", 2), ("environment default/production", 3),
    ):
        client = Wire(server.url, server.first_key(opens))
        scope = client.get("/v2/api-key/scope")
        assert len([value for value in scope.values() if value]) == members, (opens, scope)
        client.close()


def test_what_is_open_to_all_tells_nothing(server):
    client = Wire(server.url, None)
    for path in ("/healthy", "/health", "/ready", "/version"):
        answer = client.send("GET", path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        assert server.key not in answer.text
    client.close()


def test_the_server_says_once_that_it_listens(server):
    assert len(server.ready_lines) == 1
    assert server.key not in server.log_tail(100_000)
