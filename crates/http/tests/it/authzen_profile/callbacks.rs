//! Callbacks: where they go, and how the receiver knows who calls.

use super::{World, reading};
use askfirst_engine::delivery::{Callbacks, Courier, Reach};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{net::TcpListener, sync::mpsc};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

type Calls = mpsc::UnboundedReceiver<(HeaderMap, Vec<u8>)>;

/// Somebody who is called back at `/told`; `/elsewhere` leads there.
async fn receiver() -> (String, Calls) {
    let (tell, calls) = mpsc::unbounded_channel();
    let told = axum::routing::post(move |headers: HeaderMap, body: axum::body::Bytes| async move {
        tell.send((headers, body.to_vec())).unwrap();
    });
    let elsewhere = axum::routing::post(|| async { axum::response::Redirect::temporary("/told") });
    let app = axum::Router::new().route("/told", told).route("/elsewhere", elsewhere);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, calls)
}

async fn world(allowed: &[&str]) -> World {
    let callbacks = Callbacks::new(allowed.iter().copied(), SECRET.parse().unwrap()).unwrap();
    World::start_with(Some(callbacks)).await
}

/// Asks, with a callback.
async fn ask(world: &World, callback: Value) -> Value {
    let denied = world.denied(reading("pizza-palace")).await;
    world.submitted(&denied.but(|all| all["callback"] = callback)).await
}

async fn deliver(world: &World, reach: Reach) {
    // The process has one, whoever asks first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    world.server.engine.deliver_due(&Courier::new(reach).unwrap()).await.unwrap();
}

#[tokio::test]
async fn c105_callbacks_to_where_the_operator_allows_none_are_refused() {
    let none = World::start().await;
    let some = world(&["https://pep.example/hooks"]).await;
    for endpoint in [
        "https://127.0.0.1/hooks",
        "http://127.0.0.1:7766/hooks",
        "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/hooks",
        "https://192.168.1.1/",
        "https://[::1]/hooks",
        "https://[fc00::1]/hooks",
        "https://[::ffff:127.0.0.1]/hooks",
        "https://0.0.0.0/hooks",
        "https://2130706433/hooks",
        "https://0x7f.1/hooks",
        "https://pep.example@127.0.0.1/hooks",
        "https://pep.example:8443/hooks",
        "https://localhost/hooks",
        "https://elsewhere.example/hooks",
        "http://pep.example/hooks",
        "nonsense",
    ] {
        for world in [&none, &some] {
            let denied = world.denied(reading("pizza-palace")).await;
            let answer =
                world.submit(&denied.but(|all| all["callback"] = json!({"endpoint": endpoint}))).await;
            assert_eq!(answer.status, 400, "{endpoint}: {answer:?}");
            assert!(answer.body["detail"].as_str().unwrap().contains("callback.endpoint"));
        }
    }
    ask(&some, json!({"endpoint": "https://pep.example/hooks/1"})).await;
}

#[tokio::test]
async fn c105_an_allowed_name_that_leads_inside_is_not_called() {
    // `localhost` is a name, and is looked up only when it is called.
    let (url, mut calls) = receiver().await;
    let port = url.rsplit_once(':').unwrap().1.to_owned();
    let allowed = format!("https://localhost:{port}");
    let world = world(&[&allowed]).await;
    ask(&world, json!({"endpoint": format!("{allowed}/told")})).await;
    world.decide_all("joe", true).await;
    deliver(&world, Reach::Public).await;
    assert!(calls.try_recv().is_err());
}

#[tokio::test]
async fn c105_a_redirect_is_not_followed() {
    let (url, mut calls) = receiver().await;
    let world = world(&[&url]).await;
    ask(&world, json!({"endpoint": format!("{url}/elsewhere")})).await;
    world.decide_all("joe", true).await;
    deliver(&world, Reach::Anywhere).await;
    assert!(calls.try_recv().is_err());
}

/// What somebody with this secret makes of a call.
fn signature(secret: &str, headers: &HeaderMap, body: &[u8]) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    for part in ["webhook-id", "webhook-timestamp"] {
        mac.update(headers[part].as_bytes());
        mac.update(b".");
    }
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn c106_a_callback_is_signed_and_carries_the_state_as_it_is() {
    let (url, mut calls) = receiver().await;
    let world = world(&[&url]).await;
    let state = json!({"nonce": "n-1", "deep": [1, null]});
    let task = ask(&world, json!({"endpoint": format!("{url}/told"), "state": state})).await;
    deliver(&world, Reach::Anywhere).await;
    assert!(calls.try_recv().is_err(), "nothing has ended yet");
    world.decide_all("joe", true).await;
    deliver(&world, Reach::Anywhere).await;
    let (headers, body) = calls.try_recv().unwrap();
    assert_eq!(headers["webhook-signature"], signature(SECRET, &headers, &body).as_str());
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_ne!(headers["webhook-signature"], signature(other, &headers, &body).as_str());
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(told["state"], state);
    let read = world.task(&task).await;
    assert_eq!((&told["task"], &told["result"]), (&read["task"], &read["result"]));
    assert!(calls.try_recv().is_err(), "once");
}

#[tokio::test]
async fn c106_only_the_ends_that_are_wanted_are_told() {
    let (url, mut calls) = receiver().await;
    let world = world(&[&url]).await;
    ask(&world, json!({"endpoint": format!("{url}/told"), "events": ["approved", "unheard_of"]})).await;
    world.decide_all("joe", false).await;
    deliver(&world, Reach::Anywhere).await;
    assert!(calls.try_recv().is_err());
    ask(&world, json!({"endpoint": format!("{url}/told"), "events": ["denied"]})).await;
    world.decide_all("joe", false).await;
    deliver(&world, Reach::Anywhere).await;
    let (_, body) = calls.try_recv().unwrap();
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&told["task"]["status"], told.get("result")), (&json!("denied"), None));
}
