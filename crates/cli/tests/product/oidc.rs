//! Signing in with an OpenID Connect issuer, as far as the operator says it.

use crate::support::{Server, askfirst, stderr};
use std::fs;

#[test]
fn an_issuer_is_given_whole_or_not_at_all() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("empty"), "\n").unwrap();
    let issuer = ["--oidc-issuer", "https://id.example"];
    let client = ["--oidc-issuer", "https://id.example", "--oidc-client-id", "us"];
    for (arguments, sentence) in [
        (issuer.to_vec(), "--oidc-issuer needs --oidc-client-id"),
        (vec!["--oidc-client-id", "us"], "--oidc-client-id is for --oidc-issuer"),
        (vec!["--oidc-client-secret-file", "empty"], "--oidc-client-secret-file is for --oidc-issuer"),
        (vec!["--oidc-name", "Us"], "--oidc-name is for --oidc-issuer"),
        (vec!["--oidc-issuer", "http://id.example", "--oidc-client-id", "us"], "written as it calls itself"),
        (vec!["--oidc-issuer", "id.example", "--oidc-client-id", "us"], "written as it calls itself"),
        ([&client[..], &["--oidc-client-id", ""]].concat(), "cannot be used multiple times"),
        ([&issuer[..], &["--oidc-client-id", ""]].concat(), "the client id is empty"),
        ([&client[..], &["--oidc-name", ""]].concat(), "the name on the button"),
        ([&client[..], &["--oidc-client-secret-file", "empty"]].concat(), "is empty"),
        ([&client[..], &["--oidc-client-secret-file", "nowhere"]].concat(), "can't read nowhere"),
        ([&client[..], &["--listen", "0.0.0.0:0"]].concat(), "needs --public-url"),
    ] {
        let output = askfirst(home.path()).arg("serve").args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(sentence), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn who_is_linked_is_listed_and_nobody_is_unlinked_twice() {
    let server = Server::of_the_family();
    assert!(server.ok(&["identity", "list", "joe"]).contains("joe is linked with nobody"));
    let refused = server.fails(&["identity", "unlink", "joe"]);
    assert!(refused.contains("is linked with nobody at any issuer"), "{refused}");
    assert!(server.fails(&["identity", "list", "nobody"]).contains("There is no user `nobody`"));
}
