//! The SQLite body keeps the contract.

use askfirst_store::{SqliteStore, Store};
use std::sync::Arc;

async fn make() -> Arc<dyn Store> {
    Arc::new(SqliteStore::open_in_memory().await.unwrap())
}

askfirst_store::contract_tests!(make);
