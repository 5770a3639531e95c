"""Access requests over the API-key routes, request by request as the nine MCP tools send them."""

import re
import uuid

import pytest

from harness.family import ACCESS, RESOURCE, Permissions, access_body, is_request, user_id
from harness.wire import error_of


def test_list_of_instances_is_a_bare_array(wire, home):
    found = wire.get(f"{wire.facts}/resource_instances", tenant="default", resource=RESOURCE, page=1, per_page=100)
    assert isinstance(found, list)
    mine = [item for item in found if item["key"] == home.place]
    assert len(mine) == 1 and mine[0]["resource"] == RESOURCE and mine[0]["tenant"] == "default", mine
    assert mine[0]["attributes"] == {"name": "Pizza Palace"}


def test_from_no_role_to_a_granted_one(wire, home):
    henry, joe = Permissions(wire, home.henry), Permissions(wire, home.joe)
    assert wire.allowed(home.henry, "read", home.instance) is False

    asked = henry.ask_access(home.place, reason="18")
    is_request(asked, "access_request", "pending")
    assert asked["requesting_user_id"] == user_id(wire, home.henry)
    assert asked["reason"] == "18"
    assert not asked.get("reviewer_user_id") and not asked.get("reviewed_at")
    assert wire.allowed(home.henry, "read", home.instance) is False, "a pending wish grants nothing"

    listed = joe.list_access(status="pending", resource=RESOURCE, resource_instance_id=home.place, page=1, per_page=30)
    assert [item["id"] for item in listed["data"]] == [asked["id"]]
    assert (listed["total_count"], listed["page_count"]) == (1, 1)
    is_request(listed["data"][0], "access_request", "pending")

    approved = joe.decide_access(asked["id"], "approve", {"reviewer_comment": "happy birthday"})
    is_request(approved, "access_request", "approved")
    assert approved["reviewer_user_id"] == user_id(wire, home.joe)
    assert approved["reviewer_comment"] == "happy birthday"
    assert wire.allowed(home.henry, "read", home.instance) is True
    assert wire.allowed(home.henry, "delete", home.instance) is False

    roles = wire.get(f"{wire.facts}/role_assignments", user=home.henry)
    assert [(item["role"], item["resource_instance"]) for item in roles] == [("child-can-order", home.instance)]
    assert henry.list_access(status="pending")["data"] == []


def test_the_requester_can_be_looked_up_as_the_list_tool_does(wire, home):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    scope = wire.get("/v2/api-key/scope")
    facts = f"/v2/facts/{scope['project_id']}/{scope['environment_id']}"
    person = wire.get(f"{facts}/users/{asked['requesting_user_id']}")
    assert person["key"] == home.henry and person["id"] == asked["requesting_user_id"]


def test_denied_grants_nothing(wire, home):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    denied = Permissions(wire, home.jane).decide_access(asked["id"], "deny", {"reviewer_comment": "not yet"})
    is_request(denied, "access_request", "denied")
    assert denied["reviewer_comment"] == "not yet"
    assert denied["reviewer_user_id"] == user_id(wire, home.jane)
    assert wire.allowed(home.henry, "read", home.instance) is False


def test_the_requester_may_withdraw_and_ask_again(wire, home):
    henry = Permissions(wire, home.henry)
    asked = henry.ask_access(home.place)
    withdrawn = henry.decide_access(asked["id"], "cancel", {"reason": "no longer hungry"})
    is_request(withdrawn, "access_request", "canceled")
    wire.refused(409, "PUT", f"{Permissions(wire, home.joe).access}/{asked['id']}/approve", {})
    assert wire.allowed(home.henry, "read", home.instance) is False
    again = henry.ask_access(home.place)
    assert again["id"] != asked["id"] and again["status"] == "pending"


