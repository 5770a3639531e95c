//! Threads in an `SQLite` file: they survive the process, and a superstep is one durable transaction.

use super::{CallState, Checkpoint, CheckpointError, Checkpointer, StoredCheckpoint, TaskResult, TaskWrite};
use crate::ids::{CheckpointId, InterruptId, TaskId, ThreadId};
use crate::interrupt::{Answer, Interrupt, InterruptRecord};
use async_trait::async_trait;
use serde_json::Value;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row, Sqlite, SqliteConnection, SqlitePool, Transaction};
use std::path::Path;
use std::time::Duration;

/// Keeps threads in one `SQLite` file (write-ahead log, full sync).
#[derive(Debug, Clone)]
pub struct SqliteSaver {
    pool: SqlitePool,
}

/// Version of the tables below, kept in the file's `user_version`.
const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE checkpoints (
    thread TEXT NOT NULL,
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (thread, seq),
    UNIQUE (thread, id)
) STRICT;
CREATE TABLE results (
    thread TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    task TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (thread, checkpoint, task)
) STRICT;
CREATE TABLE interrupts (
    thread TEXT NOT NULL,
    id TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    task TEXT NOT NULL,
    key TEXT NOT NULL,
    occurrence INTEGER NOT NULL,
    replaced INTEGER NOT NULL DEFAULT 0,
    record TEXT NOT NULL,
    answer TEXT,
    PRIMARY KEY (thread, id)
) STRICT;
CREATE INDEX interrupts_by_checkpoint ON interrupts (thread, checkpoint);
CREATE TABLE calls (
    thread TEXT NOT NULL,
    task TEXT NOT NULL,
    call TEXT NOT NULL,
    result TEXT,
    PRIMARY KEY (thread, task, call)
) STRICT;
";

impl SqliteSaver {
    /// Opens the file, and makes it when it is not there, readable by its owner only.
    ///
    /// # Errors
    /// The file cannot be opened, or a newer version of this program wrote it.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        private_file(path.as_ref())?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        let saver = Self { pool };
        saver.prepare().await?;
        Ok(saver)
    }

    async fn prepare(&self) -> Result<(), CheckpointError> {
        let mut tx = self.begin().await?;
        let version: i64 = sqlx::query("PRAGMA user_version").fetch_one(&mut *tx).await?.try_get(0)?;
        match version {
            0 => {
                sqlx::raw_sql(SCHEMA).execute(&mut *tx).await?;
                sqlx::raw_sql("PRAGMA user_version = 1").execute(&mut *tx).await?;
                tx.commit().await?;
            }
            SCHEMA_VERSION => {}
            newer => {
                return Err(CheckpointError::Database(sqlx::Error::Configuration(
                    format!("the file has version {newer}, this program reads version {SCHEMA_VERSION}")
                        .into(),
                )));
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn pool(&self) -> SqlitePool {
        self.pool.clone()
    }

    /// Closes the file after writing everything out.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// A transaction that writes: it takes the lock at once, so it never fails half-way for want of it.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, CheckpointError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Makes the file, if it is not there, readable by its owner only: conversations are private. `SQLite` gives
/// its side files the same mode.
fn private_file(path: &Path) -> Result<(), CheckpointError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(CheckpointError::Database(sqlx::Error::Io(error))),
    }
}

/// The id and the place in the line of a thread's newest checkpoint.
async fn head_of(
    conn: &mut SqliteConnection,
    thread: &ThreadId,
) -> Result<Option<(CheckpointId, i64)>, CheckpointError> {
    let row = sqlx::query("SELECT id, seq FROM checkpoints WHERE thread = $1 ORDER BY seq DESC LIMIT 1")
        .bind(thread.as_str())
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok((CheckpointId::new(row.try_get::<String, _>(0)?), row.try_get(1)?))).transpose()
}

