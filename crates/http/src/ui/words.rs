//! How requests, moments and other people's texts are put on a page.

use askfirst_domain::{
    Timestamp,
    id::RequestId,
    principal::Principal,
    request::{RequestKind, Status},
    visible::hides,
};
use askfirst_engine::requests::{PersonView, RequestView};

/// A text that somebody else wrote. Shown as text, with what is invisible in it made visible.
#[derive(Debug, Clone)]
pub(super) struct Foreign(String);

/// A part of a [`Foreign`] text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Plain(String),
    /// A character that would hide or reorder what is read, by its code point.
    Hidden(String),
}

impl Foreign {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The beginning of a text, for a list.
    pub(super) fn beginning(text: &str, most: usize) -> Self {
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut short: String = one_line.chars().take(most).collect();
        if short.len() < one_line.len() {
            short.push('…');
        }
        Self(short)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        for c in self.0.chars() {
            if hides(c) {
                if !plain.is_empty() {
                    pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Hidden(format!("U+{:04X}", u32::from(c))));
            } else {
                plain.push(c);
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        pieces
    }
}

/// A short text of somebody else's, a name for instance, in which nothing is hidden.
pub(super) fn visible(text: &str) -> String {
    let piece = |piece| match piece {
        Piece::Plain(plain) => plain,
        Piece::Hidden(code) => format!("⟨{code}⟩"),
    };
    Foreign::new(text).pieces().into_iter().map(piece).collect()
}

/// JSON for a field in which somebody changes it: the same value, with what hides written as an escape.
pub(super) fn editable(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if hides(c) {
            let mut units = [0; 2];
            shown.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A person's name, and the key behind it, since a name can be anybody's.
pub(super) fn person(person: &PersonView) -> String {
    let (name, key) = (visible(&person.display_name()), person.key.as_str());
    if name.eq_ignore_ascii_case(key) { name } else { format!("{name} ({key})") }
}

/// A moment, for reading and for the attribute.
#[derive(Debug, Clone)]
pub(super) struct When {
    pub(super) exact: String,
    pub(super) ago: String,
}

impl When {
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        let exact = at.to_string();
        let seconds = now.micros().saturating_sub(at.micros()) / 1_000_000;
        let (count, unit) = match seconds {
            ..10 => return Self { exact, ago: "just now".to_owned() },
            10..60 => (seconds, "second"),
            60..3600 => (seconds / 60, "minute"),
            3600..86_400 => (seconds / 3600, "hour"),
            _ => (seconds / 86_400, "day"),
        };
        let plural = if count == 1 { "" } else { "s" };
        Self { exact, ago: format!("{count} {unit}{plural} ago") }
    }
}

/// A request in a list, or at the head of its page.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: RequestId,
    pub(super) requester: String,
    pub(super) by_agent: bool,
    /// `asks for` or `asked for`.
    pub(super) asks: &'static str,
    /// What is asked for, without the place.
    pub(super) wish: String,
    pub(super) place: String,
    pub(super) status: &'static str,
    pub(super) reason: Foreign,
    pub(super) asked: When,
}

impl Row {
    pub(super) fn new(view: &RequestView, now: Timestamp) -> Self {
        let request = &view.request;
        let wish = match request.kind {
            RequestKind::AccessRequest => format!("the role “{}”", visible(&view.gives.role_name)),
            RequestKind::OperationApproval => "approval of one operation".to_owned(),
        };
        Self {
            id: request.id,
            requester: person(&view.requester),
            by_agent: is_agent(&request.opened_by),
            asks: if request.status == Status::Pending { "asks for" } else { "asked for" },
            wish,
            place: view.place(),
            status: request.status.as_str(),
            reason: Foreign::beginning(&request.reason, 140),
            asked: When::new(request.created_at, now),
        }
    }
}

/// Whether an agent opened it.
pub(super) fn is_agent(opened_by: &Principal) -> bool {
    matches!(opened_by, Principal::Agent { .. } | Principal::TrustedAgent { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_shown() {
        let pieces = Foreign::new("pay\u{202E}evil\u{200B}\u{0}\nok 🍕").pieces();
        let told: Vec<String> = pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Plain(text) => text,
                Piece::Hidden(code) => format!("[{code}]"),
            })
            .collect();
        assert_eq!(told.concat(), "pay[U+202E]evil[U+200B][U+0000]\nok 🍕");
    }

    #[test]
    fn what_hides_is_an_escape_where_it_is_changed() {
        let value = serde_json::json!({"note": "a\u{202E}b\u{E0001}c"});
        let shown = editable(&serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(shown, "{\n  \"note\": \"a\\u202eb\\udb40\\udc01c\"\n}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn moments_are_told_in_one_unit() {
        let told = |seconds: i64| {
            When::new(Timestamp::from_micros(0), Timestamp::from_micros(seconds * 1_000_000)).ago
        };
        assert_eq!(told(-5), "just now");
        assert_eq!(told(59), "59 seconds ago");
        assert_eq!(told(60), "1 minute ago");
        assert_eq!(told(7300), "2 hours ago");
        assert_eq!(told(86_400 * 3), "3 days ago");
    }
}