def test_only_the_requester_may_withdraw(wire, home):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    for person, status in ((home.rose, 404), (home.joe, 403)):
        wire.refused(status, "PUT", f"{Permissions(wire, person).access}/{asked['id']}/cancel", {"reason": "mine now"})
    assert wire.get(f"{Permissions(wire, home.henry).access}/{asked['id']}")["status"] == "pending"


def test_the_same_pending_wish_is_one_request(wire, home):
    henry = Permissions(wire, home.henry)
    first, second = henry.ask_access(home.place), henry.ask_access(home.place, reason="please")
    assert first["id"] == second["id"]
    assert henry.list_access(status="pending")["total_count"] == 1


@pytest.mark.parametrize("spelling", ["key", "typed key", "uuid", "hex"])
def test_every_spelling_of_an_instance(wire, home, spelling):
    instances = wire.get(f"{wire.facts}/resource_instances", resource=RESOURCE, search=home.place)
    own_id = next(item["id"] for item in instances if item["key"] == home.place)
    place = {
        "key": home.place, "typed key": home.instance, "uuid": own_id, "hex": uuid.UUID(own_id).hex,
    }[spelling]
    asked = Permissions(wire, home.henry).ask_access(place)
    Permissions(wire, home.joe).decide_access(asked["id"], "approve")
    assert wire.allowed(home.henry, "read", home.instance) is True


def test_an_instance_may_be_a_json_number(wire):
    from harness import family

    number = uuid.uuid4().int % 10**9
    home = family.settle(wire, place=str(number))
    asked = Permissions(wire, home.henry).ask_access(number)
    listed = Permissions(wire, home.joe).list_access(resource_instance_id=number)
    assert [item["id"] for item in listed["data"]] == [asked["id"]]
    Permissions(wire, home.joe).decide_access(asked["id"], "approve")
    assert wire.allowed(home.henry, "read", home.instance) is True


@pytest.mark.parametrize("spelling", [str, lambda text: uuid.UUID(text).hex], ids=["uuid", "hex"])
def test_every_path_position_takes_ids(wire, home, spelling):
    scope = wire.get("/v2/api-key/scope")
    element = wire.get(f"{wire.elements}/config/{ACCESS}")["id"]
    tenant = wire.get(f"{wire.facts}/tenants/default")["id"]
    role = wire.get(f"{wire.schema}/resources/{RESOURCE}/roles/child-can-order")["id"]
    resource = wire.get(f"{wire.schema}/resources/{RESOURCE}")["id"]

    def path(user: str) -> str:
        facts = f"/v2/facts/{spelling(scope['project_id'])}/{spelling(scope['environment_id'])}"
        own = spelling(user_id(wire, user))
        return f"{facts}/access_requests/{spelling(element)}/user/{own}/tenant/{spelling(tenant)}"

    asked = wire.ok("POST", path(home.henry), {
        "access_request_details": {
            "tenant": spelling(tenant), "resource": spelling(resource), "role": spelling(role),
            "resource_instance": home.place,
        },
        "reason": "by id",
    })
    listed = wire.get(path(home.joe), resource=spelling(resource), role=spelling(role), resource_instance_id=home.place)
    assert [item["id"] for item in listed["data"]] == [asked["id"]]
    assert wire.get(f"{path(home.joe)}/{spelling(asked['id'])}")["id"] == asked["id"]
    is_request(wire.ok("PUT", f"{path(home.joe)}/{spelling(asked['id'])}/approve", {}), "access_request", "approved")
    assert wire.allowed(home.henry, "read", home.instance) is True


def test_percent_encoded_user_keys(wire, home):
    for key, encoded in (("auth0|elon", "auth0%7Celon"), ("asaf@permit.io", "asaf%40permit.io"), ("a+b.c-d", "a+b.c-d")):
        wire.ok("PUT", f"{wire.facts}/users/{encoded}", {"key": key})
        assert wire.get(f"{wire.facts}/users/{encoded}")["key"] == key
        asked = Permissions(wire, encoded).ask_access(home.place)
        Permissions(wire, home.joe).decide_access(asked["id"], "approve")
        assert wire.allowed(key, "read", home.instance) is True


