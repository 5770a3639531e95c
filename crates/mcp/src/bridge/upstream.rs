//! The bridge's own connection to `/mcp` of a server.

use super::BridgeError;
use crate::wire;
use askfirst_engine::Secret;
use http::{HeaderName, HeaderValue};
use reqwest::Url;
use rmcp::{
    ClientHandler, ErrorData, RoleClient,
    handler::client::progress::ProgressDispatcher,
    model::{
        ClientConfig, Implementation, ListToolsResult, PaginatedRequestParams, ProgressNotificationParam,
        ProtocolVersion,
    },
    service::{
        ClientCacheConfig, ClientInitializeError, ClientLifecycleMode, ClientServiceExt as _,
        NotificationContext, Peer, RunningService, ServiceError,
    },
    transport::{
        DynamicTransportError, StreamableHttpClientTransport,
        streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError},
    },
};
use std::{collections::HashMap, time::Duration};
use tokio::sync::Mutex;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);
/// The pauses between tries to reach a server that does not answer: it may just be starting again.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_secs(1)];
/// Calls that wait at the same time.
const AT_ONCE: usize = 256;

/// What can go wrong between the bridge and the server.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server answered with an error of the protocol.
    Protocol(ErrorData),
    /// The server does not serve this connection, and says why.
    Refused(String),
    /// Nothing was sent.
    Unreachable,
    /// It is not known whether the server got the call.
    Broken,
    /// The key opens nothing (any more).
    Key,
}

impl Trouble {
    /// Whether a call that changes nothing may be made again.
    pub(super) fn may_be_repeated(&self) -> bool {
        matches!(self, Self::Unreachable | Self::Broken)
    }

    /// Whether the server can't have got the call.
    pub(super) fn was_not_sent(&self) -> bool {
        matches!(self, Self::Unreachable)
    }
}

/// The way to the server. Connects when it has to, and again when it has to.
#[derive(Debug)]
pub(super) struct Upstream {
    url: String,
    client: reqwest::Client,
    config: StreamableHttpClientTransportConfig,
    progress: ProgressDispatcher,
    connection: Mutex<Option<RunningService<RoleClient, Listener>>>,
}

/// The client side of the connection: hands progress on.
#[derive(Debug)]
struct Listener(ProgressDispatcher);

impl ClientHandler for Listener {
    fn get_info(&self) -> ClientConfig {
        let mut config = ClientConfig::default();
        config.client_info = Implementation::new("askfirst-mcp", env!("CARGO_PKG_VERSION"));
        config
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.0.handle_notification(params).await;
    }
}

impl Upstream {
    pub(super) fn new(
        url: &str,
        key: &Secret,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<Self, BridgeError> {
        let wrong = || BridgeError::Address(url.to_owned());
        let base = Url::parse(url.trim()).map_err(|_| wrong())?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() || !base.username().is_empty() {
            return Err(wrong());
        }
        let base = base.as_str().trim_end_matches('/').to_owned();
        let client = client(&base)?;
        let config = StreamableHttpClientTransportConfig::with_uri(format!("{base}{}", wire::PATH))
            .auth_header(key.reveal())
            .custom_headers(headers)
            .max_concurrent_requests(AT_ONCE);
        Ok(Self {
            url: base,
            client,
            config,
            progress: ProgressDispatcher::new(),
            connection: Mutex::default(),
        })
    }

    /// Looks whether askfirst answers at all. A refused key or name is told to the model, with each call: that is where
    /// the people in front of a host look, and few hosts show them why a process has ended.
    pub(super) async fn connect(&self) -> Result<(), BridgeError> {
        match self.peer().await {
            Ok(_) => Ok(()),
            Err(Opening::Unreachable) => Err(BridgeError::Unreachable(self.url.clone())),
            Err(Opening::Stranger(detail)) => Err(BridgeError::Stranger { url: self.url.clone(), detail }),
            Err(refused @ (Opening::Key | Opening::Refused(_))) => {
                let sentence = self.sentence(&refused.into());
                tracing::error!("{sentence}");
                Ok(())
            }
        }
    }

    /// The server's tools for this connection.
    pub(super) async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
    ) -> Result<ListToolsResult, Trouble> {
        let list = || async {
            let peer = self.peer().await?;
            peer.list_tools(page.clone()).await.map_err(trouble)
        };
        self.patiently(Trouble::may_be_repeated, list).await
    }

    /// Does something, and after a pause again when it failed in a way that allows it: the server may be starting again.
    pub(super) async fn patiently<T, F: Future<Output = Result<T, Trouble>>>(
        &self,
        allows: fn(&Trouble) -> bool,
        mut work: impl FnMut() -> F,
    ) -> Result<T, Trouble> {
        for pause in PAUSES {
            match work().await {
                Err(trouble) if allows(&trouble) => tokio::time::sleep(pause).await,
                done => return done,
            }
        }
        work().await
    }

