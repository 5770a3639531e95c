//! What a submission has to be.

use super::{ASKABLE, REQUESTS, World, assert_error, ordering, reading};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// A changed submission must be refused, by the token and by the id.
async fn refuses(change: impl Fn(&mut Value)) {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    for mut submission in [denied.submission(), denied.by_token(), denied.by_id()] {
        change(&mut submission);
        assert_error(&world.submit(&submission).await, 400, "invalid_denial_binding");
    }
    assert!(world.inbox("joe").await.is_empty(), "nobody is asked");
    world.submitted(&denied.submission()).await;
}

/// A changed submission must be taken, by the token and by the id.
async fn takes(change: impl Fn(&mut Value)) {
    let world = World::start().await;
    for restaurant in ["pizza-palace", "burger-barn"] {
        let denied = world.denied(reading(restaurant)).await;
        let mut submission = if restaurant == "burger-barn" { denied.by_id() } else { denied.submission() };
        change(&mut submission);
        world.submitted(&submission).await;
    }
}

#[tokio::test]
async fn c018_nobody_submits_without_a_credential() {
    let world = World::start().await;
    let submission = world.denied(reading("pizza-palace")).await.submission();
    for key in [None, Some("not-a-key")] {
        let answer = world.server.client(key).send("POST", REQUESTS, Some(&submission)).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn c019_nobody_submits_for_an_environment_that_their_key_does_not_open() {
    let world = World::start().await;
    let submission = world.denied(reading("pizza-palace")).await.submission();
    let elsewhere = world.server.holder("environment default/production");
    let answer = elsewhere.send("POST", REQUESTS, Some(&submission)).await;
    assert_error(&answer, 400, "invalid_denial_binding");
    let agent = world.pep().post("/api/v1/keys", json!({"as_user": "henry"})).await["secret"].clone();
    let answer = world.server.client(agent.as_str()).send("POST", REQUESTS, Some(&submission)).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}

#[tokio::test]
async fn c020_what_was_denied_can_be_asked_for() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let answer = world.submit(&denied.submission()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.body["task"]["status"], "pending");
    assert!(answer.body.get("result").is_none());
    assert_eq!(world.inbox("joe").await.len(), 1);
}

#[tokio::test]
async fn c020_each_of_the_two_proofs_is_enough() {
    takes(|_| {}).await;
    let world = World::start().await;
    let denied = world.denied(ordering("pizza-palace_truffle-pizza")).await;
    world.submitted(&denied.by_token()).await;
}

#[tokio::test]
async fn c021_a_submission_without_a_denial_is_refused() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let answer = world.submit(&denied.but(|all| drop(all.as_object_mut().unwrap().remove("denial")))).await;
    assert_error(&answer, 400, "invalid_denial_binding");
}

#[tokio::test]
async fn c022_a_denial_with_neither_token_nor_id_is_refused() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let answer = world
        .submit(&denied.but(|all| {
            all["denial"] = json!({"expires_at": all["denial"]["expires_at"], "reason": "no_role"});
        }))
        .await;
    assert_error(&answer, 400, "invalid_denial_binding");
}

#[tokio::test]
async fn c023_changed_subject_id_is_refused() {
    refuses(|all| all["subject"]["id"] = json!("rose")).await;
}

#[tokio::test]
async fn c024_changed_subject_properties_are_refused() {
    refuses(|all| all["subject"]["properties"]["age"] = json!(18)).await;
    refuses(|all| drop(all["subject"].as_object_mut().unwrap().remove("properties"))).await;
}

#[tokio::test]
async fn c025_changed_resource_id_is_refused() {
    refuses(|all| all["resource"]["id"] = json!("burger-barn")).await;
}

#[tokio::test]
async fn c026_changed_resource_properties_are_refused() {
    refuses(|all| all["resource"]["properties"]["stars"] = json!(4)).await;
}

#[tokio::test]
async fn c027_changed_action_name_is_refused() {
    refuses(|all| all["action"]["name"] = json!("operate")).await;
}

