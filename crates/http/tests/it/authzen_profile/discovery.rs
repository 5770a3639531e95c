//! Discovery.

use super::{BASE, World, path, reading};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

async fn metadata(world: &World) -> Value {
    world.server.client(None).get("/.well-known/authzen-configuration").await
}

/// The header of a JWS.
fn header(token: &Value) -> Value {
    let (head, _) = token.as_str().unwrap().split_once('.').unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap()
}

#[tokio::test]
async fn no_route_opens_without_the_key_of_an_environment() {
    let world = World::start().await;
    let agent = world.pep().post("/api/v1/keys", json!({"as_user": "henry"})).await["secret"].clone();
    for (method, path) in [
        ("POST", "/access/v1/requests"),
        ("GET", "/access/v1/requests/task_x"),
        ("POST", "/access/v1/requests/task_x/cancel"),
        ("GET", "/access/v1/request-forms/restaurant-requests/schema"),
        ("GET", "/access/v1/request-forms/restaurant-requests/catalogs"),
        ("GET", "/access/v1/request-forms/restaurant-requests/roles"),
    ] {
        for (key, status) in [(None, 401), (Some("wrong"), 401), (agent.as_str(), 403)] {
            let answer = world.server.client(key).send(method, path, None).await;
            assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        }
        let elsewhere = world.server.holder("environment default/production").send(method, path, None).await;
        assert!([400, 404].contains(&elsewhere.status), "{method} {path}: {elsewhere:?}");
    }
}

#[tokio::test]
async fn c001_the_metadata_has_an_access_request_endpoint_by_https() {
    let world = World::start().await;
    assert_eq!(metadata(&world).await["access_request_endpoint"], format!("{BASE}/access/v1/requests"));
}

#[tokio::test]
async fn c002_the_capabilities_name_the_profile() {
    let world = World::start().await;
    let all = metadata(&world).await;
    assert_eq!(all["capabilities"], json!(["urn:openid:authzen:capability:access-request"]));
}

#[tokio::test]
async fn c003_the_keys_of_all_tokens_are_at_jwks_uri() {
    let world = World::start().await;
    let uri = path(&metadata(&world).await["jwks_uri"]);
    let denied = world.denied(reading("pizza-palace")).await;
    let approval = world.approved(reading("sushi-spot")).await;
    let keys = world.server.client(None).get(&uri).await;
    for token in [&denied.context["access_request"]["binding_token"], &approval["state"]] {
        let kid = &header(token)["kid"];
        assert!(keys["keys"].as_array().unwrap().iter().any(|key| &key["kid"] == kid), "{keys}");
    }
    // A key that signs no more stays as long as one of its tokens may count.
    world.server.clock.advance(std::time::Duration::from_hours(25));
    world.denied(reading("burger-barn")).await;
    let later = world.server.client(None).get(&uri).await;
    assert_eq!(later["keys"].as_array().unwrap().len(), 2, "{later}");
    assert!(later["keys"].as_array().unwrap().contains(&keys["keys"][0]), "{later}");
    world.server.clock.advance(std::time::Duration::from_hours(32 * 24));
    let last = world.server.client(None).get(&uri).await;
    assert!(!last["keys"].as_array().unwrap().contains(&keys["keys"][0]), "{last}");
}

#[tokio::test]
async fn c004_keys_have_a_name_and_a_use() {
    let world = World::start().await;
    let keys = world.server.client(None).get("/.well-known/jwks.json").await;
    let keys = keys["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(
        (&keys[0]["use"], &keys[0]["alg"], &keys[0]["kty"]),
        (&json!("sig"), &json!("EdDSA"), &json!("OKP"))
    );
    assert!(keys[0]["kid"].is_string() && keys[0]["x"].is_string());
    assert!(keys[0].get("d").is_none(), "the private half is shown to nobody");
}

#[tokio::test]
async fn c005_the_endpoint_of_the_metadata_is_the_one_that_denials_name() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let endpoint = &metadata(&world).await["access_request_endpoint"];
    assert_eq!(&denied.context["access_request"]["endpoint"], endpoint);
    let taken = world.pep().send("POST", &path(endpoint), Some(&denied.submission())).await;
    assert_eq!(taken.status, 202, "{taken:?}");
}
