//! How changes move the graph. A change that names something that is not there changes nothing and is counted: the
//! store writes no such thing, and guessing at what was meant could only give somebody too much.

use super::{
    Extra, Graph, Held, Link, MEMBERS, Name, Named, Node, UserNode,
    adjacency::{Adjacency, Keyed as _},
    entry::{Described, Ending},
    extra::seen_of,
    name_hash,
};
use crate::compiled::{
    Compiled,
    roleset::{bit, roles_in},
    slots::{RelationSlot, RoleSlot, TENANT, TypeIndex},
};
use askfirst_domain::{
    Key, Timestamp,
    change::Change,
    facts::{Attributes, Instance, InstanceLink, RelationshipTuple, RoleAssignment, Tenant, User},
    id::{RelationId, ResourceId, RoleId},
    schema::{Relation, Resource, Role},
};
use std::sync::Arc;
use uuid::Uuid;

/// Whether a change's names were all there.
type Known = Option<()>;

impl Graph {
    /// Applies the changes in their order. What the schema means is compiled once, at the end.
    pub(crate) fn apply(&mut self, changes: &[Change]) {
        let before = Arc::clone(&self.schema);
        for change in changes {
            if self.apply_one(change).is_none() {
                self.ignored += 1;
            }
        }
        if !Arc::ptr_eq(&before, &self.schema) {
            self.compiled = Arc::new(Compiled::new(&self.schema, &self.slots));
        }
    }

    fn apply_one(&mut self, change: &Change) -> Known {
        match change {
            Change::PutResource(resource) => self.put_resource(resource),
            Change::DeleteResource { id, .. } => self.delete_resource(*id),
            Change::PutRole(role) => self.put_role(role),
            Change::DeleteRole { id, .. } => self.delete_role(*id),
            Change::PutRelation(relation) => self.put_relation(relation),
            Change::DeleteRelation { id, .. } => self.delete_relation(*id),
            Change::PutElement(element) => {
                Arc::make_mut(&mut self.schema).put_element(element.clone());
                Some(())
            }
            Change::DeleteElement { id } => {
                self.schema.element_by_id(*id)?;
                Arc::make_mut(&mut self.schema).remove_element(*id);
                Some(())
            }
            Change::PutConditionSet(set) => {
                Arc::make_mut(&mut self.schema).put_condition_set(set.clone());
                Some(())
            }
            Change::DeleteConditionSet { id, .. } => {
                self.schema.condition_set_by_id(*id)?;
                Arc::make_mut(&mut self.schema).remove_condition_set(*id);
                Some(())
            }
            Change::PutSetRule(rule) => {
                Arc::make_mut(&mut self.schema).put_set_rule(rule.clone());
                Some(())
            }
            Change::DeleteSetRule { id } => {
                self.schema.set_rule_by_id(*id)?;
                Arc::make_mut(&mut self.schema).remove_set_rule(*id);
                Some(())
            }
            Change::PutProxyConfig(_)
            | Change::DeleteProxyConfig { .. }
            | Change::PutAgent(_)
            | Change::PutDelegation(_)
            | Change::DeleteDelegation { .. } => self.apply_beside(change),
            Change::PutUser(user) => self.put_user(user),
            Change::DeleteUser { id, key } => {
                let number = self.user_number(key.as_str()).filter(|n| self.is_user(*n, id.uuid()))?;
                self.remove_user(number)
            }
            Change::PutTenant(tenant) => self.put_tenant(tenant),
            Change::DeleteTenant { id, key } => {
                let number = self.tenant_number(key.as_str()).filter(|n| self.is_node(*n, id.uuid()))?;
                self.remove_tenant(number)
            }
            Change::PutInstance(instance) => self.put_instance(instance),
            Change::DeleteInstance { id, resource, key } => {
                let link = InstanceLink { id: *id, resource: resource.clone(), key: key.clone() };
                let number = self.instance(&link)?;
                self.remove_node(number)
            }
            Change::PutAssignment(assignment) => {
                let (user, slot, node) = self.assigned(assignment)?;
                self.assign(user, slot, node, assignment.expires_at)
            }
            Change::DeleteAssignment(assignment) => {
                let (user, slot, node) = self.assigned(assignment)?;
                self.unassign(user, node, slot.role)
            }
            Change::PutTuple(tuple) => {
                let (relation, subject, object) = self.related(tuple)?;
                self.relate(relation.number, subject, object)
            }
            Change::DeleteTuple(tuple) => {
                let (relation, subject, object) = self.related(tuple)?;
                self.unrelate(relation.number, subject, object)
            }
            Change::PutRequest(_) | Change::PutInvite(_) | Change::DeleteInvite { .. } => Some(()),
        }
    }