#[tokio::test]
async fn c028_changed_action_properties_are_refused() {
    refuses(|all| all["action"]["properties"]["page"] = json!(2)).await;
}

#[tokio::test]
async fn c029_changed_or_removed_context_is_refused() {
    refuses(|all| all["context"]["ip"] = json!("203.0.113.10")).await;
    refuses(|all| all["context"]["device"]["trusted"] = json!(false)).await;
    refuses(|all| drop(all["context"].as_object_mut().unwrap().remove("ip"))).await;
}

#[tokio::test]
async fn c030_another_time_is_taken() {
    takes(|all| all["context"]["time"] = json!("2026-09-21T10:05:00Z")).await;
}

#[tokio::test]
async fn c031_an_added_justification_is_taken_and_read_by_the_reviewer() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let submission = denied.but(|all| {
        all["context"]["justification"] = json!("It is my birthday.");
        all["context"]["ticket"] = json!("T-1");
    });
    world.submitted(&submission).await;
    let request = &world.inbox("joe").await[0];
    let view = world.acting("joe").await.request(request).await.unwrap();
    assert_eq!(view.request.reason, "It is my birthday.");
}

#[tokio::test]
async fn c032_absent_is_not_null() {
    refuses(|all| all["subject"]["properties"]["unit"] = Value::Null).await;
}

#[tokio::test]
async fn c033_one_is_one_however_it_is_written() {
    takes(|all| all["resource"]["properties"]["stars"] = json!(3.0)).await;
}

#[tokio::test]
async fn c034_members_have_no_order_and_lists_have_one() {
    takes(|all| all["context"]["device"] = json!({"trusted": true, "os": "linux"})).await;
    refuses(|all| all["resource"]["properties"]["tags"] = json!(["b", "a"])).await;
}

#[tokio::test]
async fn c035_who_acts_may_be_said_at_the_client_instead() {
    let world = World::start().await;
    let mut question = reading("pizza-palace");
    question["subject"]["properties"]["act"] =
        json!({"sub": "kitchen-agent", "iss": "https://agents.example"});
    let denied = world.denied(question).await;
    let submission = denied.but(|all| {
        all["subject"]["properties"].as_object_mut().unwrap().remove("act");
        all["client"] = json!({"id": "pep", "actor": {
            "id": "kitchen-agent", "issuer": "https://agents.example", "type": "ai_agent",
        }});
    });
    world.submitted(&submission).await;
}

#[tokio::test]
async fn c036_an_old_denial_is_refused() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    world.server.clock.advance(ASKABLE);
    for submission in [denied.submission(), denied.by_token(), denied.by_id()] {
        assert_error(&world.submit(&submission).await, 410, "expired_denial");
    }
}

#[tokio::test]
async fn c037_another_end_than_the_denials_is_refused() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let later = denied.but(|all| all["denial"]["expires_at"] = json!("2099-01-01T00:00:00Z"));
    assert_error(&world.submit(&later).await, 400, "invalid_denial_binding");
    world.server.clock.advance(ASKABLE);
    assert_error(&world.submit(&later).await, 400, "invalid_denial_binding");
}

#[tokio::test]
async fn c038_by_the_id_the_recorded_end_counts() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let mut later = denied.by_id();
    later["denial"]["expires_at"] = json!("2099-01-01T00:00:00Z");
    world.server.clock.advance(ASKABLE);
    assert_error(&world.submit(&later).await, 410, "expired_denial");
}

/// The claims of a token, with another header, signed by somebody else.
fn forged(token: &Value, header: &Header, key: &EncodingKey) -> String {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    encode(header, &claims, key).unwrap()
}

