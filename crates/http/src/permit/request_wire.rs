//! What access requests and operation approvals share on the wire: for whom a call is made, and the models' common
//! members.

use super::wire::{Home, Moment, Text};
use crate::{
    App,
    auth::{AsUser, InEnv},
    error::Failure,
    openapi::{IdShape, KeyShape, RequestKindWord, RequestStatusWord, UserKeyShape},
};
use askfirst_domain::{
    Ident, Key, UserKey,
    id::{RequestId, UserId},
    request::{RequestKind, Status},
};
use askfirst_engine::{
    Acting, Page,
    requests::{Asked, PersonView, RequestView},
};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The page size of lists of requests when the call does not say.
pub(super) const PER_PAGE: u32 = 30;

/// For whom a call is made: the user (and tenant) that the path names, said by a server with an API key; or, on a path
/// that names none, the user of the element session.
#[derive(Debug)]
pub(super) struct OnBehalf(pub(super) Acting);

/// The user and tenant of a path.
#[derive(Debug, Deserialize)]
struct InPath {
    user: Option<Text>,
    tenant: Option<Text>,
}

impl FromRequestParts<Arc<App>> for OnBehalf {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let Path(path) = Path::<InPath>::from_request_parts(parts, app)
            .await
            .map_err(|_| askfirst_engine::Error::invalid("The path can't be read."))?;
        let Some(user) = path.user else {
            let AsUser(acting) = AsUser::from_request_parts(parts, app).await?;
            return Ok(Self(acting));
        };
        let InEnv(scope) = InEnv::from_request_parts(parts, app).await?;
        let acting = scope.act_for(&user.ident()).await?;
        Ok(Self(match path.tenant {
            Some(tenant) => acting.within_tenant(&tenant.ident()).await?,
            None => acting,
        }))
    }
}

/// The element of a path.
#[derive(Debug, Deserialize)]
pub(super) struct InElement {
    pub(super) element: Text,
}

/// The element and request of a path.
#[derive(Debug, Deserialize)]
pub(super) struct OfElement {
    pub(super) element: Text,
    pub(super) request: Text,
}

impl OfElement {
    /// The request's id, once it is clear that it belongs to the element.
    pub(super) async fn request(&self, acting: &Acting, kind: RequestKind) -> Result<Ident, Failure> {
        let view = acting.request_through(kind, &self.element.ident(), &self.request.ident()).await?;
        Ok(Ident::from(view.request.id.uuid()))
    }
}

/// `{"reason"}` of a cancel call.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RequestCancel)]
pub(super) struct CancelBody {
    pub(super) reason: Option<String>,
}

/// `AccessRequestReview`, `OperationApprovalReview` and their kin.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RequestReview)]
pub(super) struct ReviewBody {
    pub(super) reviewer_comment: Option<String>,
    pub(super) role: Option<Text>,
}

impl ReviewBody {
    pub(super) fn role(&self) -> Option<Ident> {
        self.role.as_ref().filter(|role| !role.0.is_empty()).map(Text::ident)
    }
}

/// What lists are narrowed by. Access requests say `resource_instance_id`, operation approvals `resource_instance`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Those that stand so.
    pub(super) status: Option<String>,
    /// Those in this tenant.
    #[param(value_type = Option<String>)]
    pub(super) tenant: Option<Text>,
    /// Those for this role.
    #[param(value_type = Option<String>)]
    pub(super) role: Option<Text>,
    /// Those on this resource.
    #[param(value_type = Option<String>)]
    pub(super) resource: Option<Text>,
    /// Those on this instance.
    #[param(value_type = Option<String>)]
    pub(super) resource_instance: Option<Text>,
    /// The same as `resource_instance`.
    #[param(value_type = Option<String>)]
    pub(super) resource_instance_id: Option<Text>,
    pub(super) page: Option<u32>,
    #[param(default = 30)]
    pub(super) per_page: Option<u32>,
}

impl ListQuery {
    /// The engine's query for requests of a kind through an element. A member that is empty counts as not given.
    pub(super) fn narrowed(
        &self,
        kind: RequestKind,
        element: &Text,
    ) -> Result<askfirst_engine::requests::RequestQuery, Failure> {
        let given = |text: &Option<Text>| text.as_ref().filter(|text| !text.0.is_empty()).map(Text::ident);
        let status = self.status.as_deref().filter(|status| !status.is_empty());
        let status: Option<Status> =
            status.map(str::parse).transpose().map_err(askfirst_engine::Error::from)?;
        let instance = given(&self.resource_instance).or_else(|| given(&self.resource_instance_id));
        Ok(askfirst_engine::requests::RequestQuery {
            kind: Some(kind),
            element: Some(element.ident()),
            statuses: status.map(as_stored),
            role: given(&self.role),
            resource: given(&self.resource),
            instance: instance.map(|ident| ident.as_str().to_owned()),
            tenant: given(&self.tenant),
            ..Default::default()
        })
    }

