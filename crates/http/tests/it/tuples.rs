//! Relationship tuples.

use crate::support::{FACTS, SCHEMA, Server, names};
use serde_json::{Value, json};

const ALL: &str = "/v2/facts/default/dev/relationship_tuples";

async fn houses(server: &Server) {
    let dev = server.dev();
    dev.post(&format!("{SCHEMA}/resources"), json!({"key": "house", "name": "House", "actions": {}})).await;
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({"key": "room", "name": "Room", "actions": {}, "relations": {"part-of": "house"}}),
    )
    .await;
    dev.post(&format!("{FACTS}/tenants"), json!({"key": "blue", "name": "Blue"})).await;
}

fn link(object: &str) -> Value {
    json!({"subject": "house:one", "relation": "part-of", "object": object, "tenant": "default"})
}

fn without_tenant(object: &str) -> Value {
    json!({"subject": "house:one", "relation": "part-of", "object": object})
}

#[tokio::test]
async fn a_tuple_is_made_listed_and_deleted() {
    let server = Server::start().await;
    houses(&server).await;
    let dev = server.dev();
    dev.refused(404, "NOT_FOUND", "POST", ALL, without_tenant("room:red")).await;
    let made = dev.post(ALL, link("room:red")).await;
    assert_eq!(
        (&made["subject"], &made["relation"], &made["object"], &made["tenant"]),
        (&json!("house:one"), &json!("part-of"), &json!("room:red"), &json!("default"))
    );
    let message = dev.refused(409, "DUPLICATE_ENTITY", "POST", ALL, without_tenant("room:red")).await;
    assert!(message.contains("house:one part-of room:red"), "{message}");
    let by_ids =
        json!({"subject": made["subject_id"], "relation": made["relation_id"], "object": made["object_id"]});
    dev.refused(409, "DUPLICATE_ENTITY", "POST", ALL, by_ids.clone()).await;

    dev.post(ALL, link("room:blue")).await;
    let objects = |query: &str| {
        let (path, dev) = (format!("{ALL}?{query}"), &dev);
        async move { names(&dev.get(&path).await, "object") }
    };
    assert_eq!(objects("subject=house:one").await, ["room:red", "room:blue"]);
    assert_eq!(objects("object=room:blue&relation=part-of&tenant=default").await, ["room:blue"]);
    assert_eq!(objects("object_type=house").await, Vec::<String>::new());
    assert_eq!(objects("subject_type=house&page=2&per_page=1").await, ["room:blue"]);
    for unknown in ["relation=beside", "tenant=mars", "subject=house:zzz", "object_type=castle"] {
        dev.refused(404, "NOT_FOUND", "GET", &format!("{ALL}?{unknown}"), Value::Null).await;
    }
    let detailed = dev.get(&format!("{ALL}?object=room:red&detailed=true")).await;
    assert_eq!(
        (&detailed[0]["subject_details"]["resource"], &detailed[0]["tenant_details"]["key"]),
        (&json!("house"), &json!("default"))
    );
    let rooms = dev.get(&format!("{FACTS}/resource_instances?resource=room&detailed=true")).await;
    assert_eq!(
        rooms[0]["relationships"],
        json!([{"subject": "house:one", "relation": "part-of", "object": "room:red"}])
    );

    dev.delete(ALL, by_ids).await;
    let message = dev.refused(404, "NOT_FOUND", "DELETE", ALL, link("room:red")).await;
    assert_eq!(message, "There is no tuple `house:one part-of room:red`.");
}

#[tokio::test]
async fn the_ends_must_fit_the_relation_and_each_other() {
    let server = Server::start().await;
    houses(&server).await;
    let dev = server.dev();
    let wrong_way =
        json!({"subject": "room:red", "relation": "part-of", "object": "room:blue", "tenant": "default"});
    let message = dev.refused(400, "MISMATCH_RELATION_TYPE", "POST", ALL, wrong_way).await;
    assert!(message.contains("subjects of house"), "{message}");
    let mut unknown = link("room:red");
    unknown["relation"] = json!("beside");
    let message = dev.refused(404, "NOT_FOUND", "POST", ALL, unknown).await;
    assert!(message.contains("part-of"), "{message}");
    dev.refused(404, "NOT_FOUND", "POST", ALL, link("castle:1")).await;
    dev.refused(400, "INVALID_INPUT", "POST", ALL, link("red")).await;
    assert_eq!(
        dev.get(&format!("{FACTS}/resource_instances")).await,
        json!([]),
        "what failed left nothing behind"
    );

    dev.post(
        &format!("{FACTS}/resource_instances"),
        json!({"resource": "house", "key": "one", "tenant": "default"}),
    )
    .await;
    dev.post(
        &format!("{FACTS}/resource_instances"),
        json!({"resource": "room", "key": "far", "tenant": "blue"}),
    )
    .await;
    for body in [link("room:far"), without_tenant("room:far")] {
        dev.refused(400, "MISMATCH_RESOURCE_INSTANCES_TENANTS", "POST", ALL, body).await;
    }
}

#[tokio::test]
async fn tuples_in_bulk() {
    let server = Server::start().await;
    houses(&server).await;
    let dev = server.dev();
    let bulk = format!("{ALL}/bulk");
    dev.post(&bulk, json!({"operations": [link("room:1"), link("room:2"), link("room:1")]})).await;
    dev.post(&bulk, json!({"operations": [link("room:2"), link("room:3")]})).await;
    assert_eq!(names(&dev.get(ALL).await, "object"), ["room:1", "room:2", "room:3"]);
    dev.refused(404, "NOT_FOUND", "POST", &bulk, json!({"operations": [link("room:4"), link("castle:4")]}))
        .await;
    dev.delete(
        &bulk,
        json!({"idents": [without_tenant("room:1"), without_tenant("room:1"), without_tenant("room:2")]}),
    )
    .await;
    assert_eq!(names(&dev.get(ALL).await, "object"), ["room:3"]);
    let many: Vec<_> = (0..1001).map(|n| link(&format!("room:{n}"))).collect();
    dev.refused(400, "PAGINATION_SIZE_OVERREACHED", "POST", &bulk, json!({"operations": many})).await;
    dev.post(&bulk, json!({"operations": many[..1000]})).await;
}

#[tokio::test]
async fn a_deleted_relation_or_instance_takes_its_tuples_along() {
    let server = Server::start().await;
    houses(&server).await;
    let dev = server.dev();
    dev.post(&format!("{ALL}/bulk"), json!({"operations": [link("room:1"), link("room:2")]})).await;
    dev.delete(&format!("{FACTS}/resource_instances/room:1"), Value::Null).await;
    assert_eq!(names(&dev.get(ALL).await, "object"), ["room:2"]);
    dev.patch(&format!("{SCHEMA}/resources/room"), json!({"relations": {}})).await;
    assert_eq!(dev.get(ALL).await, json!([]));
}
