//! The audit log: events as links of their chain, heads, signatures, keys.

use super::{
    Dialect, Statement, Value,
    log::{in_turn, inserts},
    number,
    put::spells_nul,
    tables::{Broken, Inserts},
};
use crate::StoreError;
use askfirst_domain::{
    Timestamp,
    audit::{AuditEvent, ChainHead, ChainId, Private, PublicKey, Sealed, SignedHead, seal},
    id::{AuditEventId, EnvId},
};
use std::{collections::BTreeMap, sync::LazyLock};
use uuid::Uuid;

/// The columns of an event that are read.
pub(super) const ENTRY: &str = "n, hash, body, private";

const EVENT: [&str; 10] = ["id", "env", "at", "topic", "code", "request", "n", "hash", "body", "private"];
static EVENTS: LazyLock<Inserts> = LazyLock::new(|| Inserts::of("audit_event", &EVENT, "", Broken::Stops));
static HEADS: LazyLock<Inserts> = LazyLock::new(|| {
    let tail = " ON CONFLICT (env) DO UPDATE SET n = excluded.n, hash = excluded.hash";
    Inserts::of("audit_head", &["env", "n", "hash"], tail, Broken::Undone)
});
static NEW_HEADS: LazyLock<Inserts> = LazyLock::new(|| {
    let tail = " ON CONFLICT (env) DO NOTHING";
    Inserts::of("audit_head", &["env", "n", "hash"], tail, Broken::Undone)
});

/// An event that has its place.
#[derive(Debug)]
pub(crate) struct Linked<'e> {
    pub(crate) chain: ChainId,
    pub(crate) event: &'e AuditEvent,
    pub(crate) sealed: Sealed,
    pub(crate) head: ChainHead,
}

/// The bytes of an event, unless there is something in them that can't be kept.
pub(crate) fn sealed(event: &AuditEvent) -> Result<Sealed, StoreError> {
    let sealed =
        seal(event).map_err(|e| StoreError::Corrupt { what: "audit event", detail: e.to_string() })?;
    let texts = sealed.private.values().map(|opened| &opened.text);
    if std::iter::once(&sealed.body).chain(texts).any(|text| spells_nul(text)) {
        return Err(StoreError::Nul);
    }
    Ok(sealed)
}

/// The part of an event that can be erased, as it is kept.
pub(crate) fn private_text(private: &Private) -> Result<String, StoreError> {
    serde_json::to_string(private)
        .map_err(|e| StoreError::Corrupt { what: "value to be written", detail: e.to_string() })
}

/// The statements that write events, each event as the next of its chain, which `link` says. They are put together when
/// they are asked for.
pub(crate) fn event_statements<'e, E: Copy>(
    dialect: Dialect,
    events: &[E],
    mut link: impl FnMut(E) -> Result<Linked<'e>, StoreError>,
) -> impl Iterator<Item = Result<Statement, StoreError>> {
    in_turn(dialect, &EVENTS, events, move |event| event_row(link(*event)?))
}

/// The row of an event that has its place.
pub(crate) fn event_row(linked: Linked<'_>) -> Result<Vec<Value>, StoreError> {
    let Linked { chain, event, sealed, head } = linked;
    Ok(vec![
        event.id.into(),
        chain.env().into(),
        event.at.into(),
        event.code.split_once('.').map_or(event.code.as_str(), |(topic, _)| topic).into(),
        event.code.as_str().into(),
        event.request.into(),
        number(head.n).into(),
        head.hash.into(),
        sealed.body.into(),
        private_text(&sealed.private)?.into(),
    ])
}

/// The statements that write rows of events.
pub(crate) fn write_events(dialect: Dialect, rows: Vec<Vec<Value>>) -> Vec<Statement> {
    inserts(dialect, &EVENTS, rows)
}

