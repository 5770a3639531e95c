//! Resources, actions, attributes, roles, relations, derivations.

use crate::support::{SCHEMA, Server, names};
use serde_json::{Value, json};

fn path(rest: &str) -> String {
    format!("{SCHEMA}/{rest}")
}

fn hex(id: &Value) -> String {
    id.as_str().unwrap().replace('-', "")
}

async fn folders(server: &Server) {
    let dev = server.dev();
    dev.post(
        &path("resources"),
        json!({
            "key": "folder", "name": "Folder", "actions": {"read": {}, "write": {"name": "Write"}},
            "roles": {"owner": {"name": "Owner", "permissions": ["read", "write"]}},
        }),
    )
    .await;
    dev.post(&path("resources"), json!({
        "key": "file", "name": "File", "actions": {"read": {}, "write": {}, "sign": {}},
        "relations": {"home": "folder"},
        "roles": {
            // Names one that comes later in any order of keys, and one of another resource.
            "author": {"name": "Author", "permissions": ["write"], "extends": ["reader"],
                       "granted_to": {"users_with_role": [{"role": "owner", "on_resource": "folder", "linked_by_relation": "home"}]}},
            "reader": {"name": "Reader", "permissions": ["read"]},
        },
    }))
    .await;
}

#[tokio::test]
async fn a_resource_is_found_by_key_and_by_both_spellings_of_its_id() {
    let server = Server::start().await;
    folders(&server).await;
    let file = server.dev().get(&path("resources/file")).await;
    assert_eq!(file["roles"]["author"]["extends"], json!(["reader"]));
    assert_eq!(file["roles"]["author"]["granted_to"]["users_with_role"][0]["role"], "owner");
    assert_eq!(file["relations"]["home"]["resource"], "folder");
    for ident in [file["id"].as_str().unwrap().to_owned(), hex(&file["id"])] {
        assert_eq!(server.dev().get(&path(&format!("resources/{ident}"))).await, file);
        let actions = server.dev().get(&path(&format!("resources/{ident}/actions"))).await;
        assert_eq!(names(&actions, "key"), ["read", "sign", "write"]);
    }
    let read = &file["actions"]["read"];
    let action = server.dev().get(&path(&format!("resources/file/actions/{}", hex(&read["id"])))).await;
    assert_eq!((&action["permission_name"], &action["id"]), (&json!("file:read"), &read["id"]));
}

#[tokio::test]
async fn a_patch_leaves_what_it_does_not_mention_and_null_clears() {
    let server = Server::start().await;
    let dev = server.dev();
    let made = dev.post(&path("resources"), json!({
        "key": "r", "name": "R", "urn": "prn:r", "description": "d", "type_attributes": {"a": 1}, "actions": {"x": {}},
        "attributes": {"size": {"type": "number"}}, "v1compat_type": "old",
    }))
    .await;
    let same = dev.patch(&path("resources/r"), json!({})).await;
    for member in [
        "id",
        "name",
        "urn",
        "description",
        "type_attributes",
        "actions",
        "attributes",
        "v1compat_type",
        "created_at",
    ] {
        assert_eq!(same[member], made[member], "{member}");
    }
    let cleared = dev
        .patch(
            &path("resources/r"),
            json!({"urn": null, "name": "New", "attributes": null, "v1compat_type": null}),
        )
        .await;
    assert_eq!(
        (&cleared["urn"], &cleared["name"], &cleared["description"]),
        (&Value::Null, &json!("New"), &json!("d"))
    );
    assert_eq!((&cleared["attributes"], cleared.get("v1compat_type")), (&json!({}), None));
    assert_eq!(cleared["actions"], made["actions"]);
}

#[tokio::test]
async fn a_block_replaces_the_whole_and_what_stays_keeps_its_id() {
    let server = Server::start().await;
    folders(&server).await;
    let dev = server.dev();
    let before = dev.get(&path("resources/file")).await;
    let after = dev
        .patch(
            &path("resources/file"),
            json!({"roles": {"reader": {"name": "Reader", "permissions": ["read", "sign"]}}}),
        )
        .await;
    assert_eq!(after["roles"]["reader"]["id"], before["roles"]["reader"]["id"]);
    assert_eq!(after["roles"]["reader"]["permissions"], json!(["read", "sign"]));
    assert!(after["roles"].get("author").is_none(), "{after}");

    let put = dev.put(&path("resources/file"), json!({"name": "Paper", "actions": {"read": {}}})).await;
    assert_eq!((&put["id"], &put["name"]), (&before["id"], &json!("Paper")));
    assert_eq!(put["actions"]["read"]["id"], before["actions"]["read"]["id"]);
    assert_eq!(put["roles"]["reader"]["permissions"], json!(["read"]), "the role stays without what is gone");
    assert_eq!(put["relations"]["home"]["resource"], "folder");
    let bare = dev
        .put(&path("resources/file"), json!({"name": "Paper", "actions": {}, "roles": {}, "relations": {}}))
        .await;
    assert_eq!((&bare["roles"], &bare["relations"], &bare["actions"]), (&json!({}), &json!({}), &json!({})));
}

