//! Resource instances: listed, created, changed, replaced, deleted.

use super::{
    FactNote, MAX_INSTANCES, bounded,
    resolve::{Resolver, blank_instance, reference, same_tenant},
};
use crate::{
    EnvScope, Patch,
    commit::{Draft, Tries},
    error::{Error, Kind, Result},
    schema,
};
use askfirst_domain::{
    Ident, Key,
    change::{Change, Expect, ObjectRef},
    facts::{Attributes, Instance, RelationshipTuple},
};
use askfirst_store::{InstanceFilter, InstanceIdent, Listed, Page, TupleFilter, Versioned};
use std::collections::{BTreeMap, HashMap, HashSet};

/// An instance to be made.
#[derive(Debug, Clone)]
pub struct NewInstance {
    pub resource: Ident,
    pub key: Key,
    pub tenant: Ident,
    pub attributes: Attributes,
}

/// Narrows a list of instances.
#[derive(Debug, Clone, Default)]
pub struct InstanceQuery {
    pub tenant: Option<Ident>,
    pub resource: Option<Ident>,
    /// Part of the key, in any case.
    pub search: Option<String>,
}

/// An instance with the tuples that it stands in.
#[derive(Debug, Clone)]
pub struct InstanceView {
    pub instance: Instance,
    pub relationships: Vec<RelationshipTuple>,
}

impl EnvScope {
    /// Instances, in the order of their creation.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for a tenant or resource that is not there.
    pub async fn list_instances(&self, query: &InstanceQuery, page: Page) -> Result<Listed<Instance>> {
        let mut filter = InstanceFilter { search: query.search.clone(), ..InstanceFilter::default() };
        if let Some(ident) = &query.tenant {
            filter.tenant = Some(self.find_tenant(ident).await?.value.id);
        }
        if let Some(ident) = &query.resource {
            filter.resource = Some(schema::resource(self.state().snapshot.schema(), ident)?.key.clone());
        }
        Ok(self.engine.store().instances(self.env.id, &filter, page).await?)
    }

