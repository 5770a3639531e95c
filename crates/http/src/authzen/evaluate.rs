//! `POST /access/v1/evaluation` and `/access/v1/evaluations`: one decision, or many.

use super::{
    problem::{Answer, Problem},
    read::{Action, Members, Message, Pep, Resource, Subject, USER, context, optional, required},
};
use askfirst_domain::decision::Decision;
use askfirst_engine::{
    EnvScope,
    check::{Given, Requestable},
    decisions::Door,
};
use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most questions in one call.
const MAX_EVALUATIONS: usize = 10_000;

/// A decision.
#[derive(Debug, Serialize)]
pub(super) struct Evaluated {
    decision: bool,
    context: Context,
}

/// Why, and what could be asked for. The same words as everywhere; whoever holds the key may know.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Context {
    Allowed { reason: String },
    Denied { reason: String, would_allow: Vec<String>, requestable: Vec<Requestable> },
    Failed { error: Fault },
}

/// Why a single question among many could not be answered; the decision is false then.
#[derive(Debug, Serialize)]
struct Fault {
    status: u16,
    message: String,
}

/// Many decisions, in the order of the questions.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Many {
    One(Evaluated),
    All { evaluations: Vec<Evaluated> },
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Semantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

#[derive(Debug, Default, Deserialize)]
struct Options {
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

pub(super) async fn evaluation(Pep(scope): Pep, Message(members): Message) -> Answer<Evaluated> {
    evaluate(&scope, &members).map(Json)
}

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
