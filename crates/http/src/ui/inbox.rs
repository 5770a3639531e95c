//! The inbox: what waits for this person, and everything else that they may see.

use super::{
    page::{Page as Answer, render},
    session::Reviewer,
    words::{Piece, Row},
};
use crate::permit::wire::Params;
use askama::Template;
use askfirst_engine::{
    Page,
    requests::{Ahead, COUNTED, RequestQuery},
};
use axum::http::StatusCode;
use serde::Deserialize;

/// How many rows each list shows.
const SHOWN: u32 = 50;

#[derive(Debug, Deserialize)]
pub(super) struct Query {
    page: Option<u32>,
}

#[derive(Debug, Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    me: String,
    waiting: Vec<Row>,
    /// As it is shown: `12`, or `250+`.
    waiting_total: String,
    waiting_unseen: bool,
    rest: Vec<Row>,
    newer: Option<u32>,
    older: Option<u32>,
}

pub(super) async fn page(
    Reviewer(acting): Reviewer,
    query: Result<Params<Query>, crate::error::Failure>,
) -> Answer {
    let page = query.ok().and_then(|Params(query)| query.page).unwrap_or(1).max(1);
    let now = acting.scope().op().now;
    let waiting = acting.inbox(Page { offset: 0, limit: SHOWN }).await?;
    let window = Page { offset: u64::from(page - 1) * u64::from(SHOWN), limit: SHOWN };
    let query = RequestQuery { ahead: Ahead::OneMore, ..RequestQuery::default() };
    let all = acting.requests(query, window).await?;
    let shown_by_then = window.offset.saturating_add(u64::from(SHOWN));
    let rest = all.items.iter().filter(|view| !view.rights.awaited);
    let template = InboxPage {
        me: acting.user_key().to_string(),
        waiting: waiting.items.iter().map(|view| Row::new(view, now)).collect(),
        waiting_total: if waiting.total > COUNTED {
            format!("{COUNTED}+")
        } else {
            waiting.total.to_string()
        },
        waiting_unseen: waiting.total > u64::from(SHOWN),
        rest: rest.map(|view| Row::new(view, now)).collect(),
        newer: (page > 1).then(|| page - 1),
        older: (all.total > shown_by_then).then(|| page + 1),
    };
    render(StatusCode::OK, &template)
}
