//! Condition sets and the rules over them, over the wire.

use crate::support::{Client, FACTS, SCHEMA, Server, names};
use serde_json::{Value, json};

fn sets() -> String {
    format!("{SCHEMA}/condition_sets")
}

fn rules() -> String {
    format!("{FACTS}/set_rules")
}

async fn allowed(dev: &Client<'_>, user: Value, resource: Value, context: Value) -> bool {
    let question = json!({"user": user, "action": "read", "resource": resource, "context": context});
    let answer = dev.post("/allowed", question.clone()).await;
    let bulk = dev.post("/allowed/bulk", json!([question])).await;
    assert_eq!(bulk["allow"][0]["allow"], answer["allow"]);
    answer["allow"].as_bool().expect("an answer")
}

/// Documents with an owner and a level; ann is an adult, kim is not.
async fn world(dev: &Client<'_>) {
    let actions = json!({"read": {}, "write": {}});
    dev.post(&format!("{SCHEMA}/resources"), json!({"key": "doc", "name": "Doc", "actions": actions})).await;
    dev.post(&format!("{SCHEMA}/roles"), json!({"key": "clerk", "name": "Clerk"})).await;
    for (key, age) in [("ann", json!({"age": 40})), ("kim", json!({"age": 9})), ("bob", json!({}))] {
        dev.post(&format!("{FACTS}/users"), json!({"key": key, "attributes": age})).await;
    }
    for (key, level) in [("low", 1), ("high", 5)] {
        let body =
            json!({"key": key, "resource": "doc", "tenant": "default", "attributes": {"level": level}});
        dev.post(&format!("{FACTS}/resource_instances"), body).await;
    }
    let adults = json!({"key": "adults", "name": "Adults", "conditions": {"allOf": [{"user.age": {"greater-than": 17}}]}});
    dev.post(&sets(), adults).await;
    let open = json!({
        "key": "open", "name": "Open", "type": "resourceset", "resource_id": "doc",
        "conditions": {"resource.level": {"less-than": 3}},
    });
    dev.post(&sets(), open).await;
}

fn rule(user_set: &str, resource_set: &str) -> Value {
    json!({"user_set": user_set, "permission": "doc:read", "resource_set": resource_set})
}

