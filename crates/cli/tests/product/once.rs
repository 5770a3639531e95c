//! Approved and executed once at most, and never lost: the real server, killed again and again, and a counter outside of it.
#![expect(clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

use crate::support::{KEY, Server};
use axum::{Router, extract::Path as At, routing::post};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

/// Nothing here takes longer, however slow the machine.
const LONG: Duration = Duration::from_mins(3);
const WORKERS: usize = 4;
/// Calls of each worker.
const EACH: usize = 12;
/// The server is killed each time that so many calls to it were answered.
const KILL_EVERY: usize = 40;

/// What was executed, counted by somebody who knows nothing of approvals.
#[derive(Clone, Default)]
struct Counter(Arc<Mutex<BTreeMap<String, usize>>>);

impl Counter {
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let counted = Arc::clone(&self.0);
        let count = move |At(call): At<String>| async move {
            *counted.lock().unwrap().entry(call).or_default() += 1;
        };
        let app = Router::new().route("/{call}", post(count));
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }
}

/// A program that asks, has it approved, spends it and only then executes; it tries again whatever got no answer.
struct Worker {
    server: String,
    counter: String,
    answered: mpsc::UnboundedSender<()>,
    http: reqwest::Client,
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Executed,
    /// The use was spent, and the answer died with the server: it must not run.
    NobodyKnows,
}

impl Worker {
    /// Calls until there is an answer.
    async fn call(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        loop {
            let call = self.http.request(
                if body.is_null() { "GET" } else { "POST" }.parse().unwrap(),
                format!("{}{path}", self.server),
            );
            let call = call.bearer_auth(KEY);
            let call = if body.is_null() { call } else { call.json(body) };
            if let Ok(answer) = call.send().await {
                let status = answer.status();
                if let Ok(text) = answer.text().await {
                    assert!(!status.is_server_error(), "{path}: {status} {text}");
                    self.answered.send(()).unwrap();
                    return (status, serde_json::from_str(&text).unwrap());
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn ok(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call(path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    /// The whole way of one call.
    async fn live(&self, call: &str) -> (String, Fate) {
        let wish = json!({"user": "henry", "kind": "operation_approval", "element": "machine-approval",
            "resource_instance": "machines:laptop", "action": "count", "arguments": {"call": call}});
        let asked = self.ok("/api/v1/requests", &wish).await;
        let id = asked["id"].as_str().unwrap().to_owned();
        // Looks before each try: what got no answer may have been done.
        loop {
            let seen = self.ok(&format!("/api/v1/requests/{id}?user=joe"), &Value::Null).await;
            if seen["status"] == "approved" {
                break;
            }
            let decision = json!({"shown": seen["shown"]});
            let (status, answer) =
                self.call(&format!("/api/v1/requests/{id}/approve?user=joe"), &decision).await;
            assert!(status.is_success() || status == StatusCode::CONFLICT, "{answer}");
        }
        let redeem = json!({"user": "henry", "action": "count", "arguments": {"call": call}});
        let (status, answer) = self.call(&format!("/api/v1/operation_approvals/{id}/redeem"), &redeem).await;
        if status == StatusCode::CONFLICT {
            assert!(answer["message"].as_str().unwrap().contains("spent"), "{answer}");
            return (id, Fate::NobodyKnows);
        }
        assert_eq!(status, StatusCode::OK, "{answer}");
        let executed = self.http.post(format!("{}/{call}", self.counter)).send().await.unwrap();
        assert!(executed.status().is_success());
        let outcome = json!({"user": "henry", "outcome": "succeeded"});
        self.ok(&format!("/api/v1/operation_approvals/{id}/uses/1"), &outcome).await;
        (id, Fate::Executed)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_a_call_is_made_once_at_most_and_none_is_lost() {
    let mut server = Server::start();
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/product/machines.yaml");
    server.ok(&["policy", "apply", policy.to_str().unwrap()]);
    let counter = Counter::default();
    let counting = counter.start().await;
    let (answered, mut answers) = mpsc::unbounded_channel();
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let (server, counter, answered) = (server.url.clone(), counting.clone(), answered.clone());
            let worker = Worker { server, counter, answered, http: Server::http() };
            tokio::spawn(async move {
                let mut fates = Vec::new();
                for n in 0..EACH {
                    let call = format!("{number}-{n}");
                    let (id, fate) = worker.live(&call).await;
                    fates.push((call, id, fate));
                }
                fates
            })
        })
        .collect();
    drop(answered);
    let (mut heard, mut kills) = (0, 0);
    let killing = async {
        while answers.recv().await.is_some() {
            heard += 1;
            if heard % KILL_EVERY == 0 {
                // Whatever is on its way dies with it.
                server.kill_and_restart();
                kills += 1;
            }
        }
    };
    timeout(LONG, killing).await.unwrap();
    assert!(kills >= 5, "{kills} kills");

    let counted = counter.0.lock().unwrap().clone();
    let (mut executed, mut unknown) = (0, 0);
    for worker in workers {
        for (call, id, fate) in worker.await.unwrap() {
            let seen: Value = serde_json::from_str(&server_says(&server, &id).await).unwrap();
            assert_eq!(seen["status"], "approved", "{call}: {seen}");
            let uses = seen["grant"]["uses"].as_array().unwrap();
            assert_eq!(uses.len(), 1, "{call}: {seen}");
            match fate {
                Fate::Executed => {
                    executed += 1;
                    assert_eq!((counted.get(&call), &uses[0]["outcome"]), (Some(&1), &json!("succeeded")));
                }
                Fate::NobodyKnows => {
                    unknown += 1;
                    assert_eq!((counted.get(&call), &uses[0]["outcome"]), (None, &json!("unknown")));
                }
            }
        }
    }
    assert_eq!(executed + unknown, WORKERS * EACH);
    assert!(unknown <= kills * WORKERS, "{unknown} of {kills} kills");
    assert_eq!(counted.values().sum::<usize>(), executed);
    assert!(server.stop().success());
    assert!(server.ok(&["store", "check", "data"]).contains("is sound"));
}

async fn server_says(server: &Server, id: &str) -> String {
    let call = Server::http().get(format!("{}/api/v1/requests/{id}?user=joe", server.url)).bearer_auth(KEY);
    call.send().await.unwrap().text().await.unwrap()
}
