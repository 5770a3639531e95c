//! What the environments stand in: organisation, projects, environments, keys, sessions, sign-in links.

use super::{Statement, Value, put::json};
use crate::{AdminOp, StoreError};
use askfirst_domain::{
    Timestamp,
    id::{EnvId, ProjectId, SessionId},
    scope::{ApiKey, KeyScope, OpenedWith, Session, SessionKind, SignInLink},
};

/// A statement of an administrative write.
#[derive(Debug)]
pub(crate) struct AdminStep {
    pub(crate) statement: Statement,
    /// What is taken if the statement breaks a uniqueness, as a person calls it.
    pub(crate) what: String,
}

const PUT_ORGANIZATION: &str = "INSERT INTO organization (id, key, body) VALUES ($1, $2, $3) \
     ON CONFLICT (id) DO UPDATE SET key = excluded.key, body = excluded.body";
const PUT_PROJECT: &str = "INSERT INTO project (id, org, key, body) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (id) DO UPDATE SET org = excluded.org, key = excluded.key, body = excluded.body";
const PUT_ENVIRONMENT: &str = "INSERT INTO environment \
     (id, project, key, body, epoch, head_revision, schema_revision) VALUES ($1, $2, $3, $4, $5, 0, 0) \
     ON CONFLICT (id) DO UPDATE SET project = excluded.project, key = excluded.key, body = excluded.body";
const PUT_API_KEY: &str = "INSERT INTO api_key \
     (id, org, project, env, scope, name, secret_hash, created_at, expires_at, revoked_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
     ON CONFLICT (id) DO UPDATE SET org = excluded.org, project = excluded.project, env = excluded.env, \
     scope = excluded.scope, name = excluded.name, secret_hash = excluded.secret_hash, \
     created_at = excluded.created_at, expires_at = excluded.expires_at, revoked_at = excluded.revoked_at";
const REVOKE_API_KEY: &str = "UPDATE api_key SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1";
const PUT_SESSION: &str = "INSERT INTO session \
     (id, env, kind, user_id, tenant_id, token_hash, opened_with, created_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
     ON CONFLICT (id) DO UPDATE SET env = excluded.env, kind = excluded.kind, user_id = excluded.user_id, \
     tenant_id = excluded.tenant_id, token_hash = excluded.token_hash, opened_with = excluded.opened_with, \
     created_at = excluded.created_at, expires_at = excluded.expires_at";
const DELETE_SESSIONS_OF: &str =
    "DELETE FROM session WHERE env = $1 AND user_id = $2 AND kind = 'browser' AND id <> $3";
const PUT_PASSWORD: &str = "INSERT INTO password (env, user_id, hash, changed_at) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (env, user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at";
const PUT_LINK: &str = "INSERT INTO link (id, env, user_id, token_hash, created_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (id) DO UPDATE SET env = excluded.env, user_id = excluded.user_id, \
     token_hash = excluded.token_hash, created_at = excluded.created_at, expires_at = excluded.expires_at";

const PUT_WEBHOOK: &str = "INSERT INTO webhook (id, env, body, secret) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (id) DO UPDATE SET env = excluded.env, body = excluded.body, secret = excluded.secret";

/// What stands in an environment; the keys, sessions, links and webhooks go with the environment's own row. Its audit events
/// stay: what happened can't be made undone by deleting where it happened.
const OF_ENVIRONMENT: [&str; 11] = [
    "DELETE FROM change WHERE env = $1",
    "DELETE FROM schema_object WHERE env = $1",
    "DELETE FROM user_ WHERE env = $1",
    "DELETE FROM tenant WHERE env = $1",
    "DELETE FROM instance WHERE env = $1",
    "DELETE FROM role_assignment WHERE env = $1",
    "DELETE FROM relationship_tuple WHERE env = $1",
    "DELETE FROM request WHERE env = $1",
    "DELETE FROM user_invite WHERE env = $1",
    "DELETE FROM outbox WHERE env = $1",
    "DELETE FROM environment WHERE id = $1",
];
const OF_PROJECT: [&str; 12] = [
    "DELETE FROM change WHERE env IN (SELECT id FROM environment WHERE project = $1)",
    "DELETE FROM schema_object WHERE env IN (SELECT id FROM environment WHERE project = $1)",
    "DELETE FROM user_ WHERE env IN (SELECT id FROM environment WHERE project = $1)",
    "DELETE FROM tenant WHERE env IN (SELECT id FROM environment WHERE project = $1)",
    "DELETE FROM instance WHERE env IN (SELECT id FROM environment WHERE project = $1)",
    "DELETE FROM role_assignment WHERE env IN (SELECT id FROM environment WHERE project = $1)",
    "DELETE FROM relationship_tuple WHERE env IN (SELECT id FROM environment WHERE project = $1)",
    "DELETE FROM request WHERE env IN (SELECT id FROM environment WHERE project = $1)",
    "DELETE FROM user_invite WHERE env IN (SELECT id FROM environment WHERE project = $1)",
    "DELETE FROM outbox WHERE env IN (SELECT id FROM environment WHERE project = $1)",
    "DELETE FROM environment WHERE project = $1",
    "DELETE FROM project WHERE id = $1",
];

