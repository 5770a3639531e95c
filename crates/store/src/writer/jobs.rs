//! What the writer does for each job.

use super::{Care, Job, Outcome, Stopped, Writer};
use crate::{
    AdminCommit, Commit, CommitError, Committed, Erasure, StoreError,
    body::{Session, failed},
    expectations,
    sql::{self, Pace, Statement, audit::event_statements, read},
};
use askfirst_domain::{
    Timestamp,
    audit::{AuditEvent, Private},
    id::EnvId,
    scope::SignInLink,
};
use std::collections::BTreeMap;

/// From so many changes on it is hoped that they are all new; a change of one thing mostly rewrites it.
const WORTH_HOPING: usize = 32;
const COMMITTING: &str = "writing a commit";

/// Whether a commit is written by itself: its rows are put together while the database writes those before.
fn is_large(commit: &Commit) -> bool {
    commit.changes.len() >= WORTH_HOPING
}

impl<S: Session> Writer<S> {
    /// Writes one job. A refused one leaves nothing and its neighbours stand, or the batch is to be undone.
    pub(super) async fn write_one(&mut self, job: &Job, care: Care) -> Result<Outcome, Stopped> {
        let is_large = matches!(job, Job::Commit(commit, _) if is_large(commit));
        if is_large || !matches!(job, Job::Commit(..)) {
            // It may read what is kept, and its own rows stand behind those of the jobs before.
            let kept = self.write_kept().await;
            kept.map_err(|error| if care == Care::Hopeful { Stopped::Undo } else { Stopped::Lost(error) })?;
        }
        if care == Care::Hopeful && !is_large {
            let outcome = self.work(job, care).await;
            let undo = outcome.is_refusal() && !outcome.has_left_nothing();
            return if undo { Err(Stopped::Undo) } else { Ok(outcome) };
        }
        self.run_text("SAVEPOINT job").await?;
        let before = self.held.clone();
        let mut outcome = self.work(job, care).await;
        if !outcome.is_refusal()
            && let Err(error) = self.write_kept().await
        {
            outcome = outcome.failed(failed(COMMITTING)(error));
        }
        if outcome.is_refusal() {
            self.held = before;
            self.run_text("ROLLBACK TO SAVEPOINT job").await?;
        }
        self.run_text("RELEASE SAVEPOINT job").await?;
        Ok(outcome)
    }

    async fn work(&mut self, job: &Job, care: Care) -> Outcome {
        match job {
            Job::Commit(commit, _) if is_large(commit) => Outcome::Commit(self.large_commit(commit).await),
            Job::Commit(commit, _) => Outcome::Commit(self.small_commit(commit, care).await),
            Job::Admin(commit, _) => Outcome::Admin(self.admin(commit).await),
            Job::Erase(erasure, _) => Outcome::Admin(self.erase(erasure).await),
            Job::TakeLink { token_hash, now, .. } => Outcome::Link(self.take_link(token_hash, *now).await),
            Job::Upkeep(statement, _) => {
                let rows = self.session.rows(statement.clone()).await.map_err(failed("tidying up"));
                Outcome::Upkeep(rows.map(|rows| rows.len() as u64))
            }
        }
    }

    /// Looks at what a commit expects, and says as what it is written.
    async fn ready(&mut self, commit: &Commit) -> Result<Committed, CommitError> {
        let env = commit.env;
        let mut head = self.head(env).await?.ok_or(CommitError::NoSuchEnvironment(env))?;
        if let Some(expect) = expectations::broken(&mut self.session, env, &commit.expects).await? {
            return Err(CommitError::Conflict(expect));
        }
        if !commit.changes.is_empty() {
            head.revision += 1;
            self.moved(env, head);
        }
        Ok(Committed { epoch: head.epoch, revision: head.revision })
    }

