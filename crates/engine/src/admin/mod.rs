//! What the environments stand in: the first start, projects, environments, API keys, sign-in links and sessions.

pub mod copy;
pub mod environments;
pub mod keys;
pub mod projects;
mod purge;
pub mod sessions;
pub mod start;
pub mod statistics;
