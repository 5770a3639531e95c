//! Pages of search results. A token says where to go on, and for which search: another search refuses it.

use super::{
    problem::Problem,
    read::{Members, optional},
};
use askfirst_domain::digest::Digest;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// How many results a page has when the call does not say.
const DEFAULT_LIMIT: usize = 100;
/// The largest page; a call that wants more gets as many.
const MAX_LIMIT: usize = 1000;

/// Which part of the results.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = SearchPage)]
pub(super) struct Wanted {
    /// The `next_token` of the part before.
    token: Option<String>,
    /// 100 unless said; more than 1000 gives 1000.
    limit: Option<u64>,
}

/// The part of a search that a call asks for. Results are sorted by their ids.
#[derive(Debug)]
pub(super) struct Window {
    /// The id of the last result before this part.
    pub(super) after: Option<String>,
    pub(super) limit: usize,
    search: Digest,
}

/// Results, and where to go on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Results<T> {
    results: Vec<T>,
    page: PageRead,
}

/// What is told of a part besides its results.
#[derive(Debug)]
pub(super) struct End {
    next_token: String,
    total: Option<usize>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchPageRead)]
struct PageRead {
    /// Empty at the end.
    next_token: String,
    /// How many results are here.
    count: usize,
    /// How many there are in all, now; absent when that would take asking a condition about every instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total: Option<usize>,
}

impl End {
    /// The token of the next part; none at the end.
    pub(super) fn next(self) -> Option<String> {
        Some(self.next_token).filter(|token| !token.is_empty())
    }

    /// The part.
    pub(super) fn with<T>(self, results: Vec<T>) -> Results<T> {
        let page = PageRead { next_token: self.next_token, count: results.len(), total: self.total };
        Results { results, page }
    }
}

impl Window {
    /// Of a search of one kind, as the call has it.
    pub(super) fn of(kind: &str, members: &Members) -> Result<Self, Problem> {
        let wanted: Wanted = optional(members, "page")?.unwrap_or_default();
        let limit = wanted
            .limit
            .map_or(DEFAULT_LIMIT, |limit| usize::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT));
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
        let after = match wanted.token {
            None => None,
            Some(token) => Some(position(&token, &search).ok_or_else(|| {
                Problem::bad_request(
                    "`page.token` is no `next_token` of this search; send the search with the same subject, action, resource, context and limit, or start anew without a token.",
                )
            })?),
        };
        Ok(Self { after, limit, search })
    }

    /// The part of a whole list, which is sorted by id.
    pub(super) fn cut<T>(&self, all: Vec<T>, id: impl Fn(&T) -> &str) -> (Vec<T>, End) {
        let total = all.len();
        let gone = |one: &T| self.after.as_deref().is_some_and(|after| id(one) <= after);
        let mut rest = all.into_iter().skip_while(gone);
        let part: Vec<T> = rest.by_ref().take(self.limit).collect();
        let more = rest.next().is_some();
        let last = part.last().filter(|_| more).map(|one| id(one).to_owned());
        (part, self.page(last, Some(total)))
    }

    /// What is told of a part; `last` is the id of its last result when there are more behind it.
    pub(super) fn page(&self, last: Option<String>, total: Option<usize>) -> End {
        let next_token = last.map(|last| format!("{}-{last}", self.search)).unwrap_or_default();
        End { next_token, total }
    }
}

/// The id of the last result of the part before.
fn position(token: &str, search: &Digest) -> Option<String> {
    let (of, last) = token.split_once('-')?;
    (of == search.as_str()).then(|| last.to_owned())
}
