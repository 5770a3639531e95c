//! The decision log over HTTP: ours, and as Permit's audit logs.

use crate::support::{Client, Server};
use serde_json::{Value, json};
use std::time::Duration;

const OURS: &str = "/api/v1/decisions";
const PERMIT: &str = "/v2/pdps/default/dev/audit_logs";

/// Joe may read documents, ann may not; the log is kept.
async fn office() -> Server {
    let server = Server::start().await;
    server.log_decisions().await;
    let dev = server.dev();
    dev.post(
        "/v2/schema/default/dev/resources",
        json!({"key": "doc", "name": "Doc", "actions": {"read": {}}}),
    )
    .await;
    dev.post(
        "/v2/schema/default/dev/roles",
        json!({"key": "reader", "name": "Reader", "permissions": ["doc:read"]}),
    )
    .await;
    for (key, email) in [("joe", "joe@example.com"), ("ann", "ann@example.com")] {
        dev.put(
            &format!("/facts/users/{key}"),
            json!({"email": email, "first_name": key, "last_name": "Doe"}),
        )
        .await;
    }
    dev.post("/facts/users/joe/roles", json!({"role": "reader", "tenant": "default"})).await;
    server
}

async fn ask(client: &Client<'_>, user: &str, more: Value) -> Value {
    let mut body = json!({"user": {"key": user}, "action": "read", "resource": {"type": "doc"}});
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        body[name] = value;
    }
    client.post("/allowed", body).await
}

#[tokio::test]
async fn each_door_is_in_the_log() {
    let server = office().await;
    let dev = server.dev();
    ask(
        &dev,
        "joe",
        json!({"context": {"ip": "10.0.0.1"}, "resource": {"type": "doc", "tenant": "default"}}),
    )
    .await;
    let bulk = json!({"user": {"key": "ann"}, "action": "read", "resource": {"type": "doc", "key": 7}});
    dev.post("/allowed/bulk", json!([bulk, bulk])).await;
    let authzen = json!({
        "subject": {"type": "user", "id": "joe"}, "action": {"name": "read"},
        "resource": {"type": "doc", "id": "9"},
    });
    dev.post("/access/v1/evaluation", authzen.clone()).await;
    dev.post("/access/v1/evaluations", json!({"evaluations": [authzen, authzen]})).await;
    dev.post("/api/v1/check", json!({"user": "joe", "action": "read", "resource": "doc:1"})).await;

    let listed = dev.get(OURS).await;
    let entries = listed["decisions"].as_array().expect("a list");
    let doors: Vec<&str> = entries.iter().map(|e| e["door"].as_str().unwrap_or_default()).collect();
    assert_eq!(doors, ["api", "authzen", "authzen", "authzen", "pdp", "pdp", "pdp"]);
    assert_eq!((&listed["next"], &listed["missed"]), (&Value::Null, &json!([])));
    let first = &entries[6];
    assert_eq!(first["given"]["context"], json!({"ip": "10.0.0.1"}));
    assert_eq!((&first["tenant"], &first["asked_tenant"]), (&json!("default"), &json!("default")));
    assert_eq!(first["asked_by"]["kind"], "api_key");
    assert_eq!(first["reason"], "joe may read doc: joe holds reader in tenant default.");
    assert_eq!(first["trace"]["held"]["role"], "reader");
    assert_eq!((&entries[5]["resource"], &entries[5]["allow"]), (&json!("doc:7"), &json!(false)));
    assert!(entries[5]["reason"].as_str().is_some_and(|why| why.starts_with("ann may not read doc:7")));
    let one = dev.get(&format!("{OURS}/{}", first["id"].as_str().expect("an id"))).await;
    assert_eq!(one, *first);
}

