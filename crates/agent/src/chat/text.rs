//! Text that others wrote, on a human's terminal.
//!
//! A model or a tool can write escape sequences that move the cursor and paint over the question, or
//! characters that nobody sees. Here they become visible.

use serde_json::Value;
use std::fmt::Write as _;

/// Widest line of an argument's value, in characters; longer values go on in the next line.
const VALUE_WIDTH: usize = 76;
/// Longest argument or result in a one-line summary, in characters.
const SUMMARY_WIDTH: usize = 80;

/// The text with everything that is not plainly visible spelled out. Line breaks and tabs stay.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || c == '\t' {
            shown.push(c);
        } else if c.is_control() || is_invisible(c) {
            // Writing to a string does not fail.
            let _ = write!(shown, "<U+{:04X}>", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Characters that take no room or change the direction of what follows.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x17B4 | 0x17B5
        | 0x180B..=0x180F | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164
        | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF9..=0xFFFB | 0xE0000..=0xE0FFF)
}

/// One line, cut off where it gets long.
pub(super) fn summary(text: &str) -> String {
    let line = visible(text).replace(['\n', '\t'], " ");
    let mut short: String = line.chars().take(SUMMARY_WIDTH).collect();
    if short.len() < line.len() {
        short.push_str("...");
    }
    short
}

/// Arguments on one line, for a call that needs no decision. Long values are cut one by one, so that a long one
/// does not hide those after it.
pub(super) fn call_line(args: &Value) -> String {
    match args {
        Value::Object(args) => {
            let pairs: Vec<String> = args
                .iter()
                .map(|(name, value)| format!("{}={}", summary(name), summary(&value.to_string())))
                .collect();
            pairs.join(" ")
        }
        other => summary(&other.to_string()),
    }
}

/// A call with its exact arguments, nothing left out, as a table of names and JSON values.
pub(super) fn call_table(tool: &str, args: &Value) -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    match args {
        Value::Object(args) if args.is_empty() => rows.push((String::new(), "(no arguments)".to_owned())),
        Value::Object(args) => {
            rows.extend(args.iter().map(|(name, value)| (one_line(name), one_line(&value.to_string()))));
        }
        other => rows.push((String::new(), one_line(&other.to_string()))),
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut table = format!("  ┌ {}\n", one_line(tool));
    for (name, value) in rows {
        let mut label = name.as_str();
        for piece in pieces(&value) {
            let _ = writeln!(table, "  │ {label:width$}  {piece}");
            label = "";
        }
    }
    table.push_str("  └\n");
    table
}

fn one_line(text: &str) -> String {
    visible(text).replace('\n', "<U+000A>").replace('\t', "<U+0009>")
}

/// The value in pieces of at most [`VALUE_WIDTH`] characters.
fn pieces(value: &str) -> Vec<String> {
    let chars: Vec<char> = value.chars().collect();
    if chars.is_empty() {
        return vec![String::new()];
    }
    chars.chunks(VALUE_WIDTH).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn escapes_and_hidden_characters_are_spelled_out() {
        assert_eq!(visible("a\u{1b}[2Kb\n\tc"), "a<U+001B>[2Kb\n\tc");
        assert_eq!(visible("pay\u{202e}olleh\u{200b}\u{e0041}"), "pay<U+202E>olleh<U+200B><U+E0041>");
        assert_eq!(visible("größe 20 € 🍕"), "größe 20 € 🍕");
    }

    #[test]
    fn a_table_leaves_nothing_out() {
        let long = "x".repeat(200);
        let table = call_table("order\n_dish", &json!({"dish": "Lobster\nfree", "note": long, "n": 2}));
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "  ┌ order<U+000A>_dish");
        assert_eq!(lines[1], r#"  │ dish  "Lobster\nfree""#);
        assert_eq!(table.matches('x').count(), 200);
        assert!(lines.iter().all(|line| line.chars().count() <= 90), "{table}");
        assert_eq!(lines[lines.len() - 2], "  │ n     2");
        assert_eq!(call_table("t", &json!({})), "  ┌ t\n  │   (no arguments)\n  └\n");
    }

    #[test]
    fn one_long_value_does_not_hide_the_next() {
        let line = call_line(&json!({"a": "y".repeat(500), "b": "seen"}));
        assert!(line.contains("...") && line.ends_with(r#"b="seen""#), "{line}");
    }
}
