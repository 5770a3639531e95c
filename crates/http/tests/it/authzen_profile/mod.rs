//! The AuthZEN Access Request and Approval Profile, check by check: each test has its number in the list of 107 checks that
//! the profile's rules come to. The world is the family's: henry may not read pizza-palace and may not operate its truffle
//! pizza; joe and jane decide.

mod bundles;
mod callbacks;
mod cancel;
mod completion;
mod denial;
mod discovery;
mod idempotency;
mod pep;
mod reevaluation;
mod submission;
mod tasks;

use crate::support::{Answer, Client, Server};
use askfirst_domain::Ident;
use askfirst_engine::{
    Acting, EnvScope, Page, Secret, Settings,
    delivery::Callbacks,
    requests::{Approve, Decide, Verdict},
};
use askfirst_http::Options;
use serde_json::{Value, json};

pub(super) const BASE: &str = "https://pdp.example";
pub(super) const EVALUATION: &str = "/access/v1/evaluation";
pub(super) const REQUESTS: &str = "/access/v1/requests";
/// How the types of the profile's errors begin.
const ERROR: &str = "urn:openid:authzen:access-request:error:";
/// The minutes and a little for which a denial can be asked about.
pub(super) const ASKABLE: std::time::Duration = std::time::Duration::from_secs(601);

/// A server with the family in it.
pub(super) struct World {
    pub(super) server: Server,
}

/// A question and how it was denied.
#[derive(Debug, Clone)]
pub(super) struct Denied {
    pub(super) question: Value,
    pub(super) context: Value,
}

impl World {
    pub(super) async fn start() -> Self {
        Self::start_with(None).await
    }

    pub(super) async fn start_with(callbacks: Option<Callbacks>) -> Self {
        let settings = Settings { public_url: BASE.to_owned(), callbacks, ..Settings::default() };
        let server = Server::start_within(Options::default(), settings).await;
        let world = Self { server };
        world.apply(include_str!("../../../../../examples/family/policy.yaml")).await;
        world
    }

    /// The same installation at another address.
    pub(super) async fn moved_to(self, public_url: &str) -> Self {
        let settings = Settings { public_url: public_url.to_owned(), ..Settings::default() };
        Self { server: self.server.restarted(settings).await }
    }

    /// What holds for the requests of an element.
    pub(super) async fn terms(&self, element: &str, terms: Value) {
        self.pep().put(&format!("/api/v1/elements/{element}/terms"), terms).await;
    }

    /// Applies a policy file.
    pub(super) async fn apply(&self, file: &str) {
        let request = http::Request::put("/api/v1/policy").header("authorization", "Bearer key-of-dev");
        let request = request.body(axum::body::Body::from(file.to_owned())).unwrap();
        let answer = tower::ServiceExt::oneshot(self.server.router.clone(), request).await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    /// The enforcement point.
    pub(super) fn pep(&self) -> Client<'_> {
        self.server.dev()
    }

    /// The secret of another key of the same environment.
    pub(super) async fn other_key(&self) -> String {
        let made = self.server.org().post("/api/v1/keys", json!({"project": "default", "env": "dev"})).await;
        made["secret"].as_str().unwrap().to_owned()
    }

    /// What an evaluation answers.
    pub(super) async fn evaluate(&self, question: &Value) -> Value {
        self.pep().post(EVALUATION, question.clone()).await
    }

    /// An evaluation that is denied and can be asked about.
    pub(super) async fn denied(&self, question: Value) -> Denied {
        let answer = self.evaluate(&question).await;
        assert_eq!(answer["decision"], false, "{answer}");
        assert!(answer["context"]["access_request"].is_object(), "{answer}");
        Denied { question, context: answer["context"].clone() }
    }

    pub(super) async fn submit(&self, submission: &Value) -> Answer {
        self.pep().send("POST", REQUESTS, Some(submission)).await
    }

    pub(super) async fn submit_under(&self, key: &str, submission: &Value) -> Answer {
        let header = [("idempotency-key", key)];
        self.pep().send_with("POST", REQUESTS, Some(submission), &header).await
    }

    /// The submission must be taken; answers it.
    pub(super) async fn submitted(&self, submission: &Value) -> Value {
        let answer = self.submit(submission).await;
        assert_eq!(answer.status, 202, "{submission}: {answer:?}");
        answer.body
    }

    /// A question that is denied and asked for.
    pub(super) async fn asked(&self, question: Value) -> Value {
        self.submitted(&self.denied(question).await.submission()).await
    }

