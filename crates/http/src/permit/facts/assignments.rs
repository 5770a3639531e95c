//! `role_assignments`, and the same under a user. `expires_at` is ours: Permit's models have no end of a role.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::Paginated,
    openapi::{IdShape, KeyShape, Routes, UserKeyShape},
    permit::wire::{Home, Moment, Params, Switch, Text, page},
};
use askfirst_domain::{
    Key, UserKey,
    facts::{Attributes, RoleAssignment},
    id::{AssignmentId, InstanceId, RoleId, TenantId, UserId},
};
use askfirst_engine::{
    EnvScope, Page,
    facts::{AssignmentDetails, AssignmentQuery, AssignmentSpec, UnassignmentSpec},
};
use axum::{
    Json,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list_detailed))
        .routes(routes!(list, assign, unassign))
        .routes(routes!(assign_many, unassign_many))
        .routes(routes!(assign_user, unassign_user))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleAssignmentRead)]
pub(crate) struct AssignmentRead {
    #[schema(value_type = IdShape)]
    id: AssignmentId,
    #[schema(value_type = UserKeyShape)]
    user: UserKey,
    #[schema(value_type = KeyShape)]
    role: Key,
    #[schema(value_type = KeyShape)]
    tenant: Key,
    resource_instance: Option<String>,
    #[schema(value_type = Option<IdShape>)]
    resource_instance_id: Option<InstanceId>,
    #[schema(value_type = IdShape)]
    user_id: UserId,
    #[schema(value_type = IdShape)]
    role_id: RoleId,
    #[schema(value_type = IdShape)]
    tenant_id: TenantId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    expires_at: Option<Moment>,
}

impl AssignmentRead {
    pub(crate) fn new(scope: &EnvScope, a: RoleAssignment) -> Self {
        Self {
            id: a.id,
            user: a.user,
            role: a.role,
            tenant: a.tenant,
            resource_instance: a.instance.as_ref().map(|on| on.reference().to_string()),
            resource_instance_id: a.instance.as_ref().map(|on| on.id),
            user_id: a.user_id,
            role_id: a.role_id,
            tenant_id: a.tenant_id,
            home: scope.into(),
            created_at: Moment(a.created_at),
            expires_at: a.expires_at.map(Moment),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleAssignmentDetailedRead)]
pub(crate) struct DetailedRead {
    #[schema(value_type = IdShape)]
    id: AssignmentId,
    role: RoleBlock,
    user: UserBlock,
    tenant: TenantBlock,
    resource_instance: Option<InstanceBlock>,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    expires_at: Option<Moment>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleAssignmentRole)]
struct RoleBlock {
    #[schema(value_type = IdShape)]
    id: RoleId,
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    permissions: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleAssignmentUser)]
struct UserBlock {
    #[schema(value_type = IdShape)]
    id: UserId,
    #[schema(value_type = UserKeyShape)]
    key: UserKey,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    #[schema(value_type = Map<String, Value>)]
    attributes: Attributes,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleAssignmentTenant)]
struct TenantBlock {
    #[schema(value_type = IdShape)]
    id: TenantId,
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    #[schema(value_type = Map<String, Value>)]
    attributes: Attributes,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleAssignmentResourceInstance)]
struct InstanceBlock {
    #[schema(value_type = IdShape)]
    id: InstanceId,
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = KeyShape)]
    resource: Key,
    #[schema(value_type = Map<String, Value>)]
    attributes: Attributes,
}

impl DetailedRead {
    fn new(scope: &EnvScope, d: AssignmentDetails) -> Self {
        let permissions = d.role.permissions.iter().map(|p| match &d.role.resource {
            Some(_) => p.action.to_string(),
            None => format!("{}:{}", p.resource, p.action),
        });
        Self {
            id: d.assignment.id,
            role: RoleBlock {
                id: d.role.id,
                key: d.role.key.clone(),
                name: d.role.name.clone(),
                permissions: permissions.collect(),
            },
            user: UserBlock {
                id: d.user.id,
                key: d.user.key,
                email: d.user.email,
                first_name: d.user.first_name,
                last_name: d.user.last_name,
                attributes: d.user.attributes,
            },
            tenant: TenantBlock {
                id: d.tenant.id,
                key: d.tenant.key,
                name: d.tenant.name,
                attributes: d.tenant.attributes,
            },
            resource_instance: d.instance.map(|i| InstanceBlock {
                id: i.id,
                key: i.key,
                resource: i.resource,
                attributes: i.attributes,
            }),
            home: scope.into(),
            created_at: Moment(d.assignment.created_at),
            expires_at: d.assignment.expires_at.map(Moment),
        }
    }
}

