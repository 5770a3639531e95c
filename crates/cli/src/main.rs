//! The binary `askfirst`: the composition root. It reads the environment and the command line, and puts the pieces
//! together; one file a sub-command.

mod agents;
mod audit;
mod chat;
mod check;
mod client;
mod completions;
mod decisions;
mod deliveries;
mod demo;
mod env;
mod events;
mod food;
mod guard;
mod hook;
mod identity;
mod inbox;
mod key;
mod link;
mod mcp;
mod password;
mod policy;
mod serve;
mod signals;
mod stand_in;
mod store;
mod terminal;
mod webhooks;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use env::Env;
use std::{io::Write as _, process::ExitCode};

/// What a command ends with when it could not do its work.
const FAILED: u8 = 2;

/// AI agents ask first; a human decides.
#[derive(Debug, Parser)]
#[command(
    name = "askfirst",
    version,
    max_term_width = 100,
    after_help = "\
See it at work, with nothing to set up:
  askfirst demo

Start your own:
  askfirst serve
  askfirst policy apply policy.yaml
  askfirst check henry read restaurants:pizza-palace --explain

Commands that talk to a server read ASKFIRST_URL (default http://127.0.0.1:7766) and ASKFIRST_API_KEY from the
environment, or from a file .env in the working directory."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Args>),
    Policy(policy::Args),
    Check(check::Args),
    Guard(guard::Args),
    Decisions(decisions::Args),
    Deliveries(deliveries::Args),
    Webhooks(webhooks::Args),
    Audit(audit::Args),
    Mcp(mcp::Args),
    Hook(hook::Args),
    Chat(chat::Args),
    Inbox(inbox::Args),
    StandIn(stand_in::Args),
    Key(key::Args),
    Agents(agents::Args),
    Link(link::Args),
    Password(password::Args),
    Identity(identity::Args),
    Store(store::Args),
    Demo(demo::Args),
    #[command(hide = true)]
    Food(food::Args),
    Completions(completions::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(cli.command) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be done about a standard error that is closed.
            let _ = writeln!(std::io::stderr(), "askfirst: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn start(command: Command) -> anyhow::Result<ExitCode> {
    // The one place that chooses who does the cryptography of TLS; it fails only when it was chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("can't start")?;
    let code = runtime.block_on(run(command));
    // A thread that still reads the terminal must not keep the process.
    runtime.shutdown_background();
    code
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    if let Command::Completions(args) = command {
        return completions::run(&args);
    }
    // A hook starts in whatever directory an agent works; what stands in a file there is not for it.
    if let Command::Hook(args) = command {
        return hook::run(args).await;
    }
    let env = Env::read()?;
    match command {
        Command::Serve(args) => Box::pin(serve::run(*args, &env)).await,
        Command::Policy(args) => policy::run(args, &env).await,
        Command::Check(args) => check::run(args, &env).await,
        Command::Guard(args) => Box::pin(guard::run(args, &env)).await,
        Command::Decisions(args) => decisions::run(args, &env).await,
        Command::Deliveries(args) => deliveries::run(args, &env).await,
        Command::Webhooks(args) => webhooks::run(args, &env).await,
        Command::Audit(args) => Box::pin(audit::run(args, &env)).await,
        Command::Mcp(args) => Box::pin(mcp::run(args, &env)).await,
        Command::Chat(args) => Box::pin(chat::run(args, &env)).await,
        Command::Inbox(args) => Box::pin(inbox::run(args, &env)).await,
        Command::StandIn(args) => stand_in::run(args, &env).await,
        Command::Key(args) => key::run(args, &env).await,
        Command::Agents(args) => agents::run(args, &env).await,
        Command::Link(args) => link::run(args, &env).await,
        Command::Password(args) => password::run(args, &env).await,
        Command::Identity(args) => identity::run(args, &env).await,
        Command::Store(args) => Box::pin(store::run(args, &env)).await,
        Command::Demo(args) => Box::pin(demo::run(args, &env)).await,
        Command::Food(args) => Box::pin(food::run(args, &env)).await,
        Command::Hook(args) => hook::run(args).await,
        Command::Completions(args) => completions::run(&args),
    }
}

/// Whether whoever reads our output has gone (`askfirst inbox | head`), which is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// The help of each command, as people read it.
    #[test]
    fn help() {
        let mut command = Cli::command().term_width(100);
        command.build();
        let mut pages = vec![command];
        while let Some(mut page) = pages.pop() {
            pages.extend(page.get_subcommands().filter(|c| c.get_name() != "help").cloned());
            let name = page.get_bin_name().unwrap_or("askfirst").replace(' ', "-");
            insta::assert_snapshot!(name, page.render_long_help().to_string());
        }
    }
}
