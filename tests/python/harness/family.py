"""The family of the example: a policy over restaurants, and households that do not meet each other.

Each test takes a household of its own, with its own people and its own restaurant, so that one server can
serve a whole module.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Optional

from .wire import Wire, is_time, is_uuid

RESOURCE = "restaurants"
ACTIONS = ("create", "read", "update", "delete", "operate")
ACCESS = "restaurant-requests"
FORM = "dish-approval"
DISHES = "dish-requests"

ELEMENTS = (
    {
        "key": ACCESS,
        "name": "Restaurant Requests",
        "elements_type": "user_management",
        "settings": {"resource": RESOURCE},
        "roles_to_levels": {"LEVEL_1": ["parent"], "LEVEL_4": ["child-can-order"]},
    },
    {
        "key": FORM,
        "name": "Dish Approval",
        "elements_type": "operation_approval",
        "settings": {"resource": RESOURCE},
        "roles_to_levels": {},
    },
    {
        "key": DISHES,
        "name": "Dish Requests",
        "elements_type": "approval_management",
        "settings": {"resource": RESOURCE},
        "roles_to_levels": {},
    },
)


def write_policy(wire: Wire) -> None:
    """Resource, roles and elements of the example, from nothing."""
    wire.ok("POST", f"{wire.schema}/resources", {
        "key": RESOURCE,
        "name": "Restaurants",
        "actions": {action: {} for action in ACTIONS},
        "roles": {
            "parent": {"name": "Parent", "permissions": ["create", "read", "update", "delete"]},
            "child-can-order": {"name": "Child can order", "permissions": ["read"]},
        },
    })
    for element in ELEMENTS:
        wire.ok("POST", f"{wire.elements}/config", element)


@dataclass
class Household:
    """Two parents who are also reviewers, two children without any role, one restaurant."""

    joe: str
    jane: str
    henry: str
    rose: str
    place: str

    @property
    def instance(self) -> str:
        return f"{RESOURCE}:{self.place}"


def settle(wire: Wire, mark: Optional[str] = None, place: Optional[str] = None) -> Household:
    mark = mark if mark is not None else "-" + secrets.token_hex(4)
    home = Household(*(name + mark for name in ("joe", "jane", "henry", "rose")), place or f"pizza-palace{mark}")
    for person in (home.joe, home.jane, home.henry, home.rose):
        wire.ok("PUT", f"{wire.facts}/users/{person}", {"key": person, "first_name": person.split("-")[0].title()})
    wire.ok("POST", f"{wire.facts}/resource_instances", {
        "resource": RESOURCE, "key": home.place, "tenant": "default", "attributes": {"name": "Pizza Palace"},
    })
    wire.ok("POST", f"{wire.facts}/role_assignments/bulk", [
        {"user": person, "role": role, "tenant": "default", "resource_instance": home.instance}
        for person in (home.joe, home.jane) for role in ("parent", "_Reviewer_")
    ])
    return home


class Permissions:
    """The traffic of the nine tools, one method a call, as `user` in one environment."""

    def __init__(self, wire: Wire, user: str, tenant: str = "default"):
        self.wire, self.user, self.tenant = wire, user, tenant
        self._session: Optional[Wire] = None

    @property
    def access(self) -> str:
        return f"{self.wire.facts}/access_requests/{ACCESS}/user/{self.user}/tenant/{self.tenant}"

    @property
    def operations(self) -> str:
        return f"{self.wire.elements}/config/{DISHES}/operation_approval"

    def ask_access(self, place: Any, role: str = "child-can-order", reason: str = "I am now 18") -> dict:
        return self.wire.ok("POST", self.access, access_body(place, role, reason))

    def list_access(self, **filters: Any) -> dict:
        return self.wire.get(self.access, **filters)

    def decide_access(self, request: str, verb: str, body: Optional[dict] = None) -> dict:
        return self.wire.ok("PUT", f"{self.access}/{request}/{verb}", body or {})

    @property
    def session(self) -> Wire:
        """A client that carries this user's element token."""
        if self._session is None:
            self._session = Wire(self.wire.url, self.token())
            self._session.elements = self.wire.elements
        return self._session

    def token(self) -> str:
        answer = self.wire.ok(
            "POST", "/v2/auth/elements_login_as", {"user_id": self.user, "tenant_id": self.tenant}
        )
        assert isinstance(answer["redirect_url"], str) and answer["redirect_url"], answer
        assert isinstance(answer["element_bearer_token"], str) and answer["element_bearer_token"], answer
        return answer["element_bearer_token"]

    def ask_operation(self, place: Any, reason: str = "a pizza for twelve dollars") -> dict:
        return self.session.ok("POST", self.operations, operation_body(place, reason))

    def list_operations(self, **filters: Any) -> dict:
        return self.session.get(self.operations, **filters)

    def decide_operation(self, request: str, verb: str, body: Optional[dict] = None) -> dict:
        return self.session.ok("PUT", f"{self.operations}/{request}/{verb}", body or {})


def access_body(place: Any, role: str = "child-can-order", reason: str = "I am now 18") -> dict:
    details = {"tenant": "default", "resource": RESOURCE, "role": role, "resource_instance": place}
    return {"access_request_details": details, "reason": reason}


def operation_body(place: Any = None, reason: str = "a pizza for twelve dollars") -> dict:
    details = {"tenant": "default", "resource": RESOURCE}
    if place is not None:
        details["resource_instance"] = place
    return {"access_request_details": details, "reason": reason}


def is_request(body: dict, kind: str, status: str) -> None:
    """Every member that Permit's models require, with its type."""
    for name in ("id", "organization_id", "project_id", "environment_id"):
        assert is_uuid(body[name]), f"{name} is not a UUID: {body}"
    for name in ("created_at", "updated_at"):
        assert is_time(body[name]), f"{name} is not a time: {body}"
    assert (body["type"], body["status"]) == (kind, status), body
    details = body["access_request_details"]
    assert details["tenant"] and details["resource"], body
    if kind == "access_request":
        assert details["role"], body
    else:
        assert details["resource_instance"], body
    if status in ("approved", "denied"):
        assert is_uuid(body["reviewer_user_id"]) and is_time(body["reviewed_at"]), body


def user_id(wire: Wire, key: str) -> str:
    return wire.get(f"{wire.facts}/users/{key}")["id"]
