//! `askfirst mcp`: the MCP server on standard input and output.

use crate::{
    client::{DEFAULT_URL, no_key},
    env::Env,
    serve::logs,
};
use anyhow::{Context as _, bail};
use askfirst_domain::Span;
use askfirst_engine::Secret;
use askfirst_mcp::bridge::{self, BridgeConfig, Mode};
use std::process::ExitCode;

/// Serve the MCP tools to one agent on standard input and output
///
/// For an agent that acts for one human, name that human with --as: the agent can ask, look and wait in their name, and
/// decides nothing. With --trust-user-id the model itself names the user of each call, and its tools decide; every
/// audit event says so. With neither, the key must be an agent's (`askfirst key create --as USER`).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst mcp --as henry

  In the configuration of an MCP client:
  {\"mcpServers\": {\"askfirst\": {\"command\": \"askfirst\", \"args\": [\"mcp\", \"--as\", \"henry\"],
    \"env\": {\"ASKFIRST_API_KEY\": \"...\"}}}}

  As the permission prompt of Claude Code, with that server called `ask`:
  \"args\": [\"mcp\", \"--as\", \"henry\", \"--permission-prompt\", \"machines:laptop\"]
  claude -p --permission-prompt-tool mcp__ask__permission_prompt ...

Variables, from the environment or a file .env in the working directory:
  ASKFIRST_URL or PERMIT_PDP_URL or LOCAL_PDP_URL   the server; default http://127.0.0.1:7766
  ASKFIRST_API_KEY or PERMIT_API_KEY                the key
  PROJECT_ID, ENV_ID                                the environment, when the key opens several
  TENANT                                            the tenant of requests; default `default`
  RESOURCE_KEY                                      the resource that requests are about
  ACCESS_ELEMENTS_CONFIG_ID                         the element for access requests
  OPERATION_ELEMENTS_CONFIG_ID                      the element for operation approvals")]
pub(crate) struct Args {
    /// Key of the user whom the agent acts for
    #[arg(long = "as", value_name = "USER", conflicts_with = "trust_user_id")]
    user: Option<String>,
    /// Let the model name the user of each call
    #[arg(long)]
    trust_user_id: bool,
    /// Serve one tool, the permission prompt of Claude Code: it asks the reviewers of this thing, written as type:key
    #[arg(long, value_name = "INSTANCE", conflicts_with = "trust_user_id")]
    permission_prompt: Option<String>,
    /// How long the permission prompt waits for a decision, such as 90s or 5m
    #[arg(long, value_name = "TIME", default_value = "5m", requires = "permission_prompt")]
    wait: Span,
    /// What is logged to standard error, such as `info` or `askfirst_mcp=debug`
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    logs::start(args.log.as_deref().or(env.get("RUST_LOG")).unwrap_or("warn"), env)?;
    let text = |names: &[&str]| env.first(names).map(ToOwned::to_owned);
    let Some(key) = text(&["ASKFIRST_API_KEY", "PERMIT_API_KEY"]) else { bail!(no_key()) };
    let (project, environment) = (text(&["PROJECT_ID"]), text(&["ENV_ID"]));
    if project.is_some() != environment.is_some() {
        bail!("PROJECT_ID and ENV_ID belong together; set both or neither");
    }
    let url =
        text(&["ASKFIRST_URL", "PERMIT_PDP_URL", "LOCAL_PDP_URL"]).unwrap_or_else(|| DEFAULT_URL.to_owned());
    let config = BridgeConfig {
        url: url.trim_end_matches('/').to_owned(),
        api_key: Secret::presented(key),
        mode: match args.user {
            Some(user) => Mode::As(user),
            None if args.trust_user_id => Mode::TrustUserId,
            None => Mode::ByKey,
        },
        project,
        env: environment,
        tenant: text(&["TENANT"]),
        resource: text(&["RESOURCE_KEY"]),
        access_element: text(&["ACCESS_ELEMENTS_CONFIG_ID"]),
        operation_element: text(&["OPERATION_ELEMENTS_CONFIG_ID"]),
    };
    if let Some(instance) = args.permission_prompt {
        bridge::run_prompt(&config, instance, args.wait.duration())
            .await
            .context("the permission prompt stopped")?;
        return Ok(ExitCode::SUCCESS);
    }
    bridge::run(config).await.context("the MCP server stopped")?;
    Ok(ExitCode::SUCCESS)
}
