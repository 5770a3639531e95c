//! The facts that are there: asked for one by one, or all read before when a file names many of them.

use super::prune::all;
use crate::{EnvScope, error::Result};
use askfirst_domain::{
    Ident, Key,
    facts::{Instance, InstanceRef, RoleAssignment, Tenant, User},
    id::{InstanceId, RoleId, TenantId, UserId},
};
use askfirst_store::{
    AssignmentFilter, InstanceFilter, InstanceIdent, Page, TenantFilter, TupleFilter, UserFilter,
};
use std::collections::{HashMap, HashSet};

/// Fewer facts than these are always asked for one by one.
const FEW: usize = 64;
/// All are read when a file names at least one for so many that are there.
const SHARE: usize = 20;

type AssignmentName = (UserId, RoleId, TenantId, Option<InstanceId>);

/// Where the facts that are there are looked up.
pub(super) enum Existing {
    /// In the store, each when it is needed.
    Store,
    /// Here.
    Read(Box<Read>),
}

/// All facts, as they were read.
#[derive(Default)]
pub(super) struct Read {
    tenants: HashMap<Key, Tenant>,
    users: HashMap<String, User>,
    instances: HashMap<InstanceRef, Instance>,
    tuples: HashSet<(InstanceId, Key, InstanceId)>,
    assignments: HashMap<AssignmentName, RoleAssignment>,
}

impl Existing {
    /// `named` facts are in the file, `there` things in the environment.
    pub(super) async fn of(scope: &EnvScope, named: usize, there: usize) -> Result<Self> {
        if named <= FEW || named.saturating_mul(SHARE) < there {
            return Ok(Self::Store);
        }
        let (store, env) = (scope.engine.store(), scope.env.id);
        let mut read = Box::<Read>::default();
        let filter = TenantFilter::default();
        let tenants = all(|page| store.tenants(env, &filter, page)).await?;
        read.tenants.extend(tenants.into_iter().map(|tenant| (tenant.key.clone(), tenant)));
        let filter = UserFilter::default();
        let users = all(|page| store.users(env, &filter, page)).await?;
        read.users.extend(users.into_iter().map(|user| (user.key.to_string(), user)));
        let filter = InstanceFilter::default();
        for instance in all(|page| store.instances(env, &filter, page)).await? {
            let at = InstanceRef { resource: instance.resource.clone(), key: instance.key.clone() };
            read.instances.insert(at, instance);
        }
        let filter = TupleFilter::default();
        let tuples = all(|page| store.tuples(env, &filter, page)).await?;
        read.tuples
            .extend(tuples.into_iter().map(|tuple| (tuple.subject.id, tuple.relation, tuple.object.id)));
        let filter = AssignmentFilter::default();
        for assignment in all(|page| store.assignments(env, &filter, page)).await? {
            let instance = assignment.instance.as_ref().map(|instance| instance.id);
            let name = (assignment.user_id, assignment.role_id, assignment.tenant_id, instance);
            read.assignments.insert(name, assignment);
        }
        Ok(Self::Read(read))
    }

    pub(super) async fn tenant(&self, scope: &EnvScope, key: &Key) -> Result<Option<Tenant>> {
        match self {
            Self::Read(read) => Ok(read.tenants.get(key).cloned()),
            Self::Store => {
                let found = scope.engine.store().tenant(scope.env.id, &Ident::from(key.as_str())).await?;
                // A key that reads as a UUID may be somebody else's id.
                Ok(found.map(|found| found.value).filter(|tenant| tenant.key == *key))
            }
        }
    }

    pub(super) async fn user(&self, scope: &EnvScope, key: &str) -> Result<Option<User>> {
        match self {
            Self::Read(read) => Ok(read.users.get(key).cloned()),
            Self::Store => {
                let found = scope.engine.store().user(scope.env.id, &Ident::from(key)).await?;
                Ok(found.map(|found| found.value).filter(|user| user.key.as_str() == key))
            }
        }
    }

    pub(super) async fn instance(&self, scope: &EnvScope, at: &InstanceRef) -> Result<Option<Instance>> {
        match self {
            Self::Read(read) => Ok(read.instances.get(at).cloned()),
            Self::Store => {
                let ident = InstanceIdent::Key { resource: at.resource.to_string(), key: at.key.to_string() };
                let found = scope.engine.store().instance(scope.env.id, &ident).await?;
                Ok(found.map(|found| found.value))
            }
        }
    }

    pub(super) async fn has_tuple(
        &self,
        scope: &EnvScope,
        subject: InstanceId,
        relation: &Key,
        object: InstanceId,
    ) -> Result<bool> {
        if let Self::Read(read) = self {
            return Ok(read.tuples.contains(&(subject, relation.clone(), object)));
        }
        let filter = TupleFilter {
            subject: Some(subject),
            relation: Some(relation.clone()),
            object: Some(object),
            ..TupleFilter::default()
        };
        let one = Page { offset: 0, limit: 1 };
        Ok(scope.engine.store().tuples(scope.env.id, &filter, one).await?.total > 0)
    }

    pub(super) async fn assignment(
        &self,
        scope: &EnvScope,
        user: UserId,
        role: RoleId,
        tenant: TenantId,
        instance: Option<InstanceId>,
    ) -> Result<Option<RoleAssignment>> {
        if let Self::Read(read) = self {
            return Ok(read.assignments.get(&(user, role, tenant, instance)).cloned());
        }
        let filter = AssignmentFilter {
            users: Some(vec![user]),
            roles: Some(vec![role]),
            tenants: Some(vec![tenant]),
            instance,
            ..AssignmentFilter::default()
        };
        let found = scope.engine.store().assignments(scope.env.id, &filter, Page::ALL).await?;
        Ok(found.items.into_iter().find(|a| a.instance.as_ref().map(|i| i.id) == instance))
    }

    /// At which revision the thing was written last; 0, at which nothing was, when it is gone.
    pub(super) async fn tenant_revision(&self, scope: &EnvScope, tenant: &Tenant) -> Result<u64> {
        let ident = Ident::from(tenant.id.uuid());
        let found = scope.engine.store().tenant(scope.env.id, &ident).await?;
        Ok(found.filter(|found| found.value == *tenant).map_or(0, |found| found.revision))
    }

    /// As [`Existing::tenant_revision`].
    pub(super) async fn user_revision(&self, scope: &EnvScope, user: &User) -> Result<u64> {
        let ident = Ident::from(user.id.uuid());
        let found = scope.engine.store().user(scope.env.id, &ident).await?;
        Ok(found.filter(|found| found.value == *user).map_or(0, |found| found.revision))
    }

    /// As [`Existing::tenant_revision`].
    pub(super) async fn instance_revision(&self, scope: &EnvScope, instance: &Instance) -> Result<u64> {
        let ident = InstanceIdent::Id(instance.id);
        let found = scope.engine.store().instance(scope.env.id, &ident).await?;
        Ok(found.filter(|found| found.value == *instance).map_or(0, |found| found.revision))
    }
}
