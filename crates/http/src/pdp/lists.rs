//! The check from the other side: in which tenants, by whom, and all that a user may do.

use super::{
    person::Person,
    query::{Resource, UserKey},
};
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    openapi::{KeyShape, UserKeyShape},
    permit::wire::{AnySize, PER_PAGE, Params, Text, page},
};
use askfirst_domain::{
    Key,
    decision::{Place, RoleAt},
    facts::Attributes,
    schema::RuleUsers,
};
use askfirst_engine::{
    Error, Page,
    check::{Authority, Given, Holding, PermissionFilter, TENANT_TYPE, TenantView},
};
use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::{IntoParams, ToSchema};

/// A tenant, for whoever asks the decision point.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TenantDetails {
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = Object)]
    attributes: Arc<Attributes>,
}

impl From<TenantView> for TenantDetails {
    fn from(tenant: TenantView) -> Self {
        Self { key: tenant.key, attributes: tenant.attributes }
    }
}

/// What the call says besides, in the engine's words.
fn given(user: Attributes, resource: Option<Attributes>, context: Option<Attributes>) -> Given {
    Given {
        user,
        resource: resource.unwrap_or_default(),
        context: context.unwrap_or_default(),
        ..Given::default()
    }
}

/// A question for every tenant; the tenant of the resource is not looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AllTenantsAuthorizationQuery)]
pub(super) struct AnywhereQuery {
    user: Person,
    action: String,
    resource: Resource,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    context: Option<Attributes>,
}

/// The tenants in which it is allowed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AllTenantsAuthorizationResult)]
pub(super) struct AllowedTenants {
    allowed_tenants: Vec<AllowedTenant>,
}

#[derive(Debug, Serialize, ToSchema)]
struct AllowedTenant {
    allow: bool,
    result: bool,
    tenant: TenantDetails,
}

/// In which tenants may this user do this?
#[utoipa::path(
    post, path = "/allowed/all-tenants", request_body = AnywhereQuery,
    responses((status = OK, description = "The tenants in which it is allowed.", body = AllowedTenants))
)]
pub(super) async fn all_tenants(
    InEnv(scope): InEnv,
    Body(query): Body<AnywhereQuery>,
) -> Answer<Json<AllowedTenants>> {
    let AnywhereQuery { user, action, mut resource, context } = query;
    let (user, attributes) = user.into_parts();
    let given = given(attributes, resource.attributes.take(), context);
    let tenants = scope.tenants_allowed(&user, &action, &resource.thing()?, &given).await?;
    let allowed = tenants.into_iter().map(|t| AllowedTenant { allow: true, result: true, tenant: t.into() });
    Ok(Json(AllowedTenants { allowed_tenants: allowed.collect() }))
}

/// Whose tenants.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserTenantsQuery)]
pub(super) struct TenantsQuery {
    user: UserKey,
}

/// In which tenants has this user a role?
#[utoipa::path(
    post, path = "/user-tenants", request_body = TenantsQuery,
    responses((status = OK, description = "The tenants.", body = Vec<TenantDetails>))
)]
pub(super) async fn user_tenants(
    InEnv(scope): InEnv,
    Body(query): Body<TenantsQuery>,
) -> Answer<Json<Vec<TenantDetails>>> {
    let tenants = scope.tenants_of_user(&query.user.key.0).await?;
    Ok(Json(tenants.into_iter().map(TenantDetails::from).collect()))
}

/// Whose permissions, and on what.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserPermissionsQuery)]
pub(super) struct PermissionsQuery {
    user: Person,
    /// `enable_abac_user_permissions: true` adds what rules over condition sets allow, on the `resource_types` that are
    /// named; the rest is what conditions see.
    #[schema(value_type = Option<Object>)]
    context: Option<Attributes>,
    #[serde(flatten)]
    narrowed: Narrowed,
}

#[derive(Debug, Deserialize, ToSchema)]
struct Narrowed {
    /// Keys of tenants: nothing outside of them.
    tenants: Option<Vec<String>>,
    /// `type:key`: on nothing else.
    resources: Option<Vec<String>>,
    /// Keys of resources: on nothing of another type. `__tenant` stands for the tenants themselves.
    resource_types: Option<Vec<String>>,
}

/// The member of the context that asks for what rules over condition sets allow, too.
const WITH_RULES: &str = "enable_abac_user_permissions";

