//! Things to be written: each with an id of its own, made up from a counter.

use super::Failure;
use askfirst_domain::{
    Id, Timestamp,
    agent::{Agent, AgentStatus, Ceiling},
    delegation::Delegation,
    element::{Element, ElementType, Level, Terms},
    facts::{Instance, InstanceLink, RelationshipTuple, RoleAssignment, Tenant, User},
    grant::Offer,
    invite::{Invite, InviteStatus},
    principal::Principal,
    request::{Person, Request, RequestKind, Status, WantedRole, wish},
    schema::{
        Action, ConditionSet, Permission, Relation, Resource, Role, RuleResources, RuleUsers, SetKind,
        SetRule,
    },
    url_mapping::{AuthMechanism, MappingRule, Method, ProxyConfig, UrlKind},
};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

static LAST: AtomicU64 = AtomicU64::new(1);

/// An id that nothing else in this process has.
pub(super) fn fresh<K>() -> Id<K> {
    let n = LAST.fetch_add(1, Ordering::Relaxed);
    // Spread over the whole of a UUID, so that no order of ids passes for an order of creation.
    Id::new(Uuid::from_u128(u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64 | u128::from(n)))
}

/// A moment, `n` seconds in.
pub(super) fn at(n: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + n * 1_000_000)
}

/// Makes things, with plain values where nobody cares.
#[derive(Debug)]
pub struct Things;

impl Things {
    /// Whoever writes in these cases.
    pub fn actor() -> Principal {
        Principal::System { name: "contract".to_owned() }
    }

    pub fn user(key: &str) -> Result<User, Failure> {
        Ok(User {
            id: fresh(),
            key: key.parse()?,
            email: None,
            first_name: None,
            last_name: None,
            attributes: serde_json::Map::new(),
            created_at: at(0),
            updated_at: at(0),
        })
    }

    pub fn tenant(key: &str) -> Result<Tenant, Failure> {
        Ok(Tenant {
            id: fresh(),
            key: key.parse()?,
            name: key.to_owned(),
            description: None,
            attributes: serde_json::Map::new(),
            created_at: at(0),
            updated_at: at(0),
            last_action_at: at(0),
        })
    }

    pub fn resource(key: &str) -> Result<Resource, Failure> {
        Ok(Resource {
            id: fresh(),
            key: key.parse()?,
            name: key.to_owned(),
            urn: None,
            description: Some("a kind of thing".to_owned()),
            type_attributes: None,
            compat: serde_json::Map::new(),
            actions: vec![Action {
                id: fresh(),
                key: "read".parse()?,
                name: "Read".to_owned(),
                description: None,
                attributes: None,
                compat: serde_json::Map::new(),
                created_at: at(0),
                updated_at: at(0),
            }],
            attributes: Vec::new(),
            action_groups: Vec::new(),
            created_at: at(0),
            updated_at: at(0),
        })
    }

    pub fn instance(resource: &Resource, key: &str, tenant: &Tenant) -> Result<Instance, Failure> {
        Ok(Instance {
            id: fresh(),
            key: key.parse()?,
            resource: resource.key.clone(),
            resource_id: resource.id,
            tenant: tenant.key.clone(),
            tenant_id: tenant.id,
            attributes: serde_json::Map::new(),
            created_at: at(0),
            updated_at: at(0),
        })
    }

    /// A role of a resource, or of tenants.
    pub fn role(resource: Option<&Resource>, key: &str) -> Result<Role, Failure> {
        let permissions = match resource {
            Some(resource) => vec![Permission { resource: resource.key.clone(), action: "read".parse()? }],
            None => Vec::new(),
        };
        Ok(Role {
            id: fresh(),
            key: key.parse()?,
            resource: resource.map(|r| r.key.clone()),
            name: key.to_owned(),
            description: None,
            permissions,
            extends: Vec::new(),
            granted_to: None,
            attributes: None,
            compat: serde_json::Map::new(),
            created_at: at(0),
            updated_at: at(0),
        })
    }

    pub fn relation(subject: &Resource, key: &str, object: &Resource) -> Result<Relation, Failure> {
        Ok(Relation {
            id: fresh(),
            key: key.parse()?,
            name: key.to_owned(),
            description: None,
            subject_resource: subject.key.clone(),
            object_resource: object.key.clone(),
            created_at: at(0),
            updated_at: at(0),
        })
    }

    pub fn element(key: &str, role: &Role) -> Result<Element, Failure> {
        Ok(Element {
            id: fresh(),
            key: key.parse()?,
            name: key.to_owned(),
            kind: ElementType::UserManagement,
            settings: serde_json::Map::new(),
            resource: role.resource.clone(),
            email_notifications: false,
            roles_to_levels: BTreeMap::from([(Level::Owner, vec![role.id])]),
            webhook: None,
            is_active: true,
            terms: Terms::default(),
            created_at: at(0),
            updated_at: at(0),
        })
    }

    /// A user set.
    pub fn user_set(key: &str) -> Result<ConditionSet, Failure> {
        Ok(ConditionSet {
            id: fresh(),
            key: key.parse()?,
            kind: SetKind::Userset,
            resource: None,
            parent: None,
            name: key.to_owned(),
            description: None,
            conditions: serde_json::json!({"user.age": {"greater-than": 17}}),
            autogenerated: false,
            created_at: at(0),
            updated_at: at(0),
        })
    }

