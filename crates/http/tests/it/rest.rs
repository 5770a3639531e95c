//! Lists with details in envelopes, many roles at once, attributes of users and tenants, what a decision point's client
//! sends besides.

use crate::support::{FACTS, SCHEMA, Server, names};
use serde_json::{Value, json};

#[tokio::test]
async fn detailed_lists_come_in_envelopes() {
    let server = Server::start().await;
    let dev = server.dev();
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({"key": "folder", "name": "Folder", "actions": {}, "roles": {"owner": {"name": "Owner"}}}),
    )
    .await;
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({"key": "doc", "name": "Doc", "actions": {}, "relations": {"inside": "folder"}}),
    )
    .await;
    dev.put(&format!("{FACTS}/users/ann"), json!({})).await;
    for key in ["a", "b", "c"] {
        let object = format!("doc:{key}");
        dev.post(
            &format!("{FACTS}/relationship_tuples"),
            json!({"subject": "folder:top", "relation": "inside", "object": object, "tenant": "default"}),
        )
        .await;
        dev.post(
            &format!("{FACTS}/role_assignments"),
            json!({"user": "ann", "role": "owner", "tenant": "default", "resource_instance": format!("folder:{key}")}),
        )
        .await;
    }
    let tuples = dev.get(&format!("{FACTS}/relationship_tuples/detailed?page=2&per_page=2")).await;
    assert_eq!((&tuples["total_count"], &tuples["page_count"]), (&json!(3), &json!(2)));
    assert_eq!(tuples["data"][0]["object_details"]["key"], "c");
    let roles = dev.get(&format!("{FACTS}/role_assignments/detailed?user=ann&per_page=2")).await;
    assert_eq!((&roles["total_count"], roles["data"].as_array().unwrap().len()), (&json!(3), 2));
    assert_eq!(roles["data"][0]["role"]["key"], "owner");
    let instances = dev.get(&format!("{FACTS}/resource_instances/detailed?resource=doc")).await;
    assert_eq!(instances["total_count"], 3);
    assert_eq!(instances["data"][0]["relationships"][0]["subject"], "folder:top");
    let told = dev
        .refused(
            400,
            "PAGINATION_SIZE_OVERREACHED",
            "GET",
            &format!("{FACTS}/role_assignments/detailed?per_page=101"),
            Value::Null,
        )
        .await;
    assert!(told.contains("100"), "{told}");
}

#[tokio::test]
async fn many_roles_are_made_and_made_over_in_one_write() {
    let server = Server::start().await;
    let dev = server.dev();
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({"key": "doc", "name": "Doc", "actions": {"read": {}, "write": {}}}),
    )
    .await;
    let old = dev
        .post(
            &format!("{SCHEMA}/roles"),
            json!({"key": "reader", "name": "Old", "description": "d", "permissions": ["doc:read"]}),
        )
        .await;
    let bulk = format!("{SCHEMA}/bulk/roles");
    let written = dev
        .put(
            &bulk,
            json!({"operations": [
                {"key": "editor", "name": "Editor", "extends": ["reader"], "permissions": ["doc:write"]},
                {"key": "reader", "name": "Reader"},
                {"key": "owner", "name": "Owner", "resource": "doc", "permissions": ["write"]},
            ]}),
        )
        .await;
    assert_eq!(written, json!({"created": ["editor", "doc#owner"], "updated": ["reader"]}));
    let reader = dev.get(&format!("{SCHEMA}/roles/reader")).await;
    assert_eq!((&reader["id"], &reader["name"]), (&old["id"], &json!("Reader")));
    assert_eq!((&reader["description"], &reader["permissions"]), (&Value::Null, &json!([])));
    assert_eq!(dev.get(&format!("{SCHEMA}/roles/editor")).await["extends"], json!(["reader"]));

    let wrong = json!({"operations": [{"key": "new", "name": "New"}, {"key": "bad", "name": "Bad", "permissions": ["doc:fly"]}]});
    dev.refused(400, "MISSING_PERMISSIONS", "PUT", &bulk, wrong).await;
    dev.refused(404, "NOT_FOUND", "GET", &format!("{SCHEMA}/roles/new"), Value::Null).await;
    let twice = json!({"operations": [{"key": "x", "name": "X"}, {"key": "x", "name": "X"}]});
    dev.refused(400, "INVALID_INPUT", "PUT", &bulk, twice).await;
    let many: Vec<_> = (0..2001).map(|n| json!({"key": format!("r{n}"), "name": "R"})).collect();
    dev.refused(400, "PAGINATION_SIZE_OVERREACHED", "PUT", &bulk, json!({"operations": many})).await;
}

