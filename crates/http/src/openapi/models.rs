//! What models have in common, said once: names of pages and bulk calls, members that are always there, bodies that may
//! be left out.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PREFIX: &str = "#/components/schemas/";

/// Completes all models of a description.
pub(super) fn complete(document: &mut Value) {
    name(document);
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object).cloned();
    let schemas = schemas.unwrap_or_default();
    let (mut sent, mut answered) = (BTreeSet::new(), BTreeSet::new());
    for operation in operations(document) {
        if let Some(body) = operation.get_mut("requestBody") {
            reach(body, &schemas, &mut sent);
            if schema_of(body).is_some_and(|schema| takes_nothing(schema, &schemas))
                && let Some(body) = body.as_object_mut()
            {
                body.insert("required".into(), false.into());
            }
        }
        if let Some(answers) = operation.get("responses") {
            reach(answers, &schemas, &mut answered);
        }
    }
    for model in answered.difference(&sent) {
        if let Some(schema) = document.pointer_mut(&format!("/components/schemas/{model}")) {
            always_there(schema);
        }
    }
}

/// Which part of a list is wanted is said in the same way everywhere, unless a route has bounds of its own.
/// `largest_page` is what the operator allows.
pub(super) fn complete_page(parameter: &mut Value, largest_page: u32) {
    if parameter.pointer("/schema/maximum").is_some() {
        return;
    }
    let (about, default, bounds) = match parameter.get("name").and_then(Value::as_str) {
        Some("page") => {
            ("Which page, from 1.", 1, json!({"type": "integer", "minimum": 1, "maximum": u32::MAX}))
        }
        Some("per_page") => (
            "How many items a page has. The operator sets the most.",
            100,
            json!({"type": "integer", "minimum": 1, "maximum": largest_page}),
        ),
        _ => return,
    };
    let default = parameter.pointer("/schema/default").cloned().unwrap_or(default.into());
    if let Some(parameter) = parameter.as_object_mut() {
        parameter.insert("description".into(), about.into());
        parameter.insert("schema".into(), bounds);
    }
    if let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut) {
        schema.insert("default".into(), default);
    }
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    items.flat_map(Map::values_mut)
}

fn schema_of(body: &Value) -> Option<&Value> {
    body.pointer("/content/application~1json/schema")
}

/// Names of generic models are made of two: `PaginatedResult_UserRead`. They get Permit's name for it, and the inner
/// model, which stands in them as a copy, becomes a reference.
fn name(document: &mut Value) {
    let Some(schemas) = document.pointer("/components/schemas").and_then(Value::as_object).cloned() else {
        return;
    };
    let mut names = BTreeMap::new();
    for (made, mut schema) in schemas.clone() {
        let Some((outer, inner)) = made.split_once('_') else { continue };
        let Some(model) = schemas.get(inner) else { continue };
        let known = match outer {
            "PaginatedResult" => format!("{outer}{inner}"),
            _ => format!("{}{outer}", inner.trim_end_matches("Bulk")),
        };
        replace(&mut schema, model, &json!({"$ref": format!("{PREFIX}{inner}")}));
        if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
            schemas.remove(&made);
            schemas.insert(known.clone(), schema);
        }
        names.insert(format!("{PREFIX}{made}"), format!("{PREFIX}{known}"));
    }
    rename(document, &names);
}

fn replace(part: &mut Value, model: &Value, reference: &Value) {
    if part == model {
        *part = reference.clone();
        return;
    }
    children(part).for_each(|child| replace(child, model, reference));
}

fn rename(part: &mut Value, names: &BTreeMap<String, String>) {
    if let Some(Value::String(reference)) = part.get_mut("$ref")
        && let Some(known) = names.get(reference)
    {
        reference.clone_from(known);
    }
    children(part).for_each(|child| rename(child, names));
}