#[tokio::test]
async fn c039_a_token_for_somebody_else_is_refused() {
    // Another server with the same environment's denial: its tokens name another audience, and are signed by another key.
    let (world, other) = (World::start().await, World::start().await);
    let denied = world.denied(reading("pizza-palace")).await;
    let foreign = other.denied(reading("pizza-palace")).await;
    let submission = denied.but(|all| all["denial"] = foreign.denial());
    assert_error(&world.submit(&submission).await, 400, "invalid_denial_binding");
    // An approval's token is ours and is for something else.
    let approval = world.approved(reading("sushi-spot")).await;
    let submission = denied.but(|all| all["denial"]["binding_token"] = approval["state"].clone());
    assert_error(&world.submit(&submission).await, 400, "invalid_denial_binding");
}

#[tokio::test]
async fn c039_a_token_of_our_own_key_for_another_audience_is_refused() {
    // The same installation, which has moved: it still knows the key, and is not who the token is for.
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let moved = world.moved_to("https://elsewhere.example").await;
    assert_error(&moved.submit(&denied.by_token()).await, 400, "invalid_denial_binding");
}

#[tokio::test]
async fn c040_a_token_of_another_key_or_algorithm_is_refused() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let token = &denied.context["access_request"]["binding_token"];
    let keys = world.server.client(None).get("/.well-known/jwks.json").await;
    let header = |algorithm| Header {
        kid: keys["keys"][0]["kid"].as_str().map(str::to_owned),
        typ: Some("access-request-binding+jwt".to_owned()),
        ..Header::new(algorithm)
    };
    let stranger = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let public = URL_SAFE_NO_PAD.decode(keys["keys"][0]["x"].as_str().unwrap()).unwrap();
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    let none =
        URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "access-request-binding+jwt"}).to_string());
    for forged in [
        forged(token, &header(Algorithm::EdDSA), &EncodingKey::from_ed_der(&stranger.serialize_der())),
        forged(
            token,
            &Header { kid: Some("stranger".to_owned()), ..header(Algorithm::EdDSA) },
            &EncodingKey::from_ed_der(&stranger.serialize_der()),
        ),
        forged(token, &header(Algorithm::HS256), &EncodingKey::from_secret(&public)),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{none}"),
        "not a token".to_owned(),
    ] {
        let answer = world.submit(&denied.but(|all| all["denial"]["binding_token"] = json!(forged))).await;
        assert_error(&answer, 400, "invalid_denial_binding");
    }
}

#[tokio::test]
async fn c041_a_token_is_submitted_once() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let first = world.submit_under("one", &denied.submission()).await;
    assert_eq!(first.status, 202);
    assert_error(&world.submit(&denied.submission()).await, 400, "invalid_denial_binding");
    assert_error(&world.submit_under("two", &denied.submission()).await, 400, "invalid_denial_binding");
    let again = world.submit_under("one", &denied.submission()).await;
    assert_eq!((again.status, &again.body["task"]["id"]), (202, &first.body["task"]["id"]));
    // Also after the end.
    world.decide_all("joe", false).await;
    assert_error(&world.submit(&denied.submission()).await, 400, "invalid_denial_binding");
}

#[tokio::test]
async fn c042_an_id_that_nobody_gave_is_refused() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let own = denied.context["evaluation_id"].as_str().unwrap();
    let stretched = own.replacen("ev_1", "ev_2", 1);
    for id in ["ev_", "ev_1.2.3.4", "evaluation-7", "", stretched.as_str()] {
        let mut submission = denied.by_id();
        submission["denial"]["evaluation_id"] = json!(id);
        assert_error(&world.submit(&submission).await, 400, "invalid_denial_binding");
    }
}

#[tokio::test]
async fn c043_what_is_allowed_or_can_not_be_asked_for_is_not_requestable() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let role = json!({"user": "henry", "role": "child-can-order", "resource_instance": "restaurants:pizza-palace", "tenant": "default"});
    world.pep().post("/v2/facts/default/dev/role_assignments", role).await;
    assert_error(&world.submit(&denied.submission()).await, 400, "not_requestable");

    let denied = world.denied(reading("sushi-spot")).await;
    world.pep().delete("/v2/elements/default/dev/config/restaurant-requests", Value::Null).await;
    assert_error(&world.submit(&denied.submission()).await, 400, "not_requestable");
}

