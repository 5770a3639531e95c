//! Signing in with an OpenID Connect issuer, as a browser sees it.

mod issuer;
mod people;
mod refusals;

use super::family_within;
use crate::support::Server;
use askfirst_engine::{Secret, Settings, oidc::Issuer};
use askfirst_http::Options;
use axum::body::Body;
use http::{HeaderMap, Request, header};
use issuer::{CLIENT, SECRET, TestIssuer};
use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};
use tower::ServiceExt as _;

const NAME: &str = "Family <ID>";
const CALLBACK: &str = "/login/oidc/callback";

struct World {
    server: Server,
    issuer: TestIssuer,
}

impl World {
    async fn start() -> Self {
        Self::start_with(Some(SECRET), "http://127.0.0.1:7766").await
    }

    async fn start_with(secret: Option<&'static str>, public_url: &str) -> Self {
        // The process has one, whoever asks first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let issuer = TestIssuer::start().await;
        issuer.script().secret = secret;
        let known = Issuer::new(&issuer.url, CLIENT, secret.map(Secret::presented), Some(NAME)).unwrap();
        let settings = Settings {
            public_url: public_url.to_owned(),
            oidc: Some(Arc::new(known)),
            ..Settings::default()
        };
        let server = family_within(Options::default(), settings).await;
        issuer.follow(&server.clock);
        Self { server, issuer }
    }

    fn visitor(&self) -> Visitor<'_> {
        Visitor { world: self, cookies: BTreeMap::new() }
    }

    /// A whole sign-in in a fresh browser, and what it ends with.
    async fn sign_in(&self) -> (Visitor<'_>, Seen) {
        let mut visitor = self.visitor();
        let seen = visitor.sign_in().await;
        (visitor, seen)
    }

    /// Who is signed in after a whole sign-in in a fresh browser.
    async fn who(&self) -> String {
        let (visitor, seen) = self.sign_in().await;
        assert_eq!((seen.status, seen.header(header::LOCATION)), (303, "/inbox"), "{}", seen.html);
        visitor.who().await
    }

    /// A whole sign-in that has to be refused: no session, and no flow is kept.
    async fn refused(&self, status: u16) -> String {
        let (visitor, seen) = self.sign_in().await;
        assert_eq!(seen.status, status, "{}", seen.html);
        assert!(visitor.cookies.is_empty(), "{:?}", visitor.cookies);
        seen.html
    }
}

struct Seen {
    status: u16,
    headers: HeaderMap,
    html: String,
}

impl Seen {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
    }
}

/// A browser that keeps cookies.
struct Visitor<'w> {
    world: &'w World,
    cookies: BTreeMap<String, String>,
}

impl Visitor<'_> {
    async fn call(&mut self, request: http::request::Builder, body: String) -> Seen {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            request.header(header::COOKIE, cookies.join("; ")).header(header::HOST, "127.0.0.1:7766");
        let request = request.body(Body::from(body)).unwrap();
        let response = self.world.server.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let html = String::from_utf8(bytes.to_vec()).unwrap();
        let seen = Seen { status: parts.status.as_u16(), headers: parts.headers, html };
        for cookie in seen.cookies() {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        seen
    }

    async fn get(&mut self, path: &str) -> Seen {
        self.call(Request::get(path), String::new()).await
    }

    async fn post(&mut self, path: &str, form: &str) -> Seen {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.call(request, form.to_owned()).await
    }

    /// Presses the button; gives where the page leads.
    async fn leave(&mut self, form: &str) -> String {
        let seen = self.post("/login/oidc", form).await;
        assert_eq!(seen.status, 200, "{}", seen.html);
        let link =
            seen.html.split("<a href=\"").skip(1).find(|text| text.contains("code_challenge")).unwrap();
        link.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&")
    }

    async fn back(&mut self, answer: &[(String, String)]) -> Seen {
        let query: Vec<_> = answer.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        self.get(&format!("{CALLBACK}?{}", query.join("&"))).await
    }

    async fn sign_in(&mut self) -> Seen {
        let url = self.leave("env=default%2Fdev").await;
        let answer = self.world.issuer.agree(&url);
        self.back(&answer).await
    }

    async fn who(mut self) -> String {
        let page = self.get("/inbox/sign-in").await;
        assert_eq!(page.status, 200, "nobody is signed in");
        let after = page.html.split("name=\"username\" value=\"").nth(1).unwrap();
        after.split('"').next().unwrap().to_owned()
    }
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        write!(encoded, "%{byte:02x}").unwrap();
    }
    encoded
}

/// The answer with another value of a part, or without it.
fn with(answer: &[(String, String)], name: &str, value: Option<&str>) -> Vec<(String, String)> {
    let mut answer: Vec<_> = answer.iter().filter(|(known, _)| known != name).cloned().collect();
    answer.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    answer
}
