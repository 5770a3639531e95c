//! What is refused.

use super::{
    CALLBACK, CLIENT, SECRET, World,
    issuer::{Signed, Trouble},
    with,
};
use crate::asking::{family_within, inbox_page::Browser};
use askfirst_engine::{Secret, Settings, oidc::Issuer};
use askfirst_http::Options;
use http::{Request, header};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// The moment at which test servers start, in seconds.
const NOW: i64 = 1_790_000_000;

#[tokio::test]
async fn an_answer_that_this_browser_did_not_ask_for_means_nothing() {
    let world = World::start().await;
    let mut victim = world.visitor();
    let url = victim.leave("env=default%2Fdev").await;
    let answer = world.issuer.agree(&url);
    let mut stranger = world.visitor();
    let other = world.issuer.agree(&stranger.leave("env=default%2Fdev").await);
    let state = other[1].1.clone();
    for state in [None, Some(""), Some("x"), Some(state.as_str())] {
        let kept = victim.cookies.clone();
        let seen = victim.back(&with(&answer, "state", state)).await;
        assert_eq!(seen.status, 400, "{state:?}");
        assert!(victim.cookies.is_empty(), "the flow is forgotten, and nobody is signed in");
        victim.cookies = kept;
    }
    let twice: Vec<_> = answer.iter().chain(&answer).cloned().collect();
    assert_eq!(world.visitor().back(&answer).await.status, 400, "another browser has no cookie");
    assert_eq!(stranger.back(&answer).await.status, 400, "or that of another flow");
    let kept = victim.cookies.clone();
    assert_eq!(victim.back(&twice).await.status, 400);
    assert_eq!(world.issuer.calls("token"), 0, "the issuer was asked nothing");
    victim.cookies = kept;
    world.server.clock.advance(Duration::from_mins(10));
    assert_eq!(victim.back(&answer).await.status, 400, "ten minutes have gone by");
    assert_eq!(world.who().await, "joe");
}

#[tokio::test]
async fn claims_that_are_not_for_this_sign_in_are_refused() {
    let world = World::start().await;
    for claims in [
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"iss": "https://evil.example"}),
        json!({"aud": "somebody"}),
        json!({"aud": [CLIENT, "somebody"]}),
        json!({"azp": "somebody"}),
        json!({"exp": NOW - 61}),
        json!({"exp": null}),
        json!({"iat": NOW + 3600, "exp": NOW + 7200}),
        json!({"nbf": NOW + 3600}),
        json!({"sub": null}),
        json!({"sub": "joe\u{0}"}),
    ] {
        world.issuer.script().claims = claims.clone();
        let page = world.refused(401).await;
        assert!(page.contains("is not accepted"), "{claims}: {page}");
    }
    world.issuer.script().claims = json!({"aud": [CLIENT, "somebody"], "azp": CLIENT});
    assert_eq!(world.who().await, "joe");
}

#[tokio::test]
async fn only_the_issuers_own_key_signs() {
    let world = World::start().await;
    for signed in [Signed::Not, Signed::WithThePublicKey, Signed::ByAnother, Signed::ThenChanged] {
        world.issuer.script().signed = signed;
        let page = world.refused(401).await;
        assert!(page.contains("is not accepted"), "{signed:?}: {page}");
    }
    world.issuer.script().signed = Signed::Well;
    assert_eq!(world.who().await, "joe");
}

#[tokio::test]
async fn the_answer_names_the_issuer_that_was_asked() {
    let world = World::start().await;
    for issuer in [Some("https://evil.example"), Some(""), None] {
        let mut visitor = world.visitor();
        let answer = world.issuer.agree(&visitor.leave("env=default%2Fdev").await);
        assert_eq!(visitor.back(&with(&answer, "iss", issuer)).await.status, 401, "{issuer:?}");
    }
    assert_eq!(world.issuer.calls("token"), 0, "the code went nowhere");
    let world = World::start().await;
    world.issuer.script().metadata = json!({"authorization_response_iss_parameter_supported": false});
    let mut visitor = world.visitor();
    let answer = world.issuer.agree(&visitor.leave("env=default%2Fdev").await);
    assert_eq!(visitor.back(&with(&answer, "iss", None)).await.status, 303);
}

