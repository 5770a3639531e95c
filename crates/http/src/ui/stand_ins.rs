//! Who reviews in this person's place, and for whom they do: seen, named and withdrawn.

use super::{
    page::{Page as Answer, Shown, render},
    session::Reviewer,
    words::visible,
};
use crate::permit::wire::Moment;
use askama::Template;
use askfirst_domain::{Ident, Timestamp};
use askfirst_engine::{
    Acting, Error, Kind,
    requests::{NewStandIn, Span, Until},
};
use axum::{
    Form,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;

/// Somebody who stands in for somebody.
#[derive(Debug)]
struct Line {
    id: String,
    /// `berta for anna`.
    who: String,
    starts: String,
    ends: String,
    holds: bool,
}

#[derive(Debug, Template)]
#[template(path = "stand_ins.html")]
struct StandInsPage {
    me: String,
    notice: Option<String>,
    lines: Vec<Line>,
}

/// The fields of the form.
#[derive(Debug, Deserialize)]
pub(super) struct NameForm {
    to: String,
    lasts: String,
    #[serde(default)]
    starts: String,
}

impl NameForm {
    fn read(&self) -> Result<NewStandIn, Error> {
        let lasts = self.lasts.trim().parse::<Span>();
        let starts = Some(self.starts.trim()).filter(|text| !text.is_empty()).map(moment).transpose();
        Ok(NewStandIn {
            to: Ident::new(self.to.trim().to_owned()),
            starts: starts?,
            until: Until::After(lasts.map_err(|error| Error::invalid(format!("{error}.")))?),
        })
    }
}

fn moment(text: &str) -> Result<Timestamp, Error> {
    let read: Result<Moment, _> = serde_json::from_value(text.into());
    let wrong =
        || Error::invalid("The beginning is a moment such as 2026-12-01T08:00:00Z, or nothing for now.");
    read.map(|Moment(at)| at).map_err(|_| wrong())
}

pub(super) async fn page(Reviewer(acting): Reviewer) -> Answer {
    show(&acting, StatusCode::OK, None)
}

pub(super) async fn name(Reviewer(acting): Reviewer, Form(form): Form<NameForm>) -> Answer {
    let named = match form.read() {
        Ok(new) => acting.name_stand_in(new).await,
        Err(error) => Err(error),
    };
    answered(&acting, named.map(drop))
}

pub(super) async fn withdraw(Reviewer(acting): Reviewer, Path(id): Path<String>) -> Answer {
    let gone = acting.withdraw_stand_in(&Ident::new(id)).await;
    answered(&acting, gone.map(drop))
}

fn answered(acting: &Acting, done: Result<(), Error>) -> Answer {
    let Err(error) = done else { return Ok(Redirect::to("/inbox/stand-ins").into_response()) };
    let status = match error.kind() {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        _ => return Err(Shown::from(error)),
    };
    show(acting, status, Some(error.message().to_owned()))
}

fn show(acting: &Acting, status: StatusCode, notice: Option<String>) -> Answer {
    let lines = acting.stand_ins().into_iter().map(|view| {
        let one = view.delegation;
        let (from, to) = (visible(one.from.key.as_str()), visible(one.to.key.as_str()));
        Line {
            id: one.id.to_string(),
            who: format!("{to} for {from}"),
            starts: one.starts.to_string(),
            ends: one.ends.to_string(),
            holds: view.holds,
        }
    });
    let template = StandInsPage { me: acting.user_key().to_string(), notice, lines: lines.collect() };
    render(status, &template)
}
