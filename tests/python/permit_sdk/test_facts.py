"""Facts through the SDK: users, tenants, instances, assignments, tuples."""

import pytest
from permit.exceptions import PermitAlreadyExistsError, PermitApiError, PermitNotFoundError

from .conftest import Sdk


@pytest.fixture
def room(sdk, name):
    """A resource type with roles, and one tenant role."""
    key = name("room")
    sdk(sdk.api.resources.create({"key": key, "name": "Room", "actions": {"enter": {}, "clean": {}}, "roles": {
        "owner": {"name": "Owner", "permissions": ["enter", "clean"]},
        "guest": {"name": "Guest", "permissions": ["enter"]},
    }}))
    return key


@pytest.fixture
def anna(sdk, name):
    key = name("anna")
    sdk(sdk.api.users.sync({"key": key, "first_name": "Anna", "email": f"{key}@example.com"}))
    return key


def test_users(sdk, name):
    api, key = sdk.api.users, name("ben")
    created = sdk(api.create({"key": key, "email": f"{key}@example.com", "first_name": "Ben", "attributes": {"age": 9}}))
    assert created.attributes == {"age": 9}
    for ident in (key, str(created.id), created.id.hex):
        assert sdk(api.get(ident)).id == created.id
    with pytest.raises(PermitAlreadyExistsError) as raised:
        sdk(api.create({"key": key}))
    assert raised.value.code == "DUPLICATE_ENTITY"
    changed = sdk(api.update(key, {"last_name": "Bo"}))
    assert (changed.first_name, changed.last_name, changed.attributes) == ("Ben", "Bo", {"age": 9})
    sdk(api.delete(key))
    with pytest.raises(PermitNotFoundError):
        sdk(api.get(key))
    with pytest.raises(PermitNotFoundError):
        sdk(api.delete(key))


def test_sync_creates_and_updates(sdk, name):
    api, key = sdk.api.users, name("kim")
    first = sdk(api.sync({"key": key, "first_name": "Kim"}))
    second = sdk(api.sync({"key": key, "first_name": "Kimberly"}))
    assert first.id == second.id and second.first_name == "Kimberly"
    assert first.created_at == second.created_at
    odd = f"auth0|{key}@example.com"
    assert sdk(api.sync({"key": odd})).key == odd
    assert sdk(api.get(odd)).key == odd


def test_null_clears_where_the_sdk_can_say_it(sdk, anna):
    changed = sdk(sdk.api.users.update(anna, {"first_name": None}))
    assert changed.first_name == (None if sdk.major >= 3 else "Anna"), "2.8 drops nulls, 3.0 sends them"


def test_a_removed_user_takes_his_roles_with_him(sdk, room, anna):
    place = f"{room}:red"
    sdk(sdk.api.users.assign_role({"user": anna, "role": "owner", "tenant": "default", "resource_instance": place}))
    assert sdk.check(anna, "clean", place) is True
    sdk(sdk.api.users.delete(anna))
    assert sdk.check(anna, "clean", place) is False
    sdk(sdk.api.users.sync({"key": anna}))
    assert sdk.check(anna, "clean", place) is False, "a key made anew inherits nothing"


