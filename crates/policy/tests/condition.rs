//! Conditions: every operator in every spelling, what is undefined, both forms, matches and references.

#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

use askfirst_policy::condition::{
    Attributes, Condition, Given, Instance, Instances, Layers, MAX_ITEMS, NoInstances, Seen, Truth,
};
use serde_json::{Map, Value, json};

/// Projects by key.
struct Projects(Value);

impl Instances for Projects {
    fn instance(&self, resource: &str, key: &str) -> Option<Instance<'_>> {
        let (key, attributes) = self.0.as_object()?.get_key_value(key).filter(|_| resource == "project")?;
        Some(Instance { key, tenant: "acme", attributes: attributes.as_object()? })
    }
}

fn compiled(condition: &Value) -> Condition {
    Condition::compile(condition).unwrap_or_else(|error| panic!("{condition}: {error}"))
}

fn object(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object()
}

/// Evaluates over `{"user": {...}, "resource": {...}, ...}`; every answer is explained too, and must be the same.
fn truth(condition: &Value, given: &Value) -> Truth {
    let stored = |root: &str| Layers { stored: given.get(root).and_then(object), ..Layers::default() };
    let view = Given {
        user: stored("user"),
        resource: stored("resource"),
        tenant: stored("tenant"),
        context: stored("context"),
        action: stored("action"),
        instances: Projects(given.get("projects").cloned().unwrap_or_default()),
    };
    let condition = compiled(condition);
    let truth = condition.evaluate(&view);
    assert_eq!(condition.explain(&view).truth, truth);
    assert_eq!(compiled(&condition.to_json()), condition, "the canonical form compiles to the same");
    truth
}

/// What `operator` says of an attribute with this value.
fn says(value: &Value, operator: &str, operand: &Value) -> Truth {
    truth(&json!({"user.a": {operator: operand}}), &json!({"user": {"a": value}}))
}

const T: Truth = Truth::True;
const F: Truth = Truth::False;
const U: Truth = Truth::Undefined;

/// Each line under both spellings: with hyphens and with underscores.
fn table(operator: &str, lines: &[(Value, Value, Truth)]) {
    for spelling in [operator.replace('_', "-"), operator.replace('-', "_")] {
        for (value, operand, expected) in lines {
            assert_eq!(says(value, &spelling, operand), *expected, "{value} {spelling} {operand}");
            let negated =
                truth(&json!({"user.a": {"not": {&spelling: operand}}}), &json!({"user": {"a": value}}));
            assert_eq!(negated, !*expected, "not {value} {spelling} {operand}");
        }
    }
}

#[test]
fn equals() {
    table(
        "equals",
        &[
            (json!("x"), json!("x"), T),
            (json!("x"), json!("X"), F),
            (json!(1), json!(1.0), T),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64), F),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992.0), F),
            (json!(true), json!(true), T),
            (json!(true), json!(false), F),
            (json!([1, "a"]), json!([1.0, "a"]), T),
            (json!([1, "a"]), json!(["a", 1]), F),
            (json!({"a": 1, "b": [null]}), json!({"b": [null], "a": 1}), T),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), F),
            (json!("2026-01-01T00:00:00Z"), json!("2026-01-01T02:00:00+02:00"), T),
            (json!("never"), json!("2026-01-01T02:00:00+02:00"), F),
            // kinds that differ
            (json!("1"), json!(1), U),
            (json!(1), json!(true), U),
            (json!("true"), json!(true), U),
            (json!(["x"]), json!("x"), U),
            // null
            (json!(null), json!(null), T),
            (json!("x"), json!(null), F),
            (json!(null), json!("x"), U),
        ],
    );
}

#[test]
fn not_equals() {
    table(
        "not-equals",
        &[
            (json!("x"), json!("y"), T),
            (json!("x"), json!("x"), F),
            (json!(1), json!(2), T),
            (json!(1), json!(1.0), F),
            (json!("1"), json!(1), U),
            (json!(null), json!("x"), U),
            (json!("x"), json!(null), T),
            (json!(null), json!(null), F),
        ],
    );
}

