//! The tools: bound to a user, and with the model naming one.

use crate::support::{Client, Family, call, legacy, modern, object, refusal, wish};
use askfirst_domain::request::Status;
use askfirst_engine::{
    check::Ask,
    requests::{Approve, Decide, Verdict},
};
use askfirst_store::{AuditFilter, Page, Store as _};
use rmcp::{
    ClientHandler, RoleClient,
    model::{CallToolRequestParams, ProgressNotificationParam},
    service::NotificationContext,
};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::mpsc;

const TRUST: [(&str, &str); 1] = [("x-askfirst-trust-user-id", "true")];

async fn listed(client: &Client) -> Value {
    let list = client.list_tools(None).await.unwrap();
    serde_json::to_value(&list.tools).unwrap()
}

/// Waits for nothing: whoever may decide, decides.
async fn joe_approves(family: &Family, id: &str) {
    let joe = family.person("joe").await;
    joe.decide(&id.into(), Decide { approve: Verdict::Approve(Approve::default()), comment: None })
        .await
        .unwrap();
}

#[tokio::test]
async fn the_tools_of_a_bound_connection() {
    let family = Family::at_home().await;
    let key = family.agent_key("henry").await;
    let tools = listed(&family.client(&key, &[]).await).await;
    insta::assert_json_snapshot!("bound", tools);
    let old = family.connect(&family.mcp_url(), &key, &[], legacy()).await.unwrap();
    assert_eq!(listed(&old).await, tools);
}

#[tokio::test]
async fn the_tools_of_a_connection_whose_model_names_the_user() {
    let family = Family::at_home().await;
    let tools = listed(&family.client(&family.env_key, &TRUST).await).await;
    insta::assert_json_snapshot!("trusting", tools);
}

#[tokio::test]
async fn lists_are_nobody_elses() {
    let family = Family::at_home().await;
    let client = family.client(&family.env_key, &TRUST).await;
    let list = client.list_tools(None).await.unwrap();
    assert_eq!(list.ttl_ms, Some(0));
    assert_eq!(serde_json::to_value(list.cache_scope).unwrap(), json!("private"));
    assert!(
        client.peer_info().unwrap().instructions.as_ref().unwrap().contains("whom you name with user_id")
    );
}

/// Whom the agent helps may know which rules there are, and not everybody's attributes.
#[tokio::test]
async fn a_check_tells_an_agent_what_rules_lack_without_the_values() {
    let family = Family::at_home().await;
    let scope = family.scope().await;
    let rules = "
askfirst: 1
user_sets:
  adults: {conditions: {user.age: {greater-than: 17}}}
resource_sets:
  good: {resource: restaurants, conditions: {resource.rating: {greater-than: 3}}}
set_rules:
  - {user_set: adults, permission: restaurants:read, resource_set: good}
users:
  henry: {first_name: Henry, attributes: {age: 9}}
";
    scope.apply_policy(rules).await.unwrap();
    let client = family.client(&family.agent_key("henry").await, &[]).await;
    let check = json!({"action": "read", "resource_instance": "pizza-palace"});
    let mut denied = object(call(&client, "check_permission", check.clone()).await);
    let said = denied["explanation"].as_str().unwrap();
    let (before, after) = said.split_once("The agent agent-").unwrap();
    denied["explanation"] = format!("{before}The agent agent-NAME{}", after.get(12..).unwrap()).into();
    insta::assert_json_snapshot!("denied_by_a_rule", denied);
    let asked = Ask {
        user: "henry".to_owned(),
        action: "read".to_owned(),
        resource: "restaurants".to_owned(),
        instance: Some("pizza-palace".to_owned()),
        tenant: None,
    };
    let to_the_server = scope.explain(&asked).sentence;
    assert!(to_the_server.contains("user.age is greater than 17 (it is 9)"), "{to_the_server}");
    let grown = "
askfirst: 1
users:
  henry: {first_name: Henry, attributes: {age: 18}}
instances:
  'restaurants:pizza-palace': {attributes: {rating: 5}}
";
    scope.apply_policy(grown).await.unwrap();
    let allowed = object(call(&client, "check_permission", check).await);
    assert_eq!(allowed["allowed"], true);
    assert!(allowed["explanation"].as_str().unwrap().contains("in the user set adults"), "{allowed:?}");
}

