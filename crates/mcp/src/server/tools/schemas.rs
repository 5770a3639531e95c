//! The shapes of arguments and answers, as JSON schemas.

use super::Tool;
use crate::{server::handler::Named, wire::LONGEST_WAIT};
use rmcp::model::JsonObject;
use serde_json::{Value, json};
use std::sync::Arc;

/// One argument of a tool.
#[derive(Debug)]
pub(super) struct Argument {
    pub(super) name: &'static str,
    pub(super) schema: Value,
    pub(super) required: bool,
}

fn required(name: &'static str, schema: Value) -> Argument {
    Argument { name, schema, required: true }
}

fn optional(name: &'static str, schema: Value) -> Argument {
    Argument { name, schema, required: false }
}

fn ask_again(description: &str) -> Argument {
    optional("ask_again", json!({"type": "boolean", "default": false, "description": description}))
}

fn suggested_reviewers() -> Argument {
    let described = "Users who are to look at it first, by key: only those whom what_would_it_need names. Leave it out unless your user wants somebody in particular; the nearest are suggested then.";
    let schema =
        json!({"type": "array", "items": {"type": "string"}, "maxItems": 10, "description": described});
    optional("suggested_reviewers", schema)
}

fn access_request() -> [Argument; 5] {
    [
        required(
            "role",
            text(
                "The key or id of the role, for example child-can-order. check_permission tells which roles can be asked for.",
            ),
        ),
        required("reason", text("Why it is wanted, in the user's words; the reviewer reads it.")),
        optional(
            "resource_instance",
            instance(
                "The thing on which the role is wanted. Leave it out only for a role in the whole tenant.",
            ),
        ),
        suggested_reviewers(),
        ask_again("This was denied a short while ago, and your user has told you to ask for it once more."),
    ]
}

/// The arguments of a tool, in the order in which they are told.
pub(super) fn arguments(tool: Tool, named: Named) -> Vec<Argument> {
    let mut all = Vec::new();
    if tool != Tool::ListResourceInstances {
        all.push(user_id(tool, named));
    }
    match tool {
        Tool::ListResourceInstances => all.extend(paging(100)),
        Tool::CreateAccessRequest => all.extend(access_request()),
        Tool::ListAccessRequests => {
            all.push(optional("status", status()));
            all.push(optional("role", text("Only requests for this role (key or id).")));
            all.push(optional("resource_instance", instance("Only requests about this thing.")));
            all.extend(paging(30));
        }
        Tool::CreateOperationApproval => all.extend([
            required("reason", text("What is to be done and why, in the user's words; the reviewer reads it.")),
            optional("resource_instance", instance("The thing on which the operation is to be done.")),
            optional("action", text("The tool or action that is to be called, where one exact call is to be approved.")),
            optional("arguments", call_arguments()),
            optional("context", call_context()),
            suggested_reviewers(),
            ask_again("Exactly this call was denied a short while ago, and your user has told you to ask for it once more."),
        ]),
        Tool::RedeemOperationApproval => {
            all.push(optional("operation_approval_id", text("The id of the approval. Left out, the newest unused approval of exactly this call is spent.")));
            all.extend(the_call());
        }
        Tool::RecordOutcome => {
            all.push(required("outcome", json!({"type": "string", "enum": ["succeeded", "failed"], "description": "What came of it."})));
            all.push(optional("note", text("In a few words, what it was.")));
            all.push(optional("operation_approval_id", text("The id of the approval. Left out, the call says which one it was.")));
            all.push(optional("number", json!({"type": "integer", "minimum": 1, "default": 1,
                "description": "Which use it was, as redeem_operation_approval said; only with the id."})));
            all.extend(the_call());
        }
        Tool::ListOperationApprovals => {
            all.push(optional("status", status()));
            all.push(optional("resource_instance", instance("Only approvals about this thing.")));
            all.extend(paging(30));
        }
        Tool::ApproveAccessRequest | Tool::DenyAccessRequest => all.extend([
            required("access_request_id", text("The id of the access request, from list_access_requests.")),
            optional("reviewer_comment", text("What the reviewer says about it.")),
        ]),
        Tool::ApproveOperationApproval | Tool::DenyOperationApproval => all.extend([
            required("operation_approval_id", text("The id of the operation approval, from list_operation_approvals.")),
            optional("reviewer_comment", text("What the reviewer says about it.")),
        ]),
        Tool::CheckPermission => all.extend([
            required("action", text("What is to be done: the key of an action of the resource, for example read.")),
            required("resource_instance", instance("The thing to which it is to be done.")),
        ]),
        Tool::GetRequest => all.push(required("request_id", any_request())),
        Tool::CancelRequest => all.extend([
            required("request_id", any_request()),
            optional("reason", text("Why it is not wanted any more; replaces the reason of the request.")),
        ]),
        Tool::WhatWouldItNeed => all.extend([
            optional("role", text("The key or id of the role; left out, it is about one operation.")),
            optional("resource_instance", instance("The thing that it is about.")),
            optional("action", text("The tool or action of one exact call.")),
            optional("arguments", call_arguments()),
            optional("context", call_context()),
            suggested_reviewers(),
        ]),
        Tool::AnswerQuestion => all.extend([
            required("request_id", any_request()),
            required("answer", text("The answer to the oldest question that waits.")),
        ]),
        Tool::WaitForDecision => all.extend([
            required("request_id", any_request()),
            optional("timeout_seconds", json!({"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "default": 30,
                "description": "How long to wait. When it is over, the answer says that the request is still pending."})),
        ]),
    }
    all
}