    /// A rule that lets whoever is in the set read all of the resource.
    pub fn set_rule(users: &ConditionSet, resource: &Resource) -> Result<SetRule, Failure> {
        Ok(SetRule {
            id: fresh(),
            users: RuleUsers::Set(users.key.clone()),
            permission: Permission { resource: resource.key.clone(), action: "read".parse()? },
            resources: RuleResources::Resource(resource.key.clone()),
            created_at: at(0),
            updated_at: at(0),
        })
    }

    /// One rule: reading a file.
    pub fn proxy_config(key: &str) -> Result<ProxyConfig, Failure> {
        Ok(ProxyConfig {
            id: fresh(),
            key: key.parse()?,
            name: key.to_owned(),
            auth_mechanism: AuthMechanism::Bearer,
            rules: vec![MappingRule {
                url: "https://api.example.com/files/{id}".to_owned(),
                kind: UrlKind::Template,
                method: Method::Get,
                resource: "file".parse()?,
                action: Some("read".parse()?),
                headers: BTreeMap::new(),
                priority: 3,
            }],
            created_at: at(0),
            updated_at: at(0),
        })
    }

    /// An active agent that may read files.
    pub fn agent(key: &str, owner: &User) -> Result<Agent, Failure> {
        Ok(Agent {
            id: fresh(),
            key: key.parse()?,
            name: key.to_owned(),
            owner: Person { id: owner.id, key: owner.key.clone() },
            status: AgentStatus::Active,
            ceiling: Ceiling::Only(vec!["file:read".parse()?]),
            created_at: at(0),
            updated_at: at(0),
        })
    }

    /// Somebody who stands in for somebody.
    pub fn delegation(from: &User, to: &User) -> Delegation {
        let person = |user: &User| Person { id: user.id, key: user.key.clone() };
        Delegation {
            id: fresh(),
            from: person(from),
            to: person(to),
            starts: at(0),
            ends: at(60),
            created_at: at(0),
        }
    }

    /// A pending invitation to a role in a tenant, or on an instance.
    pub fn invite(email: &str, role: &Role, tenant: &Tenant, on: Option<&Instance>) -> Invite {
        Invite {
            id: fresh(),
            key: None,
            email: email.to_owned(),
            first_name: Some("Ann".to_owned()),
            last_name: None,
            status: InviteStatus::Pending,
            role: role.key.clone(),
            role_id: role.id,
            tenant: tenant.key.clone(),
            tenant_id: tenant.id,
            instance: on.map(link),
            user: None,
            created_at: at(0),
            updated_at: at(0),
        }
    }

    /// `user` holds `role` in `tenant`, or on one instance.
    pub fn assignment(user: &User, role: &Role, tenant: &Tenant, on: Option<&Instance>) -> RoleAssignment {
        RoleAssignment {
            id: fresh(),
            user: user.key.clone(),
            user_id: user.id,
            role: role.key.clone(),
            role_id: role.id,
            tenant: tenant.key.clone(),
            tenant_id: tenant.id,
            instance: on.map(link),
            expires_at: None,
            origin: None,
            created_at: at(0),
        }
    }

    pub fn tuple(subject: &Instance, relation: &Relation, object: &Instance) -> RelationshipTuple {
        RelationshipTuple {
            id: fresh(),
            subject: link(subject),
            relation: relation.key.clone(),
            relation_id: relation.id,
            object: link(object),
            tenant: object.tenant.clone(),
            tenant_id: object.tenant_id,
            created_at: at(0),
            updated_at: at(0),
        }
    }

    /// A pending request for a role in a tenant, or on an instance.
    pub fn request(
        element: &Element,
        by: &User,
        role: &Role,
        tenant: &Tenant,
        on: Option<&Instance>,
    ) -> Request {
        let (kind, instance) = (RequestKind::AccessRequest, on.map(link));
        Request {
            id: fresh(),
            kind,
            element: element.id,
            element_key: element.key.clone(),
            requester: Person { id: by.id, key: by.key.clone() },
            tenant: tenant.key.clone(),
            tenant_id: tenant.id,
            resource: on.map(|i| i.resource.clone()),
            resource_id: on.map(|i| i.resource_id),
            role: WantedRole { id: role.id, key: role.key.clone() },
            reason: "please".to_owned(),
            status: Status::Pending,
            reviewer: None,
            reviewer_comment: None,
            reviewed_at: None,
            created_at: at(0),
            updated_at: at(0),
            opened_by: Self::actor(),
            wish: wish(kind, by.id, role.id, tenant.id, instance.as_ref(), None),
            instance,
            deadline: None,
            offer: Offer::default(),
            binding: None,
            grant: None,
            course: askfirst_domain::review::Course::default(),
            task: None,
        }
    }
}

/// The instance as facts name it.
pub(super) fn link(instance: &Instance) -> InstanceLink {
    InstanceLink { id: instance.id, resource: instance.resource.clone(), key: instance.key.clone() }
}
