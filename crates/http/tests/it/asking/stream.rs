//! What happens, told while it happens.

use super::{family, inbox_page::Browser, requests_of, wish};
use crate::support::Server;
use axum::body::{Body, BodyDataStream};
use futures::StreamExt as _;
use http::{Request, header};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;
use tower::ServiceExt as _;

const LONG: Duration = Duration::from_secs(30);

/// An answer that is read as it comes.
struct Listening {
    body: BodyDataStream,
    text: String,
}

impl Listening {
    async fn to(server: &Server, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = server.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap();
        assert_eq!(
            (kind, &answer.headers()[header::CACHE_CONTROL]),
            ("text/event-stream", &"no-cache".parse().unwrap())
        );
        let mut listening = Self { body: answer.into_body().into_data_stream(), text: String::new() };
        assert_eq!(listening.block().await.unwrap(), ": listening\nretry: 2000");
        listening
    }

    /// With a key of the environment.
    async fn with_key(server: &Server, path: &str) -> Self {
        Self::to(
            server,
            path,
            &[("authorization", &format!("Bearer {}", server.keys["environment default/dev"]))],
        )
        .await
    }

    /// The next block of lines; none at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let more = timeout(LONG, self.body.next()).await.expect("something comes in time")?;
            self.text.push_str(std::str::from_utf8(&more.unwrap()).unwrap());
        }
    }

    /// The next event: its name, its id, its data.
    async fn event(&mut self) -> (String, Option<u64>, Value) {
        let block = self.block().await.expect("an event");
        let field = |name: &str| {
            block.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
        };
        let data = serde_json::from_str(&field("data").expect("data")).unwrap();
        (field("event").expect("a name"), field("id").map(|id| id.parse().unwrap()), data)
    }
}

async fn ask(server: &Server, role: &str) -> String {
    let asked = server.dev().post(&requests_of("henry"), wish(role)).await;
    asked["id"].as_str().unwrap().to_owned()
}

async fn deny(server: &Server, id: &str) {
    let path = format!("{}/{id}/deny", requests_of("joe"));
    server.dev().put(&path, json!({"reviewer_comment": "no"})).await;
}

#[tokio::test]
async fn events_come_with_their_numbers_and_none_is_missed_by_coming_back() {
    let server = family().await;
    let mut first = Listening::with_key(&server, "/api/v1/stream").await;
    let id = ask(&server, "child-can-order").await;
    let (name, created, data) = first.event().await;
    assert_eq!(
        (name.as_str(), &data["request"], &data["n"]),
        ("request.created", &json!(id), &json!(created))
    );
    drop(first);
    deny(&server, &id).await;
    let key = format!("Bearer {}", server.keys["environment default/dev"]);
    let last = created.unwrap().to_string();
    let headers = [("authorization", key.as_str()), ("last-event-id", last.as_str())];
    let mut again = Listening::to(&server, "/api/v1/stream", &headers).await;
    let (name, denied, data) = again.event().await;
    assert_eq!((name.as_str(), denied), ("request.denied", created.map(|n| n + 1)));
    // It is what the log has.
    let listed = server.dev().get(&format!("/api/v1/audit?request={id}&code=request.denied")).await;
    assert_eq!(data, listed["data"][0]);
}

#[tokio::test]
async fn what_is_asked_for_is_told_and_nothing_else() {
    let server = family().await;
    let first = ask(&server, "child-can-order").await;
    let second = ask(&server, "child-can-look").await;
    let path = format!("/api/v1/stream?request={second}&after=0");
    let mut listening = Listening::with_key(&server, &path).await;
    deny(&server, &first).await;
    deny(&server, &second).await;
    let mut told = Vec::new();
    for _ in 0..2 {
        let (name, _, data) = listening.event().await;
        told.push((name, data["request"].clone()));
    }
    assert_eq!(
        told,
        [("request.created".to_owned(), json!(second)), ("request.denied".to_owned(), json!(second))]
    );
    let mut denials = Listening::with_key(&server, "/api/v1/stream?code=request.denied&after=0").await;
    assert_eq!(denials.event().await.2["request"], json!(first));
    for (path, sentence) in
        [("/api/v1/stream?request=nonsense", "request"), ("/api/v1/stream?after=-1", "after")]
    {
        let answer = server.dev().send("GET", path, None).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.to_string().contains(sentence), "{answer:?}");
    }
    let sent = [("last-event-id", "nonsense")];
    let answer = server.dev().send_with("GET", "/api/v1/stream", None, &sent).await;
    assert_eq!(answer.status, 400, "{answer:?}");
}

#[tokio::test]
async fn the_end_says_why() {
    let server = family().await;
    let mut listening = Listening::with_key(&server, "/api/v1/stream?after=100000").await;
    let (name, id, data) = listening.event().await;
    let end = server.dev().get("/api/v1/audit/chain?limit=1").await["head"]["n"].as_u64();
    assert_eq!((name.as_str(), id, &data["why"]), ("end", end, &json!("elsewhere")));
    assert_eq!(listening.block().await, None);

    let made = server.dev().post("/api/v1/keys", json!({})).await;
    let authorization = format!("Bearer {}", made["secret"].as_str().unwrap());
    let mut listening = Listening::to(&server, "/api/v1/stream", &[("authorization", &authorization)]).await;
    let revoked =
        server.org().send("DELETE", &format!("/v2/api-key/{}", made["id"].as_str().unwrap()), None).await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
    let (name, _, data) = listening.event().await;
    assert_eq!((name.as_str(), &data["why"]), ("end", &json!("refused")));
    assert_eq!(data["message"], "This API key was revoked or has expired.");

    let mut listening = Listening::with_key(&server, "/api/v1/stream").await;
    server.shutdown.cancel();
    assert_eq!(listening.event().await.2["why"], "stopping");
    assert_eq!(listening.block().await, None);
}

#[tokio::test]
async fn a_person_is_told_where_to_look_and_no_more() {
    let server = family().await;
    let joe = Browser::of(&server, "joe").await;
    let cookie = joe.cookie().to_owned();
    let mut listening = Listening::to(&server, "/inbox/stream", &[("cookie", &cookie)]).await;
    let id = ask(&server, "child-can-order").await;
    let (name, _, data) = listening.event().await;
    assert_eq!((name.as_str(), data), ("request", json!({"request": id, "waits": true})));
    assert_eq!(joe.post("/logout", "").await.status, 303);
    deny(&server, &id).await;
    assert_eq!(listening.event().await.2["why"], "refused", "who has signed out hears nothing more");
    // A key is no session, and a session is no key.
    let key = format!("Bearer {}", server.keys["environment default/dev"]);
    for (path, name, value) in [("/inbox/stream", "authorization", key), ("/api/v1/stream", "cookie", cookie)]
    {
        let request = Request::get(path).header(name, value).body(Body::empty()).unwrap();
        let answer = server.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
    }
}
