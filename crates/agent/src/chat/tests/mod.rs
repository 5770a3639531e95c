//! The reviewed conversation, without a network: scripted model, tools of this process.

mod formats;
mod review;
mod terminal;
mod turns;

use super::*;
use crate::checkpoint::{Checkpointer, MemorySaver};
use crate::graph::{CompileOptions, DEFAULT_RECURSION_LIMIT, Graph, Input, RunConfig};
use crate::ids::SequentialIds;
use crate::interrupt::Interrupt;
use crate::messages::{
    AssistantMessage, Message, MessagesState, MessagesUpdate, ToolCall, ToolMessage, ToolStatus,
};
use crate::model::ScriptedModel;
use crate::tools::{FunctionTools, ToolOutcome, ToolSpec};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// The calls that really ran.
type Ran = Arc<Mutex<Vec<String>>>;

fn spec(name: &str) -> ToolSpec {
    ToolSpec { name: name.to_owned(), description: None, input_schema: json!({"type": "object"}) }
}

/// `list` is harmless, `order` and `approve_access_request` are risky in the tests' policy.
fn tools(ran: &Ran) -> FunctionTools {
    ["list", "order", "approve_access_request"].into_iter().fold(FunctionTools::new(), |tools, name| {
        let ran = ran.clone();
        tools.with(spec(name), move |args| {
            ran.lock().unwrap().push(format!("{name} {}", Value::Object(args)));
            async move { Ok(ToolOutcome::success(format!("{name} done"))) }
        })
    })
}

fn policy() -> ReviewPolicy {
    ReviewPolicy::default().and(["order"])
}

fn graph_on(
    saver: Arc<dyn Checkpointer>,
    prefix: &str,
    model: ScriptedModel,
    ran: &Ran,
) -> Graph<MessagesState> {
    let setup = ChatSetup::new(Arc::new(model), Arc::new(tools(ran)), policy());
    let ids = Arc::new(SequentialIds::new(prefix));
    let options = CompileOptions { checkpointer: Some(saver), ids, recursion_limit: DEFAULT_RECURSION_LIMIT };
    chat_graph(setup).compile(options).unwrap()
}

fn graph(model: ScriptedModel, ran: &Ran) -> Graph<MessagesState> {
    graph_on(Arc::new(MemorySaver::new()), "m", model, ran)
}

fn thread() -> RunConfig {
    RunConfig::thread("t")
}

fn say(text: &str) -> Input<MessagesUpdate> {
    Input::New(MessagesUpdate::put([Message::user(text)]))
}

fn ran(ran: &Ran) -> Vec<String> {
    ran.lock().unwrap().clone()
}

fn results(state: &MessagesState) -> Vec<&ToolMessage> {
    let messages = state.messages.iter();
    messages
        .filter_map(|message| if let Message::Tool(result) = message { Some(result) } else { None })
        .collect()
}
