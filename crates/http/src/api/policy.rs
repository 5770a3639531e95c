//! `PUT /api/v1/policy`: applies the text of a policy file.

use crate::{App, auth::InEnv, error::Failure};
use askfirst_domain::RevisionToken;
use askfirst_engine::{
    Error,
    policy::{Applied, ApplyError, Diagnostic},
};
use axum::{Json, Router, routing::put};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/api/v1/policy", put(apply))
}

/// What was done, and the revision at which it holds, once more in the form that a later call may demand.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    applied: Applied,
    revision_token: RevisionToken,
}

async fn apply(InEnv(scope): InEnv, text: String) -> Result<Json<Told>, Failure> {
    match scope.apply_policy(&text).await {
        Ok(applied) => Ok(Json(Told { applied, revision_token: scope.trail().decided() })),
        Err(ApplyError::Failed(error)) => Err(error.into()),
        Err(ApplyError::File(diagnostics)) => Err(wrong(&diagnostics)),
    }
}

/// Every place that is wrong, in `additional_info.diagnostics`; the first of them in the sentence.
fn wrong(diagnostics: &[Diagnostic]) -> Failure {
    let places: Vec<Value> = diagnostics
        .iter()
        .map(|d| json!({"line": d.line, "column": d.column, "message": d.message, "hint": d.hint}))
        .collect();
    let first = diagnostics.first().map(ToString::to_string).unwrap_or_default();
    let message = match diagnostics.len() {
        1 => format!("The policy file is wrong at {first}"),
        n => format!("The policy file is wrong in {n} places, first at {first}"),
    };
    Failure::with_info(Error::invalid(message), json!({"diagnostics": places}))
}
