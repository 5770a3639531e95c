//! Threads of a process that was killed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

mod support;

use askfirst_agent::chat::{ChatSetup, ReviewPolicy, chat_graph};
use askfirst_agent::checkpoint::SqliteSaver;
use askfirst_agent::graph::{CompileOptions, Graph, Input, RunConfig, ThreadStatus};
use askfirst_agent::messages::{Message, MessagesState};
use askfirst_agent::model::ScriptedModel;
use askfirst_agent::tools::{FunctionTools, ToolOutcome, ToolSpec};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs the fixture until it says `line`, and kills it without warning.
fn kill_at(line: &str, mode: &str, db: &Path) {
    let mut child =
        Command::new(support::fixture()).arg(mode).arg(db).stdout(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).find(|l| l == line);
    assert_eq!(said.as_deref(), Some(line));
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn reopen(db: &Path, review: ReviewPolicy, orders: &Arc<AtomicUsize>) -> Graph<MessagesState> {
    let spec =
        ToolSpec { name: "order".to_owned(), description: None, input_schema: json!({"type": "object"}) };
    let orders = orders.clone();
    let tools = FunctionTools::new().with(spec, move |_| {
        orders.fetch_add(1, Ordering::SeqCst);
        async { Ok(ToolOutcome::success("on its way")) }
    });
    let model = ScriptedModel::new().call("order", json!({"dish": "Lobster"})).step(|messages| {
        let Some(Message::Tool(result)) = messages.last() else { panic!("no result") };
        askfirst_agent::messages::AssistantMessage::text(result.content.clone())
    });
    let options = CompileOptions::with_checkpointer(Arc::new(SqliteSaver::open(db).await.unwrap()));
    chat_graph(ChatSetup::new(Arc::new(model), Arc::new(tools), review)).compile(options).unwrap()
}

fn last_words(state: &MessagesState) -> String {
    state.last_assistant().unwrap().joined_text()
}

#[tokio::test]
async fn killed_while_it_waits_for_a_human() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("chat.db");
    kill_at("asked", "ask", &db);
    let orders = Arc::default();
    let graph = reopen(&db, ReviewPolicy::these(["order"]), &orders).await;
    let ThreadStatus::Interrupted(open) = graph.status(&"t".into()).await.unwrap() else { panic!() };
    assert_eq!(open[0].payload["tool_call"]["args"], json!({"dish": "Lobster"}));
    let answer = Input::answer(&open[0], json!({"action": "yes"}));
    let outcome = graph.invoke(&RunConfig::thread("t"), answer).await.unwrap();
    assert_eq!(last_words(outcome.state()), "on its way");
    assert_eq!(orders.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn killed_in_the_middle_of_a_call() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("chat.db");
    kill_at("ordering", "order", &db);
    let orders = Arc::default();
    let graph = reopen(&db, ReviewPolicy::nothing(), &orders).await;
    let next = vec!["run_tool".to_owned()];
    assert_eq!(graph.status(&"t".into()).await.unwrap(), ThreadStatus::Unfinished { next });
    let outcome = graph.invoke(&RunConfig::thread("t"), Input::Continue).await.unwrap();
    let words = last_words(outcome.state());
    assert!(words.starts_with("nobody knows whether the tool did its work"), "{words}");
    assert_eq!(orders.load(Ordering::SeqCst), 0, "the killed process may have ordered; this one must not");
}
