//! Who may be where: the proofs that every use case asks for.
//!
//! An [`OrgScope`] or [`EnvScope`] exists only after the credential was held against the place, an [`Acting`] only after
//! it was settled for which user the call is made. Their fields are private; this file is all there is to review.

use crate::{
    Engine, Op, agents,
    error::{Error, Kind, Result},
    live::{Live, LiveState},
    revision::Seen,
};
use askfirst_domain::{
    Ident, Timestamp, UserKey,
    id::{AgentId, ApiKeyId, EnvId, ProjectId, TenantId, UserId},
    principal::Principal,
    request::Person,
    scope::{ApiKey, Environment, KeyScope, Organization, Project, SessionKind},
};
use askfirst_store::Head;
use std::sync::Arc;
use uuid::Uuid;

/// The installation, opened by a key of some level.
#[derive(Debug, Clone)]
pub struct OrgScope {
    pub(crate) engine: Engine,
    pub(crate) op: Op,
    pub(crate) scope: KeyScope,
}

/// One environment, opened for the server side: everything in it may be read and written.
#[derive(Debug, Clone)]
pub struct EnvScope {
    pub(crate) engine: Engine,
    pub(crate) op: Op,
    pub(crate) env: Arc<Environment>,
    pub(crate) project: Arc<Project>,
    pub(crate) live: Arc<Live>,
    pub(crate) seen: Seen,
}

/// How it is known for whom a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// A server with an API key says so of its own user.
    Server,
    /// The human is signed in.
    Session,
    /// An agent whose connection is bound to this human. It may ask and read; it decides nothing.
    Agent,
    /// A model named the user (`--trust-user-id`).
    Model,
}

/// One user of an environment, for whom a call is made.
#[derive(Debug, Clone)]
pub struct Acting {
    pub(crate) scope: EnvScope,
    pub(crate) person: Person,
    pub(crate) via: Via,
    /// The only tenant that the credential reaches; none means any.
    pub(crate) tenant: Option<TenantId>,
}

