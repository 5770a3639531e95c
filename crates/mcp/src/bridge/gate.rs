//! One call of somebody else's tool, put before a human: asked for, waited for, spent. A client of `/mcp` like any other;
//! what it may do is what the agent's key may do.
//!
//! It says [`Verdict::Allow`] after one use of an approval of exactly this call was spent, and in no other case.

use super::{
    BridgeConfig, BridgeError, headers,
    upstream::{Trouble, Upstream, trouble},
};
use crate::wire::LONGEST_WAIT;
use rmcp::{
    model::{
        CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, JsonObject, ServerResult,
    },
    service::{PeerRequestOptions, ServiceError},
};
use serde_json::{Value, json};
use std::{fmt, time::Duration};
use tokio::time::Instant;

/// How long one call to the server may take: the longest wait, and some time for the way.
const CALL: Duration = Duration::from_secs(LONGEST_WAIT + 40);
/// How long it rests when the server went away while a decision was waited for.
const REST: Duration = Duration::from_secs(1);

/// A call of a tool that is not ours.
#[derive(Debug, Clone, PartialEq)]
pub struct GatedCall {
    /// The tool's name.
    pub action: String,
    pub arguments: JsonObject,
    /// What else decides about it, such as the directory in which a command runs.
    pub context: JsonObject,
    /// What the reviewer reads.
    pub reason: String,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// One use is spent: the call may be made now, once, with these arguments. A reviewer may have changed them.
    Allow { arguments: JsonObject, message: String },
    /// Somebody said no, or the server refuses.
    Deny(String),
    /// Nobody has decided in time. The request stays open; once it is approved, the same call goes through.
    Undecided(String),
    /// The server can't be asked.
    Unavailable(String),
}

/// What came of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Succeeded,
    Failed,
}

/// A gate in front of another program's tools.
#[derive(Debug)]
pub struct Gate {
    upstream: Upstream,
    instance: String,
    wait: Duration,
}

/// Why a call to the server gave nothing.
#[derive(Debug)]
enum Failure {
    /// The server answered, and the answer is no.
    Refused(String),
    Trouble(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Refused(sentence) | Self::Trouble(sentence)) = self;
        f.write_str(sentence)
    }
}

impl Gate {
    /// A gate on the thing `instance` (`type:key`), whose reviewers decide; `wait`: how long they have while somebody waits.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When the configuration can't be right.
    pub fn new(config: &BridgeConfig, instance: String, wait: Duration) -> Result<Self, BridgeError> {
        let upstream = Upstream::new(&config.url, &config.api_key, headers(config)?)?;
        Ok(Self { upstream, instance, wait })
    }

    /// Asks, waits and spends. Never allows what was not spent.
    pub async fn ask(&self, call: &GatedCall) -> Verdict {
        match self.settle(call).await {
            Ok(verdict) => verdict,
            Err(Failure::Refused(sentence)) => Verdict::Deny(sentence),
            Err(Failure::Trouble(sentence)) => Verdict::Unavailable(sentence),
        }
    }

    /// Says what came of the call that was allowed last of those like this one.
    ///
    /// # Errors
    /// One sentence: no such call was allowed, or the server can't be asked.
    pub async fn record(&self, call: &GatedCall, ending: Ending, note: Option<String>) -> Result<(), String> {
        let outcome = match ending {
            Ending::Succeeded => "succeeded",
            Ending::Failed => "failed",
        };
        let mut said = self.said(call);
        said.insert("outcome".to_owned(), json!(outcome));
        said.extend(note.map(|note| ("note".to_owned(), json!(note))));
        // The same again changes nothing.
        let recorded = self.call("record_outcome", said, Trouble::may_be_repeated).await;
        recorded.map(drop).map_err(|failure| failure.to_string())
    }

    async fn settle(&self, call: &GatedCall) -> Result<Verdict, Failure> {
        let mut wish = self.said(call);
        wish.insert("reason".to_owned(), json!(call.reason));
        // Asking again for the same gives the request that is open.
        let asked = self.call("create_operation_approval", wish, Trouble::may_be_repeated).await?;
        let id = text(&asked, "id").ok_or_else(unreadable)?;
        let stands = if text(&asked, "status").as_deref() == Some("pending") {
            self.decision(&id).await?
        } else {
            asked
        };
        match text(&stands, "status").as_deref() {
            Some("approved") => self.spend(&id, call, &stands).await,
            Some("pending") => Ok(Verdict::Undecided(undecided(&stands))),
            _ => Ok(Verdict::Deny(told(&stands))),
        }
    }

