//! How much of a call the log takes.

use crate::check::{Ask, Given};
use serde_json::{Map, Value};

/// The most of a name, in bytes. Keys are shorter, so a name that is cut is of nothing that exists.
pub(super) const NAME: usize = 256;
/// The most that a call may give besides the names, in bytes of JSON.
pub(super) const GIVEN: usize = 4096;
/// The most of a reason, in bytes.
pub(super) const REASON: usize = 1024;
/// The most of a trace, in bytes of JSON.
pub(super) const TRACE: usize = 8192;

/// About how many bytes of JSON these are; none when they are more than [`GIVEN`].
pub(super) fn weight(given: &Given) -> Option<usize> {
    let mut left = GIVEN;
    if let Some(agent) = &given.agent
        && !spend(agent.len() + 10, &mut left)
    {
        return None;
    }
    [&given.user, &given.resource, &given.tenant, &given.context, &given.action]
        .into_iter()
        .all(|attributes| weigh_members(attributes, &mut left))
        .then(|| GIVEN - left)
}

fn weigh_members(members: &Map<String, Value>, left: &mut usize) -> bool {
    members.iter().all(|(name, value)| spend(name.len() + 4, left) && weigh(value, left))
}

fn weigh(value: &Value, left: &mut usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) => spend(5, left),
        Value::Number(_) => spend(8, left),
        Value::String(text) => spend(text.len() + 2, left),
        Value::Array(items) => spend(2, left) && items.iter().all(|item| spend(1, left) && weigh(item, left)),
        Value::Object(members) => spend(2, left) && weigh_members(members, left),
    }
}

fn spend(bytes: usize, left: &mut usize) -> bool {
    match left.checked_sub(bytes) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}

/// Shortens names that nothing can have.
pub(super) fn cut_names(ask: &mut Ask) {
    let Ask { user, action, resource, instance, tenant } = ask;
    for name in [Some(user), Some(action), Some(resource), instance.as_mut(), tenant.as_mut()] {
        if let Some(name) = name.filter(|name| name.len() > NAME) {
            cut(name, NAME);
        }
    }
}

/// Shortens a text to so many bytes and a sign that it was longer.
pub(super) fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('…');
        text.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_cut_between_characters() {
        let mut ask = Ask {
            user: "é".repeat(NAME),
            action: "read".to_owned(),
            resource: "x".repeat(NAME),
            instance: Some("y".repeat(NAME + 1)),
            tenant: None,
        };
        cut_names(&mut ask);
        assert_eq!(ask.user.chars().count(), NAME / 2 + 1);
        assert_eq!((ask.action.as_str(), ask.resource.len()), ("read", NAME));
        assert!(ask.instance.is_some_and(|key| key.ends_with("y…")));
    }

    #[test]
    fn what_weighs_too_much_is_found_before_it_is_walked_through() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        let small = Given { user: object(json!({"a": [1, "b", {"c": null}]})), ..Given::default() };
        let text = small.user.values().map(ToString::to_string).collect::<String>();
        assert!(weight(&small).is_some_and(|weight| weight >= text.len()));
        assert_eq!(weight(&Given::default()), Some(0));
        let large = Given { context: object(json!({"a": "x".repeat(GIVEN)})), ..Given::default() };
        assert_eq!(weight(&large), None);
        let many = Given { context: object(json!({"a": vec![0; GIVEN]})), ..Given::default() };
        assert_eq!(weight(&many), None);
    }
}
