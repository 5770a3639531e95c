//! Conditions, by property: they agree with an interpreter that walks the JSON as it stands, follow De Morgan's laws,
//! survive their canonical form, and never panic.

#![expect(clippy::panic, clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]

use askfirst_policy::condition::{Condition, Given, Instance, Instances, Layers, Truth};
use proptest::{collection::vec, prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Map, Value, json};

/// The interpreter: `None` where it cannot be told. It knows nothing of compiled conditions.
mod naive {
    use serde_json::Value;
    use std::cmp::Ordering;

    type Answer = Option<bool>;

    fn every(answers: impl Iterator<Item = Answer>) -> Answer {
        let answers: Vec<_> = answers.collect();
        if answers.contains(&Some(false)) {
            Some(false)
        } else {
            answers.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
        }
    }

    fn negated(answer: Answer) -> Answer {
        answer.map(|met| !met)
    }

    fn some(answers: impl Iterator<Item = Answer>) -> Answer {
        negated(every(answers.map(negated)))
    }

    /// A condition over `world`; with `object`, paths are inside it.
    pub(super) fn condition(tree: &Value, world: &Value, object: Option<&Value>) -> Answer {
        every(tree.as_object()?.iter().map(|(name, below)| {
            logic(name, below, &|tree| condition(tree, world, object)).unwrap_or_else(|| {
                let value = match object {
                    Some(object) => at(name, object),
                    None => rooted(name, world),
                };
                attribute(below, value, world)
            })
        }))
    }

    fn attribute(tests: &Value, value: Option<&Value>, world: &Value) -> Answer {
        every(tests.as_object()?.iter().map(|(name, below)| {
            logic(name, below, &|tree| attribute(tree, value, world))
                .unwrap_or_else(|| operator(&name.replace('_', "-"), value?, below, world))
        }))
    }

    /// None when the name is not that of a logical operator.
    fn logic(name: &str, below: &Value, inner: &dyn Fn(&Value) -> Answer) -> Option<Answer> {
        let trees = match below {
            Value::Array(trees) => trees.clone(),
            other => vec![other.clone()],
        };
        let answers = trees.iter().map(inner);
        match name {
            "and" | "allOf" => Some(every(answers)),
            "or" | "anyOf" => Some(some(answers)),
            "not" => Some(negated(some(answers))),
            _ => None,
        }
    }

