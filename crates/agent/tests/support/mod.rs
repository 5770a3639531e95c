//! Where the program that the tests start and kill is.

use std::path::PathBuf;

/// The built `fixture` example, which `cargo test` builds beside the tests.
pub(crate) fn fixture() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let target = own.parent().and_then(|deps| deps.parent()).unwrap();
    let program = target.join("examples").join("fixture");
    assert!(
        program.exists(),
        "{} is missing; run `cargo build -p askfirst-agent --examples`",
        program.display()
    );
    program
}
