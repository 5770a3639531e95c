//! Several servers on one PostgreSQL database: whatever one has acknowledged holds on all, also when one is killed.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of a test fail as the test does")]

use crate::support::{KEY, Process, Server, askfirst, stderr, stdout, text_of};
use askfirst_domain::RevisionToken;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::Notify, time::timeout};

#[path = "../../../store/tests/support/mod.rs"]
mod postgres;

const FACTS: &str = "/v2/facts/default/dev";
const PALACE: &str = "restaurants:pizza-palace";
/// Nothing here takes longer, however slow the machine.
const LONG: Duration = Duration::from_mins(1);

/// A server among others, with a data directory of its own.
struct Replica {
    data: PathBuf,
    process: Process,
    url: String,
}

/// Two servers that were started at the same moment on an empty database.
struct Two {
    home: TempDir,
    one: Replica,
    other: Replica,
    /// Ends last.
    database: postgres::Server,
}

impl Two {
    /// None where PostgreSQL is not installed. `more` are arguments of both.
    async fn start(more: &[&str]) -> Option<Self> {
        let database = postgres::Server::start("off")?;
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("url"), database.database().await).unwrap();
        let spawn = |name: &str| {
            let mut command = askfirst(home.path());
            command.args(["serve", "--database-file", "url", "--data", name, "--log", "warn"]);
            command.args(["--listen", "127.0.0.1:0"]).args(more).env("ASKFIRST_API_KEY", KEY);
            (home.path().join(name), Process::start(&mut command))
        };
        let [one, other] = [spawn("one"), spawn("other")].map(|(data, mut process)| {
            let line = process.until("listening on");
            Replica { data, process, url: line.rsplit(' ').next().unwrap().to_owned() }
        });
        Some(Self { home, one, other, database })
    }

    /// Runs a command as a client of one of the servers; it must succeed. Gives what it printed.
    fn ok(&self, at: &str, arguments: &[&str]) -> String {
        let mut command = askfirst(self.home.path());
        command.args(arguments).env("ASKFIRST_URL", at).env("ASKFIRST_API_KEY", KEY);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
        stdout(&output)
    }

    fn apply_the_familys_policy(&self) {
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/family/policy.yaml");
        self.ok(&self.one.url, &["policy", "apply", policy.to_str().unwrap()]);
    }
}

/// What was answered.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    revision: Option<RevisionToken>,
    body: Value,
}

/// Somebody who calls the servers, and demands what they have seen before.
#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    key: String,
    seen: Option<RevisionToken>,
}

impl Client {
    fn new(key: &str) -> Self {
        Self { http: Server::http(), key: key.to_owned(), seen: None }
    }

