//! What environments stand in: `/v2/projects` and `/v2/api-key`.

mod api_keys;
mod environments;
mod projects;

use crate::openapi::Routes;

pub(crate) fn router() -> Routes {
    Routes::default().merge(projects::router()).merge(environments::router()).merge(api_keys::router())
}