impl Narrowed {
    /// What rules are asked with; none when they are not.
    fn rules(&self, user: Attributes, mut context: Attributes) -> Answer<Option<Given>> {
        match context.remove(WITH_RULES) {
            None | Some(Value::Null | Value::Bool(false)) => return Ok(None),
            Some(Value::Bool(true)) => {}
            Some(_) => {
                return Err(Error::invalid(format!("`context.{WITH_RULES}` is true or false.")).into());
            }
        }
        if self.resource_types.is_none() {
            let message = format!(
                "With `context.{WITH_RULES}`, name the `resource_types` to look at; add `{TENANT_TYPE}` for what is allowed in tenants."
            );
            return Err(Error::invalid(message).into());
        }
        Ok(Some(Given { user, context, ..Given::default() }))
    }
}

/// Everything, unless one of them is given.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Window {
    /// Which page, from 1.
    #[param(minimum = 1, maximum = 4_294_967_295u32)]
    page: Option<u32>,
    /// Of any size; everything at once when neither is said.
    #[param(minimum = 1, maximum = 4_294_967_295u32)]
    per_page: Option<u32>,
}

impl Window {
    /// Permit sets no bound to the size of these pages.
    fn part(&self) -> Answer<Page> {
        if self.page.is_none() && self.per_page.is_none() {
            return Ok(Page::ALL);
        }
        let (number, limit) = (self.page.unwrap_or(1), self.per_page.unwrap_or(PER_PAGE));
        if number == 0 || limit == 0 {
            return Err(Error::invalid("`page` and `per_page` count from 1.").into());
        }
        Ok(Page { offset: u64::from(number - 1) * u64::from(limit), limit })
    }
}

/// What a user may do in one place, and by which roles.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserPermissionsResult)]
pub(super) struct PermissionsRead {
    tenant: TenantDetails,
    /// The instance; absent where the place is the tenant itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    resource: Option<ResourceDetails>,
    /// `resource:action` each.
    permissions: Vec<String>,
    #[schema(value_type = Vec<KeyShape>)]
    roles: Arc<[Key]>,
}

/// An instance, for whoever asks the decision point.
#[derive(Debug, Serialize, ToSchema)]
struct ResourceDetails {
    #[schema(value_type = KeyShape)]
    key: Key,
    #[serde(rename = "type")]
    #[schema(value_type = KeyShape)]
    kind: Key,
    #[schema(value_type = Object)]
    attributes: Arc<Attributes>,
}

impl From<Holding> for PermissionsRead {
    fn from(holding: Holding) -> Self {
        let resource = match holding.place {
            Place::Tenant(_) => None,
            Place::Instance(at) => Some(ResourceDetails {
                key: at.key,
                kind: at.resource,
                attributes: holding.attributes.unwrap_or_default(),
            }),
        };
        let permissions = holding.permissions.iter().map(|p| format!("{}:{}", p.resource, p.action));
        Self {
            tenant: holding.tenant.into(),
            resource,
            permissions: permissions.collect(),
            roles: holding.roles,
        }
    }
}

/// What may this user do, and where?
///
/// By place: `__tenant:key` or `type:key`.
#[utoipa::path(
    post, path = "/user-permissions", params(Window), request_body = PermissionsQuery,
    responses((status = OK, description = "The places.", body = BTreeMap<String, PermissionsRead>))
)]
pub(super) async fn user_permissions(
    InEnv(scope): InEnv,
    AnySize(window): AnySize<Window>,
    Body(query): Body<PermissionsQuery>,
) -> Answer<Json<BTreeMap<String, PermissionsRead>>> {
    let part = window.part()?;
    let PermissionsQuery { user, context, narrowed } = query;
    let (user, attributes) = user.into_parts();
    let rules = narrowed.rules(attributes, context.unwrap_or_default())?;
    let Narrowed { tenants, resources, resource_types } = narrowed;
    let filter = PermissionFilter { tenants, resources, resource_types };
    let found = scope.permissions_of(&user, filter, rules, part).await?;
    let named = |holding: Holding| match &holding.place {
        Place::Tenant(key) => (format!("{TENANT_TYPE}:{key}"), holding.into()),
        Place::Instance(at) => (at.to_string(), holding.into()),
    };
    Ok(Json(found.into_iter().map(named).collect()))
}

/// Who may do this?
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AuthorizedUsersQuery)]
pub(super) struct UsersQuery {
    action: String,
    resource: Resource,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    context: Option<Attributes>,
}

/// The users by their keys, with what lets them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthorizedUsersResult)]
pub(super) struct AuthorizedUsers {
    /// `type:key`, or `type:*`.
    resource: String,
    tenant: String,
    users: BTreeMap<String, Vec<Assignment>>,
}

/// The role that lets a user, where it was given; or the user set, or role, of the rule that does, with what was asked
/// about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthorizedUserAssignment)]
struct Assignment {
    user: String,
    tenant: String,
    resource: String,
    role: String,
}

/// An answer in the making.
struct Listing {
    /// `type:key`, or `type:*`.
    resource: String,
    tenant: String,
}

