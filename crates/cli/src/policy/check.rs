//! `askfirst policy check`: is the file right? Asks no server.

use crate::{
    env::Env,
    terminal::{self, Style},
};
use askfirst_engine::policy::{Diagnostic, check_file, json_schema};
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode};

/// Check a policy file, without a server
///
/// Tells everything that is wrong, with line and column. The file has to stand alone: a file that builds on what an
/// environment has already is checked by `plan`. The exit code is 0 when nothing is wrong, 1 when something is, and 2
/// when the file can't be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst policy check policy.yaml
  askfirst policy check policy.yaml --json
  askfirst policy check --schema > policy.schema.json")]
pub(super) struct Args {
    /// The file, or `-` for standard input
    #[arg(required_unless_present = "schema")]
    file: Option<PathBuf>,
    /// Print the JSON Schema of policy files, for editors
    #[arg(long, conflicts_with_all = ["file", "json"])]
    schema: bool,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let Some(file) = &args.file else {
        terminal::line(serde_json::to_string_pretty(&json_schema())?)?;
        return Ok(ExitCode::SUCCESS);
    };
    let checked = check_file(&super::read(file)?);
    if args.json {
        let (counts, diagnostics): (Vec<_>, Vec<_>) = match &checked {
            Ok(counts) => (counts.clone(), Vec::new()),
            Err(diagnostics) => (Vec::new(), diagnostics.iter().map(value).collect()),
        };
        let counts: serde_json::Map<String, Value> =
            counts.into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect();
        terminal::line(json!({"ok": checked.is_ok(), "diagnostics": diagnostics, "counts": counts}))?;
        return Ok(ExitCode::from(u8::from(checked.is_err())));
    }
    let name = file.display();
    match checked {
        Ok(counts) => {
            let counts = counts.iter().map(|(what, count)| format!("{count} {}", what.replace('_', " ")));
            let held = counts.collect::<Vec<_>>().join(", ");
            let held = if held.is_empty() { "it says nothing".to_owned() } else { held };
            terminal::line(format_args!("{name} is right: {held}."))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(diagnostics) => {
            complain(&name.to_string(), &diagnostics, Style::of_stdout(env))?;
            Ok(ExitCode::from(1))
        }
    }
}

/// One line for each place that is wrong, as editors read them.
pub(super) fn complain(name: &str, diagnostics: &[Diagnostic], style: Style) -> std::io::Result<()> {
    for found in diagnostics {
        let place = style.bold(format_args!("{name}:{}:{}:", found.line, found.column));
        let hint = match &found.hint {
            Some(hint) => style.dim(format_args!(" ({})", terminal::plain(hint))),
            None => String::new(),
        };
        terminal::line(format_args!("{place} {}{hint}", terminal::plain(&found.message)))?;
    }
    let places = if diagnostics.len() == 1 { "place" } else { "places" };
    terminal::line(style.bad(format_args!("{name} is wrong in {} {places}.", diagnostics.len())))
}

fn value(found: &Diagnostic) -> Value {
    json!({"line": found.line, "column": found.column, "message": found.message, "hint": found.hint})
}
