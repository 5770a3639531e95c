//! Whether a log is the one that was written. Events are taken one after the other, so a log of any length fits.

use super::{Body, ChainHead, ChainId, Entry, HeadStatement, PublicKey, SignedHead, commitment, leaf, link};
use crate::id::AuditEventId;
use std::{collections::BTreeMap, fmt};
use uuid::Uuid;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The first event that it is about; the log's end for what is missing there.
    pub n: u64,
    /// What, in a sentence.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}: {}", self.n, self.what)
    }
}

/// A head that is known from outside: what was signed, or what was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// One that the log itself holds or that was kept elsewhere.
    Signed(Box<SignedHead>),
    /// A number and a hash that somebody noted.
    Noted(ChainHead),
}

impl Expected {
    fn head(&self) -> ChainHead {
        match self {
            Self::Signed(signed) => signed.statement.head(),
            Self::Noted(head) => *head,
        }
    }
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub findings: Vec<Finding>,
    /// Where the log ends.
    pub head: ChainHead,
    /// The newest signed head that fits: up to there nothing can have been changed without the key.
    pub signed: Option<HeadStatement>,
    /// How many signed heads fit.
    pub heads: u64,
    /// In how many events something was erased.
    pub erased: u64,
}

/// Takes a log, from its first event or from one that is known.
#[derive(Debug)]
pub struct Verifier {
    chain: ChainId,
    installation: Option<Uuid>,
    keys: Vec<PublicKey>,
    /// By their numbers.
    expected: BTreeMap<u64, Vec<Expected>>,
    at: ChainHead,
    start: u64,
    last_good: Option<HeadStatement>,
    heads: u64,
    erased: u64,
    findings: Vec<Finding>,
}

impl Verifier {
    /// For the log of a chain from its beginning. `keys` are those to trust.
    pub fn new(chain: ChainId, installation: Option<Uuid>, keys: Vec<PublicKey>) -> Self {
        Self {
            chain,
            installation,
            keys,
            expected: BTreeMap::new(),
            at: ChainHead::default(),
            start: 0,
            last_good: None,
            heads: 0,
            erased: 0,
            findings: Vec::new(),
        }
    }

    /// Says that a head has to be there. Heads come before the events that they are about; one whose event has passed is
    /// found wanting in [`Verifier::finish`].
    pub fn expect(&mut self, head: Expected) {
        if let Expected::Signed(signed) = &head {
            let n = signed.statement.n;
            if let Err(error) = signed.verify(&self.keys) {
                self.find(n, format!("the signed head at {n} is not to be believed: {error}"));
                return;
            }
            let of = signed.statement.installation;
            if signed.statement.env != self.chain || self.installation.is_some_and(|own| own != of) {
                self.find(n, format!("the signed head at {n} is of another log"));
                return;
            }
        }
        self.expected.entry(head.head().n).or_default().push(head);
    }

    fn find(&mut self, n: u64, what: impl Into<String>) {
        self.findings.push(Finding { n, what: what.into() });
    }

    /// Takes the next event. `id` is that under which the log gives it, where it does so beside the event.
    pub fn take(&mut self, entry: &Entry, id: Option<AuditEventId>) {
        let due = self.at.n.saturating_add(1);
        if entry.n < due {
            self.find(
                entry.n,
                format!("it stands after event {}: the order was changed, or it is there twice", self.at.n),
            );
            return;
        }
        if entry.n > due {
            let missing = entry.n.saturating_sub(1);
            let which = if missing == due {
                format!("event {due} is")
            } else {
                format!("events {due} to {missing} are")
            };
            self.find(due, format!("{which} missing"));
        } else if link(self.at.hash, entry.n, self.chain, leaf(&entry.body)) != entry.hash {
            self.find(entry.n, "it is not what was written, or the event before it is not");
        }
        self.look_inside(entry, id);
        self.at = entry.head();
        self.meet();
    }

    fn look_inside(&mut self, entry: &Entry, id: Option<AuditEventId>) {
        let body = match Body::read(&entry.body) {
            Ok(body) => body,
            Err(error) => return self.find(entry.n, error.to_string()),
        };
        if id.is_some_and(|id| id != body.id) {
            self.find(entry.n, format!("it is kept as another event than it is, {}", body.id));
        }
        for (field, opened) in &entry.private {
            if commitment(*field, opened) != Some(body.commitment(*field)) {
                self.find(entry.n, format!("its `{}` is not what was written", field.as_str()));
            }
        }
        if !entry.erased().is_empty() {
            self.erased += 1;
        }
    }

    /// Holds what was taken against the heads at this place.
    fn meet(&mut self) {
        let ChainHead { n, hash } = self.at;
        for expected in self.expected.remove(&n).unwrap_or_default() {
            if expected.head().hash == hash {
                if let Expected::Signed(signed) = expected {
                    self.heads += 1;
                    self.last_good = Some(signed.statement);
                }
                continue;
            }
            let since = self.last_good.as_ref().map_or(self.start, |good| good.n) + 1;
            self.find(
                since,
                format!("the log was written anew somewhere between event {since} and event {n}: the head at {n} says {} and the log says {hash}", expected.head().hash),
            );
        }
    }

    /// How far the events were taken.
    pub fn at(&self) -> ChainHead {
        self.at
    }

    /// What came out. Heads beyond the end say that the end is missing.
    pub fn finish(mut self) -> Report {
        let end = self.at.n;
        for (n, _) in std::mem::take(&mut self.expected) {
            if n > end {
                let which = if n == end + 1 {
                    format!("event {n} is")
                } else {
                    format!("events {} to {n} are", end + 1)
                };
                self.find(end, format!("the log ends here, and {which} missing: there is a head at {n}"));
            } else if n > 0 {
                self.find(n, format!("there is a head at {n}, and the event is missing"));
            }
        }
        self.findings.sort_by_key(|finding| finding.n);
        Report {
            findings: self.findings,
            head: self.at,
            signed: self.last_good,
            heads: self.heads,
            erased: self.erased,
        }
    }
}
