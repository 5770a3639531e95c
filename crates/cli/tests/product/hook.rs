//! `askfirst hook` as Claude Code starts it, against the real server.
#![expect(clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

use crate::support::{KEY, Server, askfirst, stderr, stdout};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// A server, and a folder with henry's settings.
struct Desk {
    server: Server,
    folder: TempDir,
}

impl Desk {
    /// With these settings besides the least.
    fn with(more: &str) -> Self {
        let server = Server::start();
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/product/machines.yaml");
        server.ok(&["policy", "apply", policy.to_str().unwrap()]);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("agent.key"), server.ok(&["key", "create", "--as", "henry"])).unwrap();
        let desk = Self { server, folder };
        desk.set(more);
        desk
    }

    fn set(&self, more: &str) {
        let settings = format!(
            "server = '{}'\nkey_file = 'agent.key'\nresource_instance = 'machines:laptop'\n{more}\n",
            self.server.url
        );
        fs::write(self.settings(), settings).unwrap();
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("hook.toml")
    }

    /// The hook, with an environment that holds no key.
    fn hook(&self) -> Command {
        let mut command = askfirst(self.folder.path());
        command.arg("hook").arg("--config").arg(self.settings());
        command
    }

    /// Runs it on an event.
    fn run(&self, event: &Value) -> Output {
        feed(self.hook(), &event.to_string())
    }

    /// What it answers.
    fn answer(&self, event: &Value) -> Value {
        read(&self.run(event))
    }

    /// Runs it while joe decides what comes to his inbox.
    async fn answer_while(&self, event: &Value, verb: &str, body: Value) -> Value {
        let (hook, event) = (self.hook(), event.to_string());
        let running = tokio::task::spawn_blocking(move || feed(hook, &event));
        self.joe(verb, body).await;
        read(&running.await.unwrap())
    }

    /// Waits until something is in joe's inbox, and decides it.
    async fn joe(&self, verb: &str, body: Value) {
        let waiting = tokio::time::timeout(Duration::from_mins(1), async {
            loop {
                let inbox: Value = self.call("GET", "inbox", "joe", &Value::Null).await;
                if let Some(request) = inbox["data"].get(0) {
                    return request.clone();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        self.decide(&waiting.await.unwrap(), verb, body).await;
    }

    async fn decide(&self, request: &Value, verb: &str, mut body: Value) {
        body["shown"] = request["shown"].clone();
        let path = format!("requests/{}/{verb}", request["id"].as_str().unwrap());
        self.call("POST", &path, "joe", &body).await;
    }

    async fn call(&self, method: &str, path: &str, user: &str, body: &Value) -> Value {
        let url = format!("{}/api/v1/{path}?user={user}", self.server.url);
        let call = Server::http().request(method.parse().unwrap(), url).bearer_auth(KEY);
        let call = if body.is_null() { call } else { call.json(body) };
        let answer = call.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Henry's requests, the newest first.
    async fn requests(&self) -> Vec<Value> {
        let listed = self.call("GET", "requests", "henry", &Value::Null).await;
        listed["data"].as_array().unwrap().clone()
    }
}

fn feed(mut hook: Command, event: &str) -> Output {
    let mut running =
        hook.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have ended before it read anything.
    let _ = running.stdin.take().unwrap().write_all(event.as_bytes());
    running.wait_with_output().unwrap()
}

fn read(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    let text = stdout(output);
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("no answer: `{text}` {}", stderr(output)))
}

fn blocked(output: &Output) -> String {
    assert_eq!((output.status.code(), stdout(output).as_str()), (Some(2), ""), "{}", stderr(output));
    stderr(output)
}

fn bash(command: &str) -> Value {
    json!({
        "session_id": "3f1c", "transcript_path": "/home/henry/t.jsonl", "cwd": "/home/henry/shop",
        "permission_mode": "default", "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {"command": command}, "tool_use_id": "toolu_01",
    })
}

fn after(mut event: Value, name: &str) -> Value {
    event["hook_event_name"] = json!(name);
    event["tool_response"] = json!({"stdout": ""});
    event
}

fn decision(answer: &Value) -> (&str, &str) {
    let said = &answer["hookSpecificOutput"];
    assert_eq!(said["hookEventName"], "PreToolUse");
    (said["permissionDecision"].as_str().unwrap(), said["permissionDecisionReason"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_joe_approves_runs_once_and_nothing_else_does() {
    let desk = Desk::with("wait = '40s'");
    let event = bash("rm -rf build");
    let allowed = desk.answer_while(&event, "approve", json!({"comment": "go on"})).await;
    assert_eq!(
        allowed,
        json!({"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "allow",
            "permissionDecisionReason": "joe approved this call: go on"}})
    );
    let recorded = desk.run(&after(event.clone(), "PostToolUse"));
    assert_eq!(
        (recorded.status.code(), stdout(&recorded), stderr(&recorded)),
        (Some(0), String::new(), String::new())
    );
    let request = &desk.requests().await[0];
    assert_eq!(request["grant"]["state"], "spent", "{request}");
    assert_eq!(request["grant"]["uses"][0]["outcome"], "succeeded", "{request}");
    assert_eq!(request["call"]["context"], json!({"cwd": "/home/henry/shop"}));

    // The same call again, other arguments and another directory are nobody's to run; each is asked for by itself.
    desk.set("wait = '1s'");
    let mut elsewhere = event.clone();
    elsewhere["cwd"] = json!("/");
    for other in [event, bash("rm -rf ."), elsewhere] {
        let answer = desk.answer(&other);
        let (word, reason) = decision(&answer);
        assert_eq!(word, "deny");
        assert!(reason.starts_with("Nobody has decided yet whether this call may be made"), "{reason}");
        assert!(reason.contains(&format!("{}/inbox/requests/", desk.server.url)), "{reason}");
    }
    assert_eq!(desk.requests().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_comes_late_is_found_by_the_next_try_of_the_same_call() {
    let desk = Desk::with("wait = '1s'");
    let event = bash("make deploy");
    assert_eq!(decision(&desk.answer(&event)).0, "deny");
    desk.joe("approve", json!({})).await;
    assert_eq!(decision(&desk.answer(&bash("make destroy"))).0, "deny");
    assert_eq!(decision(&desk.answer(&event)), ("allow", "joe approved this call"));
    assert_eq!(decision(&desk.answer(&event)).0, "deny", "it is spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_to_deny_reaches_the_model_and_joe_is_not_asked_again() {
    let desk = Desk::with("wait = '40s'");
    let event = bash("git push --force");
    let denied = desk.answer_while(&event, "deny", json!({"comment": "Open a pull request instead."})).await;
    let (word, reason) = decision(&denied);
    assert_eq!(word, "deny");
    assert!(reason.ends_with("They said: Open a pull request instead."), "{reason}");
    assert!(reason.contains("do not try it in another way"), "{reason}");
    let again = desk.answer(&event);
    assert!(decision(&again).1.contains("Open a pull request instead."), "{again}");
    assert_eq!(desk.requests().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_arguments_are_handed_back_with_their_types() {
    let desk = Desk::with("wait = '40s'");
    let mut event = bash("sleep 1");
    event["tool_input"] =
        json!({"command": "make test", "timeout": 60000, "background": false, "tags": ["a", 1, null]});
    let less =
        json!({"command": "make test-fast", "timeout": 5000, "background": false, "tags": ["a", 1, null]});
    let allowed = desk.answer_while(&event, "approve", json!({"arguments": less})).await;
    assert_eq!(allowed["hookSpecificOutput"]["updatedInput"], less);
    assert_eq!(decision(&allowed), ("allow", "joe approved this call with changed arguments"));
    // What ran is what was changed, so that is what is told of.
    let mut made = after(event, "PostToolUseFailure");
    (made["tool_input"], made["error"]) = (less, json!("exit code 2"));
    assert_eq!(desk.run(&made).status.code(), Some(0));
    let request = &desk.requests().await[0];
    assert_eq!(request["grant"]["uses"][0]["outcome"], "failed", "{request}");
    assert_eq!(request["grant"]["uses"][0]["note"], "exit code 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_request_is_answered_in_its_own_words() {
    let desk = Desk::with("wait = '40s'\nundecided = 'ask'");
    let prompt = |command: &str| {
        let mut event = bash(command);
        event["hook_event_name"] = json!("PermissionRequest");
        event["permission_suggestions"] = json!([{"type": "addRules"}]);
        event
    };
    let decision = |answer: Value| {
        assert_eq!(answer["hookSpecificOutput"]["hookEventName"], "PermissionRequest");
        answer["hookSpecificOutput"]["decision"].clone()
    };
    let allowed = desk.answer_while(&prompt("make"), "approve", json!({})).await;
    assert_eq!(decision(allowed), json!({"behavior": "allow"}));
    let less = json!({"command": "make -n"});
    let changed = desk.answer_while(&prompt("make all"), "approve", json!({"arguments": less})).await;
    assert_eq!(decision(changed), json!({"behavior": "allow", "updatedInput": less}));
    let denied = decision(desk.answer_while(&prompt("make clean"), "deny", json!({"comment": "no"})).await);
    assert_eq!(denied["behavior"], "deny");
    assert!(denied["message"].as_str().unwrap().ends_with("They said: no"), "{denied}");
    // Undecided: the person in front of it is asked, as without us.
    desk.set("wait = '1s'\nundecided = 'ask'");
    let output = desk.run(&prompt("make install"));
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), String::new()));
}

#[test]
fn what_passes_is_left_to_the_programs_own_rules() {
    let desk = Desk::with("pass = ['Read', 'Bash']");
    for event in [bash("ls"), after(bash("ls"), "PostToolUse")] {
        let output = desk.run(&event);
        assert_eq!((output.status.code(), stdout(&output)), (Some(0), String::new()), "{}", stderr(&output));
    }
}

#[test]
fn f3_whatever_is_wrong_blocks_the_call() {
    let mut desk = Desk::with("wait = '1s'");
    let event = bash("rm -rf /");
    // A file that is misspelt, missing or without its key; a word on the command line that is not known.
    desk.set("asks = ['Bash']");
    assert!(blocked(&desk.run(&event)).contains("unknown field `asks`"));
    desk.set("");
    fs::rename(desk.folder.path().join("agent.key"), desk.folder.path().join("k")).unwrap();
    assert!(blocked(&desk.run(&event)).contains("agent.key"));
    fs::rename(desk.folder.path().join("k"), desk.folder.path().join("agent.key")).unwrap();
    let mut elsewhere = askfirst(desk.folder.path());
    elsewhere.args(["hook", "--config", "nowhere.toml"]);
    assert!(blocked(&feed(elsewhere, &event.to_string())).contains("nowhere.toml"));
    let mut nothing = askfirst(desk.folder.path());
    nothing.arg("hook");
    assert!(blocked(&feed(nothing, &event.to_string())).contains("--config FILE"));
    let mut misspelt = desk.hook();
    misspelt.arg("--alow-all");
    assert!(blocked(&feed(misspelt, &event.to_string())).contains("--alow-all"));
    // An event that does not read.
    for text in ["", "rm -rf /", "{}", r#"{"hook_event_name":"PreToolUse","tool_name":"Bash"}"#] {
        blocked(&feed(desk.hook(), text));
    }
    // A number that JSON readers do not agree on.
    let mut large = event.clone();
    large["tool_input"] = json!({"id": 9_007_199_254_740_993_u64});
    let refused = desk.answer(&large);
    assert!(decision(&refused).1.contains("9007199254740993 can't be told from its neighbours"), "{refused}");
    // A key that opens nothing, a thing without reviewers' element, a server that is not there.
    let key = fs::read_to_string(desk.folder.path().join("agent.key")).unwrap();
    fs::write(desk.folder.path().join("agent.key"), "askfirst_key_of_nobody").unwrap();
    let refused = desk.answer(&event);
    assert!(
        decision(&refused).0 == "deny" && decision(&refused).1.contains("does not accept the API key"),
        "{refused}"
    );
    fs::write(desk.folder.path().join("agent.key"), key).unwrap();
    desk.set("element = 'nothing'");
    assert_eq!(decision(&desk.answer(&event)).0, "deny");
    desk.set("wait = '1s'");
    desk.server.stop();
    let refused = desk.answer(&event);
    let (word, reason) = decision(&refused);
    assert_eq!(word, "deny");
    assert!(reason.starts_with("It can't be asked whether this call may be made: askfirst at"), "{reason}");
    desk.set("unavailable = 'ask'");
    assert_eq!(decision(&desk.answer(&event)).0, "ask");
}

/// The agent works in a directory that it can write to.
#[test]
fn a_file_in_the_working_directory_changes_nothing() {
    let desk = Desk::with("wait = '1s'");
    fs::write(desk.folder.path().join(".env"), "ASKFIRST_URL=http://127.0.0.1:1\nnonsense\n").unwrap();
    let denied = desk.answer(&bash("ls"));
    assert!(decision(&denied).1.starts_with("Nobody has decided yet"), "{denied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_while_somebody_waits_loses_nothing() {
    let mut desk = Desk::with("wait = '60s'");
    let (hook, event) = (desk.hook(), bash("make release").to_string());
    let running = tokio::task::spawn_blocking(move || feed(hook, &event));
    let opened = async {
        while desk.requests().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), opened).await.unwrap();
    desk.server.kill_and_restart();
    desk.joe("approve", json!({})).await;
    assert_eq!(decision(&read(&running.await.unwrap())).0, "allow");
    assert_eq!(desk.requests().await.len(), 1);
}

/// Henry reviews here himself, and it is his agent.
#[tokio::test(flavor = "multi_thread")]
async fn whose_agent_it_is_can_not_decide() {
    let desk = Desk::with("wait = '1s'");
    desk.answer(&bash("make"));
    let request = desk.requests().await.remove(0);
    let path = format!("requests/{}/approve", request["id"].as_str().unwrap());
    let url = format!("{}/api/v1/{path}?user=henry", desk.server.url);
    let body = json!({"shown": request["shown"]});
    let refused = Server::http().post(url).bearer_auth(KEY).json(&body).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 403);
    // Nor can the agent's own key.
    let key = fs::read_to_string(desk.folder.path().join("agent.key")).unwrap();
    let key = key.trim().lines().last().unwrap().to_owned();
    let url = format!("{}/api/v1/{path}?user=joe", desk.server.url);
    let refused = Server::http().post(url).bearer_auth(key).json(&body).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 403);
}

#[test]
fn the_settings_of_claude_code() {
    let desk = Desk::with("wait = '2m'");
    let print = |more: &[&str]| {
        let output = desk.hook().args(["install", "--print"]).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let folder = desk.folder.path().to_string_lossy().into_owned();
        stdout(&output)
            .replace(env!("CARGO_BIN_EXE_askfirst"), "/usr/bin/askfirst")
            .replace(&folder, "/etc/askfirst")
    };
    insta::assert_snapshot!("hook_settings", print(&[]));
    let prompts: Value = serde_json::from_str(&print(&["--only-prompts"])).unwrap();
    assert!(
        prompts["hooks"].get("PermissionRequest").is_some() && prompts["hooks"].get("PreToolUse").is_none()
    );
    desk.set("undecidde = 'ask'");
    let mistaken = desk.hook().args(["install", "--print"]).output().unwrap();
    assert!(blocked(&mistaken).contains("undecidde"));
}
