//! The rules of requests, one test each.

use super::Home;
use askfirst_domain::{Ident, element::Level, request::Status};
use askfirst_engine::{
    Acting, Kind, Page,
    check::Ask,
    elements::ElementPatch,
    requests::{Approve, AskAccess, AskOperation, Decide, RequestQuery, Times, Verdict},
};
use askfirst_store::{AssignmentFilter, AuditFilter};
use std::time::Duration;

const ALL: Page = Page::ALL;

fn access(role: &str, instance: Option<&str>) -> AskAccess {
    AskAccess {
        element: "restaurant-requests".into(),
        tenant: "default".into(),
        resource: Some("restaurants".into()),
        instance: instance.map(str::to_owned),
        role: role.into(),
        reason: "please".to_owned(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
    }
}

fn operation(instance: Option<&str>) -> AskOperation {
    AskOperation {
        element: "dish-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: instance.map(str::to_owned),
        reason: "hungry".to_owned(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
        uses: None,
        call: None,
    }
}

fn approve() -> Decide {
    Decide { approve: Verdict::Approve(Approve::default()), comment: None }
}

fn deny() -> Decide {
    Decide { approve: Verdict::Deny, comment: Some("no".to_owned()) }
}

fn id(of: askfirst_domain::id::RequestId) -> Ident {
    Ident::from(of.uuid())
}

async fn may(home: &Home, user: &str, action: &str, instance: &str) -> bool {
    home.dev().await.is_allowed(&Ask {
        user: user.to_owned(),
        action: action.to_owned(),
        resource: "restaurants".to_owned(),
        instance: Some(instance.to_owned()),
        tenant: None,
    })
}

async fn asked(home: &Home, user: &str, role: &str, instance: &str) -> Ident {
    id(home.as_user(user).await.request_access(access(role, Some(instance))).await.unwrap().view.request.id)
}

async fn refused(acting: &Acting, ask: AskAccess) -> (Kind, String) {
    let error = acting.request_access(ask).await.unwrap_err();
    (error.kind(), error.message().to_owned())
}

#[tokio::test]
async fn an_approval_grants_at_once_and_once() {
    let home = Home::family().await;
    assert!(!may(&home, "henry", "read", "pizza-palace").await);
    let request = asked(&home, "henry", "child-can-order", "pizza-palace").await;
    assert!(!may(&home, "henry", "read", "pizza-palace").await);

    let decided = home.as_user("joe").await.decide(&request, approve()).await.unwrap();
    assert_eq!(decided.request.status, Status::Approved);
    assert_eq!(decided.reviewer.unwrap().display_name(), "Joe Diner");
    assert!(may(&home, "henry", "read", "pizza-palace").await);
    assert!(!may(&home, "henry", "read", "burger-barn").await);

    let given = home.store.assignments(home.env().await, &AssignmentFilter::default(), ALL).await.unwrap();
    let given: Vec<_> = given.items.into_iter().filter(|a| a.user.as_str() == "henry").collect();
    assert_eq!(given.len(), 1);
    assert_eq!(given[0].origin, Some(decided.request.id));
    assert_eq!(given[0].expires_at, None);
}

#[tokio::test]
async fn the_same_wish_is_one_request_while_it_is_pending() {
    let home = Home::family().await;
    let henry = home.as_user("henry").await;
    let first = henry.request_access(access("child-can-order", Some("pizza-palace"))).await.unwrap();
    let again =
        henry.request_access(access("child-can-order", Some("restaurants:pizza-palace"))).await.unwrap();
    assert!(!first.existed && again.existed);
    assert_eq!(first.view.request.id, again.view.request.id);

    home.as_user("joe").await.decide(&id(first.view.request.id), deny()).await.unwrap();
    let third = henry.request_access(access("child-can-order", Some("pizza-palace"))).await.unwrap();
    assert!(!third.existed, "a denied wish may be asked anew");
}

#[tokio::test]
async fn refusals_say_what_would_be_right() {
    let home = Home::family().await;
    let henry = home.as_user("henry").await;
    let told = |ask| {
        let henry = henry.clone();
        async move {
            let (kind, message) = refused(&henry, ask).await;
            format!("{kind:?}: {message}")
        }
    };
    let base = || access("child-can-order", Some("pizza-palace"));
    let cases = vec![
        told(access("parent", Some("pizza-palace"))).await,
        told(access("nothing", Some("pizza-palace"))).await,
        told(access("child-can-order", None)).await,
        told(access("child-can-order", Some("nowhere"))).await,
        told(access("child-can-order", Some("acme-canteen"))).await,
        told(AskAccess { element: "missing".into(), ..base() }).await,
        told(AskAccess { element: "dish-approval".into(), ..base() }).await,
        told(AskAccess { tenant: "missing".into(), ..base() }).await,
        told(AskAccess { tenant: "acme".into(), ..base() }).await,
        told(AskAccess { resource: Some("missing".into()), ..base() }).await,
        told(AskAccess { element: "workspace".into(), role: "member".into(), ..base() }).await,
        told(AskAccess { reason: "x".repeat(10_001), ..base() }).await,
    ];
    insta::assert_snapshot!(cases.join("\n"));
    let unknown = home.dev().await.act_for(&"nobody".into()).await.unwrap_err();
    assert_eq!(unknown.message(), "There is no user `nobody` in this environment.");
}

#[tokio::test]
async fn whoever_has_the_role_has_nothing_to_ask_for() {
    let home = Home::family().await;
    let request = asked(&home, "henry", "child-can-order", "pizza-palace").await;
    home.as_user("joe").await.decide(&request, approve()).await.unwrap();
    let (kind, message) =
        refused(&home.as_user("henry").await, access("child-can-order", Some("pizza-palace"))).await;
    assert_eq!(kind, Kind::Conflict);
    assert_eq!(
        message,
        "henry already has the role `child-can-order` on restaurants:pizza-palace, so there is nothing to ask for."
    );
}

#[tokio::test]
async fn only_a_reviewer_decides_and_never_for_themselves() {
    let home = Home::family().await;
    let request = asked(&home, "henry", "child-can-order", "burger-barn").await;
    let decide = async |user: &str| {
        home.as_user(user).await.decide(&request, approve()).await.map(|_| ()).map_err(|e| e.kind())
    };
    assert_eq!(decide("henry").await, Err(Kind::Forbidden), "the requester");
    assert_eq!(decide("jane").await, Err(Kind::NotFound), "a parent elsewhere does not know of it");
    assert_eq!(decide("rose").await, Err(Kind::NotFound));
    assert_eq!(decide("auditor").await, Err(Kind::Forbidden), "a viewer sees it");
    let agent = home.as_agent("joe").await.decide(&request, approve()).await.unwrap_err();
    assert_eq!(agent.kind(), Kind::Forbidden);
    assert!(agent.message().contains("http://127.0.0.1:7766/inbox/requests/"), "{agent}");
    assert!(!may(&home, "henry", "read", "burger-barn").await);
    assert_eq!(decide("admin").await, Ok(()), "an owner by a role in the tenant");

    let own = asked(&home, "joe", "child-can-look", "burger-barn").await;
    let error = home.as_user("joe").await.decide(&own, approve()).await.unwrap_err();
    assert_eq!(
        error.message(),
        "The user joe asked for this and so can't decide it; somebody else who may review has to."
    );
    assert_eq!(error.kind(), Kind::Forbidden);
}

#[tokio::test]
async fn a_second_decision_is_told_about_the_first() {
    let home = Home::family().await;
    let request = asked(&home, "henry", "child-can-order", "pizza-palace").await;
    let joe = home.as_user("joe").await;
    joe.decide(&request, deny()).await.unwrap();
    home.clock.advance(Duration::from_mins(1));
    let again = home.as_user("joe").await.decide(&request, deny()).await.unwrap();
    assert_eq!(again.request.reviewed_at, Some(joe.scope().op().now), "answered like the first");
    let other = home.as_user("jane").await.decide(&request, approve()).await.unwrap_err();
    assert_eq!(other.kind(), Kind::Conflict);
    let at = again.request.reviewed_at.unwrap();
    let told =
        format!("This access request was already denied by joe at {at}, so it can't be decided again.");
    assert_eq!(other.message(), told);
    assert!(joe.decide(&request, approve()).await.is_err(), "the other way round by the same person");
}

#[tokio::test]
async fn a_reviewer_may_give_another_assignable_role() {
    let home = Home::family().await;
    let joe = home.as_user("joe").await;
    let request = asked(&home, "henry", "child-can-order", "pizza-palace").await;
    let wrong = joe.annotate(&request, Some("parent".into()), None).await.unwrap_err();
    assert!(wrong.message().contains("`child-can-order`, `child-can-look`"), "{wrong}");
    let noted =
        joe.annotate(&request, Some("child-can-look".into()), Some("just look".into())).await.unwrap();
    assert_eq!(noted.request.status, Status::Pending);
    let done = joe.decide(&request, approve()).await.unwrap();
    assert_eq!(done.request.role.key.as_str(), "child-can-look");
    assert_eq!(done.request.reviewer_comment.as_deref(), Some("just look"));

    let request = asked(&home, "rose", "child-can-order", "pizza-palace").await;
    let role = Some(Ident::from("child-can-look"));
    let done = joe
        .decide(
            &request,
            Decide { approve: Verdict::Approve(Approve { role, ..Approve::default() }), comment: None },
        )
        .await
        .unwrap();
    assert_eq!(done.request.role.key.as_str(), "child-can-look");
}

#[tokio::test]
async fn an_operation_approval_is_good_for_its_instance_only() {
    let home = Home::family().await;
    let henry = home.as_agent("henry").await;
    let ask = henry.request_operation(operation(Some("pizza-palace_truffle-pizza"))).await.unwrap();
    let request = id(ask.view.request.id);
    assert!(
        home.as_user("admin").await.request(&request).await.is_err(),
        "only reviewers on the instance see it"
    );
    let inbox = home.as_user("jane").await.inbox(ALL).await.unwrap();
    assert_eq!(inbox.items.iter().map(|v| v.request.id).collect::<Vec<_>>(), [ask.view.request.id]);
    home.as_user("jane").await.decide(&request, approve()).await.unwrap();
    assert!(may(&home, "henry", "operate", "pizza-palace_truffle-pizza").await);
    assert!(!may(&home, "henry", "operate", "pizza-palace").await);

    let again = henry.request_operation(operation(Some("pizza-palace_truffle-pizza"))).await.unwrap_err();
    assert_eq!(again.kind(), Kind::Conflict);
    assert!(again.message().contains("`_Approved_`"), "{again}");
}

#[tokio::test]
async fn an_operation_may_name_a_new_instance_or_none() {
    let home = Home::family().await;
    let henry = home.as_user("henry").await;
    let named = henry.request_operation(operation(Some("transfer-1"))).await.unwrap().view.request;
    assert_eq!(named.instance.as_ref().unwrap().reference().to_string(), "restaurants:transfer-1");
    let again = henry.request_operation(operation(Some("restaurants:transfer-1"))).await.unwrap();
    assert!(again.existed);
    let first = henry.request_operation(operation(None)).await.unwrap().view.request;
    let second = henry.request_operation(operation(None)).await.unwrap().view.request;
    assert_ne!(first.instance, second.instance, "each is its own");
    let wrong = henry.request_operation(operation(Some("dishes:x"))).await.unwrap_err();
    assert_eq!(wrong.kind(), Kind::Invalid);
    let elsewhere = henry.request_operation(operation(Some("acme-canteen"))).await.unwrap_err();
    assert_eq!(elsewhere.kind(), Kind::TenantMismatch);
}

#[tokio::test]
async fn a_role_in_the_tenant_can_be_asked_for() {
    let home = Home::family().await;
    let henry = home.as_user("henry").await;
    let ask =
        AskAccess { element: "workspace".into(), resource: None, instance: None, ..access("member", None) };
    let request = henry.request_access(ask).await.unwrap().view;
    assert_eq!(request.place(), "tenant default");
    home.as_user("admin").await.decide(&id(request.request.id), approve()).await.unwrap();
    assert!(may(&home, "henry", "read", "burger-barn").await);
}

#[tokio::test]
async fn only_the_requester_cancels_and_their_agent_may() {
    let home = Home::family().await;
    let request = asked(&home, "henry", "child-can-order", "pizza-palace").await;
    let joe = home.as_user("joe").await;
    let wrong = joe.cancel(&request, None).await.unwrap_err();
    assert_eq!(wrong.kind(), Kind::Forbidden);
    assert_eq!(wrong.message(), "Only henry, who asked for this, may cancel it.");
    let agent = home.as_agent("henry").await;
    let canceled = agent.cancel(&request, Some("not hungry".to_owned())).await.unwrap();
    assert_eq!((canceled.request.status, canceled.request.reason.as_str()), (Status::Canceled, "not hungry"));
    agent.cancel(&request, None).await.unwrap();
    assert_eq!(joe.decide(&request, approve()).await.unwrap_err().kind(), Kind::Conflict);
}

#[tokio::test]
async fn everybody_sees_what_is_theirs_to_see_and_pages_count_it() {
    let home = Home::family().await;
    for user in ["henry", "rose"] {
        for place in ["pizza-palace", "burger-barn"] {
            asked(&home, user, "child-can-order", place).await;
        }
    }
    home.as_user("henry")
        .await
        .request_operation(operation(Some("pizza-palace_truffle-pizza")))
        .await
        .unwrap();
    let count = async |user: &str, query: RequestQuery| {
        home.as_user(user).await.requests(query, ALL).await.unwrap().total
    };
    let all = RequestQuery::default;
    assert_eq!(count("henry", all()).await, 3);
    assert_eq!(count("rose", all()).await, 2);
    assert_eq!(count("jane", all()).await, 3, "pizza-palace and its dish");
    assert_eq!(count("joe", all()).await, 5);
    assert_eq!(count("auditor", all()).await, 4, "a viewer of access requests");
    let narrowed =
        RequestQuery { instance: Some("pizza-palace".into()), resource: Some("restaurants".into()), ..all() };
    assert_eq!(count("joe", narrowed.clone()).await, 2);
    assert_eq!(count("joe", RequestQuery { statuses: Some(vec![Status::Approved]), ..all() }).await, 0);
    assert_eq!(count("joe", RequestQuery { element: Some("restaurant-form".into()), ..all() }).await, 4);
    assert_eq!(count("joe", RequestQuery { element: Some("dish-requests".into()), ..all() }).await, 1);
    assert_eq!(count("joe", RequestQuery { role: Some("_Approved_".into()), ..all() }).await, 1);
    let joe = home.as_user("joe").await;
    let unknown = joe.requests(RequestQuery { role: Some("x".into()), ..all() }, ALL).await.unwrap_err();
    assert_eq!(unknown.kind(), Kind::NotFound);

    let mut paged = Vec::new();
    for offset in [0, 2, 4] {
        let page = joe.requests(all(), Page { offset, limit: 2 }).await.unwrap();
        assert_eq!(page.total, 5);
        paged.extend(page.items.into_iter().map(|v| v.request.id));
    }
    let whole: Vec<_> =
        joe.requests(all(), ALL).await.unwrap().items.into_iter().map(|v| v.request.id).collect();
    assert_eq!(paged, whole);
    assert_eq!(home.as_user("auditor").await.inbox(ALL).await.unwrap().total, 0, "a viewer decides nothing");
}

#[tokio::test]
async fn an_approval_outlives_what_happened_meanwhile() {
    let home = Home::family().await;
    let joe = home.as_user("joe").await;
    let request = asked(&home, "henry", "child-can-order", "pizza-palace").await;
    home.apply("askfirst: 1\nassignments:\n  - {user: henry, role: child-can-order, on: \"restaurants:pizza-palace\"}\n")
        .await;
    joe.decide(&request, approve()).await.unwrap();
    let given = home.store.assignments(home.env().await, &AssignmentFilter::default(), ALL).await.unwrap();
    assert_eq!(given.items.iter().filter(|a| a.user.as_str() == "henry").count(), 1);
}

#[tokio::test]
async fn what_was_shown_is_what_is_decided() {
    let home = Home::family().await;
    let request = asked(&home, "henry", "child-can-order", "pizza-palace").await;
    let jane = home.as_user("jane").await;
    let shown = jane.request(&request).await.unwrap().shown();
    home.as_user("joe").await.annotate(&request, Some("child-can-look".into()), None).await.unwrap();
    let stale = jane.decide_shown(&request, approve(), &shown).await.unwrap_err();
    assert_eq!(stale.kind(), Kind::Conflict);
    assert_eq!(jane.request(&request).await.unwrap().request.status, Status::Pending);
    let shown = jane.request(&request).await.unwrap().shown();
    jane.decide_shown(&request, approve(), &shown).await.unwrap();
}

#[tokio::test]
async fn waiting_ends_with_the_decision_or_with_the_time() {
    let home = Home::family().await;
    let request = asked(&home, "henry", "child-can-order", "pizza-palace").await;
    let waiting = home.as_agent("henry").await;
    let still = waiting.wait(&request, Duration::from_millis(10)).await.unwrap();
    assert_eq!(still.request.status, Status::Pending);
    let waiter = tokio::spawn({
        let request = request.clone();
        async move { waiting.wait(&request, Duration::from_mins(1)).await.unwrap() }
    });
    tokio::task::yield_now().await;
    home.as_user("joe").await.decide(&request, approve()).await.unwrap();
    assert_eq!(waiter.await.unwrap().request.status, Status::Approved);
    let late = home.as_agent("henry").await.wait(&request, Duration::from_mins(1)).await.unwrap();
    assert_eq!(late.request.status, Status::Approved, "a decided one is not waited for");
    let stranger = home.as_user("rose").await.wait(&request, Duration::ZERO).await.unwrap_err();
    assert_eq!(stranger.kind(), Kind::NotFound);
}

#[tokio::test]
async fn every_step_leaves_its_audit_event() {
    let home = Home::family().await;
    let trusted = home.dev().await.trust_model().unwrap();
    let henry = trusted.act_for(&"henry".into()).await.unwrap();
    let request =
        henry.request_access(access("child-can-order", Some("pizza-palace"))).await.unwrap().view.request;
    trusted.act_for(&"joe".into()).await.unwrap().decide(&id(request.id), approve()).await.unwrap();
    let filter = AuditFilter { request: Some(request.id), code: None };
    let events = home.store.audit_events(Some(home.env().await), &filter, ALL).await.unwrap().items;
    let mut told: Vec<_> =
        events.iter().map(|e| (e.code.as_str(), e.on_behalf_of.as_deref(), e.model_named_user)).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("request.approved", Some("joe"), true),
            ("request.created", Some("henry"), true),
            ("role_assignment.created", Some("joe"), true),
        ]
    );
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path()).await;
    home.furnish().await;
    let pending = asked(&home, "henry", "child-can-order", "pizza-palace").await;
    let decided = asked(&home, "rose", "child-can-order", "pizza-palace").await;
    home.as_user("joe").await.decide(&decided, approve()).await.unwrap();
    drop(home);

    let home = Home::at(dir.path()).await;
    let joe = home.as_user("joe").await;
    assert!(may(&home, "rose", "read", "pizza-palace").await);
    assert_eq!(joe.inbox(ALL).await.unwrap().total, 1);
    let again =
        home.as_user("henry").await.request_access(access("child-can-order", Some("pizza-palace"))).await;
    assert!(again.unwrap().existed);
    joe.decide(&pending, approve()).await.unwrap();
    assert!(may(&home, "henry", "read", "pizza-palace").await);
}