    fn at<'a>(path: &str, value: &'a Value) -> Option<&'a Value> {
        value.pointer(&format!("/{}", path.replace('.', "/"))).filter(|_| value.is_object())
    }

    fn rooted<'a>(path: &str, world: &'a Value) -> Option<&'a Value> {
        let path = path.replacen("subject.", "user.", 1).replacen("environment.", "context.", 1);
        at(&path, world)
    }

    fn moment(text: &str) -> Option<jiff::Timestamp> {
        text.parse().ok()
    }

    fn alike(one: &Value, other: &Value) -> bool {
        std::mem::discriminant(one) == std::mem::discriminant(other)
    }

    fn equal(one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
            (Value::String(one), Value::String(other)) => {
                one == other || (moment(one).is_some() && moment(one) == moment(other))
            }
            (Value::Array(one), Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
            }
            (Value::Object(one), Value::Object(other)) => {
                one.keys().all(|key| other.contains_key(key))
                    && other.iter().all(|(key, value)| one.get(key).is_some_and(|one| equal(one, value)))
            }
            _ => one == other,
        }
    }

    fn member(item: &Value, list: &[Value]) -> Answer {
        let comparable: Vec<_> = list.iter().filter(|other| alike(item, other)).collect();
        if comparable.is_empty() && !list.is_empty() {
            return None;
        }
        Some(comparable.into_iter().any(|other| equal(item, other)))
    }

    fn order(one: &Value, other: &Value) -> Option<Ordering> {
        match (one, other) {
            (Value::Number(one), Value::Number(other)) => one.as_f64()?.partial_cmp(&other.as_f64()?),
            (Value::String(one), Value::String(other)) => match (moment(one), moment(other)) {
                (Some(one), Some(other)) => Some(one.cmp(&other)),
                (None, None) => Some(one.chars().cmp(other.chars())),
                _ => None,
            },
            _ => None,
        }
    }

    fn operator(name: &str, value: &Value, operand: &Value, world: &Value) -> Answer {
        if operand.is_null() && name.ends_with("equals") {
            return Some(value.is_null() == (name == "equals"));
        }
        if value.is_null() {
            return None;
        }
        if name.ends_with("-match") {
            return matching(name, value, operand, world);
        }
        let resolve = |operand: &Value| match operand.get("ref") {
            Some(path) => rooted(path.as_str()?, world).filter(|value| !value.is_null()).cloned(),
            None => Some(operand.clone()),
        };
        if name == "between" {
            let above =
                resolve(&operand[0]).and_then(|low| order(value, &low)).map(|order| order != Ordering::Less);
            let below = resolve(&operand[1])
                .and_then(|high| order(value, &high))
                .map(|order| order != Ordering::Greater);
            return every([above, below].into_iter());
        }
        let other = resolve(operand)?;
        match name {
            "equals" => alike(value, &other).then(|| equal(value, &other)),
            "not-equals" => alike(value, &other).then(|| !equal(value, &other)),
            "less-than" => order(value, &other).map(|order| order == Ordering::Less),
            "greater-than" => order(value, &other).map(|order| order == Ordering::Greater),
            "less-than-equals" => order(value, &other).map(|order| order != Ordering::Greater),
            "greater-than-equals" => order(value, &other).map(|order| order != Ordering::Less),
            "contains" => {
                let part = other.as_str().filter(|part| !part.is_empty())?;
                Some(value.as_str()?.split(part).count() > 1)
            }
            "in" => member(value, other.as_array()?),
            "array-contains" => member(&other, value.as_array()?),
            "array-subset" => every(value.as_array()?.iter().map(|item| member(item, other.as_array()?)))
                .filter(|_| other.is_array()),
            "array-superset" => every(other.as_array()?.iter().map(|item| member(item, value.as_array()?)))
                .filter(|_| value.is_array()),
            "array-intersect" => some(value.as_array()?.iter().map(|item| member(item, other.as_array()?)))
                .filter(|_| other.is_array()),
            unknown => panic!("{unknown}"),
        }
    }

    fn matching(name: &str, value: &Value, operand: &Value, world: &Value) -> Answer {
        let one = |value: &Value| match operand.get("fk_resource_type") {
            None if value.is_object() => condition(&operand["match"], world, Some(value)),
            None => None,
            Some(_) => {
                let key = value.as_str()?;
                let mut instance = world.get("projects")?.get(key.trim_start_matches("project:"))?.clone();
                instance["key"] = key.trim_start_matches("project:").into();
                instance["tenant"] = "acme".into();
                condition(&operand["match"], world, Some(&instance))
            }
        };
        match name {
            "object-match" => one(value),
            "any-match" => some(value.as_array()?.iter().map(one)),
            "all-match" => every(value.as_array()?.iter().map(one)),
            unknown => panic!("{unknown}"),
        }
    }
}

struct Projects<'a>(Option<&'a Value>);

impl Instances for Projects<'_> {
    fn instance(&self, resource: &str, key: &str) -> Option<Instance<'_>> {
        let (key, attributes) = self.0?.as_object()?.get_key_value(key).filter(|_| resource == "project")?;
        Some(Instance { key, tenant: "acme", attributes: attributes.as_object()? })
    }
}

fn evaluate(condition: &Condition, world: &Value) -> Truth {
    let stored =
        |root: &str| Layers { stored: world.get(root).and_then(Value::as_object), ..Layers::default() };
    let view = Given {
        user: stored("user"),
        resource: stored("resource"),
        tenant: stored("tenant"),
        context: stored("context"),
        action: stored("action"),
        instances: Projects(world.get("projects")),
    };
    let truth = condition.evaluate(&view);
    let told = condition.explain(&view);
    assert_eq!(told.truth, truth);
    // What the whole lacks is told exactly when it is not met, and nothing that is as wanted is.
    let lacking: Vec<_> = told.leaves.iter().filter(|leaf| leaf.wanted.is_some()).collect();
    assert_eq!(lacking.is_empty(), truth.is_met() || told.leaves.is_empty(), "{condition}");
    assert!(lacking.iter().all(|leaf| leaf.wanted.map(Truth::from) != Some(leaf.truth)), "{condition}");
    truth
}

fn compiled(tree: &Value) -> Condition {
    Condition::compile(tree).unwrap_or_else(|error| panic!("{tree}: {error}"))
}

fn scalar() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(1.0),
        json!(2),
        json!(2.5),
        json!("a"),
        json!("ab"),
        json!("b"),
        json!("k1"),
        json!("project:k2"),
        json!("2026-01-01T00:00:00Z"),
        json!("2026-01-01T01:00:00+01:00"),
        json!("2027-01-01T00:00:00Z"),
    ])
}

