//! Relationship tuples: listed, created, deleted, one or many at once.

use super::{
    FactNote, MAX_TUPLES, bounded,
    resolve::{Absent, Resolver, link, reference, same_tenant},
};
use crate::{
    EnvScope,
    commit::{Draft, Tries},
    error::{Error, Kind, Result},
    schema,
};
use askfirst_domain::{
    Ident, Key,
    change::{Change, Expect, ObjectRef},
    facts::{Instance, RelationshipTuple, Tenant},
    id::{InstanceId, RelationId},
    schema::Relation,
};
use askfirst_store::{InstanceFilter, Listed, Page, TupleFilter};
use std::{
    collections::{HashMap, HashSet},
    slice,
    sync::Arc,
};

/// A tuple, as a caller writes it: `subject` stands in `relation` to `object`.
#[derive(Debug, Clone)]
pub struct TupleSpec {
    /// `type:key` or an id.
    pub subject: String,
    /// Of the object's resource.
    pub relation: Ident,
    /// `type:key` or an id.
    pub object: String,
    /// Where instances that are not there are created; must be that of those that are.
    pub tenant: Option<Ident>,
}

/// Narrows a list of tuples.
#[derive(Debug, Clone, Default)]
pub struct TupleQuery {
    pub tenant: Option<Ident>,
    /// `type:key` or an id.
    pub subject: Option<String>,
    /// A key or an id.
    pub relation: Option<Ident>,
    /// `type:key` or an id.
    pub object: Option<String>,
    pub subject_resource: Option<Ident>,
    pub object_resource: Option<Ident>,
}

/// A tuple with all that it names.
#[derive(Debug, Clone)]
pub struct TupleDetails {
    pub tuple: RelationshipTuple,
    pub subject: Instance,
    pub relation: Arc<Relation>,
    pub object: Instance,
    pub tenant: Tenant,
}

impl EnvScope {
    /// Tuples, in the order of their creation.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for a name that means nothing, [`Kind::Invalid`] for an instance that is not `type:key`.
    pub async fn list_tuples(&self, query: &TupleQuery, page: Page) -> Result<Listed<RelationshipTuple>> {
        let state = self.state();
        let schema = state.snapshot.schema();
        let mut filter = TupleFilter::default();
        if let Some(ident) = &query.tenant {
            filter.tenant = Some(self.find_tenant(ident).await?.value.id);
        }
        if let Some(text) = &query.subject {
            filter.subject = Some(self.find_instance(text, None).await?.value.id);
        }
        if let Some(text) = &query.object {
            filter.object = Some(self.find_instance(text, None).await?.value.id);
        }
        if let Some(ident) = &query.relation {
            let named =
                |r: &&Arc<Relation>| ident.uuid() == Some(r.id.uuid()) || r.key.as_str() == ident.as_str();
            let found = schema.relations().find(named).ok_or_else(|| {
                schema::missing(
                    "relation",
                    ident,
                    "the relations are",
                    schema.relations().map(|r| r.key.to_string()),
                )
            })?;
            filter.relation = Some(found.key.clone());
        }
        if let Some(ident) = &query.subject_resource {
            filter.subject_resource = Some(schema::resource(schema, ident)?.key.clone());
        }
        if let Some(ident) = &query.object_resource {
            filter.object_resource = Some(schema::resource(schema, ident)?.key.clone());
        }
        Ok(self.engine.store().tuples(self.env.id, &filter, page).await?)
    }

