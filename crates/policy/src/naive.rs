//! The semantics in its plainest form: facts in vectors, effective roles by a fixpoint over all of them.
//!
//! Slow and short on purpose.

use crate::{
    Schema,
    question::{EffectiveRole, Question},
};
use askfirst_domain::{
    Timestamp, UserKey,
    change::Change,
    decision::{Allowance, Decision, Denial, DenialCause, Grant, Place, RoleAt, Step},
    facts::{DEFAULT_TENANT, Instance, InstanceRef, RelationshipTuple, RoleAssignment, Tenant, User},
    id::RoleId,
    schema::Role,
};
use std::collections::BTreeMap;

/// Facts beside their schema.
#[derive(Debug, Clone, Default)]
pub(crate) struct Naive {
    pub(crate) schema: Schema,
    pub(crate) users: Vec<User>,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) assignments: Vec<RoleAssignment>,
    pub(crate) tuples: Vec<RelationshipTuple>,
}

impl Naive {
    pub(crate) fn apply(&mut self, change: &Change) {
        match change.clone() {
            Change::PutResource(r) => self.schema.put_resource(r),
            Change::PutRole(r) => self.schema.put_role(r),
            Change::PutRelation(r) => self.schema.put_relation(r),
            Change::PutElement(e) => self.schema.put_element(e),
            Change::DeleteElement { id } => self.schema.remove_element(id),
            Change::PutConditionSet(s) => self.schema.put_condition_set(s),
            Change::DeleteConditionSet { id, .. } => self.schema.remove_condition_set(id),
            Change::PutSetRule(r) => self.schema.put_set_rule(r),
            Change::DeleteSetRule { id } => self.schema.remove_set_rule(id),
            Change::PutUser(u) => {
                self.users.retain(|x| x.id != u.id);
                self.users.push(u);
            }
            Change::PutTenant(t) => {
                self.tenants.retain(|x| x.id != t.id);
                self.tenants.push(t);
            }
            Change::PutInstance(i) => {
                self.instances.retain(|x| x.id != i.id);
                self.instances.push(i);
            }
            Change::PutAssignment(a) => {
                self.assignments.retain(|x| !same_assignment(x, &a));
                self.assignments.push(a);
            }
            Change::DeleteAssignment(a) => self.assignments.retain(|x| !same_assignment(x, &a)),
            Change::PutTuple(t) => {
                self.tuples.retain(|x| !same_tuple(x, &t));
                self.tuples.push(t);
            }
            Change::DeleteTuple(t) => self.tuples.retain(|x| !same_tuple(x, &t)),
            Change::DeleteUser { id, .. } => {
                self.users.retain(|u| u.id != id);
                self.assignments.retain(|a| a.user_id != id);
            }
            Change::DeleteInstance { id, .. } => self.drop_instances(|i| i.id == id),
            Change::DeleteTenant { id, .. } => {
                self.tenants.retain(|t| t.id != id);
                self.assignments.retain(|a| a.tenant_id != id);
                self.drop_instances(|i| i.tenant_id == id);
            }
            Change::DeleteRole { id, .. } => {
                self.schema.remove_role(id);
                self.assignments.retain(|a| a.role_id != id);
            }
            Change::DeleteRelation { id, .. } => {
                self.schema.remove_relation(id);
                self.tuples.retain(|t| t.relation_id != id);
            }
            Change::DeleteResource { id, key } => {
                let roles: Vec<_> = self.schema.roles_of(Some(key.as_str())).map(|r| r.id).collect();
                for role in roles {
                    self.schema.remove_role(role);
                }
                let relations: Vec<_> = self
                    .schema
                    .relations()
                    .filter(|r| r.object_resource == key || r.subject_resource == key)
                    .map(|r| r.id)
                    .collect();
                self.tuples.retain(|t| !relations.contains(&t.relation_id));
                for relation in relations {
                    self.schema.remove_relation(relation);
                }
                self.schema.remove_resource(id);
                self.drop_instances(|i| i.resource_id == id);
            }
            Change::PutRequest(_)
            | Change::PutInvite(_)
            | Change::DeleteInvite { .. }
            | Change::PutProxyConfig(_)
            | Change::DeleteProxyConfig { .. }
            | Change::PutAgent(_)
            | Change::PutDelegation(_)
            | Change::DeleteDelegation { .. } => {}
        }
    }

