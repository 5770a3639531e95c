//! The installation's webhook: every event of a request, for whoever runs the server.

use super::SigningSecret;
use crate::{EnvScope, error::Result};
use askfirst_domain::{
    audit::OutboxItem,
    request::{Request, Status},
};
use serde_json::{Value, json};
use std::fmt;

/// The topic of what the installation's webhook is told.
pub(crate) const TOPIC: &str = "request.event";

/// Where the installation's events go, and what they are signed with.
#[derive(Clone)]
pub struct Hook {
    pub url: String,
    pub secret: SigningSecret,
}

impl fmt::Debug for Hook {
    /// An address may hold a secret of its receiver.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook(…)")
    }
}

/// The outbox row for a request that was opened or has moved, when the installation has a webhook. All replicas are set
/// alike: one without it gives up what the others have written.
pub(crate) fn told(scope: &EnvScope, request: &Request) -> Result<Option<OutboxItem>> {
    if scope.engine.settings().webhook.is_none() {
        return Ok(None);
    }
    Ok(Some(OutboxItem {
        id: scope.engine.fresh_id::<()>(&scope.op)?.uuid(),
        topic: TOPIC.to_owned(),
        payload: json!({ "body": body(scope, request) }),
        created_at: scope.op.now,
    }))
}

/// What happened, to what, and where to look. What people wrote (reasons, comments, arguments) is not in it: whoever may read
/// that signs in.
fn body(scope: &EnvScope, request: &Request) -> Value {
    let emergency = request.course.emergency.as_ref();
    let event = match request.status {
        Status::Pending if request.created_at == request.updated_at => "created",
        Status::Pending => "updated",
        Status::Approved if emergency.is_some_and(|emergency| emergency.looked_at.is_none()) => "taken",
        Status::Approved if emergency.is_some() => "looked_at",
        moved => moved.as_str(),
    };
    json!({
        "type": format!("request.{event}"),
        "timestamp": scope.op.now.to_string(),
        "data": {
            "id": request.id,
            "kind": request.kind,
            "status": request.status,
            "project": scope.project().key,
            "environment": scope.environment().key,
            "element": request.element_key,
            "requester": request.requester.key,
            "tenant": request.tenant,
            "resource": request.resource,
            "resource_instance": request.instance.as_ref().map(|on| on.reference().to_string()),
            "role": request.role.key,
            "rule": request.course.rule,
            "emergency": emergency.is_some(),
            "reviewer": request.reviewer.as_ref().map(|reviewer| &reviewer.key),
            "url": format!("{}/inbox/requests/{}", scope.engine.settings().public_url, request.id),
        },
    })
}
