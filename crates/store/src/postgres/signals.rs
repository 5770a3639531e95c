//! How the processes on one database wake each other up.
//!
//! A signal says how far an environment is, or the directory; it is only a hint, sent after the commit and on another connection, because
//! one that is sent in a transaction makes all transactions of the server wait for each other. The truth is the
//! environment's row, which is looked at several times a second for what a signal was lost about.

use super::exec::query;
use crate::{
    body::News,
    moves::{Moves, POLL},
    sql::{Dialect, Statement, number, whole},
};
use askfirst_domain::{Id, id::EnvId};
use sqlx::{
    Row as _,
    postgres::{PgListener, PgPool},
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::{sync::mpsc, time};
use uuid::Uuid;

const CHANNEL: &str = "askfirst_moved";
/// A signal's text is shorter than 8000 bytes; an environment takes 57 of them at most.
const PER_SIGNAL: usize = 128;
/// Stands for the directory where an environment's id would.
const DIRECTORY: &str = "directory";

/// Sends what the writer has to say, as few times as it keeps up with. Ends when the writer does.
pub(super) async fn send(pool: PgPool, mut announcements: mpsc::UnboundedReceiver<News>) {
    while let Some(mut news) = announcements.recv().await {
        while let Ok(more) = announcements.try_recv() {
            news.extend(more);
        }
        for text in texts(&news) {
            let sent = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(text);
            if let Err(error) = sent.execute(&pool).await {
                tracing::debug!(%error, "a signal could not be sent; the others look for themselves");
            }
        }
    }
}

/// Hears what the others have to say. Never ends by itself.
pub(super) async fn hear(pool: PgPool, moves: Arc<Moves>) {
    loop {
        match listen(&pool, &moves).await {
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => tracing::warn!(%error, "signals of other processes are not heard; trying again"),
            Ok(()) => {}
        }
        time::sleep(4 * POLL).await;
    }
}

async fn listen(pool: &PgPool, moves: &Moves) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let news = news(listener.recv().await?.payload());
        for (env, revision) in news.heads {
            moves.reached(env, revision);
        }
        if let Some(version) = news.directory {
            moves.directory_reached(version);
        }
    }
}

/// Looks how far the environments are that somebody waits for, again and again. Never ends by itself.
pub(super) async fn look(pool: PgPool, moves: Arc<Moves>) {
    let mut ticks = time::interval(POLL);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let followed = moves.followed();
        if followed.is_empty() {
            continue;
        }
        match newest(&pool, &followed).await {
            Ok(newest) => {
                for (env, known) in followed {
                    match newest.get(&env) {
                        Some(revision) if *revision >= known => moves.reached(env, *revision),
                        // Deleted, or put back to an older state.
                        _ => moves.lost(env),
                    }
                }
            }
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => tracing::debug!(%error, "the newest revisions could not be read; trying again"),
        }
    }
}

async fn newest(pool: &PgPool, followed: &[(EnvId, u64)]) -> Result<BTreeMap<EnvId, u64>, sqlx::Error> {
    const DIALECT: Dialect = Dialect::Postgres;
    let sql = format!("SELECT id, head_revision FROM environment WHERE {}", DIALECT.one_of("id", 1));
    let ids = DIALECT.ids(followed.iter().map(|(env, _)| env.uuid()));
    let rows = query(Statement { sql: sql.into(), args: vec![ids] })?.fetch_all(pool).await?;
    let mut newest = BTreeMap::new();
    for row in rows {
        let (id, revision): (Uuid, i64) = (row.try_get(0)?, row.try_get(1)?);
        newest.insert(Id::new(id), whole("revision", revision).unwrap_or_default());
    }
    Ok(newest)
}

/// What there is to say, as signals: `ENVIRONMENT=REVISION` or `directory=VERSION`, with spaces between.
fn texts(news: &News) -> Vec<String> {
    let directory = news.directory.map(|version| format!("{DIRECTORY}={}", number(version)));
    let environments =
        news.heads.iter().map(|(env, revision)| format!("{}={}", env.uuid().simple(), number(*revision)));
    let all: Vec<_> = directory.into_iter().chain(environments).collect();
    all.chunks(PER_SIGNAL).map(|part| part.join(" ")).collect()
}

/// What a signal says; whatever else stands in it is passed over.
fn news(text: &str) -> News {
    let mut news = News::default();
    for (name, number) in text.split(' ').filter_map(|each| each.split_once('=')) {
        let Ok(number) = number.parse() else { continue };
        if name == DIRECTORY {
            news.directory = Some(number);
        } else if let Ok(env) = Uuid::try_parse(name) {
            news.heads.insert(Id::new(env), number);
        }
    }
    news
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_says_what_was_meant() {
        let env = |n| Id::new(Uuid::from_u128(n));
        let most = i64::MAX.unsigned_abs();
        for (environments, directory, signals) in [
            (3 * PER_SIGNAL, Some(most), 4),
            (PER_SIGNAL, None, 1),
            (1, None, 1),
            (0, Some(7), 1),
            (0, None, 0),
        ] {
            let heads = (0..environments).map(|n| (env(n as u128), most)).collect();
            let said = News { heads, directory };
            let texts = texts(&said);
            assert_eq!(texts.len(), signals);
            let mut heard = News::default();
            for text in texts {
                assert!(text.len() < 8000, "{}", text.len());
                heard.extend(news(&text));
            }
            assert_eq!(heard, said);
        }
    }

    #[test]
    fn noise_is_passed_over() {
        let env = Uuid::from_u128(7);
        let text = format!("hello {env}=x x=3 = {env}=3 {env} directory= directory");
        let heads = [(Id::new(env), 3)].into();
        assert_eq!(news(&text), News { heads, directory: None });
    }
}