fn children(part: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match part {
        Value::Object(members) => Box::new(members.values_mut()),
        Value::Array(items) => Box::new(items.iter_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

/// Every model that a part leads to.
fn reach(part: &Value, schemas: &Map<String, Value>, found: &mut BTreeSet<String>) {
    match part {
        Value::Object(members) => {
            if let Some(model) = members.get("$ref").and_then(Value::as_str).and_then(model_of)
                && found.insert(model.to_owned())
                && let Some(schema) = schemas.get(model)
            {
                reach(schema, schemas, found);
            }
            members.values().for_each(|member| reach(member, schemas, found));
        }
        Value::Array(items) => items.iter().for_each(|item| reach(item, schemas, found)),
        _ => {}
    }
}

fn model_of(reference: &str) -> Option<&str> {
    reference.strip_prefix(PREFIX)
}

/// Whether `{}` fits, as which an empty body reads.
fn takes_nothing(schema: &Value, schemas: &Map<String, Value>) -> bool {
    if let Some(model) = schema.get("$ref").and_then(Value::as_str).and_then(model_of) {
        return schemas.get(model).is_some_and(|schema| takes_nothing(schema, schemas));
    }
    if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
        return all.iter().all(|part| takes_nothing(part, schemas));
    }
    let is_object = schema.get("type").is_some_and(|kind| kind == "object");
    is_object && schema.get("required").and_then(Value::as_array).is_none_or(Vec::is_empty)
}

/// In what we answer, a member that has no value is `null`; one that may be missing is never `null`.
fn always_there(schema: &mut Value) {
    if let Some(members) = schema.get("properties").and_then(Value::as_object) {
        let nullable: Vec<Value> = members
            .iter()
            .filter(|(_, member)| may_be_null(member))
            .map(|(name, _)| name.clone().into())
            .collect();
        if let Some(schema) = schema.as_object_mut()
            && let Some(required) = schema.entry("required").or_insert_with(|| json!([])).as_array_mut()
        {
            for name in nullable {
                if !required.contains(&name) {
                    required.push(name);
                }
            }
            required.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
    }
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        always_there(part);
    }
}

fn may_be_null(member: &Value) -> bool {
    let is_null = |part: &Value| part.get("type").is_some_and(|kind| kind == "null");
    let among = |key: &str| member.get(key).and_then(Value::as_array);
    let is_free = member.as_object().is_some_and(|told| {
        ["type", "$ref", "oneOf", "anyOf", "allOf"].iter().all(|key| !told.contains_key(*key))
    });
    is_free
        || is_null(member)
        || among("type").is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
        || among("oneOf").is_some_and(|parts| parts.iter().any(is_null))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_completed() {
        let reference = |name: &str| json!({"schema": {"$ref": format!("{PREFIX}{name}")}});
        let body = |name: &str| json!({"content": {"application/json": reference(name)}, "required": true});
        let mut document = json!({
            "paths": {"/things": {
                "get": {"responses": {"200": {"content": {"application/json": reference("PaginatedResult_Thing")}}}},
                "post": {"requestBody": body("BulkOperation_New"), "responses": {}},
                "patch": {"requestBody": body("New"), "responses": {}}
            }},
            "components": {"schemas": {
                "Thing": {"type": "object", "required": ["key"], "properties": {
                    "key": {"type": "string"},
                    "name": {"type": ["string", "null"]},
                    "any": {},
                    "owner": {"oneOf": [{"$ref": format!("{PREFIX}New")}, {"type": "null"}]},
                    "sometimes": {"type": "string"}
                }},
                "New": {"type": "object", "properties": {"name": {"type": ["string", "null"]}}},
                "PaginatedResult_Thing": {"type": "object", "properties": {"data": {"type": "array", "items":
                    {"type": "object", "required": ["key"], "properties": {
                        "key": {"type": "string"},
                        "name": {"type": ["string", "null"]},
                        "any": {},
                        "owner": {"oneOf": [{"$ref": format!("{PREFIX}New")}, {"type": "null"}]},
                        "sometimes": {"type": "string"}
                    }}
                }}},
                "BulkOperation_New": {"type": "object", "required": ["operations"], "properties": {}}
            }}
        });
        complete(&mut document);
        let models = &document["components"]["schemas"];
        assert_eq!(models["Thing"]["required"], json!(["any", "key", "name", "owner"]));
        assert_eq!(
            models["PaginatedResultThing"]["properties"]["data"]["items"],
            json!({"$ref": format!("{PREFIX}Thing")})
        );
        assert!(models["NewBulkOperation"].is_object() && models["New"]["required"].is_null(), "{models}");
        let things = &document["paths"]["/things"];
        let answered = &things["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(answered, &format!("{PREFIX}PaginatedResultThing"));
        assert_eq!(things["post"]["requestBody"]["required"], true);
        assert_eq!(things["patch"]["requestBody"]["required"], false);
    }
}
