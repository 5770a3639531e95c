//! For how long a request waits, and what its approval gives at most: what the requester says, within what the element says,
//! within what the server says.

use crate::error::{Error, Result};
use askfirst_domain::{Span, Timestamp, element::Element, grant::Offer, request::RequestKind};

/// What an operator may set about requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestTimes {
    /// How long a request waits when neither it nor its element says.
    pub decide_within: Span,
    /// The longest that a request may wait, whoever says so.
    pub most_wait: Span,
    /// How long an operation approval lasts when its element does not say.
    pub approval_lasts: Span,
}

impl Default for RequestTimes {
    /// A day to decide, thirty at most, and an hour to do it.
    fn default() -> Self {
        const MOST: u64 = 30 * 86_400;
        let most_wait = Span::try_from(MOST).unwrap_or(Span::DAY);
        Self { decide_within: Span::DAY, most_wait, approval_lasts: Span::HOUR }
    }
}

/// What a requester may say about time. What is not said is the element's to say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// How long to wait for a decision.
    pub decide_within: Option<Span>,
    /// How long what is given is to last.
    pub lasts: Option<Span>,
    /// Whether it is asked again on purpose, soon after it was denied.
    pub again: Again,
}

/// Whether the person whom an agent acts for has said that it shall ask again for what was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Again {
    #[default]
    Unbidden,
    /// They have. An element that says how long nobody asks again is stronger.
    Bidden,
}

/// The most uses of an operation approval where the element does not say.
const USES: u32 = 1;

/// When a request that is opened now can't be decided any more.
///
/// # Errors
/// [`crate::Kind::Invalid`] for a longer wait than is allowed.
pub(super) fn deadline(
    times: Times,
    element: &Element,
    server: RequestTimes,
    now: Timestamp,
) -> Result<Timestamp> {
    let most = server.most_wait;
    if let Some(asked) = times.decide_within.filter(|asked| *asked > most) {
        return Err(Error::invalid(format!(
            "A request waits {most} at most; {asked} was asked for. Ask for less, or leave it out."
        )));
    }
    let wait = times.decide_within.or(element.terms.decide_within).unwrap_or(server.decide_within);
    Ok(now.plus(wait.min(most).duration()))
}

/// What an approval gives at most.
///
/// # Errors
/// [`crate::Kind::Invalid`] for more than the element allows.
pub(super) fn offer(
    kind: RequestKind,
    times: Times,
    uses: Option<u32>,
    element: &Element,
    server: RequestTimes,
) -> Result<Offer> {
    let cap = cap(kind, element, server);
    if let (Some(asked), Some(cap)) = (times.lasts, cap)
        && asked > cap
    {
        return Err(Error::invalid(format!(
            "What is approved through `{}` lasts {cap} at most; {asked} was asked for. Ask for less, or leave it out.",
            element.key
        )));
    }
    let lasts = times.lasts.or(cap);
    if kind == RequestKind::AccessRequest {
        return Ok(Offer { lasts, uses: None });
    }
    let most = element.terms.most_uses.unwrap_or(USES);
    let wanted = uses.unwrap_or(USES);
    if wanted == 0 || wanted > most {
        return Err(Error::invalid(format!(
            "An approval through `{}` may be used between 1 and {most} times; {wanted} was asked for.",
            element.key
        )));
    }
    Ok(Offer { lasts, uses: Some(wanted) })
}

/// The longest that an approval through this element lasts now; none: no end.
pub(super) fn cap(kind: RequestKind, element: &Element, server: RequestTimes) -> Option<Span> {
    match kind {
        RequestKind::AccessRequest => element.terms.grant_lasts,
        RequestKind::OperationApproval => Some(element.terms.grant_lasts.unwrap_or(server.approval_lasts)),
    }
}
