//! `askfirst serve` from its first start to its end.

use crate::support::{KEY, Process, Server, askfirst, stderr, stdout, text_of};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn the_first_start_makes_keys_for_their_owner_alone_and_prints_one_line() {
    let home = tempfile::tempdir().unwrap();
    let mut command = askfirst(home.path());
    command.args(["serve", "--data", "data", "--listen", "127.0.0.1:0"]).stderr(std::process::Stdio::piped());
    let mut process = Process::start(&mut command);
    let ready = process.until("listening on");
    assert!(ready.starts_with(concat!(
        "askfirst ",
        env!("CARGO_PKG_VERSION"),
        " listening on http://127.0.0.1:"
    )));
    assert!(!ready.ends_with(":0"), "{ready}");

    let data = home.path().join("data");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let keys = data.join("keys.txt");
    assert_eq!(mode(&keys), 0o600);
    for file in std::fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let text = text_of(&keys);
    let secrets: Vec<&str> = text.lines().filter_map(|line| line.rsplit(' ').next()).collect();
    for opens in [
        "organization default",
        "project default",
        "environment default/dev",
        "environment default/production",
    ] {
        assert!(text.contains(opens), "{text}");
    }

    assert_eq!(process.terminate().code(), Some(0));
    let (_, seen) = process.finish();
    assert_eq!(seen.lines().count(), 1, "{seen}");
    assert!(secrets.iter().filter(|s| s.starts_with("askfirst_key_")).all(|secret| !seen.contains(secret)));

    // The dev key of the file opens dev; a second start makes no new keys.
    let dev = text.lines().find(|line| line.contains("default/dev")).unwrap().rsplit(' ').next().unwrap();
    let mut command = askfirst(home.path());
    command.args(["serve", "--data", "data", "--listen", "127.0.0.1:0"]).stderr(std::process::Stdio::null());
    let mut process = Process::start(&mut command);
    let url = process.until("listening on").rsplit(' ').next().unwrap().to_owned();
    let check = askfirst(home.path())
        .args(["check", "nobody", "read", "nothing"])
        .envs([("ASKFIRST_URL", url.as_str()), ("ASKFIRST_API_KEY", dev)])
        .output()
        .unwrap();
    assert_eq!(check.status.code(), Some(1), "{}", stderr(&check));
    assert_eq!(text_of(&keys), text);
}

#[test]
fn the_operators_key_is_not_written_down() {
    let server = Server::start();
    let keys = text_of(&server.data().join("keys.txt"));
    assert!(!keys.contains(KEY), "{keys}");
    assert!(keys.contains("environment default/dev         (ASKFIRST_API_KEY of the first start)"), "{keys}");
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let server = Server::start();
    let second = askfirst(server.home.path())
        .args(["serve", "--data", "data", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert_eq!(
        stderr(&second),
        "askfirst: another askfirst server uses the data directory data; stop it, or choose another one with --data\n"
    );
    assert_eq!(stdout(&second), "");
}

#[test]
fn a_taken_port_is_said_and_leaves_no_data() {
    let server = Server::start();
    let address = server.url.trim_start_matches("http://");
    let second = askfirst(server.home.path())
        .args(["serve", "--data", "other", "--listen", address])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(2));
    let said = stderr(&second);
    assert!(said.contains("is taken; choose another one with --listen"), "{said}");
    assert!(!server.home.path().join("other").join("keys.txt").exists());
}

#[test]
fn a_weak_first_key_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let output = askfirst(home.path())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("ASKFIRST_API_KEY", "secret")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("must have 16 characters at least"), "{}", stderr(&output));
    assert!(!home.path().join("askfirst-data").exists());
}

#[test]
fn it_stops_when_told_to() {
    let mut server = Server::start();
    assert_eq!(server.stop().code(), Some(0));
    assert!(server.fails(&["check", "a", "b", "c"]).contains("no server answers at http://127.0.0.1:"));
}
