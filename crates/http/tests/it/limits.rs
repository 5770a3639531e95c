//! Every limit of `docs/limits.md` that a call can meet: just within it goes, just beyond it is refused with a sentence.

use crate::support::{Client, FACTS, SCHEMA, Server};
use askfirst_engine::{ConditionLimits, PolicyLimits, Settings};
use askfirst_http::{Limits, Options};
use axum::body::{Body, Bytes};
use http::Request;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt as _;

/// One limit: what is sent just within it, what just beyond, and what is said then.
struct Case {
    what: &'static str,
    method: &'static str,
    path: String,
    within: Value,
    beyond: Value,
    status: u16,
    code: &'static str,
    says: String,
}

/// A limit on a body's content.
fn case(what: &'static str, method: &'static str, path: &str, within: Value, beyond: Value) -> Case {
    let path = path.to_owned();
    Case { what, method, path, within, beyond, status: 400, code: "INVALID_INPUT", says: String::new() }
}

impl Case {
    fn says(self, says: &str) -> Self {
        Self { says: says.to_owned(), ..self }
    }

    fn code(self, code: &'static str) -> Self {
        Self { code, ..self }
    }
}

fn many(number: usize, each: impl Fn(usize) -> Value) -> Value {
    (0..number).map(each).collect()
}

fn key(length: usize) -> String {
    "k".repeat(length)
}

/// A bulk call: its most, and one more.
fn bulk(
    what: &'static str,
    (method, path): (&'static str, &str),
    most: usize,
    body: impl Fn(usize) -> Value,
) -> Case {
    // What is within is tried with few things, since the limit is on their number alone.
    case(what, method, path, body(2), body(most + 1))
        .code("PAGINATION_SIZE_OVERREACHED")
        .says(&format!("{most} "))
}

fn bulks() -> Vec<Case> {
    let operations =
        |each: fn(usize) -> Value| move |number: usize| json!({"operations": many(number, each)});
    let users = format!("{FACTS}/bulk/users");
    let tenants = format!("{FACTS}/bulk/tenants");
    let instances = format!("{FACTS}/bulk/resource_instances");
    let assignments = format!("{FACTS}/role_assignments/bulk");
    let tuples = format!("{FACTS}/relationship_tuples/bulk");
    let user = |n: usize| json!({"key": format!("u{n}")});
    let tenant = |n: usize| json!({"key": format!("t{n}"), "name": "T"});
    let instance = |n: usize| json!({"resource": "folder", "key": format!("f{n}"), "tenant": "default"});
    let assigned = |n: usize| json!({"user": "joe", "role": "reader", "tenant": "default", "resource_instance": format!("folder:f{n}")});
    let tuple = |n: usize| {
        json!({
            "subject": "folder:top", "relation": "holds", "object": format!("folder:g{n}"), "tenant": "default"
        })
    };
    let question = |n: usize| {
        json!({
            "user": {"key": "joe"}, "action": "read", "resource": {"type": "folder", "key": format!("f{n}"), "tenant": "default"}
        })
    };
    vec![
        bulk("users in one call", ("POST", &users), 3000, operations(user)),
        bulk("users replaced in one call", ("PUT", &users), 3000, operations(user)),
        bulk("tenants in one call", ("POST", &tenants), 2000, operations(tenant)),
        bulk("instances in one call", ("PUT", &instances), 3000, operations(instance)),
        bulk("role assignments in one call", ("POST", &assignments), 2000, move |n| many(n, assigned)),
        bulk("tuples in one call", ("POST", &tuples), 1000, operations(tuple)),
        bulk("checks in one call", ("POST", "/allowed/bulk"), 10_000, move |n| many(n, question)),
    ]
}

fn lengths() -> Vec<Case> {
    let named = |length: usize| json!({"key": key(length), "name": "A name"});
    let resource = |length: usize| json!({"key": key(length), "name": "A name", "actions": {}});
    let instance = |length: usize| json!({"resource": "folder", "key": key(length), "tenant": "default"});
    let says = "key may have 128 characters at most";
    let at = |rest: &str| format!("{SCHEMA}{rest}");
    let mut cases = vec![
        case("a user's key", "POST", &format!("{FACTS}/users"), named(128), named(129)),
        case("a tenant's key", "POST", &format!("{FACTS}/tenants"), named(128), named(129)),
        case(
            "an instance's key",
            "POST",
            &format!("{FACTS}/resource_instances"),
            instance(128),
            instance(129),
        ),
        case("a resource's key", "POST", &at("/resources"), resource(128), resource(129)),
        case("a role's key", "POST", &at("/roles"), named(128), named(129)),
        case("an action's key", "POST", &at("/resources/folder/actions"), named(128), named(129)),
    ];
    for case in &mut cases {
        says.clone_into(&mut case.says);
    }
    let rules = |number: usize, url: &str| {
        let rule = |_| json!({"url": url, "http_method": "get", "resource": "folder", "action": "read"});
        json!({"key": format!("rules-{number}-{}", url.len()), "name": "Rules", "auth_mechanism": "Bearer",
               "mapping_rules": many(number, rule)})
    };
    let long = |length: usize| format!("https://a.example/{}", "x".repeat(length - 18));
    let proxies = format!("{FACTS}/proxy_configs");
    cases.push(
        case("mapping rules", "POST", &proxies, rules(1000, "https://a/b"), rules(1001, "https://a/b"))
            .says("1000"),
    );
    cases.push(
        case("a rule's URL", "POST", &proxies, rules(1, &long(8192)), rules(1, &long(8193)))
            .says("8192 bytes"),
    );
    cases
}

fn set(number: usize, conditions: &Value) -> Value {
    json!({"key": format!("set-{number}"), "name": "A set", "type": "userset", "conditions": conditions})
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!({"user.a": {"equals": 1}}), |inner, _| json!({"not": inner}))
}

