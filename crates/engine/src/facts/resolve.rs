//! Looking up what a write names, each thing once, and noting what the write takes for granted.

use super::FactNote;
use crate::{
    EnvScope, LiveState,
    commit::Draft,
    error::{Error, Kind, Result},
    schema,
};
use askfirst_domain::{
    Ident, Key,
    change::{Change, Expect, ObjectRef},
    facts::{Attributes, Instance, InstanceLink, Tenant, User},
    schema::{Resource, Role},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// From so many on, names are looked up ahead.
const WORTH_IT: usize = 4;

/// What is to be done about an instance that is not there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Absent<'a> {
    /// It is created in this tenant.
    Create(&'a Tenant),
    /// That is an error.
    Refuse,
}

/// Finds what a write names.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    scope: &'a EnvScope,
    state: Arc<LiveState>,
    users: HashMap<String, User>,
    tenants: HashMap<String, Tenant>,
    instances: HashMap<String, Instance>,
    /// Found ahead, many at once, and not named yet.
    users_ahead: HashMap<String, User>,
    instances_ahead: HashMap<String, Instance>,
    known: HashSet<ObjectRef>,
    draft: Draft,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(scope: &'a EnvScope) -> Self {
        let state = scope.state();
        let mut draft = Draft::default();
        draft.expects.push(Expect::SchemaAt(state.schema_revision));
        Self {
            scope,
            state,
            users: HashMap::new(),
            tenants: HashMap::new(),
            instances: HashMap::new(),
            users_ahead: HashMap::new(),
            instances_ahead: HashMap::new(),
            known: HashSet::new(),
            draft,
        }
    }

    /// A user whom the same write creates.
    pub(super) fn introduce(&mut self, user: &User) {
        self.users.insert(user.key.to_string(), user.clone());
    }

    /// Looks up at once what a bulk call is going to name: users by key, and instances as `type:key`. Whatever is named
    /// in another way, or not there, is looked up when it is named.
    pub(super) async fn look_ahead<'n>(
        &mut self,
        users: impl Iterator<Item = &'n Ident>,
        instances: impl Iterator<Item = &'n str>,
    ) -> Result<()> {
        let store = self.scope.engine.store();
        let keys: BTreeSet<_> = users.filter(|ident| ident.uuid().is_none()).map(Ident::as_str).collect();
        let keys: Vec<_> = keys.into_iter().filter(|key| !self.users.contains_key(*key)).collect();
        if keys.len() >= WORTH_IT {
            let found = store.users_by_key(self.scope.env.id, &keys).await?;
            self.users_ahead =
                found.into_iter().map(|user| (user.value.key.to_string(), user.value)).collect();
        }
        let mut by_resource: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (resource, key) in instances.filter_map(|text| text.split_once(':')) {
            by_resource.entry(resource).or_default().insert(key);
        }
        for (resource, keys) in by_resource {
            // Named by id or wrongly, it is found or refused when it is named.
            let known = self.schema().resource_by_key(resource).is_some();
            if known && keys.len() >= WORTH_IT {
                let keys: Vec<_> = keys.into_iter().collect();
                for found in store.instances_by_key(self.scope.env.id, resource, &keys).await? {
                    self.instances_ahead.insert(reference(&found.value), found.value);
                }
            }
        }
        Ok(())
    }

    /// The schema that names are looked up in.
    pub(super) fn schema(&self) -> &askfirst_policy::Schema {
        self.state.snapshot.schema()
    }

    /// The environment.
    pub(super) fn scope(&self) -> &'a EnvScope {
        self.scope
    }

    pub(super) async fn user(&mut self, ident: &Ident) -> Result<User> {
        if let Some(user) = self.users.get(ident.as_str()) {
            return Ok(user.clone());
        }
        let user = match self.users_ahead.remove(ident.as_str()) {
            Some(user) => user,
            None => self.scope.find_user(ident).await?.value,
        };
        self.expect(ObjectRef::User(user.id));
        self.users.insert(ident.as_str().to_owned(), user.clone());
        Ok(user)
    }

    pub(super) async fn tenant(&mut self, ident: &Ident) -> Result<Tenant> {
        if let Some(tenant) = self.tenants.get(ident.as_str()) {
            return Ok(tenant.clone());
        }
        let tenant = self.scope.find_tenant(ident).await?.value;
        self.expect(ObjectRef::Tenant(tenant.id));
        self.tenants.insert(ident.as_str().to_owned(), tenant.clone());
        Ok(tenant)
    }

    /// The instance that `text` names: `type:key` (the type by key or id), an id, or a bare key on `resource`.
    pub(super) async fn instance(
        &mut self,
        text: &str,
        resource: Option<&Key>,
        absent: Absent<'_>,
    ) -> Result<Instance> {
        let place = match (text.split_once(':'), resource) {
            (Some((kind, key)), _) => {
                Some((schema::resource(self.schema(), &Ident::from(kind))?.key.clone(), key))
            }
            (None, Some(on)) => Some((on.clone(), text)),
            (None, None) => None,
        };
        let name = place.as_ref().map_or_else(|| text.to_owned(), |(on, key)| format!("{on}:{key}"));
        if let Some(instance) = self.instances.get(&name) {
            return Ok(instance.clone());
        }
        let found = match self.instances_ahead.remove(&name) {
            Some(instance) => Some(instance),
            None => self.scope.look_up_instance(&name, None).await?.map(|found| found.value),
        };
        let instance = match (found, absent, place) {
            (Some(found), ..) => {
                self.expect(ObjectRef::Instance(found.id));
                found
            }
            (None, Absent::Create(tenant), Some((on, key))) => self.created(&on, key.parse()?, tenant)?,
            (None, ..) => return Err(Error::not_found("resource instance", text)),
        };
        self.instances.insert(name, instance.clone());
        Ok(instance)
    }

    fn created(&mut self, on: &Key, key: Key, tenant: &Tenant) -> Result<Instance> {
        let resource = schema::resource(self.schema(), &Ident::from(on.as_str()))?;
        let instance = blank_instance(self.scope, resource, key, tenant)?;
        self.draft.facts.push(FactNote::new("resource_instance.created", reference(&instance)));
        self.draft.changes.push(Change::PutInstance(instance.clone()));
        Ok(instance)
    }

    /// The role that is named together with an instance (or without one).
    pub(super) fn role(&self, on: Option<&Key>, ident: &Ident) -> Result<Arc<Role>> {
        let schema = self.schema();
        if on.is_none()
            && schema.role(None, ident).is_none()
            && let Some(elsewhere) =
                schema.roles().find(|r| r.key.as_str() == ident.as_str() || ident.uuid() == Some(r.id.uuid()))
            && let Some(resource) = &elsewhere.resource
        {
            let role = &elsewhere.key;
            return Err(Error::invalid(format!(
                "The role `{role}` is held on instances of {resource}; name one in `resource_instance`, as `{resource}:KEY`."
            )));
        }
        schema::find_role(schema, on, ident).cloned()
    }

    /// The resource that a role named with a bare instance key must be on.
    pub(super) fn resource_of_role(&self, role: &Ident, instance: &str) -> Result<Key> {
        let fits = |r: &&Arc<Role>| r.key.as_str() == role.as_str() || role.uuid() == Some(r.id.uuid());
        let mut on = self.schema().roles().filter(fits).filter_map(|r| r.resource.as_ref());
        match (on.next(), on.next()) {
            (Some(only), None) => Ok(only.clone()),
            _ => Err(Error::invalid(format!(
                "`{instance}` does not say of which resource it is; write it as `type:key`, for example `restaurants:{instance}`."
            ))),
        }
    }

    fn expect(&mut self, object: ObjectRef) {
        if self.known.insert(object) {
            self.draft.expects.push(Expect::Exists(object));
        }
    }

    /// What has been found to be needed: expectations, and the instances that are created along.
    pub(super) fn into_draft(self) -> Draft {
        self.draft
    }
}

