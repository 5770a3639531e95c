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
};
use askfirst_engine::{
    Acting, Error, Result,
    requests::{AskAccess, AskOperation, Asked, Times},
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
            times: Times::default(),
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
            times: Times::default(),
            uses: None,
            call,
        })
        .await?;
    Ok(created(&acting, &asked))
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
        let said = found.request.reviewer_comment.as_deref();
        let said = said.map(|said| format!(" They said: {said}")).unwrap_or_default();
        return Err(Error::conflict(format!(
            "Exactly this was asked before, and nothing new was made. {}{said}",
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
    let message = format!(
        "{asked_before}{} Call {} with request_id {} to wait for the decision.",
        asked.view.sentence(),
        Tool::WaitForDecision.name(),
        asked.view.request.id
    );
    shown.insert("message".to_owned(), message.into());
    shown.insert("existed".to_owned(), asked.existed.into());
    Value::Object(shown)
}
