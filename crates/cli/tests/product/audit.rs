//! `askfirst audit`: the real binary proves what its server did, and finds what somebody did to it.

use crate::support::{KEY, Process, Server, askfirst, stderr, stdout};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// Verifies a file without a server.
fn verify(home: &Path, more: &[&str]) -> (Option<i32>, String) {
    let output = askfirst(home).args(["audit", "verify"]).args(more).output().unwrap();
    (output.status.code(), stdout(&output) + &stderr(&output))
}

/// The lines of the events of an export, and where they stand.
fn events(lines: &[String]) -> Vec<usize> {
    lines.iter().enumerate().filter(|(_, line)| line.starts_with("{\"event\"")).map(|(at, _)| at).collect()
}

/// A copy of an export with something done to its lines.
fn spoiled(home: &Path, export: &str, spoil: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<String> = export.lines().map(str::to_owned).collect();
    spoil(&mut lines);
    fs::write(home.join("spoiled.jsonl"), lines.join("\n") + "\n").unwrap();
}

#[test]
fn an_export_is_verified_with_the_public_key_alone() {
    let server = Server::of_the_family();
    let home = server.home.path();
    fs::write(home.join("keys.json"), server.ok(&["audit", "keys"])).unwrap();
    fs::write(home.join("head.json"), server.ok(&["audit", "head"])).unwrap();
    let said = server.ok(&["audit", "verify", "--keys", "keys.json", "--head", "head.json"]);
    assert!(said.starts_with("sound: ") && said.contains("signed up to event "), "{said}");
    let end = said.trim().rsplit(' ').next().unwrap().to_owned();

    server.ok(&["link", "joe"]);
    let export = server.ok(&["audit", "export"]);
    fs::write(home.join("audit.jsonl"), &export).unwrap();
    let (code, said) = verify(home, &["audit.jsonl", "--keys", "keys.json", "--head", &end]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = verify(home, &["audit.jsonl"]);
    assert!(code == Some(0) && said.contains("the keys that it names itself"), "{said}");

    let check = |expected: &str| {
        let (code, said) = verify(home, &["spoiled.jsonl", "--keys", "keys.json"]);
        assert!(code == Some(1) && said.contains(expected), "{expected}: {said}");
    };
    spoiled(home, &export, |lines| drop(lines.remove(events(lines)[1])));
    check("event 2: event 2 is missing");
    spoiled(home, &export, |lines| {
        let (one, other) = (events(lines)[0], events(lines)[1]);
        lines.swap(one, other);
    });
    check("event 1: it stands after event 2");
    spoiled(home, &export, |lines| {
        let at = events(lines)[1];
        lines[at] = lines[at].replacen("\\\"code\\\":\\\"", "\\\"code\\\":\\\"not.", 1);
    });
    check("event 2: it is not what was written");
    spoiled(home, &export, |lines| {
        let at = events(lines)[1];
        lines[at] = lines[at].replacen("\"text\":\"", "\"text\":\" ", 1);
    });
    check("event 2: its `actor` is not what was written");
    spoiled(home, &export, |lines| drop(lines.pop()));
    check("the log ends here, and event");
    let stranger =
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    fs::write(home.join("other.json"), stranger.to_string()).unwrap();
    let (code, said) = verify(home, &["audit.jsonl", "--keys", "other.json"]);
    assert!(code == Some(1) && said.contains("not among the keys to trust"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_has_a_receipt_and_its_people_can_be_erased() {
    let mut server = Server::of_the_family();
    let request = server.henry_asks("I am so hungry").await;
    fs::write(server.home.path().join("keys.json"), server.ok(&["audit", "keys"])).unwrap();
    let tail = server.ok(&["audit", "tail", "--once", "-n", "5"]);
    assert!(tail.contains("request.created") && tail.contains(&request), "{tail}");
    let receipt = server.ok(&["audit", "prove", "--request", &request, "--code", "request.created"]);
    fs::write(server.home.path().join("receipt.json"), &receipt).unwrap();
    let read: Value = serde_json::from_str(&receipt).unwrap();
    let body: Value = serde_json::from_str(read["body"].as_str().unwrap()).unwrap();
    let same = server.ok(&["audit", "prove", body["id"].as_str().unwrap()]);
    assert_eq!(same, receipt);
    // The key and what it signed are those of the next run too.
    server.kill_and_restart();
    let home = server.home.path();
    let (code, said) = verify(home, &["receipt.json", "--keys", "keys.json"]);
    assert!(code == Some(0) && said.contains("request.created"), "{said}");
    fs::write(home.join("receipt.json"), receipt.replace("request.created", "request.denied")).unwrap();
    let (code, said) = verify(home, &["receipt.json", "--keys", "keys.json"]);
    assert!(code == Some(1) && said.contains("is not to be believed"), "{said}");

    let said = server.ok(&["audit", "erase", "--user", "henry"]);
    assert!(said.starts_with("something was erased from "), "{said}");
    let export = server.ok(&["audit", "export"]);
    assert!(!export.contains("henry") && !export.contains("hungry"), "{export}");
    let said = server.ok(&["audit", "verify", "--keys", "keys.json"]);
    assert!(said.starts_with("sound: ") && !said.contains(" 0 with something erased"), "{said}");
    assert!(server.ok(&["store", "check", "data"]).contains("is sound"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tail_shows_what_happens_when_it_happens() {
    let server = Server::of_the_family();
    let mut command = askfirst(server.home.path());
    command.args(["audit", "tail", "-n", "1"]).env("ASKFIRST_URL", &server.url).env("ASKFIRST_API_KEY", KEY);
    let mut tail = Process::start(&mut command);
    tail.until("policy.applied");
    let request = server.henry_asks("I am so hungry").await;
    let line = tail.until("request.created");
    assert!(line.contains(&request), "{line}");
    server.ok(&["link", "joe"]);
    tail.until("link.created");
}

/// With the key of the organisation the same commands are about the installation's own log.
#[test]
fn the_installations_own_log_is_proven_as_well() {
    let server = Server::of_the_family();
    let home = server.home.path();
    let keys = fs::read_to_string(home.join("data/keys.txt")).unwrap();
    let org = keys.lines().find_map(|line| line.strip_prefix("organization default")).unwrap().trim();
    let run = |arguments: &[&str]| {
        let output = server.command(arguments).env("ASKFIRST_API_KEY", org).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    };
    let said = run(&["audit", "verify"]);
    assert!(said.starts_with("sound: ") && !said.starts_with("sound: 0 "), "{said}");
    let export = run(&["audit", "export"]);
    assert!(export.contains("installation.created") && !export.contains("policy.applied"), "{export}");
    fs::write(home.join("keys.json"), run(&["audit", "keys"])).unwrap();
    fs::write(home.join("own.jsonl"), &export).unwrap();
    let (code, said) = verify(home, &["own.jsonl", "--keys", "keys.json"]);
    assert_eq!(code, Some(0), "{said}");
    fs::write(home.join("own.jsonl"), export.replacen("installation.created", "organization.changed", 1))
        .unwrap();
    assert_eq!(verify(home, &["own.jsonl", "--keys", "keys.json"]).0, Some(1));
}

/// A server that gets another key: what the old one has signed stays good, and what comes after needs the new one.
#[test]
fn another_key_goes_on_where_the_old_one_ended() {
    let mut server = Server::of_the_family();
    let keep = |server: &Server, name: &str, what: &str| {
        fs::write(server.home.path().join(name), server.ok(&["audit", what])).unwrap();
    };
    keep(&server, "old-keys.json", "keys");
    keep(&server, "old-head.json", "head");
    assert!(server.stop().success());
    let key = server.home.path().join("data/audit-key");
    fs::rename(&key, server.home.path().join("aside")).unwrap();
    server.start_again();
    assert_ne!(fs::read(&key).unwrap(), fs::read(server.home.path().join("aside")).unwrap());
    server.ok(&["link", "joe"]);
    keep(&server, "new-head.json", "head");
    keep(&server, "keys.json", "keys");
    let heads = ["old-head.json", "new-head.json"].map(|name| {
        let text = fs::read_to_string(server.home.path().join(name)).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["key"].as_str().unwrap().to_owned()
    });
    assert_ne!(heads[0], heads[1]);
    let both =
        ["audit", "verify", "--keys", "keys.json", "--head", "old-head.json", "--head", "new-head.json"];
    assert!(server.ok(&both).starts_with("sound: "));
    // Who knows the old key alone believes no head of the new one.
    let output = server.run(&["audit", "verify", "--keys", "old-keys.json", "--head", "old-head.json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stdout(&output).contains(&heads[1]), "{}", stdout(&output));
}
