//! `POST /access/v1/evaluation` and `/access/v1/evaluations`: one decision, or many.

use super::described::{EvaluationCall, EvaluationsCall};
use super::{
    metadata::{EVALUATION, EVALUATIONS},
    problem::{Answer, Problem},
    read::{Action, Members, Message, Pep, Resource, Subject, USER, context, optional, required},
};
use crate::openapi::RequestableShape;
use askfirst_domain::decision::Decision;
use askfirst_engine::{
    EnvScope,
    check::{Given, Requestable},
    decisions::Door,
};
use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The most questions in one call.
const MAX_EVALUATIONS: usize = 10_000;

/// A decision.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Evaluation)]
pub(super) struct Evaluated {
    decision: bool,
    context: Context,
}

/// Why, and what could be asked for. The same words as everywhere; whoever holds the key may know.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = EvaluationContext)]
enum Context {
    #[schema(max_properties = 1)]
    Allowed {
        reason: String,
    },
    Denied {
        reason: String,
        would_allow: Vec<String>,
        #[schema(value_type = Vec<RequestableShape>)]
        requestable: Vec<Requestable>,
    },
    Failed {
        error: Fault,
    },
}

/// Why a single question among many could not be answered; the decision is false then.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EvaluationFault)]
struct Fault {
    status: u16,
    message: String,
}

/// Many decisions, in the order of the questions; the decision alone for a call without `evaluations`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Evaluations)]
pub(super) enum Many {
    One(Evaluated),
    All { evaluations: Vec<Evaluated> },
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EvaluationsSemantic)]
pub(super) enum Semantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = EvaluationsOptions)]
pub(super) struct Options {
    /// `execute_all` unless said.
    #[serde(default)]
    evaluations_semantic: Semantic,
}

impl Semantic {
    /// Whether a decision is the last.
    fn ends_with(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }
}

/// May this subject do this?
///
/// A subject of another type than `user` is denied.
#[utoipa::path(
    post, path = EVALUATION, request_body = EvaluationCall,
    responses((status = OK, description = "The decision, be it yes or no.", body = Evaluated))
)]
pub(super) async fn evaluation(Pep(scope): Pep, Message(members): Message) -> Answer<Evaluated> {
    evaluate(&scope, &members).map(Json)
}

/// Many questions at once
///
/// At most 10,000. What a question leaves out is taken from the top of the call.
#[utoipa::path(
    post, path = EVALUATIONS, request_body = EvaluationsCall,
    responses((status = OK, description = "The decisions.", body = Many))
)]
pub(super) async fn evaluations(Pep(scope): Pep, Message(mut members): Message) -> Answer<Many> {
    let options: Options = optional(&members, "options")?.unwrap_or_default();
    let questions: Vec<Value> = optional(&members, "evaluations")?.unwrap_or_default();
    if questions.is_empty() {
        return evaluate(&scope, &members).map(Many::One).map(Json);
    }
    if questions.len() > MAX_EVALUATIONS {
        let given = questions.len();
        let message = format!("One call takes {MAX_EVALUATIONS} evaluations at most; this one has {given}.");
        return Err(Problem::bad_request(message));
    }
    members.retain(|name, _| matches!(name.as_str(), "subject" | "action" | "resource" | "context"));
    let mut evaluations = Vec::with_capacity(questions.len());
    for question in questions {
        let evaluated = with_defaults(question, &members).and_then(|question| evaluate(&scope, &question));
        let evaluated = evaluated.unwrap_or_else(failed);
        let last = options.evaluations_semantic.ends_with(evaluated.decision);
        evaluations.push(evaluated);
        if last {
            break;
        }
    }
    Ok(Json(Many::All { evaluations }))
}

/// The question with what it leaves out taken whole from the top of the call.
fn with_defaults(question: Value, defaults: &Members) -> Result<Members, Problem> {
    let Value::Object(mut question) = question else {
        return Err(Problem::bad_request("An evaluation is an object."));
    };
    for (name, value) in defaults {
        question.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    Ok(question)
}

fn failed(problem: Problem) -> Evaluated {
    let error = Fault { status: problem.status(), message: problem.into_detail() };
    Evaluated { decision: false, context: Context::Failed { error } }
}

fn evaluate(scope: &EnvScope, members: &Members) -> Result<Evaluated, Problem> {
    let subject: Subject = required(members, "subject")?;
    let action: Action = required(members, "action")?;
    let mut resource: Resource = required(members, "resource")?;
    let context = context(members)?;
    if subject.kind != USER {
        let reason =
            format!("There are no subjects of the type {} here; the only type is {USER}.", subject.kind);
        let context = Context::Denied { reason, would_allow: Vec::new(), requestable: Vec::new() };
        return Ok(Evaluated { decision: false, context });
    }
    let given = Given {
        user: subject.properties.unwrap_or_default(),
        resource: resource.take_attributes(),
        action: action.properties.unwrap_or_default(),
        context,
        ..Given::default()
    };
    let ask = resource.thing().asked(subject.id, action.name);
    let explained = scope.decide_explained(ask, given, Door::AuthZen);
    let context = match explained.decision {
        Decision::Allow(_) => Context::Allowed { reason: explained.sentence },
        Decision::Deny(denial) => Context::Denied {
            reason: explained.sentence,
            would_allow: denial.would_allow.iter().map(ToString::to_string).collect(),
            requestable: explained.requestable,
        },
    };
    Ok(Evaluated { decision: explained.allow, context })
}
