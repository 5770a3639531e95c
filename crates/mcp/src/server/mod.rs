//! The server side of `/mcp`: who is connected, to which place, and the tools.

mod connection;
mod handler;
mod http;
mod place;
mod text;
mod tools;
mod wishes;

pub(crate) use handler::{Named, list_of_tools, server_config};
pub use http::{HttpOptions, http_service};
pub(crate) use tools::only_looks;
