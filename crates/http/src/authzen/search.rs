//! `POST /access/v1/search/{subject,resource,action}`: exactly what an evaluation would allow, page by page. A type, id or
//! name that is not known finds nothing.

use super::{
    described::{ActionSearch, ResourceSearch, SubjectSearch},
    metadata::{SEARCH_ACTION, SEARCH_RESOURCE, SEARCH_SUBJECT},
    page::{Results, Window},
    problem::Answer,
    read::{Action, Message, Pep, Resource, Searched, Subject, USER, context, required},
};
use crate::openapi::{KeyShape, UserKeyShape};
use askfirst_domain::{Key, UserKey};
use askfirst_engine::check::{Given, InstanceSearch};
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// A subject that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FoundSubject {
    r#type: &'static str,
    #[schema(value_type = UserKeyShape)]
    id: UserKey,
}

/// A resource that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FoundResource {
    r#type: String,
    #[schema(value_type = KeyShape)]
    id: Key,
    properties: FoundProperties,
}

#[derive(Debug, Serialize, ToSchema)]
struct FoundProperties {
    #[schema(value_type = KeyShape)]
    tenant: Key,
}

/// An action that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FoundAction {
    #[schema(value_type = KeyShape)]
    name: Key,
}

/// Who may do this?
#[utoipa::path(
    post, path = SEARCH_SUBJECT, request_body = SubjectSearch,
    responses((status = OK, description = "A part of the users.", body = Results<FoundSubject>))
)]
pub(super) async fn subjects(Pep(scope): Pep, Message(members): Message) -> Answer<Results<FoundSubject>> {
    let subject: Searched = required(&members, "subject")?;
    let action: Action = required(&members, "action")?;
    let mut resource: Resource = required(&members, "resource")?;
    let context = context(&members)?;
    let window = Window::of("subject", &members)?;
    let given = Given {
        user: subject.properties.unwrap_or_default(),
        resource: resource.take_attributes(),
        action: action.properties.unwrap_or_default(),
        context,
        ..Given::default()
    };
    let users = match subject.kind.as_str() {
        USER => scope.users_allowed(&action.name, &resource.thing(), &given).await?,
        _ => Vec::new(),
    };
    let (users, page) = window.cut(users, UserKey::as_str);
    let found = users.into_iter().map(|id| FoundSubject { r#type: USER, id });
    Ok(Json(page.with(found.collect())))
}

/// What may this subject do it to?
#[utoipa::path(
    post, path = SEARCH_RESOURCE, request_body = ResourceSearch,
    responses((status = OK, description = "A part of the instances.", body = Results<FoundResource>))
)]
pub(super) async fn resources(Pep(scope): Pep, Message(members): Message) -> Answer<Results<FoundResource>> {
    let subject: Subject = required(&members, "subject")?;
    let action: Action = required(&members, "action")?;
    let resource: Searched = required(&members, "resource")?;
    let context = context(&members)?;
    let window = Window::of("resource", &members)?;
    let kind = resource.kind.clone();
    let (tenant, attributes) = resource.into_tenant_and_attributes()?;
    if subject.kind != USER {
        return Ok(Json(window.page(None, Some(0)).with(Vec::new())));
    }
    let given = Given {
        user: subject.properties.unwrap_or_default(),
        resource: attributes,
        action: action.properties.unwrap_or_default(),
        context,
        ..Given::default()
    };
    let search = InstanceSearch {
        user: subject.id,
        action: action.name,
        resource: kind.clone(),
        tenant,
        after: window.after.clone(),
        limit: window.limit,
    };
    let reached = scope.instances_allowed(search, &given).await?;
    let last = reached.items.last().filter(|_| reached.more).map(|item| item.key.to_string());
    let found = reached.items.into_iter().map(|item| FoundResource {
        r#type: kind.clone(),
        id: item.key,
        properties: FoundProperties { tenant: item.tenant },
    });
    Ok(Json(window.page(last, reached.total).with(found.collect())))
}

/// What may this subject do to it?
#[utoipa::path(
    post, path = SEARCH_ACTION, request_body = ActionSearch,
    responses((status = OK, description = "A part of the actions.", body = Results<FoundAction>))
)]
pub(super) async fn actions(Pep(scope): Pep, Message(members): Message) -> Answer<Results<FoundAction>> {
    let subject: Subject = required(&members, "subject")?;
    let mut resource: Resource = required(&members, "resource")?;
    let context = context(&members)?;
    let window = Window::of("action", &members)?;
    let given = Given {
        user: subject.properties.unwrap_or_default(),
        resource: resource.take_attributes(),
        context,
        ..Given::default()
    };
    let actions = match subject.kind.as_str() {
        USER => scope.actions_allowed(&subject.id, &resource.thing(), &given),
        _ => Vec::new(),
    };
    let (actions, page) = window.cut(actions, Key::as_str);
    Ok(Json(page.with(actions.into_iter().map(|name| FoundAction { name }).collect())))
}
