//! From a schema to what a file says of it.

use super::data::{
    ActionEntry, AttributeEntry, DerivationEntry, ElementEntry, GroupEntry, PolicyFile, ProxyConfigEntry,
    RelationEntry, ResourceEntry, RoleEntry, RuleEntry, Section, SetEntry, Token, WebhookEntry,
};
use crate::{RoleName, Schema};
use askfirst_domain::{
    Id, Key,
    element::Element,
    schema::{
        Attribute, ConditionSet, Relation, Resource, Role, SetKind, TENANT_RESOURCE, USER_RESOURCE,
        is_built_in,
    },
    url_mapping::ProxyConfig,
};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The settings of an element that may name its resource, which has a place of its own in a file.
const RESOURCE_SETTINGS: [&str; 6] =
    ["resource", "resource_key", "resource_id", "resource_type", "resourceType", "resourceId"];

impl PolicyFile {
    /// Everything in a schema, in the order of creation, under all sections of the policy. What refers to something that
    /// is not there any more is left out, as it means nothing.
    pub fn of_schema(schema: &Schema) -> Self {
        let of = |key| schema.resource_by_key(key).map(|resource| attributes(&resource.attributes));
        let sets = |kind| schema.condition_sets().filter(move |set| set.kind == kind);
        let user_sets = sets(SetKind::Userset).map(|s| set(s));
        let own = schema.resources().filter(|resource| !is_built_in(&resource.key));
        Self {
            sections: Section::ALL.into_iter().filter(|section| section.is_policy()).collect(),
            user_attributes: of(USER_RESOURCE).unwrap_or_default(),
            tenant_attributes: of(TENANT_RESOURCE).unwrap_or_default(),
            resources: own.map(|r| resource(schema, r)).collect(),
            tenant_roles: schema.roles_of(None).map(|r| role(schema, r)).collect(),
            sets: user_sets.chain(sets(SetKind::Resourceset).map(|s| set(s))).collect(),
            rules: schema
                .set_rules()
                .map(|rule| RuleEntry {
                    users: rule.users.clone(),
                    permission: rule.permission.clone(),
                    resources: rule.resources.clone(),
                })
                .collect(),
            elements: schema.elements().map(|e| element(schema, e)).collect(),
            proxy_configs: schema.proxy_configs().map(|c| proxy_config(c)).collect(),
            ..Self::default()
        }
    }
}

fn resource(schema: &Schema, resource: &Resource) -> ResourceEntry {
    let key = resource.key.as_str();
    ResourceEntry {
        key: resource.key.clone(),
        name: resource.name.clone(),
        description: resource.description.clone(),
        urn: resource.urn.clone(),
        type_attributes: said(resource.type_attributes.as_ref()),
        compat: resource.compat.clone(),
        actions: resource
            .actions
            .iter()
            .map(|action| ActionEntry {
                key: action.key.clone(),
                name: action.name.clone(),
                description: action.description.clone(),
                attributes: said(action.attributes.as_ref()),
                compat: action.compat.clone(),
            })
            .collect(),
        attributes: attributes(&resource.attributes),
        action_groups: resource
            .action_groups
            .iter()
            .map(|group| GroupEntry {
                key: group.key.clone(),
                name: group.name.clone(),
                description: group.description.clone(),
                attributes: said(group.attributes.as_ref()),
                actions: group.actions.clone(),
            })
            .collect(),
        relations: schema
            .relations_of(key)
            .filter(|relation| schema.check_relation(relation).is_ok())
            .map(|r| relation(r))
            .collect(),
        roles: schema.roles_of(Some(key)).map(|r| role(schema, r)).collect(),
    }
}

/// A value that is null says nothing.
fn said(value: Option<&Value>) -> Option<Value> {
    value.filter(|value| !value.is_null()).cloned()
}

fn attributes(attributes: &[Attribute]) -> Vec<AttributeEntry> {
    let one = |attribute: &Attribute| AttributeEntry {
        key: attribute.key.clone(),
        kind: attribute.kind,
        description: attribute.description.clone(),
    };
    attributes.iter().map(one).collect()
}

