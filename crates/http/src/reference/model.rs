//! The document, put in the order in which people read it.

use super::{
    kinds::{Told, kind, shape_of, told},
    sample,
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The whole reference.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) families: Vec<Family>,
}

/// Operations that belong together, and the shapes that they speak of.
#[derive(Debug)]
pub(super) struct Family {
    /// Its name in addresses.
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) about: Told,
    /// What the paths of all of its operations begin with; the menu says it once.
    pub(super) prefix: String,
    pub(super) operations: Vec<Operation>,
    pub(super) shapes: Vec<Shape>,
}

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) anchor: String,
    /// In upper case.
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: Told,
    pub(super) about: Vec<Told>,
    /// What opens it.
    pub(super) opens: &'static str,
    pub(super) parameters: Vec<Field>,
    pub(super) bodies: Vec<Body>,
    pub(super) answers: Vec<Answer>,
    /// A command line that makes the call.
    pub(super) example: String,
    /// All words of it in lower case, for searching.
    words: String,
}

/// A parameter, or a member of an object.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// Where a parameter stands; empty for a member.
    pub(super) place: String,
    pub(super) required: bool,
    pub(super) kind: Told,
    pub(super) about: Told,
}

/// What a call sends in one format.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) media: String,
    pub(super) kind: Told,
    pub(super) fields: Vec<Field>,
}

/// What comes back with these statuses.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) statuses: Vec<String>,
    pub(super) is_good: bool,
    pub(super) about: Told,
    pub(super) kind: Option<Told>,
}

/// A named shape.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) about: Told,
    /// What it is when it is no object.
    pub(super) kind: Option<Told>,
    /// Its members, once for each way in which it may look.
    pub(super) ways: Vec<Vec<Field>>,
}

impl Reference {
    pub(super) fn of(document: &Value) -> Self {
        let tags = document.get("tags").and_then(Value::as_array);
        let families = tags.into_iter().flatten().map(|tag| Family::of(document, tag));
        Self { families: families.filter(|family| !family.operations.is_empty()).collect() }
    }

    /// The operations that have all of these words, with the slug of their family.
    pub(super) fn search(&self, query: &str) -> Vec<(&str, &Operation)> {
        let query = query.to_lowercase();
        let words: Vec<&str> = query.split_whitespace().collect();
        let all = self
            .families
            .iter()
            .flat_map(|family| family.operations.iter().map(|one| (family.slug.as_str(), one)));
        all.filter(|(_, one)| words.iter().all(|word| one.words.contains(word))).collect()
    }
}

impl Family {
    fn of(document: &Value, tag: &Value) -> Self {
        let name = text(tag, "name");
        let paths = document.get("paths").and_then(Value::as_object);
        let mut operations = Vec::new();
        let mut reached = BTreeSet::new();
        for (path, item) in paths.into_iter().flatten() {
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                if operation.get("tags").and_then(|tags| tags.get(0)) == Some(&name.into()) {
                    operations.push(Operation::of(document, method, path, operation));
                    reach(document, operation, &mut reached);
                }
            }
        }
        let schemas = document.pointer("/components/schemas");
        let shapes = reached.iter().filter_map(|name| Some(Shape::of(name, schemas?.get(name)?, document)));
        Self {
            slug: name.to_lowercase().replace(' ', "-"),
            name: name.to_owned(),
            about: told(text(tag, "description")),
            prefix: common_prefix(operations.iter().map(|one| one.path.as_str())),
            operations,
            shapes: shapes.collect(),
        }
    }
}

/// The parts that all paths begin with; each path has one part more at least.
fn common_prefix<'p>(paths: impl Iterator<Item = &'p str>) -> String {
    let mut common: Option<&str> = None;
    for path in paths {
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        let shared = common.map_or(above, |common| shared(common, above));
        common = Some(shared);
    }
    common.unwrap_or_default().to_owned()
}

/// The parts that both paths begin with.
fn shared<'p>(one: &'p str, other: &str) -> &'p str {
    let mut shared = one;
    while other != shared && !other.strip_prefix(shared).is_some_and(|rest| rest.starts_with('/')) {
        shared = shared.rsplit_once('/').map_or("", |(above, _)| above);
        if shared.is_empty() {
            break;
        }
    }
    shared
}

