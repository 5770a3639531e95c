//! What every route of a family has in common, said once: who may call, how it refuses, what its path names.

use super::{
    families::{self, FAMILIES, Family, Opens, Refusal},
    models, parameters,
    tidy::tidy,
};
use crate::revision::{AT_LEAST, REVISION};
use serde_json::{Map, Value, json};

/// Whose refusals are those of AuthZEN's profile besides.
const REQUESTS: &str = "/access/v1/requests";
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The whole description, of what the routes say about themselves.
pub(super) fn whole(mut document: Value, largest_page: u32) -> Value {
    models::complete(&mut document);
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        for (path, item) in paths {
            let Some(family) = families::of(path) else { continue };
            for method in METHODS {
                if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                    complete(operation, method, path, family, largest_page);
                }
            }
        }
    }
    let Some(all) = document.as_object_mut() else { return document };
    all.insert("info".into(), info());
    all.insert("tags".into(), tags());
    all.insert("servers".into(), json!([{"url": "/", "description": "This server"}]));
    let components = all.entry("components").or_insert_with(|| json!({}));
    if let Some(components) = components.as_object_mut() {
        components.insert("securitySchemes".into(), security_schemes());
        components.insert("responses".into(), responses());
        components.insert("headers".into(), headers());
        components.insert("parameters".into(), common_parameters());
        let schemas = components.entry("schemas").or_insert_with(|| json!({}));
        if let (Some(schemas), Value::Object(ours)) = (schemas.as_object_mut(), schemas_of_errors()) {
            schemas.extend(ours);
        }
    }
    tidy(&mut document);
    document
}

fn complete(
    operation: &mut Map<String, Value>,
    method: &str,
    path: &str,
    family: &Family,
    largest_page: u32,
) {
    operation.insert("operationId".into(), operation_id(method, path, family).into());
    operation.insert("tags".into(), json!([family.tag]));
    operation.insert("security".into(), security(family.opens));
    let said = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(said) = said.as_array_mut() {
        for parameter in said.iter_mut() {
            models::complete_page(parameter, largest_page);
        }
        let mut all = missing_path_parameters(said, path);
        all.append(said);
        parameters::complete(&mut all);
        if family.in_environment {
            all.push(json!({"$ref": "#/components/parameters/AtLeast"}));
        }
        *said = all;
    }
    let has_body = operation.contains_key("requestBody");
    let answers = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(answers) = answers.as_object_mut() else { return };
    for (status, answer) in answers.iter_mut() {
        if family.in_environment
            && status.starts_with('2')
            && let Some(answer) = answer.as_object_mut()
        {
            let headers = answer.entry("headers").or_insert_with(|| json!({}));
            if let Some(headers) = headers.as_object_mut() {
                headers.insert(REVISION.as_str().into(), json!({"$ref": "#/components/headers/Revision"}));
            }
        }
    }
    for status in refusals(method, path, family, has_body) {
        if *status != "429" || is_counted(path) {
            answers.entry(*status).or_insert_with(|| refusal(status, family.refusal));
        }
    }
    let late = has_body.then_some("408");
    for status in late.into_iter().chain(["500"]) {
        answers.entry(status).or_insert_with(|| refusal(status, family.refusal));
    }
    answers.sort_keys();
}

/// The same as long as the route is the same: `getFactsUsersByUser`.
fn operation_id(method: &str, path: &str, family: &Family) -> String {
    let mut id = method.to_owned();
    let is_place = |part: &str| family.in_environment && matches!(part, "{project}" | "{env}");
    for part in path.split('/').filter(|part| !part.is_empty() && !is_place(part)) {
        let (by, name) = match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => ("By", name),
            None => ("", part),
        };
        id.push_str(by);
        for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
            let mut letters = word.chars();
            id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            id.push_str(letters.as_str());
        }
    }
    id
}

fn missing_path_parameters(said: &[Value], path: &str) -> Vec<Value> {
    let is_said = |name: &str| {
        let is_it = |parameter: &Value| parameter["name"] == name && parameter["in"] == "path";
        said.iter().any(is_it)
    };
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .filter(|name| !is_said(name))
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true,
                "description": format!("The key or id of the {}.", named(name)),
                "schema": {"type": "string", "minLength": 1}
            })
        })
        .collect()
}

fn named(parameter: &str) -> String {
    match parameter {
        "env" => "environment".to_owned(),
        "element" => "element configuration".to_owned(),
        "instance" => "resource instance (`type:key` for a key)".to_owned(),
        other => other.replace('_', " "),
    }
}