def test_filters_and_pages(wire, home):
    for child in (home.henry, home.rose):
        Permissions(wire, child).ask_access(home.place)
    joe = Permissions(wire, home.joe)
    everything = joe.list_access(resource_instance_id=home.place)
    assert everything["total_count"] == 2 and everything["page_count"] == 1
    first = joe.list_access(resource_instance_id=home.place, page=1, per_page=1)
    second = joe.list_access(resource_instance_id=home.place, page=2, per_page=1)
    assert (first["total_count"], first["page_count"], len(first["data"])) == (2, 2, 1)
    assert {first["data"][0]["id"], second["data"][0]["id"]} == {item["id"] for item in everything["data"]}
    assert joe.list_access(resource_instance_id=home.place, page=3, per_page=1)["data"] == []
    assert joe.list_access(resource_instance_id=home.place, status="approved")["total_count"] == 0
    assert joe.list_access(resource_instance_id=home.place, role="child-can-order")["total_count"] == 2
    joe.wire.refused((400, 422), "GET", joe.access, params={"status": "perhaps"})


def test_an_unknown_filter_value_does_not_widen_the_list(wire, home):
    Permissions(wire, home.henry).ask_access(home.place)
    answer = wire.send("GET", Permissions(wire, home.joe).access, params={"resource_instance_id": "nowhere"})
    if answer.is_success:
        assert answer.json()["data"] == []
    else:
        assert answer.status_code == 404
        error_of(answer)


def test_who_sees_what(wire, home):
    henry, rose = Permissions(wire, home.henry), Permissions(wire, home.rose)
    mine, hers = henry.ask_access(home.place), rose.ask_access(home.place)
    assert [item["id"] for item in henry.list_access()["data"]] == [mine["id"]]
    assert [item["id"] for item in rose.list_access()["data"]] == [hers["id"]]
    wire.refused((403, 404), "GET", f"{rose.access}/{mine['id']}")


def test_a_parent_of_another_house_neither_sees_nor_decides(wire, home):
    from harness import family

    other = family.settle(wire)
    asked = Permissions(wire, home.henry).ask_access(home.place)
    stranger = Permissions(wire, other.joe)
    assert stranger.list_access(resource_instance_id=home.place)["data"] == []
    wire.refused((403, 404), "PUT", f"{stranger.access}/{asked['id']}/approve", {})
    assert wire.allowed(home.henry, "read", home.instance) is False


def test_the_reviewer_may_change_the_role_before_and_while_approving(wire, home):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    joe = Permissions(wire, home.joe)
    changed = wire.ok("PATCH", f"{joe.access}/{asked['id']}/reviewer", {
        "reviewer_comment": "let me think", "role": "child-can-order",
    })
    is_request(changed, "access_request", "pending")
    assert changed["reviewer_comment"] == "let me think"
    wire.refused((400, 403, 404), "PUT", f"{joe.access}/{asked['id']}/approve", {"role": "emperor"})
    assert wire.get(f"{joe.access}/{asked['id']}")["status"] == "pending"
    joe.decide_access(asked["id"], "approve", {"role": "child-can-order"})
    assert wire.allowed(home.henry, "read", home.instance) is True


def test_a_second_decision_is_refused_and_says_who_decided_what_and_when(wire, home):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    joe, jane = Permissions(wire, home.joe), Permissions(wire, home.jane)
    first = joe.decide_access(asked["id"], "approve", {"reviewer_comment": "yes"})
    for path in (f"{jane.access}/{asked['id']}/deny", f"{jane.access}/{asked['id']}/approve", f"{joe.access}/{asked['id']}/deny"):
        message = wire.refused(409, "PUT", path, {})["message"]
        assert home.joe in message and "approved" in message, message
        assert re.search(r"\d{4}-\d{2}-\d{2}", message), f"no date in: {message}"
    again = joe.decide_access(asked["id"], "approve", {"reviewer_comment": "yes"})
    assert (again["id"], again["status"], again["reviewed_at"]) == (first["id"], "approved", first["reviewed_at"])
    assert wire.allowed(home.henry, "read", home.instance) is True


