//! `/api/v1/webhooks`: whom the environment of the key tells of its requests.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    openapi::{IdShape, Routes},
    permit::wire::Moment,
};
use askfirst_domain::{Ident, id::WebhookId, webhook::Webhook};
use askfirst_engine::{
    Patch,
    delivery::{NewWebhook, WebhookPatch},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list, create))
        .routes(routes!(read, update, remove))
        .routes(routes!(rotate))
        .routes(routes!(test))
}

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
struct WebhookRead {
    #[schema(value_type = IdShape)]
    id: WebhookId,
    url: String,
    #[schema(required)]
    description: Option<String>,
    /// Events, or the part before the dot for all that begin so; none means all.
    events: Vec<String>,
    created_at: Moment,
    updated_at: Moment,
}

impl From<&Webhook> for WebhookRead {
    fn from(webhook: &Webhook) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url.clone(),
            description: webhook.description.clone(),
            events: webhook.events.clone(),
            created_at: Moment(webhook.created_at),
            updated_at: Moment(webhook.updated_at),
        }
    }
}

/// A webhook with its secret, which is shown here and never again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
struct WebhookMade {
    #[serde(flatten)]
    webhook: WebhookRead,
    /// `whsec_` and base64, as libraries of the Standard Webhooks specification take it.
    secret: String,
}

impl WebhookMade {
    fn new(webhook: &Webhook) -> Json<Self> {
        Json(Self { webhook: webhook.into(), secret: webhook.secret.reveal().to_owned() })
    }
}

/// The webhooks of an environment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhooks)]
struct WebhooksRead {
    /// The oldest first.
    data: Vec<WebhookRead>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhook)]
struct NewBody {
    /// Where messages are sent.
    url: String,
    description: Option<String>,
    /// Such as `request.created`, or `grant` for all that begin so; all of them unless said.
    #[serde(default)]
    events: Vec<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookUpdate)]
struct UpdateBody {
    url: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    events: Option<Vec<String>>,
}

/// The message that was left to be sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookTest)]
struct Tested {
    /// Its `webhook-id`; while it waits, it is among the deliveries.
    delivery: Uuid,
}

/// List the webhooks of the environment
#[utoipa::path(
    get, path = "/api/v1/webhooks",
    responses((status = OK, description = "All of them.", body = WebhooksRead))
)]
async fn list(InEnv(scope): InEnv) -> Json<WebhooksRead> {
    Json(WebhooksRead {
        data: scope.webhooks().iter().map(|webhook| WebhookRead::from(&**webhook)).collect(),
    })
}

/// Make a webhook
///
/// Its secret is shown here and never again.
#[utoipa::path(
    post, path = "/api/v1/webhooks", request_body = NewBody,
    responses((status = OK, description = "The webhook, with its secret.", body = WebhookMade))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<NewBody>) -> Answer<Json<WebhookMade>> {
    let new = NewWebhook { url: body.url, description: body.description, events: body.events };
    Ok(WebhookMade::new(&scope.create_webhook(new).await?))
}

/// Read a webhook
#[utoipa::path(
    get, path = "/api/v1/webhooks/{webhook}",
    responses((status = OK, description = "The webhook.", body = WebhookRead))
)]
async fn read(InEnv(scope): InEnv, Path(id): Path<String>) -> Answer<Json<WebhookRead>> {
    Ok(Json(WebhookRead::from(&*scope.webhook(&Ident::new(id))?)))
}

/// Change a webhook
///
/// What waits for its delivery goes to the new address.
#[utoipa::path(
    patch, path = "/api/v1/webhooks/{webhook}", request_body = UpdateBody,
    responses((status = OK, description = "The webhook as it is now.", body = WebhookRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(id): Path<String>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<WebhookRead>> {
    let patch = WebhookPatch { url: body.url, description: body.description, events: body.events };
    Ok(Json(WebhookRead::from(&scope.update_webhook(&Ident::new(id), patch).await?)))
}

/// Delete a webhook
///
/// What waits for its delivery is dropped.
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{webhook}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn remove(InEnv(scope): InEnv, Path(id): Path<String>) -> Answer<StatusCode> {
    scope.delete_webhook(&Ident::new(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a webhook another secret
///
/// From now on messages are signed with it and with no other. It is shown here and never again.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{webhook}/rotate-secret",
    responses((status = OK, description = "The webhook, with its new secret.", body = WebhookMade))
)]
async fn rotate(InEnv(scope): InEnv, Path(id): Path<String>) -> Answer<Json<WebhookMade>> {
    Ok(WebhookMade::new(&scope.rotate_webhook_secret(&Ident::new(id)).await?))
}

/// Send a webhook a message of the type `test`
#[utoipa::path(
    post, path = "/api/v1/webhooks/{webhook}/test",
    responses((status = OK, description = "It is on its way.", body = Tested))
)]
async fn test(InEnv(scope): InEnv, Path(id): Path<String>) -> Answer<Json<Tested>> {
    Ok(Json(Tested { delivery: scope.test_webhook(&Ident::new(id)).await? }))
}
