//! The conversation in a terminal.

use super::drive::{Turn, TurnEnd, TurnObserver, declining, drive};
use super::lines::{Line, Lines};
use super::review::{CallDecision, ReviewQuestion, review_answer};
use super::text::{call_line, call_table, summary, visible};
use crate::graph::{Graph, RunConfig, RunError, ThreadStatus};
use crate::interrupt::Interrupt;
use crate::messages::{MessagesState, ToolCall, ToolMessage, ToolStatus};
use async_trait::async_trait;
use serde_json::Value;
use std::io::{self, Write};

/// Whether output may hold colours. Nothing is told by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// Tool calls are dimmed and names are bold.
    On,
    /// Plain text.
    Off,
}

/// Why a chat ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The terminal failed.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
    /// The thread cannot be read or written.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Talks with a human until `quit`, `exit`, `q` or the end of input.
///
/// A thread that waits for an answer or was cut off is taken up first. At a risky call the exact arguments are shown
/// and yes or no is asked; the end of input declines, and Ctrl-C leaves the question open for the next
/// time. A failed turn is reported and can be retried.
///
/// # Errors
/// The terminal or the thread's storage failed. Failures of the model and of tools are part of the conversation.
pub async fn run(
    graph: &Graph<MessagesState>,
    config: &RunConfig,
    color: Color,
    lines: &mut dyn Lines,
    out: &mut (dyn Write + Send),
) -> Result<(), ChatError> {
    let mut screen = Screen { lines, out, color, failure: None };
    let status = graph.status(&config.thread).await?;
    let mut turn = match &status {
        ThreadStatus::Interrupted(_) => {
            screen.note("This conversation waits for your answer.")?;
            Some(Turn::GoOn)
        }
        ThreadStatus::Unfinished { .. } => {
            screen.note("The last turn of this conversation was cut off; it goes on now.")?;
            Some(Turn::GoOn)
        }
        ThreadStatus::Finished => {
            screen.note("This conversation goes on where it was left.")?;
            None
        }
        ThreadStatus::New => None,
    };
    let mut retry = Retry::Nothing;
    loop {
        let next = match turn.take() {
            Some(turn) => turn,
            None => match screen.next_turn(&retry).await? {
                Some(turn) => turn,
                None => break,
            },
        };
        let end = Box::pin(drive(graph, config, next, &mut screen)).await;
        if let Some(error) = screen.failure.take() {
            return Err(error.into());
        }
        retry = match end {
            Ok(TurnEnd::Answered) => Retry::Nothing,
            Ok(TurnEnd::Waiting(_)) => {
                screen.note("The question stays open. Start the chat again to answer it.")?;
                return Ok(());
            }
            Err(error @ (RunError::NodeFailed { .. } | RunError::RecursionLimit { .. })) => {
                screen.error(&error)?;
                screen.note("Type `retry` to try again, or say something else to drop this turn.")?;
                Retry::Offered
            }
            Err(error) => return Err(error.into()),
        };
    }
    screen.note("Goodbye!")?;
    Ok(())
}

/// Whether the last turn failed and can be tried again.
enum Retry {
    Nothing,
    Offered,
}

struct Screen<'a> {
    lines: &'a mut dyn Lines,
    out: &'a mut (dyn Write + Send),
    color: Color,
    /// The first failure of the terminal inside a callback, which cannot return it.
    failure: Option<io::Error>,
}

