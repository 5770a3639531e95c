//! The client commands against a real server with the family's policy.

use crate::support::{KEY, Server, askfirst, stderr, stdout};
use serde_json::json;

const PALACE: &str = "restaurants:pizza-palace";

#[tokio::test]
async fn henry_asks_joe_approves_and_henry_may() {
    let server = Server::of_the_family();
    let explained = server.run(&["check", "henry", "read", PALACE, "--explain"]);
    assert_eq!(explained.status.code(), Some(1));
    let text = stdout(&explained);
    assert!(text.starts_with("deny\nhenry may not read"), "{text}");
    assert!(text.contains("child-can-order") && text.contains("joe"), "{text}");

    assert_eq!(server.ok(&["inbox", "--as", "joe"]), "Nothing waits for joe.\n");
    let id = server.henry_asks("I am now 18\x1b[2J").await;
    let list = server.ok(&["inbox", "--as", "joe", "list"]);
    assert!(
        list.contains(&id) && list.contains("Henry (henry) asks for the role child-can-order on"),
        "{list}"
    );
    assert_eq!(server.ok(&["inbox", "--as", "henry", "list"]), "Nothing waits for henry.\n");
    let shown = server.ok(&["inbox", "--as", "joe", "show", &id]);
    assert!(shown.contains("\u{201c}I am now 18<U+001B>[2J\u{201d}") && !shown.contains('\x1b'), "{shown}");

    let own = server.fails(&["inbox", "--as", "henry", "approve", &id]);
    assert!(own.contains("asked for this and so can't decide it"), "{own}");
    assert_eq!(server.check("henry", "read", PALACE), Some(1));
    let approved = server.ok(&["inbox", "--as", "joe", "approve", &id, "--comment", "fine"]);
    assert!(approved.starts_with("approved: Henry (henry) asks for the role"), "{approved}");
    assert_eq!(server.check("henry", "read", PALACE), Some(0));
    let again = server.fails(&["inbox", "--as", "joe", "deny", &id, "--comment", "no"]);
    assert!(again.contains("already approved by joe"), "{again}");
}

