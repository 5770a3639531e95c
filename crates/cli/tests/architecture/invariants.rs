//! The invariants of `ARCHITECTURE.md` that the dependency graph and the sources can show.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Our crates by short name (`domain`, `cli`), each with the names of what it depends on, tests' needs left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let mut found = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let normal = package["dependencies"].as_array().expect("dependencies").iter();
        let names = normal
            .filter(|d| d["kind"].is_null())
            .map(|d| d["name"].as_str().unwrap_or_default().to_owned())
            .collect();
        let name = package["name"].as_str().unwrap_or_default();
        found.insert(name.trim_start_matches("askfirst-").replace("askfirst", "cli"), names);
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(of: &str) -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(dir).expect("a source folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push((path.clone(), fs::read_to_string(&path).expect("a source file")));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("crates").join(of).join("src"), &mut found);
    assert!(!found.is_empty(), "crates/{of}/src has sources");
    found
}

fn assert_without(crate_name: &str, words: &[&str]) {
    for (path, text) in sources(crate_name) {
        for word in words {
            assert!(!text.contains(word), "{} must not say `{word}`", path.display());
        }
    }
}

#[test]
fn the_eight_crates_depend_only_downwards() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("domain", &[][..]),
        ("policy", &["domain"]),
        ("store", &["domain"]),
        ("agent", &["domain"]),
        ("engine", &["domain", "policy", "store"]),
        ("http", &["domain", "engine"]),
        ("mcp", &["domain", "engine"]),
        ("cli", &["domain", "store", "engine", "http", "mcp", "agent", "food"]),
    ]);
    let found = dependencies();
    for (name, may) in allowed {
        for dependency in found.get(name).unwrap_or_else(|| panic!("the crate {name} is there")) {
            if let Some(ours) = dependency.strip_prefix("askfirst-") {
                assert!(may.contains(&ours), "{name} must not depend on {ours}");
            }
        }
    }
}

#[test]
fn domain_and_policy_are_pure() {
    for name in ["domain", "policy"] {
        for heavy in ["tokio", "sqlx", "rand", "reqwest", "axum", "rmcp"] {
            assert!(!dependencies()[name].contains(heavy), "{name} must not depend on {heavy}");
        }
        assert_without(name, &["async fn", "SystemTime", "Instant::now", "std::fs", "std::net", "std::env"]);
    }
}

#[test]
fn rmcp_stays_in_its_corner() {
    for (name, dependencies) in dependencies() {
        if dependencies.contains("rmcp") {
            assert!(["mcp", "agent", "food"].contains(&name.as_str()), "{name} must not see rmcp");
        }
    }
}

#[test]
fn only_the_binary_reads_the_environment() {
    for name in ["domain", "policy", "store", "engine", "http", "mcp", "agent"] {
        assert_without(name, &["env::var", "env::vars", "dotenv"]);
    }
}

#[test]
fn access_proofs_are_made_in_one_file() {
    for (path, text) in sources("engine") {
        if path.ends_with("access.rs") {
            continue;
        }
        for proof in ["EnvScope {", "OrgScope {", "Acting {"] {
            let made = text.lines().any(|line| {
                // A struct literal ends in nothing else; `-> &EnvScope {` opens a function's body.
                line.contains(proof)
                    && !["impl ", "->"].iter().any(|w| line.contains(w))
                    && !line.trim_start().starts_with("//")
            });
            assert!(!made, "{} must not make an {proof} }}", path.display());
        }
    }
}

#[test]
fn no_file_is_a_giant() {
    for name in ["domain", "policy", "store", "engine", "http", "mcp", "agent", "cli"] {
        for (path, text) in sources(name) {
            let lines = text.lines().count();
            assert!(lines <= 600, "{} has {lines} lines; 600 is the most", path.display());
        }
    }
}
