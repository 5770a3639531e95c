//! `askfirst serve`: the server.

mod connections;
mod data;
mod database;
mod decisions;
mod delivery;
mod lanes;
mod limits;
pub(crate) mod logs;
mod mail;
mod oidc;
mod permit;
mod requests;
mod running;
mod tls;

pub(crate) use connections::Limits;
pub(crate) use data::{DataDir, KEYS_FILE, make_private_directory, open_private};
pub(crate) use database::{Database, DatabaseUrl};
pub(crate) use delivery::Delivery;
pub(crate) use running::{Config, Running};

use crate::{env::Env, signals::Signals, terminal};
use anyhow::bail;
use askfirst_engine::Secret;
use limits::LimitArgs;
use permit::PermitArgs;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};
use tls::TlsFiles;

/// Where the data are when nobody says otherwise.
pub(crate) const DEFAULT_DATA: &str = "./askfirst-data";

/// The fewest characters of an API key that somebody else made.
const SHORTEST_KEY: usize = 16;

/// Run the server
///
/// On an empty directory it makes an organisation, the project `default` with the environments `dev` and `production`,
/// and the first keys, which it writes to keys.txt in the data directory, readable by you alone. `ASKFIRST_API_KEY`, when
/// it is set at that first start, becomes the key of default/dev.
///
/// When it is ready it prints one line with its address. It stops on Ctrl-C or SIGTERM, after the calls that run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst serve
  askfirst serve --listen 127.0.0.1:0 --data /var/lib/askfirst
  askfirst serve --database postgres://askfirst@db.example.com/askfirst   one of several replicas
  askfirst serve --listen 0.0.0.0:7766 --public-url https://askfirst.example.com   behind a proxy that speaks TLS
  askfirst serve --listen 0.0.0.0:443 --public-url https://askfirst.example.com --tls-cert chain.pem --tls-key key.pem")]
pub(crate) struct Args {
    /// Address and port; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7766", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// The directory of the data; one server at a time uses it. With a shared database it holds the first keys and the key
    /// that signs the audit log
    #[arg(long, default_value = DEFAULT_DATA, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    database: database::DatabaseArgs,
    #[command(flatten)]
    decisions: decisions::DecisionLogArgs,
    /// Where browsers reach the server, for links; default: the address that it listens on
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Speak HTTPS, with this certificate and those of its issuers, in PEM; read again when the file changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Open connections; further ones wait
    #[arg(long, default_value_t = Limits::default().connections, value_name = "NUMBER", value_parser = at_least_one)]
    max_connections: usize,
    /// Seconds for a TLS handshake and for the head of a request; an idle connection is closed after as many
    #[arg(long, default_value_t = Limits::default().patience.as_secs(), value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    idle_timeout: u64,
    #[command(flatten)]
    permit: PermitArgs,
    #[command(flatten)]
    delivery: delivery::DeliveryArgs,
    #[command(flatten)]
    mail: mail::MailArgs,
    #[command(flatten)]
    oidc: oidc::OidcArgs,
    #[command(flatten)]
    requests: requests::RequestArgs,
    #[command(flatten)]
    bounds: LimitArgs,
    /// What is logged to standard error, such as `info` or `askfirst_http=debug`; `RUST_LOG` does the same
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    logs::start(args.log.as_deref().or(env.get("RUST_LOG")).unwrap_or("info"), env)?;
    let first_key = env.get("ASKFIRST_API_KEY").map(Secret::presented);
    if first_key.as_ref().is_some_and(|key| !is_fit(key.reveal())) {
        bail!("ASKFIRST_API_KEY must have {SHORTEST_KEY} characters at least, without spaces");
    }
    if let Some(url) = &args.public_url
        && !(url.starts_with("http://") || url.starts_with("https://"))
    {
        bail!("--public-url must begin with http:// or https://");
    }
    let tls = args.tls_cert.zip(args.tls_key).map(|(certificate, key)| TlsFiles { certificate, key });
    let config = Config {
        listen: args.listen,
        data: args.data,
        database: args.database.database(env)?,
        at_least_wait: args.database.at_least_wait(),
        public_url: args.public_url,
        decisions: args.decisions.settings(),
        delivery: Delivery { post: args.mail.post()?, ..args.delivery.delivery(env)? },
        http: askfirst_http::Options { limits: args.bounds.of_calls(env)?, ..args.permit.options()? },
        policy: args.bounds.of_policy(env)?,
        requests: args.requests.times()?,
        oidc: args.oidc.issuer()?,
        first_key,
        tls,
        limits: Limits {
            connections: args.max_connections,
            patience: Duration::from_secs(args.idle_timeout),
        },
    };
    if config.oidc.is_some() && config.public_url.is_none() && !config.listen.ip().is_loopback() {
        bail!("--oidc-issuer needs --public-url, the address to which the issuer sends browsers back");
    }
    if !config.listen.ip().is_loopback() && config.tls.is_none() {
        tracing::warn!(
            address = %config.listen,
            "other machines can reach this address, and calls to it are not encrypted; give --tls-cert and --tls-key, or put a proxy that speaks TLS before it"
        );
    }
    // Before the ready line: who reads it may say stop at once.
    let signals = Signals::watch()?;
    let running = Box::pin(Running::start(config)).await?;
    terminal::line(format_args!("askfirst {} listening on {}", env!("CARGO_PKG_VERSION"), running.url()))?;
    if let Some(file) = running.keys_file() {
        tracing::info!(file = %file.display(), "the first keys are in this file");
    }
    running.until(signals).await?.stop().await?;
    Ok(ExitCode::SUCCESS)
}

fn at_least_one(said: &str) -> Result<usize, String> {
    said.parse().ok().filter(|number| *number > 0).ok_or_else(|| "give a number from 1 on".to_owned())
}

fn is_fit(key: &str) -> bool {
    key.chars().count() >= SHORTEST_KEY && !key.contains(char::is_whitespace)
}
