//! henry's agent without a language model: it knows what to do next from what the tools have answered, and nothing else.
//!
//! It reads the dish from henry's words and the menu, what is lacking from the refusal, what could be asked for from
//! `check_permission`, and the request's id and the decision from the answers to asking and waiting.

use askfirst_agent::{
    messages::{AssistantMessage, Message, Part, ToolCall, ToolMessage, ToolStatus},
    model::{ChatModel, ModelError},
    tools::ToolSpec,
};
use async_trait::async_trait;
use serde_json::{Value, json};

/// How long one wait may take, in seconds.
const WAIT: u64 = 45;

/// The agent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ScriptedAgent;

#[async_trait]
impl ChatModel for ScriptedAgent {
    async fn complete(&self, messages: &[Message], _: &[ToolSpec]) -> Result<AssistantMessage, ModelError> {
        let turn = Turn::of(messages);
        let id = format!("call_{}", messages.len());
        Ok(match next(&turn) {
            Next::Say(text) => AssistantMessage::text(text),
            Next::Call { says, tool, args } => {
                let mut message = AssistantMessage::default();
                message.parts.extend(says.map(|text| Part::Text { text }));
                message.with_call(ToolCall::new(id, tool, args))
            }
        })
    }
}

/// What henry said last, and what has happened since.
struct Turn<'a> {
    wish: &'a str,
    /// The menu, if it was looked at before.
    menu: Option<&'a str>,
    calls: Vec<&'a ToolCall>,
    results: Vec<&'a ToolMessage>,
}

impl<'a> Turn<'a> {
    fn of(messages: &'a [Message]) -> Self {
        let said = messages.iter().rposition(|message| matches!(message, Message::User(_)));
        let (before, since) = messages.split_at(said.map_or(0, |at| at + 1));
        let wish = match before.last() {
            Some(Message::User(text)) => text.content.as_str(),
            _ => "",
        };
        let calls =
            since.iter().filter_map(Message::as_assistant).flat_map(AssistantMessage::tool_calls).collect();
        let results = since.iter().filter_map(result_of).collect();
        let menu = before.iter().rev().filter_map(result_of).find(|result| result.name == "list_dishes");
        Self { wish, menu: menu.map(|result| result.content.as_str()), calls, results }
    }

    /// The arguments of the last call of a tool.
    fn asked(&self, tool: &str) -> Option<&'a Value> {
        self.calls.iter().rev().find(|call| call.name == tool).map(|call| &call.args)
    }

    /// How often a tool was called with these arguments.
    fn times(&self, tool: &str, args: &Value) -> usize {
        self.calls.iter().filter(|call| call.name == tool && call.args == *args).count()
    }
}

fn result_of(message: &Message) -> Option<&ToolMessage> {
    match message {
        Message::Tool(result) => Some(result),
        _ => None,
    }
}

enum Next {
    Say(String),
    Call { says: Option<String>, tool: String, args: Value },
}

fn call(tool: &str, args: Value) -> Next {
    Next::Call { says: None, tool: tool.to_owned(), args }
}

fn next(turn: &Turn<'_>) -> Next {
    let Some(last) = turn.results.last() else {
        return turn.menu.map_or_else(|| call("list_dishes", json!({})), |menu| order(turn, menu));
    };
    let failed = last.status == ToolStatus::Error;
    let answer: Value = serde_json::from_str(&last.content).unwrap_or_default();
    match last.name.as_str() {
        "list_dishes" if !failed => order(turn, &last.content),
        "order_dish" if failed => ask_why(&last.content),
        "order_dish" => Next::Say(format!("Done. {}", last.content)),
        "check_permission" if !failed => ask_for(turn, &answer),
        "create_access_request" | "create_operation_approval" if !failed => wait(&answer),
        "wait_for_decision" | "answer_question" if !failed => go_on(turn, &answer),
        _ => Next::Say(format!("That did not work: {}", last.content)),
    }
}

