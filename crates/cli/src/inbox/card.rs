//! A request in the terminal: the same order and words as on the page.

use super::wire::{Kind, Request, Status};
use crate::terminal::{Style, plain, wrap};
use serde_json::Value;

/// Columns before what a row says.
const MARGIN: usize = 14;

/// One sentence: who wants what, where.
pub(crate) fn sentence(request: &Request, style: Style) -> String {
    let who = style.bold(plain(&request.requester.shown()));
    let place = style.bold(plain(&request.place));
    match request.kind {
        Kind::AccessRequest => {
            format!("{who} asks for the role {} on {place}", style.bold(plain(&request.role)))
        }
        Kind::OperationApproval => format!("{who} asks to {} {place}", style.bold(actions(&request.actions))),
    }
}

/// The whole request, in lines of `width` characters.
pub(crate) fn lines(request: &Request, style: Style, width: usize) -> Vec<String> {
    let mut lines = vec![format!("{}.", sentence(request, style))];
    let mut row = |label: &str, text: &str| {
        for (number, piece) in wrap(&plain(text), width.saturating_sub(MARGIN)).into_iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            lines.push(format!("  {} {piece}", style.dim(format!("{label:<11}"))));
        }
    };
    // Nobody checked the reason; it is the requester's word.
    row("they say", &format!("\u{201c}{}\u{201d}", request.reason));
    if let Some(call) = &request.call {
        row("it runs", &format!("{} with {}", call.action, call.arguments));
        if !call.context.is_empty() {
            row("where", &Value::Object(call.context.clone()).to_string());
        }
        row("digest", &call.digest);
    }
    for question in &request.questions {
        row("asked", &format!("{}: \u{201c}{}\u{201d}", question.by, question.text));
        row(
            "answered",
            &question
                .answer
                .as_ref()
                .map_or_else(|| "not yet".to_owned(), |a| format!("\u{201c}{a}\u{201d}")),
        );
    }
    if request.thresholds.len() > 1 || request.thresholds.iter().any(|one| one.approve > 1) {
        let votes =
            request.thresholds.iter().map(|one| format!("{} {}/{}", one.name, one.approvals, one.approve));
        row("approvals", &votes.collect::<Vec<_>>().join(", "));
    }
    let ends = match request.kind {
        Kind::AccessRequest => "until somebody takes it away",
        Kind::OperationApproval => "until it is used up or taken away",
    };
    row("it gives", &format!("{} on {}, {ends}", actions(&request.actions), request.place));
    row("through", &request.element);
    row("asked at", &request.created_at);
    if let Some(deadline) = request.deadline.as_ref().filter(|_| request.status == Status::Pending) {
        row("until", deadline);
    }
    if !request.may_stand_for.is_empty() {
        let others: Vec<String> = request.may_stand_for.iter().map(super::wire::Person::shown).collect();
        row("stand-in", &format!("you may decide it for {}", others.join(" or ")));
    }
    row("request", &request.id);
    if request.status != Status::Pending {
        row("status", &standing(request));
    }
    if let Some(comment) = &request.reviewer_comment {
        row("comment", comment);
    }
    lines
}

fn actions(actions: &[String]) -> String {
    if actions.is_empty() { "do nothing".to_owned() } else { plain(&actions.join(", ")) }
}

fn standing(request: &Request) -> String {
    match (&request.reviewer, &request.reviewer_for) {
        (Some(by), Some(other)) => {
            format!("{} by {} for {}", request.status.as_str(), by.shown(), other.shown())
        }
        (Some(by), None) => format!("{} by {}", request.status.as_str(), by.shown()),
        (None, _) => request.status.as_str().to_owned(),
    }
}

/// What came of a decision.
pub(crate) fn outcome(request: &Request, style: Style) -> String {
    let status = match request.status {
        Status::Approved => style.good("approved"),
        Status::Denied => style.bad("denied"),
        other => other.as_str().to_owned(),
    };
    format!("{status}: {}", sentence(request, Style::none()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(reason: &str) -> Request {
        serde_json::from_value(json!({
            "id": "0193", "kind": "access_request", "status": "pending",
            "requester": {"key": "henry", "name": "Henry", "email": null}, "role": "child-can-order",
            "actions": ["read"], "place": "restaurants:pizza-palace", "element": "restaurant-requests",
            "reason": reason, "reviewer": null, "reviewer_comment": null, "created_at": "2026-11-23T16:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn a_card_reads_as_a_sentence_and_what_it_means() {
        let card = lines(&request("I am now 18"), Style::none(), 80);
        assert_eq!(
            card,
            [
                "Henry (henry) asks for the role child-can-order on restaurants:pizza-palace.",
                "  they say    \u{201c}I am now 18\u{201d}",
                "  it gives    read on restaurants:pizza-palace, until somebody takes it away",
                "  through     restaurant-requests",
                "  asked at    2026-11-23T16:00:00Z",
                "  request     0193",
            ]
        );
    }

    #[test]
    fn a_reason_cannot_forge_lines_of_the_card() {
        let forged = lines(&request("x\u{201d}\n  status      approved by joe\x1b[2A"), Style::none(), 80);
        assert!(!forged.iter().any(|line| line.trim_start().starts_with("status")), "{forged:?}");
        assert!(forged.join("\n").contains("<U+001B>[2A"));
    }
}
