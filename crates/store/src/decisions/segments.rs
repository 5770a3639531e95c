//! What a database has to give so that the log is the same on all, and the statements, which are.

use super::{Missed, packer::Segment};
use askfirst_domain::{Timestamp, id::EnvId};
use async_trait::async_trait;
use std::fmt::Debug;

/// A database with the tables of the log.
#[async_trait]
pub(super) trait Segments: Send + Sync + Debug {
    type Table: Table;

    /// A look at one moment.
    async fn look(&self) -> Result<Self::Table, sqlx::Error>;
    /// A transaction that writes.
    async fn begin(&self) -> Result<Self::Table, sqlx::Error>;
    /// Gives room that is not used any more back to the disk, some of it.
    async fn tidy(&self) -> Result<(), sqlx::Error>;
    async fn disconnect(&self);
}

/// A segment as a list sees it before opening it.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) id: i64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) first_revision: i64,
    pub(super) last_revision: i64,
    pub(super) decisions: i64,
    pub(super) allowed: i64,
    /// Empty when nobody asked for it.
    pub(super) terms: Vec<u8>,
}

/// Which headers, newest first.
#[derive(Debug)]
pub(super) struct Headers {
    pub(super) env: EnvId,
    /// Segments that end here or later,
    pub(super) from: i64,
    /// begin here or earlier,
    pub(super) to: i64,
    /// and stand after this one: its end and its id.
    pub(super) after: (i64, i64),
    pub(super) first_revision: i64,
    pub(super) last_revision: i64,
    pub(super) with_terms: Terms,
}

/// Whether the filters of names are wanted, which take most of what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    With,
    Without,
}

/// The tables within a transaction, which is rolled back when it is dropped.
#[async_trait]
pub(super) trait Table: Send {
    async fn headers(&mut self, which: &Headers) -> Result<Vec<Header>, sqlx::Error>;
    async fn body(&mut self, id: i64) -> Result<Vec<u8>, sqlx::Error>;
    async fn missed(&mut self, env: EnvId, from: i64, to: i64) -> Result<Vec<Missed>, sqlx::Error>;
    async fn size(&mut self) -> Result<i64, sqlx::Error>;

    async fn insert(&mut self, segment: &Segment) -> Result<(), sqlx::Error>;
    async fn insert_missed(&mut self, env: EnvId, missed: &Missed) -> Result<(), sqlx::Error>;
    /// Environment and span of which small segments are to be merged: `many` of them, or two of a span before `span`.
    async fn scattered(&mut self, many: i64, span: i64) -> Result<Option<(EnvId, i64)>, sqlx::Error>;
    /// The small segments of a span, oldest first, at most `limit`: id, decisions, bytes.
    async fn small(&mut self, env: EnvId, span: i64, limit: i64)
    -> Result<Vec<(i64, i64, i64)>, sqlx::Error>;
    /// Takes a segment out and gives its body, unless it is gone.
    async fn take(&mut self, id: i64) -> Result<Option<Vec<u8>>, sqlx::Error>;
    /// Deletes some that end before this, the oldest first; how many.
    async fn delete_before(&mut self, moment: i64, limit: i64) -> Result<u64, sqlx::Error>;
    /// Deletes what is said to be missing before this; how many.
    async fn forget_missed_before(&mut self, moment: i64) -> Result<u64, sqlx::Error>;
    /// The oldest segments: id and bytes.
    async fn oldest(&mut self, limit: i64) -> Result<Vec<(i64, i64)>, sqlx::Error>;
    /// The environments that have segments.
    async fn environments(&mut self) -> Result<Vec<EnvId>, sqlx::Error>;
    /// Deletes some of an environment that end before this; how many.
    async fn delete_of(&mut self, env: EnvId, moment: i64, limit: i64) -> Result<u64, sqlx::Error>;
    /// Makes what was written stay.
    async fn commit(self) -> Result<(), sqlx::Error>;
}

pub(super) const HEADERS: &str = "SELECT id, first_at, last_at, first_revision, last_revision, decisions, allowed, \
     CASE WHEN $8 = 1 THEN terms END FROM decision_segment \
     WHERE env = $1 AND last_at >= $2 AND first_at <= $3 AND last_at <= $4 AND (last_at < $4 OR id < $5) \
     AND last_revision >= $6 AND first_revision <= $7 ORDER BY last_at DESC, id DESC LIMIT 256";
