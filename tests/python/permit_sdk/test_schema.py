"""Schema routes through the SDK: resources, actions, roles, relations."""

import uuid

import pytest
from permit.exceptions import PermitAlreadyExistsError, PermitApiDetailedError, PermitNotFoundError


@pytest.fixture
def folder(sdk, name):
    key = name("folder")
    sdk(sdk.api.resources.create({
        "key": key, "name": "Folder", "actions": {"read": {}, "write": {"name": "Write", "description": "change it"}},
    }))
    return key


def test_resources(sdk, name):
    key = name("invoice")
    created = sdk(sdk.api.resources.create({
        "key": key,
        "name": "Invoice",
        "description": "what is owed",
        "actions": {"read": {}, "pay": {"name": "Pay"}},
        "roles": {"clerk": {"name": "Clerk", "permissions": ["read"]}},
    }))
    assert created.actions["pay"].name == "Pay" and created.actions["read"].id
    assert created.roles["clerk"].permissions == ["read"]
    for ident in (key, str(created.id), created.id.hex):
        assert sdk(sdk.api.resources.get(ident)).id == created.id
    assert sdk(sdk.api.resources.get_by_key(key)).description == "what is owed"
    assert key in [item.key for item in sdk(sdk.api.resources.list(per_page=100))]

    changed = sdk(sdk.api.resources.update(key, {"name": "Bill"}))
    assert (changed.name, changed.description, set(changed.actions)) == ("Bill", "what is owed", {"read", "pay"})
    replaced = sdk(sdk.api.resources.replace(key, {"name": "Bill", "actions": {"read": {}}}))
    assert set(replaced.actions) == {"read"} and replaced.id == created.id
    sdk(sdk.api.resources.delete(key))
    with pytest.raises(PermitNotFoundError) as raised:
        sdk(sdk.api.resources.get(key))
    assert raised.value.status_code == 404 and key in str(raised.value)


def test_lists_come_in_pages(sdk, name):
    keys = [name(f"page{number}") for number in range(3)]
    for key in keys:
        sdk(sdk.api.resources.create({"key": key, "name": key, "actions": {}}))
    seen, page = [], 1
    while True:
        found = sdk(sdk.api.resources.list(page=page, per_page=2))
        seen += [item.key for item in found]
        if len(found) < 2:
            break
        page += 1
    assert set(keys) <= set(seen) and len(seen) == len(set(seen))


def test_actions(sdk, folder):
    api = sdk.api.resource_actions
    created = sdk(api.create(folder, {"key": "share", "name": "Share"}))
    assert created.permission_name == f"{folder}:share"
    assert sdk(api.get(folder, "share")).id == created.id
    assert sdk(api.get_by_id(folder, str(created.id))).key == "share"
    assert {item.key for item in sdk(api.list(folder))} == {"read", "write", "share"}
    assert sdk(api.update(folder, "share", {"name": "Hand over"})).name == "Hand over"
    with pytest.raises(PermitAlreadyExistsError):
        sdk(api.create(folder, {"key": "share", "name": "Share"}))
    sdk(api.delete(folder, "share"))
    with pytest.raises(PermitNotFoundError):
        sdk(api.get(folder, "share"))


def test_attributes(sdk, folder):
    api = sdk.api.resource_attributes
    created = sdk(api.create(folder, {"key": "pages", "type": "number", "description": "how many"}))
    assert (created.resource_key, created.type.value, created.built_in) == (folder, "number", False)
    assert sdk(api.get(folder, "pages")).id == created.id
    assert [item.key for item in sdk(api.list(folder))] == ["pages"]
    assert sdk(api.update(folder, "pages", {"description": "sheets"})).description == "sheets"
    with pytest.raises(PermitAlreadyExistsError):
        sdk(api.create(folder, {"key": "pages", "type": "number"}))
    sdk(api.delete(folder, "pages"))
    with pytest.raises(PermitNotFoundError):
        sdk(api.get(folder, "pages"))


