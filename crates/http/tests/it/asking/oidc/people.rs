//! Who it is that signs in.

use super::{CALLBACK, NAME, SECRET, World, issuer::Signed};
use crate::{
    asking::{inbox_page::Browser, passwords::events},
    support::FACTS,
};
use http::header;
use serde_json::json;

fn person(sub: &str, email: &str) -> serde_json::Value {
    json!({"sub": sub, "email": email, "email_verified": true})
}

#[tokio::test]
async fn the_button_leads_to_the_issuer_and_back_into_the_inbox() {
    let world = World::start().await;
    let mut visitor = world.visitor();
    let page = visitor.get("/login?env=default/dev").await;
    assert!(page.html.contains("action=\"/login/oidc\"") && !page.html.contains("<ID>"), "{}", page.html);
    assert!(page.html.contains("Sign in with Family") && !page.html.contains("<script"));

    let sent = visitor.post("/login/oidc", "env=default%2Fdev").await;
    let [cookie] = sent.cookies()[..] else { panic!("one cookie") };
    assert!(
        cookie.starts_with("askfirst_oidc=")
            && cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax")
    );
    assert_eq!(sent.header(header::CACHE_CONTROL), "no-store");
    assert!(sent.html.contains("http-equiv=\"refresh\"") && !sent.html.contains(SECRET));
    let url = visitor.leave("env=default%2Fdev").await;
    assert!(url.contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A7766%2Flogin%2Foidc%2Fcallback"), "{url}");

    let answer = world.issuer.agree(&url);
    let seen = visitor.back(&answer).await;
    assert_eq!((seen.status, seen.header(header::LOCATION)), (303, "/inbox"), "{}", seen.html);
    let kept: Vec<_> = visitor.cookies.keys().collect();
    assert_eq!(kept, ["askfirst_session"], "the flow is forgotten");
    assert!(seen.cookies().iter().any(|cookie| cookie.contains("Max-Age=43200; HttpOnly; SameSite=Lax")));
    assert_eq!(visitor.get("/inbox").await.status, 200);
    let ways = visitor.get("/inbox/sign-in").await.html;
    assert!(
        ways.contains("Opened with Family &#60;ID&#62;") || ways.contains("Opened with Family &lt;ID&gt;"),
        "{ways}"
    );
    let opened = events(&world.server, "session.opened").await;
    assert!(opened.iter().any(|event| event["details"]["with"] == "oidc"), "{opened:?}");
    let linked = events(&world.server, "identity.linked").await;
    assert_eq!(linked.len(), 1);
    assert_eq!(linked[0]["details"], json!({"issuer": world.issuer.url, "subject": "joe-at-id"}));

    assert_eq!(visitor.post("/inbox/sign-out-everywhere", "").await.status, 303);
    assert!(visitor.cookies.is_empty());
    assert_eq!(world.who().await, "joe");
    assert_eq!(events(&world.server, "identity.linked").await.len(), 1, "once is enough");
    let log = format!("{:?}", world.server.engine.settings());
    assert!(log.contains(NAME) && !log.contains(SECRET), "{log}");
}

#[tokio::test]
async fn what_the_browser_had_before_ends() {
    let world = World::start().await;
    let (mut visitor, _) = world.sign_in().await;
    let before = visitor.cookies.clone();
    visitor.sign_in().await;
    assert_ne!(visitor.cookies, before);
    visitor.cookies = before;
    assert_eq!(visitor.get("/inbox").await.status, 401);
}

#[tokio::test]
async fn without_a_secret_the_challenge_alone_is_enough() {
    let world = World::start_with(None, "http://127.0.0.1:7766").await;
    assert_eq!(world.who().await, "joe");
}

#[tokio::test]
async fn an_issuer_that_takes_the_secret_in_the_form_gets_it_there() {
    let world = World::start().await;
    world.issuer.script().metadata = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]});
    assert_eq!(world.who().await, "joe");
}

