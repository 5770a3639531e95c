//! `POST /access/v1/evaluation` and `/access/v1/evaluations`: one decision, or many.

use super::described::{EvaluationCall, EvaluationsCall};
use super::{
    metadata::{EVALUATION, EVALUATIONS},
    offer::{Asking, By, Settled, settle},
    problem::{Answer, Problem},
    read::{Asked, Members, Message, Pep, Question, USER, context, optional},
};
use crate::openapi::RequestableShape;
use askfirst_domain::decision::Decision;
use askfirst_engine::{EnvScope, check::Requestable};
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
    Allowed(Allowed),
    Denied(Box<Denied>),
    Failed(Failed),
}

/// What a permit rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EvaluationAllowed, max_properties = 3)]
struct Allowed {
    /// `role`, `rule` or `approval`.
    reason: &'static str,
    /// One sentence for a person or a model.
    explanation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    approval: Option<By>,
}

/// What a denial lacks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EvaluationDenied)]
struct Denied {
    /// One word: `no_role`, `unknown_user`, `approval_expired`...
    reason: &'static str,
    /// One or two sentences for a person or a model.
    explanation: String,
    would_allow: Vec<String>,
    #[schema(value_type = Vec<RequestableShape>)]
    requestable: Vec<Requestable>,
    #[serde(flatten)]
    asking: Asking,
}

/// There is no answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EvaluationFailed)]
struct Failed {
    error: Fault,
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
/// A subject of another type than `user` is denied. A denial that can be asked about says where (`access_request`); what was
/// approved then is presented as `context.approval`.
#[utoipa::path(
    post, path = EVALUATION, request_body = EvaluationCall,
    responses((status = OK, description = "The decision, be it yes or no.", body = Evaluated))
)]
pub(super) async fn evaluation(Pep(scope): Pep, Message(members): Message) -> Answer<Evaluated> {
    evaluate(&scope, &members).await.map(Json)
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
        return evaluate(&scope, &members).await.map(Many::One).map(Json);
    }
    if questions.len() > MAX_EVALUATIONS {
        let given = questions.len();
        let message = format!("One call takes {MAX_EVALUATIONS} evaluations at most; this one has {given}.");
        return Err(Problem::bad_request(message));
    }
    members.retain(|name, _| matches!(name.as_str(), "subject" | "action" | "resource" | "context"));
    let mut evaluations = Vec::with_capacity(questions.len());
    for question in questions {
        let evaluated = match with_defaults(question, &members) {
            Ok(question) => evaluate(&scope, &question).await,
            Err(problem) => Err(problem),
        };
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
    Evaluated { decision: false, context: Context::Failed(Failed { error }) }
}

async fn evaluate(scope: &EnvScope, members: &Members) -> Result<Evaluated, Problem> {
    let question = match Question::read(members)? {
        Asked::OfUser(question) => *question,
        Asked::OfOther { kind } => return Ok(no_such_subject(&kind)),
    };
    let Settled { explained, by, reason, asking } = settle(scope, question, &context(members)?).await?;
    let explanation = explained.sentence;
    if explained.allow {
        let context = Context::Allowed(Allowed { reason, explanation, approval: by });
        return Ok(Evaluated { decision: true, context });
    }
    let would_allow = match explained.decision {
        Decision::Allow(_) => Vec::new(),
        Decision::Deny(denial) => denial.would_allow.iter().map(ToString::to_string).collect(),
    };
    let requestable = explained.requestable;
    let denied = Denied { reason, explanation, would_allow, requestable, asking };
    Ok(Evaluated { decision: false, context: Context::Denied(Box::new(denied)) })
}

fn no_such_subject(kind: &str) -> Evaluated {
    let explanation = format!("There are no subjects of the type {kind} here; the only type is {USER}.");
    let denied = Denied {
        reason: "unknown_subject_type",
        explanation,
        would_allow: Vec::new(),
        requestable: Vec::new(),
        asking: Asking::default(),
    };
    Evaluated { decision: false, context: Context::Denied(Box::new(denied)) }
}
