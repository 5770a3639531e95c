//! E-mail on the real binary.

use crate::support::{Server, askfirst, stderr};
use std::{fs, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    time::timeout,
};

const LONG: Duration = Duration::from_secs(30);

/// Takes one letter, answers it with this, and gives all that was said.
async fn take(listener: &TcpListener, answer: &str) -> String {
    let (stream, _) = timeout(LONG, listener.accept()).await.unwrap().unwrap();
    let mut stream = BufReader::new(stream);
    let (mut said, mut in_letter) = (String::new(), false);
    stream.write_all(b"220 post.example\r\n").await.unwrap();
    loop {
        let mut line = String::new();
        if timeout(LONG, stream.read_line(&mut line)).await.unwrap().unwrap_or(0) == 0 {
            return said;
        }
        said.push_str(&line);
        let reply = match line.trim_end() {
            "." => {
                in_letter = false;
                answer
            }
            _ if in_letter => continue,
            "DATA" => {
                in_letter = true;
                "354 go on"
            }
            "QUIT" => return said,
            _ => "250 fine",
        };
        if stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
            return said;
        }
    }
}

const TOLD: &str = "askfirst: 1
elements:
  restaurant-requests:
    type: user_management
    resource: restaurants
    email_notifications: true
    levels: {LEVEL_1: [parent], LEVEL_4: [child-can-order]}
";

#[tokio::test]
async fn reviewers_get_a_letter_and_what_is_refused_is_listed_without_addresses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let server =
        Server::of_the_family_with(&["--smtp", &url, "--mail-from", "askfirst <no-reply@x.example>"], &[]);
    fs::write(server.home.path().join("told.yaml"), TOLD).unwrap();
    server.ok(&["policy", "apply", "told.yaml"]);
    let letters =
        async { (take(&listener, "250 taken").await, take(&listener, "554 joe@family.example: no").await) };
    let (id, (first, second)) = tokio::join!(server.henry_asks("a secret reason"), letters);
    let link = format!("{}/inbox/requests/{id}", server.url);
    for letter in [&first, &second] {
        assert!(letter.contains("MAIL FROM:<no-reply@x.example>"), "{letter}");
        assert!(letter.contains("Subject: A request waits for a decision (default/dev)"), "{letter}");
        assert!(letter.contains(&link), "{letter}");
        assert!(!letter.contains("a secret reason"), "{letter}");
    }
    let both = format!("{first}{second}");
    assert!(
        both.contains("RCPT TO:<joe@family.example>") && both.contains("RCPT TO:<jane@family.example>"),
        "{both}"
    );
    let dead = async {
        loop {
            let listed = server.ok(&["deliveries"]);
            if listed.contains("tried once") && listed.lines().count() == 1 {
                return listed;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let listed = timeout(LONG, dead).await.unwrap();
    assert!(listed.contains("mail") && listed.contains("the mail server answered 554"), "{listed}");
    assert!(!listed.contains('@'), "{listed}");
}

#[test]
fn a_mail_server_needs_a_sender_and_tls_beyond_this_machine() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("empty"), "\n").unwrap();
    let from = ["--mail-from", "a@b.example"];
    for (arguments, sentence) in [
        (vec!["--smtp", "smtps://mail.example.com"], "--mail-from"),
        ([&["--smtp", "smtp://mail.example.com"], &from[..]].concat(), "is not encrypted"),
        ([&["--smtp", "mail.example.com"], &from[..]].concat(), "smtps://HOST"),
        (vec!["--smtp", "smtps://mail.example.com", "--mail-from", "nobody"], "the sender of mail"),
        (
            [
                &["--smtp", "smtps://m.example", "--smtp-user", "u", "--smtp-password-file", "empty"],
                &from[..],
            ]
            .concat(),
            "is empty",
        ),
    ] {
        let output = askfirst(home.path()).arg("serve").args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(sentence), "{arguments:?}: {}", stderr(&output));
    }
}
