"""Managing people through a user_management element, with an element session: by bearer token and by cookie."""

import secrets

import httpx
import pytest

from harness.wire import Wire, error_of, is_time, is_uuid, said

LEVELS = {
    "LEVEL_1": ["owner"], "LEVEL_2": ["manager"], "LEVEL_3": ["viewer"], "LEVEL_4": ["guest", "cook"],
    "HIDDEN": ["ghost"],
}
ROLES = ("owner", "manager", "viewer", "guest", "cook", "ghost")


class House:
    """A resource of one test with a role for each level, people who hold them on `north`, and their sessions."""

    def __init__(self, wire: Wire):
        self.wire = wire
        self.key = "house-" + secrets.token_hex(4)
        wire.ok("POST", f"{wire.schema}/resources", {
            "key": self.key, "name": "House", "actions": {"enter": {}},
            "roles": {role: {"name": role.title(), "permissions": ["enter"]} for role in ROLES},
        })
        wire.ok("POST", f"{wire.elements}/config", {
            "key": self.key, "name": "House", "elements_type": "user_management",
            "settings": {"resource": self.key}, "roles_to_levels": LEVELS,
        })
        for role in ROLES:
            wire.ok("PUT", f"{wire.facts}/users/{self.name(role)}", {
                "key": self.name(role), "email": f"{self.name(role)}@house.example", "attributes": {"salary": 9},
            })
            self.give(self.name(role), role)

    def name(self, role: str) -> str:
        return f"{role}-{self.key}"

    def give(self, user: str, role: str, place: str = "north") -> None:
        self.wire.ok("POST", f"{self.wire.facts}/role_assignments", {
            "user": user, "role": role, "tenant": "default", "resource_instance": f"{self.key}:{place}",
        })

    def session(self, role: str, tenant: str = "default") -> Wire:
        answer = self.wire.ok(
            "POST", "/v2/auth/elements_login_as", {"user_id": self.name(role), "tenant_id": tenant}
        )
        return Wire(str(self.wire.http.base_url), answer["element_bearer_token"])

    def path(self, rest: str) -> str:
        return f"{self.wire.elements}/config/{self.key}/data/{rest}"

    def held(self, user: str, place: str = "north") -> list:
        found = self.wire.get(f"{self.wire.facts}/role_assignments", user=user, resource_instance=f"{self.key}:{place}")
        return sorted(item["role"] for item in found)


NORTH = {"resource_instance_id": "north"}


@pytest.fixture
def house(wire):
    return House(wire)


def test_what_a_viewer_sees(house):
    viewer = house.session("viewer")
    listed = viewer.get(house.path("users"), **NORTH)
    assert [user["key"] for user in listed["data"]] == [house.name(role) for role in ROLES if role != "ghost"]
    assert (listed["total_count"], listed["page_count"]) == (5, 1)
    for user in listed["data"]:
        assert is_uuid(user["id"]) and is_time(user["created_at"]) and user["attributes"] == {}
        place, = user["associated_tenants"]
        assert place["tenant"] == "default" and len(place["resource_instance_roles"]) == 1
    roles = viewer.get(house.path("roles"), **NORTH)
    assert {(role["key"], role["permission_level"]) for role in roles} == {
        ("owner", "LEVEL_1"), ("manager", "LEVEL_2"), ("viewer", "LEVEL_3"), ("guest", "LEVEL_4"), ("cook", "LEVEL_4"),
    }
    found = viewer.get(house.path("users"), search="COOK-", **NORTH)
    assert [user["key"] for user in found["data"]] == [house.name("cook")]
    page = viewer.get(house.path("users"), page=2, per_page=2, **NORTH)
    assert len(page["data"]) == 2 and page["page_count"] == 3
    assert viewer.refused(400, "GET", house.path("users"), params={"per_page": 101, **NORTH})["error_code"] == (
        "PAGINATION_SIZE_OVERREACHED"
    )


CALLS = (
    ("GET", "users", None), ("GET", "roles", None),
    ("POST", "users", {"key": "newcomer", "role": "guest"}), ("DELETE", "users/{guest}", None),
    ("POST", "users/{guest}/roles", {"role": "cook"}), ("DELETE", "users/{guest}/roles", {"role": "guest"}),
)
PEOPLE = CALLS[2:4]


@pytest.mark.parametrize("role", [role for role in ROLES if role != "cook"])
def test_each_level_does_what_it_may_and_no_more(house, role):
    session = house.session(role)
    may = {"owner": CALLS, "manager": [call for call in CALLS if call not in PEOPLE], "viewer": CALLS[:2]}.get(role, ())
    for call in (*CALLS[:3], *CALLS[4:], CALLS[3]):
        method, path, body = call
        path = house.path(path.format(guest=house.name("guest")))
        body = body and {**body, **({"key": f"newcomer-{house.key}"} if "key" in body else {})}
        if call in may:
            session.ok(method, path, body, params=NORTH)
        else:
            refusal = session.refused(403, method, path, body, params=NORTH)
            assert refusal["error_code"] == "INVALID_PERMISSION_LEVEL"