    /// None when nobody answers.
    async fn call(&mut self, method: Method, url: &str, path: &str, body: &Value) -> Option<Answer> {
        let mut request = self.http.request(method, format!("{url}{path}")).bearer_auth(&self.key);
        if let Some(seen) = self.seen {
            request = request.header("askfirst-at-least", seen.to_string());
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = timeout(LONG, request.send()).await.unwrap().ok()?;
        let status = answer.status();
        let revision =
            answer.headers().get("askfirst-revision").map(|v| v.to_str().unwrap().parse().unwrap());
        let text = answer.text().await.ok()?;
        Some(Answer { status, revision, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
    }

    /// A call that succeeds if anybody answers; its revision is never behind what was seen before.
    async fn ok(&mut self, method: Method, url: &str, path: &str, body: Value) -> Option<Value> {
        let answer = self.call(method, url, path, &body).await?;
        assert!(answer.status.is_success(), "{path} {body}: {answer:?}");
        let revision = answer.revision.unwrap_or_else(|| panic!("{path} names no revision"));
        if let Some(seen) = self.seen {
            assert_eq!((revision.env, revision.epoch), (seen.env, seen.epoch));
            assert!(revision.revision >= seen.revision, "{path} went back from {seen:?} to {revision:?}");
        }
        self.seen = Some(revision);
        Some(answer.body)
    }

    async fn may_read(&mut self, url: &str, user: &str) -> Option<bool> {
        let question = json!({"user": {"key": user}, "action": "read",
            "resource": {"type": "restaurants", "key": "pizza-palace"}});
        self.ok(Method::POST, url, "/allowed", question).await?["allow"].as_bool()
    }
}

/// What the clients of the load have in common.
struct Load {
    urls: [String; 2],
    /// The users of whom a server has said that they may read.
    granted: Mutex<BTreeSet<String>>,
    acknowledged: AtomicU32,
    enough: Notify,
}

impl Load {
    const CLIENTS: usize = 6;
    const EACH: usize = 25;
    /// Of all grants; then a server is killed.
    const KILL_AFTER: u32 = 50;

    /// Makes users and lets them read, each on one server, and asks the other one.
    async fn client(self: Arc<Self>, number: usize) -> Client {
        let mut client = Client::new(KEY);
        for n in 0..Self::EACH {
            let here = (number + n) % 2;
            let urls = [&self.urls[here], &self.urls[1 - here]];
            let user = format!("user-{number}-{n}");
            // When one does not answer, nothing is known of what was asked; so on with the next user.
            let made =
                client.ok(Method::POST, urls[0], &format!("{FACTS}/users"), json!({"key": user})).await;
            if made.is_none() {
                continue;
            }
            let grant = json!({"user": user, "role": "child-can-order", "tenant": "default", "resource_instance": PALACE});
            let given = client.ok(Method::POST, urls[0], &format!("{FACTS}/role_assignments"), grant).await;
            if given.is_none() {
                continue;
            }
            self.granted.lock().unwrap().insert(user.clone());
            for url in [urls[1], urls[0]] {
                assert_ne!(
                    client.may_read(url, &user).await,
                    Some(false),
                    "{user} at {url} after {client:?}",
                    client = client.seen
                );
            }
            if self.acknowledged.fetch_add(1, Ordering::SeqCst) + 1 == Self::KILL_AFTER {
                self.enough.notify_one();
            }
        }
        client
    }
}

/// The keys of all users, from as many pages as it takes.
async fn users(client: &mut Client, url: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for page in 1.. {
        let path = format!("{FACTS}/users?page={page}&per_page=100");
        let body = client.ok(Method::GET, url, &path, Value::Null).await.unwrap();
        let data = body["data"].as_array().unwrap();
        found.extend(data.iter().map(|user| user["key"].as_str().unwrap().to_owned()));
        if data.len() < 100 {
            assert_eq!(body["total_count"], found.len());
            break;
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost_when_a_replica_is_killed_under_load() {
    let Some(mut two) = Two::start(&[]).await else { return };
    let keys = [&two.one, &two.other].map(|replica| replica.data.join("keys.txt")).map(|file| file.exists());
    assert_eq!(keys.into_iter().filter(|exists| *exists).count(), 1, "one of them has made the installation");
    two.apply_the_familys_policy();

    let load = Arc::new(Load {
        urls: [two.one.url.clone(), two.other.url.clone()],
        granted: Mutex::default(),
        acknowledged: AtomicU32::new(0),
        enough: Notify::new(),
    });
    let clients: Vec<_> = (0..Load::CLIENTS).map(|n| tokio::spawn(Arc::clone(&load).client(n))).collect();
    timeout(LONG, load.enough.notified()).await.unwrap();
    two.other.process.kill();
    let mut newest = Client::new(KEY);
    for client in clients {
        let client = timeout(LONG, client).await.unwrap().unwrap();
        let revision = |client: &Client| client.seen.map_or(0, |seen| seen.revision);
        if revision(&client) > revision(&newest) {
            newest = client;
        }
    }

    // Another one takes its place, and both have all of it.
    let mut command = askfirst(two.home.path());
    command.args([
        "serve",
        "--database-file",
        "url",
        "--data",
        "third",
        "--log",
        "warn",
        "--listen",
        "127.0.0.1:0",
    ]);
    let mut third = Process::start(&mut command);
    let third_url = third.until("listening on").rsplit(' ').next().unwrap().to_owned();
    let granted = load.granted.lock().unwrap().clone();
    assert!(granted.len() >= Load::KILL_AFTER as usize, "{}", granted.len());
    let mut totals = Vec::new();
    for url in [&two.one.url, &third_url] {
        let users = users(&mut newest, url).await;
        assert!(granted.is_subset(&users), "{:?}", granted.difference(&users));
        let questions: Vec<_> = users
            .iter()
            .map(|user| {
                json!({"user": {"key": user}, "action": "read",
                "resource": {"type": "restaurants", "key": "pizza-palace"}})
            })
            .collect();
        let decided = newest.ok(Method::POST, url, "/allowed/bulk", json!(questions)).await.unwrap();
        let decided = decided["allow"].as_array().unwrap().iter().map(|each| each["allow"] == true);
        let may: BTreeSet<_> =
            users.iter().zip(decided).filter(|(_, may)| *may).map(|(user, _)| user.clone()).collect();
        assert!(granted.is_subset(&may), "{:?}", granted.difference(&may));
        totals.push((users, may, newest.seen));
    }
    assert_eq!(totals[0], totals[1], "both show the same, at the same revision");
    // What they have all written is one chain without a gap, signed by keys that the database knows.
    let keys: Value = serde_json::from_str(&two.ok(&two.one.url, &["audit", "keys"])).unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 3, "a key each: {keys}");
    let sound = [&two.one.url, &third_url].map(|url| two.ok(url, &["audit", "verify"]));
    assert!(sound.iter().all(|said| said.starts_with("sound: ") && !said.contains("(0 heads)")), "{sound:?}");
    assert_eq!(sound[0].split(',').next(), sound[1].split(',').next());
    drop(third);
}

/// F2, on PostgreSQL, and with two servers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_that_redeem_at_once_on_two_replicas_one_succeeds() {
    let Some(two) = Two::start(&[]).await else { return };
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/product/machines.yaml");
    two.ok(&two.one.url, &["policy", "apply", policy.to_str().unwrap()]);
    let mut client = Client::new(KEY);
    let wish = json!({"user": "henry", "kind": "operation_approval", "element": "machine-approval",
        "resource_instance": "machines:laptop", "action": "pay", "arguments": {"euros": 5}});
    let asked = client.ok(Method::POST, &two.one.url, "/api/v1/requests", wish).await.unwrap();
    let path = |what: &str| format!("/api/v1/requests/{}{what}", asked["id"].as_str().unwrap());
    let yes = json!({"shown": asked["shown"]});
    client.ok(Method::POST, &two.other.url, &path("/approve?user=joe"), yes).await.unwrap();
    let redeem = format!("/api/v1/operation_approvals/{}/redeem", asked["id"].as_str().unwrap());
    let call = json!({"user": "henry", "action": "pay", "arguments": {"euros": 5}});
    let urls = [two.one.url.clone(), two.other.url.clone()];
    // Ten clients with a hundred calls each, all under way at the same time.
    let clients: Vec<_> = (0..10)
        .map(|number| {
            let (client, redeem, call, urls) = (client.clone(), redeem.clone(), call.clone(), urls.clone());
            tokio::spawn(async move {
                let calls = (0..100).map(|n| {
                    let (mut client, url) = (client.clone(), urls[(number + n) % 2].clone());
                    let (redeem, call) = (redeem.clone(), call.clone());
                    async move { client.call(Method::POST, &url, &redeem, &call).await.unwrap() }
                });
                let answers: Vec<Answer> = join_all(calls).await;
                answers.into_iter().map(|answer| answer.status.as_u16()).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut passes = 0;
    for client in clients {
        for status in timeout(LONG, client).await.unwrap().unwrap() {
            match status {
                200 => passes += 1,
                // Spent; or so many at once that this one was told to come again.
                409 | 503 => {}
                other => panic!("{other}"),
            }
        }
    }
    assert_eq!(passes, 1);
    for url in &urls {
        let seen = client.ok(Method::GET, url, &path("?user=joe"), Value::Null).await.unwrap();
        assert_eq!(seen["grant"]["uses"].as_array().unwrap().len(), 1, "{seen}");
    }
}

async fn join_all<F: Future<Output = Answer> + Send + 'static>(
    calls: impl Iterator<Item = F>,
) -> Vec<Answer> {
    let mut running = tokio::task::JoinSet::new();
    calls.for_each(|call| {
        running.spawn(call);
    });
    running.join_all().await
}

/// Calls a tool of `/mcp`; its result.
async fn tool(url: &str, key: &str, name: &str, arguments: Value) -> Value {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}});
    let answer = Server::http()
        .post(format!("{url}/mcp"))
        .bearer_auth(key)
        .header("Accept", "application/json, text/event-stream")
        .header("MCP-Protocol-Version", "2025-11-25")
        .json(&call)
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    let text = answer.text().await.unwrap();
    // One message, as it is or as an event.
    let messages = text.lines().map(|line| line.trim_start_matches("data:").trim());
    let found = messages
        .filter_map(|text| serde_json::from_str::<Value>(text).ok())
        .find(|message| message.get("result").is_some());
    found.unwrap_or_else(|| panic!("no result in {text}"))["result"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_on_one_replica_counts_on_the_other() {
    let Some(two) = Two::start(&["--max-lag", "1"]).await else { return };
    two.apply_the_familys_policy();
    let mut client = Client::new(KEY);

    // A key that one has made opens the other at once, and no longer once it is revoked.
    let make = json!({"as_user": "henry"});
    let made = client.call(Method::POST, &two.one.url, "/api/v1/keys", &make).await.unwrap().body;
    let henry = made["secret"].as_str().unwrap().to_owned();
    let wish = json!({"role": "child-can-order", "resource_instance": "pizza-palace", "reason": "hungry"});
    let asked = tool(&two.other.url, &henry, "create_access_request", wish).await;
    let token: RevisionToken = asked["_meta"]["askfirst/revision"].as_str().unwrap().parse().unwrap();
    assert!(token.revision > 0);

    // Who waits on the one is woken by a decision on the other.
    let id = asked["structuredContent"]["id"].as_str().unwrap().to_owned();
    let (url, key) = (two.other.url.clone(), henry.clone());
    let wait = json!({"request_id": id, "timeout_seconds": 50});
    let waiting = tokio::spawn(async move { tool(&url, &key, "wait_for_decision", wait).await });
    two.ok(&two.one.url, &["inbox", "--as", "joe", "approve", &id]);
    let waited = timeout(LONG, waiting).await.unwrap().unwrap();
    assert_eq!(waited["structuredContent"]["status"], "approved", "{waited}");

    let revoke = format!("/v2/api-key/{}", made["id"].as_str().unwrap());
    let revoked = client.call(Method::DELETE, &two.one.url, &revoke, &Value::Null).await.unwrap();
    assert!(revoked.status.is_success(), "{revoked:?}");
    let mut henrys = Client::new(&henry);
    until(async || {
        henrys.call(Method::POST, &two.other.url, "/mcp", &json!({})).await.unwrap().status == 401
    })
    .await;

    // A demand that can't be met is refused in a sentence.
    client.may_read(&two.one.url, "joe").await.unwrap();
    let seen = client.seen.unwrap();
    for (demand, status) in [
        (RevisionToken { revision: seen.revision + 1, ..seen }.to_string(), 409),
        (RevisionToken { epoch: seen.env.uuid(), ..seen }.to_string(), 409),
        ("yesterday".to_owned(), 400),
    ] {
        let request = client.http.get(format!("{}{FACTS}/users", two.other.url)).bearer_auth(KEY);
        let refused = request.header("askfirst-at-least", demand).send().await.unwrap();
        assert_eq!((refused.status().as_u16(), refused.headers().get("askfirst-revision")), (status, None));
    }

    // Without the database both live, and neither is ready nor decides.
    let url = text_of(&two.home.path().join("url"));
    assert!(url.starts_with("postgres:"), "{url}");
    drop(two.database);
    let question = json!({"user": {"key": "joe"}, "action": "read", "resource": {"type": "restaurants"}});
    for replica in [&two.one, &two.other] {
        let mut client = Client::new(KEY);
        until(async || {
            let answer = client.call(Method::POST, &replica.url, "/allowed", &question).await.unwrap();
            let sentence = answer.body["message"].as_str().unwrap_or_default();
            answer.status == 503 && sentence.contains("has not heard from the database")
        })
        .await;
        let ready = client.call(Method::GET, &replica.url, "/ready", &Value::Null).await.unwrap();
        assert_eq!(
            (ready.status.as_u16(), ready.body["message"].as_str()),
            (503, Some("The database does not answer."))
        );
        let lives = client.call(Method::GET, &replica.url, "/health", &Value::Null).await.unwrap();
        assert_eq!(lives.status, 200);
    }
}

/// Looks again and again until it is so.
async fn until(mut look: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !look().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, looking).await.unwrap();
}
