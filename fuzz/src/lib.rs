//! A whole server in this process, with the family of the example in it, for targets that go through the front door.

use askfirst_engine::{Engine, Parts, Secret, Settings, SystemClock, SystemEntropy};
use askfirst_store::{SqliteStore, Store};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use serde_json::Value;
use std::{cell::OnceCell, sync::Arc};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const KEY: &str = "key-of-dev";
const FAMILY: &str = include_str!("../../examples/family/policy.yaml");

/// The server of a process.
pub struct Server {
    runtime: Runtime,
    router: Router,
    _engine: Engine,
    _home: TempDir,
}

thread_local! {
    static SERVER: OnceCell<Server> = const { OnceCell::new() };
}

/// Does something with the server, which is started for the first input and stays for all.
pub fn with_server<T>(act: impl FnOnce(&Server) -> T) -> T {
    SERVER.with(|server| act(server.get_or_init(Server::start)))
}

impl Server {
    fn start() -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (engine, router) = runtime.block_on(async {
            let path = home.path().join("askfirst.db");
            let store = SqliteStore::open(path, askfirst_store::Options::default()).await.expect("the store opens");
            let store: Arc<dyn Store> = Arc::new(store);
            let settings = Settings { public_url: "https://pdp.example".to_owned(), ..Settings::default() };
            let parts =
                Parts { store, clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), settings };
            let engine = Engine::start(parts).await.expect("the engine starts");
            engine.first_start(Some(Secret::presented(KEY))).await.expect("the first start");
            let router = askfirst_http::router(engine.clone(), askfirst_http::Options::default());
            (engine, router)
        });
        let server = Self { runtime, router, _engine: engine, _home: home };
        let file = serde_json::json!({"file": FAMILY}).to_string();
        let (status, told) = server.call("PUT", "/api/v1/policy", file.as_bytes());
        assert_eq!(status, StatusCode::OK, "{told}");
        server
    }

    /// Calls with the key of the environment; the answer's status and its body, null when that is no JSON.
    pub fn call(&self, method: &str, path: &str, body: &[u8]) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_LENGTH, body.len())
            .body(Body::from(body.to_vec()))
            .expect("a request");
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.expect("the router never fails");
            let status = answer.status();
            let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
            (status, serde_json::from_slice(&bytes).unwrap_or_default())
        })
    }
}
