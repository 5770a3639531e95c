//! Two engines on one database, as two processes have it.

use crate::support::{DEV_KEY, FAMILY, TestClock, World, eventually};
use askfirst_domain::{Ident, RevisionToken, id::EnvId, request::Status};
use askfirst_engine::{
    Clock, Engine, EnvScope, Kind, Op, Parts, Secret, Settings, SystemEntropy,
    admin::{environments::NewEnvironment, keys::NewKey},
    check::Ask,
    requests::{Approve, AskAccess, Decide, Times, Verdict},
};
use askfirst_store::{AdminCommit, AdminOp, SqliteStore, Store};
use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};
use tokio::time::timeout;
use uuid::Uuid;

/// Nothing here takes longer, however slow the machine.
const LONG: Duration = Duration::from_secs(30);

struct Two {
    one: World,
    other: Engine,
}

impl Two {
    async fn start(settings: Settings) -> Self {
        let one = World::fresh().await;
        let other = engine(Arc::clone(&one.store), Arc::clone(&one.clock) as _, settings).await;
        Self { one, other }
    }

    async fn here(&self) -> EnvScope {
        self.one.dev().await
    }

    async fn there(&self) -> EnvScope {
        enter(&self.other, "dev").await.unwrap()
    }
}

async fn engine(store: Arc<dyn Store>, clock: Arc<dyn Clock>, settings: Settings) -> Engine {
    Engine::start(Parts { store, clock, entropy: Arc::new(SystemEntropy), settings }).await.unwrap()
}

async fn op(engine: &Engine) -> Op {
    engine.authenticate(&Secret::presented(DEV_KEY)).await.unwrap()
}

async fn enter(engine: &Engine, env: &str) -> askfirst_engine::Result<EnvScope> {
    engine.enter(op(engine).await, &Ident::from("default"), &Ident::from(env)).await
}

/// joe is a parent there as long as he is anybody.
fn read() -> Ask {
    Ask {
        user: "joe".to_owned(),
        action: "read".to_owned(),
        resource: "restaurants".to_owned(),
        instance: Some("pizza-palace".to_owned()),
        tenant: None,
    }
}

#[tokio::test]
async fn what_is_written_on_one_is_there_on_the_other_at_its_revision() {
    let two = Two::start(Settings::default()).await;
    let here = two.here().await;
    for round in 0..20 {
        if round % 2 == 0 {
            here.apply_policy(FAMILY).await.unwrap();
        } else {
            here.delete_user(&"joe".into()).await.unwrap();
        }
        let token = here.trail().decided();
        let there = two.there().await;
        there.at_least(&token.to_string()).await.unwrap();
        assert_eq!(there.is_allowed(&read()), round % 2 == 0, "round {round}");
        assert!(there.trail().decided().revision >= token.revision);
        assert_eq!(there.trail().read().await, Some(token), "nobody has written since");
    }
    // Without being asked, too.
    here.apply_policy(FAMILY).await.unwrap();
    eventually(async || two.there().await.is_allowed(&read()).then_some(())).await;
}

#[tokio::test]
async fn both_may_write_at_once() {
    let two = Two::start(Settings::default()).await;
    two.here().await.apply_policy(FAMILY).await.unwrap();
    let first = two.here().await.state().revision;
    let writer = async |scope: EnvScope, name: &'static str| {
        for n in 0..40 {
            let new = askfirst_engine::facts::NewTenant {
                key: format!("{name}-{n}").parse().unwrap(),
                name: name.to_owned(),
                description: None,
                attributes: askfirst_domain::facts::Attributes::default(),
            };
            scope.create_tenant(&new).await.unwrap();
            let key = format!("{name}-{n}");
            assert!(scope.state().snapshot.tenant(&key).is_some(), "a writer sees what it wrote");
        }
        scope.trail().decided()
    };
    let (here, there) = (two.here().await, two.there().await);
    let (a, b) = tokio::join!(writer(here.clone(), "a"), writer(there.clone(), "b"));
    for scope in [&here, &there] {
        for token in [a, b] {
            scope.at_least(&token.to_string()).await.unwrap();
        }
        assert_eq!(scope.state().revision, first + 80);
        for key in (0..40).flat_map(|n| [format!("a-{n}"), format!("b-{n}")]) {
            assert!(scope.state().snapshot.tenant(&key).is_some(), "{key}");
        }
    }
}

