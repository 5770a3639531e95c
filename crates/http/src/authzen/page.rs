//! Pages of search results. A token says where to go on, and for which search: another search refuses it.

use super::{
    problem::Problem,
    read::{Members, optional},
};
use askfirst_domain::digest::Digest;
use askfirst_engine::Page;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How many results a page has when the call does not say.
const DEFAULT_LIMIT: u32 = 100;
/// The largest page; a call that wants more gets as many.
const MAX_LIMIT: u32 = 1000;

#[derive(Debug, Default, Deserialize)]
struct Wanted {
    token: Option<String>,
    limit: Option<u64>,
}

/// The part of a search that a call asks for.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) page: Page,
    search: Digest,
}

/// Results, and where to go on.
#[derive(Debug, Serialize)]
pub(super) struct Results<T> {
    results: Vec<T>,
    page: PageRead,
}

#[derive(Debug, Serialize)]
struct PageRead {
    /// Empty at the end.
    next_token: String,
    /// How many results are here.
    count: usize,
    /// How many there are in all, now.
    total: u64,
}

impl Window {
    /// Of a search of one kind, as the call has it.
    pub(super) fn of(kind: &str, members: &Members) -> Result<Self, Problem> {
        let wanted: Wanted = optional(members, "page")?.unwrap_or_default();
        let limit = wanted
            .limit
            .map_or(DEFAULT_LIMIT, |limit| u32::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT));
        let part = |name: &str| members.get(name).cloned();
        let search = json!({
            "search": kind,
            "subject": part("subject"),
            "action": part("action"),
            "resource": part("resource"),
            "context": part("context"),
            "limit": limit,
        });
        let search = Digest::of_json(&search)
            .map_err(|_| Problem::bad_request("The call holds a number that JSON can't carry."))?;
        let offset = match wanted.token {
            None => 0,
            Some(token) => position(&token, &search).ok_or_else(|| {
                Problem::bad_request(
                    "`page.token` is no `next_token` of this search; send the search with the same subject, action, resource, context and limit, or start anew without a token.",
                )
            })?,
        };
        Ok(Self { page: Page { offset, limit }, search })
    }

    /// The part of a whole list.
    pub(super) fn cut<T>(&self, all: Vec<T>) -> Results<T> {
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let first = usize::try_from(self.page.offset).unwrap_or(usize::MAX);
        let most = usize::try_from(self.page.limit).unwrap_or(usize::MAX);
        let end = self.page.offset.saturating_add(u64::from(self.page.limit));
        let results = all.into_iter().skip(first).take(most).collect();
        self.results(results, (end < total).then_some(end), total)
    }

    /// Results that are the part already; `next` is where the next part starts.
    pub(super) fn results<T>(&self, results: Vec<T>, next: Option<u64>, total: u64) -> Results<T> {
        let next_token = next.map(|next| format!("{next:x}-{}", self.search)).unwrap_or_default();
        let page = PageRead { next_token, count: results.len(), total };
        Results { results, page }
    }
}

fn position(token: &str, search: &Digest) -> Option<u64> {
    let (position, of) = token.split_once('-')?;
    (of == search.as_str()).then(|| u64::from_str_radix(position, 16).ok())?
}
