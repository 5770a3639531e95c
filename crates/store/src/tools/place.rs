//! Where an installation is.

use std::{
    convert::Infallible,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// An SQLite file, or the URL of a PostgreSQL database. Shown without a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    Sqlite(PathBuf),
    Postgres(String),
}

/// The file in which the decision log of an SQLite installation stands.
pub fn decisions_beside(database: &Path) -> PathBuf {
    database.with_file_name("decisions.db")
}

impl FromStr for Place {
    type Err = Infallible;

    /// Whatever begins as a PostgreSQL URL is one, the rest is a file; `sqlite:` may stand before it.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        if text.starts_with("postgres:") || text.starts_with("postgresql:") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        Ok(Self::Sqlite(path.strip_prefix("//").unwrap_or(path).into()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => match crate::postgres::base_options(url, std::time::Duration::ZERO) {
                Ok(options) => f.write_str(&crate::postgres::place(&options)),
                // What does not read as a URL could hold a password anywhere.
                Err(_) => f.write_str("the PostgreSQL database"),
            },
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_its_password() {
        let place = |text: &str| text.parse::<Place>().unwrap();
        let shown = place("postgres://joe:secret@db:5433/askfirst").to_string();
        assert_eq!(shown, "postgres://joe@db:5433/askfirst");
        let shown = format!("{:?}", place("postgres://joe:sec ret@[db/askfirst"));
        assert!(!shown.contains("sec"), "{shown}");
        assert_eq!(place("sqlite:///var/lib/a.db"), Place::Sqlite("/var/lib/a.db".into()));
        assert_eq!(place("a.db").to_string(), "a.db");
    }
}
