//! How many calls of Permit's REST API one credential may make. Off unless an operator turns it on; decisions are never
//! limited here.

use crate::{App, auth::Signed, error::Failure};
use askfirst_domain::principal::Principal;
use axum::{
    extract::{FromRequestParts as _, Request, State},
    http::{HeaderValue, Method, header::RETRY_AFTER},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    state::keyed::DefaultKeyedStateStore,
};
use std::{
    fmt,
    num::NonZeroU32,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Every call, besides its own class.
    All,
    /// Paths with `bulk` in them.
    Bulk,
    Deletes,
    /// Writes under `/v2/schema`.
    SchemaWrites,
    Writes,
}

const CLASSES: [(Class, &str); 5] = [
    (Class::All, "all"),
    (Class::Bulk, "bulk"),
    (Class::Deletes, "deletes"),
    (Class::SchemaWrites, "schema-writes"),
    (Class::Writes, "writes"),
];

/// What Permit documents for its cloud.
const PERMIT: &str = "all=1000/1m,writes=300/1m,schema-writes=40/1m,deletes=60/1m,bulk=100/10m";

/// So many calls in this time; those that are not used up come back evenly over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    calls: NonZeroU32,
    within: Duration,
}

/// Limits on the calls of one credential. Written as `all=1000/1m,bulk=100/10m`, with any of the classes `all`, `writes`,
/// `schema-writes`, `deletes` and `bulk`, and times in `s`, `m` or `h`; or `permit`, for those that Permit has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimits(Vec<(Class, Rate)>);

impl FromStr for RateLimits {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = if text == "permit" { PERMIT } else { text };
        let mut limits: Vec<(Class, Rate)> = Vec::new();
        for part in text.split(',') {
            let wrong =
                || format!("`{part}` is no limit; write it as `CLASS=CALLS/TIME`, such as `all=1000/1m`");
            let (name, rate) = part.split_once('=').ok_or_else(wrong)?;
            let (class, _) = CLASSES.into_iter().find(|(_, known)| *known == name).ok_or_else(|| {
                let names = CLASSES.map(|(_, name)| name).join(", ");
                format!("`{name}` is no class of calls; the classes are: {names}")
            })?;
            if limits.iter().any(|(known, _)| *known == class) {
                return Err(format!("`{name}` has two limits; give it one"));
            }
            limits.push((class, rate.parse().map_err(|()| wrong())?));
        }
        Ok(Self(limits))
    }
}

impl FromStr for Rate {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (calls, time) = text.split_once('/').ok_or(())?;
        let unit = [('s', 1), ('m', 60), ('h', 3600)];
        let (number, seconds) = unit
            .iter()
            .find_map(|(letter, seconds)| Some((time.strip_suffix(*letter)?, *seconds)))
            .ok_or(())?;
        let number: NonZeroU32 = number.parse().map_err(|_| ())?;
        let within = Duration::from_secs(u64::from(number.get()) * seconds);
        Ok(Self { calls: calls.parse().map_err(|_| ())?, within })
    }
}

impl Rate {
    fn quota(self) -> Quota {
        let every = self.within / self.calls.get();
        // Nothing is faster than a nanosecond.
        let quota = Quota::with_period(every.max(Duration::from_nanos(1)));
        quota.unwrap_or_else(|| Quota::per_second(self.calls)).allow_burst(self.calls)
    }
}

/// Every so many calls what is long back to full is forgotten.
const SWEEP: u32 = 4096;

type Limiter = RateLimiter<Uuid, DefaultKeyedStateStore<Uuid>, DefaultClock>;