#[test]
fn order() {
    // less, same, greater
    let lines = [
        (json!(1), json!(2), [T, F, F]),
        (json!(2), json!(2.0), [F, T, F]),
        (json!(2.5), json!(2), [F, F, T]),
        (json!(9_007_199_254_740_992.0), json!(9_007_199_254_740_993_i64), [T, F, F]),
        (json!(u64::MAX), json!(i64::MAX), [F, F, T]),
        (json!("a"), json!("b"), [T, F, F]),
        (json!("Z"), json!("a"), [T, F, F]),
        (json!("é"), json!("z"), [F, F, T]),
        (json!("10"), json!("9"), [T, F, F]),
        (json!("2026-01-01T00:30:00+01:00"), json!("2026-01-01T00:00:00Z"), [T, F, F]),
        (json!("2026-01-01T00:00:00.000Z"), json!("2026-01-01T00:00:00Z"), [F, T, F]),
        // no order between these
        (json!("tomorrow"), json!("2026-01-01T00:00:00Z"), [U, U, U]),
        (json!("2026-01-01T00:00:00Z"), json!("9"), [U, U, U]),
        (json!("1"), json!(2), [U, U, U]),
        (json!(true), json!(2), [U, U, U]),
        (json!([1]), json!(2), [U, U, U]),
        (json!(null), json!(2), [U, U, U]),
    ];
    for (value, operand, [less, same, greater]) in lines {
        table("less-than", &[(value.clone(), operand.clone(), less)]);
        table("greater-than", &[(value.clone(), operand.clone(), greater)]);
        table("less-than-equals", &[(value.clone(), operand.clone(), less.or(same))]);
        table("greater-than-equals", &[(value.clone(), operand.clone(), greater.or(same))]);
    }
}

#[test]
fn between() {
    table(
        "between",
        &[
            (json!(9), json!([9, 12]), T),
            (json!(12.0), json!([9, 12]), T),
            (json!(12.01), json!([9, 12]), F),
            (json!(8), json!([9, 12]), F),
            (json!("b"), json!(["a", "c"]), T),
            (json!("2026-06-01T00:00:00Z"), json!(["2026-01-01T00:00:00Z", "2027-01-01T00:00:00+14:00"]), T),
            (json!("9"), json!([9, 12]), U),
            (json!(null), json!([9, 12]), U),
        ],
    );
    let within = json!({"user.a": {"between": [{"ref": "resource.low"}, 12]}});
    assert_eq!(truth(&within, &json!({"user": {"a": 9}, "resource": {"low": 8}})), T);
    assert_eq!(truth(&within, &json!({"user": {"a": 9}, "resource": {"low": 10}})), F);
    assert_eq!(truth(&within, &json!({"user": {"a": 9}})), U);
    assert_eq!(truth(&within, &json!({"user": {"a": 13}})), F, "too high whatever the lower end may be");
}

#[test]
fn contains() {
    table(
        "contains",
        &[
            (json!("pizza palace"), json!("a p"), T),
            (json!("pizza palace"), json!("Palace"), F),
            (json!(["pizza"]), json!("pizza"), U),
            (json!(12), json!("1"), U),
        ],
    );
    let part = json!({"tenant.name": {"contains": {"ref": "user.name"}}});
    assert_eq!(truth(&part, &json!({"tenant": {"name": "Joe's"}, "user": {"name": "Joe"}})), T);
    assert_eq!(
        truth(&part, &json!({"tenant": {"name": "Joe's"}, "user": {"name": ""}})),
        U,
        "found everywhere"
    );
    assert_eq!(truth(&part, &json!({"tenant": {"name": "Joe's"}, "user": {"name": 1}})), U);
}

