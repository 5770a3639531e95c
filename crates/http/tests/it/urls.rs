//! Proxy configs, the questions about URLs that they answer, Kong, and limits on calls.

use crate::support::{FACTS, SCHEMA, Server, names};
use askfirst_http::Options;
use serde_json::{Value, json};

const CONFIGS: &str = "/v2/facts/default/dev/proxy_configs";

fn shop_rules() -> Value {
    json!({"key": "shop", "name": "Shop", "secret": "never-kept", "mapping_rules": [
        {"url": "https://shop/orders/{id}", "http_method": "get", "resource": "order", "action": "read"},
        {"url": "https://shop/orders/{id}", "http_method": "put", "resource": "order"},
        {"url": "^https://shop/any/(?P<level>[0-9]+)$", "url_type": "regex", "http_method": "get",
            "resource": "order", "action": "read", "priority": 3},
    ]})
}

#[tokio::test]
async fn proxy_configs_come_change_and_go() {
    let server = Server::start().await;
    let dev = server.dev();
    let made = dev.post(CONFIGS, shop_rules()).await;
    assert_eq!((&made["secret"], &made["auth_mechanism"]), (&Value::Null, &json!("Bearer")));
    assert_eq!(
        made["mapping_rules"][2],
        json!({"url": "^https://shop/any/(?P<level>[0-9]+)$", "url_type": "regex", "http_method": "get",
            "resource": "order", "headers": {}, "action": "read", "priority": 3})
    );
    for ident in ["shop", made["id"].as_str().unwrap()] {
        assert_eq!(dev.get(&format!("{CONFIGS}/{ident}")).await, made);
    }
    assert_eq!(names(&dev.get(CONFIGS).await, "key"), ["shop"]);
    dev.refused(409, "DUPLICATE_ENTITY", "POST", CONFIGS, shop_rules()).await;
    let wrong = json!({"key": "wrong", "name": "Wrong", "mapping_rules":
        [{"url": "(", "url_type": "regex", "http_method": "get", "resource": "order"}]});
    let told = dev.refused(400, "INVALID_INPUT", "POST", CONFIGS, wrong).await;
    assert!(told.contains("rule 1 of `wrong`"), "{told}");

    let at = format!("{CONFIGS}/shop");
    let changed = dev
        .patch(
            &at,
            json!({"auth_mechanism": "Basic", "mapping_rules": [
                {"url": "https://shop/orders/{id}", "http_method": "put", "resource": "order", "should_delete": true},
                {"url": "https://shop/orders/{id}", "http_method": "get", "resource": "order", "action": "see"},
                {"url": "https://shop/new", "http_method": "post", "resource": "order", "action": "create"},
            ]}),
        )
        .await;
    assert_eq!(names(&changed["mapping_rules"], "action"), ["see", "read", "create"]);
    assert_eq!((&changed["name"], &changed["auth_mechanism"]), (&json!("Shop"), &json!("Basic")));
    dev.delete(&at, Value::Null).await;
    dev.refused(404, "NOT_FOUND", "GET", &at, Value::Null).await;
    server.client(None).refused(401, "UNAUTHORIZED", "GET", CONFIGS, Value::Null).await;
}

#[tokio::test]
async fn a_question_about_a_url_is_one_about_its_resource() {
    let server = Server::start().await;
    let dev = server.dev();
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({"key": "order", "name": "Order", "actions": {"read": {}, "put": {}},
            "attributes": {"level": {"type": "string"}}}),
    )
    .await;
    dev.post(
        &format!("{SCHEMA}/roles"),
        json!({"key": "clerk", "name": "Clerk", "permissions": ["order:put"]}),
    )
    .await;
    let sets = format!("{SCHEMA}/condition_sets");
    dev.post(&sets, json!({"key": "all", "name": "All", "conditions": {}})).await;
    dev.post(
        &sets,
        json!({"key": "low", "name": "Low", "type": "resourceset", "resource_id": "order",
            "conditions": {"allOf": [{"resource.level": {"equals": "7"}}]}}),
    )
    .await;
    dev.post(
        &format!("{FACTS}/set_rules"),
        json!({"user_set": "all", "permission": "order:read", "resource_set": "low"}),
    )
    .await;
    dev.put(&format!("{FACTS}/users/ann"), json!({})).await;
    dev.post(
        &format!("{FACTS}/role_assignments"),
        json!({"user": "ann", "role": "clerk", "tenant": "default"}),
    )
    .await;
    dev.post(CONFIGS, shop_rules()).await;

    let ask = |method: &str, url: &str| json!({"user": {"key": "ann"}, "http_method": method, "url": url, "tenant": "default"});
    for (method, url, allow) in [
        ("PUT", "https://shop/orders/1", true),
        ("get", "https://shop/orders/1", false),
        ("GET", "https://shop/any/7", true),
        ("GET", "https://shop/any/8", false),
        ("delete", "https://shop/orders/1", false),
        ("fly", "https://shop/orders/1", false),
    ] {
        let answer = dev.post("/allowed_url", ask(method, url)).await;
        assert_eq!((&answer["allow"], &answer["result"]), (&json!(allow), &json!(allow)), "{method} {url}");
    }
    let none = dev.post("/allowed_url", ask("get", "https://elsewhere/")).await;
    assert!(none["debug"]["reason"].as_str().unwrap().contains("No mapping rule"), "{none}");
    let old = json!({"user": "ann", "http_method": "get", "url": "https://shop/", "tenant": "default"});
    assert_eq!(dev.send("POST", "/allowed_url", Some(&old)).await.status, 421);
    server
        .client(Some("wrong"))
        .refused(401, "UNAUTHORIZED", "POST", "/allowed_url", ask("get", "https://shop/"))
        .await;
}

