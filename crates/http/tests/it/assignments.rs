//! Roles given and taken.

use crate::support::{Client, FACTS, SCHEMA, Server, names};
use serde_json::{Value, json};
use std::time::Duration;

const ALL: &str = "/v2/facts/default/dev/role_assignments";

async fn house(server: &Server) {
    let dev = server.dev();
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({
            "key": "room", "name": "Room", "actions": {"enter": {}, "clean": {}},
            "roles": {
                "guest": {"name": "Guest", "permissions": ["enter"]},
                "_Reviewer_": {"name": "Reviewer", "permissions": ["clean"]},
            },
        }),
    )
    .await;
    dev.post(&format!("{SCHEMA}/resources"), json!({
        "key": "garden", "name": "Garden", "actions": {"enter": {}}, "roles": {"_Reviewer_": {"name": "Reviewer"}},
    }))
    .await;
    dev.post(
        &format!("{SCHEMA}/roles"),
        json!({"key": "cleaner", "name": "Cleaner", "permissions": ["room:clean"]}),
    )
    .await;
    dev.post(&format!("{FACTS}/tenants"), json!({"key": "blue", "name": "Blue"})).await;
    for key in ["ann", "ben"] {
        dev.put(&format!("{FACTS}/users/{key}"), json!({"email": format!("{key}@x.io")})).await;
    }
}

fn guest(user: &str, place: &str) -> Value {
    json!({"user": user, "role": "guest", "tenant": "default", "resource_instance": place})
}

async fn may(client: &Client<'_>, user: &str, action: &str, key: &str) -> bool {
    let body = json!({"user": {"key": user}, "action": action, "resource": {"type": "room", "key": key, "tenant": "default"}});
    client.post("/allowed", body).await["allow"] == json!(true)
}

#[tokio::test]
async fn a_role_on_an_instance_brings_the_instance_along_when_the_tenant_is_named() {
    let server = Server::start().await;
    house(&server).await;
    let dev = server.dev();
    let mut body = guest("ann", "room:red");
    body.as_object_mut().unwrap().remove("tenant");
    dev.refused(404, "NOT_FOUND", "POST", ALL, body.clone()).await;
    let made = dev.post(ALL, guest("ann", "room:red")).await;
    assert_eq!(
        (&made["user"], &made["role"], &made["tenant"], &made["resource_instance"]),
        (&json!("ann"), &json!("guest"), &json!("default"), &json!("room:red"))
    );
    assert!(may(&dev, "ann", "enter", "red").await);
    let instance = dev.get(&format!("{FACTS}/resource_instances/room:red")).await;
    assert_eq!(instance["id"], made["resource_instance_id"]);

    body["user"] = json!("ben");
    let by_place = dev.post(ALL, body).await;
    assert_eq!(by_place["tenant"], "default", "the instance says the tenant");
    let message = dev.refused(409, "DUPLICATE_ENTITY", "POST", ALL, guest("ann", "room:red")).await;
    assert_eq!(message, "The user `ann` has the role `guest` on `room:red` already; nothing was changed.");
    let mut elsewhere = guest("ann", "room:red");
    elsewhere["tenant"] = json!("blue");
    dev.refused(400, "MISMATCH_RESOURCE_INSTANCES_TENANTS", "POST", ALL, elsewhere).await;
}

#[tokio::test]
async fn ids_work_wherever_keys_do() {
    let server = Server::start().await;
    house(&server).await;
    let dev = server.dev();
    let first = dev.post(ALL, guest("ann", "room:red")).await;
    let ben = dev.get(&format!("{FACTS}/users/ben")).await["id"].clone();
    let made = dev.post(ALL, json!({"user": ben, "role": first["role_id"], "tenant": first["tenant_id"], "resource_instance": first["resource_instance_id"]})).await;
    assert_eq!((&made["user"], &made["resource_instance"]), (&json!("ben"), &json!("room:red")));
    let query = format!(
        "{ALL}?user={}&role={}&tenant={}&resource_instance={}",
        made["user_id"].as_str().unwrap(),
        made["role_id"].as_str().unwrap(),
        made["tenant_id"].as_str().unwrap(),
        made["resource_instance_id"].as_str().unwrap()
    );
    assert_eq!(names(&dev.get(&query).await, "id"), [made["id"].as_str().unwrap()]);
}

#[tokio::test]
async fn the_type_of_the_instance_says_which_role_is_meant() {
    let server = Server::start().await;
    house(&server).await;
    let dev = server.dev();
    let reviewer = |place: &str| json!({"user": "ann", "role": "_Reviewer_", "tenant": "default", "resource_instance": place});
    let (room, garden) = (dev.post(ALL, reviewer("room:1")).await, dev.post(ALL, reviewer("garden:1")).await);
    assert_ne!(room["role_id"], garden["role_id"]);
    let message = dev
        .refused(
            404,
            "NOT_FOUND",
            "POST",
            ALL,
            json!({"user": "ann", "role": "guest", "tenant": "default", "resource_instance": "garden:1"}),
        )
        .await;
    assert!(message.contains("_Reviewer_"), "names the roles that there are: {message}");
    // A bare key, here as a number, is clear when one resource only has the role.
    let bare = dev
        .post(
            &format!("{FACTS}/users/ben/roles"),
            json!({"role": "guest", "tenant": "default", "resource_instance": 7}),
        )
        .await;
    assert_eq!(bare["resource_instance"], "room:7");
    dev.refused(
        400,
        "INVALID_INPUT",
        "POST",
        ALL,
        json!({"user": "ann", "role": "_Reviewer_", "tenant": "default", "resource_instance": 7}),
    )
    .await;
}

