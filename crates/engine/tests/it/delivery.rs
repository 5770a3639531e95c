//! What is told outside, with a receiver that answers as the test says.

use crate::support::{FAMILY, World, eventually};
use askfirst_domain::Ident;
use askfirst_engine::{
    Kind, OutboxFilter, Page, Queued, Settings,
    delivery::{Courier, Hook, Reach},
    requests::{Approve, AskAccess, Decide, Times, Verdict},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    sync::mpsc,
    time::timeout,
};

pub(crate) const LONG: Duration = Duration::from_secs(30);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A call that came in.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) raw: Vec<u8>,
}

impl Call {
    pub(crate) fn body(&self) -> Value {
        serde_json::from_slice(&self.raw).unwrap()
    }
}

/// Checks the signature, as a receiver does that has the secret.
pub(crate) fn verify(call: &Call, secret: &str) {
    let (id, seconds) = (&call.headers["webhook-id"], &call.headers["webhook-timestamp"]);
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(&call.raw);
    let signature = call.headers["webhook-signature"].strip_prefix("v1,").unwrap();
    mac.verify_slice(&STANDARD.decode(signature).unwrap()).unwrap();
}

/// Somebody who is told. Answers with the statuses that were laid out, then with 204.
pub(crate) struct Receiver {
    pub(crate) url: String,
    calls: mpsc::UnboundedReceiver<Call>,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
}

impl Receiver {
    pub(crate) async fn start(answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/told?token=in-the-address", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
        let (tell, calls) = mpsc::unbounded_channel();
        let script = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tell, script) = (tell.clone(), Arc::clone(&script));
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while let Some(call) = read(&mut stream).await {
                        let answer = script.lock().unwrap().pop_front().unwrap_or("204 No Content");
                        let text = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
                        tell.send(call).unwrap();
                        stream.write_all(text.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        Self { url, calls, answers }
    }

    /// The next call; it is an error if none comes.
    pub(crate) async fn next(&mut self) -> Call {
        timeout(LONG, self.calls.recv()).await.expect("a call comes in time").unwrap()
    }

    pub(crate) fn is_quiet(&mut self) -> bool {
        self.calls.try_recv().is_err()
    }
}

async fn read(stream: &mut BufReader<tokio::net::TcpStream>) -> Option<Call> {
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut raw = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut raw).await.ok()?;
    Some(Call { headers, raw })
}

/// The family, whose restaurants have a webhook at this address.
async fn family(url: &str, settings: Settings) -> World {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open_with(dir.path(), settings).await;
    let webhook = format!("webhook: {{url: '{url}', bearer_token: tell-nobody}}");
    let policy = FAMILY.replace(
        "    name: Restaurant Requests\n",
        &format!("    name: Restaurant Requests\n    {webhook}\n"),
    );
    assert_ne!(policy, FAMILY);
    world.dev().await.apply_policy(&policy).await.unwrap();
    World { dir: Some(dir), ..world }
}

pub(crate) fn courier(reach: Reach) -> Courier {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Courier::new(reach).unwrap()
}

/// Henry asks for a role on a restaurant.
pub(crate) async fn ask(world: &World, restaurant: &str) -> Ident {
    let acting = world.dev().await.act_for(&Ident::from("henry")).await.unwrap();
    let asked = acting
        .request_access(AskAccess {
            element: "restaurant-requests".into(),
            tenant: "default".into(),
            resource: None,
            instance: Some(format!("restaurants:{restaurant}")),
            role: "child-can-order".into(),
            reason: "hungry".to_owned(),
            suggested_reviewers: Vec::new(),
            times: Times::default(),
        })
        .await
        .unwrap();
    Ident::from(asked.view.request.id.uuid())
}

pub(crate) async fn listed(world: &World, filter: OutboxFilter) -> Vec<Queued> {
    world.dev().await.deliveries(filter, Page::ALL).await.unwrap().items
}

#[tokio::test]
async fn an_elements_webhook_hears_of_each_step() {
    let mut receiver = Receiver::start(&[]).await;
    let world = family(&receiver.url, Settings::default()).await;
    let courier = courier(Reach::Anywhere);
    let id = ask(&world, "pizza-palace").await;
    assert_eq!(world.engine.deliver_due(&courier).await.unwrap(), 1);
    let call = receiver.next().await;
    let said = |name: &str| call.headers.get(name).map(String::as_str);
    assert_eq!(said("authorization"), Some("Bearer tell-nobody"));
    assert_eq!(said("content-type"), Some("application/json"));
    assert_eq!(said("webhook-signature"), None, "there is no secret to sign with");
    assert!(said("webhook-id").is_some() && said("webhook-timestamp").is_some());
    let body = call.body();
    assert_eq!((body["status"].as_str(), body["reason"].as_str()), (Some("pending"), Some("hungry")));
    assert_eq!(body["id"].as_str(), Some(id.as_str()));

    let joe = world.dev().await.act_for(&Ident::from("joe")).await.unwrap();
    let decide = Decide { approve: Verdict::Approve(Approve::default()), comment: None };
    joe.decide(&id, decide).await.unwrap();
    assert_eq!(world.engine.deliver_due(&courier).await.unwrap(), 1);
    assert_eq!(receiver.next().await.body()["status"].as_str(), Some("approved"));
    assert_eq!(world.engine.deliver_due(&courier).await.unwrap(), 0);
    assert!(listed(&world, OutboxFilter::All).await.is_empty() && receiver.is_quiet());
}

