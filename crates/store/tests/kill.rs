//! What was acknowledged is there after the process was killed, and nothing is there by half.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of a test fail as the test does")]

use askfirst_domain::{Id, id::EnvId};
use askfirst_store::{AuditFilter, Options, Page, SqliteStore, Store, UserFilter};
use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use uuid::Uuid;

const ENV: EnvId = Id::new(Uuid::from_u128(3));

/// The example stands beside the directory of this test.
fn writer() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let name = format!("writer{}", std::env::consts::EXE_SUFFIX);
    test.parent().and_then(Path::parent).unwrap().join("examples").join(name)
}

/// Runs the writer, kills it after it has acknowledged so many commits, and gives the revisions.
fn run_and_kill(file: &Path, acknowledged: usize) -> Vec<u64> {
    let child = Command::new(writer()).arg(file).stdout(Stdio::piped()).spawn();
    let mut child =
        child.expect("the example `writer` is built: `cargo build -p askfirst-store --example writer`");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut revisions: Vec<u64> = Vec::new();
    while revisions.len() < acknowledged {
        let line = lines.next().expect("the writer writes until it is killed").unwrap();
        revisions.push(line.parse().unwrap());
    }
    child.kill().unwrap();
    // What it had said before it died counts as well; a torn last line was not said.
    revisions.extend(lines.map_while(Result::ok).filter_map(|line| line.parse::<u64>().ok()));
    child.wait().unwrap();
    revisions
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.db");
    let mut newest = 0;
    // Uneven counts, so that the kills fall on different moments of a transaction.
    for acknowledged in [1, 2, 7, 40, 113, 211, 17, 5] {
        let revisions = run_and_kill(&file, acknowledged);
        let last = revisions.iter().copied().max().unwrap();
        assert!(revisions.iter().all(|r| *r > newest), "a revision was given again after the kill");

        let store = SqliteStore::open(&file, Options::default()).await.unwrap();
        let head = store.head(ENV).await.unwrap().unwrap();
        assert!(head.revision >= last, "revision {last} was acknowledged, the store has {}", head.revision);
        let log = store.changes_after(ENV, 0, usize::MAX).await.unwrap();
        let mut present: Vec<_> = log.iter().map(|record| record.revision).collect();
        present.dedup();
        assert_eq!(present, (1..=head.revision).collect::<Vec<_>>(), "no gaps, and none beyond the head");

        // Every commit has one event and as many users as changes: no commit is there by half.
        let events = store.audit_events(Some(ENV), &AuditFilter::default(), Page::ALL).await.unwrap();
        let users = store.users(ENV, &UserFilter::default(), Page::ALL).await.unwrap();
        assert_eq!((events.total, users.total), (head.revision, log.len() as u64));
        newest = head.revision;
        store.close().await;
    }
}
