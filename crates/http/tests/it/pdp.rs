//! The decision point's lists, as Permit's SDKs read them.

use crate::support::{Client, FACTS, SCHEMA, Server, names};
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt as _;

/// Folders hold documents; who edits a folder edits what is in it. Ann edits a folder, Ben reads one document, Cleo reads
/// every document of the tenant `blue`, Dan is nobody.
pub(crate) async fn drive(server: &Server) {
    let dev = server.dev();
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({
            "key": "folder", "name": "Folder", "actions": {"read": {}},
            "roles": {"editor": {"name": "Editor", "permissions": ["read"]}},
        }),
    )
    .await;
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({
            "key": "document", "name": "Document", "actions": {"read": {}, "write": {}},
            "relations": {"parent": "folder"},
            "roles": {
                "reader": {"name": "Reader", "permissions": ["read"]},
                "editor": {"name": "Editor", "permissions": ["read", "write"], "granted_to": {"users_with_role": [
                    {"role": "editor", "on_resource": "folder", "linked_by_relation": "parent"},
                ]}},
            },
        }),
    )
    .await;
    let auditor = json!({"key": "auditor", "name": "Auditor", "permissions": ["document:read"]});
    dev.post(&format!("{SCHEMA}/roles"), auditor).await;
    let blue = json!({"key": "blue", "name": "Blue", "attributes": {"plan": "pro"}});
    dev.post(&format!("{FACTS}/tenants"), blue).await;
    for user in ["ann", "ben", "cleo", "dan"] {
        dev.put(&format!("{FACTS}/users/{user}"), json!({})).await;
    }
    for (resource, key, tenant) in [
        ("folder", "plans", "default"),
        ("document", "budget", "default"),
        ("document", "diary", "default"),
        ("document", "one", "blue"),
        ("document", "two", "blue"),
        ("document", "three", "blue"),
    ] {
        let body = json!({"resource": resource, "key": key, "tenant": tenant, "attributes": {"name": key}});
        dev.post(&format!("{FACTS}/resource_instances"), body).await;
    }
    let tuple = json!({"subject": "folder:plans", "relation": "parent", "object": "document:budget"});
    dev.post(&format!("{FACTS}/relationship_tuples"), tuple).await;
    dev.post(
        &format!("{FACTS}/role_assignments/bulk"),
        json!([
            {"user": "ann", "role": "editor", "resource_instance": "folder:plans"},
            {"user": "ben", "role": "reader", "resource_instance": "document:diary"},
            {"user": "cleo", "role": "auditor", "tenant": "blue"},
        ]),
    )
    .await;
}

async fn authorized(dev: &Client<'_>, action: &str, resource: Value) -> Value {
    dev.post("/authorized_users", json!({"action": action, "resource": resource, "context": {}})).await
}

#[tokio::test]
async fn authorized_users_are_told_with_the_role_that_was_given_to_them() {
    let server = Server::start().await;
    drive(&server).await;
    let dev = server.dev();
    let budget = json!({"type": "document", "key": "budget", "tenant": "default"});
    assert_eq!(
        authorized(&dev, "write", budget).await,
        json!({"resource": "document:budget", "tenant": "default", "users": {
            "ann": [{"user": "ann", "tenant": "default", "resource": "folder:plans", "role": "folder#editor"}],
        }})
    );
    // The tenant of an instance is its own, also when it is not named.
    assert_eq!(
        authorized(&dev, "read", json!({"type": "document", "key": "one"})).await,
        json!({"resource": "document:one", "tenant": "blue", "users": {
            "cleo": [{"user": "cleo", "tenant": "blue", "resource": "__tenant:blue", "role": "auditor"}],
        }})
    );
    let everything =
        authorized(&dev, "read", json!({"type": "document", "context": {"tenant": "blue"}})).await;
    assert_eq!((&everything["resource"], &everything["tenant"]), (&json!("document:*"), &json!("blue")));
    assert_eq!(everything["users"]["cleo"][0]["role"], "auditor");

    for (action, resource, tenant) in [
        ("fly", json!({"type": "document", "key": "budget"}), "default"),
        ("read", json!({"type": "castle", "key": "budget"}), "default"),
        ("read", json!({"type": "document", "key": "budget", "tenant": "blue"}), "blue"),
        ("read", json!({"type": "document", "tenant": "mars"}), "mars"),
    ] {
        let nobody = authorized(&dev, action, resource.clone()).await;
        assert_eq!((&nobody["users"], &nobody["tenant"]), (&json!({}), &json!(tenant)), "{resource}");
    }
}

