//! Writing YAML that people read: what is short stands on one line, texts have quotes where something else could be read.

use serde_json::Value;
use std::fmt::Write as _;

/// The widest line, in characters, as far as there is a choice.
const WIDTH: usize = 120;
/// Plain words that YAML's readers, old ones too, take for something else than a text.
const TAKEN: [&str; 12] =
    ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf", "infinity"];

/// What is to be written, in its order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Value(Value),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
    /// A mapping whose entries stand on lines of their own, however short they are.
    Open(Vec<(String, Tree)>),
    /// A list whose items stand on lines of their own.
    Items(Vec<Tree>),
}

impl Tree {
    pub(super) fn text(text: &(impl ToString + ?Sized)) -> Self {
        Self::Value(Value::String(text.to_string()))
    }

    /// The same as a value; the order of members is lost.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::List(items) | Self::Items(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(members) | Self::Open(members) => {
                Value::Object(members.iter().map(|(name, tree)| (name.clone(), tree.to_json())).collect())
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Value(Value::Array(items)) => items.is_empty(),
            Self::Value(Value::Object(members)) => members.is_empty(),
            Self::Value(_) => false,
            Self::List(items) | Self::Items(items) => items.is_empty(),
            Self::Map(members) | Self::Open(members) => members.is_empty(),
        }
    }

    /// Whether it has lines of its own when it does not fit.
    fn opens(&self) -> bool {
        !self.is_empty() && !matches!(self, Self::Value(value) if !value.is_array() && !value.is_object())
    }
}

/// The document, entries of the uppermost mapping apart by blank lines.
pub(super) fn document(sections: &[(String, Tree)]) -> String {
    let mut text = String::new();
    for (number, section) in sections.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        block_entry(&mut text, section, 0);
    }
    text
}

fn block_entry(text: &mut String, (name, tree): &(String, Tree), indent: usize) {
    let _ = write!(text, "{:indent$}{}:", "", member(name));
    below(text, tree, indent, text_width(name) + indent + 2);
}

/// What stands after `name:` or `-`, which took `used` characters of the line.
fn below(text: &mut String, tree: &Tree, indent: usize, used: usize) {
    if let Some(line) = on_one_line(tree, WIDTH.saturating_sub(used)) {
        let _ = writeln!(text, " {line}");
    } else {
        text.push('\n');
        block(text, tree, indent + 2);
    }
}

fn block(text: &mut String, tree: &Tree, indent: usize) {
    match tree {
        Tree::Map(members) | Tree::Open(members) => {
            for member in members {
                block_entry(text, member, indent);
            }
        }
        Tree::List(items) | Tree::Items(items) => {
            for item in items {
                block_item(text, item, indent);
            }
        }
        Tree::Value(value) => block(text, &opened(value), indent),
    }
}

fn block_item(text: &mut String, item: &Tree, indent: usize) {
    let _ = write!(text, "{:indent$}-", "");
    if on_one_line(item, WIDTH.saturating_sub(indent + 2)).is_none() {
        let item = match item {
            Tree::Value(value) => &opened(value),
            other => other,
        };
        // The first member stands beside the dash.
        if let Tree::Map(members) | Tree::Open(members) = item
            && let Some(((name, tree), rest)) = members.split_first()
        {
            let _ = write!(text, " {}:", member(name));
            below(text, tree, indent + 2, indent + 4 + text_width(name));
            for member in rest {
                block_entry(text, member, indent + 2);
            }
            return;
        }
    }
    below(text, item, indent, indent + 2);
}

/// A value as a tree, its members in the order of their names.
fn opened(value: &Value) -> Tree {
    match value {
        Value::Array(items) => Tree::List(items.iter().cloned().map(Tree::Value).collect()),
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(name, value)| (name.clone(), Tree::Value(value.clone()))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Tree::Map(members)
        }
        other => Tree::Value(other.clone()),
    }
}

