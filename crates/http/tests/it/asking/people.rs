//! Managing people through an element session: who sees and does what, at which place.

use super::{ELEMENTS, element, family, session};
use crate::support::{Client, FACTS, SCHEMA, Server, names};
use serde_json::{Value, json};

const ID: &str = "018f0000-0000-7000-8000-000000000000";
const HERE: &str = "?resource_instance_id=pizza-palace";

/// The routes of a place, each with a body that would do something.
fn routes(config: &str) -> Vec<(&'static str, String, Value)> {
    let data = format!("{config}/data");
    vec![
        ("GET", format!("{data}/users{HERE}"), Value::Null),
        ("GET", format!("{data}/roles{HERE}"), Value::Null),
        ("POST", format!("{data}/users{HERE}"), json!({"key": "max", "role": "child-can-look"})),
        ("DELETE", format!("{data}/users/henry{HERE}"), Value::Null),
        ("POST", format!("{data}/users/rose/roles{HERE}"), json!({"role": "child-can-look"})),
        ("DELETE", format!("{data}/users/henry/roles{HERE}"), json!({"role": "child-can-look"})),
    ]
}

/// The family with an element of all levels: joe is owner, jane manager, vera viewer; henry can look; rose has a hidden
/// role.
async fn place() -> Server {
    let server = family().await;
    let dev = server.dev();
    for role in ["uncle", "neighbour", "cook"] {
        let new = json!({"key": role, "name": role, "permissions": ["read"]});
        dev.post(&format!("{SCHEMA}/resources/restaurants/roles"), new).await;
    }
    let levels = json!({
        "LEVEL_1": ["parent"], "LEVEL_2": ["uncle"], "LEVEL_3": ["neighbour"],
        "LEVEL_4": ["child-can-look", "child-can-order"], "HIDDEN": ["cook"],
    });
    dev.patch(&format!("{ELEMENTS}/restaurant-requests"), json!({"roles_to_levels": levels})).await;
    dev.put(&format!("{FACTS}/users/vera"), json!({"key": "vera", "attributes": {"salary": 1}})).await;
    for (user, role) in
        [("jane", "uncle"), ("vera", "neighbour"), ("henry", "child-can-look"), ("rose", "cook")]
    {
        give(&dev, user, role, "pizza-palace").await;
    }
    server
}

async fn give(dev: &Client<'_>, user: &str, role: &str, place: &str) {
    let instance = format!("restaurants:{place}");
    let given = json!({"user": user, "role": role, "tenant": "default", "resource_instance": instance});
    dev.post(&format!("{FACTS}/role_assignments"), given).await;
}

fn data(rest: &str) -> String {
    format!("{ELEMENTS}/restaurant-requests/data{rest}{HERE}")
}

#[tokio::test]
async fn who_may_not_look_is_refused_on_every_route() {
    let server = place().await;
    let config = format!("{ELEMENTS}/restaurant-requests");
    for user in ["henry", "rose"] {
        let client = session(&server, user).await;
        for (method, path, body) in routes(&config) {
            let said = client.refused(403, "INVALID_PERMISSION_LEVEL", method, &path, body).await;
            assert!(said.contains("it takes the role `parent`"), "{said}");
        }
    }
    assert_eq!(held(&server, "henry").await, ["child-can-look"]);
}

#[tokio::test]
async fn only_a_session_of_this_environment_opens_the_routes() {
    let server = place().await;
    let config = format!("{ELEMENTS}/restaurant-requests");
    let made = server.dev().post("/api/v1/keys", json!({"as_user": "joe"})).await;
    let agent = server.client(made["secret"].as_str());
    let joe = session(&server, "joe").await;
    for (method, path, body) in routes(&config) {
        for key in [None, Some("wrong")] {
            server.client(key).refused(401, "UNAUTHORIZED", method, &path, body.clone()).await;
        }
        for key in [&server.dev(), &server.org(), &agent] {
            key.refused(403, "FORBIDDEN_ACCESS", method, &path, body.clone()).await;
        }
        let elsewhere = path.replace("/default/dev/", "/default/production/");
        joe.refused(404, "NOT_FOUND", method, &elsewhere, body.clone()).await;
        let unknown = path.replace("restaurant-requests", "no-such-element");
        joe.refused(404, "NOT_FOUND", method, &unknown, body.clone()).await;
        let other_kind = path.replace("restaurant-requests", "dish-requests");
        joe.refused(400, "INVALID_INPUT", method, &other_kind, body.clone()).await;
        for place in ["", "?resource_instance_id="] {
            joe.refused(400, "INVALID_INPUT", method, &path.replace(HERE, place), body.clone()).await;
        }
        for place in ["nowhere", "restaurants:nowhere", ID, "others:pizza-palace"] {
            let path = path.replace("pizza-palace", place);
            joe.refused(404, "NOT_FOUND", method, &path, body.clone()).await;
        }
    }
}

