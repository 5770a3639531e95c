"""Operation approvals over element sessions, as the MCP tools send them."""

import re
import uuid

import pytest

from harness.family import DISHES, FORM, RESOURCE, Permissions, access_body, is_request, operation_body, user_id
from harness.wire import Wire, error_of


def test_one_dish(wire, home):
    henry, joe = Permissions(wire, home.henry), Permissions(wire, home.joe)
    assert wire.allowed(home.henry, "operate", home.instance) is False
    asked = henry.ask_operation(home.place, "lobster, $25")
    is_request(asked, "operation_approval", "pending")
    assert asked["requesting_user_id"] == user_id(wire, home.henry)

    listed = joe.list_operations(
        element_id=DISHES, resource=RESOURCE, status="pending", resource_instance=home.place, page=1, per_page=30
    )
    assert [item["id"] for item in listed["data"]] == [asked["id"]]
    assert (listed["total_count"], listed["page_count"]) == (1, 1)
    assert listed["data"][0]["requesting_user_id"] == asked["requesting_user_id"]
    assert listed["data"][0]["resource_key"] == RESOURCE
    assert listed["data"][0]["resource_instance_key"] == home.place

    approved = joe.decide_operation(asked["id"], "approve", {"reviewer_comment": "once"})
    is_request(approved, "operation_approval", "approved")
    assert approved["reviewer_user_id"] == user_id(wire, home.joe)
    assert wire.allowed(home.henry, "operate", home.instance) is True
    roles = wire.get(f"{wire.facts}/role_assignments", user=home.henry)
    assert [(item["role"], item["resource_instance"]) for item in roles] == [("_Approved_", home.instance)]

    wire.ok("DELETE", f"{wire.facts}/users/{home.henry}/roles", {
        "role": "_Approved_", "tenant": "default", "resource_instance": home.instance,
    })
    assert wire.allowed(home.henry, "operate", home.instance) is False, "the order used the approval up"
    second = henry.ask_operation(home.place, "lobster, $25")
    assert second["id"] != asked["id"] and second["status"] == "pending"


def test_denied_grants_nothing(wire, home):
    asked = Permissions(wire, home.henry).ask_operation(home.place)
    denied = Permissions(wire, home.jane).decide_operation(asked["id"], "deny", {"reviewer_comment": "too much"})
    is_request(denied, "operation_approval", "denied")
    assert denied["reviewer_comment"] == "too much"
    assert wire.allowed(home.henry, "operate", home.instance) is False


@pytest.mark.parametrize("element", [DISHES, FORM])
def test_both_elements_take_and_decide(wire, home, element):
    path = f"{wire.elements}/config/{element}/operation_approval"
    henry, joe = Permissions(wire, home.henry).session, Permissions(wire, home.joe).session
    asked = henry.ok("POST", path, operation_body(home.place))
    assert joe.get(f"{path}/{asked['id']}")["id"] == asked["id"]
    is_request(joe.ok("PUT", f"{path}/{asked['id']}/approve", {}), "operation_approval", "approved")
    assert wire.allowed(home.henry, "operate", home.instance) is True


@pytest.mark.parametrize("spelling", ["typed key", "uuid", "hex", "number"])
def test_every_spelling_of_an_instance(wire, home, spelling):
    from harness import family

    if spelling == "number":
        number = uuid.uuid4().int % 10**9
        home = family.settle(wire, place=str(number))
        place = number
    else:
        instances = wire.get(f"{wire.facts}/resource_instances", resource=RESOURCE, search=home.place)
        own = next(item["id"] for item in instances if item["key"] == home.place)
        place = {"typed key": home.instance, "uuid": own, "hex": uuid.UUID(own).hex}[spelling]
    asked = Permissions(wire, home.henry).ask_operation(place)
    Permissions(wire, home.joe).decide_operation(asked["id"], "approve")
    assert wire.allowed(home.henry, "operate", home.instance) is True


