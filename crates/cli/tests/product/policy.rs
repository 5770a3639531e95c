//! `askfirst policy`: with a server where it needs one, and without.

use crate::support::{Server, askfirst, stdout};

const FAMILY: &str = include_str!("../../../../examples/family/policy.yaml");

/// Runs a command that asks no server, in a folder with this file.
fn alone(file: &str, args: &[&str]) -> (Option<i32>, String) {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("policy.yaml"), file).unwrap();
    let output = askfirst(home.path()).args(args).output().unwrap();
    (output.status.code(), stdout(&output))
}

#[test]
fn a_file_is_checked_without_a_server() {
    let (code, said) = alone(FAMILY, &["policy", "check", "policy.yaml"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("policy.yaml is right: 1 resources, 4 roles, 3 elements,"), "{said}");

    let wrong = FAMILY.replace("[create, read,", "[craete, read,").replace("{user: rose,", "{usr: rose,");
    let (code, said) = alone(&wrong, &["policy", "check", "policy.yaml"]);
    assert_eq!(code, Some(1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("policy.yaml:") && lines[0].contains("did you mean `create`?"), "{said}");
    assert!(lines.iter().any(|line| line.contains("did you mean `user`?")), "{said}");
    assert!(lines.last().unwrap().starts_with("policy.yaml is wrong in"), "{said}");
    let (code, said) = alone(&wrong, &["policy", "check", "policy.yaml", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &found["ok"]), (Some(1), &serde_json::json!(false)));
    assert!(found["diagnostics"][0]["line"].as_u64().unwrap() > 10, "{found}");

    let (code, _) = alone(FAMILY, &["policy", "check", "nowhere.yaml"]);
    assert_eq!(code, Some(2));
    let (code, schema) = alone("", &["policy", "check", "--schema"]);
    let in_the_documents = include_str!("../../../../docs/policy.schema.json");
    assert_eq!((code, schema.as_str()), (Some(0), in_the_documents));
}

#[test]
fn the_tests_of_a_file_are_asked_without_a_server() {
    let tests = "\ntests:\n  - {user: rose, action: read, resource: 'restaurants:salad-bowl', expect: allow}\n  \
                 - {name: Henry asks first, user: henry, action: read, resource: 'restaurants:salad-bowl', expect: deny}\n";
    let (code, said) = alone(&format!("{FAMILY}{tests}"), &["policy", "test", "policy.yaml"]);
    let expected =
        "policy.yaml\n  ok    rose read restaurants:salad-bowl\n  ok    Henry asks first\n2 tests passed.\n";
    assert_eq!((code, said.as_str()), (Some(0), expected));

    let failing = format!(
        "{FAMILY}{tests}  - {{user: joe, action: read, resource: 'restaurants:salad-bowl', expect: deny}}\n"
    );
    let (code, said) = alone(&failing, &["policy", "test", "policy.yaml"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("  FAIL  joe read restaurants:salad-bowl\n"), "{said}");
    assert!(said.ends_with("1 of 3 tests failed.\n"), "{said}");
    let (code, said) = alone(&failing, &["policy", "test", "policy.yaml", "--junit"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("tests=\"3\" failures=\"1\"") && said.contains("<failure message="), "{said}");
}

fn apply(server: &Server, name: &str, text: &str, more: &[&str]) -> (Option<i32>, String, String) {
    std::fs::write(server.home.path().join(name), text).unwrap();
    let args: Vec<&str> = ["policy"].iter().chain(more).copied().chain([name]).collect();
    let output = server.run(&args);
    (output.status.code(), stdout(&output), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_plan_is_shown_and_carried_out() {
    let server = Server::of_the_family();
    let (code, said, _) = apply(&server, "same.yaml", FAMILY, &["plan"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("Nothing to do: all of it holds already"), "{said}");

    let text = FAMILY.replace("permissions: [read]\n", "permissions: [read, update]\n");
    let (code, said, _) = apply(&server, "more.yaml", &text, &["plan"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("~ role restaurants#child-can-order\n      permissions: +update\n"), "{said}");
    assert!(said.contains("    restaurants:update  +1 -0\n"), "{said}");
    assert!(said.contains("rose may now update restaurants:salad-bowl in default"), "{said}");
    let token = said.trim_end().rsplit(' ').next().unwrap().to_owned();

    let (code, _, refused) = apply(&server, "more.yaml", &text, &["apply", "--plan", "stale"]);
    assert_eq!(code, Some(2));
    assert!(refused.contains("not as it was when this plan was made"), "{refused}");
    let (code, said, refused) = apply(&server, "more.yaml", &text, &["apply", "--plan", &token]);
    assert_eq!(code, Some(0), "{refused}");
    assert!(said.contains("changed 1 roles"), "{said}");

    let (code, _, refused) = apply(&server, "wrong.yaml", "askfirst: 1\nrole: {}\nuser: {}\n", &["plan"]);
    assert_eq!(code, Some(1), "a plan that can't be made is told from one that changes something");
    assert!(refused.contains("2:1:") && refused.contains("3:1:"), "every place: {refused}");
}

#[test]
fn nothing_is_removed_before_somebody_agrees() {
    let server = Server::of_the_family();
    let more = "askfirst: 1\nroles: {auditor: {permissions: ['restaurants:read']}}\n";
    let (_, _, refused) = apply(&server, "more.yaml", more, &["apply"]);
    assert_eq!(refused, "");
    let whole = "askfirst: 1\nroles: {}\n";
    let (code, said, refused) = apply(&server, "whole.yaml", whole, &["apply", "--prune"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("- role auditor"), "{said}");
    assert!(refused.contains("--yes"), "{refused}");
    assert!(server.ok(&["policy", "export"]).contains("auditor:"));
    let (code, said, refused) = apply(&server, "whole.yaml", whole, &["apply", "--prune", "--yes"]);
    assert_eq!(code, Some(0), "{refused}");
    assert!(said.contains("removed") && said.contains("roles"), "{said}");
    assert!(!server.ok(&["policy", "export"]).contains("auditor:"));
}

#[test]
fn an_environment_is_written_and_made_again() {
    let (one, other) = (Server::of_the_family(), Server::start());
    let hook = "askfirst: 1\nelements:\n  alerts:\n    type: audit_log\n    \
                webhook: {url: 'https://hooks.example/a', token_from: ALERTS_WEBHOOK_TOKEN}\n";
    let (code, _, refused) = apply(&one, "hook.yaml", hook, &["apply"]);
    assert!(code == Some(2) && refused.contains("`ALERTS_WEBHOOK_TOKEN`, which is not given"), "{refused}");
    let with_token = |server: &Server, args: &[&str]| {
        let output = server.command(args).env("ALERTS_WEBHOOK_TOKEN", "s3cret").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    with_token(&one, &["policy", "apply", "hook.yaml"]);
    let written = one.ok(&["policy", "export", "--facts"]);
    assert!(!written.contains("s3cret"), "{written}");
    std::fs::write(other.home.path().join("all.yaml"), &written).unwrap();
    with_token(&other, &["policy", "apply", "all.yaml"]);
    assert_eq!(other.ok(&["policy", "export", "--facts"]), written);
}

#[test]
fn recorded_questions_are_asked_again() {
    let server = Server::of_the_family();
    server.check("rose", "update", "restaurants:salad-bowl");
    server.check("rose", "update", "restaurants:salad-bowl");
    let text = FAMILY.replace("permissions: [read]\n", "permissions: [read, update]\n");
    let (code, said, refused) = apply(&server, "more.yaml", &text, &["replay", "--since", "1h"]);
    assert_eq!(code, Some(2), "{said}{refused}");
    assert!(said.starts_with("Of 2 recorded decisions 2 change:"), "{said}");
    assert!(said.contains("deny -> allow"), "{said}");
    let (code, said, _) = apply(&server, "same.yaml", FAMILY, &["replay"]);
    assert_eq!((code, said.as_str()), (Some(0), "Of 2 recorded decisions none changes.\n"));
}
