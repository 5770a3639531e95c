//! Webhooks and `askfirst deliveries` on the real binary.

use crate::support::{Server, askfirst, stderr};
use std::{fs, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};

const LONG: Duration = Duration::from_secs(30);

/// Takes one call, answers it, and gives its head.
async fn take(listener: &TcpListener, answer: &str) -> String {
    let (mut stream, _) = timeout(LONG, listener.accept()).await.unwrap().unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(LONG, stream.read_u8()).await.unwrap().unwrap());
    }
    stream
        .write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_delivery_that_was_given_up_is_listed_and_made_when_it_is_wished() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/told", listener.local_addr().unwrap());
    let server = Server::of_the_family_with(
        &["--webhooks-reach", "anywhere", "--webhook", &url],
        &[("ASKFIRST_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
    );
    let (_, head) = tokio::join!(server.henry_asks("hungry"), take(&listener, "410 Gone"));
    assert!(head.contains("webhook-signature: v1,"), "{head}");
    let dead = async {
        loop {
            let listed = server.ok(&["deliveries", "--dead"]);
            if !listed.is_empty() {
                return listed;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let listed = timeout(LONG, dead).await.unwrap();
    assert!(
        listed.contains("request.event") && listed.contains("tried once: it answered 410 Gone"),
        "{listed}"
    );
    let id = listed.split_whitespace().next().unwrap();
    let revive = async {
        assert_eq!(server.ok(&["deliveries", "retry", id]), format!("{id} is tried again\n"));
    };
    let ((), head) = tokio::join!(revive, take(&listener, "200 OK"));
    assert!(head.contains(id), "the same id: {head}");
    let refused = server.fails(&["deliveries", "drop", "nonsense"]);
    assert!(refused.contains("nonsense"), "{refused}");
}

#[test]
fn a_webhook_needs_a_secret_and_a_sound_address() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("short"), "whsec_AAAA").unwrap();
    for (arguments, sentence) in [
        (vec!["--webhook", "https://example.org"], "--webhook needs a secret"),
        (vec!["--webhook", "http://example.org"], "must begin with https://"),
        (vec!["--webhook", "https://example.org", "--webhook-secret-file", "short"], "24 to 64 random bytes"),
        (vec!["--webhooks-reach", "everywhere"], "write `public` or `anywhere`"),
    ] {
        let output = askfirst(home.path()).arg("serve").args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(sentence), "{arguments:?}: {}", stderr(&output));
    }
}