#[tokio::test]
async fn a_rule_allows_who_is_in_the_user_set_on_what_is_in_the_resource_set() {
    let server = Server::start().await;
    let dev = server.dev();
    world(&dev).await;
    let low = || json!({"type": "doc", "key": "low"});
    assert!(!allowed(&dev, json!({"key": "ann"}), low(), Value::Null).await, "no rule yet");
    dev.post(&rules(), rule("adults", "open")).await;
    assert!(allowed(&dev, json!({"key": "ann"}), low(), Value::Null).await);
    assert!(!allowed(&dev, json!({"key": "kim"}), low(), Value::Null).await);
    assert!(!allowed(&dev, json!({"key": "bob"}), low(), Value::Null).await, "an age that is not known");
    assert!(!allowed(&dev, json!({"key": "zoe"}), low(), Value::Null).await, "no such user");
    let high = json!({"type": "doc", "key": "high"});
    assert!(!allowed(&dev, json!({"key": "ann"}), high.clone(), Value::Null).await);
    // What the call says goes before what is stored.
    assert!(allowed(&dev, json!({"key": "kim", "attributes": {"age": 18}}), low(), Value::Null).await);
    assert!(!allowed(&dev, json!({"key": "ann", "attributes": {"age": null}}), low(), Value::Null).await);
    let lowered = json!({"type": "doc", "key": "high", "attributes": {"level": 2}});
    assert!(allowed(&dev, json!({"key": "ann"}), lowered, Value::Null).await);
    let unknown = json!({"type": "doc", "attributes": {"level": 2}});
    assert!(
        allowed(&dev, json!({"key": "ann"}), unknown, Value::Null).await,
        "as a whole, by what the call says"
    );
    let asked = json!({"user": "ann", "action": "read", "resource": "doc:low"});
    let explained = dev.post("/api/v1/check", asked).await;
    let sentence = explained["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains("user set adults") && sentence.contains("resource set open"), "{sentence}");
    dev.patch(&format!("{FACTS}/users/ann"), json!({"attributes": {"age": 3}})).await;
    assert!(
        !allowed(&dev, json!({"key": "ann"}), low(), Value::Null).await,
        "attributes that are written count"
    );
    dev.delete(&rules(), rule("adults", "open")).await;
    assert!(!allowed(&dev, json!({"key": "kim", "attributes": {"age": 18}}), low(), Value::Null).await);
    dev.refused(404, "NOT_FOUND", "DELETE", &rules(), rule("adults", "open")).await;
}

#[tokio::test]
async fn what_a_call_says_counts_through_every_door() {
    let server = Server::start().await;
    let dev = server.dev();
    world(&dev).await;
    let daytime = json!({"key": "daytime", "name": "Daytime", "conditions": {"allOf": [
        {"user.age": {"greater-than": 17}}, {"context.hour": {"less-than": 20}}]}});
    dev.post(&sets(), daytime).await;
    dev.post(&rules(), rule("daytime", "open")).await;
    for (age, level, hour, may) in [(40, 1, 9, true), (9, 1, 9, false), (40, 5, 9, false), (40, 1, 21, false)]
    {
        let evaluation = json!({
            "subject": {"type": "user", "id": "bob", "properties": {"age": age}},
            "action": {"name": "read"},
            "resource": {"type": "doc", "id": "high", "properties": {"level": level, "tenant": "default"}},
            "context": {"hour": hour},
        });
        let case = evaluation.to_string();
        assert_eq!(dev.post("/access/v1/evaluation", evaluation).await["decision"], may, "{case}");
        let check = json!({"user": "bob", "action": "read", "resource": "doc:high",
            "user_attributes": {"age": age}, "resource_attributes": {"level": level}, "context": {"hour": hour}});
        assert_eq!(dev.post("/api/v1/check", check).await["allow"], may, "{case}");
    }
}

#[tokio::test]
async fn roles_and_resources_stand_for_sets_and_the_context_counts() {
    let server = Server::start().await;
    let dev = server.dev();
    world(&dev).await;
    let office =
        json!({"key": "office", "name": "Office", "conditions": {"context.place": {"equals": "office"}}});
    dev.post(&sets(), office).await;
    let whole = json!({
        "user_set": "clerk", "permission": "doc:read", "resource_set": "open", "is_role": true,
    });
    let made = dev.post(&rules(), whole.clone()).await;
    assert_eq!((&made[0]["user_set"], &made[0]["resource_set"]), (&json!("clerk"), &json!("open")));
    let everywhere = json!({
        "user_set": "office", "permission": "doc:read", "resource_set": "doc", "is_resource": true,
    });
    dev.post(&rules(), everywhere).await;
    let (low, high) = (json!({"type": "doc", "key": "low"}), json!({"type": "doc", "key": "high"}));
    let kim = json!({"key": "kim"});
    assert!(!allowed(&dev, kim.clone(), low.clone(), Value::Null).await);
    dev.post(
        &format!("{FACTS}/role_assignments"),
        json!({"user": "kim", "role": "clerk", "tenant": "default"}),
    )
    .await;
    assert!(allowed(&dev, kim.clone(), low, Value::Null).await);
    assert!(!allowed(&dev, kim.clone(), high.clone(), Value::Null).await);
    assert!(allowed(&dev, kim.clone(), high.clone(), json!({"place": "office"})).await);
    assert!(!allowed(&dev, kim, high, json!({"place": "home"})).await);

    assert_eq!(names(&dev.get(&rules()).await, "user_set"), ["clerk", "office"]);
    assert_eq!(names(&dev.get(&format!("{}?user_set=office", rules())).await, "resource_set"), ["doc"]);
    assert_eq!(names(&dev.get(&format!("{}?resource_set=open", rules())).await, "user_set"), ["clerk"]);
    assert_eq!(dev.get(&format!("{}?permission=doc:write", rules())).await, json!([]));
    dev.refused(409, "DUPLICATE_ENTITY", "POST", &rules(), whole).await;
    // A role takes its rules along.
    dev.delete(&format!("{SCHEMA}/roles/clerk"), Value::Null).await;
    assert_eq!(names(&dev.get(&rules()).await, "user_set"), ["office"]);
}

#[tokio::test]
async fn sets_are_read_changed_nested_and_deleted_by_key_and_by_id() {
    let server = Server::start().await;
    let dev = server.dev();
    world(&dev).await;
    let open = dev.get(&format!("{}/open", sets())).await;
    assert_eq!((&open["type"], &open["resource"]["key"]), (&json!("resourceset"), &json!("doc")));
    assert_eq!(open["resource_id"], open["resource"]["id"]);
    let id = open["id"].as_str().expect("an id").to_owned();
    assert_eq!(dev.get(&format!("{}/{id}", sets())).await, open);
    let child = json!({
        "key": "very-open", "name": "Very open", "type": "resourceset", "resource_id": open["resource_id"],
        "parent_id": id, "conditions": {"resource.published": {"equals": true}},
    });
    assert_eq!(dev.post(&sets(), child).await["parent_id"], open["id"]);
    dev.post(&rules(), rule("adults", "very-open")).await;
    let ann = json!({"key": "ann"});
    let on = |level: u8, published: bool| json!({"type": "doc", "attributes": {"level": level, "published": published}});
    assert!(allowed(&dev, ann.clone(), on(1, true), Value::Null).await);
    assert!(!allowed(&dev, ann.clone(), on(1, false), Value::Null).await);
    assert!(
        !allowed(&dev, ann.clone(), on(9, true), Value::Null).await,
        "the parent's conditions hold as well"
    );
    let renamed = dev.patch(&format!("{}/very-open", sets()), json!({"name": "Bare"})).await;
    assert_eq!((&renamed["name"], &renamed["parent_id"]), (&json!("Bare"), &open["id"]));
    dev.patch(&format!("{}/very-open", sets()), json!({"parent_id": null})).await;
    assert!(allowed(&dev, ann.clone(), on(9, true), Value::Null).await);
    dev.patch(&format!("{}/very-open", sets()), json!({"parent_id": "open"})).await;
    // Without its parent's conditions a set would hold more: it goes with it, and its rules too.
    dev.delete(&format!("{}/open", sets()), Value::Null).await;
    assert_eq!(names(&dev.get(&sets()).await, "key"), ["adults"]);
    assert_eq!(dev.get(&rules()).await, json!([]));
    dev.refused(404, "NOT_FOUND", "GET", &format!("{}/open", sets()), Value::Null).await;
}

#[tokio::test]
async fn what_does_not_hold_together_is_refused_with_what_would() {
    let server = Server::start().await;
    let dev = server.dev();
    world(&dev).await;
    let set = |parent: &str, conditions: Value| json!({"key": "x", "name": "X", "parent_id": parent, "conditions": conditions});
    let said = dev.refused(404, "NOT_FOUND", "POST", &sets(), set("nobody", json!({}))).await;
    assert!(said.contains("adults"), "{said}");
    let said = dev.refused(400, "INVALID_INPUT", "POST", &sets(), set("open", json!({}))).await;
    assert!(said.contains("both"), "{said}");
    let wrong = json!({"allOf": [{"user.age": {"bigger": 1}}]});
    let said = dev.refused(400, "INVALID_INPUT", "POST", &sets(), set("adults", wrong)).await;
    assert!(said.contains("$.allOf[0][\"user.age\"].bigger"), "{said}");
    dev.refused(400, "INVALID_INPUT", "PATCH", &format!("{}/adults", sets()), json!({"parent_id": "adults"}))
        .await;
    dev.refused(409, "DUPLICATE_ENTITY", "POST", &sets(), json!({"key": "open", "name": "Open"})).await;
    for (user_set, permission, resource_set) in [
        ("nobody", "doc:read", "open"),
        ("open", "doc:read", "open"),
        ("adults", "doc:read", "adults"),
        ("adults", "doc:burn", "open"),
        ("adults", "car:read", "open"),
    ] {
        let body = json!({"user_set": user_set, "permission": permission, "resource_set": resource_set});
        dev.refused(404, "NOT_FOUND", "POST", &rules(), body).await;
    }
    let role = json!({"user_set": "boss", "permission": "doc:read", "resource_set": "open", "is_role": true});
    assert!(dev.refused(404, "NOT_FOUND", "POST", &rules(), role).await.contains("clerk"));
    // A resource takes its sets and rules along.
    dev.post(&rules(), rule("adults", "open")).await;
    dev.delete(&format!("{SCHEMA}/resources/doc"), Value::Null).await;
    assert_eq!(names(&dev.get(&sets()).await, "key"), ["adults"]);
    assert_eq!(dev.get(&rules()).await, json!([]));
}

/// Without what differs from run to run.
fn settled(mut explained: Value) -> Value {
    fn clean(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(clean),
            Value::Object(members) => {
                for (name, value) in members.iter_mut() {
                    match name.as_str() {
                        "rule" | "revision" | "revision_token" => *value = json!("-"),
                        _ => clean(value),
                    }
                }
            }
            _ => {}
        }
    }
    clean(&mut explained);
    explained
}

