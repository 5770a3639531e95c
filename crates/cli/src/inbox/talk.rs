//! Going through what waits, one by one. Nothing is decided by a mere return, and the end of input decides nothing.

use super::{
    card,
    wire::{Inbox, Request, Verb, Word},
};
use crate::terminal::{self, Keyboard, Style};

/// What a reviewer may answer.
enum Choice {
    Approve,
    Deny,
    Skip,
    Quit,
}

pub(super) async fn run(inbox: &Inbox, style: Style) -> anyhow::Result<()> {
    let mut keyboard = Keyboard::start();
    let mut seen = Vec::new();
    loop {
        let waiting = inbox.waiting().await?;
        let Some(request) = waiting.into_iter().find(|request| !seen.contains(&request.id)) else {
            let word = if seen.is_empty() { "Nothing" } else { "Nothing more" };
            terminal::line(format_args!("{word} waits for {}.", inbox.user()))?;
            return Ok(());
        };
        seen.push(request.id.clone());
        if !one(inbox, &request, style, &mut keyboard).await? {
            return Ok(());
        }
        terminal::line("")?;
    }
}

/// Shows a request and asks. False when the reviewer wants no more.
async fn one(
    inbox: &Inbox,
    request: &Request,
    style: Style,
    keyboard: &mut Keyboard,
) -> anyhow::Result<bool> {
    super::print(&card::lines(request, style, super::WIDTH))?;
    keyboard.forget_what_was_typed();
    let verb = match choice(keyboard, "[a]pprove  [d]eny  [s]kip  [q]uit > ").await? {
        Choice::Approve => Verb::Approve,
        Choice::Deny => Verb::Deny,
        Choice::Skip => return Ok(true),
        Choice::Quit => return Ok(false),
    };
    let prompt = match verb {
        Verb::Approve => "comment (may be empty) > ",
        Verb::Deny => "why? they read it > ",
    };
    let comment = loop {
        terminal::prompt(prompt)?;
        match keyboard.next().await {
            Some(comment) if comment.trim().is_empty() && verb == Verb::Deny => {}
            Some(comment) => break comment,
            None => {
                terminal::line("Nothing was decided.")?;
                return Ok(false);
            }
        }
    };
    let comment = Some(comment).filter(|comment| !comment.is_empty());
    let word = Word { comment, shown: request.shown.clone(), ..Word::default() };
    match inbox.decide(&request.id, verb, word).await {
        Ok(decided) => terminal::line(card::outcome(&decided, style))?,
        // Somebody else may have been faster; the next one can still be looked at.
        Err(error) => terminal::line(terminal::plain(&format!("{error:#}")))?,
    }
    Ok(true)
}

async fn choice(keyboard: &mut Keyboard, prompt: &str) -> anyhow::Result<Choice> {
    loop {
        terminal::prompt(prompt)?;
        let Some(answer) = keyboard.next().await else { return Ok(Choice::Quit) };
        match answer.to_ascii_lowercase().as_str() {
            "a" | "approve" => return Ok(Choice::Approve),
            "d" | "deny" => return Ok(Choice::Deny),
            "s" | "skip" => return Ok(Choice::Skip),
            "q" | "quit" => return Ok(Choice::Quit),
            _ => {}
        }
    }
}