#[tokio::test]
async fn a_bound_agent_asks_and_its_human_is_shown_the_way() {
    let family = Family::at_home().await;
    let henry = family.client(&family.agent_key("henry").await, &[]).await;

    let check = json!({"action": "read", "resource_instance": "pizza-palace"});
    let denied = object(call(&henry, "check_permission", check.clone()).await);
    assert_eq!(denied["allowed"], false);
    assert_eq!(denied["resource_instance"], "restaurants:pizza-palace");
    let offer = &denied["requestable"][0];
    assert_eq!(offer["role"], "child-can-order");
    assert_eq!(offer["ask_with"], "create_access_request");
    assert_eq!(offer["reviewers"], json!(["joe"]));

    let asked = object(call(&henry, "create_access_request", wish()).await);
    let id = asked["id"].as_str().unwrap();
    assert_eq!((asked["status"].as_str(), asked["existed"].as_bool()), (Some("pending"), Some(false)));
    assert_eq!(asked["access_request_details"]["resource_instance"], "pizza-palace");
    assert_eq!(asked["reason"], "I am now 18");
    let again = object(call(&henry, "create_access_request", wish()).await);
    assert_eq!((again["id"].as_str(), again["existed"].as_bool()), (Some(id), Some(true)));

    // Henry's own agent can't decide it, and neither could henry.
    let own = refusal(&call(&henry, "approve_access_request", json!({"access_request_id": id})).await);
    assert!(own.contains("asked for this and so can't decide it"), "{own}");

    // Joe's agent sees it, and is sent to joe.
    let joe = family.client(&family.agent_key("joe").await, &[]).await;
    let waiting = object(call(&joe, "list_access_requests", json!({"status": "pending"})).await);
    assert_eq!((waiting["total_count"].as_u64(), waiting["data"][0]["id"].as_str()), (Some(1), Some(id)));
    for tool in ["approve_access_request", "deny_access_request"] {
        let referred =
            object(call(&joe, tool, json!({"access_request_id": id, "reviewer_comment": "ok"})).await);
        assert_eq!(referred["decided"], false);
        let url = referred["confirm_url"].as_str().unwrap();
        assert!(url.starts_with(&family.url) && url.ends_with(id), "{url}");
        assert!(referred["message"].as_str().unwrap().contains(url), "{referred}");
        assert_eq!(referred["request"]["status"], "pending");
    }
    assert_eq!(family.person("joe").await.request(&id.into()).await.unwrap().request.status, Status::Pending);

    joe_approves(&family, id).await;
    assert_eq!(object(call(&henry, "check_permission", check).await)["allowed"], true);
    let seen = object(call(&henry, "get_request", json!({"request_id": id})).await);
    assert_eq!((seen["status"].as_str(), seen["reviewer"].as_str()), (Some("approved"), Some("joe")));
    let late = refusal(&call(&joe, "deny_access_request", json!({"access_request_id": id})).await);
    assert!(late.contains("already approved by joe"), "{late}");
    let same = object(call(&joe, "approve_access_request", json!({"access_request_id": id})).await);
    assert!(same["message"].as_str().unwrap().contains("was approved by joe"), "{same}");
}

/// Joe, who is a parent, denies it.
async fn joe_denies(family: &Family, id: &str, why: &str) {
    let decide = askfirst_engine::requests::Decide {
        approve: askfirst_engine::requests::Verdict::Deny,
        comment: Some(why.to_owned()),
    };
    family.person("joe").await.decide(&id.into(), decide).await.unwrap();
}

