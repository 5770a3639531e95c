//! The tools as an MCP client sees them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use askfirst_food::{Config, Food, Kitchen, Pdp};
use axum::{
    Json, Router,
    routing::{get, post},
};
use rmcp::{ServiceExt as _, model::CallToolRequestParams};
use serde_json::{Value, json};

async fn food(dir: &tempfile::TempDir) -> Food {
    rustls::crypto::ring::default_provider().install_default().ok();
    let scope = json!({"organization_id": "o", "project_id": "p", "environment_id": "e"});
    let router = Router::new()
        .route("/v2/api-key/scope", get(move || async move { Json(scope) }))
        .route("/allowed", post(|| async { Json(json!({"allow": true})) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let database = dir.path().join("food.db");
    let config =
        Config { user: "henry".into(), url, api_key: "k".into(), tenant: "default".into(), database };
    let kitchen = Kitchen::open(&config.database).await.unwrap();
    Food::new(Pdp::connect(config).await.unwrap(), kitchen)
}

fn call(name: &'static str, arguments: &Value) -> CallToolRequestParams {
    CallToolRequestParams::new(name).with_arguments(arguments.as_object().unwrap().clone())
}

#[tokio::test]
async fn a_client_lists_orders_and_reads_refusals() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = tokio::io::duplex(64 * 1024);
    let food = food(&dir).await;
    let server = tokio::spawn(async move { food.serve(there).await.unwrap().waiting().await });
    let client = ().serve(here).await.unwrap();

    let tools = client.peer().list_all_tools().await.unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(names, ["list_dishes", "order_dish"]);
    assert_eq!(tools[0].annotations.as_ref().unwrap().read_only_hint, Some(true));
    assert_eq!(tools[1].annotations.as_ref().unwrap().destructive_hint, Some(true));

    let menu = client.call_tool(call("list_dishes", &json!({"restaurant": "pizza-palace"}))).await.unwrap();
    let text = &menu.content[0].as_text().unwrap().text;
    assert!(
        text.contains("truffle-pizza at pizza-palace: Truffle Pizza, $24.50, needs an approval"),
        "{text}"
    );
    assert_eq!(menu.structured_content.unwrap()["dishes"].as_array().unwrap().len(), 4);

    let order = json!({"restaurant": "pizza-palace", "dish": "margherita"});
    let placed = client.call_tool(call("order_dish", &order)).await.unwrap();
    assert_eq!(placed.is_error, Some(false));
    assert_eq!(
        placed.content[0].as_text().unwrap().text,
        "Order 1 is placed: Margherita at pizza-palace for henry, $8.00."
    );

    // The model can't order for somebody else.
    let forged = json!({"restaurant": "pizza-palace", "dish": "margherita", "user": "joe"});
    let refused = client.call_tool(call("order_dish", &forged)).await.unwrap();
    assert_eq!(refused.is_error, Some(true));
    assert!(refused.content[0].as_text().unwrap().text.contains("unknown field `user`"));

    client.cancel().await.unwrap();
    server.await.unwrap().unwrap();
}
