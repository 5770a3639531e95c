//! Whether the audit log is the chain that was written.

use super::{
    Finding, Progress, ToolError, Watcher,
    check::id_kind,
    connection::{Cell, Connection, Kind},
};
use crate::{
    StoreError,
    sql::{self, Statement, audit},
};
use askfirst_domain::{
    audit::{
        Body, ChainHead, ChainId, Entry, Expected, Hash, HeadStatement, PublicKey, SignedHead, Verifier,
    },
    id::AuditEventId,
};
use uuid::Uuid;

/// How many events are read at a time.
const PAGE: i64 = 1000;

/// Reads all chains from their beginnings to their ends, and holds them against the heads that were signed.
pub(super) async fn chains(
    connection: &mut Connection,
    findings: &mut Vec<Finding>,
    watcher: Watcher<'_>,
) -> Result<(), ToolError> {
    const ALL: &str = "SELECT env FROM audit_head UNION SELECT env FROM audit_event WHERE env IS NOT NULL";
    const UNCHAINED: &str = "SELECT count(*) FROM audit_event WHERE n IS NULL";
    let unchained = connection.number(UNCHAINED.to_owned()).await?;
    if unchained > 0 {
        let what =
            format!("{unchained} audit events stand in no chain; a server puts them there when it starts");
        findings.push(Finding { place: "the audit log".to_owned(), what });
    }
    let keys = keys(connection).await?;
    let id = id_kind(connection.dialect());
    let rows = connection.rows(Statement::new(ALL, Vec::new()), &[id]).await?;
    let mut chains = vec![ChainId::INSTALLATION];
    for row in &rows {
        let chain = ChainId::from_uuid(uuid(row.first()));
        if chain != ChainId::INSTALLATION {
            chains.push(chain);
        }
    }
    for chain in chains {
        let place = chain.env().map_or_else(|| "the installation".to_owned(), |env| env.to_string());
        for what in one(connection, chain, &keys, watcher).await? {
            findings.push(Finding { place: place.clone(), what: format!("in the audit log, {what}") });
        }
    }
    Ok(())
}

fn uuid(cell: Option<&Cell>) -> Uuid {
    match cell {
        Some(Cell::Bytes(bytes)) => Uuid::from_slice(bytes).unwrap_or_default(),
        _ => Uuid::nil(),
    }
}

fn text(cell: Option<&Cell>) -> &str {
    match cell {
        Some(Cell::Text(text)) => text,
        _ => "",
    }
}

fn int(cell: Option<&Cell>) -> i64 {
    match cell {
        Some(Cell::Int(int)) => *int,
        _ => 0,
    }
}

fn hash(cell: Option<&Cell>) -> Hash {
    match cell {
        Some(Cell::Bytes(bytes)) => Hash::try_from(bytes.as_slice()).unwrap_or_default(),
        _ => Hash::default(),
    }
}

async fn keys(connection: &mut Connection) -> Result<Vec<PublicKey>, StoreError> {
    let rows = connection.rows(audit::keys(), &[Kind::Bytes]).await?;
    // What is no key has signed nothing, which is found then.
    let key = |row: &Vec<Cell>| match row.first() {
        Some(Cell::Bytes(bytes)) => PublicKey::from_bytes(bytes).ok(),
        _ => None,
    };
    Ok(rows.iter().filter_map(key).collect())
}

async fn one(
    connection: &mut Connection,
    chain: ChainId,
    keys: &[PublicKey],
    watcher: Watcher<'_>,
) -> Result<Vec<String>, ToolError> {
    let end = end(connection, chain).await?;
    let mut verifier = Verifier::new(chain, None, keys.to_vec());
    for signed in signed(connection, chain).await? {
        verifier.expect(Expected::Signed(Box::new(signed)));
    }
    let mut wrong = Vec::new();
    let mut after = 0;
    loop {
        let rows = page(connection, chain, after).await?;
        for row in &rows {
            let entry = entry(row, &mut wrong)?;
            after = entry.n;
            verifier.take(&entry, Some(AuditEventId::new(uuid(row.first()))));
        }
        let what = chain.env().map_or_else(|| "the installation".to_owned(), |env| env.to_string());
        watcher(Progress { doing: "verifying", what, done: after, of: end.n });
        if rows.is_empty() {
            break;
        }
    }
    let report = verifier.finish();
    wrong.extend(report.findings.iter().map(ToString::to_string));
    if report.head != end {
        wrong.push(format!(
            "the log ends with event {}, and it is noted that it ends with {}",
            report.head.n, end.n
        ));
    }
    Ok(wrong)
}

