//! Asking again for what was denied, and asking back.

use super::Home;
use askfirst_domain::{Ident, request::Status, terms::Terms};
use askfirst_engine::{
    Acting, Kind, Page,
    requests::{AskAccess, Asked, Decide, Times, Verdict},
};
use serde_json::json;
use std::time::Duration;

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

fn id(asked: &Asked) -> Ident {
    Ident::from(asked.view.request.id.uuid())
}

async fn denied(home: &Home, asking: &Acting) {
    let asked = asking.request_access(wish()).await.unwrap();
    let no = Decide { approve: Verdict::Deny, comment: Some("not today".to_owned()) };
    home.as_user("joe").await.decide(&id(&asked), no).await.unwrap();
}

#[tokio::test]
async fn an_agent_that_was_denied_waits_and_a_person_is_told() {
    let home = Home::family().await;
    denied(&home, &home.as_agent("henry").await).await;
    let refused = home.as_agent("henry").await.request_access(wish()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    let told = refused.message();
    assert!(
        told.starts_with("The same was denied by joe at ") && told.contains("\u{201c}not today\u{201d}"),
        "{told}"
    );
    assert!(
        told.contains("do not ask for it again") && told.ends_with("only if henry tells you to."),
        "{told}"
    );
    // Another wish is another matter.
    let other = AskAccess { role: "child-can-look".into(), ..wish() };
    assert_eq!(home.as_agent("henry").await.request_access(other).await.unwrap().denied, None);

    home.clock.advance(Duration::from_mins(59));
    assert_eq!(home.as_agent("henry").await.request_access(wish()).await.unwrap_err().kind(), Kind::Conflict);
    home.clock.advance(Duration::from_mins(2));
    let again = home.as_agent("henry").await.request_access(wish()).await.unwrap();
    let before = again.denied.unwrap();
    assert_eq!((before.by.as_deref().unwrap(), before.reason.as_deref()), ("joe", Some("not today")));
    // Whoever asks for themselves may do so at once, and hears of it.
    denied(&home, &home.as_user("rose").await).await;
    assert!(home.as_user("rose").await.request_access(wish()).await.unwrap().denied.is_some());
}

#[tokio::test]
async fn an_element_says_how_long_nobody_asks_again() {
    let home = Home::family().await;
    let terms: Terms = serde_json::from_value(json!({"ask_again_after": "1h"})).unwrap();
    home.dev().await.set_terms(&"restaurant-requests".into(), terms).await.unwrap();
    denied(&home, &home.as_user("henry").await).await;
    home.clock.advance(Duration::from_mins(59));
    assert_eq!(home.as_user("henry").await.request_access(wish()).await.unwrap_err().kind(), Kind::Conflict);
    home.clock.advance(Duration::from_mins(2));
    assert!(home.as_user("henry").await.request_access(wish()).await.unwrap().denied.is_some());
}

#[tokio::test]
async fn a_question_wakes_who_waits_and_is_in_the_log() {
    let home = Home::family().await;
    let henry = home.as_agent("henry").await;
    let asked = henry.request_access(wish()).await.unwrap();
    let id = id(&asked);
    let waiting = tokio::spawn({
        let (henry, id) = (henry.clone(), id.clone());
        async move { henry.wait(&id, Duration::from_mins(5)).await.unwrap() }
    });
    let joe = home.as_user("joe").await;
    assert_eq!(
        henry.ask_back(&id, "me?").await.unwrap_err().kind(),
        Kind::Forbidden,
        "an agent reviews nothing"
    );
    assert_eq!(home.as_user("rose").await.ask_back(&id, "?").await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(joe.ask_back(&id, "  ").await.unwrap_err().kind(), Kind::Invalid);
    joe.ask_back(&id, "for how many?").await.unwrap();
    let woken = waiting.await.unwrap();
    assert_eq!(
        (woken.request.status, woken.asked_back().unwrap().1.text.as_str()),
        (Status::Pending, "for how many?")
    );
    assert_eq!(joe.answer(&id, None, "two").await.unwrap_err().kind(), Kind::Forbidden);
    let answered = henry.answer(&id, None, "two").await.unwrap();
    assert_eq!(answered.asked_back(), None);
    let log =
        home.dev().await.audit_events(Some(asked.view.request.id), None, Page::ALL).await.unwrap().items;
    let codes: Vec<_> = log.iter().rev().map(|event| event.code.as_str()).collect();
    assert_eq!(codes, ["request.created", "request.question_asked", "request.question_answered"]);
}
