//! A statement with the values that are bound to it.

use crate::StoreError;
use askfirst_domain::{
    Id, Timestamp,
    audit::{ChainId, Hash},
};
use std::borrow::Cow;
use uuid::Uuid;

/// A value to be bound. Each kind can be null and still has its type, which PostgreSQL asks for.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Uuid(Option<Uuid>),
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Option<Vec<u8>>),
    /// Columns of a statement that writes many rows, where the database takes them so.
    Uuids(Vec<Option<Uuid>>),
    Texts(Vec<Option<String>>),
    Ints(Vec<Option<i64>>),
    Blobs(Vec<Option<Vec<u8>>>),
}

impl Value {
    /// The array that begins with this value.
    pub(super) fn into_array(self) -> Self {
        match self {
            Self::Uuid(uuid) => Self::Uuids(vec![uuid]),
            Self::Text(text) => Self::Texts(vec![text]),
            Self::Int(int) => Self::Ints(vec![int]),
            Self::Bytes(bytes) => Self::Blobs(vec![bytes]),
            array => array,
        }
    }

    /// Lengthens an array by a value of its kind.
    pub(super) fn push(&mut self, value: Self) {
        match (self, value) {
            (Self::Uuids(uuids), Self::Uuid(uuid)) => uuids.push(uuid),
            (Self::Texts(texts), Self::Text(text)) => texts.push(text),
            (Self::Ints(ints), Self::Int(int)) => ints.push(int),
            (Self::Blobs(blobs), Self::Bytes(bytes)) => blobs.push(bytes),
            // A column has one kind. The database refuses arrays of different lengths as it refuses a null here.
            (_, _) => {}
        }
    }
}

impl<K> From<Id<K>> for Value {
    fn from(id: Id<K>) -> Self {
        Self::Uuid(Some(id.uuid()))
    }
}
impl<K> From<Option<Id<K>>> for Value {
    fn from(id: Option<Id<K>>) -> Self {
        Self::Uuid(id.map(Id::uuid))
    }
}
impl From<Option<Uuid>> for Value {
    fn from(uuid: Option<Uuid>) -> Self {
        Self::Uuid(uuid)
    }
}
impl From<Uuid> for Value {
    fn from(uuid: Uuid) -> Self {
        Self::Uuid(Some(uuid))
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}
impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}
impl From<Hash> for Value {
    fn from(hash: Hash) -> Self {
        Self::Bytes(Some(hash.bytes().to_vec()))
    }
}
impl From<ChainId> for Value {
    fn from(chain: ChainId) -> Self {
        Self::Uuid(Some(chain.uuid()))
    }
}
impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Self::Int(Some(int))
    }
}
impl From<Option<i64>> for Value {
    fn from(int: Option<i64>) -> Self {
        Self::Int(int)
    }
}
impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Int(Some(at.micros()))
    }
}
impl From<Option<Timestamp>> for Value {
    fn from(at: Option<Timestamp>) -> Self {
        Self::Int(at.map(Timestamp::micros))
    }
}

/// One statement. The text is made of constant pieces only; whatever comes from outside is bound.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: Cow<'static, str>,
    pub(crate) args: Vec<Value>,
}

impl Statement {
    pub(crate) fn new(sql: &'static str, args: Vec<Value>) -> Self {
        Self { sql: Cow::Borrowed(sql), args }
    }

    /// Whether a text that is bound holds NUL, which nothing that is kept does.
    pub(crate) fn holds_nul(&self) -> bool {
        holds_nul(&self.args)
    }
}

/// The parameter that [`Dialect::one_of_texts`] reads. A text with NUL stands nowhere and is left out.
pub(crate) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Value {
    let texts: Vec<_> = texts.into_iter().filter(|text| !text.contains('\0')).collect();
    Value::from(serde_json::Value::from(texts).to_string())
}

/// Rows of ids for SQLite to join with, as `unhex(value ->> COLUMN)`; what is none is empty.
pub(super) fn rows_of_ids<const N: usize>(rows: impl IntoIterator<Item = [Option<Uuid>; N]>) -> Value {
    let row = |ids: [Option<Uuid>; N]| {
        let ids = ids.map(|id| id.map_or_else(|| "\"\"".to_owned(), |id| format!("\"{}\"", id.simple())));
        format!("[{}]", ids.join(","))
    };
    let rows: Vec<_> = rows.into_iter().map(row).collect();
    Value::from(format!("[{}]", rows.join(",")))
}

pub(crate) fn holds_nul(args: &[Value]) -> bool {
    args.iter().any(|value| matches!(value, Value::Text(Some(text)) if text.contains('\0')))
}

/// Where the databases speak differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// `column` is one of the ids in parameter `n`, a text from [`Dialect::ids`]: one statement for lists of any length.
    pub(crate) fn one_of(self, column: &str, n: usize) -> String {
        match self {
            Self::Sqlite => format!("{column} IN (SELECT unhex(value) FROM json_each(${n}))"),
            Self::Postgres => format!("{column} = ANY (CAST(CAST(${n} AS text) AS uuid[]))"),
        }
    }

    /// The parameter that [`Dialect::one_of`] reads.
    pub(crate) fn ids(self, ids: impl IntoIterator<Item = Uuid>) -> Value {
        match self {
            Self::Sqlite => {
                let hex: Vec<_> = ids.into_iter().map(|id| format!("\"{}\"", id.simple())).collect();
                Value::from(format!("[{}]", hex.join(",")))
            }
            Self::Postgres => {
                let ids: Vec<_> = ids.into_iter().map(|id| id.to_string()).collect();
                Value::from(format!("{{{}}}", ids.join(",")))
            }
        }
    }

    /// The statement that gives sixteen random bytes.
    pub(crate) fn fresh(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT randomblob(16)",
            Self::Postgres => "SELECT gen_random_uuid()",
        }
    }

    /// `column` is one of the texts in parameter `n`, from [`texts`].
    pub(crate) fn one_of_texts(self, column: &str, n: usize) -> String {
        match self {
            Self::Sqlite => format!("{column} IN (SELECT value FROM json_each(${n}))"),
            Self::Postgres => format!(
                "{column} = ANY (ARRAY(SELECT jsonb_array_elements_text(CAST(CAST(${n} AS text) AS jsonb))))"
            ),
        }
    }

    /// The text in `column` holds parameter `n`.
    pub(crate) fn contains(self, column: &str, n: usize) -> String {
        match self {
            Self::Sqlite => format!("instr({column}, ${n}) > 0"),
            Self::Postgres => format!("strpos({column}, ${n}) > 0"),
        }
    }
}

/// A count, revision or offset as the databases keep it. What is too large for them is larger than anything they hold.
pub(crate) fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The way back.
pub(crate) fn whole(what: &'static str, n: i64) -> Result<u64, StoreError> {
    u64::try_from(n).map_err(|_| StoreError::Corrupt { what, detail: format!("{n} is negative") })
}
