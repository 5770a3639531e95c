//! Orders against a small policy decision point that can be told what to answer, and when.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use askfirst_food::{Config, Kitchen, OrderError, OrderState, Pdp, PdpError, order_dish};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, Once};
use tokio::sync::Barrier;

const TRUFFLE: &str = "pizza-palace_truffle-pizza";

/// What the fake holds, and what it was asked to take away.
#[derive(Default)]
struct Desk {
    may_read: bool,
    parent: bool,
    approvals: Mutex<Vec<String>>,
    taken: Mutex<Vec<Value>>,
    /// Explanations are held until so many were asked for, so that all of them see the same state.
    together: Option<Barrier>,
    spending_fails: Option<StatusCode>,
}

fn answer(allow: bool) -> Value {
    json!({"allow": allow, "query": {}, "debug": {}, "result": allow})
}

async fn allowed(State(desk): State<Arc<Desk>>, Json(query): Json<Value>) -> Json<Value> {
    assert_eq!(query["user"]["key"], "henry");
    assert_eq!(query["resource"]["type"], "restaurants");
    assert_eq!(query["resource"]["tenant"], "default");
    Json(answer(query["action"] == "read" && desk.may_read))
}

async fn check(State(desk): State<Arc<Desk>>, Json(question): Json<Value>) -> Json<Value> {
    let at = question["resource"].as_str().unwrap().to_owned();
    let key = at.split_once(':').unwrap().1.to_owned();
    let approved = desk.approvals.lock().unwrap().contains(&at);
    if let Some(barrier) = &desk.together {
        barrier.wait().await;
    }
    let held = |role: &str, key: &str| {
        json!({"verdict": "allow", "held": {"role": role, "at": {"instance": {"resource": "restaurants", "key": key}}},
               "expires_at": null, "steps": []})
    };
    let decision = if question["action"] == "operate" && approved {
        held("_Approved_", &key)
    } else if desk.parent {
        held("parent", "pizza-palace")
    } else {
        json!({"verdict": "deny", "cause": {"cause": "no_role"}, "would_allow": []})
    };
    let allow = decision["verdict"] == "allow";
    let sentence = format!("henry may not {} {at}; ask joe.", question["action"].as_str().unwrap());
    Json(
        json!({"allow": allow, "decision": decision, "sentence": sentence, "requestable": [], "revision": 7}),
    )
}

async fn take(State(desk): State<Arc<Desk>>, Json(body): Json<Value>) -> Response {
    desk.taken.lock().unwrap().push(body.clone());
    if let Some(status) = desk.spending_fails {
        return (status, Json(json!({"message": "Not now."}))).into_response();
    }
    let mut approvals = desk.approvals.lock().unwrap();
    let at = body["resource_instance"].as_str().unwrap();
    match approvals.iter().position(|held| held == at) {
        Some(found) => {
            approvals.remove(found);
            StatusCode::NO_CONTENT.into_response()
        }
        None => {
            (StatusCode::NOT_FOUND, Json(json!({"message": "There is no such assignment."}))).into_response()
        }
    }
}

async fn scope() -> Json<Value> {
    Json(json!({"organization_id": "o", "project_id": "p", "environment_id": "e"}))
}

struct House {
    desk: Arc<Desk>,
    kitchen: Kitchen,
    pdp: Pdp,
    dir: tempfile::TempDir,
}