#[tokio::test]
async fn f4_a_rejection_ends_it_and_says_so() {
    let family = Family::at_home().await;
    let key = family.agent_key("henry").await;
    let henry = family.client(&key, &[]).await;
    let asked = object(call(&henry, "create_access_request", wish()).await);
    let id = asked["id"].as_str().unwrap();
    joe_denies(&family, id, "you had pizza yesterday").await;
    for tool in ["wait_for_decision", "get_request"] {
        let told = object(call(&henry, tool, json!({"request_id": id})).await);
        let message = told["message"].as_str().unwrap();
        assert!(
            message.contains("denied by joe, because: \u{201c}you had pizza yesterday\u{201d}"),
            "{message}"
        );
        assert!(
            message.contains("That is final: do not try it in another way, and do not ask for it again unless henry tells you to."),
            "{message}"
        );
    }
    for _ in 0..3 {
        let again = refusal(&call(&henry, "create_access_request", wish()).await);
        assert!(again.starts_with("The same was denied by joe at "), "{again}");
        assert!(
            again.contains("you had pizza yesterday") && again.contains("do not ask for it again"),
            "{again}"
        );
    }
    assert_eq!(
        object(call(&henry, "list_access_requests", json!({})).await)["total_count"],
        1,
        "nothing new was asked"
    );
}

#[tokio::test]
async fn what_asking_would_need_is_told_before() {
    let family = Family::at_home().await;
    let henry = family.client(&family.agent_key("henry").await, &[]).await;
    let mut dry = wish();
    dry.as_object_mut().unwrap().remove("reason");
    let seen = object(call(&henry, "what_would_it_need", dry.clone()).await);
    assert_eq!((&seen["outcome"], &seen["reviewers"]), (&json!("waits"), &json!(["joe"])), "{seen}");
    assert_eq!(object(call(&henry, "list_access_requests", json!({})).await)["total_count"], 0);
    assert_eq!(seen["suggested_reviewers"], json!(["joe"]));
    let mut named = wish();
    named["suggested_reviewers"] = json!(["henry"]);
    let refused = refusal(&call(&henry, "create_access_request", named.clone()).await);
    assert!(
        refused.contains("`henry` can't be suggested as a reviewer") && refused.contains("name `joe`"),
        "{refused}"
    );
    named["suggested_reviewers"] = json!(["joe"]);
    let made = object(call(&henry, "create_access_request", named).await);
    assert_eq!(made["suggested_reviewers"], json!(["joe"]));
    let id = made["id"].clone();
    let seen = object(call(&henry, "what_would_it_need", dry).await);
    assert!(seen["message"].as_str().unwrap().contains(id.as_str().unwrap()), "{seen}");
}

#[tokio::test]
async fn a_reviewers_question_wakes_who_waits_and_is_answered() {
    let family = Family::at_home().await;
    let key = family.agent_key("henry").await;
    let (henry, waiter) = (family.client(&key, &[]).await, family.client(&key, &[]).await);
    let asked = object(call(&henry, "create_access_request", wish()).await);
    let id = asked["id"].as_str().unwrap().to_owned();
    let none = refusal(&call(&henry, "answer_question", json!({"request_id": id, "answer": "two"})).await);
    assert!(none.starts_with("No question about this waits"), "{none}");
    let wait = json!({"request_id": id, "timeout_seconds": 50});
    let waiting = tokio::spawn(async move { object(call(&waiter, "wait_for_decision", wait).await) });
    family.person("joe").await.ask_back(&id.as_str().into(), "for how many?").await.unwrap();
    let woken = waiting.await.unwrap();
    assert_eq!((&woken["decided"], &woken["question"]), (&json!(false), &json!("for how many?")));
    let message = woken["message"].as_str().unwrap();
    assert!(
        message.contains("joe asks first: \u{201c}for how many?\u{201d} Answer it with answer_question"),
        "{message}"
    );
    let answered = object(call(&henry, "answer_question", json!({"request_id": id, "answer": "two"})).await);
    assert_eq!((&answered["status"], answered.get("question")), (&json!("pending"), None));
    let seen = family.person("joe").await.request(&id.as_str().into()).await.unwrap().request;
    assert_eq!(seen.course.questions[0].answer.as_ref().unwrap().text, "two");
}

