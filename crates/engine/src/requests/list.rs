//! Lists of requests: what one person may see, what one person may decide.

use super::{
    Ahead, RequestQuery, RequestView,
    sight::{Look, Sight},
};
use crate::{Acting, error::Result};
use askfirst_domain::{
    Ident,
    request::{Request, Status},
};
use askfirst_store::{Listed, Older, Page, RequestFilter, Spot, Standing};
use std::collections::BTreeSet;

/// How many requests are counted behind a page.
pub const COUNTED: u64 = 250;

/// How many requests are read from the store at once, at most and at least.
const BATCH: u32 = 2000;
const LEAST_BATCH: u32 = 50;
/// In how many places requests are looked for one by one. Whoever sees more places has much of all in sight.
const SPOTS: usize = 100;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) page: Page,
    pub(super) ahead: Ahead,
}

impl Part {
    /// How many requests have to be found before nobody need look any further.
    fn enough(self) -> u64 {
        let ahead = match self.ahead {
            Ahead::Counted => COUNTED,
            Ahead::OneMore => 0,
        };
        self.page.offset.saturating_add(u64::from(self.page.limit)).saturating_add(ahead)
    }
}

impl Acting {
    /// The requests that the person may see, newest first.
    ///
    /// They are read place by place where the person sees few places, else through from the newest, until the page is full
    /// and as much is counted behind it as the query wants: the total is exact up to there, and one more than that
    /// otherwise.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) when the query names something unknown.
    pub async fn requests(&self, query: RequestQuery, page: Page) -> Result<Listed<RequestView>> {
        let state = self.scope.state();
        let filter = self.narrow(&state, &query).await?;
        let mut sight = self.sight();
        let mut spots = sight.spots(Look::See);
        spots.insert(Spot::AskedBy(self.person.id));
        let part = Part { page, ahead: query.ahead };
        let listed = self.sift(&filter, spots, part, |request| sight.sees(request)).await?;
        self.viewed(listed, &mut sight).await
    }

    /// The pending requests, of both kinds, that the person may decide; newest first. The total is exact up to
    /// [`COUNTED`] behind the page, and one more than that otherwise.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inbox(&self, page: Page) -> Result<Listed<RequestView>> {
        let mut sight = self.sight();
        let spots = sight.spots(Look::Decide);
        if spots.is_empty() {
            return Ok(Listed { items: Vec::new(), total: 0 });
        }
        let standing = Some(Standing::only(Status::Pending, self.scope.op.now));
        let filter = RequestFilter { standing, tenant: self.tenant, ..Default::default() };
        let me = self.person.id;
        let part = Part { page, ahead: Ahead::Counted };
        let awaited = |r: &Request| r.requester.id != me && self.is_awaited(r, &mut sight);
        let listed = self.sift(&filter, spots, part, awaited).await?;
        self.viewed(listed, &mut sight).await
    }

    /// One request.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) when there is none that the person may see.
    pub async fn request(&self, id: &Ident) -> Result<RequestView> {
        let found = self.visible(id).await?;
        self.view(found.value).await
    }

    pub(super) async fn viewed(
        &self,
        listed: Listed<Request>,
        sight: &mut Sight,
    ) -> Result<Listed<RequestView>> {
        Ok(Listed { total: listed.total, items: self.views(listed.items, sight).await? })
    }

    /// Reads the requests of these places, or all when these are too many, from the newest, and keeps what passes.
    pub(super) async fn sift(
        &self,
        filter: &RequestFilter,
        spots: BTreeSet<Spot>,
        part: Part,
        mut keep: impl FnMut(&Request) -> bool,
    ) -> Result<Listed<Request>> {
        let store = self.scope.engine.store();
        let spots: Vec<Spot> = if spots.len() > SPOTS { Vec::new() } else { spots.into_iter().collect() };
        let enough = part.enough();
        let mut kept = Listed { items: Vec::new(), total: 0 };
        let mut than = None;
        loop {
            // One more than is wanted says that there are more.
            let most = enough.saturating_sub(kept.total).saturating_add(1);
            let most = u32::try_from(most).unwrap_or(u32::MAX).clamp(LEAST_BATCH, BATCH);
            let batch =
                store.newest_requests(self.scope.env.id, filter, &spots, Older { than, most }).await?;
            than = batch.last().map(|last| last.place);
            let last = batch.len() < most as usize;
            for request in batch.into_iter().map(|placed| placed.request) {
                if !keep(&request) {
                    continue;
                }
                let wanted = kept.total >= part.page.offset && kept.items.len() < part.page.limit as usize;
                kept.total += 1;
                if wanted {
                    kept.items.push(request);
                }
                if kept.total > enough {
                    return Ok(kept);
                }
            }
            if last {
                return Ok(kept);
            }
        }
    }
}