    fn put_resource(&mut self, resource: &Resource) -> Known {
        let namesake = self.schema.resource_by_key(resource.key.as_str()).map(|other| other.id);
        if let Some(other) = namesake.filter(|other| *other != resource.id) {
            self.delete_resource(other)?;
        }
        Arc::make_mut(&mut self.slots).add_type(resource.id)?;
        Arc::make_mut(&mut self.schema).put_resource(resource.clone());
        Some(())
    }

    fn delete_resource(&mut self, id: ResourceId) -> Known {
        let ty = self.slots.type_of(id)?;
        let key = self.schema.resource_by_id(id)?.key.clone();
        for number in self.nodes_of(ty) {
            self.remove_node(number)?;
        }
        let relations: Vec<RelationId> = self
            .schema
            .relations()
            .filter(|relation| relation.object_resource == key || relation.subject_resource == key)
            .map(|relation| relation.id)
            .collect();
        let roles: Vec<RoleId> = self.schema.roles_of(Some(key.as_str())).map(|role| role.id).collect();
        for relation in relations {
            self.delete_relation(relation)?;
        }
        let (schema, slots) = (Arc::make_mut(&mut self.schema), Arc::make_mut(&mut self.slots));
        for role in roles {
            slots.remove_role(role);
            schema.remove_role(role);
        }
        slots.remove_type(id);
        schema.remove_resource(id);
        Some(())
    }

    fn put_role(&mut self, role: &Role) -> Known {
        let scope = role.resource.as_ref().map(Key::as_str);
        let ty = match scope {
            None => TENANT,
            Some(resource) => self.slots.type_of(self.schema.resource_by_key(resource)?.id)?,
        };
        let namesake = self.schema.role_by_key(scope, role.key.as_str()).map(|other| other.id);
        if let Some(other) = namesake.filter(|other| *other != role.id) {
            self.delete_role(other)?;
        }
        if self.slots.role(role.id).is_some_and(|slot| slot.ty != ty) {
            self.delete_role(role.id)?;
        }
        Arc::make_mut(&mut self.slots).add_role(role.id, ty)?;
        Arc::make_mut(&mut self.schema).put_role(role.clone());
        Some(())
    }

    fn delete_role(&mut self, id: RoleId) -> Known {
        let slot = self.slots.role(id)?;
        for number in self.nodes_of(slot.ty) {
            let mut holders = Vec::new();
            self.node(number)?.holders.for_group(slot.role, |link| holders.push(link.other()));
            for user in holders {
                self.unassign(user, number, slot.role)?;
            }
        }
        Arc::make_mut(&mut self.slots).remove_role(id);
        Arc::make_mut(&mut self.schema).remove_role(id);
        Some(())
    }

    fn put_relation(&mut self, relation: &Relation) -> Known {
        let object =
            self.slots.type_of(self.schema.resource_by_key(relation.object_resource.as_str())?.id)?;
        let subject =
            self.slots.type_of(self.schema.resource_by_key(relation.subject_resource.as_str())?.id)?;
        let namesake = self
            .schema
            .relation_by_key(relation.object_resource.as_str(), relation.key.as_str())
            .map(|other| other.id);
        if let Some(other) = namesake.filter(|other| *other != relation.id) {
            self.delete_relation(other)?;
        }
        let joined = self.slots.relation(relation.id);
        if joined.is_some_and(|joined| (joined.subject, joined.object) != (subject, object)) {
            self.delete_relation(relation.id)?;
        }
        Arc::make_mut(&mut self.slots).add_relation(relation.id, subject, object)?;
        Arc::make_mut(&mut self.schema).put_relation(relation.clone());
        Some(())
    }

