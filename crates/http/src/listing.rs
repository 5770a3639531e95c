//! Pages of lists: `page` and `per_page` in, bare arrays or envelopes out.

use crate::{error::Failure, limits::Limits};
use askfirst_engine::{Error, Kind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `page` (from 1) and `per_page` of a list call.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    pub(crate) page: Option<u32>,
    pub(crate) per_page: Option<u32>,
}

/// A page above the largest.
pub(crate) fn too_large(size: u32, limit: u32) -> Error {
    Error::new(Kind::TooLarge, format!("`per_page` may be {limit} at most; it was {size}."))
}

impl PageQuery {
    /// Offset and limit, with the default page size of the route. That the page is not larger than the operator's limit
    /// is seen to where the query is read.
    pub(crate) fn window(self, default_size: u32) -> Result<(u64, u32), Failure> {
        let size = self.per_page.unwrap_or(default_size);
        let page = self.page.unwrap_or(1);
        if page == 0 || size == 0 {
            return Err(Error::invalid("`page` and `per_page` count from 1.").into());
        }
        if size > Limits::MOST_PAGE {
            return Err(too_large(size, Limits::MOST_PAGE).into());
        }
        Ok((u64::from(page - 1) * u64::from(size), size))
    }
}

/// A page in its envelope.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaginatedResult)]
pub(crate) struct Paginated<T> {
    pub(crate) data: Vec<T>,
    pub(crate) total_count: u64,
    pub(crate) page_count: u64,
}

impl<T> Paginated<T> {
    /// `size` is the page size of the call.
    pub(crate) fn new(data: Vec<T>, total_count: u64, size: u32) -> Self {
        Self { data, total_count, page_count: total_count.div_ceil(u64::from(size.max(1))) }
    }
}
