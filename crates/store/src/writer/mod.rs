//! The one writer: takes what is queued, writes it in one transaction, answers when it is on the disk.
//!
//! A batch is written in the hope that nothing in it has to be undone once it was written: then no job needs a savepoint, and
//! rows that nobody in the batch reads are written together at its end. Where it turns out otherwise, the transaction is
//! given up and the batch written again with care, each job by itself.

mod jobs;
mod transaction;

use crate::{
    AdminCommit, AdminOp, Commit, CommitError, Committed, Erasure, StoreError,
    body::{Directory, News, Session, Touched, failed},
    image::Meter,
    moves::Moves,
    sql::Statement,
};
use askfirst_domain::{Timestamp, audit::ChainId, scope::SignInLink};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use transaction::Held;

/// A batch ends when it holds this many changes, so that no caller waits for ever behind a bulk load.
const CHANGES_PER_TRANSACTION: usize = 4096;
/// A batch ends when it holds this many commits.
const COMMITS_PER_TRANSACTION: usize = 512;

type Reply<T, E> = oneshot::Sender<Result<T, E>>;

/// What the writer is asked to do, and where the answer goes. An asker who has gone away does not stop the write.
#[derive(Debug)]
pub(crate) enum Job {
    Commit(Box<Commit>, Reply<Committed, CommitError>),
    Admin(Box<AdminCommit>, Reply<(), CommitError>),
    Erase(Box<Erasure>, Reply<(), CommitError>),
    TakeLink {
        token_hash: String,
        now: Timestamp,
        reply: Reply<Option<SignInLink>, StoreError>,
    },
    /// Something that is no part of any history: images, the removal of what has ended. Answered with how many rows the
    /// statement gave.
    Upkeep(Statement, Reply<u64, StoreError>),
}

impl Job {
    /// What is written, to be set aside for this transaction.
    fn touches(&self, touched: &mut Touched) {
        match self {
            Self::Commit(commit, _) => {
                touched.written.push(commit.env);
                if !commit.audit.is_empty() {
                    touched.chains.push(ChainId::new(Some(commit.env)));
                }
            }
            Self::Erase(erasure, _) => {
                touched.written.push(erasure.env);
                touched.chains.push(ChainId::new(Some(erasure.env)));
            }
            Self::Admin(commit, _) => {
                for (env, _) in &commit.audit {
                    // The environment comes before its chain, for everybody.
                    touched.written.extend(*env);
                    touched.chains.push(ChainId::new(*env));
                }
                for op in &commit.ops {
                    if is_of_directory(op) {
                        touched.directory = Directory::Written;
                    }
                    match op {
                        AdminOp::DeleteProject(id) => touched.deleted.push(id.uuid()),
                        AdminOp::DeleteEnvironment(id) => touched.deleted.push(id.uuid()),
                        AdminOp::PutEnvironment { environment, .. } => touched.written.push(environment.id),
                        // They refer to the environment, which must not be waited for once a chain is held.
                        AdminOp::PutSession(session) => touched.written.push(session.env),
                        AdminOp::PutPassword(password) => touched.written.push(password.env),
                        AdminOp::PutLink(link) => touched.written.push(link.env),
                        AdminOp::PutWebhook(webhook) => touched.written.push(webhook.env),
                        _ => {}
                    }
                }
            }
            Self::TakeLink { .. } | Self::Upkeep(..) => {}
        }
    }

    fn changes(&self) -> usize {
        match self {
            Self::Commit(commit, _) => commit.changes.len().max(1),
            Self::Admin(commit, _) => commit.ops.len().max(1),
            Self::Erase(erasure, _) => erasure.parts.len().max(1),
            Self::TakeLink { .. } | Self::Upkeep(..) => 1,
        }
    }
}

/// What a job came to, kept back until the transaction is on the disk.
#[derive(Debug)]
enum Outcome {
    Commit(Result<Committed, CommitError>),
    Admin(Result<(), CommitError>),
    Link(Result<Option<SignInLink>, StoreError>),
    Upkeep(Result<u64, StoreError>),
}

