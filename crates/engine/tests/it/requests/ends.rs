//! What ends by itself, what is taken back, and reviewers who are none any more.

use super::{FAMILY, Home};
use askfirst_domain::{
    Ident, Span,
    change::Change,
    grant::GrantState,
    request::{Request, Status},
};
use askfirst_engine::{
    Kind, Page,
    check::Ask,
    facts::UnassignmentSpec,
    requests::{Approve, AskAccess, AskOperation, Decide, RequestQuery, Times, Verdict},
};
use askfirst_store::{AssignmentFilter, AuditFilter};
use std::time::Duration;

fn span(text: &str) -> Span {
    text.parse().unwrap()
}

fn access(times: Times) -> AskAccess {
    AskAccess {
        element: "restaurant-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some("pizza-palace".to_owned()),
        role: "child-can-order".into(),
        reason: String::new(),
        suggested_reviewers: Vec::new(),
        times,
    }
}

fn dish(times: Times) -> AskOperation {
    AskOperation {
        element: "dish-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some("pizza-palace_truffle-pizza".to_owned()),
        reason: String::new(),
        suggested_reviewers: Vec::new(),
        times,
        uses: None,
        call: None,
    }
}

fn approve(approve: Approve) -> Decide {
    Decide { approve: Verdict::Approve(approve), comment: None }
}

fn yes() -> Decide {
    approve(Approve::default())
}

fn id(request: &Request) -> Ident {
    Ident::from(request.id.uuid())
}

async fn may_order(home: &Home) -> bool {
    let ask = Ask {
        user: "henry".to_owned(),
        action: "operate".to_owned(),
        resource: "restaurants".to_owned(),
        instance: Some("pizza-palace_truffle-pizza".to_owned()),
        tenant: None,
    };
    home.dev().await.is_allowed(&ask)
}

async fn listed(home: &Home, status: Status) -> u64 {
    let query = RequestQuery { statuses: Some(vec![status]), ..RequestQuery::default() };
    home.as_user("henry").await.requests(query, Page::ALL).await.unwrap().total
}

async fn events(home: &Home, request: &Request, code: &str) -> u64 {
    let filter = AuditFilter { request: Some(request.id), code: Some(code.to_owned()) };
    home.store.audit_events(Some(home.env().await), &filter, Page::ALL).await.unwrap().total
}

#[tokio::test]
async fn a_request_that_nobody_decides_in_time_is_expired_before_anybody_writes_it() {
    let home = Home::family().await;
    let asked =
        home.as_user("henry").await.request_access(access(Times::default())).await.unwrap().view.request;
    home.clock.advance(Duration::from_hours(24));

    let found = home.as_user("henry").await.request(&id(&asked)).await.unwrap();
    assert_eq!(found.request.status, Status::Expired);
    assert_eq!(
        found.sentence(),
        "henry asked for the role `child-can-order` on restaurants:pizza-palace; nobody decided in time, so it expired. \
         It may be asked for again if it is still wanted."
    );
    assert!(!found.rights.cancel);
    assert!(!home.as_user("joe").await.request(&id(&asked)).await.unwrap().rights.decide);
    assert_eq!(home.as_user("joe").await.inbox(Page::ALL).await.unwrap().total, 0);
    assert_eq!((listed(&home, Status::Pending).await, listed(&home, Status::Expired).await), (0, 1));
    let late = home.as_user("joe").await.decide(&id(&asked), yes()).await.unwrap_err();
    assert_eq!(late.kind(), Kind::Conflict);
    assert!(late.message().contains("nobody decided in time"), "{late}");

    // Asking again opens another one, whether or not the end was written.
    let again = home.as_user("henry").await.request_access(access(Times::default())).await.unwrap();
    assert!(!again.existed && again.view.request.id != asked.id);
    assert_eq!(events(&home, &asked, "request.expired").await, 1);
    assert_eq!(home.engine.write_down_ends().await.unwrap(), 0);
    home.clock.advance(Duration::from_hours(24));
    assert_eq!(home.engine.write_down_ends().await.unwrap(), 1);
    assert_eq!(events(&home, &again.view.request, "request.expired").await, 1);
    assert_eq!(home.engine.write_down_ends().await.unwrap(), 0);
}

#[tokio::test]
async fn whoever_waits_is_told_of_the_end() {
    let home = Home::family().await;
    let henry = home.as_user("henry").await;
    let asked = henry.request_access(access(Times::default())).await.unwrap().view.request;
    let (ident, waiting) = (id(&asked), home.as_user("henry").await);
    let waiter = tokio::spawn(async move { waiting.wait(&ident, Duration::from_hours(1)).await });
    home.clock.advance(Duration::from_hours(25));
    home.engine.write_down_ends().await.unwrap();
    assert_eq!(waiter.await.unwrap().unwrap().request.status, Status::Expired);
}

#[tokio::test]
async fn an_operation_approval_ends_after_an_hour() {
    let home = Home::family().await;
    let asked =
        home.as_agent("henry").await.request_operation(dish(Times::default())).await.unwrap().view.request;
    home.as_user("joe").await.decide(&id(&asked), yes()).await.unwrap();
    assert!(may_order(&home).await);
    home.clock.advance(Duration::from_mins(59));
    assert!(may_order(&home).await);
    home.clock.advance(Duration::from_mins(1));
    assert!(!may_order(&home).await, "the end counts at once");
    let env = home.env().await;
    let of_henry = || async {
        let all = home.store.assignments(env, &AssignmentFilter::default(), Page::ALL).await.unwrap().items;
        all.iter().filter(|a| a.origin == Some(asked.id)).count()
    };
    assert_eq!(of_henry().await, 1, "and is not written yet");
    assert_eq!(home.engine.write_down_ends().await.unwrap(), 1);
    assert_eq!((of_henry().await, events(&home, &asked, "grant.ended").await), (0, 1));
    let again = home.as_agent("henry").await.request_operation(dish(Times::default())).await.unwrap();
    assert!(!again.existed);
}

