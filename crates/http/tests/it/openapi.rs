//! The description of the API: whole, and true to itself.

use crate::support::Server;
use serde_json::Value;
use std::collections::BTreeSet;

async fn description() -> Value {
    Server::start().await.client(None).get("/openapi.json").await
}

/// Every operation with its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("an item").iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    all.collect()
}

/// Every reference in a part of the document.
fn references<'a>(part: &'a Value, found: &mut Vec<&'a str>) {
    match part {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = description().await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn every_operation_says_what_it_is() {
    let document = description().await;
    let tags: BTreeSet<&str> =
        document["tags"].as_array().expect("tags").iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&document) {
        assert!(operation["summary"].as_str().is_some_and(|told| !told.is_empty()), "{name}");
        assert!(ids.insert(operation["operationId"].as_str().expect("an id")), "{name}");
        assert!(operation["tags"].as_array().is_some_and(|all| all.len() == 1), "{name}");
        assert!(tags.contains(operation["tags"][0].as_str().expect("a tag")), "{name}");
        let answers = operation["responses"].as_object().expect("answers");
        assert!(answers.keys().any(|status| status.starts_with('2')), "{name}");
        let path = name.split_once(' ').expect("a path").1;
        let said = operation["parameters"].as_array().expect("parameters");
        for parameter in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            assert!(said.iter().any(|one| one["name"] == parameter && one["in"] == "path"), "{name}");
        }
    }
}

#[tokio::test]
async fn a_call_is_refused_in_a_way_that_is_described() {
    let server = Server::start().await;
    let document = server.client(None).get("/openapi.json").await;
    for (name, operation) in operations(&document) {
        let (method, path) = name.split_once(' ').expect("a path");
        if operation["security"].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let path = path.replace("{project}", "default").replace("{env}", "dev").replace(['{', '}'], "");
        let answer = server.client(None).send(&method.to_uppercase(), &path, None).await;
        assert_eq!(answer.status, 401, "{name}");
        assert!(operation["responses"]["401"].is_object(), "{name}");
    }
}

#[tokio::test]
async fn who_has_it_already_gets_it_not_again() {
    let server = Server::start().await;
    let first = server.client(None).send("GET", "/openapi.json", None).await;
    let tag = first.headers["etag"].to_str().expect("a tag");
    let again = server.client(None).send_with("GET", "/openapi.json", None, &[("if-none-match", tag)]).await;
    assert_eq!((again.status, again.body), (304, Value::Null));
}

#[test]
fn what_is_served_is_described() {
    // Pages are for people, and the description is no part of itself.
    let undescribed = ["ui", "openapi"];
    // Not yet described.
    let missing = ["pdp", "authzen", "api"];
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source.clone()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let family =
                path.strip_prefix(&source).expect("below").iter().next().expect("a name").to_string_lossy();
            if undescribed.contains(&&*family) || missing.contains(&&*family) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let text = std::fs::read_to_string(&path).expect("a text");
            assert!(!text.contains(".route("), "{} serves a route that it does not describe", path.display());
        }
    }
    assert!(files > 20, "{files}");
}
