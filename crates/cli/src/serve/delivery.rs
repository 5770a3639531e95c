//! What an operator says about webhooks.

use crate::env::Env;
use anyhow::{Context as _, bail};
use askfirst_engine::delivery::{Hook, Reach, SigningSecret};
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
    #[arg(long, value_name = "FILE", requires = "webhook")]
    webhook_secret_file: Option<PathBuf>,
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
}

impl DeliveryArgs {
    pub(super) fn delivery(self, env: &Env) -> anyhow::Result<Delivery> {
        let Some(url) = self.webhook else {
            return Ok(Delivery { reach: self.webhooks_reach, webhook: None });
        };
        if !(url.starts_with("https://")
            || (url.starts_with("http://") && self.webhooks_reach == Reach::Anywhere))
        {
            bail!(
                "--webhook must begin with https://, or with http:// together with --webhooks-reach anywhere"
            );
        }
        let text = match (self.webhook_secret_file, env.get(SECRET)) {
            (Some(file), _) => {
                std::fs::read_to_string(&file).with_context(|| format!("can't read {}", file.display()))?
            }
            (None, Some(text)) => text.to_owned(),
            (None, None) => bail!("--webhook needs a secret: give --webhook-secret-file, or set {SECRET}"),
        };
        let secret: SigningSecret = text.parse()?;
        Ok(Delivery { reach: self.webhooks_reach, webhook: Some(Hook { url, secret }) })
    }
}

fn reach(said: &str) -> Result<Reach, String> {
    match said {
        "public" => Ok(Reach::Public),
        "anywhere" => Ok(Reach::Anywhere),
        _ => Err("write `public` or `anywhere`".to_owned()),
    }
}
