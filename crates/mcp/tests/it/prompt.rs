//! `askfirst mcp --permission-prompt`, over a pair of pipes in place of stdin and stdout.

use crate::support::{Client, Family, legacy, modern};
use askfirst_engine::{
    Page, Secret,
    requests::{Approve, Decide, RequestQuery, RequestView, Verdict},
};
use askfirst_mcp::bridge::{BridgeConfig, Mode, PERMISSION_PROMPT, run_prompt_on};
use rmcp::{
    model::{CallToolRequestParams, CallToolResponse, ClientConfig},
    service::{ClientLifecycleMode, ClientServiceExt as _},
};
use serde_json::{Value, json};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(200);

async fn host(family: &Family, instance: &str, wait: Duration, lifecycle: ClientLifecycleMode) -> Client {
    let config = BridgeConfig {
        url: family.url.clone(),
        api_key: Secret::presented(family.agent_key("henry").await),
        mode: Mode::ByKey,
        project: None,
        env: None,
        tenant: None,
        resource: None,
        access_element: None,
        operation_element: None,
    };
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let instance = instance.to_owned();
    tokio::spawn(async move { run_prompt_on(&config, instance, wait, tokio::io::split(theirs)).await });
    ClientConfig::default().serve_with_lifecycle(ours, lifecycle).await.unwrap()
}

/// The one text of the answer, which is all that the contract knows.
async fn prompt(host: &Client, arguments: Value) -> String {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let params = CallToolRequestParams::new(PERMISSION_PROMPT).with_arguments(arguments);
    let CallToolResponse::Complete(result) = host.call_tool_once(params).await.unwrap() else { panic!() };
    assert_ne!(result.is_error, Some(true));
    assert_eq!((result.content.len(), &result.structured_content), (1, &None));
    result.content[0].as_text().unwrap().text.clone()
}

fn pay(euros: impl Into<Value>) -> Value {
    let euros: Value = euros.into();
    json!({"tool_name": "mcp__bank__pay", "input": {"to": "Ana", "euros": euros, "express": false},
        "tool_use_id": "toolu_01"})
}

/// Waits until henry's call is there, and decides it as joe.
async fn joe(family: &Family, verdict: Verdict, comment: Option<&str>) {
    let pending = async {
        loop {
            if let Some(asked) = requests(family).await.into_iter().find(|r| r.request.reviewer.is_none()) {
                return asked.request.id;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let id = tokio::time::timeout(LONG, pending).await.unwrap();
    let decide = Decide { approve: verdict, comment: comment.map(str::to_owned) };
    family.person("joe").await.decide(&id.uuid().into(), decide).await.unwrap();
}

async fn requests(family: &Family) -> Vec<RequestView> {
    family.person("henry").await.requests(RequestQuery::default(), Page::ALL).await.unwrap().items
}

fn yes() -> Verdict {
    Verdict::Approve(Approve::default())
}

#[tokio::test]
async fn the_one_tool_and_its_answers_are_those_of_the_contract() {
    let family = Family::at_home().await;
    for (lifecycle, euros) in [(modern(), 1), (legacy(), 2)] {
        let host = host(&family, "restaurants:pizza-palace", LONG, lifecycle).await;
        let tools = host.list_tools(None).await.unwrap().tools;
        insta::assert_json_snapshot!("prompt", tools);
        let asking = prompt(&host, pay(euros));
        let (allowed, ()) = tokio::join!(asking, joe(&family, yes(), None));
        let allowed: Value = serde_json::from_str(&allowed).unwrap();
        let input = json!({"to": "Ana", "euros": euros, "express": false});
        assert_eq!(allowed, json!({"behavior": "allow", "updatedInput": input}));
        let asking = prompt(&host, pay(euros + 10));
        let (denied, ()) = tokio::join!(asking, joe(&family, Verdict::Deny, Some("Too much.")));
        let denied: Value = serde_json::from_str(&denied).unwrap();
        assert_eq!(denied["behavior"], "deny");
        assert!(denied["message"].as_str().unwrap().ends_with("They said: Too much."), "{denied}");
        assert_eq!(denied.as_object().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn changed_arguments_are_the_updated_input() {
    let family = Family::at_home().await;
    let host = host(&family, "restaurants:pizza-palace", LONG, modern()).await;
    let less = json!({"to": "Ana", "euros": 5.5, "express": false, "note": null});
    let approve = Verdict::Approve(Approve { arguments: Some(less.clone()), ..Approve::default() });
    let (allowed, ()) = tokio::join!(prompt(&host, pay(100)), joe(&family, approve, None));
    let allowed: Value = serde_json::from_str(&allowed).unwrap();
    assert_eq!(allowed, json!({"behavior": "allow", "updatedInput": less}));
    let grant = requests(&family).await[0].request.grant.clone().unwrap();
    assert_eq!(grant.spent.len(), 1, "and it is spent");
}

#[tokio::test]
async fn whatever_goes_wrong_is_a_denial() {
    let mut family = Family::at_home().await;
    let host = host(&family, "restaurants:pizza-palace", SHORT, modern()).await;
    let denial = async |arguments: Value| {
        let answer: Value = serde_json::from_str(&prompt(&host, arguments).await).unwrap();
        assert_eq!(answer["behavior"], "deny", "{answer}");
        answer["message"].as_str().unwrap().to_owned()
    };
    assert!(denial(json!({})).await.contains("`tool_name`"));
    assert!(denial(json!({"tool_name": "Bash", "input": "ls"})).await.contains("`input`"));
    assert!(requests(&family).await.is_empty(), "nothing that does not read is asked for");
    assert!(denial(pay(1)).await.starts_with("Nobody has decided yet"));
    assert!(denial(pay(9_007_199_254_740_993_u64)).await.contains("can't be told from its neighbours"));
    family.kill().await;
    let away = denial(pay(1)).await;
    assert!(away.starts_with("It can't be asked whether this call may be made"), "{away}");
}

#[tokio::test]
async fn two_prompts_for_one_call_get_one_leave() {
    let family = Family::at_home().await;
    let host = host(&family, "restaurants:pizza-palace", Duration::from_secs(2), modern()).await;
    let (one, two, ()) =
        tokio::join!(prompt(&host, pay(7)), prompt(&host, pay(7)), joe(&family, yes(), None));
    let allowed = [&one, &two].iter().filter(|answer| answer.contains(r#""behavior":"allow""#)).count();
    assert_eq!(allowed, 1, "{one} {two}");
}
