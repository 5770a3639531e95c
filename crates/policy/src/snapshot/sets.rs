//! The rules over condition sets: what is asked when no role allows.

use super::{
    check::Target,
    walk::{End, Walk, with_scratch},
};
use crate::{
    compiled::{
        roleset::RoleSet,
        sets::{CompiledRule, Conditions, Things, Users},
        slots::TENANT,
    },
    condition::{Given, Instance, Instances, Layers, Seen},
    graph::{Counting, Graph},
    question::{CallAttributes, Question},
};
use askfirst_domain::decision::RuleGrant;
use serde_json::Value;
use std::ops::ControlFlow;

const ABSENT: Value = Value::Null;

/// The stored instances that a condition may look at: those of the question's tenant.
#[derive(Debug, Clone, Copy)]
struct Neighbours<'g> {
    graph: &'g Graph,
    tenant: u32,
    tenant_key: &'g str,
}

impl Instances for Neighbours<'_> {
    fn instance(&self, resource: &str, key: &str) -> Option<Instance<'_>> {
        let number = self.graph.node_number(self.graph.compiled.type_of(resource)?, key)?;
        let node = self.graph.node(number).filter(|node| node.tenant == self.tenant)?;
        Some(Instance { key: node.name.as_str(), tenant: self.tenant_key, attributes: node.attributes.get() })
    }
}

/// The first rule, in the order of creation, that allows what is asked.
pub(super) fn allowing<'g>(
    walk: &Walk<'g>,
    target: &Target<'g>,
    q: &Question<'_>,
    call: &CallAttributes<'_>,
) -> Option<&'g CompiledRule> {
    let subject = walk.subject?;
    let graph = walk.graph;
    let tenant = graph.node(target.tenant)?;
    let roles = if graph.compiled.reads_roles { tenant_roles(walk, target.tenant) } else { Vec::new() };
    let key = q.instance.map_or(Seen::Json(&ABSENT), Seen::Text);
    let tenant_key = tenant.name.as_str();
    let given = Given {
        user: Layers {
            fixed: &[("key", Seen::Text(q.user)), ("roles", Seen::Texts(&roles))],
            call: call.user,
            stored: graph.attributes_of(subject.number),
        },
        resource: Layers {
            fixed: &[("key", key), ("type", Seen::Text(q.resource)), ("tenant", Seen::Text(tenant_key))],
            call: call.resource,
            stored: target.instance.and_then(|number| graph.node(number)).map(|node| node.attributes.get()),
        },
        tenant: Layers {
            fixed: &[("key", Seen::Text(tenant_key))],
            call: call.tenant,
            stored: Some(tenant.attributes.get()),
        },
        context: Layers { fixed: &[], call: call.context, stored: None },
        action: Layers { fixed: &[("key", Seen::Text(q.action))], call: call.action, stored: None },
        instances: Neighbours { graph, tenant: target.tenant, tenant_key },
    };
    let met = |conditions: &Conditions| conditions.iter().all(|one| one.evaluate(&given).is_met());
    target.need.rules.iter().find(|rule| {
        let things = match &rule.things {
            Things::Set(conditions) => met(conditions),
            Things::All => true,
        };
        things
            && match &rule.users {
                Users::Set(conditions) => met(conditions),
                Users::InTenant(roles) => has(walk, target.tenant, roles),
                Users::OnInstance(roles) => target.instance.is_some_and(|node| has(walk, node, roles)),
            }
    })
}

/// What the decision says of the rule.
pub(super) fn grant(rule: &CompiledRule) -> RuleGrant {
    let rule = &rule.rule;
    RuleGrant {
        rule: rule.id,
        users: rule.users.clone(),
        permission: rule.permission.clone(),
        resources: rule.resources.clone(),
    }
}

/// Whether the user effectively has one of the roles on the node.
fn has(walk: &Walk<'_>, node: u32, roles: &RoleSet) -> bool {
    with_scratch(|scratch| {
        scratch.start(node, roles);
        let end = walk.run(scratch, |item| match walk.given(item, Counting::Live(walk.now)) {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        });
        matches!(end, End::Stopped(_))
    })
}

/// The keys of the roles that the user has in the tenant, given or extended.
fn tenant_roles<'g>(walk: &Walk<'g>, tenant: u32) -> Vec<&'g str> {
    let roles = walk.graph.compiled.ty(TENANT).map(|ty| ty.roles.as_slice()).unwrap_or_default();
    roles
        .iter()
        .flatten()
        .filter(|role| has(walk, tenant, &role.sufficient))
        .map(|role| role.key.as_str())
        .collect()
}