#[tokio::test]
async fn a_bound_agent_speaks_for_nobody_else() {
    let family = Family::at_home().await;
    let henry = family.client(&family.env_key, &[("x-askfirst-as", "henry")]).await;
    let id = object(call(&henry, "create_access_request", wish()).await)["id"].clone();
    let user = family.person("henry").await.user().to_string();
    for own in ["henry", user.as_str()] {
        let mut arguments = wish();
        arguments["user_id"] = json!(own);
        assert_eq!(object(call(&henry, "create_access_request", arguments).await)["id"], id);
    }
    let calls = [
        ("create_access_request", wish()),
        ("create_operation_approval", json!({"reason": "x"})),
        ("list_access_requests", json!({})),
        ("list_operation_approvals", json!({})),
        ("approve_access_request", json!({"access_request_id": id})),
        ("deny_access_request", json!({"access_request_id": id})),
        ("approve_operation_approval", json!({"operation_approval_id": id})),
        ("deny_operation_approval", json!({"operation_approval_id": id})),
        ("check_permission", json!({"action": "read", "resource_instance": "pizza-palace"})),
        ("get_request", json!({"request_id": id})),
        ("cancel_request", json!({"request_id": id})),
        ("wait_for_decision", json!({"request_id": id, "timeout_seconds": 0})),
        ("answer_question", json!({"request_id": id, "answer": "x"})),
        ("what_would_it_need", json!({"resource_instance": "pizza-palace"})),
    ];
    for (tool, mut arguments) in calls {
        arguments["user_id"] = json!("joe");
        let sentence = refusal(&call(&henry, tool, arguments).await);
        assert_eq!(
            sentence, "This connection acts for henry only, not for `joe`; leave user_id out.",
            "{tool}"
        );
    }
}

#[tokio::test]
async fn a_result_names_its_revision_and_a_call_may_demand_one() {
    let family = Family::at_home().await;
    let key = family.agent_key("henry").await;
    let named = |result: rmcp::model::CallToolResult| -> askfirst_domain::RevisionToken {
        result.meta.unwrap().0["askfirst/revision"].as_str().unwrap().parse().unwrap()
    };
    let client = family.client(&key, &[]).await;
    let asked = named(call(&client, "create_access_request", wish()).await);
    let demand = asked.to_string();
    let demanding = family.client(&key, &[("askfirst-at-least", demand.as_str())]).await;
    assert_eq!(named(call(&demanding, "list_access_requests", json!({})).await), asked);

    let never = askfirst_domain::RevisionToken { revision: asked.revision + 1, ..asked }.to_string();
    let headers = [("askfirst-at-least", never.as_str())];
    let refused = family.connect(&family.mcp_url(), &key, &headers, legacy()).await.unwrap_err();
    assert!(format!("{refused:?}").contains("has not happened"), "{refused:?}");
}

#[tokio::test]
async fn others_requests_stay_closed() {
    let family = Family::at_home().await;
    let (henry, rose) = (family.agent_key("henry").await, family.agent_key("rose").await);
    let (henry, rose) = (family.client(&henry, &[]).await, family.client(&rose, &[]).await);
    let hers = object(call(&rose, "create_access_request", wish()).await)["id"].clone();
    for tool in ["get_request", "cancel_request", "wait_for_decision"] {
        refusal(&call(&henry, tool, json!({"request_id": hers})).await);
    }
    refusal(&call(&henry, "deny_access_request", json!({"access_request_id": hers})).await);
    assert_eq!(object(call(&henry, "list_access_requests", json!({})).await)["total_count"], 0);
    let canceled =
        object(call(&rose, "cancel_request", json!({"request_id": hers, "reason": "later"})).await);
    assert_eq!((canceled["status"].as_str(), canceled["reason"].as_str()), (Some("canceled"), Some("later")));
}

