//! Passwords as a browser sees them.

use super::{
    family,
    inbox_page::{Browser, link},
};
use crate::support::Server;
use http::header;
use serde_json::{Value, json};
use std::time::Duration;

const GOOD: &str = "four+words+of+joe";
const PLAIN: &str = "four words of joe";
const OTHER: &str = "five+other+words+of+joe";

fn form(user: &str, password: &str) -> String {
    format!("env=default%2Fdev&user={user}&password={password}")
}

/// joe, who has set a password in a browser that a link has opened.
async fn joe(server: &Server) -> Browser<'_> {
    let joe = Browser::of(server, "joe").await;
    let set = joe.post("/inbox/password", &format!("new={GOOD}&again={GOOD}")).await;
    assert_eq!((set.status, set.header(header::LOCATION)), (303, "/inbox/sign-in"), "{}", set.html);
    joe
}

pub(super) async fn events(server: &Server, code: &str) -> Vec<Value> {
    let found = server.dev().get(&format!("/api/v1/audit?action={code}")).await;
    let all = found["data"].as_array().unwrap_or_else(|| panic!("{found}")).clone();
    all.into_iter().filter(|event| event.to_string().contains(code)).collect()
}

#[tokio::test]
async fn a_password_signs_in_and_the_session_before_ends() {
    let server = family().await;
    let by_link = joe(&server).await;
    assert!(by_link.get("/inbox/sign-in").await.html.contains("You have a password"));
    let page = Browser::new(&server).get("/login?env=default/dev").await;
    assert_eq!(page.status, 200);
    assert!(page.html.contains("value=\"default/dev\"") && !page.html.contains("<script"), "{}", page.html);

    let mut browser = Browser::new(&server);
    browser.enter(&form("joe", GOOD)).await;
    assert_eq!(browser.get("/inbox").await.status, 200);
    let ways = browser.get("/inbox/sign-in").await.html;
    assert!(ways.contains("Opened with a password") && ways.contains("Opened with a link"), "{ways}");
    let before = browser.cookie().to_owned();
    browser.enter(&form("joe", GOOD)).await;
    assert_ne!(browser.cookie(), before);
    let mut old = Browser::new(&server);
    old.keep(&before);
    assert_eq!(old.get("/inbox").await.status, 401, "another sign-in ends what the browser had");
    let opened = events(&server, "session.opened").await;
    assert!(opened.iter().any(|event| event["details"]["with"] == "password"), "{opened:?}");
}

#[tokio::test]
async fn who_is_wrong_learns_nothing() {
    let server = family().await;
    let _joe = joe(&server).await;
    let browser = Browser::new(&server);
    let known = browser.post("/login", &form("joe", "wrong+words+of+joe")).await;
    let page = |html: &str, user: &str| html.replace(&format!("value=\"{user}\""), "value=\"\"");
    for (user, password) in [("nobody", GOOD), ("jane", GOOD), ("joe", "x"), ("joe", "")] {
        let seen = browser.post("/login", &form(user, password)).await;
        assert_eq!(seen.status, 401);
        assert_eq!(page(&seen.html, user), page(&known.html, "joe"));
        assert!(seen.headers.get(header::SET_COOKIE).is_none());
    }
    let elsewhere = browser.post("/login", &format!("env=no/where&user=joe&password={GOOD}")).await;
    assert_eq!(elsewhere.status, 401);
    let paints = browser.post("/login", &form("%22%3E%3Cscript%3E", "x")).await;
    assert!(paints.status == 401 && !paints.html.contains("<script"), "{}", paints.html);
    let told = events(&server, "sign_in.failed").await;
    assert_eq!(told.len(), 6, "{told:?}");
}

#[tokio::test]
async fn whoever_guesses_waits_whether_there_is_such_a_user_or_not() {
    let server = family().await;
    let _joe = joe(&server).await;
    let browser = Browser::new(&server);
    for user in ["joe", "nobody"] {
        for _ in 0..5 {
            assert_eq!(browser.post("/login", &form(user, "wrong")).await.status, 401);
        }
        let waits = browser.post("/login", &form(user, GOOD)).await;
        assert_eq!(waits.status, 429);
        assert!(waits.html.contains("wait for 60 seconds"), "{}", waits.html);
    }
    // A link works meanwhile, and so does the password after the wait.
    let _in = Browser::of(&server, "joe").await;
    server.clock.advance(Duration::from_mins(1));
    Browser::new(&server).enter(&form("joe", GOOD)).await;
}