#[tokio::test]
async fn a_viewer_looks_and_sees_neither_hidden_roles_nor_attributes() {
    let server = place().await;
    let vera = session(&server, "vera").await;
    let list = vera.get(&data("/users")).await;
    assert_eq!(names(&list["data"], "key"), ["joe", "jane", "henry", "vera"]);
    assert_eq!((&list["total_count"], &list["page_count"]), (&json!(4), &json!(1)));
    let own = &list["data"][3];
    assert_eq!(own["attributes"], json!({}), "they are the server's");
    let role = json!({"resource_instance": "pizza-palace", "resource": "restaurants", "role": "neighbour"});
    assert_eq!(own["associated_tenants"][0]["resource_instance_roles"], json!([role]));
    let roles = vera.get(&data("/roles")).await;
    let levels: Vec<_> =
        roles.as_array().unwrap().iter().map(|r| (r["key"].clone(), r["permission_level"].clone())).collect();
    assert_eq!(
        json!(levels),
        json!([
            ["parent", "LEVEL_1"],
            ["uncle", "LEVEL_2"],
            ["neighbour", "LEVEL_3"],
            ["child-can-look", "LEVEL_4"],
            ["child-can-order", "LEVEL_4"],
        ])
    );
    let found = vera.get(&format!("{}&search=JANE@&per_page=1", data("/users"))).await;
    assert_eq!(names(&found["data"], "key"), ["jane"]);
    let found = vera.get(&format!("{}&search=order", data("/roles"))).await;
    assert_eq!(names(&found, "key"), ["child-can-order"]);
    let page = vera.get(&format!("{}&page=2&per_page=3", data("/users"))).await;
    assert_eq!((names(&page["data"], "key"), &page["page_count"]), (vec!["vera".to_owned()], &json!(2)));

    for (method, path, body) in routes(&format!("{ELEMENTS}/restaurant-requests")).split_off(2) {
        vera.refused(403, "INVALID_PERMISSION_LEVEL", method, &path, body).await;
    }
}

#[tokio::test]
async fn a_manager_gives_and_takes_weaker_roles_and_changes_nothing_else() {
    let server = place().await;
    let jane = session(&server, "jane").await;
    let roles = |user: &str| data(&format!("/users/{user}/roles"));
    let given = jane.post(&roles("rose"), json!({"role": "child-can-order"})).await;
    assert_eq!(
        (&given["user"], &given["role"], &given["resource_instance"]),
        (&json!("rose"), &json!("child-can-order"), &json!("restaurants:pizza-palace"))
    );
    jane.refused(409, "DUPLICATE_ENTITY", "POST", &roles("rose"), json!({"role": "child-can-order"})).await;
    jane.delete(&roles("rose"), json!({"role": given["role_id"]})).await;
    jane.refused(404, "NOT_FOUND", "DELETE", &roles("rose"), json!({"role": "child-can-order"})).await;
    assert_eq!(held(&server, "rose").await, ["cook"]);

    for role in ["parent", "uncle"] {
        for (method, user) in [("POST", "henry"), ("DELETE", "joe")] {
            let body = json!({"role": role});
            jane.refused(403, "INVALID_PERMISSION_LEVEL", method, &roles(user), body).await;
        }
    }
    for role in ["cook", "nonsense", "_Reviewer_"] {
        let said = jane.refused(404, "NOT_FOUND", "POST", &roles("henry"), json!({"role": role})).await;
        assert!(said.contains("what can is: `neighbour`, `child-can-look`, `child-can-order`"), "{said}");
        jane.refused(404, "NOT_FOUND", "DELETE", &roles("rose"), json!({"role": role})).await;
    }
    let own = json!({"role": "child-can-look"});
    jane.refused(403, "FORBIDDEN_ACCESS", "POST", &roles("jane"), own).await;
    jane.refused(404, "NOT_FOUND", "POST", &roles("nobody"), json!({"role": "child-can-look"})).await;
    let max = json!({"key": "max", "role": "child-can-look"});
    jane.refused(403, "INVALID_PERMISSION_LEVEL", "POST", &data("/users"), max).await;
    jane.refused(403, "INVALID_PERMISSION_LEVEL", "DELETE", &data("/users/henry"), Value::Null).await;
    server.dev().refused(404, "NOT_FOUND", "GET", &format!("{FACTS}/users/max"), Value::Null).await;
}

