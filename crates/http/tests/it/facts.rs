//! Users, tenants and instances.

use crate::support::{FACTS, SCHEMA, Server, names};
use serde_json::{Value, json};

fn path(rest: &str) -> String {
    format!("{FACTS}/{rest}")
}

async fn rooms(server: &Server) {
    let dev = server.dev();
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({
            "key": "room", "name": "Room", "actions": {"enter": {}},
            "roles": {"guest": {"name": "Guest", "permissions": ["enter"]}},
        }),
    )
    .await;
    dev.post(&format!("{SCHEMA}/roles"), json!({"key": "cleaner", "name": "Cleaner"})).await;
    dev.post(&path("tenants"), json!({"key": "blue", "name": "Blue"})).await;
}

#[tokio::test]
async fn a_user_by_key_and_id_changed_and_deleted() {
    let server = Server::start().await;
    let dev = server.dev();
    let made = dev.post(&path("users"), json!({"key": "auth0|elon+1@x.io", "email": "e@x.io", "first_name": "E", "attributes": {"age": 9}})).await;
    let id = made["id"].as_str().unwrap();
    for ident in ["auth0%7Celon+1@x.io", id, &id.replace('-', "")] {
        assert_eq!(dev.get(&path(&format!("users/{ident}"))).await, made);
    }
    dev.refused(409, "DUPLICATE_ENTITY", "POST", &path("users"), json!({"key": "auth0|elon+1@x.io"})).await;
    let changed = dev.patch(&path(&format!("users/{id}")), json!({"last_name": "M", "email": null})).await;
    assert_eq!(
        (&changed["first_name"], &changed["last_name"], &changed["email"]),
        (&json!("E"), &json!("M"), &Value::Null)
    );
    assert_eq!(changed["attributes"], json!({"age": 9}));
    dev.refused(400, "INVALID_INPUT", "PATCH", &path(&format!("users/{id}")), json!({"email": "nowhere"}))
        .await;
    dev.refused(400, "INVALID_INPUT", "POST", &path("users"), json!({"key": "a/b"})).await;
    dev.delete(&path(&format!("users/{id}")), Value::Null).await;
    dev.refused(404, "NOT_FOUND", "GET", &path(&format!("users/{id}")), Value::Null).await;
    dev.refused(404, "NOT_FOUND", "DELETE", &path(&format!("users/{id}")), Value::Null).await;
}

#[tokio::test]
async fn sync_creates_then_changes_with_or_without_the_key() {
    let server = Server::start().await;
    rooms(&server).await;
    let dev = server.dev();
    let made = dev.put(&path("users/1"), json!({"key": 1, "first_name": "joe", "role_assignments": [
        {"role": "cleaner", "tenant": "blue"}, {"role": "guest", "tenant": "default", "resource_instance": "room:red"},
    ]}))
    .await;
    assert_eq!(
        (&made["key"], &made["roles"]),
        (&json!("1"), &json!([{"role": "cleaner", "tenant": "blue"}]))
    );
    assert_eq!(
        made["associated_tenants"],
        json!([
            {"tenant": "default", "roles": [], "status": "active",
             "resource_instance_roles": [{"resource_instance": "red", "resource": "room", "role": "guest"}]},
            {"tenant": "blue", "roles": ["cleaner"], "status": "active", "resource_instance_roles": []},
        ])
    );
    let again = dev
        .put(
            &path("users/1"),
            json!({"last_name": "doe", "role_assignments": [{"role": "cleaner", "tenant": "blue"}]}),
        )
        .await;
    assert_eq!(
        (&again["id"], &again["first_name"], &again["last_name"]),
        (&made["id"], &json!("joe"), &json!("doe"))
    );
    assert_eq!(again["roles"], made["roles"], "a role that is there is no obstacle");
    let id = made["id"].as_str().unwrap();
    dev.put(&path(&format!("users/{id}")), json!({"key": "1"})).await;
    let message = dev.refused(400, "INVALID_INPUT", "PUT", &path("users/2"), json!({"key": "3"})).await;
    assert!(message.contains("`2`") && message.contains("`3`"), "{message}");
    dev.refused(
        404,
        "NOT_FOUND",
        "PUT",
        &path("users/2"),
        json!({"role_assignments": [{"role": "emperor", "tenant": "blue"}]}),
    )
    .await;
    dev.refused(404, "NOT_FOUND", "GET", &path("users/2"), Value::Null).await;
}

