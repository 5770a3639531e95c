//! `askfirst decisions`: the decision log.

use crate::{
    client::{Client, segment},
    env::Env,
    terminal::{self, Style},
};
use anyhow::anyhow;
use askfirst_engine::{Clock as _, SystemClock};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeSet, VecDeque},
    process::ExitCode,
    time::Duration,
};

/// The most that is asked for at once.
const PAGE: usize = 1000;
/// The most of a reason in the table, in characters.
const WHY: usize = 90;
/// How often it is looked whether something new was decided.
const LOOK: Duration = Duration::from_millis(500);
/// How many looks back it is looked again: what another replica decided comes into the log a moment later.
const OVERLAP: usize = 6;

/// Look at what was decided, for whom, and why
///
/// Lists decisions with the newest at the end. Names in the log are those of the questions, also of people and things that
/// do not exist any more, or never did. With an id it shows that one decision in full.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[command(after_help = "\
Examples:
  askfirst decisions
  askfirst decisions --user henry --denied --since 1h
  askfirst decisions --resource restaurants:pizza-palace --follow
  askfirst decisions --since 2030-01-31T12:00:00Z --limit 100000 --json
  askfirst decisions 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11")]
pub(crate) struct Args {
    /// Show this one in full
    #[arg(conflicts_with_all = ["user", "action", "resource", "tenant", "since", "until", "follow"])]
    id: Option<String>,
    /// Of this user; may be given more than once
    #[arg(long, value_name = "KEY")]
    user: Vec<String>,
    /// About this action
    #[arg(long)]
    action: Option<String>,
    /// About this resource, or this instance; may be given more than once
    #[arg(long, value_name = "TYPE[:KEY]")]
    resource: Vec<String>,
    /// In this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// What was denied and nothing else
    #[arg(long, conflicts_with = "allowed")]
    denied: bool,
    /// What was allowed and nothing else
    #[arg(long)]
    allowed: bool,
    /// Not before: 90s, 15m, 1h, 7d ago, or a moment such as 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<String>,
    /// Not after
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<String>,
    /// How many at most, the newest
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Go on with what is decided from now on
    #[arg(long, conflicts_with = "until")]
    follow: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize)]
struct Page {
    decisions: Vec<Value>,
    next: Option<String>,
    missed: Vec<Missed>,
}

#[derive(Debug, Deserialize)]
struct Missed {
    from: String,
    to: String,
    decisions: u64,
}

