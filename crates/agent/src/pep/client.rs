//! An enforcement point that calls a server: it evaluates, asks about what was denied, follows the task, and evaluates again
//! with the approval. It says whether something may be done, and does nothing itself.

use super::{Decision, Next, NotThere, Places, Progress, Timestamp, answer::is_over, decision, progress};
use crate::tls;
use futures::{FutureExt as _, future::BoxFuture};
use reqwest::{Method, StatusCode, Url, header::RETRY_AFTER, redirect::Policy};
use serde_json::{Value, json};
use std::{fmt, time::Duration};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first wait between two looks at a task; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait between two looks.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 1024 * 1024;
/// How often a denial that says "try again" is evaluated again.
const RETRIES: u32 = 10;

/// Why nothing is known. Whoever enforces does nothing then.
#[derive(Debug, thiserror::Error)]
pub enum PepError {
    #[error("{0}")]
    Provider(&'static str),
    #[error("`{0}` is not the address of a server")]
    Address(String),
    #[error("no answer from {0}")]
    Unreachable(String),
    #[error("{place} answered {status}{}", .told.as_ref().map(|told| format!(": {told}")).unwrap_or_default())]
    Refused { place: String, status: StatusCode, told: Option<String> },
    #[error("{0} answered what no decision point or access request service answers")]
    NotUnderstood(String),
    #[error(transparent)]
    Elsewhere(#[from] NotThere),
}

/// What the rest of the process gives: the time, and chance.
pub trait Surroundings: Send + Sync {
    /// Now, as RFC 3339 in UTC writes it.
    fn now(&self) -> String;
    /// A number from 0 to 255, for waits of many that are not to come at the same moment.
    fn chance(&self) -> u8;
    /// A text that nobody has used before, of at least 128 random bits.
    fn fresh(&self) -> String;
}

/// What is to be done, by whom, to what.
#[derive(Debug, Clone)]
pub struct Question {
    pub subject: Value,
    pub action: Value,
    pub resource: Value,
    /// An object.
    pub context: Value,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Permit,
    /// With what the server says why, for a person.
    Deny(Option<String>),
    /// It could be asked about, and was not, since there is nothing to say why.
    CouldAsk(Option<String>),
}

/// An enforcement point on one server, with one credential.
pub struct Pep {
    http: reqwest::Client,
    key: String,
    places: Places,
    evaluation: Url,
    requests: Option<Url>,
}

impl fmt::Debug for Pep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pep").field("evaluation", &self.evaluation.as_str()).finish_non_exhaustive()
    }
}

/// A task that is followed.
struct Task {
    place: Url,
    cancel: Option<Url>,
    ends: Option<String>,
}

/// An answer, and how long it asks to be left alone.
struct Told {
    value: Value,
    again_after: Option<Duration>,
}

impl Pep {
    /// Asks the server where it evaluates. Addresses that it names are called at its own origin, or at an allowed one.
    ///
    /// # Errors
    /// See [`PepError`].
    pub async fn discover(
        server: &str,
        key: String,
        allowed: impl IntoIterator<Item = Url>,
    ) -> Result<Self, PepError> {
        if !tls::provider_is_installed() {
            return Err(PepError::Provider(tls::NO_PROVIDER));
        }
        let base: Url = server.parse().map_err(|_| PepError::Address(server.to_owned()))?;
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy();
        let http = client.build().map_err(|_| PepError::Address(server.to_owned()))?;
        let at = format!("{}/.well-known/authzen-configuration", server.trim_end_matches('/'));
        let at: Url = at.parse().map_err(|_| PepError::Address(server.to_owned()))?;
        let places = Places::new(base, allowed);
        let mut pep = Self { http, key, places, evaluation: at.clone(), requests: None };
        let found = pep.call(Method::GET, &at, None, None).await?.value;
        let named = |name: &str| found.get(name).and_then(Value::as_str);
        let Some(evaluation) = named("access_evaluation_endpoint") else {
            return Err(PepError::NotUnderstood(place(&at)));
        };
        pep.evaluation = pep.places.allowed(evaluation)?;
        pep.requests = named("access_request_endpoint").map(|url| pep.places.allowed(url)).transpose()?;
        Ok(pep)
    }

