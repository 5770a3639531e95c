//! The world that a file alone describes, for its tests.

use super::{
    data::{AssignmentEntry, InstanceEntry, PolicyFile, Prune, TenantEntry, TupleEntry, UserEntry},
    world::{Numbers, merged},
};
use crate::{Loader, Schema, Snapshot};
use askfirst_domain::{
    Id, Key, Timestamp, UserKey,
    change::Change,
    facts::{
        DEFAULT_TENANT, Instance, InstanceLink, InstanceRef, RelationshipTuple, RoleAssignment, Tenant, User,
    },
    id::{TenantId, UserId},
};
use rustc_hash::FxHashMap;
use serde_json::Map;

/// Beyond the numbers of the schema's ids.
const FIRST_FACT: u128 = 1 << 64;

/// The world that the file alone describes, with the tenant that every environment has. What refers to something that is
/// not in the file is left out.
pub(super) fn snapshot(file: &PolicyFile) -> Snapshot {
    let schema = merged(file, &Schema::default(), Prune::Nothing);
    let mut changes: Vec<Change> = Vec::new();
    changes.extend(schema.resources().map(|resource| Change::PutResource(resource.as_ref().clone())));
    changes.extend(schema.relations().map(|relation| Change::PutRelation(relation.as_ref().clone())));
    changes.extend(schema.roles().map(|role| Change::PutRole(role.as_ref().clone())));
    changes.extend(schema.condition_sets().map(|set| Change::PutConditionSet(set.as_ref().clone())));
    changes.extend(schema.set_rules().map(|rule| Change::PutSetRule(rule.as_ref().clone())));
    let mut world = World {
        schema: &schema,
        numbers: Numbers::from(FIRST_FACT),
        tenants: FxHashMap::default(),
        users: FxHashMap::default(),
        instances: FxHashMap::default(),
    };
    if let Ok(key) = DEFAULT_TENANT.parse::<Key>()
        && !file.tenants.iter().any(|tenant| tenant.key == key)
    {
        let name = key.to_string();
        let default = TenantEntry { key, name, description: None, attributes: Map::new() };
        changes.push(world.tenant(&default));
    }
    changes.extend(file.tenants.iter().map(|entry| world.tenant(entry)));
    changes.extend(file.users.iter().map(|entry| world.user(entry)));
    changes.extend(file.instances.iter().filter_map(|entry| world.instance(entry)));
    changes.extend(file.tuples.iter().filter_map(|entry| world.tuple(entry)));
    changes.extend(file.assignments.iter().filter_map(|entry| world.assignment(entry)));
    let mut loader = Loader::new();
    loader.load(&changes);
    loader.finish()
}

/// Facts that are being made.
struct World<'a> {
    schema: &'a Schema,
    numbers: Numbers,
    tenants: FxHashMap<Key, TenantId>,
    users: FxHashMap<UserKey, UserId>,
    instances: FxHashMap<InstanceRef, (InstanceLink, Key)>,
}

impl World<'_> {
    fn tenant(&mut self, entry: &TenantEntry) -> Change {
        let (id, now) = (Id::new(self.numbers.next()), Timestamp::default());
        self.tenants.insert(entry.key.clone(), id);
        Change::PutTenant(Tenant {
            id,
            key: entry.key.clone(),
            name: entry.name.clone(),
            description: entry.description.clone(),
            attributes: entry.attributes.clone(),
            created_at: now,
            updated_at: now,
            last_action_at: now,
        })
    }

    fn user(&mut self, entry: &UserEntry) -> Change {
        let (id, now) = (Id::new(self.numbers.next()), Timestamp::default());
        self.users.insert(entry.key.clone(), id);
        Change::PutUser(User {
            id,
            key: entry.key.clone(),
            email: entry.email.clone(),
            first_name: entry.first_name.clone(),
            last_name: entry.last_name.clone(),
            attributes: entry.attributes.clone(),
            created_at: now,
            updated_at: now,
        })
    }

    fn instance(&mut self, entry: &InstanceEntry) -> Option<Change> {
        let (id, now) = (Id::new(self.numbers.next()), Timestamp::default());
        let (resource, key) = (entry.at.resource.clone(), entry.at.key.clone());
        let link = InstanceLink { id, resource: resource.clone(), key: key.clone() };
        let instance = Instance {
            id,
            key,
            resource_id: self.schema.resource_by_key(resource.as_str())?.id,
            resource,
            tenant: entry.tenant.clone(),
            tenant_id: *self.tenants.get(&entry.tenant)?,
            attributes: entry.attributes.clone(),
            created_at: now,
            updated_at: now,
        };
        self.instances.insert(entry.at.clone(), (link, entry.tenant.clone()));
        Some(Change::PutInstance(instance))
    }

    fn tuple(&mut self, entry: &TupleEntry) -> Option<Change> {
        let (subject, _) = self.instances.get(&entry.subject)?;
        let (object, tenant) = self.instances.get(&entry.object)?;
        let relation =
            self.schema.relation_by_key(entry.object.resource.as_str(), entry.relation.as_str())?;
        let now = Timestamp::default();
        Some(Change::PutTuple(RelationshipTuple {
            id: Id::new(self.numbers.next()),
            subject: subject.clone(),
            relation: entry.relation.clone(),
            relation_id: relation.id,
            object: object.clone(),
            tenant: tenant.clone(),
            tenant_id: *self.tenants.get(tenant)?,
            created_at: now,
            updated_at: now,
        }))
    }

    fn assignment(&mut self, entry: &AssignmentEntry) -> Option<Change> {
        let (instance, tenant) = match &entry.on {
            Some(at) => {
                let (link, tenant) = self.instances.get(at)?;
                (Some(link.clone()), tenant.clone())
            }
            None => (None, entry.tenant.clone().or_else(|| DEFAULT_TENANT.parse().ok())?),
        };
        let scope = entry.on.as_ref().map(|at| at.resource.as_str());
        Some(Change::PutAssignment(RoleAssignment {
            id: Id::new(self.numbers.next()),
            user: entry.user.clone(),
            user_id: *self.users.get(&entry.user)?,
            role: entry.role.clone(),
            role_id: self.schema.role_by_key(scope, entry.role.as_str())?.id,
            tenant_id: *self.tenants.get(&tenant)?,
            tenant,
            instance,
            expires_at: entry.expires_at,
            origin: None,
            created_at: Timestamp::default(),
        }))
    }
}
