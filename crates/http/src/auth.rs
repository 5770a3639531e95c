//! Who calls: the bearer credential, held against the place that the path names.

use crate::{App, error::Failure, permit::element_cookie, revision};
use askfirst_domain::{Ident, scope::SessionKind};
use askfirst_engine::{Acting, EnvScope, Error, Kind, Op, OrgScope, Secret, audit::AuditLog};
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use std::sync::Arc;

/// Whoever holds a valid bearer credential.
#[derive(Debug)]
pub(crate) struct Caller(pub(crate) Op);

/// Whoever holds a valid bearer credential, or the cookie of an element session when there is none.
#[derive(Debug)]
pub(crate) struct Signed(pub(crate) Op);

/// The bearer credential as it was sent, for a call that goes on and has to look at it again.
#[derive(Debug)]
pub(crate) struct Presented(pub(crate) Secret);

/// The installation, opened by an API key.
#[derive(Debug)]
pub(crate) struct InOrg(pub(crate) OrgScope);

/// The environment that the path names as `{project}` and `{env}` (keys or ids), or, on a path that names none, the
/// environment of the key; opened by an API key.
#[derive(Debug)]
pub(crate) struct InEnv(pub(crate) EnvScope);

/// The audit log that an API key opens: its environment's, or the installation's own with a key of the organisation.
#[derive(Debug)]
pub(crate) struct InLog(pub(crate) AuditLog);

/// As [`InEnv`], for handlers that answer from the live state alone: no database is read, also not for the revision that
/// the answer names.
#[derive(Debug)]
pub(crate) struct Deciding(pub(crate) EnvScope);

/// As [`InEnv`], for one user: the user of an element session, whose environment the path must name.
#[derive(Debug)]
pub(crate) struct AsUser(pub(crate) Acting);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let Presented(secret) = Presented::from_request_parts(parts, app).await?;
        Ok(Self(app.engine.authenticate(&secret).await?))
    }
}

impl FromRequestParts<Arc<App>> for Presented {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Failure> {
        let none = || {
            Error::new(Kind::Unauthenticated, "Send an API key in the header `Authorization: Bearer KEY`.")
        };
        Ok(Self(bearer(parts).ok_or_else(none)?))
    }
}

impl FromRequestParts<Arc<App>> for Signed {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        if bearer(parts).is_none()
            && let Some(session) = element_cookie::presented(parts, app)?
        {
            return Ok(Self(app.engine.authenticate_session(&session, SessionKind::Element).await?));
        }
        let Caller(op) = Caller::from_request_parts(parts, app).await?;
        Ok(Self(op))
    }
}

impl FromRequestParts<Arc<App>> for InOrg {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let Caller(op) = Caller::from_request_parts(parts, app).await?;
        Ok(Self(app.engine.open(op)?))
    }
}

impl FromRequestParts<Arc<App>> for InEnv {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let scope = open(parts, app).await?;
        revision::enter(parts, &scope).await?;
        Ok(Self(scope))
    }
}

impl FromRequestParts<Arc<App>> for InLog {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let Caller(op) = Caller::from_request_parts(parts, app).await?;
        if let Some(log) = app.engine.open(op.clone())?.audit_log() {
            return Ok(Self(log));
        }
        let scope = app.engine.enter_own(op).await?;
        revision::enter(parts, &scope).await?;
        Ok(Self(scope.audit_log()))
    }
}

impl FromRequestParts<Arc<App>> for Deciding {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let scope = open(parts, app).await?;
        revision::enter_deciding(parts, &scope).await?;
        Ok(Self(scope))
    }
}

/// The environment of a call, opened by its key.
async fn open(parts: &mut Parts, app: &Arc<App>) -> Result<EnvScope, Failure> {
    let Caller(op) = Caller::from_request_parts(parts, app).await?;
    Ok(match place(parts, app).await? {
        Some((project, env)) => app.engine.enter(op, &project, &env).await?,
        None => app.engine.enter_own(op).await?,
    })
}

impl FromRequestParts<Arc<App>> for AsUser {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let Signed(op) = Signed::from_request_parts(parts, app).await?;
        if matches!(op.principal, askfirst_domain::principal::Principal::Agent { .. }) {
            return Err(Error::forbidden("This key opens /mcp and nothing else.").into());
        }
        let acting = app.engine.act(op).await?;
        if let Some((project, env)) = place(parts, app).await? {
            let scope = acting.scope();
            let here = (&project, scope.project().id.uuid(), scope.project().key.as_str());
            let there = (&env, scope.environment().id.uuid(), scope.environment().key.as_str());
            if ![here, there]
                .iter()
                .all(|(ident, id, key)| ident.uuid() == Some(*id) || ident.as_str() == *key)
            {
                let message = format!("There is no environment `{env}` that this session opens.");
                return Err(Error::new(Kind::NotFound, message).into());
            }
        }
        revision::enter(parts, acting.scope()).await?;
        Ok(Self(acting))
    }
}

/// The bearer credential of a call; the scheme's name in any case.
pub(crate) fn bearer(parts: &Parts) -> Option<Secret> {
    let value = parts.headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty())
        .then(|| Secret::presented(token.trim()))
}

/// The environment that the path names.
async fn place(parts: &mut Parts, app: &Arc<App>) -> Result<Option<(Ident, Ident)>, Failure> {
    let params = RawPathParams::from_request_parts(parts, app)
        .await
        .map_err(|_| Error::invalid("The path can't be read: it is not valid UTF-8."))?;
    let find = |name| params.iter().find(|(key, _)| *key == name).map(|(_, value)| Ident::new(value));
    Ok(find("project").zip(find("env")))
}
