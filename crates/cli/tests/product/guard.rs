//! `askfirst guard` at a real server: a command runs once it may, and never otherwise.

use crate::support::{KEY, Process, Server, stderr, stdout};
use serde_json::{Value, json};
use std::time::Duration;

const TRUFFLE: &str = "restaurants:pizza-palace_truffle-pizza";

impl Server {
    /// The id of the request that waits for joe, once there is one.
    async fn waiting(&self) -> String {
        loop {
            let asked = Self::http().get(format!("{}/api/v1/requests?user=joe&status=pending", self.url));
            let told: Value = asked.bearer_auth(KEY).send().await.unwrap().json().await.unwrap();
            if let Some(id) = told.pointer("/data/0/id").and_then(Value::as_str) {
                return id.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn looked_at(&self, request: &str) -> Value {
        let asked = Self::http().get(format!("{}/api/v1/requests/{request}?user=joe", self.url));
        asked.bearer_auth(KEY).send().await.unwrap().json().await.unwrap()
    }

    /// Joe says what he thinks of what he was shown.
    async fn decided(&self, request: &str, verdict: &str) {
        let shown = self.looked_at(request).await.get("shown").cloned().unwrap();
        let at = format!("{}/api/v1/requests/{request}/{verdict}?user=joe", self.url);
        let body = json!({"shown": shown, "comment": "I say so"});
        let answer = Self::http().post(at).bearer_auth(KEY).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Henry's order of a dish that needs an approval, which leaves a line in a file.
    fn henrys_order(&self) -> Process {
        let order = "echo ordered >> orders; echo done";
        Process::start(
            &mut self
                .command(&["guard", "henry", "operate", TRUFFLE, "--why", "hungry", "--", "sh", "-c", order]),
        )
    }

    fn orders(&self) -> usize {
        std::fs::read_to_string(self.home.path().join("orders")).map_or(0, |text| text.lines().count())
    }
}

#[test]
fn what_may_be_done_is_done_and_the_command_learns_nothing_of_ours() {
    let server = Server::of_the_family();
    let script = "echo \"key $ASKFIRST_API_KEY at $ASKFIRST_URL\"; exit 3";
    let output = server.run(&["guard", "joe", "read", "restaurants:pizza-palace", "--", "sh", "-c", script]);
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(3), "key  at \n"),
        "{}",
        stderr(&output)
    );
    let none =
        server.run(&["guard", "joe", "read", "restaurants:pizza-palace", "--", "./there-is-no-such-program"]);
    assert_eq!(none.status.code(), Some(127));
}

#[test]
fn what_may_not_be_done_is_not_done() {
    let server = Server::of_the_family();
    let touch = |arguments: &[&str]| {
        let output = server.run(&[arguments, &["--", "touch", "done"]].concat());
        assert!(!server.home.path().join("done").exists(), "{arguments:?}");
        assert_eq!(stdout(&output), "");
        (output.status.code(), stderr(&output))
    };
    let (code, told) = touch(&["guard", "henry", "read", "restaurants:pizza-palace"]);
    assert_eq!(code, Some(77));
    assert!(told.contains("henry may not read restaurants:pizza-palace") && told.contains("--why"), "{told}");
    let (code, told) = touch(&["guard", "nobody", "read", "restaurants:pizza-palace", "--why", "x"]);
    assert_eq!(code, Some(77), "{told}");
    let (code, told) = touch(&["guard", "joe", "read", "pizza-palace"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("resource:key"), "{told}");
    let mut wrong =
        server.command(&["guard", "joe", "read", "restaurants:pizza-palace", "--", "touch", "done"]);
    let output = wrong.env("ASKFIRST_API_KEY", "wrong").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let mut nowhere =
        server.command(&["guard", "joe", "read", "restaurants:pizza-palace", "--", "touch", "done"]);
    let output = nowhere.env("ASKFIRST_URL", "http://127.0.0.1:1").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!server.home.path().join("done").exists());
}

#[tokio::test]
async fn what_joe_approves_runs_once_and_what_he_denies_does_not() {
    let server = Server::of_the_family();
    let order = server.henrys_order();
    let request = server.waiting().await;
    assert_eq!(server.orders(), 0);
    server.decided(&request, "approve").await;
    let (status, told) = order.finish();
    assert!(status.success(), "{told}");
    assert_eq!((told.as_str(), server.orders()), ("done", 1));

    let order = server.henrys_order();
    let request = server.waiting().await;
    server.decided(&request, "deny").await;
    let (status, told) = order.finish();
    assert_eq!((status.code(), told.as_str(), server.orders()), (Some(77), "", 1));
}

#[tokio::test]
async fn whoever_stops_waiting_withdraws_what_was_asked() {
    let server = Server::of_the_family();
    let mut order = server.henrys_order();
    let request = server.waiting().await;
    assert_eq!(order.terminate().code(), Some(77));
    let told = server.looked_at(&request).await;
    assert_eq!(told.get("status").and_then(Value::as_str), Some("canceled"));
    assert_eq!(server.orders(), 0);
}
