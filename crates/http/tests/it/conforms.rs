//! Every call that a test makes is held against the description: its answer has a shape that is described, a body that
//! was taken would have been right by it, and one that was refused for its shape would have been wrong.

use regex::Regex;
use serde_json::{Map, Value};

/// What was sent and what was answered.
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) sent: Option<&'a Value>,
    pub(crate) status: u16,
    pub(crate) answered: &'a Value,
}

/// Panics when a call to a described route is not as described.
pub(crate) fn check(document: &Value, call: &Exchange<'_>) {
    let Some(operation) = operation(document, call) else { return };
    let told = format!("{} {} {:?}: {} {}", call.method, call.path, call.sent, call.status, call.answered);
    let answers = operation["responses"].as_object().expect("answers");
    let answer = answers.get(&call.status.to_string());
    let answer = resolve(document, answer.unwrap_or_else(|| panic!("this status is not described: {told}")));
    match schema_of(answer) {
        Some(schema) => {
            let wrong = Validator(document).wrong(schema, call.answered);
            assert_eq!(wrong, None, "the answer is not as described: {told}");
        }
        None => assert_eq!(call.answered, &Value::Null, "no body is described: {told}"),
    }
    let nothing = Value::Object(Map::new());
    if let Some(schema) = schema_of(&operation["requestBody"]) {
        let wrong = Validator(document).wrong(schema, call.sent.unwrap_or(&nothing));
        match call.status {
            200..300 => assert_eq!(wrong, None, "what was taken is not described: {told}"),
            // What is no JSON has no shape.
            422 if call.answered["detail"][0]["type"] != "json_invalid" => {
                assert_ne!(wrong, None, "what was refused is described: {told}");
            }
            _ => {}
        }
    }
}

/// The operation whose path fits best; the more of it is spelled out, the better.
fn operation<'a>(document: &'a Value, call: &Exchange<'_>) -> Option<&'a Value> {
    let path = call.path.split('?').next().expect("a path");
    let fits = |template: &str| {
        let (said, parts) = (template.split('/').collect::<Vec<_>>(), path.split('/').collect::<Vec<_>>());
        let literal = said.iter().zip(&parts).filter(|(said, part)| said == part).count();
        let all = said.len() == parts.len()
            && said.iter().zip(&parts).all(|(said, part)| {
                said == part || (said.starts_with('{') && said.ends_with('}') && !part.is_empty())
            });
        all.then_some(literal)
    };
    let paths = document["paths"].as_object().expect("paths").iter();
    let best = paths.filter_map(|(template, item)| Some((fits(template)?, item))).max_by_key(|(fit, _)| *fit);
    best?.1.get(call.method.to_lowercase())
}

fn resolve<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    let Some(reference) = part["$ref"].as_str() else { return part };
    document.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

fn schema_of(part: &Value) -> Option<&Value> {
    let content = part.get("content")?.as_object()?;
    content.values().next()?.get("schema")
}

/// As much of JSON Schema as descriptions have; whatever else there is fails.
struct Validator<'a>(&'a Value);

const KNOWN: [&str; 24] = [
    "$ref",
    "type",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "items",
    "minItems",
    "maxItems",
    "required",
    "properties",
    "additionalProperties",
    "maxProperties",
    "propertyNames",
    "allOf",
    "anyOf",
    "oneOf",
    "description",
    "default",
    "title",
    "examples",
];

