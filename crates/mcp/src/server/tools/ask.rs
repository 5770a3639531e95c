//! `create_access_request` and `create_operation_approval`: the wish, and the request that came of it.

use super::{
    Answer, Tool,
    arguments::{self, Name, given},
    view,
};
use crate::server::connection::Connection;
use askfirst_domain::{Ident, request::RequestKind};
use askfirst_engine::{
    Acting,
    requests::{AskAccess, AskOperation, Asked},
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
        })
        .await?;
    Ok(created(&acting, &asked))
}

pub(super) async fn operation(connection: &Connection, arguments: JsonObject) -> Answer {
    let wanted: OperationArguments = arguments::read(Tool::CreateOperationApproval, arguments)?;
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let instance = given(wanted.resource_instance.as_ref());
    let asked = acting
        .request_operation(AskOperation {
            element: connection.element(RequestKind::OperationApproval, instance)?,
            tenant: connection.tenant(),
            resource: connection.named_resource(),
            instance: instance.map(str::to_owned),
            reason: wanted.reason,
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
