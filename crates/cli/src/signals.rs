//! The signals that say stop, taken so that what was started can be stopped in order.

use anyhow::Context as _;

/// The signals that say stop. From when they are watched on, they end nothing by themselves.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Ctrl-C and SIGTERM.
    pub(crate) fn watch() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("can't watch for signals")?,
            interrupt: signal(SignalKind::interrupt()).context("can't watch for signals")?,
            hangup: None,
        })
    }

    /// As [`Signals::watch`], and the end of the terminal. Not for a server, which `nohup` may have told to outlive it.
    pub(crate) fn watch_terminal() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = signal(SignalKind::hangup()).context("can't watch for signals")?;
        Ok(Self { hangup: Some(hangup), ..Self::watch()? })
    }

    /// Waits for one; its name.
    pub(crate) async fn next(&mut self) -> &'static str {
        let hangup = self.hangup.as_mut();
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            () = async move {
                match hangup {
                    Some(hangup) => drop(hangup.recv().await),
                    None => std::future::pending().await,
                }
            } => "SIGHUP",
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Ctrl-C.
    pub(crate) fn watch() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    /// Ctrl-C.
    pub(crate) fn watch_terminal() -> anyhow::Result<Self> {
        Self::watch()
    }

    /// Waits for it.
    pub(crate) async fn next(&mut self) -> &'static str {
        if tokio::signal::ctrl_c().await.context("can't watch for signals").is_err() {
            // Nothing will ever say stop; whoever started us has to end us.
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}
