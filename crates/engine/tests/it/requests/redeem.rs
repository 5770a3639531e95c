//! Spending approvals.

use super::{FAMILY, Home};
use askfirst_domain::{
    Ident,
    binding::Call,
    grant::{GrantState, Outcome},
    request::{Request, Status},
};
use askfirst_engine::{
    Acting, Kind, Page,
    check::Ask,
    elements::InUse,
    facts::UnassignmentSpec,
    requests::{Approve, AskOperation, Decide, Redeem, Times, Verdict},
};
use askfirst_store::AuditFilter;
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

const DISH: &str = "pizza-palace_truffle-pizza";

pub(super) fn call(arguments: Value) -> Call {
    Call { action: "order_dish".to_owned(), arguments, context: serde_json::Map::new() }
}

pub(super) fn pizza() -> Call {
    call(json!({"dish": "Truffle Pizza", "count": 1, "price": 24.5}))
}

pub(super) fn dish(call: Option<Call>) -> AskOperation {
    AskOperation {
        element: "dish-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some(DISH.to_owned()),
        reason: "hungry".to_owned(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
        uses: None,
        call,
    }
}

pub(super) fn yes(approve: Approve) -> Decide {
    Decide { approve: Verdict::Approve(approve), comment: None }
}

pub(super) fn id(request: &Request) -> Ident {
    Ident::from(request.id.uuid())
}

/// Asked by henry himself, approved by joe.
async fn approved(home: &Home, call: Option<Call>) -> Request {
    let asked = home.as_user("henry").await.request_operation(dish(call)).await.unwrap().view.request;
    home.as_user("joe").await.decide(&id(&asked), yes(Approve::default())).await.unwrap().request
}

pub(super) fn with(call: Call) -> Redeem {
    Redeem { call: Some(call), ..Redeem::default() }
}

async fn may_order(home: &Home) -> bool {
    let ask = Ask {
        user: "henry".to_owned(),
        action: "operate".to_owned(),
        resource: "restaurants".to_owned(),
        instance: Some(DISH.to_owned()),
        tenant: None,
    };
    home.dev().await.is_allowed(&ask)
}

pub(super) async fn refused(acting: &Acting, request: &Request, redeem: Redeem) -> (Kind, String) {
    let error = acting.redeem(&id(request), &redeem).await.unwrap_err();
    (error.kind(), error.message().to_owned())
}

/// How many uses are written down, and how many events tell of one.
async fn uses(home: &Home, request: &Request) -> (usize, u64) {
    let env = home.env().await;
    let stored = home.store.request(env, request.id).await.unwrap().unwrap().value;
    let filter = AuditFilter { request: Some(request.id), code: Some("grant.redeemed".to_owned()) };
    let told = home.store.audit_events(Some(env), &filter, Page::ALL).await.unwrap().total;
    (stored.grant.unwrap().spent.len(), told)
}

#[tokio::test]
async fn a_role_that_an_approval_gave_goes_with_its_last_use() {
    let home = Home::family().await;
    let approved = approved(&home, None).await;
    assert!(may_order(&home).await, "a plain check sees it");
    let pass = home.as_user("henry").await.redeem(&id(&approved), &Redeem::default()).await.unwrap();
    assert_eq!((pass.number(), pass.digest()), (1, None));
    assert!(!may_order(&home).await);
    let done = pass.record(Outcome::Succeeded, Some("on its way".to_owned())).await.unwrap();
    let grant = done.request.grant.unwrap();
    assert_eq!(grant.state(done.request.updated_at), GrantState::Spent);
    assert_eq!(
        (grant.spent[0].outcome, grant.spent[0].note.as_deref()),
        (Outcome::Succeeded, Some("on its way"))
    );
    let again = refused(&home.as_user("henry").await, &approved, Redeem::default()).await;
    assert_eq!(again.0, Kind::Conflict);
    assert!(again.1.starts_with("What this approval gave is spent at "), "{}", again.1);
    assert!(
        home.as_user("henry").await.request_operation(dish(None)).await.is_ok(),
        "and may be asked for anew"
    );
}

#[tokio::test]
async fn f1_what_was_approved_runs_and_nothing_else() {
    let home = Home::family().await;
    let approved = approved(&home, Some(pizza())).await;
    assert!(!may_order(&home).await, "a check knows no arguments, so it allows nothing");
    let henry = home.as_user("henry").await;
    let swapped =
        refused(&henry, &approved, with(call(json!({"dish": "Truffle Pizza", "count": 9, "price": 24.5}))))
            .await;
    let told = "This call differs in its arguments from what was approved, so it must not run; run what was approved, or ask again.";
    assert_eq!(swapped, (Kind::Forbidden, told.to_owned()));
    let other = Call { action: "order_feast".to_owned(), ..pizza() };
    assert_eq!(refused(&henry, &approved, with(other)).await.0, Kind::Forbidden);
    let context = serde_json::Map::from_iter([("address".to_owned(), json!("elsewhere"))]);
    assert_eq!(refused(&henry, &approved, with(Call { context, ..pizza() })).await.0, Kind::Forbidden);
    assert_eq!(refused(&henry, &approved, Redeem::default()).await.0, Kind::Invalid);
    let wrong = Redeem { digest: Some("00".repeat(32)), ..with(pizza()) };
    assert_eq!(refused(&henry, &approved, wrong).await.0, Kind::Forbidden);
    assert_eq!(uses(&home, &approved).await, (0, 0), "nothing of it spent anything");
    // The order of members and the spelling of numbers say nothing.
    let same = call(json!({"price": 24.50, "count": 1.0, "dish": "Truffle Pizza"}));
    let digest = approved.binding.as_ref().unwrap().digest.clone();
    let redeem = Redeem { digest: Some(digest.to_string()), ..with(same) };
    assert_eq!(henry.redeem(&id(&approved), &redeem).await.unwrap().digest(), Some(&digest));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f2_of_a_thousand_that_redeem_at_once_one_succeeds() {
    let home = Home::family().await;
    for call in [None, Some(pizza())] {
        let approved = approved(&home, call.clone()).await;
        let henry = home.as_user("henry").await;
        let tasks: Vec<_> = (0..1000)
            .map(|_| {
                let (henry, ident) = (henry.clone(), id(&approved));
                let redeem = Redeem { call: call.clone(), ..Redeem::default() };
                tokio::spawn(async move { henry.redeem(&ident, &redeem).await.map(|pass| pass.number()) })
            })
            .collect();
        let mut passes = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(number) => passes.push(number),
                Err(error) => assert_eq!(error.kind(), Kind::Conflict, "{error}"),
            }
        }
        assert_eq!(passes, [1]);
        assert_eq!(uses(&home, &approved).await, (1, 1));
    }
}

