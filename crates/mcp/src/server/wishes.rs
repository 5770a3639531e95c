//! What a call to `/mcp` says besides its credential, in headers and in the query of its URL.

use crate::wire;
use askfirst_engine::{Error, Result};
use axum::extract::Query;
use http::{HeaderMap, request::Parts};
use serde::Deserialize;

/// For whom and where. Nothing in it proves anything; a [`super::connection::Connection`] does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) as_user: Option<String>,
    pub(super) trust_user_id: bool,
    /// A revision token.
    pub(super) at_least: Option<String>,
    pub(super) place: PlaceNames,
}

/// The places that a connection may name, each a key or an id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceNames {
    pub(super) project: Option<String>,
    pub(super) env: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) access_element: Option<String>,
    pub(super) operation_element: Option<String>,
}

impl Wishes {
    /// Reads a call's head.
    ///
    /// # Errors
    /// When a header or the query can't be read, or the two say different things.
    pub(super) fn read(parts: &Parts) -> Result<Self> {
        let Query(asked) = Query::<PlaceNames>::try_from_uri(&parts.uri).map_err(|e| {
            let why = std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string);
            Error::invalid(format!("The query of the MCP URL can't be read: {why}."))
        })?;
        let headers = &parts.headers;
        let place = PlaceNames {
            project: one(headers, wire::PROJECT, asked.project)?,
            env: one(headers, wire::ENV, asked.env)?,
            tenant: one(headers, wire::TENANT, asked.tenant)?,
            resource: one(headers, wire::RESOURCE, asked.resource)?,
            access_element: one(headers, wire::ACCESS_ELEMENT, asked.access_element)?,
            operation_element: one(headers, wire::OPERATION_ELEMENT, asked.operation_element)?,
        };
        let trust_user_id = match one(headers, wire::TRUST_USER_ID, None)?.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                return Err(Error::invalid(format!(
                    "{} is `true` or `false`, not `{other}`.",
                    wire::TRUST_USER_ID
                )));
            }
        };
        let at_least = one(headers, wire::AT_LEAST, None)?;
        Ok(Self { as_user: one(headers, wire::AS, None)?, trust_user_id, at_least, place })
    }
}

/// The one value of a header or of its twin in the query; an empty one is none.
fn one(headers: &HeaderMap, name: &str, in_query: Option<String>) -> Result<Option<String>> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(|v| v.to_str()).transpose();
    let value =
        value.map_err(|_| Error::invalid(format!("The header {name} holds more than plain text.")))?;
    if values.next().is_some() {
        return Err(Error::invalid(format!("The header {name} is there more than once.")));
    }
    let in_header = value.map(str::trim).filter(|v| !v.is_empty());
    match (in_header, in_query.filter(|v| !v.is_empty())) {
        (Some(header), Some(query)) if header != query => Err(Error::invalid(format!(
            "The header {name} says `{header}` and the URL says `{query}`; give one of them."
        ))),
        (Some(header), _) => Ok(Some(header.to_owned())),
        (None, query) => Ok(query),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uri: &str, headers: &[(&str, &str)]) -> Result<Wishes> {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Wishes::read(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn headers_and_query_name_the_place() {
        let wishes =
            read("/mcp?tenant=t&resource=r", &[(wire::AS, "henry"), (wire::ENV, "dev"), (wire::TENANT, "t")]);
        let wishes = wishes.unwrap();
        assert_eq!(wishes.as_user.as_deref(), Some("henry"));
        assert!(!wishes.trust_user_id);
        let place = wishes.place;
        assert_eq!((place.tenant.as_deref(), place.resource.as_deref()), (Some("t"), Some("r")));
        assert_eq!((place.env.as_deref(), place.project), (Some("dev"), None));
    }

    #[test]
    fn who_is_never_taken_from_the_url() {
        let refused = read("/mcp?as=joe", &[]).unwrap_err();
        assert!(refused.message().contains("unknown field `as`"), "{refused}");
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = read("/mcp?tenant=a", &[(wire::TENANT, "b")]).unwrap_err();
        assert!(refused.message().contains("says `b` and the URL says `a`"), "{refused}");
        assert!(read("/mcp", &[(wire::AS, "henry"), (wire::AS, "joe")]).is_err());
        assert!(read("/mcp", &[(wire::TRUST_USER_ID, "yes")]).is_err());
        assert!(read("/mcp?tenant=a&tenant=b", &[]).is_err());
    }

    #[test]
    fn empty_means_not_said() {
        assert_eq!(
            read("/mcp?tenant=", &[(wire::AS, " "), (wire::TRUST_USER_ID, "false")]).unwrap(),
            Wishes::default()
        );
    }
}