    /// Where progress arrives.
    pub(super) fn progress(&self) -> &ProgressDispatcher {
        &self.progress
    }

    /// One sentence for the model.
    pub(super) fn sentence(&self, trouble: &Trouble) -> String {
        let url = &self.url;
        match trouble {
            Trouble::Protocol(error) => error.message.to_string(),
            Trouble::Refused(sentence) => sentence.clone(),
            Trouble::Unreachable => {
                format!("askfirst at {url} can't be reached; start it with `askfirst serve`.")
            }
            Trouble::Broken => format!(
                "The connection to askfirst at {url} broke before it answered, so it may or may not have been done; look \
                 with a list tool or get_request before you try again."
            ),
            Trouble::Key => format!(
                "askfirst at {url} does not accept the API key of this connection; whoever set it up has to give it one \
                 that was made with `askfirst key create`."
            ),
        }
    }

    /// The open connection; opens it if it is not.
    pub(super) async fn peer(&self) -> Result<Peer<RoleClient>, Opening> {
        let mut connection = self.connection.lock().await;
        if let Some(open) = connection.as_ref().filter(|c| !c.is_closed() && !c.peer().is_transport_closed())
        {
            return Ok(open.peer().clone());
        }
        let transport = StreamableHttpClientTransport::with_client(self.client.clone(), self.config.clone());
        // The newest revision has no session that a restart could end.
        let lifecycle =
            ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
        let opened = Listener(self.progress.clone()).serve_with_lifecycle(transport, lifecycle);
        let opened = Box::pin(opened).await;
        let opened = opened.map_err(Opening::from)?;
        let peer = opened.peer().clone();
        peer.set_response_cache_config(ClientCacheConfig::disabled()).await;
        *connection = Some(opened);
        Ok(peer)
    }
}

/// The one HTTP client of the bridge. No limit on the whole answer: calls wait for people.
fn client(base: &str) -> Result<reqwest::Client, BridgeError> {
    let mut builder =
        reqwest::Client::builder().connect_timeout(CONNECT).redirect(reqwest::redirect::Policy::none());
    if is_loopback(base) {
        // A proxy elsewhere could not reach it.
        builder = builder.no_proxy();
    }
    builder.build().map_err(|e| BridgeError::Client(e.to_string()))
}

fn is_loopback(base: &str) -> bool {
    let host = Url::parse(base).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|ip| ip.is_loopback())
}

/// Why no connection could be opened.
#[derive(Debug)]
pub(super) enum Opening {
    Unreachable,
    Key,
    Refused(String),
    Stranger(String),
}

impl From<ClientInitializeError> for Opening {
    fn from(error: ClientInitializeError) -> Self {
        match error {
            ClientInitializeError::JsonRpcError(refused)
                if refused.data.as_ref().is_some_and(|data| data.get(wire::REFUSED).is_some()) =>
            {
                Self::Refused(refused.message.into_owned())
            }
            ClientInitializeError::JsonRpcError(other) => Self::Stranger(other.message.into_owned()),
            ClientInitializeError::TransportError { error, .. } => match cause(&error) {
                Cause::NotSent => Self::Unreachable,
                Cause::Key => Self::Key,
                Cause::Other => Self::Stranger(error.error.to_string()),
            },
            other => Self::Stranger(other.to_string()),
        }
    }
}

impl From<Opening> for Trouble {
    fn from(opening: Opening) -> Self {
        match opening {
            // Nothing of the call itself was sent in any of these.
            Opening::Unreachable => Self::Unreachable,
            Opening::Key => Self::Key,
            Opening::Refused(sentence) => Self::Refused(sentence),
            Opening::Stranger(detail) => {
                Self::Refused(format!("What answers is not askfirst, or another version of it ({detail})."))
            }
        }
    }
}

/// What became of a call that was not answered.
pub(super) fn trouble(error: ServiceError) -> Trouble {
    match error {
        ServiceError::TransportSend(error) => match cause(&error) {
            Cause::NotSent => Trouble::Unreachable,
            Cause::Key => Trouble::Key,
            Cause::Other => Trouble::Broken,
        },
        ServiceError::McpError(error) => Trouble::Protocol(error),
        _ => Trouble::Broken,
    }
}

enum Cause {
    NotSent,
    Key,
    Other,
}

fn cause(error: &DynamicTransportError) -> Cause {
    match error.error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
        Some(StreamableHttpError::Client(e)) if e.is_connect() => Cause::NotSent,
        Some(StreamableHttpError::AuthRequired(_) | StreamableHttpError::InsufficientScope(_)) => Cause::Key,
        _ => Cause::Other,
    }
}
