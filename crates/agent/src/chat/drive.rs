//! Running one turn of a conversation with somebody looking on.

use super::review::{CallDecision, ReviewQuestion, review_answer};
use crate::graph::{Event, Graph, Input, RunConfig, RunError, ThreadStatus};
use crate::interrupt::Interrupt;
use crate::messages::{Message, MessagesState, MessagesUpdate, ToolCall, ToolMessage, ToolStatus};
use async_trait::async_trait;
use futures::StreamExt;
use serde_json::Value;

/// Why a turn begins.
#[derive(Debug, Clone)]
pub enum Turn {
    /// The human says something.
    Say(String),
    /// The human says something and gives up what the thread was waiting for.
    SayAnyway(String),
    /// The thread goes on where it stopped. Open questions are put to the observer again.
    GoOn,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TurnEnd {
    /// The model has answered.
    Answered,
    /// A question is still open, because the observer left it so.
    Waiting(Vec<Interrupt>),
}

/// Looks on while a turn runs, and answers for the human. Only [`on_interrupt`](Self::on_interrupt) has no
/// default.
#[async_trait]
pub trait TurnObserver: Send {
    /// The model said something to the human.
    async fn on_assistant_text(&mut self, text: &str) {
        let _ = text;
    }

    /// The model wants a tool call. It has not run and may never run.
    async fn on_tool_call(&mut self, call: &ToolCall) {
        let _ = call;
    }

    /// A tool call has its result, or the reason why it did not run.
    async fn on_tool_result(&mut self, result: &ToolMessage) {
        let _ = result;
    }

    /// A question to the human. `None` leaves it open; the turn then ends as [`TurnEnd::Waiting`] and the
    /// thread can be taken up again later, also by another process.
    async fn on_interrupt(&mut self, interrupt: &Interrupt) -> Option<Value>;
}

/// Runs one turn until the model has answered, putting each question to the observer.
///
/// # Errors
/// See [`RunError`]. The thread is kept; [`Turn::GoOn`] takes it up again where that makes sense.
pub async fn drive(
    graph: &Graph<MessagesState>,
    config: &RunConfig,
    turn: Turn,
    observer: &mut dyn TurnObserver,
) -> Result<TurnEnd, RunError> {
    let said = |text: String| MessagesUpdate::put([Message::user(text)]);
    let mut input = match turn {
        Turn::Say(text) => Input::New(said(text)),
        Turn::SayAnyway(text) => {
            let mut messages = dropped_calls(graph, config).await?;
            messages.push(Message::user(text));
            Input::AbandonAndStart(MessagesUpdate::put(messages))
        }
        Turn::GoOn => match graph.status(&config.thread).await? {
            ThreadStatus::Interrupted(open) => match answers_to(&open, observer).await {
                Some(input) => input,
                None => return Ok(TurnEnd::Waiting(open)),
            },
            _ => Input::Continue,
        },
    };
    loop {
        let open = Box::pin(watch(graph, config, input, observer)).await?;
        if open.is_empty() {
            return Ok(TurnEnd::Answered);
        }
        match answers_to(&open, observer).await {
            Some(next) => input = next,
            None => return Ok(TurnEnd::Waiting(open)),
        }
    }
}

/// Results for the tool calls that are given up with a turn: providers refuse a conversation in which a call
/// has none.
async fn dropped_calls(graph: &Graph<MessagesState>, config: &RunConfig) -> Result<Vec<Message>, RunError> {
    let Some(snapshot) = graph.snapshot(&config.thread).await? else { return Ok(Vec::new()) };
    let Some(last) = snapshot.state.last_assistant() else { return Ok(Vec::new()) };
    let dropped = |call| {
        let content = "The user went on before this call had a result. It is not known whether it ran; \
                       check before calling it again.";
        Message::Tool(ToolMessage::of(call, ToolStatus::Error, content))
    };
    Ok(last.tool_calls().map(dropped).collect())
}

/// Runs the graph once and tells the observer; the questions that it stopped with.
async fn watch(
    graph: &Graph<MessagesState>,
    config: &RunConfig,
    input: Input<MessagesUpdate>,
    observer: &mut dyn TurnObserver,
) -> Result<Vec<Interrupt>, RunError> {
    let mut events = graph.stream(config.clone(), input);
    let mut open = Vec::new();
    while let Some(event) = events.next().await {
        match event? {
            Event::Update { update, .. } => {
                for message in update.iter().flat_map(MessagesUpdate::messages) {
                    tell(message, observer).await;
                }
            }
            Event::Interrupted(interrupts) => open = interrupts,
            Event::Finished(_) => {}
        }
    }
    Ok(open)
}

async fn tell(message: &Message, observer: &mut dyn TurnObserver) {
    match message {
        Message::Assistant(answer) => {
            let text = answer.joined_text();
            if !text.trim().is_empty() {
                observer.on_assistant_text(&text).await;
            }
            for call in answer.tool_calls() {
                observer.on_tool_call(call).await;
            }
        }
        Message::Tool(result) => observer.on_tool_result(result).await,
        Message::User(_) | Message::System(_) => {}
    }
}

/// Asks the observer one question after the other. Answers that were given before one was left open are still
/// given.
async fn answers_to(open: &[Interrupt], observer: &mut dyn TurnObserver) -> Option<Input<MessagesUpdate>> {
    let mut answers = Vec::new();
    for interrupt in open {
        if let Some(value) = observer.on_interrupt(interrupt).await {
            answers.push((interrupt.id.clone(), value));
        }
    }
    (!answers.is_empty()).then(|| Input::answers(answers))
}

/// The answer that declines everything a question asks.
pub(super) fn declining(interrupt: &Interrupt) -> Value {
    let calls = ReviewQuestion::of(interrupt).map_or(1, |question| question.tool_calls.len());
    review_answer(&vec![CallDecision::Declined; calls])
}