#[tokio::test]
async fn the_list_is_narrowed_and_paged() {
    let server = office().await;
    let dev = server.dev();
    for n in 0..9 {
        ask(&dev, if n % 3 == 0 { "ann" } else { "joe" }, json!({"resource": {"type": "doc", "key": n}}))
            .await;
        server.clock.advance(Duration::from_mins(1));
    }
    let count = |query: &str| {
        let (path, dev) = (format!("{OURS}?{query}"), server.dev());
        async move { dev.get(&path).await["decisions"].as_array().expect("a list").len() }
    };
    for (query, expected) in [
        ("", 9),
        ("user=ann", 3),
        ("user=ann&user=joe", 9),
        ("decision=deny", 3),
        ("decision=allow", 6),
        ("action=read&tenant=default", 9),
        ("action=write", 0),
        ("resource=doc:3", 1),
        ("resource=doc:3&resource=doc:4&user=joe", 1),
        ("resource=doc", 9),
        ("revision_to=1", 0),
        ("revision_from=1", 9),
        ("from=2000-01-01T00:00:00Z", 9),
        ("to=2000-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(count(query).await, expected, "{query}");
    }
    let (mut seen, mut path) = (Vec::new(), format!("{OURS}?limit=2&decision=allow"));
    loop {
        let page = dev.get(&path).await;
        let entries = page["decisions"].as_array().expect("a list");
        assert!(entries.len() <= 2);
        seen.extend(entries.iter().map(|e| e["resource"].as_str().unwrap_or_default().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{OURS}?limit=2&decision=allow&cursor={next}");
    }
    assert_eq!(seen, ["doc:8", "doc:7", "doc:5", "doc:4", "doc:2", "doc:1"]);
    for query in ["limit=0", "cursor=nonsense", "decision=maybe", "usr=joe", "from=yesterday"] {
        dev.refused(400, "INVALID_INPUT", "GET", &format!("{OURS}?{query}"), Value::Null).await;
    }
    dev.refused(400, "PAGINATION_SIZE_OVERREACHED", "GET", &format!("{OURS}?limit=1001"), Value::Null).await;
    dev.refused(400, "INVALID_INPUT", "GET", &format!("{OURS}/nonsense"), Value::Null).await;
    let unknown = format!("{OURS}/0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11");
    dev.refused(404, "NOT_FOUND", "GET", &unknown, Value::Null).await;
}

#[tokio::test]
async fn permits_audit_logs_are_the_same_log() {
    let server = office().await;
    let dev = server.dev();
    let at = server.clock.seconds();
    for user in ["joe", "ann", "nobody", "joe", "ann"] {
        ask(&dev, user, json!({"context": {"ip": "10.0.0.1"}})).await;
        server.clock.advance(Duration::from_mins(1));
    }
    let all = dev.get(PERMIT).await;
    assert_eq!(
        (&all["total_count"], &all["page_count"], &all["pagination_count"]),
        (&json!(5), &json!(1), &json!(5))
    );
    let newest = &all["data"][0];
    assert_eq!((&newest["user_key"], &newest["user_email"]), (&json!("ann"), &json!("ann@example.com")));
    assert_eq!((&newest["user_name"], &newest["decision"]), (&json!("ann Doe"), &json!(false)));
    assert_eq!((&newest["resource_type"], &newest["tenant"]), (&json!("doc"), &json!("default")));
    assert_eq!(
        (&newest["context"], &newest["result"]),
        (&json!({"ip": "10.0.0.1"}), &json!({"allow": false}))
    );
    assert_eq!(newest["input"]["user"]["key"], "ann");
    assert_eq!(
        (&all["data"][2]["user_email"], &all["data"][2]["user_key"]),
        (&Value::Null, &json!("nobody"))
    );
    let env = newest["env_id"].as_str().expect("an id");
    for (query, expected) in [
        ("users=joe".to_owned(), 2),
        ("users=joe&users=nobody".to_owned(), 3),
        ("users=ANN@example.com".to_owned(), 2),
        ("decision=true".to_owned(), 2),
        ("resources=doc".to_owned(), 5),
        ("resources=other".to_owned(), 0),
        ("action=read&tenant=default&sort_by=timestamp".to_owned(), 5),
        (format!("timestamp_from={}", at + 90), 3),
        (format!("timestamp_to={}", at + 90), 2),
        (format!("pdp_id={env}"), 5),
        ("pdp_id=0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11".to_owned(), 0),
    ] {
        let found = dev.get(&format!("{PERMIT}?{query}")).await;
        let length = found["data"].as_array().expect("a list").len();
        assert_eq!((length, &found["total_count"]), (expected, &json!(expected)), "{query}");
    }
    let second = dev.get(&format!("{PERMIT}?page=2&per_page=2")).await;
    assert_eq!((&second["data"][0], &second["data"][1]), (&all["data"][2], &all["data"][3]));
    assert_eq!(second["page_count"], 3);
    dev.refused(
        400,
        "PAGINATION_SIZE_OVERREACHED",
        "GET",
        &format!("{PERMIT}?page=200&per_page=100"),
        Value::Null,
    )
    .await;

    let one = dev.get(&format!("{PERMIT}/{}", newest["id"].as_str().expect("an id"))).await;
    assert_eq!((&one["id"], &one["reason"]), (&newest["id"], &newest["reason"]));
    assert_eq!(one["objects"]["user_object"]["email"], "ann@example.com");
    assert_eq!(one["objects"]["environment_object"]["id"], json!(env));
    let unknown = format!("{PERMIT}/0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11");
    dev.refused(404, "NOT_FOUND", "GET", &unknown, Value::Null).await;
}

#[tokio::test]
async fn nobody_else_reads_it() {
    let server = office().await;
    let dev = server.dev();
    ask(&dev, "joe", Value::Null).await;
    let id = dev.get(OURS).await["decisions"][0]["id"].as_str().expect("an id").to_owned();
    let agent = dev.post("/api/v1/keys", json!({"as_user": "joe"})).await;
    let agent = server.client(agent["secret"].as_str());
    let (ours, permits) = (format!("{OURS}/{id}"), format!("{PERMIT}/{id}"));
    for path in [OURS, &ours, PERMIT, &permits] {
        for client in [server.client(None), server.client(Some("wrong"))] {
            client.refused(401, "UNAUTHORIZED", "GET", path, Value::Null).await;
        }
        agent.refused(403, "FORBIDDEN_ACCESS", "GET", path, Value::Null).await;
    }
    let production = server.holder("environment default/production");
    for path in [PERMIT, &permits, &ours] {
        production.refused(404, "NOT_FOUND", "GET", path, Value::Null).await;
    }
    assert_eq!(production.get(OURS).await["decisions"], json!([]));
    server.org().refused(400, "INVALID_INPUT", "GET", OURS, Value::Null).await;
    assert_eq!(server.org().get(PERMIT).await["total_count"], 1);
}

#[tokio::test]
async fn a_server_without_a_log_says_so() {
    let server = Server::start().await;
    for path in [OURS, PERMIT] {
        let said = server.dev().refused(404, "NOT_FOUND", "GET", path, Value::Null).await;
        assert!(said.contains("--no-decision-log"), "{said}");
    }
}
