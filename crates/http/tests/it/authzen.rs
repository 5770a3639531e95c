//! AuthZEN Authorization API 1.0, call by call.

use crate::{
    pdp::drive,
    support::{FACTS, SCHEMA, Server},
};
use axum::body::Body;
use http::{HeaderMap, Request};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";
const SEARCHES: [&str; 3] =
    ["/access/v1/search/subject", "/access/v1/search/resource", "/access/v1/search/action"];

/// An answer with its headers.
struct Told {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Told {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The sentence of a refusal in the shape of RFC 9457.
    fn refusal(&self, status: u16) -> String {
        assert_eq!((self.status, &self.body["status"]), (status, &json!(status)), "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["type"], "about:blank");
        let detail = self.body["detail"].as_str().unwrap().to_owned();
        assert!(detail.ends_with('.') && detail.contains(' '), "not a sentence: {detail}");
        detail
    }
}

async fn call(server: &Server, request: Request<Body>) -> Told {
    let answer = server.router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    Told { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

async fn send(server: &Server, path: &str, body: &Value) -> Told {
    let request = Request::post(path)
        .header("authorization", "Bearer key-of-dev")
        .header("content-type", "application/json")
        .header("x-request-id", "bfe9eb29");
    let told = call(server, request.body(Body::from(body.to_string())).unwrap()).await;
    assert_eq!(told.header("x-request-id"), Some("bfe9eb29"), "{path}");
    told
}

/// The call must succeed.
async fn ok(server: &Server, path: &str, body: &Value) -> Value {
    let told = send(server, path, body).await;
    assert_eq!((told.status, told.header("content-type")), (200, Some("application/json")), "{}", told.body);
    told.body
}

fn user(id: &str) -> Value {
    json!({"type": "user", "id": id})
}

fn document(id: &str) -> Value {
    json!({"type": "document", "id": id})
}

fn question(subject: &str, action: &str, id: &str) -> Value {
    json!({"subject": user(subject), "action": {"name": action}, "resource": document(id)})
}

#[tokio::test]
async fn the_metadata_names_every_endpoint_at_the_public_url() {
    let server = Server::start().await;
    let request = Request::get("/.well-known/authzen-configuration").header("x-request-id", "seven");
    let told = call(&server, request.body(Body::empty()).unwrap()).await;
    assert_eq!((told.status, told.header("content-type")), (200, Some("application/json")));
    assert_eq!(told.header("x-request-id"), Some("seven"));
    let at = |path: &str| format!("http://127.0.0.1:7766{path}");
    assert_eq!(
        told.body,
        json!({
            "policy_decision_point": at(""),
            "access_evaluation_endpoint": at(EVALUATION),
            "access_evaluations_endpoint": at(EVALUATIONS),
            "search_subject_endpoint": at(SEARCHES[0]),
            "search_resource_endpoint": at(SEARCHES[1]),
            "search_action_endpoint": at(SEARCHES[2]),
            "access_request_endpoint": at("/access/v1/requests"),
            "jwks_uri": at("/.well-known/jwks.json"),
            "capabilities": ["urn:openid:authzen:capability:access-request"],
        })
    );
    for (_, url) in told.body.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint")) {
        let path = url.as_str().unwrap().trim_start_matches("http://127.0.0.1:7766");
        assert_ne!(send(&server, path, &json!({})).await.status, 404, "{path} is served");
    }
}

#[tokio::test]
async fn nothing_but_the_metadata_opens_without_the_key_of_an_environment() {
    let server = Server::start().await;
    let dev = server.dev();
    dev.put(&format!("{FACTS}/users/ann"), json!({})).await;
    let agent = dev.post("/api/v1/keys", json!({"as_user": "ann"})).await["secret"].clone();
    for path in [EVALUATION, EVALUATIONS].into_iter().chain(SEARCHES) {
        let ask = |key: Option<&str>| {
            let mut request = Request::post(path).header("x-request-id", "nine");
            if let Some(key) = key {
                request = request.header("authorization", format!("Bearer {key}"));
            }
            request.body(Body::from(question("ann", "read", "one").to_string())).unwrap()
        };
        for key in [None, Some("wrong")] {
            let told = call(&server, ask(key)).await;
            told.refusal(401);
            assert_eq!(
                (told.header("www-authenticate"), told.header("x-request-id")),
                (Some("Bearer"), Some("nine"))
            );
        }
        call(&server, ask(agent.as_str())).await.refusal(403);
    }
}

#[tokio::test]
async fn an_allowed_question_says_through_which_role() {
    let server = Server::start().await;
    drive(&server).await;
    let body = json!({
        "subject": {"type": "user", "id": "ann", "properties": {"department": "Sales"}},
        "action": {"name": "write", "properties": {"method": "PUT"}},
        "resource": {"type": "document", "id": "budget", "properties": {"tenant": "default", "colour": 7}},
        "context": {"time": "1985-10-26T01:22-07:00"},
        "extension": ["ignored"],
    });
    assert_eq!(
        ok(&server, EVALUATION, &body).await,
        json!({"decision": true, "context": {
            "reason": "role",
            "explanation": "ann may write document:budget: ann holds folder:plans#editor, which by the relation parent gives document:budget#editor.",
        }})
    );
}

#[tokio::test]
async fn a_denied_question_is_an_answer_with_its_reason() {
    let server = Server::start().await;
    drive(&server).await;
    let denied = ok(&server, EVALUATION, &question("ben", "write", "diary")).await;
    assert_eq!(denied["decision"], false);
    let context = &denied["context"];
    assert!(
        context["explanation"].as_str().unwrap().starts_with("ben may not write document:diary: "),
        "{context}"
    );
    assert_eq!(context["would_allow"], json!(["document:diary#editor"]));
    assert_eq!(context["requestable"], json!([]));
    for (subject, resource) in [
        (json!({"type": "user", "id": "nobody"}), document("diary")),
        (json!({"type": "robot", "id": "ben"}), document("diary")),
        (user("ben"), json!({"type": "castle", "id": "diary"})),
        (user("ben"), document("nowhere")),
        (user("ben"), json!({"type": "document", "id": "diary", "properties": {"tenant": "blue"}})),
    ] {
        let body = json!({"subject": subject, "action": {"name": "read"}, "resource": resource});
        let denied = ok(&server, EVALUATION, &body).await;
        assert_eq!(denied["decision"], false, "{body}");
        assert!(denied["context"]["explanation"].as_str().unwrap().ends_with('.'), "{denied}");
    }
}

#[tokio::test]
async fn the_tenant_is_a_property_of_the_resource() {
    let server = Server::start().await;
    drive(&server).await;
    for (tenant, decision) in [("blue", true), ("default", false), ("mars", false)] {
        let mut body = question("cleo", "read", "a-new-one");
        body["resource"]["properties"] = json!({"tenant": tenant});
        assert_eq!(ok(&server, EVALUATION, &body).await["decision"], decision, "{tenant}");
    }
    assert_eq!(ok(&server, EVALUATION, &question("cleo", "read", "one")).await["decision"], true);
}

#[tokio::test]
async fn what_can_be_asked_for_is_offered() {
    let server = Server::start().await;
    let dev = server.dev();
    let family = include_str!("../../../../examples/family/policy.yaml");
    let request = Request::put("/api/v1/policy").header("authorization", "Bearer key-of-dev");
    assert_eq!(call(&server, request.body(Body::from(family)).unwrap()).await.status, 200);
    dev.put(&format!("{FACTS}/users/henry"), json!({})).await;
    let body = json!({
        "subject": user("henry"), "action": {"name": "read"},
        "resource": {"type": "restaurants", "id": "pizza-palace"},
    });
    let denied = ok(&server, EVALUATION, &body).await;
    let offer = &denied["context"]["requestable"][0];
    assert_eq!(
        (&denied["decision"], &offer["kind"], &offer["element"], &offer["reviewers"]),
        (&json!(false), &json!("access_request"), &json!("restaurant-requests"), &json!(["jane", "joe"])),
        "{denied}"
    );
    assert!(denied["context"]["explanation"].as_str().unwrap().contains("henry could ask for"), "{denied}");
}

#[tokio::test]
async fn what_is_missing_or_of_the_wrong_shape_is_a_bad_request() {
    let server = Server::start().await;
    drive(&server).await;
    let good = question("ann", "read", "budget");
    let without = |pointer: &str, member: &str| {
        let mut body = good.clone();
        body.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(member);
        body
    };
    for (body, says) in [
        (without("", "subject"), "subject"),
        (without("", "action"), "action"),
        (without("", "resource"), "resource"),
        (without("/subject", "type"), "type"),
        (without("/subject", "id"), "id"),
        (without("/action", "name"), "name"),
        (without("/resource", "type"), "type"),
        (without("/resource", "id"), "id"),
    ] {
        for path in [EVALUATION, EVALUATIONS] {
            let detail = send(&server, path, &body).await.refusal(400);
            assert!(detail.contains(&format!("`{says}`")), "{detail}");
        }
    }
    for (member, wrong) in [
        ("subject", json!("ann")),
        ("subject", json!(null)),
        ("subject", json!({"type": "user", "id": 7})),
        ("action", json!({"name": ["read"]})),
        ("resource", json!({"type": "document", "id": "budget", "properties": "none"})),
        ("resource", json!({"type": "document", "id": "budget", "properties": {"tenant": 1}})),
        ("context", json!("now")),
    ] {
        let mut body = good.clone();
        body[member] = wrong;
        let detail = send(&server, EVALUATION, &body).await.refusal(400);
        assert!(detail.contains(&format!("`{member}`")) && !detail.contains("struct"), "{detail}");
    }
    for body in [json!([good]), json!("x")] {
        send(&server, EVALUATION, &body).await.refusal(400);
    }
    for (text, status) in [("{", 400), ("", 400)] {
        let request = Request::post(EVALUATION).header("authorization", "Bearer key-of-dev");
        call(&server, request.body(Body::from(text)).unwrap()).await.refusal(status);
    }
    let huge = " ".repeat(askfirst_http::Limits::default().body + 1);
    let request = Request::post(EVALUATION).header("authorization", "Bearer key-of-dev");
    call(&server, request.body(Body::from(huge)).unwrap()).await.refusal(413);
}

fn decisions(answer: &Value) -> Vec<bool> {
    let all = answer["evaluations"].as_array().unwrap();
    all.iter().map(|one| one["decision"].as_bool().unwrap()).collect()
}

#[tokio::test]
async fn many_questions_are_answered_in_order_until_the_semantic_ends_them() {
    let server = Server::start().await;
    drive(&server).await;
    let on = |ids: &[&str]| ids.iter().map(|id| json!({"resource": document(id)})).collect::<Vec<_>>();
    let (allow, deny) = ("budget", "diary");
    for (semantic, ids, expected) in [
        (None, vec![allow, deny, allow], vec![true, false, true]),
        (Some("execute_all"), vec![deny, allow, deny], vec![false, true, false]),
        (Some("deny_on_first_deny"), vec![allow, deny, allow], vec![true, false]),
        (Some("deny_on_first_deny"), vec![allow, allow], vec![true, true]),
        (Some("permit_on_first_permit"), vec![deny, allow, deny], vec![false, true]),
        (Some("permit_on_first_permit"), vec![deny, deny], vec![false, false]),
    ] {
        let mut body = json!({
            "subject": user("ann"), "action": {"name": "read"}, "evaluations": on(&ids), "options": {"other": 1},
        });
        if let Some(semantic) = semantic {
            body["options"]["evaluations_semantic"] = json!(semantic);
        }
        let answer = ok(&server, EVALUATIONS, &body).await;
        assert_eq!(decisions(&answer), expected, "{semantic:?}");
        assert_eq!(answer.get("decision"), None);
    }
    let mut body = question("ann", "read", "budget");
    body["options"] = json!({"evaluations_semantic": "first_come"});
    assert!(send(&server, EVALUATIONS, &body).await.refusal(400).contains("`options`"));
    body["options"] = json!({});
    body["evaluations"] = json!({"resource": document("diary")});
    assert!(send(&server, EVALUATIONS, &body).await.refusal(400).contains("`evaluations`"));
}

#[tokio::test]
async fn defaults_are_taken_whole_or_not_at_all() {
    let server = Server::start().await;
    drive(&server).await;
    let body = json!({
        "subject": user("cleo"), "action": {"name": "read"},
        "resource": {"type": "document", "id": "new", "properties": {"tenant": "blue"}},
        "evaluations": [
            {},
            {"resource": document("new")},
            {"subject": user("ann"), "resource": document("budget")},
            {"action": {"name": "write"}},
            {"resource": {"type": "document"}},
            {"subject": null},
            "read",
        ],
    });
    let answer = ok(&server, EVALUATIONS, &body).await;
    // The second has no tenant: its resource replaces the default one and nothing of it remains.
    assert_eq!(decisions(&answer), [true, false, true, false, false, false, false]);
    for wrong in 4..7 {
        let error = &answer["evaluations"][wrong]["context"]["error"];
        assert_eq!(error["status"], 400, "{answer}");
        assert!(error["message"].as_str().unwrap().ends_with('.'), "{error}");
    }
    let mut stops = body.clone();
    stops["evaluations"] = json!([{"subject": 1}, {}]);
    stops["options"] = json!({"evaluations_semantic": "deny_on_first_deny"});
    assert_eq!(decisions(&ok(&server, EVALUATIONS, &stops).await), [false], "a failure is a denial");
}

#[tokio::test]
async fn without_evaluations_it_is_one_question() {
    let server = Server::start().await;
    drive(&server).await;
    let mut body = question("ann", "read", "budget");
    let one = ok(&server, EVALUATION, &body).await;
    assert_eq!(ok(&server, EVALUATIONS, &body).await, one);
    body["evaluations"] = json!([]);
    assert_eq!(ok(&server, EVALUATIONS, &body).await, one);
}

/// Follows the tokens of a search; the results, and how many pages there were.
async fn all_pages(server: &Server, path: &str, mut body: Value, limit: u32) -> (Vec<Value>, usize) {
    let (mut found, mut pages) = (Vec::new(), 0);
    body["page"] = json!({"limit": limit});
    loop {
        let answer = ok(server, path, &body).await;
        let results = answer["results"].as_array().unwrap().clone();
        assert_eq!(answer["page"]["count"], results.len(), "{answer}");
        found.extend(results);
        pages += 1;
        let next = answer["page"]["next_token"].as_str().unwrap();
        if next.is_empty() {
            let total = &answer["page"]["total"];
            assert!(total.is_null() || *total == found.len(), "{answer}");
            return (found, pages);
        }
        body["page"]["token"] = json!(next);
    }
}

#[tokio::test]
async fn searches_find_what_an_evaluation_allows() {
    let server = Server::start().await;
    drive(&server).await;
    let found = |path: &'static str, body: Value| {
        let server = &server;
        async move { ok(server, path, &body).await["results"].clone() }
    };
    let mut who = question("ignored", "read", "budget");
    assert_eq!(found(SEARCHES[0], who.clone()).await, json!([user("ann")]));
    who["subject"] = json!({"type": "user"});
    who["resource"]["id"] = json!("one");
    assert_eq!(found(SEARCHES[0], who.clone()).await, json!([user("cleo")]));
    who["subject"]["type"] = json!("robot");
    assert_eq!(found(SEARCHES[0], who).await, json!([]));

    let mut which = question("cleo", "read", "ignored");
    let blue = |id: &str| json!({"type": "document", "id": id, "properties": {"tenant": "blue"}});
    assert_eq!(found(SEARCHES[1], which.clone()).await, json!([blue("one"), blue("three"), blue("two")]));
    which["resource"] = json!({"type": "document", "properties": {"tenant": "default"}});
    assert_eq!(found(SEARCHES[1], which.clone()).await, json!([]));
    which["subject"]["id"] = json!("ann");
    assert_eq!(found(SEARCHES[1], which.clone()).await[0]["id"], "budget");
    which["subject"]["type"] = json!("robot");
    assert_eq!(found(SEARCHES[1], which).await, json!([]));

    let mut what = json!({"subject": user("ann"), "resource": document("budget")});
    assert_eq!(found(SEARCHES[2], what.clone()).await, json!([{"name": "read"}, {"name": "write"}]));
    what["resource"] = document("diary");
    assert_eq!(found(SEARCHES[2], what.clone()).await, json!([]));
    what["subject"]["id"] = json!("ben");
    assert_eq!(found(SEARCHES[2], what.clone()).await, json!([{"name": "read"}]));
    what["resource"]["type"] = json!("castle");
    assert_eq!(found(SEARCHES[2], what).await, json!([]));
}

#[tokio::test]
async fn results_come_in_pages() {
    let server = Server::start().await;
    drive(&server).await;
    let dev = server.dev();
    let editor = json!({"user": "cleo", "role": "reader", "resource_instance": "document:diary"});
    dev.post(&format!("{FACTS}/role_assignments"), editor).await;
    let auditor = json!({"user": "ann", "role": "auditor", "tenant": "blue"});
    dev.post(&format!("{FACTS}/role_assignments"), auditor).await;
    for (path, body, all) in [
        (SEARCHES[0], question("x", "read", "one"), 2),
        (SEARCHES[1], question("cleo", "read", "x"), 4),
        (SEARCHES[2], json!({"subject": user("ann"), "resource": document("budget")}), 2),
    ] {
        let (whole, pages) = all_pages(&server, path, body.clone(), 100).await;
        assert_eq!((whole.len(), pages), (all, 1), "{path}");
        for limit in [1, 2, 3] {
            let (parts, pages) = all_pages(&server, path, body.clone(), limit).await;
            assert_eq!((parts, pages), (whole.clone(), all.div_ceil(limit as usize)), "{path} by {limit}");
        }
    }
    let mut none = question("cleo", "read", "x");
    none["page"] = json!({"limit": 0});
    let answer = ok(&server, SEARCHES[1], &none).await;
    assert_eq!((&answer["results"], &answer["page"]["total"]), (&json!([]), &json!(4)));
    none["page"] = json!({"limit": 1_000_000, "properties": {"sort": "id"}});
    assert_eq!(ok(&server, SEARCHES[1], &none).await["page"]["count"], 4);
}

#[tokio::test]
async fn a_token_goes_on_with_its_own_search_only() {
    let server = Server::start().await;
    drive(&server).await;
    let mut body = question("cleo", "read", "x");
    body["page"] = json!({"limit": 1});
    let token = ok(&server, SEARCHES[1], &body).await["page"]["next_token"].clone();
    body["page"]["token"] = token.clone();
    assert_eq!(ok(&server, SEARCHES[1], &body).await["results"][0]["id"], "three");
    let mut others = vec![body.clone(), body.clone(), body.clone(), body.clone(), body.clone()];
    others[0]["subject"]["id"] = json!("ann");
    others[1]["action"]["name"] = json!("write");
    others[2]["resource"]["type"] = json!("folder");
    others[3]["context"] = json!({"time": "now"});
    others[4]["page"]["limit"] = json!(2);
    for other in others {
        assert!(send(&server, SEARCHES[1], &other).await.refusal(400).contains("`page.token`"), "{other}");
    }
    for token in ["", "x", "1-", "zz-00"] {
        body["page"]["token"] = json!(token);
        send(&server, SEARCHES[1], &body).await.refusal(400);
    }
    for page in
        [json!({"limit": -1}), json!({"limit": 1.5}), json!({"limit": "9"}), json!({"token": 1}), json!(1)]
    {
        body["page"] = page;
        assert!(send(&server, SEARCHES[1], &body).await.refusal(400).contains("`page`"), "{body}");
    }
}

/// Ann reads documents that are hers by a rule, of those that the call says are open.
#[tokio::test]
async fn searches_find_what_rules_allow_with_what_the_call_says() {
    let server = Server::start().await;
    drive(&server).await;
    let dev = server.dev();
    for (id, owner) in [("one", "ann"), ("two", "ann"), ("diary", "ben")] {
        let path = format!("{FACTS}/resource_instances/document:{id}");
        dev.patch(&path, json!({"attributes": {"owner": owner}})).await;
    }
    let sets = format!("{SCHEMA}/condition_sets");
    let daytime = json!({"key": "awake", "name": "Awake", "conditions": {"allOf": [
        {"user.awake": {"equals": true}}, {"context.hour": {"less-than": 20}}, {"action.loud": {"equals": false}}]}});
    dev.post(&sets, daytime).await;
    let own = json!({"key": "own", "name": "Own", "type": "resourceset", "resource_id": "document",
        "conditions": {"allOf": [{"resource.owner": {"equals": {"ref": "user.key"}}}, {"resource.open": {"equals": true}}]}});
    dev.post(&sets, own).await;
    let rule = json!({"user_set": "awake", "permission": "document:write", "resource_set": "own"});
    dev.post(&format!("{FACTS}/set_rules"), rule).await;

    let whole = |subject: Value, resource: Value, hour: u8| {
        json!({
            "subject": subject, "resource": resource, "context": {"hour": hour},
            "action": {"name": "write", "properties": {"loud": false}},
        })
    };
    let subject = |id: &str| json!({"type": "user", "id": id, "properties": {"awake": true}});
    let resource = |id: &str| json!({"type": "document", "id": id, "properties": {"open": true}});
    for hour in [9, 21] {
        for user in ["ann", "ben", "cleo"] {
            let mut expected = Vec::new();
            for id in ["budget", "diary", "one", "three", "two"] {
                let answer = ok(&server, EVALUATION, &whole(subject(user), resource(id), hour)).await;
                if answer["decision"] == true {
                    expected.push(json!(id));
                }
                let who = ok(&server, SEARCHES[0], &whole(subject("x"), resource(id), hour)).await;
                let found = who["results"].as_array().unwrap().iter().any(|one| one["id"] == user);
                assert_eq!(found, answer["decision"], "{user} {id} at {hour}: {who}");
            }
            for limit in [1, 100] {
                let body = whole(subject(user), resource("x"), hour);
                let (found, _) = all_pages(&server, SEARCHES[1], body, limit).await;
                let found: Vec<&Value> = found.iter().map(|one| &one["id"]).collect();
                assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{user} at {hour}");
            }
        }
    }
    // Of a list that conditions decide it is not told how long it is.
    let body = whole(subject("ann"), resource("x"), 9);
    let answer = ok(&server, SEARCHES[1], &body).await;
    assert_eq!((answer["results"].as_array().unwrap().len(), &answer["page"]["total"]), (3, &Value::Null));
    // An action search says nothing of the action.
    let quiet = json!({"subject": subject("ann"), "resource": resource("one"), "context": {"hour": 9}});
    assert_eq!(ok(&server, SEARCHES[2], &quiet).await["results"], json!([]));
    let elsewhere = json!({"type": "document", "properties": {"open": true, "tenant": "default"}});
    let answer = ok(&server, SEARCHES[1], &whole(subject("ann"), elsewhere, 9)).await;
    assert_eq!(answer["results"].as_array().unwrap().len(), 1, "the budget, by a role: {answer}");
    let wrong = json!({"type": "document", "properties": {"tenant": 3}});
    send(&server, SEARCHES[1], &whole(subject("ann"), wrong, 9)).await.refusal(400);
}

#[tokio::test]
async fn a_search_needs_what_it_does_not_look_for() {
    let server = Server::start().await;
    let whole = question("ann", "read", "budget");
    for (path, missing) in [
        (SEARCHES[0], vec!["/subject/type", "/action/name", "/resource/type", "/resource/id"]),
        (SEARCHES[1], vec!["/subject/type", "/subject/id", "/action/name", "/resource/type"]),
        (SEARCHES[2], vec!["/subject/type", "/subject/id", "/resource/type", "/resource/id"]),
    ] {
        for pointer in missing {
            let (parent, member) = pointer.rsplit_once('/').unwrap();
            let mut body = whole.clone();
            body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(member);
            send(&server, path, &body).await.refusal(400);
            let mut body = whole.clone();
            body.as_object_mut().unwrap().remove(parent.trim_start_matches('/'));
            send(&server, path, &body).await.refusal(400);
        }
    }
}
