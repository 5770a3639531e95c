//! `redeem_operation_approval` and `record_outcome`: spending an approval of the very agent that calls, and saying what came
//! of it. The agent and its human are those of the credential.

use super::{
    Answer, Tool,
    arguments::{self, Count, Name, given},
    view,
};
use crate::server::connection::Connection;
use askfirst_domain::{
    Ident,
    binding::Call,
    grant::{Grant, Outcome},
    request::RequestKind,
};
use askfirst_engine::{
    Error, Result,
    requests::{CallAt, Pass, Redeem},
};
use rmcp::model::JsonObject;
use serde::Deserialize;
use serde_json::{Value, json};

/// A call as it is made; the same members wherever a call is written down.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RedeemArguments {
    user_id: Option<Name>,
    operation_approval_id: Option<Name>,
    resource_instance: Option<Name>,
    action: Option<String>,
    arguments: Option<Value>,
    context: Option<JsonObject>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordArguments {
    user_id: Option<Name>,
    operation_approval_id: Option<Name>,
    number: Option<Count>,
    resource_instance: Option<Name>,
    action: Option<String>,
    arguments: Option<Value>,
    context: Option<JsonObject>,
    outcome: OutcomeWord,
    note: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeWord {
    Succeeded,
    Failed,
}

impl From<OutcomeWord> for Outcome {
    fn from(word: OutcomeWord) -> Self {
        match word {
            OutcomeWord::Succeeded => Self::Succeeded,
            OutcomeWord::Failed => Self::Failed,
        }
    }
}

/// The call that a tool's arguments write down, if they do.
pub(super) fn call(
    action: Option<String>,
    arguments: Option<Value>,
    context: Option<JsonObject>,
) -> Result<Option<Call>> {
    match arguments::text(action) {
        Some(action) => Ok(Some(Call {
            action,
            arguments: arguments.unwrap_or_else(|| Value::Object(JsonObject::new())),
            context: context.unwrap_or_default(),
        })),
        None if arguments.is_some() || context.is_some() => Err(Error::invalid(
            "Arguments and context belong to an action; name the tool or action in `action`.",
        )),
        None => Ok(None),
    }
}

/// Where a call is to be made, as the connection and the tool's arguments say.
pub(super) fn at(connection: &Connection, instance: Option<&str>, call: Call) -> Result<CallAt> {
    Ok(CallAt {
        element: connection.element(RequestKind::OperationApproval, instance)?,
        tenant: connection.tenant(),
        instance: instance.map(str::to_owned),
        call,
    })
}

pub(super) async fn redeem(connection: &Connection, arguments: JsonObject) -> Answer {
    let wanted: RedeemArguments = arguments::read(Tool::RedeemOperationApproval, arguments)?;
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let call = call(wanted.action, wanted.arguments, wanted.context)?;
    let pass = match (given(wanted.operation_approval_id.as_ref()), call) {
        (Some(id), call) => acting.redeem(&Ident::new(id), &Redeem { call, ..Redeem::default() }).await?,
        (None, Some(call)) => {
            acting.redeem_call(&at(connection, given(wanted.resource_instance.as_ref()), call)?).await?
        }
        (None, None) => {
            return Err(Error::invalid(
                "Say which approval is to be spent: its id in `operation_approval_id`, or the call in `action` and \
                 `arguments`.",
            ));
        }
    };
    Ok(redeemed(&pass))
}

pub(super) async fn record(connection: &Connection, arguments: JsonObject) -> Answer {
    let wanted: RecordArguments = arguments::read(Tool::RecordOutcome, arguments)?;
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let (outcome, note) = (wanted.outcome.into(), arguments::text(wanted.note));
    let call = call(wanted.action, wanted.arguments, wanted.context)?;
    let recorded = match (given(wanted.operation_approval_id.as_ref()), call) {
        (Some(id), None) => {
            let number = wanted.number.map_or(1, |number| number.0);
            acting.record_outcome(&Ident::new(id), number, outcome, note).await?
        }
        (None, Some(call)) => {
            let at = at(connection, given(wanted.resource_instance.as_ref()), call)?;
            acting.record_call(&at, outcome, note).await?
        }
        _ => {
            return Err(Error::invalid(
                "Say of which use: by `operation_approval_id` and `number`, or else by the call in `action` and `arguments`.",
            ));
        }
    };
    Ok(Value::Object(view::request(&acting, &recorded)))
}

fn redeemed(pass: &Pass) -> Value {
    let request = pass.request();
    let mut shown = json!({
        "operation_approval_id": request.id,
        "number": pass.number(),
        "message": "One use is spent. Make the call now, once and exactly as approved, and then say what came of it with record_outcome.",
    });
    if let Some(shown) = shown.as_object_mut() {
        let left = request.grant.as_ref().and_then(Grant::left);
        shown.extend(left.map(|left| ("left".to_owned(), json!(left))));
        shown.extend(request.binding.as_ref().map(|binding| ("call".to_owned(), view::call(binding))));
        let instance = request.instance.as_ref();
        shown.extend(instance.map(|i| ("resource_instance".to_owned(), json!(i.reference().to_string()))));
    }
    shown
}
