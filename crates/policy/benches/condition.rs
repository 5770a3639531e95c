//! What one condition costs.
//!
//! `cargo bench -p askfirst-policy --bench condition`

use askfirst_policy::condition::{Condition, Given, Layers, NoInstances, Seen};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use std::hint::black_box;

fn compiled(tree: &Value) -> Condition {
    Condition::compile(tree).unwrap_or_else(|error| unreachable!("{error}"))
}

fn evaluate(c: &mut Criterion) {
    let user = json!({"department": "marketing", "age": 41, "paying": true, "until": "2027-01-01T00:00:00Z"});
    let resource = json!({
        "owner": "joe",
        "status": "published",
        "tags": ["a", "b", "c", "d"],
        "items": (0..20).map(|n| json!({"price": 20 - n})).collect::<Value>(),
    });
    let roles = ["viewer", "editor"];
    let fixed = [("key", Seen::Text("joe")), ("roles", Seen::Texts(&roles))];
    let view = Given {
        user: Layers { fixed: &fixed, stored: user.as_object(), ..Layers::default() },
        resource: Layers { stored: resource.as_object(), ..Layers::default() },
        ..Given::<NoInstances>::default()
    };
    let many: Vec<_> = (0..1000).map(|n| format!("user-{n}")).collect();
    let cases = [
        ("one text", json!({"user.department": {"equals": "marketing"}})),
        ("one number", json!({"user.age": {"greater-than-equals": 18}})),
        ("one time", json!({"user.until": {"greater-than": "2026-11-23T00:00:00Z"}})),
        ("one reference", json!({"resource.owner": {"equals": {"ref": "user.key"}}})),
        ("one of a thousand", json!({"user.department": {"in": many}})),
        (
            "any of twenty objects",
            json!({"resource.items": {"any_match": {"match": {"price": {"less-than": 2}}}}}),
        ),
        (
            "eight leaves",
            json!({"allOf": [
                {"user.department": {"equals": "marketing"}},
                {"user.age": {"between": [18, 67]}},
                {"user.paying": {"equals": true}},
                {"anyOf": [{"user.roles": {"array_contains": "admin"}}, {"user.roles": {"array_contains": "editor"}}]},
                {"resource.status": {"in": ["published", "review"]}},
                {"resource.tags": {"array_intersect": ["x", "d"]}},
                {"not": {"resource.owner": {"equals": "eve"}}},
            ]}),
        ),
    ];
    for (name, tree) in cases {
        let condition = compiled(&tree);
        c.bench_function(&format!("condition/{name}"), |b| {
            b.iter(|| black_box(&condition).evaluate(black_box(&view)));
        });
    }
}

criterion_group!(benches, evaluate);
criterion_main!(benches);
