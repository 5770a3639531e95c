//! The tools: which there are, how one is run, what it answers.

mod arguments;
mod ask;
mod catalog;
mod check;
mod decide;
mod find;
mod schemas;
mod spend;
mod view;
mod wait;

use super::connection::Connection;
use askfirst_domain::request::RequestKind;
use askfirst_engine::{Error, Kind, Result};
pub(super) use catalog::catalog;
pub(crate) use catalog::only_looks;
use rmcp::{
    RoleServer,
    model::{CallToolResult, ContentBlock, JsonObject},
    service::RequestContext,
};
use serde_json::Value;

/// A tool. The first nine are those of Permit's MCP server, by the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    ListResourceInstances,
    CreateAccessRequest,
    ListAccessRequests,
    ApproveAccessRequest,
    DenyAccessRequest,
    CreateOperationApproval,
    ListOperationApprovals,
    ApproveOperationApproval,
    DenyOperationApproval,
    CheckPermission,
    GetRequest,
    CancelRequest,
    WaitForDecision,
    RedeemOperationApproval,
    RecordOutcome,
    AnswerQuestion,
    WhatWouldItNeed,
}

impl Tool {
    /// All of them, in the order in which they are listed.
    pub(super) const ALL: [Self; 17] = [
        Self::ListResourceInstances,
        Self::CreateAccessRequest,
        Self::ListAccessRequests,
        Self::ApproveAccessRequest,
        Self::DenyAccessRequest,
        Self::CreateOperationApproval,
        Self::ListOperationApprovals,
        Self::ApproveOperationApproval,
        Self::DenyOperationApproval,
        Self::CheckPermission,
        Self::GetRequest,
        Self::CancelRequest,
        Self::WaitForDecision,
        Self::RedeemOperationApproval,
        Self::RecordOutcome,
        Self::AnswerQuestion,
        Self::WhatWouldItNeed,
    ];

    /// The name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ListResourceInstances => "list_resource_instances",
            Self::CreateAccessRequest => "create_access_request",
            Self::ListAccessRequests => "list_access_requests",
            Self::ApproveAccessRequest => "approve_access_request",
            Self::DenyAccessRequest => "deny_access_request",
            Self::CreateOperationApproval => "create_operation_approval",
            Self::ListOperationApprovals => "list_operation_approvals",
            Self::ApproveOperationApproval => "approve_operation_approval",
            Self::DenyOperationApproval => "deny_operation_approval",
            Self::CheckPermission => "check_permission",
            Self::GetRequest => "get_request",
            Self::CancelRequest => "cancel_request",
            Self::WaitForDecision => "wait_for_decision",
            Self::AnswerQuestion => "answer_question",
            Self::WhatWouldItNeed => "what_would_it_need",
            Self::RedeemOperationApproval => "redeem_operation_approval",
            Self::RecordOutcome => "record_outcome",
        }
    }

    /// The tool with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }
}

/// What a tool answers: an object, for the model as JSON text and for programs as it is.
type Answer = Result<Value>;

/// Runs a tool.
pub(super) async fn run(
    tool: Tool,
    connection: Connection,
    arguments: JsonObject,
    cx: RequestContext<RoleServer>,
) -> Answer {
    use RequestKind::{AccessRequest, OperationApproval};
    match tool {
        Tool::ListResourceInstances => find::instances(&connection, arguments).await,
        Tool::ListAccessRequests => find::requests(&connection, AccessRequest, arguments).await,
        Tool::ListOperationApprovals => find::requests(&connection, OperationApproval, arguments).await,
        Tool::CheckPermission => check::check(&connection, arguments).await,
        Tool::WhatWouldItNeed => ask::foresee(&connection, arguments).await,
        Tool::GetRequest => find::request(&connection, arguments).await,
        Tool::WaitForDecision => wait::wait(&connection, arguments, &cx).await,
        Tool::CreateAccessRequest => {
            to_its_end(async move { ask::access(&connection, arguments).await }).await
        }
        Tool::CreateOperationApproval => {
            to_its_end(async move { ask::operation(&connection, arguments).await }).await
        }
        Tool::RedeemOperationApproval => {
            to_its_end(async move { spend::redeem(&connection, arguments).await }).await
        }
        Tool::RecordOutcome => to_its_end(async move { spend::record(&connection, arguments).await }).await,
        Tool::AnswerQuestion => to_its_end(async move { decide::answer(&connection, arguments).await }).await,
        Tool::CancelRequest => to_its_end(async move { decide::cancel(&connection, arguments).await }).await,
        Tool::ApproveAccessRequest | Tool::DenyAccessRequest => {
            to_its_end(async move { decide::decide(&connection, tool, AccessRequest, arguments).await }).await
        }
        Tool::ApproveOperationApproval | Tool::DenyOperationApproval => {
            to_its_end(async move { decide::decide(&connection, tool, OperationApproval, arguments).await })
                .await
        }
    }
}

/// Runs what writes apart from the call, so that a client that hangs up does not stop it half-way.
async fn to_its_end(work: impl Future<Output = Answer> + Send + 'static) -> Answer {
    tokio::spawn(work).await.unwrap_or_else(|failed| {
        tracing::error!(error = %failed, "a tool did not come to its end");
        let message =
            "Something failed on our side; look with get_request or a list tool before you try again.";
        Err(Error::new(Kind::Internal, message))
    })
}

/// The result of a call: the object, or one plain sentence.
pub(super) fn answer(tool: Tool, done: Answer) -> CallToolResult {
    match done {
        Ok(value) => CallToolResult::structured(value),
        Err(error) => {
            if error.kind() == Kind::Internal {
                tracing::error!(tool = tool.name(), error = ?error, "a tool call failed");
            }
            CallToolResult::error(vec![ContentBlock::text(error.message().to_owned())])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_writes_goes_on_when_the_caller_is_gone() {
        let (go, goes) = oneshot::channel();
        let (done, is_done) = oneshot::channel();
        let (started, has_started) = oneshot::channel();
        let work = async move {
            started.send(()).unwrap();
            goes.await.unwrap();
            done.send(()).unwrap();
            Ok(Value::Null)
        };
        let caller = tokio::spawn(to_its_end(work));
        has_started.await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        go.send(()).unwrap();
        is_done.await.unwrap();
    }

    #[tokio::test]
    async fn a_tool_that_breaks_says_so() {
        let broken = to_its_end(async { panic!("on purpose") }).await.unwrap_err();
        assert_eq!(broken.kind(), Kind::Internal);
    }

    #[test]
    fn tools_are_found_by_their_names() {
        for tool in Tool::ALL {
            assert_eq!(Tool::named(tool.name()), Some(tool));
        }
        assert_eq!(Tool::named("grant_everything"), None);
    }
}
