//! What a provider wants back unchanged comes back unchanged, also after a human was asked and the
//! process has changed in between.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use askfirst_agent::chat::{ChatSetup, ReviewPolicy, chat_graph};
use askfirst_agent::checkpoint::SqliteSaver;
use askfirst_agent::graph::{CompileOptions, Graph, Input, RunConfig};
use askfirst_agent::messages::{Message, MessagesState, MessagesUpdate};
use askfirst_agent::model::{ChatModel, GenaiModel, ModelError, ModelKeys};
use askfirst_agent::tools::{FunctionTools, ToolOutcome, ToolSpec};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Json, Router, routing};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};

type Requests = Arc<Mutex<Vec<(Option<String>, Value)>>>;

/// First two parallel calls, with the signature on the first only, as Gemini does it; then text.
async fn generate(
    State(requests): State<Requests>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let key = headers.get("x-goog-api-key").and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let mut requests = requests.lock().unwrap();
    requests.push((key, body));
    let parts = match requests.len() {
        1 => json!([
            {"functionCall": {"name": "order", "args": {"dish": "Lobster"}}, "thoughtSignature": "c2lnbmVk"},
            {"functionCall": {"name": "order", "args": {"dish": "Soup"}}},
        ]),
        2 => json!([{"text": "Both ordered."}]),
        _ => return (StatusCode::TOO_MANY_REQUESTS, Json(json!({"error": {"message": "quota"}}))),
    };
    let answer =
        json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]});
    (StatusCode::OK, Json(answer))
}

async fn serve(requests: Requests) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let app = Router::new().route("/v1beta/models/{call}", routing::post(generate)).with_state(requests);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1beta/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn model(url: &str) -> GenaiModel {
    let keys = ModelKeys::new().with("GOOGLE_API_KEY", "google-key");
    GenaiModel::at("gemini-3-flash-preview", &keys, Some(url.to_owned())).unwrap()
}

async fn open(db: &Path, url: &str) -> Graph<MessagesState> {
    let schema = json!({"type": "object", "properties": {"dish": {"type": "string"}}, "required": ["dish"]});
    let spec =
        ToolSpec { name: "order".to_owned(), description: Some("Orders".to_owned()), input_schema: schema };
    let tools = FunctionTools::new().with(spec, |_| async { Ok(ToolOutcome::success("done")) });
    let setup = ChatSetup::new(Arc::new(model(url)), Arc::new(tools), ReviewPolicy::these(["order"]));
    let options = CompileOptions::with_checkpointer(Arc::new(SqliteSaver::open(db).await.unwrap()));
    chat_graph(setup.with_system("Be brief.")).compile(options).unwrap()
}

#[tokio::test]
async fn thought_signatures_survive_an_interrupt_and_a_restart() {
    let requests = Requests::default();
    let url = serve(requests.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("chat.db");
    let thread = RunConfig::thread("t");
    let hungry = MessagesUpdate::put([Message::user("I am hungry")]);
    let outcome = open(&db, &url).await.invoke(&thread, Input::New(hungry)).await.unwrap();
    let question = outcome.interrupts()[0].clone();
    let answer = outcome.state().last_assistant().unwrap();
    let extras: Vec<Value> = answer.tool_calls().map(|call| Value::Object(call.extras.clone())).collect();
    assert_eq!(extras, [json!({"thought_signatures": ["c2lnbmVk"]}), json!({})]);
    let outcome =
        open(&db, &url).await.invoke(&thread, Input::answer(&question, json!("yes"))).await.unwrap();
    assert_eq!(outcome.state().last_assistant().unwrap().joined_text(), "Both ordered.");
    let requests = requests.lock().unwrap();
    assert_eq!(requests[0].0.as_deref(), Some("google-key"));
    assert_eq!(requests[0].1["tools"][0]["functionDeclarations"][0]["name"], "order");
    assert!(requests[0].1["systemInstruction"].to_string().contains("Be brief."));
    let contents = &requests[1].1["contents"];
    let calls = &contents[1]["parts"];
    assert_eq!(calls[0]["functionCall"]["args"], json!({"dish": "Lobster"}));
    assert_eq!(calls[0]["thoughtSignature"], "c2lnbmVk", "on the part that it came with");
    assert_eq!(calls[1]["functionCall"]["args"], json!({"dish": "Soup"}));
    assert_eq!(calls[1].get("thoughtSignature"), None);
    let results = contents[2]["parts"].as_array().unwrap();
    assert_eq!(results.len(), 2, "the results of both calls are in one turn");
    assert_eq!(results[0]["functionResponse"]["name"], "order");
}

#[tokio::test]
async fn a_refusal_is_a_short_error_without_the_key() {
    let requests: Requests = Arc::new(Mutex::new(vec![(None, json!(0)), (None, json!(0))]));
    let url = serve(requests).await;
    let error = model(&url).complete(&[Message::user("hello")], &[]).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ModelError::Provider { .. }), "{text}");
    assert!(text.contains("429") && !text.contains("google-key") && text.len() < 800, "{text}");
}

#[test]
fn a_missing_key_is_named() {
    let error = GenaiModel::new("gemini-2.0-flash", &ModelKeys::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "model `gemini-2.0-flash` needs a key; set GEMINI_API_KEY or GOOGLE_API_KEY"
    );
    let _ = rustls::crypto::ring::default_provider().install_default();
    GenaiModel::new("llama3.2", &ModelKeys::new()).unwrap();
}
