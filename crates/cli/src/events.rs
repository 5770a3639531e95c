//! Reading server-sent events (the HTML standard, "Server-sent events"): as much of it as our own server writes.

use std::time::Duration;

/// A server that says nothing for longer than this is gone: it says something every 15 seconds.
pub(crate) const SILENCE: Duration = Duration::from_secs(45);
/// The longest line that is read.
const LONGEST: usize = 16 * 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Event {
    /// Empty when it has none.
    pub(crate) name: String,
    /// The last one that was said, by this event or before it.
    pub(crate) id: Option<u64>,
    pub(crate) data: String,
}

/// What an answer tells, as it comes.
#[derive(Debug)]
pub(crate) struct Events {
    answer: reqwest::Response,
    parser: Parser,
}

impl Events {
    pub(crate) fn of(answer: reqwest::Response) -> Self {
        Self { answer, parser: Parser::default() }
    }

    /// The next event; none once the answer has ended. A silence counts as an event without a name, so that whoever reads learns
    /// up to where it has come.
    ///
    /// # Errors
    /// When the connection breaks, or the server has been silent for too long.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, reqwest::Error> {
        loop {
            if let Some(event) = self.parser.next() {
                return Ok(Some(event));
            }
            match self.answer.chunk().await? {
                Some(chunk) if self.parser.held.len() + chunk.len() <= LONGEST => {
                    self.parser.held.extend_from_slice(&chunk);
                }
                Some(_) | None => return Ok(None),
            }
        }
    }
}

/// What came in and is no event yet.
#[derive(Debug, Default)]
struct Parser {
    held: Vec<u8>,
    begun: Event,
}

impl Parser {
    fn next(&mut self) -> Option<Event> {
        while let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.held.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                let id = self.begun.id;
                return Some(std::mem::replace(&mut self.begun, Event { id, ..Event::default() }));
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut self.begun.name),
                "id" => self.begun.id = value.parse().ok().or(self.begun.id),
                "data" => {
                    if !self.begun.data.is_empty() {
                        self.begun.data.push('\n');
                    }
                    self.begun.data.push_str(value);
                }
                // Comments, and what nobody here goes by.
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However the bytes are cut.
    #[test]
    fn events_are_put_together() {
        let text = ": listening\nretry: 2000\n\nid: 7\nevent: request.created\ndata: {\"a\":1}\n\nid: 9\n: quiet\n\n\
                    event: end\r\ndata:x\r\ndata: y\r\n\r\nevent: cut";
        let event = |name: &str, id, data: &str| Event { name: name.to_owned(), id, data: data.to_owned() };
        let expected = [
            event("", None, ""),
            event("request.created", Some(7), "{\"a\":1}"),
            event("", Some(9), ""),
            event("end", Some(9), "x\ny"),
        ];
        for size in [1, 2, 7, 1000] {
            let mut parser = Parser::default();
            let mut read = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                parser.held.extend_from_slice(chunk);
                while let Some(event) = parser.next() {
                    read.push(event);
                }
            }
            assert_eq!(read, expected, "{size}");
        }
    }
}