#[tokio::test]
async fn a_role_that_brings_a_stronger_one_is_as_strong() {
    let server = place().await;
    let path = format!("{SCHEMA}/resources/restaurants/roles/child-can-look");
    server.dev().patch(&path, json!({"extends": ["parent"]})).await;
    let jane = session(&server, "jane").await;
    let (path, body) = (data("/users/rose/roles"), json!({"role": "child-can-look"}));
    jane.refused(403, "INVALID_PERMISSION_LEVEL", "POST", &path, body).await;
}

#[tokio::test]
async fn an_owner_adds_and_removes_people() {
    let server = place().await;
    let joe = session(&server, "joe").await;
    let users = data("/users");
    let max = json!({
        "key": "max", "email": "max@family.example", "first_name": "Max", "attributes": {},
        "role": "child-can-look",
        "role_assignments": [
            {"role": "child-can-order", "tenant": "default", "resource_instance": "pizza-palace"}
        ],
    });
    let first = joe.send("POST", &users, Some(&max)).await;
    assert_eq!((first.status, &first.body["email"]), (201, &json!("max@family.example")));
    assert_eq!(held(&server, "max").await, ["child-can-look", "child-can-order"]);
    let said_anew = json!({"key": "max", "first_name": "Moritz", "role": "neighbour"});
    let again = joe.send("POST", &users, Some(&said_anew)).await;
    assert_eq!((again.status, &again.body["first_name"]), (200, &json!("Max")), "the user is the server's");
    assert_eq!(held(&server, "max").await, ["child-can-look", "child-can-order", "neighbour"]);

    give(&server.dev(), "max", "cook", "pizza-palace").await;
    give(&server.dev(), "max", "child-can-look", "burger-barn").await;
    joe.delete(&data("/users/max"), Value::Null).await;
    assert_eq!(
        held(&server, "max").await,
        ["child-can-look", "cook"],
        "what is hidden and what is elsewhere"
    );
    joe.refused(404, "NOT_FOUND", "DELETE", &data("/users/max"), Value::Null).await;

    for (body, says) in [
        (json!({"key": "mia"}), "Say which `role`"),
        (json!({"key": "mia", "role": "child-can-look", "attributes": {"vip": true}}), "Attributes"),
        (
            json!({"key": "mia", "role_assignments": [{"role": "child-can-look", "resource_instance": "burger-barn"}]}),
            "nowhere else",
        ),
        (
            json!({"key": "mia", "role_assignments": [{"role": "child-can-look", "tenant": "acme"}]}),
            "nowhere else",
        ),
        (json!({"key": "no key!", "role": "child-can-look"}), "key"),
        (json!({"key": "mia", "role": "child-can-look", "email": "nonsense"}), "e-mail"),
    ] {
        let said = joe.refused(400, "INVALID_INPUT", "POST", &users, body).await;
        assert!(said.contains(says), "{said}");
    }
    let own = json!({"key": "joe", "role": "child-can-look"});
    joe.refused(403, "FORBIDDEN_ACCESS", "POST", &users, own).await;
    joe.refused(404, "NOT_FOUND", "POST", &users, json!({"key": "mia", "role": "cook"})).await;
    server.dev().refused(404, "NOT_FOUND", "GET", &format!("{FACTS}/users/mia"), Value::Null).await;
}

