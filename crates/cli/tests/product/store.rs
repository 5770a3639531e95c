//! `askfirst store` on the real binary.

use crate::support::{KEY, Server, askfirst, stderr, stdout};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Output, Stdio},
};

const PALACE: &str = "restaurants:pizza-palace";

fn run(home: &Path, arguments: &[&str]) -> Output {
    askfirst(home).args(arguments).output().unwrap()
}

/// It must succeed; its standard output.
fn ok(home: &Path, arguments: &[&str]) -> String {
    let output = run(home, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

/// It must fail with 2; the sentence on standard error.
fn fails(home: &Path, arguments: &[&str]) -> String {
    let output = run(home, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stdout(&output));
    stderr(&output)
}

/// The revision token of dev at this moment.
async fn token(server: &Server) -> String {
    let allowed =
        json!({"user": "henry", "action": "read", "resource": {"type": "restaurants", "tenant": "default"}});
    let asked = Server::http().post(format!("{}/allowed", server.url)).bearer_auth(KEY).json(&allowed);
    let answer = asked.send().await.unwrap();
    answer.headers()["askfirst-revision"].to_str().unwrap().to_owned()
}

/// What a call that demands a token is answered with.
async fn demand(server: &Server, token: &str) -> u16 {
    let path = "/v2/facts/default/dev/users";
    let asked = Server::http().get(format!("{}{path}", server.url)).bearer_auth(KEY);
    asked.header("askfirst-at-least", token).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_backup_of_a_running_server_comes_back_and_old_tokens_are_refused() {
    let mut server = Server::of_the_family();
    let home = server.home.path().to_owned();
    let info: Value = serde_json::from_str(&ok(&home, &["store", "info", "data", "--json"])).unwrap();
    assert_eq!(info["environments"][0]["name"], "default/dev");
    let said = ok(&home, &["store", "backup", "data", "--to", "backup.db"]);
    assert_eq!(said, "data/askfirst.db is in backup.db.\n");
    assert!(ok(&home, &["store", "check", "backup.db"]).starts_with("backup.db is sound"));

    server.henry_asks("after the backup").await;
    let token = token(&server).await;
    assert_eq!(demand(&server, &token).await, 200);
    let refused = fails(&home, &["store", "restore", "backup.db", "--data", "data"]);
    assert!(refused.contains("another askfirst server uses the data directory"), "{refused}");
    assert!(server.stop().success());
    let said = ok(&home, &["store", "restore", "backup.db", "--data", "data"]);
    assert!(said.contains("What was there is in data/askfirst.db-replaced now."), "{said}");

    server.start_again();
    assert_eq!(server.ok(&["inbox", "--as", "joe", "list"]), "Nothing waits for joe.\n");
    assert_eq!(demand(&server, &token).await, 409, "a token of the history that is no more");
}

#[tokio::test]
async fn an_older_file_in_the_place_of_the_database_is_found_out() {
    let mut server = Server::of_the_family();
    assert!(server.stop().success());
    let (database, older) = (server.data().join("askfirst.db"), server.home.path().join("older.db"));
    fs::copy(&database, &older).unwrap();
    server.start_again();
    let token = token(&server).await;
    server.kill_and_restart();
    assert_eq!(demand(&server, &token).await, 200, "killed and started, it is the same history");
    assert!(server.stop().success());
    fs::copy(&older, &database).unwrap();
    server.start_again();
    assert_eq!(demand(&server, &token).await, 409);
}

#[tokio::test]
async fn a_copy_is_served_as_the_source_was() {
    let mut server = Server::of_the_family();
    let home = server.home.path().to_owned();
    let refused = fails(&home, &["store", "copy", "--from", "data", "--to", "copy"]);
    assert!(refused.contains("--while-running") && !home.join("copy").exists(), "{refused}");
    let pending = server.henry_asks("please").await;
    let token = token(&server).await;
    assert!(server.stop().success());
    let said = ok(&home, &["store", "copy", "--from", "data", "--to", "copy"]);
    assert!(said.starts_with("data/askfirst.db is in copy/askfirst.db: "), "{said}");
    let again = fails(&home, &["store", "copy", "--from", "data", "--to", "copy"]);
    assert!(again.contains("copy/askfirst.db is not empty"), "{again}");
    let nothing = fails(&home, &["store", "copy", "--from", "nowhere", "--to", "other"]);
    assert!(nothing.contains("there is no installation in nowhere/askfirst.db"), "{nothing}");
    assert!(!home.join("nowhere").exists());

    fs::rename(server.data(), home.join("source")).unwrap();
    fs::rename(home.join("copy"), server.data()).unwrap();
    server.start_again();
    assert_eq!(demand(&server, &token).await, 409, "another history");
    server.ok(&["inbox", "--as", "joe", "approve", &pending]);
    assert_eq!(server.check("henry", "read", PALACE), Some(0));
}

/// Wherever a copy is cut off, what is left says that it is unfinished.
#[tokio::test]
async fn a_killed_copy_is_unfinished_and_nobody_serves_it() {
    let mut server = Server::of_the_family();
    let home = server.home.path().to_owned();
    for part in 0..4 {
        let users: Vec<Value> = (0..1000).map(|n| json!({"key": format!("user-{part}-{n}")})).collect();
        let path = "/v2/facts/default/dev/bulk/users";
        let put = Server::http().put(format!("{}{path}", server.url)).bearer_auth(KEY);
        let put = put.json(&json!({"operations": users})).send().await.unwrap();
        assert!(put.status().is_success(), "{}", put.text().await.unwrap());
    }
    assert!(server.stop().success());
    for (n, line) in
        ["copying organization", "copying change", "copying user_", "comparing user_"].iter().enumerate()
    {
        let target = format!("target-{n}");
        let mut copying = askfirst(&home)
            .args(["store", "copy", "--from", "data", "--to", &target])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(copying.stderr.take().unwrap()).lines();
        assert!(lines.any(|said| said.unwrap().starts_with(line)), "it never said `{line}`");
        copying.kill().unwrap();
        assert!(!copying.wait().unwrap().success(), "it was done before it could be killed");
        for arguments in [
            ["serve", "--data", &target, "--listen", "127.0.0.1:0"].as_slice(),
            &["store", "copy", "--from", "data", "--to", &target],
            &["store", "info", &target],
        ] {
            let refused = fails(&home, arguments);
            assert!(refused.contains("was not finished"), "{arguments:?}: {refused}");
        }
    }
    ok(&home, &["store", "copy", "--from", "data", "--to", "whole"]);
    assert!(ok(&home, &["store", "check", "whole"]).contains("is sound"));
}
