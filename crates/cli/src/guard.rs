//! `askfirst guard`: a command that runs once it may.

use crate::{client::Server, env::Env, signals::Signals};
use anyhow::{Context as _, bail};
use askfirst_agent::pep::{Outcome, Pep, Question, Surroundings};
use askfirst_domain::Span;
use askfirst_engine::{Clock as _, Entropy as _, SystemClock, SystemEntropy};
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    io::Write as _,
    process::{Command, ExitCode},
};

/// What it ends with when the command was not run because it may not be.
const DENIED: u8 = 77;
/// What it ends with when the command could not be started.
const NOT_STARTED: u8 = 127;

/// Run a command once somebody may do it, and ask first where they may not
///
/// Asks the server (by AuthZEN) whether USER may do ACTION to RESOURCE, and runs the command only on a yes. With --why, what is
/// denied and can be asked for is put before the reviewers; the command runs when they have approved and the server says yes.
/// Whatever else happens, it does not run. Ctrl-C withdraws what was asked.
///
/// The command gets the terminal and the environment without the variables of askfirst. Its own exit code is given on; 77 says that it
/// was denied, 127 that it could not be started, and 2 that nothing is known.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst guard joe read restaurants:pizza-palace -- cat menu.txt
  askfirst guard henry operate restaurants:pizza-palace_truffle-pizza --why 'Dinner' --wait 10m -- ./order.sh
  askfirst guard henry read restaurants:pizza-palace --context '{\"amount\": 12}' -- ./order.sh")]
pub(crate) struct Args {
    /// Key of the user for whom it is done
    user: String,
    /// The action
    action: String,
    /// The thing, as resource:key
    resource: String,
    /// What conditions see as `context`, and reviewers are shown: a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}")]
    context: String,
    /// Why it is to be done, for the reviewers; without it nobody is asked
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// How long to wait for a decision, such as 90s or 10m
    #[arg(long, value_name = "TIME", default_value = "10m")]
    wait: Span,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let question = question(&args)?;
    let Some((program, arguments)) = args.command.split_first() else { bail!("there is no command to run") };
    let Server { url, key } = Server::of(env)?;
    let outcome = {
        let mut signals = Signals::watch_terminal()?;
        let stop = Box::pin(async move {
            let _ = signals.next().await;
        });
        let pep = Pep::discover(&url, key, []).await.context("not run, since nothing is known")?;
        let asked = pep.may(&question, args.why.as_deref(), args.wait.duration(), &Around, stop).await;
        asked.context("not run, since nothing is known")?
    };
    match outcome {
        Outcome::Permit => {}
        Outcome::Deny(why) => return denied(why.as_deref(), ""),
        Outcome::CouldAsk(why) => {
            return denied(why.as_deref(), " Say why with --why, and it is put before whoever decides.");
        }
    }
    let mut command = Command::new(program);
    command.args(arguments);
    for name in env.own_variables() {
        command.env_remove(name);
    }
    let error = become_it(&mut command);
    say(&format!("can't start {}: {error}", program.display()))?;
    Ok(ExitCode::from(NOT_STARTED))
}

/// The command takes the place of this process, so that the terminal, signals and its exit code are its own. Comes back with an
/// error alone.
#[cfg(unix)]
fn become_it(command: &mut Command) -> std::io::Error {
    use std::os::unix::process::CommandExt as _;
    command.exec()
}

#[cfg(not(unix))]
fn become_it(_: &mut Command) -> std::io::Error {
    std::io::Error::other("this system can't put a command in the place of a process")
}

fn question(args: &Args) -> anyhow::Result<Question> {
    let Some((kind, id)) = args.resource.split_once(':') else {
        bail!("write the thing as resource:key, such as restaurants:pizza-palace");
    };
    let context: Value = serde_json::from_str(&args.context).context("--context is no JSON")?;
    if !context.is_object() {
        bail!("--context is a JSON object, such as {{\"amount\": 12}}");
    }
    Ok(Question {
        subject: json!({"type": "user", "id": args.user}),
        action: json!({"name": args.action}),
        resource: json!({"type": kind, "id": id}),
        context,
    })
}

fn denied(why: Option<&str>, hint: &str) -> anyhow::Result<ExitCode> {
    say(&format!("not run: {}{hint}", why.unwrap_or("the server denies it.")))?;
    Ok(ExitCode::from(DENIED))
}

/// Standard output belongs to the command.
fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stderr(), "askfirst: {}", crate::terminal::plain(text)).context("can't write")
}

struct Around;

impl Surroundings for Around {
    fn now(&self) -> String {
        SystemClock.now().to_string()
    }

    fn chance(&self) -> u8 {
        let mut one = [0];
        // Without chance everybody waits equally long, which is no harm.
        SystemEntropy.fill(&mut one).map_or(0, |()| one[0])
    }

    fn fresh(&self) -> String {
        let mut bytes = [0; 16];
        // A submission under a key that was used before is refused, and not taken for another one.
        SystemEntropy.fill(&mut bytes).map_or_else(|_| self.now(), |()| hex::encode(bytes))
    }
}