#[tokio::test]
async fn a_level_is_of_one_instance_and_a_session_of_one_tenant() {
    let server = place().await;
    let dev = server.dev();
    give(&dev, "henry", "child-can-look", "burger-barn").await;
    dev.post(&format!("{FACTS}/tenants"), json!({"key": "acme", "name": "Acme"})).await;
    let instance = json!({"key": "acme-bar", "resource": "restaurants", "tenant": "acme"});
    dev.post(&format!("{FACTS}/resource_instances"), instance).await;
    let owner = json!({"user": "joe", "role": "parent", "resource_instance": "restaurants:acme-bar"});
    dev.post(&format!("{FACTS}/role_assignments"), owner).await;

    let joe = session(&server, "joe").await;
    let at = |place: &str| format!("{ELEMENTS}/restaurant-requests/data/users?resource_instance_id={place}");
    assert_eq!(joe.get(&at("restaurants:pizza-palace")).await["total_count"], 4);
    joe.refused(403, "INVALID_PERMISSION_LEVEL", "GET", &at("burger-barn"), Value::Null).await;
    joe.refused(404, "NOT_FOUND", "GET", &at("acme-bar"), Value::Null).await;
    let body = json!({"user_id": "joe", "tenant_id": "acme"});
    let opened = dev.post("/v2/auth/elements_login_as", body).await;
    let in_acme = server.client(opened["element_bearer_token"].as_str());
    assert_eq!(names(&in_acme.get(&at("acme-bar")).await["data"], "key"), ["joe"]);
    in_acme.refused(404, "NOT_FOUND", "GET", &at("pizza-palace"), Value::Null).await;
    // henry does not belong to acme, so nobody there knows of him; an owner may add him.
    let roles =
        format!("{ELEMENTS}/restaurant-requests/data/users/henry/roles?resource_instance_id=acme-bar");
    in_acme.refused(404, "NOT_FOUND", "POST", &roles, json!({"role": "child-can-look"})).await;
    in_acme.post(&at("acme-bar"), json!({"key": "henry", "role": "child-can-look"})).await;

    let runtime = format!("{ELEMENTS}/restaurant-requests/runtime");
    let level = |place: &str| format!("{runtime}?resource_instance_id={place}");
    for (path, wanted) in [
        (runtime.clone(), "LEVEL_1"),
        (level("pizza-palace"), "LEVEL_1"),
        (level("burger-barn"), "UNCONFIGURED"),
    ] {
        assert_eq!(joe.get(&path).await["current_permission_level"], wanted);
    }
}

#[tokio::test]
async fn an_element_on_tenant_roles_is_about_the_tenant() {
    let server = family().await;
    let dev = server.dev();
    for role in ["boss", "clerk"] {
        let new = json!({"key": role, "name": role, "permissions": ["restaurants:read"]});
        dev.post(&format!("{SCHEMA}/roles"), new).await;
    }
    let mut new = element("staff", "user_management");
    new["settings"] = json!({});
    new["roles_to_levels"] = json!({"LEVEL_1": ["boss"], "LEVEL_4": ["clerk"]});
    dev.post(ELEMENTS, new).await;
    let boss = json!({"user": "jane", "role": "boss", "tenant": "default"});
    dev.post(&format!("{FACTS}/role_assignments"), boss).await;

    let jane = session(&server, "jane").await;
    let staff = format!("{ELEMENTS}/staff/data");
    let given = jane.post(&format!("{staff}/users/henry/roles"), json!({"role": "clerk"})).await;
    assert_eq!((&given["tenant"], &given["resource_instance"]), (&json!("default"), &Value::Null));
    let list = jane.get(&format!("{staff}/users")).await;
    assert_eq!(names(&list["data"], "key"), ["jane", "henry"]);
    assert_eq!(list["data"][1]["roles"], json!([{"role": "clerk", "tenant": "default"}]));
    let path = format!("{staff}/users{HERE}");
    jane.refused(400, "INVALID_INPUT", "GET", &path, Value::Null).await;
    let joe = session(&server, "joe").await;
    joe.refused(403, "INVALID_PERMISSION_LEVEL", "GET", &format!("{staff}/users"), Value::Null).await;
}

