//! Conditions over a request, in the language of condition sets.
//!
//! `user` is the requester, `resource` the instance that it is about, `tenant` its tenant. `action` has `key` (the action of
//! the call, else `operate` for an operation and `assign` for a role), `arguments` of the call, `role`, `kind`, `agent`
//! (whether an agent asks) and `lasts` and `uses`, which are asked for. `context` is that of the call.

use crate::LiveState;
use askfirst_domain::{
    Timestamp,
    element::OPERATE_ACTION,
    principal::Principal,
    request::{Request, RequestKind},
};
use askfirst_policy::{CallAttributes, Question, TENANT_TYPE, condition::Truth, schema::condition_of_terms};
use serde_json::{Map, Value, json};

/// What `action.key` is of a wish for a role.
const ASSIGN: &str = "assign";

/// What a condition comes to for a request. One that can't be read can't be told.
pub(super) fn comes_to(state: &LiveState, request: &Request, when: &Value, now: Timestamp) -> Truth {
    let Ok(condition) = condition_of_terms(when) else { return Truth::Undefined };
    let call = request.binding.as_ref().map(|binding| &binding.call);
    let key = match (call, request.kind) {
        (Some(call), _) => call.action.as_str(),
        (None, RequestKind::OperationApproval) => OPERATE_ACTION,
        (None, RequestKind::AccessRequest) => ASSIGN,
    };
    let mut action = Map::new();
    action.insert("role".to_owned(), json!(request.role.key));
    action.insert("kind".to_owned(), json!(request.kind));
    let agent = matches!(request.opened_by, Principal::Agent { .. } | Principal::TrustedAgent { .. });
    action.insert("agent".to_owned(), agent.into());
    if let Some(call) = call {
        action.insert("arguments".to_owned(), call.arguments.clone());
    }
    if let Some(lasts) = request.offer.lasts {
        action.insert("lasts".to_owned(), lasts.seconds().into());
    }
    if let Some(uses) = request.offer.uses {
        action.insert("uses".to_owned(), uses.into());
    }
    let given = CallAttributes {
        action: Some(&action),
        context: call.map(|call| &call.context),
        ..CallAttributes::default()
    };
    let question = Question {
        user: request.requester.key.as_str(),
        action: key,
        resource: request.resource.as_ref().map_or(TENANT_TYPE, |resource| resource.as_str()),
        instance: request.instance.as_ref().map(|instance| instance.key.as_str()),
        tenant: Some(request.tenant.as_str()),
    };
    state.snapshot.holds(&condition, &question, &given, now)
}