impl Operation {
    /// The path below the prefix of its family.
    pub(super) fn below(&self, prefix: &str) -> &str {
        self.path.strip_prefix(prefix).unwrap_or(&self.path)
    }

    fn of(document: &Value, method: &str, path: &str, operation: &Value) -> Self {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let parameters: Vec<&Value> =
            parameters.into_iter().flatten().map(|one| resolved(document, one)).collect();
        let bodies = contents(operation.get("requestBody"));
        let (summary, about) = (text(operation, "summary"), text(operation, "description"));
        let method = method.to_uppercase();
        Self {
            anchor: text(operation, "operationId").to_owned(),
            example: example(document, &method, path, &parameters, bodies.first().copied(), operation),
            words: format!("{method} {path} {summary} {about}").to_lowercase(),
            method,
            path: path.to_owned(),
            summary: told(summary),
            about: about.split("\n\n").filter(|part| !part.is_empty()).map(told).collect(),
            opens: opens(operation),
            parameters: parameters.into_iter().map(Field::of_parameter).collect(),
            bodies: bodies.into_iter().map(|(media, schema)| Body::of(document, media, schema)).collect(),
            answers: answers(document, operation),
        }
    }
}

fn opens(operation: &Value) -> &'static str {
    let first = operation.get("security").and_then(|all| all.get(0)).and_then(Value::as_object);
    match first.and_then(|first| first.keys().next()).map(String::as_str) {
        None => "Open to everybody.",
        Some("session") => "Opened by an element session.",
        Some(_) => "Opened by an API key.",
    }
}

impl Body {
    fn of(document: &Value, media: &str, schema: &Value) -> Self {
        let named = shape_of(schema).and_then(|name| document.pointer("/components/schemas")?.get(name));
        let fields = named.map(|schema| members(document, schema)).unwrap_or_default();
        Self { media: media.to_owned(), kind: kind(schema), fields }
    }
}

impl Field {
    fn of_parameter(parameter: &Value) -> Self {
        Self {
            name: text(parameter, "name").to_owned(),
            place: text(parameter, "in").to_owned(),
            required: parameter.get("required") == Some(&true.into()),
            kind: parameter.get("schema").map(kind).unwrap_or_default(),
            about: told(text(parameter, "description")),
        }
    }
}

impl Shape {
    fn of(name: &str, schema: &Value, document: &Value) -> Self {
        let ways = match schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
            Some(kinds) if kinds.iter().all(|kind| kind.get("properties").is_some()) => {
                kinds.iter().map(|kind| members(document, kind)).collect()
            }
            Some(_) => Vec::new(),
            None => vec![members(document, schema)],
        };
        let ways: Vec<Vec<Field>> = ways.into_iter().filter(|way: &Vec<Field>| !way.is_empty()).collect();
        let kind = ways.is_empty().then(|| kind(schema));
        Self { name: name.to_owned(), about: told(text(schema, "description")), kind, ways }
    }
}

/// The members of an object, those of all its parts together.
fn members(document: &Value, schema: &Value) -> Vec<Field> {
    let schema = match shape_of(schema) {
        Some(name) => document.pointer("/components/schemas").and_then(|all| all.get(name)).unwrap_or(schema),
        None => schema,
    };
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        return parts.iter().flat_map(|part| members(document, part)).collect();
    }
    let required = schema.get("required").and_then(Value::as_array);
    let own = schema.get("properties").and_then(Value::as_object).map(Map::iter).into_iter().flatten();
    let mut fields: Vec<Field> = own
        .map(|(name, member)| Field {
            name: name.clone(),
            place: String::new(),
            required: required.is_some_and(|all| all.iter().any(|one| one == name)),
            kind: kind(member),
            about: told(about_member(member)),
        })
        .collect();
    fields.sort_by_key(|field| !field.required);
    fields
}

/// What is said of a member, be it beside its reference or beside the kinds that it may be of.
fn about_member(member: &Value) -> &str {
    let beside = || member.get("oneOf")?.get(0).map(|first| text(first, "description"));
    match text(member, "description") {
        "" => beside().unwrap_or_default(),
        said => said,
    }
}

