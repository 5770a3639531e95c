//! A small enforcement point: it evaluates, asks for what was denied, follows the task and evaluates again.

use super::{Denied, World};
use serde_json::{Value, json};

pub(super) struct Pep<'w> {
    world: &'w World,
}

/// How a task stands for whoever wants to go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Wait,
    /// Evaluate again, with this approval.
    Present(Value),
    Over,
}

impl<'w> Pep<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        Self { world }
    }

    /// Only a decision that is true is a permit.
    pub(super) fn is_permit(answer: &Value) -> bool {
        answer.get("decision") == Some(&Value::Bool(true))
    }

    /// A status or mode that is not known is no approval.
    pub(super) fn progress(answer: &Value) -> Progress {
        match answer["task"]["status"].as_str() {
            Some("pending") => Progress::Wait,
            Some("approved") if answer["result"]["mode"] == "reevaluate" => {
                Progress::Present(answer["result"]["approval"].clone())
            }
            _ => Progress::Over,
        }
    }

    pub(super) async fn may(&self, question: &Value) -> bool {
        Self::is_permit(&self.world.evaluate(question).await)
    }

    /// Asks for what is denied; `decide` stands for the people. Says whether it may be done in the end.
    pub(super) async fn ask_and_do<F: Future<Output = ()>>(&self, question: &Value, decide: F) -> bool {
        let answer = self.world.evaluate(question).await;
        if Self::is_permit(&answer) {
            return true;
        }
        let denied = Denied { question: question.clone(), context: answer["context"].clone() };
        let task = self.world.submitted(&denied.submission()).await;
        if Self::progress(&task) != Progress::Wait {
            return false;
        }
        decide.await;
        match Self::progress(&self.world.task(&task).await) {
            Progress::Present(approval) => Self::is_permit(&self.world.reevaluate(question, &approval).await),
            Progress::Wait | Progress::Over => false,
        }
    }
}

#[tokio::test]
async fn what_is_asked_for_and_approved_may_be_done() {
    let world = World::start().await;
    let (pep, question) = (Pep::new(&world), super::ordering("pizza-palace_truffle-pizza"));
    for approve in [false, true] {
        let done = Box::pin(pep.ask_and_do(&question, world.decide_all("joe", approve)));
        assert_eq!(done.await, approve);
    }
}

#[test]
fn what_is_not_known_is_no_approval() {
    let approved =
        json!({"task": {"status": "approved"}, "result": {"mode": "reevaluate", "approval": {"id": "a"}}});
    assert_eq!(Pep::progress(&approved), Progress::Present(json!({"id": "a"})));
    let mut other = approved.clone();
    other["result"]["mode"] = json!("token");
    assert_eq!(Pep::progress(&other), Progress::Over);
    let mut other = approved.clone();
    other["task"]["status"] = json!("approved_soon");
    assert_eq!(Pep::progress(&other), Progress::Over);
    assert_eq!(Pep::progress(&json!({})), Progress::Over);
    assert_eq!(
        Pep::progress(&json!({"task": {"status": "pending"}, "result": approved["result"]})),
        Progress::Wait
    );
}
