//! Lanes: a thread for each core, each of which holds some of the connections and answers what is answered at once.
//!
//! The common runtime moves work between its threads: whichever of them finds something to do wakes another one to look
//! for more. For a question that takes some microseconds that costs more than the answer, and the core that it takes
//! belongs to whoever asks. A lane has nobody to wake. What takes longer, or waits, is done on the common runtime
//! (`askfirst_http::Front`), so that no connection waits for the work of another one.

use std::{
    io,
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// Threads that hold connections, until this is dropped.
#[derive(Debug)]
pub(super) struct Lanes {
    first: Handle,
    others: Vec<Handle>,
    next: AtomicUsize,
    end: CancellationToken,
}

impl Lanes {
    /// One for each core.
    ///
    /// # Errors
    /// When the machine has no thread to give.
    pub(super) fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let end = CancellationToken::new();
        let first = lane(0, end.clone())?;
        let others = (1..count).map(|number| lane(number, end.clone())).collect::<io::Result<_>>()?;
        Ok(Self { first, others, next: AtomicUsize::new(0), end })
    }

    /// The lane of the next connection; each in its turn.
    pub(super) fn next(&self) -> &Handle {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % (self.others.len() + 1);
        self.others.get(turn.wrapping_sub(1)).unwrap_or(&self.first)
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

fn lane(number: usize, end: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name(format!("lane-{number}")).spawn(move || runtime.block_on(end.cancelled()))?;
    Ok(handle)
}
