//! The decision log as Permit's API has it: `/v2/pdps/{project}/{env}/audit_logs`.

use super::wire::{Moment, Params};
use crate::{
    api::decisions::thing,
    auth::InEnv,
    error::Answer,
    listing::PageQuery,
    openapi::{IdShape, Routes},
};
use askfirst_domain::{
    Ident, Timestamp,
    facts::User,
    id::{EnvId, OrgId, ProjectId},
};
use askfirst_engine::{
    EnvScope, Error, Kind,
    decisions::{DecisionFilter, DecisionId, LoggedDecision, Said},
};
use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

const PER_PAGE: u32 = 30;
/// How far into the log pages go, and how far matches are counted.
const REACH: u32 = 10_000;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list)).routes(routes!(show))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Query {
    /// There is one decision point for an environment, with the environment's id.
    pdp_id: Option<Uuid>,
    /// Keys or e-mail addresses.
    #[serde(default)]
    users: Vec<String>,
    /// Allowed ones, or denied ones.
    decision: Option<bool>,
    /// Those about these: `type`, or `type:key`.
    #[serde(default)]
    resources: Vec<String>,
    /// Those in this tenant.
    tenant: Option<String>,
    /// Those about this action.
    action: Option<String>,
    /// Seconds since 1970.
    timestamp_from: Option<i64>,
    /// Seconds since 1970.
    timestamp_to: Option<i64>,
    /// The list is newest first, whatever is said here; other words are refused.
    #[param(inline)]
    sort_by: Option<SortKey>,
    page: Option<u32>,
    #[param(default = 30)]
    per_page: Option<u32>,
}

/// The list is newest first, whatever is said here; others are refused.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[schema(as = AuditLogSortKey)]
enum SortKey {
    None,
    #[serde(rename = "timestamp")]
    Timestamp,
}

/// Counted up to a limit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LimitedPaginatedResultAuditLogModel)]
struct Logs {
    data: Vec<AuditLog>,
    total_count: u64,
    page_count: u64,
    pagination_count: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLogModel)]
struct AuditLog {
    #[schema(value_type = IdShape)]
    id: DecisionId,
    /// What another engine would have written; ours writes nothing besides what stands here.
    raw_data: Option<Value>,
    timestamp: Moment,
    created_at: Moment,
    query: Option<String>,
    user_key: String,
    user_email: Option<String>,
    user_name: Option<String>,
    resource_type: String,
    tenant: String,
    action: String,
    decision: bool,
    reason: Option<String>,
    #[schema(value_type = IdShape)]
    org_id: OrgId,
    #[schema(value_type = IdShape)]
    project_id: ProjectId,
    #[schema(value_type = IdShape)]
    env_id: EnvId,
    #[schema(value_type = IdShape)]
    pdp_config_id: EnvId,
    input: Value,
    result: Value,
    context: Map<String, Value>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DetailedAuditLogModel)]
struct DetailedAuditLog {
    #[serde(flatten)]
    log: AuditLog,
    objects: Objects,
}

/// What the decision is about, as it is now.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are those of the model")]
#[schema(as = AuditLogObjectsModel)]
struct Objects {
    project_object: Value,
    environment_object: Value,
    user_object: Option<Value>,
}

/// List decisions
#[utoipa::path(
    get, path = "/v2/pdps/{project}/{env}/audit_logs", params(Query),
    responses((status = OK, description = "A page of decisions, newest first.", body = Logs))
)]
async fn list(InEnv(scope): InEnv, Params(query): Params<Query>) -> Answer<Json<Logs>> {
    let _ = query.sort_by;
    let (offset, limit) = PageQuery { page: query.page, per_page: query.per_page }.window(PER_PAGE)?;
    if offset.saturating_add(u64::from(limit)) > u64::from(REACH) {
        let message = format!("Pages go {REACH} decisions deep; narrow the time with `timestamp_to`.");
        return Err(Error::new(Kind::TooLarge, message).into());
    }
    let filter = filter(&scope, query).await?;
    let count = scope.count_decisions(&filter, u64::from(REACH)).await?;
    let page = page(&scope, filter, offset, limit).await?;
    let mut people = People::new(&scope);
    let mut data = Vec::with_capacity(page.len());
    for logged in page {
        let user = people.find(&logged.ask.user).await?;
        data.push(AuditLog::new(&scope, logged, user.as_ref()));
    }
    let page_count = count.div_ceil(u64::from(limit));
    Ok(Json(Logs { data, total_count: count, page_count, pagination_count: count }))
}

async fn filter(scope: &EnvScope, query: Query) -> Answer<DecisionFilter> {
    let mut users = query.users;
    for email in users.clone().iter().filter(|user| user.contains('@')) {
        users.extend(scope.users_with_email(email).await?.into_iter().map(|key| key.to_string()));
    }
    let seconds = |at: i64| Timestamp::from_micros(at.saturating_mul(1_000_000));
    let is_other = query.pdp_id.is_some_and(|id| id != scope.environment().id.uuid());
    Ok(DecisionFilter {
        // Of another decision point there is nothing.
        users: if is_other { Some(Vec::new()) } else { (!users.is_empty()).then_some(users) },
        action: query.action,
        things: (!query.resources.is_empty())
            .then(|| query.resources.iter().map(|text| thing(text)).collect()),
        tenant: query.tenant,
        allow: query.decision,
        from: query.timestamp_from.map(seconds),
        to: query.timestamp_to.map(seconds),
        ..DecisionFilter::default()
    })
}

