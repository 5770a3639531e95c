//! Images: the state of an environment as it stood at one revision, packed, so that a start reads some large rows instead
//! of millions of small ones, and the log from there on.
//!
//! The log and the tables are the truth; an image only repeats them. It is read when it belongs to this epoch of the
//! environment, is not ahead of it, and every part of it has its digest; otherwise the tables are read and a new image is
//! made. Images are made in the background, from a look at one moment, while others write; the parts are written one by
//! one and count for nothing until the last step names them, so a process that dies in between leaves an old image or
//! none.

mod bytes;
pub(crate) mod codec;
mod pack;

use crate::{
    Head, StoreError,
    body::{Look, Readers, failed},
    load::{self, Taker},
    sql::{self, Cells, Statement, image as text},
    writer::Job,
};
use askfirst_domain::{change::Change, id::EnvId};
use codec::{Encoder, FORMAT};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub(crate) use sql::image::Header;

const DOING: &str = "writing an image";
/// A part is written once it has so many bytes.
const PART: usize = 256 * 1024;
/// How many parts are removed at a time, so that nobody waits long behind it.
const SWEEP: u64 = 16;
/// A new image is worth its price when the log behind the old one has this part of its facts.
const SHARE: u64 = 10;

/// When images are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImagePolicy {
    /// Never by themselves.
    Never,
    /// When at least so many changes, and a tenth of the facts, stand in the log behind the last image.
    After(u64),
}

impl Default for ImagePolicy {
    /// A start reads some ten thousand changes in a fraction of a second.
    fn default() -> Self {
        Self::After(20_000)
    }
}

pub(crate) fn spoiled(detail: String) -> StoreError {
    StoreError::Corrupt { what: "image", detail }
}

pub(crate) fn digest(body: &[u8]) -> Vec<u8> {
    Sha256::digest(body).to_vec()
}

/// Counts what is written, and says when an environment may need a new image.
#[derive(Debug)]
pub(crate) struct Meter {
    policy: ImagePolicy,
    written: Mutex<HashMap<EnvId, u64>>,
    due: mpsc::UnboundedSender<EnvId>,
}

impl Meter {
    pub(crate) fn new(policy: ImagePolicy) -> (Self, mpsc::UnboundedReceiver<EnvId>) {
        let (due, receiver) = mpsc::unbounded_channel();
        (Self { policy, written: Mutex::default(), due }, receiver)
    }

    /// So many changes were committed.
    pub(crate) fn wrote(&self, env: EnvId, changes: u64) {
        let ImagePolicy::After(least) = self.policy else { return };
        // A number is never half changed, so a poisoned lock has nothing broken behind it.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let so_far = written.entry(env).or_default();
        *so_far += changes;
        if *so_far >= least {
            *so_far = 0;
            drop(written);
            self.suggest(env);
        }
    }

    /// The environment may need one.
    pub(crate) fn suggest(&self, env: EnvId) {
        if self.policy != ImagePolicy::Never {
            // Nobody hears it when the store is being closed.
            let _ = self.due.send(env);
        }
    }
}

/// Makes images when they are due. Ends with the store.
pub(crate) async fn keep<R: Readers>(
    readers: R,
    jobs: mpsc::WeakSender<Job>,
    policy: ImagePolicy,
    mut suggested: mpsc::UnboundedReceiver<EnvId>,
) {
    let ImagePolicy::After(least) = policy else { return };
    while let Some(env) = suggested.recv().await {
        match is_due(&readers, env, least).await {
            Ok(false) => {}
            Ok(true) => match write(&readers, &jobs, env).await {
                Ok(head) => tracing::debug!(%env, revision = head.revision, "wrote an image"),
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::warn!(%env, %error, "an image could not be written; starts take longer");
                }
            },
            Err(StoreError::Closed) => return,
            Err(error) => tracing::warn!(%env, %error, "can't see whether an image is due"),
        }
    }
}

/// Whether enough is in the log behind the last image.
async fn is_due<R: Readers>(readers: &R, env: EnvId, least: u64) -> Result<bool, StoreError> {
    let mut look = readers.look().await.map_err(failed(DOING))?;
    let Some(head) = load::head(&mut look, env).await? else { return Ok(false) };
    let header = header(&mut look, env).await?.filter(|header| fits(header, head));
    let (from, most) =
        header.map_or((0, least), |header| (header.at.revision, least.max(header.facts / SHARE)));
    let counted = look.rows(text::tail(env, from, most)).await.map_err(failed(DOING))?;
    let tail = counted.first().map_or(Ok(0), |row| Cells::of("count", row).whole())?;
    look.end().await.map_err(failed(DOING))?;
    Ok(tail >= most)
}