/// Orders the dish of the menu that henry's words name.
fn order(turn: &Turn<'_>, menu: &str) -> Next {
    let wish = turn.wish.to_lowercase();
    // A line reads `margherita at pizza-palace: Margherita, $8.00`.
    let found = menu.lines().find_map(|line| {
        let (what, rest) = line.split_once(": ")?;
        let (dish, restaurant) = what.split_once(" at ")?;
        let (name, _) = rest.split_once(',')?;
        wish.contains(&name.to_lowercase()).then(|| json!({"restaurant": restaurant, "dish": dish}))
    });
    match found {
        Some(args) => call("order_dish", args),
        None => Next::Say("I don't find that on any menu.".to_owned()),
    }
}

/// Asks what could be asked for. The refusal begins `henry may not ACTION TYPE:KEY:`.
fn ask_why(refusal: &str) -> Next {
    let lacking = refusal.split_once(" may not ").and_then(|(_, rest)| {
        let (action, rest) = rest.split_once(' ')?;
        let (place, _) = rest.split_once(": ")?;
        Some((action, place))
    });
    match lacking {
        Some((action, place)) => Next::Call {
            says: Some("I may not do that yet. Let me see what we can ask for.".to_owned()),
            tool: "check_permission".to_owned(),
            args: json!({"action": action, "resource_instance": place}),
        },
        None => Next::Say(format!("I can't order it: {refusal}")),
    }
}