/// The tree on one line, if it fits and may stand so. A scalar always may.
fn on_one_line(tree: &Tree, room: usize) -> Option<String> {
    if !tree.opens() {
        let mut line = String::new();
        inline(&mut line, tree);
        return Some(line);
    }
    if must_open(tree) {
        return None;
    }
    let mut line = String::new();
    inline(&mut line, tree);
    (text_width(&line) <= room).then_some(line)
}

fn must_open(tree: &Tree) -> bool {
    match tree {
        Tree::Open(members) => !members.is_empty(),
        Tree::Items(items) => !items.is_empty(),
        Tree::Map(members) => members.iter().any(|(_, tree)| must_open(tree)),
        Tree::List(items) => items.iter().any(must_open),
        Tree::Value(_) => false,
    }
}

fn inline(line: &mut String, tree: &Tree) {
    match tree {
        Tree::Value(Value::String(text)) => line.push_str(&scalar(text)),
        Tree::Value(value @ (Value::Array(_) | Value::Object(_))) => match opened(value) {
            Tree::Value(_) => {}
            tree => inline(line, &tree),
        },
        Tree::Value(value) => line.push_str(&value.to_string()),
        Tree::List(items) | Tree::Items(items) => {
            line.push('[');
            for (number, item) in items.iter().enumerate() {
                line.push_str(if number > 0 { ", " } else { "" });
                inline(line, item);
            }
            line.push(']');
        }
        Tree::Map(members) | Tree::Open(members) => {
            line.push('{');
            for (number, (name, tree)) in members.iter().enumerate() {
                line.push_str(if number > 0 { ", " } else { "" });
                line.push_str(&member(name));
                line.push_str(": ");
                inline(line, tree);
            }
            line.push('}');
        }
    }
}

fn text_width(text: &str) -> usize {
    text.chars().count()
}

/// The name of a member. Where a role is held is `on` something, which is no truth value there.
fn member(name: &str) -> String {
    if name == "on" { name.to_owned() } else { scalar(name) }
}

/// A text, in quotes unless it can be read as nothing else.
fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if is_hidden(c) && u32::from(c) > 0xFFFF => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c if is_hidden(c) => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn is_plain(text: &str) -> bool {
    let mut letters = text.chars().skip_while(|c| *c == '_');
    letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./() @+'".contains(c))
        && !text.ends_with(' ')
        && !text.contains("  ")
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str())
}

/// Characters that a reader of the file could not see, or that would turn the text around.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff0}'..='\u{ffff}'
                | '\u{e0000}'..='\u{10ffff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_that_could_be_read_as_something_else_have_quotes() {
        for text in ["read", "Add a restaurant", "pizza-palace", "a.b", "it's", "_Reviewer_", "joe@x.io"] {
            assert_eq!(scalar(text), text);
        }
        for text in
            ["", " a", "a ", "12", "1e5", "_1", "no", "On", "NULL", "~", "a: b", "a #b", "-", "<<", "é"]
        {
            assert_eq!(scalar(text), format!("\"{text}\""));
        }
        assert_eq!(scalar("a\n\"b\"\\\u{202e}\u{0}"), r#""a\n\"b\"\\\u202E\u0000""#);
        assert_eq!(scalar("\u{e0001}"), r#""\U000E0001""#);
    }

    #[test]
    fn what_is_short_stands_on_one_line() {
        let long: Vec<Value> = (0..40).map(|n| json!(format!("item-{n}"))).collect();
        let tree = vec![
            ("short".to_owned(), Tree::Value(json!({"b": [1, {"c": null}], "a": "x y"}))),
            ("long".to_owned(), Tree::Value(json!({"z": long, "y": {}}))),
            ("open".to_owned(), Tree::Open(vec![("one".to_owned(), Tree::Map(Vec::new()))])),
            (
                "items".to_owned(),
                Tree::Items(vec![
                    Tree::Map(vec![("user".to_owned(), Tree::text("joe"))]),
                    Tree::Value(json!({"first": "x".repeat(130), "second": [[1, 2], []]})),
                ]),
            ),
        ];
        insta::assert_snapshot!(document(&tree));
    }
}