#[tokio::test]
async fn syncs_at_once_make_one_user() {
    let server = Server::start().await;
    let dev = server.dev();
    let calls = (0..20).map(|n| dev.put("/facts/users/joe", json!({"attributes": {"n": n}})));
    let answers = futures::future::join_all(calls).await;
    let id = &answers[0]["id"];
    assert!(answers.iter().all(|answer| answer["id"] == *id));
    assert_eq!(dev.get(&path("users")).await["total_count"], 1);
}

#[tokio::test]
async fn lists_of_users_are_envelopes() {
    let server = Server::start().await;
    rooms(&server).await;
    let dev = server.dev();
    for key in ["ann", "ben", "cat"] {
        dev.put(&path(&format!("users/{key}")), json!({})).await;
    }
    dev.post(&path("users/ben/roles"), json!({"role": "cleaner", "tenant": "blue"})).await;
    let page = dev.get(&path("users?page=2&per_page=2")).await;
    assert_eq!(
        (&page["total_count"], &page["page_count"], names(&page["data"], "key")),
        (&json!(3), &json!(2), vec!["cat".to_owned()])
    );
    assert_eq!(names(&dev.get(&path("users?search=BE")).await["data"], "key"), ["ben"]);
    assert_eq!(names(&dev.get(&path("tenants/blue/users")).await["data"], "key"), ["ben"]);
    assert_eq!(
        dev.get(&path("tenants/default/users")).await["total_count"],
        3,
        "everybody belongs to default"
    );
    dev.refused(404, "NOT_FOUND", "GET", &path("tenants/mars/users"), Value::Null).await;

    dev.refused(404, "NOT_FOUND", "DELETE", &path("tenants/blue/users/ann"), Value::Null).await;
    dev.delete(&path("tenants/blue/users/ben"), Value::Null).await;
    assert_eq!(dev.get(&path("tenants/blue/users")).await["total_count"], 0);
    dev.delete(&path("tenants/default/users/ann"), Value::Null).await;
}

#[tokio::test]
async fn users_in_bulk() {
    let server = Server::start().await;
    rooms(&server).await;
    let dev = server.dev();
    let bulk = path("bulk/users");
    let on_red = json!([{"role": "guest", "tenant": "default", "resource_instance": "room:red"}]);
    dev.post(
        &bulk,
        json!({"operations": [
            {"key": "a", "first_name": "A", "attributes": {"x": 1}, "role_assignments": on_red},
            {"key": "b", "role_assignments": on_red},
        ]}),
    )
    .await;
    assert_eq!(
        dev.get(&path("role_assignments?resource_instance=room:red")).await.as_array().unwrap().len(),
        2
    );
    let message = dev
        .refused(409, "DUPLICATE_ENTITY", "POST", &bulk, json!({"operations": [{"key": "c"}, {"key": "a"}]}))
        .await;
    assert!(message.contains("`a`"), "{message}");
    dev.refused(404, "NOT_FOUND", "GET", &path("users/c"), Value::Null).await;
    dev.refused(400, "INVALID_INPUT", "PUT", &bulk, json!({"operations": [{"key": "c"}, {"key": "c"}]}))
        .await;

    let before = dev.get(&path("users/a")).await;
    dev.put(&bulk, json!({"operations": [{"key": "a", "last_name": "Z"}, {"key": "c"}]})).await;
    let after = dev.get(&path("users/a")).await;
    assert_eq!(
        (&after["id"], &after["first_name"], &after["last_name"], &after["attributes"]),
        (&before["id"], &Value::Null, &json!("Z"), &json!({}))
    );
    assert_eq!(after["associated_tenants"], before["associated_tenants"], "roles stay");
    dev.delete(&bulk, json!({"idents": ["a", dev.get(&path("users/b")).await["id"], "nobody", "a"]})).await;
    assert_eq!(names(&dev.get(&path("users")).await["data"], "key"), ["c"]);

    let many: Vec<_> = (0..3001).map(|n| json!({"key": format!("u{n}")})).collect();
    dev.refused(400, "PAGINATION_SIZE_OVERREACHED", "POST", &bulk, json!({"operations": many})).await;
    dev.post(&bulk, json!({"operations": many[..3000]})).await;
    assert_eq!(dev.get(&path("users?per_page=1")).await["total_count"], 3001);
    let idents: Vec<_> = (0..3000).map(|n| format!("u{n}")).collect();
    dev.delete(&bulk, json!({"idents": idents})).await;
    assert_eq!(dev.get(&path("users")).await["total_count"], 1);
}