    /// The approval of a question.
    pub(super) async fn approved(&self, question: Value) -> Value {
        let task = self.asked(question).await;
        self.decide_all("joe", true).await;
        let read = self.task(&task).await;
        assert_eq!(read["task"]["status"], "approved", "{read}");
        read["result"]["approval"].clone()
    }

    /// Where a task stands.
    pub(super) async fn task(&self, task: &Value) -> Value {
        self.pep().get(&path(&task["task"]["status_endpoint"])).await
    }

    pub(super) async fn scope(&self) -> EnvScope {
        let engine = &self.server.engine;
        let op = engine.authenticate(&Secret::presented("key-of-dev")).await.unwrap();
        engine.enter_own(op).await.unwrap()
    }

    pub(super) async fn acting(&self, user: &str) -> Acting {
        self.scope().await.act_for(&Ident::from(user)).await.unwrap()
    }

    /// What a person could decide, newest first.
    pub(super) async fn inbox(&self, user: &str) -> Vec<Ident> {
        let listed = self.acting(user).await.inbox(Page::ALL).await.unwrap();
        listed.items.into_iter().map(|view| Ident::from(view.request.id.uuid())).collect()
    }

    /// Decides one request.
    pub(super) async fn decide(&self, user: &str, request: &Ident, approve: bool) {
        let approve = if approve { Verdict::Approve(Approve::default()) } else { Verdict::Deny };
        let decide = Decide { approve, comment: None };
        self.acting(user).await.decide(request, decide).await.unwrap();
    }

    /// Decides all that somebody could decide, oldest first.
    pub(super) async fn decide_all(&self, user: &str, approve: bool) {
        for request in self.inbox(user).await.iter().rev() {
            self.decide(user, request, approve).await;
        }
    }

    /// The evaluation with an approval.
    pub(super) async fn reevaluate(&self, question: &Value, approval: &Value) -> Value {
        let mut question = question.clone();
        question["context"]["approval"] = approval.clone();
        self.evaluate(&question).await
    }
}

impl Denied {
    /// The denial, to be sent back.
    pub(super) fn denial(&self) -> Value {
        json!({
            "evaluation_id": self.context["evaluation_id"],
            "evaluated_at": self.context["evaluated_at"],
            "expires_at": self.context["access_request"]["expires_at"],
            "reason": self.context["reason"],
            "binding_token": self.context["access_request"]["binding_token"],
            "template": self.context["access_request"]["template"],
        })
    }

    /// What a client submits.
    pub(super) fn submission(&self) -> Value {
        let mut all = self.question.clone();
        all["denial"] = self.denial();
        all["context"]["justification"] = json!("I am hungry.");
        all
    }

    /// The same with a change.
    pub(super) fn but(&self, change: impl FnOnce(&mut Value)) -> Value {
        let mut all = self.submission();
        change(&mut all);
        all
    }

    /// The same by the evaluation's id alone.
    pub(super) fn by_id(&self) -> Value {
        self.but(|all| {
            all["denial"].as_object_mut().unwrap().remove("binding_token");
        })
    }

    /// The same by the token alone.
    pub(super) fn by_token(&self) -> Value {
        self.but(|all| {
            all["denial"].as_object_mut().unwrap().remove("evaluation_id");
        })
    }
}

/// May henry read a restaurant? With everything that a question can have.
pub(super) fn reading(restaurant: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": "henry", "properties": {"department": "kids", "age": 12}},
        "resource": {"type": "restaurants", "id": restaurant, "properties": {"stars": 3, "tags": ["a", "b"]}},
        "action": {"name": "read", "properties": {"page": 1}},
        "context": {"ip": "203.0.113.9", "device": {"os": "linux", "trusted": true}, "time": "2026-09-21T10:00:00Z"},
    })
}

/// May henry order a dish?
pub(super) fn ordering(dish: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": "henry"},
        "resource": {"type": "restaurants", "id": dish},
        "action": {"name": "operate", "properties": {"amount": 24.5}},
        "context": {"channel": "app"},
    })
}

/// The path of one of our addresses.
pub(super) fn path(url: &Value) -> String {
    let url = url.as_str().unwrap();
    url.strip_prefix(BASE).unwrap_or_else(|| panic!("{url} is not at {BASE}")).to_owned()
}

/// The refusal must be this one of the profile's.
pub(super) fn assert_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.body["type"], format!("{ERROR}{error}"), "{answer:?}");
    assert_eq!(answer.body["status"], status, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(detail.ends_with('.') && detail.contains(' '), "not a sentence: {detail}");
}
