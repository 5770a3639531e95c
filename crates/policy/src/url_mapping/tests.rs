use super::*;
use askfirst_domain::{Id, url_mapping::AuthMechanism};
use serde_json::json;
use uuid::Uuid;

fn rule(kind: UrlKind, url: &str, resource: &str, priority: i64) -> MappingRule {
    MappingRule {
        url: url.to_owned(),
        kind,
        method: Method::Get,
        resource: resource.parse().unwrap(),
        action: Some("read".parse().unwrap()),
        headers: BTreeMap::new(),
        priority,
    }
}

fn config(n: u128, rules: Vec<MappingRule>) -> ProxyConfig {
    ProxyConfig {
        id: Id::new(Uuid::from_u128(n)),
        key: "api".parse().unwrap(),
        name: "API".to_owned(),
        auth_mechanism: AuthMechanism::Bearer,
        rules,
        created_at: Timestamp::from_micros(i64::try_from(n).unwrap()),
        updated_at: Timestamp::from_micros(0),
    }
}

fn schema(configs: Vec<ProxyConfig>) -> Schema {
    let mut schema = Schema::default();
    for config in configs {
        schema.check_proxy_config(&config).unwrap();
        schema.put_proxy_config(config);
    }
    schema
}

/// Resource and attributes of what a GET of the URL comes to.
fn get(schema: &Schema, url: &str) -> Option<(String, serde_json::Value)> {
    let found = schema.map_url(Method::Get, url)?;
    Some((found.resource.to_string(), found.attributes.into()))
}

fn template(url: &str) -> Schema {
    schema(vec![config(1, vec![rule(UrlKind::Template, url, "thing", 0)])])
}

#[test]
fn a_template_matches_segment_by_segment() {
    let s = template("https://api.example.com/customers/{id}/payments");
    let said = Some(("thing".to_owned(), json!({"id": "17"})));
    assert_eq!(get(&s, "https://api.example.com/customers/17/payments"), said);
    assert_eq!(get(&s, "HTTPS://API.example.COM/customers/17/payments?x=1#top"), said);
    for other in [
        "http://api.example.com/customers/17/payments",
        "https://example.com/customers/17/payments",
        "https://api.example.com/customers/17",
        "https://api.example.com/customers//payments",
        "https://api.example.com/customers/17/payments/1",
        "https://api.example.com/Customers/17/payments",
        "https://api.example.com/%63ustomers/17/payments",
        "",
    ] {
        assert_eq!(get(&s, other), None, "{other}");
    }
}

#[test]
fn the_query_of_a_template_has_to_be_there() {
    let s = template("https://a/p?kind=paid&limit={limit}");
    let said = |limit: &str| Some(("thing".to_owned(), json!({"limit": limit})));
    assert_eq!(get(&s, "https://a/p?limit=5&more=x&kind=paid"), said("5"));
    assert_eq!(get(&s, "https://a/p?limit=a+b%26c&kind=p%61id"), said("a b&c"));
    assert_eq!(get(&s, "https://a/p?limit=5&kind=open"), None);
    assert_eq!(get(&s, "https://a/p?kind=paid"), None);
    assert_eq!(get(&s, "https://a/p"), None);
    assert_eq!(get(&s, "https://a/p?kind=paid&limit=1&limit=2"), None, "readers differ in which they take");
}

#[test]
fn what_climbs_matches_nothing() {
    let s = schema(vec![config(
        1,
        vec![
            rule(UrlKind::Template, "https://a/files/{name}/x", "thing", 0),
            rule(UrlKind::Regex, "^https://a/any/.*", "thing", 0),
        ],
    )]);
    assert!(get(&s, "https://a/files/report/x").is_some() && get(&s, "https://a/any/thing").is_some());
    for url in
        ["https://a/files/../x", "https://a/files/%2e%2E/x", "https://a/any/./x", r"https://a/any/a\..\x"]
    {
        assert_eq!(get(&s, url), None, "{url}");
    }
    assert!(get(&s, "https://a/any/thing?next=../x").is_some(), "a query climbs nowhere");
}

#[test]
fn an_expression_matches_from_the_start_and_names_attributes() {
    let s = schema(vec![config(
        1,
        vec![rule(UrlKind::Regex, r"https://a/users/(?P<id>[0-9]+)(/(?P<part>\w+))?", "user", 0)],
    )]);
    assert_eq!(
        get(&s, "https://a/users/17/name"),
        Some(("user".to_owned(), json!({"id": "17", "part": "name"})))
    );
    assert_eq!(get(&s, "https://a/users/17"), Some(("user".to_owned(), json!({"id": "17"}))));
    assert_eq!(get(&s, "https://evil/?u=https://a/users/17"), None);
}

#[test]
fn the_highest_priority_counts_then_the_oldest() {
    let any = |resource, priority| rule(UrlKind::Template, "https://a/{x}", resource, priority);
    let s = schema(vec![
        config(2, vec![any("younger", 5)]),
        config(1, vec![any("low", 0), any("older", 5), any("later", 5)]),
    ]);
    assert_eq!(get(&s, "https://a/b").unwrap().0, "older");
    let mut s = s;
    s.remove_proxy_config(Id::new(Uuid::from_u128(1)));
    assert_eq!(get(&s, "https://a/b").unwrap().0, "younger");
    s.remove_proxy_config(Id::new(Uuid::from_u128(2)));
    assert_eq!(get(&s, "https://a/b"), None);
}

#[test]
fn method_headers_and_a_missing_action() {
    let mut bare = rule(UrlKind::Template, "https://a/b", "thing", 0);
    bare.action = None;
    let mut guarded = rule(UrlKind::Template, "https://a/c", "thing", 0);
    guarded.headers.insert("x-version".to_owned(), "7".to_owned());
    let s = schema(vec![config(1, vec![bare, guarded])]);
    assert_eq!(s.map_url(Method::Get, "https://a/b").unwrap().action, "get");
    assert_eq!(s.map_url(Method::Post, "https://a/b"), None);
    assert_eq!(s.map_url(Method::Get, "https://a/c"), None, "a question has no headers");
}

#[test]
fn what_can_not_be_read_is_refused_with_its_number() {
    let refused = |rule| {
        let ok = self::rule(UrlKind::Template, "https://a/b", "thing", 0);
        Schema::default().check_proxy_config(&config(1, vec![ok, rule])).unwrap_err().to_string()
    };
    let told = refused(rule(UrlKind::Regex, "https://(a", "thing", 0));
    assert_eq!(told, "the mapping rule 2 of `api` is wrong: its expression can't be read (unclosed group)");
    let told = refused(rule(UrlKind::Template, "https://a/x{id}", "thing", 0));
    assert!(told.contains("`x{id}` mixes text and a variable"), "{told}");
    assert!(refused(rule(UrlKind::Regex, r"\w{1000}\w{1000}", "thing", 0)).contains("too large"));
    assert!(refused(rule(UrlKind::Template, "", "thing", 0)).contains("1 to"));
}
