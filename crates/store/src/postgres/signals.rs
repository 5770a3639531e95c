//! How the processes on one database wake each other up.
//!
//! A signal says how far an environment is; it is only a hint, sent after the commit and on another connection, because
//! one that is sent in a transaction makes all transactions of the server wait for each other. The truth is the
//! environment's row, which is looked at several times a second for what a signal was lost about.

use super::exec::query;
use crate::{
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

/// Sends what the writer has to say, as few times as it keeps up with. Ends when the writer does.
pub(super) async fn send(pool: PgPool, mut announcements: mpsc::UnboundedReceiver<Vec<(EnvId, u64)>>) {
    while let Some(first) = announcements.recv().await {
        let mut heads: BTreeMap<EnvId, u64> = first.into_iter().collect();
        while let Ok(more) = announcements.try_recv() {
            heads.extend(more);
        }
        let heads: Vec<_> = heads.into_iter().collect();
        for part in heads.chunks(PER_SIGNAL) {
            let sent = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(text(part));
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
        for (env, revision) in heads(listener.recv().await?.payload()) {
            moves.reached(env, revision);
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

/// Heads as a signal: `ENVIRONMENT=REVISION`, with spaces between.
fn text(heads: &[(EnvId, u64)]) -> String {
    let each: Vec<_> = heads
        .iter()
        .map(|(env, revision)| format!("{}={}", env.uuid().simple(), number(*revision)))
        .collect();
    each.join(" ")
}

/// What a signal says; whatever else stands in it is passed over.
fn heads(text: &str) -> impl Iterator<Item = (EnvId, u64)> {
    text.split(' ').filter_map(|each| {
        let (env, revision) = each.split_once('=')?;
        Some((Id::new(Uuid::try_parse(env).ok()?), revision.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_says_what_was_meant() {
        let env = |n| Id::new(Uuid::from_u128(n));
        let most: Vec<_> = (0..PER_SIGNAL).map(|n| (env(n as u128), i64::MAX.unsigned_abs())).collect();
        for said in [&most[..], &most[..1], &[]] {
            let text = text(said);
            assert!(text.len() < 8000, "{}", text.len());
            assert_eq!(heads(&text).collect::<Vec<_>>(), said);
        }
    }

    #[test]
    fn noise_is_passed_over() {
        let env = Uuid::from_u128(7);
        let text = format!("hello {env}=x x=3 = {env}=3 {env}");
        assert_eq!(heads(&text).collect::<Vec<_>>(), [(Id::new(env), 3)]);
    }
}
