//! `askfirst audit`: the audit log, and what proves it.

mod erase;
mod export;
mod prove;
mod source;
mod tail;
mod verify;

use crate::env::Env;
use std::process::ExitCode;

/// Follow the audit log, prove what it says, verify it
///
/// The audit log is a hash chain with signed heads. Whoever keeps a signed head, or the number and hash of an event, finds
/// every change to what came before it. docs/audit.md says how, to the byte.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst audit tail
  askfirst audit verify
  askfirst audit head > head.json                          keep it where the server's operator can't reach it
  askfirst audit keys > keys.json
  askfirst audit verify --keys keys.json --head head.json
  askfirst audit export > audit.jsonl
  askfirst audit verify audit.jsonl --keys keys.json       needs no server
  askfirst audit prove 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11 > receipt.json
  askfirst audit verify receipt.json --keys keys.json
  askfirst audit erase --user henry")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Tail(tail::Args),
    Verify(verify::Args),
    Export(export::Args),
    Prove(prove::Args),
    Head(prove::HeadArgs),
    Keys(prove::KeysArgs),
    Erase(erase::Args),
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Tail(args) => tail::run(args, env).await,
        Command::Verify(args) => verify::run(args, env).await,
        Command::Export(args) => export::run(args, env).await,
        Command::Prove(args) => prove::run(args, env).await,
        Command::Head(args) => prove::head(args, env).await,
        Command::Keys(args) => prove::keys(args, env).await,
        Command::Erase(args) => erase::run(args, env).await,
    }
}
