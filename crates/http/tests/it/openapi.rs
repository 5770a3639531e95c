//! The description of the API: whole, and true to itself.

use crate::support::Server;
use regex::Regex;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The description as it is published with the sources.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

/// Folders whose routes are no API: pages for people, and the description itself.
const PAGES: &[&str] = &["ui", "openapi", "reference"];

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
        let described = operation["responses"]["401"]["$ref"].as_str().expect("a shared answer");
        let described = document.pointer(described.trim_start_matches('#')).expect("that answer");
        let kind = answer.headers["content-type"].to_str().expect("a type");
        assert!(described["content"][kind].is_object(), "{name}: {kind}");
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

/// Rewrite it with `INSTA_UPDATE=always cargo test -p askfirst-http --test it openapi`.
#[tokio::test]
async fn what_is_published_is_what_is_served() {
    let server = Server::start().await;
    let served = server.client(None).get("/openapi.json").await;
    let mut text = serde_json::to_string_pretty(&served).expect("JSON");
    text.push('\n');
    if std::env::var_os("INSTA_UPDATE").is_some_and(|wish| wish == "always") {
        fs::write(GOLDEN, &text).expect("the file can be written");
    }
    let golden = fs::read_to_string(GOLDEN).expect("the file");
    for (at, (published, served)) in golden.lines().zip(text.lines()).enumerate() {
        assert_eq!(
            published,
            served,
            "docs/openapi.json differs first in line {}; look at the change, and rewrite it with \
             `INSTA_UPDATE=always cargo test -p askfirst-http --test it openapi`",
            at + 1
        );
    }
    assert_eq!(golden.len(), text.len(), "docs/openapi.json ends elsewhere");
}

/// The sources of the crate by their names, but for those in these folders.
fn sources(but: &[&str]) -> BTreeMap<String, String> {
    let sources = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut found = BTreeMap::new();
    let mut folders = vec![sources.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(sources).expect("below").to_string_lossy().into_owned();
            if path.is_dir() && !but.contains(&name.as_str()) {
                folders.push(path);
            } else if path.is_file() {
                found.insert(name, fs::read_to_string(&path).expect("a source"));
            }
        }
    }
    found
}

/// Two models of one name would be one in the description, and one of them would be described by the other.
#[test]
fn no_two_models_have_one_name() {
    let model = Regex::new(
        r"(?x) \#\[derive\([^)]*\bToSchema\b[^)]*\)\]
        (?<said> (?: \s* (?: \#\[ (?: [^\[\]] | \[[^\]]*\] )* \] | ///[^\n]* ) )*)
        \s* (?: pub (?: \([a-z]+\) )? \s+ )? (?: struct | enum ) \s+ (?<name> \w+)",
    )
    .expect("a pattern");
    let renamed = Regex::new(r"schema\([^)]*?\bas = (\w+)").expect("a pattern");
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for (file, text) in sources(&[]) {
        for found in model.captures_iter(&text) {
            let said = renamed.captures(&found["said"]);
            let name = said.map_or_else(|| found["name"].to_owned(), |said| said[1].to_owned());
            if let Some(other) = named.insert(name.clone(), file.clone()) {
                panic!(
                    "{file} and {other} both have a model `{name}`: say `#[schema(as = ...)]` at one of them"
                );
            }
        }
    }
    assert!(named.len() > 200, "{}", named.len());
}

/// What is served is described: no router is made without the description.
#[test]
fn no_route_is_served_without_being_described() {
    let routes = sources(PAGES).into_iter().filter(|(_, text)| text.contains(".route("));
    let found: Vec<String> = routes.map(|(file, _)| file).collect();
    assert!(found.is_empty(), "{found:?}: serve with `.routes(routes!(...))` and `#[utoipa::path(...)]`");
}
