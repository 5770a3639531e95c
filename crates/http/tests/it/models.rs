//! One answer of each model, as Permit's clients get it. Ids and times are numbered in the order in which they first
//! come, so that the goldens show which are the same.

use crate::support::{FACTS, SCHEMA, Server};
use serde_json::{Value, json};
use std::collections::HashMap;

#[derive(Default)]
struct Calm(HashMap<String, String>);

impl Calm {
    fn calm(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.into_iter().map(|item| self.calm(item)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, item)| (name, self.calm(item))).collect()
            }
            other => other,
        }
    }

    fn text(&mut self, text: String) -> String {
        if uuid::Uuid::try_parse(&text).is_ok() {
            assert_eq!(text.len(), 36, "ids are written with hyphens");
            let next = self.0.len() + 1;
            return self.0.entry(text).or_insert_with(|| format!("<id {next}>")).clone();
        }
        if text.len() == 27 && text.starts_with("2026-") && text.ends_with('Z') {
            return "<time>".to_owned();
        }
        if text.starts_with("askfirst_key_") { "<secret>".to_owned() } else { text }
    }
}

async fn setting(server: &Server) {
    let dev = server.dev();
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({
            "key": "house", "name": "House", "actions": {"own": {}},
            "roles": {"owner": {"name": "Owner", "permissions": ["own"]}},
        }),
    )
    .await;
    dev.post(&format!("{SCHEMA}/resources"), json!({
        "key": "room", "name": "Room", "urn": "prn:room", "description": "a room", "type_attributes": {"a": 1},
        "actions": {"enter": {"name": "Enter", "description": "go in", "v1compat_path": "/x"}},
        "attributes": {"beds": {"type": "number", "description": "how many"}},
        "relations": {"part-of": "house"},
        "roles": {
            "guest": {"name": "Guest", "permissions": ["enter"]},
            "host": {"name": "Host", "extends": ["guest"], "granted_to": {
                "when": {"no_direct_roles_on_object": true},
                "users_with_role": [{"role": "owner", "on_resource": "house", "linked_by_relation": "part-of"}],
            }},
        },
    }))
    .await;
    dev.post(
        &format!("{SCHEMA}/roles"),
        json!({"key": "cleaner", "name": "Cleaner", "permissions": ["room:enter"]}),
    )
    .await;
    dev.put(&format!("{FACTS}/users/joe"), json!({"email": "joe@x.io", "first_name": "Joe", "attributes": {"age": 40}, "role_assignments": [
        {"role": "cleaner", "tenant": "default"}, {"role": "guest", "tenant": "default", "resource_instance": "room:red"},
    ]}))
    .await;
    dev.post(
        &format!("{FACTS}/relationship_tuples"),
        json!({"subject": "house:one", "relation": "part-of", "object": "room:red", "tenant": "default"}),
    )
    .await;
}

#[tokio::test]
async fn schema_models() {
    let server = Server::start().await;
    setting(&server).await;
    let mut calm = Calm::default();
    for (name, path) in [
        ("resource", "resources/room"),
        ("resource_action", "resources/room/actions/enter"),
        ("resource_attribute", "resources/room/attributes/beds"),
        ("resource_role", "resources/room/roles/host"),
        ("relations", "resources/room/relations"),
        ("relation", "resources/room/relations/part-of"),
        ("tenant_role", "roles/cleaner"),
    ] {
        let answer = server.dev().get(&format!("{SCHEMA}/{path}")).await;
        insta::assert_json_snapshot!(name, calm.calm(answer));
    }
    let rule = json!({"role": "owner", "on_resource": "house", "linked_by_relation": "part-of", "when": {"no_direct_roles_on_object": false}});
    let made = server.dev().post(&format!("{SCHEMA}/resources/room/roles/guest/implicit_grants"), rule).await;
    insta::assert_json_snapshot!("derived_role_rule", calm.calm(made));
}

#[tokio::test]
async fn fact_models() {
    let server = Server::start().await;
    setting(&server).await;
    let mut calm = Calm::default();
    for (name, path) in [
        ("users", "users"),
        ("user", "users/joe"),
        ("tenant", "tenants/default"),
        ("resource_instance", "resource_instances/room:red"),
        ("resource_instances_detailed", "resource_instances?resource=room&detailed=true"),
        ("role_assignments", "role_assignments"),
        ("role_assignments_detailed", "role_assignments?detailed=true"),
        ("relationship_tuples", "relationship_tuples"),
        ("relationship_tuples_detailed", "relationship_tuples?detailed=true"),
    ] {
        let answer = server.dev().get(&format!("{FACTS}/{path}")).await;
        insta::assert_json_snapshot!(name, calm.calm(answer));
    }
}

#[tokio::test]
async fn scope_models() {
    let server = Server::start().await;
    let (org, mut calm) = (server.org(), Calm::default());
    for (name, path) in [
        ("project", "/v2/projects/default"),
        ("environment", "/v2/projects/default/envs/dev"),
        ("api_key_scope", "/v2/api-key/scope"),
        ("api_key", "/v2/api-key/default/dev"),
    ] {
        insta::assert_json_snapshot!(name, calm.calm(org.get(path).await));
    }
    let made = server.dev().post("/api/v1/keys", json!({"name": "mine"})).await;
    insta::assert_json_snapshot!("own_key_made", calm.calm(made));
}

#[tokio::test]
async fn error_models() {
    let server = Server::start().await;
    let dev = server.dev();
    let mut answers = Vec::new();
    for (method, path, body) in [
        ("GET", "users/nobody", None),
        ("POST", "tenants", Some(json!({"key": "default", "name": "D"}))),
        ("POST", "tenants", Some(json!({"key": "x"}))),
        ("GET", "role_assignments?resource_instance=red", None),
    ] {
        let answer = dev.send(method, &format!("{FACTS}/{path}"), body.as_ref()).await;
        answers.push(json!({"status": answer.status, "body": answer.body}));
    }
    insta::assert_json_snapshot!("errors", answers);
}
