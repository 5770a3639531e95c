//! `/mcp` and the bridge, with real clients, a real port and a real store.

#![cfg(test)]

mod access;
mod bridge;
mod calls;
mod prompt;
mod support;
mod tools;