#[tokio::test]
async fn as_many_uses_as_were_asked_for_within_what_the_element_allows() {
    let home = Home::family().await;
    let more = AskOperation { uses: Some(2), ..dish(Some(pizza())) };
    let refused_more = home.as_user("henry").await.request_operation(more.clone()).await.unwrap_err();
    assert_eq!(
        refused_more.message(),
        "An approval through `dish-approval` may be used between 1 and 1 times; 2 was asked for."
    );
    home.apply(&FAMILY.replace(
        "dish-approval: {type: operation_approval,",
        "dish-approval: {terms: {most_uses: 3}, type: operation_approval,",
    ))
    .await;
    let asked = home.as_user("henry").await.request_operation(more).await.unwrap().view.request;
    home.as_user("joe").await.decide(&id(&asked), yes(Approve::default())).await.unwrap();
    let henry = home.as_user("henry").await;
    for number in [1, 2] {
        assert_eq!(henry.redeem(&id(&asked), &with(pizza())).await.unwrap().number(), number);
    }
    assert_eq!(refused(&henry, &asked, with(pizza())).await.0, Kind::Conflict);
}

#[tokio::test]
async fn f3_nothing_that_was_not_approved_is_spent() {
    let home = Home::family().await;
    let henry = home.as_user("henry").await;
    let asked = henry.request_operation(dish(Some(pizza()))).await.unwrap().view.request;
    let pending = refused(&henry, &asked, with(pizza())).await;
    assert_eq!(
        pending,
        (
            Kind::Conflict,
            "This operation approval is pending, so it gives nothing that could be spent or taken away."
                .to_owned()
        )
    );
    home.as_user("joe")
        .await
        .decide(&id(&asked), Decide { approve: Verdict::Deny, comment: None })
        .await
        .unwrap();
    assert_eq!(refused(&henry, &asked, with(pizza())).await.0, Kind::Conflict);
    assert!(home.as_user("henry").await.request(&id(&asked)).await.unwrap().request.grant.is_none());
}