fn leaves(number: usize) -> Value {
    json!({"allOf": many(number, |n| json!({"user.a": {"equals": n}}))})
}

fn value(depth: usize) -> Value {
    let inner = (0..depth).fold(json!(1), |inner, _| json!([inner]));
    json!({"user.a": {"equals": inner}})
}

fn conditions(limits: ConditionLimits) -> Vec<Case> {
    let sets = format!("{SCHEMA}/condition_sets");
    let list = |number: usize| json!({"user.a": {"in": many(number, |n| json!(n))}});
    let path = |length: usize| json!({format!("user.{}", key(length - 5)): {"equals": 1}});
    let size = |bytes: usize| json!({"user.a": {"equals": "x".repeat(bytes)}});
    let bounds = [
        (
            "a condition's depth",
            nested(limits.depth),
            nested(limits.depth + 1),
            format!("{} deep", limits.depth),
        ),
        (
            "a condition's comparisons",
            leaves(limits.leaves),
            leaves(limits.leaves + 1),
            format!("at most {} times", limits.leaves),
        ),
        (
            "a condition's size",
            size(limits.size - 100),
            size(limits.size + 1),
            format!("{} bytes", limits.size),
        ),
        ("a list in a condition", list(1000), list(1001), "1000 items".to_owned()),
        ("a value in a condition", value(16), value(17), "16 deep".to_owned()),
        ("an attribute's path", path(256), path(257), "256 bytes".to_owned()),
    ];
    bounds
        .into_iter()
        .enumerate()
        .map(|(number, (what, within, beyond, says))| {
            case(what, "POST", &sets, set(number, &within), set(100 + number, &beyond)).says(&says)
        })
        .collect()
}

async fn try_all(client: &Client<'_>, cases: Vec<Case>) {
    for Case { what, method, path, within, beyond, status, code, says } in cases {
        let fine = client.send(method, &path, Some(&within)).await;
        assert!((200..300).contains(&fine.status), "{what}, within: {} {}", fine.status, fine.body);
        let refused = client.send(method, &path, Some(&beyond)).await;
        let told = refused.body.to_string();
        if refused.status == 422 {
            // What does not read, in the shape of Permit's models.
            assert!(code == "INVALID_INPUT" && told.contains(&says), "{what}, beyond: {told}");
            continue;
        }
        let said = (refused.status, refused.body["error_code"].as_str());
        assert_eq!(said, (status, Some(code)), "{what}, beyond: {told}");
        let message = refused.body["message"].as_str().unwrap();
        assert!(message.contains(&says) && message.ends_with('.'), "{what}: {message}");
    }
}

/// Folders in folders: who reads one reads those in it.
async fn folders(server: &Server) {
    let dev = server.dev();
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({
            "key": "folder", "name": "Folder", "actions": {"read": {}},
            "roles": {"reader": {"name": "Reader", "permissions": ["read"]}},
            "relations": {},
        }),
    )
    .await;
    let relation = json!({"key": "holds", "name": "Holds", "subject_resource": "folder"});
    dev.post(&format!("{SCHEMA}/resources/folder/relations"), relation).await;
    let derived = json!({"role": "reader", "on_resource": "folder", "linked_by_relation": "holds"});
    dev.post(&format!("{SCHEMA}/resources/folder/roles/reader/implicit_grants"), derived).await;
    dev.put(&format!("{FACTS}/users/joe"), json!({})).await;
    let top = json!({"resource": "folder", "key": "top", "tenant": "default"});
    dev.post(&format!("{FACTS}/resource_instances"), top).await;
}

