//! Agents: programs that act for humans, known by name, with an owner who answers for them.
//!
//! An agent may do what its human may, and no more than its own ceiling permits: the smaller of the two. What it holds (its
//! keys, the requests that it opened, the approvals that it was given) counts only while it is active.

use crate::{Key, Timestamp, id::AgentId, request::Person};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// The longest action in a ceiling, in characters; as long as the name of a tool may be.
pub const MAX_ACTION: usize = crate::binding::MAX_ACTION;
/// How much a ceiling may name.
pub const MAX_CEILING: usize = 1000;

/// A registered agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub id: AgentId,
    pub key: Key,
    pub name: String,
    /// Who answers for it. Owning it gives no right in itself.
    pub owner: Person,
    pub status: AgentStatus,
    #[serde(default)]
    pub ceiling: Ceiling,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Whether an agent may act at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    Active,
    /// Its keys open nothing, its requests can't be approved, its approvals can't be spent.
    Frozen,
}

impl fmt::Display for AgentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Frozen => "frozen",
        })
    }
}

/// The most that an agent may do, whomever it acts for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ceiling {
    /// Whatever its human may.
    #[default]
    Human,
    /// This, as far as its human may do it; of an empty list nothing.
    Only(Vec<Permitted>),
}

impl Ceiling {
    /// Whether this may be done.
    pub fn permits(&self, resource: &str, action: &str) -> bool {
        match self {
            Self::Human => true,
            Self::Only(permitted) => permitted.iter().any(|one| one.covers(resource, action)),
        }
    }
}

impl fmt::Display for Ceiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Human => f.write_str("whatever its human may"),
            Self::Only(permitted) if permitted.is_empty() => f.write_str("nothing"),
            Self::Only(permitted) => {
                let all: Vec<String> = permitted.iter().map(|one| format!("`{one}`")).collect();
                f.write_str(&all.join(", "))
            }
        }
    }
}

/// `resource:action`; either may be `*`, which is any, and `*` alone is both. The action may be the name of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Permitted {
    resource: Option<Key>,
    action: Option<String>,
}

impl Permitted {
    /// The resource that it is about; none is any.
    pub fn resource(&self) -> Option<&Key> {
        self.resource.as_ref()
    }

    fn covers(&self, resource: &str, action: &str) -> bool {
        self.resource.as_ref().is_none_or(|own| own.as_str() == resource)
            && self.action.as_ref().is_none_or(|own| own == action)
    }
}

/// A text that permits nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not RESOURCE:ACTION; write `orders:read`, `orders:*`, `*:read` or `*`")]
pub struct NotPermitted(String);

impl FromStr for Permitted {
    type Err = NotPermitted;
    fn from_str(text: &str) -> Result<Self, NotPermitted> {
        let refused = || NotPermitted(text.to_owned());
        let text = text.trim();
        if text == "*" {
            return Ok(Self { resource: None, action: None });
        }
        let (resource, action) = text.split_once(':').ok_or_else(refused)?;
        let resource = match resource {
            "*" => None,
            key => Some(key.parse().map_err(|_| refused())?),
        };
        let action = match action {
            "*" => None,
            action if action.trim() == action && (1..=MAX_ACTION).contains(&action.chars().count()) => {
                Some(action.to_owned())
            }
            _ => return Err(refused()),
        };
        Ok(Self { resource, action })
    }
}

impl fmt::Display for Permitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.resource, &self.action) {
            (None, None) => f.write_str("*"),
            (resource, action) => {
                let resource = resource.as_ref().map_or("*", Key::as_str);
                write!(f, "{resource}:{}", action.as_deref().unwrap_or("*"))
            }
        }
    }
}

impl TryFrom<String> for Permitted {
    type Error = NotPermitted;
    fn try_from(text: String) -> Result<Self, NotPermitted> {
        text.parse()
    }
}

impl From<Permitted> for String {
    fn from(permitted: Permitted) -> Self {
        permitted.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(texts: &[&str]) -> Ceiling {
        Ceiling::Only(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn a_ceiling_permits_what_it_names() {
        let orders = only(&["orders:read", "invoices:*", "*:look at it"]);
        for (resource, action, permitted) in [
            ("orders", "read", true),
            ("orders", "refund", false),
            ("invoices", "delete", true),
            ("secrets", "look at it", true),
            ("secrets", "read", false),
            ("orders", "READ", false),
        ] {
            assert_eq!(orders.permits(resource, action), permitted, "{resource}:{action}");
        }
        assert!(Ceiling::Human.permits("secrets", "read") && only(&["*"]).permits("secrets", "read"));
        assert!(!only(&[]).permits("orders", "read"));
        assert_eq!(orders.to_string(), "`orders:read`, `invoices:*`, `*:look at it`");
    }

    #[test]
    fn what_permits_is_written_in_one_way() {
        for text in ["*", "orders:read", "orders:*", "*:read", "orders:a:b"] {
            let read: Permitted = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
            assert_eq!(serde_json::from_value::<Permitted>(serde_json::json!(text)).unwrap(), read);
        }
        assert_eq!("*:*".parse::<Permitted>().unwrap().to_string(), "*");
        for text in ["", "orders", "orders:", ":read", "or ders:read", "orders: read", "a*:read"] {
            assert!(text.parse::<Permitted>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_kept_of_a_ceiling_is_read_again() {
        for ceiling in [Ceiling::Human, only(&[]), only(&["orders:read", "*"])] {
            let kept = serde_json::to_string(&ceiling).unwrap();
            assert_eq!(serde_json::from_str::<Ceiling>(&kept).unwrap(), ceiling);
        }
    }
}
