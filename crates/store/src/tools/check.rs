//! Whether an installation is sound: whether the log has no gaps, the tables hold what it comes to, and the audit log is the
//! chain that was written.
//!
//! The log is played again into a throw-away database, by the statements that wrote the tables, and what comes out is
//! compared with what is there, row by row.

use super::{
    Place, Progress, ToolError, Watcher,
    catalog::{self, Table},
    chains,
    connection::{Access, Cell, Connection, Kind},
    digest::{PAGE, Sum},
};
use crate::{
    StoreError,
    body::failed,
    migrations::migrate,
    sql::{self, Dialect, Pace, Statement, tables::OF_THE_LOG},
    sqlite,
};
use askfirst_domain::{Id, change::Change, id::EnvId};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use std::collections::BTreeMap;
use tempfile::TempDir;
use uuid::Uuid;

/// Something that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: an environment's id, or the database.
    pub place: String,
    /// What, in a sentence.
    pub what: String,
}

/// Checks an installation, which may be served meanwhile: it looks at one moment. Takes as long as writing all changes
/// again.
///
/// # Errors
/// When it can't be looked at; what is wrong with it is no error.
pub async fn check(place: &Place, watcher: Watcher<'_>) -> Result<Vec<Finding>, ToolError> {
    let mut connection = Connection::open(place, Access::Read).await?;
    connection.require_current().await?;
    let mut findings = Vec::new();
    if connection.dialect() == Dialect::Sqlite {
        integrity(&mut connection, &mut findings).await?;
    }
    connection.begin_look().await?;
    let uuid = id_kind(connection.dialect());
    let environments = Statement::new("SELECT id, head_revision FROM environment ORDER BY id", Vec::new());
    let environments = connection.rows(environments, &[uuid, Kind::Int]).await?;
    let mut replica = Replica::start().await?;
    for row in &environments {
        let [Cell::Bytes(env), Cell::Int(head)] = row.as_slice() else { continue };
        let env = EnvId::new(Uuid::from_slice(env).unwrap_or_default());
        let head = sql::whole("head", *head)?;
        revisions(&mut connection, env, head, &mut findings).await?;
        replay(&mut connection, &mut replica, (env, head), &mut findings, watcher).await?;
    }
    let known: Vec<_> = environments.iter().filter_map(|row| row.first().cloned()).collect();
    compare(&mut connection, replica, &known, &mut findings, watcher).await?;
    chains::chains(&mut connection, &mut findings, watcher).await?;
    connection.close().await;
    Ok(findings)
}

pub(super) fn id_kind(dialect: Dialect) -> Kind {
    match dialect {
        Dialect::Sqlite => Kind::Bytes,
        Dialect::Postgres => Kind::Uuid,
    }
}

fn finding(place: &dyn ToString, what: impl Into<String>) -> Finding {
    Finding { place: place.to_string(), what: what.into() }
}

