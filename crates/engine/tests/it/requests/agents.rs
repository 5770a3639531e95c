//! Registered agents: whose approvals are whose, what both may, and that a frozen one stops at once.

use super::{
    Home,
    redeem::{call, dish, id, pizza, refused, with, yes},
};
use askfirst_domain::{
    Ident,
    agent::{AgentStatus, Ceiling},
    binding::agent_of,
    decision::{AgentLack, Decision, DenialCause},
    id::ApiKeyId,
    request::{Request, Status},
    scope::{ApiKey, KeyScope},
};
use askfirst_engine::{
    Acting, Clock, Engine, Kind, Page, Parts, Result, Secret, Settings, SystemEntropy,
    agents::{AgentEdit, NewAgent},
    check::{Ask, Explanation, Given},
    decisions::Door,
    requests::{Approve, AskAccess, Decide, Redeem, Times, Verdict},
};
use askfirst_store::{AdminCommit, AdminOp, AuditFilter};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

fn only(may: &[&str]) -> Ceiling {
    Ceiling::Only(may.iter().map(|text| text.parse().unwrap()).collect())
}

impl Home {
    async fn register(&self, ceiling: Ceiling) {
        let new = NewAgent { key: "bot".parse().unwrap(), name: None, owner: "joe".into(), ceiling };
        self.dev().await.create_agent(new).await.unwrap();
    }

    async fn bots_key(&self, user: &str) -> (ApiKey, Secret) {
        self.dev().await.create_agent_key(&"bot".into(), &user.into(), None).await.unwrap()
    }

    async fn set(&self, status: AgentStatus) {
        self.dev().await.set_agent_status(&"bot".into(), status, None).await.unwrap();
    }

    async fn through(&self, key: &Secret) -> Acting {
        through(&self.engine, key).await.unwrap()
    }

    async fn approve(&self, asked: &Request) {
        self.as_user("joe").await.decide(&id(asked), yes(Approve::default())).await.unwrap();
    }
}

async fn through(engine: &Engine, key: &Secret) -> Result<Acting> {
    engine.act(engine.authenticate(key).await?).await
}

async fn ask(acting: &Acting) -> Request {
    acting.request_operation(dish(Some(pizza()))).await.unwrap().view.request
}

fn named(agent: &str) -> Redeem {
    Redeem { agent: Some(Ident::new(agent)), ..with(pizza()) }
}

fn reads(user: &str) -> Ask {
    Ask {
        user: user.to_owned(),
        action: "read".to_owned(),
        resource: "restaurants".to_owned(),
        instance: Some("pizza-palace".to_owned()),
        tenant: None,
    }
}

#[tokio::test]
async fn two_humans_who_share_an_agent_share_no_approval() {
    let home = Home::family().await;
    home.register(Ceiling::Human).await;
    let (henrys, roses) = (home.bots_key("henry").await, home.bots_key("rose").await);
    let asked = ask(&home.through(&henrys.1).await).await;
    home.approve(&asked).await;

    let rose = home.through(&roses.1).await;
    assert_eq!(agent_of(&asked.opened_by), agent_of(&rose.scope().op().principal), "it is one agent");
    assert_eq!(refused(&rose, &asked, with(pizza())).await.0, Kind::NotFound);
    assert_eq!(refused(&home.as_user("rose").await, &asked, named("bot")).await.0, Kind::NotFound);
    let hers = ask(&rose).await;
    let digest = |request: &Request| request.binding.as_ref().unwrap().digest.clone();
    assert_ne!(digest(&hers), digest(&asked), "the same call of another human is another thing");

    // The agent is the same with each of its keys, so a key may be changed while an approval lasts.
    let again = home.through(&home.bots_key("henry").await.1).await;
    assert_eq!(again.redeem(&id(&asked), &with(pizza())).await.unwrap().number(), 1);
}

