//! Elements, element sessions, requests and the inbox, from outside.

mod by_itself;
mod calls;
mod doors;
mod elements;
mod flow;
mod inbox_page;
mod logins;
mod oidc;
mod passwords;
mod people;
mod stream;

use crate::support::{Client, FACTS, SCHEMA, Server};
use askfirst_engine::Settings;
use askfirst_http::Options;
use serde_json::{Value, json};
use uuid::Uuid;

const ELEMENTS: &str = "/v2/elements/default/dev/config";

/// The family, built over the routes: joe is parent and reviewer of `pizza-palace`, henry and rose hold nothing.
async fn family() -> Server {
    family_with(Options::default()).await
}

async fn family_with(options: Options) -> Server {
    family_within(options, Settings::default()).await
}

async fn family_within(options: Options, settings: Settings) -> Server {
    let server = Server::start_within(options, settings).await;
    let dev = server.dev();
    let actions = json!({"create": {}, "read": {}, "update": {}, "delete": {}});
    let roles = json!({
        "parent": {"name": "Parent", "permissions": ["create", "read", "update", "delete"]},
        "child-can-order": {"name": "Child can order", "permissions": ["read"]},
        "child-can-look": {"name": "Child can look", "permissions": ["read"]},
    });
    let resource = json!({"key": "restaurants", "name": "Restaurants", "actions": actions, "roles": roles});
    dev.post(&format!("{SCHEMA}/resources"), resource).await;
    for (key, name) in [("joe", "Joe"), ("jane", "Jane"), ("henry", "Henry"), ("rose", "Rose")] {
        let user = json!({"key": key, "first_name": name, "email": format!("{key}@family.example")});
        dev.put(&format!("{FACTS}/users/{key}"), user).await;
    }
    let instance = json!({"key": "pizza-palace", "resource": "restaurants", "tenant": "default"});
    dev.post(&format!("{FACTS}/resource_instances"), instance).await;
    dev.post(ELEMENTS, user_management()).await;
    dev.post(ELEMENTS, element("dish-approval", "operation_approval")).await;
    dev.post(ELEMENTS, element("dish-requests", "approval_management")).await;
    for role in ["parent", "_Reviewer_"] {
        let given = json!({"user": "joe", "role": role, "resource_instance": "restaurants:pizza-palace"});
        dev.post(&format!("{FACTS}/role_assignments"), given).await;
    }
    server
}

fn element(key: &str, kind: &str) -> Value {
    json!({
        "key": key,
        "name": key,
        "elements_type": kind,
        "settings": {"resource": "restaurants"},
        "roles_to_levels": {},
    })
}

fn user_management() -> Value {
    let mut new = element("restaurant-requests", "user_management");
    new["roles_to_levels"] = json!({"LEVEL_1": ["parent"], "LEVEL_4": ["child-can-order", "child-can-look"]});
    new["webhook"] =
        json!({"type": "elements", "url": "https://hooks.example/x", "bearer_token": "hook-secret"});
    new
}

/// The route of access requests as a server uses it for a user.
fn requests_of(user: &str) -> String {
    format!("{FACTS}/access_requests/restaurant-requests/user/{user}/tenant/default")
}

/// The body that asks for a role on `pizza-palace`.
fn wish(role: &str) -> Value {
    json!({
        "access_request_details": {
            "tenant": "default", "resource": "restaurants", "role": role, "resource_instance": "pizza-palace",
        },
        "reason": "18",
    })
}

/// An element session of a user.
async fn session<'s>(server: &'s Server, user: &str) -> Client<'s> {
    let body = json!({"user_id": user, "tenant_id": "default"});
    let opened = server.dev().post("/v2/auth/elements_login_as", body).await;
    assert!(opened["redirect_url"].is_string());
    server.client(opened["element_bearer_token"].as_str())
}

/// The value without what differs from run to run.
fn scrubbed(value: &Value) -> Value {
    match value {
        Value::String(text) if text.parse::<Uuid>().is_ok() => json!("[uuid]"),
        Value::String(text) if text.len() == 27 && text.ends_with('Z') => json!("[time]"),
        Value::String(text) if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            json!("[digest]")
        }
        Value::String(text) if text.starts_with("http://127.0.0.1:7766/inbox/requests/") => json!("[url]"),
        Value::Array(items) => items.iter().map(scrubbed).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), scrubbed(value))).collect()
        }
        other => other.clone(),
    }
}
