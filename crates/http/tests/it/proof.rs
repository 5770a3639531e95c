//! The audit log as a chain over HTTP: it verifies with the public key alone, and people can be erased from it.

use crate::support::{Client, Server};
use askfirst_domain::audit::{Entry, Expected, JwkSet, PublicKey, Receipt, SignedHead, SigningKey, Verifier};
use serde_json::{Value, json};
use std::time::Duration;

const KEYS: &str = "/.well-known/askfirst-audit-keys.json";
const CHAIN: &str = "/api/v1/audit/chain";

async fn signing() -> Server {
    let server = Server::start().await;
    server.engine.sign_audit_with(SigningKey::from_seed(&[5; 32])).await.expect("the key is kept");
    server
}

async fn keys(server: &Server) -> Vec<PublicKey> {
    let set: JwkSet = serde_json::from_value(server.client(None).get(KEYS).await).expect("a set of keys");
    set.keys.iter().map(|key| key.key().expect("a key")).collect()
}

async fn events(dev: &Client<'_>) -> Vec<Entry> {
    let part = dev.get(&format!("{CHAIN}?limit=1000")).await;
    serde_json::from_value(part["events"].clone()).expect("events")
}

async fn make_users(dev: &Client<'_>, names: impl IntoIterator<Item = String>) {
    for name in names {
        dev.put(&format!("/facts/users/{name}"), json!({"email": format!("{name}@example.com")})).await;
    }
}

#[tokio::test]
async fn the_log_verifies_with_the_public_key_alone() {
    let server = signing().await;
    let dev = server.dev();
    make_users(&dev, (0..150).map(|n| format!("user-{n}"))).await;
    let signed: SignedHead =
        serde_json::from_value(dev.post("/api/v1/audit/heads", json!({})).await).unwrap();
    let keys = keys(&server).await;
    signed.verify(&keys).unwrap();

    let part = dev.get(&format!("{CHAIN}?limit=1")).await;
    assert_eq!(part["env"].as_str(), Some(signed.statement.env.to_string().as_str()));
    assert_eq!(part["installation"].as_str(), Some(signed.statement.installation.to_string().as_str()));
    assert_eq!(part["head"]["n"], signed.statement.n);
    let heads = dev.get("/api/v1/audit/heads").await;
    let heads: Vec<SignedHead> = serde_json::from_value(heads["heads"].clone()).unwrap();
    let numbers: Vec<_> = heads.iter().map(|head| head.statement.n).collect();
    assert!(numbers.starts_with(&[64, 128]) && numbers.last() == Some(&signed.statement.n), "{numbers:?}");

    let mut verifier = Verifier::new(signed.statement.env, Some(signed.statement.installation), keys);
    for head in &heads {
        verifier.expect(Expected::Signed(Box::new(head.clone())));
    }
    // In pages, as whoever follows reads it.
    while verifier.at().n < signed.statement.n {
        let page = dev.get(&format!("{CHAIN}?after={}&limit=40", verifier.at().n)).await;
        let page: Vec<Entry> = serde_json::from_value(page["events"].clone()).unwrap();
        assert!(page.len() <= 40 && !page.is_empty());
        for entry in &page {
            verifier.take(entry, None);
        }
    }
    let report = verifier.finish();
    assert_eq!((report.findings, report.heads), (Vec::new(), heads.len() as u64));
    // Signing again where nothing happened makes nothing.
    let again: SignedHead = serde_json::from_value(dev.post("/api/v1/audit/heads", json!({})).await).unwrap();
    assert_eq!(again, signed);
}

#[tokio::test]
async fn every_event_has_a_short_receipt() {
    let server = signing().await;
    let dev = server.dev();
    make_users(&dev, (0..100).map(|n| format!("user-{n}"))).await;
    let (events, keys) = (events(&dev).await, keys(&server).await);
    for at in [0, 1, 62, 63, 64, events.len() - 1] {
        let id = events[at].event().unwrap().id;
        let receipt = dev.get(&format!("/api/v1/audit/{id}/receipt")).await;
        let receipt: Receipt = serde_json::from_value(receipt).unwrap();
        assert_eq!(receipt.verify(&keys).unwrap().id, id);
        assert!(receipt.leaves.len() < 64, "{} hashes for event {at}", receipt.leaves.len());
    }
    let stranger = SigningKey::from_seed(&[6; 32]).public();
    let id = events[0].event().unwrap().id;
    let receipt = dev.get(&format!("/api/v1/audit/{id}/receipt")).await;
    let receipt: Receipt = serde_json::from_value(receipt).unwrap();
    assert!(receipt.verify(&[stranger]).is_err());
    let elsewhere = server.holder("environment default/production");
    elsewhere.refused(404, "NOT_FOUND", "GET", &format!("/api/v1/audit/{id}/receipt"), Value::Null).await;
    dev.refused(400, "INVALID_INPUT", "GET", "/api/v1/audit/mine/receipt", Value::Null).await;
    let nothing = "/api/v1/audit/receipts?request=00000000-0000-0000-0000-000000000001";
    dev.refused(404, "NOT_FOUND", "GET", nothing, Value::Null).await;
    dev.refused(400, "INVALID_INPUT", "GET", &format!("{CHAIN}?limit=0"), Value::Null).await;
}