fn number() -> BoxedStrategy<Value> {
    select(vec![json!(0), json!(1), json!(1.0), json!(2), json!(2.5), json!(3)]).boxed()
}

fn text() -> BoxedStrategy<Value> {
    prop_oneof![
        4 => select(vec![json!("a"), json!("ab"), json!("b"), json!("é")]),
        1 => select(vec![json!("2026-01-01T00:00:00Z"), json!("2026-01-01T01:00:00+01:00"), json!("2027-01-01T00:00:00Z")]),
    ]
    .boxed()
}

/// `p` is mostly a number, `q` mostly a text; either may be missing.
fn small_object() -> BoxedStrategy<Value> {
    let p = prop::option::weighted(0.9, prop_oneof![9 => number(), 1 => scalar()]);
    let q = prop::option::weighted(0.9, prop_oneof![9 => text(), 1 => scalar()]);
    let members = |(p, q): (Option<Value>, Option<Value>)| {
        let members = p.map(|p| ("p".to_owned(), p)).into_iter().chain(q.map(|q| ("q".to_owned(), q)));
        Value::Object(members.collect())
    };
    (p, q).prop_map(members).boxed()
}

fn list_of(item: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    vec(item, 0..4).prop_map(Value::Array).boxed()
}

fn key() -> BoxedStrategy<Value> {
    select(vec![json!("k1"), json!("k2"), json!("project:k2"), json!("k3")]).boxed()
}

fn value() -> BoxedStrategy<Value> {
    let empty = Just(json!("")).boxed();
    let list = list_of(prop_oneof![text(), number(), scalar()]);
    prop_oneof![3 => scalar(), 1 => empty, 2 => list, 1 => small_object(), 1 => list_of(small_object())]
        .boxed()
}

/// What an attribute of this name mostly is.
fn usual(name: &str) -> BoxedStrategy<Value> {
    match name {
        "n" => number(),
        "t" => text(),
        "l" => list_of(text()),
        "o" => small_object(),
        "os" => list_of(small_object()),
        "k" => key(),
        "ks" => list_of(key()),
        _ => value(),
    }
}

const NAMES: [&str; 8] = ["n", "t", "l", "o", "os", "k", "ks", "x"];

fn attributes() -> BoxedStrategy<Value> {
    NAMES.into_iter().fold(Just(json!({})).boxed(), |so_far, name| {
        let given = prop::option::weighted(0.9, prop_oneof![9 => usual(name), 1 => value()]);
        let with = move |(mut members, given): (Value, Option<Value>)| {
            if let Some(given) = given {
                members[name] = given;
            }
            members
        };
        (so_far, given).prop_map(with).boxed()
    })
}

fn world() -> impl Strategy<Value = Value> {
    (attributes(), attributes(), attributes(), small_object(), small_object()).prop_map(
        |(user, resource, context, one, two)| {
            json!({"user": user, "resource": resource, "context": context, "projects": {"k1": one, "k2": two}})
        },
    )
}

fn path(names: Vec<&'static str>) -> BoxedStrategy<String> {
    let given = select(vec!["user", "subject", "resource", "context", "environment"]);
    let root = prop_oneof![12 => given, 1 => select(vec!["tenant", "action"])];
    (root, select(names)).prop_map(|(root, name)| format!("{root}.{name}")).boxed()
}

fn reference(names: Vec<&'static str>) -> BoxedStrategy<Value> {
    path(names).prop_map(|path| json!({"ref": path})).boxed()
}

fn spelt(name: &'static str) -> impl Strategy<Value = String> {
    any::<bool>()
        .prop_map(move |hyphens| if hyphens { name.replace('_', "-") } else { name.replace('-', "_") })
}

fn with(names: Vec<&'static str>, operand: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    let name = select(names).prop_flat_map(spelt);
    (name, operand).prop_map(|(name, operand)| json!({name: operand})).boxed()
}

fn range(end: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let in_order = |(low, high): &(Value, Value)| match (low, high) {
        (Value::Number(low), Value::Number(high)) => low.as_f64() <= high.as_f64(),
        (Value::String(low), Value::String(high)) => low <= high && low.len() < 12 && high.len() < 12,
        _ => false,
    };
    (end.clone(), end).prop_filter("a range", in_order).prop_map(|(low, high)| json!([low, high])).boxed()
}

const ORDERS: [&str; 4] = ["less-than", "greater-than", "less-than-equals", "greater-than-equals"];

