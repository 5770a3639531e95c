//! The pieces of a server put together, from the first byte on the disk to the last answer.

use super::{
    connections::{self, Limits},
    data::DataDir,
    database::{Database, Opened},
    delivery::Delivery,
    lanes::Lanes,
    tls::{Tls, TlsFiles},
};
use crate::signals::Signals;
use anyhow::{Context as _, anyhow};
use askfirst_engine::{
    Engine, Parts, PolicyLimits, Secret, Settings, SystemClock, SystemEntropy, admin::start::FirstKey,
    decisions::LogSettings, delivery::Courier, oidc::Issuer, requests::RequestTimes,
};
use askfirst_http::Front;
use askfirst_mcp::HttpOptions;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// How long calls that run may go on after the server was told to stop.
const GRACE: Duration = Duration::from_secs(8);

/// How to serve.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) database: Database,
    /// How long a call may wait for the revision that it demands.
    pub(crate) at_least_wait: Duration,
    pub(crate) public_url: Option<String>,
    /// How a decision log is kept; none keeps none.
    pub(crate) decisions: Option<LogSettings>,
    /// Whom it tells, and where it may.
    pub(crate) delivery: Delivery,
    /// How far decisions look, and how large conditions may be.
    pub(crate) policy: PolicyLimits,
    pub(crate) requests: RequestTimes,
    /// With whom humans may sign in, besides links and passwords.
    pub(crate) oidc: Option<Arc<Issuer>>,
    pub(crate) http: askfirst_http::Options,
    /// Becomes the key of default/dev at the first start.
    pub(crate) first_key: Option<Secret>,
    /// None speaks plain HTTP.
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) limits: Limits,
}

/// A server that answers.
#[derive(Debug)]
pub(crate) struct Running {
    url: String,
    keys_file: Option<PathBuf>,
    first_keys: Vec<FirstKey>,
    engine: Engine,
    database: Opened,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    /// Held longer than anything that was begun on one of them.
    _lanes: Arc<Lanes>,
    /// Given back last.
    _data: DataDir,
}

