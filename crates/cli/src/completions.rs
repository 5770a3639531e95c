//! `askfirst completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;
use std::{io::Write as _, process::ExitCode};

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst completions bash > ~/.local/share/bash-completion/completions/askfirst
  askfirst completions zsh > ~/.zfunc/_askfirst
  askfirst completions fish > ~/.config/fish/completions/askfirst.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::Cli::command(), "askfirst", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
