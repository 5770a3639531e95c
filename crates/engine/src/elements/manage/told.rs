//! What an element's webhook is told of people who are managed. Written with the change; delivered later, at least once.

use super::Desk;
use crate::{error::Result, requests::delivery::TOPIC};
use askfirst_domain::{audit::OutboxItem, facts::User, schema::Role};
use serde_json::{Value, json};
use std::sync::Arc;

/// A role was given.
pub(super) fn role_given(desk: &Desk<'_>, user: &User, role: &Arc<Role>) -> Result<Option<OutboxItem>> {
    item(desk, || body(desk, "role_assignment", user, std::slice::from_ref(role)))
}

/// Somebody was added.
pub(super) fn user_added(desk: &Desk<'_>, user: &User, roles: &[Arc<Role>]) -> Result<Option<OutboxItem>> {
    item(desk, || body(desk, "create_user", user, roles))
}

fn item(desk: &Desk<'_>, body: impl FnOnce() -> Value) -> Result<Option<OutboxItem>> {
    let Some(webhook) = &desk.element.webhook else { return Ok(None) };
    let scope = desk.scope();
    Ok(Some(OutboxItem {
        id: scope.engine.fresh_id::<()>(&scope.op)?.uuid(),
        topic: TOPIC.to_owned(),
        receiver: Some(webhook.id),
        payload: json!({"element_id": desk.element.id, "webhook_id": webhook.id, "body": body()}),
        created_at: scope.op.now,
    }))
}

fn body(desk: &Desk<'_>, kind: &str, user: &User, roles: &[Arc<Role>]) -> Value {
    let keys: Vec<&str> = roles.iter().map(|role| role.key.as_str()).collect();
    json!({
        "type": kind,
        "user": {
            "id": user.id, "key": user.key, "email": user.email,
            "first_name": user.first_name, "last_name": user.last_name,
        },
        "roles": keys,
        "tenant": desk.tenant.key,
        "resource_instance": desk.reference().map(|on| on.to_string()),
        "acting_user_id": desk.acting.person.id,
    })
}
