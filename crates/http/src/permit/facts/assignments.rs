//! `role_assignments`, and the same under a user. `expires_at` is ours: Permit's models have no end of a role.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::Paginated,
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

#[derive(Debug, Serialize)]
pub(crate) struct AssignmentRead {
    id: AssignmentId,
    user: UserKey,
    role: Key,
    tenant: Key,
    resource_instance: Option<String>,
    resource_instance_id: Option<InstanceId>,
    user_id: UserId,
    role_id: RoleId,
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

/// `RoleAssignmentDetailedRead`.
#[derive(Debug, Serialize)]
pub(crate) struct DetailedRead {
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

#[derive(Debug, Serialize)]
struct RoleBlock {
    id: RoleId,
    key: Key,
    name: String,
    permissions: Vec<String>,
}

#[derive(Debug, Serialize)]
struct UserBlock {
    id: UserId,
    key: UserKey,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    attributes: Attributes,
}

#[derive(Debug, Serialize)]
struct TenantBlock {
    id: TenantId,
    key: Key,
    name: String,
    attributes: Attributes,
}

#[derive(Debug, Serialize)]
struct InstanceBlock {
    id: InstanceId,
    key: Key,
    resource: Key,
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

/// A list in either form.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ListRead {
    Plain(Vec<AssignmentRead>),
    Detailed(Vec<DetailedRead>),
}

/// `RoleAssignmentCreate`, `RoleAssignmentRemove`.
#[derive(Debug, Deserialize)]
pub(crate) struct AssignmentBody {
    user: Text,
    #[serde(flatten)]
    role: RoleBody,
}

/// `UserRoleCreate`, `UserRoleRemove`: the user is in the path.
#[derive(Debug, Deserialize)]
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

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    #[serde(default)]
    user: Vec<Text>,
    #[serde(default)]
    role: Vec<Text>,
    #[serde(default)]
    tenant: Vec<Text>,
    resource: Option<Text>,
    resource_instance: Option<Text>,
    #[serde(default)]
    detailed: Switch,
}

#[derive(Debug, Deserialize)]
pub(super) struct OfUser {
    user: Text,
}

/// A PDP's client may ask for the assignment that was deleted.
#[derive(Debug, Deserialize)]
pub(super) struct UnassignQuery {
    #[serde(default)]
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

pub(super) async fn list(InEnv(scope): InEnv, Params(q): Params<ListQuery>) -> Answer<Json<ListRead>> {
    let detailed = q.detailed.is_on();
    let (query, page) = q.split()?;
    let found = scope.list_assignments(&query, page).await?.items;
    Ok(Json(if detailed {
        let details = scope.assignment_details(found).await?;
        ListRead::Detailed(details.into_iter().map(|d| DetailedRead::new(&scope, d)).collect())
    } else {
        ListRead::Plain(found.into_iter().map(|a| AssignmentRead::new(&scope, a)).collect())
    }))
}

pub(super) async fn list_detailed(
    InEnv(scope): InEnv,
    Params(q): Params<ListQuery>,
) -> Answer<Json<Paginated<DetailedRead>>> {
    let (query, page) = q.split()?;
    let found = scope.list_assignments(&query, page).await?;
    let details = scope.assignment_details(found.items).await?.into_iter();
    let data = details.map(|d| DetailedRead::new(&scope, d)).collect();
    Ok(Json(Paginated::new(data, found.total, page.limit)))
}

pub(super) async fn assign(
    InEnv(scope): InEnv,
    Body(body): Body<AssignmentBody>,
) -> Answer<Json<AssignmentRead>> {
    let made = scope.assign_role(&body.role.of(&body.user)).await?;
    Ok(Json(AssignmentRead::new(&scope, made)))
}

pub(super) async fn assign_user(
    InEnv(scope): InEnv,
    Path(at): Path<OfUser>,
    Body(body): Body<RoleBody>,
) -> Answer<Json<AssignmentRead>> {
    let made = scope.assign_role(&body.of(&at.user)).await?;
    Ok(Json(AssignmentRead::new(&scope, made)))
}

pub(super) async fn unassign(
    InEnv(scope): InEnv,
    Params(q): Params<UnassignQuery>,
    Body(body): Body<AssignmentBody>,
) -> Answer<Response> {
    let gone = scope.unassign_role(&body.role.no_longer_of(&body.user)).await?;
    Ok(deleted(&scope, &q, gone))
}

pub(super) async fn unassign_user(
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

/// `BulkRoleAssignmentReport`.
#[derive(Debug, Serialize)]
pub(crate) struct AssignReport {
    assignments_created: usize,
}

/// `BulkRoleUnAssignmentReport`.
#[derive(Debug, Serialize)]
pub(crate) struct UnassignReport {
    assignments_removed: usize,
}

pub(super) async fn assign_many(
    InEnv(scope): InEnv,
    Body(body): Body<Vec<AssignmentBody>>,
) -> Answer<Json<AssignReport>> {
    let specs: Vec<_> = body.into_iter().map(|b| b.role.of(&b.user)).collect();
    Ok(Json(AssignReport { assignments_created: scope.assign_roles(&specs).await? }))
}

pub(super) async fn unassign_many(
    InEnv(scope): InEnv,
    Body(body): Body<Vec<AssignmentBody>>,
) -> Answer<Json<UnassignReport>> {
    let specs: Vec<_> = body.into_iter().map(|b| b.role.no_longer_of(&b.user)).collect();
    Ok(Json(UnassignReport { assignments_removed: scope.unassign_roles(&specs).await? }))
}
