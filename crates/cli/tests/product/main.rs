//! The whole product, as people and programs use it: the real binary.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod agents;
mod audit;
mod commands;
mod demo;
#[cfg(unix)]
mod guard;
mod hook;
mod https;
mod kills;
mod mail;
mod oidc;
mod once;
mod passwords;
mod policy;
#[cfg(unix)]
mod replicas;
mod serve;
mod store;
mod support;
mod webhooks;