/// How many headers [`HEADERS`] gives at most.
pub(super) const HEADERS_AT_ONCE: usize = 256;
pub(super) const BODY: &str = "SELECT body FROM decision_segment WHERE id = $1";
pub(super) const MISSED: &str = "SELECT from_at, to_at, decisions FROM decision_missed \
     WHERE env = $1 AND to_at >= $2 AND from_at <= $3 ORDER BY to_at DESC LIMIT 100";
pub(super) const SIZE: &str = "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM decision_segment";
pub(super) const INSERT: &str = "INSERT INTO decision_segment (env, span, first_at, last_at, first_revision, \
     last_revision, decisions, allowed, small, bytes, terms, body) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
pub(super) const INSERT_MISSED: &str =
    "INSERT INTO decision_missed (env, from_at, to_at, decisions) VALUES ($1, $2, $3, $4)";
pub(super) const SCATTERED: &str = "SELECT env, span FROM decision_segment WHERE small = 1 GROUP BY env, span \
     HAVING count(*) >= $1 OR (span < $2 AND count(*) >= 2) LIMIT 1";
pub(super) const SMALL: &str = "SELECT id, decisions, bytes FROM decision_segment \
     WHERE small = 1 AND env = $1 AND span = $2 ORDER BY id LIMIT $3";
pub(super) const TAKE: &str = "DELETE FROM decision_segment WHERE id = $1 RETURNING body";
pub(super) const DELETE_BEFORE: &str = "DELETE FROM decision_segment WHERE id IN \
     (SELECT id FROM decision_segment WHERE last_at < $1 ORDER BY last_at LIMIT $2)";
pub(super) const FORGET_MISSED: &str = "DELETE FROM decision_missed WHERE to_at < $1";
pub(super) const OLDEST: &str = "SELECT id, bytes FROM decision_segment ORDER BY last_at LIMIT $1";
pub(super) const ENVIRONMENTS: &str = "SELECT DISTINCT env FROM decision_segment";
pub(super) const DELETE_OF: &str = "DELETE FROM decision_segment WHERE id IN \
     (SELECT id FROM decision_segment WHERE env = $1 AND last_at < $2 LIMIT $3)";