#[tokio::test]
async fn an_approval_has_no_end_even_where_an_assignment_had_one() {
    let home = Home::family().await;
    let request = asked(&home, "henry", "child-can-order", "pizza-palace").await;
    let until = "expires_at: \"2099-01-01T00:00:00Z\"";
    let on = "on: \"restaurants:pizza-palace\"";
    home.apply(&format!(
        "askfirst: 1\nassignments:\n  - {{user: henry, role: child-can-order, {on}, {until}}}\n"
    ))
    .await;
    home.as_user("joe").await.decide(&request, approve()).await.unwrap();
    let given = home.store.assignments(home.env().await, &AssignmentFilter::default(), ALL).await.unwrap();
    let ends: Vec<_> =
        given.items.iter().filter(|a| a.user.as_str() == "henry").map(|a| a.expires_at).collect();
    assert_eq!(ends, [None]);
}

#[tokio::test]
async fn what_is_gone_can_only_be_denied() {
    let home = Home::family().await;
    let joe = home.as_user("admin").await;
    let request = asked(&home, "henry", "child-can-order", "pizza-palace").await;
    home.dev().await.delete_instance("restaurants:pizza-palace").await.unwrap();
    let gone = joe.decide(&request, approve()).await.unwrap_err();
    assert_eq!(gone.kind(), Kind::Conflict);
    assert!(gone.message().contains("does not exist any more"), "{gone}");
    joe.decide(&request, deny()).await.unwrap();

    let request = asked(&home, "rose", "child-can-order", "burger-barn").await;
    let levels = [(Level::Owner, vec!["admin".to_owned()])];
    let patch =
        ElementPatch { roles_to_levels: Some(levels.into_iter().collect()), ..ElementPatch::default() };
    home.dev().await.update_element(&"restaurant-requests".into(), patch).await.unwrap();
    let not_offered = joe.decide(&request, approve()).await.unwrap_err();
    assert_eq!(not_offered.kind(), Kind::Conflict);
    assert!(not_offered.message().contains("no role can"), "{not_offered}");
}

#[tokio::test]
async fn a_call_bound_to_a_tenant_reaches_no_other() {
    let home = Home::family().await;
    let on = "on: \"restaurants:acme-canteen\"";
    home.apply(&format!("askfirst: 1\nassignments:\n  - {{user: henry, role: child-can-look, {on}}}\n"))
        .await;
    let henry = home.as_user("henry").await;
    let there = AskAccess { tenant: "acme".into(), ..access("child-can-order", Some("acme-canteen")) };
    let request = id(henry.request_access(there.clone()).await.unwrap().view.request.id);
    let bound = henry.within_tenant(&"default".into()).await.unwrap();
    assert_eq!(bound.request(&request).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(bound.requests(RequestQuery::default(), ALL).await.unwrap().total, 0);
    assert_eq!(bound.request_access(there).await.unwrap_err().kind(), Kind::Forbidden);
    assert_eq!(bound.within_tenant(&"acme".into()).await.unwrap_err().kind(), Kind::NotFound);
    let acme = henry.within_tenant(&"acme".into()).await.unwrap();
    assert_eq!(acme.requests(RequestQuery::default(), ALL).await.unwrap().total, 1);
}