/// `{operator: operand}` for what the attributes of a name mostly are.
fn scalar_test(name: &'static str) -> BoxedStrategy<Value> {
    let operand = prop_oneof![4 => usual(name), 1 => reference(vec![name])];
    let list = prop_oneof![4 => list_of(usual(name)), 1 => reference(vec!["l", "x"])];
    let ends = prop_oneof![3 => range(usual(name)), 1 => list_of_two(reference(vec![name]))];
    prop_oneof![
        3 => with(ORDERS.into_iter().chain(["equals", "not-equals"]).collect(), operand),
        1 => with(vec!["in"], list),
        1 => with(vec!["between"], ends),
    ]
    .boxed()
}

fn list_of_two(item: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    (item.clone(), item).prop_map(|(low, high)| json!([low, high])).boxed()
}

fn text_test() -> BoxedStrategy<Value> {
    let part = prop_oneof![4 => select(vec![json!("a"), json!("b")]), 1 => reference(vec!["t", "x"])];
    prop_oneof![3 => scalar_test("t"), 1 => with(vec!["contains"], part)].boxed()
}

fn list_test() -> BoxedStrategy<Value> {
    let item = prop_oneof![4 => text(), 1 => reference(vec!["t", "n"])];
    let list = prop_oneof![4 => list_of(text()), 1 => list_of(value()), 1 => reference(vec!["l", "ks"])];
    prop_oneof![
        with(vec!["array_contains"], item),
        with(vec!["array_subset", "array_superset", "array_intersect"], list),
    ]
    .boxed()
}

/// Any operator over anything.
fn wild_test() -> BoxedStrategy<Value> {
    let one = prop_oneof![value(), reference(NAMES.to_vec())];
    let item = one.clone().prop_filter("one value", |value| !value.is_array());
    let list = prop_oneof![list_of(value()), reference(NAMES.to_vec())];
    prop_oneof![
        with(vec!["equals", "not-equals"], one),
        with(vec!["contains"].into_iter().chain(ORDERS).collect(), reference(NAMES.to_vec())),
        with(vec!["array_contains"], item),
        with(vec!["in", "array_subset", "array_superset", "array_intersect"], list),
    ]
    .boxed()
}

/// A condition inside `match`.
fn inside() -> BoxedStrategy<Value> {
    let at = |name: &'static str, test: BoxedStrategy<Value>| {
        logical(test).prop_map(move |test| json!({name: test})).boxed()
    };
    let known = with(vec!["equals", "in"], Just(json!(["k1", "acme"])));
    let leaf = prop_oneof![
        3 => at("p", scalar_test("n")),
        3 => at("q", text_test()),
        1 => at("p.p", wild_test()),
        1 => at("key", known.clone()),
        1 => at("tenant", known),
    ];
    logical(leaf.boxed())
}

fn match_test(operators: Vec<&'static str>) -> BoxedStrategy<Value> {
    with(operators, inside().prop_map(|inside| json!({"match": inside})))
}

fn foreign_test(operators: Vec<&'static str>) -> BoxedStrategy<Value> {
    with(operators, inside().prop_map(|inside| json!({"fk_resource_type": "project", "match": inside})))
}

/// `leaf` in some logic.
fn logical(leaf: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            (select(vec!["allOf", "and", "anyOf", "or", "not"]), vec(inner.clone(), 1..3))
                .prop_map(|(logic, inner)| json!({logic: inner})),
            inner.prop_map(|inner| json!({"not": inner})),
        ]
        .boxed()
    })
    .prop_filter("`not` over an object has one member", single_nots)
    .boxed()
}

fn single_nots(tree: &Value) -> bool {
    match tree {
        Value::Object(members) => members.iter().all(|(name, below)| {
            (name != "not" || below.as_object().is_none_or(|below| below.len() == 1)) && single_nots(below)
        }),
        Value::Array(items) => items.iter().all(single_nots),
        _ => true,
    }
}