def test_paths_take_ids(wire, home):
    scope = wire.get("/v2/api-key/scope")
    element = wire.get(f"{wire.elements}/config/{DISHES}")["id"]
    for spell in (str, lambda text: uuid.UUID(text).hex):
        path = (
            f"/v2/elements/{spell(scope['project_id'])}/{spell(scope['environment_id'])}"
            f"/config/{spell(element)}/operation_approval"
        )
        asked = Permissions(wire, home.henry).session.ok("POST", path, operation_body(home.place))
        denied = Permissions(wire, home.joe).session.ok("PUT", f"{path}/{spell(asked['id'])}/deny", {})
        is_request(denied, "operation_approval", "denied")


def test_the_same_pending_wish_is_one_request(wire, home):
    henry = Permissions(wire, home.henry)
    assert henry.ask_operation(home.place)["id"] == henry.ask_operation(home.place)["id"]


def test_without_an_instance_one_is_made(wire, home):
    henry = Permissions(wire, home.henry)
    asked = henry.session.ok("POST", henry.operations, operation_body(None))
    is_request(asked, "operation_approval", "pending")
    other = Permissions(wire, home.rose)
    also = other.session.ok("POST", other.operations, operation_body(None))
    assert also["access_request_details"]["resource_instance"] != asked["access_request_details"]["resource_instance"]


def test_cancel_and_reviewer_comment(wire, home):
    henry, joe = Permissions(wire, home.henry), Permissions(wire, home.joe)
    asked = henry.ask_operation(home.place)
    noted = joe.session.ok("PATCH", f"{joe.operations}/{asked['id']}/reviewer", {"reviewer_comment": "which wine?"})
    is_request(noted, "operation_approval", "pending")
    assert noted["reviewer_comment"] == "which wine?"
    withdrawn = henry.decide_operation(asked["id"], "cancel", {"reason": "water is fine"})
    is_request(withdrawn, "operation_approval", "canceled")
    joe.session.refused(409, "PUT", f"{joe.operations}/{asked['id']}/approve", {})
    assert wire.allowed(home.henry, "operate", home.instance) is False


def test_filters_and_pages(wire, home):
    for child in (home.henry, home.rose):
        Permissions(wire, child).ask_operation(home.place)
    joe = Permissions(wire, home.joe)
    page = joe.list_operations(resource_instance=home.place, page=1, per_page=1)
    rest = joe.list_operations(resource_instance=home.place, page=2, per_page=1)
    assert (page["total_count"], page["page_count"]) == (2, 2)
    assert page["data"][0]["id"] != rest["data"][0]["id"]
    assert joe.list_operations(resource_instance=home.place, status="denied")["data"] == []


def test_who_sees_what(wire, home):
    mine = Permissions(wire, home.henry).ask_operation(home.place)
    rose = Permissions(wire, home.rose)
    assert rose.list_operations()["data"] == []
    rose.session.refused((403, 404), "GET", f"{rose.operations}/{mine['id']}")
    assert [item["id"] for item in Permissions(wire, home.henry).list_operations()["data"]] == [mine["id"]]


def test_nobody_decides_for_himself_and_children_decide_nothing(wire, home):
    henry, rose, joe = (Permissions(wire, person) for person in (home.henry, home.rose, home.joe))
    asked = henry.ask_operation(home.place)
    henry.session.refused(403, "PUT", f"{henry.operations}/{asked['id']}/approve", {})
    rose.session.refused((403, 404), "PUT", f"{rose.operations}/{asked['id']}/approve", {})
    own = joe.ask_operation(home.place)
    joe.session.refused(403, "PUT", f"{joe.operations}/{own['id']}/approve", {})
    assert wire.allowed(home.henry, "operate", home.instance) is False


def test_a_second_decision_is_refused_and_says_who_decided_what_and_when(wire, home):
    asked = Permissions(wire, home.henry).ask_operation(home.place)
    joe, jane = Permissions(wire, home.joe), Permissions(wire, home.jane)
    first = joe.decide_operation(asked["id"], "deny", {})
    for person, verb in ((jane, "approve"), (jane, "deny"), (joe, "approve")):
        message = person.session.refused(409, "PUT", f"{person.operations}/{asked['id']}/{verb}", {})["message"]
        assert home.joe in message and "denied" in message, message
        assert re.search(r"\d{4}-\d{2}-\d{2}", message), f"no date in: {message}"
    assert joe.decide_operation(asked["id"], "deny", {})["reviewed_at"] == first["reviewed_at"]
    assert wire.allowed(home.henry, "operate", home.instance) is False


