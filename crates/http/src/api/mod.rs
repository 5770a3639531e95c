//! Our own small API under `/api/v1`: what the CLI needs and Permit has no route for.

mod agents;
mod approvals;
mod audit;
mod check;
pub(crate) mod decisions;
mod deliveries;
mod emergency;
mod identities;
mod inbox;
mod keys;
mod links;
mod passwords;
mod policy;
mod proof;
mod request;
mod stand_ins;
mod stream;
mod terms;
mod webhooks;

use crate::openapi::Routes;

pub(crate) fn router() -> Routes {
    Routes::default()
        .merge(check::router())
        .merge(policy::router())
        .merge(inbox::router())
        .merge(approvals::router())
        .merge(stand_ins::router())
        .merge(terms::router())
        .merge(emergency::router())
        .merge(keys::router())
        .merge(agents::router())
        .merge(deliveries::router())
        .merge(links::router())
        .merge(passwords::router())
        .merge(identities::router())
        .merge(audit::router())
        .merge(decisions::router())
        .merge(proof::router())
        .merge(stream::router())
        .merge(webhooks::router())
}