/// The statements of an operation, in their order.
pub(crate) fn admin_steps(op: &AdminOp) -> Result<Vec<AdminStep>, StoreError> {
    let keyed = |what: &str, key: &str| format!("{what} with the key `{key}`");
    Ok(match op {
        AdminOp::PutOrganization(org) => {
            let args = vec![org.id.into(), org.key.as_str().into(), json(org)?.into()];
            one(PUT_ORGANIZATION, args, keyed("an organisation", org.key.as_str()))
        }
        AdminOp::PutProject(p) => {
            let args = vec![p.id.into(), p.org.into(), p.key.as_str().into(), json(p)?.into()];
            one(PUT_PROJECT, args, keyed("a project", p.key.as_str()))
        }
        AdminOp::PutEnvironment { environment: e, epoch } => {
            let args =
                vec![e.id.into(), e.project.into(), e.key.as_str().into(), json(e)?.into(), (*epoch).into()];
            one(PUT_ENVIRONMENT, args, keyed("an environment", e.key.as_str()))
        }
        AdminOp::DeleteProject(id) => each(&OF_PROJECT, &Value::from(*id)),
        AdminOp::DeleteEnvironment(id) => each(&OF_ENVIRONMENT, &Value::from(*id)),
        AdminOp::PutApiKey(key) => one(PUT_API_KEY, api_key_row(key)?, "this API key".to_owned()),
        AdminOp::RevokeApiKey { id, at } => {
            one(REVOKE_API_KEY, vec![(*id).into(), (*at).into()], "this API key".to_owned())
        }
        AdminOp::PutSession(session) => one(PUT_SESSION, session_row(session), "this session".to_owned()),
        AdminOp::DeleteSession(id) => {
            one("DELETE FROM session WHERE id = $1", vec![(*id).into()], "this session".to_owned())
        }
        AdminOp::DeleteSessionsOf { env, user, but } => {
            // No session has the nil id.
            let but = but.unwrap_or_else(|| SessionId::new(uuid::Uuid::nil()));
            let args = vec![(*env).into(), (*user).into(), but.into()];
            one(DELETE_SESSIONS_OF, args, "these sessions".to_owned())
        }
        AdminOp::PutPassword(p) => {
            let args = vec![p.env.into(), p.user.into(), p.hash.as_str().into(), p.changed_at.into()];
            one(PUT_PASSWORD, args, "this password".to_owned())
        }
        AdminOp::DeletePassword { env, user } => {
            const SQL: &str = "DELETE FROM password WHERE env = $1 AND user_id = $2";
            one(SQL, vec![(*env).into(), (*user).into()], "this password".to_owned())
        }
        AdminOp::PutLink(link) => one(PUT_LINK, link_row(link), "this sign-in link".to_owned()),
        AdminOp::PutWebhook(w) => {
            let args = vec![w.id.into(), w.env.into(), json(w)?.into(), w.secret.reveal().into()];
            one(PUT_WEBHOOK, args, "this webhook".to_owned())
        }
        AdminOp::DeleteWebhook(id) => {
            one("DELETE FROM webhook WHERE id = $1", vec![(*id).into()], "this webhook".to_owned())
        }
    })
}

fn one(sql: &'static str, args: Vec<Value>, what: String) -> Vec<AdminStep> {
    vec![AdminStep { statement: Statement::new(sql, args), what }]
}

fn each(texts: &[&'static str], by: &Value) -> Vec<AdminStep> {
    texts
        .iter()
        .map(|sql| AdminStep {
            statement: Statement::new(sql, vec![by.clone()]),
            what: "the thing".to_owned(),
        })
        .collect()
}

fn api_key_row(key: &ApiKey) -> Result<Vec<Value>, StoreError> {
    let (project, env) = opens(&key.scope);
    Ok(vec![
        key.id.into(),
        key.org.into(),
        project.into(),
        env.into(),
        json(&key.scope)?.into(),
        key.name.as_deref().into(),
        key.secret_hash.as_str().into(),
        key.created_at.into(),
        key.expires_at.into(),
        key.revoked_at.into(),
    ])
}

fn opens(scope: &KeyScope) -> (Option<ProjectId>, Option<EnvId>) {
    match scope {
        KeyScope::Organization => (None, None),
        KeyScope::Project { project } => (Some(*project), None),
        KeyScope::Environment { project, env } | KeyScope::Agent { project, env, .. } => {
            (Some(*project), Some(*env))
        }
    }
}

fn session_row(session: &Session) -> Vec<Value> {
    let kind = match session.kind {
        SessionKind::Browser => "browser",
        SessionKind::Element => "element",
    };
    vec![
        session.id.into(),
        session.env.into(),
        kind.into(),
        session.user.into(),
        session.tenant.into(),
        session.token_hash.as_str().into(),
        session.opened_with.map(OpenedWith::as_str).into(),
        session.created_at.into(),
        session.expires_at.into(),
    ]
}

fn link_row(link: &SignInLink) -> Vec<Value> {
    vec![
        link.id.into(),
        link.env.into(),
        link.user.into(),
        link.token_hash.as_str().into(),
        link.created_at.into(),
        link.expires_at.into(),
    ]
}

/// The statement that takes a link out and gives its row, expired or not.
pub(crate) fn take_link(token_hash: &str) -> Statement {
    Statement::new(
        "DELETE FROM link WHERE token_hash = $1 RETURNING id, env, user_id, token_hash, created_at, expires_at",
        vec![token_hash.into()],
    )
}

/// Whether a link that expires then is still good now.
pub(crate) fn still_good(link: &SignInLink, now: Timestamp) -> bool {
    now < link.expires_at
}
