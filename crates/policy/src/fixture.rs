//! For tests: changes in few words. Ids are made from the order in which things are written.

use askfirst_domain::{
    Id, Timestamp,
    change::Change,
    facts::{Instance, InstanceLink, RelationshipTuple, RoleAssignment, Tenant, User},
    schema::{Action, Derivation, DerivationRule, DerivationSettings, Permission, Relation, Resource, Role},
};
use serde_json::Map;
use uuid::Uuid;

/// A growing list of changes that knows what it has written.
#[derive(Debug, Default, Clone)]
pub(crate) struct Fixture {
    pub(crate) changes: Vec<Change>,
    last: u128,
}

impl Fixture {
    pub(crate) fn changes(self) -> Vec<Change> {
        self.changes
    }

    /// What has been added since the list had `from` changes.
    pub(crate) fn since(&self, from: usize) -> &[Change] {
        &self.changes[from..]
    }

    fn fresh(&mut self) -> (Uuid, Timestamp) {
        self.last += 1;
        (Uuid::from_u128(self.last), Timestamp::from_micros(i64::try_from(self.last).unwrap()))
    }

    pub(crate) fn resource(mut self, key: &str, actions: &[&str]) -> Self {
        let (id, at) = self.fresh();
        let action = |action: &&str| Action {
            id: Id::new(id),
            key: action.parse().unwrap(),
            name: (*action).to_owned(),
            description: None,
            attributes: None,
            compat: Map::new(),
            created_at: at,
            updated_at: at,
        };
        self.changes.push(Change::PutResource(Resource {
            id: Id::new(id),
            key: key.parse().unwrap(),
            name: key.to_owned(),
            urn: None,
            description: None,
            type_attributes: None,
            compat: Map::new(),
            actions: actions.iter().map(action).collect(),
            attributes: Vec::new(),
            action_groups: Vec::new(),
            created_at: at,
            updated_at: at,
        }));
        self
    }

    pub(crate) fn relation(mut self, object: &str, key: &str, subject: &str) -> Self {
        let (id, at) = self.fresh();
        self.changes.push(Change::PutRelation(Relation {
            id: Id::new(id),
            key: key.parse().unwrap(),
            name: key.to_owned(),
            description: None,
            subject_resource: subject.parse().unwrap(),
            object_resource: object.parse().unwrap(),
            created_at: at,
            updated_at: at,
        }));
        self
    }

    /// `permissions` as `resource:action`.
    pub(crate) fn tenant_role(self, key: &str, permissions: &[&str]) -> Self {
        self.put_role(None, key, permissions, &[])
    }

    /// `permissions` are actions of the resource.
    pub(crate) fn role(self, resource: &str, key: &str, permissions: &[&str]) -> Self {
        let full: Vec<String> = permissions.iter().map(|action| format!("{resource}:{action}")).collect();
        let full: Vec<&str> = full.iter().map(String::as_str).collect();
        self.put_role(Some(resource), key, &full, &[])
    }

    fn put_role(mut self, resource: Option<&str>, key: &str, permissions: &[&str], extends: &[&str]) -> Self {
        let (id, at) = self.fresh();
        let permission = |text: &&str| {
            let (resource, action) = text.split_once(':').unwrap();
            Permission { resource: resource.parse().unwrap(), action: action.parse().unwrap() }
        };
        self.changes.push(Change::PutRole(Role {
            id: Id::new(id),
            key: key.parse().unwrap(),
            resource: resource.map(|r| r.parse().unwrap()),
            name: key.to_owned(),
            description: None,
            permissions: permissions.iter().map(permission).collect(),
            extends: extends.iter().map(|e| e.parse().unwrap()).collect(),
            granted_to: None,
            attributes: None,
            compat: Map::new(),
            created_at: at,
            updated_at: at,
        }));
        self
    }

    /// Makes the role that was last written extend others.
    pub(crate) fn extending(mut self, extends: &[&str]) -> Self {
        let role = self.last_role();
        role.extends = extends.iter().map(|e| e.parse().unwrap()).collect();
        self
    }

    /// Derives the role that was last written.
    pub(crate) fn derived(self, role: &str, on: &str, relation: &str) -> Self {
        self.derived_when(role, on, relation, None)
    }

