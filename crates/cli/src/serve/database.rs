//! Where the state is: in a file of the data directory, or in a PostgreSQL database that several servers share.

use super::data::DataDir;
use crate::env::Env;
use anyhow::{Context as _, bail};
use askfirst_store::{
    PostgresOptions, PostgresStore, SqliteStore, Store,
    decisions::{DecisionLog, PostgresDecisions, SqliteDecisions},
};
use std::{fmt, path::Path, path::PathBuf, sync::Arc, time::Duration};

/// The variable with the URL of the database.
const VARIABLE: &str = "ASKFIRST_DATABASE_URL";

/// Which database, and how far a server may be behind it.
#[derive(Debug, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// A PostgreSQL database, which several servers may share: `postgres://user@host/database`; without it, a file in
    /// the data directory. A URL with a password goes into a file or into `ASKFIRST_DATABASE_URL`
    #[arg(long, value_name = "URL", conflicts_with = "database_file")]
    database: Option<String>,
    /// A file that holds the URL of the database
    #[arg(long, value_name = "FILE")]
    database_file: Option<PathBuf>,
    /// Seconds that a call may wait until the server has reached the revision that it demands
    #[arg(long, default_value_t = 2, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    at_least_wait: u64,
    /// Seconds for which a server may answer from memory without hearing from a shared database; then it refuses
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    max_lag: u64,
}

impl DatabaseArgs {
    /// The database that is meant, here or by the environment.
    ///
    /// # Errors
    /// When it is not said in a way that can be used, or not in a safe one. No sentence repeats the URL.
    pub(crate) fn database(&self, env: &Env) -> anyhow::Result<Database> {
        let url = match (&self.database, &self.database_file) {
            (Some(url), _) => {
                let url = DatabaseUrl::read(url).context("--database")?;
                if url.has_password() {
                    bail!(
                        "the URL of --database holds a password, which everybody on this machine can read in the list of \
                         processes; put the URL into a file and say --database-file FILE, or into {VARIABLE}"
                    );
                }
                Some(url)
            }
            (None, Some(file)) => Some(DatabaseUrl::of_file(file)?),
            (None, None) => env.get(VARIABLE).map(DatabaseUrl::read).transpose().context(VARIABLE)?,
        };
        Ok(match url {
            Some(url) => Database::Shared { url, max_lag: Duration::from_secs(self.max_lag) },
            None => Database::OwnFile,
        })
    }

    /// How long a call may wait for a revision.
    pub(crate) fn at_least_wait(&self) -> Duration {
        Duration::from_secs(self.at_least_wait)
    }
}

/// Which database.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// SQLite, in the data directory, for this server alone.
    OwnFile,
    /// PostgreSQL. A server that does not hear from it for longer than this stops answering.
    Shared { url: DatabaseUrl, max_lag: Duration },
}

impl Database {
    /// Opens the decision log: in a file of its own, or in the shared database.
    ///
    /// # Errors
    /// When it can't be used.
    pub(super) async fn decision_log(&self, data: &DataDir) -> anyhow::Result<Arc<dyn DecisionLog>> {
        match self {
            Self::OwnFile => {
                let file = data.decisions_file()?;
                let log = SqliteDecisions::open(&file).await;
                Ok(Arc::new(log.with_context(|| format!("can't use the decision log {}", file.display()))?))
            }
            Self::Shared { url, .. } => {
                let log = PostgresDecisions::connect(&url.0, PostgresOptions::default().patience).await;
                Ok(Arc::new(log.context("can't use the decision log")?))
            }
        }
    }
}

/// The URL of a PostgreSQL database. It may hold a password, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DatabaseUrl(String);

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

