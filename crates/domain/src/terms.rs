//! What holds for the requests of an element: how long they wait, who has to agree, what is decided without anybody.

use crate::{Key, KeyError, Span, review::Vote};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, str::FromStr};
use thiserror::Error;

/// The most thresholds, rules or roles that one list of an element's terms may have.
pub const MAX_ENTRIES: usize = 32;
/// The longest name of a threshold or rule, in characters.
pub const MAX_NAME: usize = 100;
/// What a resource is called in the spelling of a role that means tenants.
const TENANT: &str = "tenant";

/// What holds for the requests of an element. What is not said is the server's to say.
///
/// An unknown member is refused when this is read: whoever drops a threshold that they do not understand would let pass
/// what it is there to stop.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// How long a request waits for a decision when it does not say itself.
    #[serde(with = "crate::span::written::option")]
    pub decide_within: Option<Span>,
    /// How long what an approval gives lasts: when the request does not say, and at most.
    #[serde(with = "crate::span::written::option")]
    pub grant_lasts: Option<Span>,
    /// How often an operation approval may be spent at most; a request that says nothing gets one use.
    pub most_uses: Option<u32>,
    /// Who has to agree; empty: one reviewer decides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
    /// How long the same wish is refused after it was denied; none: an hour for agents, not at all for people.
    #[serde(with = "crate::span::written::option", skip_serializing_if = "Option::is_none")]
    pub ask_again_after: Option<Span>,
    /// What is decided without anybody, when it is asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Who may take what can be asked for at once, in an emergency; none: nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BreakGlass>,
    /// Who may review besides, once a request has waited for some time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub escalation: Vec<Escalation>,
}

impl Terms {
    /// Every role that is named in them.
    pub fn roles_mut(&mut self) -> impl Iterator<Item = &mut RoleRef> {
        let of_thresholds = self.thresholds.iter_mut().filter_map(|threshold| threshold.role.as_mut());
        let of_rules = self.rules.iter_mut().filter_map(|rule| rule.role.as_mut());
        let of_emergencies = self.break_glass.iter_mut().flat_map(|glass| &mut glass.roles);
        let of_escalations = self.escalation.iter_mut().flat_map(|step| &mut step.roles);
        of_thresholds.chain(of_rules).chain(of_emergencies).chain(of_escalations)
    }
}

/// So many approvals are needed, and so many denials end it. A review counts for every threshold that it fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// What it is called, for whoever waits for it.
    pub name: String,
    /// How many approvals it takes, one at least.
    #[serde(default = "one")]
    pub approve: u32,
    /// How many denials end the request, one at least.
    #[serde(default = "one")]
    pub deny: u32,
    /// Only reviews of people who effectively hold this role there, or in the tenant, count; none: of all who may decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleRef>,
    /// A condition over the request; where it is known not to hold the threshold asks for nothing. None: it always does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Value>,
}

fn one() -> u32 {
    1
}

impl Threshold {
    /// What holds where an element names no threshold: one approval, or one denial.
    pub fn usual() -> Self {
        Self { name: "reviewer".to_owned(), approve: 1, deny: 1, role: None, when: None }
    }
}

/// What is decided by itself when it is asked: where all that the rule says holds.
///
/// A denial goes before every approval. Where it can't be told whether a denial holds, nothing is approved by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is called, wherever it has decided.
    pub name: String,
    pub then: Vote,
    /// A condition over the request, and over who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Value>,
    /// A role that the requester effectively holds there, or in the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleRef>,
    /// When it holds; none: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<Schedule>,
    /// What it gives lasts no longer than this.
    #[serde(default, with = "crate::span::written::option", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
    /// What the requester is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Hours of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// None: every day. A night belongs to the day on which it begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Weekday>,
    /// From the beginning of the day, when left away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<TimeOfDay>,
    /// Up to this, and not including it; to the end of the day, when left away. Before `from`: over midnight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<TimeOfDay>,
    /// The name of a time zone, `Europe/Berlin`.
    #[serde(default = "utc")]
    pub zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    /// All of them, from Monday on.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The day before.
    #[must_use]
    pub fn before(self) -> Self {
        let place = Self::ALL.iter().position(|day| *day == self).unwrap_or(0);
        Self::ALL.get((place + 6) % 7).copied().unwrap_or(self)
    }
}

