//! Requests as the server's API gives them.

use crate::client::{Client, segment};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A request.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    pub(crate) requester: Person,
    pub(crate) role: String,
    /// What an approval permits.
    pub(crate) actions: Vec<String>,
    /// `type:key`, or `tenant KEY`.
    pub(crate) place: String,
    pub(crate) element: String,
    /// Written by the requester or their agent.
    pub(crate) reason: String,
    pub(crate) reviewer: Option<Person>,
    /// In whose place they decided.
    #[serde(default)]
    pub(crate) reviewer_for: Option<Person>,
    /// In whose place this user may decide.
    #[serde(default)]
    pub(crate) may_stand_for: Vec<Person>,
    pub(crate) reviewer_comment: Option<String>,
    pub(crate) created_at: String,
    /// From then on it can't be decided any more.
    pub(crate) deadline: Option<String>,
    /// How far each threshold is.
    #[serde(default)]
    pub(crate) thresholds: Vec<Votes>,
    /// What reviewers have asked.
    #[serde(default)]
    pub(crate) questions: Vec<Question>,
    /// The one call that it is for.
    pub(crate) call: Option<Call>,
    /// The digest of what is shown; a decision that names it holds for exactly this.
    pub(crate) shown: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    AccessRequest,
    OperationApproval,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Pending,
    Approved,
    Denied,
    Canceled,
    Expired,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Person {
    pub(crate) key: String,
    pub(crate) name: String,
}

impl Person {
    /// `Henry (henry)`, or the key alone.
    pub(crate) fn shown(&self) -> String {
        if self.name == self.key { self.key.clone() } else { format!("{} ({})", self.name, self.key) }
    }
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<Request>,
}

/// A call, to be looked at before it is made.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Call {
    pub(crate) digest: String,
    pub(crate) action: String,
    pub(crate) arguments: Value,
    pub(crate) context: Map<String, Value>,
}

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Approve,
    Deny,
}

impl Verb {
    fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
        }
    }
}

/// What is said with a decision.
#[derive(Debug, Clone, Default)]
pub(crate) struct Word {
    pub(crate) comment: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) lasts: Option<String>,
    pub(crate) arguments: Option<Value>,
    pub(crate) shown: Option<String>,
    /// In whose place it is said.
    pub(crate) stands_for: Option<String>,
}

/// A threshold, and how far it is.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Votes {
    pub(crate) name: String,
    pub(crate) approvals: u32,
    pub(crate) approve: u32,
}

/// A question of a reviewer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Question {
    pub(crate) by: String,
    pub(crate) text: String,
    pub(crate) answer: Option<String>,
}

/// One user's inbox.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    client: Client,
    user: String,
}

impl Inbox {
    pub(crate) fn new(client: Client, user: String) -> Self {
        Self { client, user }
    }

    /// Whose it is.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// What waits for this user.
    pub(crate) async fn waiting(&self) -> anyhow::Result<Vec<Request>> {
        let listed: Listed =
            self.client.get("/api/v1/inbox", &[("user", &self.user), ("per_page", "100")]).await?;
        Ok(listed.data)
    }

    /// All requests that this user may see, newest first, a hundred at most.
    pub(crate) async fn all(&self) -> anyhow::Result<Vec<Request>> {
        let query = [("user", self.user.as_str()), ("per_page", "100")];
        let listed: Listed = self.client.get("/api/v1/requests", &query).await?;
        Ok(listed.data)
    }

    /// One request.
    pub(crate) async fn get(&self, id: &str) -> anyhow::Result<Request> {
        self.client.get(&format!("/api/v1/requests/{}", segment(id)), &[("user", &self.user)]).await
    }

    /// Asks the requester something.
    pub(crate) async fn ask(&self, id: &str, question: &str) -> anyhow::Result<Request> {
        let path = format!("/api/v1/requests/{}/questions", segment(id));
        self.client.post(&path, &[("user", &self.user)], &json!({"text": question})).await
    }

    /// Decides. With `shown`, only if the request still is what was shown.
    pub(crate) async fn decide(&self, id: &str, verb: Verb, word: Word) -> anyhow::Result<Request> {
        let Word { comment, role, lasts, arguments, shown, stands_for } = word;
        let mut members: Map<String, Value> = [
            ("comment", comment),
            ("role", role),
            ("lasts", lasts),
            ("shown", shown),
            ("stands_for", stands_for),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect();
        members.extend(arguments.map(|arguments| ("arguments".to_owned(), arguments)));
        let path = format!("/api/v1/requests/{}/{}", segment(id), verb.as_str());
        self.client.post(&path, &[("user", &self.user)], &Value::Object(members)).await
    }
}
