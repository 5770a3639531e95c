//! Whether a condition that belongs to no set holds for who asks what.

use super::{
    sets,
    view::{Person, Thing, View},
    walk::{Order, Walk},
};
use crate::{
    condition::{Condition, Truth},
    graph::Graph,
    question::{CallAttributes, Question},
};
use askfirst_domain::{Timestamp, facts::DEFAULT_TENANT};

pub(super) fn holds(
    graph: &Graph,
    condition: &Condition,
    q: &Question<'_>,
    call: &CallAttributes<'_>,
    now: Timestamp,
    max_depth: u32,
) -> Truth {
    let Some(user) = graph.user_number(q.user).and_then(|number| Person::of(graph, number)) else {
        return Truth::Undefined;
    };
    let ty = graph.compiled.type_of(q.resource);
    let node = ty.zip(q.instance).and_then(|(ty, key)| graph.node(graph.node_number(ty, key)?));
    let named = graph.tenant_number(q.tenant.unwrap_or(DEFAULT_TENANT));
    let tenant = match node {
        Some(node) if q.tenant.is_some() && named != Some(node.tenant) => return Truth::Undefined,
        Some(node) => Some(node.tenant),
        None => named,
    };
    let walk = Walk { graph, subject: Some(user.subject), now, max_depth, order: Order::Any };
    let roles = tenant.map(|tenant| sets::roles_held(&walk, tenant)).unwrap_or_default();
    let thing = match (node, q.instance) {
        (Some(node), _) => Thing::Known(node),
        (None, Some(key)) => Thing::Named(key),
        (None, None) => Thing::Whole,
    };
    let (action, resource) = (q.action, q.resource);
    let view = View { walk, call, action, resource, user: Some(user), tenant, roles: &roles, thing };
    condition.evaluate(&view)
}