/// Answers of the same look together, good ones first.
fn answers(document: &Value, operation: &Value) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::new();
    let all = operation.get("responses").and_then(Value::as_object);
    for (status, answer) in all.into_iter().flatten() {
        let answer = resolved(document, answer);
        let schema = contents(Some(answer)).first().map(|(_, schema)| kind(schema));
        let about = told(text(answer, "description"));
        match answers.iter_mut().find(|same| same.about == about && same.kind == schema) {
            Some(same) => same.statuses.push(status.clone()),
            None => answers.push(Answer {
                statuses: vec![status.clone()],
                is_good: status.starts_with('2'),
                about,
                kind: schema,
            }),
        }
    }
    answers
}

/// The formats of a body and what it is in each.
fn contents(body: Option<&Value>) -> Vec<(&str, &Value)> {
    let content = body.and_then(|body| body.get("content")).and_then(Value::as_object);
    content
        .into_iter()
        .flatten()
        .filter_map(|(media, said)| Some((media.as_str(), said.get("schema")?)))
        .collect()
}

fn example(
    document: &Value,
    method: &str,
    path: &str,
    parameters: &[&Value],
    body: Option<(&str, &Value)>,
    operation: &Value,
) -> String {
    let mut address = path.to_owned();
    let mut lines = Vec::new();
    let mut mark = '?';
    for parameter in parameters {
        let (name, place) = (text(parameter, "name"), text(parameter, "in"));
        let made = parameter.get("schema").map(|schema| sample::value(document, schema, name));
        let made = made.as_ref().and_then(Value::as_str).unwrap_or(name);
        match place {
            "path" => address = address.replace(&format!("{{{name}}}"), made),
            "query" if parameter.get("required") == Some(&true.into()) => {
                address.extend([mark.to_string().as_str(), name, "=", made]);
                mark = '&';
            }
            "header" if parameter.get("required") == Some(&true.into()) => {
                lines.push(format!("-H '{name}: {made}'"));
            }
            _ => {}
        }
    }
    let how = if method == "GET" { String::new() } else { format!(" -X {method}") };
    lines.insert(0, format!("curl{how} \"$ASKFIRST_URL{address}\""));
    if operation.get("security").and_then(Value::as_array).is_some_and(|all| !all.is_empty()) {
        let credential =
            if opens(operation).contains("session") { "ELEMENT_SESSION" } else { "ASKFIRST_API_KEY" };
        lines.insert(1, format!("-H \"Authorization: Bearer ${credential}\""));
    }
    if let Some((media, schema)) = body {
        lines.push(format!("-H 'Content-Type: {media}'"));
        lines.push(format!("-d '{}'", sample::value(document, schema, "body")));
    }
    lines.join(" \\\n  ")
}

/// The names of all shapes that a part leads to.
fn reach(document: &Value, part: &Value, found: &mut BTreeSet<String>) {
    match part {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str)
                && shape_of(part).is_none_or(|name| found.insert(name.to_owned()))
                && let Some(there) = reference.strip_prefix('#').and_then(|at| document.pointer(at))
            {
                reach(document, there, found);
            }
            members.values().for_each(|member| reach(document, member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| reach(document, item, found)),
        _ => {}
    }
}

fn resolved<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    let reference = part.get("$ref").and_then(Value::as_str).and_then(|at| at.strip_prefix('#'));
    reference.and_then(|at| document.pointer(at)).unwrap_or(part)
}

fn text<'a>(part: &'a Value, name: &str) -> &'a str {
    part.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_paths_begin_with_is_said_once() {
        for (paths, common) in [
            (
                ["/v2/facts/{env}/users", "/v2/facts/{env}/users/{user}", "/v2/facts/{env}/tenants"],
                "/v2/facts/{env}",
            ),
            (["/v2/users", "/v2/users/{user}", "/v2/users"], "/v2"),
            (["/api/v1/audit", "/api/v1/audits", "/.well-known/keys"], ""),
            (["/allowed", "/allowed/bulk", "/allowed/all-tenants"], ""),
        ] {
            assert_eq!(common_prefix(paths.into_iter()), common);
        }
    }
}