    pub(crate) fn derived_when(mut self, role: &str, on: &str, relation: &str, gate: Option<Gate>) -> Self {
        let block = DerivationSettings { no_direct_roles_on_object: gate == Some(Gate::Block) };
        let when =
            (gate == Some(Gate::Rule)).then_some(DerivationSettings { no_direct_roles_on_object: true });
        let rule = DerivationRule {
            role: role.parse().unwrap(),
            on_resource: on.parse().unwrap(),
            linked_by_relation: relation.parse().unwrap(),
            when,
        };
        let target = self.last_role();
        let derivation = target.granted_to.get_or_insert_with(|| Derivation {
            id: Uuid::nil(),
            when: DerivationSettings::default(),
            users_with_role: Vec::new(),
        });
        derivation.when.no_direct_roles_on_object |= block.no_direct_roles_on_object;
        derivation.users_with_role.push(rule);
        self
    }

    fn last_role(&mut self) -> &mut Role {
        match self.changes.last_mut() {
            Some(Change::PutRole(role)) => role,
            other => panic!("a role has to come first, not {other:?}"),
        }
    }

    pub(crate) fn tenant(mut self, key: &str) -> Self {
        let (id, at) = self.fresh();
        self.changes.push(Change::PutTenant(Tenant {
            id: Id::new(id),
            key: key.parse().unwrap(),
            name: key.to_owned(),
            description: None,
            attributes: Map::new(),
            created_at: at,
            updated_at: at,
            last_action_at: at,
        }));
        self
    }

    pub(crate) fn user(mut self, key: &str) -> Self {
        let (id, at) = self.fresh();
        self.changes.push(Change::PutUser(User {
            id: Id::new(id),
            key: key.parse().unwrap(),
            email: None,
            first_name: None,
            last_name: None,
            attributes: Map::new(),
            created_at: at,
            updated_at: at,
        }));
        self
    }

    /// `at` as `resource:key`.
    pub(crate) fn instance(mut self, at: &str, tenant: &str) -> Self {
        let (id, time) = self.fresh();
        let (resource, key) = at.split_once(':').unwrap();
        let resource_id = self.resource_id(resource);
        let tenant_id = self.tenant_id(tenant);
        self.changes.push(Change::PutInstance(Instance {
            id: Id::new(id),
            key: key.parse().unwrap(),
            resource: resource.parse().unwrap(),
            resource_id,
            tenant: tenant.parse().unwrap(),
            tenant_id,
            attributes: Map::new(),
            created_at: time,
            updated_at: time,
        }));
        self
    }

    /// `place` as `resource:key`, or a tenant's key.
    pub(crate) fn assign(self, user: &str, role: &str, place: &str) -> Self {
        self.assign_until(user, role, place, None)
    }

    pub(crate) fn assign_until(mut self, user: &str, role: &str, place: &str, until: Option<i64>) -> Self {
        let assignment = self.assignment(user, role, place, until);
        self.changes.push(Change::PutAssignment(assignment));
        self
    }

    pub(crate) fn unassign(mut self, user: &str, role: &str, place: &str) -> Self {
        let assignment = self.assignment(user, role, place, None);
        self.changes.push(Change::DeleteAssignment(assignment));
        self
    }

    pub(crate) fn assignment(
        &mut self,
        user: &str,
        role: &str,
        place: &str,
        until: Option<i64>,
    ) -> RoleAssignment {
        let (id, created_at) = self.fresh();
        let instance = place.contains(':').then(|| self.link(place));
        let resource = instance.as_ref().map(|i| i.resource.clone());
        let role_id = self.find(|change| match change {
            Change::PutRole(r) => (r.key.as_str() == role && r.resource == resource).then_some(r.id),
            _ => None,
        });
        let (tenant, tenant_id) = match &instance {
            None => (place.parse().unwrap(), self.tenant_id(place)),
            Some(link) => self.find(|change| match change {
                Change::PutInstance(i) => (i.id == link.id).then(|| (i.tenant.clone(), i.tenant_id)),
                _ => None,
            }),
        };
        RoleAssignment {
            id: Id::new(id),
            user: user.parse().unwrap(),
            user_id: self.user_id(user),
            role: role.parse().unwrap(),
            role_id,
            tenant,
            tenant_id,
            instance,
            expires_at: until.map(Timestamp::from_micros),
            origin: None,
            created_at,
        }
    }

    /// `subject relation object`.
    pub(crate) fn tuple(mut self, subject: &str, relation: &str, object: &str) -> Self {
        let tuple = self.relationship(subject, relation, object);
        self.changes.push(Change::PutTuple(tuple));
        self
    }