/// Counts the calls of each credential.
pub(super) struct Guard {
    limiters: Vec<(Class, Limiter)>,
    clock: DefaultClock,
    calls: AtomicU32,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl Guard {
    pub(super) fn new(limits: &RateLimits) -> Self {
        let clock = DefaultClock::default();
        let limiter =
            |rate: Rate| RateLimiter::new(rate.quota(), DefaultKeyedStateStore::default(), clock.clone());
        Self {
            limiters: limits.0.iter().map(|(class, rate)| (*class, limiter(*rate))).collect(),
            clock: clock.clone(),
            calls: AtomicU32::new(0),
        }
    }

    /// How long the credential has to wait, if it has to.
    fn wait(&self, who: Uuid, class: Option<Class>) -> Option<Duration> {
        if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP) {
            self.limiters.iter().for_each(|(_, limiter)| limiter.retain_recent());
        }
        // A call that its class refuses does not count as one of all.
        let counted = |of: Class| self.limiters.iter().find(move |(known, _)| *known == of);
        [class, Some(Class::All)].into_iter().flatten().filter_map(counted).find_map(|(_, limiter)| {
            let refused = limiter.check_key(&who).err()?;
            Some(refused.wait_time_from(self.clock.now()))
        })
    }
}

/// None for reading.
fn class_of(method: &Method, path: &str) -> Option<Class> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        None
    } else if path.split('/').any(|segment| segment == "bulk") {
        Some(Class::Bulk)
    } else if *method == Method::DELETE {
        Some(Class::Deletes)
    } else if path.starts_with("/v2/schema/") {
        Some(Class::SchemaWrites)
    } else {
        Some(Class::Writes)
    }
}

/// In front of the routes. A call without a valid credential goes on to be refused there.
pub(super) async fn count(
    State((app, guard)): State<(Arc<App>, Arc<Guard>)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = Signed::from_request_parts(&mut parts, &app).await.ok();
    let wait = caller
        .and_then(|Signed(op)| credential(&op.principal))
        .and_then(|who| guard.wait(who, class_of(&parts.method, parts.uri.path())));
    match wait {
        None => next.run(Request::from_parts(parts, body)).await,
        Some(wait) => {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let mut refused = Failure::too_many(seconds).into_response();
            refused.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            refused
        }
    }
}

fn credential(principal: &Principal) -> Option<Uuid> {
    match principal {
        Principal::ApiKey { id, .. } => Some(id.uuid()),
        Principal::User { session, .. } => Some(session.uuid()),
        Principal::Agent { via, .. } | Principal::TrustedAgent { via, .. } => Some(via.uuid()),
        Principal::System { .. } | Principal::Erased => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_as_they_are_written() {
        let permit: RateLimits = "permit".parse().unwrap();
        assert_eq!(permit, PERMIT.parse().unwrap());
        assert_eq!(permit.0.len(), 5);
        let one: RateLimits = "bulk=100/10m".parse().unwrap();
        let rate = Rate { calls: NonZeroU32::new(100).unwrap(), within: Duration::from_mins(10) };
        assert_eq!(one.0, [(Class::Bulk, rate)]);
        for wrong in
            ["", "all", "all=5", "all=0/1m", "all=5/0m", "all=5/1d", "some=5/1m", "all=1/1s,all=2/1s"]
        {
            assert!(wrong.parse::<RateLimits>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_call_has_one_class() {
        for (method, path, class) in [
            (Method::GET, "/v2/schema/a/b/roles", None),
            (Method::POST, "/v2/schema/a/b/roles", Some(Class::SchemaWrites)),
            (Method::DELETE, "/v2/schema/a/b/roles/c", Some(Class::Deletes)),
            (Method::DELETE, "/v2/facts/a/b/bulk/users", Some(Class::Bulk)),
            (Method::POST, "/facts/role_assignments/bulk", Some(Class::Bulk)),
            (Method::PATCH, "/v2/facts/a/b/users/bulky", Some(Class::Writes)),
        ] {
            assert_eq!(class_of(&method, path), class, "{method} {path}");
        }
    }

    #[test]
    fn credentials_are_counted_apart_and_classes_within_all() {
        let guard = Guard::new(&"all=3/1h,writes=1/1h".parse().unwrap());
        let (ann, bo) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(guard.wait(ann, Some(Class::Writes)), None);
        let wait = guard.wait(ann, Some(Class::Writes)).unwrap();
        assert!(wait > Duration::from_mins(50) && wait <= Duration::from_hours(1), "{wait:?}");
        assert_eq!(guard.wait(ann, None), None, "a refused call does not count");
        assert_eq!(guard.wait(ann, None), None);
        assert!(guard.wait(ann, None).is_some());
        assert_eq!(guard.wait(bo, Some(Class::Writes)), None);
    }
}
