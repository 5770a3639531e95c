//! What is to be told to an element's webhook. Written with the change; delivered later, at least once.

use crate::{
    EnvScope,
    delivery::{call_back, event_of, mails, told},
    error::Result,
};
use askfirst_domain::{
    audit::OutboxItem,
    element::Element,
    request::{Request, RequestKind, Status},
};
use serde_json::{Value, json};

/// The topic of deliveries to an element's webhook.
pub(crate) const TOPIC: &str = "element.webhook";

/// All that is to be told of a request that was opened or has moved.
pub(super) fn news(
    scope: &EnvScope,
    element: Option<&Element>,
    request: &Request,
) -> Result<impl Iterator<Item = OutboxItem>> {
    let own = element.map(|element| webhook(scope, element, request)).transpose()?.flatten();
    let told = told(scope, request, event_of(request))?;
    let mails = mails(scope, element, request, event_of(request))?;
    Ok(own.into_iter().chain(told).chain(mails).chain(call_back(scope, request)?))
}

/// All that is to be told of what became of an approval: `grant.redeemed` and the like. Permit has no words for it, so elements'
/// webhooks are not told.
pub(super) fn news_of_grant(scope: &EnvScope, request: &Request, event: &str) -> Result<Vec<OutboxItem>> {
    told(scope, request, event)
}

/// The outbox row for a request that was opened or has moved, when its element has a webhook. Address and token are
/// looked up when it is delivered, so that they stand in one place and a changed one counts.
fn webhook(scope: &EnvScope, element: &Element, request: &Request) -> Result<Option<OutboxItem>> {
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
        receiver: Some(webhook.id),
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
        "status": in_permits_words(request.status),
        "reviewer_user_id": request.reviewer.as_ref().map(|r| r.id),
        "reviewer_comment": request.reviewer_comment,
    })
}

/// Permit knows no end of a pending request: one that nobody decided in time is `canceled` there.
fn in_permits_words(status: Status) -> Status {
    match status {
        Status::Expired => Status::Canceled,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use askfirst_domain::{
        Id, Timestamp,
        facts::InstanceLink,
        principal::Principal,
        request::{Person, WantedRole},
    };
    use uuid::Uuid;

    fn request(kind: RequestKind) -> Request {
        let key = |text: &str| text.parse().unwrap();
        let instance =
            InstanceLink { id: Id::new(Uuid::nil()), resource: key("restaurants"), key: key("palace") };
        Request {
            id: Id::new(Uuid::nil()),
            kind,
            element: Id::new(Uuid::nil()),
            element_key: key("restaurant-requests"),
            requester: Person { id: Id::new(Uuid::nil()), key: "henry".parse().unwrap() },
            tenant: key("default"),
            tenant_id: Id::new(Uuid::nil()),
            resource: Some(key("restaurants")),
            resource_id: Some(Id::new(Uuid::nil())),
            instance: Some(instance),
            role: WantedRole { id: Id::new(Uuid::nil()), key: key("child") },
            reason: "hungry".to_owned(),
            status: Status::Denied,
            reviewer: Some(Person { id: Id::new(Uuid::max()), key: "joe".parse().unwrap() }),
            reviewer_comment: Some("no".to_owned()),
            reviewed_at: None,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            opened_by: Principal::System { name: "test".to_owned() },
            wish: String::new(),
            deadline: None,
            offer: askfirst_domain::grant::Offer::default(),
            binding: None,
            grant: None,
            course: askfirst_domain::review::Course::default(),
            task: None,
        }
    }

    #[test]
    fn the_body_has_permits_shape() {
        let nil = Uuid::nil();
        let access = json!({
            "id": nil,
            "type": "access_request",
            "requesting_user_id": nil,
            "access_request_details": {
                "tenant": "default", "resource": "restaurants", "resource_instance": "palace",
                "action": "child", "role": "child",
            },
            "reason": "hungry",
            "status": "denied",
            "reviewer_user_id": Uuid::max(),
            "reviewer_comment": "no",
        });
        assert_eq!(body(&request(RequestKind::AccessRequest)), access);
        let operation = body(&request(RequestKind::OperationApproval));
        let details = json!({"tenant": "default", "resource": "restaurants", "resource_instance": "palace"});
        assert_eq!(operation.get("operation_approval_details"), Some(&details));
        assert_eq!(operation.get("access_request_details"), None);
    }
}
