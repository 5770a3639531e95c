//! `wait_for_decision`: holds the call until somebody decides or the time is over, and shows that it is alive.

use super::{
    Answer, Tool,
    arguments::{self, Count, Name, given},
    view,
};
use crate::{server::connection::Connection, wire::LONGEST_WAIT};
use askfirst_domain::{Ident, request::Status};
use askfirst_engine::Error;
use rmcp::{
    RoleServer,
    model::{JsonObject, ProgressNotificationParam},
    service::RequestContext,
};
use serde::Deserialize;
use serde_json::Value;
use std::{pin::pin, time::Duration};

/// How long is waited when the model does not say, in seconds.
const DEFAULT_WAIT: u64 = 30;
/// How often a waiting client is told so, in seconds.
const BEAT: u32 = 10;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    user_id: Option<Name>,
    request_id: Name,
    timeout_seconds: Option<Count>,
}

pub(super) async fn wait(
    connection: &Connection,
    arguments: JsonObject,
    cx: &RequestContext<RoleServer>,
) -> Answer {
    let wanted: Arguments = arguments::read(Tool::WaitForDecision, arguments)?;
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let seconds = wanted.timeout_seconds.map_or(DEFAULT_WAIT, |c| u64::from(c.0));
    if seconds > LONGEST_WAIT {
        return Err(Error::invalid(format!(
            "timeout_seconds may be {LONGEST_WAIT} at most; call again to wait longer."
        )));
    }
    let id = Ident::new(wanted.request_id.0.trim());
    let mut decision = pin!(acting.wait(&id, Duration::from_secs(seconds)));
    let mut beats = tokio::time::interval(Duration::from_secs(BEAT.into()));
    let mut passed = 0_u32;
    let found = loop {
        tokio::select! {
            biased;
            found = &mut decision => break found?,
            () = cx.ct.cancelled() => return Err(Error::conflict("The client cancelled the wait.")),
            _ = beats.tick() => {
                tell(cx, passed, seconds).await;
                passed += BEAT;
            }
        }
    };
    let mut shown = view::request(&acting, &found);
    let pending = found.request.status == Status::Pending;
    if pending && found.asked_back().is_none() {
        let message = format!(
            "Nobody has decided within {seconds} seconds. {} Call {} again, or go on and look later with {}.",
            found.sentence(),
            Tool::WaitForDecision.name(),
            Tool::GetRequest.name(),
        );
        shown.insert("message".to_owned(), message.into());
    }
    shown.insert("decided".to_owned(), (!pending).into());
    Ok(Value::Object(shown))
}

/// Tells a client that wants to know that the call still waits.
async fn tell(cx: &RequestContext<RoleServer>, passed: u32, seconds: u64) {
    let Some(token) = cx.meta.get_progress_token() else { return };
    let total = u32::try_from(seconds).unwrap_or(u32::MAX);
    let progress = ProgressNotificationParam::new(token, f64::from(passed))
        .with_total(f64::from(total))
        .with_message("Waiting for a reviewer to decide.");
    if let Err(gone) = cx.peer.notify_progress(progress).await {
        tracing::debug!(error = %gone, "a waiting client could not be told so");
    }
}