impl Outcome {
    fn is_refusal(&self) -> bool {
        match self {
            Self::Commit(result) => result.is_err(),
            Self::Admin(result) => result.is_err(),
            Self::Link(result) => result.is_err(),
            Self::Upkeep(result) => result.is_err(),
        }
    }

    /// Whether it was refused before anything was written.
    fn has_left_nothing(&self) -> bool {
        matches!(self, Self::Commit(Err(CommitError::Conflict(_) | CommitError::NoSuchEnvironment(_))))
    }

    /// A job of the same kind that failed.
    fn failed(&self, error: StoreError) -> Self {
        match self {
            Self::Commit(_) => Self::Commit(Err(error.into())),
            Self::Admin(_) => Self::Admin(Err(error.into())),
            Self::Link(_) => Self::Link(Err(error)),
            Self::Upkeep(_) => Self::Upkeep(Err(error)),
        }
    }
}

impl Job {
    /// Answers. An asker who has gone away is not missed.
    fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Self::Commit(_, reply), Outcome::Commit(result)) => drop(reply.send(result)),
            (Self::Admin(_, reply) | Self::Erase(_, reply), Outcome::Admin(result)) => {
                drop(reply.send(result));
            }
            (Self::TakeLink { reply, .. }, Outcome::Link(result)) => drop(reply.send(result)),
            (Self::Upkeep(_, reply), Outcome::Upkeep(result)) => drop(reply.send(result)),
            // Each job has an outcome of its kind; one that had not would hear that its writer is gone.
            (_, _) => {}
        }
    }

    /// Answers that the transaction was lost.
    fn lost(self, why: &str) {
        let error = || failed("writing")(sqlx::Error::Protocol(why.to_owned()));
        match self {
            Self::Commit(_, reply) => drop(reply.send(Err(error().into()))),
            Self::Admin(_, reply) | Self::Erase(_, reply) => drop(reply.send(Err(error().into()))),
            Self::TakeLink { reply, .. } => drop(reply.send(Err(error()))),
            Self::Upkeep(_, reply) => drop(reply.send(Err(error()))),
        }
    }
}

/// The way to the writer.
#[derive(Debug)]
pub(crate) struct Queue {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    writer: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    moves: Arc<Moves>,
    meter: Arc<Meter>,
}

impl Queue {
    /// Starts a writer before which `length` jobs may wait. It lets go of `held` when it ends.
    pub(crate) fn start(
        session: impl Session,
        length: usize,
        moves: Arc<Moves>,
        meter: Arc<Meter>,
        held: impl Send + 'static,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(length.max(1));
        let writer =
            Writer { session, moves: Arc::clone(&moves), meter: Arc::clone(&meter), held: Held::default() };
        let task = tokio::spawn(async move {
            writer.run(receiver).await;
            drop(held);
        });
        Self { jobs: Mutex::new(Some(sender)), writer: tokio::sync::Mutex::new(Some(task)), moves, meter }
    }

    fn slot(&self) -> MutexGuard<'_, Option<mpsc::Sender<Job>>> {
        // A sender is never half changed, so a poisoned lock has nothing broken behind it.
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the writer takes its jobs from.
    pub(crate) fn sender(&self) -> Result<mpsc::Sender<Job>, StoreError> {
        self.slot().clone().ok_or(StoreError::Closed)
    }

    /// What is known about the environments' newest revisions.
    pub(crate) fn moves(&self) -> &Moves {
        &self.moves
    }

    /// What says when an image may be due.
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Takes no more jobs, and waits until those that were handed in are written and answered.
    pub(crate) async fn close(&self) {
        drop(self.slot().take());
        if let Some(task) = self.writer.lock().await.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the store's writer ended badly");
        }
        self.moves.close();
    }
}

/// The owner of the connection that writes.
#[derive(Debug)]
struct Writer<S> {
    session: S,
    moves: Arc<Moves>,
    meter: Arc<Meter>,
    /// Of the transaction that is being written.
    held: Held,
}

/// How a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// In the hope that no job has to be undone.
    Hopeful,
    /// So that each job can be undone, and its neighbours stand.
    EachAlone,
}

/// Why a batch was not written.
#[derive(Debug)]
enum Stopped {
    /// A job was refused that has written something already.
    Undo,
    /// The transaction is lost.
    Lost(sqlx::Error),
}

