//! The server's own small database: the menu, and what came of each order.

use crate::menu::{APPROVAL_OVER_CENTS, DISHES, RESTAURANTS};
use serde::Serialize;
use sqlx::{
    Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use std::path::Path;

const TABLES: &str = "
create table if not exists restaurants (
    key  text primary key,
    name text not null
) strict;
create table if not exists dishes (
    restaurant  text not null references restaurants (key),
    key         text not null,
    name        text not null,
    price_cents integer not null,
    primary key (restaurant, key)
) strict;
create table if not exists orders (
    id          integer primary key autoincrement,
    at          text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    user        text not null,
    restaurant  text not null,
    dish        text not null,
    price_cents integer not null,
    state       text not null check (state in ('opened', 'placed', 'refused')),
    spent       text,
    note        text
) strict;
";

/// The database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("the food database failed")]
pub struct KitchenError(#[from] sqlx::Error);

/// A dish on a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dish {
    pub restaurant: String,
    pub dish: String,
    pub name: String,
    pub price_cents: i64,
}

impl Dish {
    /// Whether the house rule asks for an approval.
    pub fn needs_approval(&self) -> bool {
        self.price_cents > APPROVAL_OVER_CENTS
    }
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Begun. One that stays so was cut off, and nobody knows whether its approval was spent.
    Opened,
    /// The kitchen has it.
    Placed,
    /// It was not allowed, or its approval was gone.
    Refused,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Order {
    pub id: i64,
    pub at: String,
    pub user: String,
    pub restaurant: String,
    pub dish: String,
    pub price_cents: i64,
    pub state: OrderState,
    /// The instance whose `_Approved_` was spent for it.
    pub spent: Option<String>,
    /// Why it was refused.
    pub note: Option<String>,
}

/// The database.
#[derive(Debug, Clone)]
pub struct Kitchen(SqlitePool);

impl Kitchen {
    /// Opens the database, and makes it with the menu when it is new.
    ///
    /// # Errors
    /// When the file can't be opened or written.
    pub async fn open(path: &Path) -> Result<Self, KitchenError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(std::time::Duration::from_secs(10));
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
        let mut tx = pool.begin_with("begin immediate").await?;
        sqlx::raw_sql(TABLES).execute(&mut *tx).await?;
        for (key, name) in RESTAURANTS {
            sqlx::query("insert or ignore into restaurants (key, name) values (?, ?)")
                .bind(key)
                .bind(name)
                .execute(&mut *tx)
                .await?;
        }
        for (restaurant, key, name, price) in DISHES {
            sqlx::query(
                "insert or ignore into dishes (restaurant, key, name, price_cents) values (?, ?, ?, ?)",
            )
            .bind(restaurant)
            .bind(key)
            .bind(name)
            .bind(price)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(Self(pool))
    }

    /// The dishes (of one restaurant), by restaurant and price.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dishes(&self, restaurant: Option<&str>) -> Result<Vec<Dish>, KitchenError> {
        let rows = sqlx::query(
            "select restaurant, key, name, price_cents from dishes
             where ?1 is null or restaurant = ?1 order by restaurant, price_cents, key",
        )
        .bind(restaurant)
        .fetch_all(&self.0)
        .await?;
        rows.iter().map(dish_of).collect()
    }

    /// The keys of the restaurants.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn restaurants(&self) -> Result<Vec<String>, KitchenError> {
        Ok(sqlx::query_scalar("select key from restaurants order by key").fetch_all(&self.0).await?)
    }

    /// Begins an order; it is not placed yet.
    pub(crate) async fn open_order(&self, user: &str, dish: &Dish) -> Result<i64, KitchenError> {
        let id = sqlx::query_scalar(
            "insert into orders (user, restaurant, dish, price_cents, state) values (?, ?, ?, ?, 'opened') returning id",
        )
        .bind(user)
        .bind(&dish.restaurant)
        .bind(&dish.dish)
        .bind(dish.price_cents)
        .fetch_one(&self.0)
        .await?;
        Ok(id)
    }

    /// Places a begun order. `spent` names the instance whose approval was spent for it.
    pub(crate) async fn place(&self, id: i64, spent: Option<&str>) -> Result<(), KitchenError> {
        sqlx::query("update orders set state = 'placed', spent = ? where id = ? and state = 'opened'")
            .bind(spent)
            .bind(id)
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// Ends a begun order without placing it.
    pub(crate) async fn refuse(&self, id: i64, why: &str) -> Result<(), KitchenError> {
        sqlx::query("update orders set state = 'refused', note = ? where id = ? and state = 'opened'")
            .bind(why)
            .bind(id)
            .execute(&self.0)
            .await?;
        Ok(())
    }

    /// All orders, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn orders(&self) -> Result<Vec<Order>, KitchenError> {
        let rows = sqlx::query(
            "select id, at, user, restaurant, dish, price_cents, state, spent, note from orders order by id",
        )
        .fetch_all(&self.0)
        .await?;
        rows.iter().map(order_of).collect()
    }

    /// Closes the file.
    pub async fn close(self) {
        self.0.close().await;
    }
}

fn dish_of(row: &SqliteRow) -> Result<Dish, KitchenError> {
    Ok(Dish {
        restaurant: row.try_get("restaurant")?,
        dish: row.try_get("key")?,
        name: row.try_get("name")?,
        price_cents: row.try_get("price_cents")?,
    })
}

fn order_of(row: &SqliteRow) -> Result<Order, KitchenError> {
    let state: String = row.try_get("state")?;
    Ok(Order {
        id: row.try_get("id")?,
        at: row.try_get("at")?,
        user: row.try_get("user")?,
        restaurant: row.try_get("restaurant")?,
        dish: row.try_get("dish")?,
        price_cents: row.try_get("price_cents")?,
        state: match state.as_str() {
            "placed" => OrderState::Placed,
            "refused" => OrderState::Refused,
            _ => OrderState::Opened,
        },
        spent: row.try_get("spent")?,
        note: row.try_get("note")?,
    })
}
