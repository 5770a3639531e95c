//! Which installation is meant.

use crate::{
    env::Env,
    serve::{DEFAULT_DATA, DataDir, DatabaseUrl},
};
use anyhow::bail;
use askfirst_store::tools::Place;
use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
};

/// The variable with the URL of the database, as the server reads it.
const VARIABLE: &str = "ASKFIRST_DATABASE_URL";

/// An installation, as it was named.
#[derive(Debug)]
pub(super) enum Named {
    /// A data directory.
    Directory(PathBuf),
    /// An SQLite file by itself.
    File(PathBuf),
    Shared(DatabaseUrl),
}

/// The place that is meant by this text, or by its absence.
///
/// # Errors
/// When a URL does not read, or shows a password to everybody.
pub(super) fn named(text: Option<&str>, env: &Env) -> anyhow::Result<Named> {
    match text {
        Some(text) => read(text),
        None => match env.get(VARIABLE) {
            Some(url) => Ok(Named::Shared(DatabaseUrl::read(url)?)),
            None => Ok(Named::Directory(DEFAULT_DATA.into())),
        },
    }
}

fn read(text: &str) -> anyhow::Result<Named> {
    if let Some(file) = text.strip_prefix('@') {
        return Ok(Named::Shared(DatabaseUrl::of_file(Path::new(file))?));
    }
    if text.starts_with("postgres:") || text.starts_with("postgresql:") {
        let url = DatabaseUrl::read(text)?;
        if url.has_password() {
            bail!(
                "the URL holds a password, which everybody on this machine can read in the list of processes; put the \
                 URL into a file and write @FILE, or into {VARIABLE}"
            );
        }
        return Ok(Named::Shared(url));
    }
    let path = PathBuf::from(text.strip_prefix("sqlite:").unwrap_or(text));
    let is_file = path.is_file() || (!path.is_dir() && path.extension().is_some_and(|e| e == "db"));
    Ok(if is_file { Named::File(path) } else { Named::Directory(path) })
}

impl Named {
    /// As the tools take it.
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Directory(path) => Place::Sqlite(DataDir::store_file_in(path)),
            Self::File(path) => Place::Sqlite(path.clone()),
            Self::Shared(url) => Place::Postgres(url.reveal().to_owned()),
        }
    }

    /// Takes it for ourselves, as far as that can be done, until the answer is dropped: no server runs on it meanwhile.
    ///
    /// # Errors
    /// When a server runs on it.
    pub(super) fn take(&self) -> anyhow::Result<Option<DataDir>> {
        let directory = match self {
            Self::Directory(path) => path.clone(),
            // One beside which a server has left its lock is in a data directory.
            Self::File(path) => match path.parent() {
                Some(parent) if DataDir::store_file_in(parent) == *path => Path::new(".").join(parent),
                _ => return Ok(None),
            },
            Self::Shared(_) => return Ok(None),
        };
        DataDir::take(&directory).map(Some)
    }

    /// Makes the files of an SQLite database that is not there yet, for their owner alone.
    ///
    /// # Errors
    /// When they can't be written.
    pub(super) fn make_private(&self) -> anyhow::Result<()> {
        if let Place::Sqlite(path) = self.place() {
            for path in [askfirst_store::tools::decisions_beside(&path), path] {
                crate::serve::open_private(&path, OpenOptions::new().append(true).create(true))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let url = directory.path().join("url");
        std::fs::write(&url, "postgres://joe:secret@db/askfirst\n").unwrap();
        let shown = |text: &str| named(Some(text), &Env::default()).unwrap().place().to_string();
        assert_eq!(shown("data"), "data/askfirst.db");
        assert_eq!(shown("sqlite:some.db"), "some.db");
        assert_eq!(shown("postgres://joe@db/askfirst"), "postgres://joe@db:5432/askfirst");
        assert_eq!(shown(&format!("@{}", url.display())), "postgres://joe@db:5432/askfirst");
        let refused =
            named(Some("postgres://joe:secret@db/askfirst"), &Env::default()).unwrap_err().to_string();
        assert!(refused.contains("@FILE") && !refused.contains("secret"), "{refused}");
        assert_eq!(named(None, &Env::default()).unwrap().place().to_string(), "./askfirst-data/askfirst.db");
    }
}
