//! `askfirst hook install`: what has to stand in Claude Code's settings.

use super::{MARGIN, config::Config};
use crate::terminal;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::{path::Path, process::ExitCode, time::Duration};

/// Show what has to stand in the settings of Claude Code
///
/// Reads the file first, so that a mistake in it is told now and not by a call that is blocked. Nothing is written: put what is
/// printed into .claude/settings.json of a project or of your home, or into the managed settings, which a project can't change.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  askfirst hook install --print --config /etc/askfirst/hook.toml")]
pub(super) struct Args {
    /// Print the settings
    #[arg(long, required = true)]
    print: bool,
    /// Ask where Claude Code itself would ask, and not before each call
    #[arg(long)]
    only_prompts: bool,
}

pub(super) fn run(args: &Args, path: &Path, config: &Config) -> anyhow::Result<ExitCode> {
    debug_assert!(args.print, "the command line wants it");
    let program = std::env::current_exe().context("can't tell where this program is")?;
    let path = std::path::absolute(path).context("can't tell where the file is")?;
    // A hook that takes longer is given up, and then the tool runs.
    let ask = (config.wait + MARGIN + Duration::from_secs(30)).as_secs();
    let command = format!("{} hook --config {}", quoted(&program), quoted(&path));
    let hook = |timeout: u64| -> Value {
        json!([{"matcher": "*", "hooks": [{"type": "command", "command": command, "timeout": timeout}]}])
    };
    let event = if args.only_prompts { "PermissionRequest" } else { "PreToolUse" };
    let settings =
        json!({"hooks": {event: hook(ask), "PostToolUse": hook(60), "PostToolUseFailure": hook(60)}});
    terminal::line(serde_json::to_string_pretty(&settings)?)?;
    Ok(ExitCode::SUCCESS)
}

/// As one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    if text.chars().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word() {
        for (path, word) in [
            ("/usr/bin/askfirst", "/usr/bin/askfirst"),
            ("/a b/c", "'/a b/c'"),
            ("/it's", r"'/it'\''s'"),
            ("/$x", "'/$x'"),
        ] {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }
}
