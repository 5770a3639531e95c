//! The reference as a browser sees it.

use crate::support::Server;
use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;

/// A page: status, content policy and text.
async fn page(server: &Server, path: &str) -> (StatusCode, String, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = server.router.clone().oneshot(request).await.unwrap();
    let policy =
        answer.headers().get(header::CONTENT_SECURITY_POLICY).map(|value| value.to_str().unwrap().to_owned());
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, policy.unwrap_or_default(), String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn a_family_is_shown_whole() {
    let server = Server::start().await;
    let (status, _, html) = page(&server, "/docs/authzen").await;
    assert_eq!(status, StatusCode::OK);
    let html = html.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    // The other families have pages of their own.
    let (before, rest) = html.split_once("<nav").unwrap();
    let (_, after) = rest.split_once("</nav>").unwrap();
    insta::assert_snapshot!("reference_of_authzen", format!("{before}</nav>{after}"));
}

#[tokio::test]
async fn every_operation_is_on_a_page_and_every_link_on_it_leads_somewhere() {
    let server = Server::start().await;
    let document = server.client(None).get("/openapi.json").await;
    let (_, _, front) = page(&server, "/docs").await;
    let mut pages = Vec::new();
    for slug in front.split("<h2><a href=\"/docs/").skip(1).filter_map(|rest| rest.split('"').next()) {
        let (status, _, html) = page(&server, &format!("/docs/{slug}")).await;
        assert_eq!(status, StatusCode::OK, "{slug}");
        for anchor in html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(html.contains(&format!("id=\"{anchor}\"")), "{slug}#{anchor}");
        }
        pages.push(html);
    }
    let mut told = 0;
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let anchor =
                format!("<article class=\"card\" id=\"{}\"", operation["operationId"].as_str().unwrap());
            assert_eq!(pages.iter().filter(|page| page.contains(&anchor)).count(), 1, "{anchor}");
            told += 1;
        }
    }
    assert!(told > 30, "{told}");
}

#[tokio::test]
async fn a_search_finds_operations_and_shows_what_was_typed_as_text() {
    let server = Server::start().await;
    let (_, policy, found) = page(&server, "/docs?q=search+SUBJECT").await;
    assert!(found.contains("/docs/authzen#postAccessV1SearchSubject"), "{found}");
    assert!(!found.contains("postAllowed"), "{found}");
    assert!(policy.contains("default-src 'none'") && !policy.contains("script"), "{policy}");
    let (status, _, nothing) = page(&server, "/docs?q=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert_eq!(status, StatusCode::OK);
    assert!(nothing.contains("Nothing found") && !nothing.contains("<script"), "{nothing}");
}

#[tokio::test]
async fn what_is_not_there_is_said_on_a_page() {
    let server = Server::start().await;
    let (status, policy, html) = page(&server, "/docs/nowhere").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(policy.contains("default-src 'none'") && html.contains("no such part"), "{html}");
}

/// The example of a call is one that the server takes.
#[tokio::test]
async fn an_example_can_be_sent() {
    let server = Server::start().await;
    let (_, _, html) = page(&server, "/docs/decision-point").await;
    let article = html.split("id=\"postAllowed\"").nth(1).unwrap();
    let body = article.split("-d &#39;").nth(1).unwrap().split("&#39;</code>").next().unwrap();
    let body: Value = serde_json::from_str(&body.replace("&#34;", "\"")).unwrap();
    let answer = server.dev().post("/allowed", body).await;
    assert_eq!(answer["allow"], false);
}