#[tokio::test]
async fn a_change_asks_for_the_old_one_and_ends_the_other_sessions() {
    let server = family().await;
    let by_link = joe(&server).await;
    let mut here = Browser::new(&server);
    here.enter(&form("joe", GOOD)).await;
    let change = |old: &str| format!("old={old}&new={OTHER}&again={OTHER}");
    assert!(here.get("/inbox/sign-in").await.html.contains("name=\"old\""));
    for old in ["", "wrong", OTHER] {
        assert_eq!(here.post("/inbox/password", &change(old)).await.status, 403);
    }
    assert_eq!(here.post("/inbox/password", &format!("new={OTHER}&again={OTHER}")).await.status, 403);
    assert_eq!(by_link.get("/inbox").await.status, 200);
    assert_eq!(here.post("/inbox/password", &change(GOOD)).await.status, 303);
    assert_eq!(here.get("/inbox").await.status, 200);
    assert_eq!(by_link.get("/inbox").await.status, 401);
    assert_eq!(Browser::new(&server).post("/login", &form("joe", GOOD)).await.status, 401);

    // Whoever has forgotten it comes by a link, for a quarter of an hour.
    let fresh = Browser::of(&server, "joe").await;
    assert!(!fresh.get("/inbox/sign-in").await.html.contains("name=\"old\""));
    server.clock.advance(Duration::from_mins(15));
    assert_eq!(fresh.post("/inbox/password", &format!("new={GOOD}&again={GOOD}")).await.status, 403);
    let again = Browser::of(&server, "joe").await;
    assert_eq!(again.post("/inbox/password", &format!("new={GOOD}&again={GOOD}")).await.status, 303);
    assert_eq!(here.get("/inbox").await.status, 401);
}

#[tokio::test]
async fn what_is_no_good_password_is_refused() {
    let server = family().await;
    let joe = Browser::of(&server, "joe").await;
    let long = "x".repeat(129);
    let wide = "%F0%9F%8D%95".repeat(129);
    for new in ["eleven+lett", "joe%40family.example", "JOE%40family.example", long.as_str(), wide.as_str()] {
        let seen = joe.post("/inbox/password", &format!("new={new}&again={new}")).await;
        assert_eq!(seen.status, 400, "{new}");
    }
    let twice = joe.post("/inbox/password", &format!("new={GOOD}&again={OTHER}")).await;
    assert!(twice.status == 400 && twice.html.contains("twice alike"));
    let pizza = "%F0%9F%8D%95".repeat(128);
    assert_eq!(joe.post("/inbox/password", &format!("new={pizza}&again={pizza}")).await.status, 303);
    Browser::new(&server).enter(&form("joe", &pizza)).await;
}

#[tokio::test]
async fn everywhere_is_everywhere() {
    let server = family().await;
    let here = joe(&server).await;
    let mut there = Browser::new(&server);
    there.enter(&form("joe", GOOD)).await;
    let jane = Browser::of(&server, "jane").await;
    assert_eq!(there.post("/inbox/sign-out-everywhere", "").await.status, 303);
    assert_eq!((here.get("/inbox").await.status, there.get("/inbox").await.status), (401, 401));
    assert_eq!(jane.get("/inbox").await.status, 200);
}

#[tokio::test]
async fn forms_of_other_sites_do_nothing_and_nobody_is_let_in_without_a_session() {
    let server = family().await;
    let joe = joe(&server).await;
    let change = format!("old={GOOD}&new={OTHER}&again={OTHER}");
    for (path, body) in [
        ("/inbox/password", change.as_str()),
        ("/inbox/sign-out-everywhere", ""),
        ("/login", &form("joe", GOOD)),
    ] {
        let seen = joe.post_from_elsewhere(path, body).await;
        assert_eq!(seen.status, 403, "{path}");
        assert!(seen.headers.get(header::SET_COOKIE).is_none());
    }
    assert_eq!(joe.get("/inbox").await.status, 200);
    let nobody = Browser::new(&server);
    assert_eq!(nobody.get("/inbox/sign-in").await.status, 401);
    assert_eq!(nobody.post("/inbox/password", &change).await.status, 401);
    assert_eq!(nobody.post("/inbox/sign-out-everywhere", "").await.status, 401);
    let signed_out = nobody.get("/inbox").await;
    assert!(signed_out.html.contains("href=\"/login\""));
}

#[tokio::test]
async fn the_operator_sets_and_clears_and_no_password_is_told() {
    let server = family().await;
    let joe = Browser::of(&server, "joe").await;
    let path = "/api/v1/users/joe/password";
    let dev = server.dev();
    assert_eq!(dev.send("DELETE", path, None).await.status, 404, "there is none");
    assert_eq!(dev.send("PUT", path, Some(&json!({"password": "short"}))).await.status, 400);
    let unknown = "/api/v1/users/nobody/password";
    assert_eq!(dev.send("PUT", unknown, Some(&json!({"password": PLAIN}))).await.status, 404);
    assert_eq!(dev.send("PUT", path, Some(&json!({"password": PLAIN}))).await.status, 204);
    assert_eq!(joe.get("/inbox").await.status, 401);
    Browser::new(&server).enter(&form("joe", GOOD)).await;
    assert_eq!(dev.send("DELETE", path, None).await.status, 204);
    assert_eq!(Browser::new(&server).post("/login", &form("joe", GOOD)).await.status, 401);
    assert_eq!(events(&server, "password.set").await.len(), 1);
    assert_eq!(events(&server, "password.cleared").await.len(), 1);
    let log = server.dev().get("/api/v1/audit?per_page=100").await.to_string();
    assert!(!log.contains(PLAIN) && !log.contains("$argon2"), "{log}");
    let _unused = link(&server, "joe").await;
}
