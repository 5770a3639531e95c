//! Carrying a message to its address by HTTP.

use super::{
    address::{INSIDE, NO_URL, Reach, is_public, refusal},
    letter::{Letter, Proof},
};
use askfirst_domain::Timestamp;
use reqwest::{
    StatusCode, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use std::{io, sync::Arc, time::Duration};
use thiserror::Error;
use uuid::Uuid;

/// How long a receiver has for its answer, from the first step to the last.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take to reach it.
const CONNECT: Duration = Duration::from_secs(5);

/// Carries messages. The process must have installed a TLS provider before (`rustls::crypto::ring`).
#[derive(Debug, Clone)]
pub struct Courier {
    http: reqwest::Client,
    reach: Reach,
}

/// There can be no courier.
#[derive(Debug, Error)]
#[error("can't make an HTTP client for webhooks: {0}")]
pub struct CourierError(#[from] reqwest::Error);

/// A message that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// For people; without the address, which may hold a secret.
    pub(super) why: String,
    /// How long the receiver wants to be left in peace.
    pub(super) wait: Option<Duration>,
    /// Trying again would not help.
    pub(super) for_good: bool,
}

impl Refused {
    pub(super) fn now(why: impl Into<String>) -> Self {
        Self { why: why.into(), wait: None, for_good: false }
    }
}

impl Courier {
    /// One that calls what is within reach. It follows no redirect and uses no proxy: both would lead to addresses that were
    /// not looked at.
    ///
    /// # Errors
    /// When there is no TLS provider.
    pub fn new(reach: Reach) -> Result<Self, CourierError> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("askfirst/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        let builder = match reach {
            Reach::Public => builder.https_only(true).dns_resolver(Arc::new(PublicAlone)),
            Reach::Anywhere => builder,
        };
        Ok(Self { http: builder.build()?, reach })
    }

    /// Sends a message; it was taken when the receiver answers with a status from 200 to 299.
    pub(super) async fn carry(&self, id: Uuid, now: Timestamp, letter: &Letter) -> Result<(), Refused> {
        let url = self.address(&letter.url)?;
        let seconds = now.micros().div_euclid(1_000_000);
        let mut request = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id.to_string())
            .header("webhook-timestamp", seconds.to_string())
            .body(letter.body.clone());
        match &letter.proof {
            Proof::None => {}
            Proof::Bearer(token) => request = request.bearer_auth(token.reveal()),
            Proof::Signature(secret) => {
                let signature =
                    secret.sign(id, seconds, &letter.body).map_err(|e| Refused::now(e.to_string()))?;
                request = request.header("webhook-signature", signature);
            }
        }
        let answer = request.send().await.map_err(|error| Refused::now(reason(error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let asked =
            answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Err(Refused {
            why: format!("it answered {status}"),
            wait: asked.map(Duration::from_secs),
            // "Gone" is how a receiver says that it wants no more (Standard Webhooks, "Failed deliveries").
            for_good: status == StatusCode::GONE,
        })
    }

    fn address(&self, text: &str) -> Result<Url, Refused> {
        let for_good = |why: &str| Refused { why: why.to_owned(), wait: None, for_good: true };
        match refusal(text, self.reach) {
            Some(why) => Err(for_good(why)),
            None => Url::parse(text).map_err(|_| for_good(NO_URL)),
        }
    }
}

/// The deepest reason of a failed call.
fn reason(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("it did not answer within {} s", PATIENCE.as_secs());
    }
    let error = error.without_url();
    let mut deepest: &dyn std::error::Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let what = if error.is_connect() { "no connection" } else { "the call failed" };
    format!("{what}: {deepest}")
}

/// Looks names up, and keeps what is public.
#[derive(Debug)]
struct PublicAlone;

impl Resolve for PublicAlone {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, INSIDE).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}
