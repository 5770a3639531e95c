use super::{RoleName, Schema, SchemaError, parse_permission, parse_permissions};
use crate::{Snapshot, fixture::Fixture};
use askfirst_domain::{
    Id, Ident, Timestamp,
    change::Change,
    element::{Element, ElementType, Level, Terms},
    id::RoleId,
    schema::{DerivationRule, Permission, Relation, Resource, Role},
};
use serde_json::Map;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

fn drive() -> Fixture {
    Fixture::default()
        .resource("folder", &["list"])
        .resource("doc", &["read", "write"])
        .relation("doc", "holder", "folder")
        .role("folder", "owner", &["list"])
        .role("doc", "viewer", &["read"])
        .role("doc", "editor", &["write"])
        .extending(&["viewer"])
        .derived("owner", "folder", "holder")
        .tenant_role("reader", &["doc:read"])
        .tenant_role("admin", &["doc:write", "folder:list"])
        .extending(&["reader"])
}

fn schema(fixture: &Fixture) -> Arc<Schema> {
    Snapshot::empty().apply(&fixture.changes).schema().clone()
}

fn role(schema: &Schema, resource: Option<&str>, key: &str) -> Role {
    (**schema.role_by_key(resource, key).unwrap()).clone()
}

fn name(resource: Option<&str>, key: &str) -> RoleName {
    RoleName { resource: resource.map(|r| r.parse().unwrap()), key: key.parse().unwrap() }
}

