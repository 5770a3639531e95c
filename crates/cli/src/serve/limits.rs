//! What an operator says about limits; all of them are in `docs/limits.md`. A flag goes before its variable.

use crate::env::Env;
use anyhow::bail;
use askfirst_engine::{ConditionLimits, PolicyLimits};
use std::{ops::RangeInclusive, time::Duration};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// A limit that may be set: its variable, what it is when nobody says, and what it may be.
struct Setting {
    flag: &'static str,
    variable: &'static str,
    default: u64,
    range: RangeInclusive<u64>,
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// MiB of the largest body of a call, 1 to 256 [default: 8]
    #[arg(long, value_name = "MIB")]
    max_body_mib: Option<u64>,
    /// Items of the largest page of a list, 100 to 1000 [default: 100]
    #[arg(long, value_name = "NUMBER")]
    max_page_size: Option<u64>,
    /// Seconds after which a call is given up, 1 to 600; /mcp, where calls wait for people, is not bounded [default: 30]
    #[arg(long, value_name = "SECONDS")]
    request_timeout: Option<u64>,
    /// Derivations in a chain that a decision follows, 1 to 256 [default: 32]
    #[arg(long, value_name = "NUMBER")]
    max_derivation_depth: Option<u64>,
    /// How deep a condition that is written may nest, 1 to 64 [default: 16]
    #[arg(long, value_name = "NUMBER")]
    max_condition_depth: Option<u64>,
    /// Comparisons in a condition that is written, 1 to 4096 [default: 256]
    #[arg(long, value_name = "NUMBER")]
    max_condition_leaves: Option<u64>,
    /// KiB of the names and values in a condition that is written, 1 to 1024 [default: 64]
    #[arg(long, value_name = "KIB")]
    max_condition_kib: Option<u64>,
}

impl LimitArgs {
    /// How large and how long calls may be.
    ///
    /// # Errors
    /// When a number is outside its range, or no number.
    pub(crate) fn of_calls(&self, env: &Env) -> anyhow::Result<askfirst_http::Limits> {
        let most_body = askfirst_http::Limits::MOST_BODY as u64 / MIB;
        let body = setting("max-body-mib", "ASKFIRST_MAX_BODY_MIB", 8, 1..=most_body);
        let most_page = u64::from(askfirst_http::Limits::MOST_PAGE);
        let page = setting("max-page-size", "ASKFIRST_MAX_PAGE_SIZE", 100, 100..=most_page);
        let patience = setting("request-timeout", "ASKFIRST_REQUEST_TIMEOUT", 30, 1..=600);
        Ok(askfirst_http::Limits {
            body: usize::try_from(body.read(self.max_body_mib, env)? * MIB)?,
            page: u32::try_from(page.read(self.max_page_size, env)?)?,
            patience: Duration::from_secs(patience.read(self.request_timeout, env)?),
        })
    }

    /// How far decisions look, and how large conditions may be.
    ///
    /// # Errors
    /// As [`LimitArgs::of_calls`].
    pub(crate) fn of_policy(&self, env: &Env) -> anyhow::Result<PolicyLimits> {
        let most = ConditionLimits::MOST;
        let chain = setting("max-derivation-depth", "ASKFIRST_MAX_DERIVATION_DEPTH", 32, 1..=256);
        let depth = setting("max-condition-depth", "ASKFIRST_MAX_CONDITION_DEPTH", 16, 1..=most.depth as u64);
        let leaves =
            setting("max-condition-leaves", "ASKFIRST_MAX_CONDITION_LEAVES", 256, 1..=most.leaves as u64);
        let size = setting("max-condition-kib", "ASKFIRST_MAX_CONDITION_KIB", 64, 1..=most.size as u64 / KIB);
        Ok(PolicyLimits {
            depth: u32::try_from(chain.read(self.max_derivation_depth, env)?)?,
            conditions: ConditionLimits {
                depth: usize::try_from(depth.read(self.max_condition_depth, env)?)?,
                leaves: usize::try_from(leaves.read(self.max_condition_leaves, env)?)?,
                size: usize::try_from(size.read(self.max_condition_kib, env)? * KIB)?,
            },
        })
    }
}

fn setting(flag: &'static str, variable: &'static str, default: u64, range: RangeInclusive<u64>) -> Setting {
    Setting { flag, variable, default, range }
}

impl Setting {
    fn read(self, given: Option<u64>, env: &Env) -> anyhow::Result<u64> {
        let Self { flag, variable, default, range } = self;
        let (said, number) = match (given, env.get(variable)) {
            (Some(number), _) => (format!("--{flag}"), Some(number)),
            (None, Some(text)) => (variable.to_owned(), text.trim().parse().ok()),
            (None, None) => return Ok(default),
        };
        match number.filter(|number| range.contains(number)) {
            Some(number) => Ok(number),
            None => bail!("{said} has to be a whole number from {} to {}", range.start(), range.end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::of(pairs)
    }

    #[test]
    fn what_nobody_says_is_as_the_crates_have_it() {
        let (args, env) = (LimitArgs::default(), env(&[]));
        assert_eq!(args.of_calls(&env).unwrap(), askfirst_http::Limits::default());
        assert_eq!(args.of_policy(&env).unwrap(), PolicyLimits::default());
    }

    #[test]
    fn a_flag_goes_before_its_variable() {
        let env = env(&[("ASKFIRST_MAX_BODY_MIB", "2"), ("ASKFIRST_MAX_CONDITION_LEAVES", "7")]);
        let args = LimitArgs { max_body_mib: Some(3), ..LimitArgs::default() };
        assert_eq!(args.of_calls(&env).unwrap().body, 3 * 1024 * 1024);
        assert_eq!(LimitArgs::default().of_calls(&env).unwrap().body, 2 * 1024 * 1024);
        assert_eq!(args.of_policy(&env).unwrap().conditions.leaves, 7);
    }

    #[test]
    fn a_number_outside_its_range_is_refused_by_the_name_that_was_used() {
        let args = LimitArgs { max_page_size: Some(99), ..LimitArgs::default() };
        let said = args.of_calls(&env(&[])).unwrap_err().to_string();
        assert_eq!(said, "--max-page-size has to be a whole number from 100 to 1000");
        for wrong in ["0", "257", "-1", "many"] {
            let env = env(&[("ASKFIRST_MAX_DERIVATION_DEPTH", wrong)]);
            let said = LimitArgs::default().of_policy(&env).unwrap_err().to_string();
            assert_eq!(said, "ASKFIRST_MAX_DERIVATION_DEPTH has to be a whole number from 1 to 256");
        }
    }
}
