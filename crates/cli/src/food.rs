//! `askfirst food`: the food server of the example on standard input and output.

use crate::{client::Server, env::Env};
use anyhow::Context as _;
use std::{path::PathBuf, process::ExitCode};

/// Serve the food ordering tools of the example to one MCP client on standard input and output
///
/// Orders for one user, who is named here and never by the model, and asks the policy before each order.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst food --as henry --database food.db
  askfirst chat --as henry --mcp 'askfirst food --as henry --database food.db'")]
pub(crate) struct Args {
    /// Key of the user for whom it orders
    #[arg(long = "as", value_name = "USER")]
    user: String,
    /// The file with menu and orders; made when it is not there
    #[arg(long)]
    database: PathBuf,
    /// The tenant that the restaurants belong to
    #[arg(long, default_value = "default")]
    tenant: String,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let Server { url, key } = Server::of(env)?;
    let config = askfirst_food::Config {
        user: args.user,
        url,
        api_key: key,
        tenant: args.tenant,
        database: args.database,
    };
    askfirst_food::run_stdio(config).await.context("the food server stopped")?;
    Ok(ExitCode::SUCCESS)
}
