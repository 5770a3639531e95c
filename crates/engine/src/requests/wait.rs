//! Waiting for a decision, without asking again and again.

use super::RequestView;
use crate::{Acting, error::Result};
use askfirst_domain::{Ident, Timestamp, request::Status};
use std::time::Duration;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, timeout_at},
};

/// The longest wait that is served.
const MOST: Duration = Duration::from_hours(24);

impl Acting {
    /// Returns once the request is decided or canceled, or a reviewer asks something, or when the time is over; the status
    /// and the open question say which. While a question waits for its answer, this does not wait.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) for a request that the person may not see.
    pub async fn wait(&self, id: &Ident, at_most: Duration) -> Result<RequestView> {
        // Listening starts before the look, so that nothing can happen in between.
        let mut written = self.scope.live.requests();
        let mut schema = self.scope.live.schema_moves();
        let deadline = Instant::now().checked_add(at_most.min(MOST));
        loop {
            // It may have been frozen while it waited.
            self.refuse_stopped_agent()?;
            let found = self.visible(id).await?;
            let now = self.scope.engine.now();
            let view = self.view_at(found.value, now).await?;
            if view.request.status != Status::Pending || view.request.course.open_question().is_some() {
                return Ok(view);
            }
            let wanted = view.request.id;
            let left = view.request.deadline.map(|at| until(now, at));
            let expires = left.and_then(|left| Instant::now().checked_add(left));
            loop {
                let Some(deadline) = deadline else { return Ok(view) };
                let first = expires.map_or(deadline, |expires| expires.min(deadline));
                let told = async {
                    tokio::select! {
                        request = written.recv() => request.map(Some),
                        _ = schema.changed() => Ok(None),
                    }
                };
                match timeout_at(first, told).await {
                    Ok(Ok(Some(request))) if request.id == wanted => break,
                    Ok(Ok(Some(_))) => {}
                    // An agent may have been frozen, or some were missed, perhaps this one.
                    Ok(Ok(None) | Err(RecvError::Lagged(_))) => break,
                    // It has expired, or is about to.
                    Err(_) if first < deadline => break,
                    Ok(Err(RecvError::Closed)) | Err(_) => return Ok(view),
                }
            }
        }
    }
}

/// How long it is until a moment; a moment at least, so that nobody who waits for it goes round and round.
fn until(now: Timestamp, at: Timestamp) -> Duration {
    let micros = at.micros().saturating_sub(now.micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0)).max(Duration::from_millis(1))
}
