use super::*;
use crate::checkpoint::SqliteSaver;
use crate::graph::{RunError, ThreadStatus};
use async_trait::async_trait;

/// Writes down what it sees and gives the next prepared answer.
#[derive(Default)]
struct Notes {
    seen: Vec<String>,
    answers: Vec<Value>,
}

#[async_trait]
impl TurnObserver for Notes {
    async fn on_assistant_text(&mut self, text: &str) {
        self.seen.push(format!("text {text}"));
    }

    async fn on_tool_call(&mut self, call: &ToolCall) {
        self.seen.push(format!("call {} {}", call.name, call.args));
    }

    async fn on_tool_result(&mut self, result: &ToolMessage) {
        self.seen.push(format!("result {} {:?} {}", result.name, result.status, result.content));
    }

    async fn on_interrupt(&mut self, interrupt: &Interrupt) -> Option<Value> {
        self.seen.push(format!("asked {}", ReviewQuestion::of(interrupt).unwrap().tool_call.name));
        if self.answers.is_empty() { None } else { Some(self.answers.remove(0)) }
    }
}

fn script() -> ScriptedModel {
    let both = AssistantMessage::text("One moment.").with_call(ToolCall::new(
        "x",
        "order",
        json!({"dish": "Lobster"}),
    ));
    ScriptedModel::new().answer(both).say("Enjoy.")
}

#[tokio::test]
async fn a_turn_tells_everything_in_order() {
    let graph = graph(script(), &Ran::default());
    let mut notes = Notes { answers: vec![json!("yes")], ..Notes::default() };
    let end = drive(&graph, &thread(), Turn::Say("Lobster!".into()), &mut notes).await.unwrap();
    assert_eq!(end, TurnEnd::Answered);
    assert_eq!(
        notes.seen,
        [
            "text One moment.",
            r#"call order {"dish":"Lobster"}"#,
            "asked order",
            "result order Success order done",
            "text Enjoy.",
        ]
    );
}

#[tokio::test]
async fn a_question_left_open_is_answered_by_another_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let ran_calls = Ran::default();
    let open = async |prefix| {
        let saver = SqliteSaver::open(&path).await.unwrap();
        graph_on(Arc::new(saver), prefix, script(), &ran_calls)
    };
    let first = open("one").await;
    let mut silent = Notes::default();
    let end = drive(&first, &thread(), Turn::Say("Lobster!".into()), &mut silent).await.unwrap();
    assert!(matches!(&end, TurnEnd::Waiting(open) if open.len() == 1));
    let error = drive(&first, &thread(), Turn::Say("Hello?".into()), &mut silent).await.unwrap_err();
    assert!(matches!(error, RunError::Interrupted { .. }), "{error}");
    drop(first);
    let second = open("two").await;
    let mut notes = Notes { answers: vec![json!("yes")], ..Notes::default() };
    let end = drive(&second, &thread(), Turn::GoOn, &mut notes).await.unwrap();
    assert_eq!(end, TurnEnd::Answered);
    assert_eq!(notes.seen, ["asked order", "result order Success order done", "text Enjoy."]);
    assert_eq!(ran(&ran_calls).len(), 1);
    let error = drive(&second, &thread(), Turn::GoOn, &mut notes).await.unwrap_err();
    assert!(matches!(error, RunError::NothingToContinue), "{error}");
}

#[tokio::test]
async fn going_on_anyway_leaves_no_call_without_a_result() {
    let graph = graph(script(), &Ran::default());
    drive(&graph, &thread(), Turn::Say("Lobster!".into()), &mut Notes::default()).await.unwrap();
    let mut notes = Notes::default();
    drive(&graph, &thread(), Turn::SayAnyway("Never mind.".into()), &mut notes).await.unwrap();
    assert_eq!(notes.seen, ["text Enjoy."]);
    let state = graph.snapshot(&"t".into()).await.unwrap().unwrap().state;
    let results = results(&state);
    assert_eq!(
        (results.len(), results[0].tool_call_id.as_str(), results[0].status),
        (1, "x", ToolStatus::Error)
    );
    assert_eq!(graph.status(&"t".into()).await.unwrap(), ThreadStatus::Finished);
}

#[tokio::test]
async fn the_script_goes_on_where_the_conversation_is() {
    let graph = graph(ScriptedModel::new().say("one").say("two"), &Ran::default());
    for expected in ["text one", "text two"] {
        let mut notes = Notes::default();
        drive(&graph, &thread(), Turn::Say("next".into()), &mut notes).await.unwrap();
        assert_eq!(notes.seen, [expected]);
    }
    let error = drive(&graph, &thread(), Turn::Say("next".into()), &mut Notes::default()).await.unwrap_err();
    assert!(error.to_string().contains("the script has 2 steps and was asked for step 3"), "{error}");
}
