//! The tools that decide, and the one that takes a request back.
//!
//! A bound agent decides nothing: its human does, on a page behind that human's own sign-in.

use super::{
    Answer, Tool,
    arguments::{self, Name, given},
    view,
};
use crate::server::connection::Connection;
use askfirst_domain::{
    Ident,
    request::{Approval, Moved, Person, RequestKind, Ruling},
};
use askfirst_engine::{
    Acting, Error,
    requests::{Approve, Decide, RequestView, Verdict},
};
use rmcp::model::JsonObject;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessArguments {
    user_id: Option<Name>,
    access_request_id: Name,
    reviewer_comment: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationArguments {
    user_id: Option<Name>,
    operation_approval_id: Name,
    reviewer_comment: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CancelArguments {
    user_id: Option<Name>,
    request_id: Name,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerArguments {
    user_id: Option<Name>,
    request_id: Name,
    answer: String,
}

/// Which way, as the tool's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Approve,
    Deny,
}

impl Way {
    fn of(tool: Tool) -> Self {
        match tool {
            Tool::ApproveAccessRequest | Tool::ApproveOperationApproval => Self::Approve,
            _ => Self::Deny,
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
        }
    }
}

pub(super) async fn decide(
    connection: &Connection,
    tool: Tool,
    kind: RequestKind,
    arguments: JsonObject,
) -> Answer {
    let (user, id, comment) = match kind {
        RequestKind::AccessRequest => {
            let a: AccessArguments = arguments::read(tool, arguments)?;
            (a.user_id, a.access_request_id, a.reviewer_comment)
        }
        RequestKind::OperationApproval => {
            let a: OperationArguments = arguments::read(tool, arguments)?;
            (a.user_id, a.operation_approval_id, a.reviewer_comment)
        }
    };
    let acting = connection.acting(given(user.as_ref())).await?;
    let id = Ident::new(id.0.trim());
    let found = acting.request(&id).await?;
    if found.request.kind != kind {
        return Err(other_kind(&found, Way::of(tool)));
    }
    if connection.is_bound() {
        return refer(&acting, &found, Way::of(tool));
    }
    let approve = match Way::of(tool) {
        Way::Approve => Verdict::Approve(Approve::default()),
        Way::Deny => Verdict::Deny,
    };
    let decided = acting.decide(&id, Decide { approve, comment: arguments::text(comment) }).await?;
    Ok(Value::Object(view::request(&acting, &decided)))
}

pub(super) async fn cancel(connection: &Connection, arguments: JsonObject) -> Answer {
    let wanted: CancelArguments = arguments::read(Tool::CancelRequest, arguments)?;
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let id = Ident::new(wanted.request_id.0.trim());
    let canceled = acting.cancel(&id, arguments::text(wanted.reason)).await?;
    Ok(Value::Object(view::request(&acting, &canceled)))
}

/// Answers the oldest question of a reviewer.
pub(super) async fn answer(connection: &Connection, arguments: JsonObject) -> Answer {
    let wanted: AnswerArguments = arguments::read(Tool::AnswerQuestion, arguments)?;
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let id = Ident::new(wanted.request_id.0.trim());
    let answered = acting.answer(&id, None, &wanted.answer).await?;
    Ok(Value::Object(view::request(&acting, &answered)))
}

/// Sends the agent to the page where its human decides, unless no decision of theirs could stand.
fn refer(acting: &Acting, found: &RequestView, way: Way) -> Answer {
    let human = Person { id: acting.user(), key: acting.user_key().clone() };
    let ruling = match way {
        Way::Approve => Ruling::Approve(Approval::default()),
        Way::Deny => Ruling::Deny,
    };
    // The rule alone is asked; nothing is stored.
    let moved = found.request.decide(&human, ruling, None, acting.scope().op().now).map_err(Error::from)?;
    let url = acting.confirm_url(found.request.id);
    let message = match moved {
        Moved::Before(_) => format!("Nothing was decided by this call: {}", found.sentence()),
        Moved::Now(_) => format!(
            "Nothing was decided: an agent can't {verb} for a human. Ask {human} to open {url}, look at the request and \
             {verb} it there; {wait} tells you when that has happened.",
            verb = way.verb(),
            human = human.key,
            wait = Tool::WaitForDecision.name(),
        ),
    };
    Ok(json!({
        "decided": false,
        "message": message,
        "confirm_url": url,
        "request": view::request(acting, found),
    }))
}

fn other_kind(found: &RequestView, way: Way) -> Error {
    let right = match (found.request.kind, way) {
        (RequestKind::AccessRequest, Way::Approve) => Tool::ApproveAccessRequest,
        (RequestKind::AccessRequest, Way::Deny) => Tool::DenyAccessRequest,
        (RequestKind::OperationApproval, Way::Approve) => Tool::ApproveOperationApproval,
        (RequestKind::OperationApproval, Way::Deny) => Tool::DenyOperationApproval,
    };
    Error::invalid(format!("`{}` is an {}; use {}.", found.request.id, found.request.kind, right.name()))
}