/// A number as the databases keep it; what is too large for them is larger than anything they hold.
pub(super) fn kept(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

pub(super) fn missed((from, to, decisions): (i64, i64, i64)) -> Missed {
    Missed {
        from: Timestamp::from_micros(from),
        to: Timestamp::from_micros(to),
        decisions: decisions.try_into().unwrap_or(0),
    }
}

impl From<(i64, i64, i64, i64, i64, i64, i64, Option<Vec<u8>>)> for Header {
    fn from(row: (i64, i64, i64, i64, i64, i64, i64, Option<Vec<u8>>)) -> Self {
        let (id, first, last, first_revision, last_revision, decisions, allowed, terms) = row;
        Self {
            id,
            first: Timestamp::from_micros(first),
            last: Timestamp::from_micros(last),
            first_revision,
            last_revision,
            decisions,
            allowed,
            terms: terms.unwrap_or_default(),
        }
    }
}

/// The tables in a transaction of one database: the statements are the same, the types of sqlx are not.
macro_rules! table_in {
    ($database:ty) => {
        #[async_trait::async_trait]
        impl Table for sqlx::Transaction<'static, $database> {
            async fn headers(&mut self, which: &Headers) -> Result<Vec<Header>, sqlx::Error> {
                type Row = (i64, i64, i64, i64, i64, i64, i64, Option<Vec<u8>>);
                let query = sqlx::query_as::<_, Row>(segments::HEADERS)
                    .bind(which.env.uuid())
                    .bind(which.from)
                    .bind(which.to)
                    .bind(which.after.0)
                    .bind(which.after.1)
                    .bind(which.first_revision)
                    .bind(which.last_revision)
                    .bind(i64::from(which.with_terms == Terms::With));
                Ok(query.fetch_all(&mut **self).await?.into_iter().map(Header::from).collect())
            }

            async fn body(&mut self, id: i64) -> Result<Vec<u8>, sqlx::Error> {
                sqlx::query_scalar(segments::BODY).bind(id).fetch_one(&mut **self).await
            }

            async fn missed(&mut self, env: EnvId, from: i64, to: i64) -> Result<Vec<Missed>, sqlx::Error> {
                let query = sqlx::query_as::<_, (i64, i64, i64)>(segments::MISSED);
                let rows = query.bind(env.uuid()).bind(from).bind(to).fetch_all(&mut **self).await?;
                Ok(rows.into_iter().rev().map(segments::missed).collect())
            }

            async fn size(&mut self) -> Result<i64, sqlx::Error> {
                sqlx::query_scalar(segments::SIZE).fetch_one(&mut **self).await
            }

            async fn insert(&mut self, segment: &Segment) -> Result<(), sqlx::Error> {
                let query = sqlx::query(segments::INSERT)
                    .bind(segment.env.uuid())
                    .bind(segment.span)
                    .bind(segment.first.micros())
                    .bind(segment.last.micros())
                    .bind(kept(segment.first_revision))
                    .bind(kept(segment.last_revision))
                    .bind(kept(segment.decisions))
                    .bind(kept(segment.allowed))
                    .bind(i64::from(segment.is_small()))
                    .bind(kept(segment.bytes()))
                    .bind(segment.terms.clone())
                    .bind(segment.body.clone());
                query.execute(&mut **self).await.map(drop)
            }

            async fn insert_missed(&mut self, env: EnvId, missed: &Missed) -> Result<(), sqlx::Error> {
                let query = sqlx::query(segments::INSERT_MISSED)
                    .bind(env.uuid())
                    .bind(missed.from.micros())
                    .bind(missed.to.micros())
                    .bind(kept(missed.decisions));
                query.execute(&mut **self).await.map(drop)
            }

            async fn scattered(&mut self, many: i64, span: i64) -> Result<Option<(EnvId, i64)>, sqlx::Error> {
                let query = sqlx::query_as::<_, (uuid::Uuid, i64)>(segments::SCATTERED).bind(many).bind(span);
                let found = query.fetch_optional(&mut **self).await?;
                Ok(found.map(|(env, span)| (EnvId::new(env), span)))
            }

            async fn small(
                &mut self,
                env: EnvId,
                span: i64,
                limit: i64,
            ) -> Result<Vec<(i64, i64, i64)>, sqlx::Error> {
                let query = sqlx::query_as(segments::SMALL).bind(env.uuid()).bind(span).bind(limit);
                query.fetch_all(&mut **self).await
            }

            async fn take(&mut self, id: i64) -> Result<Option<Vec<u8>>, sqlx::Error> {
                sqlx::query_scalar(segments::TAKE).bind(id).fetch_optional(&mut **self).await
            }

            async fn delete_before(&mut self, moment: i64, limit: i64) -> Result<u64, sqlx::Error> {
                let query = sqlx::query(segments::DELETE_BEFORE).bind(moment).bind(limit);
                Ok(query.execute(&mut **self).await?.rows_affected())
            }

            async fn forget_missed_before(&mut self, moment: i64) -> Result<u64, sqlx::Error> {
                let query = sqlx::query(segments::FORGET_MISSED).bind(moment);
                Ok(query.execute(&mut **self).await?.rows_affected())
            }

            async fn oldest(&mut self, limit: i64) -> Result<Vec<(i64, i64)>, sqlx::Error> {
                sqlx::query_as(segments::OLDEST).bind(limit).fetch_all(&mut **self).await
            }

            async fn environments(&mut self) -> Result<Vec<EnvId>, sqlx::Error> {
                let query = sqlx::query_scalar::<_, uuid::Uuid>(segments::ENVIRONMENTS);
                Ok(query.fetch_all(&mut **self).await?.into_iter().map(EnvId::new).collect())
            }

            async fn delete_of(&mut self, env: EnvId, moment: i64, limit: i64) -> Result<u64, sqlx::Error> {
                let query = sqlx::query(segments::DELETE_OF).bind(env.uuid()).bind(moment).bind(limit);
                Ok(query.execute(&mut **self).await?.rows_affected())
            }

            async fn commit(self) -> Result<(), sqlx::Error> {
                sqlx::Transaction::commit(self).await
            }
        }
    };
}
pub(super) use table_in;
