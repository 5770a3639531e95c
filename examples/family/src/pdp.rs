//! What the server asks of askfirst: may he, why not, and "spend this approval".

use crate::Config;
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// The role that an approved operation gives.
const APPROVED: &str = "_Approved_";
/// The resource whose instances the restaurants and their dear dishes are.
const RESOURCE: &str = "restaurants";

/// askfirst did not answer as it must. Nothing may be done then.
#[derive(Debug, thiserror::Error)]
pub enum PdpError {
    /// It could not be reached, or its answer could not be read.
    #[error("askfirst does not answer")]
    NoAnswer(#[from] reqwest::Error),
    /// It answered with an error.
    #[error("askfirst answered {status}: {message}")]
    Refused { status: StatusCode, message: String },
    /// The key is not one environment's.
    #[error("the key opens more than one environment; use an environment's key")]
    WideKey,
}

/// What a user lacks or has, in the words of askfirst.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Allowed by a lasting role.
    Allowed,
    /// Allowed by an approval on this instance (`type:key`), which is to be spent.
    ByApproval { at: String },
    /// Denied; the sentence says what could be asked for.
    Denied { sentence: String },
}

/// What came of spending an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spending {
    /// It is spent, by us.
    Spent,
    /// There was none (any more): somebody else has spent it.
    Gone,
}

/// The connection to askfirst, for one user.
#[derive(Debug, Clone)]
pub struct Pdp {
    http: reqwest::Client,
    config: Config,
    project: String,
    environment: String,
}

#[derive(Deserialize)]
struct KeyScope {
    project_id: Option<String>,
    environment_id: Option<String>,
}

#[derive(Deserialize)]
struct Allowed {
    allow: bool,
}

#[derive(Deserialize)]
struct Explanation {
    decision: Decision,
    sentence: String,
}

#[derive(Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
enum Decision {
    Allow {
        held: RoleAt,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct RoleAt {
    role: String,
    at: Place,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    Tenant(String),
    Instance { resource: String, key: String },
}

impl Pdp {
    /// Connects, and finds out which environment the key opens.
    ///
    /// # Errors
    /// When askfirst can't be reached, or the key is not an environment's.
    pub async fn connect(config: Config) -> Result<Self, PdpError> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let mut pdp = Self { http, config, project: String::new(), environment: String::new() };
        let scope: KeyScope = pdp.call(Method::GET, "/v2/api-key/scope", None).await?.json().await?;
        let (Some(project), Some(environment)) = (scope.project_id, scope.environment_id) else {
            return Err(PdpError::WideKey);
        };
        (pdp.project, pdp.environment) = (project, environment);
        Ok(pdp)
    }

    /// The user for whom the server orders.
    pub fn user(&self) -> &str {
        &self.config.user
    }

    /// Whether the user may do something to an instance of `restaurants`; for a denial, what could be asked for.
    pub(crate) async fn may(&self, action: &str, key: &str) -> Result<Answer, PdpError> {
        let query = json!({
            "user": {"key": self.config.user},
            "action": action,
            "resource": {"type": RESOURCE, "key": key, "tenant": self.config.tenant},
            "context": {},
        });
        let answer: Allowed = self.call(Method::POST, "/allowed", Some(query)).await?.json().await?;
        if answer.allow {
            return Ok(Answer::Allowed);
        }
        // The state may have changed in between; a denial stays a denial.
        match self.explain(action, key).await? {
            Answer::Denied { sentence } => Ok(Answer::Denied { sentence }),
            Answer::Allowed | Answer::ByApproval { .. } => Ok(Answer::Denied {
                sentence: format!(
                    "{} may {action} {RESOURCE}:{key} only since this moment; try again.",
                    self.user()
                ),
            }),
        }
    }

    /// As [`Pdp::may`], and says on which role the permission rests. Decision and reason are one answer, taken from one
    /// state: to look the roles up afterwards would see a state in which another order has spent the approval already.
    pub(crate) async fn explain(&self, action: &str, key: &str) -> Result<Answer, PdpError> {
        let question = json!({
            "user": self.config.user,
            "action": action,
            "resource": format!("{RESOURCE}:{key}"),
            "tenant": self.config.tenant,
        });
        let answer: Explanation =
            self.call(Method::POST, "/api/v1/check", Some(question)).await?.json().await?;
        Ok(match answer.decision {
            Decision::Allow { held } if held.role == APPROVED => match held.at {
                Place::Instance { resource, key } => Answer::ByApproval { at: format!("{resource}:{key}") },
                Place::Tenant(tenant) => Answer::Denied {
                    sentence: format!(
                        "{} is approved for all of the tenant {tenant}, which is no approval of one order.",
                        self.user()
                    ),
                },
            },
            Decision::Allow { .. } => Answer::Allowed,
            Decision::Other => Answer::Denied { sentence: answer.sentence },
        })
    }

    /// Takes the user's `_Approved_` on an instance away. Of any number of tries at once, one gets [`Spending::Spent`].
    pub(crate) async fn spend(&self, at: &str) -> Result<Spending, PdpError> {
        let path =
            format!("/v2/facts/{}/{}/users/{}/roles", self.project, self.environment, escaped(self.user()));
        let body = json!({"role": APPROVED, "tenant": self.config.tenant, "resource_instance": at});
        match self.call(Method::DELETE, &path, Some(body)).await {
            Ok(_) => Ok(Spending::Spent),
            Err(PdpError::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(Spending::Gone),
            Err(other) => Err(other),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Response, PdpError> {
        let url = format!("{}{path}", self.config.url.trim_end_matches('/'));
        let mut request = self.http.request(method, url).bearer_auth(&self.config.api_key);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await?;
        let message = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|body| body.get("message")?.as_str().map(ToOwned::to_owned))
            .unwrap_or(text);
        Err(PdpError::Refused { status, message })
    }
}

/// A user's key as one segment of a path: of its alphabet only `|` and `+` need it.
fn escaped(key: &str) -> String {
    key.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@') {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_stay_one_segment_of_a_path() {
        assert_eq!(escaped("auth0|elon+1@x.io"), "auth0%7Celon%2B1@x.io");
        assert_eq!(escaped("../joe"), "..%2Fjoe");
    }
}
