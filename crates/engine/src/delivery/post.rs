//! Handing e-mail to the operator's mail server.

use super::courier::Refused;
use crate::Secret;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        Error as SmtpError,
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use reqwest::Url;
use std::{fmt, net::IpAddr, time::Duration};
use thiserror::Error;

/// How long the mail server has for one letter, from the first step to the last, unless it is said. Shorter than a claim.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where mail may go without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainMail {
    /// To this machine alone.
    #[default]
    Loopback,
    /// Over a network that the operator trusts.
    Anywhere,
}

/// Why there can be no mail.
#[derive(Debug, Error)]
pub enum PostError {
    /// Not the address of a mail server.
    #[error(
        "a mail server is written smtps://HOST, smtp+starttls://HOST or smtp://HOST, each with :PORT where it is not the usual one"
    )]
    Address,
    /// Anybody on the way could read it.
    #[error(
        "smtp:// is not encrypted and goes to this machine alone; write smtps:// or smtp+starttls://, or allow it"
    )]
    Plain,
    /// Not a sender.
    #[error("the sender of mail is written `askfirst <no-reply@example.com>`, or as an address alone")]
    Sender,
    /// The roots of the system can't be read, or the name is none.
    #[error("can't speak TLS with the mail server: {0}")]
    Tls(SmtpError),
}

/// The way to the mail server, and who is the sender.
#[derive(Clone)]
pub struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    patience: Duration,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Post(…)")
    }
}

impl Post {
    /// One that hands letters to this server, as this sender.
    ///
    /// # Errors
    /// [`PostError`].
    pub fn new(
        server: &str,
        from: &str,
        login: Option<(String, Secret)>,
        plain: PlainMail,
    ) -> Result<Self, PostError> {
        let from: Mailbox = from.parse().map_err(|_| PostError::Sender)?;
        let url = Url::parse(server).map_err(|_| PostError::Address)?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url.host_str().filter(|host| bare && !host.is_empty()).ok_or(PostError::Address)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let parameters = || TlsParameters::new(host.to_owned()).map_err(PostError::Tls);
        let (tls, port) = match url.scheme() {
            "smtps" => (Tls::Wrapper(parameters()?), 465),
            "smtp+starttls" => (Tls::Required(parameters()?), 587),
            "smtp" if plain == PlainMail::Anywhere || is_this_machine(host) => (Tls::None, 25),
            "smtp" => return Err(PostError::Plain),
            _ => return Err(PostError::Address),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(url.port().unwrap_or(port))
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some((user, password)) = login {
            builder = builder.credentials(Credentials::new(user, password.reveal().to_owned()));
        }
        Ok(Self { transport: builder.build(), from, patience: PATIENCE })
    }

    /// The same, with a server that has this long for one letter.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        Self { patience: patience.min(PATIENCE), ..self }
    }

    pub(super) fn from(&self) -> &Mailbox {
        &self.from
    }

    /// Hands a letter over. The server took it when it says so after the whole of it.
    pub(super) async fn send(&self, letter: Message) -> Result<(), Refused> {
        match tokio::time::timeout(self.patience, self.transport.send(letter)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(Refused {
                why: format!("the mail server did not take it within {} s", self.patience.as_secs()),
                wait: None,
                for_good: false,
            }),
        }
    }
}

/// What went wrong, without what the server wrote: it likes to repeat addresses.
fn refused(error: &SmtpError) -> Refused {
    let code = error.status().map(u16::from);
    let why = match code {
        Some(code @ (530 | 534 | 535 | 538)) => {
            format!(
                "the mail server does not let this server in ({code}); look at --smtp-user and its password"
            )
        }
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "no TLS with the mail server".to_owned(),
        None => "no conversation with the mail server".to_owned(),
    };
    // What is wrong with the login is not wrong with the letter.
    let login = matches!(code, Some(530 | 534 | 535 | 538));
    Refused { why, wait: None, for_good: error.is_permanent() && !login }
}

/// Whether a host is this machine, so that nobody is in between: a name, or an address without brackets.
pub(crate) fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An address that is one, and nothing more.
pub(super) fn address(text: &str) -> Option<Address> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(server: &str, plain: PlainMail) -> Result<Post, PostError> {
        let _ = rustls_provider();
        Post::new(server, "askfirst <no-reply@example.com>", None, plain)
    }

    fn rustls_provider() -> Result<(), ()> {
        rustls::crypto::ring::default_provider().install_default().map_err(|_| ())
    }

    #[test]
    fn mail_goes_without_tls_to_this_machine_alone() {
        for good in [
            "smtp://127.0.0.1:25",
            "smtp://localhost",
            "smtp://[::1]:2525",
            "smtps://mail.example.com",
            "smtp+starttls://mail.example.com:2587",
        ] {
            assert!(made(good, PlainMail::Loopback).is_ok(), "{good}");
        }
        for plain in ["smtp://mail.example.com", "smtp://10.0.0.1:25", "smtp://localhost.example.com"] {
            assert!(matches!(made(plain, PlainMail::Loopback), Err(PostError::Plain)), "{plain}");
            assert!(made(plain, PlainMail::Anywhere).is_ok(), "{plain}");
        }
    }

    #[test]
    fn what_is_no_mail_server_or_no_sender_is_refused() {
        for bad in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtps://",
            "smtps://u:p@host",
            "smtps://host/x",
        ] {
            assert!(matches!(made(bad, PlainMail::Anywhere), Err(PostError::Address)), "{bad}");
        }
        for bad in ["", "askfirst", "a@b\r\nBcc: c@d", "a@b, c@d"] {
            let made = Post::new("smtp://127.0.0.1", bad, None, PlainMail::Loopback);
            assert!(matches!(made, Err(PostError::Sender)), "{bad}");
        }
    }

    #[test]
    fn an_address_is_one_and_nothing_more() {
        assert!(address(" joe@family.example ").is_some());
        for bad in [
            "",
            "joe",
            "joe@x.example, jane@x.example",
            "joe@x.example\r\nBcc: jane@x.example",
            "<joe@x.example>",
        ] {
            assert!(address(bad).is_none(), "{bad}");
        }
    }
}
