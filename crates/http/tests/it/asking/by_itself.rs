//! Rules that decide, what is taken in an emergency, and dry runs, on the wire.

use super::family;
use serde_json::{Value, json};

fn wish(user: &str) -> Value {
    json!({
        "user": user, "kind": "access_request", "element": "restaurant-requests", "role": "child-can-order",
        "resource_instance": "pizza-palace", "reason": "the oven burns",
    })
}

#[tokio::test]
async fn what_a_request_would_need_is_seen_before_and_a_rule_is_named_after() {
    let server = family().await;
    let dev = server.dev();
    let seen = dev.post("/api/v1/requests/dry-run", wish("henry")).await;
    assert_eq!((&seen["outcome"], &seen["reviewers"]), (&json!("waits"), &json!(["joe"])));
    assert_eq!(seen["suggested_reviewers"], json!(["joe"]));
    assert_eq!(dev.get("/api/v1/requests?user=henry").await["total_count"], 0, "nothing was asked");

    let rule = json!({"name": "everybody", "then": "approve", "lasts": "10m"});
    dev.put("/api/v1/elements/restaurant-requests/terms", json!({"rules": [rule]})).await;
    let seen = dev.post("/api/v1/requests/dry-run", wish("henry")).await;
    assert_eq!((&seen["outcome"], &seen["rule"]), (&json!("approved"), &json!("everybody")));
    let given = dev.post("/api/v1/requests", wish("henry")).await;
    assert_eq!(
        (&given["status"], &given["decided_by"]),
        (&json!("approved"), &json!("automatic: everybody"))
    );
    assert_eq!((&given["reviewer"], &given["may_decide"]), (&json!(null), &json!(false)));
    let seen = dev.post("/api/v1/requests/dry-run", wish("henry")).await;
    assert_eq!(seen["outcome"], "refused");
    assert!(seen["refusal"].as_str().unwrap().contains("already has the role"), "{seen}");
}

#[tokio::test]
async fn an_emergency_is_taken_and_looked_at_once() {
    let server = family().await;
    let dev = server.dev();
    let path = "/api/v1/break-glass";
    dev.refused(403, "FORBIDDEN_ACCESS", "POST", path, wish("rose")).await;
    let terms = json!({"break_glass": {"roles": ["child-can-look"]}});
    dev.put("/api/v1/elements/restaurant-requests/terms", terms).await;
    dev.refused(403, "FORBIDDEN_ACCESS", "POST", path, wish("rose")).await;
    let role =
        json!({"user": "rose", "role": "child-can-look", "resource_instance": "restaurants:pizza-palace"});
    dev.post(&format!("{}/role_assignments", crate::support::FACTS), role).await;
    let taken = dev.post(path, wish("rose")).await;
    assert_eq!((&taken["status"], &taken["emergency"]["verdict"]), (&json!("approved"), &json!(null)));
    assert_eq!(taken["offer"]["lasts"], 3600);
    let waiting = dev.get("/api/v1/break-glass?user=joe").await;
    assert_eq!(waiting["data"][0]["id"], taken["id"]);
    let review = format!("/api/v1/break-glass/{}/review", taken["id"].as_str().unwrap());
    dev.refused(403, "FORBIDDEN_ACCESS", "POST", &review, json!({"user": "rose", "verdict": "fine"})).await;
    let said = json!({"user": "joe", "verdict": "not_fine", "comment": "call me first"});
    let seen = dev.post(&review, said).await;
    assert_eq!(
        (&seen["emergency"]["looked_at_by"], &seen["emergency"]["verdict"]),
        (&json!("joe"), &json!("not_fine"))
    );
    assert_eq!(dev.get("/api/v1/break-glass?user=joe").await["total_count"], 0);
}
