//! Who may do something: the check with its user left open.

use super::{
    check::Target,
    list::holders_at,
    reach::narrowed,
    sets::{met, roles_read, thing},
    view::{Person, View},
    walk::{Order, Walk},
};
use crate::{
    compiled::sets::{Reads, Test, Users},
    graph::Graph,
    question::{CallAttributes, Question},
};
use askfirst_domain::Timestamp;

/// The numbers of the users whom the check allows it, without repeats, in no order. The user of the question is not
/// looked at.
pub(super) fn allowed(
    graph: &Graph,
    target: &Target<'_>,
    q: &Question<'_>,
    call: &CallAttributes<'_>,
    now: Timestamp,
    max_depth: u32,
) -> Vec<u32> {
    let mut users = Vec::new();
    let add_holders = |node, roles: &_, users: &mut Vec<u32>| {
        holders_at(graph, node, roles, now, max_depth, users);
    };
    if let Some(instance) = target.instance {
        add_holders(instance, &target.need.on_instance.sufficient, &mut users);
    }
    add_holders(target.tenant, &target.need.in_tenant.sufficient, &mut users);

    let walk = Walk { graph, subject: None, now, max_depth, order: Order::Any };
    let view = View {
        walk,
        call,
        action: q.action,
        resource: q.resource,
        user: None,
        tenant: Some(target.tenant),
        roles: &[],
        thing: thing(&walk, target, q),
    };
    // Rules that anybody may fit, by what of them depends on the user.
    let mut anybody: Vec<Vec<&Test>> = Vec::new();
    for rule in &target.need.rules {
        let Some(tests) = narrowed(rule.tests(), &view, Reads::USER) else { continue };
        let (node, role) = match (&rule.users, target.instance) {
            (Users::Set(_), _) => {
                anybody.push(tests);
                continue;
            }
            (Users::InTenant(role), _) => (target.tenant, role),
            (Users::OnInstance(role), Some(node)) => (node, role),
            (Users::OnInstance(_), None) => continue,
        };
        let mut holders = Vec::new();
        add_holders(node, &role.sufficient, &mut holders);
        users.extend(holders.into_iter().filter(|user| fits(&view, target.tenant, *user, &[&tests])));
    }
    if !anybody.is_empty() {
        let anybody: Vec<&Vec<&Test>> = anybody.iter().collect();
        users.extend(
            graph.users().map(|(user, _)| user).filter(|user| fits(&view, target.tenant, *user, &anybody)),
        );
    }
    users.sort_unstable();
    users.dedup();
    users
}

/// Whether all tests of one of the rules hold for the user.
fn fits(view: &View<'_>, tenant: u32, user: u32, rules: &[&Vec<&Test>]) -> bool {
    let Some(person) = Person::of(view.walk.graph, user) else { return false };
    let view = view.with_user(person);
    let tests = rules.iter().flat_map(|tests| tests.iter().copied());
    let roles = roles_read(&view.walk, tenant, tests);
    let view = View { roles: &roles, ..view };
    rules.iter().any(|tests| met(tests.iter().copied(), &view))
}