/// An assignment in either form.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = RoleAssignmentListed)]
#[expect(clippy::large_enum_variant, reason = "an item lives for one answer, beside a page of others")]
pub(crate) enum ListedRead {
    Plain(AssignmentRead),
    Detailed(DetailedRead),
}

/// `RoleAssignmentCreate`, `RoleAssignmentRemove`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RoleAssignmentCreate)]
pub(crate) struct AssignmentBody {
    user: Text,
    #[serde(flatten)]
    role: RoleBody,
}

/// `UserRoleCreate`, `UserRoleRemove`: the user is in the path.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserRoleCreate)]
pub(crate) struct RoleBody {
    role: Text,
    #[serde(default)]
    tenant: Option<Text>,
    #[serde(default)]
    resource_instance: Option<Text>,
    #[serde(default)]
    expires_at: Option<Moment>,
}

impl RoleBody {
    fn of(self, user: &Text) -> AssignmentSpec {
        AssignmentSpec {
            user: user.ident(),
            role: self.role.ident(),
            tenant: self.tenant.as_ref().map(Text::ident),
            instance: self.resource_instance.map(|text| text.0),
            expires_at: self.expires_at.map(|moment| moment.0),
        }
    }

    fn no_longer_of(self, user: &Text) -> UnassignmentSpec {
        let AssignmentSpec { user, role, tenant, instance, .. } = self.of(user);
        UnassignmentSpec { user, role, tenant, instance }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    /// Those of these users.
    #[serde(default)]
    #[param(value_type = Vec<String>)]
    user: Vec<Text>,
    /// Those of these roles.
    #[serde(default)]
    #[param(value_type = Vec<String>)]
    role: Vec<Text>,
    /// Those in these tenants.
    #[serde(default)]
    #[param(value_type = Vec<String>)]
    tenant: Vec<Text>,
    /// Those on instances of this resource.
    #[param(value_type = Option<String>)]
    resource: Option<Text>,
    /// Those on this instance: `type:key`, or an id.
    #[param(value_type = Option<String>)]
    resource_instance: Option<Text>,
    /// With user, role, tenant and instance instead of their keys.
    #[serde(default)]
    #[param(value_type = bool)]
    detailed: Switch,
}

#[derive(Debug, Deserialize)]
pub(super) struct OfUser {
    user: Text,
}

/// A PDP's client may ask for the assignment that was deleted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct UnassignQuery {
    #[serde(default)]
    #[param(value_type = bool)]
    return_deleted: Switch,
}

impl ListQuery {
    fn split(self) -> Answer<(AssignmentQuery, Page)> {
        let names = |texts: &[Text]| texts.iter().map(Text::ident).collect();
        let query = AssignmentQuery {
            users: names(&self.user),
            roles: names(&self.role),
            tenants: names(&self.tenant),
            resource: self.resource.as_ref().map(Text::ident),
            instance: self.resource_instance.map(|text| text.0),
        };
        Ok((query, page(self.page, self.per_page)?))
    }
}

/// List role assignments
#[utoipa::path(
    get, path = "/role_assignments", params(ListQuery),
    responses((
        status = OK, description = "A page of assignments; with `detailed`, of detailed ones.",
        body = Vec<ListedRead>
    ))
)]
async fn list(InEnv(scope): InEnv, Params(q): Params<ListQuery>) -> Answer<Json<Vec<ListedRead>>> {
    let detailed = q.detailed.is_on();
    let (query, page) = q.split()?;
    let found = scope.list_assignments(&query, page).await?.items;
    Ok(Json(if detailed {
        let details = scope.assignment_details(found).await?;
        details.into_iter().map(|d| ListedRead::Detailed(DetailedRead::new(&scope, d))).collect()
    } else {
        found.into_iter().map(|a| ListedRead::Plain(AssignmentRead::new(&scope, a))).collect()
    }))
}

/// List role assignments with what they are about
#[utoipa::path(
    get, path = "/role_assignments/detailed", params(ListQuery),
    responses((status = OK, description = "A page of assignments.", body = Paginated<DetailedRead>))
)]
async fn list_detailed(
    InEnv(scope): InEnv,
    Params(q): Params<ListQuery>,
) -> Answer<Json<Paginated<DetailedRead>>> {
    let (query, page) = q.split()?;
    let found = scope.list_assignments(&query, page).await?;
    let details = scope.assignment_details(found.items).await?.into_iter();
    let data = details.map(|d| DetailedRead::new(&scope, d)).collect();
    Ok(Json(Paginated::new(data, found.total, page.limit)))
}

