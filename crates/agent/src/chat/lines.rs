//! Where a chat reads its lines from.

use async_trait::async_trait;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use std::io::{self, IsTerminal};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader, Stdin};

/// What came of asking for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A line, without its line break.
    Text(String),
    /// There will be no more lines.
    End,
    /// The human pressed Ctrl-C.
    Cancelled,
}

/// Reads lines from a human or from a file.
#[async_trait]
pub trait Lines: Send {
    /// Shows the prompt, if this source shows anything by itself, and waits for a line.
    ///
    /// # Errors
    /// The source cannot be read.
    async fn line(&mut self, prompt: &str) -> io::Result<Line>;

    /// Whether the source shows prompts and lines by itself, as a terminal does.
    fn echoes(&self) -> bool;
}

/// Lines of any reader. Shows nothing.
#[derive(Debug)]
pub struct PlainLines<R> {
    reader: R,
}

impl<R: AsyncBufRead + Unpin + Send> PlainLines<R> {
    /// Reads from this.
    pub fn new(reader: R) -> Self {
        Self { reader }
    }
}

#[async_trait]
impl<R: AsyncBufRead + Unpin + Send> Lines for PlainLines<R> {
    async fn line(&mut self, _: &str) -> io::Result<Line> {
        let mut text = String::new();
        if self.reader.read_line(&mut text).await? == 0 {
            return Ok(Line::End);
        }
        Ok(Line::Text(text.trim_end_matches(['\n', '\r']).to_owned()))
    }

    fn echoes(&self) -> bool {
        false
    }
}

/// Lines of a human at a terminal, with editing and history.
pub struct TerminalLines {
    /// Not here only while a line is being read.
    editor: Option<DefaultEditor>,
}

impl std::fmt::Debug for TerminalLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TerminalLines")
    }
}

impl TerminalLines {
    /// Takes over the terminal while a line is read.
    ///
    /// # Errors
    /// Standard input is not a usable terminal.
    pub fn new() -> io::Result<Self> {
        let editor = DefaultEditor::new().map_err(io::Error::other)?;
        Ok(Self { editor: Some(editor) })
    }
}

#[async_trait]
impl Lines for TerminalLines {
    async fn line(&mut self, prompt: &str) -> io::Result<Line> {
        let prompt = prompt.to_owned();
        let mut editor = match self.editor.take() {
            Some(editor) => editor,
            // The last read was given up half-way; its editor is gone with it.
            None => DefaultEditor::new().map_err(io::Error::other)?,
        };
        let reading = tokio::task::spawn_blocking(move || {
            let line = editor.readline(&prompt);
            if let Ok(text) = &line
                && let Err(error) = editor.add_history_entry(text.as_str())
            {
                tracing::debug!(%error, "line not added to the history");
            }
            (editor, line)
        });
        let (editor, line) = reading.await.map_err(io::Error::other)?;
        self.editor = Some(editor);
        match line {
            Ok(text) => Ok(Line::Text(text)),
            Err(ReadlineError::Eof) => Ok(Line::End),
            Err(ReadlineError::Interrupted) => Ok(Line::Cancelled),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    fn echoes(&self) -> bool {
        true
    }
}

/// Standard input: with editing when it is a terminal, plain otherwise.
///
/// # Errors
/// The terminal cannot be used.
pub fn stdin_lines() -> io::Result<Box<dyn Lines>> {
    if io::stdin().is_terminal() {
        return Ok(Box::new(TerminalLines::new()?));
    }
    let plain: PlainLines<BufReader<Stdin>> = PlainLines::new(BufReader::new(tokio::io::stdin()));
    Ok(Box::new(plain))
}
