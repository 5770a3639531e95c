//! The family's evening, as people play it.

use crate::support::{Process, askfirst, stderr, stdout};

#[test]
fn the_evening_plays_by_itself_and_leaves_only_the_picture() {
    let home = tempfile::tempdir().unwrap();
    // A model key changes nothing: --auto always plays the script.
    let output = askfirst(home.path()).args(["demo", "--auto"]).env("OPENAI_API_KEY", "x").output().unwrap();
    let seen = stdout(&output);
    assert!(output.status.success(), "{seen}\n{}", stderr(&output));
    for fact in [
        "henry may not read restaurants:pizza-palace",
        "→ create_access_request",
        "⇒ approved: \u{201c}fine, you are old enough\u{201d}",
        "Margherita at pizza-palace for henry, $8.00.",
        "henry may not operate restaurants:pizza-palace_truffle-pizza",
        "→ create_operation_approval",
        "The approval for it",
        "⇒ denied: \u{201c}one truffle pizza is enough\u{201d}",
        "joe said no: \u{201c}one truffle pizza is enough\u{201d}",
        "2 orders were placed, exactly as approved.",
        "request.denied",
    ] {
        assert!(seen.contains(fact), "`{fact}` is missing in:\n{seen}");
    }
    assert!(seen.lines().all(|line| line.chars().count() <= 100), "{seen}");
    assert!(!seen.contains("askfirst_key_") && !seen.contains("/login/"), "{seen}");
    assert_eq!(stderr(&output), "");
    let left: Vec<_> =
        std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["workflow_graph.png"]);
    let png = std::fs::read(home.path().join("workflow_graph.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
}

#[test]
fn whoever_sits_here_decides() {
    let home = tempfile::tempdir().unwrap();
    let mut demo = Process::start(askfirst(home.path()).args(["demo", "--out", "pictures"]));
    demo.until("/login/");
    demo.until("child-can-order on restaurants:pizza-palace.");
    // Neither an empty line nor another word decides.
    for line in ["", "sure", "a", "go ahead", "deny", "", "too dear", "d", "no"] {
        demo.say(line);
    }
    let (status, seen) = demo.finish();
    assert!(status.success(), "{seen}");
    assert!(seen.contains("⇒ approved: \u{201c}go ahead\u{201d}"), "{seen}");
    assert!(seen.contains("⇒ denied: \u{201c}too dear\u{201d}"), "{seen}");
    assert!(seen.contains("1 order was placed, exactly as approved."), "{seen}");
    assert!(home.path().join("pictures").join("workflow_graph.png").exists());
}

#[test]
fn with_nobody_to_ask_it_is_denied() {
    let home = tempfile::tempdir().unwrap();
    let output = askfirst(home.path()).args(["demo", "--keep"]).output().unwrap();
    let seen = stdout(&output);
    assert!(output.status.success(), "{seen}\n{}", stderr(&output));
    // It is asked once: the same is not asked again minutes after somebody said no.
    assert_eq!(seen.matches("Nobody is here to answer, so it is denied.").count(), 1, "{seen}");
    assert_eq!(seen.matches("The same was denied by joe").count(), 4, "{seen}");
    assert!(seen.contains("0 orders were placed, exactly as approved."), "{seen}");
    let kept = seen.lines().last().unwrap().rsplit("kept in ").next().unwrap().trim_end_matches('.');
    assert!(std::path::Path::new(kept).join("food.db").exists(), "{kept}");
}

#[test]
fn an_evening_that_is_broken_off_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut demo = Process::start(askfirst(home.path()).arg("demo"));
    demo.until("child-can-order on restaurants:pizza-palace.");
    assert_eq!(demo.terminate().code(), Some(2));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}