/// Everything under one checkpoint, from the row of `checkpoints.record`.
async fn stored(
    conn: &mut SqliteConnection,
    thread: &ThreadId,
    row: &SqliteRow,
) -> Result<StoredCheckpoint, CheckpointError> {
    let checkpoint: Checkpoint = serde_json::from_str(row.try_get(0)?)?;
    let id = checkpoint.id.as_str();
    let rows =
        sqlx::query("SELECT task, record FROM results WHERE thread = $1 AND checkpoint = $2 ORDER BY task")
            .bind(thread.as_str())
            .bind(id)
            .fetch_all(&mut *conn)
            .await?;
    let mut results = Vec::with_capacity(rows.len());
    for row in rows {
        let result: TaskResult = serde_json::from_str(row.try_get(1)?)?;
        results.push((TaskId::new(row.try_get::<String, _>(0)?), result));
    }
    let rows = sqlx::query(
        "SELECT record, answer FROM interrupts
         WHERE thread = $1 AND checkpoint = $2 AND replaced = 0 ORDER BY rowid",
    )
    .bind(thread.as_str())
    .bind(id)
    .fetch_all(&mut *conn)
    .await?;
    let mut interrupts = Vec::with_capacity(rows.len());
    for row in rows {
        let interrupt: Interrupt = serde_json::from_str(row.try_get(0)?)?;
        let answer: Option<&str> = row.try_get(1)?;
        let answer = answer.map(serde_json::from_str::<Value>).transpose()?.map(|value| Answer { value });
        interrupts.push(InterruptRecord { interrupt, answer });
    }
    Ok(StoredCheckpoint { checkpoint, results, interrupts })
}

async fn put_interrupt(
    conn: &mut SqliteConnection,
    thread: &ThreadId,
    interrupt: &Interrupt,
) -> Result<(), CheckpointError> {
    sqlx::query(
        "UPDATE interrupts SET replaced = 1
         WHERE thread = $1 AND checkpoint = $2 AND task = $3 AND key = $4 AND occurrence = $5 AND id <> $6",
    )
    .bind(thread.as_str())
    .bind(interrupt.checkpoint.as_str())
    .bind(interrupt.task.as_str())
    .bind(&interrupt.key)
    .bind(i64::from(interrupt.occurrence))
    .bind(interrupt.id.as_str())
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO interrupts (thread, id, checkpoint, task, key, occurrence, record)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (thread, id) DO UPDATE SET replaced = 0",
    )
    .bind(thread.as_str())
    .bind(interrupt.id.as_str())
    .bind(interrupt.checkpoint.as_str())
    .bind(interrupt.task.as_str())
    .bind(&interrupt.key)
    .bind(i64::from(interrupt.occurrence))
    .bind(serde_json::to_string(interrupt)?)
    .execute(conn)
    .await?;
    Ok(())
}

async fn put_answer(
    conn: &mut SqliteConnection,
    thread: &ThreadId,
    head: Option<&CheckpointId>,
    id: &InterruptId,
    value: &Value,
) -> Result<(), CheckpointError> {
    let row = sqlx::query(
        "SELECT checkpoint, replaced, answer IS NOT NULL FROM interrupts WHERE thread = $1 AND id = $2",
    )
    .bind(thread.as_str())
    .bind(id.as_str())
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else {
        return Err(CheckpointError::UnknownInterrupt { thread: thread.clone(), id: id.clone() });
    };
    if row.try_get::<bool, _>(2)? {
        return Err(CheckpointError::AlreadyAnswered { id: id.clone() });
    }
    let checkpoint: &str = row.try_get(0)?;
    if row.try_get::<bool, _>(1)? || head.map(CheckpointId::as_str) != Some(checkpoint) {
        return Err(CheckpointError::NoLongerAsked { id: id.clone() });
    }
    sqlx::query("UPDATE interrupts SET answer = $3 WHERE thread = $1 AND id = $2 AND answer IS NULL")
        .bind(thread.as_str())
        .bind(id.as_str())
        .bind(serde_json::to_string(value)?)
        .execute(conn)
        .await?;
    Ok(())
}

#[async_trait]
impl Checkpointer for SqliteSaver {
    async fn head(&self, thread: &ThreadId) -> Result<Option<StoredCheckpoint>, CheckpointError> {
        Ok(self.history(thread, 1).await?.pop())
    }

    async fn history(&self, thread: &ThreadId, limit: u32) -> Result<Vec<StoredCheckpoint>, CheckpointError> {
        // A read transaction, so that checkpoints and what is under them are of one moment.
        let mut tx = self.pool.begin().await?;
        let rows = sqlx::query("SELECT record FROM checkpoints WHERE thread = $1 ORDER BY seq DESC LIMIT $2")
            .bind(thread.as_str())
            .bind(i64::from(limit))
            .fetch_all(&mut *tx)
            .await?;
        let mut line = Vec::with_capacity(rows.len());
        for row in rows {
            line.push(stored(&mut tx, thread, &row).await?);
        }
        Ok(line)
    }

