use super::*;
use crate::RoleName;
use askfirst_domain::{element::Level, schema::AttributeType};

fn read(text: &str) -> Result<PolicyFile, String> {
    parse(text, &Snapshot::empty())
        .map_err(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

const WHOLE: &str = r#"
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
elements:
  doc-requests:
    type: user_management
    resource: doc
    levels: {LEVEL_1: [editor, "tenant#admin"], LEVEL_4: [viewer]}
    settings: {title: Docs, depth: {x: [1, 2]}}
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
    assert_eq!(element.settings["depth"]["x"][1], 2);
    assert_eq!(element.webhook.as_ref().unwrap().bearer_token.as_deref(), Some("secret-token"));
    assert!(!format!("{element:?}").contains("secret-token"), "tokens stay out of debug output");
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
    ] {
        assert_eq!(WHOLE.matches(from).count(), 1, "{from}");
        let text = WHOLE.replace(from, to);
        let all = parse(&text, &Snapshot::empty()).unwrap_err();
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
    assert_eq!(parse(text, &snapshot).unwrap_err().len(), 2);
    let changes =
        crate::fixture::Fixture::default().tenant("default").user("joe").tenant_role("admin", &[]).changes();
    let snapshot = snapshot.apply(&changes);
    assert_eq!(parse(text, &snapshot).unwrap().assignments.len(), 1);
}
