//! The whole router on a real database in a temporary folder, and calls to it.

use crate::conforms::{self, Exchange};
use askfirst_domain::Timestamp;
use askfirst_engine::{Clock, Engine, Parts, Secret, Settings, SystemEntropy, decisions::LogSettings};
use askfirst_http::{Front, Options, router};
use askfirst_store::{SqliteStore, Store, decisions::SqliteDecisions};
use axum::{Router, body::Body};
use http::{Request, header};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// The paths of `default`/`dev`.
pub(crate) const FACTS: &str = "/v2/facts/default/dev";
pub(crate) const SCHEMA: &str = "/v2/schema/default/dev";

/// A clock that stands until it is moved; each look is a microsecond later.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).expect("a short time"), Ordering::SeqCst);
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst) / 1_000_000
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// A server after its first start.
pub(crate) struct Server {
    pub(crate) router: Router,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) keys: HashMap<String, String>,
    /// Ends answers that go on for ever.
    pub(crate) shutdown: CancellationToken,
    pub(crate) engine: Engine,
    dir: TempDir,
}

/// A client with one credential, or none.
pub(crate) struct Client<'a> {
    server: &'a Server,
    key: Option<String>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

async fn engine_on(dir: &TempDir, clock: &Arc<TestClock>, settings: Settings) -> Engine {
    let store = SqliteStore::open(dir.path().join("askfirst.db"), askfirst_store::Options::default())
        .await
        .expect("the store opens");
    let store: Arc<dyn Store> = Arc::new(store);
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let parts = Parts { store, clock, entropy: Arc::new(SystemEntropy), settings };
    Engine::start(parts).await.expect("the engine starts")
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        Self::start_within(options, Settings::default()).await
    }

    pub(crate) async fn start_within(options: Options, settings: Settings) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(TestClock(AtomicI64::new(1_790_000_000_000_000)));
        let engine = engine_on(&dir, &clock, settings).await;
        let made = engine.first_start(Some(Secret::presented("key-of-dev"))).await.expect("the first start");
        let made = made.expect("the first keys").into_iter();
        let keys = made.map(|key| (key.opens, key.secret.reveal().to_owned())).collect();
        let shutdown = options.shutdown.clone();
        Self { router: router(engine.clone(), options), clock, keys, shutdown, engine, dir }
    }

    /// Another server on the same folder, set otherwise.
    pub(crate) async fn restarted(self, settings: Settings) -> Self {
        let Self { router: before, engine, dir, clock, keys, shutdown } = self;
        drop((before, engine));
        let engine = engine_on(&dir, &clock, settings).await;
        Self { router: router(engine.clone(), Options::default()), clock, keys, shutdown, engine, dir }
    }

    /// What connections are given to.
    pub(crate) fn front(&self) -> Front {
        Front::new(self.engine.clone(), self.router.clone())
    }

    /// Keeps a decision log from now on.
    pub(crate) async fn log_decisions(&self) {
        let log = SqliteDecisions::open(self.dir.path().join("decisions.db")).await.expect("the log opens");
        self.engine.log_decisions(Arc::new(log), LogSettings::default()).expect("there is randomness");
    }

    /// The description of the API, which is the same for every server.
    async fn description(&self) -> &'static Value {
        static DESCRIPTION: OnceCell<Value> = OnceCell::const_new();
        let read = || async {
            let request = Request::get("/openapi.json").body(Body::empty()).expect("a request");
            let response = self.router.clone().oneshot(request).await.expect("the router never fails");
            let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            serde_json::from_slice(&bytes).expect("a JSON body")
        };
        DESCRIPTION.get_or_init(read).await
    }

    pub(crate) fn client(&self, key: Option<&str>) -> Client<'_> {
        Client { server: self, key: key.map(str::to_owned) }
    }

    /// The holder of a first key, by what it opens: `environment default/dev`.
    pub(crate) fn holder(&self, opens: &str) -> Client<'_> {
        self.client(Some(&self.keys[opens]))
    }

    pub(crate) fn dev(&self) -> Client<'_> {
        self.holder("environment default/dev")
    }

    pub(crate) fn org(&self) -> Client<'_> {
        self.holder("organization default")
    }
}

impl Client<'_> {
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.send_with(method, path, body, &[]).await
    }

    /// With more headers.
    pub(crate) async fn send_with(
        &self,
        method: &str,
        path: &str,
        sent: Option<&Value>,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        if let Some(key) = &self.key {
            // Permit's 2.x client writes the scheme in lower case.
            request = request.header(header::AUTHORIZATION, format!("bearer {key}"));
        }
        let bytes = sent.map_or_else(Vec::new, |value| serde_json::to_vec(value).expect("JSON"));
        if !bytes.is_empty() {
            request = request.header(header::CONTENT_LENGTH, bytes.len());
        }
        let request = request.body(Body::from(bytes)).expect("a request");
        let response = self.server.front().answer(request).await;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let kind = headers.get(header::CONTENT_TYPE).cloned();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            let is_problem = status >= 400 && path.starts_with("/access/v1/");
            let expected = if is_problem { "application/problem+json" } else { "application/json" };
            assert_eq!(kind.as_ref().and_then(|k| k.to_str().ok()), Some(expected), "{method} {path}");
            serde_json::from_slice(&bytes).expect("a JSON body")
        };
        let exchange = Exchange { method, path, sent, status, answered: &body };
        conforms::check(self.server.description().await, &exchange);
        Answer { status, headers, body }
    }

    /// The call must succeed.
    pub(crate) async fn ok(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.send(method, path, (!body.is_null()).then_some(body)).await;
        assert!((200..300).contains(&answer.status), "{method} {path} {body}: {answer:?}");
        answer.body
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ok("GET", path, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.ok("POST", path, &body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        self.ok("PUT", path, &body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Value {
        self.ok("PATCH", path, &body).await
    }

    pub(crate) async fn delete(&self, path: &str, body: Value) -> Value {
        self.ok("DELETE", path, &body).await
    }

    /// The call must be refused like this; answers the sentence.
    pub(crate) async fn refused(
        &self,
        status: u16,
        code: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> String {
        let answer = self.send(method, path, (!body.is_null()).then_some(&body)).await;
        let said = (answer.status, answer.body["error_code"].as_str().unwrap_or_default().to_owned());
        assert_eq!(said, (status, code.to_owned()), "{method} {path} {body}: {answer:?}");
        let message = answer.body["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.ends_with('.') && message.contains(' '), "not a sentence: {message}");
        message
    }
}

/// The members of a list, by one of their names.
pub(crate) fn names(list: &Value, name: &str) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| item[name].as_str().unwrap_or_default().to_owned()).collect()
}
