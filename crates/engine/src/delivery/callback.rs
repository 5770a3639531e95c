//! Calling back whoever submitted an access request: where that is allowed, signed like all that we send.

use super::{
    SigningSecret,
    letter::{Letter, Proof, Turned},
};
use crate::{
    Engine, EnvScope,
    authzen::{Rejection, TaskRead},
    error::Result,
};
use askfirst_domain::{
    audit::OutboxItem,
    id::RequestId,
    request::{Request, Status},
    task::TaskStatus,
};
use askfirst_store::Queued;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt;
use uuid::Uuid;

/// The topic of what submitters are told.
pub(crate) const TOPIC: &str = "access.task";
/// Stands for all submitters among receivers.
const RECEIVER: Uuid = Uuid::from_u128(2);

/// Where submitters may be called back, and what calls are signed with.
#[derive(Clone)]
pub struct Callbacks {
    allowed: Vec<Url>,
    pub(super) secret: SigningSecret,
}

impl fmt::Debug for Callbacks {
    /// An address may hold a secret of its receiver.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callbacks(…)")
    }
}

impl Callbacks {
    /// Those below these addresses: the same scheme, host and port, and a path that begins so. None when one of them is no
    /// address of a server.
    pub fn new<'u>(allowed: impl IntoIterator<Item = &'u str>, secret: SigningSecret) -> Option<Self> {
        let parse = |text: &str| Url::parse(text).ok().filter(is_server);
        Some(Self { allowed: allowed.into_iter().map(parse).collect::<Option<_>>()?, secret })
    }

    /// Whether an address may be called.
    pub fn allows(&self, endpoint: &str) -> bool {
        let Ok(url) = Url::parse(endpoint) else { return false };
        let below = |allowed: &Url| {
            let path = allowed.path().trim_end_matches('/');
            let rest = url.path().strip_prefix(path);
            url.origin() == allowed.origin()
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        is_server(&url) && self.allowed.iter().any(below)
    }
}

fn is_server(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http")
        && url.host_str().is_some()
        && url.username().is_empty()
        && url.password().is_none()
}

/// The outbox row for a request that has ended and that a submission opened.
pub(crate) fn call_back(scope: &EnvScope, request: &Request) -> Result<Option<OutboxItem>> {
    let Some(link) = request.task.as_ref().filter(|_| request.status != Status::Pending) else {
        return Ok(None);
    };
    if scope.engine.settings().callbacks.is_none() {
        return Ok(None);
    }
    Ok(Some(OutboxItem {
        id: scope.engine.fresh_id::<()>(&scope.op)?.uuid(),
        topic: TOPIC.to_owned(),
        receiver: Some(RECEIVER),
        payload: json!({"task": link.task, "request": request.id}),
        created_at: scope.op.now,
    }))
}

/// A request of a task has ended.
#[derive(Debug, Deserialize)]
pub(super) struct Moved {
    task: String,
    request: RequestId,
}

impl Engine {
    /// The call of a submitter. The last item of a task that ends makes it; what the others left is for nobody.
    pub(super) async fn to_submitter(&self, queued: &Queued, moved: Moved) -> Result<Turned> {
        let Some(callbacks) = &self.settings().callbacks else {
            return Ok(Turned::Stuck("this server calls no submitter back".to_owned()));
        };
        if self.directory().get().environment_by_id(queued.env).is_none() {
            return Ok(Turned::Nobody);
        }
        let scope = self.enter_as_system(queued.env, "callback").await?;
        let read = match scope.access_task(&moved.task).await {
            Ok(read) => read,
            Err(Rejection::Other(error)) => return Err(error),
            Err(Rejection::Profile(..)) => return Ok(Turned::Nobody),
        };
        let last = read.last_moved.and_then(|(_, n)| read.items.get(n));
        let is_last = last.is_some_and(|item| item.item.request == moved.request);
        let Some(callback) = read.task.callback.as_ref().filter(|_| is_last) else {
            return Ok(Turned::Nobody);
        };
        let wanted = callback.events.as_ref().is_none_or(|events| events.contains(&read.status));
        if read.status == TaskStatus::Pending || !wanted {
            return Ok(Turned::Nobody);
        }
        // The operator may have changed their mind since.
        if !callbacks.allows(&callback.endpoint) {
            return Ok(Turned::Stuck("its address is not allowed any more".to_owned()));
        }
        let mut body = Map::new();
        body.extend(callback.state.clone().map(|state| ("state".to_owned(), state)));
        body.extend(told(&scope, &read));
        Ok(Turned::Letter(Letter {
            url: callback.endpoint.clone(),
            body: Value::Object(body).to_string().into_bytes(),
            proof: Proof::Signature(callbacks.secret.clone()),
        }))
    }
}

/// A task as it is told to its submitter.
fn told(scope: &EnvScope, read: &TaskRead) -> Map<String, Value> {
    match json!(read.wire(&scope.engine.settings().public_url)) {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_below_an_allowed_address_is_called() {
        let secret: SigningSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        assert!(Callbacks::new(["pep"], secret.clone()).is_none());
        let callbacks = Callbacks::new(["https://pep.example/hooks/", "https://[::1]:9/"], secret).unwrap();
        for allowed in ["https://pep.example/hooks", "https://pep.example/hooks/a?b=c", "https://[::1]:9/x"] {
            assert!(callbacks.allows(allowed), "{allowed}");
        }
        for refused in [
            "http://pep.example/hooks",
            "https://pep.example/hooksmith",
            "https://pep.example/",
            "https://pep.example/hooks/../admin",
            "https://pep.example:8443/hooks",
            "https://pep.example.evil.example/hooks",
            "https://pep.example@evil.example/hooks",
            "https://user:word@pep.example/hooks",
            "https://127.0.0.1/hooks",
            "ftp://pep.example/hooks",
            "hooks",
        ] {
            assert!(!callbacks.allows(refused), "{refused}");
        }
    }
}