#[tokio::test]
async fn who_asks_says_how_long_and_who_decides_may_say_less() {
    let home = Home::family().await;
    let capped = FAMILY.replacen(
        "  restaurant-requests:\n",
        "  restaurant-requests:\n    terms: {decide_within: 2h, grant_lasts: 8h}\n",
        1,
    );
    assert_ne!(capped, FAMILY);
    home.apply(&capped).await;
    let henry = home.as_user("henry").await;
    let more = Times { lasts: Some(span("9h")), ..Times::default() };
    let refused = henry.request_access(access(more)).await.unwrap_err();
    assert_eq!(
        refused.message(),
        "What is approved through `restaurant-requests` lasts 8h at most; 9h was asked for. Ask for less, or leave it out."
    );
    let patient = Times { decide_within: Some(span("31d")), ..Times::default() };
    let refused = henry.request_access(access(patient)).await.unwrap_err();
    assert_eq!(
        refused.message(),
        "A request waits 30d at most; 31d was asked for. Ask for less, or leave it out."
    );
    let asked = henry
        .request_access(access(Times { decide_within: None, lasts: Some(span("4h")), ..Times::default() }))
        .await
        .unwrap()
        .view
        .request;
    assert_eq!(asked.deadline, Some(asked.created_at.plus(Duration::from_hours(2))));
    let joe = home.as_user("joe").await;
    let longer = approve(Approve { lasts: Some(span("5h")), ..Approve::default() });
    assert_eq!(joe.decide(&id(&asked), longer).await.unwrap_err().kind(), Kind::Invalid);
    // The policy has become stricter since it was asked.
    home.apply(&capped.replace("grant_lasts: 8h", "grant_lasts: 3h")).await;
    let done = home.as_user("joe").await.decide(&id(&asked), yes()).await.unwrap().request;
    let ends_at = done.grant.as_ref().unwrap().ends_at.unwrap();
    assert_eq!(ends_at, done.reviewed_at.unwrap().plus(Duration::from_hours(3)));
    let all =
        home.store.assignments(home.env().await, &AssignmentFilter::default(), Page::ALL).await.unwrap();
    let given: Vec<_> =
        all.items.iter().filter(|a| a.origin == Some(done.id)).map(|a| a.expires_at).collect();
    assert_eq!(given, [Some(ends_at)]);
}

#[tokio::test]
async fn a_reviewer_takes_back_what_was_given_and_a_stranger_does_not() {
    let home = Home::family().await;
    let asked =
        home.as_agent("henry").await.request_operation(dish(Times::default())).await.unwrap().view.request;
    let early = home.as_user("joe").await.revoke(&id(&asked), None).await.unwrap_err();
    assert_eq!(early.kind(), Kind::Conflict);
    home.as_user("joe").await.decide(&id(&asked), yes()).await.unwrap();
    assert_eq!(
        home.as_user("rose").await.revoke(&id(&asked), None).await.unwrap_err().kind(),
        Kind::NotFound
    );
    let agent = home.as_agent("jane").await.revoke(&id(&asked), None).await.unwrap_err();
    assert_eq!(agent.kind(), Kind::Forbidden, "an agent decides nothing");
    let gone =
        home.as_user("jane").await.revoke(&id(&asked), Some("too dear".to_owned())).await.unwrap().request;
    assert_eq!(gone.grant.as_ref().unwrap().state(gone.updated_at), GrantState::Revoked);
    assert!(!may_order(&home).await);
    home.as_user("jane").await.revoke(&id(&asked), None).await.unwrap();
    assert_eq!(events(&home, &asked, "grant.revoked").await, 1, "once is enough");
    let twice = home.as_user("joe").await.revoke(&id(&asked), None).await.unwrap_err();
    assert!(twice.message().starts_with("What this approval gave is taken away at "), "{twice}");
}

/// Joe's own role, taken away while he decides: whichever is first, he decides nothing once he is no parent.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_loses_the_role_decides_no_more() {
    for round in 0..12_u32 {
        let home = Home::family().await;
        let asked =
            home.as_user("henry").await.request_access(access(Times::default())).await.unwrap().view.request;
        let (joe, scope) = (home.as_user("joe").await, home.dev().await);
        let ident = id(&asked);
        let decides = tokio::spawn(async move { joe.decide(&ident, yes()).await });
        if round % 2 == 1 {
            tokio::task::yield_now().await;
        }
        let spec = UnassignmentSpec {
            user: "joe".into(),
            role: "parent".into(),
            tenant: None,
            instance: Some("restaurants:pizza-palace".to_owned()),
        };
        scope.unassign_role(&spec).await.unwrap();
        let decided = decides.await.unwrap();
        let log = home.store.changes_after(home.env().await, 0, 100_000).await.unwrap();
        let taken = log
            .iter()
            .find(|record| matches!(&record.change, Change::DeleteAssignment(a) if a.user.as_str() == "joe"));
        let approved = log
            .iter()
            .find(|record| matches!(&record.change, Change::PutRequest(r) if r.status == Status::Approved));
        match decided {
            Ok(_) => assert!(approved.unwrap().revision < taken.unwrap().revision),
            // Without the role he may not even know of it.
            Err(error) => {
                assert!(approved.is_none() && error.kind() == Kind::NotFound, "{error}");
            }
        }
    }
}