    fn drop_instances(&mut self, gone: impl Fn(&Instance) -> bool) {
        let ids: Vec<_> = self.instances.iter().filter(|i| gone(i)).map(|i| i.id).collect();
        self.instances.retain(|i| !ids.contains(&i.id));
        self.assignments.retain(|a| a.instance.as_ref().is_none_or(|i| !ids.contains(&i.id)));
        self.tuples.retain(|t| !ids.contains(&t.subject.id) && !ids.contains(&t.object.id));
    }

    /// Every role that the user effectively has anywhere, with the first chain found that leads to it, as if the user
    /// held `extra` too; `limit` is the greatest number of derivations in a chain.
    pub(crate) fn effective(
        &self,
        user: &str,
        now: Timestamp,
        limit: u32,
        extra: Option<&RoleAt>,
    ) -> BTreeMap<RoleAt, Grant> {
        let mut found = BTreeMap::new();
        for a in self.assignments.iter().filter(|a| a.user.as_str() == user && is_live(a, now)) {
            let held = role_at(a);
            found.insert(held.clone(), Grant { held, expires_at: a.expires_at, steps: Vec::new() });
        }
        if let Some(held) = extra {
            let grant = Grant { held: held.clone(), expires_at: None, steps: Vec::new() };
            found.entry(held.clone()).or_insert(grant);
        }
        self.extend(&mut found);
        for _ in 0..limit {
            let before = found.len();
            for (at, grant) in self.derived(&found, user, now) {
                found.entry(at).or_insert(grant);
            }
            self.extend(&mut found);
            if found.len() == before {
                break;
            }
        }
        found
    }

    fn extend(&self, found: &mut BTreeMap<RoleAt, Grant>) {
        loop {
            let mut new = Vec::new();
            for (at, grant) in found.iter() {
                let Some(role) = self.schema.role_by_key(scope(&at.at), at.role.as_str()) else { continue };
                for key in &role.extends {
                    let next = RoleAt { role: key.clone(), at: at.at.clone() };
                    if self.schema.role_by_key(scope(&at.at), key.as_str()).is_some()
                        && !found.contains_key(&next)
                    {
                        let mut grant = grant.clone();
                        grant.steps.push(Step::Extends { role: next.clone() });
                        new.push((next, grant));
                    }
                }
            }
            if new.is_empty() {
                return;
            }
            for (at, grant) in new {
                found.entry(at).or_insert(grant);
            }
        }
    }

    fn derived(&self, found: &BTreeMap<RoleAt, Grant>, user: &str, now: Timestamp) -> Vec<(RoleAt, Grant)> {
        let mut new = Vec::new();
        for role in self.schema.roles() {
            let (Some(resource), Some(derivation)) = (&role.resource, &role.granted_to) else { continue };
            for rule in &derivation.users_with_role {
                let gated = derivation.when.no_direct_roles_on_object
                    || rule.when.is_some_and(|when| when.no_direct_roles_on_object);
                for tuple in &self.tuples {
                    if tuple.relation != rule.linked_by_relation
                        || tuple.object.resource != *resource
                        || tuple.subject.resource != rule.on_resource
                        || (gated && self.has_direct_role(user, &tuple.object.reference(), now))
                    {
                        continue;
                    }
                    let source =
                        RoleAt { role: rule.role.clone(), at: Place::Instance(tuple.subject.reference()) };
                    let target =
                        RoleAt { role: role.key.clone(), at: Place::Instance(tuple.object.reference()) };
                    if let Some(grant) = found.get(&source) {
                        let mut grant = grant.clone();
                        grant
                            .steps
                            .push(Step::Derived { relation: tuple.relation.clone(), role: target.clone() });
                        new.push((target, grant));
                    }
                }
            }
        }
        new
    }