/// Takes the ends of chains: nobody else appends to them until the transaction ends. Gives `env, n, hash`, for those that
/// are there.
pub(crate) fn take_heads(dialect: Dialect, chains: &[ChainId]) -> Statement {
    let among = dialect.one_of("env", 1);
    let lock = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => " FOR UPDATE",
    };
    let sql = format!("SELECT env, n, hash FROM audit_head WHERE {among} ORDER BY env{lock}");
    Statement { sql: sql.into(), args: vec![dialect.ids(chains.iter().map(|chain| chain.uuid()))] }
}

/// Makes the ends of chains that have none yet.
pub(crate) fn new_heads(dialect: Dialect, chains: &[ChainId]) -> Vec<Statement> {
    let none = ChainHead::default();
    let row = |chain: &ChainId| vec![Value::from(*chain), number(none.n).into(), none.hash.into()];
    inserts(dialect, &NEW_HEADS, chains.iter().map(row).collect())
}

/// Writes where chains end.
pub(crate) fn put_heads<'h>(
    dialect: Dialect,
    heads: impl IntoIterator<Item = (&'h ChainId, &'h ChainHead)>,
) -> Vec<Statement> {
    let row = |(chain, head): (&ChainId, &ChainHead)| {
        vec![Value::from(*chain), number(head.n).into(), head.hash.into()]
    };
    inserts(dialect, &HEADS, heads.into_iter().map(row).collect())
}

/// `env, n, hash` as a map.
pub(crate) fn read_heads<R: super::Row>(rows: &[R]) -> Result<BTreeMap<ChainId, ChainHead>, StoreError> {
    let read = |row: &R| {
        let mut c = super::Cells::of("head of an audit log", row);
        Ok((ChainId::from_uuid(c.uuid()?), ChainHead { n: c.whole()?, hash: c.hash()? }))
    };
    rows.iter().map(read).collect()
}

/// Gives `n, hash`.
pub(crate) fn head(chain: ChainId) -> Statement {
    Statement::new("SELECT n, hash FROM audit_head WHERE env = $1", vec![chain.into()])
}

/// A chain from the event after `after` on, oldest first.
pub(crate) fn chain(env: Option<EnvId>, after: u64, most: u32) -> Statement {
    const OF: &str =
        "SELECT n, hash, body, private FROM audit_event WHERE env = $1 AND n > $2 ORDER BY n LIMIT $3";
    const INSTALLATION: &str =
        "SELECT n, hash, body, private FROM audit_event WHERE env IS NULL AND n > $1 ORDER BY n LIMIT $2";
    let rest = [Value::from(number(after)), i64::from(most).into()];
    match env {
        Some(env) => Statement::new(OF, std::iter::once(env.into()).chain(rest).collect()),
        None => Statement::new(INSTALLATION, rest.into()),
    }
}

/// One event of a chain.
pub(crate) fn entry(env: Option<EnvId>, id: AuditEventId) -> Statement {
    const OF: &str =
        "SELECT n, hash, body, private FROM audit_event WHERE id = $1 AND env = $2 AND n IS NOT NULL";
    const INSTALLATION: &str =
        "SELECT n, hash, body, private FROM audit_event WHERE id = $1 AND env IS NULL AND n IS NOT NULL";
    match env {
        Some(env) => Statement::new(OF, vec![id.into(), env.into()]),
        None => Statement::new(INSTALLATION, vec![id.into()]),
    }
}

/// The ends of chains at every `step`th event after `after` and at `last`. Gives `n, hash`.
pub(crate) fn heads_at(chain: ChainId, after: u64, last: u64, step: u64) -> Statement {
    const OF: &str = "SELECT n, hash FROM audit_event WHERE env = $4 AND n > $1 AND n <= $2 \
         AND (n % $3 = 0 OR n = $2) ORDER BY n LIMIT 1000";
    const INSTALLATION: &str = "SELECT n, hash FROM audit_event WHERE env IS NULL AND n > $1 AND n <= $2 \
         AND (n % $3 = 0 OR n = $2) ORDER BY n LIMIT 1000";
    let mut args: Vec<Value> = vec![number(after).into(), number(last).into(), number(step).into()];
    match chain.env() {
        Some(env) => {
            args.push(env.into());
            Statement::new(OF, args)
        }
        None => Statement::new(INSTALLATION, args),
    }
}

