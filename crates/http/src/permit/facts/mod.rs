//! Fact routes, under `/v2/facts/{project}/{env}`; the same under `/facts` for the environment of the key, where Permit's
//! PDP has them.

mod assignments;
mod instances;
mod invites;
mod proxy_configs;
mod set_rules;
mod tenants;
mod tuples;
mod users;

pub(super) use {assignments::AssignmentRead, users::UserRead};

use crate::App;
use axum::{
    Router,
    routing::{get, post, put},
};
use std::sync::Arc;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/users", get(users::list).post(users::create))
        .route("/users/{user}", get(users::read).put(users::sync).patch(users::update).delete(users::delete))
        .route("/users/{user}/roles", post(assignments::assign_user).delete(assignments::unassign_user))
        .route("/bulk/users", post(users::create_many).put(users::replace_many).delete(users::delete_many))
        .route("/tenants", get(tenants::list).post(tenants::create))
        .route("/tenants/{tenant}", get(tenants::read).patch(tenants::update).delete(tenants::delete))
        .route("/tenants/{tenant}/users", get(users::list_of_tenant))
        .route("/tenants/{tenant}/users/{user}", axum::routing::delete(tenants::delete_user))
        .route("/bulk/tenants", post(tenants::create_many).delete(tenants::delete_many))
        .route("/resource_instances/detailed", get(instances::list_detailed))
        .route("/role_assignments/detailed", get(assignments::list_detailed))
        .route("/relationship_tuples/detailed", get(tuples::list_detailed))
        .route("/resource_instances", get(instances::list).post(instances::create))
        .route(
            "/resource_instances/{instance}",
            get(instances::read).patch(instances::update).delete(instances::delete),
        )
        .route("/bulk/resource_instances", put(instances::replace_many).delete(instances::delete_many))
        .route(
            "/role_assignments",
            get(assignments::list).post(assignments::assign).delete(assignments::unassign),
        )
        .route("/role_assignments/bulk", post(assignments::assign_many).delete(assignments::unassign_many))
        .route("/set_rules", get(set_rules::list).post(set_rules::create).delete(set_rules::delete))
        .route("/proxy_configs", get(proxy_configs::list).post(proxy_configs::create))
        .route(
            "/proxy_configs/{config}",
            get(proxy_configs::read).patch(proxy_configs::update).delete(proxy_configs::delete),
        )
        .route("/user_invites", get(invites::list).post(invites::create))
        .route("/user_invites/{invite}", get(invites::read).patch(invites::update).delete(invites::delete))
        .route("/user_invites/{invite}/approve", post(invites::approve))
        .route("/relationship_tuples", get(tuples::list).post(tuples::create).delete(tuples::delete))
        .route("/relationship_tuples/bulk", post(tuples::create_many).delete(tuples::delete_many))
}