    /// Adds what tuples name. One of which something went away meanwhile is left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tuple_details(&self, tuples: Vec<RelationshipTuple>) -> Result<Vec<TupleDetails>> {
        let state = self.state();
        let store = self.engine.store();
        let ids: HashSet<_> = tuples.iter().flat_map(|t| [t.subject.id, t.object.id]).collect();
        let filter = InstanceFilter { ids: Some(ids.into_iter().collect()), ..InstanceFilter::default() };
        let instances = store.instances(self.env.id, &filter, Page::ALL).await?.items;
        let instances: HashMap<_, _> = instances.into_iter().map(|i| (i.id, i)).collect();
        let mut tenants = HashMap::new();
        for id in tuples.iter().map(|t| t.tenant_id) {
            if !tenants.contains_key(&id)
                && let Some(found) = store.tenant(self.env.id, &Ident::from(id.uuid())).await?
            {
                tenants.insert(id, found.value);
            }
        }
        let details = tuples.into_iter().filter_map(|tuple| {
            Some(TupleDetails {
                subject: instances.get(&tuple.subject.id)?.clone(),
                object: instances.get(&tuple.object.id)?.clone(),
                relation: state.snapshot.schema().relation_by_id(tuple.relation_id)?.clone(),
                tenant: tenants.get(&tuple.tenant_id)?.clone(),
                tuple,
            })
        });
        Ok(details.collect())
    }

    /// Creates a tuple.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::Duplicate`], [`Kind::RelationMismatch`] when the types do not fit the relation,
    /// [`Kind::TenantMismatch`].
    pub async fn create_tuple(&self, spec: &TupleSpec) -> Result<RelationshipTuple> {
        let mut tries = Tries::default();
        loop {
            let (made, standing, draft) = self.plan_tuples(slice::from_ref(spec)).await?;
            if let Some(tuple) = standing.first() {
                return Err(Error::new(
                    Kind::Duplicate,
                    format!("The tuple `{}` already exists.", said(tuple)),
                ));
            }
            if self.settled(draft).await? {
                return made.into_iter().next().ok_or_else(|| Error::not_found("tuple", &spec.object));
            }
            tries.again()?;
        }
    }

    /// Creates many tuples; those that are there already are passed over.
    ///
    /// # Errors
    /// As [`EnvScope::create_tuple`], then nothing is written; [`Kind::TooLarge`].
    pub async fn create_tuples(&self, specs: &[TupleSpec]) -> Result<()> {
        bounded("relationship tuples", specs.len(), MAX_TUPLES)?;
        let mut tries = Tries::default();
        loop {
            let (_, _, draft) = self.plan_tuples(specs).await?;
            if self.settled(draft).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    /// Deletes a tuple.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub async fn delete_tuple(&self, spec: &TupleSpec) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            let tuple = self.find_tuple(&mut Resolver::new(self), spec).await?;
            let tuple = tuple.ok_or_else(|| {
                let (subject, object) = (&spec.subject, &spec.object);
                let message = format!("There is no tuple `{subject} {} {object}`.", spec.relation);
                Error::new(Kind::NotFound, message)
            })?;
            if self.settled(Self::tuple_removal([tuple])).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    /// Deletes many tuples; those that are not there are passed over.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an instance or relation that is not there, then nothing is written; [`Kind::TooLarge`].
    pub async fn delete_tuples(&self, specs: &[TupleSpec]) -> Result<()> {
        bounded("relationship tuples", specs.len(), MAX_TUPLES)?;
        let mut tries = Tries::default();
        loop {
            let mut resolver = Resolver::new(self);
            let mut seen = HashSet::new();
            let mut gone = Vec::new();
            for spec in specs {
                if let Some(tuple) = self.find_tuple(&mut resolver, spec).await?
                    && seen.insert(tuple.id)
                {
                    gone.push(tuple);
                }
            }
            if self.settled(Self::tuple_removal(gone)).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    async fn plan_tuples(
        &self,
        specs: &[TupleSpec],
    ) -> Result<(Vec<RelationshipTuple>, Vec<RelationshipTuple>, Draft)> {
        let mut resolver = Resolver::new(self);
        let named = specs.iter().flat_map(|spec| [spec.subject.as_str(), spec.object.as_str()]);
        resolver.look_ahead(std::iter::empty(), named).await?;
        let mut wanted = Vec::new();
        let mut seen = HashSet::new();
        for spec in specs {
            let ends = ends(&mut resolver, spec).await?;
            if seen.insert(ends.ids()) {
                wanted.push(ends);
            }
        }
        let between: Vec<_> = wanted.iter().map(Ends::ids).collect();
        let standing = self.engine.store().tuples_between(self.env.id, &between).await?;
        let there: HashSet<_> = standing.iter().map(|t| (t.subject.id, t.relation_id, t.object.id)).collect();
        let mut made = Vec::new();
        for ends in wanted.into_iter().filter(|ends| !there.contains(&ends.ids())) {
            made.push(RelationshipTuple {
                id: self.engine.fresh_id(&self.op)?,
                subject: link(&ends.subject),
                relation: ends.relation.key.clone(),
                relation_id: ends.relation.id,
                object: link(&ends.object),
                tenant: ends.object.tenant.clone(),
                tenant_id: ends.object.tenant_id,
                created_at: self.op.now,
                updated_at: self.op.now,
            });
        }
        let mut draft = resolver.into_draft();
        for tuple in &made {
            draft.facts.push(FactNote::new("relationship_tuple.created", said(tuple)));
            draft.changes.push(Change::PutTuple(tuple.clone()));
        }
        Ok((made, standing, draft))
    }

    async fn find_tuple(
        &self,
        resolver: &mut Resolver<'_>,
        spec: &TupleSpec,
    ) -> Result<Option<RelationshipTuple>> {
        let ends = ends(resolver, &TupleSpec { tenant: None, ..spec.clone() }).await?;
        self.known_tuple(&ends).await
    }

    async fn known_tuple(&self, ends: &Ends) -> Result<Option<RelationshipTuple>> {
        let filter = TupleFilter {
            subject: Some(ends.subject.id),
            relation: Some(ends.relation.key.clone()),
            object: Some(ends.object.id),
            ..TupleFilter::default()
        };
        let found = self.engine.store().tuples(self.env.id, &filter, Page { offset: 0, limit: 1 }).await?;
        Ok(found.items.into_iter().next())
    }

    fn tuple_removal(gone: impl IntoIterator<Item = RelationshipTuple>) -> Draft {
        let mut draft = Draft::default();
        for tuple in gone {
            draft.expects.push(Expect::Exists(ObjectRef::Tuple(tuple.id)));
            draft.facts.push(FactNote::new("relationship_tuple.deleted", said(&tuple)));
            draft.changes.push(Change::DeleteTuple(tuple));
        }
        draft
    }
}

/// What a tuple is between.
#[derive(Debug)]
struct Ends {
    subject: Instance,
    relation: Arc<Relation>,
    object: Instance,
}

impl Ends {
    fn ids(&self) -> (InstanceId, RelationId, InstanceId) {
        (self.subject.id, self.relation.id, self.object.id)
    }
}

async fn ends(resolver: &mut Resolver<'_>, spec: &TupleSpec) -> Result<Ends> {
    let tenant = match &spec.tenant {
        Some(ident) => Some(resolver.tenant(ident).await?),
        None => None,
    };
    let absent = tenant.as_ref().map_or(Absent::Refuse, Absent::Create);
    let subject = resolver.instance(&spec.subject, None, absent).await?;
    let object = resolver.instance(&spec.object, None, absent).await?;
    let on: &Key = &object.resource;
    let schema = resolver.schema();
    let relation = schema.relation(on.as_str(), &spec.relation).ok_or_else(|| {
        let lead = format!("the relations of {on} are");
        let known = schema.relations_of(on.as_str()).map(|r| r.key.to_string());
        schema::missing("relation", &spec.relation, &lead, known)
    })?;
    if relation.subject_resource != subject.resource {
        let message = format!(
            "The relation `{}` of {on} is for subjects of {}, and `{}` is of {}.",
            relation.key,
            relation.subject_resource,
            reference(&subject),
            subject.resource
        );
        return Err(Error::new(Kind::RelationMismatch, message));
    }
    let relation = Arc::clone(relation);
    if let Some(tenant) = &tenant {
        same_tenant(&subject, tenant)?;
        same_tenant(&object, tenant)?;
    }
    if subject.tenant_id != object.tenant_id {
        let message = format!(
            "`{}` belongs to the tenant `{}` and `{}` to `{}`; both must belong to the same.",
            reference(&subject),
            subject.tenant,
            reference(&object),
            object.tenant
        );
        return Err(Error::new(Kind::TenantMismatch, message));
    }
    Ok(Ends { subject, relation, object })
}

/// `subject relation object`.
fn said(tuple: &RelationshipTuple) -> String {
    format!("{} {} {}", tuple.subject.reference(), tuple.relation, tuple.object.reference())
}
