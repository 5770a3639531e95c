//! Tenants, users, instances, tuples and assignments.

use crate::{
    RoleName, Schema, Snapshot,
    file::{
        data::{AssignmentEntry, PolicyFile, Prune, Section, TupleEntry},
        diagnostic::suggest,
        reader::{Reader, Spot},
    },
};
use askfirst_domain::{
    Key,
    facts::{DEFAULT_TENANT, InstanceRef},
};
use rustc_hash::{FxHashMap, FxHashSet};

impl Reader {
    pub(super) fn check_facts(
        &mut self,
        file: &PolicyFile,
        existing: &Snapshot,
        schema: &Schema,
        prune: Prune,
    ) {
        let known = Known::of(file, existing, prune);
        for (index, instance) in file.instances.iter().enumerate() {
            let spot = Spot::Instance(index);
            if schema.resource_by_key(instance.at.resource.as_str()).is_none() {
                let resources = schema.resources().map(|r| r.key.as_str());
                let hint = suggest(instance.at.resource.as_str(), resources);
                let message = format!("there is no resource `{}`", instance.at.resource);
                self.complain(self.position(&spot), message, hint);
            }
            self.check_tenant(&spot, &instance.tenant, &known);
            if existing
                .instance_tenant(instance.at.resource.as_str(), instance.at.key.as_str())
                .is_some_and(|tenant| tenant != instance.tenant)
            {
                let message =
                    format!("{} is there already, in another tenant than {}", instance.at, instance.tenant);
                let hint = "an instance can't change its tenant; delete it first".to_owned();
                self.complain(self.position(&spot), message, Some(hint));
            }
        }
        self.check_tuples(file, &known, schema);
        let mut seen = FxHashSet::default();
        for (index, assignment) in file.assignments.iter().enumerate() {
            let spot = Spot::Assignment(index);
            let AssignmentEntry { user, role, on, tenant, .. } = assignment;
            // The tenant of an instance is the instance's, said or not; a tenant role's is `default` unless it is said.
            let tenant = tenant.as_ref().filter(|_| on.is_none()).map_or(DEFAULT_TENANT, Key::as_str);
            if !seen.insert((user, role, on, tenant)) {
                let message = format!("{user} has the role {role} here twice");
                self.complain(self.position(&spot), message, None);
            }
            self.check_assignment(&spot, assignment, &known, schema);
        }
    }

    fn check_tuples(&mut self, file: &PolicyFile, known: &Known<'_>, schema: &Schema) {
        let mut seen = FxHashSet::default();
        for (index, tuple) in file.tuples.iter().enumerate() {
            let at = self.position(&Spot::Tuple(index));
            if !seen.insert((&tuple.subject, &tuple.relation, &tuple.object)) {
                let TupleEntry { subject, relation, object } = tuple;
                self.complain(at, format!("`{subject} {relation} {object}` stands here twice"), None);
            }
            let object_resource = tuple.object.resource.as_str();
            match schema.relation_by_key(object_resource, tuple.relation.as_str()) {
                None => {
                    let names = schema.relations_of(object_resource).map(|r| r.key.as_str());
                    let hint = suggest(tuple.relation.as_str(), names);
                    self.complain(
                        at,
                        format!("{object_resource} has no relation `{}`", tuple.relation),
                        hint,
                    );
                }
                Some(relation) if relation.subject_resource != tuple.subject.resource => {
                    let message = format!(
                        "the subject of `{}` is an instance of {}, and {} is not",
                        relation.key, relation.subject_resource, tuple.subject
                    );
                    self.complain(at, message, None);
                }
                Some(_) => {}
            }
            let ends = [&tuple.subject, &tuple.object].map(|end| (end, known.tenant_of(end)));
            for (end, tenant) in &ends {
                if tenant.is_none() {
                    self.complain(at, format!("there is no instance {end}"), known.suggest_instance(end));
                }
            }
            if let [(subject, Some(a)), (object, Some(b))] = &ends
                && a != b
            {
                let message = format!("{subject} is in tenant {a} and {object} in tenant {b}");
                self.complain(at, message, Some("relate instances of one tenant".to_owned()));
            }
        }
    }

