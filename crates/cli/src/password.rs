//! `askfirst password`: a human's password, set or taken away by whoever runs the server.

use crate::{
    client::{Client, segment},
    env::Env,
    terminal,
};
use anyhow::{Context as _, bail};
use serde_json::json;
use std::{
    io::{IsTerminal as _, Read as _},
    process::ExitCode,
};

/// How much of standard input is read.
const MOST_BYTES: u64 = 4096;

/// Set or clear a user's password
///
/// All sessions of the user in browsers end. People set and change their own in the inbox (Sign-in); `askfirst link USER` is the way
/// in to set the first one, and when it was forgotten.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pass show askfirst/joe | askfirst password set joe
  askfirst password clear joe")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Set it to the first line of standard input
    Set {
        /// Key of the user
        user: String,
    },
    /// Take it away
    Clear {
        /// Key of the user
        user: String,
    },
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    match args.what {
        What::Set { user } => {
            let password = read()?;
            client.put_nothing(&path(&user), &json!({"password": password})).await?;
            terminal::line(format!("{} has a new password.", terminal::plain(&user)))?;
        }
        What::Clear { user } => {
            client.delete(&path(&user), &[]).await?;
            terminal::line(format!("{} has no password any more.", terminal::plain(&user)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn path(user: &str) -> String {
    format!("/api/v1/users/{}/password", segment(user))
}

/// The first line of standard input. A terminal would show what is typed, so it is refused.
fn read() -> anyhow::Result<String> {
    let input = std::io::stdin();
    if input.is_terminal() {
        bail!(
            "give the password on standard input, from a file or another program; a terminal would show it"
        );
    }
    let mut text = String::new();
    input.lock().take(MOST_BYTES).read_to_string(&mut text).context("can't read standard input")?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => bail!("there is no password on standard input"),
    }
}
