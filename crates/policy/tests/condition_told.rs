//! Conditions: complaints and limits, what they read, and how they and their explanations are told.

#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

use askfirst_policy::condition::{
    Condition, Given, Layers, MAX_DEPTH, MAX_ITEMS, MAX_LEAVES, MAX_PATH, MAX_SIZE, NoInstances, Read,
};
use serde_json::{Value, json};

fn compiled(condition: &Value) -> Condition {
    Condition::compile(condition).unwrap_or_else(|error| panic!("{condition}: {error}"))
}

fn complaint(condition: &Value) -> String {
    match Condition::compile(condition) {
        Err(error) => error.to_string(),
        Ok(condition) => panic!("compiles to: {condition}"),
    }
}

#[test]
fn complaints_name_the_place_and_what_would_be_right() {
    let wrong = [
        json!([]),
        json!("user.age > 3"),
        json!({"all_of": []}),
        json!({"allOf": [{"usr.age": {"equals": 1}}]}),
        json!({"allOf": [{"user.age": {"equals": 1}}, {"anyOf": [{"user.age": {"lessThan": 40}}]}]}),
        json!({"user.age": {"or": [{"between": [15, 18]}, {"greater-than-unsupported": 40}]}}),
        json!({"user.role": "admin"}),
        json!({"user.role": {}}),
        json!({"anyOf": [{}]}),
        json!({"anyOf": []}),
        json!({"not": []}),
        json!({"not": 3}),
        json!({"anyOf": {"user.a": {"equals": 1}, "user.b": {"equals": 1}}}),
        json!({"not": {"user.a": {"equals": 1}, "user.b": {"equals": 1}}}),
        json!({"equals": 3}),
        json!({"user": {"equals": 3}}),
        json!({"user..age": {"equals": 3}}),
        json!({"user.a": {"less-than": true}}),
        json!({"user.a": {"between": 3}}),
        json!({"user.a": {"between": [1, 2, 3]}}),
        json!({"user.a": {"between": [1, "2"]}}),
        json!({"user.a": {"between": [2, 1]}}),
        json!({"user.a": {"contains": ["x"]}}),
        json!({"user.a": {"contains": ""}}),
        json!({"user.a": {"in": "US"}}),
        json!({"user.a": {"in": ["US", {"ref": "user.b"}]}}),
        json!({"user.a": {"array_contains": ["x"]}}),
        json!({"user.a": {"equals": {"ref": 3}}}),
        json!({"user.a": {"equals": {"ref": "user.b", "or": 3}}}),
        json!({"user.a": {"equals-ref": "age"}}),
        json!({"user.a": {"any_match": {"price": {"equals": 3}}}}),
        json!({"user.a": {"any_match": {"fk_resource_type": "doc"}}}),
        json!({"user.a": {"any_match": {"fk_resource_type": 3, "match": {"a": {"equals": 1}}}}}),
        json!({"user.a": {"any_match": {"fk_resource_type": "a b", "match": {"a": {"equals": 1}}}}}),
        json!({"user.a": {"any_match": {"match": {"a": {"equal": 1}}}}}),
    ];
    let told: Vec<_> =
        wrong.iter().map(|condition| format!("{condition}\n    {}", complaint(condition))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn limits() {
    let nested =
        |levels: usize| (0..levels).fold(json!({"user.a": {"equals": 1}}), |inner, _| json!({"not": inner}));
    assert!(Condition::compile(&nested(MAX_DEPTH)).is_ok());
    assert!(complaint(&nested(MAX_DEPTH + 1)).contains("nests at most 16 deep"));

    let leaves = |count: usize| json!({"anyOf": (0..count).map(|n| json!({"user.a": {"equals": n}})).collect::<Value>()});
    assert!(Condition::compile(&leaves(MAX_LEAVES)).is_ok());
    assert!(complaint(&leaves(MAX_LEAVES + 1)).contains("compares at most 256 times"));

    let items = |count: usize| json!({"user.a": {"in": (0..count).collect::<Value>()}});
    assert!(Condition::compile(&items(MAX_ITEMS)).is_ok());
    assert!(complaint(&items(MAX_ITEMS + 1)).contains("at most 1000 items, but this one has 1001"));

    let long = |bytes: usize| json!({"user.a": {"equals": "x".repeat(bytes)}});
    assert!(Condition::compile(&long(MAX_SIZE - 3)).is_ok());
    assert!(complaint(&long(MAX_SIZE - 2)).contains("at most 65536 bytes"));

    let path = |bytes: usize| json!({format!("user.{}", "x".repeat(bytes - 5)): {"equals": 1}});
    assert!(Condition::compile(&path(MAX_PATH)).is_ok());
    assert!(complaint(&path(MAX_PATH + 1)).contains("at most 256 bytes"));

    let deep =
        |levels: usize| json!({"user.a": {"equals": (0..levels).fold(json!(1), |inner, _| json!([inner]))}});
    assert!(Condition::compile(&deep(16)).is_ok());
    assert!(complaint(&deep(17)).contains("a value in a condition nests at most 16 deep"));
}

#[test]
fn what_a_condition_reads() {
    let condition = compiled(&json!({"allOf": [
        {"user.address.city": {"equals": {"ref": "resource.city"}}},
        {"user.address.city": {"in": ["Oslo"]}},
        {"resource.items": {"any_match": {"match": {"price": {"less-than": {"ref": "user.limit"}}}}}},
        {"not": {"user.projects": {"all_match": {"fk_resource_type": "project", "match": {"budget": {"equals": 1}}}}}},
    ]}));
    let told: Vec<_> = condition
        .attributes()
        .into_iter()
        .map(|read| match read {
            Read::Attribute(path) => path.to_string(),
            Read::Member { of, path } => format!("{of} -> {path}"),
            Read::Stored { resource, path } => format!("{resource}: {path}"),
        })
        .collect();
    let expected = [
        "user.address.city",
        "user.limit",
        "user.projects",
        "resource.city",
        "resource.items",
        "resource.items -> price",
        "project: budget",
    ];
    assert_eq!(told, expected);
}

#[test]
fn conditions_and_their_explanations_read_as_a_person_would_tell_them() {
    let condition = compiled(&json!({
        "allOf": [
            {"user.age": {"greater-than-equals": 18}},
            {"or": [{"resource.owner": {"equals": {"ref": "user.key"}}}, {"user.roles": {"array_contains": "admin"}}]},
            {"user.country": {"not": {"in": ["US", "CA"]}}},
            {"user.level": {"between": [1, 3]}},
            {"resource.items": {"any_match": {"match": {"price": {"less-than": 10}, "name": {"contains": "pizza"}}}}},
            {"user.project": {"object_match": {"fk_resource_type": "project", "match": {"budget": {"greater-than": 9}}}}},
        ]
    }));
    let (user, resource) = (
        json!({"age": 17, "key": "joe", "country": 7, "project": "none", "level": 2}),
        json!({"items": [{"price": 12, "name": "pizza"}, {"name": "a pizza that has a very long name, and then some more of it, so long"}]}),
    );
    let view = Given {
        user: Layers { stored: user.as_object(), ..Layers::default() },
        resource: Layers { stored: resource.as_object(), ..Layers::default() },
        ..Given::<NoInstances>::default()
    };
    let explanation = condition.explain(&view);
    let leaves: Vec<_> = explanation.leaves.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(format!("{condition}\n\n{}: {}", leaves.join("\n"), explanation.truth));
    insta::assert_json_snapshot!(explanation.leaves.last());
}

#[test]
fn a_long_explanation_is_cut_and_says_so() {
    let leaves: Value = (0..MAX_LEAVES).map(|n| json!({"user.a": {"equals": n}})).collect();
    let view = Given::<NoInstances>::default();
    let explanation = compiled(&json!({"anyOf": leaves})).explain(&view);
    assert_eq!((explanation.leaves.len(), explanation.left_out), (100, 156));
}
