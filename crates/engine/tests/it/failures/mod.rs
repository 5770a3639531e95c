//! What can go wrong with approvals, and what holds then. `docs/failures.md` is the table of all of them; here are those
//! that concern the store, the clock, and who people are.

mod every_call;
mod faulty;
mod people;
mod random;

use crate::support::{DEV_KEY, TestClock};
use askfirst_domain::{
    Ident,
    binding::Call,
    id::{EnvId, RequestId},
    request::{Request, RequestKind},
};
use askfirst_engine::{
    Acting, Clock, Engine, EnvScope, Kind, Parts, Secret, Settings, SystemEntropy,
    requests::{Approve, AskOperation, Decide, Redeem, Times, Verdict},
};
use askfirst_store::{
    AuditFilter, Durability, Options, Page, RequestFilter, SqliteStore, Store,
    tools::{self, Place},
};
use faulty::{Came, Fault, Faulty, under};
use serde_json::{Map, json};
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicI64},
};
use tempfile::TempDir;

const FAMILY: &str = include_str!("../requests/family.yaml");
const DISH: &str = "pizza-palace_truffle-pizza";

/// An installation whose process may die, and whose store may fail. `joe` and `jane` review what `henry` and `rose` ask for.
struct Ground {
    engine: Engine,
    store: Arc<dyn Store>,
    clock: Arc<TestClock>,
    folder: TempDir,
}

impl Ground {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { durability: Durability::ProcessOnly, ..Options::default() };
        let store = SqliteStore::open(folder.path().join("askfirst.db"), options).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(Faulty(Arc::new(store)));
        let clock = Arc::new(TestClock(AtomicI64::new(1_790_000_000_000_000)));
        let engine = start(&store, &clock).await;
        engine.first_start(Some(Secret::presented(DEV_KEY))).await.unwrap();
        let ground = Self { engine, store, clock, folder };
        ground.dev().await.apply_policy(FAMILY).await.unwrap();
        ground
    }

    /// The process ends, and another one starts on what is there.
    async fn restart(&mut self) {
        self.engine = start(&self.store, &self.clock).await;
    }

    async fn dev(&self) -> EnvScope {
        let op = self.engine.authenticate(&Secret::presented(DEV_KEY)).await.unwrap();
        self.engine.enter(op, &Ident::from("default"), &Ident::from("dev")).await.unwrap()
    }

    async fn env(&self) -> EnvId {
        self.dev().await.environment().id
    }

    async fn user(&self, key: &str) -> Acting {
        self.dev().await.act_for(&Ident::from(key)).await.unwrap()
    }

    /// Henry's agent.
    async fn agent(&self) -> Acting {
        self.dev().await.bind_agent(&Ident::from("henry")).await.unwrap()
    }

    async fn stored(&self, id: RequestId) -> Request {
        self.store.request(self.env().await, id).await.unwrap().unwrap().value
    }

    /// All requests for one call.
    async fn all_requests(&self) -> Vec<Request> {
        let filter = RequestFilter { kind: Some(RequestKind::OperationApproval), ..RequestFilter::default() };
        self.store.requests(self.env().await, &filter, Page::ALL).await.unwrap().items
    }

    /// How many events of this code tell of the request.
    async fn told(&self, id: RequestId, code: &str) -> u64 {
        let filter = AuditFilter { request: Some(id), code: Some(code.to_owned()) };
        self.store.audit_events(Some(self.env().await), &filter, Page::ALL).await.unwrap().total
    }

    /// The log has no gap, the tables are what it comes to, and the audit log is the chain that was written.
    async fn is_sound(&self) {
        let findings = tools::check(&Place::Sqlite(self.database()), &mut |_| ()).await.unwrap();
        assert!(findings.is_empty(), "{findings:?}");
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("askfirst.db")
    }
}

async fn start(store: &Arc<dyn Store>, clock: &Arc<TestClock>) -> Engine {
    let parts = Parts {
        store: Arc::clone(store),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        entropy: Arc::new(SystemEntropy),
        settings: Settings::default(),
    };
    Engine::start(parts).await.unwrap()
}

/// One of many calls that could be made.
fn call(number: u32) -> Call {
    let arguments = json!({"dish": "Truffle Pizza", "count": number});
    Call { action: "order_dish".to_owned(), arguments, context: Map::new() }
}

fn wish(call: Call) -> AskOperation {
    AskOperation {
        element: "dish-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some(DISH.to_owned()),
        reason: "hungry".to_owned(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
        uses: None,
        call: Some(call),
    }
}

fn yes() -> Decide {
    Decide { approve: Verdict::Approve(Approve::default()), comment: None }
}

fn no() -> Decide {
    Decide { approve: Verdict::Deny, comment: None }
}

fn with(call: Call) -> Redeem {
    Redeem { call: Some(call), ..Redeem::default() }
}

fn ident(id: RequestId) -> Ident {
    Ident::from(id.uuid())
}

/// What a caller sees of a failed store, which is nothing that it could take for a decision.
fn is_no_answer(kind: Kind) -> bool {
    matches!(kind, Kind::Internal | Kind::Unavailable)
}
