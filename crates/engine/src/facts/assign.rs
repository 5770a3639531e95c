//! Giving roles: one or many at once, also together with a new user.

use super::{
    FactNote, MAX_ASSIGNMENTS, bounded,
    resolve::{Absent, Resolver, link, same_tenant},
};
use crate::{
    EnvScope,
    commit::{Draft, Tries},
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, Key, Timestamp,
    change::{Change, Expect, ObjectRef},
    facts::{InstanceLink, RoleAssignment, User},
    id::{InstanceId, RoleId, TenantId, UserId},
    schema::Role,
};
use askfirst_store::{AssignmentFilter, Page};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    slice,
    sync::Arc,
};

/// A role to be given: in a tenant, or on an instance.
#[derive(Debug, Clone)]
pub struct AssignmentSpec {
    pub user: Ident,
    /// A role of the instance's resource, or a tenant role.
    pub role: Ident,
    /// Without an instance: where. With one: it must be the instance's; an instance that is not there is created in it.
    pub tenant: Option<Ident>,
    /// `type:key` or an id; a bare key when only one resource has the role.
    pub instance: Option<String>,
    /// When the role ends; never if none.
    pub expires_at: Option<Timestamp>,
}

/// What makes an assignment the same as another.
type Slot = (UserId, RoleId, TenantId, Option<InstanceId>);

/// Who gets what where, with every name found.
#[derive(Debug)]
struct Target {
    user: User,
    role: Arc<Role>,
    tenant: Key,
    tenant_id: TenantId,
    instance: Option<InstanceLink>,
    expires_at: Option<Timestamp>,
}

impl Target {
    fn slot(&self) -> Slot {
        (self.user.id, self.role.id, self.tenant_id, self.instance.as_ref().map(|i| i.id))
    }
}

fn slot(a: &RoleAssignment) -> Slot {
    (a.user_id, a.role_id, a.tenant_id, a.instance.as_ref().map(|i| i.id))
}

/// Assignments that are ready to be written.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) made: Vec<RoleAssignment>,
    /// Wanted, and there already.
    pub(crate) standing: Vec<RoleAssignment>,
    pub(crate) draft: Draft,
}

impl EnvScope {
    /// Gives a user a role.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for anything that is not there, [`Kind::Duplicate`] when the user has it already,
    /// [`Kind::TenantMismatch`], [`Kind::Invalid`] for a role that needs an instance or an end in the past.
    pub async fn assign_role(&self, spec: &AssignmentSpec) -> Result<RoleAssignment> {
        let mut tries = Tries::default();
        loop {
            let planned = self.plan_assignments(slice::from_ref(spec), &[]).await?;
            if let Some(known) = planned.standing.first() {
                return Err(Error::new(Kind::Duplicate, already(known)));
            }
            let made = planned.made.into_iter().next();
            if self.settled(planned.draft).await? {
                return made.ok_or_else(|| Error::not_found("role", &spec.role));
            }
            tries.again()?;
        }
    }

    /// Gives many roles; those that are held already are passed over. Answers how many were given.
    ///
    /// # Errors
    /// As [`EnvScope::assign_role`], then nothing is written; [`Kind::TooLarge`].
    pub async fn assign_roles(&self, specs: &[AssignmentSpec]) -> Result<usize> {
        bounded("role assignments", specs.len(), MAX_ASSIGNMENTS)?;
        let mut tries = Tries::default();
        loop {
            let planned = self.plan_assignments(specs, &[]).await?;
            if self.settled(planned.draft).await? {
                return Ok(planned.made.len());
            }
            tries.again()?;
        }
    }

    /// Works out what has to be written. The same write vouches for `known` users.
    pub(crate) async fn plan_assignments(&self, specs: &[AssignmentSpec], known: &[User]) -> Result<Planned> {
        let mut resolver = Resolver::new(self);
        for user in known {
            resolver.introduce(user);
        }
        let instances = specs.iter().filter_map(|spec| spec.instance.as_deref());
        resolver.look_ahead(specs.iter().map(|spec| &spec.user), instances).await?;
        let mut targets = Vec::with_capacity(specs.len());
        let mut wanted = HashSet::new();
        for spec in specs {
            let target = target(&mut resolver, spec).await?;
            if wanted.insert(target.slot()) {
                targets.push(target);
            }
        }
        let mut held = self.held(&targets).await?;
        let mut planned = Planned { made: Vec::new(), standing: Vec::new(), draft: resolver.into_draft() };
        for target in targets {
            match held.remove(&target.slot()) {
                Some(known) if known.expires_at.is_none_or(|at| at > self.op.now) => {
                    planned.standing.push(known);
                }
                ended => self.plan_one(&mut planned, target, ended).await?,
            }
        }
        Ok(planned)
    }

