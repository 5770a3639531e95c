//! The evening itself: henry speaks, his agent works, joe decides.

use super::{
    joe::Joe,
    screen::{Screen, Speaker},
    stage::Stage,
};
use anyhow::Context as _;
use askfirst_agent::{
    chat::{CallDecision, ReviewQuestion, Turn, TurnObserver, drive, review_answer},
    graph::RunConfig,
    interrupt::Interrupt,
    messages::{ToolCall, ToolMessage},
};
use async_trait::async_trait;
use serde_json::Value;
use std::{io, sync::Arc};
use tokio::sync::{Mutex, Notify};

/// How often henry tells an agent that did not wait that joe has answered.
const REMINDERS: usize = 3;

/// What henry says, under the title of the chapter. What stands behind the colon is his reason.
pub(super) const CHAPTERS: [(&str, &str); 3] = [
    (
        "A pizza for $8",
        "Order me a Margherita from Pizza Palace, please: I am 18 now and may order by myself",
    ),
    ("A pizza for $24.50", "And a Truffle Pizza from there: it is my birthday"),
    ("The same again", "One more Truffle Pizza, please: the first one was so good"),
];

/// The tool with which an agent waits.
const WAITING: &str = "wait_for_decision";

/// Plays one chapter.
pub(super) async fn chapter(
    stage: &Stage,
    joe: &mut Joe,
    screen: &Arc<Mutex<Screen>>,
    words: &str,
) -> anyhow::Result<()> {
    turn(stage, joe, screen, words).await?;
    for _ in 0..REMINDERS {
        // An agent may end its turn instead of waiting.
        if joe.decide_waiting(screen).await? == 0 {
            break;
        }
        turn(stage, joe, screen, "joe has answered. Go on, please.").await?;
    }
    Ok(())
}

async fn turn(stage: &Stage, joe: &mut Joe, screen: &Arc<Mutex<Screen>>, words: &str) -> anyhow::Result<()> {
    screen.lock().await.says(Speaker::Henry, words)?;
    let waits = Arc::new(Notify::new());
    let mut watcher = Watcher { screen: Arc::clone(screen), waits: Arc::clone(&waits), failure: None };
    let thread = RunConfig::thread("evening");
    let agent = Box::pin(drive(&stage.graph, &thread, Turn::Say(words.to_owned()), &mut watcher));
    let reviewer = async {
        loop {
            waits.notified().await;
            if let Err(error) = joe.decide_waiting(screen).await {
                break error;
            }
        }
    };
    tokio::select! {
        ended = agent => ended.context("henry's agent stopped")?,
        error = reviewer => return Err(error),
    };
    watcher.failure.map_or(Ok(()), |error| Err(error.into()))
}

/// Tells the screen what the agent does.
struct Watcher {
    screen: Arc<Mutex<Screen>>,
    /// Told when the agent waits for a decision.
    waits: Arc<Notify>,
    /// The first failure of the screen.
    failure: Option<io::Error>,
}

impl Watcher {
    async fn show(&mut self, show: impl FnOnce(&mut Screen) -> io::Result<()>) {
        if let Err(error) = show(&mut *self.screen.lock().await) {
            self.failure.get_or_insert(error);
        }
    }
}

#[async_trait]
impl TurnObserver for Watcher {
    async fn on_assistant_text(&mut self, text: &str) {
        self.show(|screen| screen.says(Speaker::Agent, text)).await;
    }

    async fn on_tool_call(&mut self, call: &ToolCall) {
        self.show(|screen| screen.calls(call)).await;
        if call.name == WAITING {
            self.waits.notify_one();
        }
    }

    async fn on_tool_result(&mut self, result: &ToolMessage) {
        self.show(|screen| screen.answers(result)).await;
    }

    /// henry's agent is no reviewer; a call that would hand out rights is declined.
    async fn on_interrupt(&mut self, interrupt: &Interrupt) -> Option<Value> {
        let calls = ReviewQuestion::of(interrupt).map_or(1, |question| question.tool_calls.len());
        self.show(|screen| screen.says(Speaker::Henry, "No, that is joe's to decide.")).await;
        Some(review_answer(&vec![CallDecision::Declined; calls]))
    }
}
