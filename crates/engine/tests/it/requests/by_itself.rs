//! What is decided without anybody, what is taken without a decision, and what can be known before asking.

use super::Home;
use askfirst_domain::{
    Ident,
    binding::Call,
    principal::Principal,
    request::{Request, Status},
    review::{AfterVerdict, Vote},
    terms::Terms,
};
use askfirst_engine::{
    Kind, Page,
    check::Ask,
    requests::{Approve, AskAccess, AskOperation, Decide, Foreseen, Times, Verdict},
};
use askfirst_store::AssignmentFilter;
use serde_json::{Value, json};

const DISH: &str = "pizza-palace_truffle-pizza";

fn wish(role: &str) -> AskAccess {
    AskAccess {
        element: "restaurant-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some("pizza-palace".to_owned()),
        role: role.into(),
        reason: "the oven burns".to_owned(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
    }
}

fn order(instance: Option<&str>, arguments: Option<Value>) -> AskOperation {
    AskOperation {
        element: "dish-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: instance.map(str::to_owned),
        reason: "hungry".to_owned(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
        uses: None,
        call: arguments.map(|arguments| Call {
            action: "order".to_owned(),
            arguments,
            context: serde_json::Map::new(),
        }),
    }
}

async fn set(home: &Home, element: &str, terms: Value) {
    let terms: Terms = serde_json::from_value(terms).unwrap();
    home.dev().await.set_terms(&element.into(), terms).await.unwrap();
}

fn id(request: &Request) -> Ident {
    Ident::from(request.id.uuid())
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

async fn codes(home: &Home, request: &Request) -> Vec<String> {
    let log = home.dev().await.audit_events(Some(request.id), None, Page::ALL).await.unwrap().items;
    log.into_iter().rev().map(|event| event.code).collect()
}

#[tokio::test]
async fn a_rule_approves_what_fits_it_and_says_that_nobody_did() {
    let home = Home::family().await;
    let small = json!({"name": "small orders", "then": "approve", "lasts": "10m",
                       "when": {"action.arguments.amount": {"less-than": 20}}});
    set(&home, "dish-approval", json!({"rules": [small]})).await;
    let henry = home.as_agent("henry").await;
    let settled = henry.request_operation(order(Some(DISH), Some(json!({"amount": 5})))).await.unwrap().view;
    assert_eq!((settled.request.status, settled.request.reviewer.clone()), (Status::Approved, None));
    assert_eq!(settled.decided_by().as_deref(), Some("automatic: small orders"));
    assert!(settled.sentence().ends_with("approved at once, automatically by the rule `small orders`."));
    assert_eq!(settled.request.offer.lasts.unwrap().to_string(), "10m");
    let log = home.dev().await.audit_events(Some(settled.request.id), None, Page::ALL).await.unwrap().items;
    assert_eq!(log[0].code, "request.approved");
    assert_eq!(
        (&log[0].actor, &log[0].details["rule"]),
        (&Principal::System { name: "rule small orders".to_owned() }, &json!("small orders"))
    );
    // More has to be asked, and so has what the rule can't see.
    for arguments in [json!({"amount": 20}), json!({"price": 1}), json!({"amount": "5"})] {
        let asked = henry.request_operation(order(Some(DISH), Some(arguments))).await.unwrap().view.request;
        assert_eq!(asked.status, Status::Pending);
    }
}

#[tokio::test]
async fn a_rule_gives_the_role_at_once_also_on_a_new_thing() {
    let home = Home::family().await;
    set(&home, "restaurant-requests", json!({"rules": [{"name": "look", "then": "approve", "when": {"action.role": {"equals": "child-can-look"}}}]})).await;
    let given =
        home.as_user("henry").await.request_access(wish("child-can-look")).await.unwrap().view.request;
    assert_eq!(given.status, Status::Approved);
    assert!(may(&home, "henry", "read", "pizza-palace").await);
    assert_eq!(
        codes(&home, &given).await,
        ["request.created", "role_assignment.created", "request.approved"]
    );

    set(&home, "dish-approval", json!({"rules": [{"name": "all", "then": "approve"}]})).await;
    let new = home.as_user("henry").await.request_operation(order(None, None)).await.unwrap().view.request;
    assert_eq!(new.status, Status::Approved);
    assert!(may(&home, "henry", "operate", new.instance.unwrap().key.as_str()).await);
}

#[tokio::test]
async fn a_denial_goes_first_and_a_doubt_about_it_approves_nothing() {
    let home = Home::family().await;
    let never = json!({"name": "never", "then": "deny", "reason": "not for children",
                       "when": {"action.arguments.alcohol": {"equals": true}}});
    set(&home, "dish-approval", json!({"rules": [{"name": "all", "then": "approve"}, never]})).await;
    let henry = home.as_agent("henry").await;
    let of =
        async |arguments| henry.request_operation(order(Some(DISH), Some(arguments))).await.unwrap().view;
    let denied = of(json!({"alcohol": true})).await;
    assert_eq!(denied.request.status, Status::Denied);
    assert!(
        denied.sentence().contains("by the rule `never`, because: \u{201c}not for children\u{201d}"),
        "{}",
        denied.sentence()
    );
    assert_eq!(of(json!({"alcohol": false})).await.request.status, Status::Approved);
    assert_eq!(
        of(json!({"dish": "cake"})).await.request.status,
        Status::Pending,
        "it can't be told, so a person decides"
    );
    let again = henry.request_operation(order(Some(DISH), Some(json!({"alcohol": true})))).await.unwrap_err();
    assert!(again.message().starts_with("The same was denied by the rule `never`"), "{again}");
}

#[tokio::test]
async fn rules_know_roles_and_hours() {
    let home = Home::family().await;
    let trusted = json!({"name": "trusted", "then": "approve", "role": "child-can-look"});
    set(&home, "restaurant-requests", json!({"rules": [trusted]})).await;
    let order =
        home.as_user("henry").await.request_access(wish("child-can-order")).await.unwrap().view.request;
    assert_eq!(order.status, Status::Pending, "henry does not hold it");
    home.as_user("henry").await.cancel(&id(&order), None).await.unwrap();
    let look = home.as_user("henry").await.request_access(wish("child-can-look")).await.unwrap().view.request;
    let yes = Decide { approve: Verdict::Approve(Approve::default()), comment: None };
    home.as_user("joe").await.decide(&id(&look), yes).await.unwrap();
    let order =
        home.as_user("henry").await.request_access(wish("child-can-order")).await.unwrap().view.request;
    assert_eq!(order.status, Status::Approved);

    // The test's clock stands on 2026-09-21, a Monday, 14:13 UTC.
    for (during, status) in [
        (json!({"days": ["mon"], "from": "16:00", "to": "17:00", "zone": "Europe/Berlin"}), Status::Approved),
        (json!({"days": ["mon"], "from": "16:00", "to": "17:00"}), Status::Pending),
        (json!({"days": ["tue"]}), Status::Pending),
    ] {
        let hours = json!({"name": "hours", "then": "approve", "during": during});
        set(&home, "restaurant-requests", json!({"rules": [hours]})).await;
        let asked =
            home.as_user("rose").await.request_access(wish("child-can-look")).await.unwrap().view.request;
        assert_eq!(asked.status, status, "{during}");
        match status {
            Status::Pending => home.as_user("rose").await.cancel(&id(&asked), None).await.unwrap(),
            _ => home.as_user("joe").await.revoke(&id(&asked), None).await.unwrap(),
        };
    }
    let nowhere = json!({"rules": [{"name": "x", "then": "approve", "during": {"zone": "Europe/Atlantis"}}]});
    let terms: Terms = serde_json::from_value(nowhere).unwrap();
    let refused = home.dev().await.set_terms(&"restaurant-requests".into(), terms).await.unwrap_err();
    assert!(refused.message().contains("time zone `Europe/Atlantis`"), "{refused}");
}

#[tokio::test]
async fn in_an_emergency_a_role_takes_what_it_needs_and_somebody_looks_at_it() {
    let home = Home::family().await;
    let auditor = home.as_user("auditor").await;
    let refused = auditor.take_access(wish("child-can-order")).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden, "nobody has allowed it");
    set(&home, "restaurant-requests", json!({"break_glass": {"roles": ["tenant#auditor"], "lasts": "30m"}}))
        .await;
    for (who, acting) in
        [("henry", home.as_user("henry").await), ("the agent", home.as_agent("auditor").await)]
    {
        let refused = acting.take_access(wish("child-can-order")).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden, "{who}");
    }
    let silent = AskAccess { reason: " ".to_owned(), ..wish("child-can-order") };
    assert_eq!(auditor.take_access(silent).await.unwrap_err().kind(), Kind::Invalid);

    let auditor = home.as_user("auditor").await;
    let taken = auditor.take_access(wish("child-can-order")).await.unwrap().view;
    assert_eq!((taken.request.status, taken.request.reviewer.clone()), (Status::Approved, None));
    assert_eq!(
        codes(&home, &taken.request).await,
        ["request.created", "role_assignment.created", "break_glass.used"]
    );
    assert!(may(&home, "auditor", "read", "pizza-palace").await);
    let given =
        home.store.assignments(home.env().await, &AssignmentFilter::default(), Page::ALL).await.unwrap();
    let given = given.items.into_iter().find(|a| a.origin == Some(taken.request.id)).unwrap();
    assert_eq!(given.expires_at, taken.request.grant.as_ref().unwrap().ends_at);
    assert_eq!(taken.request.offer.lasts.unwrap().to_string(), "30m");

    let request = id(&taken.request);
    assert_eq!(
        auditor.look_at(&request, AfterVerdict::Fine, None).await.unwrap_err().kind(),
        Kind::Forbidden
    );
    assert_eq!(home.as_user("joe").await.emergencies(Page::ALL).await.unwrap().total, 1);
    assert_eq!(home.as_user("henry").await.emergencies(Page::ALL).await.unwrap().total, 0);
    let joe = home.as_user("joe").await;
    joe.look_at(&request, AfterVerdict::NotFine, Some("call me first".to_owned())).await.unwrap();
    assert_eq!(home.as_user("jane").await.emergencies(Page::ALL).await.unwrap().total, 0);
    let other = home.as_user("jane").await.look_at(&request, AfterVerdict::Fine, None).await.unwrap_err();
    assert_eq!(
        (other.kind(), other.message()),
        (Kind::Conflict, "Joe has looked at this afterwards already.")
    );
    assert_eq!(codes(&home, &taken.request).await.last().unwrap(), "break_glass.reviewed");
}

#[tokio::test]
async fn what_a_request_would_need_is_told_and_nothing_is_written() {
    let home = Home::family().await;
    let when = json!({"action.role": {"equals": "child-can-order"}});
    set(&home, "restaurant-requests", json!({
        "decide_within": "1h", "grant_lasts": "8h", "thresholds": [{"name": "both", "approve": 2, "when": when}],
        "rules": [{"name": "look", "then": "approve", "when": {"action.role": {"equals": "child-can-look"}}}],
    })).await;
    let henry = home.as_agent("henry").await;
    let before = home.dev().await.state().revision;
    let seen = henry.foresee_access(wish("child-can-order")).await.unwrap();
    assert_eq!(seen.foreseen, Foreseen::Waits);
    let reviewers: Vec<_> = seen.reviewers.iter().map(askfirst_domain::UserKey::as_str).collect();
    assert_eq!(reviewers, ["admin", "jane", "joe"]);
    assert_eq!((seen.thresholds[0].approve, seen.lasts.unwrap().to_string().as_str()), (2, "8h"));
    let look = henry.foresee_access(wish("child-can-look")).await.unwrap();
    assert_eq!(look.foreseen, Foreseen::Rule { name: "look".to_owned(), vote: Vote::Approve });
    assert!(look.thresholds.is_empty() && !look.break_glass);
    assert_eq!(home.dev().await.state().revision, before, "nothing was written");
    let asked = henry.request_access(wish("child-can-order")).await.unwrap().view.request;
    assert_eq!(
        henry.foresee_access(wish("child-can-order")).await.unwrap().foreseen,
        Foreseen::Pending(asked.id)
    );
    let no = Decide { approve: Verdict::Deny, comment: Some("no".to_owned()) };
    home.as_user("joe").await.decide(&id(&asked), no).await.unwrap();
    let refused =
        home.as_agent("henry").await.foresee_access(wish("child-can-order")).await.unwrap().foreseen;
    assert!(matches!(refused, Foreseen::Refused(why) if why.starts_with("The same was denied by joe")));
}

#[tokio::test]
async fn a_request_that_waits_for_long_is_put_before_others_too() {
    let home = Home::family().await;
    let step = json!({"after": "30m", "roles": ["tenant#auditor"]});
    set(&home, "dish-approval", json!({"escalation": [step]})).await;
    let asked =
        home.as_user("henry").await.request_operation(order(Some(DISH), None)).await.unwrap().view.request;
    let yes = || Decide { approve: Verdict::Approve(Approve::default()), comment: None };
    let early = home.as_user("auditor").await.decide(&id(&asked), yes()).await.unwrap_err();
    assert_eq!(early.kind(), Kind::NotFound, "it is none of the auditor's business yet");

    home.clock.advance(std::time::Duration::from_mins(30));
    assert_eq!(home.as_user("auditor").await.inbox(Page::ALL).await.unwrap().total, 1);
    let again = home.as_user("henry").await.request_operation(order(Some(DISH), None)).await.unwrap();
    assert!(again.existed, "it is the same request still");
    let done = home.as_user("auditor").await.decide(&id(&asked), yes()).await.unwrap().request;
    assert_eq!((done.status, done.reviewer.unwrap().key.as_str()), (Status::Approved, "auditor"));
}