impl Listing {
    fn assignments(&self, user: &str, authority: Authority) -> Vec<Assignment> {
        let assignment = |(resource, role)| Assignment {
            user: user.to_owned(),
            tenant: self.tenant.clone(),
            resource,
            role,
        };
        match authority {
            Authority::Roles(roles) => roles.iter().map(given_role).map(assignment).collect(),
            Authority::Rule(rule) => {
                let on = match &rule.users {
                    RuleUsers::Role { resource: None, .. } => format!("{TENANT_TYPE}:{}", self.tenant),
                    RuleUsers::Role { .. } | RuleUsers::Set(_) => self.resource.clone(),
                };
                vec![assignment((on, rule.users.to_string()))]
            }
        }
    }
}

/// The place and the name of a role that was given.
fn given_role(given: &RoleAt) -> (String, String) {
    match &given.at {
        Place::Tenant(key) => (format!("{TENANT_TYPE}:{key}"), given.role.to_string()),
        Place::Instance(at) => (at.to_string(), format!("{}#{}", at.resource, given.role)),
    }
}

/// Who may do this?
#[utoipa::path(
    post, path = "/authorized_users", request_body = UsersQuery,
    responses((status = OK, description = "The users.", body = AuthorizedUsers))
)]
pub(super) async fn authorized_users(
    InEnv(scope): InEnv,
    Body(query): Body<UsersQuery>,
) -> Answer<Json<AuthorizedUsers>> {
    let UsersQuery { action, mut resource, context } = query;
    let given = given(Attributes::new(), resource.attributes.take(), context);
    let on = resource.thing()?;
    let resource = format!("{}:{}", on.resource, on.instance.as_deref().unwrap_or("*"));
    let found = scope.authorized(&action, &on, &given).await?;
    let listing = Listing { resource, tenant: found.tenant };
    let users = found.users.into_iter().map(|(user, authority)| {
        let assignments = listing.assignments(user.as_str(), authority);
        (user.to_string(), assignments)
    });
    let users = users.collect();
    Ok(Json(AuthorizedUsers { resource: listing.resource, users, tenant: listing.tenant }))
}

/// The filters of `GET /local/role_assignments`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LocalQuery {
    page: Option<u32>,
    #[param(default = 30)]
    per_page: Option<u32>,
    user: Option<Text>,
    role: Option<Text>,
    tenant: Option<Text>,
    /// Roles of this resource's own, or on its instances.
    resource: Option<Text>,
    /// `type:key`, or the key alone beside `resource`.
    resource_instance: Option<Text>,
}

/// A role assignment, as the decision point has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LocalRoleAssignment)]
pub(super) struct LocalAssignment {
    #[schema(value_type = UserKeyShape)]
    user: askfirst_domain::UserKey,
    #[schema(value_type = KeyShape)]
    role: Key,
    #[schema(value_type = KeyShape)]
    tenant: Key,
    /// `type:key`; absent for a role in the tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    resource_instance: Option<String>,
}

/// How many assignments a page has when the call does not say.
const LOCAL_PER_PAGE: u32 = 30;

/// The role assignments that the decision point counts
///
/// 30 a page unless said. A name that is not known has none.
#[utoipa::path(
    get, path = "/local/role_assignments", params(LocalQuery),
    responses((status = OK, description = "A page of them.", body = Vec<LocalAssignment>))
)]
pub(super) async fn role_assignments(
    InEnv(scope): InEnv,
    Params(q): Params<LocalQuery>,
) -> Answer<Json<Vec<LocalAssignment>>> {
    let part = page(q.page, Some(q.per_page.unwrap_or(LOCAL_PER_PAGE)))?;
    let named = |text: &Option<Text>| text.iter().map(Text::ident).collect();
    let instance = q.resource_instance.map(|text| match &q.resource {
        Some(resource) if !text.0.contains(':') => format!("{}:{}", resource.0, text.0),
        _ => text.0,
    });
    let query = askfirst_engine::facts::AssignmentQuery {
        users: named(&q.user),
        roles: named(&q.role),
        tenants: named(&q.tenant),
        resource: q.resource.as_ref().map(Text::ident),
        instance,
    };
    let found = match scope.counting_assignments(&query, part).await {
        Ok(found) => found,
        // A decision point knows names only from what is assigned: an unknown one has nothing.
        Err(e) if e.kind() == askfirst_engine::Kind::NotFound => Vec::new(),
        Err(e) => return Err(e.into()),
    };
    let read = found.into_iter().map(|a| LocalAssignment {
        user: a.user,
        role: a.role,
        tenant: a.tenant,
        resource_instance: a.instance.map(|on| on.reference().to_string()),
    });
    Ok(Json(read.collect()))
}