#[tokio::test]
async fn who_is_erased_is_gone_and_the_log_is_sound() {
    let server = signing().await;
    let dev = server.dev();
    make_users(&dev, ["joe", "joel"].map(str::to_owned)).await;
    dev.post("/api/v1/keys", json!({"as_user": "joe"})).await;
    let signed: SignedHead =
        serde_json::from_value(dev.post("/api/v1/audit/heads", json!({})).await).unwrap();
    let before = events(&dev).await;
    let id = before
        .iter()
        .map(|entry| entry.event().unwrap())
        .find(|event| event.object.as_deref() == Some("joe"));
    let id = id.expect("joe was made").id;
    assert_eq!(dev.post("/api/v1/audit/erase", json!({"user": "nobody"})).await, json!({"events": 0}));
    let erased = dev.post("/api/v1/audit/erase", json!({"user": "joe"})).await;
    assert!(erased["events"].as_u64() > Some(0), "{erased}");
    let after = events(&dev).await;
    assert_eq!(after.len(), before.len() + 1);
    let text =
        format!("{:?}", after.iter().map(|e| e.event().unwrap()).collect::<Vec<_>>()) + &format!("{after:?}");
    assert!(!text.contains("\"joe\"") && text.contains("joel"), "{text}");
    assert_eq!(after.last().unwrap().event().unwrap().code, "audit.erased");
    let listed = dev.get("/api/v1/audit?per_page=100").await.to_string();
    assert!(!listed.contains("\"joe\""), "{listed}");

    let keys = keys(&server).await;
    let mut verifier = Verifier::new(signed.statement.env, None, keys.clone());
    verifier.expect(Expected::Signed(Box::new(signed)));
    for entry in &after {
        verifier.take(entry, None);
    }
    let report = verifier.finish();
    assert_eq!((report.findings, report.heads), (Vec::new(), 1));
    assert_eq!(report.erased, erased["events"].as_u64().unwrap());
    let receipt = dev.get(&format!("/api/v1/audit/{id}/receipt")).await;
    let receipt: Receipt = serde_json::from_value(receipt).unwrap();
    receipt.verify(&keys).unwrap();
    assert!(!receipt.erased().is_empty());
    dev.refused(400, "INVALID_INPUT", "POST", "/api/v1/audit/erase", json!({"user": " "})).await;
}

#[tokio::test]
async fn a_server_without_a_key_says_so() {
    let server = Server::start().await;
    make_users(&server.dev(), ["joe".to_owned()]).await;
    let answer = server.dev().send("POST", "/api/v1/audit/heads", Some(&json!({}))).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(server.client(None).get(KEYS).await, json!({"keys": []}));
}

#[tokio::test]
async fn heads_are_signed_beside_the_calls_and_with_a_new_key_too() {
    let server = signing().await;
    make_users(&server.dev(), ["joe".to_owned()]).await;
    assert!(server.engine.sign_all().await.unwrap() > 0);
    assert_eq!(server.engine.sign_all().await.unwrap(), 0, "nothing is new");
    server.clock.advance(Duration::from_mins(1));
    let of_dev = server.dev().get("/api/v1/audit/heads").await;
    assert_eq!(of_dev["heads"].as_array().map(Vec::len), Some(1));
}

/// What is of no environment has a chain as well, and the same proofs: who made which environment and which wide key.
#[tokio::test]
async fn the_installation_has_a_log_of_its_own() {
    let server = signing().await;
    let (org, dev) = (server.org(), server.dev());
    org.post("/v2/projects/default/envs", json!({"key": "staging", "name": "Staging"})).await;
    let listed = org.get("/api/v1/audit").await;
    let newest = &listed["data"][0];
    assert_eq!(newest["code"], "environment.created", "{listed}");
    assert_eq!(newest["n"], listed["total_count"]);

    let signed: SignedHead =
        serde_json::from_value(org.post("/api/v1/audit/heads", json!({})).await).unwrap();
    assert_eq!(signed.statement.env.env(), None);
    assert_eq!(newest["hash"].as_str(), Some(signed.statement.hash.to_string().as_str()));
    let keys = keys(&server).await;
    let mut verifier = Verifier::new(signed.statement.env, Some(signed.statement.installation), keys.clone());
    verifier.expect(Expected::Signed(Box::new(signed.clone())));
    for entry in events(&org).await {
        verifier.take(&entry, None);
    }
    let report = verifier.finish();
    assert_eq!((report.findings, report.heads, report.head.n), (Vec::new(), 1, signed.statement.n));

    let id = newest["id"].as_str().unwrap();
    let receipt = org.get(&format!("/api/v1/audit/{id}/receipt")).await;
    serde_json::from_value::<Receipt>(receipt).unwrap().verify(&keys).unwrap();
    // The two kinds of log are apart: neither key reads the other's.
    dev.refused(404, "NOT_FOUND", "GET", &format!("/api/v1/audit/{id}/receipt"), Value::Null).await;
    assert!(!dev.get("/api/v1/audit").await.to_string().contains("environment.created"));
    let narrower = server.holder("project default");
    for path in ["/api/v1/audit", CHAIN, "/api/v1/audit/heads"] {
        let message = narrower.refused(400, "INVALID_INPUT", "GET", path, Value::Null).await;
        assert!(message.contains("environment key"), "{message}");
    }
    // Nobody is erased from it: it names no environment's users.
    org.refused(400, "INVALID_INPUT", "POST", "/api/v1/audit/erase", json!({"user": "joe"})).await;
}