/// Where it is noted that the chain ends.
async fn end(connection: &mut Connection, chain: ChainId) -> Result<ChainHead, StoreError> {
    let rows = connection.rows(audit::head(chain), &[Kind::Int, Kind::Bytes]).await?;
    let Some(row) = rows.first() else { return Ok(ChainHead::default()) };
    Ok(ChainHead { n: sql::whole("head", int(row.first()))?, hash: hash(row.get(1)) })
}

async fn signed(connection: &mut Connection, chain: ChainId) -> Result<Vec<SignedHead>, StoreError> {
    let id = id_kind(connection.dialect());
    let kinds = [id, Kind::Int, id, id, Kind::Bytes, Kind::Int, Kind::Text, Kind::Text];
    let rows = connection.rows(audit::signed_heads(chain, 0, u32::MAX), &kinds).await?;
    let read = |row: &Vec<Cell>| -> Result<SignedHead, StoreError> {
        Ok(SignedHead {
            statement: HeadStatement {
                env: chain,
                n: sql::whole("signed head", int(row.get(1)))?,
                epoch: uuid(row.get(2)),
                installation: uuid(row.get(3)),
                hash: hash(row.get(4)),
                at: askfirst_domain::Timestamp::from_micros(int(row.get(5))),
            },
            key: text(row.get(6)).to_owned().into(),
            signature: text(row.get(7)).to_owned(),
        })
    };
    rows.iter().map(read).collect()
}

async fn page(connection: &mut Connection, chain: ChainId, after: u64) -> Result<Vec<Vec<Cell>>, StoreError> {
    const OF: &str = "SELECT id, n, hash, body, private, at, topic, code, request FROM audit_event \
         WHERE env = $3 AND n > $1 ORDER BY n LIMIT $2";
    const INSTALLATION: &str = "SELECT id, n, hash, body, private, at, topic, code, request FROM audit_event \
         WHERE env IS NULL AND n > $1 ORDER BY n LIMIT $2";
    let id = id_kind(connection.dialect());
    let kinds = [id, Kind::Int, Kind::Bytes, Kind::Text, Kind::Text, Kind::Int, Kind::Text, Kind::Text, id];
    let mut args = vec![sql::number(after).into(), PAGE.into()];
    let statement = match chain.env() {
        Some(env) => {
            args.push(env.into());
            Statement::new(OF, args)
        }
        None => Statement::new(INSTALLATION, args),
    };
    connection.rows(statement, &kinds).await
}

/// The event of a row. What stands beside it, for searching, has to be what it says.
fn entry(row: &[Cell], wrong: &mut Vec<String>) -> Result<Entry, StoreError> {
    let n = sql::whole("audit event", int(row.get(1)))?;
    let private = serde_json::from_str(text(row.get(4))).unwrap_or_else(|_| {
        wrong.push(format!("event {n}: what can be erased of it can't be read"));
        askfirst_domain::audit::Private::new()
    });
    let entry = Entry { n, hash: hash(row.get(2)), body: text(row.get(3)).to_owned(), private };
    if let Ok(body) = Body::read(&entry.body) {
        let request = match row.get(8) {
            Some(Cell::Null) | None => None,
            cell => Some(uuid(cell)),
        };
        let topic = body.code.split_once('.').map_or(body.code.as_str(), |(topic, _)| topic);
        let beside = (int(row.get(5)), text(row.get(6)), text(row.get(7)), request);
        if beside
            != (body.at.micros(), topic, body.code.as_str(), body.request.map(askfirst_domain::Id::uuid))
        {
            wrong.push(format!("event {n}: it is listed as something else than it is"));
        }
    }
    Ok(entry)
}