/// Hours and minutes, `09:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    minutes: u16,
}

impl TimeOfDay {
    /// Minutes since midnight.
    pub fn minutes(self) -> u16 {
        self.minutes
    }
}

/// Not a time of day.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a time of day; write hours and minutes, such as 09:30")]
pub struct TimeOfDayError(String);

impl FromStr for TimeOfDay {
    type Err = TimeOfDayError;
    fn from_str(text: &str) -> Result<Self, TimeOfDayError> {
        let part = |part: &str, below: u16| {
            let sound = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<u16>().ok().filter(|n| sound && *n < below)
        };
        text.split_once(':')
            .and_then(|(hours, minutes)| Some(part(hours, 24)? * 60 + part(minutes, 60)?))
            .map(|minutes| Self { minutes })
            .ok_or_else(|| TimeOfDayError(text.to_owned()))
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = TimeOfDayError;
    fn try_from(text: String) -> Result<Self, TimeOfDayError> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

/// After so long these roles may review as well. What they decide counts as that of the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// Since the request was opened.
    #[serde(with = "crate::span::written")]
    pub after: Span,
    /// Whoever effectively holds one of these where the request is about, or in the tenant.
    pub roles: Vec<RoleRef>,
}

/// Who may take what can be asked for at once, and has it looked at afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakGlass {
    /// Whoever effectively holds one of these there, or in the tenant.
    pub roles: Vec<RoleRef>,
    /// How long it lasts; [`BreakGlass::MOST`] at most, and when left away.
    #[serde(default, with = "crate::span::written::option", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
    /// Whether an agent may do so for them. Not, unless it says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agents: bool,
}

impl BreakGlass {
    /// The longest that anything lasts that was taken so.
    pub const MOST: Span = Span::HOUR;
}

/// A role as the terms of an element name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleRef {
    pub scope: RoleScope,
    pub key: Key,
}

/// Where a role is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleScope {
    /// `parent`: a role on the element's resource, or else of the tenant. Settled when the terms are written.
    Near,
    /// `tenant#admin`.
    Tenant,
    /// `restaurants#parent`.
    On(Key),
}

/// Not a role.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a role; write `parent`, `tenant#admin` or `restaurants#parent`: {cause}")]
pub struct RoleRefError {
    text: String,
    cause: KeyError,
}

impl FromStr for RoleRef {
    type Err = RoleRefError;
    fn from_str(text: &str) -> Result<Self, RoleRefError> {
        let key = |part: &str| part.parse().map_err(|cause| RoleRefError { text: text.to_owned(), cause });
        match text.split_once('#') {
            Some((TENANT, role)) => Ok(Self { scope: RoleScope::Tenant, key: key(role)? }),
            Some((resource, role)) => Ok(Self { scope: RoleScope::On(key(resource)?), key: key(role)? }),
            None => Ok(Self { scope: RoleScope::Near, key: key(text)? }),
        }
    }
}

impl TryFrom<String> for RoleRef {
    type Error = RoleRefError;
    fn try_from(text: String) -> Result<Self, RoleRefError> {
        text.parse()
    }
}

impl From<RoleRef> for String {
    fn from(role: RoleRef) -> Self {
        role.to_string()
    }
}

impl fmt::Display for RoleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            RoleScope::Near => self.key.fmt(f),
            RoleScope::Tenant => write!(f, "{TENANT}#{}", self.key),
            RoleScope::On(resource) => write!(f, "{resource}#{}", self.key),
        }
    }
}
