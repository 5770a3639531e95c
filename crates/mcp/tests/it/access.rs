//! Who is let in, and as whom.

use crate::support::{Family, call, legacy, modern, object, refusal, wish};
use reqwest::StatusCode;
use rmcp::service::ClientInitializeError;
use serde_json::{Value, json};

type Headers<'a> = Vec<(&'static str, &'a str)>;

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn post(http: &reqwest::Client, url: &str) -> reqwest::RequestBuilder {
    http.post(url)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
}

#[tokio::test]
async fn nobody_comes_in_without_a_key() {
    let family = Family::at_home().await;
    let http = http();
    let session = family.scope().await.element_login(&"henry".into(), &"default".into()).await.unwrap();
    let cases = [
        (None, StatusCode::UNAUTHORIZED, r#"Bearer realm="askfirst""#),
        (Some("Basic am9lOmpvZQ==".to_owned()), StatusCode::UNAUTHORIZED, r#"Bearer realm="askfirst""#),
        (Some("Bearer".to_owned()), StatusCode::UNAUTHORIZED, r#"Bearer realm="askfirst""#),
        (
            Some("Bearer askfirst_key_of_nobody".to_owned()),
            StatusCode::UNAUTHORIZED,
            r#"Bearer realm="askfirst", error="invalid_token""#,
        ),
        (
            Some(format!("Bearer {}", session.opened.token.reveal())),
            StatusCode::FORBIDDEN,
            r#"Bearer realm="askfirst", error="insufficient_scope""#,
        ),
    ];
    for (credential, status, challenge) in cases {
        let mut request = post(&http, &family.mcp_url());
        if let Some(credential) = &credential {
            request = request.header("authorization", credential);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{credential:?}");
        assert_eq!(response.headers()["www-authenticate"], challenge, "{credential:?}");
        let body: Value = response.json().await.unwrap();
        assert!(body["error"]["message"].as_str().unwrap().ends_with('.'), "{body}");
    }
    let let_in = post(&http, &family.mcp_url()).header("authorization", format!("bEaReR {}", family.env_key));
    let let_in = let_in.header("x-askfirst-as", "henry").send().await.unwrap();
    assert_eq!(let_in.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_revoked_key_opens_nothing() {
    let family = Family::at_home().await;
    let key = family.agent_key("henry").await;
    let client = family.client(&key, &[]).await;
    object(call(&client, "list_access_requests", json!({})).await);
    let op = family
        .engine
        .authenticate(&askfirst_engine::Secret::presented(family.org_key.clone()))
        .await
        .unwrap();
    let org = family.engine.open(op).unwrap();
    let made = org.list_keys().into_iter().next_back().unwrap();
    org.revoke_key(&made.id.uuid().into()).await.unwrap();
    let refused = client.list_tools(None).await.unwrap_err();
    assert!(refused.is_authorization_required(), "{refused:?}");
}

#[tokio::test]
async fn other_hosts_and_origins_are_refused() {
    let family = Family::at_home().await;
    let http = http();
    let send = |name: &'static str, value: &'static str| {
        let request = post(&http, &family.mcp_url()).header(name, value);
        request
            .header("authorization", format!("Bearer {}", family.env_key))
            .header("x-askfirst-as", "henry")
            .send()
    };
    assert_eq!(send("host", "evil.example").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(send("origin", "http://evil.example").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(send("origin", "null").await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(send("origin", "http://localhost:5173").await.unwrap().status(), StatusCode::OK);
    assert_eq!(send("host", "localhost:1234").await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_key_says_for_whom_or_is_told() {
    let family = Family::at_home().await;
    let agent = family.agent_key("henry").await;
    let env = family.env_key.clone();
    let org = family.org_key.clone();
    let place: [(&'static str, &str); 2] = [("x-askfirst-project", "default"), ("x-askfirst-env", "dev")];
    let refused: Vec<(&str, Headers<'_>, &str)> = vec![
        (&env, vec![], "does not say for whom"),
        (&env, vec![("x-askfirst-as", "nobody")], "no user `nobody`"),
        (&env, vec![("x-askfirst-as", "henry"), ("x-askfirst-trust-user-id", "true")], "not both"),
        (&env, vec![("x-askfirst-as", "henry"), place[0]], "together or not at all"),
        (
            &env,
            vec![("x-askfirst-as", "henry"), place[0], ("x-askfirst-env", "production")],
            "no environment",
        ),
        (&org, vec![("x-askfirst-as", "henry")], "more than one environment"),
        (&agent, vec![("x-askfirst-as", "joe")], "acts for henry, not for joe"),
        (&agent, vec![("x-askfirst-trust-user-id", "true")], "bound to one user"),
        (&agent, vec![place[0], ("x-askfirst-env", "production")], "does not open that project"),
    ];
    for (key, headers, sentence) in refused {
        for lifecycle in [modern(), legacy()] {
            let error = family.connect(&family.mcp_url(), key, &headers, lifecycle).await.unwrap_err();
            let ClientInitializeError::JsonRpcError(error) = error else { panic!("{error:?}") };
            assert!(error.message.contains(sentence), "{headers:?}: {}", error.message);
        }
    }
    let accepted: Vec<(&str, Headers<'_>)> = vec![
        (&env, vec![("x-askfirst-as", "henry")]),
        (&org, vec![("x-askfirst-as", "henry"), place[0], place[1]]),
        (&agent, vec![]),
        (&agent, vec![("x-askfirst-as", "henry"), place[0], place[1]]),
    ];
    for (key, headers) in accepted {
        let client = family.client(key, &headers).await;
        let mine = object(call(&client, "create_access_request", wish()).await);
        assert_eq!(mine["requesting_user"]["key"], "henry", "{headers:?}");
    }
}

#[tokio::test]
async fn each_call_is_made_for_its_own_credential() {
    let family = Family::at_home().await;
    let (henry, rose) = (family.agent_key("henry").await, family.agent_key("rose").await);
    let http = http();
    // One connection, and even a session id that another client might have guessed.
    for (key, user) in [(&henry, "henry"), (&rose, "rose"), (&henry, "henry")] {
        let answer = http
            .post(family.mcp_url())
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .header("mcp-session-id", "b6b4e6a2-0f5b-4c0e-a8f8-3d4b5c6d7e8f")
            .bearer_auth(key)
            .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                "params": {"name": "create_access_request", "arguments": wish()}}))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let data = answer.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        let message: Value = serde_json::from_str(data).unwrap();
        assert_eq!(message["result"]["structuredContent"]["requesting_user"]["key"], user, "{message}");
    }
}

#[tokio::test]
async fn a_user_who_was_deleted_has_no_agent() {
    let family = Family::at_home().await;
    let key = family.agent_key("rose").await;
    let client = family.client(&key, &[]).await;
    family.scope().await.delete_user(&"rose".into()).await.unwrap();
    let sentence = refusal(&call(&client, "list_access_requests", json!({})).await);
    assert!(sentence.contains("does not exist any more"), "{sentence}");
}
