//! `askfirst audit prove`, `head` and `keys`.

use super::source;
use crate::{
    client::{Client, segment},
    env::Env,
    terminal,
};
use serde::Deserialize;
use serde_json::Value;
use std::process::ExitCode;

/// Print the receipt of an event, or those of a request
///
/// A receipt proves with the public key alone that the event stands in the signed log. It holds the event, and hashes of some
/// events after it.
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).multiple(false),
    after_help = "\
Examples:
  askfirst audit prove 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11 > receipt.json
  askfirst audit prove --request 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c12 --code request.approved"
)]
pub(super) struct Args {
    /// The audit event
    #[arg(group = "what")]
    id: Option<String>,
    /// What happened to this access request or approval, a receipt a line
    #[arg(long, value_name = "ID", group = "what")]
    request: Option<String>,
    /// Of that, what has this code, such as `request.approved`
    #[arg(long, requires = "request")]
    code: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Receipts {
    receipts: Vec<Value>,
}

pub(super) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    if let Some(request) = &args.request {
        let mut query = vec![("request", request.as_str())];
        query.extend(args.code.as_deref().map(|code| ("code", code)));
        let found: Receipts = client.get("/api/v1/audit/receipts", &query).await?;
        for receipt in found.receipts {
            terminal::line(receipt)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let id = args.id.unwrap_or_default();
    let receipt: Value = client.get(&format!("/api/v1/audit/{}/receipt", segment(&id)), &[]).await?;
    terminal::line(receipt)?;
    Ok(ExitCode::SUCCESS)
}

/// Sign where the log ends now, and print that head
///
/// Keep it where whoever runs the server can't reach it: with it, `audit verify --head` finds every change to what came
/// before, and whether the end was cut off.
#[derive(Debug, clap::Args)]
pub(super) struct HeadArgs {}

pub(super) async fn head(_: HeadArgs, env: &Env) -> anyhow::Result<ExitCode> {
    let signed = source::sign(&Client::from_env(env)?).await?;
    terminal::line(serde_json::to_string(&signed)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Print the public keys with which the log was ever signed
#[derive(Debug, clap::Args)]
pub(super) struct KeysArgs {}

pub(super) async fn keys(_: KeysArgs, env: &Env) -> anyhow::Result<ExitCode> {
    let keys = source::keys(&Client::from_env(env)?).await?;
    terminal::line(serde_json::to_string_pretty(&keys)?)?;
    Ok(ExitCode::SUCCESS)
}
