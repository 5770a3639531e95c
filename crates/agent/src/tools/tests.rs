//! The tool node, with tools of this process.

use super::*;
use crate::checkpoint::MemorySaver;
use crate::graph::{CompileOptions, Graph, Input, RunConfig, START, StateGraph};
use crate::messages::{AssistantMessage, Message, MessagesState, MessagesUpdate, ToolCall};
use futures::StreamExt;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Barrier, Notify};

fn spec(name: &str, schema: Value) -> ToolSpec {
    ToolSpec { name: name.to_owned(), description: None, input_schema: schema }
}

fn any() -> Value {
    json!({"type": "object"})
}

fn graph(tools: FunctionTools) -> Graph<MessagesState> {
    StateGraph::new()
        .add_node("run_tool", ToolNode::new(Arc::new(tools)))
        .add_edge(START, "run_tool")
        .compile(CompileOptions::with_checkpointer(Arc::new(MemorySaver::new())))
        .unwrap()
}

fn calls(calls: impl IntoIterator<Item = ToolCall>) -> Input<MessagesUpdate> {
    Input::New(MessagesUpdate::put([Message::Assistant(AssistantMessage::calls(calls))]))
}

fn thread() -> RunConfig {
    RunConfig::thread("t")
}

fn answers(state: &MessagesState) -> Vec<(String, ToolStatus, String)> {
    let result = |message: &Message| match message {
        Message::Tool(result) => Some((result.tool_call_id.clone(), result.status, result.content.clone())),
        _ => None,
    };
    state.messages.iter().filter_map(result).collect()
}

async fn run(
    tools: FunctionTools,
    wanted: impl IntoIterator<Item = ToolCall>,
) -> Vec<(String, ToolStatus, String)> {
    answers(graph(tools).invoke(&thread(), calls(wanted)).await.unwrap().state())
}

#[tokio::test]
async fn mistakes_of_the_model_become_messages() {
    let schema = json!({
        "type": "object",
        "properties": {"dish": {"type": "string"}, "note": {}},
        "required": ["dish"],
        "additionalProperties": false
    });
    let never = |_| async { panic!("a call with a mistake must not run") };
    let tools = FunctionTools::new().with(spec("order", schema), never).with(spec("list", any()), never);
    let results = run(
        tools,
        [
            ToolCall::new("1", "oder", json!({})),
            ToolCall::new("2", "order", json!("Lobster")),
            ToolCall::new("3", "order", json!({"note": "x"})),
            ToolCall::new("4", "order", json!({"dish": "x", "price": 0})),
        ],
    )
    .await;
    let texts: Vec<&str> = results.iter().map(|(_, _, text)| text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "there is no tool named `oder`; the tools are: order, list",
            "the arguments do not fit the tool, nothing was done: they have to be a JSON object",
            "the arguments do not fit the tool, nothing was done: `dish` is missing; the tool takes: dish, note",
            "the arguments do not fit the tool, nothing was done: `price` is not an argument; the tool takes: dish, note",
        ]
    );
    assert!(results.iter().all(|(_, status, _)| *status == ToolStatus::Error));
}

#[tokio::test]
async fn calls_run_together_and_are_answered_in_order_even_with_one_id() {
    let meet = Arc::new(Barrier::new(3));
    let tools = FunctionTools::new().with(spec("echo", any()), move |args| {
        let meet = meet.clone();
        async move {
            meet.wait().await;
            Ok(if args["n"] == 2 {
                ToolOutcome::error("no")
            } else {
                ToolOutcome::success(args["n"].to_string())
            })
        }
    });
    // Two calls share an id, as some models write them.
    let wanted = [("a", 1), ("b", 2), ("a", 3)].map(|(id, n)| ToolCall::new(id, "echo", json!({"n": n})));
    let own = |id: &str, status, text: &str| (id.to_owned(), status, text.to_owned());
    assert_eq!(
        run(tools, wanted).await,
        [
            own("a", ToolStatus::Success, "1"),
            own("b", ToolStatus::Error, "no"),
            own("a", ToolStatus::Success, "3")
        ]
    );
}

#[tokio::test]
async fn a_call_that_was_under_way_in_a_crash_is_not_made_again() {
    let (orders, lists) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let begun = Arc::new(Notify::new());
    let (o, l, b) = (orders.clone(), lists.clone(), begun.clone());
    let tools = FunctionTools::new()
        .with(spec("order", any()), move |_| {
            o.fetch_add(1, Ordering::SeqCst);
            b.notify_one();
            futures::future::pending()
        })
        .with(spec("list", any()), move |_| {
            l.fetch_add(1, Ordering::SeqCst);
            async { Ok(ToolOutcome::success("soup")) }
        });
    let graph = graph(tools);
    let wanted = [ToolCall::new("1", "list", json!({})), ToolCall::new("2", "order", json!({}))];
    let mut stream = graph.stream(thread(), calls(wanted));
    tokio::select! {
        _ = stream.next() => panic!("the order never ends"),
        () = begun.notified() => {}
    }
    drop(stream);
    let outcome = graph.invoke(&thread(), Input::Continue).await.unwrap();
    let results = answers(outcome.state());
    assert_eq!(results[0].2, "soup");
    assert_eq!((lists.load(Ordering::SeqCst), orders.load(Ordering::SeqCst)), (1, 1));
    let (_, status, text) = &results[1];
    assert_eq!(*status, ToolStatus::Error);
    assert!(
        text.starts_with("nobody knows whether the tool did its work, and it was not run again"),
        "{text}"
    );
}
