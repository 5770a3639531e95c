//! Server-sent events: what is told while it happens, each with its number in the audit log, by which a reader resumes.

use crate::{App, error::Failure};
use askfirst_engine::{
    Error, Kind,
    audit::{Ended, Follow, Told},
};
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures::stream::{self, StreamExt as _};
use serde_json::json;
use std::{collections::VecDeque, convert::Infallible, time::Duration};
use tokio_util::sync::CancellationToken;

/// What a browser names when it comes back.
const LAST: HeaderName = HeaderName::from_static("last-event-id");
/// How long a reader whose stream has ended waits before it comes back.
const RETRY: Duration = Duration::from_secs(2);

/// Where the reader was, from the header that a browser sends when it comes back or from the address.
pub(crate) fn place(headers: &HeaderMap, after: Option<u64>) -> Result<Option<u64>, Error> {
    let Some(value) = headers.get(LAST) else { return Ok(after) };
    let read = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    read.map(Some).ok_or_else(|| Error::invalid("`Last-Event-ID` is the number of an event, such as 42."))
}

/// The answer that goes on for as long as the follower is told something. `tell` writes what the follower is given.
pub(crate) fn answer(app: &App, follow: Follow, tell: fn(Told) -> Vec<Event>) -> Response {
    let stop = app.options.shutdown.clone();
    let state = Stream { follow, tell, stop, waiting: VecDeque::new(), over: false };
    // Sent at once, so that the reader knows that it is heard.
    let hello = Event::default().comment("listening").retry(RETRY);
    let events = stream::unfold(state, async |mut state| {
        let event = state.next().await?;
        Some((event, state))
    });
    let all = stream::once(async move { hello }).chain(events).map(Ok::<_, Infallible>);
    // A proxy in front is asked not to collect what is told.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    ([unbuffered], Sse::new(all)).into_response()
}

struct Stream {
    follow: Follow,
    tell: fn(Told) -> Vec<Event>,
    stop: CancellationToken,
    waiting: VecDeque<Event>,
    over: bool,
}

impl Stream {
    async fn next(&mut self) -> Option<Event> {
        while self.waiting.is_empty() {
            if self.over {
                return None;
            }
            let told = self.stop.run_until_cancelled(self.follow.next()).await;
            match told {
                None => self.end("stopping", None, "The server stops; come back in a moment."),
                Some(Ok(Told::Quiet(n))) => self.waiting.push_back(quiet(n)),
                Some(Ok(Told::Ended(Ended::Slow))) => {
                    self.end(
                        "slow",
                        None,
                        "What was told was left for too long; come back, and nothing is lost.",
                    );
                }
                Some(Ok(Told::Ended(Ended::Elsewhere(n)))) => {
                    let sentence = format!(
                        "The audit log ends at event {n}, before the event that you have; a backup may have been restored, so read \
                         again what you rely on."
                    );
                    self.end("elsewhere", Some(n), &sentence);
                }
                Some(Ok(told)) => self.waiting.extend((self.tell)(told)),
                Some(Err(error)) => {
                    let why = match error.kind() {
                        Kind::Unauthenticated | Kind::Forbidden | Kind::NotFound => "refused",
                        _ => "failed",
                    };
                    // Logs what is internal of it, as any other refusal does.
                    let message = error.message().to_owned();
                    drop(Failure::from(error).into_response());
                    self.end(why, None, &message);
                }
            }
        }
        self.waiting.pop_front()
    }

    fn end(&mut self, why: &str, resume: Option<u64>, message: &str) {
        let end = Event::default().event("end").data(json!({"why": why, "message": message}).to_string());
        self.waiting.push_back(match resume {
            Some(n) => end.id(n.to_string()),
            None => end,
        });
        self.over = true;
    }
}

/// Says that nothing has happened, and up to where the reader has the log: what it asked not to be told counts as told.
fn quiet(n: u64) -> Event {
    Event::default().id(n.to_string()).comment("quiet")
}

/// An event with its number.
pub(crate) fn event(n: u64, name: &str, data: &impl serde::Serialize) -> Event {
    // What is told always serializes; were it not so, an empty text would stand there.
    let data = serde_json::to_string(data).unwrap_or_default();
    Event::default().id(n.to_string()).event(name).data(data)
}