    /// Writes what may be asked for at once, and keeps the rest.
    async fn small_commit(&mut self, commit: &Commit, care: Care) -> Result<Committed, CommitError> {
        if self.held.is_asked_for(commit) {
            self.write_kept().await.map_err(failed(COMMITTING))?;
        }
        let committed = self.ready(commit).await?;
        let (env, revision) = (commit.env, committed.revision);
        // With care it is known which of the rows is refused.
        let pace = if care == Care::Hopeful { Pace::Many } else { Pace::OneByOne };
        let rows = sql::steps(S::DIALECT, env, revision, &commit.changes, pace);
        let rows = rows.map(|step| step.map(|step| (step.statement, step.changes)));
        let schema = commit.changes.iter().any(sql::touches_schema);
        let schema = schema.then(|| Ok((read::schema_written(env, revision), [].as_slice())));
        run_all(&mut self.session, rows.chain(schema), refused_row).await.map_err(Failure::into_error)?;
        self.held.keep(commit, revision)?;
        // Only a hint, so it is none too many if the transaction is lost.
        self.meter.wrote(env, commit.changes.len() as u64);
        Ok(committed)
    }

    async fn large_commit(&mut self, commit: &Commit) -> Result<Committed, CommitError> {
        let before = self.held.clone();
        for pace in [Pace::New, Pace::Many] {
            match self.try_large_commit(commit, pace).await {
                Err(Failure::Somewhere) => {
                    self.held = before.clone();
                    self.run_text("ROLLBACK TO SAVEPOINT job").await.map_err(failed("writing"))?;
                }
                other => return other.map_err(Failure::into_error),
            }
        }
        self.try_large_commit(commit, Pace::OneByOne).await.map_err(Failure::into_error)
    }

    async fn try_large_commit(&mut self, commit: &Commit, pace: Pace) -> Result<Committed, Failure> {
        let committed = self.ready(commit).await?;
        let (env, revision) = (commit.env, committed.revision);
        let rows = sql::steps(S::DIALECT, env, revision, &commit.changes, pace);
        let rows = rows.map(|step| step.map(|step| (step.statement, step.changes)));
        let log = sql::change_statements(S::DIALECT, commit, revision)?;
        let schema = commit.changes.iter().any(sql::touches_schema);
        let schema = schema.then(|| Ok(read::schema_written(env, revision)));
        let chains = &mut self.held.chains;
        let events: Vec<_> = commit.audit.iter().collect();
        let events = event_statements(S::DIALECT, &events, |event| chains.append(Some(env), event));
        let behind = log.chain(schema).chain(events).map(|statement| Ok((statement?, [].as_slice())));
        run_all(&mut self.session, rows.chain(behind), |error, changes| match changes {
            _ if is_duplicate(&error) && pace == Pace::New => Failure::Somewhere,
            changes => refused_row(error, changes),
        })
        .await?;
        let letters = commit.outbox.iter().map(|item| sql::outbox_row(env, item));
        let letters = letters.collect::<Result<Vec<_>, _>>()?;
        for statement in sql::write_outbox(S::DIALECT, letters) {
            if statement.holds_nul() {
                return Err(StoreError::Nul.into());
            }
            self.session.execute(statement).await.map_err(failed(COMMITTING))?;
        }
        self.meter.wrote(env, commit.changes.len() as u64);
        Ok(committed)
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
        let chains = &mut self.held.chains;
        let rows = event_statements(S::DIALECT, &events, |(env, event)| chains.append(env, event));
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
            let put = sql::audit::put_private(id, &private)?;
            self.session.execute(put).await.map_err(failed(COMMITTING))?;
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

    async fn rows(&mut self, statement: Statement) -> Result<Vec<S::Row>, StoreError> {
        self.session.rows(statement).await.map_err(failed(COMMITTING))
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

/// What it means that a statement that writes these changes was refused.
fn refused_row(error: sqlx::Error, changes: &[askfirst_domain::change::Change]) -> Failure {
    match changes {
        [change] if is_duplicate(&error) => CommitError::Duplicate { what: sql::name_of(change) }.into(),
        [_, _, ..] if is_duplicate(&error) => Failure::Somewhere,
        _ => failed(COMMITTING)(error).into(),
    }
}

fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