#[tokio::test]
async fn tenant_roles_are_given_in_a_tenant_and_resource_roles_are_not() {
    let server = Server::start().await;
    house(&server).await;
    let dev = server.dev();
    let made = dev.post(ALL, json!({"user": "ann", "role": "cleaner", "tenant": "blue"})).await;
    assert_eq!((&made["tenant"], &made["resource_instance"]), (&json!("blue"), &Value::Null));
    dev.refused(400, "INVALID_INPUT", "POST", ALL, json!({"user": "ann", "role": "cleaner"})).await;
    let message = dev
        .refused(400, "INVALID_INPUT", "POST", ALL, json!({"user": "ann", "role": "guest", "tenant": "blue"}))
        .await;
    assert!(message.contains("room:KEY"), "{message}");
    for (member, wrong) in
        [("user", "nobody"), ("role", "emperor"), ("tenant", "mars"), ("resource_instance", "castle:1")]
    {
        let mut body = guest("ann", "room:red");
        body[member] = json!(wrong);
        dev.refused(404, "NOT_FOUND", "POST", ALL, body).await;
    }
}

#[tokio::test]
async fn a_role_is_taken_by_a_body_and_once() {
    let server = Server::start().await;
    house(&server).await;
    let dev = server.dev();
    let made = dev.post(ALL, guest("ann", "room:red")).await;
    let path = format!("{FACTS}/users/ann/roles?return_deleted=true");
    let role = json!({"role": "guest", "tenant": "default", "resource_instance": "room:red"});
    assert_eq!(dev.delete(&path, role.clone()).await, made);
    assert!(!may(&dev, "ann", "enter", "red").await);
    let message = dev.refused(404, "NOT_FOUND", "DELETE", &path, role).await;
    assert_eq!(message, "The user `ann` does not have the role `guest` on `room:red`.");
    dev.post(ALL, json!({"user": "ann", "role": "cleaner", "tenant": "blue"})).await;
    dev.refused(
        404,
        "NOT_FOUND",
        "DELETE",
        ALL,
        json!({"user": "ann", "role": "cleaner", "tenant": "default"}),
    )
    .await;
    assert_eq!(
        dev.delete(ALL, json!({"user": "ann", "role": "cleaner", "tenant": "blue"})).await,
        Value::Null
    );
    assert_eq!(dev.get(ALL).await, json!([]));
}

#[tokio::test]
async fn many_at_once_all_or_nothing_and_without_repeats() {
    let server = Server::start().await;
    house(&server).await;
    let dev = server.dev();
    let bulk = format!("{ALL}/bulk");
    let wanted = json!([
        guest("ann", "room:red"),
        guest("ann", "room:blue"),
        guest("ben", "room:red"),
        guest("ann", "room:red")
    ]);
    assert_eq!(dev.post(&bulk, wanted.clone()).await, json!({"assignments_created": 3}));
    assert_eq!(dev.post(&bulk, wanted.clone()).await, json!({"assignments_created": 0}));
    dev.refused(
        404,
        "NOT_FOUND",
        "POST",
        &bulk,
        json!([guest("ben", "room:new"), guest("nobody", "room:new")]),
    )
    .await;
    dev.refused(404, "NOT_FOUND", "GET", &format!("{FACTS}/resource_instances/room:new"), Value::Null).await;
    assert_eq!(
        dev.delete(
            &bulk,
            json!([guest("ann", "room:red"), guest("ben", "room:blue"), guest("ann", "room:red")])
        )
        .await,
        json!({"assignments_removed": 1})
    );
    assert_eq!(dev.get(ALL).await.as_array().unwrap().len(), 2);
    let many: Vec<_> = (0..2001).map(|n| guest("ann", &format!("room:{n}"))).collect();
    dev.refused(400, "PAGINATION_SIZE_OVERREACHED", "POST", &bulk, json!(many)).await;
    assert_eq!(dev.post(&bulk, json!(many[..2000])).await, json!({"assignments_created": 2000}));
}

