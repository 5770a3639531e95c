"""The decision point's lists: who may, what a user may do and where, and the roles that it knows."""

import permit
import pytest
from permit.enforcement.interfaces import AuthorizedUsersResult

from harness.wire import Wire


@pytest.fixture
def drive(sdk, name):
    """Folders hold documents; ann edits a folder, ben reads a document, cleo audits a tenant. Names are this test's."""

    class Drive:
        folder, document, auditor, tenant = name("folder"), name("document"), name("auditor"), name("blue")
        ann, ben, cleo = name("ann"), name("ben"), name("cleo")

    sdk(sdk.api.resources.create({
        "key": Drive.folder, "name": "Folder", "actions": {"read": {}},
        "roles": {"editor": {"name": "Editor", "permissions": ["read"]}},
    }))
    sdk(sdk.api.resources.create({
        "key": Drive.document, "name": "Document", "actions": {"read": {}, "write": {}},
        "relations": {"parent": Drive.folder},
        "roles": {
            "reader": {"name": "Reader", "permissions": ["read"]},
            "editor": {"name": "Editor", "permissions": ["read", "write"]},
        },
    }))
    sdk(sdk.api.resource_roles.create_role_derivation(Drive.document, "editor", {
        "role": "editor", "on_resource": Drive.folder, "linked_by_relation": "parent",
    }))
    sdk(sdk.api.roles.create({
        "key": Drive.auditor, "name": "Auditor", "permissions": [f"{Drive.document}:read"],
    }))
    sdk(sdk.api.tenants.create({"key": Drive.tenant, "name": "Blue", "attributes": {"plan": "pro"}}))
    for user in (Drive.ann, Drive.ben, Drive.cleo):
        sdk(sdk.api.users.sync({"key": user}))
    for kind, key in ((Drive.folder, "plans"), (Drive.document, "budget"), (Drive.document, "diary")):
        sdk(sdk.api.resource_instances.create({
            "resource": kind, "key": key, "tenant": "default", "attributes": {"name": key},
        }))
    sdk(sdk.api.relationship_tuples.create({
        "subject": f"{Drive.folder}:plans", "relation": "parent", "object": f"{Drive.document}:budget",
        "tenant": "default",
    }))
    sdk(sdk.api.role_assignments.bulk_assign([
        {"user": Drive.ann, "role": "editor", "tenant": "default", "resource_instance": f"{Drive.folder}:plans"},
        {"user": Drive.ben, "role": "reader", "tenant": "default", "resource_instance": f"{Drive.document}:diary"},
        {"user": Drive.cleo, "role": Drive.auditor, "tenant": Drive.tenant},
    ]))
    return Drive


def ask(sdk, path, body):
    """A call as it goes over the wire."""
    wire = Wire(sdk.url, sdk.key)
    answer = wire.ok("POST", path, body)
    wire.close()
    return answer


def authorized_users(sdk, action, resource):
    """2.8 reads the answer with the wrong major of pydantic; its model itself takes it."""
    if sdk.major >= 3:
        return sdk(sdk.client.authorized_users(action, resource))
    if isinstance(resource, str):
        kind, _, key = resource.partition(":")
        resource = {"type": kind, "tenant": "default", **({"key": key} if key else {})}
    answer = ask(sdk, "/authorized_users", {"action": action, "resource": resource, "context": {}})
    return AuthorizedUsersResult.parse_obj(answer)


@pytest.fixture
def enforcer(sdk):
    """The client; of 2.8 the async one always, since its blocking one wraps these methods twice and cannot run them."""
    if sdk.major >= 3:
        return sdk.client
    return permit.Permit(token=sdk.key, pdp=sdk.url, api_url=sdk.url)


def users_of(result):
    return {user: [(a.role, a.resource, a.tenant) for a in given] for user, given in result.users.items()}


def test_authorized_users_of_an_instance(sdk, drive):
    result = authorized_users(sdk, "write", f"{drive.document}:budget")
    assert (result.resource, result.tenant) == (f"{drive.document}:budget", "default")
    assert users_of(result) == {drive.ann: [(f"{drive.folder}#editor", f"{drive.folder}:plans", "default")]}
    result = authorized_users(sdk, "read", f"{drive.document}:diary")
    assert users_of(result) == {drive.ben: [(f"{drive.document}#reader", f"{drive.document}:diary", "default")]}