#[tokio::test]
async fn f6_an_outcome_that_nobody_told_stays_unknown_and_nothing_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let asked = Box::pin(crash_after_redeem(folder.path())).await;
    let home = Home::at(folder.path()).await;
    let found = home.as_user("henry").await.request(&id(&asked)).await.unwrap().request;
    let spent = &found.grant.as_ref().unwrap().spent;
    assert_eq!((spent.len(), spent[0].outcome), (1, Outcome::Unknown));
    assert_eq!(refused(&home.as_user("henry").await, &asked, with(pizza())).await.0, Kind::Conflict);
    // Whoever finds out later may say so, once.
    let henry = home.as_user("henry").await;
    henry.record_outcome(&id(&asked), 1, Outcome::Failed, None).await.unwrap();
    henry.record_outcome(&id(&asked), 1, Outcome::Failed, None).await.unwrap();
    let other = henry.record_outcome(&id(&asked), 1, Outcome::Succeeded, None).await.unwrap_err();
    assert_eq!(other.message(), "The outcome of this use is known already: failed.");
    assert_eq!(
        henry.record_outcome(&id(&asked), 2, Outcome::Failed, None).await.unwrap_err().kind(),
        Kind::NotFound
    );
}

/// The process ends between spending and doing.
async fn crash_after_redeem(folder: &Path) -> Request {
    let home = Home::at(folder).await;
    home.furnish().await;
    let approved = approved(&home, Some(pizza())).await;
    drop(home.as_user("henry").await.redeem(&id(&approved), &with(pizza())).await.unwrap());
    approved
}

#[tokio::test]
async fn f7_leave_for_one_call_is_no_leave_for_another_of_the_same_tool() {
    let home = Home::family().await;
    let henry = home.as_user("henry").await;
    let one = henry.request_operation(dish(Some(pizza()))).await.unwrap();
    let more = call(json!({"dish": "Truffle Pizza", "count": 2, "price": 49}));
    let two = henry.request_operation(dish(Some(more.clone()))).await.unwrap();
    assert!(!two.existed && two.view.request.id != one.view.request.id);
    let same = henry.request_operation(dish(Some(pizza()))).await.unwrap();
    assert!(same.existed && same.view.request.id == one.view.request.id);
    home.as_user("joe").await.decide(&id(&one.view.request), yes(Approve::default())).await.unwrap();
    assert_eq!(refused(&henry, &one.view.request, with(more.clone())).await.0, Kind::Forbidden);
    assert_eq!(refused(&henry, &two.view.request, with(more)).await.0, Kind::Conflict);
    let unlooked = approved(&home, None).await;
    let told = refused(&henry, &unlooked, with(pizza())).await;
    assert!(told.0 == Kind::Forbidden && told.1.contains("nobody has looked at this one"), "{}", told.1);
}

#[tokio::test]
async fn f8_what_has_changed_since_is_asked_again() {
    let stale = async |change: &dyn AsyncChange, bound: bool| {
        let home = Home::family().await;
        let call = bound.then(pizza);
        let approved = approved(&home, call.clone()).await;
        change.make(&home, &approved).await;
        let redeem = Redeem { call, ..Redeem::default() };
        home.as_user("henry").await.redeem(&id(&approved), &redeem).await.map(|_| ()).unwrap_err()
    };
    for (name, change, expected) in [
        ("revoked", &Revoked as &dyn AsyncChange, "taken away"),
        ("over", &Over, "it ended"),
        ("deleted", &Deleted, "does not exist any more"),
        ("not in use", &NotInUse, "is not in use any more"),
        ("permission", &Forbidden, "does not let `_Approved_` do `operate` any more"),
    ] {
        for bound in [true, false] {
            let error = Box::pin(stale(change, bound)).await;
            assert_eq!(error.kind(), Kind::Conflict, "{name}: {error}");
            // Of an approval that gave a role, the role is gone with its instance.
            assert!(error.message().contains(expected), "{name}: {error}");
        }
    }
    let taken = Box::pin(stale(&RoleTaken, false)).await;
    assert!(taken.message().contains("The role `_Approved_` was taken away"), "{taken}");
}

#[async_trait::async_trait]
trait AsyncChange {
    async fn make(&self, home: &Home, approved: &Request);
}

struct Revoked;
struct Over;
struct Deleted;
struct NotInUse;
struct Forbidden;
struct RoleTaken;

#[async_trait::async_trait]
impl AsyncChange for Revoked {
    async fn make(&self, home: &Home, approved: &Request) {
        home.as_user("jane").await.revoke(&id(approved), None).await.unwrap();
    }
}

#[async_trait::async_trait]
impl AsyncChange for Over {
    async fn make(&self, home: &Home, _: &Request) {
        home.clock.advance(Duration::from_hours(1));
    }
}

#[async_trait::async_trait]
impl AsyncChange for Deleted {
    async fn make(&self, home: &Home, _: &Request) {
        home.dev().await.delete_instance(&format!("restaurants:{DISH}")).await.unwrap();
    }
}

