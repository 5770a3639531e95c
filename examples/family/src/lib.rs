//! A food MCP server that asks before it acts: the example of a tool server behind askfirst.
//!
//! It knows four restaurants and their dishes, and takes orders for one user, whom its operator names, never the model.
//! Before each order it asks the policy decision point:
//!
//! - ordering at a restaurant needs `read` on `restaurants:RESTAURANT`;
//! - a dish over $10 also needs `operate` on `restaurants:RESTAURANT_DISH`. Who may operate only by an approval
//!   (`_Approved_`) spends it with the order: one approval is good for one order.

mod kitchen;
mod menu;
mod order;
mod pdp;
mod server;

pub use kitchen::{Dish, Kitchen, KitchenError, Order, OrderState};
pub use menu::{APPROVAL_OVER_CENTS, dollars};
pub use order::{OrderError, Placed, order_dish};
pub use pdp::{Pdp, PdpError};
pub use server::{Food, FoodError, run_stdio};

use std::path::PathBuf;

/// How to run the server.
#[derive(Clone)]
pub struct Config {
    /// Key of the user for whom it orders.
    pub user: String,
    /// Where askfirst listens: `http://127.0.0.1:7766`.
    pub url: String,
    /// An environment's API key.
    pub api_key: String,
    /// The tenant that the restaurants belong to.
    pub tenant: String,
    /// The file with the menu and the orders; made when it is not there.
    pub database: PathBuf,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("user", &self.user)
            .field("url", &self.url)
            .field("tenant", &self.tenant)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}