/// Chains that are longer than what was signed of them. Gives `env, n, hash, signed, epoch`.
pub(crate) fn unsigned() -> Statement {
    const SQL: &str = "SELECT h.env, h.n, h.hash, h.signed, e.epoch FROM \
         (SELECT env, n, hash, coalesce((SELECT max(s.n) FROM audit_signature AS s WHERE s.env = audit_head.env), 0) \
          AS signed FROM audit_head) AS h \
         LEFT JOIN environment AS e ON e.id = h.env WHERE h.n > h.signed ORDER BY h.env";
    Statement::new(SQL, Vec::new())
}

/// Writes a signed head; one that is there for the same event and epoch stays.
pub(crate) fn put_signed_head(signed: &SignedHead) -> Statement {
    const SQL: &str = "INSERT INTO audit_signature (env, n, epoch, installation, hash, at, key, signature) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (env, n, epoch) DO NOTHING";
    let of = &signed.statement;
    let args = vec![
        of.env.into(),
        number(of.n).into(),
        of.epoch.into(),
        of.installation.into(),
        of.hash.into(),
        of.at.into(),
        signed.key.as_str().into(),
        signed.signature.as_str().into(),
    ];
    Statement::new(SQL, args)
}

/// Signed heads from event `from` on.
pub(crate) fn signed_heads(chain: ChainId, from: u64, most: u32) -> Statement {
    const SQL: &str = "SELECT env, n, epoch, installation, hash, at, key, signature FROM audit_signature \
         WHERE env = $1 AND n >= $2 ORDER BY n, at LIMIT $3";
    Statement::new(SQL, vec![chain.into(), number(from).into(), i64::from(most).into()])
}

pub(crate) fn put_key(key: &PublicKey, at: Timestamp) -> Statement {
    const SQL: &str =
        "INSERT INTO audit_key (id, public, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    let public = Value::Bytes(Some(key.bytes().to_vec()));
    Statement::new(SQL, vec![key.id().as_str().into(), public, at.into()])
}

/// Gives `public`.
pub(crate) fn keys() -> Statement {
    Statement::new("SELECT public FROM audit_key ORDER BY created_at, id", Vec::new())
}

/// What is kept of events that can be erased. Gives `id, private`.
pub(crate) fn private_of(dialect: Dialect, env: EnvId, ids: impl IntoIterator<Item = Uuid>) -> Statement {
    let among = dialect.one_of("id", 2);
    let lock = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => " FOR UPDATE",
    };
    let sql =
        format!("SELECT id, private FROM audit_event WHERE env = $1 AND n IS NOT NULL AND {among}{lock}");
    Statement { sql: sql.into(), args: vec![env.into(), dialect.ids(ids)] }
}

pub(crate) fn put_private(id: Uuid, private: &Private) -> Result<Statement, StoreError> {
    const SQL: &str = "UPDATE audit_event SET private = $2 WHERE id = $1";
    Ok(Statement::new(SQL, vec![id.into(), private_text(private)?.into()]))
}

/// Events from before there were chains. Gives `seq, env, body`.
pub(crate) fn unchained(most: u32) -> Statement {
    const SQL: &str = "SELECT seq, env, body FROM audit_event WHERE n IS NULL ORDER BY seq LIMIT $1";
    Statement::new(SQL, vec![i64::from(most).into()])
}

/// Gives an event from before its place.
pub(crate) fn put_linked(seq: i64, linked: &Linked<'_>) -> Result<Statement, StoreError> {
    const SQL: &str = "UPDATE audit_event SET n = $2, hash = $3, body = $4, private = $5 WHERE seq = $1";
    let Linked { sealed, head, .. } = linked;
    let private = private_text(&sealed.private)?;
    let body = sealed.body.as_str();
    Ok(Statement::new(
        SQL,
        vec![seq.into(), number(head.n).into(), head.hash.into(), body.into(), private.into()],
    ))
}
