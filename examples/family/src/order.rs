//! Ordering a dish: ask, spend what is to be spent, then place the order. What came of it stands in the database.

use crate::{
    Dish, Kitchen, KitchenError, Pdp, PdpError, dollars,
    pdp::{Answer, Spending},
};

/// Why no order was placed. Each prints as one sentence for a person or a model.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// Not on any menu.
    #[error("There is no dish `{dish}` at `{restaurant}`; there is {known}.")]
    NoSuchDish { restaurant: String, dish: String, known: String },
    /// The policy says no; the sentence says what could be asked for.
    #[error("{0}")]
    Denied(String),
    /// Another order was faster.
    #[error(
        "The approval for {dish} at {restaurant} was good for one order and has been spent by another one, so nothing \
         was ordered; ask for a new approval."
    )]
    Spent { restaurant: String, dish: String },
    /// askfirst could not be asked, so nothing was done.
    #[error("Nothing was ordered, because {0}.")]
    NotAsked(PdpError),
    /// Whether the approval is spent is not known.
    #[error(
        "Nothing was ordered, and it is not known whether the approval was spent, because {source}; check whether \
         {action} is still allowed before you ask for a new approval."
    )]
    MaybeSpent { action: String, source: PdpError },
    /// The order could not be written down, and nothing was spent.
    #[error("Nothing was ordered and nothing was spent, because {0}; try again later.")]
    NotWritten(KitchenError),
    /// The approval is spent and the order could not be written down.
    #[error(
        "The approval was spent, but order {id} could not be placed, because {source}; tell the people who run the \
         restaurant, and ask for a new approval if you want to order again."
    )]
    SpentForNothing { id: i64, source: KitchenError },
}

/// An order that the kitchen has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its number.
    pub id: i64,
    /// What was ordered.
    pub dish: Dish,
    /// The instance whose approval was spent for it.
    pub spent: Option<String>,
}

impl Placed {
    /// What happened, in one or two sentences.
    pub fn sentence(&self, user: &str) -> String {
        let Dish { name, restaurant, price_cents, .. } = &self.dish;
        let head = format!(
            "Order {} is placed: {name} at {restaurant} for {user}, {}.",
            self.id,
            dollars(*price_cents)
        );
        match &self.spent {
            Some(_) => format!("{head} The approval for it is spent now; another one needs a new approval."),
            None => head,
        }
    }
}

/// Orders a dish for the user of the connection, if the policy allows it.
///
/// # Errors
/// See [`OrderError`]; unless it says otherwise, nothing was ordered and nothing spent.
pub async fn order_dish(
    pdp: &Pdp,
    kitchen: &Kitchen,
    restaurant: &str,
    dish: &str,
) -> Result<Placed, OrderError> {
    let dish = find(kitchen, restaurant, dish).await?;
    let id = kitchen.open_order(pdp.user(), &dish).await.map_err(OrderError::NotWritten)?;
    let cleared = clear(pdp, &dish).await;
    match cleared {
        Ok(spent) => match kitchen.place(id, spent.as_deref()).await {
            Ok(()) => Ok(Placed { id, dish, spent }),
            Err(source) if spent.is_some() => Err(OrderError::SpentForNothing { id, source }),
            Err(source) => Err(OrderError::NotWritten(source)),
        },
        Err(error) => {
            // An order whose approval may be spent stays open, for people to look at.
            if !matches!(error, OrderError::MaybeSpent { .. }) {
                kitchen.refuse(id, &error.to_string()).await.map_err(OrderError::NotWritten)?;
            }
            Err(error)
        }
    }
}

/// Whether the order may be placed; answers the instance whose approval was spent for it.
async fn clear(pdp: &Pdp, dish: &Dish) -> Result<Option<String>, OrderError> {
    if let Answer::Denied { sentence } =
        pdp.may("read", &dish.restaurant).await.map_err(OrderError::NotAsked)?
    {
        return Err(OrderError::Denied(sentence));
    }
    if !dish.needs_approval() {
        return Ok(None);
    }
    let operation = format!("{}_{}", dish.restaurant, dish.dish);
    match pdp.explain("operate", &operation).await.map_err(OrderError::NotAsked)? {
        Answer::Denied { sentence } => Err(OrderError::Denied(sentence)),
        Answer::Allowed => Ok(None),
        Answer::ByApproval { at } => match pdp.spend(&at).await {
            Ok(Spending::Spent) => Ok(Some(at)),
            Ok(Spending::Gone) => {
                Err(OrderError::Spent { restaurant: dish.restaurant.clone(), dish: dish.dish.clone() })
            }
            Err(source @ PdpError::Refused { status, .. }) if status.is_client_error() => {
                Err(OrderError::NotAsked(source))
            }
            Err(source) => {
                Err(OrderError::MaybeSpent { action: format!("operate on restaurants:{operation}"), source })
            }
        },
    }
}

async fn find(kitchen: &Kitchen, restaurant: &str, dish: &str) -> Result<Dish, OrderError> {
    let menu = kitchen.dishes(Some(restaurant)).await.map_err(OrderError::NotWritten)?;
    if let Some(found) = menu.iter().find(|d| d.dish == dish) {
        return Ok(found.clone());
    }
    let known: Vec<String> = if menu.is_empty() {
        kitchen.restaurants().await.map_err(OrderError::NotWritten)?
    } else {
        menu.into_iter().map(|d| d.dish).collect()
    };
    Err(OrderError::NoSuchDish {
        restaurant: restaurant.to_owned(),
        dish: dish.to_owned(),
        known: known.join(", "),
    })
}