#[tokio::test]
async fn over_https_the_cookies_are_of_this_host_alone() {
    let world = World::start_with(Some(SECRET), "https://ask.family.example").await;
    let mut visitor = world.visitor();
    let sent = visitor.post("/login/oidc", "env=default%2Fdev").await;
    let [cookie] = sent.cookies()[..] else { panic!("one cookie") };
    assert!(cookie.starts_with("__Host-askfirst_oidc="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    assert!(sent.html.contains("redirect_uri=https%3A%2F%2Fask.family.example%2Flogin%2Foidc%2Fcallback"));
    assert_eq!(world.who().await, "joe");
    // Without the prefix it could come from another host of the domain.
    let url = visitor.leave("env=default%2Fdev").await;
    let flow = visitor.cookies.remove("__Host-askfirst_oidc").unwrap();
    visitor.cookies.insert("askfirst_oidc".to_owned(), flow);
    let answer = world.issuer.agree(&url);
    assert_eq!(visitor.back(&answer).await.status, 400);
}

#[tokio::test]
async fn a_changed_address_moves_nobody() {
    let world = World::start().await;
    assert_eq!(world.who().await, "joe");
    world.issuer.script().person = person("joe-at-id", "jane@family.example");
    assert_eq!(world.who().await, "joe");
    world.issuer.script().person = json!({"sub": "joe-at-id"});
    assert_eq!(world.who().await, "joe", "afterwards nobody asks for an address");
    // An address that was given to somebody else takes nothing along.
    world.issuer.script().person = person("new-at-id", "joe@family.example");
    let page = world.refused(403).await;
    assert!(page.contains("linked with another account"), "{page}");
    world.issuer.script().person = person("jane-at-id", "JANE@family.example");
    assert_eq!(world.who().await, "jane");
}

#[tokio::test]
async fn only_a_verified_address_of_one_user_lets_in() {
    let world = World::start().await;
    let dev = world.server.dev();
    let twin = json!({"key": "twin", "email": "Rose@family.example"});
    dev.put(&format!("{FACTS}/users/twin"), twin).await;
    for (said, why) in [
        (json!({"sub": "x", "email": "joe@family.example", "email_verified": false}), "does not say"),
        (json!({"sub": "x", "email": "joe@family.example", "email_verified": "true"}), "does not say"),
        (json!({"sub": "x", "email": "joe@family.example"}), "does not say"),
        (json!({"sub": "x", "email": ["joe@family.example"], "email_verified": true}), "does not say"),
        (json!({"sub": "x", "email": "", "email_verified": true}), "does not say"),
        (person("x", "nobody@family.example"), "nobody here"),
        (person("x", "oe@family.example"), "nobody here"),
        (person("x", "%@family.example"), "nobody here"),
        (person("x", "rose@family.example"), "more than one user"),
    ] {
        world.issuer.script().person = said.clone();
        let page = world.refused(403).await;
        assert!(page.contains(why) && page.contains("no user was made"), "{said}: {page}");
    }
    assert_eq!(events(&world.server, "identity.linked").await.len(), 0);
    let told = events(&world.server, "sign_in.failed").await;
    assert_eq!(told.len(), 9);
    assert!(told.iter().all(|event| event["details"]["with"] == "oidc"), "{told:?}");
    let users = dev.get(&format!("{FACTS}/users")).await;
    assert_eq!(users["total_count"], 5, "{users}");
}

#[tokio::test]
async fn an_address_that_the_token_leaves_out_is_asked_for() {
    let world = World::start().await;
    world.issuer.script().person = json!({"sub": "joe-at-id"});
    for (said, status) in [
        (json!({"sub": "somebody", "email": "joe@family.example", "email_verified": true}), 401),
        (json!({"email": "joe@family.example", "email_verified": true}), 401),
        (json!({"sub": "joe-at-id", "email": "joe@family.example"}), 403),
    ] {
        world.issuer.script().userinfo = said;
        world.refused(status).await;
    }
    world.issuer.script().userinfo = person("joe-at-id", "joe@family.example");
    assert_eq!(world.who().await, "joe");
    assert_eq!(world.issuer.calls("userinfo"), 4);
    assert_eq!(world.who().await, "joe");
    assert_eq!(world.issuer.calls("userinfo"), 4, "nobody asks once they are linked");
}

#[tokio::test]
async fn a_link_goes_with_its_user() {
    let world = World::start().await;
    let path = format!("{FACTS}/users/joe");
    let (mut visitor, _) = world.sign_in().await;
    let dev = world.server.dev();
    assert_eq!(dev.send("DELETE", &path, None).await.status, 204);
    assert_eq!(visitor.get("/inbox").await.status, 401);
    world.refused(403).await;
    // Whoever is called joe now is somebody else, and is found by the address again.
    dev.put(&path, json!({"key": "joe", "email": "other@family.example"})).await;
    world.refused(403).await;
    dev.put(&path, json!({"key": "joe", "email": "joe@family.example"})).await;
    assert_eq!(world.who().await, "joe");
    assert_eq!(visitor.get("/inbox").await.status, 401);
    assert_eq!(events(&world.server, "identity.linked").await.len(), 2);
}

#[tokio::test]
async fn the_operator_sees_links_and_takes_them_away() {
    let world = World::start().await;
    let (dev, path) = (world.server.dev(), "/api/v1/users/joe/identities");
    assert_eq!(dev.get(path).await, json!({"data": []}));
    assert_eq!(dev.send("DELETE", path, None).await.status, 404);
    assert_eq!(dev.send("GET", "/api/v1/users/nobody/identities", None).await.status, 404);
    let (mut visitor, _) = world.sign_in().await;
    let listed = dev.get(path).await;
    assert_eq!(listed["data"][0]["issuer"], world.issuer.url, "{listed}");
    assert_eq!(
        (listed["data"].as_array().unwrap().len(), &listed["data"][0]["subject"]),
        (1, &json!("joe-at-id"))
    );
    assert_eq!(dev.send("DELETE", path, None).await.status, 204);
    assert_eq!(visitor.get("/inbox").await.status, 401);
    assert_eq!(events(&world.server, "identity.unlinked").await.len(), 1);
    world.issuer.script().person = person("made-anew", "joe@family.example");
    assert_eq!(world.who().await, "joe");
}

#[tokio::test]
async fn environments_are_apart() {
    let world = World::start().await;
    assert_eq!(world.who().await, "joe");
    for env in ["default%2Fproduction", "no%2Fwhere", "nonsense", ""] {
        let mut visitor = world.visitor();
        let url = visitor.leave(&format!("env={env}")).await;
        let answer = world.issuer.agree(&url);
        let seen = visitor.back(&answer).await;
        assert!(seen.status == 403 && seen.html.contains("nobody here"), "{env}: {}", seen.html);
    }
}

#[tokio::test]
async fn a_new_key_of_the_issuer_is_fetched_once() {
    let world = World::start().await;
    assert_eq!(world.who().await, "joe");
    assert_eq!(world.who().await, "joe");
    assert_eq!((world.issuer.calls("metadata"), world.issuer.calls("keys")), (1, 1));
    world.issuer.rotate();
    world.refused(401).await;
    assert_eq!(world.issuer.calls("keys"), 1, "it is left in peace for half a minute");
    world.server.clock.advance(std::time::Duration::from_secs(31));
    assert_eq!(world.who().await, "joe");
    world.issuer.script().signed = Signed::ByAnother;
    world.refused(401).await;
    world.issuer.script().signed = Signed::WithoutId;
    assert_eq!(world.who().await, "joe");
    assert_eq!((world.issuer.calls("metadata"), world.issuer.calls("keys")), (1, 2));
    world.server.clock.advance(std::time::Duration::from_mins(11));
    world.issuer.script().signed = Signed::Well;
    assert_eq!(world.who().await, "joe");
    assert_eq!((world.issuer.calls("metadata"), world.issuer.calls("keys")), (2, 3));
}

#[tokio::test]
async fn many_first_sign_ins_at_once_make_one_link() {
    let world = World::start().await;
    let all = futures::future::join_all((0..6).map(|_| world.who())).await;
    assert!(all.iter().all(|who| who == "joe"), "{all:?}");
}

#[tokio::test]
async fn without_an_issuer_there_is_no_button_and_no_way() {
    let server = crate::asking::family().await;
    let browser = Browser::new(&server);
    assert!(!browser.get("/login").await.html.contains("oidc"));
    assert_eq!(browser.post("/login/oidc", "env=default%2Fdev").await.status, 404);
    assert_eq!(browser.get(&format!("{CALLBACK}?code=x&state=y")).await.status, 404);
}