/// Asks for the first thing that somebody could decide, once.
fn ask_for(turn: &Turn<'_>, explained: &Value) -> Next {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let explanation = text(explained, "explanation").unwrap_or_default();
    let offers = explained.get("requestable").and_then(Value::as_array).into_iter().flatten();
    let decidable =
        |offer: &&Value| offer.get("reviewers").and_then(Value::as_array).is_some_and(|r| !r.is_empty());
    let Some(offer) = offers.into_iter().find(decidable) else {
        return Next::Say(format!("Nobody could allow it. {explanation}"));
    };
    let Some(tool) = text(offer, "ask_with") else { return Next::Say(explanation) };
    let place = text(offer, "resource_instance");
    let mut args = json!({"reason": reason(turn.wish), "resource_instance": place});
    if tool == "create_access_request"
        && let Some(members) = args.as_object_mut()
    {
        members.insert("role".to_owned(), json!(text(offer, "role")));
    }
    if turn.times(&tool, &args) > 0 {
        return Next::Say(format!("I asked for that already. {explanation}"));
    }
    let who: Vec<&str> = offer
        .get("reviewers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let says = format!("I'll ask; {} can decide it.", who.join(" or "));
    Next::Call { says: Some(says), tool, args }
}

/// henry's own words, without the order itself.
fn reason(wish: &str) -> String {
    wish.split_once(": ").map_or(wish, |(_, why)| why).trim().to_owned()
}

fn wait(request: &Value) -> Next {
    match request.get("id") {
        Some(id) => call("wait_for_decision", json!({"request_id": id, "timeout_seconds": WAIT})),
        None => Next::Say("I asked, but the answer has no number that I could wait for.".to_owned()),
    }
}

fn go_on(turn: &Turn<'_>, request: &Value) -> Next {
    let member = |name: &str| request.get(name).and_then(Value::as_str);
    let reviewer = member("reviewer").unwrap_or("somebody");
    if member("question").is_some()
        && let Some(id) = member("id")
    {
        let answer = format!("{} That is all that I know.", reason(turn.wish));
        return call("answer_question", json!({"request_id": id, "answer": answer}));
    }
    match (member("status"), turn.asked("order_dish")) {
        (Some("pending"), _) => wait(request),
        (Some("approved"), Some(order)) => Next::Call {
            says: Some(format!("{reviewer} approved it. I'll order now.")),
            tool: "order_dish".to_owned(),
            args: order.clone(),
        },
        (Some("denied"), _) => Next::Say(match member("reviewer_comment") {
            Some(comment) => {
                format!("{reviewer} said no: \u{201c}{comment}\u{201d} So I have not ordered it.")
            }
            None => format!("{reviewer} said no, so I have not ordered it."),
        }),
        _ => Next::Say("The request was taken back, so I have not ordered anything.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MENU: &str = "margherita at pizza-palace: Margherita, $8.00\n\
                        truffle-pizza at pizza-palace: Truffle Pizza, $24.50, needs an approval";

    struct Talk(Vec<Message>);

    impl Talk {
        fn say(text: &str) -> Self {
            Self(vec![Message::user(text)])
        }

        async fn next(&mut self) -> AssistantMessage {
            let message = ScriptedAgent.complete(&self.0, &[]).await.unwrap();
            self.0.push(Message::Assistant(message.clone()));
            message
        }

        /// The tool that is called next and its arguments; then it answers this.
        async fn called(&mut self, status: ToolStatus, answer: &str) -> (String, Value) {
            let message = self.next().await;
            let call =
                message.tool_calls().next().unwrap_or_else(|| panic!("{}", message.joined_text())).clone();
            self.0.push(Message::Tool(ToolMessage::of(&call, status, answer)));
            (call.name, call.args)
        }
    }

    #[tokio::test]
    async fn it_asks_for_what_the_tools_name_and_goes_on() {
        let mut talk = Talk::say("A truffle pizza, please: it's my birthday");
        assert_eq!(talk.called(ToolStatus::Success, MENU).await.0, "list_dishes");
        let order = json!({"restaurant": "pizza-palace", "dish": "truffle-pizza"});
        let refusal = "henry may not operate a:b_c: henry holds no role that allows it. Ask.";
        assert_eq!(talk.called(ToolStatus::Error, refusal).await, ("order_dish".to_owned(), order.clone()));
        let explained = json!({"allowed": false, "explanation": "x", "requestable": [
            {"type": "access_request", "role": "parent", "reviewers": [], "ask_with": "create_access_request"},
            {"type": "operation_approval", "role": "_Approved_", "resource_instance": "a:b_c", "reviewers": ["joe"],
             "ask_with": "create_operation_approval"}]});
        let asked = talk.called(ToolStatus::Success, &explained.to_string()).await;
        assert_eq!(
            asked,
            ("check_permission".to_owned(), json!({"action": "operate", "resource_instance": "a:b_c"}))
        );
        let asked = talk.called(ToolStatus::Success, r#"{"id": "r1", "status": "pending"}"#).await;
        let wish = json!({"reason": "it's my birthday", "resource_instance": "a:b_c"});
        assert_eq!(asked, ("create_operation_approval".to_owned(), wish));
        for _ in 0..2 {
            let waited = talk.called(ToolStatus::Success, r#"{"id": "r1", "status": "pending"}"#).await;
            assert_eq!(waited.1["request_id"], "r1");
        }
        let approved = r#"{"id": "r1", "status": "approved", "reviewer": "joe"}"#;
        talk.called(ToolStatus::Success, approved).await;
        assert_eq!(
            talk.called(ToolStatus::Success, "Order 1 is placed.").await,
            ("order_dish".to_owned(), order)
        );
        assert_eq!(talk.next().await.joined_text(), "Done. Order 1 is placed.");
    }

    #[tokio::test]
    async fn a_denial_is_told_and_nothing_is_ordered() {
        let mut talk = Talk::say("A margherita, please");
        talk.called(ToolStatus::Success, MENU).await;
        talk.called(ToolStatus::Error, "henry may not read a:b: why. Ask.").await;
        let offer = json!({"requestable": [{"role": "child", "resource_instance": "a:b", "reviewers": ["joe"],
            "ask_with": "create_access_request"}]});
        talk.called(ToolStatus::Success, &offer.to_string()).await;
        let asked = talk.called(ToolStatus::Success, r#"{"id": "r1"}"#).await;
        assert_eq!(asked.1["role"], "child");
        let denied =
            r#"{"id": "r1", "status": "denied", "reviewer": "joe", "reviewer_comment": "not today"}"#;
        talk.called(ToolStatus::Success, denied).await;
        let said = talk.next().await;
        assert_eq!(said.tool_calls().count(), 0);
        assert_eq!(said.joined_text(), "joe said no: \u{201c}not today\u{201d} So I have not ordered it.");
    }

    #[tokio::test]
    async fn when_nobody_could_decide_it_asks_nobody() {
        let mut talk = Talk::say("A margherita, please");
        talk.called(ToolStatus::Success, MENU).await;
        talk.called(ToolStatus::Error, "henry may not read a:b: why. No.").await;
        talk.called(ToolStatus::Success, r#"{"explanation": "No role would.", "requestable": []}"#).await;
        let said = talk.next().await;
        assert_eq!(said.joined_text(), "Nobody could allow it. No role would.");
    }
}
