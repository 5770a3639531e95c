//! Where a log is read from: a server, or an export.

use crate::client::Client;
use anyhow::{Context as _, anyhow, bail};
use askfirst_domain::audit::{ChainHead, ChainId, Entry, JwkSet, PublicKey, SignedHead};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};
use uuid::Uuid;

/// How much is asked for at once.
const PAGE: &str = "1000";

/// The first line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Title {
    /// `askfirst.audit.export.v1`.
    pub(super) kind: String,
    pub(super) installation: Uuid,
    pub(super) env: ChainId,
    /// Those that the server named.
    pub(super) keys: JwkSet,
}

pub(super) const EXPORT: &str = "askfirst.audit.export.v1";

/// A line of an export after the first: all heads come before the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Head(SignedHead),
    Event(Entry),
}

#[derive(Debug, Deserialize)]
pub(super) struct Part {
    pub(super) installation: Uuid,
    pub(super) env: ChainId,
    pub(super) events: Vec<Entry>,
    pub(super) head: ChainHead,
}

#[derive(Debug, Deserialize)]
struct Heads {
    heads: Vec<SignedHead>,
}

/// The events after one, `limit` at most.
pub(super) async fn part(client: &Client, after: u64, limit: &str) -> anyhow::Result<Part> {
    client.get("/api/v1/audit/chain", &[("after", &after.to_string()), ("limit", limit)]).await
}

/// The events after one, as many as the server gives.
pub(super) async fn next(client: &Client, after: u64) -> anyhow::Result<Part> {
    part(client, after, PAGE).await
}

/// The public keys that the server names.
pub(super) async fn keys(client: &Client) -> anyhow::Result<JwkSet> {
    client.get("/.well-known/askfirst-audit-keys.json", &[]).await
}

/// All signed heads, the newest of them made now.
pub(super) async fn heads(client: &Client) -> anyhow::Result<Vec<SignedHead>> {
    let end = part(client, 0, "1").await?.head;
    if end.n > 0 {
        sign(client).await?;
    }
    let (mut heads, mut from) = (Vec::new(), 0);
    loop {
        let path = "/api/v1/audit/heads";
        let page: Heads = client.get(path, &[("from", &from.to_string()), ("limit", PAGE)]).await?;
        let Some(last) = page.heads.last() else { return Ok(heads) };
        from = last.statement.n + 1;
        heads.extend(page.heads);
    }
}

/// Has the server sign where its log ends.
pub(super) async fn sign(client: &Client) -> anyhow::Result<SignedHead> {
    client.post("/api/v1/audit/heads", &[], &serde_json::json!({})).await
}

/// The keys to trust, from a file: a set of keys, or one key.
pub(super) fn trusted(path: &Path) -> anyhow::Result<Vec<PublicKey>> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("can't read {shown}"))?;
    let set = serde_json::from_str::<JwkSet>(&text)
        .or_else(|_| serde_json::from_str(&text).map(|key| JwkSet { keys: vec![key] }))
        .map_err(|_| anyhow!("{shown} is no set of public keys, as `askfirst audit keys` writes it"))?;
    let keys = public(&set).with_context(|| format!("in {shown}"))?;
    if keys.is_empty() {
        bail!("there is no key in {shown}");
    }
    Ok(keys)
}

pub(super) fn public(set: &JwkSet) -> anyhow::Result<Vec<PublicKey>> {
    Ok(set.keys.iter().map(askfirst_domain::audit::Jwk::key).collect::<Result<_, _>>()?)
}
