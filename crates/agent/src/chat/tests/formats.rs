//! Reviews in the shapes of other programs.

use super::*;
use crate::graph::Outcome;
use crate::review::ReviewFormat;

async fn asked(format: ReviewFormat, ran: &Ran) -> (Graph<MessagesState>, Interrupt) {
    let model = ScriptedModel::new().call("order", json!({"dish": "Lobster", "count": 2})).say("ok");
    let setup = ChatSetup::new(Arc::new(model), Arc::new(tools(ran)), policy()).with_format(format);
    let options = CompileOptions {
        checkpointer: Some(Arc::new(MemorySaver::new())),
        ids: Arc::new(SequentialIds::new("m")),
        recursion_limit: DEFAULT_RECURSION_LIMIT,
    };
    let graph = chat_graph(setup).compile(options).unwrap();
    let interrupt = graph.invoke(&thread(), say("go")).await.unwrap().interrupts()[0].clone();
    (graph, interrupt)
}

/// With which arguments `order` ran, and what the model was told of it.
async fn answered(format: ReviewFormat, answer: Value) -> (Vec<Value>, ToolMessage) {
    let ran_calls = Ran::default();
    let (graph, interrupt) = asked(format, &ran_calls).await;
    let outcome = graph.invoke(&thread(), Input::answer(&interrupt, answer)).await.unwrap();
    assert!(matches!(outcome, Outcome::Finished(_)));
    let told = results(outcome.state())[0].clone();
    let arguments = |call: String| serde_json::from_str(call.strip_prefix("order ").unwrap()).unwrap();
    (ran(&ran_calls).into_iter().map(arguments).collect(), told)
}

#[tokio::test]
async fn the_middlewares_request_is_raised_and_its_response_taken() {
    let format = ReviewFormat::HumanInTheLoop;
    let (_, interrupt) = asked(format, &Ran::default()).await;
    assert_eq!(
        interrupt.payload,
        json!({
            "action_requests": [{"name": "order", "args": {"dish": "Lobster", "count": 2},
                "description": "The agent wants to call the tool order."}],
            "review_configs": [{"action_name": "order", "allowed_decisions": ["approve", "edit", "reject", "respond"]}],
        })
    );
    let decisions = |decision: Value| json!({"decisions": [decision]});
    let (ran, told) = answered(format, decisions(json!({"type": "approve"}))).await;
    assert_eq!((ran, told.status), (vec![json!({"dish": "Lobster", "count": 2})], ToolStatus::Success));
    let soup = json!({"type": "edit", "edited_action": {"name": "order", "args": {"dish": "Soup", "count": 1.5, "now": true}}});
    let (ran, _) = answered(format, decisions(soup)).await;
    assert_eq!(ran, [json!({"dish": "Soup", "count": 1.5, "now": true})], "types are kept");
    let (ran, told) = answered(format, decisions(json!({"type": "reject", "message": "We are full."}))).await;
    assert_eq!((ran.len(), told.status), (0, ToolStatus::Error));
    assert!(told.content.ends_with(": We are full."), "{}", told.content);
    let (ran, told) =
        answered(format, decisions(json!({"type": "respond", "message": "It is on the table."}))).await;
    assert_eq!(
        (ran.len(), told.status, told.content.as_str()),
        (0, ToolStatus::Success, "It is on the table.")
    );
}

#[tokio::test]
async fn agent_inboxes_interrupt_is_raised_and_its_response_taken() {
    let format = ReviewFormat::AgentInbox;
    let (_, interrupt) = asked(format, &Ran::default()).await;
    assert_eq!(
        interrupt.payload[0]["action_request"],
        json!({"action": "order", "args": {"dish": "Lobster", "count": 2}})
    );
    for (response, runs) in [
        (json!({"type": "accept", "args": null}), Some(json!({"dish": "Lobster", "count": 2}))),
        (
            json!({"type": "edit", "args": {"action": "order", "args": {"dish": "Soup", "count": 1}}}),
            Some(json!({"dish": "Soup", "count": 1})),
        ),
        (json!({"type": "ignore", "args": null}), None),
        (json!({"type": "response", "args": "Have something cheaper."}), None),
    ] {
        let (ran, told) = answered(format, json!([response])).await;
        assert_eq!(ran, runs.into_iter().collect::<Vec<_>>(), "{response}");
        assert_eq!(told.content == "Have something cheaper.", response["type"] == "response");
    }
}

#[tokio::test]
async fn an_answer_of_another_shape_runs_nothing_and_says_why() {
    for (format, answer) in [
        (ReviewFormat::HumanInTheLoop, json!({"action": "yes"})),
        (ReviewFormat::HumanInTheLoop, json!({"decisions": [{"type": "approve"}, {"type": "approve"}]})),
        (ReviewFormat::HumanInTheLoop, json!([{"type": "accept", "args": null}])),
        (ReviewFormat::AgentInbox, json!({"decisions": [{"type": "approve"}]})),
        (ReviewFormat::AgentInbox, json!("yes")),
        (
            ReviewFormat::AgentInbox,
            json!([{"type": "edit", "args": {"action": "approve_access_request", "args": {}}}]),
        ),
    ] {
        let (ran, told) = answered(format, answer.clone()).await;
        assert_eq!((ran.len(), told.status), (0, ToolStatus::Error), "{answer}");
        assert!(told.content.contains("Nobody has approved it: "), "{}", told.content);
    }
}
