//! The tools as they are listed: titles, descriptions, schemas, annotations.

use super::{Tool, schemas};
use crate::server::handler::Named;
use rmcp::model::{Tool as Listing, ToolAnnotations};
use std::sync::Arc;

/// The tools as a connection sees them.
pub(in crate::server) fn catalog(named: Named) -> Vec<Listing> {
    Tool::ALL.into_iter().map(|tool| listing(tool, named)).collect()
}

/// Whether a tool changes nothing, so that calling it twice is as good as once.
pub(crate) fn only_looks(name: &str, named: Named) -> bool {
    Tool::named(name).is_some_and(|tool| annotations(tool, named).read_only_hint == Some(true))
}

/// The arguments of a tool in words: `role (required), reason (required), resource_instance`.
pub(super) fn usage(tool: Tool) -> String {
    let told: Vec<String> = schemas::arguments(tool, Named::ByConnection)
        .iter()
        .map(|a| if a.required { format!("{} (required)", a.name) } else { a.name.to_owned() })
        .collect();
    told.join(", ")
}

fn listing(tool: Tool, named: Named) -> Listing {
    let (title, description) = words(tool, named);
    Listing::new(tool.name(), description, Arc::new(schemas::input(tool, named)))
        .with_title(title)
        .with_raw_output_schema(schemas::output(tool, named))
        .with_annotations(annotations(tool, named).open_world(false))
}

/// What a host may think of a tool. All of them stay within one server.
fn annotations(tool: Tool, named: Named) -> ToolAnnotations {
    let looks = ToolAnnotations::new().read_only(true);
    match tool {
        Tool::ListResourceInstances
        | Tool::ListAccessRequests
        | Tool::ListOperationApprovals
        | Tool::CheckPermission
        | Tool::GetRequest
        | Tool::WhatWouldItNeed
        | Tool::WaitForDecision => looks,
        // Asking for what is asked for already gives the open request.
        Tool::CreateAccessRequest | Tool::CreateOperationApproval => {
            ToolAnnotations::new().read_only(false).destructive(false).idempotent(true)
        }
        // Each call spends a use.
        Tool::RedeemOperationApproval => {
            ToolAnnotations::new().read_only(false).destructive(false).idempotent(false)
        }
        Tool::RecordOutcome => ToolAnnotations::new().read_only(false).destructive(false).idempotent(true),
        // A second answer finds no question.
        Tool::AnswerQuestion => ToolAnnotations::new().read_only(false).destructive(false).idempotent(false),
        // Final, and the same again changes nothing.
        Tool::CancelRequest => ToolAnnotations::new().read_only(false).destructive(true).idempotent(true),
        Tool::ApproveAccessRequest
        | Tool::DenyAccessRequest
        | Tool::ApproveOperationApproval
        | Tool::DenyOperationApproval => match named {
            Named::ByConnection => looks,
            Named::ByModel => ToolAnnotations::new().read_only(false).destructive(true).idempotent(true),
        },
    }
}

/// Title and description.
fn words(tool: Tool, named: Named) -> (&'static str, String) {
    let (title, text) = match tool {
        Tool::ListResourceInstances => (
            "List resource instances",
            "Lists the things that permissions are about, with key and id. Use it to find the resource_instance that \
             other tools want, or to see whether it exists.",
        ),
        Tool::CreateAccessRequest => (
            "Ask for a role",
            "Asks the reviewers to give the user a role on a thing. Nothing is given until one of them approves. The \
             answer holds the request's id; wait for the decision with wait_for_decision. Asking again for the same \
             gives the request that is still open.",
        ),
        Tool::ListAccessRequests => (
            "List access requests",
            "Lists the access requests that the user may see, newest first: their own, and as a reviewer those that \
             wait for them.",
        ),
        Tool::CreateOperationApproval => (
            "Ask for an operation approval",
            "Asks the reviewers to let the user do one operation on a thing, for example to order an expensive dish. \
             Nothing may be done until one of them approves. The answer holds the request's id; wait for the decision \
             with wait_for_decision, and spend the approval with redeem_operation_approval right before you do it. Asking \
             again for the same gives the request that is still open.",
        ),
        Tool::ListOperationApprovals => (
            "List operation approvals",
            "Lists the operation approvals that the user may see, newest first: their own, and as a reviewer those that \
             wait for them.",
        ),
        Tool::CheckPermission => (
            "Check a permission",
            "Says whether the user may do an action to a thing, and why. When the answer is no, it says which role or \
             approval could be asked for, with which tool, and who could decide it. Use it before you act.",
        ),
        Tool::GetRequest => (
            "Look at a request",
            "Shows one access request or operation approval as it stands now. Does not wait.",
        ),
        Tool::CancelRequest => (
            "Take a request back",
            "Cancels an open access request or operation approval of the user. Only who asked can do that.",
        ),
        Tool::WaitForDecision => (
            "Wait for a decision",
            "Waits until a reviewer decides an access request or operation approval or asks something, 50 seconds at \
             most, and shows it. \
             When the time is over first, the answer says that it is still pending: call again, or do something else \
             and look later. Nothing is lost when you stop waiting.",
        ),
        Tool::RedeemOperationApproval => (
            "Spend an operation approval",
            "Checks that an operation approval of the user is good for exactly the call that is about to be made, asks the \
             policy once more, and spends one use, all in one step. Call it right before the approved call. When the \
             answer is an error nothing was spent, and the call must not be made.",
        ),
        Tool::RecordOutcome => (
            "Say what came of it",
            "Writes down what came of an approved call after it was made: it succeeded or it failed. It can be said once.",
        ),
        Tool::WhatWouldItNeed => (
            "See what asking would need",
            "Says what would come of asking for a role, or for an operation when no role is named, without asking: whether \
             it would wait and who could decide it, how many have to agree, and for how long it would last; or that it \
             would be decided at once, or refused and why.",
        ),
        Tool::AnswerQuestion => (
            "Answer a reviewer's question",
            "Answers what a reviewer asks about an open request, so that they can decide. Answer with what the user says or \
             what you know for sure; the reviewer reads it as written by an agent.",
        ),
        Tool::ApproveAccessRequest
        | Tool::DenyAccessRequest
        | Tool::ApproveOperationApproval
        | Tool::DenyOperationApproval => return decision_words(tool, named),
    };
    (title, text.to_owned())
}

fn decision_words(tool: Tool, named: Named) -> (&'static str, String) {
    let (title, what) = match tool {
        Tool::ApproveAccessRequest => {
            ("Approve an access request", "Approves an access request: its user gets the role")
        }
        Tool::DenyAccessRequest => {
            ("Deny an access request", "Denies an access request: its user does not get the role")
        }
        Tool::ApproveOperationApproval => {
            ("Approve an operation", "Approves an operation approval: its user may do the operation")
        }
        _ => ("Deny an operation", "Denies an operation approval: its user may not do the operation"),
    };
    let text = match named {
        Named::ByModel => format!(
            "{what}. Takes effect at once and for good. Only a reviewer can, never who asked. Call it only when the \
             reviewer named by user_id has just told you to, after they saw who asks for what and why."
        ),
        Named::ByConnection => format!(
            "{what}. You can't decide that yourself, so this decides nothing: it answers with a link where your human \
             looks at the request and decides. Give them the link as it is."
        ),
    };
    (title, text)
}