impl Engine {
    /// The call of whoever holds this API key or element token. Time is read here.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`] when the credential opens nothing.
    pub async fn authenticate(&self, credential: &crate::Secret) -> Result<Op> {
        let hash = credential.hash();
        let now = self.0.clock.now();
        self.fresh_enough(|| self.directory().lag())?;
        if let Some(key) = self.key_of(&hash).await? {
            // Revoked is revoked, also where the clock is behind that of the server that did it.
            let ended = key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= now);
            if ended {
                return Err(Error::new(Kind::Unauthenticated, "This API key was revoked or has expired."));
            }
            let principal = match &key.scope {
                KeyScope::Agent { env, user, user_key, agent, .. } => {
                    let agent = self.acting_agent(*env, *agent, key.id).await?;
                    Principal::Agent { env: *env, user: *user, key: user_key.clone(), via: key.id, agent }
                }
                scope => Principal::ApiKey { id: key.id, scope: scope.clone() },
            };
            return Ok(Op { principal, now, call: self.call_id(now)? });
        }
        self.authenticate_session(credential, SessionKind::Element).await
    }

    /// The API key whose secret has this hash. One that is not known here may have been made by another process.
    async fn key_of(&self, hash: &str) -> Result<Option<Arc<ApiKey>>> {
        let listing = self.directory().get();
        if let Some(key) = listing.key(hash) {
            return Ok(Some(Arc::clone(key)));
        }
        if self.directory().is_unknown(hash, listing.version()) {
            return Ok(None);
        }
        let key = self.store().api_key_by_hash(hash).await?.map(Arc::new);
        match &key {
            Some(_) => self.directory().reload(self.store()).await?,
            None => self.directory().put_unknown(hash.to_owned(), listing.version()),
        }
        Ok(key)
    }

    /// The registered agent whose key it is, if it may act.
    async fn acting_agent(
        &self,
        env: EnvId,
        agent: Option<AgentId>,
        key: ApiKeyId,
    ) -> Result<Option<AgentId>> {
        if self.directory().get().environment_by_id(env).is_none() {
            // Whatever comes next says that it is gone.
            return Ok(agent);
        }
        let live = self.live(env).await?;
        let id = agent.unwrap_or_else(|| AgentId::new(key.uuid()));
        let find = || live.with(|state| state.snapshot.schema().agent_by_id(id).cloned());
        let mut found = find();
        if found.is_none() && agent.is_some() {
            // Registered by another process a moment ago.
            live.catch_up(self.store()).await?;
            found = find();
        }
        match (found, agent) {
            (Some(found), _) => {
                agents::refuse_frozen(&found, Kind::Unauthenticated)?;
                Ok(Some(id))
            }
            (None, None) => Ok(None),
            (None, Some(_)) => {
                Err(Error::new(Kind::Unauthenticated, "The agent of this key is not registered any more."))
            }
        }
    }

    /// The call of whoever holds this session of the given kind.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`] when there is no such session (any more).
    pub async fn authenticate_session(&self, token: &crate::Secret, kind: SessionKind) -> Result<Op> {
        let now = self.0.clock.now();
        let refused = || {
            Error::new(
                Kind::Unauthenticated,
                "This credential is not valid; use an API key or sign in again.",
            )
        };
        let session = self.store().session_by_hash(&token.hash()).await?.ok_or_else(refused)?;
        if session.expires_at <= now || session.kind != kind {
            return Err(refused());
        }
        let user =
            self.store().user(session.env, &Ident::from(session.user.uuid())).await?.ok_or_else(refused)?;
        let principal = Principal::User {
            session: session.id,
            env: session.env,
            user: session.user,
            key: user.value.key,
            tenant: session.tenant,
        };
        Ok(Op { principal, now, call: self.call_id(now)? })
    }

    /// A call of the product itself.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn system(&self, name: &str) -> Result<Op> {
        let now = self.0.clock.now();
        Ok(Op { principal: Principal::System { name: name.to_owned() }, now, call: self.call_id(now)? })
    }

    fn call_id(&self, now: Timestamp) -> Result<Uuid> {
        Ok(crate::context::fresh::<()>(now, self.entropy())?.uuid())
    }

    /// Opens the installation with an API key.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] for any other credential.
    pub fn open(&self, op: Op) -> Result<OrgScope> {
        match &op.principal {
            Principal::ApiKey { scope, .. } => {
                let scope = scope.clone();
                Ok(OrgScope { engine: self.clone(), op, scope })
            }
            Principal::System { .. } => {
                Ok(OrgScope { engine: self.clone(), op, scope: KeyScope::Organization })
            }
            other => Err(refuse(other)),
        }
    }

    /// Opens the one environment that the credential is for: an environment key's, a session's, an agent's.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a wider key, which must name the environment.
    pub async fn enter_own(&self, op: Op) -> Result<EnvScope> {
        let env = match &op.principal {
            Principal::ApiKey { scope: KeyScope::Environment { env, .. }, .. } => *env,
            Principal::ApiKey { .. } => {
                return Err(Error::invalid(
                    "This key opens more than one environment; use an environment key for this call.",
                ));
            }
            other => return Err(refuse(other)),
        };
        self.enter_by_id(op, env).await
    }

    /// Opens an environment with an API key.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such place or the key does not reach it (the two look the same from
    /// outside), [`Kind::Forbidden`] for a credential that is no API key.
    pub async fn enter(&self, op: Op, project: &Ident, env: &Ident) -> Result<EnvScope> {
        let org = self.open(op)?;
        let listing = self.directory().get();
        let project = org.reachable_project(&listing, project)?;
        let environment = Arc::clone(listing.environment(project.id, env)?);
        if !org.reaches(project.id, Some(environment.id)) {
            return Err(Error::new(
                Kind::NotFound,
                format!("There is no environment `{env}` that this key opens."),
            ));
        }
        let live = self.live(environment.id).await?;
        self.fresh_enough(|| live.lag())?;
        let seen = Seen::default();
        Ok(EnvScope { engine: self.clone(), op: org.op, env: environment, project, live, seen })
    }

    /// Opens an environment whose id the credential itself carries.
    async fn enter_by_id(&self, op: Op, env: EnvId) -> Result<EnvScope> {
        let listing = self.directory().get();
        let gone =
            || Error::new(Kind::NotFound, "The environment of this credential does not exist any more.");
        let environment = listing.environment_by_id(env).ok_or_else(gone)?.clone();
        let project = listing.projects.iter().find(|p| p.id == environment.project).ok_or_else(gone)?.clone();
        let live = self.live(env).await?;
        self.fresh_enough(|| live.lag())?;
        Ok(EnvScope { engine: self.clone(), op, env: environment, project, live, seen: Seen::default() })
    }

    /// Enters an environment as the product itself.
    pub(crate) async fn enter_as_system(&self, env: EnvId, name: &str) -> Result<EnvScope> {
        self.enter_by_id(self.system(name)?, env).await
    }

    /// The user whom the credential itself names: a session's or an agent's human.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] for an API key, which must say for whom it acts.
    pub async fn act(&self, op: Op) -> Result<Acting> {
        let (env, person, via, tenant) = match &op.principal {
            Principal::User { env, user, key, tenant, .. } => {
                (*env, Person { id: *user, key: key.clone() }, Via::Session, *tenant)
            }
            Principal::Agent { env, user, key, .. } => {
                (*env, Person { id: *user, key: key.clone() }, Via::Agent, None)
            }
            _ => return Err(Error::forbidden("This call needs a signed-in user.")),
        };
        let scope = self.enter_by_id(op, env).await?;
        // The user may have been deleted since the credential was made; a key used again is somebody else.
        let user = scope.engine.store().user(env, &Ident::from(person.id.uuid())).await?;
        if user.is_none() {
            return Err(Error::new(
                Kind::Unauthenticated,
                "The user of this credential does not exist any more.",
            ));
        }
        Ok(Acting { scope, person, via, tenant })
    }
}

fn refuse(principal: &Principal) -> Error {
    match principal {
        Principal::Agent { .. } => Error::forbidden("This key opens /mcp and nothing else."),
        _ => Error::forbidden("This call needs an API key."),
    }
}