/// What SQLite says of the file itself.
async fn integrity(connection: &mut Connection, findings: &mut Vec<Finding>) -> Result<(), ToolError> {
    for pragma in ["PRAGMA integrity_check", "PRAGMA foreign_key_check"] {
        for row in connection.rows(Statement::new(pragma, Vec::new()), &[Kind::Text]).await? {
            match row.first() {
                Some(Cell::Text(text)) if text == "ok" => {}
                Some(Cell::Text(table)) if pragma.contains("foreign") => {
                    findings.push(finding(
                        &"the file",
                        format!("`{table}` refers to something that is not there"),
                    ));
                }
                Some(Cell::Text(text)) => findings.push(finding(&"the file", text.clone())),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether the log has each revision once, from 1 to the head, with its changes numbered from 0.
async fn revisions(
    connection: &mut Connection,
    env: EnvId,
    head: u64,
    findings: &mut Vec<Finding>,
) -> Result<(), ToolError> {
    const ALL: &str = "SELECT count(*), coalesce(min(revision), 1), coalesce(max(revision), 0) FROM \
         (SELECT DISTINCT revision FROM change WHERE env = $1) AS revisions";
    const TORN: &str = "SELECT revision FROM change WHERE env = $1 GROUP BY revision \
         HAVING min(seq) <> 0 OR max(seq) <> count(*) - 1 ORDER BY revision LIMIT 1";
    let found = connection.rows(Statement::new(ALL, vec![env.into()]), &[Kind::Int; 3]).await?;
    if let Some([Cell::Int(count), Cell::Int(first), Cell::Int(last)]) = found.first().map(Vec::as_slice) {
        if sql::whole("head", *last)? != head {
            findings
                .push(finding(&env, format!("the newest revision is {head}, and the log ends at {last}")));
        }
        if *count > 0 && (*first != 1 || *count != *last) {
            findings.push(finding(&env, format!("the log has {count} revisions between {first} and {last}")));
        }
    }
    let torn = connection.rows(Statement::new(TORN, vec![env.into()]), &[Kind::Int]).await?;
    if let Some([Cell::Int(revision)]) = torn.first().map(Vec::as_slice) {
        findings.push(finding(&env, format!("changes of revision {revision} are missing in the log")));
    }
    Ok(())
}

/// The throw-away database.
#[derive(Debug)]
struct Replica {
    connection: SqliteConnection,
    directory: TempDir,
}

impl Replica {
    async fn start() -> Result<Self, ToolError> {
        const DOING: &str = "making a database to compare with";
        let directory = TempDir::with_prefix("askfirst-check-").map_err(|e| failed(DOING)(e.into()))?;
        let options =
            sqlite::Options { durability: crate::Durability::ProcessOnly, ..sqlite::Options::default() };
        let options = sqlite::connect_options(&directory.path().join("store.db"), &options);
        let mut connection = options.connect().await.map_err(failed(DOING))?;
        migrate(Dialect::Sqlite, &mut connection).await?;
        Ok(Self { connection, directory })
    }

    async fn run(&mut self, statement: Statement) -> Result<(), sqlx::Error> {
        sqlite::exec::query(statement)?.execute(&mut self.connection).await.map(drop)
    }

    async fn apply(&mut self, env: EnvId, revision: u64, changes: &[Change]) -> Result<(), StoreError> {
        for step in sql::steps(Dialect::Sqlite, env, revision, changes, Pace::Many) {
            self.run(step?.statement).await.map_err(failed("playing the log again"))?;
        }
        Ok(())
    }
}

/// Plays the log of an environment again. What stops it is found, and the tables then differ.
async fn replay(
    connection: &mut Connection,
    replica: &mut Replica,
    (env, head): (EnvId, u64),
    findings: &mut Vec<Finding>,
    watcher: Watcher<'_>,
) -> Result<(), ToolError> {
    const DOING: &str = "playing the log again";
    const LOG: &str = "SELECT revision, CAST(seq AS bigint), kind, payload FROM change \
         WHERE env = $1 AND (revision, seq) > ($2, $3) ORDER BY revision, seq LIMIT $4";
    let kinds = [Kind::Int, Kind::Int, Kind::Text, Kind::Text];
    let statement = |text: &'static str| Statement::new(text, Vec::new());
    replica.run(statement("BEGIN")).await.map_err(failed(DOING))?;
    let (mut at, mut changes) = ((0, -1), BTreeMap::<u64, Vec<Change>>::new());
    loop {
        let args = vec![env.into(), at.0.into(), at.1.into(), i64::from(PAGE).into()];
        let rows = connection.rows(Statement::new(LOG, args), &kinds).await?;
        let ended = rows.is_empty();
        for row in rows {
            let [Cell::Int(revision), Cell::Int(seq), Cell::Text(kind), Cell::Text(payload)] = row.as_slice()
            else {
                continue;
            };
            at = (*revision, *seq);
            match sql::payload::decode(kind, payload) {
                Ok(change) => changes.entry(sql::whole("revision", *revision)?).or_default().push(change),
                Err(error) => findings.push(finding(&env, format!("at revision {revision} {error}"))),
            }
        }
        // The last revision may go on in the next page.
        let whole = if ended { std::mem::take(&mut changes) } else { whole_ones(&mut changes) };
        for (revision, changes) in whole {
            if let Err(error) = replica.apply(env, revision, &changes).await {
                findings.push(finding(
                    &env,
                    format!("revision {revision} of the log can't be played again: {error}"),
                ));
            }
        }
        watcher(Progress {
            doing: "playing again",
            what: env.to_string(),
            done: at.0.unsigned_abs(),
            of: head,
        });
        if ended {
            break;
        }
    }
    replica.run(statement("COMMIT")).await.map_err(failed(DOING))?;
    Ok(())
}

/// Takes out all revisions but the last.
fn whole_ones(changes: &mut BTreeMap<u64, Vec<Change>>) -> BTreeMap<u64, Vec<Change>> {
    let last = changes.pop_last();
    let whole = std::mem::take(changes);
    changes.extend(last);
    whole
}

/// Compares the tables that the log comes to.
async fn compare(
    connection: &mut Connection,
    replica: Replica,
    environments: &[Cell],
    findings: &mut Vec<Finding>,
    watcher: Watcher<'_>,
) -> Result<(), ToolError> {
    let path = replica.directory.path().join("store.db");
    replica.connection.close().await.map_err(failed("playing the log again"))?;
    let mut again = Connection::open(&Place::Sqlite(path), Access::Read).await?;
    let theirs = catalog::tables(connection).await?;
    let ours = catalog::tables(&mut again).await?;
    for name in OF_THE_LOG.map(|table| table.name) {
        let find = |tables: &[Table]| tables.iter().find(|table| table.name == name).cloned();
        let (Some(table), Some(like)) = (find(&theirs), find(&ours)) else { continue };
        watcher(Progress { doing: "comparing", what: name.to_owned(), done: 0, of: 1 });
        let there = sums(connection, &table).await?;
        let expected = sums(&mut again, &like).await?;
        for env in there.keys().chain(expected.keys()).collect::<std::collections::BTreeSet<_>>() {
            let shown = Id::<()>::new(Uuid::from_slice(env).unwrap_or_default());
            if !environments.contains(&Cell::Bytes(env.clone())) {
                findings
                    .push(finding(&shown, format!("`{name}` has rows of an environment that is not there")));
                continue;
            }
            let of = |sums: &BTreeMap<Vec<u8>, Sum>| sums.get(env).cloned().unwrap_or_default();
            let (there, expected) = (of(&there), of(&expected));
            if (there.rows, there.value()) != (expected.rows, expected.value()) {
                let what = if there.rows == expected.rows {
                    format!("`{name}` has other values than the log comes to")
                } else {
                    format!("`{name}` has {} rows, and the log comes to {}", there.rows, expected.rows)
                };
                findings.push(finding(&shown, what));
            }
        }
    }
    again.close().await;
    drop(replica.directory);
    Ok(())
}

/// What a table comes to, by environment, without the positions, which a database counts as it likes.
async fn sums(connection: &mut Connection, table: &Table) -> Result<BTreeMap<Vec<u8>, Sum>, ToolError> {
    let at = |name: &str| table.columns.iter().position(|column| column.name == name);
    let (env, pos) = (at("env"), at("pos"));
    let mut sums: BTreeMap<Vec<u8>, Sum> = BTreeMap::new();
    let mut last: Option<Vec<Cell>> = None;
    loop {
        let page = table.page(connection.dialect(), last.as_deref(), PAGE)?;
        let rows = connection.rows(page, &table.kinds()).await?;
        for row in &rows {
            let Some(Cell::Bytes(env)) = env.and_then(|env| row.get(env)) else { continue };
            let mut row = row.clone();
            if let Some(cell) = pos.and_then(|pos| row.get_mut(pos)) {
                *cell = Cell::Null;
            }
            sums.entry(env.clone()).or_default().add(&row);
        }
        match rows.into_iter().next_back() {
            Some(row) => last = Some(row),
            None => return Ok(sums),
        }
    }
}
