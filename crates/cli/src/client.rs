//! Calls to a server's API with the key of the environment.

use crate::{
    env::Env,
    events::{Events, SILENCE},
};
use anyhow::{Context as _, anyhow, bail};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{path::Path, time::Duration};

/// Where a server listens when nobody says otherwise.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:7766";

/// What stands in a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Which server, and what opens it.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) key: String,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Server {
    /// `ASKFIRST_URL` and `ASKFIRST_API_KEY`.
    pub(crate) fn of(env: &Env) -> anyhow::Result<Self> {
        let url = env.get("ASKFIRST_URL").unwrap_or(DEFAULT_URL).trim_end_matches('/').to_owned();
        let Some(key) = env.get("ASKFIRST_API_KEY") else { bail!(no_key()) };
        Ok(Self { url, key: key.to_owned() })
    }
}

/// What to say when there is no key; names the file with the first keys when there is one that may be read.
pub(crate) fn no_key() -> String {
    let file = Path::new(crate::serve::DEFAULT_DATA).join(crate::serve::KEYS_FILE);
    let place = if std::fs::File::open(&file).is_ok() {
        format!(
            "this server's keys are in {}, and commands want the one of an environment (default/dev)",
            file.display()
        )
    } else {
        format!("`askfirst serve` writes its first keys to {} in its data directory", crate::serve::KEYS_FILE)
    };
    format!("ASKFIRST_API_KEY is not set; {place}")
}

/// The connection.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    server: Server,
}

impl Client {
    /// A client of the server that the environment names.
    pub(crate) fn from_env(env: &Env) -> anyhow::Result<Self> {
        Self::new(Server::of(env)?)
    }

    /// A client of this server.
    pub(crate) fn new(server: Server) -> anyhow::Result<Self> {
        let http = builder().timeout(Duration::from_mins(1)).build().context("can't make an HTTP client")?;
        Ok(Self { http, server })
    }

    /// Reads something.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<T> {
        self.send(self.request(Method::GET, path).query(query)).await
    }

    /// Begins to read what is told for as long as the connection holds.
    pub(crate) async fn listen(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Events> {
        let http = builder().read_timeout(SILENCE).build().context("can't make an HTTP client")?;
        let request = http.get(format!("{}{path}", self.server.url)).bearer_auth(&self.server.key);
        let answer = request.query(query).send().await.map_err(|e| self.unreachable(&e))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Events::of(answer));
        }
        Err(self.refusal(status, &answer.text().await.unwrap_or_default()))
    }

    /// Sends JSON and reads the answer.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> anyhow::Result<T> {
        self.send(self.request(Method::POST, path).query(query).json(body)).await
    }

    /// Sends JSON that is to be put there and reads the answer.
    pub(crate) async fn put<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// Sends JSON that is to be put there, which is answered with nothing.
    pub(crate) async fn put_nothing(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        self.answer(self.request(Method::PUT, path).json(body)).await.map(drop)
    }

    /// Sends what is to be changed and reads the answer.
    pub(crate) async fn patch<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    /// Does something that is answered with nothing.
    pub(crate) async fn post_nothing(&self, path: &str) -> anyhow::Result<()> {
        self.answer(self.request(Method::POST, path)).await.map(drop)
    }

    /// Takes something away.
    pub(crate) async fn delete(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<()> {
        self.answer(self.request(Method::DELETE, path).query(query)).await.map(drop)
    }

    /// Reads a text.
    pub(crate) async fn get_text(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<String> {
        self.answer(self.request(Method::GET, path).query(query)).await
    }

    /// Sends a text and reads the answer.
    pub(crate) async fn put_text<T: DeserializeOwned>(&self, path: &str, text: String) -> anyhow::Result<T> {
        self.send(self.request(Method::PUT, path).body(text)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server.url)).bearer_auth(&self.server.key)
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let text = self.answer(request).await?;
        serde_json::from_str(&text).with_context(|| {
            format!("{} answered what this command can't read; is it another version?", self.server.url)
        })
    }

    /// The text of an answer that is no refusal.
    async fn answer(&self, request: RequestBuilder) -> anyhow::Result<String> {
        let url = &self.server.url;
        let response = request.send().await.map_err(|e| self.unreachable(&e))?;
        let status = response.status();
        let text =
            response.text().await.with_context(|| format!("{url} broke off in the middle of its answer"))?;
        if status.is_success() { Ok(text) } else { Err(self.refusal(status, &text)) }
    }

    fn unreachable(&self, error: &reqwest::Error) -> anyhow::Error {
        let url = &self.server.url;
        if error.is_builder() {
            anyhow!("`{url}` is not an address; set ASKFIRST_URL to one such as {DEFAULT_URL}")
        } else if error.is_timeout() {
            anyhow!("{url} did not answer in time")
        } else {
            anyhow!("no server answers at {url}; start one with `askfirst serve`, or set ASKFIRST_URL")
        }
    }

    fn refusal(&self, status: StatusCode, text: &str) -> anyhow::Error {
        let url = &self.server.url;
        if status == StatusCode::UNAUTHORIZED {
            return anyhow!(
                "{url} does not know this API key; set ASKFIRST_API_KEY to the key of an environment"
            );
        }
        match sentence(text) {
            Some(sentence) => anyhow!(sentence),
            None => anyhow!("{url} answered {status}"),
        }
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
}

/// The sentence in an error body: Permit's `message`, or what is wrong with the input.
fn sentence(text: &str) -> Option<String> {
    let body: Value = serde_json::from_str(text).ok()?;
    let message = body.get("message").and_then(Value::as_str).map(ToOwned::to_owned);
    message.filter(|m| !m.is_empty()).map(|message| message + &places(&body)).or_else(|| {
        let first = body.get("detail")?.get(0)?;
        Some(format!("the server can't read the request: {}", first.get("msg")?.as_str()?))
    })
}

/// Every place of a policy file that is wrong, a line each, when there are several; the sentence has the first.
fn places(body: &Value) -> String {
    let places = body.pointer("/additional_info/diagnostics").and_then(Value::as_array);
    let places = places.filter(|places| places.len() > 1);
    let told = places.into_iter().flatten().map(|place| {
        let text = |name: &str| place.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| place.get(name).and_then(Value::as_u64).unwrap_or_default();
        let hint = if text("hint").is_empty() { String::new() } else { format!(" ({})", text("hint")) };
        format!("\n  {}:{}: {}{hint}", number("line"), number("column"), text("message"))
    });
    told.collect()
}

/// A value as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_become_sentences() {
        let details =
            r#"{"id":"x","title":"t","error_code":"NOT_FOUND","message":"There is no user `bob`."}"#;
        assert_eq!(sentence(details).as_deref(), Some("There is no user `bob`."));
        let invalid = r#"{"detail":[{"loc":["body"],"msg":"missing field `user`","type":"value_error"}]}"#;
        assert_eq!(
            sentence(invalid).as_deref(),
            Some("the server can't read the request: missing field `user`")
        );
        assert_eq!(sentence("<html>"), None);
    }

    #[test]
    fn segments_hold_together() {
        assert_eq!(segment("a/b c|d@x.io"), "a%2Fb%20c%7Cd%40x.io");
    }

    #[test]
    fn keys_are_not_shown() {
        let server = Server { url: "http://x".to_owned(), key: "askfirst_key_secret".to_owned() };
        assert!(!format!("{server:?}").contains("secret"));
    }
}
