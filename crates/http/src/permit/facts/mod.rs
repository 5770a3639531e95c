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

use crate::openapi::Routes;

pub(crate) fn routes() -> Routes {
    Routes::default()
        .merge(users::router())
        .merge(tenants::router())
        .merge(instances::router())
        .merge(assignments::router())
        .merge(tuples::router())
        .merge(set_rules::router())
        .merge(proxy_configs::router())
        .merge(invites::router())
}
