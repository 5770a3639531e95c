//! Every route without a key, with a wrong one, and with the key of another environment.

use crate::support::Server;
use serde_json::{Value, json};

/// Routes inside an environment, behind `/v2/schema/default/dev`.
const SCHEMA: &[(&str, &[&str])] = &[
    ("/condition_sets", &["GET", "POST"]),
    ("/condition_sets/s", &["GET", "PATCH", "DELETE"]),
    ("/resources", &["GET", "POST"]),
    ("/resources/r", &["GET", "PATCH", "PUT", "DELETE"]),
    ("/resources/r/actions", &["GET", "POST"]),
    ("/resources/r/actions/a", &["GET", "PATCH", "DELETE"]),
    ("/resources/r/action_groups", &["GET", "POST"]),
    ("/resources/r/action_groups/g", &["GET", "PATCH", "DELETE"]),
    ("/resources/r/attributes", &["GET", "POST"]),
    ("/resources/r/attributes/a", &["GET", "PATCH", "DELETE"]),
    ("/resources/r/relations", &["GET", "POST"]),
    ("/resources/r/relations/l", &["GET", "DELETE"]),
    ("/resources/r/roles", &["GET", "POST"]),
    ("/resources/r/roles/x", &["GET", "PATCH", "DELETE"]),
    ("/resources/r/roles/x/permissions", &["POST", "DELETE"]),
    ("/resources/r/roles/x/implicit_grants", &["POST", "DELETE"]),
    ("/resources/r/roles/x/implicit_grants/conditions", &["PUT"]),
    ("/bulk/roles", &["PUT"]),
    ("/users/attributes", &["GET", "POST"]),
    ("/users/attributes/a", &["GET", "PATCH", "DELETE"]),
    ("/roles", &["GET", "POST"]),
    ("/roles/x", &["GET", "PATCH", "DELETE"]),
    ("/roles/x/permissions", &["POST", "DELETE"]),
];

/// Routes behind `/v2/facts/default/dev`, and behind `/facts`.
const FACTS: &[(&str, &[&str])] = &[
    ("/set_rules", &["GET", "POST", "DELETE"]),
    ("/users", &["GET", "POST"]),
    ("/users/u", &["GET", "PUT", "PATCH", "DELETE"]),
    ("/users/u/roles", &["POST", "DELETE"]),
    ("/bulk/users", &["POST", "PUT", "DELETE"]),
    ("/tenants", &["GET", "POST"]),
    ("/tenants/t", &["GET", "PATCH", "DELETE"]),
    ("/tenants/t/users", &["GET"]),
    ("/tenants/t/users/u", &["DELETE"]),
    ("/bulk/tenants", &["POST", "DELETE"]),
    ("/resource_instances", &["GET", "POST"]),
    ("/resource_instances/r:i", &["GET", "PATCH", "DELETE"]),
    ("/bulk/resource_instances", &["PUT", "DELETE"]),
    ("/resource_instances/detailed", &["GET"]),
    ("/role_assignments/detailed", &["GET"]),
    ("/relationship_tuples/detailed", &["GET"]),
    ("/user_invites", &["GET", "POST"]),
    ("/user_invites/i", &["GET", "PATCH", "DELETE"]),
    ("/user_invites/i/approve", &["POST"]),
    ("/proxy_configs", &["GET", "POST"]),
    ("/proxy_configs/p", &["GET", "PATCH", "DELETE"]),
    ("/role_assignments", &["GET", "POST", "DELETE"]),
    ("/role_assignments/bulk", &["POST", "DELETE"]),
    ("/relationship_tuples", &["GET", "POST", "DELETE"]),
    ("/relationship_tuples/bulk", &["POST", "DELETE"]),
];

/// Routes that a key of another environment of the project does not get through.
const ENVIRONMENT: &[(&str, &[&str])] = &[
    ("/v2/projects/default/envs/dev", &["GET", "PATCH", "DELETE"]),
    ("/v2/projects/default/envs/dev/stats", &["GET"]),
    ("/v2/api-key/default/dev", &["GET"]),
];

/// Routes whose answer depends on the key alone.
const OWN: &[(&str, &[&str])] = &[
    ("/v2/projects", &["GET", "POST"]),
    ("/v2/projects/default", &["GET", "PATCH", "DELETE"]),
    ("/v2/projects/default/envs", &["GET", "POST"]),
    ("/v2/api-key", &["GET", "POST"]),
    ("/v2/api-key/scope", &["GET"]),
    ("/v2/api-key/k", &["GET", "DELETE"]),
    ("/v2/api-key/k/rotate-secret", &["POST"]),
    ("/v2/projects/default/envs/dev/copy", &["POST"]),
    ("/api/v1/keys", &["POST"]),
];

/// Routes of the decision point; the environment is that of the key.
const PDP: &[(&str, &[&str])] = &[
    ("/allowed", &["POST"]),
    ("/allowed/bulk", &["POST"]),
    ("/allowed/all-tenants", &["POST"]),
    ("/allowed_url", &["POST"]),
    ("/nginx_allowed", &["POST"]),
    ("/kong", &["POST"]),
    ("/user-permissions", &["POST"]),
    ("/user-tenants", &["POST"]),
    ("/authorized_users", &["POST"]),
    ("/local/role_assignments", &["GET"]),
];