async fn serve(router: Router) -> String {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

fn config(url: String, dir: &tempfile::TempDir) -> Config {
    let database = dir.path().join("food.db");
    Config { user: "henry".into(), url, api_key: "k".into(), tenant: "default".into(), database }
}

async fn house(desk: Desk) -> House {
    let desk = Arc::new(desk);
    let router = Router::new()
        .route("/allowed", post(allowed))
        .route("/api/v1/check", post(check))
        .route("/v2/api-key/scope", get(scope))
        .route("/v2/facts/p/e/users/henry/roles", delete(take))
        .with_state(Arc::clone(&desk));
    let dir = tempfile::tempdir().unwrap();
    let config = config(serve(router).await, &dir);
    let kitchen = Kitchen::open(&config.database).await.unwrap();
    let pdp = Pdp::connect(config).await.unwrap();
    House { desk, kitchen, pdp, dir }
}

impl House {
    async fn order(&self, dish: &str) -> Result<askfirst_food::Placed, OrderError> {
        order_dish(&self.pdp, &self.kitchen, "pizza-palace", dish).await
    }

    async fn states(&self) -> Vec<OrderState> {
        self.kitchen.orders().await.unwrap().into_iter().map(|order| order.state).collect()
    }
}

fn approved(together: Option<usize>) -> Desk {
    Desk {
        may_read: true,
        approvals: Mutex::new(vec![format!("restaurants:{TRUFFLE}")]),
        together: together.map(Barrier::new),
        ..Desk::default()
    }
}

#[tokio::test]
async fn a_cheap_dish_needs_to_be_allowed_and_nothing_else() {
    let house = house(Desk { may_read: true, ..Desk::default() }).await;
    let placed = house.order("margherita").await.unwrap();
    assert_eq!(placed.spent, None);
    assert!(house.desk.taken.lock().unwrap().is_empty());
    assert_eq!(house.states().await, [OrderState::Placed]);
}

#[tokio::test]
async fn a_refusal_passes_on_what_could_be_asked_for() {
    let house = house(Desk::default()).await;
    let refusal = house.order("margherita").await.unwrap_err();
    assert_eq!(refusal.to_string(), "henry may not read restaurants:pizza-palace; ask joe.");
    let orders = house.kitchen.orders().await.unwrap();
    assert_eq!(orders[0].state, OrderState::Refused);
    assert_eq!(orders[0].note.as_deref(), Some("henry may not read restaurants:pizza-palace; ask joe."));
}

#[tokio::test]
async fn a_dear_dish_spends_its_approval_and_the_next_one_is_refused() {
    let house = house(approved(None)).await;
    let placed = house.order("truffle-pizza").await.unwrap();
    assert_eq!(placed.spent.as_deref(), Some("restaurants:pizza-palace_truffle-pizza"));
    let wanted = json!({"role": "_Approved_", "tenant": "default", "resource_instance": format!("restaurants:{TRUFFLE}")});
    assert_eq!(*house.desk.taken.lock().unwrap(), [wanted]);
    let refusal = house.order("truffle-pizza").await.unwrap_err();
    assert!(matches!(refusal, OrderError::Denied(_)), "{refusal}");
    assert_eq!(house.states().await, [OrderState::Placed, OrderState::Refused]);
}

#[tokio::test]
async fn of_eight_orders_on_one_approval_one_is_placed() {
    let house = Arc::new(house(approved(Some(8))).await);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let house = Arc::clone(&house);
            tokio::spawn(async move { house.order("truffle-pizza").await })
        })
        .collect();
    let (mut placed, mut spent) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => placed += 1,
            Err(OrderError::Spent { .. }) => spent += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((placed, spent), (1, 7));
    let states = house.states().await;
    assert_eq!(states.iter().filter(|state| **state == OrderState::Placed).count(), 1);
    assert_eq!(states.iter().filter(|state| **state == OrderState::Refused).count(), 7);
}

#[tokio::test]
async fn a_parent_spends_nothing() {
    let house = house(Desk { may_read: true, parent: true, ..Desk::default() }).await;
    for _ in 0..2 {
        assert_eq!(house.order("truffle-pizza").await.unwrap().spent, None);
    }
    assert!(house.desk.taken.lock().unwrap().is_empty());
}

#[tokio::test]
async fn when_spending_has_no_clear_outcome_nothing_is_ordered_and_the_order_says_so() {
    let house = house(Desk { spending_fails: Some(StatusCode::SERVICE_UNAVAILABLE), ..approved(None) }).await;
    let refusal = house.order("truffle-pizza").await.unwrap_err();
    assert!(matches!(refusal, OrderError::MaybeSpent { .. }), "{refusal}");
    assert_eq!(house.states().await, [OrderState::Opened]);
}

#[tokio::test]
async fn an_order_that_cannot_be_written_after_spending_says_so() {
    let house = house(approved(None)).await;
    let path = house.dir.path().join("food.db");
    // From here on an order can be begun, and can't be placed.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query(
        "create trigger full before update on orders when new.state = 'placed'
         begin select raise(abort, 'the disk is full'); end",
    )
    .execute(&pool)
    .await
    .unwrap();
    let refusal = house.order("truffle-pizza").await.unwrap_err();
    assert!(matches!(refusal, OrderError::SpentForNothing { id: 1, .. }), "{refusal}");
    assert!(
        refusal.to_string().starts_with("The approval was spent, but order 1 could not be placed"),
        "{refusal}"
    );
    assert_eq!(house.desk.taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_unknown_dish_names_the_menu_and_asks_nobody() {
    let house = house(Desk::default()).await;
    let refusal = house.order("sushi").await.unwrap_err();
    let menu = "There is no dish `sushi` at `pizza-palace`; there is marinara, margherita, truffle-pizza, family-feast.";
    assert_eq!(refusal.to_string(), menu);
    assert!(house.states().await.is_empty());
}

#[tokio::test]
async fn a_key_of_a_whole_project_is_refused_at_the_start() {
    let project = json!({"organization_id": "o", "project_id": "p", "environment_id": null});
    let router = Router::new().route("/v2/api-key/scope", get(move || async move { Json(project) }));
    let dir = tempfile::tempdir().unwrap();
    let refusal = Pdp::connect(config(serve(router).await, &dir)).await.unwrap_err();
    assert!(matches!(refusal, PdpError::WideKey), "{refusal}");
}