    pub(crate) fn has_direct_role(&self, user: &str, object: &InstanceRef, now: Timestamp) -> bool {
        self.assignments.iter().any(|a| {
            a.user.as_str() == user
                && is_live(a, now)
                && a.instance.as_ref().is_some_and(|i| i.reference() == *object)
        })
    }

    pub(crate) fn check(&self, q: &Question<'_>, now: Timestamp, limit: u32) -> Decision {
        let deny = |cause, would_allow| Decision::Deny(Denial { cause, would_allow });
        let Some(resource) = self.schema.resource_by_key(q.resource) else {
            return deny(DenialCause::UnknownResource, Vec::new());
        };
        if !resource.actions.iter().any(|a| a.key.as_str() == q.action) {
            return deny(DenialCause::UnknownAction, Vec::new());
        }
        let known = self
            .instances
            .iter()
            .find(|i| i.resource.as_str() == q.resource && Some(i.key.as_str()) == q.instance);
        let tenant = known.map_or(q.tenant.unwrap_or(DEFAULT_TENANT), |i| i.tenant.as_str());
        if q.tenant.is_some_and(|named| named != tenant) {
            return deny(DenialCause::TenantMismatch, Vec::new());
        }
        let Some(tenant) = self.tenants.iter().find(|t| t.key.as_str() == tenant) else {
            return deny(DenialCause::UnknownTenant, Vec::new());
        };
        let mut places = vec![Place::Tenant(tenant.key.clone())];
        if let Some(Ok(key)) = q.instance.map(str::parse) {
            places.insert(0, Place::Instance(InstanceRef { resource: resource.key.clone(), key }));
        }
        if let Some(grant) = self.granted(q, &places, now, limit, None) {
            return Decision::Allow(Allowance::Role(grant));
        }
        let cause = if self.has_user(q.user) {
            self.assignments
                .iter()
                .filter(|a| a.user.as_str() == q.user && !is_live(a, now))
                .find(|a| self.granted(q, &places, now, limit, Some(&role_at(a))).is_some())
                .map_or(DenialCause::NoRole, |a| DenialCause::Expired {
                    role: role_at(a),
                    at: a.expires_at.unwrap_or_default(),
                })
        } else {
            DenialCause::UnknownUser
        };
        let mut would_allow: Vec<RoleAt> = self.candidates(&places);
        would_allow.retain(|at| self.granted(q, &places, now, limit, Some(at)).is_some());
        would_allow
            .sort_by_key(|at| (places.iter().position(|p| *p == at.at).map_or(1, |p| p * 2), at.clone()));
        would_allow.dedup();
        deny(cause, would_allow)
    }

    /// The chain to a role that permits what is asked in one of the places, when the user has (or with `extra` would
    /// have) one.
    fn granted(
        &self,
        q: &Question<'_>,
        places: &[Place],
        now: Timestamp,
        limit: u32,
        extra: Option<&RoleAt>,
    ) -> Option<Grant> {
        let found = self.effective(q.user, now, limit, extra);
        found
            .into_iter()
            .filter(|(at, _)| places.contains(&at.at) && self.permits(at, q))
            .map(|(_, grant)| grant)
            .min_by_key(|grant| {
                grant.steps.iter().filter(|step| matches!(step, Step::Derived { .. })).count()
            })
    }

    pub(crate) fn role(&self, at: &RoleAt) -> Option<&Role> {
        self.schema.role_by_key(scope(&at.at), at.role.as_str()).map(AsRef::as_ref)
    }

    /// Whether the role by itself permits what is asked.
    pub(crate) fn permits(&self, at: &RoleAt, q: &Question<'_>) -> bool {
        self.role(at).is_some_and(|role| {
            role.permissions
                .iter()
                .any(|p| p.resource.as_str() == q.resource && p.action.as_str() == q.action)
        })
    }