/// The input schema of a tool.
pub(super) fn input(tool: Tool, named: Named) -> JsonObject {
    let all = arguments(tool, named);
    let required: Vec<&str> = all.iter().filter(|a| a.required).map(|a| a.name).collect();
    let properties: JsonObject = all.iter().map(|a| (a.name.to_owned(), a.schema.clone())).collect();
    object(
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
    )
}

/// The output schema of a tool.
pub(super) fn output(tool: Tool, named: Named) -> Arc<JsonObject> {
    let one = request(&[]);
    Arc::new(object(match tool {
        Tool::ListResourceInstances => list(&json!({
            "type": "object",
            "properties": {
                "id": text("Its id."),
                "key": text("Its key, good as resource_instance."),
                "resource": text("The type of thing that it is."),
                "resource_instance": text("Both, as type:key."),
                "tenant": text("The tenant that it belongs to."),
                "attributes": {"type": "object", "description": "What is known of it."},
            },
            "required": ["id", "key", "resource", "resource_instance", "tenant"],
        })),
        Tool::ListAccessRequests | Tool::ListOperationApprovals => list(&one),
        Tool::CreateAccessRequest | Tool::CreateOperationApproval => request(&[(
            "existed",
            json!({"type": "boolean", "description": "The same was asked before and is still open; this is that request."}),
        )]),
        Tool::WaitForDecision => request(&[(
            "decided",
            json!({"type": "boolean", "description": "False: the time is over, or a reviewer asks something, and the request is still pending."}),
        )]),
        Tool::WhatWouldItNeed => json!({
            "type": "object",
            "properties": {
                "outcome": {"type": "string", "enum": ["waits", "pending", "approved", "denied", "refused"]},
                "message": text("What would come of asking, in one sentence."),
                "reviewers": {"type": "array", "items": {"type": "string"}, "description": "Who could decide it now."},
                "suggested_reviewers": {"type": "array", "items": {"type": "string"}, "description": "Who would be asked to look first; the others may decide all the same."},
                "thresholds": {"type": "array", "items": {"type": "object"}, "description": "Who would have to agree, where one is not enough."},
                "deadline": text("Until when somebody could decide."),
                "lasts_seconds": {"type": "integer", "description": "How long what is given would last."},
            },
            "required": ["outcome", "message", "reviewers", "suggested_reviewers"],
        }),
        Tool::GetRequest | Tool::CancelRequest | Tool::RecordOutcome | Tool::AnswerQuestion => one,
        Tool::RedeemOperationApproval => redeemed(),
        Tool::CheckPermission => check(),
        Tool::ApproveAccessRequest
        | Tool::DenyAccessRequest
        | Tool::ApproveOperationApproval
        | Tool::DenyOperationApproval => match named {
            Named::ByModel => one,
            Named::ByConnection => json!({
                "type": "object",
                "properties": {
                    "decided": {"type": "boolean", "const": false, "description": "This call decides nothing."},
                    "message": text("What to tell the human."),
                    "confirm_url": text("Where the human looks at the request and decides."),
                    "request": one,
                },
                "required": ["decided", "message", "confirm_url", "request"],
            }),
        },
    }))
}

fn user_id(tool: Tool, named: Named) -> Argument {
    let role = match tool {
        Tool::CreateAccessRequest | Tool::CreateOperationApproval | Tool::WhatWouldItNeed => "who asks",
        Tool::ApproveAccessRequest
        | Tool::DenyAccessRequest
        | Tool::ApproveOperationApproval
        | Tool::DenyOperationApproval => "the reviewer who decides",
        Tool::CheckPermission => "whose permission it is",
        Tool::CancelRequest | Tool::AnswerQuestion => "who asked for it",
        Tool::RedeemOperationApproval | Tool::RecordOutcome => "whose approval it is",
        _ => "who looks",
    };
    match named {
        Named::ByModel => required("user_id", text(&format!("The key or id of the user {role}."))),
        Named::ByConnection => optional(
            "user_id",
            text("Leave it out: the connection says for whom you act, and nobody else is accepted."),
        ),
    }
}

fn paging(default_size: u32) -> [Argument; 2] {
    [
        optional(
            "page",
            json!({"type": "integer", "minimum": 1, "default": 1, "description": "Which page of the list."}),
        ),
        optional(
            "per_page",
            json!({"type": "integer", "minimum": 1, "maximum": 100, "default": default_size,
                "description": "How many on a page."}),
        ),
    ]
}

fn status() -> Value {
    json!({"type": "string", "enum": ["pending", "approved", "denied", "canceled", "expired"],
        "description": "Only those that stand like this."})
}

