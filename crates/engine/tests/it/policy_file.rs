//! The policy as a file: plans, pruning, and files that are written of what is there.

use crate::{
    random_policy::{self, ACTIONS, Dice, INSTANCES, RESOURCES, TENANTS, USERS},
    support::{FAMILY, World},
};
use askfirst_engine::{
    EnvScope, Kind,
    check::Ask,
    policy::{ApplyError, DifferenceKind, PolicyPlan, PolicyText, Prune},
};
use askfirst_policy::file::PolicyFile;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn wish(text: &str, prune: Prune) -> PolicyText {
    let secret = |name: &str| (name.to_owned(), "a secret".to_owned());
    let secrets = ["REQUESTS_WEBHOOK_TOKEN", "NO_WEBHOOK_TOKEN"].map(secret).into();
    PolicyText { text: text.to_owned(), prune, secrets, plan: None }
}

fn refused(error: ApplyError) -> askfirst_engine::Error {
    match error {
        ApplyError::Failed(error) => error,
        ApplyError::File(diagnostics) => panic!("the file is fine: {diagnostics:?}"),
    }
}

fn told(plan: &PolicyPlan) -> Vec<String> {
    let kind = |kind| match kind {
        DifferenceKind::Added => '+',
        DifferenceKind::Changed => '~',
        DifferenceKind::Removed => '-',
    };
    plan.differences.iter().map(|d| format!("{} {} {}", kind(d.kind), d.what, d.name)).collect()
}

/// Every question about the names that random policies have.
fn answers(env: &EnvScope) -> Vec<String> {
    let mut allowed = Vec::new();
    for user in USERS {
        for resource in RESOURCES {
            for action in ACTIONS {
                for instance in INSTANCES.into_iter().map(Some).chain([None]) {
                    for tenant in TENANTS.into_iter().map(Some).chain([None]) {
                        let ask = Ask {
                            user: user.to_owned(),
                            action: action.to_owned(),
                            resource: resource.to_owned(),
                            instance: instance.map(ToOwned::to_owned),
                            tenant: tenant.map(ToOwned::to_owned),
                        };
                        if env.is_allowed(&ask) {
                            allowed.push(format!("{ask:?}"));
                        }
                    }
                }
            }
        }
    }
    allowed
}

async fn held_to_itself(before: PolicyFile, after: PolicyFile) -> Result<(), TestCaseError> {
    let (one, other) = (World::fresh().await, World::fresh().await);
    let (one, other) = (one.dev().await, other.dev().await);
    one.apply_policy_file(&wish(&before.to_yaml(), Prune::Nothing)).await.map_err(failed)?;
    let written = one.export_policy_with_facts().await.map_err(|e| TestCaseError::fail(e.to_string()))?;

    // What is written of an environment makes the same environment.
    let plan = one.plan_policy(&wish(&written.text, Prune::All)).await.map_err(failed)?;
    prop_assert_eq!(told(&plan), Vec::<String>::new(), "{}", written.text);
    other.apply_policy_file(&wish(&written.text, Prune::Nothing)).await.map_err(failed)?;
    let again = other.export_policy_with_facts().await.map_err(|e| TestCaseError::fail(e.to_string()))?;
    prop_assert_eq!(&again.text, &written.text);
    prop_assert_eq!(answers(&one), answers(&other));

    // What is planned is what is done, and pruning makes the environment what the file says, whatever it was.
    let text = after.to_yaml();
    let planned = other.plan_policy(&wish(&text, Prune::All)).await.map_err(failed)?;
    let carried_out = PolicyText { plan: Some(planned.token.clone()), ..wish(&text, Prune::All) };
    let applied = other.apply_policy_file(&carried_out).await.map_err(failed)?;
    let counted: usize = [&applied.created, &applied.changed, &applied.removed]
        .iter()
        .flat_map(|counts| counts.values())
        .sum();
    prop_assert_eq!(counted, planned.differences.len());
    let fresh = World::fresh().await;
    let fresh = fresh.dev().await;
    fresh.apply_policy_file(&wish(&text, Prune::All)).await.map_err(failed)?;
    let (pruned, anew) = (other.export_policy_with_facts().await, fresh.export_policy_with_facts().await);
    let texts = [pruned, anew].map(|exported| exported.map(|exported| sorted(&exported.text)));
    let [Ok(pruned), Ok(anew)] = texts else { return Err(TestCaseError::fail("an export failed")) };
    prop_assert_eq!(pruned, anew);
    prop_assert_eq!(answers(&other), answers(&fresh));
    prop_assert_eq!(planned.impact.asked, planned.impact.of);
    Ok(())
}

/// The lines of an export in one order: things that stay keep their place, whatever the file says.
fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