impl From<sqlx::Error> for Stopped {
    fn from(error: sqlx::Error) -> Self {
        Self::Lost(error)
    }
}

impl<S: Session> Writer<S> {
    /// Works until all senders are gone and the queue is empty.
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.recv().await {
            let mut changes = first.changes();
            let mut batch = vec![first];
            while changes < CHANGES_PER_TRANSACTION
                && batch.len() < COMMITS_PER_TRANSACTION
                && let Ok(job) = jobs.try_recv()
            {
                changes += job.changes();
                batch.push(job);
            }
            self.write(batch).await;
        }
        if let Err(error) = self.session.close().await {
            tracing::warn!(%error, "closing the database failed; nothing that was answered is lost");
        }
    }

    /// Writes a batch in one transaction, and answers once it is on the disk, or lost for all.
    async fn write(&mut self, batch: Vec<Job>) {
        let touched = touched(&batch);
        let mut written = self.try_write(&batch, &touched, Care::Hopeful).await;
        if matches!(written, Err(Stopped::Undo)) {
            self.session.roll_back().await;
            written = self.try_write(&batch, &touched, Care::EachAlone).await;
        }
        match written {
            Ok((outcomes, news)) => {
                self.announce(&batch, &outcomes, &touched, news);
                for (job, outcome) in batch.into_iter().zip(outcomes) {
                    job.answer(outcome);
                }
            }
            Err(stopped) => {
                let why = match stopped {
                    Stopped::Lost(error) => error.to_string(),
                    Stopped::Undo => "a part of it could not be undone".to_owned(),
                };
                tracing::error!(error = why, "a transaction was lost");
                self.session.roll_back().await;
                for job in batch {
                    job.lost(&why);
                }
            }
        }
    }

    async fn try_write(
        &mut self,
        batch: &[Job],
        touched: &Touched,
        care: Care,
    ) -> Result<(Vec<Outcome>, News), Stopped> {
        let news = self.begin(touched).await?;
        let mut outcomes = Vec::with_capacity(batch.len());
        for job in batch {
            outcomes.push(self.write_one(job, care).await?);
        }
        self.finish(care).await?;
        Ok((outcomes, news))
    }

    /// Says how far everything is now.
    fn announce(&mut self, batch: &[Job], outcomes: &[Outcome], touched: &Touched, mut news: News) {
        for (job, outcome) in batch.iter().zip(outcomes) {
            if let (Job::Commit(commit, _), Outcome::Commit(Ok(committed))) = (job, outcome) {
                news.heads.insert(commit.env, committed.revision);
            }
        }
        for (env, revision) in &news.heads {
            self.moves.reached(*env, *revision);
        }
        if let Some(version) = news.directory {
            self.moves.directory_reached(version);
        }
        if !touched.deleted.is_empty() {
            self.moves.all_lost();
        }
        if !news.is_empty() {
            self.session.announce(news);
        }
    }
}

/// Whether the directory holds what is written; sessions and links are looked up each time.
fn is_of_directory(op: &AdminOp) -> bool {
    match op {
        AdminOp::PutOrganization(_)
        | AdminOp::PutProject(_)
        | AdminOp::DeleteProject(_)
        | AdminOp::PutEnvironment { .. }
        | AdminOp::DeleteEnvironment(_)
        | AdminOp::PutApiKey(_)
        | AdminOp::RevokeApiKey { .. }
        | AdminOp::PutWebhook(_)
        | AdminOp::DeleteWebhook(_) => true,
        AdminOp::PutSession(_)
        | AdminOp::DeleteSession(_)
        | AdminOp::DeleteSessionsOf { .. }
        | AdminOp::PutPassword(_)
        | AdminOp::DeletePassword { .. }
        | AdminOp::PutLink(_) => false,
    }
}

fn touched(batch: &[Job]) -> Touched {
    let mut touched = Touched::default();
    for job in batch {
        job.touches(&mut touched);
    }
    // One order for everybody, so that two who need the same do not each hold what the other waits for.
    touched.written.sort_unstable();
    touched.written.dedup();
    touched.deleted.sort_unstable();
    touched.deleted.dedup();
    touched.chains.sort_unstable();
    touched.chains.dedup();
    touched
}
