//! A conversation with a model that may call tools, with a human who is asked before risky calls.

mod drive;
mod graph;
mod lines;
mod review;
mod terminal;
mod text;

pub use drive::{Turn, TurnEnd, TurnObserver, drive};
pub use graph::{CALL_LLM, ChatSetup, HUMAN_REVIEW, RUN_TOOL, chat_graph};
pub use lines::{Line, Lines, PlainLines, TerminalLines, stdin_lines};
pub use review::{CallDecision, ReviewNode, ReviewPolicy, ReviewQuestion, ShownCall, review_answer};
pub use terminal::{ChatError, Color, run};
pub use text::visible;

#[cfg(test)]
mod tests;