/// What the table shows of a decision.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    id: String,
    at: String,
    allow: bool,
    user: String,
    action: String,
    resource: String,
    tenant: String,
    asked_tenant: Option<String>,
    revision: u64,
    reason: Option<String>,
    given: Option<Value>,
    left_out: Option<String>,
    door: String,
    asked_by: Option<Value>,
    trace: Option<Value>,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    let style = Style::of_stdout(env);
    if let Some(id) = &args.id {
        let path = format!("/api/v1/decisions/{}", segment(id));
        let found: Value = client.get(&path, &[]).await?;
        if args.json {
            terminal::line(found)?;
        } else {
            show(&serde_json::from_value(found)?, style)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut printer = Printer { style, json: args.json, table: Table::default() };
    let mut query = query(&args);
    let (newest, missed) = list(&client, &query, args.limit).await?;
    for gap in &missed {
        terminal::remark(format_args!(
            "askfirst: {} decisions between {} and {} are not in the log",
            gap.decisions, gap.from, gap.to
        ));
    }
    if newest.is_empty() && !args.follow && !args.json {
        terminal::remark("askfirst: the log has nothing of that");
    }
    let mut seen: BTreeSet<(String, String)> = newest.iter().map(place).collect();
    printer.print(newest)?;
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    query.retain(|(name, _)| *name != "from");
    // By the server's clock: ours may be another.
    let mut newest = seen.last().map(|(at, _)| at.clone());
    let mut marks = VecDeque::from([newest.clone()]);
    loop {
        tokio::time::sleep(LOOK).await;
        let from = marks.front().cloned().flatten();
        let mut query = query.clone();
        query.extend(from.clone().map(|from| ("from", from)));
        let (found, _) = list(&client, &query, usize::MAX).await?;
        let new: Vec<Value> = found.into_iter().filter(|entry| seen.insert(place(entry))).collect();
        printer.print(new)?;
        newest = seen.last().map(|(at, _)| at.clone()).or(newest);
        marks.push_back(newest.clone());
        if marks.len() > OVERLAP {
            marks.pop_front();
        }
        // What is older than the next look goes back will not come again, but the newest is still the newest.
        let last = seen.last().cloned();
        seen.retain(|(at, _)| from.as_ref().is_none_or(|from| at >= from));
        seen.extend(last);
    }
}

fn query(args: &Args) -> Vec<(&'static str, String)> {
    let mut query: Vec<(&'static str, String)> = Vec::new();
    query.extend(args.user.iter().map(|user| ("user", user.clone())));
    query.extend(args.resource.iter().map(|resource| ("resource", resource.clone())));
    let single = [
        ("action", args.action.clone()),
        ("tenant", args.tenant.clone()),
        ("decision", args.denied.then(|| "deny".to_owned())),
        ("decision", args.allowed.then(|| "allow".to_owned())),
        ("from", args.since.clone()),
        ("to", args.until.clone()),
    ];
    query.extend(single.into_iter().filter_map(|(name, value)| Some((name, value?))));
    query
}

/// The newest that match, the oldest of them first.
async fn list(
    client: &Client,
    query: &[(&'static str, String)],
    limit: usize,
) -> anyhow::Result<(Vec<Value>, Vec<Missed>)> {
    let (mut found, mut missed, mut cursor) = (Vec::new(), Vec::new(), None::<String>);
    while found.len() < limit {
        let size = (limit - found.len()).min(PAGE).to_string();
        let mut pairs: Vec<(&str, &str)> =
            query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        pairs.push(("limit", &size));
        if let Some(cursor) = &cursor {
            pairs.push(("cursor", cursor));
        }
        let page: Page = client.get("/api/v1/decisions", &pairs).await?;
        found.extend(page.decisions);
        if cursor.is_none() {
            missed = page.missed;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    found.reverse();
    Ok((found, missed))
}

/// What tells a decision from others: its time and its id.
fn place(entry: &Value) -> (String, String) {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("at"), text("id"))
}

/// A time as people write it: `15m` ago, or a moment, which the server reads.
pub(crate) fn moment(text: &str) -> Result<String, String> {
    let unit = |suffix: &str, seconds: u64| {
        let number: u64 = text.strip_suffix(suffix)?.parse().ok()?;
        number.checked_mul(seconds).map(Duration::from_secs)
    };
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)];
    if let Some(duration) = units.into_iter().find_map(|(suffix, seconds)| unit(suffix, seconds)) {
        return Ok(SystemClock.now().minus(duration).to_string());
    }
    // The server says what is wrong with the rest of it.
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('-') {
        return Ok(text.to_owned());
    }
    Err("write 90s, 15m, 1h, 7d, or a moment such as 2030-01-31T12:00:00Z".to_owned())
}

/// Writes decisions as lines.
#[derive(Debug)]
struct Printer {
    style: Style,
    json: bool,
    table: Table,
}

impl Printer {
    fn print(&mut self, entries: Vec<Value>) -> anyhow::Result<()> {
        if self.json {
            for entry in entries {
                terminal::line(entry)?;
            }
            return Ok(());
        }
        let entries = entries.into_iter().map(serde_json::from_value::<Entry>);
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(|_| {
            anyhow!("the server answered what this command can't read; is it another version?")
        })?;
        for line in self.table.lines(&entries, self.style) {
            terminal::line(line)?;
        }
        Ok(())
    }
}

const HEAD: [&str; 6] = ["TIME (UTC)", "USER", "ACTION", "RESOURCE", "TENANT", "DOOR"];

/// A table that goes on: columns are as wide as what was in them so far.
#[derive(Debug, Default)]
struct Table {
    widths: [usize; HEAD.len()],
}

impl Table {
    fn lines(&mut self, entries: &[Entry], style: Style) -> Vec<String> {
        if entries.is_empty() {
            return Vec::new();
        }
        let is_first = self.widths.iter().all(|width| *width == 0);
        let rows: Vec<[String; HEAD.len()]> = entries.iter().map(cells).collect();
        let head = HEAD.map(str::to_owned);
        for row in rows.iter().chain([&head]) {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let mut lines = Vec::with_capacity(rows.len() + 1);
        if is_first {
            lines.push(style.dim(format_args!("       {}  WHY", self.row(&head))));
        }
        for (entry, row) in entries.iter().zip(&rows) {
            let verdict = if entry.allow { style.good("allow") } else { style.bad("deny ") };
            lines.push(format!("{verdict}  {}  {}", self.row(row), style.dim(why(entry))));
        }
        lines
    }

    fn row(&self, row: &[String; HEAD.len()]) -> String {
        let cells = row.iter().zip(self.widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ")
    }
}

fn cells(entry: &Entry) -> [String; HEAD.len()] {
    [
        time(&entry.at),
        entry.user.clone(),
        entry.action.clone(),
        entry.resource.clone(),
        entry.tenant.clone(),
        entry.door.clone(),
    ]
    .map(|cell| terminal::plain(&cell))
}

/// `2030-01-31 12:00:00.123` of a moment.
fn time(at: &str) -> String {
    at.chars().take(23).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// The reason without the question that it repeats: its first sentence.
fn why(entry: &Entry) -> String {
    let reason = entry.reason.as_deref().unwrap_or_default();
    let verb = if entry.allow { "may" } else { "may not" };
    let question = format!("{} {verb} {} {}: ", entry.user, entry.action, entry.resource);
    let reason = reason.strip_prefix(&question).unwrap_or(reason);
    let first = reason.split_once(". ").map_or(reason, |(first, _)| first);
    let first = terminal::plain(first.strip_suffix('.').unwrap_or(first));
    if first.chars().count() <= WHY { first } else { first.chars().take(WHY).chain(['…']).collect() }
}

/// One decision in full.
fn show(entry: &Entry, style: Style) -> anyhow::Result<()> {
    let verdict = if entry.allow { style.good("allow") } else { style.bad("deny") };
    let question = format!("{} {} {}", entry.user, entry.action, entry.resource);
    terminal::line(format_args!("{verdict}  {}", style.bold(terminal::plain(&question))))?;
    for line in terminal::wrap(&terminal::plain(entry.reason.as_deref().unwrap_or_default()), 100) {
        terminal::line(line)?;
    }
    let tenant = match &entry.asked_tenant {
        Some(_) => entry.tenant.clone(),
        None => format!("{} (the question named none)", entry.tenant),
    };
    let given = match (&entry.given, &entry.left_out) {
        (Some(given), _) => given.to_string(),
        (None, Some(why)) => format!("not logged ({why})"),
        (None, None) => "nothing".to_owned(),
    };
    let text = |value: &Option<Value>| value.as_ref().map_or_else(|| "unknown".to_owned(), Value::to_string);
    let rows = [
        ("id", entry.id.clone()),
        ("at", entry.at.clone()),
        ("tenant", tenant),
        ("revision", entry.revision.to_string()),
        ("given", given),
        ("asked by", text(&entry.asked_by)),
        ("door", entry.door.clone()),
        ("trace", text(&entry.trace)),
    ];
    for (name, value) in rows {
        terminal::line(format_args!(
            "{}  {}",
            style.dim(format_args!("{name:<8}")),
            terminal::plain(&value)
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(allow: bool, user: &str, reason: &str) -> Entry {
        Entry {
            at: "2030-01-31T12:00:00.123456Z".to_owned(),
            allow,
            user: user.to_owned(),
            action: "read".to_owned(),
            resource: "doc:1".to_owned(),
            tenant: "default".to_owned(),
            reason: Some(reason.to_owned()),
            door: "pdp".to_owned(),
            ..Entry::default()
        }
    }

    #[test]
    fn a_table_goes_on_and_repeats_no_question() {
        let mut table = Table::default();
        let first = [
            entry(true, "joe", "joe may read doc:1: joe holds reader in tenant default."),
            entry(
                false,
                "henry",
                "henry may not read doc:1: henry holds no role that allows it. It would take x.",
            ),
        ];
        let mut lines = table.lines(&first, Style::none());
        lines.extend(table.lines(&[entry(false, "a\u{202e}b", &"x".repeat(200))], Style::none()));
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn times_are_ago_or_moments() {
        assert!(moment("15m").unwrap() < moment("1s").unwrap());
        assert_eq!(moment("2030-01-31T12:00:00Z").unwrap(), "2030-01-31T12:00:00Z");
        for wrong in ["", "m", "-5m", "1y", "99999999999999999999s", "yesterday"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