#[tokio::test]
async fn tenants() {
    let server = Server::start().await;
    let dev = server.dev();
    let made = dev
        .post(
            &path("tenants"),
            json!({"key": "blue", "name": "Blue", "description": "d", "attributes": {"floor": 3}}),
        )
        .await;
    assert_eq!(
        dev.get(&path(&format!("tenants/{}", made["id"].as_str().unwrap().replace('-', "")))).await,
        made
    );
    dev.refused(409, "DUPLICATE_ENTITY", "POST", &path("tenants"), json!({"key": "blue", "name": "B"})).await;
    let changed = dev.patch(&path("tenants/blue"), json!({"name": "Navy", "description": null})).await;
    assert_eq!(
        (&changed["name"], &changed["description"], &changed["attributes"]),
        (&json!("Navy"), &Value::Null, &json!({"floor": 3}))
    );
    assert_eq!(names(&dev.get(&path("tenants?search=nav")).await, "key"), ["blue"]);
    dev.refused(403, "FORBIDDEN_ACCESS", "DELETE", &path("tenants/default"), Value::Null).await;

    dev.post(
        &path("bulk/tenants"),
        json!({"operations": [{"key": "t1", "name": "1"}, {"key": "t2", "name": "2"}]}),
    )
    .await;
    dev.refused(
        409,
        "DUPLICATE_ENTITY",
        "POST",
        &path("bulk/tenants"),
        json!({"operations": [{"key": "t3", "name": "3"}, {"key": "t2", "name": "2"}]}),
    )
    .await;
    dev.refused(
        403,
        "FORBIDDEN_ACCESS",
        "DELETE",
        &path("bulk/tenants"),
        json!({"idents": ["t1", "default"]}),
    )
    .await;
    assert_eq!(names(&dev.get(&path("tenants")).await, "key"), ["default", "blue", "t1", "t2"]);
    dev.delete(&path("bulk/tenants"), json!({"idents": ["t1", "t2", "t9"]})).await;
    dev.delete(&path("tenants/blue"), Value::Null).await;
    assert_eq!(names(&dev.get(&path("tenants")).await, "key"), ["default"]);
    let many: Vec<_> = (0..2001).map(|n| json!({"key": format!("t{n}"), "name": "T"})).collect();
    dev.refused(
        400,
        "PAGINATION_SIZE_OVERREACHED",
        "POST",
        &path("bulk/tenants"),
        json!({"operations": many}),
    )
    .await;
}