def test_authorized_users_of_a_tenant(sdk, drive):
    result = authorized_users(sdk, "read", {"type": drive.document, "tenant": drive.tenant})
    assert (result.resource, result.tenant) == (f"{drive.document}:*", drive.tenant)
    assert users_of(result) == {drive.cleo: [(drive.auditor, f"__tenant:{drive.tenant}", drive.tenant)]}


@pytest.mark.parametrize("action, kind", [("fly", "{document}"), ("read", "castles"), ("read", "castles:one")])
def test_nobody_is_authorized_for_the_unknown(sdk, drive, action, kind):
    assert authorized_users(sdk, action, kind.format(document=drive.document)).users == {}


def test_permissions_of_a_user(sdk, enforcer, drive):
    found = sdk(enforcer.get_user_permissions(drive.ann))
    budget = f"{drive.document}:budget"
    assert sorted(found) == sorted([f"{drive.folder}:plans", budget])
    assert found[budget] == {
        "tenant": {"key": "default", "attributes": {}},
        "resource": {"type": drive.document, "key": "budget", "attributes": {"name": "budget"}},
        "permissions": [f"{drive.document}:read", f"{drive.document}:write"],
        "roles": ["editor"],
    }
    assert sdk(enforcer.get_user_permissions({"key": drive.cleo})) == {f"__tenant:{drive.tenant}": {
        "tenant": {"key": drive.tenant, "attributes": {"plan": "pro"}},
        "permissions": [f"{drive.document}:read"],
        "roles": [drive.auditor],
    }}
    assert sdk(enforcer.get_user_permissions("nobody")) == {}


def test_permissions_are_narrowed(sdk, enforcer, drive):
    def keys(user, **filters):
        return sorted(sdk(enforcer.get_user_permissions(user, **filters)))

    assert keys(drive.ann, tenants=[drive.tenant]) == []
    assert keys(drive.ann, resource_types=[drive.folder]) == [f"{drive.folder}:plans"]
    assert keys(drive.ann, resources=[f"{drive.document}:budget"]) == [f"{drive.document}:budget"]
    assert keys(drive.cleo, tenants=[drive.tenant]) == [f"__tenant:{drive.tenant}"]
    assert keys(drive.cleo, resource_types=["__tenant"]) == [f"__tenant:{drive.tenant}"]


def test_what_a_list_shows_is_what_a_check_allows(sdk, enforcer, drive):
    for user in (drive.ann, drive.ben):
        for place, entry in sdk(enforcer.get_user_permissions(user)).items():
            for permission in entry["permissions"]:
                assert sdk.check(user, permission.split(":")[1], place) is True
    objects = [{"type": drive.document, "key": key, "tenant": "default"} for key in ("budget", "diary")]
    allowed = sdk(enforcer.filter_objects(drive.ann, "write", {}, objects))
    assert [found["key"] for found in allowed] == ["budget"]


def test_role_assignments_of_the_decision_point(sdk, drive):
    def local(**filters):
        found = sdk(sdk.client.pdp_api.role_assignments.list(**filters))
        return [(a.user, a.role, a.tenant, a.resource_instance) for a in found]

    assert local(user_key=drive.ann) == [(drive.ann, "editor", "default", f"{drive.folder}:plans")]
    assert local(tenant_key=drive.tenant) == [(drive.cleo, drive.auditor, drive.tenant, None)]
    assert local(resource_key=drive.document) == [(drive.ben, "reader", "default", f"{drive.document}:diary")]
    assert local(resource_instance_key=f"{drive.folder}:plans", role_key="editor") == local(user_key=drive.ann)
    assert local(user_key=drive.ben, role_key="editor") == []
    assert local(user_key="nobody") == []
    everything = [local(page=page, per_page=1) for page in (1, 2)]
    assert [len(page) for page in everything] == [1, 1] and everything[0] != everything[1]


def test_tenants_of_a_user_and_where_something_is_allowed(sdk, drive):
    """SDKs of other languages ask these; the Python SDK does not."""
    tenant = {"key": drive.tenant, "attributes": {"plan": "pro"}}
    found = ask(sdk, "/user-tenants", {"user": {"key": drive.cleo}, "context": {}})
    assert found == [{"key": "default", "attributes": {}}, tenant]
    query = {"user": {"key": drive.cleo}, "action": "read", "resource": {"type": drive.document}, "context": {}}
    allowed = ask(sdk, "/allowed/all-tenants", query)
    assert allowed == {"allowed_tenants": [{"allow": True, "result": True, "tenant": tenant}]}
