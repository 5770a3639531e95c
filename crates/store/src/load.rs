//! Reading the whole state of an environment, as it stood at one moment: from the tables, or from an image of them and
//! the log behind it.
//!
//! Three things go on at once: the database finds the next page, another thread takes the one before it apart, and this
//! one hands on what was taken apart.

use crate::{
    Head, StoreError,
    body::{Look, failed},
    image::{self, Header, codec},
    sql::{
        Cells, Dialect, Row, Statement, image as image_text,
        packed::{self, Line},
        read,
        rows::{self, schema_object},
        tables::{ASSIGNMENTS, INSTANCES, TENANTS, TUPLES, Table, USERS},
    },
};
use askfirst_domain::{change::Change, id::EnvId};
use futures::TryStreamExt as _;
use std::future::Future;
use tokio::task::{JoinHandle, spawn_blocking};
use uuid::Uuid;

/// How many changes are given at a time.
const CHUNK: usize = 2048;
const DOING: &str = "loading an environment";

pub(crate) type Sink<'a> = &'a mut (dyn FnMut(Vec<Change>) + Send);
type ToChange<R> = fn(&R) -> Result<Change, StoreError>;

/// Takes what is read, chunk by chunk.
pub(crate) trait Taker: Send {
    fn take(&mut self, chunk: Vec<Change>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Whoever takes it at once.
pub(crate) struct AtOnce<'a>(pub(crate) Sink<'a>);

impl Taker for AtOnce<'_> {
    async fn take(&mut self, chunk: Vec<Change>) -> Result<(), StoreError> {
        (self.0)(chunk);
        Ok(())
    }
}

/// How a state was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) head: Head,
    /// The image that was there and is of no use.
    pub(crate) spoiled: Option<Uuid>,
}

/// Gives the state to `taker`; see `Store::load`.
pub(crate) async fn load<L: Look>(
    mut look: L,
    dialect: Dialect,
    env: EnvId,
    taker: &mut impl Taker,
) -> Result<Loaded, StoreError> {
    // The first look fixes the moment for the whole transaction.
    let head = head(&mut look, env).await?.ok_or(StoreError::NoSuchEnvironment(env))?;
    let header = image::header(&mut look, env).await?.filter(|header| image::fits(header, head));
    let mut spoiled = None;
    match header {
        None => tables(&mut look, dialect, env, taker).await?,
        Some(header) => match look_through(&mut look, env, &header).await {
            Ok(()) => from_image(&mut look, env, &header, taker).await?,
            Err(error) => {
                tracing::warn!(%env, %error, "an image can't be used; reading the tables, which takes longer");
                spoiled = Some(header.image);
                tables(&mut look, dialect, env, taker).await?;
            }
        },
    }
    look.end().await.map_err(failed(DOING))?;
    Ok(Loaded { head, spoiled })
}

/// Where the environment is.
pub(crate) async fn head<L: Look>(look: &mut L, env: EnvId) -> Result<Option<Head>, StoreError> {
    let found = look.rows(read::head(env)).await.map_err(failed(DOING))?;
    found.first().map(rows::head).transpose()
}

/// Gives what the tables hold, things before what refers to them.
pub(crate) async fn tables<L: Look>(
    look: &mut L,
    dialect: Dialect,
    env: EnvId,
    taker: &mut impl Taker,
) -> Result<(), StoreError> {
    for kind in [
        "resource",
        "role",
        "relation",
        "element",
        "condition_set",
        "set_rule",
        "proxy_config",
        "agent",
        "delegation",
    ] {
        give(look, read::all_schema(env, kind), schema_object, taker).await?;
    }
    give(look, read::all_facts(&USERS, env), user, taker).await?;
    give(look, read::all_facts(&TENANTS, env), tenant, taker).await?;
    match dialect {
        Dialect::Sqlite => {
            give_packed(look, env, &INSTANCES, |line| instance(line), taker).await?;
            give_packed(look, env, &ASSIGNMENTS, |line| assignment(line), taker).await?;
            give_packed(look, env, &TUPLES, |line| tuple(line), taker).await?;
        }
        Dialect::Postgres => {
            give(look, read::all_facts(&INSTANCES, env), instance, taker).await?;
            give(look, read::all_facts(&ASSIGNMENTS, env), assignment, taker).await?;
            give(look, read::all_facts(&TUPLES, env), tuple, taker).await?;
        }
    }
    Ok(())
}

/// Looks at all of an image before any of it is given.
async fn look_through<L: Look>(look: &mut L, env: EnvId, header: &Header) -> Result<(), StoreError> {
    let next = |after| image_text::next_part(env, header.image, after);
    let mut pages = Pages::start(look, next, part).await?;
    let mut parts = 0;
    while let Some(sound) = pages.next(look, |(body, digest)| Ok(image::digest(&body) == digest)).await? {
        if !sound {
            return Err(image::spoiled(format!("part {parts} is not what was written")));
        }
        parts += 1;
    }
    if parts == header.parts {
        Ok(())
    } else {
        Err(image::spoiled(format!("{parts} of {} parts are there", header.parts)))
    }
}

