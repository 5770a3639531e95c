//! What many of Permit's models and calls share.

use crate::{
    App,
    error::Answer,
    error::Failure,
    listing::{PageQuery, too_large},
    openapi,
};
use askfirst_domain::{
    Ident, Timestamp,
    id::{EnvId, OrgId, ProjectId},
};
use askfirst_engine::{EnvScope, Error, Page};
use axum::{extract::FromRequestParts, http::request::Parts};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};
use std::{fmt, sync::Arc};

/// Where a thing is, in every model of an environment.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are those of the models")]
pub(crate) struct Home {
    #[schema(value_type = openapi::IdShape)]
    organization_id: OrgId,
    #[schema(value_type = openapi::IdShape)]
    project_id: ProjectId,
    #[schema(value_type = openapi::IdShape)]
    environment_id: EnvId,
}

impl From<&EnvScope> for Home {
    fn from(scope: &EnvScope) -> Self {
        let env = scope.environment();
        Self { organization_id: env.org, project_id: env.project, environment_id: env.id }
    }
}

/// A moment, as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl utoipa::PartialSchema for Moment {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        openapi::moment()
    }
}

impl utoipa::ToSchema for Moment {}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read: jiff::Timestamp = text.parse().map_err(|_| {
            de::Error::custom(format!(
                "`{text}` is no moment; write it as RFC 3339, e.g. 2030-01-31T12:00:00Z"
            ))
        })?;
        Ok(Self(Timestamp::from_micros(read.as_microsecond())))
    }
}

/// What names something, in a path, a query or a body: text, or a whole number where a caller's keys are numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

impl Text {
    /// As key or id.
    pub(crate) fn ident(&self) -> Ident {
        Ident::new(self.0.as_str())
    }

    /// As a key to be given to something new.
    pub(crate) fn key<K>(&self) -> Answer<K>
    where
        K: std::str::FromStr<Err = askfirst_domain::KeyError>,
    {
        Ok(self.0.parse().map_err(Error::from)?)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

impl utoipa::PartialSchema for Text {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        openapi::key_or_id()
    }
}

impl utoipa::ToSchema for Text {
    fn name() -> std::borrow::Cow<'static, str> {
        "KeyOrId".into()
    }
}

struct TextVisitor;

impl de::Visitor<'_> for TextVisitor {
    type Value = Text;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key or id, as text or as a whole number")
    }
    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }
}

/// The query of a call; one that does not read is an error in the usual shape.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

/// As [`Params`], for lists whose pages may have any size.
#[derive(Debug)]
pub(crate) struct AnySize<T>(pub(crate) T);

impl<T: de::DeserializeOwned> FromRequestParts<Arc<App>> for Params<T> {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        Ok(Self(query(parts, app, app.options.limits.page).await?))
    }
}

impl<T: de::DeserializeOwned> FromRequestParts<Arc<App>> for AnySize<T> {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        Ok(Self(query(parts, app, u32::MAX).await?))
    }
}

async fn query<T: de::DeserializeOwned>(
    parts: &mut Parts,
    app: &Arc<App>,
    largest_page: u32,
) -> Result<T, Failure> {
    countable(parts.uri.query().unwrap_or_default(), largest_page)?;
    let read = axum_extra::extract::Query::<T>::from_request_parts(parts, app).await;
    let axum_extra::extract::Query(query) = read.map_err(|rejection| {
        let said = rejection.to_string();
        // Behind the reader's own words stand the member and what is wrong with it.
        let reason = said.rsplit_once("query string: ").map_or(said.as_str(), |(_, reason)| reason);
        Error::invalid(format!("The query can't be read: {reason}."))
    })?;
    Ok(query)
}

/// Refuses a page that is no number, in better words than the reader of queries has, and one that is larger than the
/// operator's limit.
fn countable(query: &str, limit: u32) -> Result<(), Error> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    for (name, value) in pairs.filter(|(name, _)| matches!(*name, "page" | "per_page")) {
        match value.parse::<u32>() {
            Ok(size) if name == "per_page" && size > limit => return Err(too_large(size, limit)),
            Ok(_) => {}
            Err(_) => {
                let message = format!("`{name}` has to be a whole number from 1 to {}.", u32::MAX);
                return Err(Error::invalid(message));
            }
        }
    }
    Ok(())
}

/// How many items a list gives when the call does not say.
pub(crate) const PER_PAGE: u32 = 100;

/// The part of a list that a call asks for.
pub(crate) fn page(page: Option<u32>, per_page: Option<u32>) -> Answer<Page> {
    let (offset, limit) = PageQuery { page, per_page }.window(PER_PAGE)?;
    Ok(Page { offset, limit })
}

/// The members that only Permit's old clients know, out of all that a body has besides the known ones.
pub(crate) fn compat(rest: Map<String, Value>) -> Map<String, Value> {
    rest.into_iter().filter(|(name, _)| name.starts_with("v1compat_")).collect()
}

/// A switch in a query: on when `true` or `1`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Switch(String);

impl Switch {
    /// Whether it is on.
    pub(crate) fn is_on(&self) -> bool {
        self.0 == "1" || self.0.eq_ignore_ascii_case("true")
    }
}

/// What a bulk call that only says that it worked answers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = BulkOperationDone)]
pub(crate) struct Done {}

/// The things that a bulk call writes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = BulkOperation)]
pub(crate) struct Operations<T> {
    pub(crate) operations: Vec<T>,
}

/// The things that a bulk call deletes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = DeleteBulkOperation)]
pub(crate) struct Idents<T> {
    pub(crate) idents: Vec<T>,
}