#[tokio::test]
async fn a_model_that_names_the_user_decides_and_is_written_down() {
    let family = Family::at_home().await;
    let client = family.client(&family.env_key, &TRUST).await;
    let nobody = refusal(&call(&client, "create_access_request", wish()).await);
    assert!(nobody.contains("user_id"), "{nobody}");
    let mut arguments = wish();
    arguments["user_id"] = json!("henry");
    let id = object(call(&client, "create_access_request", arguments).await)["id"].clone();

    let dish = json!({"user_id": "henry", "reason": "the truffle", "resource_instance": "pizza-palace"});
    let dish = object(call(&client, "create_operation_approval", dish).await);
    assert_eq!(dish["type"], "operation_approval");
    let wrong = json!({"user_id": "joe", "access_request_id": dish["id"]});
    let wrong = refusal(&call(&client, "approve_access_request", wrong).await);
    assert!(wrong.contains("is an operation approval; use approve_operation_approval"), "{wrong}");

    let own = json!({"user_id": "henry", "access_request_id": id});
    refusal(&call(&client, "approve_access_request", own).await);
    let arguments = json!({"user_id": "joe", "access_request_id": id, "reviewer_comment": "enjoy"});
    let approved = object(call(&client, "approve_access_request", arguments).await);
    assert_eq!(approved["status"], "approved");
    assert_eq!((&approved["reviewer"], &approved["reviewer_comment"]), (&json!("joe"), &json!("enjoy")));
    let arguments = json!({"user_id": "joe", "operation_approval_id": dish["id"]});
    assert_eq!(object(call(&client, "deny_operation_approval", arguments).await)["status"], "denied");

    let env = family.scope().await.environment().id;
    let about = AuditFilter { code: Some("request".to_owned()), ..AuditFilter::default() };
    let events = family.store.audit_events(Some(env), &about, Page::ALL).await.unwrap().items;
    assert!(events.len() >= 4, "{events:?}");
    assert!(events.iter().all(|e| e.model_named_user), "{events:?}");
}

#[tokio::test]
async fn instances_are_named_by_key_number_type_and_id() {
    let family = Family::at_home().await;
    let henry = family.client(&family.agent_key("henry").await, &[]).await;
    let listed = object(call(&henry, "list_resource_instances", json!({"page": 1, "per_page": 1.0})).await);
    assert_eq!((listed["total_count"].as_u64(), listed["page_count"].as_u64()), (Some(2), Some(2)));
    let listed = object(call(&henry, "list_resource_instances", json!({})).await);
    let seven = listed["data"].as_array().unwrap().iter().find(|i| i["key"] == "7").unwrap();
    assert_eq!(seven["resource_instance"], "restaurants:7");
    for named in [json!(7), json!("7"), json!("restaurants:7"), seven["id"].clone()] {
        let checked = json!({"action": "read", "resource_instance": named});
        assert_eq!(
            object(call(&henry, "check_permission", checked).await)["resource_instance"],
            "restaurants:7"
        );
        let wished = json!({"role": "child-can-order", "reason": "x", "resource_instance": named});
        let asked = object(call(&henry, "create_access_request", wished).await);
        assert_eq!(asked["access_request_details"]["resource_instance"], "7");
        let mine = object(call(&henry, "list_access_requests", json!({"resource_instance": named})).await);
        assert_eq!(mine["total_count"], 1, "{named}");
    }
    let unknown = json!({"action": "read", "resource_instance": "nowhere"});
    assert!(refusal(&call(&henry, "check_permission", unknown).await).contains("nowhere"));
}

#[tokio::test]
async fn wrong_calls_are_told_what_is_right() {
    let family = Family::at_home().await;
    let henry = family.client(&family.agent_key("henry").await, &[]).await;
    let unknown = henry.call_tool_once(CallToolRequestParams::new("grant_everything")).await.unwrap_err();
    let unknown = unknown.to_string();
    assert!(
        unknown.contains("no tool `grant_everything`") && unknown.contains("check_permission"),
        "{unknown}"
    );
    let cases = [
        ("create_access_request", json!({"role": "child-can-order"}), "missing field `reason`"),
        ("create_access_request", json!({"rolle": "x", "reason": "y"}), "role (required), reason (required)"),
        ("list_access_requests", json!({"status": "open"}), "pending, approved, denied, canceled or expired"),
        ("list_access_requests", json!({"per_page": 101}), "per_page goes from 1 to 100"),
        ("list_access_requests", json!({"page": 0}), "page counts from 1"),
        ("get_request", json!({"request_id": "pizza"}), "pizza"),
        ("wait_for_decision", json!({"request_id": "x", "timeout_seconds": 51}), "50 at most"),
        (
            "create_access_request",
            json!({"role": "parent", "reason": "x", "resource_instance": "pizza-palace"}),
            "child-can-order",
        ),
    ];
    for (tool, arguments, says) in cases {
        let sentence = refusal(&call(&henry, tool, arguments).await);
        assert!(
            sentence.contains(says) && sentence.ends_with('.') && !sentence.contains('\n'),
            "{tool}: {sentence}"
        );
    }
}