fn kong(user: Option<&str>, method: &str, path: &str) -> Value {
    let http = json!({"host": "shop", "port": 80, "tls": {}, "method": method, "scheme": "http", "path": path,
        "querystring": {}, "headers": {}});
    json!({"input": {"request": {"http": http}, "consumer": user.map(|name| json!({"username": name}))}})
}

#[tokio::test]
async fn kong_asks_by_the_table_of_routes() {
    let without = Server::start().await;
    let told = without
        .dev()
        .refused(503, "UNEXPECTED_ERROR", "POST", "/kong", kong(Some("ann"), "GET", "/order/1"))
        .await;
    assert!(told.contains("--kong-routes"), "{told}");

    let routes = r#"[["^/v1/(\\w+)", 0], ["/order", "order"]]"#.parse().unwrap();
    let server = Server::start_with(Options { kong_routes: Some(routes), ..Options::default() }).await;
    let dev = server.dev();
    dev.post(
        &format!("{SCHEMA}/resources"),
        json!({"key": "order", "name": "Order", "actions": {"get": {}}}),
    )
    .await;
    dev.post(
        &format!("{SCHEMA}/roles"),
        json!({"key": "clerk", "name": "Clerk", "permissions": ["order:get"]}),
    )
    .await;
    dev.put(&format!("{FACTS}/users/ann"), json!({})).await;
    dev.post(
        &format!("{FACTS}/role_assignments"),
        json!({"user": "ann", "role": "clerk", "tenant": "default"}),
    )
    .await;
    for (user, method, path, result) in [
        (Some("ann"), "GET", "/order/1", true),
        (Some("ann"), "GET", "/v1/order/1", true),
        (Some("ann"), "POST", "/order/1", false),
        (Some("bo"), "GET", "/order/1", false),
        (Some("ann"), "GET", "/x/order", false),
        (None, "GET", "/order/1", false),
    ] {
        assert_eq!(dev.post("/kong", kong(user, method, path)).await, json!({"result": result}), "{path}");
    }
    server
        .client(None)
        .refused(401, "UNAUTHORIZED", "POST", "/kong", kong(Some("ann"), "GET", "/order/1"))
        .await;
}

#[tokio::test]
async fn calls_beyond_the_limit_are_told_when_to_come_back() {
    let limits = "all=6/1h,deletes=1/1h".parse().unwrap();
    let server = Server::start_with(Options { rate_limits: Some(limits), ..Options::default() }).await;
    let dev = server.dev();
    for user in ["ann", "bo"] {
        dev.put(&format!("{FACTS}/users/{user}"), json!({})).await;
    }
    dev.delete(&format!("{FACTS}/users/ann"), Value::Null).await;
    let gone = format!("{FACTS}/users/bo");
    let told = dev.refused(429, "UNEXPECTED_ERROR", "DELETE", &gone, Value::Null).await;
    assert!(told.contains("too many calls") && told.contains("seconds"), "{told}");
    let refused = dev.send("DELETE", &gone, None).await;
    let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((3000..=3600).contains(&seconds), "{seconds}");
    for _ in 0..3 {
        dev.get("/facts/users").await;
    }
    assert_eq!(dev.send("GET", "/facts/users", None).await.status, 429);
    // Others are counted apart, decisions not at all, and who is nobody is told that.
    server.org().get("/v2/projects").await;
    let ask = json!({"user": {"key": "bo"}, "action": "read", "resource": {"type": "doc"}});
    assert_eq!(dev.post("/allowed", ask).await["allow"], false);
    server.client(Some("wrong")).refused(401, "UNAUTHORIZED", "GET", "/facts/users", Value::Null).await;
}
