use super::*;
use crate::checkpoint::SqliteSaver;
use async_trait::async_trait;
use std::io;

async fn chat(graph: &Graph<MessagesState>, input: &str) -> String {
    let mut out = Vec::new();
    let mut lines = PlainLines::new(input.as_bytes());
    run(graph, &thread(), Color::Off, &mut lines, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

fn lobster() -> ScriptedModel {
    ScriptedModel::new()
        .answer(AssistantMessage::text("Let me order that.").with_call(ToolCall::new(
            "x",
            "order",
            json!({"dish": "Lobster", "note": "now\u{1b}[2J"}),
        )))
        .step(|messages| {
            let Some(Message::Tool(result)) = messages.last() else { panic!("no result") };
            AssistantMessage::text(format!("It says: {}", result.content))
        })
}

#[tokio::test]
async fn a_whole_conversation() {
    let ran_calls = Ran::default();
    let text = chat(&graph(lobster(), &ran_calls), "\nI am hungry\nmaybe\n\nyes\nq\n").await;
    assert_eq!(
        text,
        r#"
Query: 

Query: I am hungry

Let me order that.
  calls order dish="Lobster" note="now\u001b[2J"

The agent wants to do this, and needs your approval:
  ┌ order
  │ dish  "Lobster"
  │ note  "now\u001b[2J"
  └
Do you approve this tool call? (yes/no) maybe
Please answer yes or no.
Do you approve this tool call? (yes/no) 
Please answer yes or no.
Do you approve this tool call? (yes/no) yes
  order answers: order done

It says: order done

Query: q
Goodbye!
"#
    );
    assert_eq!(ran(&ran_calls).len(), 1);
}

#[tokio::test]
async fn the_end_of_input_declines_and_says_so() {
    let ran_calls = Ran::default();
    let text = chat(&graph(lobster(), &ran_calls), "I am hungry\n").await;
    assert!(text.contains("There is nobody to answer, so the call is declined."), "{text}");
    assert!(text.contains("It says: The user declined your request to execute the order tool"), "{text}");
    assert_eq!(ran(&ran_calls), Vec::<String>::new());
}

#[tokio::test]
async fn two_risky_calls_are_asked_one_by_one() {
    let calls = ["Soup", "Lobster"].map(|dish| ToolCall::new(dish, "order", json!({"dish": dish})));
    let model = ScriptedModel::new().answer(AssistantMessage::calls(calls)).say("ok");
    let ran_calls = Ran::default();
    let text = chat(&graph(model, &ran_calls), "both\nyes\nno\nq\n").await;
    assert!(text.contains("these 2 things together"), "{text}");
    assert_eq!(text.matches("Do you approve this tool call?").count(), 2);
    assert_eq!(ran(&ran_calls), Vec::<String>::new(), "one no is enough");
}

/// A human who presses Ctrl-C at the second prompt.
struct Leaves(usize);

#[async_trait]
impl Lines for Leaves {
    async fn line(&mut self, _: &str) -> io::Result<Line> {
        self.0 += 1;
        Ok(if self.0 == 1 { Line::Text("I am hungry".to_owned()) } else { Line::Cancelled })
    }

    fn echoes(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_chat_that_was_left_goes_on_in_another_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chat.db");
    let ran_calls = Ran::default();
    let open = async |prefix| {
        let saver = SqliteSaver::open(&path).await.unwrap();
        graph_on(Arc::new(saver), prefix, lobster(), &ran_calls)
    };
    let mut out = Vec::new();
    run(&open("one").await, &thread(), Color::On, &mut Leaves(0), &mut out).await.unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.ends_with("The question stays open. Start the chat again to answer it.\n"), "{text}");
    assert!(text.contains("\u{1b}[2m  calls order"), "{text:?}");
    let text = chat(&open("two").await, "yes\nq\n").await;
    assert!(
        text.starts_with("This conversation waits for your answer.\n\nThe agent wants to do this"),
        "{text}"
    );
    assert!(text.contains("It says: order done"), "{text}");
    assert_eq!(ran(&ran_calls).len(), 1);
    let text = chat(&open("three").await, "").await;
    assert_eq!(text, "This conversation goes on where it was left.\n\nQuery: \nGoodbye!\n");
}

#[tokio::test]
async fn a_failed_turn_is_told_and_can_be_retried_or_dropped() {
    let graph = graph(ScriptedModel::new(), &Ran::default());
    let text = chat(&graph, "hello\nretry\nsomething else\nq\n").await;
    assert_eq!(text.matches("Error: node `call_llm` failed: the script has 0 steps").count(), 3, "{text}");
    assert!(text.contains("Type `retry` to try again"), "{text}");
    let state = graph.snapshot(&"t".into()).await.unwrap().unwrap().state;
    assert_eq!(state.messages.len(), 2, "both things the human said, the retry added nothing");
}
