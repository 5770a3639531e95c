//! A call that could be made, for the reader to copy: what is required, with names of the family that the examples are about.

use super::kinds::shape_of;
use serde_json::{Map, Value, json};

/// How deep an example goes; shapes may hold themselves.
const DEEPEST: usize = 6;

/// Names that read better than their kind.
const NAMES: &[(&str, &str)] = &[
    ("project", "default"),
    ("env", "dev"),
    ("tenant", "default"),
    ("tenant_id", "default"),
    ("permit-tenant-id", "default"),
    ("user", "henry"),
    ("user_id", "henry"),
    ("username", "henry"),
    ("consumer", "henry"),
    ("permit-user-key", "henry"),
    ("action", "order"),
    ("permit-action", "order"),
    ("resource", "restaurants"),
    ("type", "restaurants"),
    ("permit-resource-type", "restaurants"),
    ("instance", "restaurants:pizza-palace"),
    ("resource_instance", "restaurants:pizza-palace"),
    ("role", "child-can-order"),
    ("element", "restaurant-requests"),
    ("url", "https://example.com/orders/7"),
    ("http_method", "get"),
    ("method", "GET"),
    ("path", "/orders/7"),
    ("email", "henry@example.com"),
    ("file", "version: 1"),
    ("reason", "I would like to order a pizza."),
];

/// An id, where one is wanted.
const ID: &str = "6f0f3c1e-7a1b-4d64-9c55-0e5d0f2f7a10";

/// A word for something of this name.
pub(super) fn word(name: &str) -> &str {
    NAMES.iter().find(|(known, _)| *known == name).map_or(name, |(_, word)| word)
}

/// A value that a schema allows: the members that are required, or of a thing that requires none, none.
pub(super) fn value(document: &Value, schema: &Value, name: &str) -> Value {
    made(document, schema, name, 0)
}

fn made(document: &Value, schema: &Value, name: &str, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(shape) = shape_of(schema) {
        let known = document.pointer("/components/schemas").and_then(|all| all.get(shape));
        // A key or id is named by what it is a key of.
        let inside = if name == "key" && shape == "KeyOrId" { "user" } else { name };
        return known.map_or(Value::Null, |schema| made(document, schema, inside, depth + 1));
    }
    if let Some(Value::Array(all)) = schema.get("allOf") {
        let mut members = Map::new();
        for part in all {
            if let Value::Object(more) = made(document, part, name, depth + 1) {
                members.extend(more);
            }
        }
        return Value::Object(members);
    }
    for either in ["oneOf", "anyOf"] {
        if let Some(first) = schema.get(either).and_then(|kinds| kinds.get(0)) {
            return made(document, first, name, depth + 1);
        }
    }
    if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
        return first.clone();
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        kind => kind.and_then(Value::as_str),
    };
    match kind {
        Some("string") => text(schema, name).into(),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("array") => {
            let item = schema.get("items").map(|items| made(document, items, singular(name), depth + 1));
            Value::Array(item.into_iter().collect())
        }
        _ => object(document, schema, depth),
    }
}

fn text<'a>(schema: &Value, name: &'a str) -> &'a str {
    match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2030-01-31T12:00:00Z",
        Some("uuid") => ID,
        _ => word(name),
    }
}

fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

fn object(document: &Value, schema: &Value, depth: usize) -> Value {
    let Some(Value::Object(members)) = schema.get("properties") else { return json!({}) };
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let wanted = members.iter().filter(|(name, _)| is_required(name));
    Value::Object(
        wanted.map(|(name, member)| (name.clone(), made(document, member, name, depth + 1))).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_what_is_required() {
        let document = json!({"components": {"schemas": {
            "Resource": {"type": "object", "required": ["type"], "properties": {
                "type": {"type": "string"}, "key": {"type": ["string", "null"]}}},
            "Loop": {"type": "object", "required": ["again"], "properties": {
                "again": {"$ref": "#/components/schemas/Loop"}}}
        }}});
        let schema = json!({"type": "object", "required": ["resource", "at", "page"], "properties": {
            "resource": {"$ref": "#/components/schemas/Resource"},
            "at": {"type": "string", "format": "date-time"},
            "page": {"type": "integer", "minimum": 1},
            "more": {"type": "string"}
        }});
        let made = value(&document, &schema, "body");
        let expected = json!({"resource": {"type": "restaurants"}, "at": "2030-01-31T12:00:00Z", "page": 1});
        assert_eq!(made, expected);
        let looped = value(&document, &json!({"$ref": "#/components/schemas/Loop"}), "body");
        assert!(looped["again"].is_object(), "it ends: {looped}");
    }
}
