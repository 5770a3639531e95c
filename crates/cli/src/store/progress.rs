//! How far a long command is: a bar that moves on a terminal, and a line for each part of the work elsewhere.

use crate::terminal;
use askfirst_store::tools::Progress;
use std::io::{IsTerminal as _, Write as _, stderr};

const WIDTH: usize = 30;

/// Shows how far a command is, on standard error.
#[derive(Debug)]
pub(super) struct Bar {
    moves: bool,
    last: Option<Progress>,
}

impl Bar {
    pub(super) fn new() -> Self {
        Self { moves: stderr().is_terminal(), last: None }
    }

    /// Takes what a tool says.
    pub(super) fn show(&mut self, now: Progress) {
        let another =
            self.last.as_ref().is_none_or(|last| (last.doing, &last.what) != (now.doing, &now.what));
        if self.moves {
            // What comes of it does not matter.
            let mut out = stderr().lock();
            let _ = write!(
                out,
                "{}\r{}\x1b[K",
                if another && self.last.is_some() { "\n" } else { "" },
                line(&now)
            );
            let _ = out.flush();
        } else if another {
            terminal::remark(format_args!("{} {} ({})", now.doing, now.what, grouped(now.of)));
        }
        self.last = Some(now);
    }

    /// Ends the bar's line.
    pub(super) fn end(&mut self) {
        if self.moves && self.last.take().is_some() {
            terminal::remark("");
        }
    }
}

fn line(now: &Progress) -> String {
    let of = now.of.max(now.done).max(1);
    let full = usize::try_from(u128::from(now.done) * WIDTH as u128 / u128::from(of)).unwrap_or(0);
    let bar: String = (0..WIDTH).map(|at| if at < full { '█' } else { '░' }).collect();
    format!(
        "{:<13} {:<20} {bar} {:>3} %  {} of {}",
        now.doing,
        now.what,
        now.done * 100 / of,
        grouped(now.done),
        grouped(now.of.max(now.done))
    )
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_how_far_it_is() {
        let progress = |done, of| Progress { doing: "copying", what: "change".to_owned(), done, of };
        assert_eq!(
            line(&progress(500_000, 1_000_000)),
            "copying       change               ███████████████░░░░░░░░░░░░░░░  50 %  500,000 of 1,000,000"
        );
        assert!(line(&progress(0, 0)).ends_with("  0 %  0 of 0"));
        assert_eq!([grouped(7), grouped(1234), grouped(1_234_567)], ["7", "1,234", "1,234,567"]);
    }
}