#[test]
fn is_in() {
    table(
        "in",
        &[
            (json!("US"), json!(["US", "Canada"]), T),
            (json!("FR"), json!(["US", "Canada"]), F),
            (json!(2), json!([3, 1, 2.0]), T),
            (json!(3), json!([3, 1, 2.0]), T),
            (json!(1), json!([3, 2.0, 1]), T),
            (json!(4), json!([3, 1, 2.0]), F),
            (json!(true), json!([true]), T),
            (json!(["a"]), json!([["b"], ["a"]]), T),
            (json!("2026-01-01T00:00:00Z"), json!(["x", "2026-01-01T01:00:00+01:00"]), T),
            (json!("FR"), json!(["US", 5]), F),
            (json!("FR"), json!([]), F),
            (json!("5"), json!([5]), U),
            (json!(5), json!(["5"]), U),
            (json!(null), json!(["US"]), U),
            (json!(null), json!([null]), U),
        ],
    );
    let among = json!({"user.key": {"in": {"ref": "resource.owners"}}});
    assert_eq!(truth(&among, &json!({"user": {"key": "joe"}, "resource": {"owners": ["ann", "joe"]}})), T);
    assert_eq!(truth(&among, &json!({"user": {"key": "joe"}, "resource": {"owners": "joe"}})), U);
    let many: Vec<_> = (0..MAX_ITEMS).map(|n| format!("key-{n}")).collect();
    assert_eq!(says(&json!("key-999"), "in", &json!(many)), T);
    assert_eq!(says(&json!("key-1000"), "in", &json!(many)), F);
}

#[test]
fn array_contains() {
    table(
        "array_contains",
        &[
            (json!(["admin", "editor"]), json!("editor"), T),
            (json!(["admin", "editor"]), json!("viewer"), F),
            (json!([]), json!("viewer"), F),
            (json!([1, 2]), json!(2.0), T),
            (json!([{"a": 1}]), json!({"a": 1}), T),
            (json!(["1"]), json!(1), U),
            (json!("editor"), json!("editor"), U),
            (json!(null), json!("editor"), U),
        ],
    );
}

#[test]
fn array_subset() {
    table(
        "array_subset",
        &[
            (json!(["a", "b"]), json!(["c", "b", "a"]), T),
            (json!(["a", "d"]), json!(["c", "b", "a"]), F),
            (json!([]), json!(["a"]), T),
            (json!(["a"]), json!([]), F),
            (json!(["a", "a"]), json!(["a"]), T),
            (json!([1]), json!(["a"]), U),
            (json!("a"), json!(["a"]), U),
        ],
    );
}

#[test]
fn array_superset() {
    table(
        "array_superset",
        &[
            (json!(["c", "b", "a"]), json!(["a", "b"]), T),
            (json!(["c", "b"]), json!(["a", "b"]), F),
            (json!([]), json!([]), T),
            (json!([1]), json!(["a"]), U),
            (json!({"a": 1}), json!(["a"]), U),
        ],
    );
    let all = json!({"user.places": {"array_superset": {"ref": "resource.places"}}});
    assert_eq!(truth(&all, &json!({"user": {"places": [1, 2]}, "resource": {"places": [2]}})), T);
    assert_eq!(truth(&all, &json!({"user": {"places": [1, 2]}})), U);
}

#[test]
fn array_intersect() {
    table(
        "array_intersect",
        &[
            (json!(["a", "b"]), json!(["b", "c"]), T),
            (json!(["a"]), json!(["b", "c"]), F),
            (json!([]), json!(["b"]), F),
            (json!([2]), json!([1, 2.0]), T),
            (json!([1]), json!(["b"]), U),
            (json!("b"), json!(["b"]), U),
        ],
    );
}

