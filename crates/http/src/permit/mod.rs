//! Permit's REST API under `/v2`: one file a family of routes.

mod access_requests;
mod audit_logs;
mod element_auth;
pub(crate) mod element_cookie;
mod element_data;
mod elements;
mod facts;
mod limits;
mod operation_approvals;
mod request_wire;
mod schema;
mod scope;
pub(crate) mod wire;

pub use limits::RateLimits;

use crate::{App, error::no_method, openapi::Routes};
use axum::middleware::from_fn_with_state;
use std::sync::Arc;

pub(crate) fn router(app: &Arc<App>) -> Routes {
    let routes = routes().merge(element_routes(app));
    match &app.options.rate_limits {
        None => routes,
        Some(limits) => {
            let guard = Arc::new(limits::Guard::new(limits));
            routes.layer(from_fn_with_state((Arc::clone(app), guard), limits::count))
        }
    }
}

/// The routes of element sessions, which pages of other origins may call.
fn element_routes(app: &App) -> Routes {
    let routes = Routes::default()
        .merge(elements::router())
        .merge(element_auth::router())
        .merge(element_data::router())
        .merge(access_requests::router())
        .merge(operation_approvals::router());
    let Some(crossing) = element_cookie::crossing(app) else { return routes };
    let (router, api) = routes.split_for_parts();
    // Which origins may call is asked with a method of its own, so also that has to go through the layer.
    let mut routes = Routes::from(router.method_not_allowed_fallback(no_method).layer(crossing));
    *routes.get_openapi_mut() = api;
    routes
}

fn routes() -> Routes {
    Routes::default()
        .merge(scope::router())
        .nest("/v2/schema/{project}/{env}", schema::routes())
        .nest("/v2/facts/{project}/{env}", facts::routes())
        .nest("/facts", facts::routes())
        .merge(audit_logs::router())
}