    async fn plan_one(
        &self,
        planned: &mut Planned,
        target: Target,
        ended: Option<RoleAssignment>,
    ) -> Result<()> {
        let (user, role, tenant, instance) = target.slot();
        match ended {
            Some(old) => {
                let Some(found) = self.engine.store().assignment(self.env.id, old.id).await? else {
                    return Err(Error::conflict(
                        "The role assignment was changed at the same moment; try again.",
                    ));
                };
                planned.draft.expects.push(Expect::AtRevision(ObjectRef::Assignment(old.id), found.revision));
                planned.draft.changes.push(Change::DeleteAssignment(old));
            }
            None => planned.draft.expects.push(Expect::NoAssignment { user, role, tenant, instance }),
        }
        let assignment = RoleAssignment {
            id: self.engine.fresh_id(&self.op)?,
            user: target.user.key,
            user_id: user,
            role: target.role.key.clone(),
            role_id: role,
            tenant: target.tenant,
            tenant_id: tenant,
            instance: target.instance,
            expires_at: target.expires_at,
            origin: None,
            created_at: self.op.now,
        };
        planned.draft.facts.push(assignment_note("role_assignment.created", &assignment));
        planned.draft.changes.push(Change::PutAssignment(assignment.clone()));
        planned.made.push(assignment);
        Ok(())
    }

    /// Which of the wanted assignments are there.
    async fn held(&self, targets: &[Target]) -> Result<HashMap<Slot, RoleAssignment>> {
        let users: BTreeSet<_> = targets.iter().map(|t| t.user.id).collect();
        let roles: BTreeSet<_> = targets.iter().map(|t| t.role.id).collect();
        if users.is_empty() {
            return Ok(HashMap::new());
        }
        let filter = AssignmentFilter {
            users: Some(users.into_iter().collect()),
            roles: Some(roles.into_iter().collect()),
            ..AssignmentFilter::default()
        };
        let found = self.engine.store().assignments(self.env.id, &filter, Page::ALL).await?;
        Ok(found.items.into_iter().map(|a| (slot(&a), a)).collect())
    }
}

async fn target(resolver: &mut Resolver<'_>, spec: &AssignmentSpec) -> Result<Target> {
    if spec.expires_at.is_some_and(|at| at <= resolver.scope().op.now) {
        return Err(Error::invalid("`expires_at` has to be a moment in the future."));
    }
    let user = resolver.user(&spec.user).await?;
    let tenant = match &spec.tenant {
        Some(ident) => Some(resolver.tenant(ident).await?),
        None => None,
    };
    let expires_at = spec.expires_at;
    let Some(text) = &spec.instance else {
        let role = resolver.role(None, &spec.role)?;
        let tenant = tenant.ok_or_else(|| {
            Error::invalid(format!(
                "Name the `tenant` in which `{}` gets the role, for example `default`.",
                user.key
            ))
        })?;
        return Ok(Target {
            user,
            role,
            tenant: tenant.key,
            tenant_id: tenant.id,
            instance: None,
            expires_at,
        });
    };
    let bare = !text.contains(':') && Ident::from(text.as_str()).uuid().is_none();
    let on = if bare { Some(resolver.resource_of_role(&spec.role, text)?) } else { None };
    let absent = tenant.as_ref().map_or(Absent::Refuse, Absent::Create);
    let instance = resolver.instance(text, on.as_ref(), absent).await?;
    if let Some(tenant) = &tenant {
        same_tenant(&instance, tenant)?;
    }
    let role = resolver.role(Some(&instance.resource), &spec.role)?;
    Ok(Target {
        user,
        role,
        tenant: instance.tenant.clone(),
        tenant_id: instance.tenant_id,
        instance: Some(link(&instance)),
        expires_at,
    })
}

/// What the audit log says of a role assignment.
pub(super) fn assignment_note(code: &'static str, assignment: &RoleAssignment) -> FactNote {
    let note = FactNote::new(code, held_where(assignment))
        .with("user", assignment.user.as_str())
        .with("tenant", assignment.tenant.as_str());
    match assignment.expires_at {
        Some(at) => note.with("expires_at", at.to_string()),
        None => note,
    }
}

/// `restaurants:pizza-palace#parent`, or `admin in tenant default`.
pub(super) fn held_where(a: &RoleAssignment) -> String {
    match &a.instance {
        Some(on) => format!("{}#{}", on.reference(), a.role),
        None => format!("{} in tenant {}", a.role, a.tenant),
    }
}

fn already(a: &RoleAssignment) -> String {
    let place = a
        .instance
        .as_ref()
        .map_or_else(|| format!("in the tenant `{}`", a.tenant), |on| format!("on `{}`", on.reference()));
    format!("The user `{}` has the role `{}` {place} already; nothing was changed.", a.user, a.role)
}