    fn delete_relation(&mut self, id: RelationId) -> Known {
        let slot = self.slots.relation(id)?;
        for object in self.nodes_of(slot.object) {
            let mut subjects = Vec::new();
            self.node(object)?.parents.for_group(slot.number, |link| subjects.push(link.other()));
            for subject in subjects {
                self.unrelate(slot.number, subject, object)?;
            }
        }
        Arc::make_mut(&mut self.slots).remove_relation(id);
        Arc::make_mut(&mut self.schema).remove_relation(id);
        Some(())
    }

    /// What stands in the schema and is asked beside it.
    fn apply_beside(&mut self, change: &Change) -> Known {
        match change {
            Change::PutProxyConfig(config) => {
                Arc::make_mut(&mut self.schema).put_proxy_config(config.clone());
            }
            Change::DeleteProxyConfig { id } => {
                self.schema.proxy_config_by_id(*id)?;
                Arc::make_mut(&mut self.schema).remove_proxy_config(*id);
            }
            Change::PutAgent(agent) => Arc::make_mut(&mut self.schema).put_agent(agent.clone()),
            Change::PutDelegation(delegation) => {
                Arc::make_mut(&mut self.schema).put_delegation(delegation.clone());
            }
            Change::DeleteDelegation { id } => Arc::make_mut(&mut self.schema).remove_delegation(*id),
            _ => {}
        }
        Some(())
    }

    fn put_user(&mut self, user: &User) -> Known {
        if let Some(number) = self.user_number(user.key.as_str()) {
            if self.is_user(number, user.id.uuid()) {
                return self.describe_user(number, &seen_of(user));
            }
            self.remove_user(number)?;
        }
        let held = Adjacency::Empty;
        let name = Name::new(user.key.as_str());
        let number = self.users.insert(UserNode { name, held, id: user.id.uuid() })?;
        self.user_names.insert(Named { hash: name_hash(0, user.key.as_str()), number }, |_| false);
        self.describe_user(number, &seen_of(user))
    }

    fn describe_user(&mut self, user: u32, attributes: &Attributes) -> Known {
        match self.description(user) {
            Some(_) if self.attributes_of(user) == Some(attributes) => {}
            Some(at) if attributes.is_empty() => {
                self.descriptions.remove(at)?;
                self.described.remove(Described::hash_of(user), |described| described.user == user);
            }
            Some(at) => *self.descriptions.get_mut(at)? = Extra::new(attributes),
            None if attributes.is_empty() => {}
            None => {
                let at = self.descriptions.insert(Extra::new(attributes))?;
                self.described.insert(Described { user, at }, |described| described.user == user);
            }
        }
        Some(())
    }

    fn remove_user(&mut self, number: u32) -> Known {
        for held in self.users.get(number)?.held.to_vec() {
            for role in roles_in(held.word, held.mask) {
                self.unassign(number, held.node, role)?;
            }
        }
        self.describe_user(number, &Attributes::new())?;
        let user = self.users.remove(number)?;
        self.user_names.remove(name_hash(0, user.name.as_str()), |named| named.number == number);
        Some(())
    }

    fn put_tenant(&mut self, tenant: &Tenant) -> Known {
        if let Some(number) = self.tenant_number(tenant.key.as_str()) {
            if self.is_node(number, tenant.id.uuid()) {
                return self.describe(number, &tenant.attributes);
            }
            self.remove_tenant(number)?;
        }
        let number = self.add_node(TENANT, &tenant.key, tenant.id.uuid(), 0)?;
        self.nodes.get_mut(number)?.tenant = number;
        self.tenants += 1;
        self.describe(number, &tenant.attributes)
    }

