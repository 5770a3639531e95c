//! `create_access_request` and `create_operation_approval`: the wish, and the request that came of it.

use super::{
    Answer, Tool,
    arguments::{self, Name, given},
    spend, view,
};
use crate::server::connection::Connection;
use askfirst_domain::{
    Ident,
    binding::Call,
    request::{RequestKind, Status},
    review::Vote,
};
use askfirst_engine::{
    Acting, Error, Result,
    requests::{Again, AskAccess, AskOperation, Asked, Foreseen, Foresight, Times},
};
use rmcp::model::JsonObject;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessArguments {
    user_id: Option<Name>,
    role: Name,
    reason: String,
    resource_instance: Option<Name>,
    suggested_reviewers: Option<Vec<Name>>,
    ask_again: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationArguments {
    user_id: Option<Name>,
    reason: String,
    resource_instance: Option<Name>,
    action: Option<String>,
    arguments: Option<Value>,
    context: Option<JsonObject>,
    suggested_reviewers: Option<Vec<Name>>,
    ask_again: Option<bool>,
}

pub(super) async fn access(connection: &Connection, arguments: JsonObject) -> Answer {
    let wanted: AccessArguments = arguments::read(Tool::CreateAccessRequest, arguments)?;
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let instance = given(wanted.resource_instance.as_ref());
    let asked = acting
        .request_access(AskAccess {
            element: connection.element(RequestKind::AccessRequest, instance)?,
            tenant: connection.tenant(),
            resource: connection.named_resource(),
            instance: instance.map(str::to_owned),
            role: Ident::new(wanted.role.0.trim()),
            reason: wanted.reason,
            suggested_reviewers: named(wanted.suggested_reviewers),
            times: times(wanted.ask_again),
        })
        .await?;
    Ok(created(&acting, &asked))
}

pub(super) async fn operation(connection: &Connection, arguments: JsonObject) -> Answer {
    let wanted: OperationArguments = arguments::read(Tool::CreateOperationApproval, arguments)?;
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let instance = given(wanted.resource_instance.as_ref());
    let call = spend::call(wanted.action, wanted.arguments, wanted.context)?;
    if let Some(call) = &call
        && let Some(answer) = answered(connection, &acting, instance, call, wanted.ask_again).await?
    {
        return Ok(answer);
    }
    let asked = acting
        .request_operation(AskOperation {
            element: connection.element(RequestKind::OperationApproval, instance)?,
            tenant: connection.tenant(),
            resource: connection.named_resource(),
            instance: instance.map(str::to_owned),
            reason: wanted.reason,
            suggested_reviewers: named(wanted.suggested_reviewers),
            times: times(wanted.ask_again),
            uses: None,
            call,
        })
        .await?;
    Ok(created(&acting, &asked))
}

/// Whom the model names as reviewers; each is held against what they may decide.
fn named(reviewers: Option<Vec<Name>>) -> Vec<Ident> {
    let reviewers = reviewers.unwrap_or_default();
    reviewers.iter().filter_map(|name| given(Some(name))).map(Ident::new).collect()
}

fn times(ask_again: Option<bool>) -> Times {
    let again = if ask_again == Some(true) { Again::Bidden } else { Again::Unbidden };
    Times { again, ..Times::default() }
}

/// What was said of exactly this call already. An approval that is not used up is handed out instead of asking for
/// another one, and a fresh denial keeps an agent that tries again and again away from the reviewers.
async fn answered(
    connection: &Connection,
    acting: &Acting,
    instance: Option<&str>,
    call: &Call,
    again: Option<bool>,
) -> Result<Option<Value>> {
    let Some(found) = acting.answer_to_call(&spend::at(connection, instance, call.clone())?).await? else {
        return Ok(None);
    };
    if found.request.status == Status::Denied {
        if again == Some(true) {
            return Ok(None);
        }
        return Err(Error::conflict(format!(
            "Exactly this was asked before, and nothing new was made. {}",
            view::message(&found)
        )));
    }
    let mut shown = view::request(acting, &found);
    let message = format!(
        "Exactly this was approved before and not used up, so nothing new was made. {}",
        view::message(&found)
    );
    shown.insert("message".to_owned(), message.into());
    shown.insert("existed".to_owned(), true.into());
    Ok(Some(Value::Object(shown)))
}

fn created(acting: &Acting, asked: &Asked) -> Value {
    let mut shown = view::request(acting, &asked.view);
    let asked_before = if asked.existed {
        "The same was asked before and is still open, so nothing new was made. "
    } else {
        ""
    };
    let denied = asked.denied.as_ref().map_or_else(String::new, |denied| {
        format!(
            "{} If nothing has changed since, take this request back with {}. ",
            denied.sentence(),
            Tool::CancelRequest.name()
        )
    });
    if asked.view.request.status != Status::Pending {
        // A rule has decided at once.
        shown.insert("existed".to_owned(), asked.existed.into());
        return Value::Object(shown);
    }
    let message = format!(
        "{asked_before}{denied}{} Call {} with request_id {} to wait for the decision.",
        asked.view.sentence(),
        Tool::WaitForDecision.name(),
        asked.view.request.id
    );
    shown.insert("message".to_owned(), message.into());
    shown.insert("existed".to_owned(), asked.existed.into());
    Value::Object(shown)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForeseeArguments {
    user_id: Option<Name>,
    role: Option<Name>,
    resource_instance: Option<Name>,
    action: Option<String>,
    arguments: Option<Value>,
    context: Option<JsonObject>,
    suggested_reviewers: Option<Vec<Name>>,
}

/// What asking would need. Writes nothing.
pub(super) async fn foresee(connection: &Connection, arguments: JsonObject) -> Answer {
    let wanted: ForeseeArguments = arguments::read(Tool::WhatWouldItNeed, arguments)?;
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let instance = given(wanted.resource_instance.as_ref());
    let call = spend::call(wanted.action, wanted.arguments, wanted.context)?;
    let kind =
        if wanted.role.is_some() { RequestKind::AccessRequest } else { RequestKind::OperationApproval };
    let (element, tenant) = (connection.element(kind, instance)?, connection.tenant());
    let (resource, place) = (connection.named_resource(), instance.map(str::to_owned));
    let (reason, times) = (String::new(), Times::default());
    let suggested_reviewers = named(wanted.suggested_reviewers);
    let foresight = match wanted.role {
        Some(_) if call.is_some() => {
            return Err(Error::invalid("A role is for no one call; leave action and arguments out."));
        }
        Some(role) => {
            let role = Ident::new(role.0.trim());
            acting
                .foresee_access(AskAccess {
                    element,
                    tenant,
                    resource,
                    instance: place,
                    role,
                    reason,
                    suggested_reviewers,
                    times,
                })
                .await?
        }
        None => {
            let (uses, instance) = (None, place);
            acting
                .foresee_operation(AskOperation {
                    element,
                    tenant,
                    resource,
                    instance,
                    reason,
                    suggested_reviewers,
                    times,
                    uses,
                    call,
                })
                .await?
        }
    };
    Ok(foreseen(&foresight))
}

fn foreseen(foresight: &Foresight) -> Value {
    let people: Vec<&str> = foresight.reviewers.iter().map(askfirst_domain::UserKey::as_str).collect();
    let who = if people.is_empty() {
        "nobody could decide it now".to_owned()
    } else {
        format!("{} could decide it", people.join(", "))
    };
    let (outcome, message) = match &foresight.foreseen {
        Foreseen::Waits => ("waits", format!("It would wait for a decision; {who}.")),
        Foreseen::Pending(id) => {
            ("pending", format!("It is asked already, in the request {id}, and waits; {who}."))
        }
        Foreseen::Rule { name, vote: Vote::Approve } => {
            ("approved", format!("It would be approved at once, automatically, by the rule `{name}`."))
        }
        Foreseen::Rule { name, vote: Vote::Deny } => (
            "denied",
            format!("It would be denied at once, automatically, by the rule `{name}`; do not ask for it."),
        ),
        Foreseen::Refused(why) => ("refused", why.clone()),
    };
    let mut shown = JsonObject::new();
    shown.insert("outcome".to_owned(), outcome.into());
    shown.insert("message".to_owned(), message.into());
    shown.insert("reviewers".to_owned(), serde_json::json!(people));
    let suggested: Vec<&str> = foresight.suggested.iter().map(askfirst_domain::UserKey::as_str).collect();
    shown.insert("suggested_reviewers".to_owned(), serde_json::json!(suggested));
    if !foresight.thresholds.is_empty() {
        shown.insert("thresholds".to_owned(), serde_json::json!(foresight.thresholds));
    }
    shown.extend(foresight.deadline.map(|at| ("deadline".to_owned(), at.to_string().into())));
    shown.extend(foresight.lasts.map(|lasts| ("lasts_seconds".to_owned(), lasts.seconds().into())));
    Value::Object(shown)
}
