//! URL mapping: which action on which resource a call of an HTTP API is.

use crate::{Key, Timestamp, id::ProxyConfigId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A named list of mapping rules, as Permit keeps them. Its secret, which only Permit's proxy would use, is not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProxyConfig {
    pub id: ProxyConfigId,
    pub key: Key,
    pub name: String,
    pub auth_mechanism: AuthMechanism,
    pub rules: Vec<MappingRule>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How a proxy would present the secret. It means nothing here and is given back as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AuthMechanism {
    #[default]
    Bearer,
    Basic,
    Headers,
}

/// Calls of this method on these URLs are this action on this resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingRule {
    pub url: String,
    pub kind: UrlKind,
    pub method: Method,
    pub resource: Key,
    /// None means the method's name.
    pub action: Option<Key>,
    /// A rule with headers is for a proxy, which sees them; a question about a URL does not.
    pub headers: BTreeMap<String, String>,
    /// The higher, the earlier it is tried.
    pub priority: i64,
}

/// How the URL of a rule is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UrlKind {
    /// `https://api.example.com/customers/{id}?limit={limit}`.
    Template,
    /// A regular expression that has to match from the start of the URL.
    Regex,
}

/// An HTTP method that a rule can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Head,
    Options,
}

impl Method {
    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Head => "head",
            Self::Options => "options",
        }
    }
}