    fn remove_tenant(&mut self, number: u32) -> Known {
        for member in self.node(number)?.children.to_vec() {
            self.remove_node(member.other())?;
        }
        self.remove_node(number)?;
        self.tenants -= 1;
        Some(())
    }

    fn put_instance(&mut self, instance: &Instance) -> Known {
        let ty = self.slots.type_of(instance.resource_id)?;
        let tenant = self.tenant(&instance.tenant, instance.tenant_id.uuid())?;
        if let Some(number) = self.node_number(ty, instance.key.as_str()) {
            if self.is_node(number, instance.id.uuid()) {
                self.describe(number, &instance.attributes)?;
                return self.move_node(number, tenant);
            }
            self.remove_node(number)?;
        }
        let number = self.add_node(ty, &instance.key, instance.id.uuid(), tenant)?;
        self.nodes.get_mut(tenant)?.children.insert(Link::new(MEMBERS, number));
        self.describe(number, &instance.attributes)
    }

    fn describe(&mut self, number: u32, attributes: &Attributes) -> Known {
        let attributes = Extra::new(attributes);
        if self.node(number)?.attributes != attributes {
            self.nodes.get_mut(number)?.attributes = attributes;
        }
        Some(())
    }

    fn move_node(&mut self, number: u32, tenant: u32) -> Known {
        let before = self.node(number)?.tenant;
        if before != tenant {
            self.nodes.get_mut(before)?.children.remove(Link::new(MEMBERS, number).key());
            self.nodes.get_mut(tenant)?.children.insert(Link::new(MEMBERS, number));
            self.nodes.get_mut(number)?.tenant = tenant;
        }
        Some(())
    }

    fn add_node(&mut self, ty: TypeIndex, key: &Key, id: Uuid, tenant: u32) -> Option<u32> {
        let number = self.nodes.insert(Node {
            id,
            name: Name::new(key.as_str()),
            ty,
            tenant,
            parents: Adjacency::Empty,
            children: Adjacency::Empty,
            holders: Adjacency::Empty,
            attributes: Extra::default(),
        })?;
        self.node_names.insert(Named { hash: name_hash(ty, key.as_str()), number }, |_| false);
        Some(number)
    }

    fn remove_node(&mut self, number: u32) -> Known {
        let node = self.nodes.get(number)?.clone();
        for link in node.holders.to_vec() {
            self.unassign(link.other(), number, link.group())?;
        }
        if node.ty != TENANT {
            for link in node.parents.to_vec() {
                self.unrelate(link.group(), link.other(), number)?;
            }
            // Read anew: a tuple of the node with itself is gone already.
            for link in self.nodes.get(number)?.children.to_vec() {
                self.unrelate(link.group(), number, link.other())?;
            }
            self.nodes.get_mut(node.tenant)?.children.remove(Link::new(MEMBERS, number).key());
        }
        self.nodes.remove(number)?;
        self.node_names.remove(name_hash(node.ty, node.name.as_str()), |named| named.number == number);
        Some(())
    }

    fn assign(&mut self, user: u32, slot: RoleSlot, node: u32, ends: Option<Timestamp>) -> Known {
        let (word, mask) = bit(slot.role);
        let held = &mut self.users.get_mut(user)?.held;
        let before = held.get(Held::key_of(node, word));
        let entry = before.unwrap_or(Held { node, word, ends: false, mask: 0 });
        held.insert(Held { mask: entry.mask | mask, ends: entry.ends || ends.is_some(), ..entry });
        if entry.mask & mask == 0 {
            self.nodes.get_mut(node)?.holders.insert(Link::new(slot.role, user));
            self.assignments += 1;
        }
        match ends {
            Some(at) => {
                let ending = Ending { user, node, role: slot.role, at };
                self.endings.insert(ending, |other| other.is_of(user, node, slot.role));
            }
            None if entry.ends => self.remove_ending(user, node, slot.role),
            None => {}
        }
        Some(())
    }

