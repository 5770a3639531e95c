//! Who decides: somebody at the keyboard or in the browser, or a script that plays joe.

use super::screen::{Screen, Speaker};
use crate::{
    inbox::{
        card,
        wire::{Inbox, Kind, Request, Status, Verb, Word as Said},
    },
    terminal::{self, Keyboard},
};
use std::time::Duration;
use tokio::sync::Mutex;

/// How often it is looked whether joe has decided in the browser while the terminal asks.
const LOOK: Duration = Duration::from_millis(400);

/// The reviewer.
#[derive(Debug)]
pub(super) struct Joe {
    inbox: Inbox,
    hand: Hand,
}

/// Where the decisions come from.
#[derive(Debug)]
pub(super) enum Hand {
    /// A script. It approves what henry asks for, but the same dish only once.
    Script,
    /// Whoever sits here.
    Keyboard(Keyboard),
}

/// What somebody decided, and what they said about it.
struct Word {
    verb: Verb,
    comment: Option<String>,
}

/// What came of asking at the keyboard.
enum Answer {
    Line(String),
    /// There is nobody.
    End,
    /// It was decided somewhere else in the meantime.
    Elsewhere,
}

impl Joe {
    pub(super) fn new(inbox: Inbox, hand: Hand) -> Self {
        Self { inbox, hand }
    }

    /// Decides what waits now; how many requests that were. Nobody else writes to the screen meanwhile.
    pub(super) async fn decide_waiting(&mut self, screen: &Mutex<Screen>) -> anyhow::Result<usize> {
        let waiting = self.inbox.waiting().await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let mut screen = screen.lock().await;
        for request in &waiting {
            self.decide(request, &mut screen).await?;
        }
        Ok(waiting.len())
    }

    async fn decide(&mut self, request: &Request, screen: &mut Screen) -> anyhow::Result<()> {
        screen.under(Speaker::Joe, &card::lines(request, screen.style(), Screen::ROOM))?;
        let word = match self.hand {
            Hand::Script => Some(self.scripted(request).await?),
            Hand::Keyboard(_) => self.typed(request, screen).await?,
        };
        let decided = match word {
            Some(Word { verb, comment }) => {
                let shown = request.shown.clone();
                let word = Said { comment, shown, ..Said::default() };
                self.inbox.decide(&request.id, verb, word).await?
            }
            // Decided in the browser.
            None => self.inbox.get(&request.id).await?,
        };
        let style = screen.style();
        let status = match decided.status {
            Status::Approved => style.good("approved"),
            Status::Denied => style.bad("denied"),
            other => other.as_str().to_owned(),
        };
        let comment = decided.reviewer_comment.as_deref().map(terminal::plain);
        let comment = comment.map(|text| format!(": \u{201c}{text}\u{201d}")).unwrap_or_default();
        screen.under(Speaker::Joe, &[format!("{} {status}{comment}", style.bold("⇒"))])?;
        Ok(())
    }

    async fn scripted(&self, request: &Request) -> anyhow::Result<Word> {
        let (verb, comment) = match request.kind {
            Kind::AccessRequest => (Verb::Approve, "fine, you are old enough"),
            Kind::OperationApproval => {
                let before = self.inbox.all().await?;
                let same = |r: &Request| r.kind == request.kind && r.place == request.place;
                if before.iter().any(|r| same(r) && r.status == Status::Approved) {
                    (Verb::Deny, "one truffle pizza is enough")
                } else {
                    (Verb::Approve, "happy birthday")
                }
            }
        };
        Ok(Word { verb, comment: Some(comment.to_owned()) })
    }

    /// What the keyboard says; none when it was decided in the browser. Nothing but a clear word decides, and when there is
    /// nobody to ask it is denied, with a comment that says so.
    async fn typed(&mut self, request: &Request, screen: &mut Screen) -> anyhow::Result<Option<Word>> {
        if let Hand::Keyboard(keyboard) = &mut self.hand {
            keyboard.forget_what_was_typed();
        }
        let verb = loop {
            match self.ask(request, "[a]pprove  [d]eny > ").await? {
                Answer::Elsewhere => {
                    terminal::line("(decided in the browser)")?;
                    return Ok(None);
                }
                Answer::End => {
                    screen.note("Nobody is here to answer, so it is denied.")?;
                    let comment = "nobody was there to decide".to_owned();
                    return Ok(Some(Word { verb: Verb::Deny, comment: Some(comment) }));
                }
                Answer::Line(text) => match text.to_ascii_lowercase().as_str() {
                    "a" | "approve" => break Verb::Approve,
                    "d" | "deny" => break Verb::Deny,
                    _ => {}
                },
            }
        };
        let prompt = match verb {
            Verb::Approve => "a word to henry (may be empty) > ",
            Verb::Deny => "why not? > ",
        };
        let comment = loop {
            match self.ask(request, prompt).await? {
                Answer::Line(text) if text.trim().is_empty() && verb == Verb::Deny => {}
                Answer::Line(text) => break Some(text).filter(|text| !text.is_empty()),
                Answer::End if verb == Verb::Deny => break Some("nobody was there to say why".to_owned()),
                Answer::End => break None,
                Answer::Elsewhere => {
                    terminal::line("(decided in the browser)")?;
                    return Ok(None);
                }
            }
        };
        Ok(Some(Word { verb, comment }))
    }

    async fn ask(&mut self, request: &Request, prompt: &str) -> anyhow::Result<Answer> {
        let Hand::Keyboard(keyboard) = &mut self.hand else { return Ok(Answer::End) };
        terminal::prompt(format_args!("{:9}{prompt}", ""))?;
        let mut looks = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                line = keyboard.next() => return Ok(line.map_or(Answer::End, Answer::Line)),
                _ = looks.tick() => {
                    let now = self.inbox.get(&request.id).await?;
                    if now.status != Status::Pending {
                        return Ok(Answer::Elsewhere);
                    }
                }
            }
        }
    }
}
