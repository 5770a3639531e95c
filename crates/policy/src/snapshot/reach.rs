//! What the rules for one action come to for one user, tenant by tenant. Whatever does not depend on the thing that is
//! looked for is asked once, so that a rule which leaves nothing open costs nothing for each of them.

use super::{
    list::forward,
    sets::{met, roles_read},
    view::{Thing, View},
};
use crate::{
    compiled::{
        Need,
        roleset::RoleSet,
        sets::{CompiledRule, Reads, Test, Users},
        slots::{TENANT, TypeIndex},
    },
    graph::Node,
};
use rustc_hash::{FxHashMap, FxHashSet};

/// The rules that may still allow something.
#[derive(Debug)]
pub(super) struct Reach<'a> {
    /// The user is settled, the tenant is not.
    view: View<'a>,
    /// What stays open within a tenant: the thing, or nothing.
    open: Reads,
    pending: Vec<Pending<'a>>,
    tenants: FxHashMap<u32, InTenant<'a>>,
}

/// A rule, and what of it is still to be asked.
#[derive(Debug)]
struct Pending<'a> {
    tests: Vec<&'a Test>,
    among: Among,
}

/// Where a rule can hold for the user.
#[derive(Debug)]
enum Among {
    Anywhere,
    /// In these tenants, where the user has the rule's role.
    Tenants(FxHashSet<u32>),
    /// On these instances, where the user has the rule's role.
    Instances(FxHashSet<u32>),
}

/// What the rules come to in one tenant.
#[derive(Debug, Default)]
struct InTenant<'a> {
    /// Something allows it on everything there.
    all: bool,
    /// Rules by their number and what of them depends on the thing.
    open: Vec<(usize, Vec<&'a Test>)>,
    roles: Vec<&'a str>,
}

impl<'a> Reach<'a> {
    pub(super) fn new(view: View<'a>, need: &'a Need, ty: TypeIndex, open: Reads) -> Self {
        let unsettled = Reads::TENANT | open;
        let pending = |rule: &'a CompiledRule| {
            let tests = narrowed(rule.tests(), &view, unsettled)?;
            let nodes = |ty: TypeIndex, roles: &RoleSet| {
                let mut nodes = FxHashSet::default();
                forward(&view.walk, &[(ty, roles)], |item, _| {
                    nodes.insert(item.node);
                });
                nodes
            };
            let among = match &rule.users {
                Users::Set(_) => Among::Anywhere,
                Users::InTenant(role) => Among::Tenants(nodes(TENANT, &role.sufficient)),
                Users::OnInstance(role) if open.any(Reads::THING) => {
                    Among::Instances(nodes(ty, &role.sufficient))
                }
                Users::OnInstance(_) => return None,
            };
            let nowhere =
                matches!(&among, Among::Tenants(nodes) | Among::Instances(nodes) if nodes.is_empty());
            (!nowhere).then_some(Pending { tests, among })
        };
        let pending = need.rules.iter().filter_map(pending).collect();
        Self { view, open, pending, tenants: FxHashMap::default() }
    }

    /// Everything in the tenant is allowed, by a role.
    pub(super) fn grant(&mut self, tenant: u32) {
        self.tenants.insert(tenant, InTenant { all: true, ..InTenant::default() });
    }

    /// The tenants to look through; none when that is all of them.
    pub(super) fn tenants(&self) -> Option<FxHashSet<u32>> {
        let mut tenants: FxHashSet<u32> =
            self.tenants.iter().filter(|(_, here)| here.all).map(|(tenant, _)| *tenant).collect();
        for pending in &self.pending {
            match &pending.among {
                Among::Anywhere => return None,
                Among::Tenants(nodes) => tenants.extend(nodes),
                Among::Instances(_) => {}
            }
        }
        Some(tenants)
    }

    /// The instances to look at besides.
    pub(super) fn instances(&self) -> impl Iterator<Item = u32> {
        self.pending.iter().flat_map(|pending| match &pending.among {
            Among::Instances(nodes) => nodes.iter().copied().collect(),
            Among::Anywhere | Among::Tenants(_) => Vec::new(),
        })
    }

    /// Whether it is allowed on everything in the tenant.
    pub(super) fn covers(&mut self, tenant: u32) -> bool {
        self.within(tenant).all
    }

    /// Whether it is allowed on the instance.
    pub(super) fn allows(&mut self, number: u32, node: &'a Node) -> bool {
        self.within(node.tenant);
        let Some(here) = self.tenants.get(&node.tenant) else { return false };
        let view =
            View { tenant: Some(node.tenant), roles: &here.roles, thing: Thing::Known(node), ..self.view };
        here.all
            || here.open.iter().any(|(rule, tests)| {
                let fits = self.pending.get(*rule).is_some_and(|rule| match &rule.among {
                    Among::Instances(nodes) => nodes.contains(&number),
                    Among::Anywhere | Among::Tenants(_) => true,
                });
                fits && met(tests.iter().copied(), &view)
            })
    }

    fn within(&mut self, tenant: u32) -> &InTenant<'a> {
        let Self { view, open, pending, tenants } = self;
        tenants.entry(tenant).or_insert_with(|| {
            let walk = view.walk;
            let roles = roles_read(&walk, tenant, pending.iter().flat_map(|rule| rule.tests.iter().copied()));
            let mut here = InTenant::default();
            let view = View { tenant: Some(tenant), roles: &roles, ..*view };
            for (number, rule) in pending.iter().enumerate() {
                if matches!(&rule.among, Among::Tenants(nodes) if !nodes.contains(&tenant)) {
                    continue;
                }
                let Some(tests) = narrowed(rule.tests.iter().copied(), &view, *open) else { continue };
                let anything = !matches!(rule.among, Among::Instances(_));
                here.all |= anything && tests.is_empty();
                here.open.push((number, tests));
            }
            InTenant { roles, ..here }
        })
    }
}

/// Those of the tests that depend on what is unsettled; none when one of the others does not hold.
pub(super) fn narrowed<'t>(
    tests: impl Iterator<Item = &'t Test>,
    view: &View<'_>,
    unsettled: Reads,
) -> Option<Vec<&'t Test>> {
    let mut open = Vec::new();
    for test in tests {
        if test.reads.any(unsettled) {
            open.push(test);
        } else if !met([test], view) {
            return None;
        }
    }
    Some(open)
}