fn condition() -> BoxedStrategy<Value> {
    let of = |names: Vec<&'static str>, test: BoxedStrategy<Value>| {
        (path(names), logical(test)).prop_map(|(path, test)| json!({path: test})).boxed()
    };
    let leaf = prop_oneof![
        2 => of(vec!["n"], scalar_test("n")),
        2 => of(vec!["t"], text_test()),
        2 => of(vec!["l"], list_test()),
        1 => of(vec!["o"], match_test(vec!["object_match"])),
        1 => of(vec!["os"], match_test(vec!["any_match", "all_match"])),
        1 => of(vec!["k"], foreign_test(vec!["object_match"])),
        1 => of(vec!["ks"], foreign_test(vec!["any_match", "all_match"])),
        1 => of(NAMES.into_iter().chain(["o.p", "x.q"]).collect(), wild_test()),
        1 => of(NAMES.to_vec(), match_test(vec!["object_match", "any_match", "all_match"])),
    ]
    .boxed();
    let several = vec(leaf.clone(), 1..3).prop_map(|leaves| {
        leaves
            .into_iter()
            .filter_map(|leaf| leaf.as_object().cloned())
            .flatten()
            .collect::<Map<_, _>>()
            .into()
    });
    logical(prop_oneof![3 => leaf, 1 => several].boxed())
}

/// Any JSON, with words that mean something in it.
fn anything() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        select(vec![
            "allOf",
            "or",
            "not",
            "and",
            "anyOf",
            "user.a",
            "resource",
            "subject.a.b",
            "user..",
            ".",
            "context.",
            "equals",
            "not_equals",
            "between",
            "in",
            "any_match",
            "all-match",
            "match",
            "fk_resource_type",
            "ref",
            "less-than",
            "array_contains",
            "contains",
            "equals-ref",
            "_ref",
            "-ref",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    let leaf = prop_oneof![
        scalar(),
        any::<f64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number)),
        word.clone().prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((word.clone(), inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn as_truth(answer: Option<bool>) -> Truth {
    answer.map_or(Truth::Undefined, Truth::from)
}

/// Agreeing would be cheap if nearly every random condition were undefined.
#[test]
fn random_conditions_come_to_every_truth() {
    let mut runner = TestRunner::deterministic();
    let mut counts = [0; 3];
    for _ in 0..1000 {
        let (tree, world) = (condition(), world()).new_tree(&mut runner).unwrap().current();
        let which = match evaluate(&compiled(&tree), &world) {
            Truth::True => 0,
            Truth::False => 1,
            Truth::Undefined => 2,
        };
        counts[which] += 1;
    }
    assert!(counts.iter().all(|count| *count >= 100), "{counts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn agrees_with_the_naive_interpreter(tree in condition(), world in world()) {
        let condition = compiled(&tree);
        prop_assert_eq!(evaluate(&condition, &world), as_truth(naive::condition(&tree, &world, None)));
    }

    #[test]
    fn the_canonical_form_is_the_same_condition(tree in condition(), world in world()) {
        let condition = compiled(&tree);
        let canonical = condition.to_json();
        let again = compiled(&canonical);
        prop_assert_eq!(&again, &condition);
        prop_assert_eq!(again.to_json(), canonical);
        prop_assert_eq!(again.to_string(), condition.to_string());
        prop_assert_eq!(evaluate(&again, &world), evaluate(&condition, &world));
    }

    #[test]
    fn de_morgan(one in condition(), two in condition(), world in world()) {
        let eval = |tree: Value| evaluate(&compiled(&tree), &world);
        prop_assert_eq!(
            eval(json!({"not": {"anyOf": [one, two]}})),
            eval(json!({"allOf": [{"not": [one]}, {"not": [two]}]}))
        );
        prop_assert_eq!(
            eval(json!({"not": {"allOf": [one, two]}})),
            eval(json!({"anyOf": [{"not": [one]}, {"not": [two]}]}))
        );
        prop_assert_eq!(eval(json!({"not": [one, two]})), eval(json!({"not": {"anyOf": [one, two]}})));
        prop_assert_eq!(eval(json!({"not": {"not": [one]}})), eval(one));
    }

    /// Taking an attribute away can only leave the answer as it is or make it undefined.
    #[test]
    fn an_attribute_less_never_grants(tree in condition(), world in world(), root in select(vec!["user", "resource", "context"]), name in select(NAMES.to_vec())) {
        let condition = compiled(&tree);
        let mut less = world.clone();
        less[root].as_object_mut().unwrap().remove(name);
        let (with, without) = (evaluate(&condition, &world), evaluate(&condition, &less));
        prop_assert!(without == Truth::Undefined || without == with, "{} became {}", with, without);
    }

    #[test]
    fn compiling_never_panics_and_what_compiles_survives(tree in anything(), world in world()) {
        match Condition::compile(&tree) {
            Ok(condition) => {
                prop_assert_eq!(&compiled(&condition.to_json()), &condition);
                evaluate(&condition, &world);
                condition.attributes();
            }
            Err(error) => prop_assert!(error.to_string().starts_with("at $")),
        }
    }
}