#[tokio::test]
async fn instances() {
    let server = Server::start().await;
    rooms(&server).await;
    let dev = server.dev();
    let all = path("resource_instances");
    let one = dev
        .post(&all, json!({"resource": "room", "key": 1, "tenant": "default", "attributes": {"beds": 2}}))
        .await;
    assert_eq!(
        (&one["key"], &one["tenant"], &one["resource"]),
        (&json!("1"), &json!("default"), &json!("room"))
    );
    let id = one["id"].as_str().unwrap();
    for ident in ["room:1", id, &id.replace('-', "")] {
        assert_eq!(dev.get(&format!("{all}/{ident}")).await, one);
    }
    dev.refused(400, "INVALID_INPUT", "GET", &format!("{all}/1"), Value::Null).await;
    let message = dev
        .refused(
            409,
            "DUPLICATE_ENTITY",
            "POST",
            &all,
            json!({"resource": "room", "key": "1", "tenant": "default"}),
        )
        .await;
    assert!(message.contains("room") && message.contains("`1`"), "{message}");
    dev.refused(
        404,
        "NOT_FOUND",
        "POST",
        &all,
        json!({"resource": "castle", "key": "1", "tenant": "default"}),
    )
    .await;
    dev.refused(404, "NOT_FOUND", "POST", &all, json!({"resource": "room", "key": "2", "tenant": "mars"}))
        .await;
    let by_ids = json!({"resource": one["resource_id"], "key": "2", "tenant": one["tenant_id"]});
    assert_eq!(dev.post(&all, by_ids).await["resource"], "room");

    let changed = dev.patch(&format!("{all}/room:1"), json!({})).await;
    assert_eq!(changed["attributes"], json!({"beds": 2}));
    assert_eq!(
        dev.patch(&format!("{all}/room:1"), json!({"attributes": null})).await["attributes"],
        json!({})
    );

    dev.post(&all, json!({"resource": "room", "key": "10", "tenant": "blue"})).await;
    assert_eq!(names(&dev.get(&format!("{all}?tenant=default&resource=room")).await, "key"), ["1", "2"]);
    assert_eq!(names(&dev.get(&format!("{all}?search=1")).await, "key"), ["1", "10"]);
    assert_eq!(names(&dev.get(&format!("{all}?page=2&per_page=2")).await, "key"), ["10"]);
    dev.refused(404, "NOT_FOUND", "GET", &format!("{all}?tenant=mars"), Value::Null).await;
    dev.refused(404, "NOT_FOUND", "GET", &format!("{all}?resource=castle"), Value::Null).await;
    dev.delete(&format!("{all}/{id}"), Value::Null).await;
    dev.refused(404, "NOT_FOUND", "GET", &format!("{all}/room:1"), Value::Null).await;
}

#[tokio::test]
async fn instances_in_bulk() {
    let server = Server::start().await;
    rooms(&server).await;
    let dev = server.dev();
    let bulk = path("bulk/resource_instances");
    let room = |key: &str, tenant: &str, beds: u8| json!({"resource": "room", "key": key, "tenant": tenant, "attributes": {"beds": beds}});
    dev.put(&bulk, json!({"operations": [room("a", "default", 1), room("b", "default", 1)]})).await;
    let before = dev.get(&path("resource_instances/room:a")).await;
    dev.put(&bulk, json!({"operations": [room("a", "default", 2), room("c", "blue", 1)]})).await;
    let after = dev.get(&path("resource_instances/room:a")).await;
    assert_eq!((&after["id"], &after["attributes"]), (&before["id"], &json!({"beds": 2})));
    dev.refused(
        400,
        "MISMATCH_RESOURCE_INSTANCES_TENANTS",
        "PUT",
        &bulk,
        json!({"operations": [room("d", "blue", 1), room("a", "blue", 9)]}),
    )
    .await;
    assert_eq!(names(&dev.get(&path("resource_instances")).await, "key"), ["a", "b", "c"]);
    dev.delete(&bulk, json!({"idents": ["room:a", before["id"], "room:zzz", "room:b"]})).await;
    assert_eq!(names(&dev.get(&path("resource_instances")).await, "key"), ["c"]);
    let many: Vec<_> = (0..3001).map(|n| room(&n.to_string(), "default", 1)).collect();
    dev.refused(400, "PAGINATION_SIZE_OVERREACHED", "PUT", &bulk, json!({"operations": many})).await;
}
