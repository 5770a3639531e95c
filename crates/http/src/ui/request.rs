//! One request: what is asked, why, what an approval gives, what happened; and the decision.

use super::{
    page::{Page as Answer, Shown, render},
    session::Reviewer,
    words::{Foreign, Piece, Row, When, editable, is_agent, person, visible},
};
use askama::Template;
use askfirst_domain::{
    Ident,
    audit::AuditEvent,
    binding::Binding,
    grant::GrantState,
    id::{RoleId, UserId},
    principal::Principal,
    request::{RequestKind, Status},
    review::{Progress, Question},
};
use askfirst_engine::{
    Acting, Error, Kind, Page,
    requests::{Approve, Decide, Heard, PersonView, RequestView, Span, Verdict},
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

/// Somebody for whom the reader stands in.
#[derive(Debug)]
struct VoiceOf {
    id: UserId,
    name: String,
}

/// Something that happened.
#[derive(Debug)]
struct Event {
    what: String,
    at: When,
}

/// What one reviewer has said.
#[derive(Debug)]
struct Said {
    by: String,
    vote: &'static str,
    comment: Foreign,
    at: When,
    counts: bool,
}

impl Said {
    fn new(heard: &Heard, now: askfirst_domain::Timestamp) -> Self {
        Self {
            by: in_place(&heard.by, heard.stands_for.as_ref()),
            vote: heard.vote.past(),
            comment: Foreign::new(heard.comment.as_deref().unwrap_or_default()),
            at: When::new(heard.at, now),
            counts: heard.counts,
        }
    }
}

/// A question about the request, and its answer.
#[derive(Debug)]
struct Asked {
    by: String,
    text: Foreign,
    at: When,
    answer: Option<Foreign>,
}

impl Asked {
    fn new(question: &Question, now: askfirst_domain::Timestamp) -> Self {
        Self {
            by: visible(question.by.key.as_str()),
            text: Foreign::new(&question.text),
            at: When::new(question.at, now),
            answer: question.answer.as_ref().map(|answer| Foreign::new(&answer.text)),
        }
    }
}

/// The field of a question's or an answer's form.
#[derive(Debug, Deserialize)]
pub(super) struct TalkForm {
    text: String,
}

pub(super) async fn ask_back(
    Reviewer(acting): Reviewer,
    Path(id): Path<String>,
    Form(form): Form<TalkForm>,
) -> Answer {
    let id = Ident::new(id);
    match acting.ask_back(&id, &form.text).await {
        Ok(view) => Ok(back_to(&view)),
        Err(error) => refused(&acting, &id, error).await,
    }
}

pub(super) async fn answer(
    Reviewer(acting): Reviewer,
    Path(id): Path<String>,
    Form(form): Form<TalkForm>,
) -> Answer {
    let id = Ident::new(id);
    match acting.answer(&id, None, &form.text).await {
        Ok(view) => Ok(back_to(&view)),
        Err(error) => refused(&acting, &id, error).await,
    }
}

fn back_to(view: &RequestView) -> axum::response::Response {
    Redirect::to(&format!("/inbox/requests/{}", view.request.id)).into_response()
}

/// The one call that an approval is for, as it would run.
#[derive(Debug)]
struct Bound {
    /// As they would stand in a field in which a reviewer changes them.
    written: String,
    action: Foreign,
    arguments: Foreign,
    context: Foreign,
    digest: String,
}

impl Bound {
    fn new(binding: &Binding) -> Self {
        let written = |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap_or_default();
        let context = &binding.call.context;
        let context = if context.is_empty() { String::new() } else { written(&context.clone().into()) };
        Self {
            written: editable(&written(&binding.call.arguments)),
            action: Foreign::new(&binding.call.action),
            arguments: Foreign::new(&written(&binding.call.arguments)),
            context: Foreign::new(&context),
            digest: binding.digest.to_string(),
        }
    }
}

/// What the reader may do.
#[derive(Debug)]
struct May {
    decide: bool,
    cancel: bool,
    /// A question waits for the reader's answer.
    answer: bool,
}

#[derive(Debug, Template)]
#[template(path = "request.html")]
struct RequestPage {
    me: String,
    notice: Option<String>,
    row: Row,
    through: String,
    unverified: bool,
    /// The one call that it is for: action, arguments as JSON, context as JSON or nothing, digest.
    call: Option<Bound>,
    deadline: Option<String>,
    meaning: String,
    actions: Vec<String>,
    may: May,
    shown: String,
    choices: Vec<Choice>,
    /// In whose place the reader may decide.
    voices: Vec<VoiceOf>,
    /// Whether they may for themselves.
    own_voice: bool,
    /// How long what is given would last, where it ends.
    lasts: Option<String>,
    /// How far each threshold is; none where one reviewer decides.
    votes: Vec<String>,
    /// Who was named or suggested, while it waits.
    suggested: Vec<String>,
    reviews: Vec<Said>,
    questions: Vec<Asked>,
    /// This reviewer was heard, and may think again.
    heard: bool,
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
    lasts: Option<String>,
    arguments: Option<String>,
    stands_for: Option<String>,
}

impl DecisionForm {
    /// What is given, where it is not what was asked for.
    fn approval(&self) -> Result<Approve, Error> {
        let written = |text: &Option<String>| {
            text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let lasts = written(&self.lasts).map(|text| text.parse::<Span>()).transpose();
        let arguments = written(&self.arguments).map(|text| serde_json::from_str(&text)).transpose();
        Ok(Approve {
            role: written(&self.role).map(Ident::new),
            lasts: lasts.map_err(|error| Error::invalid(format!("{error}.")))?,
            arguments: arguments.map_err(|error| {
                Error::invalid(format!("The arguments are not JSON: {error}. Nothing was decided."))
            })?,
        })
    }
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
        Way::Approve => match form.approval() {
            Ok(given) => Verdict::Approve(given),
            Err(error) => return refused(&acting, &id, error).await,
        },
        Way::Deny => Verdict::Deny,
    };
    let decision = match (Decide { approve, comment: form.comment }).explained() {
        Ok(decision) => decision,
        Err(error) => return refused(&acting, &id, error).await,
    };
    let stands_for = form.stands_for.filter(|other| !other.is_empty()).map(Ident::new);
    let decided = match stands_for {
        Some(other) => acting.decide_for(&id, decision, Some(&form.shown), &other).await,
        None => acting.decide_shown(&id, decision, &form.shown).await,
    };
    match decided {
        Ok(view) => Ok(back_to(&view)),
        Err(error) => refused(&acting, &id, error).await,
    }
}

pub(super) async fn cancel(Reviewer(acting): Reviewer, Path(id): Path<String>) -> Answer {
    let id = Ident::new(id);
    match acting.cancel(&id, None).await {
        Ok(view) => Ok(back_to(&view)),
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
        call: request.binding.as_ref().map(Bound::new),
        deadline: request.deadline.filter(|_| request.status == Status::Pending).map(|at| at.to_string()),
        meaning: meaning(&view, now),
        actions: view.gives.actions.clone(),
        may: May {
            decide: view.rights.decide,
            cancel: view.rights.cancel,
            answer: view.rights.cancel && view.asked_back().is_some(),
        },
        shown: view.shown(),
        choices: choices(acting, &view),
        voices: voices(&view),
        own_voice: view.may_for_themselves,
        lasts: request.offer.lasts.map(|lasts| lasts.to_string()),
        votes: votes(&view),
        suggested: suggested(&view),
        reviews: said(&view, now),
        questions: request.course.questions.iter().map(|question| Asked::new(question, now)).collect(),
        heard: view.rights.decide && !view.rights.awaited,
        comment: Foreign::new(request.reviewer_comment.as_deref().unwrap_or_default()),
        reviewer: view.reviewer.as_ref().map(|by| in_place(by, view.reviewer_for.as_ref())),
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

/// How long what an approval gives lasts, or what became of it.
fn lasting(view: &RequestView, now: askfirst_domain::Timestamp) -> String {
    let request = &view.request;
    let taken = match request.kind {
        RequestKind::AccessRequest => "until somebody takes it away",
        RequestKind::OperationApproval => "until it is used up or taken away",
    };
    match (&request.grant, request.offer.lasts) {
        (Some(grant), _) => match (grant.state(now), grant.ends_at) {
            (GrantState::Active, Some(at)) => format!("{taken}, and until {at} at most"),
            (GrantState::Active, None) => taken.to_owned(),
            (GrantState::Spent, _) => "and it is used up".to_owned(),
            (GrantState::Revoked, _) => "and it was taken back".to_owned(),
            (GrantState::Ended, _) => "and it is over".to_owned(),
        },
        (None, Some(lasts)) if request.status == Status::Pending => format!("{taken}, for {lasts} at most"),
        (None, _) => taken.to_owned(),
    }
}

fn meaning(view: &RequestView, now: askfirst_domain::Timestamp) -> String {
    let (requester, place) = (visible(&view.requester.display_name()), view.place());
    let role = visible(&view.gives.role_name);
    let until = format!("{}. It permits:", lasting(view, now));
    if view.request.kind == RequestKind::AccessRequest
        && let Some(bound) = &view.request.binding
    {
        let what = format!("{} {}", visible(&bound.call.action), visible(&bound.resource));
        let lasting = lasting(view, now);
        return match view.request.status {
            Status::Pending => format!(
                "Approving lets {requester} {what}, exactly as it stands here and nothing else, {lasting}. It gives no role; \
                 the role “{role}” would permit:"
            ),
            Status::Approved => format!(
                "{requester} was given leave to {what}, exactly as it stands here and nothing else, {lasting}. The role “{role}”, \
                 which was not given, permits:"
            ),
            Status::Denied | Status::Canceled | Status::Expired => {
                format!("Leave to {what}, exactly as it stands here. The role “{role}” would permit:")
            }
        };
    }
    match (view.request.status, view.request.kind) {
        (Status::Denied | Status::Canceled | Status::Expired, RequestKind::AccessRequest) => {
            format!("The role “{role}” on {place}. It permits:")
        }
        (Status::Denied | Status::Canceled | Status::Expired, RequestKind::OperationApproval) => {
            format!("Leave for one operation on {place}. It would have permitted:")
        }
        (Status::Approved, RequestKind::AccessRequest) => {
            format!("{requester} was given the role “{role}” on {place}, {until}")
        }
        (Status::Approved, RequestKind::OperationApproval) => {
            format!("{requester} was given leave on {place} and nothing else, {until}")
        }
        (Status::Pending, RequestKind::AccessRequest) => {
            format!("{requester} does not have the role “{role}” on {place}. Approving gives it, {until}")
        }
        (Status::Pending, RequestKind::OperationApproval) => format!(
            "This needs somebody's approval each time. Approving gives {requester} leave on {place} and nothing else, {until}"
        ),
    }
}

/// `Berta (berta)`, or `Berta (berta) for Anna (anna)`.
fn in_place(by: &PersonView, stands_for: Option<&PersonView>) -> String {
    match stands_for {
        Some(other) => format!("{} for {}", person(by), person(other)),
        None => person(by),
    }
}

fn voices(view: &RequestView) -> Vec<VoiceOf> {
    view.may_stand_for.iter().map(|other| VoiceOf { id: other.id, name: person(other) }).collect()
}

fn choices(acting: &Acting, view: &RequestView) -> Vec<Choice> {
    let choice = |role: askfirst_domain::request::WantedRole| Choice {
        id: role.id,
        key: role.key.to_string(),
        asked: role.id == view.request.role.id,
    };
    acting.choices(view).into_iter().map(choice).collect()
}

/// How far each threshold is, where it takes more than one reviewer.
fn votes(view: &RequestView) -> Vec<String> {
    if view.progress.iter().all(|one| one.approve == 1 && one.deny == 1) && view.progress.len() < 2 {
        return Vec::new();
    }
    let vote = |one: &Progress| {
        let denials = if one.deny > 1 || one.denials > 0 {
            format!(", {} of {} denials that end it", one.denials, one.deny)
        } else {
            String::new()
        };
        format!("{}: {} of {} approvals{denials}", visible(&one.name), one.approvals, one.approve)
    };
    view.progress.iter().map(vote).collect()
}

/// Who is to look first, of a request that waits.
fn suggested(view: &RequestView) -> Vec<String> {
    let waits = view.request.status == Status::Pending;
    view.suggested.iter().filter(|_| waits).map(person).collect()
}

/// What reviewers have said, where the decision alone does not say it.
fn said(view: &RequestView, now: askfirst_domain::Timestamp) -> Vec<Said> {
    if view.request.status != Status::Pending && view.heard.len() < 2 {
        return Vec::new();
    }
    view.heard.iter().map(|heard| Said::new(heard, now)).collect()
}

/// What an event says to a reader; none for one that another says already.
fn happened(event: &AuditEvent, now: askfirst_domain::Timestamp) -> Option<Event> {
    let who = event.on_behalf_of.as_deref().unwrap_or("somebody");
    let who = match event.details.get("stands_for").and_then(|other| other.as_str()) {
        Some(other) => format!("{who} for {other}"),
        None => who.to_owned(),
    };
    let by = if is_agent(&event.actor) { format!("{who}'s agent") } else { who };
    let role = event.details.get("role").and_then(|role| role.as_str()).unwrap_or("the role");
    let what = match event.code.as_str() {
        "request.created" => format!("{by} asked."),
        "request.annotated" => format!("{by} left a note; the role to give is {role}."),
        "request.reviewed" => format!("{by} {}; more have to be heard.", voted(event)),
        "request.question_asked" => format!("{by} asked something."),
        "request.question_answered" => format!("{by} answered."),
        "request.approved" | "request.denied" if event.details.contains_key("rule") => {
            let rule = event.details.get("rule").and_then(|rule| rule.as_str()).unwrap_or_default();
            let done = if event.code == "request.approved" { "approved" } else { "denied" };
            format!("It was {done} automatically, by the rule “{}”.", visible(rule))
        }
        "break_glass.used" => format!("{by} took it without a decision, in an emergency."),
        "break_glass.reviewed" => format!("{by} looked at it afterwards: {}.", looked(event)),
        "request.approved" => format!("{by} approved."),
        "request.denied" => format!("{by} denied."),
        "request.canceled" => format!("{by} withdrew it."),
        "request.escalated" => "It has waited for long, and more people may decide it.".to_owned(),
        "request.expired" => "Nobody decided in time.".to_owned(),
        "grant.ended" => "What was given is over.".to_owned(),
        "grant.revoked" => format!("{by} took back what was given."),
        "grant.redeemed" => format!("{by} used the approval."),
        "grant.recorded" => format!("{by} said what came of it."),
        "role_assignment.created" => format!("The role {role} was given."),
        "role_assignment.deleted" => format!("{by} took the role away."),
        _ => return None,
    };
    Some(Event { what, at: When::new(event.at, now) })
}

fn voted(event: &AuditEvent) -> &'static str {
    match event.details.get("vote").and_then(|vote| vote.as_str()) {
        Some("deny") => "denied",
        _ => "approved",
    }
}

fn looked(event: &AuditEvent) -> &'static str {
    match event.details.get("verdict").and_then(|verdict| verdict.as_str()) {
        Some("fine") => "fine",
        _ => "not fine",
    }
}
