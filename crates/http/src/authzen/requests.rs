//! `/access/v1/requests`: asking for what was denied, following it, withdrawing it.

use super::{
    problem::Problem,
    read::{Members, Message, Pep, optional},
    submission::{self, SubmissionBody},
};
use crate::State;
use askfirst_domain::task::TaskStatus;
use askfirst_engine::authzen::{TaskRead, TaskWire};
use axum::{
    Json,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use utoipa::ToSchema;

/// How many seconds a caller is to wait before it looks again.
const LOOK_AGAIN: HeaderValue = HeaderValue::from_static("5");
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What was asked for and where it stands.
#[derive(ToSchema)]
#[schema(as = AccessTaskRead)]
#[expect(dead_code, reason = "these types say how an answer looks and are never made")]
struct TaskShape {
    task: BodyShape,
    /// Of a single one that was approved.
    #[schema(nullable = false)]
    result: Option<ResultShape>,
}

/// A task.
#[derive(ToSchema)]
#[schema(as = AccessTask)]
#[expect(dead_code, reason = "these types say how an answer looks and are never made")]
struct BodyShape {
    id: String,
    status: StatusShape,
    status_endpoint: String,
    /// From then on nothing of it is decided.
    #[schema(format = DateTime)]
    expires_at: String,
    links: LinksShape,
    /// Of a bundle, in the order of the submission.
    #[schema(nullable = false)]
    items: Option<Vec<ItemShape>>,
}

/// Where a task, or an item, stands. All but `pending` are ends.
#[derive(ToSchema)]
#[schema(as = AccessTaskStatus)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "these types say how an answer looks and are never made")]
enum StatusShape {
    Pending,
    Approved,
    Denied,
    Expired,
    Cancelled,
    Failed,
    Partial,
}

/// Where to go on.
#[derive(ToSchema)]
#[schema(as = AccessTaskLinks)]
#[expect(dead_code, reason = "these types say how an answer looks and are never made")]
struct LinksShape {
    /// For the key that submitted it, as long as it is pending.
    #[schema(nullable = false)]
    cancel: Option<String>,
}

/// An item of a bundle.
#[derive(ToSchema)]
#[schema(as = AccessTaskItem)]
#[expect(dead_code, reason = "these types say how an answer looks and are never made")]
struct ItemShape {
    #[schema(value_type = Object)]
    resource: Value,
    #[schema(value_type = Object)]
    action: Value,
    status: StatusShape,
    #[schema(nullable = false)]
    result: Option<ResultShape>,
}

/// What to do with an approval.
#[derive(ToSchema)]
#[schema(as = AccessResult)]
#[expect(dead_code, reason = "these types say how an answer looks and are never made")]
struct ResultShape {
    /// `reevaluate`: evaluate again, with the approval in the context.
    mode: String,
    approval: ApprovalShape,
}

/// An approval, to be presented as it is in `context.approval`.
#[derive(ToSchema)]
#[schema(as = AccessApproval)]
#[expect(dead_code, reason = "these types say how an answer looks and are never made")]
struct ApprovalShape {
    id: String,
    #[schema(format = DateTime)]
    approved_at: String,
    #[schema(format = DateTime)]
    approved_until: String,
    /// A JWS that says the same.
    state: String,
}

/// Why a task is withdrawn.
#[derive(ToSchema)]
#[schema(as = AccessTaskCancellation)]
#[expect(dead_code, reason = "says how a call looks and is never made")]
struct CancelBody {
    #[schema(nullable = false)]
    reason: Option<String>,
}

/// Ask for what was denied
///
/// With an `Idempotency-Key`, the same submission is answered with the same task, as often as it is sent.
#[utoipa::path(
    post, path = "/access/v1/requests", request_body = SubmissionBody,
    responses(
        (status = CREATED, description = "It was decided at once.", body = TaskShape),
        (status = ACCEPTED, description = "Somebody is asked.", body = TaskShape),
    )
)]
pub(super) async fn submit(
    axum::extract::State(app): State,
    Pep(scope): Pep,
    headers: HeaderMap,
    Message(members): Message,
) -> Result<Response, Problem> {
    let key = headers.get(IDEMPOTENCY_KEY).map(|key| key.to_str().map(str::to_owned));
    let key = key.transpose().map_err(|_| Problem::bad_request("The `Idempotency-Key` is no plain text."))?;
    let submission = submission::read(&members, key)?;
    let read = Box::pin(scope.submit_access(submission)).await?;
    let wire = read.wire(&app.engine.settings().public_url);
    let location = HeaderValue::from_str(&wire.task.status_endpoint).ok();
    let status = if read.status == TaskStatus::Pending { StatusCode::ACCEPTED } else { StatusCode::CREATED };
    let mut response = answer(status, &read, &wire);
    response.headers_mut().extend(location.map(|location| (header::LOCATION, location)));
    Ok(response)
}

/// Where a task stands
///
/// Every key of the environment may follow it.
#[utoipa::path(
    get, path = "/access/v1/requests/{task}",
    responses((status = OK, description = "The task.", body = TaskShape))
)]
pub(super) async fn read(
    axum::extract::State(app): State,
    Pep(scope): Pep,
    Path(task): Path<String>,
) -> Result<Response, Problem> {
    let read = scope.access_task(&task).await?;
    let wire = read.wire(&app.engine.settings().public_url);
    Ok(answer(StatusCode::OK, &read, &wire))
}

/// Withdraw a task
///
/// The key that submitted it may, as long as it is pending. Of a bundle, what has ended stays as it is.
#[utoipa::path(
    post, path = "/access/v1/requests/{task}/cancel", request_body = CancelBody,
    responses((status = OK, description = "The task.", body = TaskShape))
)]
pub(super) async fn cancel(
    axum::extract::State(app): State,
    Pep(scope): Pep,
    Path(task): Path<String>,
    Message(members): Message,
) -> Result<Response, Problem> {
    let reason = reason(&members)?;
    let read = scope.cancel_task(&task, reason).await?;
    let wire = read.wire(&app.engine.settings().public_url);
    Ok(answer(StatusCode::OK, &read, &wire))
}

/// What the requester leaves as the reason; a comment where there is none.
fn reason(members: &Members) -> Result<Option<String>, Problem> {
    let reason: Option<String> = optional(members, "reason")?;
    let comment: Option<String> = optional(members, "comment")?;
    Ok(reason.or(comment))
}

fn answer(status: StatusCode, read: &TaskRead, wire: &TaskWire) -> Response {
    let mut response = (status, Json(wire)).into_response();
    if read.status == TaskStatus::Pending {
        response.headers_mut().insert(header::RETRY_AFTER, LOOK_AGAIN);
    }
    response
}