#[tokio::test]
async fn the_roles_of_a_block_may_change_places() {
    let server = Server::start().await;
    folders(&server).await;
    let turned = server
        .dev()
        .patch(
            &path("resources/file"),
            json!({"roles": {
                "author": {"name": "Author", "permissions": ["write"]},
                "reader": {"name": "Reader", "permissions": ["read"], "extends": ["author"]},
            }}),
        )
        .await;
    assert_eq!(
        (&turned["roles"]["reader"]["extends"], &turned["roles"]["author"]["extends"]),
        (&json!(["author"]), &json!([]))
    );
}

#[tokio::test]
async fn a_deleted_action_leaves_every_role() {
    let server = Server::start().await;
    folders(&server).await;
    let dev = server.dev();
    dev.post(
        &path("roles"),
        json!({"key": "clerk", "name": "Clerk", "permissions": ["file:write", "folder:write"]}),
    )
    .await;
    dev.delete(&path("resources/file/actions/write"), Value::Null).await;
    assert_eq!(dev.get(&path("roles/clerk")).await["permissions"], json!(["folder:write"]));
    assert_eq!(dev.get(&path("resources/file/roles/author")).await["permissions"], json!([]));
    dev.refused(404, "NOT_FOUND", "GET", &path("resources/file/actions/write"), Value::Null).await;
    dev.post(&path("resources/file/actions"), json!({"key": "write", "name": "Write"})).await;
    assert_eq!(
        dev.get(&path("resources/file/roles/author")).await["permissions"],
        json!([]),
        "the new one is another"
    );
}

#[tokio::test]
async fn a_deleted_role_leaves_what_names_it() {
    let server = Server::start().await;
    folders(&server).await;
    let dev = server.dev();
    dev.post(
        "/v2/elements/default/dev/config",
        json!({
            "key": "e", "name": "E", "elements_type": "user_management", "settings": {"resource": "file"},
            "roles_to_levels": {"LEVEL_1": ["author"], "LEVEL_4": ["reader"]},
        }),
    )
    .await;
    dev.delete(&path("resources/file/roles/reader"), Value::Null).await;
    assert_eq!(dev.get(&path("resources/file/roles/author")).await["extends"], json!([]));
    let levels = dev.get("/v2/elements/default/dev/config/e").await["roles_to_levels"].clone();
    assert!(!levels.to_string().contains("reader") && levels.to_string().contains("author"), "{levels}");

    dev.delete(&path("resources/folder/roles/owner"), Value::Null).await;
    assert_eq!(dev.get(&path("resources/file/roles/author")).await["granted_to"], Value::Null);
}

#[tokio::test]
async fn a_deleted_resource_takes_along_what_stands_on_it() {
    let server = Server::start().await;
    folders(&server).await;
    let dev = server.dev();
    dev.post(
        &path("roles"),
        json!({"key": "clerk", "name": "Clerk", "permissions": ["file:write", "folder:write"]}),
    )
    .await;
    dev.delete(&path("resources/folder"), Value::Null).await;
    assert_eq!(dev.get(&path("roles/clerk")).await["permissions"], json!(["file:write"]));
    assert_eq!(dev.get(&path("resources/file/relations")).await["total_count"], 0);
    assert_eq!(dev.get(&path("resources/file/roles/author")).await["granted_to"], Value::Null);
    let message = dev.refused(404, "NOT_FOUND", "GET", &path("resources/folder"), Value::Null).await;
    assert_eq!(message, "There is no resource `folder`; the resources are: file.");
}