    /// Every role that can come to anything, in every place that is there or is asked about.
    fn candidates(&self, asked: &[Place]) -> Vec<RoleAt> {
        let instances = self
            .instances
            .iter()
            .map(|i| Place::Instance(InstanceRef { resource: i.resource.clone(), key: i.key.clone() }));
        let places: Vec<Place> = instances.chain(asked.iter().cloned()).collect();
        let all = places.iter().flat_map(|place| {
            self.schema
                .roles_of(scope(place))
                .filter(|role| self.comes_to_anything(role))
                .map(|role| RoleAt { role: role.key.clone(), at: place.clone() })
        });
        all.collect()
    }

    fn comes_to_anything(&self, role: &Role) -> bool {
        !role.permissions.is_empty()
            || !role.extends.is_empty()
            || self.schema.roles().flat_map(|r| &r.granted_to).any(|derivation| {
                derivation
                    .users_with_role
                    .iter()
                    .any(|rule| rule.role == role.key && Some(&rule.on_resource) == role.resource.as_ref())
            })
    }

    pub(crate) fn has_user(&self, key: &str) -> bool {
        self.users.iter().any(|u| u.key.as_str() == key)
    }

    pub(crate) fn roles_on(
        &self,
        user: &str,
        place: &Place,
        now: Timestamp,
        limit: u32,
    ) -> Vec<EffectiveRole> {
        let mut places = vec![place.clone()];
        if let Place::Instance(at) = place {
            let known = self.instances.iter().find(|i| i.resource == at.resource && i.key == at.key);
            let Some(instance) = known else { return Vec::new() };
            places.push(Place::Tenant(instance.tenant.clone()));
        }
        self.effective(user, now, limit, None)
            .into_iter()
            .filter(|(at, _)| places.contains(&at.at))
            .filter_map(|(at, grant)| {
                let id = self.schema.role_by_key(scope(&at.at), at.role.as_str())?.id;
                Some(EffectiveRole { id, at, grant })
            })
            .collect()
    }

    pub(crate) fn holders(
        &self,
        place: &Place,
        roles: &[RoleId],
        now: Timestamp,
        limit: u32,
    ) -> Vec<UserKey> {
        let mut users: Vec<UserKey> = self
            .users
            .iter()
            .filter(|u| {
                self.roles_on(u.key.as_str(), place, now, limit).iter().any(|r| roles.contains(&r.id))
            })
            .map(|u| u.key.clone())
            .collect();
        users.sort();
        users
    }

    pub(crate) fn places(&self, user: &str, roles: &[RoleId], now: Timestamp, limit: u32) -> Vec<Place> {
        let mut places: Vec<Place> = self
            .effective(user, now, limit, None)
            .into_keys()
            .filter(|at| {
                self.schema
                    .role_by_key(scope(&at.at), at.role.as_str())
                    .is_some_and(|role| roles.contains(&role.id))
            })
            .map(|at| at.at)
            .collect();
        places.sort();
        places.dedup();
        places
    }
}

pub(crate) fn is_live(a: &RoleAssignment, now: Timestamp) -> bool {
    a.expires_at.is_none_or(|end| end > now)
}

pub(crate) fn role_at(a: &RoleAssignment) -> RoleAt {
    let at = a
        .instance
        .as_ref()
        .map_or_else(|| Place::Tenant(a.tenant.clone()), |i| Place::Instance(i.reference()));
    RoleAt { role: a.role.clone(), at }
}

fn scope(place: &Place) -> Option<&str> {
    match place {
        Place::Tenant(_) => None,
        Place::Instance(instance) => Some(instance.resource.as_str()),
    }
}

fn same_assignment(a: &RoleAssignment, b: &RoleAssignment) -> bool {
    a.user_id == b.user_id
        && a.role_id == b.role_id
        && a.tenant_id == b.tenant_id
        && a.instance.as_ref().map(|i| i.id) == b.instance.as_ref().map(|i| i.id)
}

fn same_tuple(a: &RelationshipTuple, b: &RelationshipTuple) -> bool {
    a.relation_id == b.relation_id && a.subject.id == b.subject.id && a.object.id == b.object.id
}
