//! `askfirst mcp`, over a pair of pipes in place of stdin and stdout, against a server on a real port.

use crate::support::{Family, call, legacy, modern, object, refusal, wish};
use askfirst_domain::request::Status;
use askfirst_engine::{
    Page, Secret,
    requests::{Approve, Decide, RequestQuery, Verdict},
};
use askfirst_mcp::bridge::{BridgeConfig, BridgeError, Mode, run_on};
use rmcp::{
    ClientHandler, RoleClient,
    model::{CallToolRequestParams, ClientConfig, ProgressNotificationParam},
    service::{ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RunningService},
};
use serde_json::json;
use std::sync::Arc;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    sync::mpsc,
    task::JoinHandle,
};

fn config(family: &Family, mode: Mode) -> BridgeConfig {
    BridgeConfig {
        url: family.url.clone(),
        api_key: Secret::presented(family.env_key.clone()),
        mode,
        project: None,
        env: None,
        tenant: None,
        resource: None,
        access_element: None,
        operation_element: None,
    }
}

fn bound(user: &str) -> Mode {
    Mode::As(user.to_owned())
}

type Bridge = JoinHandle<Result<(), BridgeError>>;

async fn open<H: ClientHandler>(
    config: BridgeConfig,
    host: H,
    lifecycle: ClientLifecycleMode,
) -> (RunningService<RoleClient, H>, Bridge) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (read, write) = tokio::io::split(theirs);
    let bridge = tokio::spawn(run_on(config, read, write));
    (host.serve_with_lifecycle(ours, lifecycle).await.unwrap(), bridge)
}

async fn open_plain(config: BridgeConfig) -> (crate::support::Client, Bridge) {
    open(config, ClientConfig::default(), modern()).await
}