def test_tenant_roles(sdk, folder, name):
    api, reader, editor = sdk.api.roles, name("reader"), name("editor")
    sdk(api.create({"key": reader, "name": "Reader", "permissions": [f"{folder}:read"]}))
    created = sdk(api.create({"key": editor, "name": "Editor", "extends": [reader]}))
    assert created.extends == [reader]
    with_write = sdk(api.assign_permissions(editor, [f"{folder}:write"]))
    assert f"{folder}:write" in with_write.permissions
    assert {reader, editor} <= {item.key for item in sdk(api.list())}
    user = name("ann")
    sdk(sdk.api.users.sync({"key": user}))
    sdk(sdk.api.users.assign_role({"user": user, "role": editor, "tenant": "default"}))
    assert sdk.check(user, "read", folder) is True, "inherited from the reader"
    assert sdk.check(user, "write", folder) is True
    sdk(api.remove_permissions(editor, [f"{folder}:write"]))
    assert sdk.check(user, "write", folder) is False
    assert sdk(api.update(editor, {"name": "Author"})).name == "Author"
    sdk(api.delete(editor))
    assert sdk.check(user, "read", folder) is False
    with pytest.raises(PermitNotFoundError):
        sdk(api.get(editor))


def test_resource_roles(sdk, folder):
    api = sdk.api.resource_roles
    created = sdk(api.create(folder, {"key": "reader", "name": "Reader", "permissions": ["read"]}))
    assert (created.resource, created.permissions) == (folder, ["read"])
    resource = sdk(sdk.api.resources.get(folder))
    assert sdk(api.get_by_id(str(resource.id), str(created.id))).key == "reader"
    sdk(api.create(folder, {"key": "writer", "name": "Writer", "permissions": ["write"], "extends": ["reader"]}))
    assert {item.key for item in sdk(api.list(folder))} == {"reader", "writer"}
    assert sdk(api.remove_permissions(folder, "writer", ["write"])).permissions == []
    assert sdk(api.update(folder, "writer", {"name": "Author", "extends": ["reader"]})).name == "Author"
    with pytest.raises(PermitAlreadyExistsError):
        sdk(api.create(folder, {"key": "reader", "name": "Reader"}))
    sdk(api.delete(folder, "writer"))
    with pytest.raises(PermitNotFoundError):
        sdk(api.get(folder, "writer"))


def test_permissions_that_are_none(sdk, folder):
    api = sdk.api.resource_roles
    sdk(api.create(folder, {"key": "reader", "name": "Reader", "permissions": ["read"]}))
    for wrong in (f"{folder}:read", "fly"):
        with pytest.raises(PermitApiDetailedError) as raised:
            sdk(api.assign_permissions(folder, "reader", [wrong]))
        assert raised.value.code == "MISSING_PERMISSIONS", raised.value.content
    assert sdk(api.get(folder, "reader")).permissions == ["read"]


def test_relations(sdk, folder, name):
    document = name("document")
    sdk(sdk.api.resources.create({"key": document, "name": "Document", "actions": {"read": {}}}))
    api = sdk.api.resource_relations
    created = sdk(api.create(document, {"key": "inside", "name": "Inside", "subject_resource": folder}))
    assert (created.subject_resource, created.object_resource) == (folder, document)
    assert sdk(api.get(document, "inside")).id == created.id
    if sdk.major >= 3:  # 2.8 cannot read the envelope that the API answers with
        listed = sdk(api.list(document))
        assert [item.key for item in listed.data] == ["inside"] and listed.total_count == 1
    with pytest.raises(PermitAlreadyExistsError):
        sdk(api.create(document, {"key": "inside", "name": "Inside", "subject_resource": folder}))
    with pytest.raises(PermitNotFoundError):
        sdk(api.create(document, {"key": "beside", "name": "Beside", "subject_resource": name("nothing")}))
    sdk(api.delete(document, "inside"))
    with pytest.raises(PermitNotFoundError):
        sdk(api.get(document, "inside"))


def test_relations_written_with_the_resource(sdk, folder, name):
    document = name("document")
    created = sdk(sdk.api.resources.create({
        "key": document, "name": "Document", "actions": {"read": {}}, "relations": {"inside": folder},
    }))
    assert created.relations["inside"].resource == folder
    assert sdk(sdk.api.resource_relations.get(document, "inside")).subject_resource == folder


def test_what_is_not_there(sdk, name):
    for ident in (name("nothing"), str(uuid.uuid4()), uuid.uuid4().hex):
        with pytest.raises(PermitNotFoundError):
            sdk(sdk.api.resources.get(ident))
        with pytest.raises(PermitNotFoundError):
            sdk(sdk.api.roles.get(ident))
        with pytest.raises(PermitNotFoundError):
            sdk(sdk.api.resource_roles.list(ident))
