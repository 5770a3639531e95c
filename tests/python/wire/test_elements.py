"""Element configurations: what they bring with them, and what they refuse."""

import pytest

from harness.family import ACTIONS, DISHES, ELEMENTS, FORM, RESOURCE, Permissions
from harness.wire import Wire, is_time, is_uuid


@pytest.fixture
def castle(wire):
    """A resource of this test alone, with two roles."""
    import secrets

    key = "castle-" + secrets.token_hex(4)
    wire.ok("POST", f"{wire.schema}/resources", {
        "key": key, "name": "Castle", "actions": {"enter": {}},
        "roles": {"lord": {"name": "Lord", "permissions": ["enter"]}, "guest": {"name": "Guest", "permissions": ["enter"]}},
    })
    return key


def element(castle, kind="user_management", **changes):
    return {
        "key": f"{castle}-{kind.replace('_', '-')}", "name": "Castle", "elements_type": kind,
        "settings": {"resource": castle, "title": "The castle", "columns": 3, "dark": True},
        "roles_to_levels": {"LEVEL_1": ["lord"], "LEVEL_4": ["guest"]} if kind == "user_management" else {},
        **changes,
    }


def test_a_life(wire, castle):
    path = f"{wire.elements}/config"
    made = wire.ok("POST", path, element(castle))
    for name in ("id", "organization_id", "project_id", "environment_id"):
        assert is_uuid(made[name]), made
    assert is_time(made["created_at"]) and is_time(made["updated_at"]) and made["is_active"] is True
    assert made["settings"] == {"resource": castle, "title": "The castle", "columns": 3, "dark": True}
    lord, = made["roles_to_levels"]["LEVEL_1"]
    assert lord["key"] == "lord" and lord["name"] == "Lord" and is_uuid(lord["id"])
    assert lord["resource_id"] == wire.get(f"{wire.schema}/resources/{castle}")["id"]

    assert wire.get(f"{path}/{made['key']}") == made
    assert made["key"] in [item["key"] for item in wire.get(path, per_page=100)["data"]]
    changed = wire.ok("PATCH", f"{path}/{made['key']}", {
        "name": "Fortress", "roles_to_levels": {"LEVEL_1": ["lord"], "LEVEL_2": ["guest"]},
    })
    assert changed["name"] == "Fortress" and changed["settings"] == made["settings"]
    assert [role["key"] for role in changed["roles_to_levels"]["LEVEL_2"]] == ["guest"]
    assert not changed["roles_to_levels"].get("LEVEL_4")
    wire.ok("DELETE", f"{path}/{made['id']}")
    wire.refused(404, "GET", f"{path}/{made['key']}")
    wire.refused(404, "DELETE", f"{path}/{made['key']}")


def test_operation_approval_brings_roles_and_actions(wire, castle):
    wire.ok("POST", f"{wire.elements}/config", element(castle, "operation_approval"))
    resource = wire.get(f"{wire.schema}/resources/{castle}")
    assert {"approve", "deny", "review", "operate", "enter"} == set(resource["actions"])
    roles = {role["key"]: role for role in wire.get(f"{wire.schema}/resources/{castle}/roles")}
    assert set(roles["_Reviewer_"]["permissions"]) == {"approve", "deny", "review"}
    assert roles["_Approved_"]["permissions"] == ["operate"]


def test_settings_may_name_the_resource_by_id(wire, castle):
    own = wire.get(f"{wire.schema}/resources/{castle}")["id"]
    made = wire.ok("POST", f"{wire.elements}/config", element(castle, settings={"resource": own}))
    assert made["roles_to_levels"]["LEVEL_1"][0]["resource_id"] == own