/// The image that the environment has, whatever it is worth.
pub(crate) async fn header<L: Look>(look: &mut L, env: EnvId) -> Result<Option<Header>, StoreError> {
    let found = look.rows(text::header(env, FORMAT)).await.map_err(failed(DOING))?;
    found.first().map(text::header_of).transpose()
}

/// Whether an image is one of this history.
pub(crate) fn fits(header: &Header, head: Head) -> bool {
    header.at.epoch == head.epoch && header.at.revision <= head.revision
}

/// Writes an image of the environment as it is now. Gives where it was taken.
pub(crate) async fn write<R: Readers>(
    readers: &R,
    jobs: &mpsc::WeakSender<Job>,
    env: EnvId,
) -> Result<Head, StoreError> {
    let mut look = readers.look().await.map_err(failed(DOING))?;
    let head = load::head(&mut look, env).await?.ok_or(StoreError::NoSuchEnvironment(env))?;
    let image = Uuid::from_bytes(fresh(&mut look, R::DIALECT).await?);
    let mut draft =
        Draft { env, image, jobs, encoder: Encoder::default(), written: Vec::new(), facts: 0, parts: 0 };
    load::tables(&mut look, R::DIALECT, env, &mut draft).await?;
    look.end().await.map_err(failed(DOING))?;
    draft.flush().await?;
    let header = Header { image, at: head, facts: draft.facts, parts: draft.parts };
    let finished = job(jobs, text::finish(env, FORMAT, &header)).await?;
    while job(jobs, text::sweep(env, SWEEP)).await? == SWEEP {}
    if finished == 0 {
        return Err(spoiled("the environment moved on, or another process made a newer one".to_owned()));
    }
    Ok(head)
}

/// Sixteen random bytes, from the database.
async fn fresh<L: Look>(look: &mut L, dialect: sql::Dialect) -> Result<[u8; 16], StoreError> {
    let found = look.rows(Statement::new(dialect.fresh(), Vec::new())).await.map_err(failed(DOING))?;
    let row = found.first().ok_or_else(|| spoiled("the database gave no random bytes".to_owned()))?;
    Ok(Cells::of("random bytes", row).uuid()?.into_bytes())
}

/// Has the writer run a statement, and gives how many rows it gave.
pub(crate) async fn job(jobs: &mpsc::WeakSender<Job>, statement: Statement) -> Result<u64, StoreError> {
    let (reply, answer) = oneshot::channel();
    let sender = jobs.upgrade().ok_or(StoreError::Closed)?;
    sender.send(Job::Upkeep(statement, reply)).await.map_err(|_| StoreError::Closed)?;
    drop(sender);
    answer.await.map_err(|_| StoreError::Closed)?
}

/// An image that is being written.
#[derive(Debug)]
struct Draft<'j> {
    env: EnvId,
    image: Uuid,
    jobs: &'j mpsc::WeakSender<Job>,
    encoder: Encoder,
    /// What stands in the part that is being written.
    written: Vec<Change>,
    facts: u64,
    parts: u64,
}

impl Draft<'_> {
    async fn flush(&mut self) -> Result<(), StoreError> {
        if self.encoder.len() == 0 {
            return Ok(());
        }
        let body = self.encoder.finish();
        // What is not the same again shall not be what a start reads.
        let written = std::mem::take(&mut self.written);
        if codec::decode(&body)? != written {
            return Err(spoiled("it does not read back as it was written".to_owned()));
        }
        let part = text::Part { number: sql::number(self.parts), digest: digest(&body), body };
        self.parts += 1;
        job(self.jobs, text::put_part(self.env, self.image, part)).await.map(drop)
    }
}

impl Taker for Draft<'_> {
    async fn take(&mut self, chunk: Vec<Change>) -> Result<(), StoreError> {
        for change in &chunk {
            self.encoder.add(change)?;
        }
        self.facts += chunk.len() as u64;
        self.written.extend(chunk);
        if self.encoder.len() >= PART { self.flush().await } else { Ok(()) }
    }
}