#[tokio::test]
async fn a_code_works_once_and_for_whom_it_was_made() {
    let world = World::start().await;
    let mut visitor = world.visitor();
    let answer = world.issuer.agree(&visitor.leave("env=default%2Fdev").await);
    let kept = visitor.cookies.clone();
    assert_eq!(visitor.back(&answer).await.status, 303);
    visitor.cookies = kept;
    assert_eq!(visitor.back(&answer).await.status, 401, "somebody who has cookie and address");
    assert!(visitor.cookies.is_empty());

    // Somebody else's code in one's own flow: the verifier is not that of the code.
    let mut thief = world.visitor();
    let stolen = world.issuer.agree(&world.visitor().leave("env=default%2Fdev").await)[0].1.clone();
    let own = world.issuer.agree(&thief.leave("env=default%2Fdev").await);
    assert_eq!(thief.back(&with(&own, "code", Some(&stolen))).await.status, 401);
    for code in [None, Some(""), Some("unknown"), Some("x".repeat(5000).as_str())] {
        let own = world.issuer.agree(&thief.leave("env=default%2Fdev").await);
        assert_eq!(thief.back(&with(&own, "code", code)).await.status, 401);
    }
}

#[tokio::test]
async fn who_breaks_off_is_told_so_and_nothing_is_repeated() {
    let world = World::start().await;
    let mut visitor = world.visitor();
    let answer = world.issuer.agree(&visitor.leave("env=default%2Fdev").await);
    let answer = with(&answer, "code", None);
    let answer = with(&answer, "error", Some("access_denied"));
    let answer = with(&answer, "error_description", Some("call <b>evil.example</b>"));
    let seen = visitor.back(&answer).await;
    assert_eq!(seen.status, 401);
    assert!(seen.html.contains("broken off") && !seen.html.contains("evil"), "{}", seen.html);
    assert!(visitor.cookies.is_empty());
    assert_eq!(world.issuer.calls("token"), 0);
}

#[tokio::test]
async fn everybody_ends_in_the_inbox_whatever_the_address_says() {
    let world = World::start().await;
    let mut visitor = world.visitor();
    let form = "env=default%2Fdev&return_to=https%3A%2F%2Fevil.example&next=%2F%2Fevil.example";
    let url = visitor.leave(form).await;
    assert!(!url.contains("evil"), "{url}");
    let mut answer = world.issuer.agree(&url);
    for name in ["return_to", "next", "redirect_uri"] {
        answer.push((name.to_owned(), "//evil.example".to_owned()));
    }
    let seen = visitor.back(&answer).await;
    assert_eq!((seen.status, seen.header(header::LOCATION)), (303, "/inbox"));
}

#[tokio::test]
async fn a_form_of_another_site_begins_nothing() {
    let world = World::start().await;
    let request = Request::post("/login/oidc")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .header(header::ORIGIN, "https://evil.example");
    let mut visitor = world.visitor();
    let seen = visitor.call(request, "env=default%2Fdev".to_owned()).await;
    assert!(seen.status == 403 && seen.cookies().is_empty());
    let seen = visitor.get("/login/oidc").await;
    assert_eq!((seen.status, seen.header(header::LOCATION)), (303, "/login"));
    assert_eq!(world.issuer.calls("metadata"), 0);
}

#[tokio::test]
async fn metadata_that_lead_elsewhere_are_not_followed() {
    for metadata in [
        json!({"issuer": "https://evil.example"}),
        json!({"token_endpoint": "http://id.example/token"}),
        json!({"jwks_uri": "file:///etc/passwd"}),
        json!({"authorization_endpoint": "javascript:alert(1)"}),
        json!({"authorization_endpoint": "https://us:secret@id.example/"}),
        json!({"token_endpoint": Value::Null}),
    ] {
        let world = World::start().await;
        world.issuer.script().metadata = metadata.clone();
        let seen = world.visitor().post("/login/oidc", "env=default%2Fdev").await;
        assert!(seen.status == 503 && seen.cookies().is_empty(), "{metadata}: {}", seen.html);
    }
}

