//! What is to be told outside, until it is told or given up.
//!
//! Items are written by the commits that they tell of. Whoever delivers one claims it first, for a while: when that time is
//! over without a word, another one may deliver it, so an item is delivered at least once.

use crate::{
    Listed, Page, StoreError,
    body::Body,
    sql::{Cells, Row, Select, outbox as statements},
    store::{all, list, upkeep},
};
use askfirst_domain::{Timestamp, audit::OutboxItem, id::EnvId};
use async_trait::async_trait;
use uuid::Uuid;

/// An item and how far its delivery is.
#[derive(Debug, Clone, PartialEq)]
pub struct Queued {
    pub env: EnvId,
    pub item: OutboxItem,
    /// When it is to be tried; while somebody delivers it, when another one may.
    pub due_at: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// Why the last attempt failed, for people.
    pub failure: Option<String>,
    /// When it was given up. Only [`Outbox::outbox_revive`] brings it back.
    pub dead_at: Option<Timestamp>,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// It was taken; the item goes.
    Delivered,
    /// It is to be tried again at `due_at`.
    Failed { failure: String, due_at: Timestamp },
    /// It is given up.
    GivenUp { failure: String, at: Timestamp },
}

/// Which items of an environment are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutboxFilter {
    #[default]
    All,
    /// Those that are still to be delivered.
    Waiting,
    /// Those that were given up.
    Dead,
}

/// The items that wait for their delivery.
#[async_trait]
pub trait Outbox {
    /// Up to `most` items that are due at `now` and for none of those who are `busy`, those first that are due longest.
    async fn outbox_due(&self, now: Timestamp, most: u32, busy: &[Uuid]) -> Result<Vec<Queued>, StoreError>;
    /// When the next item is due that is for none of those who are `busy`; none when nothing waits.
    async fn outbox_next(&self, busy: &[Uuid]) -> Result<Option<Timestamp>, StoreError>;
    /// Takes an item as it was seen, until `until`. False when somebody else was faster or it is gone.
    async fn outbox_claim(&self, seen: &Queued, until: Timestamp) -> Result<bool, StoreError>;
    /// Notes what came of an attempt by whoever claimed the item until `claimed`. False when the claim had run out and somebody
    /// else has taken it, or it is gone: nothing is noted then.
    async fn outbox_settle(
        &self,
        id: Uuid,
        claimed: Timestamp,
        attempt: &Attempt,
    ) -> Result<bool, StoreError>;
    /// The items of an environment, in the order in which they were written.
    async fn outbox(
        &self,
        env: EnvId,
        filter: OutboxFilter,
        page: Page,
    ) -> Result<Listed<Queued>, StoreError>;
    /// One item of an environment.
    async fn outbox_item(&self, env: EnvId, id: Uuid) -> Result<Option<Queued>, StoreError>;
    /// Lets an item that was given up be tried again from `now` on, as if it were new. False when there is no such item.
    async fn outbox_revive(&self, env: EnvId, id: Uuid, now: Timestamp) -> Result<bool, StoreError>;
    /// Drops an item that was given up. False when there is no such item.
    async fn outbox_drop(&self, env: EnvId, id: Uuid) -> Result<bool, StoreError>;
}

#[async_trait]
impl<B: Body> Outbox for B {
    async fn outbox_due(&self, now: Timestamp, most: u32, busy: &[Uuid]) -> Result<Vec<Queued>, StoreError> {
        all(self, statements::due(B::DIALECT, now, most, busy), queued).await
    }

    async fn outbox_next(&self, busy: &[Uuid]) -> Result<Option<Timestamp>, StoreError> {
        let next = statements::next(B::DIALECT, busy);
        let found = all(self, next, |row| Cells::of("outbox", row).at()).await?;
        Ok(found.into_iter().next())
    }

    async fn outbox_claim(&self, seen: &Queued, until: Timestamp) -> Result<bool, StoreError> {
        Ok(upkeep(self, statements::claim(seen.item.id, seen.due_at, until)).await? > 0)
    }

    async fn outbox_settle(
        &self,
        id: Uuid,
        claimed: Timestamp,
        attempt: &Attempt,
    ) -> Result<bool, StoreError> {
        Ok(upkeep(self, statements::settle(id, claimed, attempt)).await? > 0)
    }

    async fn outbox(
        &self,
        env: EnvId,
        filter: OutboxFilter,
        page: Page,
    ) -> Result<Listed<Queued>, StoreError> {
        list(self, &Select::outbox(B::DIALECT, env, filter), page, queued).await
    }

    async fn outbox_item(&self, env: EnvId, id: Uuid) -> Result<Option<Queued>, StoreError> {
        Ok(all(self, statements::item(env, id), queued).await?.into_iter().next())
    }

    async fn outbox_revive(&self, env: EnvId, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        Ok(upkeep(self, statements::revive(env, id, now)).await? > 0)
    }

    async fn outbox_drop(&self, env: EnvId, id: Uuid) -> Result<bool, StoreError> {
        Ok(upkeep(self, statements::drop_dead(env, id)).await? > 0)
    }
}

fn queued<R: Row>(row: &R) -> Result<Queued, StoreError> {
    let mut c = Cells::of("outbox item", row);
    Ok(Queued {
        item: OutboxItem {
            id: c.uuid()?,
            topic: c.text()?,
            receiver: c.opt_uuid()?,
            payload: c.json()?,
            created_at: c.at()?,
        },
        env: c.id()?,
        due_at: c.at()?,
        attempts: u32::try_from(c.whole()?).unwrap_or(u32::MAX),
        failure: c.opt_text()?,
        dead_at: c.opt_at()?,
    })
}
