//! Agents at a real server: nobody approves what they asked for themselves, through whatever door; a frozen one stops.

use crate::support::{KEY, Server};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

const PALACE: &str = "restaurants:pizza-palace";

impl Server {
    fn to(&self, method: Method, path: &str) -> RequestBuilder {
        Self::http().request(method, format!("{}{path}", self.url))
    }

    /// A key with which the agent `bot` acts for a user.
    fn bots_key(&self, user: &str) -> String {
        let made = self.ok(&["agents", "key", "bot", "--for", user]);
        made.lines().last().unwrap().to_owned()
    }

    /// A tool call with a key: the status, and what was answered.
    async fn tool(&self, key: &str, name: &str, arguments: Value) -> (u16, Value) {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": name, "arguments": arguments}});
        let answer = self
            .to(Method::POST, "/mcp")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .bearer_auth(key)
            .json(&call)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or(&text);
        (status, serde_json::from_str(data).unwrap_or(Value::Null))
    }

    /// Asked for through the agent, for a user.
    async fn bot_asks(&self, key: &str) -> String {
        let wish = json!({"role": "child-can-order", "reason": "for my human", "resource_instance": PALACE});
        let (status, made) = self.tool(key, "create_access_request", wish).await;
        let id = made.pointer("/result/structuredContent/id").and_then(Value::as_str);
        assert_eq!(status, 200, "{made}");
        id.unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    /// A browser's cookie of a signed-in user.
    async fn cookie(&self, user: &str) -> String {
        let link = self.ok(&["link", user]);
        let used = Self::http().post(link.trim()).header("origin", &self.url).send().await.unwrap();
        used.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    async fn element_token(&self, user: &str) -> String {
        let login = json!({"user_id": user, "tenant_id": "default"});
        let login = self.to(Method::POST, "/v2/auth/elements_login_as").bearer_auth(KEY).json(&login);
        let opened: Value = login.send().await.unwrap().json().await.unwrap();
        opened.get("element_bearer_token").and_then(Value::as_str).unwrap().to_owned()
    }

    fn register_bot(&self) {
        let made = self.ok(&["agents", "create", "bot", "--owner", "joe"]);
        assert_eq!(made, "bot  active  of joe  for nobody yet  may whatever its human may\n");
    }
}

/// Every way in on which somebody could try to approve what they have asked for, or what their agent has.
#[tokio::test]
async fn nobody_approves_their_own_request_through_any_door() {
    let server = Server::of_the_family();
    server.register_bot();
    // henry may decide there, so nothing but the asking stands in the way.
    let parent = json!({"user": "henry", "role": "parent", "resource_instance": PALACE});
    let given = server.to(Method::POST, "/v2/facts/default/dev/role_assignments").bearer_auth(KEY);
    assert!(given.json(&parent).send().await.unwrap().status().is_success());
    let bot = server.bots_key("henry");
    let id = server.bot_asks(&bot).await;
    let (session, cookie) = (server.element_token("henry").await, server.cookie("henry").await);

    let verb = json!({"reviewer_comment": "fine"});
    let access = "access_requests/restaurant-requests/user/henry/tenant/default";
    let element = "/v2/elements/default/dev/config/restaurant-requests/access_requests";
    let put = |path: String, key: &str| server.to(Method::PUT, &path).bearer_auth(key).json(&verb);
    let inbox = format!("/inbox/requests/{id}");
    let page = server.to(Method::GET, &inbox).header("cookie", &cookie).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("This is your own request") && !page.contains("name=\"verdict\""), "{page}");
    let form = "verdict=approve&shown=x&comment=fine";
    let form = |cookie: Option<&str>| {
        let post = server.to(Method::POST, &format!("{inbox}/decide")).header("origin", &server.url);
        let post = post.header("content-type", "application/x-www-form-urlencoded").body(form);
        cookie.map_or(post.try_clone().unwrap(), |cookie| post.header("cookie", cookie))
    };
    let ours = format!("/api/v1/requests/{id}/approve?user=henry");
    let doors: Vec<(&str, RequestBuilder, u16)> = vec![
        ("the Permit API, as henry", put(format!("/v2/facts/default/dev/{access}/{id}/approve"), KEY), 403),
        (
            "the Permit API, by the agent",
            put(format!("/v2/facts/default/dev/{access}/{id}/approve"), &bot),
            403,
        ),
        ("an element session", put(format!("{element}/{id}/approve"), &session), 403),
        ("an element, by the agent", put(format!("{element}/{id}/approve"), &bot), 403),
        ("the page", form(Some(&cookie)), 403),
        ("the page, by the agent", form(None).bearer_auth(&bot), 401),
        ("our API, as henry", server.to(Method::POST, &ours).bearer_auth(KEY).json(&json!({})), 403),
        ("our API, by the agent", server.to(Method::POST, &ours).bearer_auth(&bot).json(&json!({})), 403),
    ];
    for (door, request, status) in doors {
        let answer = request.send().await.unwrap();
        let (told, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert_eq!(told, status, "{door}: {text}");
    }
    let said = server.fails(&["inbox", "--as", "henry", "approve", &id]);
    assert!(said.contains("asked for this and so can't decide it"), "{said}");
    for tool in ["approve_access_request", "deny_access_request"] {
        let (_, told) = server.tool(&bot, tool, json!({"access_request_id": id})).await;
        assert_eq!(told.pointer("/result/isError"), Some(&json!(true)), "{told}");
    }
    // Nor does an agent decide what somebody else asked for, where its human may: it is sent to the page.
    let others = server.bot_asks(&server.bots_key("rose")).await;
    let (_, told) = server.tool(&bot, "approve_access_request", json!({"access_request_id": others})).await;
    assert_eq!(told.pointer("/result/structuredContent/decided"), Some(&json!(false)), "{told}");
    for (id, user) in [(&id, "henry"), (&others, "rose")] {
        let path = format!("/api/v1/requests/{id}?user={user}");
        let found = server.to(Method::GET, &path).bearer_auth(KEY).send().await.unwrap();
        assert_eq!(found.json::<Value>().await.unwrap()["status"], "pending");
    }
}

#[tokio::test]
async fn a_frozen_agent_is_refused_at_its_next_call_and_what_waits_ends() {
    let server = Server::of_the_family();
    server.register_bot();
    let bot = server.bots_key("henry");
    let id = server.bot_asks(&bot).await;
    let wait = json!({"request_id": id, "timeout_seconds": 50});
    let (waited, frozen) = tokio::join!(server.tool(&bot, "wait_for_decision", wait), async {
        let path = "/api/v1/agents/bot/freeze";
        server.to(Method::POST, path).bearer_auth(KEY).json(&json!({"reason": "test"})).send().await.unwrap()
    });
    assert_eq!(frozen.status(), 200);
    // Refused at the door when it came later, else in the middle of its wait.
    let refused = waited.0 == 401 || waited.1.pointer("/result/isError") == Some(&json!(true));
    assert!(refused && waited.1.to_string().contains("is frozen"), "{waited:?}");
    let (status, _) = server.tool(&bot, "list_access_requests", json!({})).await;
    assert_eq!(status, 401);
    let approve = server.fails(&["inbox", "--as", "joe", "approve", &id]);
    assert!(approve.contains("The agent bot, which asked for this, is frozen"), "{approve}");
    assert_eq!(
        server.ok(&["agents", "list"]),
        "bot  frozen  of joe  for henry  may whatever its human may\n"
    );

    assert_eq!(server.ok(&["agents", "thaw", "bot"]), "bot is active\n");
    assert!(server.ok(&["inbox", "--as", "joe", "approve", &id]).starts_with("approved: "));
    assert_eq!(server.tool(&bot, "list_access_requests", json!({})).await.0, 200);
}

#[tokio::test]
async fn an_agent_is_told_which_half_is_missing() {
    let server = Server::of_the_family();
    server.register_bot();
    let narrow = server.ok(&["agents", "change", "bot", "--may", "restaurants:delete"]);
    assert!(narrow.ends_with("may restaurants:delete\n"), "{narrow}");
    let bot = server.bots_key("joe");
    let ask = json!({"action": "read", "resource_instance": PALACE});
    let (_, told) = server.tool(&bot, "check_permission", ask.clone()).await;
    let answer = &told["result"]["structuredContent"];
    assert_eq!(answer["allowed"], false, "{told}");
    let why = "joe may read restaurants:pizza-palace, but the agent bot may not: its ceiling, whoever it acts for, is `restaurants:delete`.";
    assert_eq!(answer["explanation"], why);
    let (_, told) = server
        .tool(
            &bot,
            "create_access_request",
            json!({"role": "child-can-order", "reason": "", "resource_instance": PALACE}),
        )
        .await;
    assert!(told.to_string().contains("can't ask for it"), "{told}");
    server.ok(&["agents", "change", "bot", "--may-what-its-human-may"]);
    let (_, told) = server.tool(&bot, "check_permission", ask).await;
    assert_eq!(told["result"]["structuredContent"]["allowed"], true, "{told}");
    let shown = server.ok(&["agents", "show", "bot"]);
    assert!(shown.contains("for joe, made 20"), "{shown}");
}
