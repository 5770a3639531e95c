//! The first start, the family's policy, and what a check says about it.

use crate::support::{DEV_KEY, FAMILY, World};
use askfirst_domain::{Ident, decision::Decision, request::RequestKind};
use askfirst_engine::{Kind, Secret, check::Ask, policy::ApplyError};

fn ask(user: &str, action: &str, key: &str) -> Ask {
    Ask {
        user: user.to_owned(),
        action: action.to_owned(),
        resource: "restaurants".to_owned(),
        instance: Some(key.to_owned()),
        tenant: None,
    }
}

#[tokio::test]
async fn the_first_start_happens_once() {
    let world = World::fresh().await;
    let again = world.engine.first_start(None).await.expect("a second start");
    assert!(again.is_none(), "the second start makes no keys");

    let dir = world.dir.as_ref().expect("a folder of its own").path().to_owned();
    let reopened = World::open(&dir).await;
    assert_eq!(reopened.dev().await.environment().key.as_str(), "dev");
}

#[tokio::test]
async fn a_wrong_key_opens_nothing_and_a_key_of_dev_does_not_open_production() {
    let world = World::fresh().await;
    let refused = world.engine.authenticate(&Secret::presented("wrong")).await.expect_err("a wrong key");
    assert_eq!(refused.kind(), Kind::Unauthenticated);

    let op = world.engine.authenticate(&Secret::presented(DEV_KEY)).await.expect("the key is good");
    let there = world.engine.enter(op, &Ident::from("default"), &Ident::from("production")).await;
    assert_eq!(there.expect_err("another environment").kind(), Kind::NotFound);
}

#[tokio::test]
async fn applying_twice_changes_nothing_and_the_policy_survives_a_restart() {
    let world = World::family().await;
    let dev = world.dev().await;
    let again = dev.apply_policy(FAMILY).await.expect("it applies again");
    assert!(again.created.is_empty() && again.changed.is_empty(), "{again:?}");
    assert_eq!(again.revision, dev.state().revision);

    let reopened = World::open(world.dir.as_ref().expect("a folder").path()).await;
    let dev = reopened.dev().await;
    assert_eq!(dev.state().revision, again.revision);
    assert!(dev.is_allowed(&ask("joe", "read", "pizza-palace")));
    assert!(!dev.is_allowed(&ask("henry", "read", "pizza-palace")));
}

#[tokio::test]
async fn a_wrong_file_is_refused_whole_with_its_place() {
    let world = World::family().await;
    let dev = world.dev().await;
    let before = dev.state().revision;
    let wrong = FAMILY.replace("permissions: [operate]", "permissions: [opperate]");
    match dev.apply_policy(&wrong).await {
        Err(ApplyError::File(diagnostics)) => {
            assert!(diagnostics[0].line > 10, "{diagnostics:?}");
            assert!(diagnostics[0].to_string().contains("operate"), "{diagnostics:?}");
        }
        other => panic!("it must be refused: {other:?}"),
    }
    assert_eq!(dev.state().revision, before);
}

#[tokio::test]
async fn an_operation_approval_in_a_file_brings_its_roles_along() {
    let world = World::fresh().await;
    let dev = world.dev().await;
    let file = "askfirst: 1\nresources: {doors: {actions: [open]}}\n\
                elements: {entry: {type: operation_approval, resource: doors}}\n";
    dev.apply_policy(file).await.expect("it applies");
    let state = dev.state();
    for role in ["_Reviewer_", "_Approved_"] {
        assert!(state.snapshot.schema().role_by_key(Some("doors"), role).is_some(), "{role}");
    }
    let again = dev.apply_policy(file).await.expect("it applies again");
    assert_eq!(again.revision, state.revision, "{again:?}");
}

#[tokio::test]
async fn a_denial_says_what_to_ask_for_where_and_whom() {
    let world = World::family().await;
    let dev = world.dev().await;

    let cheap = dev.explain(&ask("henry", "read", "pizza-palace"));
    assert!(!cheap.allow);
    let offer = cheap.requestable.first().expect("something can be asked for");
    assert_eq!(offer.kind, RequestKind::AccessRequest);
    assert_eq!(offer.role.to_string(), "restaurants:pizza-palace#child-can-order");
    assert_eq!(offer.element.as_str(), "restaurant-requests");
    let reviewers: Vec<_> = offer.reviewers.iter().map(askfirst_domain::UserKey::as_str).collect();
    assert_eq!(reviewers, ["jane", "joe"]);
    assert_eq!(
        cheap.sentence,
        "henry may not read restaurants:pizza-palace: henry holds no role that allows it. henry could ask for the role \
         restaurants:pizza-palace#child-can-order by an access request through restaurant-requests (jane or joe can \
         decide it)."
    );

    let dear = dev.explain(&ask("henry", "operate", "pizza-palace_truffle-pizza"));
    let offer = dear.requestable.first().expect("something can be asked for");
    assert_eq!((offer.kind, offer.element.as_str()), (RequestKind::OperationApproval, "dish-approval"));

    let joe = dev.explain(&ask("joe", "operate", "pizza-palace_truffle-pizza"));
    assert!(matches!(joe.decision, Decision::Allow(_)), "{joe:?}");
    assert_eq!(
        joe.sentence,
        "joe may operate restaurants:pizza-palace_truffle-pizza: joe holds restaurants:pizza-palace#parent, which by the \
         relation serves gives restaurants:pizza-palace_truffle-pizza#parent."
    );
}

#[tokio::test]
async fn unknown_things_are_denied_with_their_name() {
    let world = World::family().await;
    let dev = world.dev().await;
    for (question, says) in [
        (ask("nobody", "read", "pizza-palace"), "there is no user nobody"),
        (ask("joe", "fly", "pizza-palace"), "restaurants has no action fly"),
        (
            Ask { resource: "planets".to_owned(), ..ask("joe", "read", "mars") },
            "the policy has no resource planets",
        ),
        (Ask { tenant: Some("mars".to_owned()), ..ask("joe", "read", "pizza-palace") }, "tenant mars"),
    ] {
        let answer = dev.explain(&question);
        assert!(!answer.allow && answer.sentence.contains(says), "{}", answer.sentence);
    }
}
