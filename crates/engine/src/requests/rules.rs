//! What is decided without anybody when it is asked: the rules of an element.

use super::{open::Wanted, predicate};
use crate::{
    Acting, EnvScope, LiveState,
    commit::{About, Draft},
    error::Result,
};
use askfirst_domain::{
    Timestamp,
    change::Expect,
    element::Element,
    request::{Request, Status},
    review::Vote,
    terms::Rule,
};
use askfirst_policy::{condition::Truth, schema::is_within};
use serde_json::json;

impl Acting {
    /// The rule that decides this request, if one does. A denial goes before every approval, and where it can't be told
    /// whether a denial holds, no rule approves.
    pub(super) fn rule_for<'e>(
        &self,
        state: &LiveState,
        element: &'e Element,
        request: &Request,
        now: Timestamp,
    ) -> Option<&'e Rule> {
        let comes_to = |rule: &Rule| self.rule_comes_to(state, element, request, rule, now);
        let rules = &element.terms.rules;
        let mut doubt = false;
        for rule in rules.iter().filter(|rule| rule.then == Vote::Deny) {
            match comes_to(rule) {
                Truth::True => return Some(rule),
                Truth::Undefined => doubt = true,
                Truth::False => {}
            }
        }
        let mut approvals = rules.iter().filter(|rule| rule.then == Vote::Approve);
        if doubt { None } else { approvals.find(|rule| comes_to(rule) == Truth::True) }
    }

    fn rule_comes_to(
        &self,
        state: &LiveState,
        element: &Element,
        request: &Request,
        rule: &Rule,
        now: Timestamp,
    ) -> Truth {
        let when =
            rule.when.as_ref().map_or(Truth::True, |when| predicate::comes_to(state, request, when, now));
        let within = match &rule.during {
            None => Truth::True,
            Some(schedule) => is_within(schedule, now).map_or(Truth::Undefined, Truth::from),
        };
        let held = rule.role.as_ref().map_or(Truth::True, |role| {
            let role = state.snapshot.schema().role_of_terms(element.resource.as_ref(), role);
            role.map_or(Truth::Undefined, |role| {
                self.sight_of(&request.requester).holds(role.id, request).into()
            })
        });
        when.and(within).and(held)
    }

    /// The request as a rule has decided it, with what that writes; none where no rule does.
    pub(super) async fn settle(
        &self,
        state: &LiveState,
        wanted: &Wanted,
        request: &Request,
        draft: &mut Draft,
    ) -> Result<Option<Request>> {
        let now = self.scope.op.now;
        let Some(rule) = self.rule_for(state, &wanted.element, request, now) else { return Ok(None) };
        let settled = request.settle(rule, now)?;
        // What the rule rests on has to hold when it is written, too.
        draft.expects.push(Expect::NothingTakenSince { user: self.person.id, revision: state.revision });
        let by_itself = self.by_rule(&rule.name);
        if settled.status == Status::Approved {
            by_itself.give(&settled, About::default(), draft).await?;
        }
        let mut about = About::default();
        about.details.insert("rule".to_owned(), json!(rule.name));
        let code = if settled.status == Status::Approved { "request.approved" } else { "request.denied" };
        draft.audit.push(by_itself.event_of_request(code, &settled, about)?);
        Ok(Some(settled))
    }

    /// The environment as a rule writes in it: nobody has decided, and the log says so.
    fn by_rule(&self, rule: &str) -> EnvScope {
        self.scope.by_system(format!("rule {rule}"))
    }
}
