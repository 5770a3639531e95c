//! `askfirst identity`: who a user is at an OpenID Connect issuer.

use crate::{
    client::{Client, segment},
    env::Env,
    terminal,
};
use serde::Deserialize;
use std::process::ExitCode;

/// Show or take away who a user is at an OpenID Connect issuer
///
/// A link is made when a user signs in with the issuer (`askfirst serve --oidc-issuer`) for the first time, by the e-mail address that
/// it has verified; afterwards only the link counts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst identity list joe
  askfirst identity unlink joe    the account at the issuer was made anew, or is somebody else's")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show the links
    List {
        /// Key of the user
        user: String,
    },
    /// Take the links away, and end all sessions of the user in browsers
    Unlink {
        /// Key of the user
        user: String,
    },
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<Identity>,
}

#[derive(Deserialize)]
struct Identity {
    issuer: String,
    subject: String,
    linked_at: String,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    match args.what {
        What::List { user } => {
            let found: Listed = client.get(&path(&user), &[]).await?;
            if found.data.is_empty() {
                terminal::line(format!("{} is linked with nobody.", terminal::plain(&user)))?;
            }
            for one in found.data {
                let line = format!("{} at {}, since {}", one.subject, one.issuer, one.linked_at);
                terminal::line(terminal::plain(&line))?;
            }
        }
        What::Unlink { user } => {
            client.delete(&path(&user), &[]).await?;
            terminal::line(format!("{} is linked with nobody any more.", terminal::plain(&user)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn path(user: &str) -> String {
    format!("/api/v1/users/{}/identities", segment(user))
}