#[tokio::test]
async fn lists_are_narrowed_by_repeated_names() {
    let server = Server::start().await;
    house(&server).await;
    let dev = server.dev();
    dev.post(
        &format!("{ALL}/bulk"),
        json!([guest("ann", "room:red"), guest("ben", "room:red"),
        {"user": "ann", "role": "_Reviewer_", "tenant": "default", "resource_instance": "garden:1"},
        {"user": "ann", "role": "cleaner", "tenant": "blue"}]),
    )
    .await;
    let roles = |query: &str| {
        let (path, dev) = (format!("{ALL}?{query}"), &dev);
        async move { names(&dev.get(&path).await, "role") }
    };
    assert_eq!(roles("user=ann").await, ["guest", "_Reviewer_", "cleaner"]);
    assert_eq!(roles("user=ann&user=ben&role=guest&role=cleaner").await, ["guest", "guest", "cleaner"]);
    assert_eq!(roles("tenant=blue&tenant=default&resource=garden").await, ["_Reviewer_"]);
    assert_eq!(roles("resource_instance=room:red&page=2&per_page=1").await, ["guest"]);
    dev.refused(400, "INVALID_INPUT", "GET", &format!("{ALL}?resource_instance=red"), Value::Null).await;
    for unknown in
        ["user=nobody", "role=emperor", "tenant=mars", "resource=castle", "resource_instance=room:zzz"]
    {
        dev.refused(404, "NOT_FOUND", "GET", &format!("{ALL}?{unknown}"), Value::Null).await;
    }
    let detailed = dev.get(&format!("{ALL}?user=ben&detailed=true")).await;
    assert_eq!(
        (
            &detailed[0]["user"]["email"],
            &detailed[0]["role"]["permissions"],
            &detailed[0]["resource_instance"]["key"]
        ),
        (&json!("ben@x.io"), &json!(["enter"]), &json!("red"))
    );
}

#[tokio::test]
async fn a_role_that_has_ended_counts_for_nothing_and_can_be_given_again() {
    let server = Server::start().await;
    house(&server).await;
    let dev = server.dev();
    let mut body = guest("ann", "room:red");
    body["expires_at"] = json!("2001-01-01T00:00:00Z");
    dev.refused(400, "INVALID_INPUT", "POST", ALL, body.clone()).await;
    body["expires_at"] = json!("tomorrow");
    assert_eq!(dev.send("POST", ALL, Some(&body)).await.status, 422);
    // The test's clock starts at 2026-09-21T14:13:20Z.
    body["expires_at"] = json!("2026-09-21T17:13:20+02:00");
    let made = dev.post(ALL, body.clone()).await;
    assert_eq!(made["expires_at"], "2026-09-21T15:13:20.000000Z");
    assert!(may(&dev, "ann", "enter", "red").await);
    dev.refused(409, "DUPLICATE_ENTITY", "POST", ALL, guest("ann", "room:red")).await;

    server.clock.advance(Duration::from_hours(1));
    assert!(!may(&dev, "ann", "enter", "red").await);
    assert_eq!(
        dev.get(&format!("{FACTS}/users/ann")).await["associated_tenants"][0]["resource_instance_roles"],
        json!([])
    );
    let again = dev.post(ALL, guest("ann", "room:red")).await;
    assert_eq!(again["expires_at"], Value::Null);
    assert!(may(&dev, "ann", "enter", "red").await);
    assert_eq!(
        dev.get(&format!("{ALL}?user=ann")).await.as_array().unwrap().len(),
        1,
        "the ended one is gone"
    );
}

#[tokio::test]
async fn what_is_deleted_takes_its_roles_along_and_leaves_nothing_to_inherit() {
    let server = Server::start().await;
    house(&server).await;
    let dev = server.dev();
    for (gone, path, again) in [
        ("user", "users/ann", ("PUT", "users/ann", json!({}))),
        (
            "instance",
            "resource_instances/room:red",
            ("POST", "resource_instances", json!({"resource": "room", "key": "red", "tenant": "default"})),
        ),
    ] {
        dev.post(ALL, guest("ann", "room:red")).await;
        assert!(may(&dev, "ann", "enter", "red").await);
        dev.delete(&format!("{FACTS}/{path}"), Value::Null).await;
        dev.ok(again.0, &format!("{FACTS}/{}", again.1), &again.2).await;
        assert_eq!(dev.get(ALL).await, json!([]), "{gone}");
        assert!(!may(&dev, "ann", "enter", "red").await, "{gone}");
    }
    dev.post(ALL, guest("ann", "room:red")).await;
    dev.delete(&format!("{SCHEMA}/resources/room/roles/guest"), Value::Null).await;
    dev.post(
        &format!("{SCHEMA}/resources/room/roles"),
        json!({"key": "guest", "name": "Guest", "permissions": ["enter"]}),
    )
    .await;
    assert!(!may(&dev, "ann", "enter", "red").await, "role");
}

#[tokio::test]
async fn of_many_who_give_the_same_role_one_does() {
    let server = Server::start().await;
    house(&server).await;
    let dev = server.dev();
    let body = guest("ann", "room:fresh");
    let calls = (0..30).map(|_| dev.send("POST", ALL, Some(&body)));
    let mut answers: Vec<_> = futures::future::join_all(calls).await.into_iter().map(|a| a.status).collect();
    answers.sort_unstable();
    assert_eq!((answers[0], answers[1], answers[29]), (200, 409, 409));
    assert_eq!(dev.get(ALL).await.as_array().unwrap().len(), 1);
    assert_eq!(dev.get(&format!("{FACTS}/resource_instances")).await.as_array().unwrap().len(), 1);
}
