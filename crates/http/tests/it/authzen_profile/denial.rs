//! Denials that can be asked about.

use super::{ASKABLE, World, assert_error, ordering, path, pep::Pep, reading};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn c006_nothing_that_is_allowed_can_be_asked_about() {
    let world = World::start().await;
    let mut question = reading("pizza-palace");
    question["subject"]["id"] = json!("joe");
    let allowed = world.evaluate(&question).await;
    assert_eq!(allowed["decision"], true);
    assert_eq!(allowed["context"].get("access_request"), None, "{allowed}");
    assert_eq!(allowed["context"].get("evaluation_id"), None, "{allowed}");
}

#[tokio::test]
async fn c007_what_nobody_could_give_can_not_be_asked_about() {
    let world = World::start().await;
    for (member, value) in [
        ("/action/name", "update"),
        ("/action/name", "fly"),
        ("/subject/id", "nobody"),
        ("/subject/type", "robot"),
        ("/resource/type", "castles"),
        ("/resource/id", "nowhere"),
    ] {
        let mut question = reading("pizza-palace");
        *question.pointer_mut(member).unwrap() = json!(value);
        let denied = world.evaluate(&question).await;
        assert_eq!(denied["decision"], false);
        assert_eq!(denied["context"].get("access_request"), None, "{member} {value}: {denied}");
    }
    // Both kinds of elements are a way to ask.
    world.denied(reading("pizza-palace")).await;
    world.denied(ordering("pizza-palace_truffle-pizza")).await;
}

#[tokio::test]
async fn c007_nobody_asks_where_nobody_could_decide() {
    let world = World::start().await;
    for user in ["joe", "jane"] {
        let gone = json!({"user": user, "role": "parent", "resource_instance": "restaurants:sushi-spot", "tenant": "default"});
        world.pep().delete("/v2/facts/default/dev/role_assignments", gone).await;
    }
    let denied = world.evaluate(&reading("sushi-spot")).await;
    assert_eq!(denied["context"].get("access_request"), None, "{denied}");
}

#[tokio::test]
async fn c008_a_denial_says_until_when_it_can_be_asked_about() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let ends = denied.context["access_request"]["expires_at"].as_str().unwrap();
    let now = world.scope().await.op().now.to_string();
    assert!(ends.ends_with('Z') && ends > now.as_str(), "{ends} is not after {now}");
}

#[tokio::test]
async fn c009_a_denial_has_a_token_and_an_id() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    assert!(denied.context["access_request"]["binding_token"].is_string());
    assert!(denied.context["evaluation_id"].is_string());
}

#[tokio::test]
async fn c010_a_token_with_one_other_character_is_refused() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let token = denied.context["access_request"]["binding_token"].as_str().unwrap();
    let parts: Vec<usize> = token.match_indices('.').map(|(at, _)| at).collect();
    for at in [5, parts[0] + 9, parts[0] + 200, parts[1] + 3, parts[1] + 40] {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let flipped = String::from_utf8(bytes).unwrap();
        let answer = world.submit(&denied.but(|all| all["denial"]["binding_token"] = json!(flipped))).await;
        assert_error(&answer, 400, "invalid_denial_binding");
    }
    world.submitted(&denied.submission()).await;
}

#[tokio::test]
async fn c011_the_token_is_a_jws_in_the_compact_form() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let token = denied.context["access_request"]["binding_token"].as_str().unwrap();
    let parts: Vec<Vec<u8>> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    assert_eq!(parts.len(), 3);
    let [header, claims] = [&parts[0], &parts[1]].map(|part| serde_json::from_slice::<Value>(part).unwrap());
    assert_eq!((&header["alg"], header["kid"].is_string()), (&json!("EdDSA"), true), "{header}");
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(super::BASE), &json!(super::BASE)), "{claims}");
    assert_eq!(claims["binding_context_members"], json!(["ip", "device"]), "no `time`: {claims}");
    assert_eq!(parts[2].len(), 64);
}

#[tokio::test]
async fn c012_the_reason_is_a_word_for_machines() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    assert_eq!(denied.context["reason"], "no_role");
    let told = denied.context["explanation"].as_str().unwrap();
    assert!(told.contains("henry could ask for"), "{told}");
}

#[tokio::test]
async fn c013_each_evaluation_has_an_id_of_its_own() {
    let world = World::start().await;
    let mut ids = BTreeSet::new();
    for _ in 0..5 {
        let denied = world.denied(reading("pizza-palace")).await;
        // The token says the same id, which is how it stays the same wherever it is read.
        let token = denied.context["access_request"]["binding_token"].as_str().unwrap();
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["evaluation_id"], denied.context["evaluation_id"]);
        ids.insert(denied.context["evaluation_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn c014_an_id_counts_no_longer_than_the_denial() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    world.server.clock.advance(ASKABLE);
    assert_error(&world.submit(&denied.by_id()).await, 410, "expired_denial");
}

#[tokio::test]
async fn c015_where_there_are_catalogs_there_is_a_schema() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let offer = &denied.context["access_request"];
    let catalogs = world.pep().get(&path(&offer["request_catalogs_url"])).await;
    let field = &catalogs["fields"]["/requested_access/role"];
    let found = world.pep().get(&format!("{}?q=child", path(&field["endpoint"]))).await;
    assert_eq!(found["items"][0]["value"], "child-can-order", "{found}");
    assert_eq!(found["items"][0]["label"], "Child can order");
    let none = world.pep().get(&format!("{}?q=emperor", path(&field["endpoint"]))).await;
    assert_eq!((&none["items"], &none["total"]), (&json!([]), &json!(0)));
    assert!(offer["request_schema_url"].is_string());
}

#[tokio::test]
async fn c016_the_schema_says_what_a_submission_adds() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let schema = world.pep().get(&path(&denied.context["access_request"]["request_schema_url"])).await;
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["properties"]["context"]["required"], json!(["justification"]));
    assert_eq!(
        schema["properties"]["requested_access"]["properties"]["role"]["enum"],
        json!(["child-can-order"])
    );
    let forms = "/access/v1/request-forms/nothing/schema";
    assert_eq!(world.pep().send("GET", forms, None).await.status, 404);
}

#[tokio::test]
async fn c017_our_client_takes_no_denial_for_a_permit() {
    let world = World::start().await;
    let pep = Pep::new(&world);
    assert!(!pep.may(&reading("pizza-palace")).await);
    let mut allowed = reading("pizza-palace");
    allowed["subject"]["id"] = json!("joe");
    assert!(pep.may(&allowed).await);
    // Whatever an answer holds besides, only `decision: true` is a permit.
    for answer in [
        json!({"decision": false, "context": {"access_request": {}, "approval": {"id": "ap_x"}}}),
        json!({"decision": "true"}),
        json!({"decision": 1}),
        json!({}),
        json!([true]),
        Value::Null,
    ] {
        assert!(!Pep::is_permit(&answer), "{answer}");
    }
}
