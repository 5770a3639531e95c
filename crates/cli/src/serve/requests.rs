//! What an operator says about requests.

use anyhow::bail;
use askfirst_engine::requests::{RequestTimes, Span};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Requests")]
pub(crate) struct RequestArgs {
    /// How long a request waits for a decision when neither it nor its element says: 90s, 30m, 24h, 7d
    #[arg(long, default_value_t = RequestTimes::default().decide_within, value_name = "TIME")]
    decide_within: Span,
    /// The longest that a request may wait, whoever says so
    #[arg(long, default_value_t = RequestTimes::default().most_wait, value_name = "TIME")]
    longest_wait: Span,
    /// How long an operation approval lasts when its element does not say
    #[arg(long, default_value_t = RequestTimes::default().approval_lasts, value_name = "TIME")]
    approval_lasts: Span,
}

impl RequestArgs {
    /// What holds for requests.
    ///
    /// # Errors
    /// When a request would wait for longer than it may.
    pub(crate) fn times(&self) -> anyhow::Result<RequestTimes> {
        if self.decide_within > self.longest_wait {
            bail!("--decide-within can't be longer than --longest-wait");
        }
        Ok(RequestTimes {
            decide_within: self.decide_within,
            most_wait: self.longest_wait,
            approval_lasts: self.approval_lasts,
        })
    }
}
