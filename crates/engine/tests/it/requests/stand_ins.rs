//! Who is away is stood in for.

use super::Home;
use askfirst_domain::{
    Ident, Timestamp,
    request::{Request, Status},
    terms::Terms,
};
use askfirst_engine::{
    Kind, Page,
    facts::UnassignmentSpec,
    requests::{
        Approve, AskAccess, Decide, NewStandIn, RequestView, Span, StandInView, Times, Until, Verdict,
    },
};
use serde_json::{Value, json};
use std::time::Duration;

const WEEK: u64 = 7 * 86_400;

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

fn for_a_week(to: &str) -> NewStandIn {
    NewStandIn { to: to.into(), starts: None, until: Until::After(Span::try_from(WEEK).unwrap()) }
}

impl Home {
    /// `to` stands in for `from`, for a week from now.
    async fn stands_in(&self, from: &str, to: &str) -> StandInView {
        self.as_user(from).await.name_stand_in(for_a_week(to)).await.unwrap()
    }

    async fn asks(&self, who: &str) -> Request {
        self.as_user(who).await.request_access(wish()).await.unwrap().view.request
    }

    async fn waiting(&self, who: &str) -> u64 {
        self.as_user(who).await.inbox(Page::ALL).await.unwrap().total
    }

    async fn thresholds(&self, thresholds: Value) {
        let terms: Terms = serde_json::from_value(json!({"thresholds": thresholds})).unwrap();
        self.dev().await.set_terms(&"restaurant-requests".into(), terms).await.unwrap();
    }

    async fn says(&self, who: &str, request: &Request, decide: Decide) -> RequestView {
        self.as_user(who).await.decide(&id(request), decide).await.unwrap()
    }
}

#[tokio::test]
async fn a_stand_in_sees_and_decides_what_the_other_may_and_it_is_shown_as_said_for_them() {
    let home = Home::family().await;
    let asked = home.asks("henry").await;
    assert_eq!(home.waiting("rose").await, 0);
    let hidden = home.as_user("rose").await.request(&id(&asked)).await.unwrap_err();
    assert_eq!(hidden.kind(), Kind::NotFound);

    let named = home.stands_in("joe", "rose").await;
    assert!(named.holds);
    assert_eq!((home.waiting("rose").await, home.waiting("joe").await), (1, 1));
    let henry = home.as_user("henry").await;
    let foreseen = henry.foresee_access(AskAccess { role: "child-can-look".into(), ..wish() });
    let reviewers: Vec<String> = foreseen.await.unwrap().reviewers.iter().map(ToString::to_string).collect();
    assert_eq!(reviewers, ["admin", "jane", "joe", "rose"]);

    let done = home.says("rose", &asked, yes()).await;
    assert_eq!(done.request.status, Status::Approved);
    assert_eq!(done.decided_by().unwrap(), "rose for joe");
    assert!(done.sentence().ends_with("it was approved by rose for joe."), "{}", done.sentence());
    let events = home.dev().await.audit_events(Some(asked.id), None, Page::ALL).await.unwrap().items;
    let approved = events.iter().find(|event| event.code == "request.approved").unwrap();
    assert_eq!(approved.on_behalf_of.as_deref(), Some("rose"));
    assert_eq!(approved.details["stands_for"], json!("joe"));
}

#[tokio::test]
async fn it_counts_for_its_time_and_no_longer() {
    let home = Home::family().await;
    let asked = home.asks("henry").await;
    let now = home.dev().await.op().now;
    let at = |seconds: u64| now.plus(Duration::from_secs(seconds));
    let new = NewStandIn { to: "rose".into(), starts: Some(at(100)), until: Until::At(at(200)) };
    assert!(!home.as_user("joe").await.name_stand_in(new).await.unwrap().holds);
    assert_eq!(home.waiting("rose").await, 0);
    home.clock.advance(Duration::from_secs(150));
    assert_eq!(home.waiting("rose").await, 1);
    home.clock.advance(Duration::from_secs(50));
    assert_eq!(home.waiting("rose").await, 0);
    assert_eq!(
        home.as_user("rose").await.decide(&id(&asked), yes()).await.unwrap_err().kind(),
        Kind::NotFound
    );
    assert!(home.as_user("joe").await.stand_ins().is_empty());
}

