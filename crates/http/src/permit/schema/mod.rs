//! Schema routes, under `/v2/schema/{project}/{env}`.

mod action_groups;
mod actions;
mod attributes;
mod condition_sets;
mod derivations;
mod relations;
mod resources;
mod roles;

use super::wire::Text;
use crate::openapi::Routes;
use serde::Deserialize;

pub(crate) fn routes() -> Routes {
    Routes::default()
        .merge(condition_sets::router())
        .merge(resources::router())
        .merge(actions::router())
        .merge(action_groups::router())
        .merge(attributes::router())
        .merge(relations::router())
        .nest("/roles", roles::router())
        .nest("/resources/{resource}/roles", roles::router())
        .merge(roles::bulk())
        .merge(derivations::router())
}

/// The resource that a path names.
#[derive(Debug, Deserialize)]
struct OnResource {
    resource: Text,
}
