//! What webhooks are told of requests: the installation's every event, those of an environment what they want to hear.

use super::SigningSecret;
use crate::{EnvScope, error::Result};
use askfirst_domain::{
    audit::OutboxItem,
    id::WebhookId,
    request::{Request, Status},
};
use serde_json::{Value, json};
use std::fmt;
use uuid::Uuid;

/// The topic of what the installation's webhook is told.
pub(crate) const TOPIC: &str = "request.event";
/// The topic of what a webhook of an environment is told.
pub(crate) const WEBHOOK_TOPIC: &str = "webhook";
/// Stands for the installation's webhook among receivers.
const INSTALLATION: Uuid = Uuid::nil();

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

/// The outbox rows for an event of a request or of what its approval gave: for the webhooks of the environment that want to hear
/// of it, and for the installation's. All replicas are set alike: one without the latter gives up what the others have written.
pub(crate) fn told(scope: &EnvScope, request: &Request, event: &str) -> Result<Vec<OutboxItem>> {
    let listing = scope.engine.directory().get();
    let mut items = Vec::new();
    for webhook in listing.webhooks(scope.env.id).filter(|webhook| webhook.wants(event)) {
        items.push(for_webhook(scope, webhook.id, &body(scope, request, event))?);
    }
    if scope.engine.settings().webhook.is_some() {
        items.push(OutboxItem {
            id: scope.engine.fresh_id::<()>(&scope.op)?.uuid(),
            topic: TOPIC.to_owned(),
            receiver: Some(INSTALLATION),
            payload: json!({ "body": body(scope, request, event) }),
            created_at: scope.op.now,
        });
    }
    Ok(items)
}

/// The outbox row that tells a webhook of the environment something.
pub(super) fn for_webhook(scope: &EnvScope, webhook: WebhookId, body: &Value) -> Result<OutboxItem> {
    Ok(OutboxItem {
        id: scope.engine.fresh_id::<()>(&scope.op)?.uuid(),
        topic: WEBHOOK_TOPIC.to_owned(),
        receiver: Some(webhook.uuid()),
        payload: json!({ "webhook_id": webhook, "body": body }),
        created_at: scope.op.now,
    })
}

/// What became of a request, as an event.
pub(crate) fn event_of(request: &Request) -> &'static str {
    let emergency = request.course.emergency.as_ref();
    match request.status {
        Status::Pending if request.created_at == request.updated_at => "request.created",
        Status::Pending => "request.updated",
        Status::Approved if emergency.is_some_and(|emergency| emergency.looked_at.is_none()) => {
            "request.taken"
        }
        Status::Approved if emergency.is_some() => "request.looked_at",
        Status::Approved => "request.approved",
        Status::Denied => "request.denied",
        Status::Canceled => "request.canceled",
        Status::Expired => "request.expired",
    }
}

/// What happened, to what, and where to look. What people wrote (reasons, comments, arguments) is not in it: whoever may read
/// that signs in.
fn body(scope: &EnvScope, request: &Request, event: &str) -> Value {
    let grant = request.grant.as_ref().map(|grant| {
        json!({
            "state": grant.state(scope.op.now),
            "ends_at": grant.ends_at.map(|at| at.to_string()),
            "left": grant.left(),
        })
    });
    json!({
        "type": event,
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
            "emergency": request.course.emergency.is_some(),
            "reviewer": request.reviewer.as_ref().map(|reviewer| &reviewer.key),
            "grant": grant,
            "url": format!("{}/inbox/requests/{}", scope.engine.settings().public_url, request.id),
        },
    })
}