#[tokio::test]
async fn c044_a_bundle_has_no_resource_beside_its_items() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let submission = denied.but(|all| {
        all["items"] = json!([{"resource": all["resource"], "action": all["action"]}]);
    });
    let answer = world.submit(&submission).await;
    assert_eq!((answer.status, &answer.body["type"]), (400, &json!("about:blank")), "{answer:?}");
}

#[tokio::test]
async fn c045_members_that_are_not_known_are_ignored() {
    takes(|all| {
        all["x-more"] = json!({"a": 1});
        all["subject"]["x-more"] = json!(1);
        all["resource"]["x-more"] = json!(1);
        all["denial"]["x-more"] = json!(1);
        all["requested_access"] = json!({"x-more": 1, "emergency": false});
        all["client"] = json!({"id": "pep", "x-more": 1, "source": {"session_id": "s"}});
    })
    .await;
}

#[tokio::test]
async fn c046_an_actor_that_the_credential_does_not_cover_is_refused() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let answer = world.submit(&denied.but(|all| all["client"] = json!({"actor": {"id": "joe"}}))).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    let mut question = reading("pizza-palace");
    question["subject"]["properties"]["act"] = json!({"sub": "agent", "act": {"sub": "cook"}});
    let denied = world.denied(question).await;
    for actor in [
        json!({"id": "other"}),
        json!({"id": "agent"}),
        json!({"id": "agent", "act": {"sub": "boss"}}),
        json!({"id": "agent", "issuer": "https://else.example", "act": {"sub": "cook"}}),
    ] {
        let answer = world.submit(&denied.but(|all| all["client"] = json!({"actor": actor}))).await;
        assert_eq!(answer.status, 403, "{actor}: {answer:?}");
    }
    assert!(world.inbox("joe").await.is_empty());
}

#[tokio::test]
async fn c047_what_the_schema_requires_has_to_be_there() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    for reason in [Value::Null, json!("  "), json!(7)] {
        let answer = world.submit(&denied.but(|all| all["context"]["justification"] = reason)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body["detail"].as_str().unwrap().contains("justification"));
    }
}

#[tokio::test]
async fn what_is_wanted_besides_is_held_against_the_element() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let other = denied.but(|all| all["requested_access"] = json!({"role": "parent"}));
    assert_error(&world.submit(&other).await, 400, "not_requestable");
    let long = denied.but(|all| all["requested_access"] = json!({"requested_until": "2099-01-01T00:00:00Z"}));
    assert_eq!(world.submit(&long).await.status, 400);
}

#[tokio::test]
async fn a_refused_submission_uses_no_denial_up_and_opens_nothing() {
    let world = World::start().await;
    world.terms("restaurant-requests", json!({"ask_again_after": "5m"})).await;
    world.asked(reading("pizza-palace")).await;
    world.decide_all("joe", false).await;
    let denied = world.denied(reading("pizza-palace")).await;
    let answer = world.submit(&denied.submission()).await;
    assert_eq!(answer.status, 409, "it was denied a moment ago: {answer:?}");
    // Of a bundle nothing is opened, when one of it is refused.
    let other = world.denied(reading("burger-barn")).await;
    let mut bundle = denied.submission();
    let item = |denied: &super::Denied| {
        let question = &denied.question;
        json!({"resource": question["resource"], "action": question["action"], "denial": denied.denial()})
    };
    bundle["items"] = json!([item(&other), item(&denied)]);
    for member in ["resource", "action", "denial"] {
        bundle.as_object_mut().unwrap().remove(member);
    }
    assert_eq!(world.submit(&bundle).await.status, 409);
    assert!(world.inbox("joe").await.is_empty());
    // Once it may be asked for again, the same denials are good.
    world.terms("restaurant-requests", json!({})).await;
    assert_eq!(world.submit(&denied.submission()).await.status, 202);
    assert_eq!(world.submit(&other.submission()).await.status, 202);
}