@pytest.mark.parametrize("status, changes", [
    (404, {"roles_to_levels": {"LEVEL_1": ["emperor"]}}),
    (404, {"settings": {"resource": "no-such-resource"}}),
    ((400, 422), {"elements_type": "chat"}),
    ((400, 422), {"roles_to_levels": {"LEVEL_9": ["lord"]}}),
    ((400, 422), {"key": "not a key!"}),
    ((400, 422), {"settings": None}),
])
def test_what_is_refused(wire, castle, status, changes):
    wanted = element(castle, **changes)
    wire.refused(status, "POST", f"{wire.elements}/config", wanted)
    wire.refused((404, 400, 422), "GET", f"{wire.elements}/config/{wanted['key']}")


def test_a_key_is_taken_once(wire):
    refusal = wire.refused(409, "POST", f"{wire.elements}/config", ELEMENTS[0])
    assert refusal["error_code"] == "DUPLICATE_ENTITY"


def test_the_level_of_a_session(wire, home):
    path = f"{wire.elements}/config/restaurant-requests/runtime"
    runtime = Permissions(wire, home.joe).session.get(path)
    assert runtime["config"]["key"] == "restaurant-requests"
    assert runtime["current_permission_level"] == "LEVEL_1"


def test_levels_decide_who_reviews(wire, castle):
    """LEVEL_1 reviews, the others do not; and the level is that of the instance."""
    wire.ok("POST", f"{wire.elements}/config", element(
        castle, key=f"{castle}-el", roles_to_levels={"LEVEL_1": ["lord"], "LEVEL_4": ["guest"], "HIDDEN": []},
    ))
    lord, guest, asker = (f"{role}-{castle}" for role in ("lord", "guest", "asker"))
    for user in (lord, guest, asker):
        wire.ok("PUT", f"{wire.facts}/users/{user}", {"key": user})
    for user, role, place in ((lord, "lord", "north"), (guest, "guest", "north"), (guest, "lord", "south")):
        wire.ok("POST", f"{wire.facts}/role_assignments", {
            "user": user, "role": role, "tenant": "default", "resource_instance": f"{castle}:{place}",
        })

    def path(user):
        return f"{wire.facts}/access_requests/{castle}-el/user/{user}/tenant/default"

    asked = wire.ok("POST", path(asker), {
        "access_request_details": {"tenant": "default", "resource": castle, "role": "guest", "resource_instance": "north"},
        "reason": "let me in",
    })
    wire.refused((403, 404), "PUT", f"{path(guest)}/{asked['id']}/approve", {})
    wire.ok("PUT", f"{path(lord)}/{asked['id']}/approve", {})
    assert wire.allowed(asker, "enter", f"{castle}:north") is True
    assert wire.allowed(asker, "enter", f"{castle}:south") is False


def test_requests_of_a_removed_element_stay_closed(wire, castle):
    wire.ok("POST", f"{wire.elements}/config", element(castle, key=f"{castle}-el"))
    user = f"asker-{castle}"
    wire.ok("PUT", f"{wire.facts}/users/{user}", {"key": user})
    wire.ok("POST", f"{wire.facts}/resource_instances", {"resource": castle, "key": "north", "tenant": "default"})
    path = f"{wire.facts}/access_requests/{castle}-el/user/{user}/tenant/default"
    wire.ok("POST", path, {
        "access_request_details": {"tenant": "default", "resource": castle, "role": "guest", "resource_instance": "north"},
        "reason": "let me in",
    })
    wire.ok("DELETE", f"{wire.elements}/config/{castle}-el")
    wire.refused(404, "GET", path)
    assert wire.allowed(user, "enter", f"{castle}:north") is False


def test_no_key_no_element(server):
    client = Wire(server.url, None)
    client.refused(401, "GET", f"{client.elements}/config")
    client.refused(401, "POST", f"{client.elements}/config", ELEMENTS[0])
    client.close()


def test_the_family_is_what_the_example_says(wire):
    assert wire.get(f"{wire.elements}/config/{FORM}")["elements_type"] == "operation_approval"
    assert wire.get(f"{wire.elements}/config/{DISHES}")["elements_type"] == "approval_management"
    assert set(ACTIONS) <= set(wire.get(f"{wire.schema}/resources/{RESOURCE}")["actions"])
