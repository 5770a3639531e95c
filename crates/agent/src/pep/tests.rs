//! The duties of an enforcement point that need no network, one test each.

use super::*;
use reqwest::Url;
use serde_json::{Value, json};
use std::time::Duration;

const NOW: Timestamp<'_> = Timestamp("2026-11-24T03:10:00.5Z");
const NOTHING: Decision = Decision::Deny(Next::Nothing);

fn approved(until: &Value) -> Value {
    let approval = json!({"id": "apr_1", "approved_until": until, "state": "s"});
    json!({"task": {"status": "approved"}, "result": {"mode": "reevaluate", "approval": approval}})
}

#[test]
fn p01_a_denial_is_never_a_permit() {
    let denied = json!({"decision": false, "context": {"approval": {"id": "apr_1"}, "reason": "role"}});
    assert_eq!(decision(&denied), NOTHING);
    let request = json!({"endpoint": "https://pdp/r"});
    let asked = json!({"decision": false, "context": {"access_request": request}});
    assert_eq!(decision(&asked), Decision::Deny(Next::Ask(request)));
}

#[test]
fn p02_only_true_is_a_permit() {
    assert_eq!(decision(&json!({"decision": true})), Decision::Permit);
    let lies = [json!("true"), json!(1), json!(null), json!([true]), json!({"decision": true})];
    for lie in lies {
        let context = json!({"access_request": {"endpoint": "https://pdp/r"}});
        assert_eq!(decision(&json!({"decision": lie, "context": context})), NOTHING, "{lie}");
    }
    for answer in [json!(true), json!([]), json!({}), json!({"Decision": true}), json!("decision")] {
        assert_eq!(decision(&answer), NOTHING, "{answer}");
    }
}

#[test]
fn p03_an_unknown_status_or_mode_is_no_approval() {
    let good = approved(&json!("2026-11-24T04:00:00Z"));
    assert_eq!(progress(&good, NOW), Progress::Present(good["result"]["approval"].clone()), "unchanged");
    for (at, lie) in [
        ("/task/status", json!("Approved")),
        ("/task/status", json!("approved_soon")),
        ("/task/status", json!(true)),
        ("/task/status", json!("partial")),
        ("/result/mode", json!("token")),
        ("/result/mode", json!(null)),
        ("/result/approval", json!("apr_1")),
        ("/result", json!(null)),
        ("/task", json!([])),
    ] {
        let mut other = good.clone();
        *other.pointer_mut(at).unwrap() = lie;
        assert_eq!(progress(&other, NOW), Progress::Over, "{other}");
    }
    let mut pending = good;
    pending["task"]["status"] = json!("pending");
    assert_eq!(progress(&pending, NOW), Progress::Wait, "an approval beside it counts for nothing");
}

#[test]
fn p04_an_address_elsewhere_is_not_called() {
    let at = |text: &str| Url::parse(text).unwrap();
    let places = Places::new(at("https://pdp.example/base"), [at("https://tasks.example:8443")]);
    for named in [
        "https://pdp.example/access/v1/requests/t",
        "https://pdp.example:443/x",
        "https://tasks.example:8443/t",
    ] {
        assert_eq!(places.allowed(named), Ok(at(named)));
    }
    for named in [
        "http://pdp.example/t",
        "https://pdp.example:8443/t",
        "https://pdp.example.evil/t",
        "https://evil/?https://pdp.example",
        "https://tasks.example/t",
    ] {
        assert!(matches!(places.allowed(named), Err(NotThere::Elsewhere(_))), "{named}");
    }
    for named in ["https://pdp.example@evil/t", "https://me:pw@pdp.example/t", "file:///etc/passwd", "/t", ""]
    {
        assert_eq!(places.allowed(named), Err(NotThere::NoAddress), "{named}");
    }
    let told = places.allowed("https://evil/task_secret?t=secret").unwrap_err().to_string();
    assert!(told.contains("https://evil") && !told.contains("secret"), "{told}");
}

#[test]
fn p05_what_is_answered_is_not_shown_by_debug_output() {
    let secret = json!({"id": "apr_secret", "binding_token": "secret"});
    let shown = format!(
        "{:?} {:?} {:?}",
        Decision::Deny(Next::Ask(secret.clone())),
        Next::Ask(secret.clone()),
        Progress::Present(secret)
    );
    assert_eq!(shown, "Deny(Ask) Ask Present");
}

#[test]
fn p06_next_action_says_what_may_be_done() {
    let denied = |context: Value| decision(&json!({"decision": false, "context": context}));
    let request = json!({"endpoint": "https://pdp/r"});
    let retry = json!({"next_action": "retry", "retry_after": 5, "access_request": request});
    assert_eq!(denied(retry), Decision::Deny(Next::Retry(Duration::from_secs(5))));
    let again = json!({"next_action": "request", "access_request": request});
    assert_eq!(denied(again), Decision::Deny(Next::Ask(request.clone())));
    for action in [json!("none"), json!("soon"), json!(1), json!("retry")] {
        let context = json!({"next_action": action, "access_request": request});
        assert_eq!(denied(context), NOTHING, "{action}");
    }
}

#[test]
fn p07_items_count_each_for_itself() {
    let good = approved(&json!("2026-11-24T04:00:00Z"))["result"].clone();
    let bundle = json!({"task": {"status": "approved", "items": [
        {"status": "approved", "result": good},
        {"status": "denied", "result": good},
        {"status": "pending"},
        {},
    ]}, "result": good});
    let present = Progress::Present(good["approval"].clone());
    assert_eq!(items(&bundle, NOW), [present, Progress::Over, Progress::Wait, Progress::Over]);
}

#[test]
fn p08_an_approval_that_is_over_is_not_used() {
    for over in [
        json!("2026-11-24T03:10:00Z"),
        json!("2026-11-24T03:09:59.999999Z"),
        json!("2026-11-24T05:10:00+02:00"),
        json!("9999"),
        json!("2026-11-24T04:00:00.Z"),
        json!(9_999_999_999_u64),
        json!(null),
    ] {
        assert_eq!(progress(&approved(&over), NOW), Progress::Over, "{over}");
    }
    assert_eq!(
        progress(&approved(&json!("2026-11-24T04:00:00Z")), Timestamp("now")),
        Progress::Over,
        "no clock, no use"
    );
}

#[test]
fn p09_a_permit_with_an_obligation_that_nobody_executes_is_a_denial() {
    for obligations in
        [json!([{"type": "custom", "id": "o"}]), json!({"type": "custom"}), json!("x"), json!(null)]
    {
        assert_eq!(decision(&json!({"decision": true, "context": {"obligations": obligations}})), NOTHING);
    }
    assert_eq!(decision(&json!({"decision": true, "context": {"obligations": []}})), Decision::Permit);
}