/// A page by its place, out of a log that is read from the newest on.
async fn page(
    scope: &EnvScope,
    filter: DecisionFilter,
    offset: u64,
    limit: u32,
) -> Answer<Vec<LoggedDecision>> {
    let (mut skip, most) = (offset, usize::try_from(limit).unwrap_or(usize::MAX));
    let mut found = Vec::new();
    let mut before = None;
    while found.len() < most {
        let wanted = u32::try_from(skip).unwrap_or(u32::MAX).saturating_add(limit);
        let part = scope.decisions(&filter, before, wanted).await?;
        for logged in part.decisions {
            if skip > 0 {
                skip -= 1;
            } else if found.len() < most {
                found.push(logged);
            }
        }
        match part.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    Ok(found)
}

/// Read a decision
#[utoipa::path(
    get, path = "/v2/pdps/{project}/{env}/audit_logs/{log}",
    params(("log" = Uuid, Path, description = "The id of the audit log.")),
    responses((
        status = OK, description = "The decision, and what it is about as that is now.",
        body = DetailedAuditLog
    ))
)]
async fn show(
    InEnv(scope): InEnv,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Answer<Json<DetailedAuditLog>> {
    let id: DecisionId = id
        .parse()
        .map_err(|_| Error::invalid(format!("`{id}` is not the id of an audit log, which is a UUID.")))?;
    let logged = scope.decision(id).await?;
    let user = People::new(&scope).find(&logged.ask.user).await?;
    let mut log = AuditLog::new(&scope, logged, user.as_ref());
    log.raw_data = Some(json!({"engine": null, "timestamp": log.timestamp}));
    let (project, env) = (scope.project(), scope.environment());
    let objects = Objects {
        project_object: json!({
            "id": project.id, "key": project.key, "name": project.name,
            "created_at": Moment(project.created_at), "updated_at": Moment(project.updated_at),
        }),
        environment_object: json!({
            "id": env.id, "key": env.key, "name": env.name,
            "created_at": Moment(env.created_at), "updated_at": Moment(env.updated_at),
        }),
        user_object: user.map(|user| {
            json!({
                "id": user.id, "key": user.key, "email": user.email, "first_name": user.first_name,
                "last_name": user.last_name, "attributes": user.attributes,
                "created_at": Moment(user.created_at), "updated_at": Moment(user.updated_at),
            })
        }),
    };
    Ok(Json(DetailedAuditLog { log, objects }))
}

/// The users of a page, each looked up once. They are as they are now, and may be gone.
struct People<'a> {
    scope: &'a EnvScope,
    known: HashMap<String, Option<User>>,
}

impl<'a> People<'a> {
    fn new(scope: &'a EnvScope) -> Self {
        Self { scope, known: HashMap::new() }
    }

    async fn find(&mut self, key: &str) -> Answer<Option<User>> {
        if let Some(known) = self.known.get(key) {
            return Ok(known.clone());
        }
        let found = match self.scope.user(&Ident::new(key)).await {
            // What a text that reads as an id names is another user than the one that was asked about.
            Ok(view) => Some(view.user).filter(|user| user.key.as_str() == key),
            Err(error) if error.kind() == Kind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        self.known.insert(key.to_owned(), found.clone());
        Ok(found)
    }
}

impl AuditLog {
    fn new(scope: &EnvScope, logged: LoggedDecision, user: Option<&User>) -> Self {
        let env = scope.environment();
        let given = match logged.given {
            Said::All(given) => *given,
            Said::Nothing | Said::LeftOut(_) => askfirst_engine::check::Given::default(),
        };
        let names = user.map(|user| [user.first_name.as_deref(), user.last_name.as_deref()]);
        let name = names.map(|names| names.into_iter().flatten().collect::<Vec<_>>().join(" "));
        let input = json!({
            "user": {"key": logged.ask.user, "attributes": given.user},
            "action": logged.ask.action,
            "resource": {
                "type": logged.ask.resource,
                "key": logged.ask.instance,
                "tenant": logged.ask.tenant,
                "attributes": given.resource,
            },
            "context": given.context,
        });
        Self {
            id: logged.id,
            raw_data: None,
            timestamp: Moment(logged.at),
            created_at: Moment(logged.at),
            query: None,
            user_key: logged.ask.user,
            user_email: user.and_then(|user| user.email.clone()),
            user_name: name.filter(|name| !name.is_empty()),
            resource_type: logged.ask.resource,
            tenant: logged.tenant,
            action: logged.ask.action,
            decision: logged.allow,
            reason: logged.reason,
            org_id: env.org,
            project_id: env.project,
            env_id: env.id,
            pdp_config_id: env.id,
            input,
            result: json!({"allow": logged.allow}),
            context: given.context,
        }
    }
}
