//! The MCP face: two tools over standard input and output.

use crate::{Config, Dish, Kitchen, KitchenError, Pdp, PdpError, dollars, order::order_dish};
use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt as _,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
    },
    service::RequestContext,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

/// The server could not start or was cut off.
#[derive(Debug, thiserror::Error)]
pub enum FoodError {
    /// Its database.
    #[error(transparent)]
    Kitchen(#[from] KitchenError),
    /// askfirst.
    #[error(transparent)]
    Pdp(#[from] PdpError),
    /// The client.
    #[error("the MCP client did not start the conversation: {0}")]
    Client(String),
}

/// The server.
#[derive(Debug, Clone)]
pub struct Food {
    pdp: Pdp,
    kitchen: Kitchen,
    orders: TaskTracker,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListDishes {
    restaurant: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderDish {
    restaurant: String,
    dish: String,
}

/// Serves one client on standard input and output, until it leaves.
///
/// # Errors
/// When the database or askfirst is not there, or the client does not speak MCP.
pub async fn run_stdio(config: Config) -> Result<(), FoodError> {
    let kitchen = Kitchen::open(&config.database).await?;
    let pdp = Pdp::connect(config).await?;
    let food = Food::new(pdp, kitchen.clone());
    let orders = food.orders.clone();
    let running = food.serve(rmcp::transport::stdio()).await.map_err(|e| FoodError::Client(e.to_string()))?;
    let ended = running.waiting().await.map_err(|e| FoodError::Client(e.to_string()));
    // An order that was begun is finished, also when its client has left.
    orders.close();
    orders.wait().await;
    kitchen.close().await;
    ended.map(drop)
}

impl Food {
    /// A server over its two connections.
    pub fn new(pdp: Pdp, kitchen: Kitchen) -> Self {
        Self { pdp, kitchen, orders: TaskTracker::new() }
    }

    async fn call(&self, name: &str, arguments: Option<JsonObject>) -> Result<CallToolResult, String> {
        match name {
            "list_dishes" => self.list(arguments_of(arguments)?).await,
            "order_dish" => self.order(arguments_of(arguments)?).await,
            other => Err(format!("There is no tool `{other}`; there is list_dishes and order_dish.")),
        }
    }

    async fn list(&self, asked: ListDishes) -> Result<CallToolResult, String> {
        let menu = self.kitchen.dishes(asked.restaurant.as_deref()).await.map_err(|e| sentence(&e))?;
        if menu.is_empty() {
            let known = self.kitchen.restaurants().await.map_err(|e| sentence(&e))?.join(", ");
            let asked = asked.restaurant.unwrap_or_default();
            return Err(format!("There is no restaurant `{asked}`; there is {known}."));
        }
        let lines: Vec<String> = menu.iter().map(line).collect();
        Ok(answer(lines.join("\n"), json!({"dishes": menu})))
    }

    async fn order(&self, asked: OrderDish) -> Result<CallToolResult, String> {
        let (pdp, kitchen) = (self.pdp.clone(), self.kitchen.clone());
        // In a task of its own: a client that hangs up must not cut an order off between spending and placing.
        let task = self
            .orders
            .spawn(async move { order_dish(&pdp, &kitchen, &asked.restaurant, &asked.dish).await });
        let placed =
            task.await.map_err(|_| "Whether the order was placed is not known; look at the orders.")?;
        let placed = placed.map_err(|e| e.to_string())?;
        let details = json!({"order": placed.id, "restaurant": placed.dish.restaurant, "dish": placed.dish.dish,
            "price_cents": placed.dish.price_cents, "approval_spent": placed.spent.is_some()});
        Ok(answer(placed.sentence(self.pdp.user()), details))
    }
}

impl ServerHandler for Food {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(
                Implementation::new("askfirst-food", env!("CARGO_PKG_VERSION")).with_title("Food"),
            )
            .with_instructions(format!(
                "Orders dishes for {}. A refusal says what could be asked for, and through which element.",
                self.pdp.user()
            ))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools().into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let result = self.call(&request.name, request.arguments).await;
        Ok(result.unwrap_or_else(|refusal| CallToolResult::error(vec![ContentBlock::text(refusal)])).into())
    }
}

fn tools() -> Vec<Tool> {
    let list = schema(json!({
        "type": "object",
        "properties": {"restaurant": {"type": "string", "description": "Key of a restaurant; leave it out for all."}},
        "additionalProperties": false,
    }));
    let order = schema(json!({
        "type": "object",
        "properties": {
            "restaurant": {"type": "string", "description": "Key of the restaurant, such as pizza-palace."},
            "dish": {"type": "string", "description": "Key of the dish, as list_dishes gives it."},
        },
        "required": ["restaurant", "dish"],
        "additionalProperties": false,
    }));
    vec![
        Tool::new("list_dishes", "Lists dishes with their prices, and which of them need an approval.", list)
            .with_annotations(ToolAnnotations::with_title("List dishes").read_only(true).open_world(false)),
        Tool::new(
            "order_dish",
            "Orders one dish for the user of this connection. It costs money. A dish over $10 needs an approval that is \
             good for one order.",
            order,
        )
        .with_annotations(
            ToolAnnotations::with_title("Order a dish")
                .read_only(false)
                .destructive(true)
                .idempotent(false)
                .open_world(false),
        ),
    ]
}

fn schema(value: Value) -> JsonObject {
    match value {
        Value::Object(map) => map,
        _ => JsonObject::new(),
    }
}

fn arguments_of<T: DeserializeOwned>(arguments: Option<JsonObject>) -> Result<T, String> {
    serde_json::from_value(Value::Object(arguments.unwrap_or_default()))
        .map_err(|e| format!("The arguments do not read: {e}."))
}

fn answer(text: String, structured: Value) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(structured);
    result
}

fn line(dish: &Dish) -> String {
    let approval = if dish.needs_approval() { ", needs an approval" } else { "" };
    format!("{} at {}: {}, {}{approval}", dish.dish, dish.restaurant, dish.name, dollars(dish.price_cents))
}

fn sentence(error: &KitchenError) -> String {
    format!("Nothing was done, because {error}; try again later.")
}