#[tokio::test]
async fn users_and_tenants_have_declared_attributes() {
    let server = Server::start().await;
    let dev = server.dev();
    let attributes = format!("{SCHEMA}/users/attributes");
    assert_eq!(dev.get(&attributes).await, json!([]));
    let made = dev.post(&attributes, json!({"key": "age", "type": "number"})).await;
    assert_eq!((&made["resource_key"], &made["key"]), (&json!("__user"), &json!("age")));
    dev.refused(409, "DUPLICATE_ENTITY", "POST", &attributes, json!({"key": "age", "type": "number"})).await;
    let other = format!("{SCHEMA}/resources/__user/attributes");
    assert_eq!(dev.get(&other).await, json!([made]));
    dev.patch(&format!("{attributes}/age"), json!({"description": "years"})).await;
    assert_eq!(dev.get(&format!("{other}/age")).await["description"], "years");
    dev.post(&format!("{SCHEMA}/resources/__tenant/attributes"), json!({"key": "plan", "type": "string"}))
        .await;

    assert_eq!(dev.get(&format!("{SCHEMA}/resources")).await, json!([]), "they are in no list");
    for (method, path, body) in [
        ("GET", "resources/__user", Value::Null),
        ("DELETE", "resources/__user", Value::Null),
        ("POST", "resources/__user/actions", json!({"key": "read", "name": "Read"})),
        ("POST", "resources/__user/roles", json!({"key": "owner", "name": "Owner"})),
    ] {
        let told = dev.refused(404, "NOT_FOUND", method, &format!("{SCHEMA}/{path}"), body).await;
        assert!(told.contains("none yet"), "{told}");
    }
    let key = json!({"key": "__user", "name": "User", "actions": {}});
    dev.refused(400, "INVALID_INPUT", "POST", &format!("{SCHEMA}/resources"), key).await;
    dev.delete(&format!("{attributes}/age"), Value::Null).await;
    assert_eq!(names(&dev.get(&attributes).await, "key"), Vec::<String>::new());
    let stats = dev.get("/v2/projects/default/envs/dev/stats").await;
    assert_eq!(stats["stats"]["resources"], 0);
}

#[tokio::test]
async fn facts_of_a_decision_point_take_what_its_clients_send() {
    let server = Server::start().await;
    let dev = server.dev();
    dev.post(&format!("{SCHEMA}/roles"), json!({"key": "clerk", "name": "Clerk"})).await;
    let waiting = [("X-Wait-Timeout", "5"), ("X-Timeout-Policy", "fail")];
    let made = dev.send_with("PUT", "/facts/users/ann", Some(&json!({"first_name": "Ann"})), &waiting).await;
    assert_eq!((made.status, &made.body["key"]), (200, &json!("ann")), "there is nothing to wait for");
    let role = json!({"role": "clerk", "tenant": "default"});
    dev.post("/facts/users/ann/roles", role.clone()).await;
    let gone = dev.delete("/facts/users/ann/roles?return_deleted=true", role.clone()).await;
    assert_eq!((&gone["user"], &gone["role"]), (&json!("ann"), &json!("clerk")));
    dev.post("/facts/users/ann/roles", role.clone()).await;
    assert_eq!(dev.send("DELETE", "/facts/users/ann/roles", Some(&role)).await.status, 204);
}
