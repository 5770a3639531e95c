//! What can be done with a policy file alone, without an environment.

use super::{Diagnostic, Prune};
use askfirst_domain::Timestamp;
use askfirst_policy::{
    Snapshot,
    file::{PolicyFile, parse},
};
use serde::Serialize;

/// What came of a test in a policy file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseOutcome {
    pub name: String,
    /// Where it stands in the file, counted from 1.
    pub line: u64,
    /// What is wrong; none when it has its answer.
    pub failure: Option<String>,
}

/// How much a policy file says: how many resources, roles and so on, by the names of its sections; sections that it has.
pub type Counts = Vec<(&'static str, usize)>;

/// Checks a policy file that stands alone.
///
/// # Errors
/// Every place that is wrong.
pub fn check_file(text: &str) -> Result<Counts, Vec<Diagnostic>> {
    let file = alone(text)?;
    let count = |name: &'static str| match name {
        "user_attributes" => file.user_attributes.len(),
        "tenant_attributes" => file.tenant_attributes.len(),
        "resources" => file.resources.len(),
        "roles" => {
            file.tenant_roles.len()
                + file.resources.iter().map(|resource| resource.roles.len()).sum::<usize>()
        }
        "set_rules" => file.rules.len(),
        "elements" => file.elements.len(),
        "tenants" => file.tenants.len(),
        "users" => file.users.len(),
        "instances" => file.instances.len(),
        "tuples" => file.tuples.len(),
        "assignments" => file.assignments.len(),
        "tests" => file.tests.len(),
        sets => {
            let of = |set: &&askfirst_policy::file::SetEntry| {
                askfirst_policy::file::set_section(set.kind).as_str() == sets
            };
            file.sets.iter().filter(of).count()
        }
    };
    let names = askfirst_policy::file::Section::ALL.map(askfirst_policy::file::Section::as_str);
    Ok(names.into_iter().map(|name| (name, count(name))).filter(|(_, count)| *count > 0).collect())
}

/// Asks the tests in a policy file of what it says itself.
///
/// # Errors
/// Every place of the file that is wrong.
pub fn run_tests(text: &str, now: Timestamp) -> Result<Vec<CaseOutcome>, Vec<Diagnostic>> {
    let outcomes = alone(text)?.run_tests(now).into_iter();
    Ok(outcomes
        .map(|outcome| CaseOutcome { name: outcome.name, line: outcome.line, failure: outcome.failure })
        .collect())
}

/// The names under which a policy file wants tokens of webhooks; none of a file that is wrong.
pub fn token_names(text: &str) -> Vec<String> {
    askfirst_policy::file::token_names(text)
}

/// The JSON Schema of policy files.
pub fn json_schema() -> serde_json::Value {
    askfirst_policy::file::json_schema()
}

fn alone(text: &str) -> Result<PolicyFile, Vec<Diagnostic>> {
    parse(text, &Snapshot::empty(), Prune::Nothing)
}