#[tokio::test]
async fn what_is_decided_on_one_wakes_who_waits_on_the_other() {
    let two = Two::start(Settings::default()).await;
    two.here().await.apply_policy(FAMILY).await.unwrap();
    let there = two.there().await;
    there.at_least(&two.here().await.trail().decided().to_string()).await.unwrap();
    let henry = there.act_for(&"henry".into()).await.unwrap();
    let wish = AskAccess {
        element: "restaurant-requests".into(),
        resource: Some("restaurants".into()),
        instance: Some("pizza-palace".into()),
        role: "child-can-order".into(),
        tenant: "default".into(),
        reason: "hungry".to_owned(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
    };
    let asked = henry.request_access(wish).await.unwrap();
    let id = Ident::from(asked.view.request.id.uuid());
    let joe = two.here().await.act_for(&"joe".into()).await.unwrap();
    let decide = async {
        let approve = Decide { approve: Verdict::Approve(Approve::default()), comment: None };
        joe.decide(&id, approve).await.unwrap();
    };
    let (waited, ()) = tokio::join!(timeout(LONG, henry.wait(&id, LONG)), decide);
    assert_eq!(waited.unwrap().unwrap().request.status, Status::Approved);
}

#[tokio::test]
async fn a_key_opens_and_stops_opening_on_both() {
    let two = Two::start(Settings::default()).await;
    let op = two.one.engine.system("test").unwrap();
    let org = two.one.engine.open(op).unwrap();
    let new = || NewKey::Environment { project: "default".into(), env: "dev".into() };
    for _ in 0..3 {
        let (key, secret) = org.create_key(new(), None).await.unwrap();
        // At once: what is not known is looked up before it is refused.
        two.other.authenticate(&secret).await.unwrap();
        org.revoke_key(&Ident::from(key.id.uuid())).await.unwrap();
        let refused = eventually(async || two.other.authenticate(&secret).await.err()).await;
        assert_eq!(refused.kind(), Kind::Unauthenticated);
    }
    let nobody = Secret::presented("askfirst_key_made_by_nobody");
    for _ in 0..3 {
        assert_eq!(two.other.authenticate(&nobody).await.unwrap_err().kind(), Kind::Unauthenticated);
    }
}

#[tokio::test]
async fn environments_come_and_go_on_both() {
    let two = Two::start(Settings::default()).await;
    let org = two.one.engine.open(two.one.engine.system("test").unwrap()).unwrap();
    let new = NewEnvironment {
        key: "staging".parse().unwrap(),
        name: "Staging".to_owned(),
        description: None,
        custom_branch_name: None,
        jwks: None,
        settings: None,
    };
    org.create_environment(&"default".into(), new).await.unwrap();
    let there = || two.other.open(two.other.system("test").unwrap()).unwrap();
    let found = async || there().get_environment(&"default".into(), &"staging".into()).ok();
    let staging = eventually(found).await;
    let system = two.other.system("test").unwrap();
    let inside = two.other.enter(system, &"default".into(), &"staging".into()).await.unwrap();
    assert_eq!(inside.environment().id, staging.id);

    org.delete_environment(&"default".into(), &"staging".into()).await.unwrap();
    eventually(async || found().await.is_none().then_some(())).await;
    assert_eq!(inside.trail().read().await, None, "there is nothing to be at a revision of");
}

#[tokio::test]
async fn tokens_that_mean_nothing_here_are_refused() {
    let two = Two::start(Settings::default()).await;
    let here = two.here().await;
    let token = here.trail().decided();
    let refusal = async |token: String| here.at_least(&token).await.unwrap_err();
    for garbage in ["", "1", "hello", token.to_string().get(1..).unwrap(), "\u{e9}"] {
        assert_eq!(refusal(garbage.to_owned()).await.kind(), Kind::Invalid, "{garbage}");
    }
    let elsewhere = RevisionToken { env: EnvId::new(Uuid::from_u128(1)), ..token };
    assert_eq!(refusal(elsewhere.to_string()).await.kind(), Kind::Invalid);
    let before = RevisionToken { epoch: Uuid::from_u128(1), ..token };
    let error = refusal(before.to_string()).await;
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.message().contains("restored from a backup"), "{error}");
    let never = RevisionToken { revision: token.revision + 1, ..token };
    let error = refusal(never.to_string()).await;
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.message().contains("has not happened"), "{error}");
    here.at_least(&token.to_string()).await.unwrap();
    here.at_least(&RevisionToken { revision: 0, ..token }.to_string()).await.unwrap();
}

