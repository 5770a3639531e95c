//! From what was noted to what is written: why, whose credential, and all of it packed.

use super::{
    AskedBy, CallWords, LeftOut, bounds,
    queue::{Kept, Noted, Told},
};
use crate::check::{Explanation, Given};
use askfirst_domain::{
    decision::{Allowance, Decision},
    facts::{Attributes, DEFAULT_TENANT},
    principal::Principal,
};
use askfirst_store::decisions::{DecisionRecord, Packer, Segment, Stamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{borrow::Cow, collections::HashMap, rc::Rc, sync::Arc};

/// Packs what was noted by a writer.
pub(super) fn pack(noted: &[Noted], writer: u64, words: CallWords) -> Vec<Segment> {
    let mut packer = Packer::expecting(noted.len());
    let mut known = Known::default();
    for one in noted {
        let why = known.why(one, words);
        let asker = known.asker(&one.by);
        let given = match (&one.given, words) {
            (Kept::All(given), CallWords::Kept) => serde_json::to_string(&Written::from(given.as_ref())).ok(),
            _ => None,
        };
        let left_out = match (&one.given, words) {
            (Kept::Nothing, _) | (Kept::All(_), CallWords::Kept) => None,
            (Kept::LeftOut(_) | Kept::All(_), CallWords::Redacted) => Some(LeftOut::Redacted),
            (Kept::LeftOut(left_out), CallWords::Kept) => Some(*left_out),
        };
        packer.push(
            one.env,
            &DecisionRecord {
                stamp: Stamp::new(writer, one.seq),
                at: one.at,
                epoch: one.state.epoch,
                revision: one.state.revision,
                allow: one.allow,
                user: one.ask.user.as_str(),
                action: &one.ask.action,
                resource: &one.ask.resource,
                instance: one.ask.instance.as_deref(),
                tenant: one.ask.tenant.as_deref(),
                in_tenant: &why.in_tenant,
                door: one.door.as_str(),
                asker: &asker,
                reason: why.reason.as_deref(),
                trace: why.trace.as_deref(),
                given: given.as_deref(),
                left_out,
            },
        );
    }
    packer.finish()
}

/// Why a decision is what it is, as it is written.
#[derive(Debug)]
struct Why {
    in_tenant: String,
    /// None where the question and the trace say it all; see [`super::read`].
    reason: Option<String>,
    trace: Option<String>,
}

/// What decides: the state, and the names of the question.
type Question<'a> = (usize, &'a str, &'a str, &'a str, Option<&'a str>, Option<&'a str>, bool);

/// What was worked out already: the same is asked again and again.
#[derive(Debug, Default)]
struct Known<'a> {
    reasons: HashMap<Question<'a>, Rc<Why>>,
    asker: Option<(&'a Principal, Rc<str>)>,
}

impl<'a> Known<'a> {
    fn why(&mut self, noted: &'a Noted, words: CallWords) -> Rc<Why> {
        if !matches!(noted.given, Kept::Nothing) {
            return Rc::new(why(noted, words));
        }
        let ask = &noted.ask;
        let (instance, tenant) = (ask.instance.as_deref(), ask.tenant.as_deref());
        let state = Arc::as_ptr(&noted.state).addr();
        let question = (state, &*ask.user, &*ask.action, &*ask.resource, instance, tenant, noted.allow);
        Rc::clone(self.reasons.entry(question).or_insert_with(|| Rc::new(why(noted, words))))
    }

    fn asker(&mut self, by: &'a Principal) -> Rc<str> {
        match &self.asker {
            Some((known, text)) if *known == by => Rc::clone(text),
            _ => {
                let text = serde_json::to_string(&AskedBy::from(by)).unwrap_or_default();
                let text: Rc<str> = text.into();
                self.asker = Some((by, Rc::clone(&text)));
                text
            }
        }
    }
}

