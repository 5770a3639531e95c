//! What an operator says about the decision log.

use askfirst_engine::decisions::{CallWords, LogSettings};
use std::time::Duration;

/// What is kept of the decision log.
#[derive(Debug, clap::Args)]
pub(crate) struct DecisionLogArgs {
    /// Keep no log of decisions
    #[arg(long)]
    no_decision_log: bool,
    /// Days for which decisions are kept; 0: for ever, as far as their number goes
    #[arg(long, default_value_t = 30, value_name = "DAYS")]
    decision_log_days: u32,
    /// MiB that the decision log may take, about; the oldest decisions go first; 0: any number
    #[arg(long, default_value_t = 1024, value_name = "MIB")]
    decision_log_max_mib: u32,
    /// Leave the attributes and the context that calls give out of the decision log, and what conditions say of them
    #[arg(long)]
    decision_log_redact: bool,
}

impl DecisionLogArgs {
    /// None when there is to be no log.
    pub(crate) fn settings(&self) -> Option<LogSettings> {
        if self.no_decision_log {
            return None;
        }
        let some = |number: u32| (number > 0).then_some(u64::from(number));
        Some(LogSettings {
            age: some(self.decision_log_days).map(|days| Duration::from_hours(days.saturating_mul(24))),
            bytes: some(self.decision_log_max_mib).map(|mib| mib.saturating_mul(1024 * 1024)),
            attributes: if self.decision_log_redact { CallWords::Redacted } else { CallWords::Kept },
        })
    }
}
