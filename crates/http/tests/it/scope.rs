//! Projects, environments and API keys.

use crate::support::{Server, names};
use serde_json::{Value, json};

#[tokio::test]
async fn a_new_project_has_two_environments_with_the_default_tenant() {
    let server = Server::start().await;
    let org = server.org();
    let made = org.post("/v2/projects", json!({"key": "shop", "name": "Shop", "settings": {"a": 1}})).await;
    for ident in [
        "shop".to_owned(),
        made["id"].as_str().unwrap().to_owned(),
        made["id"].as_str().unwrap().replace('-', ""),
    ] {
        assert_eq!(org.get(&format!("/v2/projects/{ident}")).await, made);
    }
    assert_eq!(names(&org.get("/v2/projects/shop/envs").await, "key"), ["dev", "production"]);
    for env in ["dev", "production"] {
        assert_eq!(names(&org.get(&format!("/v2/facts/shop/{env}/tenants")).await, "key"), ["default"]);
    }
    org.refused(409, "DUPLICATE_ENTITY", "POST", "/v2/projects", json!({"key": "shop", "name": "Again"}))
        .await;

    let changed = org.patch("/v2/projects/shop", json!({"description": "d", "settings": null})).await;
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Shop"), &json!("d")));
    assert_eq!(changed["settings"], Value::Null);

    let own = org
        .post(
            "/v2/projects",
            json!({"key": "two", "name": "Two", "initial_environments": [{"key": "only", "name": "Only"}]}),
        )
        .await;
    assert_eq!(
        names(&org.get(&format!("/v2/projects/{}/envs", own["id"].as_str().unwrap())).await, "key"),
        ["only"]
    );
}

#[tokio::test]
async fn environments_come_and_go_with_their_keys() {
    let server = Server::start().await;
    let org = server.org();
    let made = org
        .post("/v2/projects/default/envs", json!({"key": "test", "name": "Test", "jwks": {"ttl": 60}}))
        .await;
    let id = made["id"].as_str().unwrap();
    assert_eq!(org.get(&format!("/v2/projects/default/envs/{id}")).await, made);
    org.refused(
        409,
        "DUPLICATE_ENTITY",
        "POST",
        "/v2/projects/default/envs",
        json!({"key": "test", "name": "x"}),
    )
    .await;
    org.refused(404, "NOT_FOUND", "GET", "/v2/api-key/default/test", Value::Null).await;

    let key = org.post("/api/v1/keys", json!({"project": "default", "env": "test"})).await;
    assert_eq!(key["opens"], "environment default/test");
    let tester = server.client(key["secret"].as_str());
    tester.put("/facts/users/henry", json!({})).await;
    let changed =
        org.patch("/v2/projects/default/envs/test", json!({"jwks": null, "description": "d"})).await;
    assert_eq!(
        (&changed["jwks"], &changed["name"], &changed["description"]),
        (&Value::Null, &json!("Test"), &json!("d"))
    );
    assert_eq!(tester.get("/facts/users/henry").await["key"], "henry", "an update keeps what is inside");

    org.delete("/v2/projects/default/envs/test", Value::Null).await;
    tester.refused(401, "UNAUTHORIZED", "GET", "/facts/users", Value::Null).await;
    org.refused(404, "NOT_FOUND", "GET", "/v2/projects/default/envs/test", Value::Null).await;
    org.refused(404, "NOT_FOUND", "GET", "/v2/facts/default/test/users", Value::Null).await;

    org.post("/v2/projects/default/envs", json!({"key": "test", "name": "Test"})).await;
    assert_eq!(org.get("/v2/facts/default/test/users").await["total_count"], 0, "made anew, it is empty");
}

#[tokio::test]
async fn the_last_project_may_go_and_takes_its_keys_along() {
    let server = Server::start().await;
    let org = server.org();
    org.delete("/v2/projects/default", Value::Null).await;
    assert_eq!(org.get("/v2/projects").await, json!([]));
    server.dev().refused(401, "UNAUTHORIZED", "GET", "/v2/api-key/scope", Value::Null).await;
    server.holder("project default").refused(401, "UNAUTHORIZED", "GET", "/v2/projects", Value::Null).await;
    org.post("/v2/projects", json!({"key": "default", "name": "Anew"})).await;
    server.dev().refused(401, "UNAUTHORIZED", "GET", "/v2/api-key/scope", Value::Null).await;
}

