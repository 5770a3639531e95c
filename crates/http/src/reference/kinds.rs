//! What a schema allows, in words.

use serde_json::Value;

/// A part of a text: plain, literal, or the name of a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Plain(String),
    Code(String),
    Shape(String),
}

/// A text in its parts.
pub(super) type Told = Vec<Piece>;

/// What stands between backticks is literal.
pub(super) fn told(text: &str) -> Told {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts
        .map(
            |(at, part)| {
                if at % 2 == 0 { Piece::Plain(part.replace('\n', " ")) } else { Piece::Code(part.to_owned()) }
            },
        )
        .collect()
}

/// The shape that a reference names.
pub(super) fn shape_of(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/components/schemas/")
}

/// What a schema allows.
pub(super) fn kind(schema: &Value) -> Told {
    if let Some(name) = shape_of(schema) {
        return vec![Piece::Shape(name.to_owned())];
    }
    for (joined, word) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(Value::Array(parts)) = schema.get(joined) {
            return join(parts.iter().map(kind), word);
        }
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        return join(values.iter().map(|value| vec![Piece::Code(literal(value))]), " or ");
    }
    match schema.get("type") {
        Some(Value::String(name)) => of_type(name, schema),
        Some(Value::Array(names)) => {
            join(names.iter().filter_map(Value::as_str).map(|name| of_type(name, schema)), " or ")
        }
        _ => plain("any value"),
    }
}

fn of_type(name: &str, schema: &Value) -> Told {
    match name {
        "string" => text(schema),
        "integer" => number("whole number", schema),
        "number" => number("number", schema),
        "boolean" => plain("true or false"),
        "array" => {
            let mut list = plain("list of ");
            list.extend(schema.get("items").map_or_else(|| plain("any value"), kind));
            list
        }
        "object" => object(schema),
        other => plain(other),
    }
}

fn text(schema: &Value) -> Told {
    match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => return plain("moment (RFC 3339)"),
        Some("uuid") => return plain("UUID"),
        Some("uri") => return plain("URL"),
        _ => {}
    }
    let mut told = plain("text");
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        told.extend([Piece::Plain(" like ".to_owned()), Piece::Code(pattern.to_owned())]);
    }
    if let Some(most) = schema.get("maxLength") {
        told.push(Piece::Plain(format!(", {most} characters at most")));
    }
    told
}

fn number(word: &str, schema: &Value) -> Told {
    let bounds = match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" from {least}"),
        (None, Some(most)) => format!(" up to {most}"),
        (None, None) => String::new(),
    };
    plain(&format!("{word}{bounds}"))
}

fn object(schema: &Value) -> Told {
    if let Some(Value::Object(members)) = schema.get("properties") {
        let members = members.iter().map(|(name, member)| {
            let mut told = vec![Piece::Code(name.clone()), Piece::Plain(": ".to_owned())];
            told.extend(kind(member));
            told
        });
        let mut told = plain("object { ");
        told.extend(join(members, ", "));
        told.push(Piece::Plain(" }".to_owned()));
        return told;
    }
    match schema.get("additionalProperties") {
        Some(values @ Value::Object(said)) if !said.is_empty() => {
            let mut told = plain("object of ");
            told.extend(kind(values));
            told
        }
        _ if schema.get("maxProperties") == Some(&0.into()) => plain("object without members"),
        _ => plain("object"),
    }
}

fn join(parts: impl Iterator<Item = Told>, word: &str) -> Told {
    let mut told = Told::new();
    for part in parts {
        if !told.is_empty() {
            told.push(Piece::Plain(word.to_owned()));
        }
        told.extend(part);
    }
    told
}

fn plain(text: &str) -> Told {
    vec![Piece::Plain(text.to_owned())]
}

fn literal(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(schema: &Value) -> String {
        let part = |piece| match piece {
            Piece::Plain(text) => text,
            Piece::Code(text) => format!("`{text}`"),
            Piece::Shape(name) => format!("[{name}]"),
        };
        kind(schema).into_iter().map(part).collect()
    }

    #[test]
    fn schemas_are_told_in_words() {
        for (schema, told) in [
            (json!({"$ref": "#/components/schemas/Key"}), "[Key]"),
            (json!({"type": ["string", "null"]}), "text or null"),
            (json!({"oneOf": [{"$ref": "#/components/schemas/Id"}, {"type": "null"}]}), "[Id] or null"),
            (json!({"type": "string", "enum": ["a", "b"]}), "`a` or `b`"),
            (json!({"type": "integer", "minimum": 1, "maximum": 100}), "whole number from 1 to 100"),
            (json!({"type": "array", "items": {"type": "string", "format": "uuid"}}), "list of UUID"),
            (
                json!({"type": "object", "additionalProperties": {"type": "boolean"}}),
                "object of true or false",
            ),
            (json!({"type": "object", "properties": {"a": {"type": "string"}}}), "object { `a`: text }"),
            (json!({}), "any value"),
        ] {
            assert_eq!(words(&schema), told);
        }
    }

    #[test]
    fn what_stands_between_backticks_is_literal() {
        assert_eq!(
            told("a `b` c"),
            [Piece::Plain("a ".into()), Piece::Code("b".into()), Piece::Plain(" c".into())]
        );
    }
}
