//! Requests from the wish to the grant, on the wire.

use super::{ELEMENTS, family, family_with, requests_of, scrubbed, session, wish};
use crate::support::Server;
use askfirst_http::Options;
use serde_json::{Value, json};

fn approvals(element: &str) -> String {
    format!("{ELEMENTS}/{element}/operation_approval")
}

fn operation(instance: impl Into<Value>) -> Value {
    let instance = instance.into();
    let details = json!({"tenant": "default", "resource": "restaurants", "resource_instance": instance});
    json!({"access_request_details": details, "reason": "truffle"})
}

async fn may(server: &Server, user: &str, action: &str, key: &str) -> bool {
    let resource = json!({"type": "restaurants", "key": key, "tenant": "default"});
    let question = json!({"user": {"key": user}, "action": action, "resource": resource, "context": {}});
    server.dev().post("/allowed", question).await["allow"] == json!(true)
}

#[tokio::test]
async fn an_access_request_goes_its_way() {
    let server = family().await;
    let dev = server.dev();
    let asked = dev.post(&requests_of("henry"), wish("child-can-order")).await;
    insta::assert_json_snapshot!("access_request", scrubbed(&asked));
    let again = dev.post(&requests_of("henry"), wish("child-can-order")).await;
    assert_eq!((&again["id"], &again["existed"]), (&asked["id"], &json!(true)));
    assert!(!may(&server, "henry", "read", "pizza-palace").await);

    let query = "status=pending&role=child-can-order&resource=restaurants&resource_instance_id=pizza-palace&page=1&per_page=30";
    let listed = dev.get(&format!("{}?{query}", requests_of("joe"))).await;
    assert_eq!((&listed["total_count"], &listed["page_count"]), (&json!(1), &json!(1)));
    assert_eq!(listed["data"][0]["id"], asked["id"]);
    assert_eq!(listed["data"][0]["requesting_user"]["key"], "henry");
    assert_eq!(dev.get(&requests_of("rose")).await["total_count"], 0);

    let id = asked["id"].as_str().unwrap();
    let one = format!("{}/{id}", requests_of("joe"));
    assert_eq!(dev.get(&one).await["status"], "pending");
    let noted = dev.patch(&format!("{one}/reviewer"), json!({"role": "child-can-look"})).await;
    assert_eq!(noted["access_request_details"]["role"], "child-can-look");
    let body = json!({"reviewer_comment": "ok", "role": "child-can-order"});
    let approved = dev.put(&format!("{one}/approve"), body).await;
    insta::assert_json_snapshot!("access_request_approved", scrubbed(&approved));
    assert!(may(&server, "henry", "read", "pizza-palace").await);

    let late =
        dev.refused(409, "CONCURRENT_OPERATION_DISALLOWED", "PUT", &format!("{one}/deny"), json!({})).await;
    assert!(late.starts_with("This access request was already approved by joe at "), "{late}");
    dev.put(&format!("{one}/approve"), json!({})).await;
    let held = dev
        .refused(
            409,
            "CONCURRENT_OPERATION_DISALLOWED",
            "POST",
            &requests_of("henry"),
            wish("child-can-order"),
        )
        .await;
    assert!(held.contains("already has the role"), "{held}");
}

#[tokio::test]
async fn who_may_not_decide_is_told_so() {
    let server = family().await;
    let dev = server.dev();
    let asked = dev.post(&requests_of("henry"), wish("child-can-order")).await;
    let id = asked["id"].as_str().unwrap();
    let own = format!("{}/{id}/approve", requests_of("henry"));
    dev.refused(403, "FORBIDDEN_ACCESS", "PUT", &own, json!({})).await;
    let stranger = format!("{}/{id}/approve", requests_of("rose"));
    dev.refused(404, "NOT_FOUND", "PUT", &stranger, json!({})).await;
    let foreign = format!("{}/{id}/cancel", requests_of("joe"));
    dev.refused(403, "FORBIDDEN_ACCESS", "PUT", &foreign, json!({})).await;
    let elsewhere = format!("{ELEMENTS}/dish-requests/operation_approval/{id}");
    session(&server, "joe").await.refused(404, "NOT_FOUND", "GET", &elsewhere, Value::Null).await;
    let canceled =
        dev.put(&format!("{}/{id}/cancel", requests_of("henry")), json!({"reason": "no more"})).await;
    assert_eq!((&canceled["status"], &canceled["reason"]), (&json!("canceled"), &json!("no more")));
}

