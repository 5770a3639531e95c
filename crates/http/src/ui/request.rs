//! One request: what is asked, why, what an approval gives, what happened; and the decision.

use super::{
    page::{Page as Answer, Shown, render},
    session::Reviewer,
    words::{Foreign, Piece, Row, When, is_agent, person, visible},
};
use askama::Template;
use askfirst_domain::{
    Ident,
    audit::AuditEvent,
    id::RoleId,
    principal::Principal,
    request::{RequestKind, Status},
};
use askfirst_engine::{
    Acting, Kind, Page,
    requests::{Decide, RequestView, Verdict},
};
use axum::{Form, extract::Path, http::StatusCode, response::IntoResponse, response::Redirect};
use serde::Deserialize;

/// How much of what happened is shown.
const EVENTS: u32 = 100;

/// A role that may be given.
#[derive(Debug)]
struct Choice {
    id: RoleId,
    key: String,
    asked: bool,
}

/// Something that happened.
#[derive(Debug)]
struct Event {
    what: String,
    at: When,
}

#[derive(Debug, Template)]
#[template(path = "request.html")]
struct RequestPage {
    me: String,
    notice: Option<String>,
    row: Row,
    through: String,
    unverified: bool,
    meaning: String,
    actions: Vec<String>,
    may_decide: bool,
    may_cancel: bool,
    shown: String,
    choices: Vec<Choice>,
    comment: Foreign,
    reviewer: Option<String>,
    timeline: Vec<Event>,
    element: String,
    tenant: String,
}

/// The fields of the decision's form.
#[derive(Debug, Deserialize)]
pub(super) struct DecisionForm {
    shown: String,
    verdict: Way,
    comment: Option<String>,
    role: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Approve,
    Deny,
}

pub(super) async fn page(Reviewer(acting): Reviewer, Path(id): Path<String>) -> Answer {
    show(&acting, &Ident::new(id), StatusCode::OK, None).await
}

pub(super) async fn decide(
    Reviewer(acting): Reviewer,
    Path(id): Path<String>,
    Form(form): Form<DecisionForm>,
) -> Answer {
    let id = Ident::new(id);
    let approve = match form.verdict {
        Way::Approve => Verdict::Approve { role: form.role.filter(|role| !role.is_empty()).map(Ident::new) },
        Way::Deny => Verdict::Deny,
    };
    let decision = Decide { approve, comment: form.comment };
    match acting.decide_shown(&id, decision, &form.shown).await {
        Ok(view) => Ok(Redirect::to(&format!("/inbox/requests/{}", view.request.id)).into_response()),
        Err(error) => refused(&acting, &id, error).await,
    }
}

pub(super) async fn cancel(Reviewer(acting): Reviewer, Path(id): Path<String>) -> Answer {
    let id = Ident::new(id);
    match acting.cancel(&id, None).await {
        Ok(view) => Ok(Redirect::to(&format!("/inbox/requests/{}", view.request.id)).into_response()),
        Err(error) => refused(&acting, &id, error).await,
    }
}

/// The page as it is now, with the reason why nothing was done above it.
async fn refused(acting: &Acting, id: &Ident, error: askfirst_engine::Error) -> Answer {
    let status = match error.kind() {
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Invalid => StatusCode::BAD_REQUEST,
        _ => return Err(Shown::from(error)),
    };
    show(acting, id, status, Some(error.message().to_owned())).await
}

async fn show(acting: &Acting, id: &Ident, status: StatusCode, notice: Option<String>) -> Answer {
    let view = acting.request(id).await?;
    let window = Page { offset: 0, limit: EVENTS };
    let events = acting.scope().audit_events(Some(view.request.id), None, window).await?;
    let now = acting.scope().op().now;
    let request = &view.request;
    let template = RequestPage {
        me: acting.user_key().to_string(),
        notice,
        row: Row { reason: Foreign::new(&request.reason), ..Row::new(&view, now) },
        through: through(&view),
        unverified: matches!(request.opened_by, Principal::TrustedAgent { .. }),
        meaning: meaning(&view),
        actions: view.gives.actions.clone(),
        may_decide: view.rights.decide,
        may_cancel: view.rights.cancel,
        shown: view.shown(),
        choices: choices(acting, &view),
        comment: Foreign::new(request.reviewer_comment.as_deref().unwrap_or_default()),
        reviewer: view.reviewer.as_ref().map(person),
        timeline: events.items.iter().rev().filter_map(|event| happened(event, now)).collect(),
        element: request.element_key.to_string(),
        tenant: request.tenant.to_string(),
    };
    render(status, &template)
}

fn through(view: &RequestView) -> String {
    let requester = visible(&view.requester.display_name());
    match &view.request.opened_by {
        by if is_agent(by) => format!("by {requester}'s agent"),
        Principal::User { .. } => format!("by {requester}, signed in"),
        _ => format!("for {requester}, by an application"),
    }
}

fn meaning(view: &RequestView) -> String {
    let (requester, place) = (visible(&view.requester.display_name()), view.place());
    let role = visible(&view.gives.role_name);
    let until = "until somebody takes it away. It permits:";
    match (view.request.status, view.request.kind) {
        (Status::Denied | Status::Canceled, RequestKind::AccessRequest) => {
            format!("The role “{role}” on {place}. It permits:")
        }
        (Status::Denied | Status::Canceled, RequestKind::OperationApproval) => {
            format!("Leave for one operation on {place}. It would have permitted:")
        }
        (Status::Approved, RequestKind::AccessRequest) => {
            format!("{requester} was given the role “{role}” on {place}, {until}")
        }
        (Status::Approved, RequestKind::OperationApproval) => {
            format!(
                "{requester} was given leave on {place} and nothing else, until it is used up or taken away. It permits:"
            )
        }
        (Status::Pending, RequestKind::AccessRequest) => {
            format!("{requester} does not have the role “{role}” on {place}. Approving gives it, {until}")
        }
        (Status::Pending, RequestKind::OperationApproval) => format!(
            "This needs somebody's approval each time. Approving gives {requester} leave on {place} and nothing else, until it is used up or taken away. It permits:"
        ),
    }
}

fn choices(acting: &Acting, view: &RequestView) -> Vec<Choice> {
    let choice = |role: askfirst_domain::request::WantedRole| Choice {
        id: role.id,
        key: role.key.to_string(),
        asked: role.id == view.request.role.id,
    };
    acting.choices(view).into_iter().map(choice).collect()
}

/// What an event says to a reader; none for one that another says already.
fn happened(event: &AuditEvent, now: askfirst_domain::Timestamp) -> Option<Event> {
    let who = event.on_behalf_of.as_deref().unwrap_or("somebody");
    let by = if is_agent(&event.actor) { format!("{who}'s agent") } else { who.to_owned() };
    let role = event.details.get("role").and_then(|role| role.as_str()).unwrap_or("the role");
    let what = match event.code.as_str() {
        "request.created" => format!("{by} asked."),
        "request.annotated" => format!("{by} left a note; the role to give is {role}."),
        "request.approved" => format!("{by} approved."),
        "request.denied" => format!("{by} denied."),
        "request.canceled" => format!("{by} withdrew it."),
        "role_assignment.created" => format!("The role {role} was given."),
        "role_assignment.deleted" => format!("{by} took the role away."),
        _ => return None,
    };
    Some(Event { what, at: When::new(event.at, now) })
}
