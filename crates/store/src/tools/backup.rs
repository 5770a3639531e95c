//! Backups of an SQLite installation: one file each, taken while it is served.

use super::{
    Place, ToolError,
    connection::{Access, Connection},
};
use crate::{
    body::failed,
    sqlite::{self, witness},
};
use sqlx::ConnectOptions as _;
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// Writes all of the database `from`, as it is at one moment, into the new file `to`; a server may be working on it. The
/// decision log is not in it. The file is there whole or not at all.
///
/// # Errors
/// [`ToolError::NotEmpty`] when `to` is there already.
pub async fn backup(from: &Path, to: &Path) -> Result<(), ToolError> {
    refuse_existing(to)?;
    // It only reads; but SQLite takes the new file for a write.
    let mut connection = Connection::open(&Place::Sqlite(from.to_owned()), Access::Write).await?;
    connection.require_current().await?;
    let part = beside(to, "-part");
    // Left behind by one that was killed.
    remove(&part)?;
    make_private(&part)?;
    let written = sqlx::query("VACUUM main INTO $1").bind(part.display().to_string());
    let written = written.execute(connection.sqlite()?).await.map_err(failed("writing the backup"));
    connection.close().await;
    written?;
    forget_mark(&part).await?;
    settle(&part, to)
}

/// Puts a backup in the place of the database `to`, which nobody uses meanwhile. All environments get new epochs. What is
/// there is put aside under another name, which is given back.
///
/// # Errors
/// When the file is no sound backup; nothing was done then.
pub async fn restore(file: &Path, to: &Path) -> Result<Option<PathBuf>, ToolError> {
    let part = beside(to, "-part");
    for name in ["", "-wal", "-shm"] {
        remove(&beside(&part, name))?;
    }
    make_private(&part)?;
    fs::copy(file, &part).map_err(broken("copying", file))?;
    let prepared = prepare(&part, file).await;
    if let Err(error) = prepared {
        remove(&part)?;
        return Err(error);
    }
    let aside = put_aside(to)?;
    settle(&part, to)?;
    Ok(aside)
}

/// Whether it is sound; and another history from here on.
async fn prepare(part: &Path, file: &Path) -> Result<(), ToolError> {
    let options = sqlite::connect_options(part, &sqlite::Options::default()).create_if_missing(false);
    let mut connection = options.connect().await.map_err(failed("opening the backup"))?;
    let sound: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await
        .map_err(failed("checking the backup"))?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name IN ('environment', 'witness')")
            .fetch_one(&mut connection)
            .await
            .map_err(failed("checking the backup"))?;
    let outcome = match (sound.as_str(), tables) {
        ("ok", 2) => witness::new_epochs(&mut connection).await.map_err(ToolError::from),
        ("ok", _) => Err(ToolError::Nothing(file.display().to_string())),
        (damage, _) => Err(ToolError::NotHere(format!("{} is damaged: {damage}", file.display()))),
    };
    let _ = sqlx::Connection::close(connection).await;
    outcome?;
    forget_mark(part).await
}

/// A backup is not what a server left behind: whoever puts it in a server's place by hand is found out.
async fn forget_mark(file: &Path) -> Result<(), ToolError> {
    const DOING: &str = "preparing the backup";
    // Not a write-ahead log: the file is to be whole by itself.
    let options = sqlite::connect_options(file, &sqlite::Options::default())
        .create_if_missing(false)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Delete);
    let mut connection = options.connect().await.map_err(failed(DOING))?;
    sqlx::query("UPDATE witness SET mark = NULL").execute(&mut connection).await.map_err(failed(DOING))?;
    sqlx::Connection::close(connection).await.map_err(failed(DOING))?;
    Ok(())
}

/// Moves what is there out of the way; the log that SQLite keeps beside it goes first, since it must never be read into
/// another file.
fn put_aside(database: &Path) -> Result<Option<PathBuf>, ToolError> {
    if !database.exists() {
        return Ok(None);
    }
    let mut aside = beside(database, "-replaced");
    for n in 2_u64.. {
        if !aside.exists() {
            break;
        }
        aside = beside(database, &format!("-replaced-{n}"));
    }
    for name in ["-witness", "-wal", "-shm", ""] {
        let from = beside(database, name);
        if from.exists() {
            fs::rename(&from, beside(&aside, name)).map_err(broken("moving", &from))?;
        }
    }
    Ok(Some(aside))
}

/// Makes a finished file the one that is meant, and waits for the disk.
fn settle(part: &Path, to: &Path) -> Result<(), ToolError> {
    let synced = fs::File::open(part).and_then(|file| file.sync_all());
    synced.map_err(broken("writing", part))?;
    fs::rename(part, to).map_err(broken("writing", to))?;
    #[cfg(unix)]
    {
        let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let synced = fs::File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(broken("writing", directory))?;
    }
    Ok(())
}

fn refuse_existing(path: &Path) -> Result<(), ToolError> {
    if path.exists() {
        let shown = path.display().to_string();
        return Err(ToolError::NotEmpty(shown, "a backup goes into a new file".to_owned()));
    }
    Ok(())
}

/// An empty file that its owner alone can read.
fn make_private(path: &Path) -> Result<(), ToolError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop).map_err(broken("writing", path))
}

fn remove(path: &Path) -> Result<(), ToolError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(broken("removing", path)(e)),
        _ => Ok(()),
    }
}

fn beside(path: &Path, name: &str) -> PathBuf {
    let mut whole: OsString = path.as_os_str().to_owned();
    whole.push(name);
    whole.into()
}

fn broken(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ToolError {
    let path = path.display().to_string();
    move |source| ToolError::File { doing, path, source }
}