#[tokio::test]
async fn permissions_are_bare_on_a_resource_and_prefixed_in_tenants() {
    let server = Server::start().await;
    folders(&server).await;
    let dev = server.dev();
    let role = |permissions: Value| json!({"key": "x", "name": "X", "permissions": permissions});
    let on_file = path("resources/file/roles");
    for wrong in ["file:read", "fly"] {
        dev.refused(400, "MISSING_PERMISSIONS", "POST", &on_file, role(json!([wrong]))).await;
    }
    let message =
        dev.refused(400, "MISSING_PERMISSIONS", "POST", &path("roles"), role(json!(["file:fly"]))).await;
    assert!(message.contains("file:read"), "{message}");
    dev.refused(400, "MISSING_PERMISSIONS", "POST", &path("roles"), role(json!(["cloud:read"]))).await;
    dev.refused(400, "INVALID_PERMISSION_FORMAT", "POST", &path("roles"), role(json!(["read"]))).await;
    dev.refused(400, "INVALID_PERMISSION_FORMAT", "POST", &path("roles"), role(json!(["file:a b"]))).await;
    dev.refused(404, "NOT_FOUND", "GET", &path("roles/x"), Value::Null).await;

    dev.post(&path("roles"), role(json!(["file:read"]))).await;
    let more =
        dev.post(&path("roles/x/permissions"), json!({"permissions": ["file:write", "file:read"]})).await;
    assert_eq!(more["permissions"], json!(["file:read", "file:write"]));
    let less = dev.delete(&path("roles/x/permissions"), json!({"permissions": ["file:read"]})).await;
    assert_eq!(less["permissions"], json!(["file:write"]));
    assert_eq!(
        dev.patch(&path("roles/x"), json!({"permissions": null, "name": "Y"})).await["permissions"],
        json!([])
    );
    dev.refused(409, "DUPLICATE_ENTITY", "POST", &path("roles"), role(json!([]))).await;
}

#[tokio::test]
async fn roles_extend_roles_of_their_scope_without_leading_back() {
    let server = Server::start().await;
    folders(&server).await;
    let dev = server.dev();
    let message = dev
        .refused(
            400,
            "INVALID_INPUT",
            "PATCH",
            &path("resources/file/roles/reader"),
            json!({"extends": ["author"]}),
        )
        .await;
    assert!(message.contains("already extends"), "{message}");
    dev.refused(
        404,
        "NOT_FOUND",
        "PATCH",
        &path("resources/file/roles/reader"),
        json!({"extends": ["owner"]}),
    )
    .await;
    let author = dev.get(&path("resources/file/roles/author")).await;
    let by_id = dev
        .post(
            &path("resources/file/roles"),
            json!({"key": "boss", "name": "Boss", "extends": [hex(&author["id"])]}),
        )
        .await;
    assert_eq!(by_id["extends"], json!(["author"]));
}

#[tokio::test]
async fn derivations_are_added_conditioned_and_taken_away() {
    let server = Server::start().await;
    folders(&server).await;
    let dev = server.dev();
    let grants = path("resources/file/roles/reader/implicit_grants");
    let rule = json!({"role": "owner", "on_resource": "folder", "linked_by_relation": "home"});
    let made = dev.post(&grants, rule.clone()).await;
    assert_eq!((&made["role"], &made["on_resource"]), (&json!("owner"), &json!("folder")));
    dev.refused(409, "DUPLICATE_ENTITY", "POST", &grants, rule.clone()).await;
    let set = dev.put(&format!("{grants}/conditions"), json!({"no_direct_roles_on_object": true})).await;
    assert_eq!(set, json!({"no_direct_roles_on_object": true}));
    let role = dev.get(&path("resources/file/roles/reader")).await;
    assert_eq!(role["granted_to"]["when"], set);
    assert_eq!(role["granted_to"]["users_with_role"][0]["role_id"], made["role_id"]);

    for (member, wrong, status, code) in [
        ("role", "emperor", 404, "NOT_FOUND"),
        ("on_resource", "cloud", 404, "NOT_FOUND"),
        ("linked_by_relation", "beside", 404, "NOT_FOUND"),
    ] {
        let mut body = rule.clone();
        body[member] = json!(wrong);
        dev.refused(status, code, "POST", &grants, body).await;
    }
    let foreign = json!({"role": "author", "on_resource": "file", "linked_by_relation": "home"});
    dev.refused(400, "MISMATCH_RELATION_TYPE", "POST", &grants, foreign).await;

    dev.delete(&grants, rule.clone()).await;
    dev.refused(404, "NOT_FOUND", "DELETE", &grants, rule.clone()).await;
    dev.refused(
        400,
        "INVALID_INPUT",
        "POST",
        &path("roles"),
        json!({
            "key": "t", "name": "T", "granted_to": {"users_with_role": [rule]},
        }),
    )
    .await;
}

