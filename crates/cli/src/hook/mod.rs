//! `askfirst hook`: a human decides before Claude Code calls a tool.

mod claude;
mod config;
mod install;

use crate::{FAILED, terminal};
use anyhow::{Context as _, anyhow};
use askfirst_mcp::bridge::{Gate, GatedCall, Verdict};
use claude::{Answer, Event};
use config::{Config, Otherwise};
use std::{
    io::{Read as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

/// The largest event that is read, in bytes.
const MAX_EVENT: u64 = 8 * 1024 * 1024;
/// How much longer than the wait itself asking may take.
const MARGIN: Duration = Duration::from_secs(30);

/// Ask a human before Claude Code calls a tool
///
/// A hook for the events `PreToolUse` or `PermissionRequest`, and `PostToolUse` and `PostToolUseFailure`. It reads the event on
/// standard input, puts the exact call before the reviewers of an operation approval, waits, spends the approval and
/// answers. What is asked about, where and as whom stands in a file; a word in it that is not known is an error, and every
/// call is blocked until it is mended. Keep the file and the key where the agent can't write.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example of the file:
  server = \"https://askfirst.example\"
  key_file = \"agent.key\"                     # of `askfirst key create --as USER`
  resource_instance = \"machines:laptop\"      # whose reviewers decide
  pass = [\"Read\", \"Glob\", \"Grep\"]          # left to Claude Code's own rules
Further: ask (which tools; default all), wait (default 5m), undecided and unavailable (deny, the default,
or ask the person in front of Claude Code), element, tenant, as, project, env.

What has to stand in Claude Code's settings:
  askfirst hook install --print --config /etc/askfirst/hook.toml

Exit codes:
  0  answered on standard output: allow, deny or ask; or no opinion, and nothing is printed
  2  blocked: the file, the event or the command line can't be read; the reason is on standard error")]
pub(crate) struct Args {
    /// The file that says what is asked about
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Install(install::Args),
}

/// A hook that broke would let the call go on; so whatever happens is an answer or a blocked call.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    tokio::spawn(answer(args))
        .await
        .unwrap_or_else(|_| Err(anyhow!("this hook broke, so the call is blocked")))
}

async fn answer(args: Args) -> anyhow::Result<ExitCode> {
    let path = args.config.context("say with --config FILE what is asked about")?;
    let config = Config::read(&path)?;
    if let Some(Command::Install(install)) = args.command {
        return install::run(&install, &path, &config);
    }
    let event = claude::read(&standard_input()?).map_err(|sentence| anyhow!(sentence))?;
    let tool = match &event {
        Event::Before(_, call) | Event::After(call, ..) => &call.action,
    };
    if !config.asks_about(tool) {
        return Ok(ExitCode::SUCCESS);
    }
    let gate = Gate::new(&config.server, config.instance.clone(), config.wait)?;
    match event {
        Event::Before(asking, call) => {
            let answer = ask(&gate, &config, &call).await;
            if let Some(said) = claude::write(asking, &answer) {
                terminal::line(said)?;
            }
        }
        Event::After(call, ending, note) => {
            // The call was made, whatever is said of it; the approval stays spent.
            if let Err(sentence) = gate.record(&call, ending, note).await {
                writeln!(std::io::stderr(), "askfirst: {sentence}")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn ask(gate: &Gate, config: &Config, call: &GatedCall) -> Answer {
    let limit = config.wait.saturating_add(MARGIN);
    let verdict = tokio::time::timeout(limit, gate.ask(call))
        .await
        .unwrap_or_else(|_| Verdict::Unavailable("The server did not answer in time.".to_owned()));
    match verdict {
        Verdict::Allow { arguments, message } => {
            let changed = (arguments != call.arguments).then_some(arguments);
            Answer::Allow { reason: message, changed }
        }
        Verdict::Deny(sentence) => Answer::Deny(sentence),
        Verdict::Undecided(sentence) => otherwise(config.undecided, sentence),
        Verdict::Unavailable(sentence) => otherwise(
            config.unavailable,
            format!("It can't be asked whether this call may be made: {sentence}"),
        ),
    }
}

fn otherwise(choice: Otherwise, sentence: String) -> Answer {
    match choice {
        Otherwise::Deny => Answer::Deny(sentence),
        Otherwise::Ask => Answer::Ask(sentence),
    }
}

fn standard_input() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin().take(MAX_EVENT + 1).read_to_end(&mut bytes).context("can't read standard input")?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_EVENT {
        return Err(anyhow!("the event on standard input is larger than {MAX_EVENT} bytes"));
    }
    String::from_utf8(bytes).context("the event on standard input is no UTF-8 text")
}

/// What the process ends with where nothing could be answered; for a hook it means that the call is blocked.
const _: () = assert!(FAILED == 2, "any other code lets the call go on");
