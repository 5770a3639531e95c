//! `check_permission`: may this be done, why, and if not, what could be asked for.

use super::{
    Answer, Tool,
    arguments::{self, Name, given},
    find::instance_text,
};
use crate::server::connection::Connection;
use askfirst_domain::{decision::Place, request::RequestKind};
use askfirst_engine::{
    check::{Ask, Requestable},
    decisions::Door,
};
use rmcp::model::JsonObject;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    user_id: Option<Name>,
    action: Name,
    resource_instance: Name,
}

pub(super) async fn check(connection: &Connection, arguments: JsonObject) -> Answer {
    let wanted: Arguments = arguments::read(Tool::CheckPermission, arguments)?;
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let text = instance_text(connection, wanted.resource_instance.0.trim())?;
    let instance = acting.scope().instance(&text).await?;
    let ask = Ask {
        user: acting.user_key().to_string(),
        action: wanted.action.0.trim().to_owned(),
        resource: instance.resource.to_string(),
        instance: Some(instance.key.to_string()),
        tenant: Some(instance.tenant.to_string()),
    };
    let explained = acting.scope().decide_explained(ask.clone(), acting.given(), Door::Mcp);
    // Whoever asks through an agent may not see everybody's attributes.
    let explained = explained.without_values(&ask);
    let (user, action, object) = (&ask.user, &ask.action, ask.object());
    Ok(json!({
        "allowed": explained.allow,
        "explanation": explained.sentence,
        "user_id": user,
        "action": action,
        "resource_instance": object,
        "requestable": explained.requestable.iter().map(requestable).collect::<Vec<_>>(),
    }))
}

/// What could be asked for, and the call that asks for it.
fn requestable(offer: &Requestable) -> Value {
    let tool = match offer.kind {
        RequestKind::AccessRequest => Tool::CreateAccessRequest,
        RequestKind::OperationApproval => Tool::CreateOperationApproval,
    };
    let mut shown = json!({
        "type": offer.kind,
        "role": offer.role.role,
        "element": offer.element,
        "reviewers": offer.reviewers,
        "ask_with": tool.name(),
    });
    let (name, place) = match &offer.role.at {
        Place::Tenant(tenant) => ("tenant", tenant.to_string()),
        Place::Instance(instance) => ("resource_instance", instance.to_string()),
    };
    if let Some(members) = shown.as_object_mut() {
        members.insert(name.to_owned(), place.into());
    }
    shown
}