/// Adults read open documents, clerks write all that is not too high.
async fn two_rules(dev: &Client<'_>) {
    world(dev).await;
    dev.post(&rules(), rule("adults", "open")).await;
    let modest = json!({
        "key": "modest", "name": "Modest", "type": "resourceset", "resource_id": "doc",
        "conditions": {"not": {"anyOf": [
            {"resource.level": {"greater-than": 4}}, {"resource.status": {"in": ["secret", "lost"]}}]}},
    });
    dev.post(&sets(), modest).await;
    let clerks =
        json!({"user_set": "clerk", "permission": "doc:read", "resource_set": "modest", "is_role": true});
    dev.post(&rules(), clerks).await;
}

#[tokio::test]
async fn an_explanation_tells_every_comparison_of_the_rule_that_allows() {
    let server = Server::start().await;
    let dev = server.dev();
    two_rules(&dev).await;
    let by_set =
        dev.post("/api/v1/check", json!({"user": "ann", "action": "read", "resource": "doc:low"})).await;
    insta::assert_json_snapshot!("allowed_by_a_user_set", settled(by_set));
    let clerk = json!({"user": "kim", "role": "clerk", "tenant": "default"});
    dev.post(&format!("{FACTS}/role_assignments"), clerk).await;
    let asked = json!({"user": "kim", "action": "read", "resource": "doc:low", "resource_attributes": {"status": "new"}});
    insta::assert_json_snapshot!("allowed_by_a_role", settled(dev.post("/api/v1/check", asked).await));
}

