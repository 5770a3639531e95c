//! Copies and counts of environments, action groups, and keys that get another secret.

use crate::support::{SCHEMA, Server, names};
use serde_json::{Value, json};

#[tokio::test]
async fn action_groups_name_actions_and_allow_nothing() {
    let server = Server::start().await;
    let dev = server.dev();
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({"key": "doc", "name": "Doc", "actions": {"read": {}, "write": {}}}),
    )
    .await;
    let groups = format!("{SCHEMA}/resources/doc/action_groups");
    let made = dev
        .post(&groups, json!({"key": "edit", "name": "Edit", "actions": ["write", "read", "write"], "attributes": {"a": 1}}))
        .await;
    assert_eq!(made["actions"], json!(["write", "read"]));
    for ident in ["edit", made["id"].as_str().unwrap()] {
        assert_eq!(dev.get(&format!("{groups}/{ident}")).await, made);
    }
    assert_eq!(names(&dev.get(&groups).await, "key"), ["edit"]);
    dev.refused(409, "DUPLICATE_ENTITY", "POST", &groups, json!({"key": "edit", "name": "Edit"})).await;
    let told = dev
        .refused(404, "NOT_FOUND", "POST", &groups, json!({"key": "fly", "name": "Fly", "actions": ["fly"]}))
        .await;
    assert!(told.contains("read, write"), "{told}");

    let changed = dev.patch(&format!("{groups}/edit"), json!({"name": "Change", "attributes": null})).await;
    assert_eq!((&changed["name"], &changed["attributes"]), (&json!("Change"), &Value::Null));
    assert_eq!(changed["actions"], json!(["write", "read"]), "what is not mentioned stays");
    assert_eq!(
        dev.get(&format!("{SCHEMA}/resources/doc")).await["action_groups"],
        json!({"edit": ["write", "read"]})
    );
    dev.refused(
        400,
        "MISSING_PERMISSIONS",
        "POST",
        &format!("{SCHEMA}/roles"),
        json!({"key": "editor", "name": "Editor", "permissions": ["doc:edit"]}),
    )
    .await;

    dev.delete(&format!("{SCHEMA}/resources/doc/actions/write"), Value::Null).await;
    assert_eq!(dev.get(&format!("{groups}/edit")).await["actions"], json!(["read"]));
    dev.delete(&format!("{groups}/edit"), Value::Null).await;
    dev.refused(404, "NOT_FOUND", "GET", &format!("{groups}/edit"), Value::Null).await;
}

/// A policy with everything that can be copied, in `default/dev`.
async fn policy(server: &Server) {
    let dev = server.dev();
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({"key": "folder", "name": "Folder", "actions": {"read": {}},
        "roles": {"owner": {"name": "Owner", "permissions": ["read"]}}}),
    )
    .await;
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({"key": "doc", "name": "Doc", "actions": {"read": {}, "write": {}},
            "attributes": {"level": {"type": "number"}}, "relations": {"inside": "folder"},
            "roles": {"owner": {"name": "Owner", "permissions": ["write"], "granted_to": {"users_with_role":
                [{"role": "owner", "on_resource": "folder", "linked_by_relation": "inside"}]}}}}),
    )
    .await;
    let groups = format!("{SCHEMA}/resources/doc/action_groups");
    dev.post(&groups, json!({"key": "all", "name": "All", "actions": ["read", "write"]})).await;
    let roles = format!("{SCHEMA}/roles");
    dev.post(&roles, json!({"key": "reader", "name": "Reader", "permissions": ["doc:read"]})).await;
    dev.post(&roles, json!({"key": "test-role", "name": "Test", "extends": ["reader"]})).await;
    let sets = format!("{SCHEMA}/condition_sets");
    dev.post(&sets, json!({"key": "people", "name": "People", "conditions": {}})).await;
    dev.post(
        &sets,
        json!({"key": "adults", "name": "Adults", "parent_id": "people",
            "conditions": {"allOf": [{"user.age": {"greater-than": 17}}]}}),
    )
    .await;
    dev.post(
        &sets,
        json!({"key": "low", "name": "Low", "type": "resourceset", "resource_id": "doc",
            "conditions": {"allOf": [{"resource.level": {"less-than": 3}}]}}),
    )
    .await;
    dev.post(
        "/v2/facts/default/dev/set_rules",
        json!({"user_set": "adults", "permission": "doc:read", "resource_set": "low"}),
    )
    .await;
}

