"""Every list of the SDK: a page is a part of it, and one that is too large is refused."""

import pytest
from permit.exceptions import PermitApiDetailedError


@pytest.fixture(scope="module")
def stock(sdk, facade):
    """Three of everything that is listed. Returns the key of the resource that holds what stands on one."""
    api, three, key = sdk.api, range(3), f"paged-{facade}"
    sdk(api.resources.create({
        "key": key, "name": "Paged", "actions": {f"a{n}": {} for n in three},
        "attributes": {f"x{n}": {"type": "string"} for n in three},
        "roles": {f"r{n}": {"name": "R"} for n in three},
    }))
    for n in three:
        sdk(api.resources.create({"key": f"{key}-{n}", "name": "Paged", "actions": {"read": {}}}))
        sdk(api.resource_relations.create(key, {"key": f"from-{n}", "name": "From", "subject_resource": f"{key}-{n}"}))
        sdk(api.action_groups.create(key, {"key": f"g{n}", "name": "G"}))
        sdk(api.roles.create({"key": f"{key}-{n}", "name": "Paged"}))
        sdk(api.condition_sets.create({"key": f"{key}-{n}", "name": "Paged", "type": "userset", "conditions": {}}))
        sdk(api.condition_set_rules.create({
            "user_set": f"{key}-{n}", "permission": f"{key}:a0", "resource_set": key, "is_resource": True,
        }))
    sdk(api.tenants.bulk_create([{"key": f"{key}-{n}", "name": "Paged"} for n in three]))
    sdk(api.users.bulk_create([{"key": f"{key}-{n}"} for n in three]))
    sdk(api.resource_instances.bulk_replace([
        {"resource": kind, "key": f"i{n}", "tenant": f"{key}-0"} for n in three for kind in (key, f"{key}-0")
    ]))
    sdk(api.role_assignments.bulk_assign([
        {"user": f"{key}-0", "role": f"r{n}", "tenant": f"{key}-0", "resource_instance": f"{key}:i0"} for n in three
    ]))
    sdk(api.relationship_tuples.bulk_create([
        {"subject": f"{key}-0:i0", "relation": "from-0", "object": f"{key}:i{n}", "tenant": f"{key}-0"} for n in three
    ]))
    return key


LISTS = {
    "resources": lambda api, key, **page: api.resources.list(**page),
    "actions": lambda api, key, **page: api.resource_actions.list(key, **page),
    "attributes": lambda api, key, **page: api.resource_attributes.list(key, **page),
    "resource roles": lambda api, key, **page: api.resource_roles.list(key, **page),
    "relations": lambda api, key, **page: api.resource_relations.list(key, **page),
    "action groups": lambda api, key, **page: api.action_groups.list(key, **page),
    "roles": lambda api, key, **page: api.roles.list(**page),
    "condition sets": lambda api, key, **page: api.condition_sets.list(**page),
    "set rules": lambda api, key, **page: api.condition_set_rules.list(**page),
    "tenants": lambda api, key, **page: api.tenants.list(**page),
    "users": lambda api, key, **page: api.users.list(**page),
    "users of a tenant": lambda api, key, **page: api.tenants.list_tenant_users("default", **page),
    "instances": lambda api, key, **page: api.resource_instances.list(**page),
    "assignments": lambda api, key, **page: api.role_assignments.list(**page),
    "tuples": lambda api, key, **page: api.relationship_tuples.list(**page),
}


@pytest.mark.parametrize("what", LISTS)
def test_pages(sdk, stock, what):
    if what == "relations" and sdk.major < 3:
        pytest.skip("2.8 cannot read the envelope that the API answers with")

    def read(**page):
        found = sdk(LISTS[what](sdk.api, stock, **page))
        return list(getattr(found, "data", found))

    whole = read(page=1, per_page=100)
    assert len(whole) >= 3
    first, second = read(page=1, per_page=2), read(page=2, per_page=2)
    assert len(first) == 2 and 1 <= len(second) <= 2
    assert [item.id for item in first + second] == [item.id for item in whole[: len(first + second)]]
    assert read(page=1 + len(whole), per_page=1) == []
    with pytest.raises(PermitApiDetailedError) as raised:
        read(page=1, per_page=101)
    assert (raised.value.status_code, raised.value.code) == (400, "PAGINATION_SIZE_OVERREACHED")
    assert "100" in str(raised.value)


@pytest.mark.parametrize("what, most, call", [
    ("users", 3000, lambda api, key, n: api.users.bulk_create([{"key": f"u{i}"} for i in range(n)])),
    ("tenants", 2000, lambda api, key, n: api.tenants.bulk_create([{"key": f"t{i}", "name": "T"} for i in range(n)])),
    ("resource instances", 3000, lambda api, key, n: api.resource_instances.bulk_replace(
        [{"resource": key, "key": f"many{i}", "tenant": "default"} for i in range(n)])),
    ("role assignments", 2000, lambda api, key, n: api.role_assignments.bulk_assign(
        [{"user": f"{key}-0", "role": f"{key}-0", "tenant": f"t{i}"} for i in range(n)])),
])
def test_a_bulk_call_that_is_too_large(sdk, stock, what, most, call):
    with pytest.raises(PermitApiDetailedError) as raised:
        sdk(call(sdk.api, stock, most + 1))
    assert raised.value.code == "PAGINATION_SIZE_OVERREACHED"
    assert str(most) in str(raised.value)
