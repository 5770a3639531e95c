//! What parameters of queries have in common: a query knows no null.

use serde_json::{Value, json};

/// Completes the parameters of an operation.
pub(super) fn complete(parameters: &mut [Value]) {
    parameters.iter_mut().filter_map(|parameter| parameter.get_mut("schema")).for_each(without_null);
}

/// Takes `null` out of what a parameter may be.
fn without_null(schema: &mut Value) {
    let null = json!("null");
    for either in ["oneOf", "anyOf"] {
        let Some(Value::Array(kinds)) = schema.get_mut(either) else { continue };
        kinds.retain(|kind| kind.get("type") != Some(&null));
        if let [only] = kinds.as_slice() {
            *schema = only.clone();
        }
    }
    let Some(Value::Array(kinds)) = schema.get_mut("type") else { return };
    kinds.retain(|kind| *kind != null);
    if let [only] = kinds.as_slice() {
        let only = only.clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("type".to_owned(), only);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_no_null() {
        let mut all = [
            json!({"name": "status", "in": "query", "schema": {"oneOf": [{"type": "null"}, {"$ref": "#/x"}]}}),
            json!({"name": "key", "in": "query", "schema": {"type": ["string", "integer", "null"]}}),
            json!({"name": "name", "in": "query", "schema": {"type": ["string", "null"], "maxLength": 9}}),
        ];
        complete(&mut all);
        let schemas: Vec<&Value> = all.iter().map(|parameter| &parameter["schema"]).collect();
        assert_eq!(*schemas[0], json!({"$ref": "#/x"}));
        assert_eq!(*schemas[1], json!({"type": ["string", "integer"]}));
        assert_eq!(*schemas[2], json!({"type": "string", "maxLength": 9}));
    }
}