    fn unassign(&mut self, user: u32, node: u32, role: u32) -> Known {
        let (word, mask) = bit(role);
        let key = Held::key_of(node, word);
        let entry = self.users.get(user)?.held.get(key).filter(|entry| entry.mask & mask != 0)?;
        let held = &mut self.users.get_mut(user)?.held;
        if entry.mask == mask {
            held.remove(key);
        } else {
            held.insert(Held { mask: entry.mask & !mask, ..entry });
        }
        if entry.ends {
            self.remove_ending(user, node, role);
        }
        self.nodes.get_mut(node)?.holders.remove(Link::new(role, user).key());
        self.assignments -= 1;
        Some(())
    }

    fn remove_ending(&mut self, user: u32, node: u32, role: u32) {
        self.endings.remove(Ending::hash_of(user, node, role), |other| other.is_of(user, node, role));
    }

    fn relate(&mut self, relation: u32, subject: u32, object: u32) -> Known {
        let new = self.nodes.get_mut(object)?.parents.insert(Link::new(relation, subject)).is_none();
        self.nodes.get_mut(subject)?.children.insert(Link::new(relation, object));
        self.tuples += usize::from(new);
        Some(())
    }

    fn unrelate(&mut self, relation: u32, subject: u32, object: u32) -> Known {
        self.nodes.get_mut(object)?.parents.remove(Link::new(relation, subject).key())?;
        self.nodes.get_mut(subject)?.children.remove(Link::new(relation, object).key());
        self.tuples -= 1;
        Some(())
    }

    /// The user, role and node that an assignment names, by key and by id.
    fn assigned(&self, assignment: &RoleAssignment) -> Option<(u32, RoleSlot, u32)> {
        let user = self.user_number(assignment.user.as_str())?;
        let slot = self.slots.role(assignment.role_id)?;
        let node = match &assignment.instance {
            Some(link) => self.instance(link)?,
            None => self.tenant(&assignment.tenant, assignment.tenant_id.uuid())?,
        };
        let sound = self.is_user(user, assignment.user_id.uuid()) && self.node(node)?.ty == slot.ty;
        sound.then_some((user, slot, node))
    }

    /// The relation, subject and object that a tuple names, by key and by id.
    fn related(&self, tuple: &RelationshipTuple) -> Option<(RelationSlot, u32, u32)> {
        let relation = self.slots.relation(tuple.relation_id)?;
        let (subject, object) = (self.instance(&tuple.subject)?, self.instance(&tuple.object)?);
        let sound = self.node(subject)?.ty == relation.subject && self.node(object)?.ty == relation.object;
        sound.then_some((relation, subject, object))
    }

    fn tenant(&self, key: &Key, id: Uuid) -> Option<u32> {
        self.tenant_number(key.as_str()).filter(|number| self.is_node(*number, id))
    }

    fn instance(&self, link: &InstanceLink) -> Option<u32> {
        let ty = self.slots.type_of(self.schema.resource_by_key(link.resource.as_str())?.id)?;
        self.node_number(ty, link.key.as_str()).filter(|number| self.is_node(*number, link.id.uuid()))
    }

    pub(crate) fn user_id(&self, number: u32) -> Option<Uuid> {
        self.users.get(number).map(|user| user.id)
    }

    pub(crate) fn is_user(&self, number: u32, id: Uuid) -> bool {
        self.users.get(number).is_some_and(|user| user.id == id)
    }

    pub(crate) fn is_node(&self, number: u32, id: Uuid) -> bool {
        self.nodes.get(number).is_some_and(|node| node.id == id)
    }

    /// All nodes of a type. Looks at every node: only a change of the schema needs it.
    fn nodes_of(&self, ty: TypeIndex) -> Vec<u32> {
        self.nodes.iter().filter(|(_, node)| node.ty == ty).map(|(number, _)| number).collect()
    }
}
