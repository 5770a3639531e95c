//! What an operator says about e-mail.

use anyhow::{Context as _, bail};
use askfirst_engine::{
    Secret,
    delivery::{PlainMail, Post},
};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "E-mail")]
pub(super) struct MailArgs {
    /// Tell reviewers and requesters by e-mail, through this mail server, where an element has `email_notifications`:
    /// `smtps://HOST`, `smtp+starttls://HOST`, or `smtp://127.0.0.1:25` for one on this machine
    #[arg(long, value_name = "URL", requires = "mail_from")]
    smtp: Option<String>,
    /// The name under which the mail server knows this one
    #[arg(long, value_name = "NAME", requires = "smtp", requires = "smtp_password_file")]
    smtp_user: Option<String>,
    /// A file with the password for it
    #[arg(long, value_name = "FILE", requires = "smtp_user")]
    smtp_password_file: Option<PathBuf>,
    /// Allow smtp:// to other machines: anybody on the way can read such mail, and the password
    #[arg(long, requires = "smtp")]
    smtp_unencrypted: bool,
    /// The sender, such as `askfirst <no-reply@example.com>`
    #[arg(long, value_name = "SENDER", requires = "smtp")]
    mail_from: Option<String>,
}

impl MailArgs {
    /// The way to the mail server; none when there is none.
    ///
    /// # Errors
    /// When the address, the sender or the password can't be used.
    pub(super) fn post(self) -> anyhow::Result<Option<Post>> {
        let (Some(server), Some(from)) = (self.smtp, self.mail_from) else { return Ok(None) };
        let login = match (self.smtp_user, self.smtp_password_file) {
            (Some(user), Some(file)) => {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("can't read {}", file.display()))?;
                let password = text.trim_end_matches(['\r', '\n']);
                if password.is_empty() {
                    bail!("{} is empty; it holds the password of --smtp-user", file.display());
                }
                Some((user, Secret::presented(password)))
            }
            _ => None,
        };
        let plain = if self.smtp_unencrypted { PlainMail::Anywhere } else { PlainMail::Loopback };
        Post::new(&server, &from, login, plain).context("--smtp can't be used").map(Some)
    }
}
