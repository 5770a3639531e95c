//! The bound on what one evaluation may cost.

use std::cell::Cell;

/// Comparisons in one evaluation. Beyond it every comparison is undefined, which never allows anything.
pub const MAX_STEPS: u32 = 1_000_000;

/// What is left of the work that an evaluation may do.
#[derive(Debug)]
pub(super) struct Steps(Cell<u32>);

impl Steps {
    pub(super) const fn new() -> Self {
        Self(Cell::new(MAX_STEPS))
    }

    /// Takes some; whether there were as many. When not, nothing is left.
    pub(super) fn take(&self, steps: usize) -> bool {
        let left = u32::try_from(steps).ok().and_then(|steps| self.0.get().checked_sub(steps));
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Whether something was refused, or would be at the next step.
    pub(super) const fn are_spent(&self) -> bool {
        self.0.get() == 0
    }
}
