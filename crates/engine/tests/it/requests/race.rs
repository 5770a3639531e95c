//! Many deciders at once, and random orders of everything.

use super::Home;
use askfirst_domain::{Ident, request::Status};
use askfirst_engine::{
    Kind, Page,
    requests::{Approve, AskAccess, Decide, RequestQuery, RequestView, Times, Verdict},
};
use askfirst_store::{AssignmentFilter, AuditFilter};
use proptest::prelude::*;

fn ask() -> AskAccess {
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

fn verdict(approve: bool) -> Decide {
    let approve = if approve { Verdict::Approve(Approve::default()) } else { Verdict::Deny };
    Decide { approve, comment: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_deciders_one_decides() {
    let home = Home::family().await;
    let request = home.as_user("henry").await.request_access(ask()).await.unwrap().view.request.id;
    let ident = Ident::from(request.uuid());
    let mut deciders = Vec::new();
    for n in 0..50 {
        let reviewer = home.as_user(["joe", "jane", "admin"][n % 3]).await;
        let ident = ident.clone();
        let approves = n % 2 == 0;
        deciders.push(tokio::spawn(async move {
            (reviewer.user_key().to_string(), approves, reviewer.decide(&ident, verdict(approves)).await)
        }));
    }
    let end =
        |view: &RequestView| (view.request.status, view.request.reviewer.clone().unwrap().key.to_string());
    let mut answers = Vec::new();
    for decider in deciders {
        answers.push(decider.await.unwrap());
    }
    let (status, winner) = end(&home.as_user("joe").await.request(&ident).await.unwrap());
    for (who, approves, answer) in &answers {
        let same = *who == winner && *approves == (status == Status::Approved);
        match answer {
            Ok(view) => {
                assert!(same && end(view) == (status, winner.clone()), "{who} was told of a decision");
            }
            Err(error) => assert!(!same && error.kind() == Kind::Conflict, "{who}: {error}"),
        }
    }
    let env = home.env().await;
    let filter = AuditFilter { request: Some(request), code: Some(format!("request.{status}")) };
    assert_eq!(home.store.audit_events(Some(env), &filter, Page::ALL).await.unwrap().total, 1);
    let given = home.store.assignments(env, &AssignmentFilter::default(), Page::ALL).await.unwrap();
    let given = given.items.iter().filter(|a| a.origin == Some(request)).count();
    assert_eq!(given, usize::from(status == Status::Approved));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_thirty_askers_one_opens() {
    let home = Home::family().await;
    let mut askers = Vec::new();
    for _ in 0..30 {
        let henry = home.as_user("henry").await;
        askers.push(tokio::spawn(async move { henry.request_access(ask()).await.unwrap() }));
    }
    let mut opened = 0;
    for asker in askers {
        opened += usize::from(!asker.await.unwrap().existed);
    }
    assert_eq!(opened, 1);
    let listed = home.as_user("henry").await.requests(RequestQuery::default(), Page::ALL).await.unwrap();
    assert_eq!(listed.total, 1);
}

/// Something that somebody may try.
#[derive(Debug, Clone, Copy)]
enum Move {
    Ask,
    Approve(usize),
    Deny(usize),
    Note(usize),
    Cancel(usize),
}

const PEOPLE: [&str; 5] = ["henry", "rose", "joe", "jane", "auditor"];

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let who = 0..PEOPLE.len();
    let one = prop_oneof![
        2 => Just(Move::Ask),
        2 => who.clone().prop_map(Move::Approve),
        2 => who.clone().prop_map(Move::Deny),
        1 => who.clone().prop_map(Move::Note),
        1 => who.prop_map(Move::Cancel),
    ];
    proptest::collection::vec(one, 1..14)
}

/// What henry's wish comes to, told without the engine: the status of the newest request, and whether he has the role.
fn model(tried: &[Move]) -> (Option<Status>, bool) {
    let (mut status, mut held) = (None, false);
    for step in tried {
        let pending = status == Some(Status::Pending);
        match *step {
            Move::Ask if !held && !pending => status = Some(Status::Pending),
            Move::Approve(who) if pending && matches!(PEOPLE[who], "joe" | "jane") => {
                status = Some(Status::Approved);
                held = true;
            }
            Move::Deny(who) if pending && matches!(PEOPLE[who], "joe" | "jane") => {
                status = Some(Status::Denied);
            }
            Move::Cancel(who) if pending && PEOPLE[who] == "henry" => status = Some(Status::Canceled),
            _ => {}
        }
    }
    (status, held)
}

async fn play(home: &Home, tried: &[Move]) -> Option<RequestView> {
    let mut newest: Option<Ident> = None;
    for step in tried {
        let Some(request) = newest.clone() else {
            if matches!(step, Move::Ask) {
                let asked = home.as_user("henry").await.request_access(ask()).await.unwrap();
                newest = Some(Ident::from(asked.view.request.id.uuid()));
            }
            continue;
        };
        match *step {
            Move::Ask => {
                if let Ok(asked) = home.as_user("henry").await.request_access(ask()).await {
                    newest = Some(Ident::from(asked.view.request.id.uuid()));
                }
            }
            Move::Approve(who) => drop(home.as_user(PEOPLE[who]).await.decide(&request, verdict(true)).await),
            Move::Deny(who) => drop(home.as_user(PEOPLE[who]).await.decide(&request, verdict(false)).await),
            Move::Note(who) => {
                drop(home.as_user(PEOPLE[who]).await.annotate(&request, None, Some("hm".to_owned())).await);
            }
            Move::Cancel(who) => drop(home.as_user(PEOPLE[who]).await.cancel(&request, None).await),
        }
    }
    match newest {
        Some(request) => Some(home.as_user("henry").await.request(&request).await.unwrap()),
        None => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_moves_ends_where_the_rules_say(tried in moves()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (status, held) = runtime.block_on(async {
            let home = Home::family().await;
            let view = play(&home, &tried).await;
            let filter = AssignmentFilter::default();
            let given = home.store.assignments(home.env().await, &filter, Page::ALL).await.unwrap();
            (view.map(|v| v.request.status), given.items.iter().any(|a| a.user.as_str() == "henry"))
        });
        prop_assert_eq!((status, held), model(&tried));
    }
}