/// What the API shows of a policy, without ids and times.
async fn shown(client: &crate::support::Client<'_>, place: &str) -> Value {
    let mut all = json!({});
    for (name, path) in [
        ("resources", format!("/v2/schema/{place}/resources")),
        ("roles", format!("/v2/schema/{place}/roles")),
        ("sets", format!("/v2/schema/{place}/condition_sets")),
        ("rules", format!("/v2/facts/{place}/set_rules")),
    ] {
        all[name] = client.get(&path).await;
    }
    bare(&mut all);
    // What was copied at one moment has no order of creation.
    for list in all.as_object_mut().unwrap().values_mut() {
        list.as_array_mut().unwrap().sort_by_key(|item| item["key"].to_string());
    }
    all
}

fn bare(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| name != "id" && !name.ends_with("_id") && !name.ends_with("_at"));
            members.values_mut().for_each(bare);
        }
        Value::Array(items) => items.iter_mut().for_each(bare),
        _ => {}
    }
}

#[tokio::test]
async fn a_copy_has_the_whole_policy_and_no_facts() {
    let server = Server::start().await;
    policy(&server).await;
    let org = server.org();
    server.dev().put("/facts/users/joe", json!({})).await;
    let copy = "/v2/projects/default/envs/dev/copy";
    let made = org
        .post(copy, json!({"target_env": {"new": {"key": "twin", "name": "Twin"}}, "scope": {"roles": {}}}))
        .await;
    assert_eq!((&made["key"], &made["name"]), (&json!("twin"), &json!("Twin")));
    assert_eq!(shown(&org, "default/twin").await, shown(&org, "default/dev").await);
    assert_eq!(org.get("/v2/facts/default/twin/users").await["total_count"], 0);
    let ids = |list: &Value| names(list, "id");
    let (here, there) =
        (org.get("/v2/schema/default/dev/roles").await, org.get("/v2/schema/default/twin/roles").await);
    assert!(ids(&here).iter().all(|id| !ids(&there).contains(id)), "ids are an environment's own");

    let told =
        org.refused(409, "DUPLICATE_ENTITY", "POST", copy, json!({"target_env": {"existing": "twin"}})).await;
    assert!(told.contains("`folder` is in both") && told.contains("overwrite"), "{told}");

    // Overwriting keeps ids, and what only the target has.
    org.post("/v2/schema/default/twin/roles", json!({"key": "own", "name": "Own"})).await;
    org.patch("/v2/schema/default/twin/roles/reader", json!({"permissions": [], "name": "Changed"})).await;
    org.post(copy, json!({"target_env": {"existing": "twin"}, "conflict_strategy": "overwrite"})).await;
    let after = org.get("/v2/schema/default/twin/roles").await;
    assert_eq!(ids(&after).get(..2), ids(&there).get(..2), "the same ids");
    assert_eq!(names(&after, "key").get(2).map(String::as_str), Some("own"));
    let reader = org.get("/v2/schema/default/twin/roles/reader").await;
    assert_eq!((&reader["name"], &reader["permissions"]), (&json!("Reader"), &json!(["doc:read"])));
}