    pub(crate) fn untuple(mut self, subject: &str, relation: &str, object: &str) -> Self {
        let tuple = self.relationship(subject, relation, object);
        self.changes.push(Change::DeleteTuple(tuple));
        self
    }

    fn relationship(&mut self, subject: &str, relation: &str, object: &str) -> RelationshipTuple {
        let (id, at) = self.fresh();
        let (subject, object) = (self.link(subject), self.link(object));
        let relation_id = self.find(|change| match change {
            Change::PutRelation(r) => {
                (r.key.as_str() == relation && r.object_resource == object.resource).then_some(r.id)
            }
            _ => None,
        });
        let (tenant, tenant_id) = self.find(|change| match change {
            Change::PutInstance(i) => (i.id == object.id).then(|| (i.tenant.clone(), i.tenant_id)),
            _ => None,
        });
        RelationshipTuple {
            id: Id::new(id),
            subject,
            relation: relation.parse().unwrap(),
            relation_id,
            object,
            tenant,
            tenant_id,
            created_at: at,
            updated_at: at,
        }
    }

    pub(crate) fn link(&self, at: &str) -> InstanceLink {
        let (resource, key) = at.split_once(':').unwrap();
        self.find(|change| match change {
            Change::PutInstance(i) if i.resource.as_str() == resource && i.key.as_str() == key => {
                Some(InstanceLink { id: i.id, resource: i.resource.clone(), key: i.key.clone() })
            }
            _ => None,
        })
    }

    pub(crate) fn delete_user(mut self, key: &str) -> Self {
        let id = self.user_id(key);
        self.changes.push(Change::DeleteUser { id, key: key.parse().unwrap() });
        self
    }

    pub(crate) fn delete_tenant(mut self, key: &str) -> Self {
        let id = self.tenant_id(key);
        self.changes.push(Change::DeleteTenant { id, key: key.parse().unwrap() });
        self
    }

    pub(crate) fn delete_instance(mut self, at: &str) -> Self {
        let link = self.link(at);
        self.changes.push(Change::DeleteInstance { id: link.id, resource: link.resource, key: link.key });
        self
    }

    pub(crate) fn delete_resource(mut self, key: &str) -> Self {
        let id = self.resource_id(key);
        self.changes.push(Change::DeleteResource { id, key: key.parse().unwrap() });
        self
    }

    pub(crate) fn delete_role(mut self, resource: Option<&str>, key: &str) -> Self {
        let resource: Option<askfirst_domain::Key> = resource.map(|r| r.parse().unwrap());
        let id = self.find(|change| match change {
            Change::PutRole(r) => (r.key.as_str() == key && r.resource == resource).then_some(r.id),
            _ => None,
        });
        self.changes.push(Change::DeleteRole { id, key: key.parse().unwrap(), resource });
        self
    }

    pub(crate) fn delete_relation(mut self, object: &str, key: &str) -> Self {
        let id = self.find(|change| match change {
            Change::PutRelation(r) => {
                (r.key.as_str() == key && r.object_resource.as_str() == object).then_some(r.id)
            }
            _ => None,
        });
        let object_resource = object.parse().unwrap();
        self.changes.push(Change::DeleteRelation { id, key: key.parse().unwrap(), object_resource });
        self
    }

    fn user_id(&self, key: &str) -> askfirst_domain::id::UserId {
        self.find(|change| match change {
            Change::PutUser(u) => (u.key.as_str() == key).then_some(u.id),
            _ => None,
        })
    }

    fn tenant_id(&self, key: &str) -> askfirst_domain::id::TenantId {
        self.find(|change| match change {
            Change::PutTenant(t) => (t.key.as_str() == key).then_some(t.id),
            _ => None,
        })
    }

    fn resource_id(&self, key: &str) -> askfirst_domain::id::ResourceId {
        self.find(|change| match change {
            Change::PutResource(r) => (r.key.as_str() == key).then_some(r.id),
            _ => None,
        })
    }

    /// The last thing written that `pick` takes.
    fn find<T>(&self, pick: impl FnMut(&Change) -> Option<T>) -> T {
        self.changes.iter().rev().find_map(pick).expect("written before it is named")
    }
}

/// Where a derivation says `no_direct_roles_on_object`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    Block,
    Rule,
}
