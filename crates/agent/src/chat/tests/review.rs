use super::*;
use crate::graph::Outcome;

fn two_risky_one_harmless() -> ScriptedModel {
    let calls = [
        ToolCall::new("a", "approve_access_request", json!({"id": 1})),
        ToolCall::new("b", "list", json!({})),
        ToolCall::new("c", "order", json!({"dish": "Lobster"})),
    ];
    ScriptedModel::new().answer(AssistantMessage::calls(calls)).say("ok")
}

async fn asked(ran: &Ran) -> (Graph<MessagesState>, Interrupt) {
    let graph = graph(two_risky_one_harmless(), ran);
    let outcome = graph.invoke(&thread(), say("go")).await.unwrap();
    let interrupt = outcome.interrupts()[0].clone();
    (graph, interrupt)
}

#[tokio::test]
async fn every_risky_call_is_shown_and_nothing_runs_before_the_answer() {
    let ran_calls = Ran::default();
    let (_, interrupt) = asked(&ran_calls).await;
    assert_eq!(interrupt.node, HUMAN_REVIEW);
    assert_eq!(
        interrupt.payload,
        json!({
            "question": "Do you approve these 2 tool calls? (yes/no)",
            "tool_call": {"id": "a", "name": "approve_access_request", "args": {"id": 1}},
            "tool_calls": [
                {"id": "a", "name": "approve_access_request", "args": {"id": 1}},
                {"id": "c", "name": "order", "args": {"dish": "Lobster"}},
            ],
        })
    );
    assert_eq!(ran(&ran_calls), Vec::<String>::new());
}

#[tokio::test]
async fn a_single_call_is_asked_in_the_words_of_the_tutorial() {
    let model = ScriptedModel::new().call("order", json!({"dish": "Soup"})).say("ok");
    let outcome = graph(model, &Ran::default()).invoke(&thread(), say("go")).await.unwrap();
    let payload = &outcome.interrupts()[0].payload;
    assert_eq!(payload["question"], "Do you approve this tool call? (yes/no)");
    assert_eq!(payload["tool_call"], json!({"id": "call_1", "name": "order", "args": {"dish": "Soup"}}));
}

#[tokio::test]
async fn harmless_calls_run_unasked() {
    let ran_calls = Ran::default();
    let model = ScriptedModel::new().call("list", json!({})).say("ok");
    let outcome = graph(model, &ran_calls).invoke(&thread(), say("go")).await.unwrap();
    assert!(matches!(outcome, Outcome::Finished(_)));
    assert_eq!(ran(&ran_calls), ["list {}"]);
}

#[tokio::test]
async fn yes_runs_all() {
    let ran_calls = Ran::default();
    let (graph, interrupt) = asked(&ran_calls).await;
    let outcome = graph.invoke(&thread(), Input::answer(&interrupt, json!({"action": "yes"}))).await.unwrap();
    let statuses: Vec<(&str, ToolStatus)> =
        results(outcome.state()).iter().map(|r| (r.tool_call_id.as_str(), r.status)).collect();
    let fine = ToolStatus::Success;
    assert_eq!(statuses, [("a", fine), ("b", fine), ("c", fine)]);
    assert_eq!(ran(&ran_calls).len(), 3);
}

#[tokio::test]
async fn one_no_runs_nothing_and_answers_every_call() {
    let ran_calls = Ran::default();
    let (graph, interrupt) = asked(&ran_calls).await;
    let answer = review_answer(&[CallDecision::Declined, CallDecision::Approved]);
    let outcome = graph.invoke(&thread(), Input::answer(&interrupt, answer)).await.unwrap();
    assert_eq!(ran(&ran_calls), Vec::<String>::new());
    let texts: Vec<(&str, &str)> =
        results(outcome.state()).iter().map(|r| (r.tool_call_id.as_str(), r.content.as_str())).collect();
    assert_eq!(
        texts,
        [
            (
                "a",
                "The user declined your request to execute the approve_access_request tool, with arguments {\"id\":1}"
            ),
            ("b", "The list tool was not run, because the user declined another call of the same message."),
            (
                "c",
                "The order tool was not run, because the user declined another call of the same message. \
                 The user had approved it; ask for it again on its own."
            ),
        ]
    );
    assert_eq!(outcome.state().last_assistant().unwrap().joined_text(), "ok", "the model goes on");
}

#[tokio::test]
async fn only_a_clear_yes_approves() {
    let clear = [
        json!({"action": "yes"}),
        json!("Yes "),
        json!(true),
        json!({"decisions": ["yes", "y"]}),
        json!({"action": "no", "decisions": [true, "approve"]}),
    ];
    let unclear = [
        json!({"action": "no"}),
        json!({"action": "yes, but not the second"}),
        json!({}),
        json!(null),
        json!(1),
        json!(["yes", "yes"]),
        json!({"action": ["yes"]}),
        json!({"decisions": ["yes"]}),
        json!({"decisions": ["yes", "yes", "yes"]}),
        json!({"action": "yes", "decisions": ["yes", "no"]}),
        json!({"action": "yes", "decisions": "yes"}),
    ];
    for (answers, runs) in [(&clear[..], 3), (&unclear[..], 0)] {
        for answer in answers {
            let ran_calls = Ran::default();
            let (graph, interrupt) = asked(&ran_calls).await;
            graph.invoke(&thread(), Input::answer(&interrupt, answer.clone())).await.unwrap();
            assert_eq!(ran(&ran_calls).len(), runs, "{answer}");
        }
    }
}

#[test]
fn policies() {
    let tutorial = ReviewPolicy::default();
    assert!(tutorial.is_risky("approve_access_request") && tutorial.is_risky("approve_operation_approval"));
    assert!(!tutorial.is_risky("order") && tutorial.clone().and(["order"]).is_risky("order"));
    let strict = ReviewPolicy::all_but(["list", "order"]);
    assert!(!strict.is_risky("list") && strict.is_risky("a tool of tomorrow"));
    assert!(strict.and(["order"]).is_risky("order"));
    assert!(!ReviewPolicy::nothing().is_risky("approve_access_request"));
}

/// F10: what would not be shown whole is no question of ours, so it is shown as it is.
#[tokio::test]
async fn f10_a_payload_that_holds_more_than_is_shown_is_no_question() {
    let (_, interrupt) = asked(&Ran::default()).await;
    assert!(ReviewQuestion::of(&interrupt).is_some());
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut payload = interrupt.payload.clone();
        change(&mut payload);
        ReviewQuestion::of(&Interrupt { payload, ..interrupt.clone() })
    };
    assert_eq!(changed(&|payload| payload["tool_calls"] = json!([])), None, "nothing would be shown");
    assert_eq!(changed(&|payload| payload["also"] = json!("this")), None);
    assert_eq!(changed(&|payload| payload["tool_calls"][0]["really"] = json!("that")), None);
    assert_eq!(
        changed(&|payload| payload["tool_call"]["name"] = json!("list")),
        None,
        "another call than the first"
    );
    assert_eq!(changed(&|payload| *payload = json!(null)), None);
}