#[tokio::test]
async fn a_copy_takes_what_the_scope_says_or_nothing() {
    let server = Server::start().await;
    policy(&server).await;
    let org = server.org();
    let copy = "/v2/projects/default/envs/dev/copy";
    org.post(
        copy,
        json!({"target_env": {"existing": "production"}, "scope": {
            "roles": {"exclude": ["test*"]}, "user_sets": {"include": ["people"]}, "custom_policies": {}}}),
    )
    .await;
    let there = shown(&org, "default/production").await;
    assert_eq!(names(&there["roles"], "key"), ["reader"]);
    assert_eq!(names(&there["sets"], "key"), ["low", "people"]);
    assert_eq!(there["rules"], json!([]), "a rule needs both its sides");

    let part = json!({"target_env": {"new": {"key": "part", "name": "Part"}},
        "scope": {"resources": {"include": ["folder"]}}});
    let told = org.refused(400, "MISSING_PERMISSIONS", "POST", copy, part).await;
    assert!(told.contains("doc"), "{told}");
    org.refused(404, "NOT_FOUND", "GET", "/v2/projects/default/envs/part", Value::Null).await;

    for (target, status, code) in [
        (json!({}), 400, "INVALID_INPUT"),
        (json!({"existing": "production", "new": {"key": "x", "name": "X"}}), 400, "INVALID_INPUT"),
        (json!({"existing": "dev"}), 400, "INVALID_INPUT"),
        (json!({"existing": "nowhere"}), 404, "NOT_FOUND"),
        (json!({"new": {"key": "production", "name": "X"}}), 409, "DUPLICATE_ENTITY"),
    ] {
        org.refused(status, code, "POST", copy, json!({"target_env": target})).await;
    }
    let narrow = json!({"target_env": {"existing": "production"}, "conflict_strategy": "overwrite"});
    server.dev().refused(403, "FORBIDDEN_ACCESS", "POST", copy, narrow.clone()).await;
    let new = json!({"target_env": {"new": {"key": "mine", "name": "Mine"}}});
    server.dev().refused(403, "FORBIDDEN_ACCESS", "POST", copy, new).await;
    server.client(None).refused(401, "UNAUTHORIZED", "POST", copy, narrow).await;
}

#[tokio::test]
async fn statistics_count_what_is_there() {
    let server = Server::start().await;
    policy(&server).await;
    server.dev().put("/facts/users/joe", json!({})).await;
    let found = server.dev().get("/v2/projects/default/envs/dev/stats").await;
    assert_eq!((&found["key"], &found["pdp_configs"]), (&json!("dev"), &json!([])));
    let stats = &found["stats"];
    for (name, count) in [("roles", 4), ("users", 1), ("policies", 1), ("resources", 2), ("tenants", 1)] {
        assert_eq!(stats[name], count, "{name}");
    }
    server
        .dev()
        .refused(404, "NOT_FOUND", "GET", "/v2/projects/default/envs/production/stats", Value::Null)
        .await;
}

#[tokio::test]
async fn a_key_gets_another_secret() {
    let server = Server::start().await;
    let org = server.org();
    let made = org.post("/api/v1/keys", json!({"project": "default", "env": "dev"})).await;
    let old = server.client(made["secret"].as_str());
    old.get("/facts/users").await;
    let path = format!("/v2/api-key/{}/rotate-secret", made["id"].as_str().unwrap());
    let rotated = org.post(&path, Value::Null).await;
    assert_eq!(rotated["id"], made["id"]);
    old.refused(401, "UNAUTHORIZED", "GET", "/facts/users", Value::Null).await;
    server.client(rotated["secret"].as_str()).get("/facts/users").await;
    assert_eq!(
        org.get(&format!("/v2/api-key/{}", made["id"].as_str().unwrap())).await["secret"],
        Value::Null
    );
    server
        .dev()
        .refused(
            404,
            "NOT_FOUND",
            "POST",
            &format!("/v2/api-key/{}/rotate-secret", uuid_of_org_key(&org).await),
            Value::Null,
        )
        .await;
}

/// A key that an environment's key may not see.
async fn uuid_of_org_key(org: &crate::support::Client<'_>) -> String {
    let keys = org.get("/v2/api-key").await;
    let wide =
        keys["data"].as_array().unwrap().iter().find(|key| key["object_type"] == "org").unwrap().clone();
    wide["id"].as_str().unwrap().to_owned()
}