/// The policy as a file; the environment is that of the key.
const POLICY: &[(&str, &[&str])] = &[
    ("/api/v1/policy", &["GET", "PUT"]),
    ("/api/v1/policy/plan", &["POST"]),
    ("/api/v1/policy/replay", &["POST"]),
    ("/api/v1/requests/dry-run", &["POST"]),
    ("/api/v1/break-glass?user=u", &["GET", "POST"]),
    ("/api/v1/break-glass/r/review", &["POST"]),
    ("/api/v1/elements/e/terms", &["GET", "PUT"]),
    ("/api/v1/stand-ins?user=u", &["GET", "POST"]),
    ("/api/v1/stand-ins/s?user=u", &["DELETE"]),
    ("/api/v1/users/u/password", &["PUT", "DELETE"]),
    ("/api/v1/users/u/identities", &["GET", "DELETE"]),
    ("/api/v1/agents", &["GET", "POST"]),
    ("/api/v1/agents/a", &["GET", "PATCH"]),
    ("/api/v1/agents/a/freeze", &["POST"]),
    ("/api/v1/agents/a/thaw", &["POST"]),
    ("/api/v1/agents/a/keys", &["POST"]),
    ("/api/v1/agents/a/keys/k", &["DELETE"]),
    ("/api/v1/requests/r/questions?user=u", &["POST"]),
    ("/api/v1/requests/r/answers?user=u", &["POST"]),
    ("/api/v1/webhooks", &["GET", "POST"]),
    ("/api/v1/webhooks/00000000-0000-0000-0000-000000000000", &["GET", "PATCH", "DELETE"]),
    ("/api/v1/webhooks/00000000-0000-0000-0000-000000000000/rotate-secret", &["POST"]),
    ("/api/v1/webhooks/00000000-0000-0000-0000-000000000000/test", &["POST"]),
    ("/api/v1/deliveries", &["GET"]),
    ("/api/v1/deliveries/00000000-0000-0000-0000-000000000000", &["DELETE"]),
    ("/api/v1/deliveries/00000000-0000-0000-0000-000000000000/retry", &["POST"]),
];

/// The audit log; the environment is that of the key.
const AUDIT: &[(&str, &[&str])] = &[
    ("/api/v1/audit", &["GET"]),
    ("/api/v1/audit/chain", &["GET"]),
    ("/api/v1/audit/heads", &["GET", "POST"]),
    ("/api/v1/audit/receipts", &["GET"]),
    ("/api/v1/audit/0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11/receipt", &["GET"]),
    ("/api/v1/audit/erase", &["POST"]),
    ("/api/v1/stream", &["GET"]),
];

fn all(base: &str, routes: &[(&str, &[&str])]) -> Vec<(String, String)> {
    let each = |(path, methods): &(&str, &[&str])| -> Vec<(String, String)> {
        methods.iter().map(|method| ((*method).to_owned(), format!("{base}{path}"))).collect()
    };
    routes.iter().flat_map(each).collect()
}

fn environment_routes() -> Vec<(String, String)> {
    let mut routes = all("/v2/schema/default/dev", SCHEMA);
    routes.extend(all("/v2/facts/default/dev", FACTS));
    routes.extend(all("", ENVIRONMENT));
    routes
}

#[tokio::test]
async fn without_a_key_or_with_a_wrong_one_nothing_opens() {
    let server = Server::start().await;
    let (nobody, stranger) = (server.client(None), server.client(Some("wrong")));
    let mut routes = environment_routes();
    routes.extend(all("/facts", FACTS));
    routes.extend(all("", OWN));
    routes.extend(all("", PDP));
    routes.extend(all("", POLICY));
    routes.extend(all("", AUDIT));
    assert!(routes.len() > 100, "the table has shrunk: {}", routes.len());
    for (method, path) in routes {
        for client in [&nobody, &stranger] {
            client.refused(401, "UNAUTHORIZED", &method, &path, Value::Null).await;
        }
    }
}

#[tokio::test]
async fn the_key_of_another_environment_finds_nothing() {
    let server = Server::start().await;
    let foreign = server.holder("environment default/production");
    for (method, path) in environment_routes() {
        foreign.refused(404, "NOT_FOUND", &method, &path, Value::Null).await;
    }
}

#[tokio::test]
async fn an_agents_key_opens_none_of_it() {
    let server = Server::start().await;
    server.dev().put("/facts/users/henry", json!({})).await;
    let made = server.dev().post("/api/v1/keys", json!({"as_user": "henry"})).await;
    assert_eq!(made["opens"], "/mcp of default/dev as henry");
    let agent = server.client(made["secret"].as_str());
    let mut routes = environment_routes();
    routes.extend(all("/facts", FACTS));
    routes.extend(all("", OWN));
    routes.extend(all("", PDP));
    routes.extend(all("", POLICY));
    routes.extend(all("", AUDIT));
    for (method, path) in routes {
        agent.refused(403, "FORBIDDEN_ACCESS", &method, &path, Value::Null).await;
    }
}

#[tokio::test]
async fn the_facts_of_a_pdp_are_those_of_its_key() {
    let server = Server::start().await;
    let (dev, production) = (server.dev(), server.holder("environment default/production"));
    dev.put("/facts/users/henry", json!({"first_name": "Henry"})).await;
    assert_eq!(dev.get("/v2/facts/default/dev/users/henry").await["first_name"], "Henry");
    production.refused(404, "NOT_FOUND", "GET", "/facts/users/henry", Value::Null).await;
    let message = server.org().refused(400, "INVALID_INPUT", "GET", "/facts/users", Value::Null).await;
    assert!(message.contains("environment key"), "{message}");
}
