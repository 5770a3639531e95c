//! HTTPS, spoken by the server itself.

use crate::support::{KEY, Process, askfirst, stderr, stdout};
use serde_json::Value;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
};

fn https(home: &Path, idle: &str) -> Command {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(home.join("chain.pem"), made.cert.pem()).unwrap();
    std::fs::write(home.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let mut command = askfirst(home);
    command
        .args(["serve", "--data", "data", "--listen", "127.0.0.1:0", "--log", "warn", "--idle-timeout", idle])
        .args(["--tls-cert", "chain.pem", "--tls-key", "key.pem"])
        .env("ASKFIRST_API_KEY", KEY);
    command
}

/// The server, and its address without the scheme.
fn start(home: &Path) -> (Process, String) {
    let mut process = Process::start(https(home, "1").args(["--public-url", "https://decide.example"]));
    let line = process.until("listening on https://127.0.0.1:");
    let port = line.rsplit(':').next().unwrap().to_owned();
    (process, port)
}

fn exchange(port: &str, said: &[u8]) -> String {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream.write_all(said).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn clients_that_trust_the_certificate_are_answered() {
    let home = tempfile::tempdir().unwrap();
    let (mut process, port) = start(home.path());
    let url = format!("https://localhost:{port}");

    let _ = rustls::crypto::ring::default_provider().install_default();
    let pem = std::fs::read(home.path().join("chain.pem")).unwrap();
    let trusting = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()])
        .build()
        .unwrap();
    let answer = trusting.get(format!("{url}/.well-known/authzen-configuration")).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    let metadata: Value = answer.json().await.unwrap();
    assert_eq!(
        metadata.get("access_evaluation_endpoint").and_then(Value::as_str),
        Some("https://decide.example/access/v1/evaluation")
    );

    drop(trusting);

    let mut check = askfirst(home.path());
    check.args(["check", "henry", "operate", "restaurants:pizza-palace"]);
    check.env("ASKFIRST_URL", &url).env("ASKFIRST_API_KEY", KEY);
    let stranger = check.output().unwrap();
    assert_eq!(stranger.status.code(), Some(2), "{}", stdout(&stranger));
    let known = check.env("SSL_CERT_FILE", home.path().join("chain.pem")).output().unwrap();
    assert_eq!(known.status.code(), Some(1), "{}", stderr(&known));
    assert_eq!(process.terminate().code(), Some(0));
}

#[test]
fn plain_http_is_told_so_and_silence_is_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let (_process, port) = start(home.path());
    let plain = exchange(&port, b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert!(plain.starts_with("HTTP/1.1 400"), "{plain}");
    assert!(plain.contains("This port speaks HTTPS"), "{plain}");
    // The beginning of a handshake, and then nothing: the server ends it.
    exchange(&port, &[0x16, 0x03, 0x01]);
}

#[test]
fn a_server_that_is_told_to_stop_waits_for_no_handshake() {
    let home = tempfile::tempdir().unwrap();
    let mut command = https(home.path(), "3600");
    let mut process = Process::start(&mut command);
    let line = process.until("listening on https://");
    let port = line.rsplit(':').next().unwrap();
    let mut silent = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    silent.write_all(&[0x16]).unwrap();
    assert_eq!(process.terminate().code(), Some(0));
}

#[test]
fn half_a_certificate_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let alone = askfirst(home.path()).args(["serve", "--tls-cert", "chain.pem"]).output().unwrap();
    assert_eq!(alone.status.code(), Some(2));
    assert!(stderr(&alone).contains("--tls-key"), "{}", stderr(&alone));
    let nowhere = askfirst(home.path())
        .args(["serve", "--listen", "127.0.0.1:0", "--tls-cert", "no.pem", "--tls-key", "no.pem"])
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(stderr(&nowhere).contains("can't read a certificate in PEM from no.pem"), "{}", stderr(&nowhere));
    assert!(!home.path().join("askfirst-data").exists(), "nothing is made before the certificate is read");
}