    /// Adds the tuples in which each instance is subject or object.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn instance_details(&self, instances: Vec<Instance>) -> Result<Vec<InstanceView>> {
        let mut views = Vec::with_capacity(instances.len());
        for instance in instances {
            let as_subject = TupleFilter { subject: Some(instance.id), ..TupleFilter::default() };
            let as_object = TupleFilter { object: Some(instance.id), ..TupleFilter::default() };
            let store = self.engine.store();
            let mut relationships = store.tuples(self.env.id, &as_subject, Page::ALL).await?.items;
            for tuple in store.tuples(self.env.id, &as_object, Page::ALL).await?.items {
                if tuple.subject.id != instance.id {
                    relationships.push(tuple);
                }
            }
            views.push(InstanceView { instance, relationships });
        }
        Ok(views)
    }

    /// One instance, by `type:key` or id.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Invalid`] for a bare key.
    pub async fn instance(&self, text: &str) -> Result<Instance> {
        Ok(self.find_instance(text, None).await?.value)
    }

    /// Creates an instance.
    ///
    /// # Errors
    /// [`Kind::Duplicate`]; [`Kind::NotFound`] for the resource or tenant.
    pub async fn create_instance(&self, new: &NewInstance) -> Result<Instance> {
        let mut tries = Tries::default();
        loop {
            let mut resolver = Resolver::new(self);
            let instance = self.made_instance(&mut resolver, new).await?;
            let ident = at(&instance);
            if self.engine.store().instance(self.env.id, &ident).await?.is_some() {
                let what = format!("An instance of {} with the key `{}`", instance.resource, instance.key);
                return Err(Error::new(Kind::Duplicate, format!("{what} already exists.")));
            }
            let mut draft = resolver.into_draft();
            draft.facts.push(FactNote::new("resource_instance.created", reference(&instance)));
            draft.changes.push(Change::PutInstance(instance.clone()));
            if self.settled(draft).await? {
                return Ok(instance);
            }
            tries.again()?;
        }
    }

    /// Changes the attributes of an instance.
    ///
    /// # Errors
    /// As [`EnvScope::instance`].
    pub async fn update_instance(&self, text: &str, attributes: &Patch<Attributes>) -> Result<Instance> {
        let mut tries = Tries::default();
        loop {
            let found = self.find_instance(text, None).await?;
            let old = found.value;
            let instance = Instance {
                attributes: attributes.clone().over(Some(old.attributes)).unwrap_or_default(),
                updated_at: self.op.now,
                ..old
            };
            let draft = Draft {
                expects: vec![Expect::AtRevision(ObjectRef::Instance(instance.id), found.revision)],
                facts: vec![FactNote::new("resource_instance.updated", reference(&instance))],
                changes: vec![Change::PutInstance(instance.clone())],
                ..Draft::default()
            };
            if self.settled(draft).await? {
                return Ok(instance);
            }
            tries.again()?;
        }
    }

    /// Deletes an instance with the roles on it and the tuples that it stands in.
    ///
    /// # Errors
    /// As [`EnvScope::instance`].
    pub async fn delete_instance(&self, text: &str) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            let instance = self.find_instance(text, None).await?.value;
            if self.settled(Self::instance_removal([instance])).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    /// Makes many instances what is said, whether or not they are there.
    ///
    /// # Errors
    /// [`Kind::TooLarge`]; [`Kind::TenantMismatch`] for one that is there in another tenant; as
    /// [`EnvScope::create_instance`]. Then nothing is written.
    pub async fn replace_instances(&self, new: &[NewInstance]) -> Result<()> {
        bounded("resource instances", new.len(), MAX_INSTANCES)?;
        let mut tries = Tries::default();
        loop {
            let mut resolver = Resolver::new(self);
            let mut planned = Draft::default();
            let mut seen = HashSet::new();
            let mut wanted = Vec::with_capacity(new.len());
            for new in new {
                let fresh = self.made_instance(&mut resolver, new).await?;
                if !seen.insert(reference(&fresh)) {
                    let message =
                        format!("The instance `{}` is named twice in this call.", reference(&fresh));
                    return Err(Error::invalid(message));
                }
                wanted.push((new, fresh));
            }
            let mut there = self.those_there(wanted.iter().map(|(_, fresh)| fresh)).await?;
            for (new, fresh) in wanted {
                let (instance, code) = match there.remove(&reference(&fresh)) {
                    Some(found) => {
                        let tenant = resolver.tenant(&new.tenant).await?;
                        same_tenant(&found.value, &tenant)?;
                        let object = ObjectRef::Instance(found.value.id);
                        planned.expects.push(Expect::AtRevision(object, found.revision));
                        let attributes = fresh.attributes;
                        let instance = Instance { attributes, updated_at: self.op.now, ..found.value };
                        (instance, "resource_instance.updated")
                    }
                    None => (fresh, "resource_instance.created"),
                };
                planned.facts.push(FactNote::new(code, reference(&instance)));
                planned.changes.push(Change::PutInstance(instance));
            }
            planned.expects.extend(resolver.into_draft().expects);
            if self.settled(planned).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    /// Deletes many instances; those that are not there are passed over.
    ///
    /// # Errors
    /// [`Kind::TooLarge`]; [`Kind::Invalid`] for a name that can't be one.
    pub async fn delete_instances(&self, texts: &[String]) -> Result<()> {
        bounded("resource instances", texts.len(), MAX_INSTANCES)?;
        let mut tries = Tries::default();
        loop {
            let mut seen = HashSet::new();
            let mut gone = Vec::new();
            for text in texts {
                if let Some(found) = self.look_up_instance(text, None).await?
                    && seen.insert(found.value.id)
                {
                    gone.push(found.value);
                }
            }
            if self.settled(Self::instance_removal(gone)).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    /// Those of these instances that are there, by reference.
    async fn those_there(
        &self,
        wanted: impl Iterator<Item = &Instance>,
    ) -> Result<HashMap<String, Versioned<Instance>>> {
        let mut by_resource: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for instance in wanted {
            by_resource.entry(instance.resource.as_str()).or_default().push(instance.key.as_str());
        }
        let mut there = HashMap::new();
        for (resource, keys) in by_resource {
            let found = self.engine.store().instances_by_key(self.env.id, resource, &keys).await?;
            there.extend(found.into_iter().map(|found| (reference(&found.value), found)));
        }
        Ok(there)
    }

    async fn made_instance(&self, resolver: &mut Resolver<'_>, new: &NewInstance) -> Result<Instance> {
        let tenant = resolver.tenant(&new.tenant).await?;
        let resource = schema::resource(resolver.schema(), &new.resource)?;
        let blank = blank_instance(self, resource, new.key.clone(), &tenant)?;
        Ok(Instance { attributes: new.attributes.clone(), ..blank })
    }

    fn instance_removal(gone: impl IntoIterator<Item = Instance>) -> Draft {
        let mut draft = Draft::default();
        for instance in gone {
            draft.expects.push(Expect::Exists(ObjectRef::Instance(instance.id)));
            draft.facts.push(FactNote::new("resource_instance.deleted", reference(&instance)));
            let Instance { id, resource, key, .. } = instance;
            draft.changes.push(Change::DeleteInstance { id, resource, key });
        }
        draft
    }
}

fn at(instance: &Instance) -> InstanceIdent {
    InstanceIdent::Key { resource: instance.resource.to_string(), key: instance.key.to_string() }
}
