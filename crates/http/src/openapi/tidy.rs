//! The same thing said once: shapes that were written out where they are used become references to their names, and names
//! that nobody refers to go.

use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// Tidies the whole document.
pub(super) fn tidy(document: &mut Value) {
    let named = document.pointer("/components/schemas").and_then(Value::as_object).cloned();
    let named = named.unwrap_or_default();
    let by_shape: HashMap<String, &str> = named
        .iter()
        .filter(|(_, schema)| schema.get("properties").is_some() || schema.get("oneOf").is_some())
        .map(|(name, schema)| (schema.to_string(), name.as_str()))
        .collect();
    if let Some(paths) = document.get_mut("paths") {
        refer(paths, &by_shape);
    }
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        for schema in schemas.values_mut() {
            within(schema, &by_shape);
        }
    }
    let used = used(document);
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.retain(|name, _| used.contains(name));
    }
}

fn refer(part: &mut Value, by_shape: &HashMap<String, &str>) {
    if part.is_object()
        && let Some(name) = by_shape.get(&part.to_string())
    {
        *part = json!({"$ref": reference(name)});
        return;
    }
    within(part, by_shape);
}

fn within(part: &mut Value, by_shape: &HashMap<String, &str>) {
    match part {
        Value::Object(members) => members.values_mut().for_each(|member| refer(member, by_shape)),
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, by_shape)),
        _ => {}
    }
}

fn reference(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

/// The names that the paths and shared answers lead to, be it through others.
fn used(document: &Value) -> BTreeSet<String> {
    let named = document.pointer("/components/schemas");
    let mut found = BTreeSet::new();
    let mut open: Vec<&Value> = document.get("paths").into_iter().collect();
    open.extend(
        ["responses", "headers", "parameters"]
            .iter()
            .filter_map(|kind| document.get("components")?.get(kind)),
    );
    while let Some(part) = open.pop() {
        match part {
            Value::Object(members) => {
                let name = members.get("$ref").and_then(Value::as_str);
                if let Some(name) = name.and_then(|name| name.strip_prefix("#/components/schemas/"))
                    && found.insert(name.to_owned())
                {
                    open.extend(named.and_then(|named| named.get(name)));
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_out_is_named_and_what_nobody_names_goes() {
        let thing = json!({"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Deep"}}});
        let list = json!({"type": "object", "properties": {"data": {"type": "array", "items": thing}}});
        let mut document = json!({
            "paths": {"/x": {"schema": {"$ref": "#/components/schemas/List"}}},
            "components": {"schemas": {"Thing": thing, "List": list, "Deep": {"type": "string"}, "Unused": {"type": "string"}}}
        });
        tidy(&mut document);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        assert_eq!(
            schemas["List"]["properties"]["data"]["items"],
            json!({"$ref": "#/components/schemas/Thing"})
        );
        assert_eq!(schemas["Thing"], thing);
        assert_eq!(schemas.keys().collect::<Vec<_>>(), ["Thing", "List", "Deep"]);
    }
}
