"""The world changes while a request waits; and names that look like something else."""

import secrets
import uuid

import pytest

from harness.family import RESOURCE, Permissions, access_body, user_id
from harness.wire import error_of


def approve(wire, reviewer, request, status):
    return wire.refused(status, "PUT", f"{Permissions(wire, reviewer).access}/{request}/approve", {})


def test_the_requester_is_gone(wire, home):
    henry = Permissions(wire, home.henry)
    asked, session = henry.ask_access(home.place), henry.session
    wire.ok("DELETE", f"{wire.facts}/users/{home.henry}")
    assert home.henry in approve(wire, home.joe, asked["id"], 409)["message"]
    session.refused(401, "GET", henry.operations)
    wire.ok("POST", f"{wire.facts}/users", {"key": home.henry})
    assert wire.allowed(home.henry, "read", home.instance) is False
    approve(wire, home.joe, asked["id"], 409)
    assert Permissions(wire, home.henry).list_access()["data"] == [], "who takes the key over takes over no requests"


def test_the_restaurant_is_gone(wire, home):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    wire.ok("DELETE", f"{wire.facts}/resource_instances/{home.instance}")
    approve(wire, home.joe, asked["id"], (404, 409))
    wire.ok("POST", f"{wire.facts}/resource_instances", {"resource": RESOURCE, "key": home.place, "tenant": "default"})
    assert wire.allowed(home.henry, "read", home.instance) is False


def test_the_reviewer_is_one_no_more(wire, home):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    dish = Permissions(wire, home.henry).ask_operation(home.place)
    joe = Permissions(wire, home.joe)
    session = joe.session
    for role in ("parent", "_Reviewer_"):
        wire.ok("DELETE", f"{wire.facts}/users/{home.joe}/roles", {
            "role": role, "tenant": "default", "resource_instance": home.instance,
        })
    approve(wire, home.joe, asked["id"], (403, 404))
    session.refused((403, 404), "PUT", f"{joe.operations}/{dish['id']}/approve", {})
    Permissions(wire, home.jane).decide_access(asked["id"], "approve")


def test_the_role_is_given_out_no_more(wire, home):
    castle = "castle-" + secrets.token_hex(4)
    wire.ok("POST", f"{wire.schema}/resources", {
        "key": castle, "name": "Castle", "actions": {"enter": {}}, "roles": {
            "lord": {"name": "Lord", "permissions": ["enter"]}, "guest": {"name": "Guest", "permissions": ["enter"]},
        },
    })
    element = f"{wire.elements}/config"
    wire.ok("POST", element, {
        "key": castle, "name": "Castle", "elements_type": "user_management", "settings": {"resource": castle},
        "roles_to_levels": {"LEVEL_1": ["lord"], "LEVEL_4": ["guest"]},
    })
    wire.ok("POST", f"{wire.facts}/role_assignments", {
        "user": home.joe, "role": "lord", "tenant": "default", "resource_instance": f"{castle}:north",
    })

    def path(user):
        return f"{wire.facts}/access_requests/{castle}/user/{user}/tenant/default"

    details = {"tenant": "default", "resource": castle, "role": "guest", "resource_instance": "north"}
    asked = wire.ok("POST", path(home.henry), {"access_request_details": details, "reason": "let me in"})
    wire.ok("PATCH", f"{element}/{castle}", {"roles_to_levels": {"LEVEL_1": ["lord"]}})
    refusal = wire.refused(409, "PUT", f"{path(home.joe)}/{asked['id']}/approve", {})
    assert "`guest`" in refusal["message"], "people know roles by their keys"
    assert wire.ok("PUT", f"{path(home.joe)}/{asked['id']}/deny", {})["status"] == "denied"
    assert wire.allowed(home.henry, "enter", f"{castle}:north") is False


def test_tenants_do_not_mix(wire, home):
    blue = "blue-" + secrets.token_hex(4)
    wire.ok("POST", f"{wire.facts}/tenants", {"key": blue, "name": "Blue"})
    wire.ok("POST", f"{wire.facts}/resource_instances", {"resource": RESOURCE, "key": blue, "tenant": blue})
    mixed = wire.refused(400, "POST", f"{wire.facts}/role_assignments", {
        "user": home.joe, "role": "parent", "tenant": "default", "resource_instance": f"{RESOURCE}:{blue}",
    })
    assert mixed["error_code"] == "MISMATCH_RESOURCE_INSTANCES_TENANTS"
    henry = Permissions(wire, home.henry)
    wire.refused((400, 404), "POST", henry.access, access_body(blue))
    wire.refused((403, 404), "POST", henry.access.replace("/tenant/default", f"/tenant/{blue}"), access_body(blue))
    wire.refused(404, "POST", "/v2/auth/elements_login_as", {"user_id": home.henry, "tenant_id": blue})
    assert wire.allowed(home.joe, "read", home.instance, tenant=blue) is False


def test_a_key_that_looks_like_somebodys_id_takes_nothing_over(wire, home):
    joe = user_id(wire, home.joe)
    for key in (joe, uuid.UUID(joe).hex):
        wire.send("POST", f"{wire.facts}/users", {"key": key})
        assert wire.get(f"{wire.facts}/users/{key}")["key"] == home.joe
        assert wire.allowed(key, "read", home.instance) is False


def test_a_uuid_may_be_a_key(wire, home):
    key = str(uuid.uuid4())
    wire.ok("PUT", f"{wire.facts}/users/{key}", {"key": key})
    assert wire.get(f"{wire.facts}/users/{key}")["key"] == key
    asked = Permissions(wire, key).ask_access(home.place)
    Permissions(wire, home.joe).decide_access(asked["id"], "approve")
    assert wire.allowed(key, "read", home.instance) is True


@pytest.mark.parametrize("path", ["users/%00", "users/..%2f..%2fx", "users/%ff", "users/a%2Fb", "users/", "tenants/%e2%80%ae"])
def test_odd_paths_are_refused_politely(wire, path):
    answer = wire.send("GET", f"{wire.facts}/{path}")
    assert answer.status_code in (400, 404), answer.text
    error_of(answer)


@pytest.mark.parametrize("window", ["page=0", "page=-1", "per_page=0", "page=abc", "page=99999999999999999999", "per_page=101"])
def test_odd_pages_are_refused_in_words(wire, window):
    refusal = wire.refused((400, 422), "GET", f"{wire.facts}/users?{window}")
    assert "deserialize" not in str(refusal) and "digit" not in str(refusal), refusal


def test_a_body_that_is_too_large(wire):
    wire.refused(413, "POST", f"{wire.facts}/users", {"key": "big", "attributes": {"x": "y" * 9_000_000}})


def test_a_body_that_is_too_deep(wire):
    answer = wire.send("POST", f"{wire.facts}/users", content=b'{"key":"deep","attributes":{"x":' + b"[" * 100_000)
    assert answer.status_code in (400, 422), answer.text
    assert "struct" not in str(error_of(answer)), answer.text


def test_a_body_of_another_shape_is_told_what_is_expected(wire):
    refusal = wire.refused((400, 422), "POST", f"{wire.facts}/users", ["joe"])
    assert "struct" not in str(refusal), refusal