fn why(noted: &Noted, words: CallWords) -> Why {
    let snapshot = &noted.state.snapshot;
    let home = || snapshot.instance_tenant(&noted.ask.resource, noted.ask.instance.as_deref()?);
    let in_tenant = match &noted.ask.tenant {
        Some(tenant) => tenant.clone(),
        None => home().map_or_else(|| DEFAULT_TENANT.to_owned(), |key| key.to_string()),
    };
    if let Some(trace) = by_role(noted) {
        return Why { in_tenant, reason: None, trace: Some(trace) };
    }
    let told = match (&noted.told, &noted.given) {
        (Some(told), _) => Some(Cow::Borrowed(told.as_ref())),
        (None, Kept::Nothing) => Some(Cow::Owned(explain(noted, &Given::default()))),
        (None, Kept::All(given)) => Some(Cow::Owned(explain(noted, given))),
        // Without what the call said, it can't be worked out.
        (None, Kept::LeftOut(_)) => None,
    };
    let Some(told) = told else {
        let reason = "The call gave more attributes than the log takes, so why is not known here.";
        return Why { in_tenant, reason: Some(reason.to_owned()), trace: None };
    };
    let (mut reason, trace) = match (&told.decision, words) {
        // What conditions say about attributes is left out with the attributes.
        (Decision::Allow(Allowance::Rule(grant)), CallWords::Redacted) => (
            "A rule over condition sets allows it.".to_owned(),
            Some(json!({"rule": grant.rule}).to_string()),
        ),
        (Decision::Deny(denial), CallWords::Redacted) => {
            let trace = json!({"verdict": "deny", "cause": denial.cause, "would_allow": denial.would_allow});
            ("It is denied.".to_owned(), Some(trace.to_string()))
        }
        (decision, _) => (told.sentence.clone(), serde_json::to_string(decision).ok()),
    };
    bounds::cut(&mut reason, bounds::REASON);
    Why { in_tenant, reason: Some(reason), trace: trace.filter(|trace| trace.len() <= bounds::TRACE) }
}

/// The trace of what a role allows, which nearly every decision is: no sentence is made that could be made again. Roles
/// do not depend on what the call said.
fn by_role(noted: &Noted) -> Option<String> {
    if !noted.allow || noted.told.is_some() {
        return None;
    }
    let decision = noted.state.snapshot.check(&noted.ask.question(), noted.at);
    let Decision::Allow(Allowance::Role(_)) = decision else { return None };
    serde_json::to_string(&decision).ok().filter(|trace| trace.len() <= bounds::TRACE)
}

fn explain(noted: &Noted, given: &Given) -> Told {
    Told::from(&Explanation::at(&noted.state, &noted.ask, given, noted.at))
}

impl Clone for Told {
    fn clone(&self) -> Self {
        Self { decision: self.decision.clone(), sentence: self.sentence.clone() }
    }
}

/// What a call gave, as it stands in the log: what is empty is left out.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Written<'a> {
    #[serde(skip_serializing_if = "is_empty")]
    user: Cow<'a, Attributes>,
    #[serde(skip_serializing_if = "is_empty")]
    resource: Cow<'a, Attributes>,
    #[serde(skip_serializing_if = "is_empty")]
    tenant: Cow<'a, Attributes>,
    #[serde(skip_serializing_if = "is_empty")]
    context: Cow<'a, Attributes>,
    #[serde(skip_serializing_if = "is_empty")]
    action: Cow<'a, Attributes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<Cow<'a, str>>,
}

fn is_empty(attributes: &Attributes) -> bool {
    attributes.is_empty()
}

impl<'a> From<&'a Given> for Written<'a> {
    fn from(given: &'a Given) -> Self {
        Self {
            user: Cow::Borrowed(&given.user),
            resource: Cow::Borrowed(&given.resource),
            tenant: Cow::Borrowed(&given.tenant),
            context: Cow::Borrowed(&given.context),
            action: Cow::Borrowed(&given.action),
            agent: given.agent.as_deref().map(Cow::Borrowed),
        }
    }
}

impl From<Written<'_>> for Given {
    fn from(written: Written<'_>) -> Self {
        Self {
            user: written.user.into_owned(),
            resource: written.resource.into_owned(),
            tenant: written.tenant.into_owned(),
            context: written.context.into_owned(),
            action: written.action.into_owned(),
            agent: written.agent.map(Cow::into_owned),
        }
    }
}
