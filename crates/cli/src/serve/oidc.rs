//! What an operator says about signing in with an OpenID Connect issuer.

use anyhow::{Context as _, bail};
use askfirst_engine::{Secret, oidc::Issuer};
use std::{path::PathBuf, sync::Arc};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Sign-in with OpenID Connect")]
pub(super) struct OidcArgs {
    /// Let humans sign in with this OpenID Connect issuer, such as `https://id.example.com/realms/family`, written as it calls
    /// itself. Register `PUBLIC-URL/login/oidc/callback` there as the redirect address. Whoever comes the first time is the
    /// user with the e-mail address that the issuer has verified; nobody is made a user
    #[arg(id = "oidc_issuer", long = "oidc-issuer", value_name = "URL")]
    issuer: Option<String>,
    /// The name under which the issuer knows this server
    #[arg(id = "oidc_client_id", long = "oidc-client-id", value_name = "ID")]
    client_id: Option<String>,
    /// A file with the secret for it; without one this server is a public client, which the issuer has to allow
    #[arg(id = "oidc_client_secret_file", long = "oidc-client-secret-file", value_name = "PATH")]
    client_secret_file: Option<PathBuf>,
    /// What the issuer is called on the button "Sign in with ..."; default: its host
    #[arg(id = "oidc_name", long = "oidc-name", value_name = "TEXT")]
    name: Option<String>,
}

impl OidcArgs {
    /// The issuer; none when there is none.
    ///
    /// # Errors
    /// When something is missing or can't be used.
    pub(super) fn issuer(self) -> anyhow::Result<Option<Arc<Issuer>>> {
        let Some(url) = self.issuer else {
            for (option, given) in [
                ("--oidc-client-id", self.client_id.is_some()),
                ("--oidc-client-secret-file", self.client_secret_file.is_some()),
                ("--oidc-name", self.name.is_some()),
            ] {
                if given {
                    bail!("{option} is for --oidc-issuer; give that as well, or leave {option} out");
                }
            }
            return Ok(None);
        };
        let Some(client) = self.client_id else {
            bail!("--oidc-issuer needs --oidc-client-id, the name under which the issuer knows this server");
        };
        let secret = match self.client_secret_file {
            None => None,
            Some(file) => {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("can't read {}", file.display()))?;
                let secret = text.trim_end_matches(['\r', '\n']);
                if secret.is_empty() {
                    bail!("{} is empty; it holds the secret of --oidc-client-id", file.display());
                }
                Some(Secret::presented(secret))
            }
        };
        let issuer = Issuer::new(&url, &client, secret, self.name.as_deref());
        Ok(Some(Arc::new(issuer.context("--oidc-issuer can't be used")?)))
    }
}