fn relation(relation: &Relation) -> RelationEntry {
    RelationEntry {
        key: relation.key.clone(),
        subject_resource: relation.subject_resource.clone(),
        name: relation.name.clone(),
        description: relation.description.clone(),
    }
}

fn role(schema: &Schema, role: &Role) -> RoleEntry {
    let scope = role.resource.as_ref().map(Key::as_str);
    let has_action = |resource: &Key, action: &Key| {
        let found = schema.resource_by_key(resource.as_str());
        found.is_some_and(|resource| resource.actions.iter().any(|a| a.key == *action))
    };
    let permissions = role.permissions.iter().filter(|p| has_action(&p.resource, &p.action));
    let extends = role.extends.iter().filter(|base| schema.role_by_key(scope, base.as_str()).is_some());
    let granted_to = role.granted_to.as_ref().map(|block| DerivationEntry {
        when: block.when,
        users_with_role: block
            .users_with_role
            .iter()
            .filter(|rule| schema.check_derivation(role, rule).is_ok())
            .cloned()
            .collect(),
    });
    RoleEntry {
        key: role.key.clone(),
        name: role.name.clone(),
        description: role.description.clone(),
        permissions: permissions.cloned().collect(),
        extends: extends.cloned().collect(),
        granted_to,
        attributes: said(role.attributes.as_ref()),
        compat: role.compat.clone(),
    }
}

fn set(set: &ConditionSet) -> SetEntry {
    SetEntry {
        key: set.key.clone(),
        kind: set.kind,
        resource: set.resource.clone(),
        parent: set.parent.clone(),
        name: set.name.clone(),
        description: set.description.clone(),
        conditions: set.conditions.clone(),
        autogenerated: set.autogenerated,
    }
}

fn element(schema: &Schema, element: &Element) -> ElementEntry {
    let levels = element.roles_to_levels.iter().map(|(level, ids)| {
        let roles = ids.iter().filter_map(|id| schema.role_by_id(*id));
        (*level, roles.map(|role| RoleName::from(role.as_ref())).collect::<Vec<_>>())
    });
    ElementEntry {
        key: element.key.clone(),
        name: element.name.clone(),
        kind: element.kind,
        resource: element.resource.clone(),
        levels: levels.filter(|(_, roles)| !roles.is_empty()).collect(),
        settings: settings(schema, element),
        email_notifications: element.email_notifications,
        active: element.is_active,
        webhook: element.webhook.as_ref().map(|hook| WebhookEntry {
            url: hook.url.clone(),
            token: match hook.bearer_token {
                Some(_) => Token::Named(token_name(&element.key)),
                None => Token::None,
            },
        }),
        terms: element.terms.clone(),
    }
}

fn proxy_config(config: &ProxyConfig) -> ProxyConfigEntry {
    ProxyConfigEntry {
        key: config.key.clone(),
        name: config.name.clone(),
        auth_mechanism: config.auth_mechanism,
        rules: config.rules.clone(),
    }
}

/// The settings but for those that say what the resource is.
fn settings(schema: &Schema, element: &Element) -> Map<String, Value> {
    let Some(resource) = element.resource.as_ref().and_then(|key| schema.resource_by_key(key.as_str()))
    else {
        return element.settings.clone();
    };
    let names_it = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        text == resource.key.as_str() || text.parse::<Uuid>().is_ok_and(|uuid| Id::new(uuid) == resource.id)
    };
    let own = |name: &str, value: &Value| RESOURCE_SETTINGS.contains(&name) && names_it(value);
    element
        .settings
        .iter()
        .filter(|(name, value)| !own(name, value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Under which name whoever applies the file is to have the token of an element's webhook.
fn token_name(element: &Key) -> String {
    let name: String =
        element.as_str().chars().map(|c| if c == '-' { '_' } else { c.to_ascii_uppercase() }).collect();
    format!("{name}_WEBHOOK_TOKEN")
}
