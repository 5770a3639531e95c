//! Invitations, from being asked in to having the role.

use crate::support::{Client, FACTS, SCHEMA, Server, names};
use serde_json::{Value, json};

const INVITES: &str = "/v2/facts/default/dev/user_invites";

/// A resource `room` with the role `guest`, the tenant role `clerk`, the tenant `blue` and `room:red` in it.
async fn furnish(dev: &Client<'_>) -> (Value, Value, Value, Value) {
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({"key": "room", "name": "Room", "actions": {"enter": {}},
            "roles": {"guest": {"name": "Guest", "permissions": ["enter"]}}}),
    )
    .await;
    let clerk = dev.post(&format!("{SCHEMA}/roles"), json!({"key": "clerk", "name": "Clerk"})).await;
    let guest = dev.get(&format!("{SCHEMA}/resources/room/roles/guest")).await;
    let blue = dev.post(&format!("{FACTS}/tenants"), json!({"key": "blue", "name": "Blue"})).await;
    let red = dev
        .post(
            &format!("{FACTS}/resource_instances"),
            json!({"resource": "room", "key": "red", "tenant": "blue"}),
        )
        .await;
    (clerk, guest, blue, red)
}

#[tokio::test]
async fn an_approved_invitation_makes_the_user_and_gives_the_role() {
    let server = Server::start().await;
    let dev = server.dev();
    let (_, guest, blue, red) = furnish(&dev).await;
    let made = dev
        .post(
            INVITES,
            json!({"key": "ann", "status": "pending", "email": "Ann@Example.com", "first_name": "Ann",
                "last_name": "Lee", "role_id": guest["id"], "tenant_id": blue["id"],
                "resource_instance_id": red["id"]}),
        )
        .await;
    assert_eq!((&made["status"], &made["key"]), (&json!("pending"), &json!("ann")));
    assert_eq!(
        (&made["role_id"], &made["tenant_id"], &made["resource_instance_id"]),
        (&guest["id"], &blue["id"], &red["id"])
    );
    let at = format!("{INVITES}/{}", made["id"].as_str().unwrap());
    assert_eq!(dev.get(&at).await, made);
    dev.refused(404, "NOT_FOUND", "GET", &format!("{FACTS}/users/ann"), Value::Null).await;

    let approve = format!("{at}/approve");
    let wrong = json!({"email": "bo@example.com", "key": "ann", "attributes": {}});
    dev.refused(400, "INVALID_INPUT", "POST", &approve, wrong).await;
    let wrong = json!({"email": "ann@example.com", "key": "bo", "attributes": {}});
    assert!(dev.refused(400, "INVALID_INPUT", "POST", &approve, wrong).await.contains("`ann`"));
    let came = json!({"email": "ann@example.com", "key": "ann", "attributes": {"age": 40}});
    let user = dev.post(&approve, came.clone()).await;
    assert_eq!((&user["key"], &user["email"]), (&json!("ann"), &json!("Ann@Example.com")));
    assert_eq!((&user["first_name"], &user["attributes"]), (&json!("Ann"), &json!({"age": 40})));
    let ask = json!({"user": {"key": "ann"}, "action": "enter", "resource": {"type": "room", "key": "red", "tenant": "blue"}});
    assert_eq!(dev.post("/allowed", ask).await["allow"], true);

    assert_eq!(dev.get(&at).await["status"], "approved");
    let told = dev.refused(409, "CONCURRENT_OPERATION_DISALLOWED", "POST", &approve, came).await;
    assert!(told.contains("approved already"), "{told}");
    dev.refused(409, "CONCURRENT_OPERATION_DISALLOWED", "PATCH", &at, json!({"first_name": "Bo"})).await;
    dev.delete(&at, Value::Null).await;
    dev.refused(404, "NOT_FOUND", "GET", &at, Value::Null).await;
    assert_eq!(dev.get(&format!("{FACTS}/users/ann")).await["key"], "ann", "the user stays");
}

#[tokio::test]
async fn a_known_user_keeps_what_is_said() {
    let server = Server::start().await;
    let dev = server.dev();
    furnish(&dev).await;
    dev.put(&format!("{FACTS}/users/bo"), json!({"first_name": "Bo", "attributes": {"a": 1, "b": 1}})).await;
    let made = dev
        .post(
            INVITES,
            json!({"email": "bo@b.example", "first_name": "Robert", "last_name": "Fox", "role_id": "clerk", "tenant_id": "blue"}),
        )
        .await;
    let user = dev
        .post(
            &format!("{INVITES}/{}/approve", made["id"].as_str().unwrap()),
            json!({"email": "bo@b.example", "key": "bo", "attributes": {"b": 2}}),
        )
        .await;
    assert_eq!(
        (&user["first_name"], &user["last_name"], &user["email"]),
        (&json!("Bo"), &json!("Fox"), &json!("bo@b.example"))
    );
    assert_eq!(user["attributes"], json!({"a": 1, "b": 2}));
    assert_eq!(user["roles"], json!([{"role": "clerk", "tenant": "blue"}]));
}

