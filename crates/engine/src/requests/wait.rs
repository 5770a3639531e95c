//! Waiting for a decision, without asking again and again.

use super::RequestView;
use crate::{Acting, error::Result};
use askfirst_domain::{Ident, request::Status};
use std::time::Duration;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, timeout_at},
};

/// The longest wait that is served.
const MOST: Duration = Duration::from_hours(24);

impl Acting {
    /// Returns once the request is decided or canceled, or when the time is over; the status says which.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) for a request that the person may not see.
    pub async fn wait(&self, id: &Ident, at_most: Duration) -> Result<RequestView> {
        // Listening starts before the look, so that nothing can happen in between.
        let mut written = self.scope.live.requests();
        let deadline = Instant::now().checked_add(at_most.min(MOST));
        loop {
            let view = self.request(id).await?;
            if view.request.status != Status::Pending {
                return Ok(view);
            }
            let wanted = view.request.id;
            loop {
                let Some(deadline) = deadline else { return Ok(view) };
                match timeout_at(deadline, written.recv()).await {
                    Ok(Ok(request)) if request.id == wanted => break,
                    Ok(Ok(_)) => {}
                    // Some were missed, perhaps this one.
                    Ok(Err(RecvError::Lagged(_))) => break,
                    Ok(Err(RecvError::Closed)) | Err(_) => return Ok(view),
                }
            }
        }
    }
}
