//! More than one reviewer.

use super::Home;
use askfirst_domain::{
    Ident,
    binding::Call,
    request::{Request, Status},
    terms::Terms,
};
use askfirst_engine::{
    Kind, Page,
    facts::UnassignmentSpec,
    requests::{Approve, AskAccess, AskOperation, Decide, RequestView, Times, Verdict},
};
use serde_json::{Value, json};

fn wish() -> AskAccess {
    AskAccess {
        element: "restaurant-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some("pizza-palace".to_owned()),
        role: "child-can-order".into(),
        reason: String::new(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
    }
}

fn yes() -> Decide {
    Decide { approve: Verdict::Approve(Approve::default()), comment: None }
}

fn no() -> Decide {
    Decide { approve: Verdict::Deny, comment: Some("not now".to_owned()) }
}

fn id(request: &Request) -> Ident {
    Ident::from(request.id.uuid())
}

async fn agree(home: &Home, element: &str, thresholds: Value) {
    let terms: Terms = serde_json::from_value(json!({"thresholds": thresholds})).unwrap();
    home.dev().await.set_terms(&element.into(), terms).await.unwrap();
}

/// The family, in which it takes these, and henry's wish.
async fn asked(thresholds: Value) -> (Home, Request) {
    let home = Home::family().await;
    agree(&home, "restaurant-requests", thresholds).await;
    let asked = home.as_user("henry").await.request_access(wish()).await.unwrap().view.request;
    (home, asked)
}

async fn says(home: &Home, who: &str, request: &Request, decide: Decide) -> RequestView {
    home.as_user(who).await.decide(&id(request), decide).await.unwrap()
}

async fn strip_of_role(home: &Home, who: &str) {
    let spec = UnassignmentSpec {
        user: who.into(),
        role: "parent".into(),
        tenant: None,
        instance: Some("restaurants:pizza-palace".to_owned()),
    };
    home.dev().await.unassign_role(&spec).await.unwrap();
}

#[tokio::test]
async fn two_have_to_agree_and_each_is_heard_once() {
    let (home, asked) = asked(json!([{"name": "both parents", "approve": 2}])).await;
    let first = says(&home, "joe", &asked, yes()).await;
    assert_eq!(first.request.status, Status::Pending);
    assert!(
        first.sentence().ends_with("pending until enough reviewers agree (both parents 1/2)."),
        "{}",
        first.sentence()
    );
    assert!(first.rights.decide && !first.rights.awaited, "joe was heard, and may think again");
    let joes = home.as_user("joe").await.inbox(Page::ALL).await.unwrap();
    assert_eq!(joes.total, 0, "it waits for joe no more");
    assert_eq!(home.as_user("jane").await.inbox(Page::ALL).await.unwrap().total, 1);

    let again = says(&home, "joe", &asked, yes()).await;
    assert_eq!((again.request.status, again.heard.len()), (Status::Pending, 1));
    let done = says(&home, "jane", &asked, yes()).await;
    assert_eq!((done.request.status, done.reviewer.unwrap().key.as_str()), (Status::Approved, "jane"));
    assert_eq!((done.progress[0].approvals, done.heard.len()), (2, 2));

    let codes = home.dev().await.audit_events(Some(asked.id), None, Page::ALL).await.unwrap();
    let codes: Vec<_> = codes.items.iter().rev().map(|event| event.code.as_str()).collect();
    assert_eq!(codes, ["request.created", "request.reviewed", "role_assignment.created", "request.approved"]);
}

#[tokio::test]
async fn a_second_thought_takes_the_place_of_the_first_and_one_denial_ends_it() {
    let (home, asked) = asked(json!([{"name": "both", "approve": 2, "deny": 2}])).await;
    says(&home, "joe", &asked, no()).await;
    let turned = says(&home, "joe", &asked, yes()).await;
    assert_eq!((turned.heard.len(), turned.progress[0].approvals, turned.progress[0].denials), (1, 1, 0));
    let code = Some("request.reviewed".to_owned());
    let events = home.dev().await.audit_events(Some(asked.id), code, Page::ALL).await.unwrap().items;
    assert_eq!(
        (&events[0].details["vote"], &events[0].details["replaces"]),
        (&json!("approve"), &json!("deny"))
    );
    assert_eq!(events[1].details.get("replaces"), None);

    says(&home, "joe", &asked, no()).await;
    let denied = says(&home, "jane", &asked, no()).await.request;
    assert_eq!((denied.status, denied.grant), (Status::Denied, None));
}

#[tokio::test]
async fn who_has_lost_the_role_when_the_decision_falls_is_not_counted() {
    let (home, asked) = asked(json!([{"name": "both", "approve": 2}])).await;
    says(&home, "joe", &asked, yes()).await;
    strip_of_role(&home, "joe").await;
    let heard = says(&home, "jane", &asked, yes()).await;
    assert_eq!(heard.request.status, Status::Pending);
    assert_eq!((heard.progress[0].approvals, heard.heard[0].counts, heard.heard[1].counts), (1, false, true));
    // The admin is a reviewer as well.
    let done = says(&home, "admin", &asked, yes()).await;
    assert_eq!((done.request.status, done.progress[0].approvals), (Status::Approved, 2));
}

#[tokio::test]
async fn a_key_that_is_used_again_does_not_vote_for_who_had_it_before() {
    let (home, asked) = asked(json!([{"name": "both", "approve": 2}])).await;
    says(&home, "joe", &asked, yes()).await;
    home.dev().await.delete_user(&"joe".into()).await.unwrap();
    home.furnish().await;
    agree(&home, "restaurant-requests", json!([{"name": "both", "approve": 2}])).await;
    let heard = says(&home, "jane", &asked, yes()).await;
    assert_eq!((heard.request.status, heard.progress[0].approvals), (Status::Pending, 1));
}

#[tokio::test]
async fn a_threshold_counts_only_who_holds_its_role() {
    let terms = json!([{"name": "anybody"}, {"name": "the admin", "role": "tenant#admin"}]);
    let (home, asked) = asked(terms).await;
    let heard = says(&home, "jane", &asked, yes()).await;
    assert_eq!(heard.request.status, Status::Pending);
    assert_eq!(heard.progress.iter().map(|p| p.approvals).collect::<Vec<_>>(), [1, 0]);
    let done = says(&home, "admin", &asked, yes()).await;
    assert_eq!(done.request.status, Status::Approved);
    assert_eq!(
        done.progress.iter().map(|p| p.approvals).collect::<Vec<_>>(),
        [2, 1],
        "one review counts for each"
    );
}

fn order(amount: u32) -> AskOperation {
    AskOperation {
        element: "dish-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some("pizza-palace_truffle-pizza".to_owned()),
        reason: "hungry".to_owned(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
        uses: None,
        call: Some(Call {
            action: "order".to_owned(),
            arguments: json!({"amount": amount}),
            context: serde_json::Map::new(),
        }),
    }
}

fn at(amount: u32) -> Decide {
    let approve = Approve { arguments: Some(json!({"amount": amount})), ..Approve::default() };
    Decide { approve: Verdict::Approve(approve), comment: None }
}

#[tokio::test]
async fn what_is_asked_for_says_who_has_to_agree_and_a_change_of_it_asks_anew() {
    let home = Home::family().await;
    let when = json!({"action.arguments.amount": {"greater-than": 100}});
    let terms = json!([{"name": "anybody"}, {"name": "dear", "approve": 2, "when": when}]);
    agree(&home, "dish-approval", terms).await;
    let henry = home.as_user("henry").await;
    let cheap = henry.request_operation(order(50)).await.unwrap().view.request;
    assert_eq!(says(&home, "joe", &cheap, yes()).await.request.status, Status::Approved);

    let dear = henry.request_operation(order(500)).await.unwrap().view.request;
    let heard = says(&home, "joe", &dear, yes()).await;
    assert_eq!((heard.request.status, heard.progress.len()), (Status::Pending, 2));
    // Jane would pay less, though still more than a hundred: joe has not agreed to that.
    let less = says(&home, "jane", &dear, at(200)).await;
    assert_eq!(
        (less.request.status, less.heard[0].counts, less.heard[1].counts),
        (Status::Pending, false, true)
    );
    assert_ne!(less.request.binding.as_ref().unwrap().digest, dear.binding.as_ref().unwrap().digest);
    assert!(home.as_user("joe").await.request(&id(&dear)).await.unwrap().rights.awaited);
    // For so little nobody else has to agree.
    let little = says(&home, "joe", &dear, at(20)).await.request;
    assert_eq!((little.status, little.course.tally.len()), (Status::Approved, 1));
    assert_eq!(little.binding.unwrap().call.arguments, json!({"amount": 20}));
}

#[tokio::test]
async fn a_threshold_whose_condition_cannot_be_told_asks_for_its_approvals() {
    let home = Home::family().await;
    let when = json!({"action.arguments.price": {"greater-than": 100}});
    agree(&home, "dish-approval", json!([{"name": "dear", "approve": 2, "when": when}])).await;
    let asked = home.as_user("henry").await.request_operation(order(5)).await.unwrap().view.request;
    assert_eq!(says(&home, "joe", &asked, yes()).await.request.status, Status::Pending);
}

#[tokio::test]
async fn terms_that_nobody_could_keep_are_refused() {
    let home = Home::family().await;
    for (thresholds, wanted) in [
        (json!([{"name": "x", "approve": 0}]), "say 0 in `x`"),
        (json!([{"name": "x"}, {"name": "x"}]), "name `x` twice"),
        (json!([{"name": "x", "role": "nobody"}]), "name the role nobody"),
        (json!([{"name": "x", "role": "elsewhere#parent"}]), "name the role elsewhere#parent"),
        (json!([{"name": "x", "when": {"who.knows": {"equals": 1}}}]), "have a wrong condition in `x`"),
        (json!([{"name": " "}]), "have a name that is empty"),
    ] {
        let terms: Terms = serde_json::from_value(json!({"thresholds": thresholds})).unwrap();
        let refused = home.dev().await.set_terms(&"restaurant-requests".into(), terms).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Invalid);
        assert!(refused.message().contains(wanted), "{refused}");
    }
    agree(&home, "restaurant-requests", json!([{"name": "x", "role": "parent"}])).await;
    let element = home.dev().await.element(&"restaurant-requests".into()).unwrap();
    let role = element.terms.thresholds[0].role.as_ref().unwrap();
    assert_eq!(role.to_string(), "restaurants#parent", "it stays the role that it was");
}
