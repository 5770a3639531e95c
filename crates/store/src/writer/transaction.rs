//! A transaction of the writer: where it begins and ends, and what it keeps in memory until then.

use super::{Care, Stopped, Writer};
use crate::{
    Commit, Head, StoreError,
    body::{Directory, News, Session, Touched, failed},
    chains::Chains,
    sql::{
        self, Statement,
        audit::{Linked, event_row, write_events},
        read,
        rows::{directory, head},
    },
};
use askfirst_domain::{
    change::{Change, Expect},
    id::EnvId,
};
use std::collections::BTreeMap;

/// So many rows are kept in memory at most.
const KEPT: usize = 1024;

/// What a transaction has not written yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub(super) chains: Chains,
    /// How far environments are, with what this transaction adds.
    heads: BTreeMap<EnvId, Reached>,
    rows: Rows,
}

/// How far an environment is.
#[derive(Debug, Clone, Copy)]
struct Reached {
    head: Head,
    moved: bool,
}

/// Rows that are only ever added, of commits in their order.
#[derive(Debug, Clone, Default)]
struct Rows {
    changes: Vec<Vec<sql::Value>>,
    events: Vec<Vec<sql::Value>>,
    letters: Vec<Vec<sql::Value>>,
    /// Whether a later commit may ask for one of these changes; see [`Expect::NothingTakenSince`].
    takes: bool,
}

impl Rows {
    fn count(&self) -> usize {
        self.changes.len() + self.events.len() + self.letters.len()
    }

    /// Adds a row, unless the database could not keep it.
    fn add(to: &mut Vec<Vec<sql::Value>>, row: Vec<sql::Value>) -> Result<(), StoreError> {
        // Each database has its own answer to NUL, or none.
        if sql::holds_nul(&row) {
            return Err(StoreError::Nul);
        }
        to.push(row);
        Ok(())
    }
}

impl Held {
    /// Keeps what a commit adds to the log, the audit log and the outbox.
    pub(super) fn keep(&mut self, commit: &Commit, revision: u64) -> Result<(), StoreError> {
        for row in sql::change_rows(commit, revision)? {
            Rows::add(&mut self.rows.changes, row)?;
        }
        self.rows.takes |= commit.changes.iter().any(|change| !matches!(change, Change::PutRequest(_)));
        for event in &commit.audit {
            let linked: Linked<'_> = self.chains.append(Some(commit.env), event)?;
            Rows::add(&mut self.rows.events, event_row(linked)?)?;
        }
        for item in &commit.outbox {
            Rows::add(&mut self.rows.letters, sql::outbox_row(commit.env, item)?)?;
        }
        Ok(())
    }

    /// Whether a commit asks for something that is kept here.
    pub(super) fn is_asked_for(&self, commit: &Commit) -> bool {
        let asks = |expect: &Expect| matches!(expect, Expect::NothingTakenSince { .. });
        self.rows.count() > KEPT || (self.rows.takes && commit.expects.iter().any(asks))
    }
}

impl<S: Session> Writer<S> {
    /// Begins the transaction and takes what it touches. The directory comes first, for everybody: who has it needs no
    /// environment that another one holds while waiting for the directory.
    pub(super) async fn begin(&mut self, touched: &Touched) -> Result<News, sqlx::Error> {
        let mut news = News::default();
        self.session.begin().await?;
        if touched.directory == Directory::Written {
            let rows = self.session.rows(read::next_directory()).await?;
            let version = rows.first().map(directory).transpose();
            news.directory = version.map_err(|e| sqlx::Error::Decode(e.into()))?;
        }
        self.session.hold(touched).await?;
        let chains = Chains::take(&mut self.session, &touched.chains).await?;
        self.held = Held { chains, ..Held::default() };
        Ok(news)
    }

    /// Ends the transaction.
    pub(super) async fn finish(&mut self, care: Care) -> Result<(), Stopped> {
        if let Err(error) = self.write_kept().await {
            // With care nothing is kept, so that nothing is refused here.
            return Err(if care == Care::Hopeful { Stopped::Undo } else { Stopped::Lost(error) });
        }
        let held = std::mem::take(&mut self.held);
        held.chains.write(&mut self.session).await?;
        Ok(self.session.commit().await?)
    }

    /// How far the environment is. Nobody else moves it until the transaction ends: the transaction holds it.
    pub(super) async fn head(&mut self, env: EnvId) -> Result<Option<Head>, StoreError> {
        if let Some(reached) = self.held.heads.get(&env) {
            return Ok(Some(reached.head));
        }
        let rows = self.session.rows(read::head(env)).await.map_err(failed("writing a commit"))?;
        let found = rows.first().map(head).transpose()?;
        self.held.heads.extend(found.map(|head| (env, Reached { head, moved: false })));
        Ok(found)
    }

    /// The environment is this far now.
    pub(super) fn moved(&mut self, env: EnvId, head: Head) {
        self.held.heads.insert(env, Reached { head, moved: true });
    }

    /// Writes all that is kept, the ends of chains excepted, and forgets how far the environments are: what comes next may
    /// read it, or delete them.
    pub(super) async fn write_kept(&mut self) -> Result<(), sqlx::Error> {
        let Rows { changes, events, letters, .. } = std::mem::take(&mut self.held.rows);
        let heads = std::mem::take(&mut self.held.heads);
        let heads = heads.iter().filter(|(_, reached)| reached.moved);
        let statements = sql::write_changes(S::DIALECT, changes)
            .into_iter()
            .chain(write_events(S::DIALECT, events))
            .chain(sql::write_outbox(S::DIALECT, letters))
            .chain(heads.map(|(env, reached)| read::head_written(*env, reached.head.revision)));
        let statements: Vec<Statement> = statements.collect();
        for statement in statements {
            self.session.execute(statement).await?;
        }
        Ok(())
    }
}