#[tokio::test]
async fn narrow_keys_govern_nothing_above_them() {
    let server = Server::start().await;
    let (dev, project) = (server.dev(), server.holder("project default"));
    for (method, path, body) in [
        ("POST", "/v2/projects", json!({"key": "k", "name": "K"})),
        ("PATCH", "/v2/projects/default", json!({"name": "K"})),
        ("DELETE", "/v2/projects/default", Value::Null),
        ("POST", "/v2/projects/default/envs", json!({"key": "k", "name": "K"})),
        ("PATCH", "/v2/projects/default/envs/dev", json!({"name": "K"})),
        ("DELETE", "/v2/projects/default/envs/dev", Value::Null),
        ("POST", "/api/v1/keys", json!({"scope": "org"})),
        ("POST", "/api/v1/keys", json!({"scope": "project"})),
    ] {
        dev.refused(403, "FORBIDDEN_ACCESS", method, path, body).await;
    }
    project.refused(403, "FORBIDDEN_ACCESS", "POST", "/v2/projects", json!({"key": "k", "name": "K"})).await;
    project.refused(403, "FORBIDDEN_ACCESS", "DELETE", "/v2/projects/default", Value::Null).await;
    project.patch("/v2/projects/default", json!({"name": "Ours"})).await;
    project.post("/v2/projects/default/envs", json!({"key": "k", "name": "K"})).await;
    server.org().post("/v2/projects", json!({"key": "other", "name": "Other"})).await;
    project.refused(404, "NOT_FOUND", "GET", "/v2/projects/other", Value::Null).await;
    assert_eq!(names(&project.get("/v2/projects").await, "key"), ["default"]);
    assert_eq!(names(&dev.get("/v2/projects/default/envs").await, "key"), ["dev"]);
}

#[tokio::test]
async fn what_a_key_opens() {
    let server = Server::start().await;
    let scope = |opens: &'static str| {
        let client = server.holder(opens);
        async move {
            let scope = client.get("/v2/api-key/scope").await;
            ["organization_id", "project_id", "environment_id"].map(|name| scope[name].is_string())
        }
    };
    assert_eq!(scope("organization default").await, [true, false, false]);
    assert_eq!(scope("project default").await, [true, true, false]);
    assert_eq!(scope("environment default/dev").await, [true, true, true]);
}

#[tokio::test]
async fn keys_are_made_shown_without_secret_and_revoked() {
    let server = Server::start().await;
    let org = server.org();
    let scope = server.dev().get("/v2/api-key/scope").await;
    let new = json!({
        "organization_id": scope["organization_id"], "project_id": scope["project_id"],
        "environment_id": scope["environment_id"], "name": "second", "owner_type": "member",
    });
    let made = org.post("/v2/api-key", new).await;
    let id = made["id"].as_str().unwrap();
    let holder = server.client(made["secret"].as_str());
    assert_eq!(holder.get("/v2/api-key/scope").await, scope);

    let shown = org.get(&format!("/v2/api-key/{id}")).await;
    assert_eq!((&shown["secret"], &shown["name"]), (&Value::Null, &json!("second")));
    let of_env = org.get("/v2/api-key/default/dev").await;
    assert_eq!((&of_env["secret"], &of_env["environment_id"]), (&Value::Null, &scope["environment_id"]));
    assert_eq!(of_env["env"]["key"], "dev");
    let all = org.get("/v2/api-key").await;
    assert_eq!((all["total_count"].as_u64(), all["data"].as_array().unwrap().len()), (Some(5), 5));
    assert_eq!(server.dev().get("/v2/api-key").await["total_count"], 2, "the keys of dev alone");
    assert!(!all.to_string().contains(made["secret"].as_str().unwrap()));

    holder
        .refused(409, "CONCURRENT_OPERATION_DISALLOWED", "DELETE", &format!("/v2/api-key/{id}"), Value::Null)
        .await;
    org.delete(&format!("/v2/api-key/{id}"), Value::Null).await;
    holder.refused(401, "UNAUTHORIZED", "GET", "/v2/api-key/scope", Value::Null).await;
    org.refused(404, "NOT_FOUND", "GET", &format!("/v2/api-key/{id}"), Value::Null).await;
}

#[tokio::test]
async fn our_own_route_for_keys_takes_what_is_not_named_from_the_key() {
    let server = Server::start().await;
    let (org, dev) = (server.org(), server.dev());
    assert_eq!(dev.post("/api/v1/keys", json!({})).await["opens"], "environment default/dev");
    assert_eq!(org.post("/api/v1/keys", json!({"scope": "org"})).await["opens"], "the organization");
    assert_eq!(org.post("/api/v1/keys", json!({"scope": "project"})).await["opens"], "project default");
    let message = org.refused(400, "INVALID_INPUT", "POST", "/api/v1/keys", json!({})).await;
    assert!(message.contains("dev, production"), "{message}");
    dev.refused(404, "NOT_FOUND", "POST", "/api/v1/keys", json!({"as_user": "nobody"})).await;
    org.refused(400, "INVALID_INPUT", "POST", "/api/v1/keys", json!({"scope": "org", "as_user": "henry"}))
        .await;
    let unknown = dev.send("POST", "/api/v1/keys", Some(&json!({"as": "henry"}))).await;
    assert_eq!(unknown.status, 422, "a misspelt member must not make a wider key: {unknown:?}");
}