#[tokio::test]
async fn permissions_stand_with_the_place_where_the_role_is_effective() {
    let server = Server::start().await;
    drive(&server).await;
    let dev = server.dev();
    let default = json!({"key": "default", "attributes": {}});
    assert_eq!(
        dev.post("/user-permissions", json!({"user": {"key": "ann"}})).await,
        json!({
            "document:budget": {
                "tenant": default, "resource": {"type": "document", "key": "budget", "attributes": {"name": "budget"}},
                "permissions": ["document:read", "document:write"], "roles": ["editor"],
            },
            "folder:plans": {
                "tenant": default, "resource": {"type": "folder", "key": "plans", "attributes": {"name": "plans"}},
                "permissions": ["folder:read"], "roles": ["editor"],
            },
        })
    );
    let cleo = json!({"__tenant:blue": {
        "tenant": {"key": "blue", "attributes": {"plan": "pro"}},
        "permissions": ["document:read"], "roles": ["auditor"],
    }});
    assert_eq!(dev.post("/user-permissions", json!({"user": {"key": "cleo"}})).await, cleo);
    for nobody in ["dan", "nobody"] {
        assert_eq!(dev.post("/user-permissions", json!({"user": {"key": nobody}})).await, json!({}));
    }
}

#[tokio::test]
async fn permissions_are_narrowed_and_cut_into_pages() {
    let server = Server::start().await;
    drive(&server).await;
    let dev = server.dev();
    let roles = json!({"user": "ann", "role": "auditor", "tenant": "blue"});
    dev.post(&format!("{FACTS}/role_assignments"), roles).await;
    let keys = |path: &str, filter: Value| {
        let (dev, path) = (&dev, path.to_owned());
        let mut body =
            json!({"user": {"key": "ann"}, "tenants": null, "resources": null, "resource_types": null});
        body.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        async move {
            let found = dev.post(&path, body).await;
            found.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        }
    };
    let all = ["__tenant:blue", "document:budget", "folder:plans"];
    assert_eq!(keys("/user-permissions", json!({})).await, all);
    assert_eq!(keys("/user-permissions", json!({"tenants": ["blue"]})).await, all[..1]);
    assert_eq!(keys("/user-permissions", json!({"tenants": ["default", "mars"]})).await, all[1..]);
    assert_eq!(keys("/user-permissions", json!({"resource_types": ["document"]})).await, all[1..2]);
    assert_eq!(
        keys("/user-permissions", json!({"resource_types": ["__tenant", "folder"]})).await,
        [all[0], all[2]]
    );
    assert_eq!(keys("/user-permissions", json!({"resources": ["folder:plans", "folder:x"]})).await, all[2..]);
    assert!(keys("/user-permissions", json!({"resources": []})).await.is_empty());
    assert_eq!(keys("/user-permissions?page=1&per_page=2", json!({})).await, all[..2]);
    assert_eq!(keys("/user-permissions?page=2&per_page=2", json!({})).await, all[2..]);
    assert_eq!(keys("/user-permissions?per_page=500", json!({})).await, all);
    dev.refused(400, "INVALID_INPUT", "POST", "/user-permissions?page=0", json!({"user": {"key": "ann"}}))
        .await;
}

#[tokio::test]
async fn a_role_that_has_ended_is_in_no_list() {
    let server = Server::start().await;
    drive(&server).await;
    let dev = server.dev();
    // The test's clock starts at 2026-09-21T14:13:20Z.
    let brief =
        json!({"user": "dan", "role": "auditor", "tenant": "blue", "expires_at": "2026-09-21T15:13:20Z"});
    dev.post(&format!("{FACTS}/role_assignments"), brief).await;
    let local = "/local/role_assignments?tenant=blue";
    assert_eq!(names(&dev.get(local).await, "user"), ["cleo", "dan"]);
    assert_eq!(
        names(&dev.post("/user-tenants", json!({"user": {"key": "dan"}})).await, "key"),
        ["default", "blue"]
    );
    server.clock.advance(Duration::from_hours(2));
    assert_eq!(names(&dev.get(local).await, "user"), ["cleo"]);
    assert_eq!(dev.post("/user-permissions", json!({"user": {"key": "dan"}})).await, json!({}));
    assert_eq!(names(&dev.post("/user-tenants", json!({"user": {"key": "dan"}})).await, "key"), ["default"]);
    let users =
        authorized(&dev, "read", json!({"type": "document", "tenant": "blue"})).await["users"].clone();
    assert_eq!(users.as_object().unwrap().keys().collect::<Vec<_>>(), ["cleo"]);
}

