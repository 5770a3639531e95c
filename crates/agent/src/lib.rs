//! The agent's side: a graph of steps that can stop for a human and go on later, in another process if need
//! be.
//!
//! The crate is a client. It knows nothing of policies and requests, works with any MCP server, and reads
//! neither the environment nor a clock; the caller hands in keys, ids and files.
//!
//! - [`graph`]: the typed state graph, supersteps, [`Command`](graph::Command), runs and streams
//! - [`interrupt`]: questions to a human, bound to exactly what was shown
//! - [`checkpoint`]: where threads are kept, in memory or in an `SQLite` file
//! - [`messages`], [`model`], [`tools`]: conversations, language models, MCP servers
//! - [`chat`]: the ready-made reviewed conversation, a driver for one turn, and a terminal loop
//! - [`review`]: the questions and answers of other programs' reviews (`LangChain`'s middleware, Agent Inbox)
//! - [`pep`]: what answers of an AuthZEN decision point and access request service are worth to whoever enforces them
//! - [`draw`]: Mermaid, SVG and PNG of a graph
//!
//! A process that uses real models or MCP servers over HTTP installs a TLS provider once, before anything
//! else: `rustls::crypto::ring::default_provider().install_default()`.
//!
//! # Example
//!
//! A model wants to call a risky tool; the run stops, and goes on with the human's answer:
//!
//! ```
//! use askfirst_agent::chat::{ChatSetup, ReviewPolicy, chat_graph};
//! use askfirst_agent::checkpoint::MemorySaver;
//! use askfirst_agent::graph::{CompileOptions, Input, RunConfig};
//! use askfirst_agent::messages::{Message, MessagesUpdate};
//! use askfirst_agent::model::ScriptedModel;
//! use askfirst_agent::tools::{FunctionTools, ToolOutcome, ToolSpec};
//! use serde_json::json;
//! use std::sync::Arc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let spec = ToolSpec { name: "order".into(), description: None, input_schema: json!({"type": "object"}) };
//! let tools = FunctionTools::new().with(spec, |_| async { Ok(ToolOutcome::success("on its way")) });
//! let model = ScriptedModel::new().call("order", json!({"dish": "Lobster"})).say("Enjoy!");
//!
//! let setup = ChatSetup::new(Arc::new(model), Arc::new(tools), ReviewPolicy::these(["order"]));
//! let graph = chat_graph(setup).compile(CompileOptions::with_checkpointer(Arc::new(MemorySaver::new())))?;
//!
//! let thread = RunConfig::thread("henry");
//! let hungry = MessagesUpdate::put([Message::user("I am hungry")]);
//! let stopped = graph.invoke(&thread, Input::New(hungry)).await?;
//! let question = stopped.interrupts().first().ok_or("no question")?;
//! assert_eq!(question.payload["tool_call"]["args"], json!({"dish": "Lobster"}));
//!
//! let done = graph.invoke(&thread, Input::answer(question, json!({"action": "yes"}))).await?;
//! assert_eq!(done.state().last_assistant().ok_or("no answer")?.joined_text(), "Enjoy!");
//! # Ok(())
//! # }
//! ```
//!
//! # What is bound to what
//!
//! An [`Interrupt`](interrupt::Interrupt) has an id made from the thread's checkpoint, the node, the key, and
//! the digest of its payload. An answer is stored by compare-and-set under that id before the node runs
//! again, so it is given once, survives a crash, and does not reach a question that asks for something else.

pub mod canonical;
pub mod chat;
pub mod checkpoint;
pub mod draw;
pub mod graph;
pub mod ids;
pub mod interrupt;
pub mod messages;
pub mod model;
pub mod pep;
pub mod review;
mod tls;
pub mod tools;
