"""Action groups and user invites."""

import uuid

import pytest
from permit.exceptions import PermitAlreadyExistsError, PermitApiDetailedError, PermitApiError, PermitNotFoundError


@pytest.fixture
def room(sdk, name):
    key = name("room")
    created = sdk(sdk.api.resources.create({
        "key": key, "name": "Room", "actions": {"enter": {}, "clean": {}},
        "roles": {"guest": {"name": "Guest", "permissions": ["enter"]}},
    }))
    return created


def test_action_groups(sdk, room):
    api = sdk.api.action_groups
    created = sdk(api.create(room.key, {"key": "all", "name": "All", "actions": ["enter", "clean"]}))
    assert (created.actions, created.resource_id) == (["enter", "clean"], room.id)
    for found in (api.get(room.key, "all"), api.get_by_key(room.key, "all"),
                  api.get_by_id(str(room.id), str(created.id))):
        assert sdk(found).id == created.id
    sdk(api.create(room.key, {"key": "few", "name": "Few"}))
    assert [group.key for group in sdk(api.list(room.key))] == ["all", "few"]
    assert [group.key for group in sdk(api.list(room.key, page=2, per_page=1))] == ["few"]
    assert sdk(sdk.api.resources.get(room.key)).action_groups == {"all": ["enter", "clean"], "few": []}
    changed = sdk(api.update(room.key, "all", {"name": "Whole", "actions": ["enter"]}))
    assert (changed.name, changed.actions) == ("Whole", ["enter"])
    with pytest.raises(PermitAlreadyExistsError):
        sdk(api.create(room.key, {"key": "all", "name": "All"}))
    with pytest.raises(PermitNotFoundError):
        sdk(api.create(room.key, {"key": "fly", "name": "Fly", "actions": ["fly"]}))
    sdk(api.delete(room.key, "all"))
    with pytest.raises(PermitNotFoundError):
        sdk(api.get(room.key, "all"))


@pytest.fixture
def wish(sdk, room, name):
    """All that the SDK demands of an invite: ids, an instance, both names."""
    tenant = sdk(sdk.api.tenants.create({"key": name("blue"), "name": "Blue"}))
    red = sdk(sdk.api.resource_instances.create({"resource": room.key, "key": "red", "tenant": tenant.key}))
    guest = sdk(sdk.api.resource_roles.get(room.key, "guest"))
    key = name("ann")
    return {
        "key": key, "status": "pending", "email": f"{key}@example.com", "first_name": "Ann", "last_name": "Lee",
        "role_id": str(guest.id), "tenant_id": str(tenant.id), "resource_instance_id": str(red.id),
    }


def test_an_invite_becomes_a_user_with_the_role(sdk, room, wish):
    api = sdk.api.user_invites
    invite = sdk(api.create(wish))
    assert (invite.status.value, str(invite.role_id), invite.email) == ("pending", wish["role_id"], wish["email"])
    assert sdk(api.get(str(invite.id))).id == invite.id
    listed = sdk(api.list(per_page=100))
    assert invite.id in [item.id for item in listed.data] and listed.total_count == len(listed.data)
    with pytest.raises(PermitAlreadyExistsError):
        sdk(api.create(wish))
    arrived = {"email": wish["email"], "key": wish["key"], "attributes": {"age": 40}}
    user = sdk(api.approve(str(invite.id), arrived))
    assert (user.key, user.first_name, user.attributes) == (wish["key"], "Ann", {"age": 40})
    held = sdk(sdk.api.role_assignments.list(user_key=wish["key"]))
    assert [(item.role, item.resource_instance) for item in held] == [("guest", f"{room.key}:red")]
    assert sdk(api.get(str(invite.id))).status.value == "approved"
    with pytest.raises(PermitApiDetailedError) as raised:
        sdk(api.approve(str(invite.id), arrived))
    assert raised.value.code == "CONCURRENT_OPERATION_DISALLOWED"
    sdk(api.delete(str(invite.id)))
    with pytest.raises(PermitNotFoundError):
        sdk(api.get(str(invite.id)))


def test_invites_that_can_not_be(sdk, wish):
    api = sdk.api.user_invites
    for wrong in ("role_id", "tenant_id", "resource_instance_id"):
        with pytest.raises(PermitNotFoundError):
            sdk(api.create({**wish, wrong: str(uuid.uuid4())}))
    with pytest.raises(PermitApiError) as raised:
        sdk(api.create({**wish, "status": "approved"}))
    assert raised.value.status_code == 400
    with pytest.raises(PermitNotFoundError):
        sdk(api.delete(str(uuid.uuid4())))
    page = sdk(api.list(page=1, per_page=1))
    assert len(page.data) <= 1 and page.page_count == page.total_count


def test_the_deprecated_names_of_calls(sdk, name):
    if not hasattr(sdk.api, "create_tenant") or sdk.sync_user == sdk.api.users.sync:
        pytest.skip("the blocking client of 2.8 cannot run them")
    api, user, tenant, role, doc = sdk.api, name("ann"), name("blue"), name("clerk"), name("doc")
    sdk(api.create_tenant({"key": tenant, "name": "Blue"}))
    assert sdk(api.update_tenant(tenant, {"name": "Navy"})).name == sdk(api.get_tenant(tenant)).name == "Navy"
    assert tenant in [item.key for item in sdk(api.list_tenants(per_page=100))]
    sdk(api.create_resource({"key": doc, "name": "Doc", "actions": {"read": {}}}))
    assert sdk(api.update_resource(doc, {"name": "Paper"})).name == sdk(api.get_resource(doc)).name == "Paper"
    sdk(api.create_role({"key": role, "name": "Clerk", "permissions": [f"{doc}:read"]}))
    assert sdk(api.update_role(role, {"name": "Teller"})).name == sdk(api.get_role(role)).name == "Teller"
    assert role in [item.key for item in sdk(api.list_roles(per_page=100))]
    assert sdk(api.sync_user({"key": user})).key == sdk(api.get_user(user)).key
    sdk(api.assign_role(user, role, tenant))
    assert [item.role for item in sdk(api.get_assigned_roles(user, tenant))] == [role]
    sdk(api.unassign_role(user, role, tenant))
    assert sdk(api.get_assigned_roles(user, tenant)) == []
    login = sdk(api.elements_login_as(user, "default"))
    assert login.element_bearer_token and login.content["url"] == login.redirect_url
    sdk(api.delete_user(user))
    sdk(api.delete_role(role))
    sdk(api.delete_resource(doc))
    sdk(api.delete_tenant(tenant))
    with pytest.raises(PermitNotFoundError):
        sdk(api.get_tenant(tenant))
