//! The JSON Schema is what `docs/policy.schema.json` holds, and says the same as the reader.

use super::{PolicyFile, Prune, convert::members, json_schema, parse};
use crate::Snapshot;
use serde_json::Value;
use std::collections::BTreeSet;

const PRINTED: &str = include_str!("../../../../docs/policy.schema.json");
const FAMILY: &str = include_str!("../../../../examples/family/policy.yaml");

#[test]
fn the_schema_in_the_documents_is_the_one_that_the_code_prints() {
    let printed = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    assert_eq!(PRINTED, printed, "write it anew with `askfirst policy check --schema`");
}

#[test]
fn the_schema_has_the_members_that_the_reader_knows() {
    let schema = json_schema();
    for (definition, known) in [
        ("resource", members::RESOURCE),
        ("action", members::ACTION),
        ("attribute", members::ATTRIBUTE),
        ("action_group", members::GROUP),
        ("relation", members::RELATION),
        ("role", members::ROLE),
        ("derivation", members::DERIVATION),
        ("when", members::WHEN),
        ("source", members::SOURCE),
        ("user_set", members::USER_SET),
        ("resource_set", members::RESOURCE_SET),
        ("set_rule", members::RULE),
        ("element", members::ELEMENT),
        ("webhook", members::WEBHOOK),
        ("terms", members::TERMS),
        ("threshold", members::THRESHOLD),
        ("element_rule", members::ELEMENT_RULE),
        ("break_glass", members::BREAK_GLASS),
        ("escalation", members::ESCALATION),
        ("proxy_config", members::PROXY_CONFIG),
        ("mapping_rule", members::MAPPING_RULE),
        ("tenant", members::TENANT),
        ("user", members::USER),
        ("instance", members::INSTANCE),
        ("tuple", members::TUPLE),
        ("assignment", members::ASSIGNMENT),
        ("test", members::CASE),
        ("named_rule", members::BY_RULE),
    ] {
        let definition = &schema["$defs"][definition];
        // Beside a short form, the long one is the second.
        let record = definition.get("anyOf").map_or(definition, |forms| &forms[1]);
        same(record, known);
    }
    same(&schema, members::FILE);
}

fn same(record: &Value, known: &[&str]) {
    let said: BTreeSet<&str> = record["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(said, known.iter().copied().collect());
    assert_eq!(record["additionalProperties"], false, "{record}");
}

/// Whether the value is as the schema says; enough of JSON Schema for ours, patterns left out.
fn fits(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let definition = root.pointer(name.trim_start_matches('#')).ok_or_else(|| format!("no {name}"))?;
        fits(root, definition, value)?;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match schema.get("type") {
        Some(Value::String(only)) if only != kind => return Err(format!("{value} is not {only}")),
        Some(Value::Array(kinds)) if !kinds.contains(&kind.into()) => {
            return Err(format!("{value}: {kinds:?}"));
        }
        _ => {}
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array)
        && !words.contains(value)
    {
        return Err(format!("{value} is none of {words:?}"));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return Err(format!("{value} is not {}", schema["const"]));
    }
    if let Some(forms) = schema.get("anyOf").and_then(Value::as_array)
        && forms.iter().all(|form| fits(root, form, value).is_err())
    {
        return Err(format!("{value} has none of the forms"));
    }
    if let Some(forms) = schema.get("oneOf").and_then(Value::as_array)
        && forms.iter().filter(|form| fits(root, form, value).is_ok()).count() != 1
    {
        return Err(format!("{value} has not one of the forms"));
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        values.iter().try_for_each(|value| fits(root, items, value))?;
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !object.contains_key(name.as_str().unwrap()) {
            return Err(format!("{value} lacks {name}"));
        }
    }
    for (name, value) in object {
        let own = schema.get("properties").and_then(|members| members.get(name));
        match own.or_else(|| schema.get("additionalProperties")) {
            Some(Value::Bool(false)) => return Err(format!("no member {name}")),
            Some(schema) => fits(root, schema, value)?,
            None => {}
        }
    }
    Ok(())
}

fn written(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

#[test]
fn what_the_reader_takes_fits_the_schema() {
    let schema = json_schema();
    fits(&schema, &schema, &written(FAMILY)).unwrap();
    fits(&schema, &schema, &written(super::tests::WHOLE)).unwrap();
    let file: PolicyFile = parse(super::tests::WHOLE, &Snapshot::empty(), Prune::Nothing).unwrap();
    fits(&schema, &schema, &written(&file.to_yaml())).unwrap();
}

#[test]
fn what_has_the_wrong_shape_does_not() {
    let schema = json_schema();
    for text in [
        "{}",
        "askfirst: 2",
        "{askfirst: 1, guards: {}}",
        "{askfirst: 1, resources: {doc: {acitons: []}}}",
        "{askfirst: 1, resources: {doc: {actions: read}}}",
        "{askfirst: 1, set_rules: [{permission: 'doc:read'}]}",
        "{askfirst: 1, set_rules: [{permission: 'doc:read', role: a, user_set: b}]}",
        "{askfirst: 1, elements: {e: {resource: doc}}}",
        "{askfirst: 1, elements: {e: {type: audit_log, settings: {a: [1]}}}}",
        "{askfirst: 1, tests: [{user: a, action: b, resource: c, expect: maybe}]}",
    ] {
        assert!(fits(&schema, &schema, &written(text)).is_err(), "{text}");
        assert!(parse(text, &Snapshot::empty(), Prune::Nothing).is_err(), "{text}");
    }
}
