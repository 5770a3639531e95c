//! `POST /access/v1/search/{subject,resource,action}`: exactly what an evaluation would allow, page by page. A type, id or
//! name that is not known finds nothing.

use super::{
    page::{Results, Window},
    problem::Answer,
    read::{Action, Message, Pep, Resource, Searched, Subject, USER, context, required},
};
use askfirst_domain::{Key, UserKey};
use axum::Json;
use serde::Serialize;

/// A subject that was found.
#[derive(Debug, Serialize)]
pub(super) struct FoundSubject {
    r#type: &'static str,
    id: UserKey,
}

/// A resource that was found.
#[derive(Debug, Serialize)]
pub(super) struct FoundResource {
    r#type: String,
    id: Key,
    properties: FoundProperties,
}

#[derive(Debug, Serialize)]
struct FoundProperties {
    tenant: Key,
}

/// An action that was found.
#[derive(Debug, Serialize)]
pub(super) struct FoundAction {
    name: Key,
}

pub(super) async fn subjects(Pep(scope): Pep, Message(members): Message) -> Answer<Results<FoundSubject>> {
    let subject: Searched = required(&members, "subject")?;
    let action: Action = required(&members, "action")?;
    let resource: Resource = required(&members, "resource")?;
    context(&members)?;
    let window = Window::of("subject", &members)?;
    let users = match subject.kind.as_str() {
        USER => scope.users_allowed(&action.name, &resource.thing()),
        _ => Vec::new(),
    };
    let found = users.into_iter().map(|id| FoundSubject { r#type: USER, id });
    Ok(Json(window.cut(found.collect())))
}

pub(super) async fn resources(Pep(scope): Pep, Message(members): Message) -> Answer<Results<FoundResource>> {
    let subject: Subject = required(&members, "subject")?;
    let action: Action = required(&members, "action")?;
    let resource: Searched = required(&members, "resource")?;
    context(&members)?;
    let window = Window::of("resource", &members)?;
    if subject.kind != USER {
        return Ok(Json(window.cut(Vec::new())));
    }
    let reached = scope
        .instances_allowed(&subject.id, &action.name, &resource.kind, resource.tenant(), window.page)
        .await?;
    let found = reached.items.into_iter().map(|item| FoundResource {
        r#type: resource.kind.clone(),
        id: item.key,
        properties: FoundProperties { tenant: item.tenant },
    });
    Ok(Json(window.results(found.collect(), reached.next, reached.total)))
}

pub(super) async fn actions(Pep(scope): Pep, Message(members): Message) -> Answer<Results<FoundAction>> {
    let subject: Subject = required(&members, "subject")?;
    let resource: Resource = required(&members, "resource")?;
    context(&members)?;
    let window = Window::of("action", &members)?;
    let actions = match subject.kind.as_str() {
        USER => scope.actions_allowed(&subject.id, &resource.thing()),
        _ => Vec::new(),
    };
    Ok(Json(window.cut(actions.into_iter().map(|name| FoundAction { name }).collect())))
}