#[tokio::test]
async fn old_and_new_hosts_get_the_servers_tools() {
    let family = Family::at_home().await;
    let direct = family.client(&family.agent_key("henry").await, &[]).await.list_tools(None).await.unwrap();
    for lifecycle in [modern(), legacy()] {
        let (host, bridge) = open(config(&family, bound("henry")), ClientConfig::default(), lifecycle).await;
        let info = host.peer_info().unwrap();
        assert_eq!(info.server_info.as_ref().unwrap().name, "askfirst");
        assert!(info.instructions.as_ref().unwrap().contains("You act for one human"));
        assert_eq!(host.list_tools(None).await.unwrap().tools, direct.tools);
        let asked = object(call(&host, "create_access_request", wish()).await);
        assert_eq!(asked["requesting_user"]["key"], "henry");
        let refused = refusal(&call(&host, "list_access_requests", json!({"user_id": "joe"})).await);
        assert!(refused.contains("acts for henry only"), "{refused}");
        let unknown = host.call_tool_once(CallToolRequestParams::new("grant_everything")).await.unwrap_err();
        assert!(unknown.to_string().contains("no tool `grant_everything`"), "{unknown}");
        drop(host);
        bridge.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn every_setting_reaches_the_server() {
    let family = Family::at_home().await;
    let (host, _bridge) = open_plain(BridgeConfig {
        api_key: Secret::presented(family.org_key.clone()),
        project: Some("default".into()),
        env: Some("dev".into()),
        tenant: Some("default".into()),
        resource: Some("restaurants".into()),
        access_element: Some("restaurant-requests".into()),
        operation_element: Some("dish-requests".into()),
        ..config(&family, Mode::TrustUserId)
    })
    .await;
    let mut arguments = wish();
    arguments["user_id"] = json!("henry");
    let id = object(call(&host, "create_access_request", arguments).await)["id"].clone();
    let approve = json!({"user_id": "joe", "access_request_id": id});
    assert_eq!(object(call(&host, "approve_access_request", approve).await)["status"], "approved");
    let wrong = [
        ("tenant", BridgeConfig { tenant: Some("elsewhere".into()), ..config(&family, bound("rose")) }),
        ("resource", BridgeConfig { resource: Some("elsewhere".into()), ..config(&family, bound("rose")) }),
        (
            "element",
            BridgeConfig { access_element: Some("elsewhere".into()), ..config(&family, bound("rose")) },
        ),
    ];
    for (what, config) in wrong {
        let (host, _bridge) = open_plain(config).await;
        let refused = refusal(&call(&host, "create_access_request", wish()).await);
        assert!(refused.contains("elsewhere"), "{what}: {refused}");
    }
}

#[tokio::test]
async fn a_key_or_a_name_that_is_refused_is_told_with_each_call() {
    let family = Family::at_home().await;
    let agent = family.agent_key("henry").await;
    let with_key =
        |key: &str, mode| BridgeConfig { api_key: Secret::presented(key), ..config(&family, mode) };
    let refused = [
        (with_key("wrong", bound("henry")), "does not accept the API key"),
        (config(&family, bound("nobody")), "no user `nobody`"),
        (config(&family, Mode::ByKey), "--trust-user-id"),
        (with_key(&agent, Mode::TrustUserId), "bound to one user"),
        (with_key(&family.org_key, bound("henry")), "more than one environment"),
    ];
    for (config, says) in refused {
        let (host, _bridge) = open_plain(config).await;
        assert_eq!(host.list_tools(None).await.unwrap().tools.len(), 17);
        let sentence = refusal(&call(&host, "list_access_requests", json!({})).await);
        assert!(sentence.contains(says), "{sentence}");
    }
    let (host, _bridge) = open_plain(with_key(&agent, Mode::ByKey)).await;
    object(call(&host, "list_access_requests", json!({})).await);
}

#[tokio::test]
async fn what_can_never_work_ends_at_the_start() {
    let mut family = Family::at_home().await;
    let start = |config| async move {
        let (_ours, theirs) = tokio::io::duplex(1024);
        let (read, write) = tokio::io::split(theirs);
        run_on(config, read, write).await.unwrap_err().to_string()
    };
    let strange = BridgeConfig { url: "127.0.0.1:7766".into(), ..config(&family, bound("henry")) };
    assert!(start(strange).await.contains("is not the address of a server"));
    let unreadable = BridgeConfig { tenant: Some("a b\n".into()), ..config(&family, bound("henry")) };
    assert!(start(unreadable).await.contains("x-askfirst-tenant"));
    let elsewhere =
        BridgeConfig { url: format!("{}/elsewhere", family.url), ..config(&family, bound("henry")) };
    assert!(start(elsewhere).await.contains("is not askfirst"));
    let away = config(&family, bound("henry"));
    family.kill().await;
    let url = &family.url;
    assert_eq!(
        start(away).await,
        format!("askfirst at {url} can't be reached; start it with `askfirst serve`")
    );
}

#[tokio::test]
async fn a_server_that_was_killed_and_started_again_is_found_again() {
    let mut family = Family::at_home().await;
    let (host, _bridge) = open_plain(config(&family, bound("henry"))).await;
    let id = object(call(&host, "create_access_request", wish()).await)["id"].clone();

    family.kill().await;
    let away = refusal(&call(&host, "get_request", json!({"request_id": id})).await);
    assert_eq!(away, format!("askfirst at {} can't be reached; start it with `askfirst serve`.", family.url));
    let away = refusal(&call(&host, "create_access_request", wish()).await);
    assert!(away.contains("can't be reached"), "{away}");
    assert!(host.list_tools(None).await.unwrap_err().to_string().contains("can't be reached"));

    // A call that comes while the server starts waits for it.
    let (made, ()) = tokio::join!(call(&host, "create_access_request", wish()), family.start());
    assert_eq!(object(made)["id"], id);
    let seen = object(call(&host, "get_request", json!({"request_id": id})).await);
    assert_eq!(seen["status"], "pending");
    assert_eq!(host.list_tools(None).await.unwrap().tools.len(), 17);
    assert_eq!(object(call(&host, "create_access_request", wish()).await)["id"], id);
}

struct Told(mpsc::UnboundedSender<ProgressNotificationParam>);

impl ClientHandler for Told {
    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.0.send(params).unwrap();
    }
}

#[tokio::test]
async fn a_wait_survives_the_death_of_the_server() {
    let mut family = Family::at_home().await;
    let (told, mut hears) = mpsc::unbounded_channel();
    let (host, _bridge) = open(config(&family, bound("henry")), Told(told), legacy()).await;
    let host = Arc::new(host);
    let id = object(call(&host, "create_access_request", wish()).await)["id"].clone();
    let waiter = Arc::clone(&host);
    let wait = json!({"request_id": id, "timeout_seconds": 50});
    let waiting = tokio::spawn(async move { object(call(&waiter, "wait_for_decision", wait).await) });
    assert_eq!(hears.recv().await.unwrap().total, Some(50.0));
    family.kill().await;
    family.start().await;
    // The bridge waits anew by itself.
    hears.recv().await.unwrap();
    let joe = family.person("joe").await;
    let approve = Decide { approve: Verdict::Approve(Approve::default()), comment: None };
    joe.decide(&id.as_str().unwrap().into(), approve).await.unwrap();
    assert_eq!(waiting.await.unwrap()["status"], "approved");
}

#[tokio::test]
async fn a_host_that_hangs_up_loses_nothing() {
    let family = Family::at_home().await;
    let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
    let (read, write) = tokio::io::split(theirs);
    let bridge = tokio::spawn(run_on(config(&family, bound("henry")), read, write));
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "host", "version": "1"}});
    let call = json!({"name": "create_access_request", "arguments": wish()});
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello});
    ours.write_all(format!("{hello}\n").as_bytes()).await.unwrap();
    let mut ours = BufReader::new(ours);
    ours.read_line(&mut String::new()).await.unwrap();
    for message in [
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}),
    ] {
        ours.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }
    // Both pipes are gone before the answer.
    drop(ours);
    bridge.await.unwrap().unwrap();
    let mine = family.person("henry").await;
    let listed = mine.requests(RequestQuery::default(), Page { offset: 0, limit: 10 }).await.unwrap();
    assert_eq!(listed.items.len(), 1);
    assert_eq!(listed.items[0].request.status, Status::Pending);
}
