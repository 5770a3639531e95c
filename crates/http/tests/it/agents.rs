//! Registered agents over the API.

use crate::support::{FACTS, Server, names};
use askfirst_engine::Secret;
use serde_json::{Value, json};

const AGENTS: &str = "/api/v1/agents";

async fn with_users() -> Server {
    let server = Server::start().await;
    for user in ["joe", "henry", "rose"] {
        server.dev().put(&format!("{FACTS}/users/{user}"), json!({})).await;
    }
    server
}

#[tokio::test]
async fn an_agent_is_registered_changed_frozen_and_thawed() {
    let server = with_users().await;
    let dev = server.dev();
    let made =
        dev.post(AGENTS, json!({"key": "bot", "owner": "joe", "may": ["orders:read", "*:list"]})).await;
    assert_eq!(
        (&made["name"], &made["owner"], &made["status"]),
        (&json!("bot"), &json!("joe"), &json!("active"))
    );
    assert_eq!((&made["may"], &made["keys"]), (&json!(["orders:read", "*:list"]), &json!([])));
    dev.post(AGENTS, json!({"key": "free", "owner": "rose", "name": "Free"})).await;
    let list = dev.get(AGENTS).await;
    assert_eq!(
        (names(&list["data"], "key"), &list["total_count"]),
        (vec!["bot".to_owned(), "free".to_owned()], &json!(2))
    );
    assert_eq!(dev.get(&format!("{AGENTS}?page=2&per_page=1")).await["data"][0]["may"], Value::Null);

    let bot = format!("{AGENTS}/bot");
    assert_eq!(dev.patch(&bot, json!({"name": "Bot", "owner": "rose"})).await["may"], made["may"]);
    let changed = dev.patch(&bot, json!({"may": null})).await;
    assert_eq!(
        (&changed["name"], &changed["owner"], &changed["may"]),
        (&json!("Bot"), &json!("rose"), &Value::Null)
    );
    let by_id = format!("{AGENTS}/{}", made["id"].as_str().unwrap());
    assert_eq!(dev.get(&by_id).await, changed);
    for (verb, status) in [("freeze", "frozen"), ("freeze", "frozen"), ("thaw", "active")] {
        assert_eq!(dev.post(&format!("{bot}/{verb}"), json!({"reason": "why"})).await["status"], status);
    }
    let frozen = dev.get("/api/v1/audit?code=agent.frozen").await;
    assert_eq!(frozen["data"].as_array().map(Vec::len), Some(1), "again is once: {frozen}");

    for (status, code, body, says) in [
        (409, "DUPLICATE_ENTITY", json!({"key": "bot", "owner": "joe"}), "already exists"),
        (404, "NOT_FOUND", json!({"key": "x", "owner": "nobody"}), "no user `nobody`"),
        (400, "INVALID_INPUT", json!({"key": "x", "owner": "joe", "may": ["orders"]}), "RESOURCE:ACTION"),
        (400, "INVALID_INPUT", json!({"key": "x", "owner": "joe", "name": " "}), "characters"),
    ] {
        let said = dev.refused(status, code, "POST", AGENTS, body).await;
        assert!(said.contains(says), "{said}");
    }
    let said = dev.refused(404, "NOT_FOUND", "GET", &format!("{AGENTS}/nobody"), Value::Null).await;
    assert!(said.contains("the agents are: bot, free"), "{said}");
}

#[tokio::test]
async fn a_key_of_an_agent_is_for_one_human() {
    let server = with_users().await;
    let dev = server.dev();
    dev.post(AGENTS, json!({"key": "bot", "owner": "joe"})).await;
    let keys = format!("{AGENTS}/bot/keys");
    let made = dev.post(&keys, json!({"user": "henry", "name": "laptop"})).await;
    assert_eq!(made["user"], "henry");
    dev.post(&keys, json!({"user": "rose"})).await;
    let told = dev.get(&format!("{AGENTS}/bot")).await;
    assert_eq!(names(&told["keys"], "user"), ["henry", "rose"]);
    assert!(!told.to_string().contains(made["secret"].as_str().unwrap()));
    let key = server.client(made["secret"].as_str());
    key.refused(403, "FORBIDDEN_ACCESS", "GET", AGENTS, Value::Null).await;

    dev.post(&format!("{AGENTS}/bot/freeze"), json!({})).await;
    let said = key.refused(401, "UNAUTHORIZED", "GET", AGENTS, Value::Null).await;
    assert!(said.contains("The agent bot is frozen"), "{said}");
    dev.refused(409, "CONCURRENT_OPERATION_DISALLOWED", "POST", &keys, json!({"user": "henry"})).await;
    dev.post(&format!("{AGENTS}/bot/thaw"), json!({})).await;

    dev.post(AGENTS, json!({"key": "other", "owner": "joe"})).await;
    let id = made["id"].as_str().unwrap();
    dev.refused(404, "NOT_FOUND", "DELETE", &format!("{AGENTS}/other/keys/{id}"), Value::Null).await;
    dev.delete(&format!("{keys}/{id}"), Value::Null).await;
    key.refused(401, "UNAUTHORIZED", "GET", AGENTS, Value::Null).await;
    assert_eq!(names(&dev.get(&format!("{AGENTS}/bot")).await["keys"], "user"), ["rose"]);
    // A key that names no agent has one of its own.
    dev.post("/api/v1/keys", json!({"as_user": "henry", "name": "henry's editor"})).await;
    let own = &dev.get(AGENTS).await["data"][2];
    assert_eq!(
        (&own["name"], &own["owner"], &own["keys"][0]["user"]),
        (&json!("henry's editor"), &json!("henry"), &json!("henry"))
    );
}

#[tokio::test]
async fn a_check_for_an_agent_takes_both() {
    let server = with_users().await;
    let dev = server.dev();
    let policy = json!({
        "askfirst": 1,
        "resources": {"orders": {"actions": ["read", "refund"]}},
        "roles": {"clerk": {"permissions": ["orders:read", "orders:refund"]}},
        "assignments": [{"user": "henry", "role": "clerk", "tenant": "default"}],
    });
    let op = server.engine.authenticate(&Secret::presented("key-of-dev")).await.unwrap();
    server.engine.enter_own(op).await.unwrap().apply_policy(&policy.to_string()).await.unwrap();
    dev.post(AGENTS, json!({"key": "bot", "owner": "joe", "may": ["orders:read"]})).await;
    for (user, action, allow, halves) in [
        ("henry", "read", true, (true, true)),
        ("henry", "refund", false, (true, false)),
        ("rose", "read", false, (false, true)),
        ("rose", "refund", false, (false, false)),
    ] {
        let question = json!({"user": user, "agent": "bot", "action": action, "resource": "orders"});
        let told = dev.post("/api/v1/check", question).await;
        assert_eq!(told["allow"], allow, "{told}");
        assert_eq!(
            (&told["halves"]["user_may"], &told["halves"]["agent_may"]),
            (&json!(halves.0), &json!(halves.1)),
            "{told}"
        );
    }
    let question = json!({"user": "henry", "action": "refund", "resource": "orders"});
    let alone = dev.post("/api/v1/check", question).await;
    assert!(alone["allow"] == true && alone.get("halves").is_none(), "{alone}");
}
