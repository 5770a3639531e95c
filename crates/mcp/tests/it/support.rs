//! The family on a real store behind a real port, and MCP clients that come to it.

use askfirst_domain::Ident;
use askfirst_engine::{
    Acting, Engine, EnvScope, Parts, Secret, Settings, SystemClock, SystemEntropy, admin::keys::NewKey,
};
use askfirst_mcp::{HttpOptions, http_service};
use askfirst_store::{Options, SqliteStore};
use http::{HeaderName, HeaderValue};
use rmcp::{
    ClientHandler, RoleClient,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult, ClientConfig, ProtocolVersion},
    service::{ClientInitializeError, ClientLifecycleMode, ClientServiceExt as _, RunningService},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

pub(crate) const POLICY: &str = include_str!("policy.yaml");

pub(crate) struct Family {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) url: String,
    /// The key of `default`/`dev`.
    pub(crate) env_key: String,
    pub(crate) org_key: String,
    address: SocketAddr,
    server: Option<Runtime>,
    _data: TempDir,
}

impl Family {
    pub(crate) async fn at_home() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let data = tempfile::tempdir().unwrap();
        let store =
            Arc::new(SqliteStore::open(data.path().join("store.db"), Options::default()).await.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let url = format!("http://{address}");
        let engine = Engine::start(Parts {
            store: store.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            settings: Settings { public_url: url.clone(), ..Settings::default() },
        })
        .await
        .unwrap();
        let env_key = "askfirst_test_key_of_dev".to_owned();
        let keys = engine.first_start(Some(Secret::presented(env_key.clone()))).await.unwrap().unwrap();
        let org_key = keys.iter().find(|k| k.opens.starts_with("organization")).unwrap();
        let org_key = org_key.secret.reveal().to_owned();
        let mut family = Self { engine, store, url, env_key, org_key, address, server: None, _data: data };
        family.scope().await.apply_policy(POLICY).await.unwrap();
        family.start().await;
        family
    }

    /// Serves on a runtime of its own, so that it can be killed with all its connections.
    pub(crate) async fn start(&mut self) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (engine, address) = (self.engine.clone(), self.address);
        let (listening, listens) = tokio::sync::oneshot::channel();
        runtime.spawn(async move {
            let listener = TcpListener::bind(address).await.unwrap();
            listening.send(()).unwrap();
            axum::serve(listener, http_service(engine, HttpOptions::default())).await.unwrap();
        });
        listens.await.unwrap();
        self.server = Some(runtime);
    }

    /// Ends the server at once, in the middle of whatever it does.
    pub(crate) async fn kill(&mut self) {
        let runtime = self.server.take().unwrap();
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(5))).await.unwrap();
    }

    pub(crate) async fn scope(&self) -> EnvScope {
        let op = self.engine.authenticate(&Secret::presented(self.env_key.clone())).await.unwrap();
        self.engine.enter_own(op).await.unwrap()
    }

    /// A user, for whom the server itself acts.
    pub(crate) async fn person(&self, key: &str) -> Acting {
        self.scope().await.act_for(&Ident::new(key)).await.unwrap()
    }

    /// An agent's key.
    pub(crate) async fn agent_key(&self, user: &str) -> String {
        let op = self.engine.authenticate(&Secret::presented(self.org_key.clone())).await.unwrap();
        let new = NewKey::Agent { project: "default".into(), env: "dev".into(), user: user.into() };
        self.engine.open(op).unwrap().create_key(new, None).await.unwrap().1.reveal().to_owned()
    }

    pub(crate) fn mcp_url(&self) -> String {
        format!("{}/mcp", self.url)
    }

    /// A client of the newest revision.
    pub(crate) async fn client(&self, key: &str, headers: &[(&'static str, &str)]) -> Client {
        self.connect(&self.mcp_url(), key, headers, modern()).await.unwrap()
    }

    pub(crate) async fn connect(
        &self,
        url: &str,
        key: &str,
        headers: &[(&'static str, &str)],
        lifecycle: ClientLifecycleMode,
    ) -> Result<Client, ClientInitializeError> {
        self.connect_with(ClientConfig::default(), url, key, headers, lifecycle).await
    }

    pub(crate) async fn connect_with<H: ClientHandler>(
        &self,
        handler: H,
        url: &str,
        key: &str,
        headers: &[(&'static str, &str)],
        lifecycle: ClientLifecycleMode,
    ) -> Result<RunningService<RoleClient, H>, ClientInitializeError> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        let config = StreamableHttpClientTransportConfig::with_uri(url)
            .auth_header(key)
            .custom_headers(headers.collect());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let transport = StreamableHttpClientTransport::with_client(http, config);
        handler.serve_with_lifecycle(transport, lifecycle).await
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if let Some(runtime) = self.server.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) type Client = RunningService<RoleClient, ClientConfig>;

pub(crate) fn modern() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
}

pub(crate) fn legacy() -> ClientLifecycleMode {
    ClientLifecycleMode::Initialize
}

/// Calls a tool.
pub(crate) async fn call<H: ClientHandler>(
    client: &RunningService<RoleClient, H>,
    tool: &'static str,
    arguments: Value,
) -> CallToolResult {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    match client.call_tool_once(CallToolRequestParams::new(tool).with_arguments(arguments)).await.unwrap() {
        CallToolResponse::Complete(result) => result,
        other => panic!("not a result: {other:?}"),
    }
}

/// The object that a call answers; its text says the same.
pub(crate) fn object(result: CallToolResult) -> Value {
    let text = text(&result);
    assert_ne!(result.is_error, Some(true), "{text}");
    let structured = result.structured_content.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), structured);
    structured
}

/// The sentence of a refused call.
pub(crate) fn refusal(result: &CallToolResult) -> String {
    let text = text(result);
    assert_eq!(result.is_error, Some(true), "{text}");
    assert_eq!(result.structured_content, None);
    text
}

fn text(result: &CallToolResult) -> String {
    assert_eq!(result.content.len(), 1);
    result.content[0].as_text().unwrap().text.clone()
}

/// Asks for henry's role.
pub(crate) fn wish() -> Value {
    json!({"role": "child-can-order", "reason": "I am now 18", "resource_instance": "pizza-palace"})
}
