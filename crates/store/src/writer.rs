//! The one writer: takes what is queued, writes it in one transaction, answers when it is on the disk.

use crate::{
    AdminCommit, AdminOp, Commit, CommitError, Committed, Erasure, StoreError,
    body::{Directory, News, Session, Touched, failed},
    chains::Chains,
    expectations,
    image::Meter,
    moves::Moves,
    sql::{self, Pace, Statement, audit::event_rows, read, rows::head},
};
use askfirst_domain::{
    Timestamp,
    audit::{AuditEvent, ChainId, Private},
    id::EnvId,
    scope::SignInLink,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// A batch ends when it holds this many changes, so that no caller waits for ever behind a bulk load.
const CHANGES_PER_TRANSACTION: usize = 4096;
/// A batch ends when it holds this many commits.
const COMMITS_PER_TRANSACTION: usize = 512;

/// From so many changes on it is hoped that they are all new; a change of one thing mostly rewrites it.
const WORTH_HOPING: usize = 32;

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
enum Answer {
    Commit(EnvId, Reply<Committed, CommitError>, Result<Committed, CommitError>),
    Admin(Reply<(), CommitError>, Result<(), CommitError>),
    Link(Reply<Option<SignInLink>, StoreError>, Result<Option<SignInLink>, StoreError>),
    Upkeep(Reply<u64, StoreError>, Result<u64, StoreError>),
}

impl Answer {
    fn is_refusal(&self) -> bool {
        match self {
            Self::Commit(_, _, result) => result.is_err(),
            Self::Admin(_, result) => result.is_err(),
            Self::Link(_, result) => result.is_err(),
            Self::Upkeep(_, result) => result.is_err(),
        }
    }

    /// An asker who has gone away is not missed.
    fn send(self) {
        match self {
            Self::Commit(_, reply, result) => drop(reply.send(result)),
            Self::Admin(reply, result) => drop(reply.send(result)),
            Self::Link(reply, result) => drop(reply.send(result)),
            Self::Upkeep(reply, result) => drop(reply.send(result)),
        }
    }

    /// The same, after the transaction was lost.
    fn lost(self, why: &str) -> Self {
        let error = || failed("writing")(sqlx::Error::Protocol(why.to_owned()));
        match self {
            Self::Commit(env, reply, _) => Self::Commit(env, reply, Err(error().into())),
            Self::Admin(reply, _) => Self::Admin(reply, Err(error().into())),
            Self::Link(reply, _) => Self::Link(reply, Err(error())),
            Self::Upkeep(reply, _) => Self::Upkeep(reply, Err(error())),
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
        let writer = Writer {
            session,
            moves: Arc::clone(&moves),
            meter: Arc::clone(&meter),
            chains: Chains::default(),
        };
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
    chains: Chains,
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
            for answer in self.write(batch).await {
                answer.send();
            }
        }
        if let Err(error) = self.session.close().await {
            tracing::warn!(%error, "closing the database failed; nothing that was answered is lost");
        }
    }

    /// Writes a batch in one transaction. The answers may be sent: the transaction is on the disk, or lost for all.
    async fn write(&mut self, batch: Vec<Job>) -> Vec<Answer> {
        let touched = touched(&batch);
        let mut answers = Vec::with_capacity(batch.len());
        let mut news = News::default();
        let mut broken = self.begin(&touched, &mut news).await.err();
        for job in batch {
            let answer = match &broken {
                Some(error) => not_tried(job, error),
                None => self.write_one(job, &mut broken).await,
            };
            answers.push(answer);
        }
        if broken.is_none() {
            broken = self.finish().await.err();
        }
        let Some(error) = broken else {
            self.announce(&answers, &touched, news);
            return answers;
        };
        tracing::error!(%error, "a transaction was lost");
        self.session.roll_back().await;
        let why = error.to_string();
        answers.into_iter().map(|answer| answer.lost(&why)).collect()
    }

    /// Ends the transaction.
    async fn finish(&mut self) -> Result<(), sqlx::Error> {
        let chains = std::mem::take(&mut self.chains);
        chains.write(&mut self.session).await?;
        self.session.commit().await
    }

    /// Begins the transaction and takes what it touches. The directory comes first, for everybody: who has it needs no
    /// environment that another one holds while waiting for the directory.
    async fn begin(&mut self, touched: &Touched, news: &mut News) -> Result<(), sqlx::Error> {
        self.session.begin().await?;
        if touched.directory == Directory::Written {
            let rows = self.session.rows(read::next_directory()).await?;
            let version = rows.first().map(sql::rows::directory).transpose();
            news.directory = version.map_err(|e| sqlx::Error::Decode(e.into()))?;
        }
        self.session.hold(touched).await?;
        self.chains = Chains::take(&mut self.session, &touched.chains).await?;
        Ok(())
    }

    /// Says how far everything is now.
    fn announce(&mut self, answers: &[Answer], touched: &Touched, mut news: News) {
        for answer in answers {
            if let Answer::Commit(env, _, Ok(committed)) = answer {
                news.heads.insert(*env, committed.revision);
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

    /// Writes one job under a savepoint, so that a refused one leaves nothing and its neighbours stand.
    async fn write_one(&mut self, job: Job, broken: &mut Option<sqlx::Error>) -> Answer {
        if let Err(error) = self.run_text("SAVEPOINT job").await {
            let answer = not_tried(job, &error);
            *broken = Some(error);
            return answer;
        }
        let chains = self.chains.clone();
        let answer = match job {
            Job::Commit(commit, reply) => Answer::Commit(commit.env, reply, self.commit(&commit).await),
            Job::Admin(commit, reply) => Answer::Admin(reply, self.admin(&commit).await),
            Job::Erase(erasure, reply) => Answer::Admin(reply, self.erase(&erasure).await),
            Job::TakeLink { token_hash, now, reply } => {
                Answer::Link(reply, self.take_link(&token_hash, now).await)
            }
            Job::Upkeep(statement, reply) => {
                let rows = self.session.rows(statement).await.map_err(failed("tidying up"));
                Answer::Upkeep(reply, rows.map(|rows| rows.len() as u64))
            }
        };
        let mut end = Ok(());
        if answer.is_refusal() {
            self.chains = chains;
            end = self.run_text("ROLLBACK TO SAVEPOINT job").await;
        }
        if end.is_ok() {
            end = self.run_text("RELEASE SAVEPOINT job").await;
        }
        if let Err(error) = end {
            *broken = Some(error);
        }
        answer
    }

    async fn commit(&mut self, commit: &Commit) -> Result<Committed, CommitError> {
        let hopeful: &[Pace] =
            if commit.changes.len() < WORTH_HOPING { &[Pace::Many] } else { &[Pace::New, Pace::Many] };
        let chains = self.chains.clone();
        for pace in hopeful {
            match self.try_commit(commit, *pace).await {
                Err(Failure::Somewhere) => {
                    self.chains = chains.clone();
                    self.run_text("ROLLBACK TO SAVEPOINT job").await.map_err(failed("writing"))?;
                }
                other => return other.map_err(Failure::into_error),
            }
        }
        self.try_commit(commit, Pace::OneByOne).await.map_err(Failure::into_error)
    }

    async fn try_commit(&mut self, commit: &Commit, pace: Pace) -> Result<Committed, Failure> {
        let env = commit.env;
        let take =
            if commit.changes.is_empty() { read::same_revision(env) } else { read::next_revision(env) };
        let found = self.rows(take).await?;
        let row = found.first().ok_or(CommitError::NoSuchEnvironment(env))?;
        let head = head(row)?;

        if let Some(expect) = expectations::broken(&mut self.session, env, &commit.expects).await? {
            return Err(CommitError::Conflict(expect).into());
        }
        let rows = sql::steps(S::DIALECT, env, head.revision, &commit.changes, pace);
        let rows = rows.map(|step| step.map(|step| (step.statement, step.changes)));
        let log = sql::change_rows(S::DIALECT, commit, head.revision)?;
        let schema = commit.changes.iter().any(sql::touches_schema);
        let schema = schema.then(|| Ok(read::schema_written(env, head.revision)));
        let chains = &mut self.chains;
        let events: Vec<_> = commit.audit.iter().collect();
        let events = event_rows(S::DIALECT, &events, |event| chains.append(Some(env), event));
        let behind = log.chain(schema).chain(events).map(|statement| Ok((statement?, [].as_slice())));
        run_all(&mut self.session, rows.chain(behind), |error, changes| match changes {
            _ if is_duplicate(&error) && pace == Pace::New => Failure::Somewhere,
            [change] if is_duplicate(&error) => CommitError::Duplicate { what: sql::name_of(change) }.into(),
            [_, _, ..] if is_duplicate(&error) => Failure::Somewhere,
            _ => failed("writing a commit")(error).into(),
        })
        .await?;
        for item in &commit.outbox {
            self.execute(sql::outbox_row(env, item)?).await?;
        }
        // Only a hint, so it is none too many if the transaction is lost.
        self.meter.wrote(env, commit.changes.len() as u64);
        Ok(Committed { epoch: head.epoch, revision: head.revision })
    }

    async fn admin(&mut self, commit: &AdminCommit) -> Result<(), CommitError> {
        for op in &commit.ops {
            for step in sql::admin_steps(op)? {
                if step.statement.holds_nul() {
                    return Err(StoreError::Nul.into());
                }
                if let Err(error) = self.session.execute(step.statement).await {
                    return Err(if is_duplicate(&error) {
                        CommitError::Duplicate { what: step.what }
                    } else {
                        failed("writing an administrative commit")(error).into()
                    });
                }
            }
        }
        self.link(commit.audit.iter().map(|(env, event)| (*env, event))).await?;
        Ok(())
    }

    /// Writes audit events, each as the next of its chain.
    async fn link(
        &mut self,
        events: impl Iterator<Item = (Option<EnvId>, &AuditEvent)>,
    ) -> Result<(), StoreError> {
        let events: Vec<_> = events.collect();
        let chains = &mut self.chains;
        let rows = event_rows(S::DIALECT, &events, |(env, event)| chains.append(env, event));
        let rows = rows.map(|statement| Ok((statement?, ())));
        run_all(&mut self.session, rows, |error, ()| failed("writing audit events")(error)).await
    }

    /// Erases parts of audit events. What is there is read here, so that two who erase do not undo each other.
    async fn erase(&mut self, erasure: &Erasure) -> Result<(), CommitError> {
        let parts: BTreeMap<_, _> = erasure.parts.iter().map(|(id, fields)| (id.uuid(), fields)).collect();
        let rows = self.rows(sql::audit::private_of(S::DIALECT, erasure.env, parts.keys().copied())).await?;
        for row in &rows {
            let mut c = sql::Cells::of("audit event", row);
            let (id, mut private): (_, Private) = (c.uuid()?, c.json()?);
            for field in parts.get(&id).into_iter().flat_map(|fields| fields.iter()) {
                private.remove(field);
            }
            self.execute(sql::audit::put_private(id, &private)?).await?;
        }
        Ok(self.link(std::iter::once((Some(erasure.env), &erasure.event))).await?)
    }

    async fn take_link(
        &mut self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<Option<SignInLink>, StoreError> {
        let taken = self.rows(sql::take_link(token_hash)).await?;
        let link = taken.first().map(sql::rows::link).transpose()?;
        Ok(link.filter(|link| sql::still_good(link, now)))
    }

    async fn execute(&mut self, statement: Statement) -> Result<(), StoreError> {
        self.session.execute(statement).await.map_err(failed("writing a commit"))
    }

    async fn rows(&mut self, statement: Statement) -> Result<Vec<S::Row>, StoreError> {
        self.session.rows(statement).await.map_err(failed("writing a commit"))
    }

    async fn run_text(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        self.session.execute(Statement::new(sql, Vec::new())).await
    }
}

/// Runs statements one after the other. While the database works on one, the next one is put together: a bulk load is as
/// much work here as there.
async fn run_all<S: Session, A, F: From<StoreError>>(
    session: &mut S,
    mut statements: impl Iterator<Item = Result<(Statement, A), StoreError>> + Send,
    refused: impl Fn(sqlx::Error, A) -> F,
) -> Result<(), F> {
    let mut next = statements.next().transpose()?;
    while let Some((statement, about)) = next {
        // Each database has its own answer to that, or none.
        if statement.holds_nul() {
            return Err(StoreError::Nul.into());
        }
        let (done, following) =
            futures::join!(session.execute(statement), async { statements.next().transpose() });
        done.map_err(|error| refused(error, about))?;
        next = following?;
    }
    Ok(())
}

/// Why a commit was not written.
#[derive(Debug)]
enum Failure {
    Refused(CommitError),
    /// One of many changes that were written at once breaks a uniqueness.
    Somewhere,
}

impl Failure {
    fn into_error(self) -> CommitError {
        match self {
            Self::Refused(error) => error,
            Self::Somewhere => CommitError::Duplicate { what: "one of these things".to_owned() },
        }
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self::Refused(error)
    }
}
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
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

fn not_tried(job: Job, error: &sqlx::Error) -> Answer {
    let lost = || failed("writing")(sqlx::Error::Protocol(error.to_string()));
    match job {
        Job::Commit(commit, reply) => Answer::Commit(commit.env, reply, Err(lost().into())),
        Job::Admin(_, reply) | Job::Erase(_, reply) => Answer::Admin(reply, Err(lost().into())),
        Job::TakeLink { reply, .. } => Answer::Link(reply, Err(lost())),
        Job::Upkeep(_, reply) => Answer::Upkeep(reply, Err(lost())),
    }
}

fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
