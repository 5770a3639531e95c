//! What people see: lines on standard output, styles that say nothing by themselves, and questions.

use crate::env::Env;
use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

/// Writes one line to standard output.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Writes one line to standard error, for people; what comes of it does not matter.
pub(crate) fn remark(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Colours and weights, or none of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    on: bool,
}

impl Style {
    /// As standard output and the environment want it.
    pub(crate) fn of_stdout(env: &Env) -> Self {
        Self { on: io::stdout().is_terminal() && env.wants_colour() }
    }

    /// None of them.
    pub(crate) fn none() -> Self {
        Self { on: false }
    }

    fn paint(self, code: &str, text: impl Display) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: impl Display) -> String {
        self.paint("2", text)
    }

    pub(crate) fn good(self, text: impl Display) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bad(self, text: impl Display) -> String {
        self.paint("31", text)
    }

    pub(crate) fn attention(self, text: impl Display) -> String {
        self.paint("33", text)
    }
}

/// Whether a human sits before us and can be asked.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Writes the start of a line that somebody is to go on with.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn prompt(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{text}")?;
    out.flush()
}

/// Lines of standard input, read by a thread of their own, so that waiting for one can be given up without losing it.
#[derive(Debug)]
pub(crate) struct Keyboard {
    lines: tokio::sync::mpsc::UnboundedReceiver<String>,
}

impl Keyboard {
    /// Begins to read. There is one for a process.
    pub(crate) fn start() -> Self {
        let (sender, lines) = tokio::sync::mpsc::unbounded_channel();
        // Ends with the input, or with the process.
        std::thread::spawn(move || {
            for line in io::stdin().lines() {
                let Ok(line) = line else { break };
                if sender.send(line.trim().to_owned()).is_err() {
                    break;
                }
            }
        });
        Self { lines }
    }

    /// The next line; none at the end of the input. Lines of a file are shown, as a terminal shows what is typed.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let line = self.lines.recv().await;
        if !io::stdin().is_terminal() {
            // A closed output is found by whoever writes the next line.
            let _ = self::line(plain(line.as_deref().unwrap_or_default()));
        }
        line
    }

    /// Drops what somebody typed before they could see the question. A file's lines were not typed.
    pub(crate) fn forget_what_was_typed(&mut self) {
        if io::stdin().is_terminal() {
            while self.lines.try_recv().is_ok() {}
        }
    }
}

/// Text that others wrote, fit for a terminal: control characters and invisible or direction-changing ones are spelled
/// out, so that they can't move the cursor, hide words or turn them round. Line breaks become spaces.
pub(crate) fn plain(text: &str) -> String {
    askfirst_agent::chat::visible(text).replace(['\n', '\t'], " ")
}

/// Breaks a text into lines of at most `width` characters, at spaces where there are any.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in text.split_whitespace() {
        let length = current.chars().count();
        if length > 0 && length + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    if !current.is_empty() || lines.is_empty() {
        lines.push(current);
    }
    lines
}

/// A table with aligned columns; the first row is its head.
pub(crate) fn table(style: Style, rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut lines = Vec::with_capacity(rows.len());
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let text = cells.collect::<Vec<_>>().join("  ").trim_end().to_owned();
        lines.push(if number == 0 { style.dim(text) } else { text });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_paint() {
        assert_eq!(plain("a\x1b[2Jb\u{202e}c\nd"), "a<U+001B>[2Jb<U+202E>c d");
        assert_eq!(plain("größe 20 €"), "größe 20 €");
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable x", 4), ["unbreakable", "x"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn tables_align() {
        let rows = vec![vec!["A".to_owned(), "B".to_owned()], vec!["long".to_owned(), "x".to_owned()]];
        assert_eq!(table(Style { on: false }, &rows), ["A     B", "long  x"]);
    }
}