def test_nobody_gives_what_is_not_theirs_to_give(house):
    manager, owner = house.session("manager"), house.session("owner")
    roles = house.path(f"users/{house.name('guest')}/roles")
    for role in ("owner", "manager"):
        refusal = manager.refused(403, "POST", roles, {"role": role}, params=NORTH)
        assert refusal["error_code"] == "INVALID_PERMISSION_LEVEL"
    for session in (manager, owner):
        refusal = session.refused(404, "POST", roles, {"role": "ghost"}, params=NORTH)
        assert "what can is" in refusal["message"]
    owner.refused(403, "POST", house.path(f"users/{house.name('owner')}/roles"), {"role": "guest"}, params=NORTH)
    given = owner.ok("POST", roles, {"role": "manager"}, params=NORTH)
    assert (given["role"], given["resource_instance"]) == ("manager", f"{house.key}:north")
    assert house.held(house.name("guest")) == ["guest", "manager"]


def test_adding_and_removing(house, wire):
    owner, key = house.session("owner"), f"max-{house.key}"
    body = {"key": key, "email": "max@house.example", "role": "guest"}
    first = owner.send("POST", house.path("users"), body, params=NORTH)
    assert first.status_code == 201 and first.json()["key"] == key, said(first)
    again = owner.send("POST", house.path("users"), {**body, "email": "new@house.example"}, params=NORTH)
    assert again.status_code == 200 and again.json()["email"] == "max@house.example", said(again)
    assert wire.allowed(key, "enter", f"{house.key}:north") is True
    house.give(key, "guest", "south")
    owner.ok("DELETE", house.path(f"users/{key}"), params=NORTH)
    assert wire.allowed(key, "enter", f"{house.key}:north") is False
    assert wire.allowed(key, "enter", f"{house.key}:south") is True
    owner.refused(400, "POST", house.path("users"), {**body, "attributes": {"salary": 10**6}}, params=NORTH)
    owner.refused(400, "POST", house.path("users"), {"key": key}, params=NORTH)


def test_a_level_counts_where_it_is_held(house):
    owner = house.session("owner")
    house.give(house.name("guest"), "guest", "south")
    assert owner.refused(403, "GET", house.path("users"), params={"resource_instance_id": f"{house.key}:south"})[
        "error_code"
    ] == "INVALID_PERMISSION_LEVEL"
    owner.refused(404, "GET", house.path("users"), params={"resource_instance_id": "nowhere"})
    owner.refused(400, "GET", house.path("users"))


@pytest.mark.parametrize("method, path, body", CALLS)
def test_no_other_credential_opens_it(house, wire, server, other_environment_key, method, path, body):
    path = house.path(path.format(guest=house.name("guest")))
    agent = server.new_key("--as", house.name("owner"))
    for key, status in (
        (None, 401), ("askfirst_wrong_key_of_nobody", 401), (server.key, 403), (other_environment_key, 403), (agent, 403),
    ):
        stranger = Wire(server.url, key)
        stranger.refused(status, method, path, body, params=NORTH)
        stranger.close()


def test_the_cookie(house, server):
    answer = house.wire.ok(
        "POST", "/v2/auth/elements_login_as", {"user_id": house.name("owner"), "tenant_id": "default"}
    )
    assert answer["element_bearer_token"] not in answer["redirect_url"]
    with httpx.Client(base_url=server.url, trust_env=False) as browser:
        assert browser.get(answer["redirect_url"]).json() == {"success": True, "user_key": house.name("owner")}
        assert browser.get("/v2/auth/me").json()["key"] == house.name("owner")
        path, body = house.path(f"users/{house.name('guest')}/roles"), {"role": "cook"}
        for origin in ({}, {"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}):
            refused = browser.post(path, json=body, params=NORTH, headers=origin)
            assert refused.status_code == 403, said(refused)
            error_of(refused)
        given = browser.post(path, json=body, params=NORTH, headers={"origin": server.url})
        assert given.status_code == 200, said(given)
        assert browser.get("/v2/auth/logout").status_code == 204
        assert browser.get("/v2/auth/me").status_code == 401
    with httpx.Client(base_url=server.url, trust_env=False) as late:
        assert late.get(answer["redirect_url"]).status_code == 401, "a ticket works once"


def test_a_type_says_what_its_elements_say(house, wire):
    read = wire.get(f"{wire.elements}/user_management")
    assert read["elements_type"] == "user_management"
    own = {role["id"] for role in wire.get(f"{wire.schema}/resources/{house.key}/roles") if role["key"] == "owner"}
    assert own <= {role["id"] for role in read["roles_to_levels"]["LEVEL_1"]}
    wire.refused(404, "GET", f"{wire.elements}/chat")
