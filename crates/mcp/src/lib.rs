//! The MCP face: tools with which an agent asks, looks and waits, over Streamable HTTP ([`http_service`]) and on stdio
//! ([`bridge`]).
//!
//! For whom an agent acts is settled by the connection, never by what a model wrote, except where an operator has asked
//! for exactly that; see [`bridge::Mode`].

pub mod bridge;

mod server;
mod wire;

pub use server::{HttpOptions, http_service};