#[tokio::test]
async fn an_element_session_asks_and_decides_like_its_user() {
    let server = family().await;
    let path = format!("{ELEMENTS}/restaurant-requests/access_requests");
    let asked = session(&server, "henry").await.post(&path, wish("child-can-order")).await;
    let id = asked["id"].as_str().unwrap();
    let joe = session(&server, "joe").await;
    assert_eq!(joe.get(&format!("{path}?tenant=default&status=pending")).await["total_count"], 1);
    let denied = joe.put(&format!("{path}/{id}/deny"), json!({"reviewer_comment": "not today"})).await;
    assert_eq!((&denied["status"], &denied["reviewer_comment"]), (&json!("denied"), &json!("not today")));
    assert_eq!(denied["reviewer_user_id"], server.dev().get("/facts/users/joe").await["id"]);
}

#[tokio::test]
async fn an_operation_approval_goes_its_way() {
    let server = family().await;
    let (henry, joe) = (session(&server, "henry").await, session(&server, "joe").await);
    // Permit's MCP server posts through the approval_management element.
    let asked = henry.post(&approvals("dish-requests"), operation("pizza-palace")).await;
    insta::assert_json_snapshot!("operation_approval", scrubbed(&asked));
    let query = "element_id=dish-requests&resource=restaurants&status=pending&resource_instance=pizza-palace&page=1&per_page=30";
    let listed = joe.get(&format!("{}?{query}", approvals("dish-requests"))).await;
    insta::assert_json_snapshot!("operation_approval_list", scrubbed(&listed));
    let one = format!("{}/{}", approvals("dish-approval"), asked["id"].as_str().unwrap());
    assert_eq!(joe.get(&one).await["id"], asked["id"]);
    let fixed = json!({"role": "parent"});
    joe.refused(400, "INVALID_INPUT", "PUT", &format!("{one}/approve"), fixed).await;
    assert!(!may(&server, "henry", "operate", "pizza-palace").await);
    let approved = joe.put(&format!("{one}/approve"), json!({"reviewer_comment": "once"})).await;
    assert_eq!(approved["status"], "approved");
    assert!(may(&server, "henry", "operate", "pizza-palace").await);
    let again = henry
        .refused(
            409,
            "CONCURRENT_OPERATION_DISALLOWED",
            "POST",
            &approvals("dish-requests"),
            operation("pizza-palace"),
        )
        .await;
    assert!(again.contains("`_Approved_`"), "{again}");
}

#[tokio::test]
async fn instances_may_be_named_in_every_way() {
    let server = family().await;
    let henry = session(&server, "henry").await;
    let path = approvals("dish-approval");
    let number = henry.post(&path, operation(7)).await;
    assert_eq!(number["access_request_details"]["resource_instance"], "7");
    let typed = henry.post(&path, operation("restaurants:7")).await;
    assert_eq!(typed["id"], number["id"]);
    let made = server.dev().get("/facts/resource_instances/restaurants:7").await;
    let by_id = henry.post(&path, operation(made["id"].clone())).await;
    assert_eq!(by_id["id"], number["id"]);
    let none = henry.post(&path, operation(Value::Null)).await;
    let key = none["access_request_details"]["resource_instance"].as_str().unwrap();
    assert!(key.starts_with("op-"), "{key}");
}

