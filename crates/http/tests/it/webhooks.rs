//! Webhooks that an environment sets by itself.

use crate::support::Server;
use serde_json::{Value, json};

#[tokio::test]
async fn a_webhook_is_made_changed_and_deleted_and_its_secret_shown_once() {
    let server = Server::start().await;
    let dev = server.dev();
    let new = json!({"url": "https://example.org/told?token=t", "events": ["request.created", "grant"]});
    let made = dev.post("/api/v1/webhooks", new).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() > 40, "{secret}");
    let path = format!("/api/v1/webhooks/{}", made["id"].as_str().unwrap());
    let read = dev.get(&path).await;
    assert_eq!(read["secret"], Value::Null);
    assert_eq!(dev.get("/api/v1/webhooks").await, json!({"data": [read]}));

    let patch = json!({"description": "the kitchen", "events": []});
    let changed = dev.patch(&path, patch).await;
    assert_eq!((&changed["url"], &changed["description"]), (&made["url"], &json!("the kitchen")));
    let cleared = dev.patch(&path, json!({"description": null})).await;
    assert_eq!((&cleared["description"], &cleared["events"]), (&Value::Null, &json!([])));
    let rotated = dev.post(&format!("{path}/rotate-secret"), json!({})).await;
    assert_ne!(rotated["secret"], made["secret"]);
    let tested = dev.post(&format!("{path}/test"), json!({})).await;
    let waiting = dev.get("/api/v1/deliveries").await;
    assert_eq!(
        (&waiting["data"][0]["id"], &waiting["data"][0]["topic"]),
        (&tested["delivery"], &json!("webhook"))
    );
    dev.delete(&path, Value::Null).await;
    dev.refused(404, "NOT_FOUND", "GET", &path, Value::Null).await;

    let log = dev.get("/api/v1/audit?code=webhook").await;
    let codes: Vec<_> = log["data"].as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect();
    let expected = [
        "webhook.deleted",
        "webhook.tested",
        "webhook.rotated",
        "webhook.updated",
        "webhook.updated",
        "webhook.created",
    ];
    assert_eq!(codes, expected);
    assert!(!log.to_string().contains("token=t") && !log.to_string().contains("whsec_"), "{log}");
}

#[tokio::test]
async fn what_would_not_be_called_is_refused_with_a_reason() {
    let server = Server::start().await;
    for (url, reason) in [
        ("nonsense", "no URL"),
        ("http://example.org/", "not https"),
        ("ftp://example.org/", "neither https nor http"),
        ("https://127.0.0.1/", "inside a private network"),
        ("https://[::1]:8080/", "inside a private network"),
        ("https://169.254.169.254/latest", "inside a private network"),
    ] {
        let refused =
            server.dev().refused(400, "INVALID_INPUT", "POST", "/api/v1/webhooks", json!({"url": url})).await;
        assert!(refused.contains(reason), "{url}: {refused}");
    }
    let unknown = json!({"url": "https://example.org", "events": ["request.creatd"]});
    let refused = server.dev().refused(400, "INVALID_INPUT", "POST", "/api/v1/webhooks", unknown).await;
    assert!(refused.contains("`request.creatd`") && refused.contains("request.created"), "{refused}");
}

#[tokio::test]
async fn an_environments_webhooks_are_its_own() {
    let server = Server::start().await;
    let made = server.dev().post("/api/v1/webhooks", json!({"url": "https://example.org"})).await;
    let path = format!("/api/v1/webhooks/{}", made["id"].as_str().unwrap());
    let production = server.holder("environment default/production");
    assert_eq!(production.get("/api/v1/webhooks").await, json!({"data": []}));
    for method in ["GET", "DELETE"] {
        production.refused(404, "NOT_FOUND", method, &path, Value::Null).await;
    }
    production.refused(404, "NOT_FOUND", "PATCH", &path, json!({})).await;
    for more in ["rotate-secret", "test"] {
        production.refused(404, "NOT_FOUND", "POST", &format!("{path}/{more}"), Value::Null).await;
    }
    for _ in 1..50 {
        server.dev().post("/api/v1/webhooks", json!({"url": "https://example.org"})).await;
    }
    let full = json!({"url": "https://example.org"});
    let refused =
        server.dev().refused(409, "CONCURRENT_OPERATION_DISALLOWED", "POST", "/api/v1/webhooks", full).await;
    assert!(refused.contains("50 webhooks at most"), "{refused}");
}
