//! Logs, always to standard error: standard output belongs to answers and protocols.

use crate::env::Env;
use anyhow::{Context as _, anyhow};
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Starts logging with this filter.
///
/// # Errors
/// When the filter does not read.
pub(crate) fn start(filter: &str, env: &Env) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| format!("`{filter}` is not a log filter"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && env.wants_colour())
        .try_init()
        .map_err(|e| anyhow!("can't start logging: {e}"))
}