    fn check_assignment(&mut self, spot: &Spot, entry: &AssignmentEntry, known: &Known<'_>, schema: &Schema) {
        if !known.has_user(entry.user.as_str()) {
            let hint = suggest(entry.user.as_str(), known.file.users.iter().map(|u| u.key.as_str()))
                .filter(|hint| hint.starts_with("did"))
                .or_else(|| Some("list it under `users`".to_owned()));
            self.complain(self.position(spot), format!("there is no user `{}`", entry.user), hint);
        }
        let name =
            RoleName { resource: entry.on.as_ref().map(|on| on.resource.clone()), key: entry.role.clone() };
        if schema.role_by_key(name.resource.as_ref().map(Key::as_str), name.key.as_str()).is_none() {
            self.unknown_role(spot, &name, schema);
        }
        match &entry.on {
            None => entry.tenant.iter().for_each(|tenant| self.check_tenant(spot, tenant, known)),
            Some(on) => match known.tenant_of(on) {
                None => {
                    let message = format!("there is no instance {on}");
                    self.complain(self.position(spot), message, known.suggest_instance(on));
                }
                Some(tenant) => {
                    if let Some(written) = entry.tenant.as_ref().filter(|written| **written != tenant) {
                        let message = format!("{on} is in tenant {tenant}, not in {written}");
                        self.complain(
                            self.position(spot),
                            message,
                            Some(format!("write `tenant: {tenant}`")),
                        );
                    }
                }
            },
        }
    }

    fn check_tenant(&mut self, spot: &Spot, tenant: &Key, known: &Known<'_>) {
        if !known.has_tenant(tenant.as_str()) {
            let names = known.file.tenants.iter().map(|t| t.key.as_str());
            let hint = suggest(tenant.as_str(), names.chain([DEFAULT_TENANT]));
            self.complain(self.position(spot), format!("there is no tenant `{tenant}`"), hint);
        }
    }
}

/// The facts of the file and those before it that stay.
struct Known<'a> {
    file: &'a PolicyFile,
    existing: &'a Snapshot,
    prune: Prune,
    users: FxHashSet<&'a str>,
    tenants: FxHashSet<&'a str>,
    instances: FxHashMap<&'a InstanceRef, &'a Key>,
}

impl<'a> Known<'a> {
    fn of(file: &'a PolicyFile, existing: &'a Snapshot, prune: Prune) -> Self {
        Self {
            file,
            existing,
            prune,
            users: file.users.iter().map(|user| user.key.as_str()).collect(),
            tenants: file.tenants.iter().map(|tenant| tenant.key.as_str()).collect(),
            instances: file.instances.iter().map(|instance| (&instance.at, &instance.tenant)).collect(),
        }
    }

    fn stays(&self, section: Section) -> bool {
        !self.file.is_whole(section, self.prune)
    }

    fn has_user(&self, key: &str) -> bool {
        self.users.contains(key) || self.stays(Section::Users) && self.existing.has_user(key)
    }

    fn has_tenant(&self, key: &str) -> bool {
        key == DEFAULT_TENANT
            || self.tenants.contains(key)
            || self.stays(Section::Tenants) && self.existing.has_tenant(key)
    }

    fn tenant_of(&self, at: &InstanceRef) -> Option<Key> {
        let written = self.instances.get(at).map(|tenant| Key::clone(tenant));
        written.or_else(|| {
            let existing = || self.existing.instance_tenant(at.resource.as_str(), at.key.as_str());
            self.stays(Section::Instances).then(existing).flatten()
        })
    }

    fn suggest_instance(&self, at: &InstanceRef) -> Option<String> {
        suggest(&at.to_string(), self.file.instances.iter().map(|instance| instance.at.to_string()))
            .filter(|hint| hint.starts_with("did"))
            .or_else(|| Some("list it under `instances`".to_owned()))
    }
}