#[tokio::test]
async fn who_asked_never_stands_in_for_a_reviewer_of_it_and_is_never_stood_in_for() {
    let home = Home::family().await;
    home.stands_in("joe", "henry").await;
    let own = home.asks("henry").await;
    let refused = home.as_user("henry").await.decide(&id(&own), yes()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden, "the stand-in is the requester: {refused}");
    // The same through an agent: the human behind it is the requester.
    let agent = home.as_agent("henry").await;
    let through = agent.request_access(AskAccess { role: "child-can-look".into(), ..wish() });
    let through = through.await.unwrap().view.request;
    let refused = home.as_user("henry").await.decide(&id(&through), yes()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden, "{refused}");
    assert_eq!(home.as_user("henry").await.inbox(Page::ALL).await.unwrap().total, 0);

    // Whom one stands in for has asked: their authority is none there.
    home.stands_in("jane", "rose").await;
    let janes = home.asks("jane").await;
    let refused = home.as_user("rose").await.decide(&id(&janes), yes()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound, "{refused}");
}

#[tokio::test]
async fn one_authority_counts_once_whoever_uses_it() {
    let home = Home::family().await;
    home.thresholds(json!([{"name": "both", "approve": 2, "deny": 2}])).await;
    let asked = home.asks("henry").await;
    home.stands_in("joe", "rose").await;
    home.stands_in("joe", "auditor").await;
    assert_eq!(home.says("rose", &asked, yes()).await.progress[0].approvals, 1);
    assert_eq!((home.waiting("joe").await, home.waiting("auditor").await), (0, 0), "that was said for joe");
    // A second stand-in takes the place of the first, and joe himself that of both.
    let second = home.says("auditor", &asked, yes()).await;
    assert_eq!((second.request.status, second.progress[0].approvals), (Status::Pending, 1));
    let counts: Vec<bool> = second.heard.iter().map(|heard| heard.counts).collect();
    assert_eq!(counts, [false, true]);
    let own = home.says("joe", &asked, no()).await;
    assert_eq!((own.progress[0].approvals, own.progress[0].denials), (0, 1));
    let late = home.says("rose", &asked, yes()).await;
    assert_eq!((late.progress[0].approvals, late.progress[0].denials), (0, 1), "joe has spoken himself");
}

