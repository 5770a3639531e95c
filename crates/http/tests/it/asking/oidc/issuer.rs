//! An OpenID Connect issuer on this machine, which a test can make lie.

use crate::support::TestClock;
use axum::{
    Form, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::net::TcpListener;

pub(super) const CLIENT: &str = "askfirst at home";
pub(super) const SECRET: &str = "the secret: of+us";

/// With what an ID token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signed {
    /// A published key, named by its id.
    Well,
    /// A published key, and no id.
    WithoutId,
    /// `alg: none`, and no signature.
    Not,
    /// HS256 with what everybody knows of the key.
    WithThePublicKey,
    /// Another key under the id of the published one.
    ByAnother,
    /// Well, and then the claims were changed.
    ThenChanged,
}

/// What an endpoint does instead of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// An answer without an end.
    Endless,
    /// It sends elsewhere.
    Elsewhere,
    Broken,
    Nonsense,
}

struct Key {
    id: String,
    pair: KeyPair,
    algorithm: Algorithm,
}

impl Key {
    fn new(id: &str, algorithm: Algorithm) -> Self {
        let kind = if algorithm == Algorithm::EdDSA { &PKCS_ED25519 } else { &PKCS_ECDSA_P256_SHA256 };
        Self { id: id.to_owned(), pair: KeyPair::generate_for(kind).unwrap(), algorithm }
    }

    fn encoding(&self) -> EncodingKey {
        let der = self.pair.serialize_der();
        match self.algorithm {
            Algorithm::EdDSA => EncodingKey::from_ed_der(&der),
            _ => EncodingKey::from_ec_der(&der),
        }
    }

    fn jwk(&self) -> Value {
        let raw = self.pair.public_key_raw();
        if self.algorithm == Algorithm::EdDSA {
            return json!({"kty": "OKP", "crv": "Ed25519", "kid": self.id, "use": "sig", "x": URL_SAFE_NO_PAD.encode(raw)});
        }
        let (x, y) = raw[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        json!({"kty": "EC", "crv": "P-256", "kid": self.id, "use": "sig", "alg": "ES256", "x": x, "y": y})
    }
}

/// What a code stands for.
struct Granted {
    asked: HashMap<String, String>,
    claims: Value,
}

pub(super) struct Script {
    /// Who is signed in at the issuer: `sub`, `email` and so on.
    pub(super) person: Value,
    /// What the ID token says otherwise; null takes a claim away.
    pub(super) claims: Value,
    pub(super) signed: Signed,
    /// What the metadata say otherwise.
    pub(super) metadata: Value,
    pub(super) userinfo: Value,
    /// By endpoint.
    pub(super) trouble: HashMap<&'static str, Trouble>,
    /// How often each endpoint was called.
    pub(super) calls: HashMap<&'static str, u32>,
    pub(super) secret: Option<&'static str>,
    clock: Option<Arc<TestClock>>,
    key: Key,
    codes: HashMap<String, Granted>,
    made: u32,
}

#[derive(Clone)]
pub(super) struct TestIssuer {
    pub(super) url: String,
    script: Arc<Mutex<Script>>,
}

impl TestIssuer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/realms/family", listener.local_addr().unwrap());
        let script = Script {
            person: json!({"sub": "joe-at-id", "email": "joe@family.example", "email_verified": true}),
            claims: json!({}),
            signed: Signed::Well,
            metadata: json!({}),
            userinfo: json!({}),
            trouble: HashMap::new(),
            calls: HashMap::new(),
            secret: Some(SECRET),
            clock: None,
            key: Key::new("first", Algorithm::ES256),
            codes: HashMap::new(),
            made: 0,
        };
        let issuer = Self { url, script: Arc::new(Mutex::new(script)) };
        let app = Router::new()
            .route("/realms/family/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .route("/elsewhere", get(elsewhere).post(elsewhere))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        issuer
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    pub(super) fn follow(&self, clock: &Arc<TestClock>) {
        self.script().clock = Some(Arc::clone(clock));
    }

    /// Another key from now on; the old one is not published any more.
    pub(super) fn rotate(&self) {
        self.script().key = Key::new("second", Algorithm::EdDSA);
    }

    pub(super) fn calls(&self, endpoint: &str) -> u32 {
        self.script().calls.get(endpoint).copied().unwrap_or(0)
    }

    /// The person at the browser agrees; gives what comes back in the address.
    pub(super) fn agree(&self, url: &str) -> Vec<(String, String)> {
        let (endpoint, query) = url.split_once('?').unwrap();
        assert_eq!(endpoint, format!("{}/authorize", self.base()));
        let asked: HashMap<String, String> =
            axum::extract::Query::try_from_uri(&format!("/x?{query}").parse().unwrap())
                .map(|axum::extract::Query(asked)| asked)
                .unwrap();
        assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT));
        assert_eq!(asked["scope"], "openid email");
        assert_eq!((asked["code_challenge_method"].as_str(), asked["code_challenge"].len()), ("S256", 43));
        assert!(asked["state"].len() == 43 && asked["nonce"].len() == 43);
        let mut script = self.script();
        script.made += 1;
        let code = format!("code-{}", script.made);
        let now = script.clock.as_ref().unwrap().seconds();
        let mut claims = json!({
            "iss": self.url, "aud": CLIENT, "nonce": asked["nonce"], "iat": now, "exp": now + 300,
        });
        for (name, value) in
            script.person.as_object().unwrap().iter().chain(script.claims.as_object().unwrap())
        {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        let state = asked["state"].clone();
        script.codes.insert(code.clone(), Granted { asked, claims });
        vec![("code".to_owned(), code), ("state".to_owned(), state), ("iss".to_owned(), self.url.clone())]
    }

