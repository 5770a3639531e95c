//! What is left after kill -9: everything.

use crate::support::{KEY, Process, Server};

const PALACE: &str = "restaurants:pizza-palace";

#[tokio::test]
async fn a_killed_server_has_its_requests_and_decisions_when_it_is_back() {
    let mut server = Server::of_the_family();
    let approved = server.henry_asks("first").await;
    server.ok(&["inbox", "--as", "joe", "approve", &approved]);
    let operation = serde_json::json!({"user_id": "rose", "tenant_id": "default"});
    let login = Server::http().post(format!("{}/v2/auth/elements_login_as", server.url)).bearer_auth(KEY);
    assert!(login.json(&operation).send().await.unwrap().status().is_success());
    let rose = Server::http()
        .post(format!(
            "{}/v2/facts/default/dev/access_requests/restaurant-requests/user/rose/tenant/default",
            server.url
        ))
        .bearer_auth(KEY)
        .json(&serde_json::json!({"access_request_details": {"tenant": "default", "resource": "restaurants",
            "role": "child-can-order", "resource_instance": "pizza-palace"}, "reason": "me too"}));
    let pending: serde_json::Value = rose.send().await.unwrap().json().await.unwrap();
    let pending = pending["id"].as_str().unwrap().to_owned();

    server.kill_and_restart();

    assert_eq!(server.check("henry", "read", PALACE), Some(0));
    assert_eq!(server.check("rose", "read", PALACE), Some(1));
    let waiting = server.ok(&["inbox", "--as", "joe", "list"]);
    assert!(waiting.contains(&pending) && !waiting.contains(&approved), "{waiting}");
    server.ok(&["inbox", "--as", "joe", "approve", &pending]);
    assert_eq!(server.check("rose", "read", PALACE), Some(0));
}

/// A chat with a script instead of a model.
fn chat(server: &Server, script: &str, more: &[&str]) -> Process {
    std::fs::write(server.home.path().join("script.json"), script).unwrap();
    let mut arguments = vec!["chat", "--as", "henry", "--model", "script:script.json", "--store", "chats.db"];
    arguments.extend(more);
    Process::start(&mut server.command(&arguments))
}

const ASKING: &str = r#"[
    {"call": "create_access_request",
     "args": {"role": "child-can-order", "reason": "I am 18", "resource_instance": "pizza-palace"}},
    {"call": "wait_for_decision", "args": {"request_id": "$create_access_request.id"}},
    {"call": "get_request", "args": {"request_id": "$create_access_request.id"}},
    {"say": "$get_request.message"}
]"#;

#[tokio::test]
async fn a_chat_killed_at_a_question_asks_it_again() {
    let server = Server::of_the_family();
    let confirm = ["--confirm", "create_access_request"];
    let mut first = chat(&server, ASKING, &confirm);
    first.say("ask for pizza palace");
    first.until("needs your approval");
    first.until("└");
    first.kill();
    assert_eq!(server.ok(&["inbox", "--as", "joe", "list"]), "Nothing waits for joe.\n");

    let mut second = chat(&server, ASKING, &confirm);
    second.until("waits for your answer");
    second.until("needs your approval");
    second.say("yes");
    second.until("calls wait_for_decision");
    let waiting = server.ok(&["inbox", "--as", "joe", "list"]);
    assert_eq!(waiting.lines().count(), 1, "{waiting}");
    let id = waiting.split(' ').next().unwrap();
    server.ok(&["inbox", "--as", "joe", "approve", id]);
    second.until("it was approved by joe.");
    let (status, seen) = second.finish();
    assert!(status.success(), "{seen}");
}

#[tokio::test]
async fn a_chat_killed_while_it_waits_goes_on_after_both_are_back() {
    let mut server = Server::of_the_family();
    let mut first = chat(&server, ASKING, &[]);
    first.say("ask for pizza palace");
    first.until("calls wait_for_decision");
    first.kill();
    server.kill_and_restart();

    let waiting = server.ok(&["inbox", "--as", "joe", "list"]);
    let id = waiting.split(' ').next().unwrap().to_owned();
    server.ok(&["inbox", "--as", "joe", "approve", &id]);

    let mut second = chat(&server, ASKING, &[]);
    second.until("it goes on now");
    second.until("calls get_request");
    second.until("it was approved by joe.");
    let (status, seen) = second.finish();
    assert!(status.success(), "{seen}");
    // The wish was not made twice.
    assert_eq!(server.ok(&["inbox", "--as", "joe", "list"]), "Nothing waits for joe.\n");
}