#[tokio::test]
async fn a_denial_says_what_each_rule_lacks() {
    let server = Server::start().await;
    let dev = server.dev();
    two_rules(&dev).await;
    let asked = json!({"user": "kim", "action": "read", "resource": "doc:high"});
    insta::assert_json_snapshot!("denied_by_two_rules", settled(dev.post("/api/v1/check", asked).await));
    // With the conditions met, the role of the rule would do.
    let asked = json!({"user": "kim", "action": "read", "resource": "doc:low", "resource_attributes": {"status": "new"}});
    let answer = dev.post("/api/v1/check", asked).await;
    assert_eq!(answer["decision"]["would_allow"], json!([{"role": "clerk", "at": {"tenant": "default"}}]));
    let said = |user: &str, action: &str| {
        let question =
            json!({"user": {"key": user}, "action": action, "resource": {"type": "doc", "key": "high"}});
        let dev = &dev;
        async move {
            dev.post("/allowed", question).await["debug"]["reason"].as_str().expect("a reason").to_owned()
        }
    };
    assert!(said("kim", "read").await.contains("that user.age is greater than 17 (it is 9)"));
    let unruled = said("kim", "write").await;
    assert!(!unruled.contains("rule"), "no rule is about it: {unruled}");
    let unknown = said("zoe", "read").await;
    assert!(unknown.contains("no user zoe") && !unknown.contains("rule"), "{unknown}");
}

#[tokio::test]
async fn the_lists_hold_what_rules_allow() {
    let server = Server::start().await;
    let dev = server.dev();
    two_rules(&dev).await;
    let clerk = json!({"user": "bob", "role": "clerk", "tenant": "default"});
    dev.post(&format!("{FACTS}/role_assignments"), clerk).await;
    let users = |resource: Value, context: Value| {
        let dev = &dev;
        async move {
            let body = json!({"action": "read", "resource": resource, "context": context});
            dev.post("/authorized_users", body).await["users"].clone()
        }
    };
    let low = || json!({"type": "doc", "key": "low"});
    let ann = json!([{"user": "ann", "tenant": "default", "resource": "doc:low", "role": "adults"}]);
    assert_eq!(users(low(), json!({})).await, json!({"ann": ann}));
    let new = json!({"type": "doc", "key": "low", "attributes": {"status": "new"}});
    let bob = json!([{"user": "bob", "tenant": "default", "resource": "__tenant:default", "role": "clerk"}]);
    assert_eq!(users(new, json!({})).await, json!({"ann": ann, "bob": bob}));

    let tenants = |resource: Value| {
        let dev = &dev;
        async move {
            let user = json!({"key": "kim", "attributes": {"age": 30}});
            let body = json!({"user": user, "action": "read", "resource": resource});
            dev.post("/allowed/all-tenants", body).await["allowed_tenants"].as_array().expect("a list").len()
        }
    };
    dev.post(&format!("{FACTS}/tenants"), json!({"key": "blue", "name": "Blue"})).await;
    let found = tenants(json!({"type": "doc", "attributes": {"level": 1}})).await;
    assert_eq!(found, 2, "as a whole, in every tenant");
    assert_eq!(tenants(json!({"type": "doc", "key": "low"})).await, 1);
    assert_eq!(tenants(json!({"type": "doc"})).await, 0, "the level is not known");
}