    /// Whether it may be done, now or within `wait`. With `why` it is asked for when it is denied and can be. When `stop` comes
    /// first, what was asked is withdrawn and it is a denial.
    ///
    /// # Errors
    /// See [`PepError`]; nothing may be done then.
    pub async fn may(
        &self,
        question: &Question,
        why: Option<&str>,
        wait: Duration,
        around: &dyn Surroundings,
        stop: BoxFuture<'_, ()>,
    ) -> Result<Outcome, PepError> {
        let stop = stop.shared();
        let answer = self.evaluate(question, None).await?;
        let (answer, request) = match self.settle(question, None, answer, &stop).await? {
            (_, Decision::Permit) => return Ok(Outcome::Permit),
            (answer, Decision::Deny(Next::Ask(request))) => (answer, request),
            (answer, Decision::Deny(_)) => return Ok(Outcome::Deny(explanation(&answer))),
        };
        let Some(why) = why else { return Ok(Outcome::CouldAsk(explanation(&answer))) };
        let told = self.submit(question, &answer, &request, why, around).await?;
        let task = self.task(&told.value)?;
        let followed = self.follow(&task, told, around);
        let approval = tokio::select! {
            followed = tokio::time::timeout(wait, followed) => followed,
            () = stop.clone() => {
                self.withdraw(&task).await;
                return Ok(Outcome::Deny(Some("It was withdrawn before anybody decided.".to_owned())));
            }
        };
        let Ok(followed) = approval else {
            self.withdraw(&task).await;
            return Ok(Outcome::Deny(Some("Nobody decided in time; the request was withdrawn.".to_owned())));
        };
        let Some(approval) = followed? else {
            return Ok(Outcome::Deny(Some("It was asked for, and not approved.".to_owned())));
        };
        let answer = self.evaluate(question, Some(&approval)).await?;
        Ok(match self.settle(question, Some(&approval), answer, &stop).await? {
            (_, Decision::Permit) => Outcome::Permit,
            (answer, Decision::Deny(_)) => Outcome::Deny(explanation(&answer)),
        })
    }

    /// Evaluates again as long as the answer says so.
    async fn settle(
        &self,
        question: &Question,
        approval: Option<&Value>,
        mut answer: Value,
        stop: &(impl Future<Output = ()> + Clone),
    ) -> Result<(Value, Decision), PepError> {
        for _ in 0..RETRIES {
            let Decision::Deny(Next::Retry(after)) = decision(&answer) else { break };
            tokio::select! {
                () = tokio::time::sleep(after.min(LONGEST_WAIT)) => {}
                () = stop.clone() => break,
            }
            answer = self.evaluate(question, approval).await?;
        }
        let read = decision(&answer);
        Ok((answer, read))
    }

    async fn evaluate(&self, question: &Question, approval: Option<&Value>) -> Result<Value, PepError> {
        let mut context = question.context.clone();
        if let (Some(members), Some(approval)) = (context.as_object_mut(), approval) {
            members.insert("approval".to_owned(), approval.clone());
        }
        let body = asked(question, &context);
        Ok(self.call(Method::POST, &self.evaluation, Some(&body), None).await?.value)
    }

    /// Submits a denial as it was answered, with why and nothing else that was not evaluated.
    async fn submit(
        &self,
        question: &Question,
        answer: &Value,
        request: &Value,
        why: &str,
        around: &dyn Surroundings,
    ) -> Result<Told, PepError> {
        let place = match request.get("endpoint").and_then(Value::as_str) {
            Some(named) => self.places.allowed(named)?,
            None => self.requests.clone().ok_or_else(|| PepError::NotUnderstood(place(&self.evaluation)))?,
        };
        let mut context = question.context.clone();
        if let Some(members) = context.as_object_mut() {
            members.insert("justification".to_owned(), why.into());
        }
        let mut body = asked(question, &context);
        let mut denial = json!({});
        let said = answer.get("context").unwrap_or(&Value::Null);
        for (of, name) in [
            (said, "evaluation_id"),
            (said, "evaluated_at"),
            (said, "reason"),
            (request, "expires_at"),
            (request, "binding_token"),
            (request, "template"),
        ] {
            if let (Some(members), Some(value)) = (denial.as_object_mut(), of.get(name)) {
                members.insert(name.to_owned(), value.clone());
            }
        }
        if let Some(members) = body.as_object_mut() {
            members.insert("denial".to_owned(), denial);
        }
        let key = around.fresh();
        // What got lost on the way is sent once more, and is the same submission.
        match self.call(Method::POST, &place, Some(&body), Some(&key)).await {
            Err(PepError::Unreachable(_)) => self.call(Method::POST, &place, Some(&body), Some(&key)).await,
            other => other,
        }
    }