/// Give a user a role
///
/// In a tenant, or on an instance.
#[utoipa::path(
    post, path = "/role_assignments", request_body = AssignmentBody,
    responses((status = OK, description = "The assignment.", body = AssignmentRead))
)]
async fn assign(InEnv(scope): InEnv, Body(body): Body<AssignmentBody>) -> Answer<Json<AssignmentRead>> {
    let made = scope.assign_role(&body.role.of(&body.user)).await?;
    Ok(Json(AssignmentRead::new(&scope, made)))
}

/// Give this user a role
///
/// In a tenant, or on an instance.
#[utoipa::path(
    post, path = "/users/{user}/roles", request_body = RoleBody,
    responses((status = OK, description = "The assignment.", body = AssignmentRead))
)]
async fn assign_user(
    InEnv(scope): InEnv,
    Path(at): Path<OfUser>,
    Body(body): Body<RoleBody>,
) -> Answer<Json<AssignmentRead>> {
    let made = scope.assign_role(&body.of(&at.user)).await?;
    Ok(Json(AssignmentRead::new(&scope, made)))
}

/// Take a role from a user
#[utoipa::path(
    delete, path = "/role_assignments", params(UnassignQuery), request_body = AssignmentBody,
    responses(
        (status = NO_CONTENT, description = "It is gone."),
        (status = OK, description = "What is gone, when `return_deleted` asks for it.", body = AssignmentRead)
    )
)]
async fn unassign(
    InEnv(scope): InEnv,
    Params(q): Params<UnassignQuery>,
    Body(body): Body<AssignmentBody>,
) -> Answer<Response> {
    let gone = scope.unassign_role(&body.role.no_longer_of(&body.user)).await?;
    Ok(deleted(&scope, &q, gone))
}

/// Take a role from this user
#[utoipa::path(
    delete, path = "/users/{user}/roles", params(UnassignQuery), request_body = RoleBody,
    responses(
        (status = NO_CONTENT, description = "It is gone."),
        (status = OK, description = "What is gone, when `return_deleted` asks for it.", body = AssignmentRead)
    )
)]
async fn unassign_user(
    InEnv(scope): InEnv,
    Path(at): Path<OfUser>,
    Params(q): Params<UnassignQuery>,
    Body(body): Body<RoleBody>,
) -> Answer<Response> {
    let gone = scope.unassign_role(&body.no_longer_of(&at.user)).await?;
    Ok(deleted(&scope, &q, gone))
}

fn deleted(scope: &EnvScope, query: &UnassignQuery, gone: RoleAssignment) -> Response {
    if query.return_deleted.is_on() {
        Json(AssignmentRead::new(scope, gone)).into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkRoleAssignmentReport)]
pub(crate) struct AssignReport {
    assignments_created: usize,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkRoleUnAssignmentReport)]
pub(crate) struct UnassignReport {
    assignments_removed: usize,
}

/// Give roles
///
/// Those that are held already are passed over. All of them or none.
#[utoipa::path(
    post, path = "/role_assignments/bulk", request_body = Vec<AssignmentBody>,
    responses((status = OK, description = "How many are new.", body = AssignReport))
)]
async fn assign_many(
    InEnv(scope): InEnv,
    Body(body): Body<Vec<AssignmentBody>>,
) -> Answer<Json<AssignReport>> {
    let specs: Vec<_> = body.into_iter().map(|b| b.role.of(&b.user)).collect();
    Ok(Json(AssignReport { assignments_created: scope.assign_roles(&specs).await? }))
}

/// Take roles away
///
/// Those that are not held are passed over. All of them or none.
#[utoipa::path(
    delete, path = "/role_assignments/bulk", request_body = Vec<AssignmentBody>,
    responses((status = OK, description = "How many were there.", body = UnassignReport))
)]
async fn unassign_many(
    InEnv(scope): InEnv,
    Body(body): Body<Vec<AssignmentBody>>,
) -> Answer<Json<UnassignReport>> {
    let specs: Vec<_> = body.into_iter().map(|b| b.role.no_longer_of(&b.user)).collect();
    Ok(Json(UnassignReport { assignments_removed: scope.unassign_roles(&specs).await? }))
}
