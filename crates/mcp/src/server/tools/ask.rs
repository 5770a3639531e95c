//! `create_access_request` and `create_operation_approval`: the wish, and the request that came of it.

use super::{
    Answer, Tool,
    arguments::{self, Name, given},
    view,
};
use crate::server::connection::Connection;
use askfirst_domain::{Ident, binding::Call, request::RequestKind};
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
}

impl OperationArguments {
    /// The one call that is to be approved, if the wish is for one.
    fn call(&self) -> Result<Option<Call>> {
        match (arguments::text(self.action.clone()), &self.arguments) {
            (Some(action), given) => {
                let arguments = given.clone().unwrap_or_else(|| Value::Object(JsonObject::new()));
                Ok(Some(Call { action, arguments, context: JsonObject::new() }))
            }
            (None, None) => Ok(None),
            (None, Some(_)) => {
                Err(Error::invalid("Arguments belong to an action; name the tool or action in `action`."))
            }
        }
    }
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
    let call = wanted.call()?;
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