    fn task(&self, told: &Value) -> Result<Task, PepError> {
        let named = |pointer: &str| told.pointer(pointer).and_then(Value::as_str);
        let place =
            named("/task/status_endpoint").ok_or_else(|| PepError::NotUnderstood(place(&self.evaluation)))?;
        Ok(Task {
            place: self.places.allowed(place)?,
            cancel: named("/task/links/cancel").map(|url| self.places.allowed(url)).transpose()?,
            ends: named("/task/expires_at").map(ToOwned::to_owned),
        })
    }

    /// The approval, when there is one in the end.
    async fn follow(
        &self,
        task: &Task,
        mut told: Told,
        around: &dyn Surroundings,
    ) -> Result<Option<Value>, PepError> {
        let mut wait = FIRST_WAIT;
        loop {
            let now = around.now();
            match progress(&told.value, Timestamp(&now)) {
                Progress::Present(approval) => return Ok(Some(approval)),
                Progress::Over => return Ok(None),
                Progress::Wait if task.ends.as_deref().is_some_and(|end| is_over(end, Timestamp(&now))) => {
                    return Ok(None);
                }
                Progress::Wait => {}
            }
            // Up to a quarter longer, so that many who wait do not come at the same moment.
            let pause = wait + wait / 4 * u32::from(around.chance()) / 255;
            tokio::time::sleep(pause.max(told.again_after.unwrap_or_default())).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            told = match self.call(Method::GET, &task.place, None, None).await {
                Ok(told) => told,
                // A server that is away for a moment has not decided anything.
                Err(PepError::Unreachable(_)) => Told { value: told.value, again_after: Some(wait) },
                Err(PepError::Refused { status, .. }) if status.is_server_error() => {
                    Told { value: told.value, again_after: Some(wait) }
                }
                Err(error) => return Err(error),
            };
        }
    }

    /// Nobody waits any more. Whether it still could be withdrawn changes nothing for whoever asked.
    async fn withdraw(&self, task: &Task) {
        if let Some(place) = &task.cancel
            && let Err(error) = self.call(Method::POST, place, Some(&json!({})), None).await
        {
            tracing::warn!(%error, "a request that nobody waits for could not be withdrawn");
        }
    }

    async fn call(
        &self,
        method: Method,
        to: &Url,
        body: Option<&Value>,
        idempotency: Option<&str>,
    ) -> Result<Told, PepError> {
        let mut request = self.http.request(method, to.clone()).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(key) = idempotency {
            request = request.header("idempotency-key", key);
        }
        // The library's error may hold the address, which may be a secret.
        let mut answer = request.send().await.map_err(|_| PepError::Unreachable(place(to)))?;
        let status = answer.status();
        let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let again_after = seconds.map(Duration::from_secs);
        let mut text = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|_| PepError::Unreachable(place(to)))? {
            text.extend_from_slice(&part);
            if text.len() > LONGEST_ANSWER {
                return Err(PepError::NotUnderstood(place(to)));
            }
        }
        let value: Option<Value> = serde_json::from_slice(&text).ok();
        if !status.is_success() {
            let told = value.as_ref().and_then(|value| value.get("detail")?.as_str()).map(ToOwned::to_owned);
            return Err(PepError::Refused { place: place(to), status, told });
        }
        match value {
            Some(value) => Ok(Told { value, again_after }),
            None => Err(PepError::NotUnderstood(place(to))),
        }
    }
}

/// Where something is, without what may be a secret.
fn place(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn asked(question: &Question, context: &Value) -> Value {
    let Question { subject, action, resource, .. } = question;
    json!({"subject": subject, "action": action, "resource": resource, "context": context})
}

fn explanation(answer: &Value) -> Option<String> {
    answer.pointer("/context/explanation").and_then(Value::as_str).map(ToOwned::to_owned)
}