fn refusals(method: &str, path: &str, family: &Family, has_body: bool) -> &'static [&'static str] {
    match (family.opens, has_body, method) {
        (Opens::Nothing, _, _) => &["503"],
        (_, true, _) if path.starts_with(REQUESTS) => {
            &["400", "401", "403", "404", "409", "410", "413", "503"]
        }
        (_, false, _) if path.starts_with(REQUESTS) => &["400", "401", "403", "404", "409", "410", "503"],
        (_, true, _) if family.refusal == Refusal::Problem => &["400", "401", "403", "409", "413", "503"],
        (_, true, _) => &["400", "401", "403", "404", "409", "413", "422", "429", "503"],
        (_, false, "get") if !path.contains('{') && !family.in_environment => {
            &["400", "401", "403", "429", "503"]
        }
        (_, false, _) => &["400", "401", "403", "404", "409", "429", "503"],
    }
}

/// Whether an operator may bound how many calls a credential makes: those of Permit's REST API.
fn is_counted(path: &str) -> bool {
    path.starts_with("/v2/") || path.starts_with("/facts/")
}

fn refusal(status: &str, shape: Refusal) -> Value {
    let shape = match (shape, status) {
        (_, "408") => "Late",
        (Refusal::Permit, "500") => "Failed",
        (Refusal::Problem, "500") => "FailedProblem",
        (Refusal::Permit, "422") => "InvalidBody",
        (Refusal::Permit, "429") => "TooMany",
        (Refusal::Permit, _) => "Refused",
        (Refusal::Problem, _) => "Problem",
    };
    json!({"$ref": format!("#/components/responses/{shape}")})
}

fn info() -> Value {
    json!({
        "title": "askfirst",
        "summary": "AI agents ask first, a human decides.",
        "description": "Permit's REST API and decision point, AuthZEN's Authorization API, and our own small API.",
        "version": env!("CARGO_PKG_VERSION"),
        "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"}
    })
}

/// The family that most people come for.
const FIRST: &str = "Decision point";

fn tags() -> Value {
    let mut told: Vec<_> = FAMILIES.iter().filter(|family| !family.about.is_empty()).collect();
    told.sort_by_key(|family| family.tag != FIRST);
    told.iter().map(|family| json!({"name": family.tag, "description": family.about})).collect()
}

fn security(opens: Opens) -> Value {
    match opens {
        Opens::Nothing | Opens::Itself => json!([]),
        Opens::Key => json!([{"key": []}]),
        Opens::Session => json!([{"session": []}, {"cookie": []}]),
        Opens::KeyOrSession => json!([{"key": []}, {"session": []}, {"cookie": []}]),
    }
}

fn security_schemes() -> Value {
    json!({
        "key": {"type": "http", "scheme": "bearer", "description": "An API key of the environment, its project or the organisation."},
        "session": {"type": "http", "scheme": "bearer", "description": "The token of an element session."},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "permit_session", "description": "An element session of a browser."}
    })
}

fn headers() -> Value {
    json!({"Revision": {
        "description": "Where the environment stood when this was answered. A later call may demand it.",
        "schema": {"type": "string"}
    }})
}

fn common_parameters() -> Value {
    json!({"AtLeast": {
        "name": AT_LEAST.as_str(), "in": "header", "required": false,
        "description": "A revision that the answer must not be older than, as an earlier answer named it.",
        "schema": {"type": "string"}
    }})
}

fn responses() -> Value {
    let json = |schema: &str, kind: &str| json!({kind: {"schema": {"$ref": format!("#/components/schemas/{schema}")}}});
    json!({
        "Refused": {"description": "Refused; the message says why and what would be right.",
            "content": json("ErrorDetails", "application/json")},
        "TooMany": {"description": "This credential has made more calls than the operator lets one make.",
            "headers": {"retry-after": {"description": "Seconds until the next may work.", "schema": {"type": "integer"}}},
            "content": json("ErrorDetails", "application/json")},
        "Late": {"description": "The body did not arrive in time; the answer has none."},
        "Failed": {"description": "Something failed on our side; the server's log says what.",
            "content": json("ErrorDetails", "application/json")},
        "FailedProblem": {"description": "Something failed on our side; the server's log says what (RFC 9457).",
            "content": json("Problem", "application/problem+json")},
        "InvalidBody": {"description": "The body has not the right shape.",
            "content": json("HTTPValidationError", "application/json")},
        "Problem": {"description": "Refused (RFC 9457).", "content": json("Problem", "application/problem+json")}
    })
}

fn schemas_of_errors() -> Value {
    json!({
        "ErrorDetails": {
            "type": "object", "required": ["id", "title", "error_code", "message"],
            "properties": {
                "id": {"type": "string"}, "title": {"type": "string"},
                "error_code": {"type": "string", "description": "One of Permit's codes, such as `NOT_FOUND`."},
                "message": {"type": "string", "description": "One sentence: what was wrong, and what would be right."},
                "additional_info": {"description": "Data besides the sentence."}
            }
        },
        "HTTPValidationError": {
            "type": "object", "required": ["detail"],
            "properties": {"detail": {"type": "array", "items": {
                "type": "object", "required": ["loc", "msg", "type"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"}, "type": {"type": "string"}
                }
            }}}
        },
        "Problem": {
            "type": "object", "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}
            }
        }
    })
}
