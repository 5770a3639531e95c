//! What looks and changes nothing: instances, requests.

use super::{
    Answer, Tool,
    arguments::{self, Count, Name, given},
    view,
};
use crate::server::connection::Connection;
use askfirst_domain::{
    Ident,
    request::{RequestKind, Status},
};
use askfirst_engine::{
    Error,
    facts::InstanceQuery,
    requests::{Ahead, RequestQuery},
};
use rmcp::model::JsonObject;
use serde::Deserialize;
use serde_json::Value;

const INSTANCES_PER_PAGE: u32 = 100;
const REQUESTS_PER_PAGE: u32 = 30;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InstancesArguments {
    page: Option<Count>,
    per_page: Option<Count>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessArguments {
    user_id: Option<Name>,
    status: Option<Name>,
    role: Option<Name>,
    resource_instance: Option<Name>,
    page: Option<Count>,
    per_page: Option<Count>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationArguments {
    user_id: Option<Name>,
    status: Option<Name>,
    resource_instance: Option<Name>,
    page: Option<Count>,
    per_page: Option<Count>,
}

impl From<OperationArguments> for AccessArguments {
    fn from(a: OperationArguments) -> Self {
        let OperationArguments { user_id, status, resource_instance, page, per_page } = a;
        Self { user_id, status, role: None, resource_instance, page, per_page }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestArguments {
    user_id: Option<Name>,
    request_id: Name,
}

pub(super) async fn instances(connection: &Connection, arguments: JsonObject) -> Answer {
    let wanted: InstancesArguments = arguments::read(Tool::ListResourceInstances, arguments)?;
    let (page, size) = arguments::window(wanted.page, wanted.per_page, INSTANCES_PER_PAGE)?;
    let query = InstanceQuery {
        tenant: Some(connection.tenant()),
        resource: connection.named_resource(),
        search: None,
    };
    let listed = connection.scope.list_instances(&query, page).await?;
    Ok(view::list(&listed, size, view::instance))
}

pub(super) async fn requests(connection: &Connection, kind: RequestKind, arguments: JsonObject) -> Answer {
    let wanted: AccessArguments = match kind {
        RequestKind::AccessRequest => arguments::read(Tool::ListAccessRequests, arguments)?,
        RequestKind::OperationApproval => {
            arguments::read::<OperationArguments>(Tool::ListOperationApprovals, arguments)?.into()
        }
    };
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let (page, size) = arguments::window(wanted.page, wanted.per_page, REQUESTS_PER_PAGE)?;
    let status = given(wanted.status.as_ref()).map(str::parse::<Status>).transpose().map_err(Error::from)?;
    let query = RequestQuery {
        kind: Some(kind),
        element: connection.named_element(kind),
        statuses: status.map(|status| vec![status]),
        role: given(wanted.role.as_ref()).map(Ident::from),
        resource: connection.named_resource(),
        instance: given(wanted.resource_instance.as_ref())
            .map(|text| instance_text(connection, text))
            .transpose()?,
        tenant: connection.named_tenant(),
        ahead: Ahead::Counted,
    };
    let listed = acting.requests(query, page).await?;
    Ok(view::list(&listed, size, |r| Value::Object(view::request(&acting, r))))
}

pub(super) async fn request(connection: &Connection, arguments: JsonObject) -> Answer {
    let wanted: RequestArguments = arguments::read(Tool::GetRequest, arguments)?;
    let acting = connection.acting(given(wanted.user_id.as_ref())).await?;
    let found = acting.request(&Ident::new(wanted.request_id.0.trim())).await?;
    Ok(Value::Object(view::request(&acting, &found)))
}

/// What a model wrote for an instance, with its resource in front where that is certain.
pub(super) fn instance_text(connection: &Connection, text: &str) -> Result<String, Error> {
    if text.contains(':') || Ident::new(text).uuid().is_some() {
        return Ok(text.to_owned());
    }
    let resource = connection.resource_of_keys()?;
    Ok(resource.map_or_else(|| text.to_owned(), |resource| format!("{resource}:{text}")))
}
