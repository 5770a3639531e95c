//! Who is suggested as a reviewer.

use super::Home;
use askfirst_domain::{Ident, request::Request};
use askfirst_engine::{
    Kind, Page,
    facts::AssignmentSpec,
    requests::{AskAccess, AskOperation, NewStandIn, Span, Times, Until},
};
use serde_json::json;

fn wish(named: &[&str]) -> AskAccess {
    AskAccess {
        element: "restaurant-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some("pizza-palace".to_owned()),
        role: "child-can-order".into(),
        reason: String::new(),
        suggested_reviewers: named.iter().map(|name| Ident::from(*name)).collect(),
        times: Times::default(),
    }
}

fn suggested(request: &Request) -> Vec<&str> {
    request.course.suggested.iter().map(|person| person.key.as_str()).collect()
}

async fn refusal(home: &Home, named: &[&str]) -> String {
    let refused = home.as_user("henry").await.request_access(wish(named)).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid, "{refused}");
    refused.message().to_owned()
}

#[tokio::test]
async fn the_nearest_go_first_and_a_stand_in_in_the_place_of_who_is_away() {
    let home = Home::family().await;
    let stand_in =
        NewStandIn { to: "rose".into(), starts: None, until: Until::After(Span::try_from(86_400).unwrap()) };
    home.as_user("jane").await.name_stand_in(stand_in).await.unwrap();
    let henry = home.as_user("henry").await;
    let foreseen = henry.foresee_access(wish(&[])).await.unwrap();
    let keys: Vec<&str> = foreseen.suggested.iter().map(askfirst_domain::UserKey::as_str).collect();
    assert_eq!(keys, ["joe", "rose", "admin"]);
    assert_eq!(foreseen.reviewers.len(), 4, "jane may decide all the same");
    let asked = henry.request_access(wish(&[])).await.unwrap().view.request;
    assert_eq!(suggested(&asked), ["joe", "rose", "admin"]);
    assert_eq!(home.as_user("jane").await.inbox(Page::ALL).await.unwrap().total, 1);
}

#[tokio::test]
async fn a_derived_reviewer_is_suggested_after_a_direct_one() {
    let home = Home::family().await;
    let dish = || AskOperation {
        element: "dish-approval".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some("pizza-palace_truffle-pizza".to_owned()),
        reason: String::new(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
        uses: None,
        call: None,
    };
    let spec = AssignmentSpec {
        user: "rose".into(),
        role: "_Reviewer_".into(),
        tenant: None,
        instance: Some("restaurants:pizza-palace_truffle-pizza".to_owned()),
        expires_at: None,
    };
    home.dev().await.assign_role(&spec).await.unwrap();
    let asked = home.as_user("henry").await.request_operation(dish()).await.unwrap().view.request;
    assert_eq!(suggested(&asked), ["rose", "jane", "joe"]);
    let own = home.as_user("joe").await.request_operation(dish()).await.unwrap().view.request;
    assert_eq!(suggested(&own), ["rose", "jane"], "nobody reviews their own request");
}

#[tokio::test]
async fn no_more_than_five_are_suggested() {
    let home = Home::family().await;
    for number in 0..150 {
        let user = format!("parent-{number:03}");
        home.apply(&format!("askfirst: 1\nusers: {{{user}: {{}}}}\n")).await;
        let spec = AssignmentSpec {
            user: user.as_str().into(),
            role: "parent".into(),
            tenant: None,
            instance: Some("restaurants:pizza-palace".to_owned()),
            expires_at: None,
        };
        home.dev().await.assign_role(&spec).await.unwrap();
    }
    let asked = home.as_user("henry").await.request_access(wish(&[])).await.unwrap().view.request;
    assert_eq!(asked.course.suggested.len(), 5);
}

#[tokio::test]
async fn who_is_named_has_to_be_somebody_who_may_decide() {
    let home = Home::family().await;
    let refused = "can't be suggested as a reviewer, since they may not decide this; name `jane`, `joe`, `admin`, or none.";
    for named in ["rose", "nobody", "auditor", "henry"] {
        assert_eq!(refusal(&home, &["joe", named]).await, format!("`{named}` {refused}"));
    }
    let eleven = ["joe"; 11];
    assert_eq!(refusal(&home, &eleven).await, "11 reviewers were named; name 10 at most, or none.");
    assert_eq!(home.as_user("joe").await.inbox(Page::ALL).await.unwrap().total, 0, "nothing was asked");

    let asked = home.as_agent("henry").await.request_access(wish(&["admin", "joe", "admin"])).await.unwrap();
    assert_eq!(suggested(&asked.view.request), ["admin", "joe"]);
    let names: Vec<String> =
        asked.view.suggested.iter().map(askfirst_engine::requests::PersonView::display_name).collect();
    assert_eq!(names, ["admin", "Joe Diner"]);
    let events = home.dev().await.audit_events(Some(asked.view.request.id), None, Page::ALL).await.unwrap();
    let created = events.items.iter().find(|event| event.code == "request.created").unwrap();
    assert_eq!(created.details["suggested"], json!(["admin", "joe"]));
    assert_eq!(home.as_user("jane").await.inbox(Page::ALL).await.unwrap().total, 1, "it hides nothing");
}
