//! The exact shapes, as the other programs write them.

use super::*;
use hitl::{DecisionType, HitlRequest, HitlResponse};
use inbox::{HumanInterrupt, HumanInterruptConfig};
use serde_json::json;

fn pay() -> ToolCall {
    ToolCall::new(
        "call_1",
        "pay",
        json!({"to": "Ana", "euros": 12.5, "express": false, "tags": ["a", 1, null]}),
    )
}

fn look() -> ToolCall {
    ToolCall::new("call_2", "look", json!({}))
}

fn edited() -> Map<String, Value> {
    Map::from_iter([
        ("to".to_owned(), json!("Ana")),
        ("euros".to_owned(), json!(5)),
        ("express".to_owned(), json!(true)),
    ])
}

#[test]
fn a_hitl_request_is_what_the_middleware_raises() {
    let (pay, look) = (pay(), look());
    let request = HitlRequest::about(&[&pay, &look], &[DecisionType::Approve, DecisionType::Reject]);
    let wire = json!({
        "action_requests": [
            {"name": "pay", "args": {"to": "Ana", "euros": 12.5, "express": false, "tags": ["a", 1, null]},
             "description": "The agent wants to call the tool pay."},
            {"name": "look", "args": {}, "description": "The agent wants to call the tool look."},
        ],
        "review_configs": [
            {"action_name": "pay", "allowed_decisions": ["approve", "reject"]},
            {"action_name": "look", "allowed_decisions": ["approve", "reject"]},
        ],
    });
    assert_eq!(serde_json::to_value(&request).unwrap(), wire);
    assert_eq!(HitlRequest::read(&wire), Some(request));
}

#[test]
fn hitl_decisions_are_read_and_written_with_their_types() {
    let (pay, look) = (pay(), look());
    let request = HitlRequest::about(&[&pay, &look, &pay, &look], &DecisionType::ALL);
    let wire = json!({"decisions": [
        {"type": "edit", "edited_action": {"name": "pay", "args": {"to": "Ana", "euros": 5, "express": true}}},
        {"type": "approve"},
        {"type": "reject", "message": "Too much."},
        {"type": "respond", "message": "Nothing to see."},
    ]});
    let decisions = request.decisions(&wire).unwrap();
    let expected = vec![
        Decision::Edit(edited()),
        Decision::Approve,
        Decision::Reject { message: Some("Too much.".to_owned()) },
        Decision::Respond { message: "Nothing to see.".to_owned() },
    ];
    assert_eq!(decisions, expected);
    assert_eq!(serde_json::to_value(HitlResponse::of(&request, decisions)).unwrap(), wire);
}

#[test]
fn what_is_no_hitl_response_decides_nothing() {
    let pay = pay();
    let request = HitlRequest::about(&[&pay], &[DecisionType::Approve, DecisionType::Edit]);
    for (answer, sentence) in [
        (json!("yes"), "the answer is no HITLResponse"),
        (json!({"decisions": "approve"}), "the answer is no HITLResponse"),
        (json!({"decisions": [{"type": "accept"}]}), "unknown variant `accept`"),
        (json!({"decisions": [{"type": "approve", "all": true}]}), "unknown field `all`"),
        (json!({"decision": [{"type": "approve"}]}), "unknown field `decision`"),
        (json!({"decisions": []}), "decides 0 calls, and 1 were asked about"),
        (json!({"decisions": [{"type": "approve"}, {"type": "approve"}]}), "decides 2 calls"),
        (json!({"decisions": [{"type": "reject"}]}), "does not allow the decision `reject`"),
        (
            json!({"decisions": [{"type": "edit", "edited_action": {"name": "pay_all", "args": {}}}]}),
            "`pay` was asked about, and `pay_all` can't take its place",
        ),
        (
            json!({"decisions": [{"type": "edit", "edited_action": {"name": "pay", "args": "5"}}]}),
            "no HITLResponse",
        ),
    ] {
        let refused = request.decisions(&answer).unwrap_err().to_string();
        assert!(refused.contains(sentence), "{answer}: {refused}");
    }
}