impl DatabaseUrl {
    /// # Errors
    /// When it is no URL of PostgreSQL.
    pub(crate) fn read(text: &str) -> anyhow::Result<Self> {
        let text = text.trim();
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        if !matches!(scheme, Some("postgres" | "postgresql")) || reqwest::Url::parse(text).is_err() {
            bail!("a database is named by a URL such as postgres://user@host:5432/database");
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn of_file(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("can't read {shown}"))?;
        if is_open_to_others(path) {
            tracing::warn!(file = %shown, "others on this machine can read the URL of the database; say chmod 600");
        }
        Self::read(&text).with_context(|| format!("the file {shown}"))
    }

    /// The URL itself, for whoever connects.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it holds a password.
    pub(crate) fn has_password(&self) -> bool {
        reqwest::Url::parse(&self.0).is_ok_and(|url| {
            url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
        })
    }
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// A database that answers.
#[derive(Debug, Clone)]
pub(crate) enum Opened {
    OwnFile(Arc<SqliteStore>),
    Shared(Arc<PostgresStore>),
}

impl Opened {
    /// Opens the database; one that is not there yet in the data directory is made.
    ///
    /// # Errors
    /// When it can't be used.
    pub(crate) async fn open(database: &Database, data: &DataDir) -> anyhow::Result<Self> {
        match database {
            Database::OwnFile => {
                let file = data.store_file()?;
                let store = SqliteStore::open(&file, askfirst_store::Options::default()).await;
                let store = store.with_context(|| format!("can't use the database {}", file.display()))?;
                Ok(Self::OwnFile(Arc::new(store)))
            }
            Database::Shared { url, .. } => {
                let store = PostgresStore::connect(&url.0, PostgresOptions::default()).await;
                Ok(Self::Shared(Arc::new(store.context("can't use the database")?)))
            }
        }
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::OwnFile(store) => Arc::clone(store) as _,
            Self::Shared(store) => Arc::clone(store) as _,
        }
    }

    /// Waits until all that was handed in is written, and closes.
    pub(crate) async fn close(&self) {
        match self {
            Self::OwnFile(store) => store.close().await,
            Self::Shared(store) => store.close().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "Gehe1mer!";

    fn args(database: Option<&str>, file: Option<&Path>) -> DatabaseArgs {
        DatabaseArgs {
            database: database.map(str::to_owned),
            database_file: file.map(Path::to_owned),
            at_least_wait: 2,
            max_lag: 5,
        }
    }

    fn url_of(args: &DatabaseArgs) -> anyhow::Result<Option<String>> {
        Ok(match args.database(&Env::default())? {
            Database::OwnFile => None,
            Database::Shared { url, .. } => Some(url.0),
        })
    }

    #[test]
    fn a_password_is_taken_from_a_file_and_never_from_the_command_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("url");
        for url in [
            format!("postgres://joe:{PASSWORD}@db.example:5432/askfirst"),
            format!("postgresql://joe@db.example/askfirst?sslmode=require&password={PASSWORD}"),
        ] {
            let refused = format!("{:#}", url_of(&args(Some(&url), None)).unwrap_err());
            assert!(refused.contains("--database-file") && !refused.contains(PASSWORD), "{refused}");
            std::fs::write(&file, format!("{url}\n")).unwrap();
            assert_eq!(url_of(&args(None, Some(&file))).unwrap(), Some(url));
        }
        for url in
            ["postgres://joe@db.example/askfirst", "postgres:///askfirst?host=/var/run/postgresql&user=joe"]
        {
            assert_eq!(url_of(&args(Some(url), None)).unwrap().as_deref(), Some(url));
        }
        assert_eq!(url_of(&args(None, None)).unwrap(), None);
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_repeated() {
        for text in
            [PASSWORD.to_owned(), format!("mysql://joe:{PASSWORD}@db/x"), format!("postgres://[{PASSWORD}")]
        {
            let refused = format!("{:#}", url_of(&args(Some(&text), None)).unwrap_err());
            assert!(refused.contains("postgres://user@host") && !refused.contains(PASSWORD), "{refused}");
        }
        let shown = format!("{:?}", DatabaseUrl::read(&format!("postgres://joe:{PASSWORD}@db/x")).unwrap());
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
}
