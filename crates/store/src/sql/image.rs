//! The statements of images: see `crate::image`.

use super::{Cells, Row, Statement, Value, number};
use crate::{Head, StoreError};
use askfirst_domain::id::EnvId;
use uuid::Uuid;

/// An image that was written to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) image: Uuid,
    /// Where it was taken.
    pub(crate) at: Head,
    pub(crate) facts: u64,
    pub(crate) parts: u64,
}

/// A part of an image.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) number: i64,
    pub(crate) digest: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// The environment's image, if it is in this format.
pub(crate) fn header(env: EnvId, format: i64) -> Statement {
    const SQL: &str = "SELECT image, epoch, revision, facts, parts FROM image WHERE env = $1 AND format = $2";
    Statement::new(SQL, vec![env.into(), format.into()])
}

pub(crate) fn header_of<R: Row>(row: &R) -> Result<Header, StoreError> {
    let mut c = Cells::of("image", row);
    let image = c.uuid()?;
    let at = Head { epoch: c.uuid()?, revision: c.whole()? };
    Ok(Header { image, at, facts: c.whole()?, parts: c.whole()? })
}

/// The next part of an image.
pub(crate) fn next_part(env: EnvId, image: Uuid, after: i64) -> Statement {
    const SQL: &str = "SELECT number, digest, body FROM image_part \
         WHERE env = $1 AND image = $2 AND number > $3 ORDER BY number LIMIT 1";
    Statement::new(SQL, vec![env.into(), image.into(), after.into()])
}

pub(crate) fn part_of<R: Row>(row: &R) -> Result<Part, StoreError> {
    let mut c = Cells::of("image", row);
    Ok(Part { number: c.int()?, digest: c.bytes()?, body: c.bytes()? })
}

pub(crate) fn put_part(env: EnvId, image: Uuid, part: Part) -> Statement {
    const SQL: &str =
        "INSERT INTO image_part (env, image, number, digest, body) VALUES ($1, $2, $3, $4, $5) RETURNING 1";
    let args = vec![
        env.into(),
        image.into(),
        part.number.into(),
        Value::Bytes(Some(part.digest)),
        Value::Bytes(Some(part.body)),
    ];
    Statement::new(SQL, args)
}

/// Makes the parts an image, when they are all there, and the environment is what it was and has no newer image. Gives a
/// row then.
pub(crate) fn finish(env: EnvId, format: i64, header: &Header) -> Statement {
    const SQL: &str = "INSERT INTO image (env, image, format, epoch, revision, facts, parts) \
         SELECT e.id, $2, $3, e.epoch, $5, $6, $7 FROM environment AS e \
         WHERE e.id = $1 AND e.epoch = $4 AND e.head_revision >= $5 \
         AND (SELECT count(*) FROM image_part AS p WHERE p.env = $1 AND p.image = $2) = $7 \
         ON CONFLICT (env) DO UPDATE SET image = excluded.image, format = excluded.format, epoch = excluded.epoch, \
         revision = excluded.revision, facts = excluded.facts, parts = excluded.parts \
         WHERE image.format <> excluded.format OR image.epoch <> excluded.epoch OR image.revision <= excluded.revision \
         RETURNING 1";
    let args = vec![
        env.into(),
        header.image.into(),
        format.into(),
        header.at.epoch.into(),
        number(header.at.revision).into(),
        number(header.facts).into(),
        number(header.parts).into(),
    ];
    Statement::new(SQL, args)
}

/// Removes up to `most` parts of what is not (any more) the environment's image. Gives a row for each.
pub(crate) fn sweep(env: EnvId, most: u64) -> Statement {
    const SQL: &str = "DELETE FROM image_part WHERE env = $1 AND (image, number) IN (\
         SELECT p.image, p.number FROM image_part AS p WHERE p.env = $1 \
         AND NOT EXISTS (SELECT 1 FROM image AS i WHERE i.env = $1 AND i.image = p.image) LIMIT $2) RETURNING 1";
    Statement::new(SQL, vec![env.into(), number(most).into()])
}

/// Makes the environment one without an image.
pub(crate) fn discard(env: EnvId, image: Uuid) -> Statement {
    Statement::new(
        "DELETE FROM image WHERE env = $1 AND image = $2 RETURNING 1",
        vec![env.into(), image.into()],
    )
}

/// How many changes there are after a revision, counted up to `most`.
pub(crate) fn tail(env: EnvId, revision: u64, most: u64) -> Statement {
    const SQL: &str =
        "SELECT count(*) FROM (SELECT 1 FROM change WHERE env = $1 AND revision > $2 LIMIT $3) AS tail";
    Statement::new(SQL, vec![env.into(), number(revision).into(), number(most).into()])
}