#[test]
fn a_check_tells_what_rules_saw() {
    let server = Server::of_the_family();
    let rules = r#"askfirst: 1
user_sets:
  adults: {conditions: {user.age: {greater-than: 17}}}
resource_sets:
  good: {resource: restaurants, conditions: {anyOf: [{resource.stars: {greater-than: 3}}, {resource.own: {equals: true}}]}}
set_rules:
  - {user_set: adults, permission: "restaurants:read", resource_set: good}
instances:
  "restaurants:corner": {attributes: {stars: 5}}
"#;
    std::fs::write(server.home.path().join("rules.yaml"), rules).unwrap();
    server.ok(&["policy", "apply", "rules.yaml"]);
    let check = |age: &str| {
        let said = format!(r#"{{"age": {age}}}"#);
        let corner = "restaurants:corner";
        stdout(&server.run(&["check", "henry", "read", corner, "--user-attributes", &said, "--explain"]))
    };
    insta::assert_snapshot!(format!("{}\n{}", check("18"), check("9")));
    let wrong = server.run(&["check", "henry", "read", "restaurants:corner", "--context", "[]"]);
    assert!(stderr(&wrong).contains("write a JSON object"), "{}", stderr(&wrong));
}

#[tokio::test]
async fn a_reviewer_asks_first_and_gives_less() {
    let server = Server::of_the_family();
    let id = server.henry_asks("please").await;
    let asked = server.ok(&["inbox", "--as", "joe", "ask", &id, "for how long?"]);
    assert!(asked.contains("joe: \u{201c}for how long?\u{201d}") && asked.contains("not yet"), "{asked}");
    let silent = server.run(&["inbox", "--as", "joe", "deny", &id]);
    assert!(!silent.status.success() && stderr(&silent).contains("--comment"), "{}", stderr(&silent));
    let approved = server.ok(&["inbox", "--as", "joe", "approve", &id, "--lasts", "30m"]);
    assert!(approved.starts_with("approved: "), "{approved}");
    let wrong = server.fails(&["inbox", "--as", "joe", "approve", &id, "--digest", "0"]);
    assert!(wrong.contains("another call"), "{wrong}");
}

#[tokio::test]
async fn a_denial_gives_nothing() {
    let server = Server::of_the_family();
    let id = server.henry_asks("please").await;
    let denied = server.ok(&["inbox", "--as", "jane", "deny", &id, "--comment", "not today"]);
    assert!(denied.starts_with("denied: "), "{denied}");
    assert_eq!(server.check("henry", "read", PALACE), Some(1));
    assert!(server.ok(&["inbox", "--as", "jane", "show", &id]).contains("denied by Jane (jane)"));
}

#[test]
fn a_policy_can_be_applied_twice_and_a_wrong_one_changes_nothing() {
    let server = Server::of_the_family();
    let policy = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/family/policy.yaml");
    let again = server.ok(&["policy", "apply", policy.to_str().unwrap()]);
    assert!(again.starts_with("Nothing to do: all of it holds already"), "{again}");
    let wrong = server.home.path().join("wrong.yaml");
    std::fs::write(&wrong, "askfirst: 1\nusers:\n  bob: {}\nassignments:\n  - {user: bob, role: king}\n")
        .unwrap();
    let said = server.fails(&["policy", "apply", "wrong.yaml"]);
    assert!(said.contains("The policy file is wrong at"), "{said}");
    let explained = stdout(&server.run(&["check", "bob", "read", PALACE, "--explain"]));
    assert!(explained.contains("there is no user bob"), "{explained}");
    assert!(server.fails(&["policy", "apply", "nowhere.yaml"]).contains("can't read nowhere.yaml"));
}

#[test]
fn wrong_and_missing_keys_are_said_in_a_sentence() {
    let server = Server::start();
    let wrong =
        server.command(&["check", "a", "b", "c"]).env("ASKFIRST_API_KEY", "askfirst_wrong").output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("does not know this API key"), "{}", stderr(&wrong));
    assert!(!stderr(&wrong).contains("askfirst_wrong"));
    let missing = |home: &std::path::Path| {
        let output = askfirst(home).args(["check", "a", "b", "c"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        stderr(&output)
    };
    assert!(missing(server.home.path()).contains("ASKFIRST_API_KEY is not set"));
    // Beside a data directory it says where the key is, and not what it is.
    std::fs::rename(server.data(), server.home.path().join("askfirst-data")).unwrap();
    let said = missing(server.home.path());
    assert!(said.contains("keys are in ./askfirst-data/keys.txt"), "{said}");
    assert!(!said.contains("askfirst_key_"), "{said}");
}

#[test]
fn a_dot_env_file_is_read() {
    let server = Server::of_the_family();
    let text =
        format!("# of the test\nexport ASKFIRST_URL='{}'\nASKFIRST_API_KEY={} # the key\n", server.url, KEY);
    std::fs::write(server.home.path().join(".env"), text).unwrap();
    let output = askfirst(server.home.path()).args(["check", "joe", "update", PALACE]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "allow\n");
}

#[tokio::test]
async fn an_agents_key_opens_mcp_and_nothing_else() {
    let server = Server::of_the_family();
    let made = server.ok(&["key", "create", "--as", "henry", "--name", "his agent"]);
    let key = made.lines().last().unwrap();
    assert!(key.starts_with("askfirst_key_") && !key.contains(' '), "{made}");
    let http = Server::http();
    let url = &server.url;
    for path in ["/v2/facts/default/dev/users", "/api/v1/inbox?user=henry", "/v2/api-key/scope"] {
        let answer = http.get(format!("{url}{path}")).bearer_auth(key).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let post = |key: Option<&str>| {
        let request = http.post(format!("{url}/mcp")).header("accept", "application/json, text/event-stream");
        key.map_or(request.try_clone(), |key| Some(request.bearer_auth(key)))
            .unwrap()
            .json(&initialize)
            .send()
    };
    assert_eq!(post(Some(key)).await.unwrap().status(), 200);
    assert_eq!(post(None).await.unwrap().status(), 401);
    assert!(server.fails(&["key", "create", "--as", "nobody"]).contains("nobody"));
    assert!(server.fails(&["key", "create", "--scope", "org"]).contains("no more than it does itself"));
}

#[tokio::test]
async fn a_link_signs_in_once() {
    let server = Server::of_the_family();
    let link = server.ok(&["link", "joe"]);
    let link = link.trim();
    assert!(link.starts_with(&server.url) && !link.contains(char::is_whitespace), "{link}");
    // Looking at it signs nobody in; using it does, once.
    let http = Server::http();
    assert_eq!(http.get(link).send().await.unwrap().status(), 200);
    let used = http.post(link).header("origin", &server.url).send().await.unwrap();
    assert_eq!(used.status(), 303);
    let cookie = used.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let inbox = http.get(format!("{}/inbox", server.url)).header("cookie", cookie).send().await.unwrap();
    assert_eq!(inbox.status(), 200);
    assert!(inbox.text().await.unwrap().contains("joe"));
    let again = http.post(link).header("origin", &server.url).send().await.unwrap();
    assert!(again.status().is_client_error(), "{}", again.status());
    assert!(server.fails(&["link", "nobody"]).contains("nobody"));
}

#[test]
fn completions_and_help_need_no_key() {
    let home = tempfile::tempdir().unwrap();
    let script = askfirst(home.path()).args(["completions", "bash"]).output().unwrap();
    assert!(script.status.success() && stdout(&script).contains("_askfirst"));
    let help = askfirst(home.path()).args(["inbox", "--help"]).output().unwrap();
    assert!(help.status.success() && stdout(&help).contains("askfirst inbox --as joe"));
}