#[test]
fn object_match() {
    let address = json!({"city": "Oslo", "at": {"floor": 3}});
    table(
        "object_match",
        &[
            (
                address.clone(),
                json!({"match": {"city": {"equals": "Oslo"}, "at.floor": {"less-than": 4}}}),
                T,
            ),
            (
                address.clone(),
                json!({"match": {"anyOf": [{"city": {"equals": "Rome"}}, {"at.floor": {"equals": 3}}]}}),
                T,
            ),
            (address.clone(), json!({"match": {"city": {"equals": "Rome"}}}), F),
            (address.clone(), json!({"match": {"street": {"equals": "Rome"}}}), U),
            (address, json!({"match": {"at": {"object_match": {"match": {"floor": {"equals": 3}}}}}}), T),
            (json!([{"city": "Oslo"}]), json!({"match": {"city": {"equals": "Oslo"}}}), U),
            (json!("Oslo"), json!({"match": {"city": {"equals": "Oslo"}}}), U),
        ],
    );
    let here =
        json!({"user.home": {"object_match": {"match": {"city": {"equals": {"ref": "resource.city"}}}}}});
    let given = json!({"user": {"home": {"city": "Oslo"}}, "resource": {"city": "Oslo"}});
    assert_eq!(truth(&here, &given), T, "a reference inside `match` is to a root");
}

#[test]
fn any_match_and_all_match() {
    let cheap = json!({"match": {"price": {"less-than": 10}}});
    let lines = |any, all, value: Value| {
        table("any_match", &[(value.clone(), cheap.clone(), any)]);
        table("all_match", &[(value, cheap.clone(), all)]);
    };
    lines(T, F, json!([{"price": 12}, {"price": 3}]));
    lines(T, T, json!([{"price": 3}]));
    lines(F, F, json!([{"price": 12}]));
    lines(F, T, json!([]));
    lines(T, U, json!([{"price": 3}, {}]));
    lines(U, F, json!([{"price": 12}, {}]));
    lines(U, U, json!([3]));
    lines(U, U, json!({"price": 3}));
}

#[test]
fn a_foreign_key_reads_the_stored_attributes() {
    let budget = |operator: &str| json!({"user.project": {operator: {"fk_resource_type": "project", "match": {"budget": {"greater-than": 100}}}}});
    let given = |project: Value| json!({"user": {"project": project}, "projects": {"big": {"budget": 500, "key": "x"}, "small": {"budget": 5}}});
    assert_eq!(truth(&budget("object_match"), &given(json!("big"))), T);
    assert_eq!(truth(&budget("object_match"), &given(json!("project:big"))), T);
    assert_eq!(truth(&budget("object_match"), &given(json!("task:big"))), U);
    assert_eq!(truth(&budget("object_match"), &given(json!("small"))), F);
    assert_eq!(truth(&budget("object_match"), &given(json!("none"))), U);
    assert_eq!(truth(&budget("object_match"), &given(json!({"budget": 500}))), U, "an object is no key");
    assert_eq!(truth(&budget("any_match"), &given(json!(["small", "none", "big"]))), T);
    assert_eq!(truth(&budget("all_match"), &given(json!(["small", "none"]))), F);
    assert_eq!(truth(&budget("all_match"), &given(json!(["big", "none"]))), U);
    let known = json!({"user.project": {"object_match": {"fk_resource_type": "project",
        "match": {"key": {"equals": "big"}, "tenant": {"equals": "acme"}}}}});
    assert_eq!(truth(&known, &given(json!("big"))), T, "no stored attribute overrides the key");
    let other = json!({"user.project": {"object_match": {"fk-resource-type": "task", "match": {"key": {"equals": "big"}}}}});
    assert_eq!(truth(&other, &given(json!("big"))), U);
}

#[test]
fn references_in_every_spelling() {
    let given =
        json!({"user": {"key": "joe", "age": 20}, "resource": {"owner": "joe", "min": 18, "gone": null}});
    for condition in [
        json!({"resource.owner": {"equals": {"ref": "user.key"}}}),
        json!({"resource.owner": {"equals": {"ref": "subject.key"}}}),
        json!({"resource.owner": {"equals-ref": "user.key"}}),
        json!({"resource.owner": {"equals_ref": "user.key"}}),
        json!({"user.age": {"greater-than-ref": "resource.min"}}),
        json!({"user.age": {"greater_than_equals": {"ref": "resource.min"}}}),
    ] {
        assert_eq!(truth(&condition, &given), T, "{condition}");
    }
    for missing in ["resource.nothing", "resource.gone", "context.owner"] {
        for operator in
            ["equals", "not-equals", "less-than", "contains", "in", "array_contains", "array_subset"]
        {
            let condition = json!({"user.key": {operator: {"ref": missing}}});
            assert_eq!(truth(&condition, &given), U, "{condition}");
        }
    }
    let among_nulls = json!({"user.list": {"array_contains": {"ref": "resource.gone"}}});
    assert_eq!(truth(&among_nulls, &json!({"user": {"list": [null]}, "resource": {"gone": null}})), U);
    let both_null = json!({"resource.gone": {"equals": {"ref": "user.gone"}}});
    assert_eq!(truth(&both_null, &json!({"user": {"gone": null}, "resource": {"gone": null}})), U);
}