#[tokio::test]
async fn an_element_out_of_use_manages_nobody() {
    let server = place().await;
    let (dev, joe) = (server.dev(), session(&server, "joe").await);
    let active = format!("{ELEMENTS}/restaurant-requests/data/active");
    joe.post(&active, json!({})).await;
    joe.refused(403, "INVALID_PERMISSION_LEVEL", "POST", &active, json!({"is_active": false})).await;
    let henry = session(&server, "henry").await;
    henry.refused(403, "INVALID_PERMISSION_LEVEL", "POST", &active, json!({})).await;
    for key in [None, Some("wrong")] {
        server.client(key).refused(401, "UNAUTHORIZED", "POST", &active, json!({})).await;
    }
    let foreign = server.holder("environment default/production");
    foreign.refused(404, "NOT_FOUND", "POST", &active, json!({})).await;
    let agent = dev.post("/api/v1/keys", json!({"as_user": "joe"})).await;
    let agent = server.client(agent["secret"].as_str());
    agent.refused(403, "FORBIDDEN_ACCESS", "POST", &active, json!({})).await;

    dev.post(&active, json!({"is_active": false})).await;
    assert_eq!(dev.get(&format!("{ELEMENTS}/restaurant-requests")).await["is_active"], false);
    joe.refused(404, "NOT_FOUND", "GET", &data("/users"), Value::Null).await;
    joe.refused(403, "INVALID_PERMISSION_LEVEL", "POST", &active, json!({})).await;
    dev.post(&active, json!({})).await;
    joe.get(&data("/users")).await;
}

#[tokio::test]
async fn the_permissions_of_a_type_are_those_of_its_elements() {
    let server = family().await;
    let (dev, types) = (server.dev(), "/v2/elements/default/dev");
    let levels = |read: &Value, level: &str| names(&read["roles_to_levels"][level], "key");
    let read = dev.get(&format!("{types}/user_management")).await;
    assert_eq!(read["elements_type"], "user_management");
    assert_eq!(levels(&read, "LEVEL_1"), ["parent"]);
    let mut second = element("second", "user_management");
    second["roles_to_levels"] = json!({"LEVEL_2": ["parent"], "LEVEL_3": ["child-can-look"]});
    dev.post(ELEMENTS, second).await;
    let read = dev.get(&format!("{types}/user_management")).await;
    assert_eq!(
        (levels(&read, "LEVEL_1"), levels(&read, "LEVEL_3")),
        (vec!["parent".into()], vec!["child-can-look".into()])
    );

    let wanted = json!({"roles_to_levels": {"LEVEL_2": ["parent"], "LEVEL_4": ["child-can-order"]}});
    let changed = dev.patch(&format!("{types}/user_management"), wanted).await;
    assert_eq!(
        (levels(&changed, "LEVEL_2"), levels(&changed, "LEVEL_4")),
        (vec!["parent".into()], vec!["child-can-order".into()])
    );
    for key in ["second", "restaurant-requests"] {
        let read = dev.get(&format!("{ELEMENTS}/{key}")).await;
        assert_eq!(
            (&read["roles_to_levels"]["LEVEL_1"], levels(&read, "LEVEL_2")),
            (&Value::Null, vec!["parent".into()])
        );
    }
    let unknown = json!({"roles_to_levels": {"LEVEL_2": ["emperor"]}});
    dev.refused(404, "NOT_FOUND", "PATCH", &format!("{types}/user_management"), unknown).await;
    let none = json!({"roles_to_levels": {}});
    dev.refused(409, "CONCURRENT_OPERATION_DISALLOWED", "PATCH", &format!("{types}/audit_log"), none.clone())
        .await;
    assert_eq!(dev.get(&format!("{types}/audit_log")).await["roles_to_levels"], json!({}));
    dev.refused(404, "NOT_FOUND", "GET", &format!("{types}/chat"), Value::Null).await;

    let joe = session(&server, "joe").await;
    let foreign = server.holder("environment default/production");
    for (method, body) in [("GET", Value::Null), ("PATCH", none)] {
        let path = format!("{types}/user_management");
        server.client(None).refused(401, "UNAUTHORIZED", method, &path, body.clone()).await;
        joe.refused(403, "FORBIDDEN_ACCESS", method, &path, body.clone()).await;
        foreign.refused(404, "NOT_FOUND", method, &path, body).await;
    }
}

/// The roles that a user was given, anywhere.
async fn held(server: &Server, user: &str) -> Vec<String> {
    let mut roles = names(&server.dev().get(&format!("{FACTS}/role_assignments?user={user}")).await, "role");
    roles.sort();
    roles
}
