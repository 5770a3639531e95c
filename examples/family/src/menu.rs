//! The menu that a new database starts with, and the house rule about prices.

/// A dish that costs more than this, in cents, needs an approval.
pub const APPROVAL_OVER_CENTS: i64 = 1000;

/// Restaurants: key and name.
pub(crate) const RESTAURANTS: [(&str, &str); 4] = [
    ("pizza-palace", "Pizza Palace"),
    ("burger-barn", "Burger Barn"),
    ("sushi-spot", "Sushi Spot"),
    ("salad-bowl", "Salad Bowl"),
];

/// Dishes: restaurant, key, name, price in cents.
pub(crate) const DISHES: [(&str, &str, &str, i64); 12] = [
    ("pizza-palace", "margherita", "Margherita", 800),
    ("pizza-palace", "marinara", "Marinara", 750),
    ("pizza-palace", "truffle-pizza", "Truffle Pizza", 2450),
    ("pizza-palace", "family-feast", "Family Feast", 3800),
    ("burger-barn", "cheeseburger", "Cheeseburger", 900),
    ("burger-barn", "tower-burger", "Tower Burger", 1690),
    ("sushi-spot", "salmon-maki", "Salmon Maki", 950),
    ("sushi-spot", "dragon-roll", "Dragon Roll", 1450),
    ("sushi-spot", "omakase", "Omakase", 6500),
    ("salad-bowl", "greek-salad", "Greek Salad", 850),
    ("salad-bowl", "tomato-soup", "Tomato Soup", 600),
    ("salad-bowl", "salmon-bowl", "Salmon Bowl", 1390),
];

/// A price as people write it: `$14.00`.
pub fn dollars(cents: i64) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_read_as_dollars() {
        assert_eq!(dollars(1400), "$14.00");
        assert_eq!(dollars(805), "$8.05");
    }

    /// The policy of the example has an instance for each dish over $10, and for no other.
    #[test]
    fn the_policy_knows_the_dear_dishes() {
        let policy = include_str!("../policy.yaml");
        for (restaurant, dish, _, price) in DISHES {
            let instance = format!("\"restaurants:{restaurant}_{dish}\":");
            assert_eq!(policy.contains(&instance), price > APPROVAL_OVER_CENTS, "{instance}");
        }
        for (restaurant, _) in RESTAURANTS {
            assert!(policy.contains(&format!("\"restaurants:{restaurant}\":")), "{restaurant}");
        }
        assert_eq!(
            policy.matches("price: ").count() - 1,
            DISHES.iter().filter(|d| d.3 > APPROVAL_OVER_CENTS).count()
        );
    }

    #[test]
    fn every_dish_has_a_restaurant() {
        for (restaurant, dish, ..) in DISHES {
            assert!(RESTAURANTS.iter().any(|(key, _)| *key == restaurant), "{dish} is served nowhere");
        }
    }
}