/// The decision that differs from Rego: nothing is ever granted by what is not there.
#[test]
fn an_absent_attribute_never_grants_anything() {
    for (operator, operand) in [
        ("equals", json!(1)),
        ("equals", json!(null)),
        ("not-equals", json!(1)),
        ("not-equals", json!(null)),
        ("less-than", json!(1)),
        ("greater-than", json!(1)),
        ("less-than-equals", json!(1)),
        ("greater-than-equals", json!(1)),
        ("contains", json!("x")),
        ("in", json!([])),
        ("between", json!([0, 9])),
        ("array_contains", json!("x")),
        ("array_subset", json!(["x"])),
        ("array_superset", json!([])),
        ("array_intersect", json!(["x"])),
        ("object_match", json!({"match": {"x": {"equals": 1}}})),
        ("any_match", json!({"match": {"x": {"equals": 1}}})),
        ("all_match", json!({"match": {"x": {"equals": 1}}})),
    ] {
        for nothing in
            [json!({}), json!({"user": {}}), json!({"user": {"a": {"c": 1}}}), json!({"user": {"a": [1]}})]
        {
            let leaf = json!({"user.a.b": {operator: operand}});
            let not = json!({"not": leaf});
            let not_not = json!({"not": {"not": leaf}});
            for condition in [&leaf, &not, &not_not] {
                let answer = truth(condition, &nothing);
                assert_eq!(answer, U, "{condition} of {nothing}");
                assert!(!answer.is_met());
            }
        }
    }
}

#[test]
fn logic_is_that_of_kleene() {
    let leaf = |truth: Truth| match truth {
        Truth::True => json!({"user.a": {"equals": 1}}),
        Truth::False => json!({"user.a": {"equals": 2}}),
        Truth::Undefined => json!({"user.z": {"equals": 1}}),
    };
    let given = json!({"user": {"a": 1}});
    let all = [T, F, U];
    for one in all {
        assert_eq!(truth(&json!({"not": leaf(one)}), &given), !one);
        assert_eq!(truth(&json!({"not": [leaf(one)]}), &given), !one);
        for two in all {
            let both = json!([leaf(one), leaf(two)]);
            for spelling in ["allOf", "and"] {
                assert_eq!(truth(&json!({spelling: both}), &given), one.and(two));
            }
            for spelling in ["anyOf", "or"] {
                assert_eq!(truth(&json!({spelling: both}), &given), one.or(two));
            }
            assert_eq!(truth(&json!({"not": both}), &given), !one.or(two), "none of a list");
        }
    }
    assert_eq!([F.and(U), T.and(U), F.or(U), T.or(U)], [F, U, U, T]);
}