def test_user_lists_are_envelopes_with_pages(sdk, name):
    keys = {name(f"u{number}") for number in range(3)}
    for key in keys:
        sdk(sdk.api.users.sync({"key": key}))
    everybody = sdk(sdk.api.users.list(per_page=100))
    assert keys <= {user.key for user in everybody.data}
    assert everybody.total_count == len(everybody.data)
    page = sdk(sdk.api.users.list(page=2, per_page=2))
    assert len(page.data) <= 2 and page.total_count == everybody.total_count
    assert page.page_count == -(-everybody.total_count // 2)


def test_bulk_users(sdk, name):
    api, keys = sdk.api.users, [name(f"bulk{number}") for number in range(3)]
    sdk(api.bulk_create([{"key": key} for key in keys]))
    assert {sdk(api.get(key)).key for key in keys} == set(keys)
    sdk(api.bulk_replace([{"key": keys[0], "first_name": "Zoe"}]))
    assert sdk(api.get(keys[0])).first_name == "Zoe"
    sdk(api.bulk_delete(keys))
    for key in keys:
        with pytest.raises(PermitNotFoundError):
            sdk(api.get(key))


def test_tenants(sdk, anna, name):
    api, key = sdk.api.tenants, name("blue")
    default = sdk(api.get("default"))
    assert default.key == "default"
    created = sdk(api.create({"key": key, "name": "Blue", "attributes": {"floor": 3}}))
    assert sdk(api.get_by_id(str(created.id))).attributes == {"floor": 3}
    assert {"default", key} <= {tenant.key for tenant in sdk(api.list())}
    assert sdk(api.update(key, {"name": "Navy"})).name == "Navy"
    with pytest.raises(PermitAlreadyExistsError):
        sdk(api.create({"key": key, "name": "Blue"}))
    assert anna in [user.key for user in sdk(api.list_tenant_users("default")).data], "everybody belongs to default"
    assert anna not in [user.key for user in sdk(api.list_tenant_users(key)).data]
    sdk(api.delete(key))
    with pytest.raises(PermitNotFoundError):
        sdk(api.get(key))


def test_a_tenant_role_counts_in_its_tenant(sdk, room, anna, name):
    blue, cleaner = name("blue"), name("cleaner")
    sdk(sdk.api.tenants.create({"key": blue, "name": "Blue"}))
    sdk(sdk.api.roles.create({"key": cleaner, "name": "Cleaner", "permissions": [f"{room}:clean"]}))
    assigned = sdk(sdk.api.users.assign_role({"user": anna, "role": cleaner, "tenant": blue}))
    assert (assigned.user, assigned.role, assigned.tenant) == (anna, cleaner, blue)
    assert not assigned.resource_instance
    assert sdk.check(anna, "clean", {"type": room, "tenant": blue}) is True
    assert sdk.check(anna, "clean", room) is False, "in `default` there is no such role"
    person = sdk(sdk.api.users.get(anna))
    assert [(role.role, role.tenant) for role in person.roles] == [(cleaner, blue)]
    assert {tenant.tenant for tenant in person.associated_tenants} >= {"default", blue}
    assert anna in [user.key for user in sdk(sdk.api.tenants.list_tenant_users(blue)).data]
    sdk(sdk.api.tenants.delete_tenant_user(blue, anna))
    assert sdk.check(anna, "clean", {"type": room, "tenant": blue}) is False


def test_instances(sdk, room, name):
    api, key = sdk.api.resource_instances, name("red")
    created = sdk(api.create({"resource": room, "key": key, "tenant": "default", "attributes": {"beds": 2}}))
    assert (created.key, created.resource, created.tenant) == (key, room, "default")
    for ident in (f"{room}:{key}", str(created.id), created.id.hex):
        assert sdk(api.get(ident)).id == created.id
    assert sdk(api.update(f"{room}:{key}", {"attributes": {"beds": 3}})).attributes == {"beds": 3}
    found = sdk(api.list(resource_key=room, tenant_key="default"))
    assert [item.key for item in found] == [key]
    assert [item.key for item in sdk(api.list(resource_key=room, search_key=key[:6]))] == [key]
    with pytest.raises(PermitAlreadyExistsError):
        sdk(api.create({"resource": room, "key": key, "tenant": "default"}))
    with pytest.raises(PermitNotFoundError):
        sdk(api.create({"resource": name("nothing"), "key": key, "tenant": "default"}))
    sdk(api.delete(f"{room}:{key}"))
    with pytest.raises(PermitNotFoundError):
        sdk(api.get(str(created.id)))


def test_a_removed_instance_takes_its_assignments_with_it(sdk, room, anna):
    sdk(sdk.api.users.assign_role({"user": anna, "role": "owner", "tenant": "default", "resource_instance": f"{room}:red"}))
    sdk(sdk.api.resource_instances.delete(f"{room}:red"))
    assert sdk(sdk.api.users.get_assigned_roles(anna)) == []
    sdk(sdk.api.resource_instances.create({"resource": room, "key": "red", "tenant": "default"}))
    assert sdk.check(anna, "clean", f"{room}:red") is False


def test_bulk_instances(sdk, room):
    api = sdk.api.resource_instances
    sdk(api.bulk_replace([{"resource": room, "key": f"r{number}", "tenant": "default"} for number in range(3)]))
    assert {item.key for item in sdk(api.list(resource_key=room))} == {"r0", "r1", "r2"}
    sdk(api.bulk_delete([f"{room}:r0", f"{room}:r1"]))
    assert [item.key for item in sdk(api.list(resource_key=room))] == ["r2"]


def test_assignments(sdk, room, anna):
    api = sdk.api.role_assignments
    place = f"{room}:red"
    made = sdk(api.assign({"user": anna, "role": "guest", "tenant": "default", "resource_instance": place}))
    assert (made.user, made.role, made.tenant, made.resource_instance) == (anna, "guest", "default", place)
    assert sdk.check(anna, "enter", place) is True, "the instance came into being with its first role"
    with pytest.raises(PermitAlreadyExistsError):
        sdk(api.assign({"user": anna, "role": "guest", "tenant": "default", "resource_instance": place}))

    sdk(api.assign({"user": anna, "role": "owner", "tenant": "default", "resource_instance": f"{room}:blue"}))
    held = sdk(api.list(user_key=anna))
    assert {(item.role, item.resource_instance) for item in held} == {("guest", place), ("owner", f"{room}:blue")}
    assert [item.role for item in sdk(api.list(user_key=anna, role_key="owner"))] == ["owner"]
    assert [item.role for item in sdk(api.list(user_key=anna, resource_instance_key=place))] == ["guest"]
    assert len(sdk(api.list(user_key=anna, resource_key=room, tenant_key=["default"]))) == 2
    assert len(sdk(api.list(user_key=[anna], page=1, per_page=1))) == 1
    with pytest.raises(PermitApiError) as raised:
        sdk(api.list(resource_instance_key="red"))
    assert raised.value.status_code == 400

    sdk(api.unassign({"user": anna, "role": "guest", "tenant": "default", "resource_instance": place}))
    assert sdk.check(anna, "enter", place) is False
    assert [item.role for item in sdk(sdk.api.users.get_assigned_roles(anna, tenant="default"))] == ["owner"]


def test_bulk_assignments(sdk, room, anna, name):
    bo = name("bo")
    sdk(sdk.api.users.sync({"key": bo}))
    wanted = [
        {"user": user, "role": "guest", "tenant": "default", "resource_instance": f"{room}:{place}"}
        for user in (anna, bo) for place in ("red", "blue")
    ]
    assert sdk(sdk.api.role_assignments.bulk_assign(wanted)).assignments_created == 4
    assert sdk(sdk.api.role_assignments.bulk_unassign(wanted[:3])).assignments_removed == 3
    left = sdk(sdk.api.role_assignments.list(resource_key=room))
    assert [(item.user, item.resource_instance) for item in left] == [(bo, f"{room}:blue")]


def test_a_bulk_with_one_wrong_line_changes_nothing(sdk, room, anna):
    with pytest.raises(PermitNotFoundError):
        sdk(sdk.api.role_assignments.bulk_assign([
            {"user": anna, "role": "guest", "tenant": "default", "resource_instance": f"{room}:red"},
            {"user": anna, "role": "emperor", "tenant": "default", "resource_instance": f"{room}:red"},
        ]))
    assert sdk(sdk.api.users.get_assigned_roles(anna)) == []


@pytest.mark.parametrize("wrong", [{"user": "nobody"}, {"role": "emperor"}, {"tenant": "mars"}, {"resource_instance": "castle:1"}])
def test_assignments_of_what_is_not_there(sdk, room, anna, wrong):
    with pytest.raises(PermitNotFoundError):
        sdk(sdk.api.role_assignments.assign({
            "user": anna, "role": "guest", "tenant": "default", "resource_instance": f"{room}:red", **wrong,
        }))


def test_tuples(sdk, name):
    house, room = name("house"), name("room")
    sdk(sdk.api.resources.create({"key": house, "name": "House", "actions": {}}))
    sdk(sdk.api.resources.create({"key": room, "name": "Room", "actions": {}, "relations": {"part-of": house}}))
    api = sdk.api.relationship_tuples
    link = {"subject": f"{house}:one", "relation": "part-of", "object": f"{room}:red"}
    made = sdk(api.create({**link, "tenant": "default"}))
    assert (made.subject, made.relation, made.object, made.tenant) == (*link.values(), "default")
    with pytest.raises(PermitAlreadyExistsError):
        sdk(api.create({**link, "tenant": "default"}))
    sdk(api.bulk_create([{**link, "object": f"{room}:r{number}", "tenant": "default"} for number in range(3)]))
    assert len(sdk(api.list(subject_key=f"{house}:one"))) == 4
    assert [item.object for item in sdk(api.list(object_key=f"{room}:red"))] == [f"{room}:red"]
    assert len(sdk(api.list(relation_key="part-of", tenant_key="default", page=1, per_page=3))) == 3
    with pytest.raises(PermitApiError) as raised:
        sdk(api.create({"subject": f"{room}:red", "relation": "part-of", "object": f"{room}:blue", "tenant": "default"}))
    assert raised.value.status_code in (400, 404, 422), "a room is no house"
    with pytest.raises(PermitNotFoundError):
        sdk(api.create({**link, "relation": "beside", "tenant": "default"}))
    sdk(api.delete(link))
    with pytest.raises(PermitNotFoundError):
        sdk(api.delete(link))
    sdk(api.bulk_delete([{**link, "object": f"{room}:r{number}"} for number in range(3)]))
    assert sdk(api.list(subject_key=f"{house}:one")) == []


def test_facts_by_way_of_the_decision_point(sdk, facade, room, name):
    """`proxy_facts_via_pdp`: the same facts under the paths of a PDP, seen by the next check."""
    through = Sdk(sdk.url, sdk.key, facade, proxy_facts_via_pdp=True, facts_sync_timeout=5)
    user, place = name("via"), f"{room}:red"
    through(through.api.users.sync({"key": user}))
    through(through.api.resource_instances.create({"resource": room, "key": "red", "tenant": "default"}))
    through(through.api.role_assignments.assign({
        "user": user, "role": "guest", "tenant": "default", "resource_instance": place,
    }))
    assert through.check(user, "enter", place) is True
    assert [item.role for item in through(through.api.users.get_assigned_roles(user))] == ["guest"]
    assert through(through.api.users.get(user)).key == user
    through(through.api.users.unassign_role({
        "user": user, "role": "guest", "tenant": "default", "resource_instance": place,
    }))
    assert through.check(user, "enter", place) is False
    assert user in [item.key for item in sdk(sdk.api.users.list(per_page=100)).data]