fn any_request() -> Value {
    text("The id of an access request or an operation approval.")
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn instance(description: &str) -> Value {
    let description =
        format!("{description} Its key or id, or type:key; list_resource_instances shows what there is.");
    json!({"type": ["string", "integer"], "description": description})
}

fn list(item: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": item},
            "total_count": {"type": "integer", "description": "How many there are on all pages."},
            "page_count": {"type": "integer"},
        },
        "required": ["data", "total_count", "page_count"],
    })
}

fn request(more: &[(&str, Value)]) -> Value {
    let mut required =
        vec!["id", "type", "status", "message", "requesting_user", "access_request_details", "reason"];
    let mut shape = json!({
        "id": text("The id of the request."),
        "type": {"type": "string", "enum": ["access_request", "operation_approval"]},
        "status": {"type": "string", "enum": ["pending", "approved", "denied", "canceled", "expired"]},
        "message": text("One sentence: where it stands."),
        "requesting_user": {"type": "object", "description": "Who asked.",
            "properties": {"id": text("The id."), "key": text("The key.")}, "required": ["id", "key"]},
        "access_request_details": {"type": "object", "description": "What was asked for.",
            "properties": {
                "tenant": text("The tenant."),
                "resource": text("The type of thing."),
                "resource_instance": text("The thing."),
                "role": text("The role that an approval gives."),
            },
            "required": ["tenant", "role"]},
        "reason": text("Why, in the words of who asked."),
        "reviewer": text("Who decided."),
        "reviewer_comment": text("What the reviewer said."),
        "thresholds": {"type": "array", "description": "Who has to agree, where one reviewer is not enough, and how far that is.",
            "items": {"type": "object"}},
        "reviews": {"type": "array", "description": "What reviewers have said so far.", "items": {"type": "object"}},
        "suggested_reviewers": {"type": "array", "description": "While it is pending: who is asked to look first.",
            "items": {"type": "string"}},
        "question": text("What a reviewer asks before deciding; answer it with answer_question."),
        "deadline": text("While it is pending: until when somebody can decide it."),
        "call": call_shape(),
        "grant": {"type": "object", "description": "What the approval gave.",
            "properties": {
                "state": {"type": "string", "enum": ["active", "spent", "revoked", "ended"]},
                "ends_at": text("From then on it gives nothing."),
            },
            "required": ["state"]},
        "review_url": text("While it is pending: where a reviewer can look and decide."),
    });
    if let Some(properties) = shape.as_object_mut() {
        for (name, schema) in more {
            properties.insert((*name).to_owned(), schema.clone());
            required.push(name);
        }
    }
    json!({"type": "object", "properties": shape, "required": required})
}

/// The call itself, where a tool may be told it instead of an id.
fn the_call() -> [Argument; 4] {
    [
        optional("resource_instance", instance("The thing on which the call is made.")),
        optional("action", text("The tool or action that is called.")),
        optional("arguments", call_arguments()),
        optional("context", call_context()),
    ]
}

fn call_arguments() -> Value {
    json!({"type": "object", "description":
        "The arguments of that call, exactly as it will be made. The approval is for these and no others."})
}

fn call_context() -> Value {
    json!({"type": "object", "description":
        "What else decides about that call, such as the directory in which a command runs. It is bound like the arguments."})
}

fn call_shape() -> Value {
    json!({"type": "object", "description": "The one call that an approval is for, with its digest. A reviewer may have \
        changed the arguments: make it exactly like this.",
        "properties": {"action": text("The tool or action."), "digest": text("Its digest.")},
        "required": ["action", "digest"]})
}

fn redeemed() -> Value {
    json!({
        "type": "object",
        "properties": {
            "operation_approval_id": text("The approval."),
            "number": {"type": "integer", "description": "Which use of it was spent, from 1."},
            "left": {"type": "integer", "description": "How many uses are left."},
            "message": text("What to do now."),
            "resource_instance": text("The thing on which the call may be made, as type:key."),
            "call": call_shape(),
        },
        "required": ["operation_approval_id", "number", "message"],
    })
}

fn check() -> Value {
    json!({
        "type": "object",
        "properties": {
            "allowed": {"type": "boolean"},
            "explanation": text("Why, and for a denial what could be asked for and who could decide it."),
            "user_id": text("Whose permission it is."),
            "action": text("What was asked about."),
            "resource_instance": text("The thing, as type:key."),
            "requestable": {"type": "array", "description": "For a denial: what could be asked for, the best first.",
                "items": {
                    "type": "object",
                    "properties": {
                        "type": {"type": "string", "enum": ["access_request", "operation_approval"]},
                        "role": text("The role that it would give."),
                        "resource_instance": text("On which thing, as type:key."),
                        "tenant": text("In which tenant, for a role that is not on one thing."),
                        "element": text("Through which element."),
                        "reviewers": {"type": "array", "items": {"type": "string"}, "description": "Who could decide it."},
                        "ask_with": text("The tool that asks for it."),
                    },
                    "required": ["type", "role", "element", "reviewers", "ask_with"],
                }},
        },
        "required": ["allowed", "explanation", "user_id", "action", "resource_instance", "requestable"],
    })
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}
