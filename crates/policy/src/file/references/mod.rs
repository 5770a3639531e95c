//! Whether what the file names is there, in the file or before it, and whether the schema's rules hold.

mod facts;
mod schema;

use super::{
    cases::Case,
    data::{ElementEntry, PolicyFile, Prune},
    diagnostic::suggest,
    reader::{Reader, Spot},
    world::merged,
};
use crate::{RoleName, Schema, SchemaError, Snapshot};
use askfirst_domain::{Id, Key, Timestamp, element::Element, schema::is_built_in};
use serde_json::Map;
use std::collections::BTreeMap;
use uuid::Uuid;

impl Reader {
    /// Checks the file against what would be there with it, and settles what the names of its levels mean.
    pub(super) fn check_references(&mut self, file: &mut PolicyFile, existing: &Snapshot, prune: Prune) {
        let schema = merged(file, existing.schema(), prune);
        self.check_schema(file, &schema);
        for element in &mut file.elements {
            settle_levels(element, &schema);
            schema.settle_terms(element.resource.as_ref(), &mut element.terms);
        }
        for element in &file.elements {
            self.check_element(element, &schema);
        }
        self.check_facts(file, existing, &schema, prune);
        for (index, case) in file.tests.iter().enumerate() {
            self.check_case(index, case, &schema);
        }
    }

    fn check_element(&mut self, entry: &ElementEntry, schema: &Schema) {
        let mut roles_to_levels = BTreeMap::new();
        for (level, names) in &entry.levels {
            let ids: &mut Vec<_> = roles_to_levels.entry(*level).or_default();
            for (index, name) in names.iter().enumerate() {
                match schema.role_by_key(name.resource.as_ref().map(Key::as_str), name.key.as_str()) {
                    Some(role) => ids.push(role.id),
                    None => self.unknown_role(&Spot::Level(entry.key.clone(), *level, index), name, schema),
                }
            }
        }
        let element = Element {
            id: Id::new(Uuid::nil()),
            key: entry.key.clone(),
            name: entry.name.clone(),
            kind: entry.kind,
            settings: Map::new(),
            resource: entry.resource.clone(),
            email_notifications: entry.email_notifications,
            roles_to_levels,
            webhook: None,
            is_active: entry.active,
            terms: entry.terms.clone(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        if let Err(error) = schema.check_element(&element) {
            let hint = match &error {
                SchemaError::UnknownResource { resource, .. } => suggest_resource(resource, schema),
                _ => None,
            };
            self.complain(self.position(&Spot::Element(entry.key.clone())), error, hint);
        }
    }

    fn unknown_role(&mut self, spot: &Spot, name: &RoleName, schema: &Schema) {
        let scope = name.resource.as_ref().map(Key::as_str);
        let hint = suggest(name.key.as_str(), schema.roles_of(scope).map(|role| role.key.as_str()));
        let message = match scope {
            Some(resource) => format!("{resource} has no role `{}`", name.key),
            None => format!("there is no tenant role `{}`", name.key),
        };
        self.complain(self.position(spot), message, hint);
    }

    /// A test that names what is not there would be denied, and pass for the wrong reason.
    fn check_case(&mut self, index: usize, case: &Case, schema: &Schema) {
        if case.expects_unknown() {
            return;
        }
        let at = self.position(&Spot::Case(index));
        let Some(resource) = schema.resource_by_key(case.resource.as_str()) else {
            let hint = suggest_resource(&case.resource, schema);
            self.complain(at, format!("there is no resource `{}`", case.resource), hint);
            return;
        };
        if !resource.actions.iter().any(|action| action.key == case.action) {
            let hint = suggest(case.action.as_str(), resource.actions.iter().map(|a| a.key.as_str()));
            self.complain(at, format!("{} has no action `{}`", case.resource, case.action), hint);
        }
    }
}

/// A role that is named alone is one on the element's resource, or else a tenant role.
fn settle_levels(element: &mut ElementEntry, schema: &Schema) {
    for name in element.levels.values_mut().flatten() {
        let Some(resource) = &name.resource else { continue };
        let own = schema.role_by_key(Some(resource.as_str()), name.key.as_str());
        if own.is_none() && schema.role_by_key(None, name.key.as_str()).is_some() {
            name.resource = None;
        }
    }
}

fn suggest_resource(written: &Key, schema: &Schema) -> Option<String> {
    let own = schema.resources().filter(|resource| !is_built_in(&resource.key));
    suggest(written.as_str(), own.map(|resource| resource.key.as_str()))
}
