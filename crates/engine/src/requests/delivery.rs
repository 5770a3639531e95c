//! What is to be told to an element's webhook. Written with the change; delivered later, at least once.

use crate::{EnvScope, error::Result};
use askfirst_domain::{
    audit::OutboxItem,
    element::Element,
    request::{Request, RequestKind},
};
use serde_json::{Value, json};

/// The topic of deliveries to an element's webhook.
pub(super) const TOPIC: &str = "element.webhook";

/// The outbox row for a request that was opened or has moved, when its element has a webhook. Address and token are
/// looked up when it is delivered, so that they stand in one place and a changed one counts.
pub(super) fn webhook(scope: &EnvScope, element: &Element, request: &Request) -> Result<Option<OutboxItem>> {
    let Some(webhook) = &element.webhook else { return Ok(None) };
    let payload = json!({
        "element_id": element.id,
        "webhook_id": webhook.id,
        "request_id": request.id,
        "body": body(request),
    });
    Ok(Some(OutboxItem {
        id: scope.engine.fresh_id::<()>(&scope.op)?.uuid(),
        topic: TOPIC.to_owned(),
        payload,
        created_at: scope.op.now,
    }))
}

/// The body in Permit's shape. Its documentation calls the role `action`, its models `role`: both are sent.
fn body(request: &Request) -> Value {
    let instance = request.instance.as_ref().map(|i| i.key.as_str());
    let (member, details) = match request.kind {
        RequestKind::AccessRequest => (
            "access_request_details",
            json!({
                "tenant": request.tenant,
                "resource": request.resource,
                "resource_instance": instance,
                "action": request.role.key,
                "role": request.role.key,
            }),
        ),
        RequestKind::OperationApproval => (
            "operation_approval_details",
            json!({"tenant": request.tenant, "resource": request.resource, "resource_instance": instance}),
        ),
    };
    json!({
        "id": request.id,
        "type": request.kind,
        "requesting_user_id": request.requester.id,
        member: details,
        "reason": request.reason,
        "status": request.status,
        "reviewer_user_id": request.reviewer.as_ref().map(|r| r.id),
        "reviewer_comment": request.reviewer_comment,
    })
}