async fn server(options: Options, policy: PolicyLimits) -> Server {
    let server = Server::start_within(options, Settings { policy, ..Settings::default() }).await;
    folders(&server).await;
    server
}

/// A call of dev's key, whatever the answer looks like.
async fn post(server: &Server, path: &str, body: &Value) -> (u16, String) {
    sent(server, path, Body::from(body.to_string())).await
}

async fn sent(server: &Server, path: &str, body: Body) -> (u16, String) {
    let request = Request::post(path).header("authorization", "Bearer key-of-dev").body(body).unwrap();
    let response = server.router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn bulk_calls_and_lengths() {
    let server = server(Options::default(), PolicyLimits::default()).await;
    try_all(&server.dev(), lengths()).await;
    try_all(&server.dev(), bulks()).await;
}

#[tokio::test]
async fn conditions_as_large_as_the_operator_allows() {
    let small = ConditionLimits { depth: 2, leaves: 3, size: 4096 };
    let large = ConditionLimits { depth: 20, leaves: 300, size: 128 * 1024 };
    for limits in [ConditionLimits::default(), small, large] {
        let policy = PolicyLimits { conditions: limits, ..PolicyLimits::default() };
        let server = server(Options::default(), policy).await;
        let mut cases = conditions(limits);
        if limits == small {
            // The others are not for the operator to set, and larger than this.
            cases.truncate(3);
        }
        try_all(&server.dev(), cases).await;
    }
}

#[tokio::test]
async fn a_chain_of_condition_sets() {
    let server = server(Options::default(), PolicyLimits::default()).await;
    let (dev, sets) = (server.dev(), format!("{SCHEMA}/condition_sets"));
    for number in 0..33 {
        let mut new = set(number, &json!({"user.a": {"equals": 1}}));
        if number > 0 {
            new["parent_id"] = json!(format!("set-{}", number - 1));
        }
        if number < 32 {
            dev.post(&sets, new).await;
        } else {
            let said = dev.refused(400, "INVALID_INPUT", "POST", &sets, new).await;
            assert!(said.contains("32"), "{said}");
        }
    }
}

#[tokio::test]
async fn reasons_and_comments() {
    let server = server(Options::default(), PolicyLimits::default()).await;
    let dev = server.dev();
    let element = json!({
        "key": "access", "name": "Access", "elements_type": "user_management", "settings": {"resource": "folder"},
        "roles_to_levels": {"LEVEL_4": ["reader"]},
    });
    dev.post("/v2/elements/default/dev/config", element).await;
    let path = format!("{FACTS}/access_requests/access/user/joe/tenant/default");
    let ask = |length: usize| {
        let details = json!({"tenant": "default", "role": "reader", "resource_instance": "top"});
        json!({"access_request_details": details, "reason": "x".repeat(length)})
    };
    let reason = case("a reason", "POST", &path, ask(10_000), ask(10_001)).says("10000 characters");
    try_all(&dev, vec![reason]).await;
}

#[tokio::test]
async fn bodies_as_large_as_the_operator_allows() {
    for body in [Limits::default().body, 128 * 1024] {
        let options = Options { limits: Limits { body, ..Limits::default() }, ..Options::default() };
        let server = server(options, PolicyLimits::default()).await;
        let frame = json!({"key": "u", "first_name": ""}).to_string().len();
        let user = |size: usize| json!({"key": "u", "first_name": "x".repeat(size - frame)});
        for path in [format!("{FACTS}/users"), "/access/v1/evaluation".to_owned(), "/allowed".to_owned()] {
            let (status, told) = post(&server, &path, &user(body)).await;
            assert_ne!(status, 413, "{path}: {told}");
            let (status, told) = post(&server, &path, &user(body + 1)).await;
            let limit = if body == 128 * 1024 { "128 KiB" } else { "8 MiB" };
            let says = told.contains(&format!("The body may have {limit} at most."));
            assert_eq!((status, says), (413, true), "{path}: {told}");
        }
    }
    let server = server(Options::default(), PolicyLimits::default()).await;
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let body = json!({"key": "u", "attributes": {"a": deep}});
    let said = server.dev().send("POST", &format!("{FACTS}/users"), Some(&body)).await;
    assert_eq!(said.status, 422);
    assert!(said.body["detail"][0]["msg"].as_str().unwrap().contains("recursion limit"), "{}", said.body);
}

#[tokio::test]
async fn pages_as_large_as_the_operator_allows() {
    for page in [100, 250] {
        let options = Options { limits: Limits { page, ..Limits::default() }, ..Options::default() };
        let server = server(options, PolicyLimits::default()).await;
        let dev = server.dev();
        for list in [
            format!("{FACTS}/users"),
            format!("{FACTS}/tenants"),
            format!("{FACTS}/resource_instances"),
            format!("{FACTS}/role_assignments"),
            format!("{FACTS}/relationship_tuples"),
            format!("{SCHEMA}/resources"),
            format!("{SCHEMA}/roles"),
            format!("{SCHEMA}/condition_sets"),
            "/v2/elements/default/dev/config".to_owned(),
            "/local/role_assignments".to_owned(),
            "/api/v1/audit".to_owned(),
        ] {
            dev.get(&format!("{list}?per_page={page}")).await;
            for (size, says) in
                [(page + 1, format!("`per_page` may be {page} at most")), (0, "from 1".to_owned())]
            {
                let path = format!("{list}?per_page={size}");
                let said = dev.send("GET", &path, None).await;
                assert_eq!(said.status, 400, "{path}: {}", said.body);
                assert!(said.body["message"].as_str().unwrap().contains(&says), "{path}: {}", said.body);
            }
        }
        let (code, list) = ("PAGINATION_SIZE_OVERREACHED", format!("{FACTS}/users?per_page={}", page + 1));
        dev.refused(400, code, "GET", &list, Value::Null).await;
        dev.refused(400, "INVALID_INPUT", "GET", &format!("{FACTS}/users?page=x"), Value::Null).await;
        dev.refused(400, code, "GET", "/api/v1/decisions?limit=1001", Value::Null).await;
    }
}

#[tokio::test]
async fn derivations_as_far_as_the_operator_allows_and_cycles_are_legal() {
    for depth in [PolicyLimits::default().depth, 3] {
        let policy = PolicyLimits { depth, ..PolicyLimits::default() };
        let server = server(Options::default(), policy).await;
        let dev = server.dev();
        let given = json!({"user": "joe", "role": "reader", "resource_instance": "folder:top"});
        dev.post(&format!("{FACTS}/role_assignments"), given).await;
        let names: Vec<String> =
            std::iter::once("top".to_owned()).chain((1..=depth + 1).map(|n| format!("f{n}"))).collect();
        let mut tuples: Vec<Value> = names
            .windows(2)
            .map(|pair| {
                let (above, below) = (format!("folder:{}", pair[0]), format!("folder:{}", pair[1]));
                json!({"subject": above, "relation": "holds", "object": below, "tenant": "default"})
            })
            .collect();
        // Two folders, each in the other: joe reads neither, and the question ends.
        for (above, below) in [("folder:snake", "folder:tail"), ("folder:tail", "folder:snake")] {
            tuples.push(json!({"subject": above, "relation": "holds", "object": below, "tenant": "default"}));
        }
        dev.post(&format!("{FACTS}/relationship_tuples/bulk"), json!({"operations": tuples})).await;
        let ask = |name: &str| json!({"user": "joe", "action": "read", "resource": format!("folder:{name}")});
        let last = dev.post("/api/v1/check", ask(&format!("f{depth}"))).await;
        assert_eq!(last["allow"], true, "{last}");
        let beyond = dev.post("/api/v1/check", ask(&format!("f{}", depth + 1))).await;
        assert_eq!(beyond["allow"], false, "{beyond}");
        let says = format!("longer than the limit of {depth}");
        assert!(beyond.to_string().contains(&says), "{beyond}");
        let cycle = dev.post("/api/v1/check", ask("snake")).await;
        assert_eq!(cycle["allow"], false, "{cycle}");
        assert!(!cycle.to_string().contains("limit of"), "a cycle is no long chain: {cycle}");
    }
}

#[tokio::test]
async fn evaluations_in_one_call() {
    let server = server(Options::default(), PolicyLimits::default()).await;
    let evaluation = |_| json!({"resource": {"type": "folder", "id": "top"}});
    let body = |number: usize| {
        json!({
            "subject": {"type": "user", "id": "joe"}, "action": {"name": "read"}, "evaluations": many(number, evaluation)
        })
    };
    assert_eq!(post(&server, "/access/v1/evaluations", &body(2)).await.0, 200);
    let (status, told) = post(&server, "/access/v1/evaluations", &body(10_001)).await;
    assert_eq!((status, told.contains("One call takes 10000 evaluations at most")), (400, true), "{told}");
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_given_up() {
    let limits = Limits { patience: Duration::from_millis(50), ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let server = Server::start_with(options).await;
    let endless = futures::stream::pending::<Result<Bytes, std::io::Error>>();
    let (status, told) = sent(&server, &format!("{FACTS}/users"), Body::from_stream(endless)).await;
    assert_eq!(status, 503);
    let body: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(body["error_code"], "UNEXPECTED_ERROR");
    let message = body["message"].as_str().unwrap();
    assert!(message.starts_with("The call took longer than 50 ms and was given up;"), "{message}");
}