#[tokio::test]
async fn invitations_are_listed_changed_and_made_once() {
    let server = Server::start().await;
    let dev = server.dev();
    let (clerk, guest, _, red) = furnish(&dev).await;
    let wish = json!({"email": "ann@a.example", "role_id": "clerk", "tenant_id": "blue"});
    let first = dev.post(INVITES, wish.clone()).await;
    let again = json!({"email": "ANN@a.example", "role_id": clerk["id"], "tenant_id": "blue"});
    dev.refused(409, "DUPLICATE_ENTITY", "POST", INVITES, again).await;
    dev.post(INVITES, json!({"email": "ann@a.example", "role_id": "clerk", "tenant_id": "default"})).await;
    dev.post(
        INVITES,
        json!({"email": "cy@a.example", "role_id": "guest", "tenant_id": "blue", "resource_instance_id": "room:red"}),
    )
    .await;

    let all = dev.get(INVITES).await;
    assert_eq!((&all["total_count"], &all["page_count"]), (&json!(3), &json!(1)));
    let page = dev.get(&format!("{INVITES}?page=2&per_page=2")).await;
    assert_eq!(
        (names(&page["data"], "email"), &page["page_count"]),
        (vec!["cy@a.example".to_owned()], &json!(2))
    );
    assert_eq!(dev.get(&format!("{INVITES}?tenant=blue&role=clerk")).await["total_count"], 1);
    assert_eq!(dev.get(&format!("{INVITES}?status=approved")).await["total_count"], 0);
    let path = format!("{INVITES}?role={}", guest["id"].as_str().unwrap());
    assert_eq!(dev.get(&path).await["total_count"], 1);

    let at = format!("{INVITES}/{}", first["id"].as_str().unwrap());
    let changed = dev
        .patch(&at, json!({"first_name": "Ann", "role_id": "guest", "resource_instance_id": red["id"]}))
        .await;
    assert_eq!(
        (&changed["id"], &changed["role_id"], &changed["email"]),
        (&first["id"], &guest["id"], &json!("ann@a.example"))
    );
    dev.post(INVITES, wish).await;
}

#[tokio::test]
async fn what_an_invitation_names_must_be_there_and_fit() {
    let server = Server::start().await;
    let dev = server.dev();
    furnish(&dev).await;
    let wish = |more: Value| {
        let mut wish = json!({"email": "ann@a.example", "role_id": "clerk", "tenant_id": "blue"});
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wish
    };
    for (more, status, code) in [
        (json!({"role_id": "emperor"}), 404, "NOT_FOUND"),
        (json!({"tenant_id": "mars"}), 404, "NOT_FOUND"),
        (json!({"role_id": "guest", "resource_instance_id": "room:green"}), 404, "NOT_FOUND"),
        (json!({"role_id": "guest"}), 400, "INVALID_INPUT"),
        (
            json!({"role_id": "guest", "tenant_id": "default", "resource_instance_id": "room:red"}),
            400,
            "MISMATCH_RESOURCE_INSTANCES_TENANTS",
        ),
        (json!({"email": "nobody"}), 400, "INVALID_INPUT"),
        (json!({"key": "a b"}), 400, "INVALID_INPUT"),
        (json!({"status": "approved"}), 400, "INVALID_INPUT"),
    ] {
        dev.refused(status, code, "POST", INVITES, wish(more)).await;
    }
    assert_eq!(dev.get(INVITES).await["total_count"], 0);
    dev.refused(404, "NOT_FOUND", "GET", &format!("{INVITES}/ann"), Value::Null).await;

    // A role that is made again under the key of the invited one is another role.
    let made = dev.post(INVITES, wish(json!({}))).await;
    dev.delete(&format!("{SCHEMA}/roles/clerk"), Value::Null).await;
    dev.post(&format!("{SCHEMA}/roles"), json!({"key": "clerk", "name": "Clerk"})).await;
    let approve = format!("{INVITES}/{}/approve", made["id"].as_str().unwrap());
    let came = json!({"email": "ann@a.example", "key": "ann", "attributes": {}});
    dev.refused(404, "NOT_FOUND", "POST", &approve, came).await;
    dev.refused(404, "NOT_FOUND", "GET", &format!("{FACTS}/users/ann"), Value::Null).await;
}
