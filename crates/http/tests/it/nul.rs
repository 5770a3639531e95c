//! NUL, which PostgreSQL takes nowhere: refused with a sentence wherever it comes in, on every database.

use crate::support::{Server, names};
use serde_json::{Value, json};

const FACTS: &str = "/v2/facts/default/dev";
const SCHEMA: &str = "/v2/schema/default/dev";

#[tokio::test]
async fn nul_is_refused_in_what_is_written() {
    let server = Server::start().await;
    let (dev, org) = (server.dev(), server.org());
    dev.post(&format!("{FACTS}/users"), json!({"key": "joe"})).await;
    dev.post(&format!("{SCHEMA}/resources"), json!({"key": "file", "name": "File", "actions": {"read": {}}}))
        .await;
    for (client, method, path, body) in [
        (&dev, "POST", format!("{FACTS}/users"), json!({"key": "jane", "first_name": "j\0"})),
        (&dev, "PATCH", format!("{FACTS}/users/joe"), json!({"attributes": {"deep": [{"a\0": 1}]}})),
        (&dev, "PATCH", format!("{FACTS}/users/joe"), json!({"last_name": "\0"})),
        (&dev, "POST", format!("{FACTS}/tenants"), json!({"key": "acme", "name": "A\0"})),
        (&dev, "PATCH", format!("{SCHEMA}/resources/file"), json!({"description": "\0"})),
        (
            &dev,
            "POST",
            format!("{SCHEMA}/condition_sets"),
            json!({"key": "set", "type": "userset", "name": "\0", "conditions": {"user.key": {"equals": "\0"}}}),
        ),
        (&org, "POST", "/v2/projects".to_owned(), json!({"key": "other", "name": "\0"})),
        (&org, "POST", "/v2/projects/default/envs".to_owned(), json!({"key": "other", "name": "\0"})),
        (&org, "PATCH", "/v2/projects/default".to_owned(), json!({"description": "\0"})),
    ] {
        let sentence = client.refused(400, "INVALID_INPUT", method, &path, body.clone()).await;
        assert!(sentence.contains("NUL"), "{path} {body}: {sentence}");
    }
    let users = dev.get(&format!("{FACTS}/users")).await;
    assert_eq!(names(&users["data"], "key"), ["joe"], "nothing of it was written");
    let joe = dev.get(&format!("{FACTS}/users/joe")).await;
    assert_eq!((joe["last_name"].clone(), joe["attributes"].clone()), (Value::Null, json!({})));
}

#[tokio::test]
async fn nothing_is_found_by_nul() {
    let server = Server::start().await;
    let dev = server.dev();
    dev.post(&format!("{FACTS}/users"), json!({"key": "joe"})).await;
    for path in
        [format!("{FACTS}/users/joe%00"), format!("{FACTS}/tenants/%00"), format!("{SCHEMA}/roles/%00")]
    {
        assert_eq!(dev.send("GET", &path, None).await.status, 404, "{path}");
    }
    let found = dev.get(&format!("{FACTS}/users?search=j%00")).await;
    assert_eq!(found["data"], json!([]));
    let asked = json!({"user": {"key": "joe\0"}, "action": "read", "resource": {"type": "file\0", "tenant": "default"}});
    assert_eq!(dev.post("/allowed", asked).await["allow"], json!(false));
}