impl Validator<'_> {
    /// What is wrong with a value.
    fn wrong(&self, schema: &Value, value: &Value) -> Option<String> {
        let Some(told) = schema.as_object() else {
            assert_eq!(schema, &Value::Bool(false), "no schema: {schema}");
            return Some(format!("{value} should not be there"));
        };
        if let Some(unknown) = told.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            panic!("the tests do not know what `{unknown}` means");
        }
        if told.contains_key("$ref") {
            return self.wrong(resolve(self.0, schema), value);
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect(),
        };
        if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(kind, value)) {
            return Some(format!("{value} is not {kinds:?}"));
        }
        if schema["enum"].as_array().is_some_and(|all| !all.contains(value) && !value.is_null()) {
            return Some(format!("{value} is none of {}", schema["enum"]));
        }
        let one = match value {
            Value::String(text) => text_is_wrong(schema, text),
            Value::Number(number) => {
                let number = number.as_f64().expect("a number");
                let below = schema["minimum"].as_f64().is_some_and(|least| number < least);
                let above = schema["maximum"].as_f64().is_some_and(|most| number > most);
                (below || above).then(|| format!("{value} is out of bounds"))
            }
            Value::Array(items) => self.list_is_wrong(schema, items),
            Value::Object(members) => self.object_is_wrong(told, members),
            Value::Null | Value::Bool(_) => None,
        };
        one.or_else(|| self.combination_is_wrong(schema, value))
    }

    fn combination_is_wrong(&self, schema: &Value, value: &Value) -> Option<String> {
        let among =
            |key: &str| schema[key].as_array().map(|parts| parts.iter().map(|part| self.wrong(part, value)));
        if let Some(wrong) = among("allOf").and_then(|mut parts| parts.find_map(|wrong| wrong)) {
            return Some(wrong);
        }
        for (key, most) in [("anyOf", usize::MAX), ("oneOf", 1)] {
            let Some(parts) = among(key) else { continue };
            let wrong: Vec<_> = parts.collect();
            let fitting = wrong.iter().filter(|wrong| wrong.is_none()).count();
            if fitting == 0 || fitting > most {
                return Some(format!("{value} fits {fitting} of {key}: {wrong:?}"));
            }
        }
        None
    }

    fn list_is_wrong(&self, schema: &Value, items: &[Value]) -> Option<String> {
        if schema["maxItems"].as_u64().is_some_and(|most| items.len() as u64 > most) {
            return Some(format!("{} items are too many", items.len()));
        }
        let of = schema.get("items")?;
        items.iter().find_map(|item| self.wrong(of, item))
    }

    fn object_is_wrong(&self, told: &Map<String, Value>, members: &Map<String, Value>) -> Option<String> {
        let required = told.get("required").and_then(Value::as_array).into_iter().flatten();
        if let Some(missing) = required.filter_map(Value::as_str).find(|name| !members.contains_key(*name)) {
            return Some(format!("`{missing}` is missing"));
        }
        let most = told.get("maxProperties").and_then(Value::as_u64);
        if most.is_some_and(|most| u64::try_from(members.len()).is_ok_and(|many| many > most)) {
            return Some(format!("there are more than {most:?} members"));
        }
        let known = told.get("properties").and_then(Value::as_object);
        for (name, value) in members {
            let of = known.and_then(|known| known.get(name)).or_else(|| told.get("additionalProperties"));
            let named = told.get("propertyNames");
            let wrong = of.and_then(|of| self.wrong(of, value));
            let wrong = wrong.or_else(|| self.wrong(named?, &Value::String(name.clone())));
            if let Some(wrong) = wrong {
                return Some(format!("{name}: {wrong}"));
            }
        }
        None
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => panic!("`{kind}` is no type"),
    }
}

fn text_is_wrong(schema: &Value, text: &str) -> Option<String> {
    let length = text.chars().count() as u64;
    let is_short = schema["minLength"].as_u64().is_some_and(|least| length < least);
    let is_long = schema["maxLength"].as_u64().is_some_and(|most| length > most);
    let is_other = schema["pattern"].as_str().is_some_and(|pattern| {
        let pattern = Regex::new(pattern).expect("a pattern");
        !pattern.is_match(text)
    });
    let is_misformed = match schema["format"].as_str() {
        Some("uuid") => text.parse::<uuid::Uuid>().is_err(),
        Some("date-time") => text.parse::<jiff::Timestamp>().is_err(),
        _ => false,
    };
    (is_short || is_long || is_other || is_misformed).then(|| format!("`{text}` is not {schema}"))
}

#[test]
fn what_is_not_as_described_is_seen() {
    use serde_json::json;
    let document = json!({"components": {"schemas": {"Key": {"type": "string", "pattern": "^[a-z]+$"}}}});
    let key = json!({"$ref": "#/components/schemas/Key"});
    let thing = json!({"allOf": [
        {"type": "object", "required": ["key"], "properties": {"key": key, "kind": {"enum": ["a", "b"]}}},
        {"properties": {"of": {"oneOf": [{"type": "array", "items": key}, {"type": "null"}]}}}
    ]});
    for right in
        [json!({"key": "x"}), json!({"key": "x", "kind": "a", "of": ["y"]}), json!({"key": "x", "of": null})]
    {
        assert_eq!(Validator(&document).wrong(&thing, &right), None);
    }
    let wrong = [
        json!({}),
        json!([]),
        json!({"key": "X"}),
        json!({"key": null}),
        json!({"key": "x", "kind": "c"}),
        json!({"key": "x", "of": ["Y"]}),
        json!({"key": "x", "of": "y"}),
    ];
    for wrong in wrong {
        assert!(Validator(&document).wrong(&thing, &wrong).is_some(), "{wrong}");
    }
}
