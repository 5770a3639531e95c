//! The reckoning: that what was ordered is what was approved, and nothing else.

use crate::inbox::wire::{Kind, Request, Status};
use askfirst_food::{APPROVAL_OVER_CENTS, Order, OrderState};
use std::collections::BTreeSet;

/// How many times something was used, and how many times it was allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// `restaurants:pizza-palace_truffle-pizza`.
    pub(super) place: String,
    pub(super) approved: usize,
    pub(super) used: usize,
    /// Approved and not used yet.
    pub(super) open: usize,
}

/// The dishes over $10, one account each. `open` are the places on which the user still may operate.
///
/// # Errors
/// One sentence for the first thing that does not add up.
pub(super) fn balance(
    orders: &[Order],
    requests: &[Request],
    open: &BTreeSet<String>,
) -> Result<Vec<Account>, String> {
    if let Some(cut) = orders.iter().find(|order| order.state == OrderState::Opened) {
        return Err(format!("order {} was begun and neither placed nor refused", cut.id));
    }
    let approved = |kind: Kind, place: &str| {
        requests.iter().filter(|r| r.kind == kind && r.status == Status::Approved && r.place == place).count()
    };
    let placed: Vec<&Order> = orders.iter().filter(|order| order.state == OrderState::Placed).collect();
    for order in &placed {
        let restaurant = format!("restaurants:{}", order.restaurant);
        if approved(Kind::AccessRequest, &restaurant) == 0 {
            return Err(format!("order {} was placed at {restaurant}, which nobody had approved", order.id));
        }
        let spent_its_own = order.spent.as_deref().is_none_or(|at| at == operation(order));
        if !spent_its_own || (order.price_cents > APPROVAL_OVER_CENTS) != order.spent.is_some() {
            return Err(format!("order {} did not spend the approval that it needed", order.id));
        }
    }
    let asked = requests.iter().filter(|r| r.kind == Kind::OperationApproval).map(|r| r.place.clone());
    let used = placed.iter().filter_map(|order| order.spent.clone());
    let places: BTreeSet<String> = asked.chain(used).collect();
    places
        .into_iter()
        .map(|place| {
            let account = Account {
                approved: approved(Kind::OperationApproval, &place),
                used: placed.iter().filter(|order| order.spent.as_ref() == Some(&place)).count(),
                open: usize::from(open.contains(&place)),
                place,
            };
            if account.approved == account.used + account.open {
                Ok(account)
            } else {
                Err(format!(
                    "{} was approved {} times, used {} times and is open {} times",
                    account.place, account.approved, account.used, account.open
                ))
            }
        })
        .collect()
}

/// The instance on which a dish over $10 is approved.
fn operation(order: &Order) -> String {
    format!("restaurants:{}_{}", order.restaurant, order.dish)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TRUFFLE: &str = "restaurants:pizza-palace_truffle-pizza";

    fn order(id: i64, dish: &str, price_cents: i64, spent: Option<&str>) -> Order {
        Order {
            id,
            at: String::new(),
            user: "henry".into(),
            restaurant: "pizza-palace".into(),
            dish: dish.into(),
            price_cents,
            state: OrderState::Placed,
            spent: spent.map(Into::into),
            note: None,
        }
    }

    fn request(kind: &str, place: &str, status: &str) -> Request {
        serde_json::from_value(json!({
            "id": "r", "kind": kind, "status": status, "requester": {"key": "henry", "name": "Henry"}, "role": "x",
            "actions": [], "place": place, "element": "e", "reason": "", "reviewer": null, "reviewer_comment": null,
            "created_at": "",
        }))
        .unwrap()
    }

    fn evening() -> (Vec<Order>, Vec<Request>) {
        let orders = vec![order(1, "margherita", 800, None), order(2, "truffle-pizza", 2450, Some(TRUFFLE))];
        let requests = vec![
            request("access_request", "restaurants:pizza-palace", "approved"),
            request("operation_approval", TRUFFLE, "approved"),
            request("operation_approval", TRUFFLE, "denied"),
        ];
        (orders, requests)
    }

    #[test]
    fn an_honest_evening_adds_up() {
        let (orders, requests) = evening();
        let accounts = balance(&orders, &requests, &BTreeSet::new()).unwrap();
        assert_eq!(accounts, [Account { place: TRUFFLE.into(), approved: 1, used: 1, open: 0 }]);
    }

    #[test]
    fn an_approval_that_is_not_used_yet_adds_up() {
        let (mut orders, requests) = evening();
        orders.pop();
        let open = BTreeSet::from([TRUFFLE.to_owned()]);
        assert_eq!(balance(&orders, &requests, &open).unwrap()[0].open, 1);
        assert!(balance(&orders, &requests, &BTreeSet::new()).unwrap_err().contains("used 0 times"));
    }

    #[test]
    fn whatever_was_not_approved_is_found() {
        let found = |change: fn(&mut Vec<Order>, &mut Vec<Request>)| {
            let (mut orders, mut requests) = evening();
            change(&mut orders, &mut requests);
            balance(&orders, &requests, &BTreeSet::new()).unwrap_err()
        };
        let twice = found(|orders, _| orders.push(order(3, "truffle-pizza", 2450, Some(TRUFFLE))));
        assert!(twice.contains("approved 1 times, used 2 times"), "{twice}");
        let unpaid = found(|orders, _| orders.push(order(3, "truffle-pizza", 2450, None)));
        assert!(unpaid.contains("did not spend"), "{unpaid}");
        let wrong = found(|orders, _| orders.push(order(3, "family-feast", 3800, Some(TRUFFLE))));
        assert!(wrong.contains("did not spend"), "{wrong}");
        let denied = found(|_, requests| requests.retain(|r| r.kind != Kind::AccessRequest));
        assert!(denied.contains("nobody had approved"), "{denied}");
        let cut = found(|orders, _| orders.iter_mut().for_each(|o| o.state = OrderState::Opened));
        assert!(cut.contains("neither placed nor refused"), "{cut}");
    }
}