    fn base(&self) -> &str {
        self.url.strip_suffix("/realms/family").unwrap()
    }

    /// Counts a call; gives what is done instead of the work.
    fn trouble(&self, endpoint: &'static str) -> Option<Response> {
        let mut script = self.script();
        *script.calls.entry(endpoint).or_default() += 1;
        match script.trouble.get(endpoint)? {
            Trouble::Endless => {
                let spaces = std::iter::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
                Some(Body::from_stream(futures::stream::iter(spaces)).into_response())
            }
            Trouble::Elsewhere => Some(Redirect::temporary("/elsewhere").into_response()),
            Trouble::Broken => Some(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
            Trouble::Nonsense => Some("<html>".into_response()),
        }
    }
}

async fn metadata(State(issuer): State<TestIssuer>) -> Response {
    if let Some(trouble) = issuer.trouble("metadata") {
        return trouble;
    }
    let base = issuer.base();
    let mut said = json!({
        "issuer": issuer.url,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/keys"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "authorization_response_iss_parameter_supported": true,
    });
    for (name, value) in issuer.script().metadata.as_object().unwrap() {
        said[name] = value.clone();
    }
    axum::Json(said).into_response()
}

async fn keys(State(issuer): State<TestIssuer>) -> Response {
    if let Some(trouble) = issuer.trouble("keys") {
        return trouble;
    }
    let other = json!({"kty": "new", "kid": "other"});
    let encrypts = json!({"kty": "EC", "crv": "P-256", "use": "enc", "kid": "enc", "x": "AA", "y": "AA"});
    let key = issuer.script().key.jwk();
    axum::Json(json!({"keys": [other, encrypts, key]})).into_response()
}

async fn userinfo(State(issuer): State<TestIssuer>, headers: HeaderMap) -> Response {
    if let Some(trouble) = issuer.trouble("userinfo") {
        return trouble;
    }
    assert_eq!(headers[header::AUTHORIZATION], "Bearer access");
    axum::Json(issuer.script().userinfo.clone()).into_response()
}

async fn elsewhere(State(issuer): State<TestIssuer>) -> Response {
    issuer.trouble("elsewhere").unwrap_or_else(|| StatusCode::OK.into_response())
}

async fn token(
    State(issuer): State<TestIssuer>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    if let Some(trouble) = issuer.trouble("token") {
        return trouble;
    }
    let mut script = issuer.script();
    if !is_us(script.secret, &headers, &form) {
        return (StatusCode::UNAUTHORIZED, axum::Json(json!({"error": "invalid_client"}))).into_response();
    }
    let bad = || (StatusCode::BAD_REQUEST, axum::Json(json!({"error": "invalid_grant"}))).into_response();
    // A code is taken away by whoever presents it first.
    let Some(granted) = script.codes.remove(&form["code"]) else { return bad() };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    let fits = form["grant_type"] == "authorization_code"
        && form["redirect_uri"] == granted.asked["redirect_uri"]
        && challenge == granted.asked["code_challenge"];
    if !fits {
        return bad();
    }
    let id_token = sign(&script, &granted.claims);
    axum::Json(json!({"token_type": "Bearer", "access_token": "access", "id_token": id_token}))
        .into_response()
}

/// Basic, with both parts written as in a form; or, for a public client, the id alone.
fn is_us(secret: Option<&str>, headers: &HeaderMap, form: &HashMap<String, String>) -> bool {
    let given = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let in_form = |name: &str| form.get(name).map(String::as_str);
    let Some(secret) = secret else {
        return given.is_none()
            && in_form("client_id") == Some(CLIENT)
            && !form.contains_key("client_secret");
    };
    let Some(given) = given else {
        return in_form("client_id") == Some(CLIENT) && in_form("client_secret") == Some(secret);
    };
    let given = STANDARD.decode(given.strip_prefix("Basic ").unwrap()).unwrap();
    let ours = given == b"askfirst%20at%20home:the%20secret%3A%20of%2Bus";
    ours && secret == SECRET && !form.contains_key("client_secret")
}

fn sign(script: &Script, claims: &Value) -> String {
    let key = &script.key;
    let mut header = Header { kid: Some(key.id.clone()), ..Header::new(key.algorithm) };
    let well = |header: &Header| encode(header, claims, &key.encoding()).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    match script.signed {
        Signed::Well => well(&header),
        Signed::WithoutId => {
            header.kid = None;
            well(&header)
        }
        Signed::Not => format!("{}.{}.", part(&json!({"alg": "none", "kid": key.id})), part(claims)),
        Signed::WithThePublicKey => {
            header.alg = Algorithm::HS256;
            let known = EncodingKey::from_secret(key.pair.public_key_raw());
            encode(&header, claims, &known).unwrap()
        }
        Signed::ByAnother => encode(&header, claims, &Key::new(&key.id, key.algorithm).encoding()).unwrap(),
        Signed::ThenChanged => {
            let token = well(&header);
            let parts: Vec<_> = token.split('.').collect();
            let mut changed = claims.clone();
            changed["sub"] = json!("jane-at-id");
            format!("{}.{}.{}", parts[0], part(&changed), parts[2])
        }
    }
}