/// A new instance without attributes.
pub(super) fn blank_instance(
    scope: &EnvScope,
    resource: &Resource,
    key: Key,
    tenant: &Tenant,
) -> Result<Instance> {
    Ok(Instance {
        id: scope.engine.fresh_id(&scope.op)?,
        key,
        resource: resource.key.clone(),
        resource_id: resource.id,
        tenant: tenant.key.clone(),
        tenant_id: tenant.id,
        attributes: Attributes::new(),
        created_at: scope.op.now,
        updated_at: scope.op.now,
    })
}

/// `type:key`.
pub(super) fn reference(instance: &Instance) -> String {
    format!("{}:{}", instance.resource, instance.key)
}

/// As other facts point to it.
pub(super) fn link(instance: &Instance) -> InstanceLink {
    InstanceLink { id: instance.id, resource: instance.resource.clone(), key: instance.key.clone() }
}

/// Refuses an instance of another tenant than the call says.
pub(super) fn same_tenant(instance: &Instance, tenant: &Tenant) -> Result<()> {
    if instance.tenant_id == tenant.id {
        return Ok(());
    }
    let message = format!(
        "The instance `{}` belongs to the tenant `{}`, not to `{}`.",
        reference(instance),
        instance.tenant,
        tenant.key
    );
    Err(Error::new(Kind::TenantMismatch, message))
}
