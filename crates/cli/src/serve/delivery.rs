//! What an operator says about webhooks.

use crate::env::Env;
use anyhow::{Context as _, bail};
use askfirst_engine::delivery::{Callbacks, Hook, Post, Reach, SigningSecret};
use std::path::PathBuf;

/// The variable of the secret.
const SECRET: &str = "ASKFIRST_WEBHOOK_SECRET";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Webhooks")]
pub(super) struct DeliveryArgs {
    /// Tell this address of every request that is opened or moves, in all environments; messages are signed as the Standard
    /// Webhooks specification says, with the secret of --webhook-secret-file or `ASKFIRST_WEBHOOK_SECRET`
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// A file with the secret: `whsec_` and 24 to 64 random bytes in base64
    #[arg(long, value_name = "FILE")]
    webhook_secret_file: Option<PathBuf>,
    /// Let submitters of AuthZEN access requests be called back at addresses below this one; may be said several times.
    /// Calls are signed like those to --webhook
    #[arg(long = "callback", value_name = "URL")]
    callbacks: Vec<String>,
    /// Which addresses webhooks may have, this one and those of elements: `public` (the public internet, by HTTPS) or
    /// `anywhere` (also this machine and the network around it, and plain HTTP)
    #[arg(long, value_name = "REACH", default_value = "public", value_parser = reach)]
    webhooks_reach: Reach,
}

/// How deliveries are made.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) reach: Reach,
    pub(crate) webhook: Option<Hook>,
    pub(crate) callbacks: Option<Callbacks>,
    /// The way to a mail server.
    pub(crate) post: Option<Post>,
}

impl DeliveryArgs {
    pub(super) fn delivery(self, env: &Env) -> anyhow::Result<Delivery> {
        let reach = self.webhooks_reach;
        if self.webhook.is_none() && self.callbacks.is_empty() {
            if self.webhook_secret_file.is_some() {
                bail!(
                    "--webhook-secret-file is for --webhook or --callback; give one of them, or leave it out"
                );
            }
            return Ok(Delivery { reach, ..Delivery::default() });
        }
        for (option, url) in self
            .webhook
            .iter()
            .map(|url| ("--webhook", url))
            .chain(self.callbacks.iter().map(|url| ("--callback", url)))
        {
            if !(url.starts_with("https://") || (url.starts_with("http://") && reach == Reach::Anywhere)) {
                bail!(
                    "{option} must begin with https://, or with http:// together with --webhooks-reach anywhere"
                );
            }
        }
        let text = match (self.webhook_secret_file, env.get(SECRET)) {
            (Some(file), _) => {
                std::fs::read_to_string(&file).with_context(|| format!("can't read {}", file.display()))?
            }
            (None, Some(text)) => text.to_owned(),
            (None, None) => {
                let option = if self.webhook.is_some() { "--webhook" } else { "--callback" };
                bail!("{option} needs a secret: give --webhook-secret-file, or set {SECRET}")
            }
        };
        let secret: SigningSecret = text.parse()?;
        let callbacks = if self.callbacks.is_empty() {
            None
        } else {
            let allowed = Callbacks::new(self.callbacks.iter().map(String::as_str), secret.clone());
            Some(allowed.context("--callback is the address of a server, as https://pep.example.com/hooks")?)
        };
        let webhook = self.webhook.map(|url| Hook { url, secret });
        Ok(Delivery { reach, webhook, callbacks, post: None })
    }
}

fn reach(said: &str) -> Result<Reach, String> {
    match said {
        "public" => Ok(Reach::Public),
        "anywhere" => Ok(Reach::Anywhere),
        _ => Err("write `public` or `anywhere`".to_owned()),
    }
}