#[tokio::test]
async fn where_there_is_a_choice_the_connection_makes_it() {
    let family = Family::at_home().await;
    let more = "
askfirst: 1
resources:
  bars:
    actions: {enter: {name: Enter}}
    roles: {guest: {name: Guest, permissions: [enter]}, owner: {name: Owner, permissions: [enter]}}
elements:
  bar-requests: {name: Bars, type: user_management, resource: bars, levels: {LEVEL_1: [owner], LEVEL_4: [guest]}}
instances:
  \"bars:corner\": {}
";
    family.scope().await.apply_policy(more).await.unwrap();
    let key = family.agent_key("henry").await;
    let open = family.client(&key, &[]).await;
    let arguments = json!({"role": "guest", "reason": "thirst", "resource_instance": "corner"});
    let several = refusal(&call(&open, "create_access_request", arguments.clone()).await);
    assert!(
        several.contains("restaurant-requests, bar-requests") && several.contains("access_element="),
        "{several}"
    );
    // The model can say it itself ...
    let named = json!({"role": "guest", "reason": "thirst", "resource_instance": "bars:corner"});
    let asked = object(call(&open, "create_access_request", named).await);
    assert_eq!(asked["element"], "bar-requests");
    // ... or the URL or a header does.
    for (query, header) in [
        ("?resource=bars", None),
        ("?access_element=bar-requests", None),
        ("", Some(("x-askfirst-resource", "bars"))),
        ("", Some(("x-askfirst-access-element", "bar-requests"))),
    ] {
        let url = format!("{}{query}", family.mcp_url());
        let headers: Vec<_> = header.into_iter().collect();
        let set = family.connect(&url, &key, &headers, modern()).await.unwrap();
        assert_eq!(
            object(call(&set, "create_access_request", arguments.clone()).await)["id"],
            asked["id"],
            "{query}"
        );
    }
    let url = format!("{}?resource=nothing", family.mcp_url());
    let lost = family.connect(&url, &key, &[], modern()).await.unwrap();
    assert!(refusal(&call(&lost, "create_access_request", arguments).await).contains("nothing"));
}

struct Told(mpsc::UnboundedSender<ProgressNotificationParam>);

impl ClientHandler for Told {
    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.0.send(params).unwrap();
    }
}

#[tokio::test]
async fn waiting_ends_with_the_decision() {
    let family = Family::at_home().await;
    for (user, lifecycle) in [("henry", modern()), ("rose", legacy())] {
        let key = family.agent_key(user).await;
        let (told, mut hears) = mpsc::unbounded_channel();
        let henry = family.connect_with(Told(told), &family.mcp_url(), &key, &[], lifecycle).await.unwrap();
        let henry = Arc::new(henry);
        let dish = json!({"reason": "truffle", "resource_instance": "pizza-palace"});
        let id = object(call(&henry, "create_operation_approval", dish).await)["id"].clone();

        let short = json!({"request_id": id, "timeout_seconds": 0});
        let pending = object(call(&henry, "wait_for_decision", short).await);
        assert_eq!((&pending["decided"], &pending["status"]), (&json!(false), &json!("pending")));
        assert!(
            pending["message"].as_str().unwrap().contains("Nobody has decided within 0 seconds"),
            "{pending}"
        );
        while hears.try_recv().is_ok() {}

        let waiter = Arc::clone(&henry);
        let long = json!({"request_id": id, "timeout_seconds": 50});
        let waiting = tokio::spawn(async move { object(call(&waiter, "wait_for_decision", long).await) });
        // The first sign of life comes when the server waits.
        let sign = hears.recv().await.unwrap();
        assert_eq!((sign.progress, sign.total), (0.0, Some(50.0)));
        joe_approves(&family, id.as_str().unwrap()).await;
        let decided = waiting.await.unwrap();
        assert_eq!((&decided["decided"], &decided["status"]), (&json!(true), &json!("approved")));
        let known = object(call(&henry, "wait_for_decision", json!({"request_id": id})).await);
        assert_eq!(known["status"], "approved");
    }
}
