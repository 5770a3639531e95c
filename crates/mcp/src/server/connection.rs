//! For whom a call is made: settled anew for each call from its own credential, never kept from an earlier one.

use super::wishes::{PlaceNames, Wishes};
use crate::wire;
use askfirst_domain::{Ident, principal::Principal, scope::KeyScope};
use askfirst_engine::{Acting, Engine, EnvScope, Error, Kind, Op, Result};

/// One call's rights: an environment, and a user or leave for the model to name one.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) scope: EnvScope,
    pub(super) who: Who,
    pub(super) place: PlaceNames,
}

/// For whom the tools act.
#[derive(Debug)]
pub(super) enum Who {
    /// One human, settled by the credential or by whoever started the bridge.
    Bound(Box<Acting>),
    /// Whomever the model names (`--trust-user-id`).
    Named,
}

impl Connection {
    /// Settles for whom and where a call is made.
    ///
    /// # Errors
    /// When the credential does not allow what the call says, or does not say enough; when the revision that it demands is
    /// not reached.
    pub(super) async fn open(engine: &Engine, op: Op, mut wishes: Wishes) -> Result<Self> {
        let at_least = wishes.at_least.take();
        let connection = Self::settle(engine, op, wishes).await?;
        if let Some(token) = at_least {
            connection.scope.at_least(&token).await?;
        }
        Ok(connection)
    }

    async fn settle(engine: &Engine, op: Op, wishes: Wishes) -> Result<Self> {
        match &op.principal {
            Principal::Agent { .. } => Self::open_bound_key(engine, op, wishes).await,
            Principal::ApiKey { scope, .. } => {
                let own = matches!(scope, KeyScope::Environment { .. });
                Self::open_with_key(engine, op, own, wishes).await
            }
            _ => Err(Error::forbidden(
                "A user's session does not open /mcp; use a key made with `askfirst key create`.",
            )),
        }
    }

    /// An agent's own key: it says all that there is to say.
    async fn open_bound_key(engine: &Engine, op: Op, wishes: Wishes) -> Result<Self> {
        if wishes.trust_user_id {
            return Err(Error::forbidden(
                "This key is bound to one user, so the model can't name another one; leave --trust-user-id out.",
            ));
        }
        let acting = engine.act(op).await?;
        if let Some(other) = wishes.as_user.filter(|user| !is_user(&acting, user)) {
            return Err(Error::forbidden(format!(
                "This key acts for {}, not for {other}; make one for {other} with `askfirst key create --as {other}`.",
                acting.user_key()
            )));
        }
        let scope = acting.scope().clone();
        let place = wishes.place;
        let project = place
            .project
            .as_deref()
            .is_none_or(|p| names(p, scope.project().id.uuid(), &scope.project().key));
        let env = place
            .env
            .as_deref()
            .is_none_or(|e| names(e, scope.environment().id.uuid(), &scope.environment().key));
        if !(project && env) {
            return Err(Error::new(
                Kind::NotFound,
                "This key does not open that project and environment; leave them out, the key says which.",
            ));
        }
        Ok(Self { scope, who: Who::Bound(Box::new(acting)), place })
    }

    /// A server's key, held by whoever started the agent. `own`: it opens exactly one environment.
    async fn open_with_key(engine: &Engine, op: Op, own: bool, wishes: Wishes) -> Result<Self> {
        let place = wishes.place;
        let scope = match (&place.project, &place.env) {
            (Some(project), Some(env)) => {
                engine.enter(op, &Ident::new(project.as_str()), &Ident::new(env.as_str())).await?
            }
            (None, None) if own => engine.enter_own(op).await?,
            (None, None) => {
                return Err(Error::invalid(format!(
                    "This key opens more than one environment; say which with {} and {} (PROJECT_ID and ENV_ID for `askfirst mcp`).",
                    wire::PROJECT,
                    wire::ENV
                )));
            }
            _ => {
                return Err(Error::invalid("A project and an environment are named together or not at all."));
            }
        };
        match (wishes.as_user, wishes.trust_user_id) {
            (Some(_), true) => Err(Error::invalid(
                "The connection is bound to a user or lets the model name one, not both; choose --as or --trust-user-id.",
            )),
            (Some(user), false) => {
                let acting = scope.bind_agent(&Ident::new(user)).await?;
                Ok(Self { scope: acting.scope().clone(), who: Who::Bound(Box::new(acting)), place })
            }
            (None, true) => Ok(Self { scope: scope.trust_model()?, who: Who::Named, place }),
            (None, false) => Err(Error::forbidden(format!(
                "This key does not say for whom the agent acts; use a key made with `askfirst key create --as USER`, or \
                 send {} (`askfirst mcp --as USER`), or {}: true (`askfirst mcp --trust-user-id`).",
                wire::AS,
                wire::TRUST_USER_ID
            ))),
        }
    }

    /// For whom one tool call is made. `user_id` is what the model wrote.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] when the connection is bound to somebody else; [`Kind::Invalid`] when the model has to name a
    /// user and did not; [`Kind::NotFound`] when there is no such user.
    pub(super) async fn acting(&self, user_id: Option<&str>) -> Result<Acting> {
        match (&self.who, user_id) {
            (Who::Bound(acting), None) => Ok(acting.as_ref().clone()),
            (Who::Bound(acting), Some(user)) if is_user(acting, user) => Ok(acting.as_ref().clone()),
            (Who::Bound(acting), Some(user)) => Err(Error::forbidden(format!(
                "This connection acts for {bound} only, not for `{user}`; leave user_id out.",
                bound = acting.user_key()
            ))),
            (Who::Named, Some(user)) => self.scope.act_for(&Ident::new(user)).await,
            (Who::Named, None) => Err(Error::invalid(
                "Say for whom with user_id: the key of the user whom you are helping. Ask them if you don't know it.",
            )),
        }
    }

    /// Whether the agent acts for one settled user.
    pub(super) fn is_bound(&self) -> bool {
        matches!(self.who, Who::Bound(_))
    }
}

fn is_user(acting: &Acting, text: &str) -> bool {
    names(text, acting.user().uuid(), acting.user_key())
}

/// Whether a text is this key or this id.
fn names(text: &str, id: impl Into<Ident>, key: impl std::fmt::Display) -> bool {
    let (text, id) = (Ident::new(text), id.into());
    text.uuid() == id.uuid() || text.as_str() == key.to_string()
}
