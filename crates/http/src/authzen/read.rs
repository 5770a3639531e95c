//! What a caller sends: subject, action, resource and context. Members that are not known are ignored.

use super::{offer::act_of, problem::Problem};
use crate::{
    App,
    auth::Deciding,
    body::{Body, BodyError, plain},
    error::Failure,
};
use askfirst_domain::evaluation::{APPROVAL, Evaluation};
use askfirst_engine::{
    EnvScope,
    check::{Ask, Given, Thing},
};
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;

/// The only type of subjects: the users of the environment.
pub(super) const USER: &str = "user";

/// The members of an object.
pub(super) type Members = Map<String, Value>;

/// The enforcement point, by the key of its environment.
#[derive(Debug)]
pub(super) struct Pep(pub(super) EnvScope);

impl FromRequestParts<Arc<App>> for Pep {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Deciding(scope) = Deciding::from_request_parts(parts, app).await?;
        Ok(Self(scope))
    }
}

/// The body of a call: a JSON object.
#[derive(Debug)]
pub(super) struct Message(pub(super) Members);

impl FromRequest<Arc<App>> for Message {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        match Body::<Members>::from_request(request, app).await {
            Ok(Body(members)) => Ok(Self(members)),
            Err(BodyError::TooLarge { limit }) => Err(Failure::too_large(limit).into()),
            Err(BodyError::Shape { message, .. }) => Err(Problem::bad_request(sentence(&message))),
        }
    }
}

/// Who wants to do something.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AuthZenSubject)]
pub(super) struct Subject {
    /// `user`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The key of the user.
    pub(super) id: String,
    /// Attributes that conditions see.
    #[schema(value_type = Option<Object>)]
    pub(super) properties: Option<Members>,
}

/// What they want to do.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AuthZenAction)]
pub(super) struct Action {
    pub(super) name: String,
    #[schema(value_type = Option<Object>)]
    pub(super) properties: Option<Members>,
}

/// What they want to do it to.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AuthZenResource)]
pub(super) struct Resource {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    properties: Option<Properties>,
}

/// A subject or resource that is searched for; an id is ignored. Its properties are said of everything that is found.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Searched {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[schema(value_type = Option<Properties>)]
    pub(super) properties: Option<Members>,
}

/// The tenant, and attributes that conditions see.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AuthZenResourceProperties)]
struct Properties {
    tenant: Option<String>,
    /// The attributes that conditions see.
    #[serde(flatten)]
    #[schema(ignore)]
    others: Members,
}

impl Resource {
    /// Takes out what the call says of the resource besides its tenant.
    pub(super) fn take_attributes(&mut self) -> Members {
        self.properties.as_mut().map(|properties| std::mem::take(&mut properties.others)).unwrap_or_default()
    }

    /// In the engine's words.
    pub(super) fn thing(self) -> Thing {
        let tenant = self.properties.and_then(|properties| properties.tenant);
        Thing { resource: self.kind, instance: Some(self.id), tenant }
    }
}

impl Searched {
    /// The tenant that the search of resources stays in, and the attributes.
    pub(super) fn into_tenant_and_attributes(self) -> Result<(Option<String>, Members), Problem> {
        let mut attributes = self.properties.unwrap_or_default();
        match attributes.remove("tenant") {
            None | Some(Value::Null) => Ok((None, attributes)),
            Some(Value::String(tenant)) => Ok((Some(tenant), attributes)),
            Some(_) => Err(Problem::bad_request(
                "The member `resource` can't be read: `properties.tenant` is the key of a tenant, a text.",
            )),
        }
    }
}

/// A question about a user of the environment.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) ask: Ask,
    pub(super) given: Given,
    pub(super) evaluation: Evaluation,
    /// Who acts for the subject, by its properties.
    pub(super) act: Option<Value>,
}

/// Whom a question is about.
#[derive(Debug)]
pub(super) enum Asked {
    OfUser(Box<Question>),
    /// A subject of a type that there is not.
    OfOther {
        kind: String,
    },
}

impl Question {
    /// The question of a call.
    pub(super) fn read(members: &Members) -> Result<Asked, Problem> {
        let subject: Subject = required(members, "subject")?;
        let action: Action = required(members, "action")?;
        let mut resource: Resource = required(members, "resource")?;
        let mut context = context(members)?;
        if subject.kind != USER {
            return Ok(Asked::OfOther { kind: subject.kind });
        }
        let object = |name: &str| members.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let said = object("subject");
        let evaluation = Evaluation::new(&said, &object("resource"), &object("action"), &context);
        context.remove(APPROVAL);
        let given = Given {
            user: subject.properties.unwrap_or_default(),
            resource: resource.take_attributes(),
            action: action.properties.unwrap_or_default(),
            context,
            ..Given::default()
        };
        let ask = resource.thing().asked(subject.id, action.name);
        let act = act_of(&said);
        Ok(Asked::OfUser(Box::new(Self { ask, given, evaluation, act })))
    }
}

/// A member that has to be there.
pub(super) fn required<T: DeserializeOwned>(members: &Members, name: &str) -> Result<T, Problem> {
    optional(members, name)?
        .ok_or_else(|| Problem::bad_request(format!("The member `{name}` is missing; it is required.")))
}

/// A member that may be absent. A null is not absent, and seldom what was meant.
pub(super) fn optional<T: DeserializeOwned>(members: &Members, name: &str) -> Result<Option<T>, Problem> {
    let Some(value) = members.get(name) else { return Ok(None) };
    T::deserialize(value).map(Some).map_err(|e| {
        Problem::bad_request(format!("The member `{name}` can't be read: {}.", plain(&e.to_string())))
    })
}

/// The context of a call, an object; empty when there is none.
pub(super) fn context(members: &Members) -> Result<Members, Problem> {
    Ok(optional(members, "context")?.unwrap_or_default())
}

fn sentence(message: &str) -> String {
    format!("{}.", message.trim_end_matches('.'))
}