#[tokio::test]
async fn bad_input_is_told_in_a_sentence() {
    let server = family().await;
    let dev = server.dev();
    let henry = requests_of("henry");
    let with = |member: &str, value: &str| {
        let mut body = wish("child-can-order");
        body["access_request_details"][member] = json!(value);
        body
    };
    let mut told = Vec::new();
    for (status, code, path, body) in [
        (404, "NOT_FOUND", requests_of("nobody"), wish("child-can-order")),
        (404, "NOT_FOUND", henry.replace("/tenant/default", "/tenant/nowhere"), wish("child-can-order")),
        (404, "NOT_FOUND", henry.replace("restaurant-requests", "missing"), wish("child-can-order")),
        (400, "INVALID_INPUT", henry.clone(), wish("parent")),
        (404, "NOT_FOUND", henry.clone(), wish("missing")),
        (404, "NOT_FOUND", henry.clone(), with("resource_instance", "missing")),
        (404, "NOT_FOUND", henry.clone(), with("resource", "missing")),
    ] {
        told.push(dev.refused(status, code, "POST", &path, body).await);
    }
    told.push(dev.refused(400, "INVALID_INPUT", "GET", &format!("{henry}?status=odd"), Value::Null).await);
    told.push(
        dev.refused(400, "PAGINATION_SIZE_OVERREACHED", "GET", &format!("{henry}?per_page=500"), Value::Null)
            .await,
    );
    told.push(dev.refused(404, "NOT_FOUND", "GET", &format!("{henry}/not-an-id"), Value::Null).await);
    insta::assert_snapshot!(told.join("\n"));
    let shape = dev.send("POST", &henry, Some(&json!({"reason": "x"}))).await;
    assert_eq!((shape.status, &shape.body["detail"][0]["type"]), (422, &json!("value_error")));
}

#[tokio::test]
async fn lists_fit_permits_own_mcp_server_when_told_to() {
    let server = family_with(Options { permit_mcp_compat: true, ..Options::default() }).await;
    let dev = server.dev();
    let asked = dev.post(&requests_of("henry"), wish("child-can-order")).await;
    assert!(asked["requesting_user_id"].is_string(), "only lists differ");
    let listed = dev.get(&requests_of("joe")).await;
    assert_eq!(listed["data"][0]["requesting_user_id"], Value::Null);
    let who = &listed["data"][0]["requesting_user"];
    assert_eq!(
        (&who["key"], &who["first_name"], &who["email"]),
        (&json!("henry"), &json!("Henry"), &json!("henry@family.example"))
    );
    session(&server, "henry").await.post(&approvals("dish-requests"), operation("pizza-palace")).await;
    let listed = session(&server, "joe").await.get(&approvals("dish-requests")).await;
    assert_eq!(listed["data"][0]["requesting_user_id"], Value::Null);
    assert_eq!(listed["data"][0]["requesting_user_email"], "henry@family.example");
}

#[tokio::test]
async fn our_own_routes_serve_the_terminal() {
    let server = family().await;
    let dev = server.dev();
    let asked = dev.post(&requests_of("henry"), wish("child-can-order")).await;
    let id = asked["id"].as_str().unwrap();
    let inbox = dev.get("/api/v1/inbox?user=joe").await;
    insta::assert_json_snapshot!("inbox", scrubbed(&inbox));
    assert_eq!(dev.get("/api/v1/inbox?user=henry").await["total_count"], 0);
    assert_eq!(dev.get("/api/v1/requests?user=henry&status=pending").await["total_count"], 1);
    assert_eq!(dev.get(&format!("/api/v1/requests/{id}?user=henry")).await["may_cancel"], true);
    let approve = format!("/api/v1/requests/{id}/approve?user=joe");
    let stale = json!({"shown": "0".repeat(64)});
    dev.refused(409, "CONCURRENT_OPERATION_DISALLOWED", "POST", &approve, stale).await;
    assert_eq!(dev.get(&format!("/api/v1/requests/{id}?user=joe")).await["status"], "pending");
    let body = json!({"comment": "enjoy", "shown": inbox["data"][0]["shown"]});
    let done = dev.post(&approve, body).await;
    assert_eq!((&done["status"], &done["reviewer"]["key"]), (&json!("approved"), &json!("joe")));
    let audit = dev.get(&format!("/api/v1/audit?request={id}")).await;
    assert_eq!(audit["total_count"], 3);
    let all = dev.get("/api/v1/audit?code=request&per_page=1").await;
    assert_eq!((&all["data"][0]["code"], &all["total_count"]), (&json!("request.approved"), &json!(2)));
    let link = dev.post("/api/v1/links", json!({"user": "joe"})).await;
    assert!(link["url"].as_str().unwrap().starts_with("http://127.0.0.1:7766/login/"));
    dev.refused(404, "NOT_FOUND", "POST", "/api/v1/links", json!({"user": "nobody"})).await;
}