#[tokio::test]
async fn what_fails_is_tried_again_with_the_same_id() {
    let answers = ["500 Internal Server Error", "503 Service Unavailable\r\nretry-after: 600", "200 OK"];
    let mut receiver = Receiver::start(&answers).await;
    let world = family(&receiver.url, Settings::default()).await;
    let courier = courier(Reach::Anywhere);
    ask(&world, "pizza-palace").await;
    assert_eq!(world.engine.deliver_due(&courier).await.unwrap(), 1);
    let first = receiver.next().await;
    assert_eq!(world.engine.deliver_due(&courier).await.unwrap(), 0, "not at once");
    let waiting = listed(&world, OutboxFilter::Waiting).await;
    assert_eq!(
        (waiting[0].attempts, waiting[0].failure.as_deref()),
        (1, Some("it answered 500 Internal Server Error"))
    );

    world.clock.advance(Duration::from_secs(7));
    assert_eq!(world.engine.deliver_due(&courier).await.unwrap(), 1);
    let second = receiver.next().await;
    assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"]);
    world.clock.advance(Duration::from_secs(590));
    assert_eq!(
        world.engine.deliver_due(&courier).await.unwrap(),
        0,
        "the receiver wished to be left in peace"
    );
    world.clock.advance(Duration::from_secs(11));
    assert_eq!(world.engine.deliver_due(&courier).await.unwrap(), 1);
    assert_eq!(receiver.next().await.raw, first.raw);
    assert!(listed(&world, OutboxFilter::All).await.is_empty());
}

#[tokio::test]
async fn what_never_works_is_given_up_and_can_be_revived() {
    let mut receiver = Receiver::start(&[]).await;
    let world = family(&receiver.url, Settings::default()).await;
    let courier = courier(Reach::Anywhere);
    ask(&world, "pizza-palace").await;
    let mut attempts = 0;
    while listed(&world, OutboxFilter::Dead).await.is_empty() {
        receiver.answers.lock().unwrap().push_back("502 Bad Gateway");
        attempts += world.engine.deliver_due(&courier).await.unwrap();
        world.clock.advance(Duration::from_hours(30));
        assert!(attempts < 20);
    }
    assert_eq!(attempts, 12);
    assert_eq!(world.engine.deliver_due(&courier).await.unwrap(), 0);
    let dead = listed(&world, OutboxFilter::Dead).await;
    let dev = world.dev().await;
    let id = dead[0].item.id;
    let unknown = dev.retry_delivery(uuid::Uuid::nil()).await.unwrap_err();
    assert_eq!(unknown.kind(), Kind::NotFound);
    dev.retry_delivery(id).await.unwrap();
    assert_eq!(dev.retry_delivery(id).await.unwrap_err().kind(), Kind::NotFound, "it waits again");
    for _ in 0..12 {
        receiver.next().await;
    }
    assert_eq!(world.engine.deliver_due(&courier).await.unwrap(), 1);
    receiver.next().await;
    assert!(listed(&world, OutboxFilter::All).await.is_empty());
    let events = dev.audit_events(None, Some("delivery".to_owned()), Page::ALL).await.unwrap();
    let codes: Vec<_> = events.items.iter().map(|event| event.code.as_str()).collect();
    assert_eq!(codes, ["delivery.retried"]);
}

#[tokio::test]
async fn who_is_gone_is_not_tried_again() {
    let mut receiver = Receiver::start(&["410 Gone"]).await;
    let world = family(&receiver.url, Settings::default()).await;
    ask(&world, "pizza-palace").await;
    assert_eq!(world.engine.deliver_due(&courier(Reach::Anywhere)).await.unwrap(), 1);
    receiver.next().await;
    let dead = listed(&world, OutboxFilter::Dead).await;
    assert_eq!(dead[0].failure.as_deref(), Some("it answered 410 Gone"));
    let dev = world.dev().await;
    dev.drop_delivery(dead[0].item.id).await.unwrap();
    assert_eq!(dev.drop_delivery(dead[0].item.id).await.unwrap_err().kind(), Kind::NotFound);
    assert!(listed(&world, OutboxFilter::All).await.is_empty());
}