#[tokio::test]
async fn tenants_of_a_user_and_tenants_where_something_is_allowed() {
    let server = Server::start().await;
    drive(&server).await;
    let dev = server.dev();
    let blue = json!({"key": "blue", "attributes": {"plan": "pro"}});
    assert_eq!(
        dev.post("/user-tenants", json!({"user": {"key": "cleo"}, "context": {}})).await,
        json!([{"key": "default", "attributes": {}}, blue])
    );
    assert_eq!(dev.post("/user-tenants", json!({"user": {"key": "nobody"}})).await, json!([]));

    let ask = |user: &str, resource: Value| {
        let (dev, user) = (&dev, user.to_owned());
        async move {
            let body = json!({"user": {"key": user}, "action": "read", "resource": resource});
            dev.post("/allowed/all-tenants", body).await["allowed_tenants"].clone()
        }
    };
    assert_eq!(
        ask("cleo", json!({"type": "document"})).await,
        json!([{"allow": true, "result": true, "tenant": blue}])
    );
    // The tenant of the question says nothing; that of the instance does.
    let asked = json!({"type": "document", "key": "one", "tenant": "default"});
    assert_eq!(ask("cleo", asked).await[0]["tenant"]["key"], "blue");
    assert_eq!(ask("cleo", json!({"type": "document", "key": "diary"})).await, json!([]));
    assert_eq!(ask("ben", json!({"type": "document", "key": "diary"})).await[0]["tenant"]["key"], "default");
    for (user, kind) in [("ben", "document"), ("nobody", "document"), ("cleo", "castle")] {
        assert_eq!(ask(user, json!({"type": kind})).await, json!([]), "{user} {kind}");
    }
}

#[tokio::test]
async fn local_role_assignments_are_narrowed_and_paged() {
    let server = Server::start().await;
    drive(&server).await;
    let dev = server.dev();
    let local = |query: &str| {
        let (dev, path) = (&dev, format!("/local/role_assignments?{query}"));
        async move { dev.get(&path).await }
    };
    assert_eq!(
        local("").await,
        json!([
            {"user": "ann", "role": "editor", "tenant": "default", "resource_instance": "folder:plans"},
            {"user": "ben", "role": "reader", "tenant": "default", "resource_instance": "document:diary"},
            {"user": "cleo", "role": "auditor", "tenant": "blue"},
        ])
    );
    for (query, users) in [
        ("user=ben", vec!["ben"]),
        ("role=editor", vec!["ann"]),
        ("tenant=default", vec!["ann", "ben"]),
        ("resource=document", vec!["ben"]),
        ("resource_instance=folder:plans", vec!["ann"]),
        ("resource=folder&resource_instance=plans", vec!["ann"]),
        ("page=2&per_page=2", vec!["cleo"]),
        ("page=3&per_page=2", vec![]),
        ("user=nobody", vec![]),
        ("resource_instance=folder:nowhere", vec![]),
    ] {
        assert_eq!(names(&local(query).await, "user"), users, "{query}");
    }
    dev.refused(400, "INVALID_INPUT", "GET", "/local/role_assignments?resource_instance=plans", Value::Null)
        .await;
    let path = "/local/role_assignments?per_page=101";
    dev.refused(400, "PAGINATION_SIZE_OVERREACHED", "GET", path, Value::Null).await;
}

#[tokio::test]
async fn nginx_asks_with_headers() {
    let server = Server::start().await;
    drive(&server).await;
    let ask = |headers: &[(&'static str, &'static str)]| {
        let mut request = Request::post("/nginx_allowed").header("authorization", "Bearer key-of-dev");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = server.router.clone().oneshot(request.body(Body::empty()).unwrap());
        async move {
            let answer = answer.await.unwrap();
            let status = answer.status().as_u16();
            let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            (status, serde_json::from_slice::<Value>(&bytes).unwrap())
        }
    };
    let question =
        [("permit-user-key", "cleo"), ("permit-action", "read"), ("permit-resource-type", "document")];
    let [user, action, kind] = question;
    let (status, allowed) = ask(&[user, action, kind, ("permit-tenant-id", "blue")]).await;
    assert_eq!((status, allowed), (200, json!({"allow": true, "result": true, "query": {}, "debug": {}})));
    let (status, denied) = ask(&[user, action, kind]).await;
    assert_eq!((status, &denied["allow"], &denied["result"]), (200, &json!(false), &json!(false)));
    assert!(denied["debug"]["reason"].as_str().unwrap().contains("cleo may not read"), "{denied}");
    for left_out in 0..3 {
        let rest: Vec<_> =
            question.into_iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, h)| h).collect();
        let (status, refused) = ask(&rest).await;
        assert_eq!((status, &refused["error_code"]), (400, &json!("INVALID_INPUT")));
        assert!(refused["message"].as_str().unwrap().contains(question[left_out].0), "{refused}");
    }
}

#[tokio::test]
async fn bad_questions_are_refused_in_permits_shape() {
    let server = Server::start().await;
    let dev = server.dev();
    for path in ["/allowed/all-tenants", "/user-permissions", "/user-tenants", "/authorized_users"] {
        for body in [json!({}), json!([]), json!({"user": {}}), json!({"user": "joe", "action": 1})] {
            let answer = dev.send("POST", path, Some(&body)).await;
            assert_eq!(answer.status, 422, "{path} {body}: {answer:?}");
            assert!(answer.body["detail"][0]["msg"].is_string(), "{answer:?}");
        }
    }
    let bad_key = json!({"action": "read", "resource": {"type": "document", "key": ["one"]}});
    dev.refused(400, "INVALID_INPUT", "POST", "/authorized_users", bad_key).await;
}