#[async_trait::async_trait]
impl AsyncChange for NotInUse {
    async fn make(&self, home: &Home, _: &Request) {
        home.dev().await.put_element_in_use(&"dish-approval".into(), InUse::No).await.unwrap();
    }
}

#[async_trait::async_trait]
impl AsyncChange for Forbidden {
    async fn make(&self, home: &Home, _: &Request) {
        let stricter =
            FAMILY.replace("_Approved_: {permissions: [operate]}", "_Approved_: {permissions: [read]}");
        assert_ne!(stricter, FAMILY);
        home.apply(&stricter).await;
    }
}

#[async_trait::async_trait]
impl AsyncChange for RoleTaken {
    async fn make(&self, home: &Home, _: &Request) {
        let spec = UnassignmentSpec {
            user: "henry".into(),
            role: "_Approved_".into(),
            tenant: None,
            instance: Some(format!("restaurants:{DISH}")),
        };
        home.dev().await.unassign_role(&spec).await.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_brings_nothing_back() {
    let home = Home::family().await;
    let approved = approved(&home, Some(pizza())).await;
    home.clock.advance(Duration::from_hours(2));
    home.engine.write_down_ends().await.unwrap();
    home.clock.0.fetch_sub(7_200_000_000, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(refused(&home.as_user("henry").await, &approved, with(pizza())).await.0, Kind::Conflict);
}

#[tokio::test]
async fn another_person_or_agent_shares_no_approval() {
    let home = Home::family().await;
    let agent = home.as_agent("henry").await;
    let asked = agent.request_operation(dish(Some(pizza()))).await.unwrap().view.request;
    home.as_user("joe").await.decide(&id(&asked), yes(Approve::default())).await.unwrap();
    // Rose has the same agent (its key is the same), and is somebody else.
    assert_eq!(refused(&home.as_agent("rose").await, &asked, with(pizza())).await.0, Kind::NotFound);
    assert_eq!(refused(&home.as_user("joe").await, &asked, with(pizza())).await.0, Kind::Forbidden);
    let henry = home.as_user("henry").await;
    let unnamed = refused(&henry, &asked, with(pizza())).await;
    assert!(unnamed.0 == Kind::Forbidden && unnamed.1.contains("name the agent"), "{}", unnamed.1);
    let other = Redeem { agent: Some(Ident::from(uuid::Uuid::from_u128(1))), ..with(pizza()) };
    assert_eq!(refused(&henry, &asked, other.clone()).await.0, Kind::Forbidden);
    // An agent can't say that it is another one.
    let lying = home.as_agent("henry").await.redeem(&id(&asked), &other).await.unwrap();
    assert_eq!(lying.number(), 1, "its own credential counts");
    let own = approved(&home, Some(call(json!({"count": 3})))).await;
    let agents = refused(&home.as_agent("henry").await, &own, with(call(json!({"count": 3})))).await;
    assert!(agents.0 == Kind::Forbidden, "what the human asked for is not the agent's: {}", agents.1);
}

#[tokio::test]
async fn changed_arguments_are_what_may_run() {
    let home = Home::family().await;
    let asked =
        home.as_user("henry").await.request_operation(dish(Some(pizza()))).await.unwrap().view.request;
    let less = json!({"dish": "Truffle Pizza", "count": 1, "price": 20});
    let approve = Approve { arguments: Some(less.clone()), ..Approve::default() };
    let done = home.as_user("joe").await.decide(&id(&asked), yes(approve)).await.unwrap().request;
    assert_ne!(done.binding.as_ref().unwrap().digest, asked.binding.as_ref().unwrap().digest);
    let henry = home.as_user("henry").await;
    assert_eq!(refused(&henry, &asked, with(pizza())).await.0, Kind::Forbidden);
    assert_eq!(henry.redeem(&id(&asked), &with(call(less))).await.unwrap().number(), 1);
}

#[tokio::test]
async fn a_pass_runs_one_call_and_tells_what_came_of_it() {
    let home = Home::family().await;
    let approved = approved(&home, Some(pizza())).await;
    let pass = home.as_user("henry").await.redeem(&id(&approved), &with(pizza())).await.unwrap();
    let done: Result<(), String> = pass.run(async { Err("the kitchen is closed".to_owned()) }).await;
    assert_eq!(done, Err("the kitchen is closed".to_owned()));
    let found = home.as_user("henry").await.request(&id(&approved)).await.unwrap().request;
    let spent = &found.grant.unwrap().spent[0];
    assert_eq!((spent.outcome, spent.note.as_deref()), (Outcome::Failed, Some("the kitchen is closed")));
    assert_eq!(found.status, Status::Approved);
}