#[test]
fn both_forms_mean_the_same() {
    let first =
        json!({"user.hour": {"anyOf": [{"between": [9, 12]}, {"between": [13, 18]}], "not": {"equals": 15}}});
    let then = json!({"allOf": [
        {"anyOf": [{"user.hour": {"between": [9, 12]}}, {"user.hour": {"between": [13, 18]}}]},
        {"not": {"user.hour": {"equals": 15}}},
    ]});
    assert_eq!(compiled(&first), compiled(&then));
    assert_eq!(compiled(&first).to_json(), then);
    for (hour, expected) in [(10, T), (12, T), (15, F), (18, T), (19, F)] {
        assert_eq!(truth(&first, &json!({"user": {"hour": hour}})), expected, "{hour}");
    }
    let day = json!({"allOf": [{"subject.day": {"not": {"or": [{"equals": "saturday"}, {"equals": "sunday"}]}}},
        {"environment.place": {"in": ["US", "Canada"]}}, {"action.method": {"equals": "GET"}}]});
    let given = json!({"user": {"day": "monday"}, "context": {"place": "US"}, "action": {"method": "GET"}});
    assert_eq!(truth(&day, &given), T);
    let several = json!({"user.a": {"greater-than": 1, "less-than": 3}, "user.b": {"equals": true}});
    assert_eq!(truth(&several, &json!({"user": {"a": 2, "b": true}})), T);
    assert_eq!(truth(&several, &json!({"user": {"a": 3, "b": true}})), F);
    for single in [json!({"anyOf": {"user.a": {"equals": 2}}}), json!({"allOf": {"user.a": {"equals": 2}}})] {
        assert_eq!(truth(&single, &json!({"user": {"a": 2}})), T);
    }
    assert_eq!(truth(&json!({}), &json!({})), T, "no condition");
    assert_eq!(truth(&json!({"allOf": []}), &json!({})), T);
    assert_eq!(compiled(&json!({})), Condition::always());
}

#[test]
fn what_is_fixed_goes_before_the_call_and_that_before_what_is_stored() {
    let (call, stored) =
        (json!({"key": "eve", "age": 3, "gone": null}), json!({"age": 40, "city": "Oslo", "gone": 1}));
    let roles = ["editor", "viewer"];
    let view = Given {
        user: Layers {
            fixed: &[("key", Seen::Text("joe")), ("roles", Seen::Texts(&roles))],
            call: call.as_object(),
            stored: stored.as_object(),
        },
        ..Given::<NoInstances>::default()
    };
    let ask = |condition: Value| compiled(&condition).evaluate(&view);
    assert_eq!(ask(json!({"user.key": {"equals": "joe"}})), T);
    assert_eq!(ask(json!({"user.age": {"equals": 3}})), T);
    assert_eq!(ask(json!({"user.city": {"equals": "Oslo"}})), T);
    assert_eq!(ask(json!({"user.gone": {"equals": 1}})), U, "the call says that there is none");
    assert_eq!(ask(json!({"user.roles": {"array_contains": "editor"}})), T);
    assert_eq!(ask(json!({"user.roles": {"array_superset": ["viewer", "admin"]}})), F);
    assert_eq!(ask(json!({"user.roles": {"array_intersect": ["viewer", "admin"]}})), T);
    assert_eq!(ask(json!({"user.roles": {"equals": ["editor", "viewer"]}})), T);
    assert_eq!(ask(json!({"user.key": {"in": {"ref": "user.roles"}}})), F);
    assert_eq!(view.attribute(askfirst_policy::condition::Root::Tenant, "key").map(Seen::kind), None);
}

#[test]
fn work_is_bounded_and_what_lies_beyond_grants_nothing() {
    let numbers: Value = (0..5_000).collect();
    let others: Value = (5_000..10_000).collect();
    let given = json!({"user": {"a": numbers, "b": others, "c": 1}});
    let shares = json!({"user.a": {"array_intersect": {"ref": "user.b"}}});
    assert_eq!(truth(&shares, &given), U, "25 million comparisons");
    assert_eq!(truth(&json!({"not": shares}), &given), U);
    assert_eq!(truth(&json!({"anyOf": [{"user.c": {"equals": 1}}, shares]}), &given), T);
    assert_eq!(
        truth(&json!({"anyOf": [shares, {"user.c": {"equals": 1}}]}), &given),
        U,
        "nothing is left for it"
    );

    let long: Value = (0..1_000_001).map(|_| 0).collect();
    let given = json!({"user": {"a": long}, "resource": {"a": long}});
    let differs = json!({"user.a": {"not-equals": {"ref": "resource.a"}}});
    assert_eq!(truth(&differs, &given), U, "they are equal, but that is not found out");
}
