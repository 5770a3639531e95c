//! Element configurations.

use super::{ELEMENTS, element, family, scrubbed, session};
use crate::support::{SCHEMA, names};
use serde_json::{Value, json};

#[tokio::test]
async fn an_element_reads_back_and_keeps_its_secret() {
    let server = family().await;
    let read = server.dev().get(&format!("{ELEMENTS}/restaurant-requests")).await;
    assert!(!read.to_string().contains("hook-secret"));
    insta::assert_json_snapshot!(scrubbed(&read));
    let by_id = server.dev().get(&format!("{ELEMENTS}/{}", read["id"].as_str().unwrap())).await;
    assert_eq!(by_id, read);
    let list = server.dev().get(&format!("{ELEMENTS}?per_page=2")).await;
    assert_eq!((list["total_count"].clone(), list["page_count"].clone()), (json!(3), json!(2)));
    assert_eq!(list["data"][0], read);
}

#[tokio::test]
async fn an_operation_approval_brings_its_roles_and_actions() {
    let server = family().await;
    let dev = server.dev();
    let actions = dev.get(&format!("{SCHEMA}/resources/restaurants/actions")).await;
    for action in ["approve", "deny", "operate", "review"] {
        assert!(names(&actions, "key").contains(&action.to_owned()), "{action}");
    }
    let reviewer = dev.get(&format!("{SCHEMA}/resources/restaurants/roles/_Reviewer_")).await;
    assert_eq!(reviewer["permissions"], json!(["approve", "deny", "review"]));
    let approved = dev.get(&format!("{SCHEMA}/resources/restaurants/roles/_Approved_")).await;
    assert_eq!(approved["permissions"], json!(["operate"]));
    // A second element on the resource finds them there.
    dev.post(ELEMENTS, element("other-approval", "operation_approval")).await;
}

#[tokio::test]
async fn a_resource_can_be_named_in_several_ways() {
    let server = family().await;
    let dev = server.dev();
    let resource = dev.get(&format!("{SCHEMA}/resources/restaurants")).await;
    let parent = dev.get(&format!("{SCHEMA}/resources/restaurants/roles/parent")).await;
    let mut by_role = element("by-role", "user_management");
    by_role["settings"] = json!({});
    by_role["roles_to_levels"] = json!({"LEVEL_1": [parent["id"]]});
    let mut managed = element("by-approval", "approval_management");
    managed["settings"] = json!({"title": "Dishes", "rows": 3, "dark": true});
    let mut by_id = element("by-id", "operation_approval");
    by_id["settings"] = json!({"resource_id": resource["id"]});
    for new in [by_role, managed, by_id] {
        let made = dev.post(ELEMENTS, new).await;
        if let Some(owner) = made["roles_to_levels"]["LEVEL_1"].get(0) {
            assert_eq!((&owner["key"], &owner["resource_id"]), (&json!("parent"), &resource["id"]));
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_in_a_sentence() {
    let server = family().await;
    let dev = server.dev();
    let base = || element("new", "user_management");
    let with = |member: &str, value: Value| {
        let mut new = base();
        new[member] = value;
        new
    };
    let cases = [
        (409, "DUPLICATE_ENTITY", with("key", json!("dish-requests"))),
        (404, "NOT_FOUND", with("roles_to_levels", json!({"LEVEL_1": ["nobody"]}))),
        (404, "NOT_FOUND", with("settings", json!({"resource": "missing"}))),
        (400, "INVALID_INPUT", with("settings", json!({"resource": "restaurants", "deep": {"no": 1}}))),
        (400, "INVALID_INPUT", with("key", json!("no spaces"))),
        (
            400,
            "INVALID_INPUT",
            with("roles_to_levels", json!({"LEVEL_1": ["parent"], "LEVEL_4": ["parent"]})),
        ),
        (400, "INVALID_INPUT", with("webhook", json!({"url": "ftp://x"}))),
    ];
    let mut told = Vec::new();
    for (status, code, body) in cases {
        told.push(dev.refused(status, code, "POST", ELEMENTS, body).await);
    }
    insta::assert_snapshot!(told.join("\n"));
    let unknown = dev.send("POST", ELEMENTS, Some(&with("elements_type", json!("x")))).await;
    assert_eq!(unknown.status, 422);
}

#[tokio::test]
async fn an_element_changes_and_goes() {
    let server = family().await;
    let dev = server.dev();
    let path = format!("{ELEMENTS}/restaurant-requests");
    let changed = dev.patch(&path, json!({"name": "New", "webhook": null})).await;
    assert_eq!((&changed["name"], &changed["webhook"]), (&json!("New"), &Value::Null));
    assert_eq!(changed["roles_to_levels"]["LEVEL_1"][0]["key"], "parent", "what is not mentioned stays");
    let kind = json!({"elements_type": "audit_log"});
    dev.refused(400, "INVALID_INPUT", "PATCH", &path, kind).await;
    dev.delete(&path, Value::Null).await;
    dev.refused(404, "NOT_FOUND", "GET", &path, Value::Null).await;
    dev.delete("/v2/elements/default/dev/dish-requests", Value::Null).await;
}

#[tokio::test]
async fn the_runtime_tells_the_level_of_who_looks() {
    let server = family().await;
    let path = format!("{ELEMENTS}/restaurant-requests/runtime");
    for (user, level) in [("joe", "LEVEL_1"), ("henry", "UNCONFIGURED")] {
        let seen = session(&server, user).await.get(&path).await;
        assert_eq!(seen["current_permission_level"], level, "{user}");
        assert_eq!(seen["config"]["key"], "restaurant-requests");
    }
}