    async fn append(&self, thread: &ThreadId, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let mut tx = self.begin().await?;
        let head = head_of(&mut tx, thread).await?;
        if head.as_ref().map(|(id, _)| id) != checkpoint.parent.as_ref() {
            return Err(CheckpointError::Conflict { thread: thread.clone() });
        }
        sqlx::query("INSERT INTO checkpoints (thread, seq, id, record) VALUES ($1, $2, $3, $4)")
            .bind(thread.as_str())
            .bind(head.map_or(0, |(_, seq)| seq + 1))
            .bind(checkpoint.id.as_str())
            .bind(serde_json::to_string(checkpoint)?)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn put_writes(
        &self,
        thread: &ThreadId,
        head: &CheckpointId,
        writes: &[TaskWrite],
    ) -> Result<(), CheckpointError> {
        let mut tx = self.begin().await?;
        if head_of(&mut tx, thread).await?.is_none_or(|(id, _)| id != *head) {
            return Err(CheckpointError::Conflict { thread: thread.clone() });
        }
        for write in writes {
            sqlx::query("DELETE FROM results WHERE thread = $1 AND checkpoint = $2 AND task = $3")
                .bind(thread.as_str())
                .bind(head.as_str())
                .bind(write.task.as_str())
                .execute(&mut *tx)
                .await?;
            if let Some(result) = &write.result {
                sqlx::query("INSERT INTO results (thread, checkpoint, task, record) VALUES ($1, $2, $3, $4)")
                    .bind(thread.as_str())
                    .bind(head.as_str())
                    .bind(write.task.as_str())
                    .bind(serde_json::to_string(result)?)
                    .execute(&mut *tx)
                    .await?;
            }
            for interrupt in &write.interrupts {
                put_interrupt(&mut tx, thread, interrupt).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    async fn answer(
        &self,
        thread: &ThreadId,
        answers: &[(InterruptId, Value)],
    ) -> Result<(), CheckpointError> {
        let mut tx = self.begin().await?;
        let head = head_of(&mut tx, thread).await?.map(|(id, _)| id);
        for (id, value) in answers {
            put_answer(&mut tx, thread, head.as_ref(), id, value).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn begin_call(
        &self,
        thread: &ThreadId,
        task: &TaskId,
        call: &str,
    ) -> Result<CallState, CheckpointError> {
        let mut tx = self.begin().await?;
        let row = sqlx::query("SELECT result FROM calls WHERE thread = $1 AND task = $2 AND call = $3")
            .bind(thread.as_str())
            .bind(task.as_str())
            .bind(call)
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(row) = row {
            return Ok(match row.try_get::<Option<&str>, _>(0)? {
                Some(text) => CallState::Finished(serde_json::from_str(text)?),
                None => CallState::Begun,
            });
        }
        sqlx::query("INSERT INTO calls (thread, task, call) VALUES ($1, $2, $3)")
            .bind(thread.as_str())
            .bind(task.as_str())
            .bind(call)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(CallState::New)
    }

    async fn finish_call(
        &self,
        thread: &ThreadId,
        task: &TaskId,
        call: &str,
        result: &Value,
    ) -> Result<(), CheckpointError> {
        sqlx::query(
            "INSERT INTO calls (thread, task, call, result) VALUES ($1, $2, $3, $4)
             ON CONFLICT (thread, task, call) DO UPDATE SET result = excluded.result",
        )
        .bind(thread.as_str())
        .bind(task.as_str())
        .bind(call)
        .bind(serde_json::to_string(result)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn delete_thread(&self, thread: &ThreadId) -> Result<(), CheckpointError> {
        let mut tx = self.begin().await?;
        for statement in [
            "DELETE FROM checkpoints WHERE thread = $1",
            "DELETE FROM results WHERE thread = $1",
            "DELETE FROM interrupts WHERE thread = $1",
            "DELETE FROM calls WHERE thread = $1",
        ] {
            sqlx::query(statement).bind(thread.as_str()).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