#[tokio::test]
async fn a_users_permissions_hold_what_rules_allow_when_that_is_asked_for() {
    let server = Server::start().await;
    let dev = server.dev();
    two_rules(&dev).await;
    let ask = |body: Value| {
        let (dev, mut body) = (&dev, body);
        body["user"] = json!({"key": "ann"});
        async move { dev.post("/user-permissions", body).await }
    };
    let with_rules = json!({"enable_abac_user_permissions": true});
    assert_eq!(ask(json!({})).await, json!({}), "roles only");
    assert_eq!(
        ask(json!({"context": with_rules, "resource_types": ["doc"]})).await,
        json!({"doc:low": {
            "tenant": {"key": "default", "attributes": {}},
            "resource": {"type": "doc", "key": "low", "attributes": {"level": 1}},
            "permissions": ["doc:read"], "roles": [],
        }})
    );
    assert_eq!(ask(json!({"context": with_rules, "resource_types": ["__tenant"]})).await, json!({}));
    let everywhere =
        json!({"user_set": "adults", "permission": "doc:write", "resource_set": "doc", "is_resource": true});
    dev.post(&rules(), everywhere).await;
    let found = ask(json!({"context": with_rules, "resource_types": ["doc", "__tenant"]})).await;
    let permissions = |place: &str| found[place]["permissions"].clone();
    assert_eq!(permissions("__tenant:default"), json!(["doc:write"]));
    assert_eq!(permissions("doc:low"), json!(["doc:read", "doc:write"]));
    assert_eq!(permissions("doc:high"), json!(["doc:write"]));
    let body = json!({"user": {"key": "ann"}, "context": with_rules});
    let said = dev.refused(400, "INVALID_INPUT", "POST", "/user-permissions", body).await;
    assert!(said.contains("resource_types"), "{said}");
    let body = json!({"user": {"key": "ann"}, "context": {"enable_abac_user_permissions": "yes"}});
    dev.refused(400, "INVALID_INPUT", "POST", "/user-permissions", body).await;
}

#[tokio::test]
async fn a_call_can_not_say_who_and_what_it_is_about_but_a_profile_counts() {
    let server = Server::start().await;
    let dev = server.dev();
    world(&dev).await;
    let conditions = [
        ("keyed", json!({"user.key": {"equals": "ann"}})),
        ("clerks", json!({"user.roles": {"array_contains": "clerk"}})),
        ("mailed", json!({"user.email": {"equals": "kim@example.org"}})),
        (
            "named",
            json!({"allOf": [{"user.first_name": {"equals": "Kim"}}, {"user.last_name": {"equals": "Lee"}}]}),
        ),
        (
            "here",
            json!({"allOf": [{"resource.key": {"equals": "low"}}, {"resource.type": {"equals": "doc"}},
            {"resource.tenant": {"equals": "default"}}, {"tenant.key": {"equals": "default"}}]}),
        ),
    ];
    let forged = json!({"key": "ann", "roles": ["clerk"]});
    let elsewhere = json!({"type": "doc", "key": "high", "attributes": {"key": "low", "type": "doc", "tenant": "default"}});
    for (key, conditions) in conditions {
        dev.post(&sets(), json!({"key": key, "name": key, "conditions": conditions})).await;
        let whole =
            json!({"user_set": key, "permission": "doc:read", "resource_set": "doc", "is_resource": true});
        dev.post(&rules(), whole.clone()).await;
        let kim = || json!({"key": "kim", "attributes": forged});
        let low = || json!({"type": "doc", "key": "low"});
        let may = allowed(&dev, kim(), elsewhere.clone(), json!({"key": "low"})).await;
        assert!(!may, "{key}: what follows from the question is not the caller's to say");
        match key {
            "keyed" => assert!(allowed(&dev, json!({"key": "ann"}), low(), Value::Null).await),
            "mailed" => {
                let mail = |mail: &str| json!({"key": "kim", "email": mail, "attributes": {}});
                assert!(allowed(&dev, mail("kim@example.org"), low(), Value::Null).await, "the call says so");
                let profile = json!({"email": "kim@example.org", "attributes": {"email": "other"}});
                dev.patch(&format!("{FACTS}/users/kim"), profile).await;
                assert!(allowed(&dev, kim(), low(), Value::Null).await, "the profile says so");
                assert!(
                    !allowed(&dev, mail("k@example.org"), low(), Value::Null).await,
                    "the call goes before it"
                );
            }
            "named" => {
                for names in [
                    json!({"key": "kim", "first_name": "Kim", "last_name": "Lee"}),
                    json!({"key": "kim", "firstName": "Kim", "lastName": "Lee", "first_name": null}),
                ] {
                    assert!(allowed(&dev, names, low(), Value::Null).await);
                }
            }
            "here" => assert!(allowed(&dev, kim(), low(), Value::Null).await),
            _ => {}
        }
        dev.delete(&rules(), whole).await;
    }
}