/// Puts the environment back to its beginning, as a restored backup does, under another epoch.
async fn restore(store: &dyn Store, scope: &EnvScope, epoch: u128) {
    let environment = scope.environment().clone();
    let ops = vec![
        AdminOp::DeleteEnvironment(environment.id),
        AdminOp::PutEnvironment { environment, epoch: Uuid::from_u128(epoch) },
    ];
    store.commit_admin(AdminCommit { ops, audit: Vec::new() }).await.unwrap();
}

#[tokio::test]
async fn a_restored_backup_is_read_from_its_beginning() {
    let two = Two::start(Settings::default()).await;
    let here = two.here().await;
    here.apply_policy(FAMILY).await.unwrap();
    let old = here.trail().decided();
    assert!(here.is_allowed(&read()));
    // The keys of the environment go with it, so these stay open.
    let there = two.there().await;
    restore(two.one.store.as_ref(), &here, 9).await;
    for scope in [&here, &there] {
        let state =
            eventually(async || Some(scope.state()).filter(|state| state.epoch == Uuid::from_u128(9)));
        assert_eq!(state.await.revision, 0);
        assert!(!scope.is_allowed(&read()));
        assert_eq!(scope.at_least(&old.to_string()).await.unwrap_err().kind(), Kind::Conflict);
    }
    // Written before anybody has seen the other epoch, a commit shows all the same.
    restore(two.one.store.as_ref(), &here, 10).await;
    here.apply_policy(FAMILY).await.unwrap();
    assert!(here.is_allowed(&read()));
    assert_eq!(here.state().epoch, Uuid::from_u128(10));
    there.at_least(&here.trail().decided().to_string()).await.unwrap();
    assert!(there.is_allowed(&read()));
}

#[tokio::test]
async fn who_does_not_hear_from_the_database_stops_answering() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("askfirst.db");
    let store = Arc::new(SqliteStore::open(path, askfirst_store::Options::default()).await.unwrap());
    let clock = Arc::new(TestClock(AtomicI64::new(1)));
    let settings = Settings { max_lag: Some(LONG), ..Settings::default() };
    let patient = engine(Arc::clone(&store) as _, Arc::clone(&clock) as _, settings).await;
    patient.first_start(Some(Secret::presented(DEV_KEY))).await.unwrap();
    let settings = Settings { max_lag: Some(Duration::from_millis(700)), ..Settings::default() };
    let strict = engine(Arc::clone(&store) as _, clock, settings).await;
    let scope = eventually(async || enter(&strict, "dev").await.ok()).await;
    eventually(async || strict.ready().await.ok()).await;

    store.close().await;
    let credential = Secret::presented(DEV_KEY);
    let refused = eventually(async || strict.authenticate(&credential).await.err()).await;
    assert_eq!(refused.kind(), Kind::Unavailable);
    assert!(refused.message().contains("has not heard from the database"), "{refused}");
    // An environment has its own age: it may have been read after the directory.
    let refused = eventually(async || strict.act_own_environment(&scope).await).await;
    assert_eq!(refused, Kind::Unavailable);
    for engine in [&patient, &strict] {
        let unready = engine.ready().await.unwrap_err();
        assert_eq!(unready.message(), "The database does not answer.");
    }
    // Within its bound, the other one answers from memory.
    enter(&patient, "dev").await.unwrap();
}

/// Opens an environment once more with a credential that was settled before.
trait Again {
    async fn act_own_environment(&self, scope: &EnvScope) -> Option<Kind>;
}

impl Again for Engine {
    async fn act_own_environment(&self, scope: &EnvScope) -> Option<Kind> {
        let entered = self.enter(scope.op().clone(), &"default".into(), &"dev".into()).await;
        entered.err().map(|error| error.kind())
    }
}