#[test]
fn a_human_interrupt_is_what_agent_inbox_shows() {
    let pay = pay();
    let interrupts = HumanInterrupt::about(&[&pay], HumanInterruptConfig::EVERYTHING);
    let wire = json!([{
        "action_request": {"action": "pay", "args": {"to": "Ana", "euros": 12.5, "express": false, "tags": ["a", 1, null]}},
        "config": {"allow_ignore": true, "allow_respond": true, "allow_edit": true, "allow_accept": true},
        "description": "The agent wants to call the tool pay.",
    }]);
    assert_eq!(serde_json::to_value(&interrupts).unwrap(), wire);
    assert_eq!(HumanInterrupt::read(&wire), Some(interrupts.clone()));
    assert_eq!(HumanInterrupt::read(&wire[0]), Some(interrupts));
}

#[test]
fn human_responses_are_read_and_written_with_their_types() {
    let pay = pay();
    let interrupts = HumanInterrupt::about(&[&pay], HumanInterruptConfig::EVERYTHING);
    let edit = json!({"type": "edit", "args": {"action": "pay", "args": {"to": "Ana", "euros": 5, "express": true}}});
    let told = Decision::Respond { message: "Ask Ana first.".to_owned() };
    for (wire, decision) in [
        (json!({"type": "accept", "args": null}), Decision::Approve),
        (json!({"type": "ignore", "args": null}), Decision::Reject { message: None }),
        (json!({"type": "response", "args": "Ask Ana first."}), told),
        (edit, Decision::Edit(edited())),
    ] {
        assert_eq!(HumanInterrupt::decisions(&interrupts, &json!([wire])), Ok(vec![decision.clone()]));
        assert_eq!(serde_json::to_value(interrupts[0].response(decision)).unwrap(), wire);
    }
    // Agent Inbox repeats the call when it is accepted; what runs is what was asked.
    let repeated = json!([{"type": "accept", "args": {"action": "pay", "args": {"euros": 9999}}}]);
    assert_eq!(HumanInterrupt::decisions(&interrupts, &repeated), Ok(vec![Decision::Approve]));
}

#[test]
fn what_is_no_human_response_decides_nothing() {
    let pay = pay();
    let careful = HumanInterruptConfig { allow_accept: false, ..HumanInterruptConfig::EVERYTHING };
    let interrupts = HumanInterrupt::about(&[&pay], careful);
    for (answer, sentence) in [
        (json!({"type": "accept", "args": null}), "no list of HumanResponse"),
        (json!([{"type": "approve", "args": null}]), "unknown variant `approve`"),
        (json!([{"type": "accept", "args": null}]), "does not allow the decision `accept`"),
        (json!([]), "decides 0 calls"),
        (json!([{"type": "response", "args": null}]), "no list of HumanResponse"),
        (json!([{"type": "edit", "args": {"action": "other", "args": {}}}]), "`other` can't take its place"),
    ] {
        let refused = HumanInterrupt::decisions(&interrupts, &answer).unwrap_err().to_string();
        assert!(refused.contains(sentence), "{answer}: {refused}");
    }
}

/// F10: whoever shows questions shows as it is what is none of the shapes.
#[test]
fn f10_what_is_something_else_is_not_taken_for_a_question() {
    for payload in [
        json!(null),
        json!("Really?"),
        json!([]),
        json!({}),
        json!({"action_requests": [], "review_configs": []}),
        json!({"action_requests": [{"name": "pay", "args": {}, "secretly": "more"}], "review_configs": []}),
        json!([{"action_request": {"action": "pay", "args": {}}}]),
    ] {
        assert_eq!(HitlRequest::read(&payload), None, "{payload}");
        assert_eq!(HumanInterrupt::read(&payload), None, "{payload}");
    }
}