impl Running {
    /// Starts; when this returns, calls are answered.
    ///
    /// # Errors
    /// When the data directory or the port is taken, or the data can't be read.
    pub(crate) async fn start(config: Config) -> anyhow::Result<Self> {
        let tls = config.tls.map(Tls::read).transpose()?;
        let (data, max_lag) = match &config.database {
            Database::OwnFile => (DataDir::take(&config.data)?, None),
            Database::Shared { max_lag, .. } => (DataDir::share(&config.data)?, Some(*max_lag)),
        };
        let listener = listen(config.listen).await?;
        let address = listener.local_addr().context("the port is gone")?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{address}");
        let public_url = config.public_url.unwrap_or_else(|| reachable(scheme, address));
        let database = Opened::open(&config.database, &data).await?;
        let parts = Parts {
            store: database.store(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            settings: Settings {
                public_url: public_url.trim_end_matches('/').to_owned(),
                at_least_wait: config.at_least_wait,
                max_lag,
                policy: config.policy,
                webhook: config.delivery.webhook,
                callbacks: config.delivery.callbacks,
                post: config.delivery.post,
                reach: config.delivery.reach,
                requests: config.requests,
                oidc: config.oidc,
            },
        };
        if let Some(issuer) = &parts.settings.oidc {
            let redirect = Issuer::callback(&parts.settings.public_url);
            tracing::info!(
                issuer = issuer.url(),
                redirect,
                "humans can sign in; the issuer has to know the redirect address"
            );
        }
        let engine = Engine::start(parts).await.map_err(explained).context("can't read the data")?;
        if let Some(settings) = config.decisions {
            let log = config.database.decision_log(&data).await?;
            engine.log_decisions(log, settings).map_err(explained).context("can't keep a decision log")?;
        }
        let (first_keys, keys_file) = first_start(&engine, &data, config.first_key).await?;
        let signing = engine.sign_audit_with(data.audit_key()?).await;
        signing.map_err(explained).context("can't keep the key of the audit log")?;
        let stop = CancellationToken::new();
        let mcp = HttpOptions { shutdown: stop.clone() };
        let mcp = askfirst_http::read_small_bodies_first(askfirst_mcp::http_service(engine.clone(), mcp));
        let options = askfirst_http::Options { shutdown: stop.clone(), ..config.http };
        let router = askfirst_http::router(engine.clone(), options).merge(mcp);
        if let Some(tls) = tls.clone() {
            tokio::spawn(tls.follow_files(stop.clone()));
        }
        tokio::spawn(stop.clone().run_until_cancelled_owned(engine.clone().keep_tidy()));
        let courier = Courier::new(config.delivery.reach)?;
        tokio::spawn(stop.clone().run_until_cancelled_owned(engine.clone().keep_delivering(courier)));
        tokio::spawn(stop.clone().run_until_cancelled_owned(engine.clone().keep_signing()));
        let ends = engine.clone().keep_writing_down_ends();
        tokio::spawn(stop.clone().run_until_cancelled_owned(ends));
        let front = Front::new(engine.clone(), router);
        let lanes = Arc::new(Lanes::start().context("can't start a thread for each core")?);
        let held = connections::serve(listener, Arc::clone(&lanes), tls, front, config.limits, stop.clone());
        let serving = tokio::spawn(held);
        Ok(Self { url, keys_file, first_keys, engine, database, stop, serving, _lanes: lanes, _data: data })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The file with the first keys, when this start has made them.
    pub(crate) fn keys_file(&self) -> Option<&Path> {
        self.keys_file.as_deref()
    }

    /// The key of an environment (`default/dev`), when this start has made it.
    pub(crate) fn first_key(&self, environment: &str) -> Option<&str> {
        let opens = format!("environment {environment}");
        self.first_keys.iter().find(|key| key.opens == opens).map(|key| key.secret.reveal())
    }

    /// Serves until the operator says stop.
    ///
    /// # Errors
    /// When it can't serve any longer.
    pub(super) async fn until(mut self, mut signals: Signals) -> anyhow::Result<Self> {
        tokio::select! {
            ended = &mut self.serving => {
                ended.context("the server broke off")?;
                Err(anyhow!("the server broke off"))
            }
            signal = signals.next() => {
                tracing::info!(signal, "stopping");
                Ok(self)
            }
        }
    }

    /// Takes no more calls, lets those that run end, and closes the database.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        if tokio::time::timeout(GRACE, &mut self.serving).await.is_err() {
            tracing::warn!("some calls did not end in time and were cut off");
            self.serving.abort();
        }
        // What was decided is written before the database goes.
        self.engine.close_decisions().await;
        self.database.close().await;
        Ok(())
    }
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => anyhow!(
            "port {} of {} is taken; choose another one with --listen, such as --listen {}",
            address.port(),
            address.ip(),
            SocketAddr::new(address.ip(), 0)
        ),
        _ => anyhow!("can't listen on {address}: {e}"),
    })
}

/// The address that a browser on this machine can use.
fn reachable(scheme: &str, address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}

async fn first_start(
    engine: &Engine,
    data: &DataDir,
    chosen: Option<Secret>,
) -> anyhow::Result<(Vec<FirstKey>, Option<PathBuf>)> {
    let mut file = data.keys_file()?;
    let shown = chosen.clone();
    let mut keep = |keys: &[FirstKey]| file.write(keys, shown.as_ref().map(Secret::reveal));
    let made = engine
        .first_start_keeping(chosen, &mut keep)
        .await
        .map_err(explained)
        .context("can't make the installation")?;
    let Some(keys) = made else {
        file.discard();
        return Ok((Vec::new(), None));
    };
    Ok((keys, Some(file.path().to_owned())))
}

/// An engine's error with its inside, which is for the operator.
fn explained(error: askfirst_engine::Error) -> anyhow::Error {
    anyhow::Error::new(error)
}
