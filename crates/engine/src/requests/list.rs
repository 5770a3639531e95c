//! Lists of requests: what one person may see, what one person may decide.

use super::{RequestQuery, RequestView, sight::Sight};
use crate::{Acting, error::Result};
use askfirst_domain::{
    Ident,
    id::RequestId,
    request::{Request, Status},
};
use askfirst_store::{Listed, Page, RequestFilter, Standing};
use std::collections::HashSet;

/// How many requests are read from the store at once.
const BATCH: u32 = 1000;

impl Acting {
    /// The requests that the person may see, newest first.
    ///
    /// Whoever reviews nowhere costs one indexed read of their own requests. For a reviewer the narrowed list is read
    /// through, in batches, since the total has to be told.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) when the query names something unknown.
    pub async fn requests(&self, query: RequestQuery, page: Page) -> Result<Listed<RequestView>> {
        let state = self.scope.state();
        let mut filter = self.narrow(&state, &query).await?;
        let mut sight = self.sight();
        let listed = if sight.sees_others() {
            self.sift(&filter, page, |request| sight.sees(request)).await?
        } else {
            filter.requester = Some(self.person.id);
            self.scope.engine.store().requests(self.scope.env.id, &filter, page).await?
        };
        self.viewed(listed, &mut sight).await
    }

    /// The pending requests, of both kinds, that the person may decide; newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn inbox(&self, page: Page) -> Result<Listed<RequestView>> {
        let mut sight = self.sight();
        if !sight.sees_others() {
            return Ok(Listed { items: Vec::new(), total: 0 });
        }
        let standing = Some(Standing::only(Status::Pending, self.scope.op.now));
        let filter = RequestFilter { standing, tenant: self.tenant, ..Default::default() };
        let me = self.person.id;
        let listed = self
            .sift(&filter, page, |r| r.requester.id != me && !self.was_heard(r) && sight.decides(r))
            .await?;
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

    /// Reads a filtered list through and keeps what passes.
    pub(super) async fn sift(
        &self,
        filter: &RequestFilter,
        page: Page,
        mut keep: impl FnMut(&Request) -> bool,
    ) -> Result<Listed<Request>> {
        let store = self.scope.engine.store();
        let mut kept = Listed { items: Vec::new(), total: 0 };
        // A request that is opened meanwhile moves the others down, over the edge of a batch.
        let mut seen: HashSet<RequestId> = HashSet::new();
        let mut window = Page { offset: 0, limit: BATCH };
        loop {
            let batch = store.requests(self.scope.env.id, filter, window).await?;
            let read = u64::try_from(batch.items.len()).unwrap_or(u64::MAX);
            for request in batch.items {
                if !seen.insert(request.id) || !keep(&request) {
                    continue;
                }
                let wanted = kept.total >= page.offset && kept.items.len() < page.limit as usize;
                kept.total += 1;
                if wanted {
                    kept.items.push(request);
                }
            }
            window.offset += read;
            if read == 0 || window.offset >= batch.total {
                return Ok(kept);
            }
        }
    }
}
