//! `askfirst stand-in`: who reviews in whose place.

use crate::{
    client::{Client, segment},
    env::Env,
    terminal,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::process::ExitCode;

/// Say who reviews in whose place while they are away
///
/// Without a sub-command it lists who stands in for the user, and for whom the user stands in. A stand-in may decide what the user
/// may at that moment; it is shown as said in the user's place, and counts once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst stand-in --as anna
  askfirst stand-in --as anna name berta --lasts 7d
  askfirst stand-in --as anna name berta --starts 2026-12-21T00:00:00Z --until 2027-01-04T00:00:00Z
  askfirst stand-in --as anna withdraw 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11")]
pub(crate) struct Args {
    /// Key of the user who is away, or who stands in
    #[arg(long = "as", value_name = "USER")]
    user: String,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Name(Name),
    /// End it at once
    Withdraw {
        /// Its id
        id: String,
    },
}

/// Name somebody
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("end").required(true))]
struct Name {
    /// Key of the user who is to review
    to: String,
    /// For how long, such as 7d
    #[arg(long, value_name = "TIME", group = "end")]
    lasts: Option<String>,
    /// Until when
    #[arg(long, value_name = "MOMENT", group = "end")]
    until: Option<String>,
    /// From when; now, when left away
    #[arg(long, value_name = "MOMENT")]
    starts: Option<String>,
}

const PATH: &str = "/api/v1/stand-ins";

#[derive(Deserialize)]
struct Listed {
    data: Vec<StandIn>,
}

#[derive(Deserialize)]
struct StandIn {
    id: String,
    from: String,
    to: String,
    starts: String,
    ends: String,
    holds: bool,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    let who = [("user", args.user.as_str())];
    match args.what {
        None => {
            let found: Listed = client.get(PATH, &who).await?;
            if found.data.is_empty() {
                terminal::line(format_args!(
                    "Nobody stands in for {0}, and {0} for nobody.",
                    terminal::plain(&args.user)
                ))?;
            }
            for one in &found.data {
                terminal::line(line(one))?;
            }
        }
        Some(What::Name(Name { to, lasts, until, starts })) => {
            let said = [("to", Some(to)), ("lasts", lasts), ("until", until), ("starts", starts)];
            let said: Map<String, Value> =
                said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
            let named: StandIn = client.post(PATH, &who, &Value::Object(said)).await?;
            terminal::line(line(&named))?;
        }
        Some(What::Withdraw { id }) => {
            client.delete(&format!("{PATH}/{}", segment(&id)), &who).await?;
            terminal::line(format_args!("{} stands in no more", terminal::plain(&id)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `ID  berta for anna, until ...`.
fn line(one: &StandIn) -> String {
    let from = if one.holds { String::new() } else { format!("from {} ", one.starts) };
    terminal::plain(&format!("{}  {} for {}, {from}until {}", one.id, one.to, one.from, one.ends))
}