/// Gives what an image holds, and what was done since.
async fn from_image<L: Look>(
    look: &mut L,
    env: EnvId,
    header: &Header,
    taker: &mut impl Taker,
) -> Result<(), StoreError> {
    let next = |after| image_text::next_part(env, header.image, after);
    let mut pages = Pages::start(look, next, part).await?;
    let mut ready = pages.next(look, |(body, _)| codec::decode(&body)).await?;
    while let Some(chunk) = ready {
        let (next, taken) =
            futures::join!(pages.next(look, |(body, _)| codec::decode(&body)), taker.take(chunk));
        taken?;
        ready = next?;
    }
    let mut revision = header.at.revision;
    loop {
        let found = look.rows(read::changes_after(env, revision, CHUNK)).await.map_err(failed(DOING))?;
        let records = found.iter().map(rows::change).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = records.last() else { return Ok(()) };
        revision = last.revision;
        let chunk = records.into_iter().map(|record| record.change).filter(is_loaded).collect();
        taker.take(chunk).await?;
    }
}

/// Whether a change is one of those that are loaded.
fn is_loaded(change: &Change) -> bool {
    !matches!(change, Change::PutRequest(_) | Change::PutInvite(_) | Change::DeleteInvite { .. })
}

fn user<R: Row>(row: &R) -> Result<Change, StoreError> {
    Ok(Change::PutUser(rows::user(row)?.value))
}
fn tenant<R: Row>(row: &R) -> Result<Change, StoreError> {
    Ok(Change::PutTenant(rows::tenant(row)?.value))
}
fn instance<R: Row>(row: &R) -> Result<Change, StoreError> {
    Ok(Change::PutInstance(rows::instance(row)?.value))
}
fn assignment<R: Row>(row: &R) -> Result<Change, StoreError> {
    Ok(Change::PutAssignment(rows::assignment(row)?.value))
}
fn tuple<R: Row>(row: &R) -> Result<Change, StoreError> {
    Ok(Change::PutTuple(rows::tuple(row)?.value))
}

async fn give<L: Look>(
    look: &mut L,
    statement: Statement,
    to_change: ToChange<L::Row>,
    taker: &mut impl Taker,
) -> Result<(), StoreError> {
    let mut stream = look.stream(statement).map_err(failed(DOING))?;
    let mut chunk = Vec::new();
    while let Some(row) = stream.try_next().await.map_err(failed(DOING))? {
        chunk.push(to_change(&row)?);
        if chunk.len() == CHUNK {
            taker.take(std::mem::take(&mut chunk)).await?;
        }
    }
    if chunk.is_empty() { Ok(()) } else { taker.take(chunk).await }
}

/// As [`give`], by pages.
async fn give_packed<L: Look>(
    look: &mut L,
    env: EnvId,
    table: &'static Table,
    to_change: for<'p> fn(&Line<'p>) -> Result<Change, StoreError>,
    taker: &mut impl Taker,
) -> Result<(), StoreError> {
    let unpack = move |text: String| {
        let mut chunk = Vec::new();
        packed::unpack(&text, |line| {
            chunk.push(to_change(line)?);
            Ok(())
        })
        .map(|()| chunk)
    };
    let mut pages = Pages::start(look, |after| packed::page(table, env, after), packed_page).await?;
    let mut ready = pages.next(look, unpack).await?;
    while let Some(chunk) = ready {
        let (next, taken) = futures::join!(pages.next(look, unpack), taker.take(chunk));
        taken?;
        ready = next?;
    }
    Ok(())
}

/// The position of a page's end, and the page; none after the last one.
type Page<P> = Option<(i64, P)>;
type ReadPage<R, P> = fn(&R) -> Result<Page<P>, StoreError>;
/// A part's body and its digest.
type Part = (Vec<u8>, Vec<u8>);

/// Pages of something, one read while the one before it is worked on by another thread.
struct Pages<S, R, P> {
    statement: S,
    read: ReadPage<R, P>,
    page: Page<P>,
}

impl<S: Fn(i64) -> Statement, R, P: Send + 'static> Pages<S, R, P> {
    /// Reads the first page.
    async fn start<L: Look<Row = R>>(
        look: &mut L,
        statement: S,
        read: ReadPage<R, P>,
    ) -> Result<Self, StoreError> {
        let mut pages = Self { statement, read, page: None };
        pages.page = pages.read(look, -1).await?;
        Ok(pages)
    }

    async fn read<L: Look<Row = R>>(&self, look: &mut L, after: i64) -> Result<Page<P>, StoreError> {
        let found = look.rows((self.statement)(after)).await.map_err(failed(DOING))?;
        found.first().map_or(Ok(None), self.read)
    }

    /// What `work` makes of the next page; none when there are no more.
    async fn next<L: Look<Row = R>, T: Send + 'static>(
        &mut self,
        look: &mut L,
        work: impl FnOnce(P) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let Some((last, page)) = self.page.take() else { return Ok(None) };
        let working: JoinHandle<Result<T, StoreError>> = spawn_blocking(move || work(page));
        self.page = self.read(look, last).await?;
        let done = working.await.map_err(|e| StoreError::Corrupt { what: "page", detail: e.to_string() })?;
        done.map(Some)
    }
}

/// The position of a page's last row, and the page.
fn packed_page<R: Row>(row: &R) -> Result<Page<String>, StoreError> {
    let mut cells = Cells::of("page", row);
    Ok(cells.opt_int()?.zip(cells.opt_text()?))
}

/// The number of a part, its body and its digest.
fn part<R: Row>(row: &R) -> Result<Page<Part>, StoreError> {
    let part = image_text::part_of(row)?;
    Ok(Some((part.number, (part.body, part.digest))))
}