#[tokio::test]
async fn a_reviewer_who_stands_in_speaks_for_themselves_unless_they_say_so() {
    let home = Home::family().await;
    home.thresholds(json!([{"name": "both", "approve": 2}, {"name": "the admin", "role": "tenant#admin"}]))
        .await;
    let asked = home.asks("henry").await;
    home.stands_in("admin", "joe").await;
    let own = home.says("joe", &asked, yes()).await;
    assert_eq!((own.progress[0].approvals, own.progress[1].approvals), (1, 0));
    assert_eq!(own.heard[0].stands_for, None);
    let joe = home.as_user("joe").await;
    let other = joe.decide_for(&id(&asked), yes(), None, &"admin".into()).await.unwrap();
    assert_eq!(
        (other.progress[0].approvals, other.progress[1].approvals),
        (1, 1),
        "one person is heard once"
    );
    let refused = joe.decide_for(&id(&asked), yes(), None, &"jane".into()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
    let done = home.says("jane", &asked, yes()).await;
    assert_eq!((done.request.status, done.decided_by().unwrap()), (Status::Approved, "jane".to_owned()));
}

#[tokio::test]
async fn nobody_stands_in_for_a_stand_in() {
    let home = Home::family().await;
    home.stands_in("joe", "rose").await;
    home.stands_in("rose", "auditor").await;
    let asked = home.asks("henry").await;
    let refused = home.as_user("auditor").await.decide(&id(&asked), yes()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden, "the auditor may see it: {refused}");
}

#[tokio::test]
async fn the_authority_is_looked_at_when_the_decision_falls() {
    let home = Home::family().await;
    home.thresholds(json!([{"name": "both", "approve": 2}])).await;
    let asked = home.asks("henry").await;
    let named = home.stands_in("joe", "rose").await;
    home.says("rose", &asked, yes()).await;
    // Withdrawn: what was said counts no more.
    let joe = home.as_user("joe").await;
    joe.withdraw_stand_in(&Ident::from(named.delegation.id.uuid())).await.unwrap();
    let heard = home.says("jane", &asked, yes()).await;
    assert_eq!((heard.request.status, heard.progress[0].approvals), (Status::Pending, 1));
    // Named again, and it counts again; but the other has lost the role.
    home.stands_in("joe", "rose").await;
    assert_eq!(home.as_user("jane").await.request(&id(&asked)).await.unwrap().progress[0].approvals, 2);
    let spec = UnassignmentSpec {
        user: "joe".into(),
        role: "parent".into(),
        tenant: None,
        instance: Some("restaurants:pizza-palace".to_owned()),
    };
    home.dev().await.unassign_role(&spec).await.unwrap();
    assert_eq!(home.as_user("jane").await.request(&id(&asked)).await.unwrap().progress[0].approvals, 1);
    assert_eq!(home.says("admin", &asked, yes()).await.request.status, Status::Approved);
}

#[tokio::test]
async fn a_key_that_is_used_again_is_not_stood_in_for() {
    let home = Home::family().await;
    home.stands_in("joe", "rose").await;
    home.dev().await.delete_user(&"joe".into()).await.unwrap();
    home.furnish().await;
    let asked = home.asks("henry").await;
    let refused = home.as_user("rose").await.decide(&id(&asked), yes()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound, "another joe has named nobody: {refused}");
}

#[tokio::test]
async fn people_name_stand_ins_and_agents_do_not() {
    let home = Home::family().await;
    let refused = home.as_agent("joe").await.name_stand_in(for_a_week("rose")).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
    let joe = home.as_user("joe").await;
    for (new, kind) in [
        (for_a_week("joe"), Kind::Invalid),
        (for_a_week("nobody"), Kind::NotFound),
        (NewStandIn { until: Until::At(Timestamp::from_micros(5)), ..for_a_week("rose") }, Kind::Invalid),
        (
            NewStandIn { until: Until::After(Span::try_from(400 * 86_400).unwrap()), ..for_a_week("rose") },
            Kind::Invalid,
        ),
    ] {
        assert_eq!(joe.name_stand_in(new).await.unwrap_err().kind(), kind);
    }
    let named = home.stands_in("joe", "rose").await;
    let key = Ident::from(named.delegation.id.uuid());
    let foreign = home.as_user("jane").await.withdraw_stand_in(&key).await.unwrap_err();
    assert_eq!(foreign.kind(), Kind::NotFound);
    assert_eq!(home.as_user("rose").await.stand_ins(), home.as_user("joe").await.stand_ins());
    // Who is named may decline.
    home.as_user("rose").await.withdraw_stand_in(&key).await.unwrap();
    assert!(home.as_user("joe").await.stand_ins().is_empty());
    for (code, by) in [("stand_in.named", "joe"), ("stand_in.withdrawn", "rose")] {
        let events =
            home.dev().await.audit_events(None, Some(code.to_owned()), Page::ALL).await.unwrap().items;
        assert_eq!(events.len(), 1, "{code}");
        assert_eq!(
            (events[0].on_behalf_of.as_deref(), events[0].details["to"].as_str()),
            (Some(by), Some("rose"))
        );
        assert_eq!(events[0].object.as_deref(), Some("joe"));
    }
}