impl OrgScope {
    /// The organisation.
    pub fn organization(&self) -> Result<Organization> {
        self.engine.directory().get().organization().cloned()
    }

    /// What the key opens.
    pub fn key_scope(&self) -> &KeyScope {
        &self.scope
    }

    /// Whether the key reaches a project (or one of its environments).
    pub(crate) fn reaches(&self, project: ProjectId, env: Option<EnvId>) -> bool {
        match &self.scope {
            KeyScope::Organization => true,
            KeyScope::Project { project: own } => *own == project,
            KeyScope::Environment { project: own_project, env: own } => {
                *own_project == project && env.is_none_or(|env| env == *own)
            }
            KeyScope::Agent { .. } => false,
        }
    }

    pub(crate) fn reachable_project(
        &self,
        listing: &crate::directory::Listing,
        ident: &Ident,
    ) -> Result<Arc<Project>> {
        let hidden =
            || Error::new(Kind::NotFound, format!("There is no project `{ident}` that this key opens."));
        let project = listing.project(ident).map_err(|_| hidden())?;
        if self.reaches(project.id, None) { Ok(Arc::clone(project)) } else { Err(hidden()) }
    }
}

impl EnvScope {
    /// The environment.
    pub fn environment(&self) -> &Environment {
        &self.env
    }

    /// The project that it belongs to.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The newest state that this process has.
    pub fn state(&self) -> Arc<LiveState> {
        let state = self.live.state();
        self.seen.note(Head { epoch: state.epoch, revision: state.revision });
        state
    }

    /// The call.
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The same environment, written in by a part of the system that is called `name`: what happens by itself is nobody's act.
    pub(crate) fn by_system(&self, name: String) -> Self {
        Self { op: Op { principal: Principal::System { name }, ..self.op.clone() }, ..self.clone() }
    }

    /// Acts for one of the environment's users: the server that holds the key says so.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such user.
    pub async fn act_for(&self, user: &Ident) -> Result<Acting> {
        let via = if self.op.principal.trusts_model() { Via::Model } else { Via::Server };
        let person = self.person(user).await?;
        Ok(Acting { scope: self.clone(), person, via, tenant: None })
    }

    /// The user with this key or id. The state is looked at before the store: what a gone user would write is refused by what
    /// the write expects.
    async fn person(&self, user: &Ident) -> Result<Person> {
        let known = user.uuid().is_none().then(|| self.look(|state| state.snapshot.user_id(user.as_str())));
        if let Some(id) = known.flatten()
            && let Ok(key) = user.as_str().parse()
        {
            return Ok(Person { id, key });
        }
        let user = self.find_user(user).await?.value;
        Ok(Person { id: user.id, key: user.key })
    }

    /// Binds this connection's agent to a user: from here on it may ask, and decides nothing. For `mcp --as USER`,
    /// where the operator who started it holds the key and the model does not.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such user; [`Kind::Forbidden`] without an API key.
    pub async fn bind_agent(&self, user: &Ident) -> Result<Acting> {
        self.bind(user, None).await
    }

    /// As [`EnvScope::bind_agent`], as a registered agent, which whoever holds the key has authenticated.
    ///
    /// # Errors
    /// As [`EnvScope::bind_agent`]; [`Kind::NotFound`] when there is no such agent, [`Kind::Conflict`] for a frozen one.
    pub async fn bind_registered_agent(&self, user: &Ident, agent: &Ident) -> Result<Acting> {
        let agent = self.agent(agent)?.agent;
        agents::refuse_frozen(&agent, Kind::Conflict)?;
        self.bind(user, Some(agent.id)).await
    }

    async fn bind(&self, user: &Ident, agent: Option<AgentId>) -> Result<Acting> {
        let Principal::ApiKey { id, .. } = &self.op.principal else {
            return Err(refuse(&self.op.principal));
        };
        let user = self.find_user(user).await?.value;
        let (env, key) = (self.env.id, user.key.clone());
        let principal = Principal::Agent { env, user: user.id, key, via: *id, agent };
        let scope = Self { op: Op { principal, ..self.op.clone() }, ..self.clone() };
        Ok(Acting { scope, person: Person { id: user.id, key: user.key }, via: Via::Agent, tenant: None })
    }

    /// Lets a model name the user of each call from here on (`mcp --trust-user-id`); every audit event says so.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] without an API key.
    pub fn trust_model(&self) -> Result<Self> {
        let Principal::ApiKey { id, .. } = &self.op.principal else {
            return Err(refuse(&self.op.principal));
        };
        let principal = Principal::TrustedAgent { project: self.project.id, env: self.env.id, via: *id };
        Ok(Self { op: Op { principal, ..self.op.clone() }, ..self.clone() })
    }
}

impl Acting {
    /// The environment.
    pub fn scope(&self) -> &EnvScope {
        &self.scope
    }

    /// Who.
    pub fn user(&self) -> UserId {
        self.person.id
    }

    /// Who, for reading.
    pub fn user_key(&self) -> &UserKey {
        &self.person.key
    }

    /// How that is known.
    pub fn via(&self) -> Via {
        self.via
    }
}
