//! How the evening looks: who speaks stands at the left, what tools are called with and answer stands under it.

use crate::terminal::{Style, line, plain, wrap};
use askfirst_agent::messages::{ToolCall, ToolMessage, ToolStatus};
use serde_json::Value;
use std::io;

/// The width that everything fits into.
const WIDTH: usize = 100;
/// Columns of the speaker's name.
const MARGIN: usize = 9;
/// Longest value of an argument that is shown, in characters.
const VALUE: usize = 64;
/// Most lines of a tool's answer that are shown.
const ANSWER_LINES: usize = 4;

/// The screen.
#[derive(Debug)]
pub(super) struct Screen {
    style: Style,
    /// Who spoke last.
    speaker: &'static str,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    Henry,
    Agent,
    Joe,
}

impl Speaker {
    fn name(self) -> &'static str {
        match self {
            Self::Henry => "henry",
            Self::Agent => "agent",
            Self::Joe => "joe",
        }
    }
}

impl Screen {
    /// The width beside a speaker's name.
    pub(super) const ROOM: usize = WIDTH - MARGIN;

    pub(super) fn new(style: Style) -> Self {
        Self { style, speaker: "" }
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    /// A chapter's head.
    pub(super) fn chapter(&mut self, title: &str) -> io::Result<()> {
        self.speaker = "";
        let rule = "─".repeat(WIDTH.saturating_sub(title.chars().count() + 5));
        line("")?;
        line(format_args!("{} {} {}", self.style.dim("───"), self.style.bold(title), self.style.dim(rule)))
    }

    /// A line of nobody's.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        self.speaker = "";
        for piece in wrap(text, WIDTH) {
            line(piece)?;
        }
        Ok(())
    }

    /// A fact with its name at the left.
    pub(super) fn fact(&mut self, name: &str, text: &str) -> io::Result<()> {
        let pieces = wrap(&plain(text), WIDTH - 2 - 15);
        for (number, piece) in pieces.iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            line(format_args!("  {} {piece}", self.style.dim(format!("{name:<14}"))))?;
        }
        Ok(())
    }

    /// Somebody says something.
    pub(super) fn says(&mut self, who: Speaker, text: &str) -> io::Result<()> {
        let pieces: Vec<String> =
            text.lines().flat_map(|paragraph| wrap(&plain(paragraph), Self::ROOM)).collect();
        self.under(who, &pieces)
    }

    /// Lines that stand under somebody's name.
    pub(super) fn under(&mut self, who: Speaker, lines: &[String]) -> io::Result<()> {
        for text in lines {
            let name = who.name();
            let shown = if self.speaker == name { "" } else { name };
            self.speaker = name;
            line(format_args!("{}{text}", self.style.bold(format!("{shown:<MARGIN$}"))))?;
        }
        Ok(())
    }

    /// The agent calls a tool.
    pub(super) fn calls(&mut self, call: &ToolCall) -> io::Result<()> {
        let mut words = vec![plain(&call.name)];
        words.extend(arguments(&call.args));
        self.marked("→", &rows(&words, Self::ROOM - 4), Style::dim)
    }

    /// A tool answers.
    pub(super) fn answers(&mut self, result: &ToolMessage) -> io::Result<()> {
        let mut lines = wrapped(&told(&result.content));
        if lines.len() > ANSWER_LINES {
            let more = lines.len() - ANSWER_LINES + 1;
            lines.truncate(ANSWER_LINES - 1);
            lines.push(format!("and {more} lines more"));
        }
        match result.status {
            ToolStatus::Success => self.marked("←", &lines, Style::dim),
            ToolStatus::Error => self.marked("✗", &lines, Style::attention),
        }
    }

    fn marked(&mut self, mark: &str, lines: &[String], paint: fn(Style, String) -> String) -> io::Result<()> {
        let style = self.style;
        let shown: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(number, text)| paint(style, format!("  {} {text}", if number == 0 { mark } else { " " })))
            .collect();
        self.under(Speaker::Agent, &shown)
    }
}

fn wrapped(text: &str) -> Vec<String> {
    text.lines().flat_map(|paragraph| wrap(&plain(paragraph), Screen::ROOM - 4)).collect()
}

/// Arguments as `name=value`. Each value is cut by itself, so that a long one can't hide those after it.
fn arguments(args: &Value) -> Vec<String> {
    let Value::Object(members) = args else { return vec![plain(&args.to_string())] };
    let pairs = members.iter().map(|(name, value)| {
        let text = plain(&value.to_string());
        let short: String = text.chars().take(VALUE).collect();
        let dots = if short.len() < text.len() { "…" } else { "" };
        format!("{}={short}{dots}", plain(name))
    });
    pairs.collect()
}

/// Pieces in as few rows as they need, each whole.
fn rows(pieces: &[String], width: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for piece in pieces {
        match rows.last_mut() {
            Some(row) if row.chars().count() + 1 + piece.chars().count() <= width => {
                row.push(' ');
                row.push_str(piece);
            }
            _ => rows.push(piece.clone()),
        }
    }
    rows
}

/// What a tool's answer says to people: what could be asked for, the sentence in it, or all of it.
fn told(content: &str) -> String {
    let Ok(Value::Object(answer)) = serde_json::from_str::<Value>(content) else { return content.to_owned() };
    if let Some(offers) =
        answer.get("requestable").and_then(Value::as_array).filter(|offers| !offers.is_empty())
    {
        return offers.iter().map(offer).collect::<Vec<_>>().join("\n");
    }
    let sentence = ["explanation", "message"].iter().find_map(|name| answer.get(*name)?.as_str());
    sentence.map_or_else(|| content.to_owned(), ToOwned::to_owned)
}

/// One thing that could be asked for: `no; create_access_request could give child-can-order on X, jane or joe decides`.
fn offer(offer: &Value) -> String {
    let text = |name: &str| offer.get(name).and_then(Value::as_str).unwrap_or("?");
    let reviewers: Vec<&str> = offer
        .get("reviewers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let deciders = if reviewers.is_empty() { "nobody".to_owned() } else { reviewers.join(" or ") };
    let place =
        if offer.get("resource_instance").is_some() { text("resource_instance") } else { text("tenant") };
    format!("not allowed; {} could get {} on {place}, decided by {deciders}", text("ask_with"), text("role"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_long_argument_does_not_hide_the_next() {
        let shown = arguments(&json!({"a": "x".repeat(200), "b": "seen\n"}));
        assert!(shown[0].ends_with('…'), "{shown:?}");
        assert_eq!(shown[1], r#"b="seen\n""#);
    }

    #[test]
    fn rows_hold_whole_pieces() {
        let pieces = ["one".to_owned(), "two".to_owned(), "a longer one".to_owned()];
        assert_eq!(rows(&pieces, 8), ["one two", "a longer one"]);
    }

    #[test]
    fn answers_are_told_by_their_sentence() {
        assert_eq!(told(r#"{"id": "r1", "message": "It is pending."}"#), "It is pending.");
        assert_eq!(told(r#"{"allowed": false, "explanation": "No.", "requestable": []}"#), "No.");
        let offer = r#"{"allowed": false, "explanation": "No.", "requestable": [{"role": "r", "resource_instance": "a:b",
            "reviewers": ["joe"], "ask_with": "create_access_request"}]}"#;
        assert_eq!(told(offer), "not allowed; create_access_request could get r on a:b, decided by joe");
        assert_eq!(told("plain words"), "plain words");
    }
}
