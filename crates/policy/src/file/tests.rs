use super::*;
use crate::RoleName;
use askfirst_domain::{
    Span, Timestamp,
    element::Level,
    schema::{AttributeType, RuleResources, RuleUsers, SetKind},
};

fn read(text: &str) -> Result<PolicyFile, String> {
    parse(text, &Snapshot::empty(), Prune::Nothing)
        .map_err(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

pub(super) const WHOLE: &str = r#"
askfirst: 1
resources:
  folder:
    actions: {read: {name: Look, description: at it}, write: }
    attributes: {size: number}
    roles:
      owner: {permissions: [read, write]}
  doc:
    name: Document
    actions: [read, write]
    relations: {parent: folder}
    roles:
      viewer: {permissions: [read]}
      editor:
        permissions: [write]
        extends: [viewer]
        granted_to:
          when: {no_direct_roles_on_object: true}
          users_with_role:
            - {role: owner, on_resource: folder, linked_by_relation: parent}
roles:
  admin: {name: Admin, permissions: ["doc:read", "folder:write"]}
user_attributes: {age: {type: number, description: In years}}
user_sets:
  adults:
    conditions: {user.age: {greater-than: 17}}
  elders:
    parent: adults
    conditions:
      allOf:
        - user.age: {greater-than: 66}
        - user.key: {not-equals: joe}
resource_sets:
  big: {resource: doc, conditions: {resource.size: {greater-than: 9}}}
set_rules:
  - {user_set: elders, permission: "doc:write", resource_set: big}
  - {role: "folder#owner", permission: "folder:write"}
elements:
  doc-requests:
    type: user_management
    resource: doc
    levels: {LEVEL_1: [editor, "tenant#admin"], LEVEL_4: [viewer]}
    settings: {title: Docs, depth: 3}
    terms: {decide_within: 90m, grant_lasts: 3600, most_uses: 2}
    webhook: {url: "https://example.org/hook", bearer_token: secret-token}
tenants: {acme: {name: Acme}}
users: {joe: {first_name: Joe, attributes: {age: 41}}, "ann@example.org": {}}
instances:
  "folder:f1": {tenant: acme}
  "doc:d1": {tenant: acme, attributes: {size: 3}}
tuples:
  - "folder:f1 parent doc:d1"
assignments:
  - {user: joe, role: owner, on: "folder:f1"}
  - {user: ann@example.org, role: admin, tenant: acme, expires_at: 2027-01-01T00:00:00Z}
"#;

#[test]
fn a_whole_file_reads_as_written() {
    let file = read(WHOLE).unwrap();
    let [folder, doc] = file.resources.as_slice() else { panic!("{file:?}") };
    assert_eq!((folder.name.as_str(), doc.name.as_str()), ("folder", "Document"));
    assert_eq!(folder.actions[0].name, "Look");
    assert_eq!(folder.actions[1].name, "write");
    assert_eq!(folder.attributes[0].kind, AttributeType::Number);
    assert_eq!(doc.relations[0].subject_resource.as_str(), "folder");
    let editor = &doc.roles[1];
    assert_eq!(editor.extends, ["viewer".parse().unwrap()]);
    let derivation = editor.granted_to.as_ref().unwrap();
    assert!(derivation.when.no_direct_roles_on_object);
    assert_eq!(derivation.users_with_role[0].role.as_str(), "owner");
    assert_eq!(file.tenant_roles[0].permissions[1].resource.as_str(), "folder");
    let element = &file.elements[0];
    let admin = RoleName { resource: None, key: "admin".parse().unwrap() };
    assert_eq!(element.levels[&Level::Owner][1], admin);
    assert_eq!(element.settings["depth"], 3);
    let terms = (element.terms.decide_within, element.terms.grant_lasts, element.terms.most_uses);
    assert_eq!(terms, (Some("90m".parse().unwrap()), Some(Span::HOUR), Some(2)));
    assert_eq!(element.webhook.as_ref().unwrap().token, Token::Written("secret-token".to_owned()));
    assert!(!format!("{element:?}").contains("secret-token"), "tokens stay out of debug output");
    let [adults, elders, big] = file.sets.as_slice() else { panic!("{file:?}") };
    assert_eq!((adults.kind, big.kind), (SetKind::Userset, SetKind::Resourceset));
    assert_eq!((elders.parent.as_ref(), big.resource.as_ref()), (Some(&adults.key), Some(&doc.key)));
    assert_eq!(elders.conditions["allOf"][1]["user.key"]["not-equals"], "joe");
    assert_eq!(file.rules[0].users, RuleUsers::Set(elders.key.clone()));
    assert_eq!(file.rules[1].users.to_string(), "folder#owner");
    assert_eq!(file.rules[1].resources, RuleResources::Resource(folder.key.clone()));
    assert_eq!(file.user_attributes[0].description.as_deref(), Some("In years"));
    assert_eq!(file.users[0].attributes["age"], 41);
    assert_eq!(file.instances[1].attributes["size"], 3);
    assert_eq!(file.tuples[0].subject.to_string(), "folder:f1");
    assert_eq!(file.assignments[0].tenant, None);
    assert_eq!(file.assignments[1].expires_at.unwrap().to_string(), "2027-01-01T00:00:00.000000Z");
}

#[test]
fn a_name_that_is_not_there_is_told_where_it_stands_with_a_suggestion() {
    for (from, to, expected) in [
        ("permissions: [read]", "permissions: [raed]", "did you mean `read`?"),
        ("extends: [viewer]", "extends: [veiwer]", "did you mean `viewer`?"),
        ("{role: owner, on_resource", "{role: onwer, on_resource", "did you mean `owner`?"),
        ("linked_by_relation: parent", "linked_by_relation: prent", "did you mean `parent`?"),
        ("relations: {parent: folder}", "relations: {parent: foldr}", "did you mean `folder`?"),
        ("\"doc:read\", ", "\"dco:read\", ", "did you mean `doc`?"),
        ("LEVEL_4: [viewer]", "LEVEL_4: [viewr]", "did you mean `viewer`?"),
        ("LEVEL_4: [viewer]", "LEVEL_5: [viewer]", "did you mean `LEVEL_1`?"),
        ("type: user_management", "type: user_managment", "did you mean `user_management`?"),
        ("{size: number}", "{size: nubmer}", "did you mean `number`?"),
        ("\"doc:d1\": {tenant: acme", "\"doc:d1\": {tenant: acm", "did you mean `acme`?"),
        ("\"folder:f1 parent doc:d1\"", "\"folder:f1 paren doc:d1\"", "did you mean `parent`?"),
        ("\"folder:f1 parent doc:d1\"", "\"folder:f1 parent doc:d2\"", "did you mean `doc:d1`?"),
        ("{user: joe", "{user: jo", "did you mean `joe`?"),
        ("role: owner, on: ", "role: ower, on: ", "did you mean `owner`?"),
        ("2027-01-01T00:00:00Z", "tomorrow", "write it as 2027-01-31T18:30:00Z"),
        ("    actions: [read, write]", "    acitons: [read, write]", "did you mean `actions`?"),
        ("{first_name: Joe", "{fist_name: Joe", "did you mean `first_name`?"),
        ("parent: adults", "parent: adult", "did you mean `adults`?"),
        ("{user_set: elders", "{user_set: elder", "did you mean `elders`?"),
        ("\"doc:write\", resource_set", "\"doc:wirte\", resource_set", "did you mean `write`?"),
        ("resource_set: big", "resource_set: bug", "did you mean `big`?"),
        ("folder#owner", "folder#onwer", "did you mean `folder#owner`?"),
        ("token: secret-token", "tokn: secret-token", "did you mean `bearer_token`?"),
    ] {
        assert_eq!(WHOLE.matches(from).count(), 1, "{from}");
        let text = WHOLE.replace(from, to);
        let all = parse(&text, &Snapshot::empty(), Prune::Nothing).unwrap_err();
        let line = WHOLE.split(from).next().unwrap().lines().count() as u64;
        let found = all.iter().find(|d| d.hint.as_deref() == Some(expected));
        let found = found.unwrap_or_else(|| panic!("{to}: {all:?}"));
        assert!(found.line.abs_diff(line) <= 1, "{to}: line {line}, got {found}");
        assert!(found.column > 0, "{found}");
    }
}

#[test]
fn every_complaint_of_a_file_comes_at_once_in_the_order_of_lines() {
    let text = "\
askfirst: 1
resources:
  doc:
    actions: [read]
    relations: {parent: doc}
    roles:
      viewer: {permissions: ['doc:read'], extends: [editor]}
      editor: {permissions: [fly], extends: [viewer]}
roles:
  admin: {permissions: [read]}
elements:
  doc-approval: {type: operation_approval}
";
    insta::assert_snapshot!(read(text).unwrap_err());
}

#[test]
fn wrong_shapes_are_told_with_their_position() {
    let shapes = [
        "",
        "askfirst: 2",
        "resources: {}",
        "askfirst: 1\nresources: [a]",
        "askfirst: 1\nresources:\n  a b: {}",
        "askfirst: 1\nusers:\n  joe: {}\n  joe: {}",
        "askfirst: 1\nusers:\n\t- x: [",
        "askfirst: 1\nresources:\n  doc: {actions: read}",
        "askfirst: 1\ntuples: ['a b']",
        "askfirst: 1\nassignments: [{user: joe}]",
    ];
    let told: Vec<String> =
        shapes.iter().map(|text| format!("{text:?}\n  {}", read(text).unwrap_err())).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn references_reach_what_is_there_already() {
    let snapshot = Snapshot::empty();
    let text = "askfirst: 1\nassignments: [{user: joe, role: admin}]";
    assert_eq!(parse(text, &snapshot, Prune::Nothing).unwrap_err().len(), 2);
    let changes =
        crate::fixture::Fixture::default().tenant("default").user("joe").tenant_role("admin", &[]).changes();
    let snapshot = snapshot.apply(&changes);
    assert_eq!(parse(text, &snapshot, Prune::Nothing).unwrap().assignments.len(), 1);
}

#[test]
fn a_wrong_condition_is_told_on_the_line_of_its_leaf() {
    for (from, to, says) in [
        ("- user.age: {greater-than: 66}", "- user.age: {greater-thn: 66}", "did you mean `greater-than`?"),
        ("- user.key: {not-equals: joe}", "- usr.key: {not-equals: joe}", "`usr.key` is neither"),
        ("- user.key: {not-equals: joe}", "- user.key: {array_contains: [joe]}", "takes one value"),
        ("{resource.size: {greater-than: 9}}", "{resource.size: {between: [9, 1]}}", "lower one first"),
    ] {
        let all = parse(&WHOLE.replace(from, to), &Snapshot::empty(), Prune::Nothing).unwrap_err();
        let [only] = all.as_slice() else { panic!("{to}: {all:?}") };
        assert!(only.to_string().contains(says) && only.column > 5, "{only:?}");
        assert_eq!(only.line, WHOLE.split(from).next().unwrap().lines().count() as u64, "{to}: {only}");
    }
}

#[test]
fn every_wrong_shape_of_a_file_comes_at_once() {
    let text = "\
askfirst: 1
guards: {}
resorces: {}
resources:
  doc: {name: 3, actions: [read, read, 2], attributes: {size: int, x: {}}}
  doc: [a]
roles:
  admin: {permissions: 'doc:read', granted_to: {users_with_role: []}}
user_sets:
  all: {conditions: {anyOf: []}}
set_rules:
  - {permission: read, user_set: all, role: admin}
elements:
  log: {settings: {x: [1]}, webhook: {url: 'ftp://x', token_from: 'a b'}}
users:
  joe: {attributes: []}
tuples: ['a b', {subject: 'doc:a', relation: x}]
assignments: [{user: joe, role: admin, expires_at: soon}, nobody]
tests:
  - {user: joe, action: read, resource: doc, expect: maybe}
  - {user: joe, action: raed, resource: doc, expect: deny, by_role: admin}
";
    insta::assert_snapshot!(read(text).unwrap_err());
}

#[test]
fn what_pruning_takes_away_cannot_be_named() {
    let there = "askfirst: 1\nresources: {doc: {actions: [read]}}\nroles: {old: {permissions: ['doc:read']}}\n\
                 users: {joe: {}}\n";
    let file = parse(there, &Snapshot::empty(), Prune::Nothing).unwrap();
    let snapshot = file.alone();
    let text = "askfirst: 1\nroles: {new: {permissions: ['doc:read'], extends: [old]}}\nusers: {}\n\
                assignments: [{user: joe, role: new}]\n";
    assert!(parse(text, &snapshot, Prune::Nothing).is_ok());
    let told = |prune| {
        let all = parse(text, &snapshot, prune).unwrap_err();
        all.iter().map(|one| one.message.clone()).collect::<Vec<_>>().join("\n")
    };
    assert!(told(Prune::Policy).contains("extends `old`, which does not exist"), "{}", told(Prune::Policy));
    assert!(!told(Prune::Policy).contains("joe"), "facts stay");
    assert!(told(Prune::All).contains("there is no user `joe`"), "{}", told(Prune::All));
}

#[test]
fn a_level_names_a_role_of_the_resource_or_else_a_tenant_role() {
    let text = WHOLE
        .replace("levels: {LEVEL_1: [editor, \"tenant#admin\"]", "levels: {LEVEL_1: [editor, admin]")
        .replace("LEVEL_4: [viewer]", "LEVEL_4: [\"doc#viewer\"]");
    assert_eq!(read(&text).unwrap().elements[0].levels, read(WHOLE).unwrap().elements[0].levels);
    let without = text.replace("    resource: doc\n    levels: {LEVEL_1: [editor, admin], ", "    levels: {");
    assert_eq!(read(&without).unwrap().elements[0].resource, read(WHOLE).unwrap().elements[0].resource);
}

#[test]
fn tests_are_asked_of_what_the_file_says() {
    let tests = r#"
tests:
  - {user: joe, action: write, resource: "doc:d1", expect: allow, by_role: "folder#owner"}
  - {user: joe, action: write, resource: "doc:d1", expect: allow, by_role: "doc#viewer"}
  - {name: strangers, user: eve, action: read, resource: "doc:d1", expect: deny}
  - {user: eve, action: read, resource: "doc:d1", expect: deny, cause: unknown_user}
  - {user: ann@example.org, action: read, resource: "doc:d1", expect: allow, at: 2026-06-01T00:00:00Z}
  - {user: ann@example.org, action: read, resource: "doc:d1", expect: deny, cause: expired, at: 2027-06-01T00:00:00Z}
  - {user: ann@example.org, action: write, resource: "doc:d1", expect: deny}
  - user: ann@example.org
    action: write
    resource: "doc:d1"
    user_attributes: {age: 70}
    resource_attributes: {size: 10}
    expect: allow
    by_rule: {user_set: elders, resource_set: big}
  - {user: joe, action: fly, resource: planet, expect: deny, cause: unknown_resource}
  - {user: joe, action: write, resource: "folder:f1", tenant: acme, expect: deny}
"#;
    let file = read(&format!("{WHOLE}{tests}")).unwrap();
    let now = Timestamp::from_micros(1_790_000_000_000_000);
    let told: Vec<String> = file
        .run_tests(now)
        .into_iter()
        .map(|case| {
            format!("{} {}: {}", case.line, case.name, case.failure.unwrap_or_else(|| "ok".to_owned()))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_stands_twice_is_told() {
    let text = WHOLE.replace(
        "assignments:\n",
        "  - {subject: 'folder:f1', relation: parent, object: 'doc:d1'}\nassignments:\n  \
         - {user: joe, role: owner, on: 'folder:f1', tenant: acme, expires_at: 2030-01-01T00:00:00Z}\n",
    );
    let told = read(&text).unwrap_err();
    assert!(told.contains("`folder:f1 parent doc:d1` stands here twice"), "{told}");
    assert!(told.contains("joe has the role owner here twice"), "{told}");
}

#[test]
fn a_file_without_bottom_is_refused_before_it_takes_the_stack() {
    let value = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let file = |depth| format!("askfirst: 1\nusers: {{joe: {{attributes: {{deep: {}}}}}}}\n", value(depth));
    assert!(read(&file(90)).is_ok());
    let steps = format!("askfirst: 1\ntuples:\n  {}1\n", "- ".repeat(100_000));
    for text in [file(100_000), steps] {
        let told = read(&text).unwrap_err();
        assert!(told.contains("nests 96 deep at most"), "{told}");
    }
}

#[test]
fn a_mapping_rule_that_cannot_be_matched_is_told_at_its_url() {
    let text = r"
askfirst: 1
proxy_configs:
  api:
    auth_mechanism: Basic
    rules:
      - {url: '/a/{id}', method: get, resource: doc, headers: {x: y}, priority: 3}
      - {url: '(', kind: regex, method: get, resource: doc}
      - {url: '/a', method: steal, resource: doc, priority: high}
";
    insta::assert_snapshot!(read(text).unwrap_err(), @r"
    8:15: this rule can't be matched: its expression can't be read (unclosed group)
    9:29: `steal` is not a method that rules are about (use one of `get`, `post`, `put`, `patch`, `delete`, `head`, `options`)
    9:61: here stands a whole number, not a text
    ");
}