def test_nobody_decides_for_himself(wire, home):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    wire.refused(403, "PUT", f"{Permissions(wire, home.henry).access}/{asked['id']}/approve", {})

    joe = Permissions(wire, home.joe)
    own = joe.ask_access(home.place)
    for verb in ("approve", "deny"):
        wire.refused(403, "PUT", f"{joe.access}/{own['id']}/{verb}", {})
    assert wire.get(f"{joe.access}/{own['id']}")["status"] == "pending"
    Permissions(wire, home.jane).decide_access(own["id"], "approve")


def test_only_roles_that_are_given_out_can_be_asked_for(wire, home):
    henry = Permissions(wire, home.henry)
    for role in ("parent", "_Reviewer_", "emperor"):
        refusal = wire.refused((400, 403, 404), "POST", henry.access, access_body(home.place, role))
        assert "child-can-order" in refusal["message"], refusal
    assert henry.list_access()["total_count"] == 0


def test_a_role_already_held_is_not_asked_for_again(wire, home):
    henry = Permissions(wire, home.henry)
    Permissions(wire, home.joe).decide_access(henry.ask_access(home.place)["id"], "approve")
    wire.refused(409, "POST", henry.access, access_body(home.place))


@pytest.mark.parametrize("unknown", ["user", "tenant", "element", "instance", "resource", "tenant in body"])
def test_what_does_not_exist(wire, home, unknown):
    body = access_body("nowhere" if unknown == "instance" else home.place)
    if unknown == "resource":
        body["access_request_details"]["resource"] = "castles"
    if unknown == "tenant in body":
        body["access_request_details"]["tenant"] = "mars"
    element = "no-such-element" if unknown == "element" else ACCESS
    user = "nobody" if unknown == "user" else home.henry
    tenant = "mars" if unknown == "tenant" else "default"
    path = f"{wire.facts}/access_requests/{element}/user/{user}/tenant/{tenant}"
    statuses = (400, 404) if unknown in ("tenant in body", "resource") else 404
    wire.refused(statuses, "POST", path, body)


@pytest.mark.parametrize("path", ["approve", "deny", "cancel", ""])
def test_an_unknown_request(wire, home, path):
    joe = Permissions(wire, home.joe)
    verb = "PUT" if path else "GET"
    for name in (str(uuid.uuid4()), uuid.uuid4().hex):
        wire.refused(404, verb, f"{joe.access}/{name}{'/' + path if path else ''}", {} if path else None)
    wire.refused((400, 404, 422), verb, f"{joe.access}/not-an-id{'/' + path if path else ''}", {} if path else None)


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"access_request_details": "restaurants"}', b"[]", b"null", b'{"reason": "because"}', b"\xff"]
)
def test_malformed_bodies(wire, home, content):
    answer = wire.send(
        "POST", Permissions(wire, home.henry).access, content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 422), answer.text
    error_of(answer)
    assert Permissions(wire, home.henry).list_access()["total_count"] == 0


def test_an_empty_decision_body_is_a_decision_without_comment(wire, home):
    asked = Permissions(wire, home.henry).ask_access(home.place)
    decided = Permissions(wire, home.joe).decide_access(asked["id"], "deny", {})
    is_request(decided, "access_request", "denied")
    assert not decided.get("reviewer_comment")


def test_the_wrong_kind_of_element(wire, home):
    path = f"{wire.facts}/access_requests/dish-requests/user/{home.henry}/tenant/default"
    wire.refused((400, 404), "POST", path, access_body(home.place))