#[tokio::test]
async fn relations_come_in_an_envelope() {
    let server = Server::start().await;
    folders(&server).await;
    let dev = server.dev();
    let relations = path("resources/file/relations");
    let made = dev.post(&relations, json!({"key": "copy", "name": "Copy", "subject_resource": "file"})).await;
    assert_eq!(
        (&made["subject_resource_id"], &made["object_resource_id"]),
        (&made["object_resource_id"], &made["object_resource_id"])
    );
    let page = dev.get(&format!("{relations}?page=2&per_page=1")).await;
    assert_eq!((&page["total_count"], &page["page_count"]), (&json!(2), &json!(2)));
    assert_eq!(names(&page["data"], "key"), ["copy"]);
    dev.refused(
        409,
        "DUPLICATE_ENTITY",
        "POST",
        &relations,
        json!({"key": "copy", "name": "Copy", "subject_resource": "file"}),
    )
    .await;
    dev.refused(
        400,
        "INVALID_INPUT",
        "POST",
        &relations,
        json!({"key": "parent", "name": "P", "subject_resource": "file"}),
    )
    .await;
    dev.refused(
        404,
        "NOT_FOUND",
        "POST",
        &relations,
        json!({"key": "x", "name": "X", "subject_resource": "cloud"}),
    )
    .await;
    dev.delete(&format!("{relations}/home"), Value::Null).await;
    assert_eq!(dev.get(&path("resources/file/roles/author")).await["granted_to"], Value::Null);
    dev.refused(404, "NOT_FOUND", "GET", &format!("{relations}/home"), Value::Null).await;
}

#[tokio::test]
async fn attributes_and_actions_alone() {
    let server = Server::start().await;
    folders(&server).await;
    let dev = server.dev();
    let attributes = path("resources/file/attributes");
    let made = dev.post(&attributes, json!({"key": "size", "type": "number", "description": "bytes"})).await;
    assert_eq!(
        (&made["type"], &made["built_in"], &made["resource_key"]),
        (&json!("number"), &json!(false), &json!("file"))
    );
    dev.refused(409, "DUPLICATE_ENTITY", "POST", &attributes, json!({"key": "size", "type": "string"})).await;
    let changed =
        dev.patch(&format!("{attributes}/size"), json!({"type": "json", "description": null})).await;
    assert_eq!((&changed["type"], &changed["description"]), (&json!("json"), &Value::Null));
    assert_eq!(dev.send("POST", &attributes, Some(&json!({"key": "b", "type": "blob"}))).await.status, 422);
    dev.delete(&format!("{attributes}/size"), Value::Null).await;
    assert_eq!(dev.get(&attributes).await, json!([]));

    let actions = path("resources/file/actions");
    dev.refused(409, "DUPLICATE_ENTITY", "POST", &actions, json!({"key": "read", "name": "R"})).await;
    let named = dev.patch(&format!("{actions}/read"), json!({"name": "Look", "attributes": {"a": 1}})).await;
    assert_eq!((&named["name"], &named["attributes"]), (&json!("Look"), &json!({"a": 1})));
}

#[tokio::test]
async fn wrong_input_is_answered_with_what_would_be_right() {
    let server = Server::start().await;
    let dev = server.dev();
    let spaces =
        dev.send("POST", &path("resources"), Some(&json!({"key": "a b", "name": "x", "actions": {}}))).await;
    assert_eq!(spaces.status, 422);
    assert!(spaces.body["detail"][0]["msg"].as_str().unwrap().contains("letters, digits"), "{spaces:?}");
    let lacks = dev.send("POST", &path("resources"), Some(&json!({"key": "a", "actions": {}}))).await;
    assert!(lacks.body["detail"][0]["msg"].as_str().unwrap().contains("name"), "{lacks:?}");
    dev.refused(400, "PAGINATION_SIZE_OVERREACHED", "GET", &path("resources?per_page=101"), Value::Null)
        .await;
    dev.refused(400, "INVALID_INPUT", "GET", &path("resources?page=0"), Value::Null).await;
    for odd in ["page=two", "page=-1", "per_page=99999999999999999999"] {
        let message =
            dev.refused(400, "INVALID_INPUT", "GET", &path(&format!("resources?{odd}")), Value::Null).await;
        assert!(message.contains("whole number"), "{message}");
    }
}

#[tokio::test]
async fn writers_at_once_lose_nothing() {
    let server = Server::start().await;
    folders(&server).await;
    let dev = server.dev();
    let actions = path("resources/file/actions");
    let writes = (0..20).map(|n| dev.post(&actions, json!({"key": format!("a{n}"), "name": "A"})));
    futures::future::join_all(writes).await;
    assert_eq!(dev.get(&actions).await.as_array().unwrap().len(), 3 + 20);
}
