//! `askfirst policy test`: the tests in policy files. Asks no server.

use super::check::complain;
use crate::{
    env::Env,
    terminal::{self, Style},
};
use askfirst_engine::{
    Clock as _, SystemClock,
    policy::{CaseOutcome, run_tests},
};
use serde_json::{Value, json};
use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

/// Ask the tests in policy files, without a server
///
/// Each case under `tests` is asked of what its file says, and of nothing else. The exit code is 0 when every case has its
/// answer, 1 when one has not or a file is wrong, and 2 when a file can't be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst policy test policy.yaml
  askfirst policy test policies/*.yaml --junit > report.xml")]
pub(super) struct Args {
    /// The files, or `-` for standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print the outcomes as JSON
    #[arg(long)]
    json: bool,
    /// Print the outcomes as JUnit XML
    #[arg(long, conflicts_with = "json")]
    junit: bool,
}

/// What came of a file.
struct Suite {
    name: String,
    cases: Vec<CaseOutcome>,
}

impl Suite {
    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| case.failure.is_some()).count()
    }
}

pub(super) fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let style = Style::of_stdout(env);
    let now = SystemClock.now();
    let (mut suites, mut wrong) = (Vec::new(), false);
    for file in &args.files {
        let name = file.display().to_string();
        match run_tests(&super::read(file)?, now) {
            Ok(cases) => suites.push(Suite { name, cases }),
            Err(diagnostics) if args.json || args.junit => {
                let failed = diagnostics.iter().map(|found| CaseOutcome {
                    name: "the file is right".to_owned(),
                    line: found.line,
                    failure: Some(found.to_string()),
                });
                suites.push(Suite { name, cases: failed.collect() });
            }
            Err(diagnostics) => {
                complain(&name, &diagnostics, style)?;
                wrong = true;
            }
        }
    }
    let failures: usize = suites.iter().map(Suite::failures).sum();
    if args.json {
        terminal::line(json!(suites.iter().map(value).collect::<Vec<_>>()))?;
    } else if args.junit {
        terminal::line(junit(&suites))?;
    } else {
        tell(&suites, style)?;
    }
    Ok(ExitCode::from(u8::from(failures > 0 || wrong)))
}

fn tell(suites: &[Suite], style: Style) -> std::io::Result<()> {
    for suite in suites {
        terminal::line(style.bold(&suite.name))?;
        for case in &suite.cases {
            let name = terminal::plain(&case.name);
            match &case.failure {
                None => terminal::line(format_args!("  {}  {name}", style.good("ok  ")))?,
                Some(failure) => {
                    terminal::line(format_args!("  {}  {name}", style.bad("FAIL")))?;
                    let place = style.dim(format_args!("line {}:", case.line));
                    terminal::line(format_args!("        {place} {}", terminal::plain(failure)))?;
                }
            }
        }
    }
    let cases: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let failures: usize = suites.iter().map(Suite::failures).sum();
    if cases == 0 {
        return terminal::line("There are no tests; write some under `tests` in the file.");
    }
    let counted =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let all = counted(cases, "test", "tests");
    if failures == 0 {
        terminal::line(style.good(format_args!("{all} passed.")))
    } else {
        terminal::line(style.bad(format_args!("{failures} of {all} failed.")))
    }
}

fn value(suite: &Suite) -> Value {
    json!({"file": suite.name, "tests": suite.cases, "failures": suite.failures()})
}

/// As test runners of all kinds read it.
fn junit(suites: &[Suite]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for suite in suites {
        let name = escaped(&suite.name);
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\">",
            suite.cases.len(),
            suite.failures()
        );
        for case in &suite.cases {
            let case_name = escaped(&case.name);
            let _ = write!(
                text,
                "    <testcase classname=\"{name}\" name=\"{case_name}\" line=\"{}\"",
                case.line
            );
            let _ = match &case.failure {
                None => writeln!(text, "/>"),
                Some(failure) => {
                    writeln!(text, ">\n      <failure message=\"{}\"/>\n    </testcase>", escaped(failure))
                }
            };
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>");
    text
}

/// A text as the value of an XML attribute. What XML can't hold is spelled out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in terminal::plain(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_whatever_names_hold() {
        let case = |name: &str, failure: Option<&str>| CaseOutcome {
            name: name.to_owned(),
            line: 3,
            failure: failure.map(ToOwned::to_owned),
        };
        let cases = vec![case("joe & \"<ann>\"", None), case("bell\u{7}", Some("it is denied"))];
        let suite = Suite { name: "a.yaml".to_owned(), cases };
        insta::assert_snapshot!(junit(&[suite]));
    }
}