impl Screen<'_> {
    async fn ask(&mut self, prompt: &str) -> io::Result<Line> {
        self.out.flush()?;
        let line = self.lines.line(prompt).await?;
        if !self.lines.echoes() {
            let shown = if let Line::Text(text) = &line { visible(text) } else { String::new() };
            writeln!(self.out, "{prompt}{shown}")?;
        }
        Ok(line)
    }

    async fn next_turn(&mut self, retry: &Retry) -> io::Result<Option<Turn>> {
        loop {
            writeln!(self.out)?;
            let Line::Text(text) = self.ask("Query: ").await? else { return Ok(None) };
            let text = text.trim();
            match (text, retry) {
                ("", _) => {}
                ("quit" | "exit" | "q", _) => return Ok(None),
                ("retry", Retry::Offered) => return Ok(Some(Turn::GoOn)),
                (text, Retry::Offered) => return Ok(Some(Turn::SayAnyway(text.to_owned()))),
                (text, Retry::Nothing) => return Ok(Some(Turn::Say(text.to_owned()))),
            }
        }
    }

    fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    fn error(&mut self, error: &RunError) -> io::Result<()> {
        writeln!(self.out, "Error: {}", visible(&error.to_string()))
    }

    fn dim(&mut self, text: &str) -> io::Result<()> {
        match self.color {
            Color::On => writeln!(self.out, "\u{1b}[2m{text}\u{1b}[0m"),
            Color::Off => writeln!(self.out, "{text}"),
        }
    }

    fn bold(&self, text: &str) -> String {
        match self.color {
            Color::On => format!("\u{1b}[1m{text}\u{1b}[0m"),
            Color::Off => text.to_owned(),
        }
    }

    /// Keeps the failure for after the turn.
    fn keep(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.failure.get_or_insert(error);
        }
    }

    async fn review(
        &mut self,
        interrupt: &Interrupt,
        question: &ReviewQuestion,
    ) -> io::Result<Option<Value>> {
        let count = question.tool_calls.len();
        let heading = match count {
            1 => "The agent wants to do this, and needs your approval:".to_owned(),
            n => format!("The agent wants to do these {n} things together, and needs your approval of each:"),
        };
        let heading = self.bold(&heading);
        writeln!(self.out, "\n{heading}")?;
        if interrupt.mismatch.is_some() {
            self.note("(What it asks has changed since it was last shown; an earlier answer is not used.)")?;
        }
        let mut decisions = Vec::with_capacity(count);
        for call in &question.tool_calls {
            write!(self.out, "{}", call_table(&call.name, &call.args))?;
            match self.yes_or_no().await? {
                Some(decision) => decisions.push(decision),
                None => return Ok(None),
            }
        }
        Ok(Some(review_answer(&decisions)))
    }

    /// The human's word; `None` when it is to stay open. Nothing but a clear yes approves.
    async fn yes_or_no(&mut self) -> io::Result<Option<CallDecision>> {
        loop {
            match self.ask("Do you approve this tool call? (yes/no) ").await? {
                Line::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                    "yes" | "y" => return Ok(Some(CallDecision::Approved)),
                    "no" | "n" => return Ok(Some(CallDecision::Declined)),
                    _ => self.note("Please answer yes or no.")?,
                },
                Line::End => {
                    self.note("There is nobody to answer, so the call is declined.")?;
                    return Ok(Some(CallDecision::Declined));
                }
                Line::Cancelled => return Ok(None),
            }
        }
    }

    /// A question of some other node: its payload as it is, and a line as the answer.
    async fn other(&mut self, interrupt: &Interrupt) -> io::Result<Option<Value>> {
        let payload = match &interrupt.payload {
            Value::String(text) => text.clone(),
            other => format!("{other:#}"),
        };
        writeln!(self.out, "\n{} asks:\n{}", visible(&interrupt.node), visible(&payload))?;
        match self.ask("Your answer: ").await? {
            Line::Text(text) => Ok(Some(Value::String(text))),
            Line::End => {
                self.note("There is nobody to answer, so the question is answered with no.")?;
                Ok(Some(declining(interrupt)))
            }
            Line::Cancelled => Ok(None),
        }
    }
}

#[async_trait]
impl TurnObserver for Screen<'_> {
    async fn on_assistant_text(&mut self, text: &str) {
        let result = writeln!(self.out, "\n{}", visible(text));
        self.keep(result);
    }

    async fn on_tool_call(&mut self, call: &ToolCall) {
        let line = format!("  calls {} {}", summary(&call.name), call_line(&call.args));
        let result = self.dim(line.trim_end());
        self.keep(result);
    }

    async fn on_tool_result(&mut self, result: &ToolMessage) {
        let word = match result.status {
            ToolStatus::Success => "answers",
            ToolStatus::Error => "reports an error",
        };
        let line = format!("  {} {word}: {}", summary(&result.name), summary(&result.content));
        let result = self.dim(&line);
        self.keep(result);
    }

    async fn on_interrupt(&mut self, interrupt: &Interrupt) -> Option<Value> {
        let answer = match ReviewQuestion::of(interrupt) {
            Some(question) => self.review(interrupt, &question).await,
            None => self.other(interrupt).await,
        };
        match answer {
            Ok(answer) => answer,
            // A question that could not be shown stays open.
            Err(error) => {
                self.keep(Err(error));
                None
            }
        }
    }
}
