//! Whether the database file is the one that the last process left behind, or somebody has put an older one in its place.
//!
//! Whoever restores a backup by copying files takes the environments back to an earlier revision; what is written then
//! gets revisions that were given once before, to something else. Tokens that clients hold would lie. So each process
//! leaves a mark in the database and in a file beside it, together with the newest revisions that it has seen; when the
//! two do not go together at the next start, the environments get new epochs, by which all older tokens are refused.
//!
//! A witness that was copied along with its database would say what the database says. It holds the moment at which it
//! was written, which no copy has: either the copy is younger, or it pretends not to be and its status is.

use crate::{
    Head, StoreError,
    body::failed,
    sql::{self, Dialect, Row as _},
};
use askfirst_domain::{Id, id::EnvId};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use std::{
    collections::BTreeMap,
    fs::{self, File, Metadata},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::task::spawn_blocking;
use uuid::Uuid;

const DOING: &str = "comparing the database with its witness";
/// Between what the file says of its age and what the directory does.
const TOLERANCE: Duration = Duration::from_secs(10);
const HEADS: &str = "SELECT id, epoch, head_revision FROM environment";

/// What is known about a database from beside it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Seen {
    /// The mark that the database has, or the one that it is about to get.
    marks: Vec<Uuid>,
    environments: Vec<SeenEnvironment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct SeenEnvironment {
    id: Uuid,
    epoch: Uuid,
    revision: u64,
}

/// The file beside a database that a process has open.
#[derive(Debug)]
pub(super) struct Witness {
    path: PathBuf,
    mark: Uuid,
    last: BTreeMap<EnvId, Head>,
}

/// What a database file's witness is called.
pub(crate) fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-witness");
    name.into()
}

impl Witness {
    /// Compares the two, gives the environments new epochs when they do not go together, and leaves a mark.
    pub(super) async fn call(database: &Path, connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        let path = beside(database);
        let mut last = heads(&mut *connection).await?;
        let mark: Option<Uuid> = sqlx::query_scalar("SELECT mark FROM witness")
            .fetch_one(&mut *connection)
            .await
            .map_err(failed(DOING))?;
        if let Some(why) = doubt(mark, read(&path), &last) {
            tracing::warn!(
                database = %database.display(), why,
                "this database is not as the last server left it; its environments get new epochs, and revision tokens \
                 from before are refused"
            );
            new_epochs(connection).await?;
            last = heads(&mut *connection).await?;
        }
        let witness = Self { path, mark: fresh(connection).await?, last };
        // The file knows both marks until the database has the new one, so that it does not matter where this ends.
        witness.write(mark.into_iter().chain([witness.mark]).collect()).await?;
        sqlx::query("UPDATE witness SET mark = $1")
            .bind(witness.mark)
            .execute(&mut *connection)
            .await
            .map_err(failed(DOING))?;
        witness.write(vec![witness.mark]).await?;
        Ok(witness)
    }

    /// Writes down how far the environments are.
    pub(super) async fn note(&mut self, readers: &SqlitePool) -> Result<(), StoreError> {
        let heads = heads(readers).await?;
        if heads == self.last {
            return Ok(());
        }
        self.last = heads;
        self.write(vec![self.mark]).await
    }

    async fn write(&self, marks: Vec<Uuid>) -> Result<(), StoreError> {
        let environments = self.last.iter().map(|(id, head)| SeenEnvironment {
            id: id.uuid(),
            epoch: head.epoch,
            revision: head.revision,
        });
        let seen = Seen { marks, environments: environments.collect() };
        let path = self.path.clone();
        let written = spawn_blocking(move || write(&path, &seen)).await;
        let written = written.unwrap_or_else(|e| Err(io::Error::other(e)));
        written.map_err(|e| failed("writing the witness beside the database")(e.into()))
    }
}

async fn heads<'c>(
    from: impl sqlx::Executor<'c, Database = sqlx::Sqlite>,
) -> Result<BTreeMap<EnvId, Head>, StoreError> {
    let rows: Vec<SqliteRow> = sqlx::query(HEADS).fetch_all(from).await.map_err(failed(DOING))?;
    let mut heads = BTreeMap::new();
    for row in rows {
        let cell = |column| row.uuid(column).map_err(failed(DOING)).map(Option::unwrap_or_default);
        let revision = row.int(2).map_err(failed(DOING))?.unwrap_or_default();
        let head = Head { epoch: cell(1)?, revision: sql::whole("head", revision)? };
        heads.insert(Id::new(cell(0)?), head);
    }
    Ok(heads)
}

/// Gives every environment another epoch. Images are of the old ones.
pub(crate) async fn new_epochs(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed(DOING))?;
    for statement in sql::new_epochs(Dialect::Sqlite) {
        sqlx::query(statement).execute(&mut *transaction).await.map_err(failed(DOING))?;
    }
    transaction.commit().await.map_err(failed(DOING))
}

async fn fresh(connection: &mut SqliteConnection) -> Result<Uuid, StoreError> {
    let random = sqlx::query_scalar(Dialect::Sqlite.fresh()).fetch_one(connection);
    random.await.map_err(failed(DOING))
}