#[tokio::test]
async fn an_issuer_that_does_not_do_its_work_is_waited_for_and_let_go() {
    for trouble in [Trouble::Endless, Trouble::Elsewhere, Trouble::Broken, Trouble::Nonsense] {
        let world = World::start().await;
        world.issuer.script().trouble = [("metadata", trouble)].into();
        let mut visitor = world.visitor();
        for _ in 0..3 {
            let seen = visitor.post("/login/oidc", "env=default%2Fdev").await;
            assert!(seen.status == 503 && seen.cookies().is_empty(), "{trouble:?}: {}", seen.html);
            assert!(seen.html.contains("just now") && !seen.html.contains(SECRET));
        }
        assert_eq!(world.issuer.calls("metadata"), 1, "it is left in peace for a moment");
        world.server.clock.advance(Duration::from_secs(6));
        for endpoint in ["token", "keys"] {
            world.issuer.script().trouble = [(endpoint, trouble)].into();
            world.refused(503).await;
            world.server.clock.advance(Duration::from_secs(6));
        }
        assert_eq!(world.issuer.calls("elsewhere"), 0);
        world.issuer.script().trouble.clear();
        assert_eq!(world.who().await, "joe");
    }
}

#[tokio::test]
async fn an_issuer_that_is_down_keeps_nobody_from_the_other_ways() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let secret = Some(Secret::presented(SECRET));
    let known = Issuer::new(&format!("http://127.0.0.1:{port}"), CLIENT, secret, None).unwrap();
    let settings = Settings { oidc: Some(Arc::new(known)), ..Settings::default() };
    let server = family_within(Options::default(), settings).await;
    let browser = Browser::new(&server);
    assert!(browser.get("/login").await.html.contains("Sign in with 127.0.0.1"));
    let seen = browser.post("/login/oidc", "env=default%2Fdev").await;
    assert!(seen.status == 503 && seen.headers.get(header::SET_COOKIE).is_none(), "{}", seen.html);
    let _in = Browser::of(&server, "joe").await;
}

#[tokio::test]
async fn a_wrong_secret_of_ours_is_nothing_that_a_person_can_mend() {
    let world = World::start().await;
    world.issuer.script().secret = Some("another");
    let page = world.refused(503).await;
    assert!(page.contains("server&#39;s log") || page.contains("server's log"), "{page}");
}

#[tokio::test]
async fn nonsense_in_the_address_is_no_answer() {
    let world = World::start().await;
    for query in ["", "?", "?state=a&state=b", "?code=%ff", "?state=&code=", "?state=%00"] {
        let mut visitor = world.visitor();
        visitor.leave("env=default%2Fdev").await;
        let seen = visitor.get(&format!("{CALLBACK}{query}")).await;
        assert!(seen.status == 400 && visitor.cookies.is_empty(), "{query}: {}", seen.html);
    }
    for flow in ["", "....", "a.b.c.d.e", "%00"] {
        let mut visitor = world.visitor();
        visitor.cookies.insert("askfirst_oidc".to_owned(), flow.to_owned());
        assert_eq!(visitor.get(&format!("{CALLBACK}?state=&code=x")).await.status, 400, "{flow}");
    }
}

#[test]
fn issuers_are_addresses_that_nobody_can_listen_to() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (url, good) in [
        ("https://id.example", true),
        ("https://id.example/realms/x/", true),
        ("http://127.0.0.1:8080/x", true),
        ("http://localhost:8080", true),
        ("http://id.example", false),
        ("http://10.0.0.1", false),
        ("https://id.example?x=y", false),
        ("https://id.example#x", false),
        ("https://us:secret@id.example", false),
        (" https://id.example", false),
        ("id.example", false),
        ("", false),
    ] {
        assert_eq!(Issuer::new(url, CLIENT, None, None).is_ok(), good, "{url}");
    }
    assert!(Issuer::new("https://id.example", " ", None, None).is_err());
    for name in ["", " ", "a\nb", "x".repeat(61).as_str()] {
        assert!(Issuer::new("https://id.example", CLIENT, None, Some(name)).is_err(), "{name}");
    }
}
