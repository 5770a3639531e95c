//! The menu that a new database starts with, and the house rule about prices.

/// A dish that costs more than this, in cents, needs an approval.
pub const APPROVAL_OVER_CENTS: i64 = 1000;

/// Restaurants: key and name.
pub(crate) const RESTAURANTS: [(&str, &str); 4] = [
    ("pizza-palace", "Pizza Palace"),
    ("burger-barn", "Burger Barn"),
    ("sushi-corner", "Sushi Corner"),
    ("steak-house", "Steak House"),
];

/// Dishes: restaurant, key, name, price in cents.
pub(crate) const DISHES: [(&str, &str, &str, i64); 10] = [
    ("pizza-palace", "margherita", "Margherita", 800),
    ("pizza-palace", "marinara", "Marinara", 750),
    ("pizza-palace", "truffle-pizza", "Truffle pizza", 1400),
    ("burger-barn", "cheeseburger", "Cheeseburger", 900),
    ("burger-barn", "veggie-burger", "Veggie burger", 850),
    ("burger-barn", "wagyu-burger", "Wagyu burger", 1800),
    ("sushi-corner", "salmon-maki", "Salmon maki", 950),
    ("sushi-corner", "omakase", "Omakase", 3200),
    ("steak-house", "garden-salad", "Garden salad", 900),
    ("steak-house", "ribeye", "Ribeye", 2800),
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

    #[test]
    fn every_dish_has_a_restaurant() {
        for (restaurant, dish, ..) in DISHES {
            assert!(RESTAURANTS.iter().any(|(key, _)| *key == restaurant), "{dish} is served nowhere");
        }
    }
}
