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
use crate::App;
use axum::{
    Router,
    routing::{get, post, put},
};
use serde::Deserialize;
use std::sync::Arc;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/condition_sets", get(condition_sets::list).post(condition_sets::create))
        .route(
            "/condition_sets/{condition_set}",
            get(condition_sets::read).patch(condition_sets::update).delete(condition_sets::delete),
        )
        .route("/resources", get(resources::list).post(resources::create))
        .route(
            "/resources/{resource}",
            get(resources::read).patch(resources::update).put(resources::replace).delete(resources::delete),
        )
        .route("/resources/{resource}/actions", get(actions::list).post(actions::create))
        .route(
            "/resources/{resource}/actions/{action}",
            get(actions::read).patch(actions::update).delete(actions::delete),
        )
        .route("/resources/{resource}/action_groups", get(action_groups::list).post(action_groups::create))
        .route(
            "/resources/{resource}/action_groups/{group}",
            get(action_groups::read).patch(action_groups::update).delete(action_groups::delete),
        )
        .route("/resources/{resource}/attributes", get(attributes::list).post(attributes::create))
        .route(
            "/resources/{resource}/attributes/{attribute}",
            get(attributes::read).patch(attributes::update).delete(attributes::delete),
        )
        .route("/resources/{resource}/relations", get(relations::list).post(relations::create))
        .route("/resources/{resource}/relations/{relation}", get(relations::read).delete(relations::delete))
        .route("/resources/{resource}/roles", get(roles::list).post(roles::create))
        .route(
            "/resources/{resource}/roles/{role}",
            get(roles::read).patch(roles::update).delete(roles::delete),
        )
        .route(
            "/resources/{resource}/roles/{role}/permissions",
            post(roles::assign_permissions).delete(roles::remove_permissions),
        )
        .route(
            "/resources/{resource}/roles/{role}/implicit_grants",
            post(derivations::create).delete(derivations::delete),
        )
        .route(
            "/resources/{resource}/roles/{role}/implicit_grants/conditions",
            put(derivations::set_conditions),
        )
        .route("/bulk/roles", put(roles::replace_many))
        .route("/users/attributes", get(attributes::list_of_users).post(attributes::create_of_users))
        .route(
            "/users/attributes/{attribute}",
            get(attributes::read_of_users)
                .patch(attributes::update_of_users)
                .delete(attributes::delete_of_users),
        )
        .route("/roles", get(roles::list).post(roles::create))
        .route("/roles/{role}", get(roles::read).patch(roles::update).delete(roles::delete))
        .route("/roles/{role}/permissions", post(roles::assign_permissions).delete(roles::remove_permissions))
}

/// The resource that a path names.
#[derive(Debug, Deserialize)]
struct OnResource {
    resource: Text,
}
