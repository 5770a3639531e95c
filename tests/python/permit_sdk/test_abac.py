"""Condition sets and set rules: who may do something because of attributes."""

import pytest
from permit.exceptions import PermitApiError, PermitNotFoundError

from harness.wire import Wire


@pytest.fixture
def shop(sdk, name):
    """Documents with a level, an adult and a child. Returns the keys by short names."""
    keys = {word: name(word) for word in ("doc", "ann", "kim", "adults", "open", "clerk")}
    sdk(sdk.api.resources.create({"key": keys["doc"], "name": "Doc", "actions": {"read": {}, "write": {}}}))
    for user, age in (("ann", 40), ("kim", 9)):
        sdk(sdk.api.users.sync({"key": keys[user], "attributes": {"age": age}}))
    for key, level in (("low", 1), ("high", 5)):
        sdk(sdk.api.resource_instances.create({
            "resource": keys["doc"], "key": key, "tenant": "default", "attributes": {"level": level},
        }))
    sdk(sdk.api.condition_sets.create({
        "key": keys["adults"], "name": "Adults", "type": "userset",
        "conditions": {"allOf": [{"user.age": {"greater-than": 17}}]},
    }))
    sdk(sdk.api.condition_sets.create({
        "key": keys["open"], "name": "Open", "type": "resourceset", "resource_id": keys["doc"],
        "conditions": {"allOf": [{"resource.level": {"less-than": 3}}]},
    }))
    return keys


def rule(shop, **more):
    return {
        "user_set": shop["adults"], "permission": f"{shop['doc']}:read", "resource_set": shop["open"], **more,
    }


def test_a_rule_allows_by_stored_attributes_and_by_those_of_the_call(sdk, shop):
    low = f"{shop['doc']}:low"
    assert sdk.check(shop["ann"], "read", low) is False
    created = sdk(sdk.api.condition_set_rules.create(rule(shop)))
    assert [(r.user_set, r.resource_set) for r in created] == [(shop["adults"], shop["open"])]
    assert sdk.check(shop["ann"], "read", low) is True
    assert sdk.check(shop["ann"], "write", low) is False
    assert sdk.check(shop["ann"], "read", f"{shop['doc']}:high") is False
    assert sdk.check(shop["kim"], "read", low) is False
    assert sdk.check({"key": shop["kim"], "attributes": {"age": 18}}, "read", low) is True
    as_low = {"type": shop["doc"], "key": "high", "tenant": "default", "attributes": {"level": 2}}
    assert sdk.check(shop["ann"], "read", as_low) is True
    sdk(sdk.api.condition_set_rules.delete(rule(shop)))
    assert sdk.check(shop["ann"], "read", low) is False


def test_a_role_stands_for_a_user_set_and_a_resource_for_a_resource_set(sdk, shop):
    sdk(sdk.api.roles.create({"key": shop["clerk"], "name": "Clerk"}))
    sdk(sdk.api.condition_set_rules.create(rule(shop, user_set=shop["clerk"], is_role=True)))
    sdk(sdk.api.condition_set_rules.create(rule(
        shop, permission=f"{shop['doc']}:write", resource_set=shop["doc"], is_resource=True,
    )))
    assert sdk.check(shop["kim"], "read", f"{shop['doc']}:low") is False
    sdk(sdk.api.role_assignments.assign({"user": shop["kim"], "role": shop["clerk"], "tenant": "default"}))
    assert sdk.check(shop["kim"], "read", f"{shop['doc']}:low") is True
    assert sdk.check(shop["kim"], "read", f"{shop['doc']}:high") is False
    assert sdk.check(shop["ann"], "write", f"{shop['doc']}:high") is True
    found = sdk(sdk.api.condition_set_rules.list(user_set_key=shop["clerk"]))
    assert [r.resource_set for r in found] == [shop["open"]]


def test_sets_are_listed_changed_and_deleted(sdk, shop):
    shown = sdk(sdk.api.condition_sets.get(shop["open"]))
    assert (shown.key, shown.resource.key) == (shop["open"], shop["doc"])
    assert {shop["adults"], shop["open"]} <= {s.key for s in sdk(sdk.api.condition_sets.list())}
    sdk(sdk.api.condition_set_rules.create(rule(shop)))
    everyone = {"allOf": [{"user.age": {"greater-than": 1}}]}
    sdk(sdk.api.condition_sets.update(shop["adults"], {"conditions": everyone}))
    assert sdk.check(shop["kim"], "read", f"{shop['doc']}:low") is True
    sdk(sdk.api.condition_sets.delete(shop["adults"]))
    assert sdk.check(shop["kim"], "read", f"{shop['doc']}:low") is False
    with pytest.raises(PermitNotFoundError):
        sdk(sdk.api.condition_sets.get(shop["adults"]))


def test_a_wrong_condition_is_refused_with_its_place(sdk, shop, name):
    with pytest.raises(PermitApiError) as refused:
        sdk(sdk.api.condition_sets.create({
            "key": name("wrong"), "name": "Wrong", "conditions": {"allOf": [{"user.age": {"bigger": 1}}]},
        }))
    assert '$.allOf[0]["user.age"].bigger' in str(refused.value.details)


def test_lists_and_searches_hold_what_rules_allow(sdk, shop):
    sdk(sdk.api.condition_set_rules.create(rule(shop)))
    wire, low = Wire(sdk.url, sdk.key), f"{shop['doc']}:low"
    document = {"type": shop["doc"], "key": "low"}
    found = wire.ok("POST", "/authorized_users", {"action": "read", "resource": document})
    assert found["users"][shop["ann"]][0]["role"] == shop["adults"]
    assert shop["kim"] not in found["users"]
    asked = {"user": {"key": shop["ann"]}, "resource_types": [shop["doc"]]}
    assert wire.ok("POST", "/user-permissions", asked) == {}
    asked["context"] = {"enable_abac_user_permissions": True}
    found = wire.ok("POST", "/user-permissions", asked)
    assert {place: entry["permissions"] for place, entry in found.items()} == {low: [f"{shop['doc']}:read"]}
    for user in (shop["ann"], shop["kim"]):
        search = {
            "subject": {"type": "user", "id": user}, "action": {"name": "read"}, "resource": {"type": shop["doc"]},
        }
        results = wire.ok("POST", "/access/v1/search/resource", search)["results"]
        assert [result["id"] for result in results] == [
            key for key in ("high", "low") if sdk.check(user, "read", f"{shop['doc']}:{key}")
        ]
    wire.close()