#[expect(clippy::needless_pass_by_value, reason = "maps errors")]
fn failed(error: ApplyError) -> TestCaseError {
    TestCaseError::fail(format!("{error:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_file_of_an_environment_makes_the_same_environment(
        before in prop::collection::vec(any::<u16>(), 0..900),
        after in prop::collection::vec(any::<u16>(), 0..900),
    ) {
        let (before, after) =
            (random_policy::file(&mut Dice::new(before)), random_policy::file(&mut Dice::new(after)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(held_to_itself(before, after))?;
    }
}

#[tokio::test]
async fn a_plan_tells_what_changes_and_which_decisions() {
    let world = World::family().await;
    let dev = world.dev().await;
    let text = FAMILY
        .replace("permissions: [read]\n", "permissions: [read, update]\n")
        .replace("  rose: {first_name: Rose", "  zoe: {}\n  rose: {first_name: Rosa");
    let plan = dev.plan_policy(&wish(&text, Prune::Nothing)).await.unwrap();
    assert_eq!(told(&plan), ["~ roles restaurants#child-can-order", "~ users rose", "+ users zoe"]);
    let role = &plan.differences[0].fields[0];
    assert_eq!((role.field.as_str(), &role.after), ("permissions", &serde_json::json!(["read", "update"])));
    assert_eq!(role.before, serde_json::json!(["read"]));
    let impact = &plan.impact;
    assert_eq!((impact.asked, impact.permissions.len()), (impact.of, 1));
    let shift = &impact.permissions[0];
    assert_eq!((shift.permission.as_str(), shift.gained, shift.lost), ("restaurants:update", 1, 0));
    let flip = &impact.examples[0];
    assert_eq!((flip.user.as_str(), flip.resource.as_str()), ("rose", "restaurants:salad-bowl"));
    assert_eq!((flip.before, flip.after), ("deny", "allow"));
    assert_eq!(flip.by, "restaurants:salad-bowl#child-can-order");
    assert!(plan.left_over.is_empty(), "{:?}", plan.left_over);

    let nothing = dev.plan_policy(&wish(FAMILY, Prune::All)).await.unwrap();
    assert_eq!(told(&nothing), Vec::<String>::new());
    assert_eq!(nothing.impact.asked, 0);
}

#[tokio::test]
async fn a_plan_is_carried_out_as_it_was_shown_or_not_at_all() {
    let world = World::family().await;
    let dev = world.dev().await;
    let text = "askfirst: 1\nroles: {auditor: {permissions: ['restaurants:read']}}\nusers: {max: {}}\n";
    let plan = dev.plan_policy(&wish(text, Prune::Nothing)).await.unwrap();
    let carry_out = |text: &str| PolicyText { plan: Some(plan.token.clone()), ..wish(text, Prune::Nothing) };

    let other = text.replace("auditor", "inspector");
    let error = refused(dev.apply_policy_file(&carry_out(&other)).await.unwrap_err());
    assert_eq!(error.kind(), Kind::Conflict, "{error}");

    dev.apply_policy("askfirst: 1\nroles: {clerk: {}}\n").await.unwrap();
    let before = dev.state().revision;
    let error = refused(dev.apply_policy_file(&carry_out(text)).await.unwrap_err());
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert_eq!(dev.state().revision, before);

    let plan = dev.plan_policy(&wish(text, Prune::Nothing)).await.unwrap();
    // A fact that the plan does not touch may come and go.
    dev.apply_policy("askfirst: 1\nusers: {eve: {}}\n").await.unwrap();
    let applied = dev
        .apply_policy_file(&PolicyText { plan: Some(plan.token), ..wish(text, Prune::Nothing) })
        .await
        .unwrap();
    assert_eq!(applied.created, BTreeMap::from([("roles".to_owned(), 1), ("users".to_owned(), 1)]));
}

#[tokio::test]
async fn pruning_takes_away_what_the_file_does_not_name_and_nothing_else() {
    let world = World::family().await;
    let dev = world.dev().await;
    let more = "askfirst: 1\nroles: {auditor: {permissions: ['restaurants:read']}}\n\
                resources: {cars: {actions: [drive]}}\nuser_sets: {all: {}}\n\
                set_rules: [{user_set: all, permission: 'cars:drive'}]\nusers: {max: {}}\n\
                assignments: [{user: max, role: auditor}]\n";
    dev.apply_policy(more).await.unwrap();

    let plan = dev.plan_policy(&wish(FAMILY, Prune::Nothing)).await.unwrap();
    assert_eq!(told(&plan), Vec::<String>::new());
    let left: Vec<String> = plan.left_over.iter().map(|l| format!("{} {}", l.what, l.name)).collect();
    assert_eq!(left, ["resources cars"], "the file has no other section of the policy");

    let whole = format!("{FAMILY}roles: {{}}\nset_rules: []\n");
    let plan = dev.plan_policy(&wish(&whole, Prune::Policy)).await.unwrap();
    assert_eq!(
        told(&plan),
        ["- resources cars", "- roles auditor", "- set_rules user_set all, permission cars:drive"],
        "user sets are not in the file, and neither users nor their assignments are of the policy"
    );
    assert!(plan.impact.permissions.iter().any(|shift| shift.lost > 0), "{:?}", plan.impact);
    dev.apply_policy_file(&wish(&whole, Prune::Policy)).await.unwrap();
    let written = dev.export_policy_with_facts().await.unwrap().text;
    assert!(written.contains("user_sets:\n  all: {}\n") && written.contains("max: {}"), "{written}");
    assert!(!written.contains("auditor") && !written.contains("cars"), "{written}");

    let plan = dev.plan_policy(&wish(FAMILY, Prune::All)).await.unwrap();
    assert_eq!(told(&plan), ["- users max"]);
    // What operation approvals need is not in the way of pruning.
    let bare = "askfirst: 1\nresources: {doors: {actions: [open]}}\n\
                elements: {entry: {type: operation_approval, resource: doors}}\n";
    let plan = dev.plan_policy(&wish(bare, Prune::Policy)).await.unwrap();
    dev.apply_policy_file(&PolicyText { plan: Some(plan.token), ..wish(bare, Prune::Policy) }).await.unwrap();
    let again = dev.plan_policy(&wish(bare, Prune::Policy)).await.unwrap();
    assert_eq!(told(&again), Vec::<String>::new());
    assert!(dev.state().snapshot.schema().role_by_key(Some("doors"), "_Reviewer_").is_some());
}

#[tokio::test]
async fn a_webhooks_token_is_named_and_never_written() {
    let world = World::family().await;
    let dev = world.dev().await;
    let text = |url: &str| {
        format!(
            "askfirst: 1\nelements:\n  alerts:\n    type: audit_log\n    webhook: {{url: '{url}', token_from: ALERTS}}\n"
        )
    };
    let (one, other) = (text("https://one.example/x"), text("https://two.example/x"));
    let with = |text: &str, token: &str| PolicyText {
        secrets: BTreeMap::from([("ALERTS".to_owned(), token.to_owned())]),
        ..wish(text, Prune::Nothing)
    };
    let token = || {
        let state = dev.state();
        let element = state.snapshot.schema().element_by_key("alerts").unwrap().clone();
        element.webhook.as_ref().unwrap().bearer_token.clone()
    };
    let plan = dev.plan_policy(&wish(&one, Prune::Nothing)).await.unwrap();
    assert_eq!(plan.missing_secrets, ["ALERTS"]);
    let error = refused(dev.apply_policy(&one).await.unwrap_err());
    assert!(error.kind() == Kind::Invalid && error.message().contains("`ALERTS`"), "{error}");

    dev.apply_policy_file(&with(&one, "s3cret-token")).await.unwrap();
    assert_eq!(token().as_deref(), Some("s3cret-token"));
    assert!(!dev.export_policy().text.contains("s3cret-token"));
    assert!(dev.export_policy().text.contains("token_from: ALERTS_WEBHOOK_TOKEN"));
    // What is known stays, and is not sent to another address.
    let again = dev.apply_policy(&one).await.unwrap();
    assert!(again.changed.is_empty(), "{again:?}");
    refused(dev.apply_policy(&other).await.unwrap_err());

    let changed = dev.plan_policy(&with(&one, "another")).await.unwrap();
    assert_eq!(told(&changed), ["~ elements alerts"]);
    assert!(!format!("{changed:?}").contains("another\""), "{changed:?}");
    dev.apply_policy_file(&with(&one, "another")).await.unwrap();
    assert_eq!(token().as_deref(), Some("another"));
}

#[tokio::test]
async fn what_cannot_change_is_refused_with_a_sentence() {
    let world = World::family().await;
    let dev = world.dev().await;
    dev.apply_policy(
        "askfirst: 1\nresources: {cars: {actions: [drive]}}\nresource_sets: {big: {resource: cars}}\n",
    )
    .await
    .unwrap();
    for (text, says) in [
        ("resources: {restaurants: {actions: [read], relations: {serves: cars}}}", "can't change"),
        ("elements: {dish-requests: {type: audit_log}}", "its type can't change"),
        ("resource_sets: {big: {resource: restaurants}}", "can't change"),
    ] {
        let error = refused(dev.apply_policy(&format!("askfirst: 1\n{text}\n")).await.unwrap_err());
        assert!(error.kind() == Kind::Conflict && error.message().contains(says), "{text}: {error}");
    }
}
