//! The facts part of a file: tenants, users, instances, then tuples and assignments (which refer to them).

use super::plan::Plan;
use crate::error::{Error, Result};
use askfirst_domain::{
    Ident, Key,
    change::{Change, Expect, ObjectRef},
    facts::{
        DEFAULT_TENANT, Instance, InstanceLink, InstanceRef, RelationshipTuple, RoleAssignment, Tenant, User,
    },
};
use askfirst_policy::file::{AssignmentEntry, InstanceEntry, PolicyFile, TenantEntry, TupleEntry, UserEntry};
use askfirst_store::{AssignmentFilter, InstanceIdent, Page, TupleFilter, Versioned};
use std::collections::HashMap;

/// What the file's facts are called by, once each has an id.
#[derive(Default)]
struct Known {
    tenants: HashMap<Key, Tenant>,
    users: HashMap<String, User>,
    instances: HashMap<InstanceRef, Instance>,
}

impl Plan<'_> {
    pub(super) async fn facts(&mut self, file: &PolicyFile) -> Result<()> {
        let mut known = Known::default();
        for entry in &file.tenants {
            let tenant = self.tenant(entry).await?;
            known.tenants.insert(tenant.key.clone(), tenant);
        }
        for entry in &file.users {
            let user = self.user(entry).await?;
            known.users.insert(user.key.to_string(), user);
        }
        for entry in &file.instances {
            let instance = self.instance(entry, &mut known).await?;
            known.instances.insert(entry.at.clone(), instance);
        }
        for entry in &file.tuples {
            self.tuple(entry, &mut known).await?;
        }
        for entry in &file.assignments {
            self.assignment(entry, &mut known).await?;
        }
        Ok(())
    }

    async fn tenant(&mut self, entry: &TenantEntry) -> Result<Tenant> {
        let now = self.now();
        let old =
            self.scope.engine.store().tenant(self.scope.env.id, &Ident::from(entry.key.as_str())).await?;
        let mut new = match &old {
            Some(old) => old.value.clone(),
            None => Tenant {
                id: self.fresh()?,
                key: entry.key.clone(),
                name: String::new(),
                description: None,
                attributes: entry.attributes.clone(),
                created_at: now,
                updated_at: now,
                last_action_at: now,
            },
        };
        new.name.clone_from(&entry.name);
        new.description.clone_from(&entry.description);
        new.attributes.clone_from(&entry.attributes);
        if self.differs(old.as_ref(), &new, |id| ObjectRef::Tenant(id.id)) {
            new.updated_at = now;
            self.put("tenants", old.is_some(), Change::PutTenant(new.clone()));
        }
        Ok(new)
    }

    async fn user(&mut self, entry: &UserEntry) -> Result<User> {
        let now = self.now();
        let old = self.scope.engine.store().user(self.scope.env.id, &Ident::from(entry.key.as_str())).await?;
        let mut new = match &old {
            Some(old) => old.value.clone(),
            None => User {
                id: self.fresh()?,
                key: entry.key.clone(),
                email: None,
                first_name: None,
                last_name: None,
                attributes: entry.attributes.clone(),
                created_at: now,
                updated_at: now,
            },
        };
        new.email.clone_from(&entry.email);
        new.first_name.clone_from(&entry.first_name);
        new.last_name.clone_from(&entry.last_name);
        new.attributes.clone_from(&entry.attributes);
        if self.differs(old.as_ref(), &new, |user| ObjectRef::User(user.id)) {
            new.updated_at = now;
            self.put("users", old.is_some(), Change::PutUser(new.clone()));
        }
        Ok(new)
    }

    async fn instance(&mut self, entry: &InstanceEntry, known: &mut Known) -> Result<Instance> {
        let now = self.now();
        let old = self.stored_instance(&entry.at).await?;
        let tenant = self.tenant_of(&entry.tenant, known).await?;
        let mut new = match &old {
            Some(old) if old.value.tenant_id != tenant.id => {
                let message = format!(
                    "`{}` belongs to the tenant `{}` and can't move to `{}`; delete it first.",
                    entry.at, old.value.tenant, tenant.key
                );
                return Err(Error::conflict(message));
            }
            Some(old) => old.value.clone(),
            None => {
                let resource = self.snapshot.schema().resource_by_key(entry.at.resource.as_str());
                let resource_id =
                    resource.ok_or_else(|| Error::not_found("resource", &entry.at.resource))?.id;
                Instance {
                    id: self.fresh()?,
                    key: entry.at.key.clone(),
                    resource: entry.at.resource.clone(),
                    resource_id,
                    tenant: tenant.key,
                    tenant_id: tenant.id,
                    attributes: entry.attributes.clone(),
                    created_at: now,
                    updated_at: now,
                }
            }
        };
        new.attributes.clone_from(&entry.attributes);
        if self.differs(old.as_ref(), &new, |instance| ObjectRef::Instance(instance.id)) {
            new.updated_at = now;
            self.put("instances", old.is_some(), Change::PutInstance(new.clone()));
        }
        Ok(new)
    }

    async fn tuple(&mut self, entry: &TupleEntry, known: &mut Known) -> Result<()> {
        let now = self.now();
        let subject = self.instance_of(&entry.subject, known).await?;
        let object = self.instance_of(&entry.object, known).await?;
        if subject.tenant_id != object.tenant_id {
            let message = format!(
                "`{}` and `{}` belong to different tenants, so they can't be related.",
                entry.subject, entry.object
            );
            return Err(Error::new(crate::Kind::TenantMismatch, message));
        }
        let filter = TupleFilter {
            subject: Some(subject.id),
            relation: Some(entry.relation.clone()),
            object: Some(object.id),
            ..TupleFilter::default()
        };
        let one = Page { offset: 0, limit: 1 };
        if self.scope.engine.store().tuples(self.scope.env.id, &filter, one).await?.total > 0 {
            self.unchanged();
            return Ok(());
        }
        let schema = self.snapshot.schema();
        let relation = schema.relation_by_key(object.resource.as_str(), entry.relation.as_str());
        let relation_id = relation.ok_or_else(|| Error::not_found("relation", &entry.relation))?.id;
        let tuple = RelationshipTuple {
            id: self.fresh()?,
            subject: link(&subject),
            relation: entry.relation.clone(),
            relation_id,
            object: link(&object),
            tenant: object.tenant,
            tenant_id: object.tenant_id,
            created_at: now,
            updated_at: now,
        };
        self.put("tuples", false, Change::PutTuple(tuple));
        Ok(())
    }

    async fn assignment(&mut self, entry: &AssignmentEntry, known: &mut Known) -> Result<()> {
        let now = self.now();
        let user = self.user_of(entry.user.as_str(), known).await?;
        let instance = match &entry.on {
            Some(at) => Some(self.instance_of(at, known).await?),
            None => None,
        };
        let tenant = if let Some(instance) = &instance {
            instance.tenant.clone()
        } else {
            entry.tenant.clone().map_or_else(|| DEFAULT_TENANT.parse(), Ok)?
        };
        let tenant = self.tenant_of(&tenant, known).await?;
        let scope = instance.as_ref().map(|i| i.resource.as_str());
        let role = self.snapshot.schema().role_by_key(scope, entry.role.as_str());
        let role_id = role.ok_or_else(|| Error::not_found("role", &entry.role))?.id;
        let filter = AssignmentFilter {
            users: Some(vec![user.id]),
            roles: Some(vec![role_id]),
            tenants: Some(vec![tenant.id]),
            instance: instance.as_ref().map(|i| i.id),
            ..AssignmentFilter::default()
        };
        let stored = self.scope.engine.store().assignments(self.scope.env.id, &filter, Page::ALL).await?;
        let old = stored
            .items
            .into_iter()
            .find(|a| a.instance.as_ref().map(|i| i.id) == instance.as_ref().map(|i| i.id));
        if old.as_ref().is_some_and(|old| old.expires_at == entry.expires_at) {
            self.unchanged();
            return Ok(());
        }
        let known_before = old.is_some();
        let assignment = match old {
            Some(old) => RoleAssignment { expires_at: entry.expires_at, ..old },
            None => RoleAssignment {
                id: self.fresh()?,
                user: user.key,
                user_id: user.id,
                role: entry.role.clone(),
                role_id,
                tenant: tenant.key,
                tenant_id: tenant.id,
                instance: instance.as_ref().map(link),
                expires_at: entry.expires_at,
                origin: None,
                created_at: now,
            },
        };
        self.put("assignments", known_before, Change::PutAssignment(assignment));
        Ok(())
    }

    /// Whether a thing has to be written; if it was there, the write will hold only if it is still as it was read.
    fn differs<T: PartialEq>(
        &mut self,
        old: Option<&Versioned<T>>,
        new: &T,
        reference: impl Fn(&T) -> ObjectRef,
    ) -> bool {
        match old {
            Some(old) if old.value == *new => {
                self.unchanged();
                false
            }
            Some(old) => {
                self.expect(Expect::AtRevision(reference(&old.value), old.revision));
                true
            }
            None => true,
        }
    }

    async fn stored_instance(&self, at: &InstanceRef) -> Result<Option<Versioned<Instance>>> {
        let ident = InstanceIdent::Key { resource: at.resource.to_string(), key: at.key.to_string() };
        Ok(self.scope.engine.store().instance(self.scope.env.id, &ident).await?)
    }

    async fn tenant_of(&mut self, key: &Key, known: &mut Known) -> Result<Tenant> {
        if let Some(tenant) = known.tenants.get(key) {
            return Ok(tenant.clone());
        }
        let tenant = self.scope.find_tenant(&Ident::from(key.as_str())).await?.value;
        self.expect(Expect::Exists(ObjectRef::Tenant(tenant.id)));
        known.tenants.insert(key.clone(), tenant.clone());
        Ok(tenant)
    }

    async fn user_of(&mut self, key: &str, known: &mut Known) -> Result<User> {
        if let Some(user) = known.users.get(key) {
            return Ok(user.clone());
        }
        let user = self.scope.find_user(&Ident::from(key)).await?.value;
        self.expect(Expect::Exists(ObjectRef::User(user.id)));
        known.users.insert(key.to_owned(), user.clone());
        Ok(user)
    }

    async fn instance_of(&mut self, at: &InstanceRef, known: &mut Known) -> Result<Instance> {
        if let Some(instance) = known.instances.get(at) {
            return Ok(instance.clone());
        }
        let found = self.stored_instance(at).await?;
        let instance = found.ok_or_else(|| Error::not_found("resource instance", at))?.value;
        self.expect(Expect::Exists(ObjectRef::Instance(instance.id)));
        known.instances.insert(at.clone(), instance.clone());
        Ok(instance)
    }
}

fn link(instance: &Instance) -> InstanceLink {
    InstanceLink { id: instance.id, resource: instance.resource.clone(), key: instance.key.clone() }
}