/// What does not go together, if anything.
fn doubt(mark: Option<Uuid>, seen: Testimony, heads: &BTreeMap<EnvId, Head>) -> Option<&'static str> {
    let seen = match (seen, mark) {
        // The first start, or a backup that was restored as it should be.
        (Testimony::None, None) => return None,
        (Testimony::None, Some(_)) => return Some("its witness is missing"),
        (Testimony::Unreadable, _) => return Some("its witness can't be read"),
        (Testimony::Copied, _) => return Some("it was copied here"),
        (Testimony::Seen(_), None) => return Some("it is a backup"),
        (Testimony::Seen(seen), Some(mark)) if !seen.marks.contains(&mark) => {
            return Some("it is not the one that was here");
        }
        (Testimony::Seen(seen), Some(_)) => seen,
    };
    let older = seen.environments.iter().any(|seen| {
        heads
            .get(&Id::new(seen.id))
            .is_some_and(|head| head.epoch == seen.epoch && head.revision < seen.revision)
    });
    older.then_some("it is older than what was here")
}

/// What the witness says.
#[derive(Debug, PartialEq)]
enum Testimony {
    None,
    Unreadable,
    Copied,
    Seen(Seen),
}

fn read(path: &Path) -> Testimony {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Testimony::None,
        Err(_) => return Testimony::Unreadable,
    };
    let (seen, stamp) = text.split_once('\n').unwrap_or((&text, ""));
    let parsed =
        (serde_json::from_str(seen), stamp.trim().parse().map(Duration::from_micros), fs::metadata(path));
    match parsed {
        (Ok(seen), Ok(stamp), Ok(metadata)) if is_of(&metadata, stamp) => Testimony::Seen(seen),
        (Ok(_), Ok(_), Ok(_)) => Testimony::Copied,
        _ => Testimony::Unreadable,
    }
}

/// Whether the file was written then and left alone since.
fn is_of(metadata: &Metadata, stamp: Duration) -> bool {
    let written = since_epoch(metadata.modified().ok());
    near(written, stamp) && near(changed(metadata).or(written), stamp)
}

fn near(time: Option<Duration>, stamp: Duration) -> bool {
    time.is_some_and(|time| time.abs_diff(stamp) <= TOLERANCE)
}

fn since_epoch(time: Option<SystemTime>) -> Option<Duration> {
    time?.duration_since(UNIX_EPOCH).ok()
}

/// When the file's status changed, which whoever copies it can't choose.
#[cfg(unix)]
fn changed(metadata: &Metadata) -> Option<Duration> {
    use std::os::unix::fs::MetadataExt as _;
    u64::try_from(metadata.ctime()).ok().map(Duration::from_secs)
}

#[cfg(not(unix))]
fn changed(_: &Metadata) -> Option<Duration> {
    None
}

/// Writes the file anew, so that it is there whole, with the moment of its writing as the file system says it.
fn write(path: &Path, seen: &Seen) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // For its owner alone.
    let mut file = tempfile::Builder::new().prefix(".witness-").tempfile_in(directory)?;
    writeln!(file, "{}", serde_json::to_string(seen)?)?;
    let stamp = since_epoch(file.as_file().metadata()?.modified().ok()).unwrap_or_default();
    writeln!(file, "{}", stamp.as_micros())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    #[cfg(unix)]
    File::open(directory)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(mark: u128, revision: u64) -> Seen {
        let environment = SeenEnvironment { id: Uuid::nil(), epoch: Uuid::nil(), revision };
        Seen { marks: vec![Uuid::from_u128(mark)], environments: vec![environment] }
    }

    #[test]
    fn what_goes_together_is_not_doubted() {
        let heads = BTreeMap::from([(Id::new(Uuid::nil()), Head { epoch: Uuid::nil(), revision: 7 })]);
        let doubt = |mark: Option<u128>, seen| doubt(mark.map(Uuid::from_u128), seen, &heads);
        assert_eq!(doubt(None, Testimony::None), None);
        assert_eq!(doubt(Some(1), Testimony::Seen(seen(1, 7))), None);
        assert_eq!(
            doubt(Some(1), Testimony::Seen(seen(1, 3))),
            None,
            "killed before it could write more down"
        );
        for doubted in [
            doubt(Some(1), Testimony::None),
            doubt(None, Testimony::Seen(seen(1, 7))),
            doubt(Some(2), Testimony::Seen(seen(1, 7))),
            doubt(Some(1), Testimony::Seen(seen(1, 8))),
            doubt(Some(1), Testimony::Copied),
            doubt(Some(1), Testimony::Unreadable),
        ] {
            assert!(doubted.is_some());
        }
    }

    #[test]
    fn a_copy_is_told_from_what_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db-witness");
        assert_eq!(read(&path), Testimony::None);
        write(&path, &seen(1, 7)).unwrap();
        assert_eq!(read(&path), Testimony::Seen(seen(1, 7)));
        // As one that was copied from long ago, with and without keeping its time.
        let long_ago = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let text = fs::read_to_string(&path).unwrap();
        let old = format!("{}\n1000000000000000\n", text.lines().next().unwrap());
        fs::write(&path, old).unwrap();
        assert_eq!(read(&path), Testimony::Copied);
        File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
        let expected = if cfg!(unix) { Testimony::Copied } else { Testimony::Seen(seen(1, 7)) };
        assert_eq!(read(&path), expected);
        fs::write(&path, "").unwrap();
        assert_eq!(read(&path), Testimony::Unreadable);
    }
}