#[tokio::test]
async fn a_server_names_the_agent_or_its_key() {
    let home = Home::family().await;
    home.register(Ceiling::Human).await;
    let (key, secret) = home.bots_key("henry").await;
    let henry = home.as_user("henry").await;
    for (count, name) in ["bot".to_owned(), key.id.to_string()].iter().enumerate() {
        let call = call(json!({"count": count}));
        let asked = home.through(&secret).await.request_operation(dish(Some(call.clone()))).await.unwrap();
        let asked = asked.view.request;
        home.approve(&asked).await;
        let redeem = |agent: &str| Redeem { agent: Some(Ident::new(agent)), ..with(call.clone()) };
        assert_eq!(refused(&henry, &asked, redeem("nobody")).await.0, Kind::NotFound);
        assert_eq!(refused(&henry, &asked, redeem(&Uuid::nil().to_string())).await.0, Kind::Forbidden);
        assert_eq!(henry.redeem(&id(&asked), &redeem(name)).await.unwrap().number(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_frozen_agent_stops_at_once_and_goes_on_when_thawed() {
    let home = Home::family().await;
    home.register(Ceiling::Human).await;
    let (_, secret) = home.bots_key("henry").await;
    let bot = home.through(&secret).await;
    let granted = ask(&bot).await;
    home.approve(&granted).await;
    let pending = bot.request_operation(dish(Some(call(json!(2))))).await.unwrap().view.request;
    let waiting = {
        let (bot, request) = (bot.clone(), id(&pending));
        tokio::spawn(async move { bot.wait(&request, Duration::from_hours(1)).await })
    };

    home.set(AgentStatus::Frozen).await;
    let waited = waiting.await.unwrap().unwrap_err();
    assert_eq!(waited.kind(), Kind::Unauthenticated, "what waits ends");
    let shut = home.engine.authenticate(&secret).await.unwrap_err();
    assert_eq!(
        (shut.kind(), shut.message()),
        (Kind::Unauthenticated, "The agent bot is frozen, so it may do nothing; tell joe, who owns it.")
    );
    // What was authenticated before it was frozen does nothing any more, either.
    let late = bot.request_operation(dish(Some(call(json!(3))))).await.unwrap_err();
    assert_eq!(late.kind(), Kind::Unauthenticated);
    assert_eq!(refused(&bot, &granted, with(pizza())).await.0, Kind::Forbidden);
    let henry = home.as_user("henry").await;
    let (kind, sentence) = refused(&henry, &granted, named("bot")).await;
    assert!(kind == Kind::Forbidden && sentence.contains("it is frozen"), "{sentence}");
    let joe = home.as_user("joe").await;
    let unapproved = joe.decide(&id(&pending), yes(Approve::default())).await.unwrap_err();
    assert_eq!(unapproved.kind(), Kind::Conflict);
    assert!(unapproved.message().contains("which asked for this, is frozen"), "{unapproved}");
    let no_key = home.dev().await.create_agent_key(&"bot".into(), &"rose".into(), None).await.unwrap_err();
    assert_eq!(no_key.kind(), Kind::Conflict);
    let denied = explained(&home, "joe", Some("bot")).await;
    assert!(!denied.allow && denied.sentence.ends_with("the agent bot may not: it is frozen."), "{denied:?}");

    home.set(AgentStatus::Active).await;
    assert_eq!(henry.redeem(&id(&granted), &named("bot")).await.unwrap().number(), 1);
    home.approve(&pending).await;
    home.through(&secret).await;
    for code in ["agent.created", "agent.frozen", "agent.thawed"] {
        let filter = AuditFilter { request: None, code: Some(code.to_owned()) };
        let events = home.store.audit_events(Some(home.env().await), &filter, Page::ALL).await.unwrap();
        assert_eq!((events.total, events.items[0].object.as_deref()), (1, Some("bot")), "{code}");
    }
}

#[tokio::test]
async fn what_a_frozen_agent_asked_for_can_be_denied() {
    let home = Home::family().await;
    home.register(Ceiling::Human).await;
    let (_, secret) = home.bots_key("henry").await;
    let asked = ask(&home.through(&secret).await).await;
    home.set(AgentStatus::Frozen).await;
    let no = Decide { approve: Verdict::Deny, comment: None };
    let denied = home.as_user("joe").await.decide(&id(&asked), no).await.unwrap();
    assert_eq!(denied.request.status, Status::Denied);
}

#[tokio::test]
async fn another_server_knows_of_a_freeze_before_it_writes() {
    let home = Home::family().await;
    home.register(Ceiling::Human).await;
    let (_, secret) = home.bots_key("henry").await;
    let (store, clock) = (Arc::clone(&home.store), Arc::clone(&home.clock) as Arc<dyn Clock>);
    let parts = Parts { store, clock, entropy: Arc::new(SystemEntropy), settings: Settings::default() };
    let other = Engine::start(parts).await.unwrap();
    for round in 0..10 {
        home.set(AgentStatus::Active).await;
        let one = call(json!(round));
        let asked = home.through(&secret).await.request_operation(dish(Some(one.clone()))).await.unwrap();
        let asked = asked.view.request;
        home.approve(&asked).await;
        let there = super::eventually(async || through(&other, &secret).await.ok()).await;
        home.set(AgentStatus::Frozen).await;
        // Whatever the other server knows by now, it spends nothing and opens nothing.
        let spent = there.redeem(&id(&asked), &with(one)).await.unwrap_err();
        assert_eq!(spent.kind(), Kind::Forbidden, "round {round}: {spent}");
        let opened = there.request_operation(dish(Some(call(json!({"late": round}))))).await.unwrap_err();
        assert_eq!(opened.kind(), Kind::Unauthenticated, "round {round}: {opened}");
        super::eventually(async || through(&other, &secret).await.err()).await;
    }
}

async fn explained(home: &Home, user: &str, agent: Option<&str>) -> Explanation {
    let given = Given { agent: agent.map(ToOwned::to_owned), ..Given::default() };
    let dev = home.dev().await;
    let (ask, explained) = (reads(user), dev.decide_explained(reads(user), given.clone(), Door::Api));
    assert_eq!(dev.is_allowed_with(&ask, &given), explained.allow);
    assert_eq!(dev.check_with(&ask, &given).decision, explained.decision);
    explained
}

#[tokio::test]
async fn what_an_agent_may_takes_both_halves() {
    let home = Home::family().await;
    home.register(only(&["restaurants:read"])).await;
    // joe is a parent there, henry is nothing.
    for (may, user, user_may, agent_may) in [
        (&["restaurants:read"][..], "joe", true, true),
        (&["restaurants:*"], "joe", true, true),
        (&["restaurants:delete"], "joe", true, false),
        (&["restaurants:read"], "henry", false, true),
        (&[], "henry", false, false),
    ] {
        let edit = AgentEdit { ceiling: Some(only(may)), ..AgentEdit::default() };
        home.dev().await.update_agent(&"bot".into(), edit).await.unwrap();
        let told = explained(&home, user, Some("bot")).await;
        let halves = told.halves.clone().unwrap();
        assert_eq!((halves.user_may, halves.agent_may), (user_may, agent_may), "{may:?} {user}");
        assert_eq!(told.allow, user_may && agent_may, "{may:?} {user}");
        insta::assert_snapshot!(format!("halves_{user_may}_{agent_may}_{}", may.len()), told.sentence);
        let names = told.without_values(&reads(user));
        assert!(names.sentence.contains("agent bot"), "{}", names.sentence);
    }
    let Decision::Deny(denial) = explained(&home, "joe", Some("nobody")).await.decision else { panic!() };
    let unknown = DenialCause::Agent { agent: "nobody".to_owned(), lack: AgentLack::Unknown };
    assert_eq!(denial.cause, unknown, "an agent that is not there may do nothing");
    assert!(explained(&home, "joe", None).await.allow);
}

#[tokio::test]
async fn an_agent_asks_for_no_more_than_it_may() {
    let home = Home::family().await;
    home.register(only(&["restaurants:order_dish"])).await;
    let (_, secret) = home.bots_key("henry").await;
    let bot = home.through(&secret).await;
    let role = AskAccess {
        element: "restaurant-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some("pizza-palace".to_owned()),
        role: "child-can-order".into(),
        reason: String::new(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
    };
    let beyond = bot.request_access(role).await.unwrap_err();
    assert_eq!(beyond.kind(), Kind::Forbidden);
    assert_eq!(
        beyond.message(),
        "The agent bot may not do `read` on restaurants for anybody, so it can't ask for it: its ceiling, whoever it acts for, \
         is `restaurants:order_dish`. henry may ask themselves."
    );
    let any = bot.request_operation(dish(None)).await.unwrap_err();
    assert!(any.message().contains("`operate` on restaurants"), "{any}");

    // What it may ask for, it may not spend once it may not do it any more.
    let asked = ask(&bot).await;
    home.approve(&asked).await;
    let none = AgentEdit { ceiling: Some(only(&[])), ..AgentEdit::default() };
    home.dev().await.update_agent(&"bot".into(), none).await.unwrap();
    for acting in [home.through(&secret).await, home.as_user("henry").await] {
        let (kind, sentence) = refused(&acting, &asked, named("bot")).await;
        assert!(kind == Kind::Forbidden && sentence.contains("its ceiling"), "{sentence}");
    }
    let wide = AgentEdit { ceiling: Some(Ceiling::Human), ..AgentEdit::default() };
    home.dev().await.update_agent(&"bot".into(), wide).await.unwrap();
    assert_eq!(bot.redeem(&id(&asked), &with(pizza())).await.unwrap().number(), 1);
}

#[tokio::test]
async fn a_key_from_before_gets_an_agent_and_keeps_its_approvals() {
    let home = Home::family().await;
    let env = home.dev().await;
    let henry = home.as_user("henry").await;
    let secret = Secret::presented("an agent's key from before there were agents");
    let scope = KeyScope::Agent {
        project: env.project().id,
        env: env.environment().id,
        user: henry.user(),
        user_key: henry.user_key().clone(),
        agent: None,
    };
    let key = ApiKey {
        id: ApiKeyId::new(Uuid::from_u128(77)),
        org: env.environment().org,
        scope,
        name: Some("henry's laptop".to_owned()),
        secret_hash: secret.hash(),
        created_at: env.op().now,
        expires_at: None,
        revoked_at: None,
    };
    let put = AdminCommit { ops: vec![AdminOp::PutApiKey(key)], audit: Vec::new() };
    home.store.commit_admin(put).await.unwrap();
    let asked = ask(&home.through(&secret).await).await;
    home.approve(&asked).await;
    assert_eq!(env.list_agents(Page::ALL).total, 0);

    for _ in 0..2 {
        home.engine.first_start(None).await.unwrap();
        let agents = home.dev().await.list_agents(Page::ALL).items;
        let [adopted] = agents.as_slice() else { panic!("{agents:?}") };
        assert_eq!((&*adopted.agent.name, adopted.agent.owner.key.as_str()), ("henry's laptop", "henry"));
        assert_eq!(adopted.keys.len(), 1);
    }
    let bot = home.through(&secret).await;
    assert_eq!(bot.redeem(&id(&asked), &with(pizza())).await.unwrap().number(), 1);
}

#[tokio::test]
async fn an_agent_decides_nothing_whoever_it_is() {
    let home = Home::family().await;
    home.register(only(&["*"])).await;
    let joes = home.through(&home.bots_key("joe").await.1).await;
    let asked = ask(&home.as_user("henry").await).await;
    for approve in [Verdict::Approve(Approve::default()), Verdict::Deny] {
        let refused = joes.decide(&id(&asked), Decide { approve, comment: None }).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
        assert!(refused.message().starts_with("An agent decides nothing"), "{refused}");
    }
    // Named by a server, it is the same.
    let named = home.dev().await.bind_registered_agent(&"joe".into(), &"bot".into()).await.unwrap();
    let refused = named.decide(&id(&asked), yes(Approve::default())).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
    // And its human is the requester of what it asks for.
    let own = ask(&joes).await;
    let refused = home.as_user("joe").await.decide(&id(&own), yes(Approve::default())).await.unwrap_err();
    assert!(refused.message().contains("asked for this"), "{refused}");
}
