//! What a caller submits. Members that are not known are ignored.

use super::{
    problem::Problem,
    read::{Asked, Members, Question, USER, context, optional, required},
};
use crate::permit::wire::Moment;
use askfirst_domain::{
    Digest,
    evaluation::JUSTIFICATION,
    task::{Callback, Shape, TaskStatus},
};
use askfirst_engine::authzen::{Denial, Reason, Rejection, Submission, SubmittedItem};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The denial, as the evaluation answered it: `evaluation_id`, `binding_token` or both.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SubmittedDenial)]
pub(super) struct DenialBody {
    evaluation_id: Option<String>,
    binding_token: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Moment,
}

/// What is wanted besides.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = RequestedAccess)]
pub(super) struct Requested {
    /// Until when the approval is to last.
    #[schema(value_type = Option<String>, format = DateTime)]
    requested_until: Option<Moment>,
    /// Another role than the one that is asked for by itself.
    role: Option<String>,
}

/// Where the submitter wants to be told of the end.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RequestCallback)]
pub(super) struct CallbackBody {
    endpoint: String,
    /// Given back as it is.
    #[schema(value_type = Value, required = false)]
    state: Option<Value>,
    /// Of which ends; all unless said.
    #[schema(value_type = Option<Vec<String>>)]
    events: Option<Vec<String>>,
}

/// Who submits.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RequestClient)]
pub(super) struct ClientBody {
    /// Who acts for the subject: `id`, `issuer`, `type`, `act`.
    #[schema(value_type = Option<Object>)]
    actor: Option<Map<String, Value>>,
}

/// One thing of a bundle.
#[derive(ToSchema)]
#[schema(as = AccessRequestItem)]
#[expect(dead_code, reason = "says how an item looks and is never made")]
pub(super) struct ItemBody {
    #[schema(value_type = super::read::Resource)]
    resource: Value,
    #[schema(value_type = super::read::Action)]
    action: Value,
    #[schema(nullable = false)]
    requested_access: Option<Requested>,
    #[schema(nullable = false)]
    denial: Option<DenialBody>,
}

/// What was denied, and why it is wanted. A bundle has `items` where a single one has `resource` and `action`.
#[derive(ToSchema)]
#[schema(as = AccessRequestSubmission)]
#[expect(dead_code, reason = "says how a submission looks and is never made")]
pub(super) struct SubmissionBody {
    #[schema(value_type = super::read::Subject)]
    subject: Value,
    #[schema(value_type = Option<super::read::Resource>, nullable = false)]
    resource: Option<Value>,
    #[schema(value_type = Option<super::read::Action>, nullable = false)]
    action: Option<Value>,
    #[schema(nullable = false)]
    items: Option<Vec<ItemBody>>,
    /// What was evaluated, and `justification`.
    #[schema(value_type = Object)]
    context: Value,
    #[schema(nullable = false)]
    denial: Option<DenialBody>,
    #[schema(nullable = false)]
    requested_access: Option<Requested>,
    #[schema(nullable = false)]
    callback: Option<CallbackBody>,
    #[schema(nullable = false)]
    client: Option<ClientBody>,
}

/// Reads a submission.
pub(super) fn read(members: &Members, idempotency_key: Option<String>) -> Result<Submission, Problem> {
    let all = Value::Object(members.clone());
    let digest = Digest::of_json(&all)
        .map_err(|_| Problem::bad_request("The call holds a number that JSON can't carry."))?;
    let said = context(members)?;
    let (shape, items) = match optional::<Vec<Value>>(members, "items")? {
        None => (Shape::Single, vec![item(members, members)?]),
        Some(_) if members.contains_key("resource") || members.contains_key("action") => {
            return Err(Problem::bad_request(
                "A bundle has its `resource` and `action` in each of its `items`; leave them out beside `items`.",
            ));
        }
        Some(items) => {
            let items = items.into_iter().map(|given| bundled(given, members));
            (Shape::Bundle, items.collect::<Result<_, _>>()?)
        }
    };
    let justification = said.get(JUSTIFICATION).and_then(Value::as_str).map(str::trim).unwrap_or_default();
    if justification.is_empty() {
        return Err(Problem::bad_request(
            "`context.justification` is missing; say in a sentence why this is needed (see `request_schema_url`).",
        ));
    }
    let client: Option<ClientBody> = optional(members, "client")?;
    Ok(Submission {
        shape,
        items,
        justification: justification.to_owned(),
        callback: optional::<CallbackBody>(members, "callback")?.map(callback).transpose()?,
        actor: client.and_then(|client| client.actor).map(Value::Object),
        idempotency_key,
        digest,
    })
}

/// An item of a bundle, with what stands beside the items.
fn bundled(given: Value, all: &Members) -> Result<SubmittedItem, Problem> {
    let Value::Object(mut given) = given else {
        return Err(Problem::bad_request("Each of the `items` is an object."));
    };
    for shared in ["subject", "context"] {
        given.remove(shared);
        given.extend(all.get(shared).map(|value| (shared.to_owned(), value.clone())));
    }
    item(&given, all)
}

fn item(given: &Members, all: &Members) -> Result<SubmittedItem, Problem> {
    let question = match Question::read(given)? {
        Asked::OfUser(question) => *question,
        Asked::OfOther { kind } => {
            let message = format!("There are no subjects of the type {kind} here; the only type is {USER}.");
            return Err(Rejection::Profile(Reason::NotRequestable, message).into());
        }
    };
    let requested: Requested = optional(given, "requested_access")?.unwrap_or_default();
    let Question { ask, given: attributes, evaluation, .. } = question;
    Ok(SubmittedItem {
        ask,
        given: attributes,
        evaluation,
        denial: if given.contains_key("denial") { denial(given)? } else { denial(all)? },
        role: requested.role,
        until: requested.requested_until.map(|until| until.0),
    })
}

fn denial(members: &Members) -> Result<Denial, Problem> {
    if !members.contains_key("denial") {
        let message = "The member `denial` is missing; send back what the evaluation answered.";
        return Err(Rejection::Profile(Reason::InvalidDenialBinding, message.to_owned()).into());
    }
    let DenialBody { evaluation_id, binding_token, expires_at } = required(members, "denial")?;
    Ok(Denial { evaluation_id, binding_token, expires_at: expires_at.0 })
}

fn callback(body: CallbackBody) -> Result<Callback, Problem> {
    let known = |event: &String| serde_json::from_value::<TaskStatus>(Value::String(event.clone())).ok();
    // What nobody knows never happens.
    let events = body.events.map(|events| events.iter().filter_map(known).collect::<Vec<_>>());
    if events.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::bad_request(
            "`callback.events` names no end; use approved, denied, expired, cancelled, failed or partial.",
        ));
    }
    Ok(Callback { endpoint: body.endpoint, state: body.state, events })
}