#[tokio::test]
async fn nothing_inside_the_network_is_called_unless_it_is_wanted() {
    let mut receiver = Receiver::start(&[]).await;
    let by_name = receiver.url.replace("http://127.0.0.1", "https://localhost");
    let by_number = receiver.url.replace("http:", "https:");
    for (url, complaint) in [
        (receiver.url.clone(), "not https"),
        (by_number, "inside a private network"),
        (by_name, "inside a private network"),
        ("https://[::1]:7766/".to_owned(), "inside a private network"),
        ("https://0x7f.1/".to_owned(), "inside a private network"),
        ("https://169.254.169.254/latest".to_owned(), "inside a private network"),
    ] {
        let world = family(&url, Settings::default()).await;
        ask(&world, "pizza-palace").await;
        assert_eq!(world.engine.deliver_due(&courier(Reach::Public)).await.unwrap(), 1);
        let all = listed(&world, OutboxFilter::All).await;
        let failure = all[0].failure.clone().unwrap_or_default();
        assert!(failure.contains(complaint), "{url}: {failure}");
        assert!(!failure.contains("in-the-address"), "{failure}");
    }
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn an_unreachable_receiver_is_named_without_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?token=in-the-address", listener.local_addr().unwrap());
    drop(listener);
    let world = family(&url, Settings::default()).await;
    ask(&world, "pizza-palace").await;
    world.engine.deliver_due(&courier(Reach::Anywhere)).await.unwrap();
    let waiting = listed(&world, OutboxFilter::Waiting).await;
    let failure = waiting[0].failure.clone().unwrap();
    assert!(failure.starts_with("no connection: ") && !failure.contains("in-the-address"), "{failure}");
}

#[tokio::test]
async fn whom_nobody_wants_to_tell_any_more_is_not_told() {
    let mut receiver = Receiver::start(&[]).await;
    let world = family(&receiver.url, Settings::default()).await;
    ask(&world, "pizza-palace").await;
    let without = FAMILY.to_owned();
    world.dev().await.apply_policy(&without).await.unwrap();
    world.engine.deliver_due(&courier(Reach::Anywhere)).await.unwrap();
    assert!(listed(&world, OutboxFilter::All).await.is_empty() && receiver.is_quiet());
}

#[tokio::test]
async fn the_installations_webhook_hears_of_everything_with_a_signature() {
    let mut receiver = Receiver::start(&[]).await;
    let hook = Hook { url: receiver.url.clone(), secret: SECRET.parse().unwrap() };
    let settings = Settings { webhook: Some(hook), ..Settings::default() };
    assert!(!format!("{settings:?}").contains("in-the-address"));
    let dir = tempfile::tempdir().unwrap();
    let world = World::open_with(dir.path(), settings).await;
    world.dev().await.apply_policy(FAMILY).await.unwrap();
    let id = ask(&world, "pizza-palace").await;
    let henry = world.dev().await.act_for(&Ident::from("henry")).await.unwrap();
    henry.cancel(&id, None).await.unwrap();
    assert_eq!(world.engine.deliver_due(&courier(Reach::Anywhere)).await.unwrap(), 2);
    let mut told = Vec::new();
    for _ in 0..2 {
        let call = receiver.next().await;
        verify(&call, SECRET);
        assert!(!call.headers.contains_key("authorization"));
        let body = call.body();
        assert!(!body.to_string().contains("hungry"), "what people wrote is not told: {body}");
        assert_eq!(body["data"]["requester"].as_str(), Some("henry"));
        told.push(body["type"].as_str().unwrap().to_owned());
    }
    told.sort();
    assert_eq!(told, ["request.canceled", "request.created"]);
}

#[tokio::test]
async fn a_commit_wakes_who_delivers_and_two_deliver_once() {
    let mut receiver = Receiver::start(&[]).await;
    let world = family(&receiver.url, Settings::default()).await;
    let path = world.dir.as_ref().unwrap().path().to_owned();
    let other = World::open(&path).await;
    let rounds: Vec<_> = [&world, &other]
        .map(|world| tokio::spawn(world.engine.clone().keep_delivering(courier(Reach::Anywhere))))
        .into_iter()
        .collect();
    for restaurant in ["pizza-palace", "burger-barn", "salad-bowl"] {
        ask(&world, restaurant).await;
    }
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(receiver.next().await.body()["id"].as_str().unwrap().to_owned());
    }
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 3, "each once");
    eventually(async || listed(&world, OutboxFilter::All).await.is_empty().then_some(())).await;
    assert!(receiver.is_quiet());
    rounds.iter().for_each(tokio::task::JoinHandle::abort);
}
