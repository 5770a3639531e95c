//! A database across a network: what the URL says about TLS is what counts.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of a test fail as the test does"
)]

#[expect(dead_code, reason = "the other tests need more of it")]
mod support;

use askfirst_store::{PostgresOptions, PostgresStore};
use sqlx::Row as _;
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};
use support::{Server, connect, directory, programs_or_say};

/// How a server shows who it is, in PEM.
struct Certificate {
    chain: String,
    key: String,
}

/// Starts a server that speaks TLS on a port of this machine, and gives the port.
fn start_with_tls(certificate: &Certificate) -> Option<(Server, u16)> {
    let programs = programs_or_say()?;
    let directory = directory();
    for (name, text) in [("chain.pem", &certificate.chain), ("key.pem", &certificate.key)] {
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        // PostgreSQL takes no key that others may read.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = |name: &str| directory.join(name).display().to_string();
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", file("chain.pem")),
        format!("ssl_key_file={}", file("key.pem")),
    ];
    Some((Server::start_in(directory, &programs, "off", port, &settings), port))
}

fn certificate(name: &str) -> Certificate {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    Certificate { chain: made.cert.pem(), key: made.signing_key.serialize_pem() }
}

fn options() -> PostgresOptions {
    PostgresOptions { patience: Duration::from_secs(20), ..PostgresOptions::default() }
}

/// A file with the certificates that are to be trusted.
fn root(home: &Path, name: &str, certificate: &Certificate) -> String {
    let file = home.join(name);
    fs::write(&file, &certificate.chain).unwrap();
    file.display().to_string()
}

#[tokio::test]
async fn a_database_is_trusted_by_its_certificate_and_its_name() {
    let shown = certificate("localhost");
    let Some((server, port)) = start_with_tls(&shown) else { return };
    let home = tempfile::tempdir().unwrap();
    let right = root(home.path(), "right.pem", &shown);
    let wrong = root(home.path(), "wrong.pem", &certificate("localhost"));
    let url = |host: &str, mode: &str, root: &str| {
        format!("postgres://askfirst@{host}:{port}/postgres?sslmode={mode}&sslrootcert={root}")
    };

    let store = PostgresStore::connect(&url("localhost", "verify-full", &right), options()).await.unwrap();
    // Every connection of the store, the one that writes and those that read, is encrypted.
    let mut beside = connect(&server.url("postgres")).await;
    let of_the_store = "SELECT count(*) FILTER (WHERE s.ssl), count(*) FROM pg_stat_ssl AS s \
         JOIN pg_stat_activity AS a USING (pid) WHERE a.client_addr IS NOT NULL";
    let row = sqlx::query(of_the_store).fetch_one(&mut beside).await.unwrap();
    let (encrypted, all): (i64, i64) = (row.get(0), row.get(1));
    assert!(encrypted > 0 && encrypted == all, "{encrypted} of {all}");
    store.close().await;

    for (refused, why) in [
        (url("localhost", "verify-full", &wrong), "somebody else's certificate"),
        (url("localhost", "verify-ca", &wrong), "somebody else's certificate"),
        (url("127.0.0.1", "verify-full", &right), "a certificate of another name"),
    ] {
        assert!(PostgresStore::connect(&refused, options()).await.is_err(), "{why} was taken: {refused}");
    }
    // Who asks for the certificate alone does not ask for the name.
    PostgresStore::connect(&url("127.0.0.1", "verify-ca", &right), options()).await.unwrap().close().await;
}