fn told<T: std::fmt::Debug>(result: Result<T, SchemaError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn things_are_found_by_id_and_by_key_in_their_scope() {
    let s = schema(&drive());
    let viewer = role(&s, Some("doc"), "viewer");
    assert_eq!(s.role(Some("doc"), &Ident::new("viewer")).unwrap().id, viewer.id);
    assert_eq!(s.role(Some("doc"), &Ident::from(viewer.id.uuid())).unwrap().key, viewer.key);
    assert!(s.role(Some("folder"), &Ident::from(viewer.id.uuid())).is_none(), "an id of another scope");
    assert!(s.role(None, &Ident::new("viewer")).is_none());
    assert_eq!(s.role_by_id(viewer.id).unwrap().key, viewer.key);
    let keys: Vec<&str> = s.roles_of(Some("doc")).map(|r| r.key.as_str()).collect();
    assert_eq!(keys, ["viewer", "editor"], "in the order of creation");
    assert_eq!(s.relations_of("doc").count(), 1);
    assert_eq!(s.relations_of("folder").count(), 0);
    assert!(s.relation("doc", &Ident::new("holder")).is_some());
    assert!(s.resource(&Ident::new("doc")).is_some());
    let doc = s.resource_by_key("doc").unwrap();
    assert_eq!(s.resource(&Ident::new(doc.id.uuid().simple().to_string())).unwrap().key, doc.key);
}

#[test]
fn a_role_amounts_to_what_it_extends() {
    let s = schema(&drive());
    let keys = |resource: &str, action: &str| -> Vec<String> {
        s.roles_permitting(resource, action).iter().map(|r| RoleName::from(r.as_ref()).to_string()).collect()
    };
    assert_eq!(keys("doc", "read"), ["doc#viewer", "doc#editor", "reader", "admin"]);
    assert_eq!(keys("doc", "write"), ["doc#editor", "admin"]);
    assert_eq!(keys("doc", "fly"), Vec::<String>::new());
    assert_eq!(s.permissions_of(s.role_by_key(None, "admin").unwrap()).len(), 3);
}

#[test]
fn permissions_are_written_bare_on_resource_roles_and_with_their_resource_on_tenant_roles() {
    let (viewer, admin) = (name(Some("doc"), "viewer"), name(None, "admin"));
    assert_eq!(parse_permission(&viewer, "read").unwrap().resource.as_str(), "doc");
    assert_eq!(parse_permission(&admin, "doc:read").unwrap().action.as_str(), "read");
    assert_eq!(parse_permissions(&viewer, &["read", "write", "read"]).unwrap().len(), 2);
    insta::assert_snapshot!(told(parse_permission(&viewer, "doc:read")), @"the role doc#viewer is held on instances of doc, so write its permission `doc:read` as `read`, an action of doc without a prefix");
    insta::assert_snapshot!(told(parse_permission(&admin, "read")), @"the role admin is held in tenants, so write its permission `read` with its resource, as `resource:read`");
    insta::assert_snapshot!(told(parse_permission(&admin, "doc:re ad")), @"`doc:re ad` is not a permission: the key `re ad` may hold letters, digits, `-` and `_` only");
}

#[test]
fn a_role_permits_what_exists() {
    let s = schema(&drive());
    let with = |mut role: Role, resource: &str, actions: &[&str]| {
        role.permissions = actions
            .iter()
            .map(|a| Permission { resource: resource.parse().unwrap(), action: a.parse().unwrap() })
            .collect();
        s.check_role(&role)
    };
    let (viewer, admin) = (role(&s, Some("doc"), "viewer"), role(&s, None, "admin"));
    assert_eq!(with(viewer.clone(), "doc", &["read", "write"]), Ok(()));
    assert_eq!(with(admin.clone(), "folder", &["list"]), Ok(()));
    insta::assert_snapshot!(told(with(viewer.clone(), "doc", &["read", "fly", "sing"])), @"the role doc#viewer permits what does not exist: fly, sing; what exists is: read, write");
    insta::assert_snapshot!(told(with(viewer, "folder", &["list"])), @"the role doc#viewer is held on instances of its own resource and can't permit actions of folder");
    insta::assert_snapshot!(told(with(admin.clone(), "doc", &["fly"])), @"the role admin permits what does not exist: doc:fly; what exists is: doc:read, doc:write");
    insta::assert_snapshot!(told(with(admin, "dok", &["read"])), @"there is no resource `dok`; the resources are: folder, doc");
    let mut stray = role(&s, Some("doc"), "viewer");
    stray.resource = Some("dok".parse().unwrap());
    insta::assert_snapshot!(told(s.check_role(&stray)), @"there is no resource `dok`; the resources are: folder, doc");
}

#[test]
fn extending_stays_in_the_scope_and_leads_nowhere_back() {
    let s = schema(&drive());
    let extending = |resource: Option<&str>, key: &str, base: &str| {
        let mut role = role(&s, resource, key);
        role.extends = vec![base.parse().unwrap()];
        s.check_role(&role)
    };
    assert_eq!(extending(Some("doc"), "editor", "viewer"), Ok(()));
    insta::assert_snapshot!(told(extending(Some("doc"), "viewer", "owner")), @"the role doc#viewer extends `owner`, which does not exist; roles of the same scope are: editor");
    insta::assert_snapshot!(told(extending(Some("doc"), "viewer", "editor")), @"the role doc#viewer can't extend `editor`, since `editor` already extends doc#viewer");
    assert!(matches!(extending(None, "admin", "admin"), Err(SchemaError::ExtendsCycle { .. })));
}

#[test]
fn a_derivation_names_a_role_at_the_other_end_of_a_relation() {
    let s = schema(&drive());
    let rule = |role: &str, on: &str, relation: &str| DerivationRule {
        role: role.parse().unwrap(),
        on_resource: on.parse().unwrap(),
        linked_by_relation: relation.parse().unwrap(),
        when: None,
    };
    let viewer = role(&s, Some("doc"), "viewer");
    let check = |role: &str, on: &str, relation: &str| s.check_derivation(&viewer, &rule(role, on, relation));
    assert_eq!(check("owner", "folder", "holder"), Ok(()));
    insta::assert_snapshot!(told(check("owner", "fold", "holder")), @"there is no resource `fold`; the resources are: folder, doc");
    insta::assert_snapshot!(told(check("boss", "folder", "holder")), @"the role doc#viewer is derived from `boss` on folder, which does not exist; the roles of folder are: owner");
    insta::assert_snapshot!(told(check("owner", "folder", "parent")), @"the role doc#viewer is derived over the relation `parent`, which doc does not have; its relations are: holder");
    insta::assert_snapshot!(told(check("viewer", "doc", "holder")), @"the role doc#viewer is derived from a role on doc over the relation `holder`, but the subject of `holder` is folder; name a role on folder");
    let tenant = role(&s, None, "admin");
    insta::assert_snapshot!(told(s.check_derivation(&tenant, &rule("owner", "folder", "holder"))), @"the role admin is held in tenants and can't be derived; only roles on a resource can");
}

#[test]
fn a_relation_joins_resources_that_exist_and_none_is_parent_of_itself() {
    let s = schema(&drive());
    let relation = |object: &str, key: &str, subject: &str| Relation {
        id: Id::new(Uuid::nil()),
        key: key.parse().unwrap(),
        name: key.to_owned(),
        description: None,
        subject_resource: subject.parse().unwrap(),
        object_resource: object.parse().unwrap(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    };
    assert_eq!(s.check_relation(&relation("folder", "within", "folder")), Ok(()));
    assert_eq!(s.check_relation(&relation("doc", "parent", "folder")), Ok(()));
    insta::assert_snapshot!(told(s.check_relation(&relation("doc", "parent", "doc"))), @"doc can't be `parent` of itself; give the relation another key");
    insta::assert_snapshot!(told(s.check_relation(&relation("doc", "parent", "shelf"))), @"the relation `parent` of doc needs a subject resource that exists, and `shelf` does not; the resources are: folder, doc");
}

#[test]
fn a_resource_has_each_action_once() {
    let mut doc: Resource = (**schema(&drive()).resource_by_key("doc").unwrap()).clone();
    assert_eq!(Schema::default().check_resource(&doc), Ok(()));
    doc.actions.push(doc.actions[0].clone());
    insta::assert_snapshot!(told(Schema::default().check_resource(&doc)), @"doc has `read` twice; keys of actions and of attributes are unique in a resource");
}

fn element(kind: ElementType, resource: Option<&str>, levels: &[(Level, RoleId)]) -> Element {
    let mut roles_to_levels: BTreeMap<Level, Vec<RoleId>> = BTreeMap::new();
    for (level, role) in levels {
        roles_to_levels.entry(*level).or_default().push(*role);
    }
    Element {
        id: Id::new(Uuid::from_u128(99)),
        key: "requests".parse().unwrap(),
        name: "Requests".to_owned(),
        kind,
        settings: Map::new(),
        resource: resource.map(|r| r.parse().unwrap()),
        email_notifications: false,
        roles_to_levels,
        webhook: None,
        is_active: true,
        terms: Terms::default(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

#[test]
fn an_element_is_about_its_resource_and_gives_each_role_one_level() {
    use ElementType::{ApprovalFlow, ApprovalManagement, OperationApproval, UserManagement};
    let s = schema(&drive());
    let id = |resource, key| role(&s, resource, key).id;
    let (viewer, owner, admin) = (id(Some("doc"), "viewer"), id(Some("folder"), "owner"), id(None, "admin"));
    let check =
        |kind, resource, levels: &[(Level, RoleId)]| s.check_element(&element(kind, resource, levels));
    assert_eq!(check(UserManagement, None, &[(Level::Owner, admin)]), Ok(()));
    assert_eq!(
        check(UserManagement, Some("doc"), &[(Level::Owner, admin), (Level::Assignable, viewer)]),
        Ok(())
    );
    assert_eq!(check(ApprovalFlow, None, &[]), Ok(()));
    assert_eq!(check(OperationApproval, Some("doc"), &[]), Ok(()));
    for kind in [OperationApproval, ApprovalManagement] {
        assert_eq!(
            told(check(kind, None, &[])),
            "the element `requests` is about one resource: name it in `resource`"
        );
    }
    insta::assert_snapshot!(told(check(UserManagement, Some("dok"), &[])), @"there is no resource `dok`; the resources are: folder, doc");
    insta::assert_snapshot!(told(check(UserManagement, Some("doc"), &[(Level::Owner, owner)])), @"the element `requests` is about doc, and so can't give a level to the role folder#owner");
    insta::assert_snapshot!(told(check(UserManagement, Some("doc"), &[(Level::Owner, viewer), (Level::Hidden, viewer)])), @"the element `requests` gives two levels to the role doc#viewer; a role has one");
    let stranger = Id::new(Uuid::nil());
    insta::assert_snapshot!(told(check(UserManagement, None, &[(Level::Owner, stranger)])), @"the element `requests` gives a level to the role 00000000-0000-0000-0000-000000000000, which does not exist");
}

#[test]
fn what_is_deleted_is_written_out_of_what_named_it() {
    let s = schema(&drive());
    let keys = |roles: &[Role]| roles.iter().map(|r| RoleName::from(r).to_string()).collect::<Vec<_>>();
    let viewer = role(&s, Some("doc"), "viewer").id;
    let detached = s.detach_role(viewer);
    assert_eq!(keys(&detached), ["doc#editor"]);
    assert!(detached[0].extends.is_empty() && detached[0].granted_to.is_some());
    let detached = s.detach_role(role(&s, Some("folder"), "owner").id);
    assert_eq!(keys(&detached), ["doc#editor"]);
    assert!(detached[0].granted_to.is_none() && detached[0].extends.len() == 1);
    let detached = s.detach_relation(s.relation_by_key("doc", "holder").unwrap().id);
    assert_eq!(keys(&detached), ["doc#editor"]);
    let detached = s.detach_resource(s.resource_by_key("folder").unwrap().id);
    assert_eq!(keys(&detached), ["doc#editor", "admin"]);
    assert_eq!(detached[1].permissions.len(), 1);
    let levels = [(Level::Owner, viewer), (Level::Assignable, role(&s, None, "admin").id)];
    let put = Change::PutElement(element(ElementType::UserManagement, Some("doc"), &levels));
    let with_element = Snapshot::empty().apply(&drive().changes).apply(&[put]);
    let elements = with_element.schema().detach_levels(&[viewer]);
    assert_eq!(elements.len(), 1);
    assert_eq!(elements[0].roles_to_levels.keys().collect::<Vec<_>>(), [&Level::Assignable]);
}