def test_a_session_opens_its_own_element_routes_only(wire, home):
    henry = Permissions(wire, home.henry).session
    henry.refused((401, 403), "GET", f"{wire.facts}/users")
    henry.refused((401, 403), "PUT", f"{wire.facts}/users/{home.henry}", {"key": home.henry})
    henry.refused((401, 403), "POST", f"{wire.elements}/config", {
        "key": "mine", "name": "Mine", "elements_type": "user_management", "settings": {"resource": RESOURCE},
        "roles_to_levels": {"LEVEL_1": ["child-can-order"]},
    })
    answer = henry.send("POST", "/allowed", {"user": {"key": "x"}, "action": "read", "resource": {"type": RESOURCE}})
    assert answer.status_code in (401, 403), answer.text
    path = Permissions(wire, home.joe).access
    henry.refused((401, 403), "POST", path, access_body(home.place))
    henry.refused((401, 403), "POST", "/v2/auth/elements_login_as", {"user_id": home.joe, "tenant_id": "default"})


def test_an_api_key_is_not_a_person(wire, home):
    answer = wire.send("POST", f"{wire.elements}/config/{DISHES}/operation_approval", operation_body(home.place))
    assert answer.status_code in (401, 403), answer.text
    error_of(answer)


@pytest.mark.parametrize("token", ["wrong", None])
def test_without_a_good_session(server, home, token):
    stranger = Wire(server.url, token)
    stranger.refused(401, "POST", f"{stranger.elements}/config/{DISHES}/operation_approval", operation_body(home.place))
    stranger.close()


def test_login_as(wire, home):
    own, tenant = user_id(wire, home.henry), wire.get(f"{wire.facts}/tenants/default")["id"]
    for user, place in ((home.henry, "default"), (own, tenant), (uuid.UUID(own).hex, uuid.UUID(tenant).hex)):
        answer = wire.ok("POST", "/v2/auth/elements_login_as", {"user_id": user, "tenant_id": place})
        assert answer["redirect_url"].startswith("http") and answer["element_bearer_token"], answer
        assert answer["element_bearer_token"] != wire.key
    wire.refused(404, "POST", "/v2/auth/elements_login_as", {"user_id": "nobody", "tenant_id": "default"})
    wire.refused(404, "POST", "/v2/auth/elements_login_as", {"user_id": home.henry, "tenant_id": "mars"})
    wire.refused((400, 422), "POST", "/v2/auth/elements_login_as", {"user_id": home.henry})


def test_access_requests_over_a_session(wire, home):
    path = f"{wire.elements}/config/restaurant-requests/access_requests"
    henry, joe = Permissions(wire, home.henry).session, Permissions(wire, home.joe).session
    asked = henry.ok("POST", path, access_body(home.place))
    is_request(asked, "access_request", "pending")
    listed = joe.get(path, status="pending", resource_instance_id=home.place)
    assert [item["id"] for item in listed["data"]] == [asked["id"]]
    henry.refused(403, "PUT", f"{path}/{asked['id']}/approve", {})
    is_request(joe.ok("PUT", f"{path}/{asked['id']}/approve", {}), "access_request", "approved")
    assert wire.allowed(home.henry, "read", home.instance) is True


@pytest.mark.parametrize("unknown", ["element", "resource", "tenant"])
def test_what_does_not_exist(wire, home, unknown):
    henry = Permissions(wire, home.henry)
    body = operation_body(home.place)
    if unknown != "element":
        body["access_request_details"][unknown] = "nowhere"
    element = "nowhere" if unknown == "element" else DISHES
    statuses = 404 if unknown == "element" else (400, 403, 404)
    henry.session.refused(statuses, "POST", f"{wire.elements}/config/{element}/operation_approval", body)
