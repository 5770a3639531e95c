//! Requests from the first wish to the grant.

mod active;
mod again;
mod agents;
mod by_itself;
mod ends;
mod many;
mod race;
mod redeem;
mod rules;
mod stand_ins;
mod suggested;
mod thresholds;

use crate::support::{World, eventually};
use askfirst_domain::{Ident, element::Level, id::EnvId};
use askfirst_engine::{Acting, elements::ElementPatch};
use std::{ops::Deref, path::Path};

/// `joe` and `jane` are parents of `pizza-palace`, `joe` alone of `burger-barn`; `henry` and `rose` hold nothing. The
/// `admin` is an owner and the `auditor` a viewer by a role in the tenant. A dish is reviewed by its restaurant's parents.
const FAMILY: &str = include_str!("family.yaml");

/// A world with this family in it.
struct Home(World);

impl Deref for Home {
    type Target = World;
    fn deref(&self) -> &World {
        &self.0
    }
}

impl Home {
    async fn family() -> Self {
        let home = Self(World::fresh().await);
        home.furnish().await;
        home
    }

    /// On a folder that may have been used before.
    async fn at(dir: &Path) -> Self {
        Self(World::open(dir).await)
    }

    /// The policy, and besides it levels for tenant roles in an element on a resource, which a policy file can't say.
    async fn furnish(&self) {
        self.apply(FAMILY).await;
        let levels = [
            (Level::Owner, vec!["parent", "admin"]),
            (Level::Viewer, vec!["auditor"]),
            (Level::Assignable, vec!["child-can-order", "child-can-look"]),
        ];
        let levels = levels.into_iter().map(|(l, roles)| (l, roles.into_iter().map(str::to_owned).collect()));
        let patch = ElementPatch { roles_to_levels: Some(levels.collect()), ..ElementPatch::default() };
        self.dev().await.update_element(&"restaurant-requests".into(), patch).await.unwrap();
    }

    async fn apply(&self, policy: &str) {
        self.dev().await.apply_policy(policy).await.unwrap();
    }

    async fn env(&self) -> EnvId {
        self.dev().await.environment().id
    }

    /// The server acts for one of its users, now.
    async fn as_user(&self, user: &str) -> Acting {
        self.dev().await.act_for(&Ident::from(user)).await.unwrap()
    }

    /// The user's agent, now.
    async fn as_agent(&self, user: &str) -> Acting {
        self.dev().await.bind_agent(&Ident::from(user)).await.unwrap()
    }
}
