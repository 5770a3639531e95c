//! What was acknowledged is there after the process was killed, and nothing is there by half.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of a test fail as the test does"
)]

#[cfg(unix)]
mod support;

use askfirst_domain::{Id, id::EnvId};
use askfirst_store::{
    AuditFilter, Options, Page, SqliteStore, Store, UserFilter,
    tools::{self, Place},
};
#[cfg(unix)]
use askfirst_store::{PostgresOptions, PostgresStore};
use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};
use tokio::time::timeout;
use uuid::Uuid;

const ENV: EnvId = Id::new(Uuid::from_u128(3));

/// The example stands beside the directory of this test.
fn writer() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let name = format!("writer{}", std::env::consts::EXE_SUFFIX);
    test.parent().and_then(Path::parent).unwrap().join("examples").join(name)
}

/// A process that commits until it is killed.
struct Writing {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    acknowledged: Vec<u64>,
}

impl Writing {
    /// `place` is a file or a URL.
    fn start(place: impl AsRef<OsStr>) -> Self {
        let child = Command::new(writer()).arg(place).stdout(Stdio::piped()).spawn();
        let mut child =
            child.expect("the example `writer` is built: `cargo build -p askfirst-store --example writer`");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, acknowledged: Vec::new() }
    }

    /// Waits until it has acknowledged so many commits more.
    fn go_on(&mut self, commits: usize) {
        for _ in 0..commits {
            let line = self.lines.next().expect("the writer writes until it is killed").unwrap();
            self.acknowledged.push(line.parse().unwrap());
        }
    }

    /// Kills it, and gives the revisions that it has acknowledged.
    fn kill(mut self) -> Vec<u64> {
        self.child.kill().unwrap();
        // What it had said before it died counts as well; a torn last line was not said.
        self.acknowledged
            .extend(self.lines.map_while(Result::ok).filter_map(|line| line.parse::<u64>().ok()));
        self.child.wait().unwrap();
        self.acknowledged
    }
}

/// Nothing that was acknowledged is missing, and nothing is there by half; gives the newest revision.
async fn check(store: &dyn Store, acknowledged: &[u64]) -> u64 {
    let last = acknowledged.iter().copied().max().unwrap();
    let mut head = store.head(ENV).await.unwrap().unwrap();
    // A server may still be at a commit whose client is dead.
    while timeout(Duration::from_secs(1), store.moved(ENV, head.revision)).await.is_ok() {
        head = store.head(ENV).await.unwrap().unwrap();
    }
    assert!(head.revision >= last, "revision {last} was acknowledged, the store has {}", head.revision);
    let log = store.changes_after(ENV, 0, usize::MAX).await.unwrap();
    let mut present: Vec<_> = log.iter().map(|record| record.revision).collect();
    present.dedup();
    assert_eq!(present, (1..=head.revision).collect::<Vec<_>>(), "no gaps, and none beyond the head");

    // Every commit has one event and as many users as changes: no commit is there by half.
    let events = store.audit_events(Some(ENV), &AuditFilter::default(), Page::ALL).await.unwrap();
    let users = store.users(ENV, &UserFilter::default(), Page::ALL).await.unwrap();
    assert_eq!((events.total, users.total), (head.revision, log.len() as u64));
    // What a start reads, from whatever image the dead have left.
    let mut loaded = 0;
    store.load(ENV, &mut |chunk| loaded += chunk.len()).await.unwrap();
    assert_eq!(loaded, log.len());
    head.revision
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.db");
    let mut newest = 0;
    // Uneven counts, so that the kills fall on different moments of a transaction.
    for commits in [1, 2, 7, 40, 113, 211, 17, 5] {
        let mut writing = Writing::start(&file);
        writing.go_on(commits);
        let revisions = writing.kill();
        assert!(revisions.iter().all(|r| *r > newest), "a revision was given again after the kill");

        let store = SqliteStore::open(&file, Options::default()).await.unwrap();
        newest = check(&store, &revisions).await;
        store.close().await;
    }
    let place = Place::Sqlite(file);
    assert!(tools::info(&place).await.unwrap().environments.iter().all(|env| env.image.is_some()));
    assert_eq!(tools::check(&place, &mut |_| {}).await.unwrap(), []);
}

/// Of two processes on one database one is killed, and the other goes on.
#[cfg(unix)]
#[tokio::test]
async fn a_killed_process_takes_nothing_along() {
    let Some(server) = support::Server::start("on") else { return };
    let url = server.database().await;
    let store = PostgresStore::connect(&url, PostgresOptions::default()).await.unwrap();
    let mut newest = 0;
    for commits in [1, 2, 7, 40, 113, 17, 5] {
        let mut staying = Writing::start(&url);
        staying.go_on(1);
        let mut dying = Writing::start(&url);
        dying.go_on(commits);
        let mut revisions = dying.kill();
        staying.go_on(50);
        revisions.extend(staying.kill());

        let count = revisions.len();
        assert!(revisions.iter().all(|r| *r > newest), "a revision was given again after the kill");
        revisions.sort_unstable();
        revisions.dedup();
        assert_eq!(revisions.len(), count, "a revision was given to both");
        newest = check(&store, &revisions).await;
    }
    let place = Place::Postgres(url);
    assert!(tools::info(&place).await.unwrap().environments.iter().all(|env| env.image.is_some()));
    assert_eq!(tools::check(&place, &mut |_| {}).await.unwrap(), []);
}