    /// The part that is asked for, and its size.
    pub(super) fn window(&self) -> Result<(Page, u32), Failure> {
        let query = crate::listing::PageQuery { page: self.page, per_page: self.per_page };
        let (offset, limit) = query.window(PER_PAGE)?;
        Ok((Page { offset, limit }, limit))
    }
}

/// The status in Permit's words, which has no end of a pending request: one that nobody decided in time is `canceled`.
fn on_the_wire(status: Status) -> Status {
    match status {
        Status::Expired => Status::Canceled,
        other => other,
    }
}

/// What a status of Permit's covers.
fn as_stored(status: Status) -> Vec<Status> {
    match status {
        Status::Canceled => vec![Status::Canceled, Status::Expired],
        other => vec![other],
    }
}

/// How the requester is named in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// By id, as the models say.
    ById,
    /// By an object alone, which Permit's own MCP server needs in lists.
    ByObject,
}

impl Naming {
    /// How lists name requesters.
    pub(super) fn of_lists(app: &App) -> Self {
        if app.options.permit_mcp_compat { Self::ByObject } else { Self::ById }
    }
}

/// A person beside a request: our addition to the models.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestPerson)]
pub(super) struct PersonRead {
    #[schema(value_type = IdShape)]
    id: UserId,
    #[schema(value_type = UserKeyShape)]
    key: UserKey,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
}

impl From<&PersonView> for PersonRead {
    fn from(person: &PersonView) -> Self {
        Self {
            id: person.id,
            key: person.key.clone(),
            first_name: person.first_name.clone(),
            last_name: person.last_name.clone(),
            email: person.email.clone(),
        }
    }
}

/// `AccessRequestDetails` and `OperationApprovalDetails`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestDetails)]
pub(super) struct DetailsRead {
    #[schema(value_type = KeyShape)]
    tenant: Key,
    #[schema(value_type = Option<KeyShape>)]
    resource: Option<Key>,
    #[schema(value_type = Option<KeyShape>)]
    resource_instance: Option<Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = KeyShape, required = false)]
    role: Option<Key>,
    #[schema(value_type = KeyShape)]
    element_config_id: Key,
}

/// `AccessRequestRead` and `OperationApprovalRead`, and what their approve, deny and cancel calls answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RequestRead {
    access_request_details: DetailsRead,
    reason: String,
    #[schema(value_type = IdShape)]
    id: RequestId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    #[schema(value_type = Option<IdShape>)]
    requesting_user_id: Option<UserId>,
    requesting_user: PersonRead,
    reviewed_at: Option<Moment>,
    #[serde(rename = "type")]
    #[schema(value_type = RequestKindWord)]
    kind: RequestKind,
    reviewer_comment: Option<String>,
    #[schema(value_type = RequestStatusWord)]
    status: Status,
    #[schema(value_type = Option<IdShape>)]
    reviewer_user_id: Option<UserId>,
    /// Our addition: the one call that an approval is for, with its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    call: Option<Value>,
    /// Set by create calls: the same was asked before and is still pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false)]
    existed: Option<bool>,
}

impl RequestRead {
    pub(super) fn new(acting: &Acting, view: &RequestView, naming: Naming) -> Self {
        let request = &view.request;
        Self {
            access_request_details: DetailsRead {
                tenant: request.tenant.clone(),
                resource: request.resource.clone(),
                resource_instance: request.instance.as_ref().map(|i| i.key.clone()),
                role: (request.kind == RequestKind::AccessRequest).then(|| request.role.key.clone()),
                element_config_id: request.element_key.clone(),
            },
            reason: request.reason.clone(),
            id: request.id,
            home: acting.scope().into(),
            created_at: Moment(request.created_at),
            updated_at: Moment(request.updated_at),
            requesting_user_id: (naming == Naming::ById).then_some(request.requester.id),
            requesting_user: (&view.requester).into(),
            reviewed_at: request.reviewed_at.map(Moment),
            kind: request.kind,
            reviewer_comment: request.reviewer_comment.clone(),
            status: on_the_wire(request.status),
            reviewer_user_id: request.reviewer.as_ref().map(|reviewer| reviewer.id),
            call: request.binding.as_ref().map(|binding| {
                let call = &binding.call;
                json!({"action": call.action, "arguments": call.arguments, "context": call.context, "digest": binding.digest})
            }),
            existed: None,
        }
    }

    pub(super) fn asked(acting: &Acting, asked: &Asked) -> Self {
        Self { existed: Some(asked.existed), ..Self::new(acting, &asked.view, Naming::ById) }
    }
}
