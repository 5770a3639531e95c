"""Roles that follow from relations: a chain's manager, and the restaurants of the chain."""

import pytest
from permit.exceptions import PermitNotFoundError


@pytest.fixture
def chain(sdk, name):
    """Chains own restaurants; each test has types of its own. Returns (chain type, restaurant type)."""
    owner, owned = name("chain"), name("place")
    sdk(sdk.api.resources.create({"key": owner, "name": "Chain", "actions": {"read": {}}, "roles": {
        "manager": {"name": "Manager", "permissions": ["read"]},
    }}))
    sdk(sdk.api.resources.create({
        "key": owned, "name": "Place", "actions": {"read": {}, "close": {}}, "relations": {"owner": owner},
        "roles": {
            "boss": {"name": "Boss", "permissions": ["read", "close"]},
            "guest": {"name": "Guest", "permissions": ["read"]},
        },
    }))
    for kind, key in ((owner, "pasta"), (owned, "roma"), (owned, "napoli")):
        sdk(sdk.api.resource_instances.create({"resource": kind, "key": key, "tenant": "default"}))
    sdk(sdk.api.relationship_tuples.create({
        "subject": f"{owner}:pasta", "relation": "owner", "object": f"{owned}:roma", "tenant": "default",
    }))
    return owner, owned


@pytest.fixture
def manager(sdk, chain, name):
    user = name("mia")
    sdk(sdk.api.users.sync({"key": user}))
    sdk(sdk.api.role_assignments.assign({
        "user": user, "role": "manager", "tenant": "default", "resource_instance": f"{chain[0]}:pasta",
    }))
    return user


def rule(chain, **more):
    return {"role": "manager", "on_resource": chain[0], "linked_by_relation": "owner", **more}


def test_a_role_follows_the_relation(sdk, chain, manager):
    owner, owned = chain
    assert sdk.check(manager, "close", f"{owned}:roma") is False
    created = sdk(sdk.api.resource_roles.create_role_derivation(owned, "boss", rule(chain)))
    assert (created.role, created.on_resource, created.linked_by_relation) == ("manager", owner, "owner")
    assert sdk.check(manager, "close", f"{owned}:roma") is True
    assert sdk.check(manager, "close", f"{owned}:napoli") is False, "napoli is not of this chain"

    shown = sdk(sdk.api.resource_roles.get(owned, "boss")).granted_to.users_with_role
    assert [(item.role, item.on_resource) for item in shown] == [("manager", owner)]

    sdk(sdk.api.relationship_tuples.create({
        "subject": f"{owner}:pasta", "relation": "owner", "object": f"{owned}:napoli", "tenant": "default",
    }))
    assert sdk.check(manager, "close", f"{owned}:napoli") is True
    sdk(sdk.api.relationship_tuples.delete({
        "subject": f"{owner}:pasta", "relation": "owner", "object": f"{owned}:roma",
    }))
    assert sdk.check(manager, "close", f"{owned}:roma") is False
    sdk(sdk.api.resource_roles.delete_role_derivation(owned, "boss", rule(chain)))
    assert sdk.check(manager, "close", f"{owned}:napoli") is False
    with pytest.raises(PermitNotFoundError):
        sdk(sdk.api.resource_roles.delete_role_derivation(owned, "boss", rule(chain)))


def make_guest(sdk, chain, user):
    sdk(sdk.api.role_assignments.assign({
        "user": user, "role": "guest", "tenant": "default", "resource_instance": f"{chain[1]}:roma",
    }))


def test_a_rule_that_yields_to_direct_roles(sdk, chain, manager):
    owned = chain[1]
    sdk(sdk.api.resource_roles.create_role_derivation(
        owned, "boss", rule(chain, when={"no_direct_roles_on_object": True})
    ))
    assert sdk.check(manager, "close", f"{owned}:roma") is True
    make_guest(sdk, chain, manager)
    assert sdk.check(manager, "close", f"{owned}:roma") is False, "the direct role is all that counts here"
    assert sdk.check(manager, "read", f"{owned}:roma") is True, "and the direct role itself stands"
    sdk(sdk.api.users.unassign_role({
        "user": manager, "role": "guest", "tenant": "default", "resource_instance": f"{owned}:roma",
    }))
    assert sdk.check(manager, "close", f"{owned}:roma") is True


def test_a_rule_that_does_not_yield(sdk, chain, manager):
    owned = chain[1]
    sdk(sdk.api.resource_roles.create_role_derivation(
        owned, "boss", rule(chain, when={"no_direct_roles_on_object": False})
    ))
    make_guest(sdk, chain, manager)
    assert sdk.check(manager, "close", f"{owned}:roma") is True


def test_the_condition_can_be_set_for_all_rules_of_a_role(sdk, chain, manager):
    owned = chain[1]
    sdk(sdk.api.resource_roles.create_role_derivation(owned, "boss", rule(chain)))
    make_guest(sdk, chain, manager)
    assert sdk.check(manager, "close", f"{owned}:roma") is True
    answer = sdk(sdk.api.resource_roles.update_role_derivation_conditions(
        owned, "boss", {"no_direct_roles_on_object": True}
    ))
    assert answer.no_direct_roles_on_object is True
    assert sdk.check(manager, "close", f"{owned}:roma") is False
    assert sdk(sdk.api.resource_roles.get(owned, "boss")).granted_to.when.no_direct_roles_on_object is True


def test_derivations_written_with_the_role(sdk, chain, manager):
    owned = chain[1]
    sdk(sdk.api.resource_roles.create(owned, {
        "key": "keeper", "name": "Keeper", "permissions": ["close"],
        "granted_to": {"when": {"no_direct_roles_on_object": True}, "users_with_role": [rule(chain)]},
    }))
    assert sdk.check(manager, "close", f"{owned}:roma") is True
    make_guest(sdk, chain, manager)
    assert sdk.check(manager, "close", f"{owned}:roma") is False


def test_three_hops(sdk, name):
    kinds = [name(f"level{number}") for number in range(4)]
    for number, kind in enumerate(kinds):
        relations = {"above": kinds[number - 1]} if number else {}
        sdk(sdk.api.resources.create({
            "key": kind, "name": kind, "actions": {"read": {}}, "relations": relations,
            "roles": {"keeper": {"name": "Keeper", "permissions": ["read"]}},
        }))
        sdk(sdk.api.resource_instances.create({"resource": kind, "key": "one", "tenant": "default"}))
    for above, below in zip(kinds, kinds[1:]):
        sdk(sdk.api.resource_roles.create_role_derivation(
            below, "keeper", {"role": "keeper", "on_resource": above, "linked_by_relation": "above"}
        ))
    sdk(sdk.api.relationship_tuples.bulk_create([
        {"subject": f"{above}:one", "relation": "above", "object": f"{below}:one", "tenant": "default"}
        for above, below in zip(kinds, kinds[1:])
    ]))
    user = name("top")
    sdk(sdk.api.users.sync({"key": user}))
    assert sdk.check(user, "read", f"{kinds[3]}:one") is False
    sdk(sdk.api.users.assign_role({
        "user": user, "role": "keeper", "tenant": "default", "resource_instance": f"{kinds[0]}:one",
    }))
    assert sdk.check(user, "read", f"{kinds[3]}:one") is True
    sdk(sdk.api.relationship_tuples.bulk_delete([
        {"subject": f"{kinds[1]}:one", "relation": "above", "object": f"{kinds[2]}:one"}
    ]))
    assert sdk.check(user, "read", f"{kinds[3]}:one") is False
    assert sdk.check(user, "read", f"{kinds[1]}:one") is True
