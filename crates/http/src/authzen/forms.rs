//! What a submission says besides what was denied: the form of an element, and what there is to choose from.

use super::{
    page::Window,
    problem::{Answer, Problem},
    read::{Members, Pep},
};
use crate::{State, openapi::KeyShape};
use askfirst_domain::Key;
use axum::{
    Json,
    extract::{Path, Query},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Where forms are.
pub(super) const FORMS: &str = "/access/v1/request-forms";
/// Where a submission says which role is wanted.
const ROLE: &str = "/requested_access/role";

/// The members of a submission for which there is a list to choose from, by their JSON Pointers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestCatalogs)]
pub(super) struct Catalogs {
    fields: BTreeMap<String, Field>,
}

/// A list to choose from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestCatalogField)]
struct Field {
    endpoint: String,
    search_param: &'static str,
    value_path: &'static str,
    label_path: &'static str,
}

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Looked {
    /// A part of the key or the name.
    #[serde(default)]
    #[param(required = false)]
    q: String,
    /// The `next_cursor` of the part before.
    cursor: Option<String>,
    /// 100 unless said; more than 1000 gives 1000.
    limit: Option<u64>,
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestCatalog)]
pub(super) struct Catalog {
    items: Vec<Item>,
    /// Absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    total: usize,
}

/// Something to choose.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestCatalogItem)]
struct Item {
    #[schema(value_type = KeyShape)]
    value: Key,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
}

/// What a submission through an element says besides
///
/// A JSON Schema of `context` and `requested_access`.
#[utoipa::path(
    get, path = "/access/v1/request-forms/{element}/schema",
    responses((status = OK, description = "The schema.", body = Value))
)]
pub(super) async fn schema(Pep(scope): Pep, Path(element): Path<String>) -> Answer<Value> {
    Ok(Json(scope.request_form(&element)?.schema))
}

/// What there is to choose from in a submission through an element
#[utoipa::path(
    get, path = "/access/v1/request-forms/{element}/catalogs",
    responses((status = OK, description = "The lists.", body = Catalogs))
)]
pub(super) async fn catalogs(
    axum::extract::State(app): State,
    Pep(scope): Pep,
    Path(element): Path<String>,
) -> Answer<Catalogs> {
    scope.request_form(&element)?;
    let base = &app.engine.settings().public_url;
    let field = Field {
        endpoint: format!("{base}{FORMS}/{element}/roles"),
        search_param: "q",
        value_path: "/value",
        label_path: "/label",
    };
    Ok(Json(Catalogs { fields: BTreeMap::from([(ROLE.to_owned(), field)]) }))
}

/// The roles that can be asked for through an element
#[utoipa::path(
    get, path = "/access/v1/request-forms/{element}/roles", params(Looked),
    responses((status = OK, description = "A part of the roles.", body = Catalog))
)]
pub(super) async fn roles(
    Pep(scope): Pep,
    Path(element): Path<String>,
    looked: Result<Query<Looked>, axum::extract::rejection::QueryRejection>,
) -> Answer<Catalog> {
    let Query(looked) =
        looked.map_err(|_| Problem::bad_request("The query takes `q`, `cursor` and `limit`, a number."))?;
    let found = scope.requestable_roles(&element, &looked.q)?;
    let mut page = Members::new();
    page.extend(looked.cursor.map(|cursor| ("token".to_owned(), Value::String(cursor))));
    page.extend(looked.limit.map(|limit| ("limit".to_owned(), json!(limit))));
    let search = Members::from_iter([
        ("subject".to_owned(), json!([element, looked.q])),
        ("page".to_owned(), Value::Object(page)),
    ]);
    let total = found.len();
    let (found, end) = Window::of("roles", &search)?.cut(found, |role| role.key.as_str());
    let items = found.into_iter().map(|role| Item {
        value: role.key,
        label: role.name,
        description: role.description,
    });
    Ok(Json(Catalog { items: items.collect(), next_cursor: end.next(), total }))
}