    /// Waits for the decision of a request, also over a restart of the server; as it stands when the time is over.
    async fn decision(&self, id: &str) -> Result<JsonObject, Failure> {
        let end = Instant::now().checked_add(self.wait).unwrap_or_else(Instant::now);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let seconds = left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0)).min(LONGEST_WAIT);
            let wait = JsonObject::from_iter([
                ("request_id".to_owned(), json!(id)),
                ("timeout_seconds".to_owned(), json!(seconds)),
            ]);
            match self.call("wait_for_decision", wait, Trouble::may_be_repeated).await {
                Ok(stands) if text(&stands, "status").as_deref() != Some("pending") => return Ok(stands),
                // Nobody decides before a question is answered, and it does not wait meanwhile.
                Ok(stands) if stands.contains_key("question") || Instant::now() >= end => return Ok(stands),
                Ok(_) => {}
                Err(Failure::Trouble(_)) if Instant::now() < end => tokio::time::sleep(REST).await,
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Spends one use, for exactly what was approved.
    async fn spend(&self, id: &str, call: &GatedCall, approved: &JsonObject) -> Result<Verdict, Failure> {
        let arguments = approved.get("call").and_then(|call| call.get("arguments"));
        let Some(Value::Object(arguments)) = arguments else {
            return Ok(Verdict::Deny("What was approved is no call that could be made.".to_owned()));
        };
        let changed = GatedCall { arguments: arguments.clone(), ..call.clone() };
        let mut redeem = self.said(&changed);
        redeem.insert("operation_approval_id".to_owned(), json!(id));
        // Spending twice would lose a use: only what can't have arrived is sent again.
        self.call("redeem_operation_approval", redeem, Trouble::was_not_sent).await?;
        let who = text(approved, "reviewer").unwrap_or_else(|| "A reviewer".to_owned());
        let how = if changed.arguments == call.arguments { "" } else { " with changed arguments" };
        let said = text(approved, "reviewer_comment").map(|said| format!(": {said}")).unwrap_or_default();
        Ok(Verdict::Allow {
            arguments: changed.arguments,
            message: format!("{who} approved this call{how}{said}"),
        })
    }

    /// The call as the tools of the server take it.
    fn said(&self, call: &GatedCall) -> JsonObject {
        JsonObject::from_iter([
            ("resource_instance".to_owned(), json!(self.instance)),
            ("action".to_owned(), json!(call.action)),
            ("arguments".to_owned(), json!(call.arguments)),
            ("context".to_owned(), json!(call.context)),
        ])
    }

    async fn call(
        &self,
        tool: &'static str,
        arguments: JsonObject,
        again: fn(&Trouble) -> bool,
    ) -> Result<JsonObject, Failure> {
        let params = CallToolRequestParams::new(tool).with_arguments(arguments);
        let answered = self.upstream.patiently(again, || once(&self.upstream, params.clone())).await;
        let result = answered.map_err(|trouble| Failure::Trouble(self.upstream.sentence(&trouble)))?;
        if result.is_error == Some(true) {
            let sentence = result.content.first().and_then(|content| content.as_text());
            return Err(Failure::Refused(
                sentence.map_or_else(|| "The server refuses this.".to_owned(), |text| text.text.clone()),
            ));
        }
        match result.structured_content {
            Some(Value::Object(object)) => Ok(object),
            _ => Err(unreadable()),
        }
    }
}

async fn once(upstream: &Upstream, params: CallToolRequestParams) -> Result<CallToolResult, Trouble> {
    let peer = upstream.peer().await?;
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
    let options = PeerRequestOptions::with_timeout(CALL);
    let handle = peer.send_request_with_option(request, options).await.map_err(trouble)?;
    match handle.await_response().await.map_err(trouble)? {
        ServerResult::CallToolResult(result) => Ok(result),
        _ => Err(trouble(ServiceError::UnexpectedResponse)),
    }
}

fn unreadable() -> Failure {
    Failure::Trouble(
        "The server answered what can't be read here; is it another version of askfirst?".to_owned(),
    )
}

fn text(object: &JsonObject, name: &str) -> Option<String> {
    object.get(name)?.as_str().map(str::to_owned)
}

/// What a request says of itself, and what its reviewer said.
fn told(stands: &JsonObject) -> String {
    let message = text(stands, "message").unwrap_or_else(|| "This was not approved.".to_owned());
    match text(stands, "reviewer_comment") {
        Some(said) => format!("{message} They said: {said}"),
        None => message,
    }
}

fn undecided(stands: &JsonObject) -> String {
    if let (Some(_), Some(message)) = (text(stands, "question"), text(stands, "message")) {
        return format!("This call was not made. {message}");
    }
    let place = text(stands, "review_url").map(|url| format!(" at {url}")).unwrap_or_default();
    format!(
        "Nobody has decided yet whether this call may be made, so it was not made. A reviewer can decide it{place}; once it \
         is approved, exactly the same call goes through. Do something else meanwhile, and do not try it in another way."
    )
}
