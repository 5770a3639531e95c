//! The facts part of a file: tenants, users, instances, then tuples and assignments (which refer to them).

use super::{existing::Existing, export, plan::Plan};
use crate::error::{Error, Result};
use askfirst_domain::{
    Ident, Key,
    change::{Change, Expect, ObjectRef},
    facts::{
        DEFAULT_TENANT, Instance, InstanceLink, InstanceRef, RelationshipTuple, RoleAssignment, Tenant, User,
    },
};
use askfirst_policy::file::{AssignmentEntry, InstanceEntry, TenantEntry, TupleEntry, UserEntry};
use std::collections::HashMap;

/// What the file's facts are called by, once each has an id.
struct Known {
    existing: Existing,
    tenants: HashMap<Key, Tenant>,
    users: HashMap<String, User>,
    instances: HashMap<InstanceRef, Instance>,
}

impl Plan<'_> {
    pub(super) async fn facts(&mut self) -> Result<()> {
        self.remove_facts().await?;
        let file = self.file;
        let facts = file.tenants.len()
            + file.users.len()
            + file.instances.len()
            + file.tuples.len()
            + file.assignments.len();
        let mut known = Known {
            existing: Existing::of(self.scope, facts, self.state.snapshot.population()).await?,
            tenants: HashMap::new(),
            users: HashMap::new(),
            instances: HashMap::new(),
        };
        for entry in &file.tenants {
            let tenant = self.tenant(entry, &known).await?;
            known.tenants.insert(tenant.key.clone(), tenant);
        }
        for entry in &file.users {
            let user = self.user(entry, &known).await?;
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

    async fn tenant(&mut self, entry: &TenantEntry, known: &Known) -> Result<Tenant> {
        let now = self.scope.op.now;
        let old = known.existing.tenant(self.scope, &entry.key).await?;
        let mut new = match &old {
            Some(old) => old.clone(),
            None => Tenant {
                id: self.scope.engine.fresh_id(&self.scope.op)?,
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
        if old.as_ref() == Some(&new) {
            return Ok(new);
        }
        new.updated_at = now;
        if let Some(old) = &old {
            self.expect(ObjectRef::Tenant(old.id), known.existing.tenant_revision(self.scope, old).await?);
            self.before.tenants.push(export::tenant(old));
        }
        self.after.tenants.push(entry.clone());
        self.facts.push(Change::PutTenant(new.clone()));
        Ok(new)
    }

    async fn user(&mut self, entry: &UserEntry, known: &Known) -> Result<User> {
        let now = self.scope.op.now;
        let old = known.existing.user(self.scope, entry.key.as_str()).await?;
        let mut new = match &old {
            Some(old) => old.clone(),
            None => User {
                id: self.scope.engine.fresh_id(&self.scope.op)?,
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
        if old.as_ref() == Some(&new) {
            return Ok(new);
        }
        new.updated_at = now;
        if let Some(old) = &old {
            self.expect(ObjectRef::User(old.id), known.existing.user_revision(self.scope, old).await?);
            self.before.users.push(export::user(old));
        }
        self.after.users.push(entry.clone());
        self.facts.push(Change::PutUser(new.clone()));
        Ok(new)
    }

    async fn instance(&mut self, entry: &InstanceEntry, known: &mut Known) -> Result<Instance> {
        let now = self.scope.op.now;
        let old = known.existing.instance(self.scope, &entry.at).await?;
        let tenant = self.tenant_of(&entry.tenant, known).await?;
        let mut new = match &old {
            Some(old) if old.tenant_id != tenant.id => {
                let message = format!(
                    "`{}` belongs to the tenant `{}` and can't move to `{}`; delete it first.",
                    entry.at, old.tenant, tenant.key
                );
                return Err(Error::conflict(message));
            }
            Some(old) => old.clone(),
            None => {
                let resource = self.stage.schema().resource_by_key(entry.at.resource.as_str());
                let resource_id =
                    resource.ok_or_else(|| Error::not_found("resource", &entry.at.resource))?.id;
                Instance {
                    id: self.scope.engine.fresh_id(&self.scope.op)?,
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
        if old.as_ref() == Some(&new) {
            return Ok(new);
        }
        new.updated_at = now;
        if let Some(old) = &old {
            self.expect(
                ObjectRef::Instance(old.id),
                known.existing.instance_revision(self.scope, old).await?,
            );
            self.before.instances.push(export::instance(old));
        }
        self.after.instances.push(entry.clone());
        self.facts.push(Change::PutInstance(new.clone()));
        Ok(new)
    }

    async fn tuple(&mut self, entry: &TupleEntry, known: &mut Known) -> Result<()> {
        let now = self.scope.op.now;
        let subject = self.instance_of(&entry.subject, known).await?;
        let object = self.instance_of(&entry.object, known).await?;
        if subject.tenant_id != object.tenant_id {
            let message = format!(
                "`{}` and `{}` belong to different tenants, so they can't be related.",
                entry.subject, entry.object
            );
            return Err(Error::new(crate::Kind::TenantMismatch, message));
        }
        if known.existing.has_tuple(self.scope, subject.id, &entry.relation, object.id).await? {
            return Ok(());
        }
        let schema = self.stage.schema();
        let relation = schema.relation_by_key(object.resource.as_str(), entry.relation.as_str());
        let relation_id = relation.ok_or_else(|| Error::not_found("relation", &entry.relation))?.id;
        let tuple = RelationshipTuple {
            id: self.scope.engine.fresh_id(&self.scope.op)?,
            subject: link(&subject),
            relation: entry.relation.clone(),
            relation_id,
            object: link(&object),
            tenant: object.tenant,
            tenant_id: object.tenant_id,
            created_at: now,
            updated_at: now,
        };
        self.after.tuples.push(entry.clone());
        self.facts.push(Change::PutTuple(tuple));
        Ok(())
    }

    async fn assignment(&mut self, entry: &AssignmentEntry, known: &mut Known) -> Result<()> {
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
        let role = self.stage.schema().role_by_key(scope, entry.role.as_str());
        let role_id = role.ok_or_else(|| Error::not_found("role", &entry.role))?.id;
        let instance_id = instance.as_ref().map(|i| i.id);
        let old = known.existing.assignment(self.scope, user.id, role_id, tenant.id, instance_id).await?;
        if old.as_ref().is_some_and(|old| old.expires_at == entry.expires_at) {
            return Ok(());
        }
        let assignment = match old {
            Some(old) => {
                self.before.assignments.push(export::assignment(&old));
                RoleAssignment { expires_at: entry.expires_at, ..old }
            }
            None => RoleAssignment {
                id: self.scope.engine.fresh_id(&self.scope.op)?,
                user: user.key,
                user_id: user.id,
                role: entry.role.clone(),
                role_id,
                tenant: tenant.key,
                tenant_id: tenant.id,
                instance: instance.as_ref().map(link),
                expires_at: entry.expires_at,
                origin: None,
                created_at: self.scope.op.now,
            },
        };
        self.after.assignments.push(export::assignment(&assignment));
        self.facts.push(Change::PutAssignment(assignment));
        Ok(())
    }

    /// The write will hold only if the thing is still as it was read.
    fn expect(&mut self, object: ObjectRef, revision: u64) {
        self.expects.push(Expect::AtRevision(object, revision));
    }

    async fn tenant_of(&mut self, key: &Key, known: &mut Known) -> Result<Tenant> {
        if let Some(tenant) = known.tenants.get(key) {
            return Ok(tenant.clone());
        }
        let tenant = self.scope.find_tenant(&Ident::from(key.as_str())).await?.value;
        self.expects.push(Expect::Exists(ObjectRef::Tenant(tenant.id)));
        known.tenants.insert(key.clone(), tenant.clone());
        Ok(tenant)
    }

    async fn user_of(&mut self, key: &str, known: &mut Known) -> Result<User> {
        if let Some(user) = known.users.get(key) {
            return Ok(user.clone());
        }
        let user = self.scope.find_user(&Ident::from(key)).await?.value;
        self.expects.push(Expect::Exists(ObjectRef::User(user.id)));
        known.users.insert(key.to_owned(), user.clone());
        Ok(user)
    }

    async fn instance_of(&mut self, at: &InstanceRef, known: &mut Known) -> Result<Instance> {
        if let Some(instance) = known.instances.get(at) {
            return Ok(instance.clone());
        }
        let found = known.existing.instance(self.scope, at).await?;
        let instance = found.ok_or_else(|| Error::not_found("resource instance", at))?;
        self.expects.push(Expect::Exists(ObjectRef::Instance(instance.id)));
        known.instances.insert(at.clone(), instance.clone());
        Ok(instance)
    }
}

fn link(instance: &Instance) -> InstanceLink {
    InstanceLink { id: instance.id, resource: instance.resource.clone(), key: instance.key.clone() }
}
