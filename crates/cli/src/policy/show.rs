//! Plans and replays as people read them: understandable without colours, what others wrote made harmless.

use crate::terminal::{Style, plain, table};
use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

/// How many changed decisions are shown one by one.
const SHOWN: usize = 20;

#[derive(Debug, Deserialize)]
pub(super) struct Plan {
    differences: Vec<Difference>,
    unchanged: usize,
    left_over: Vec<LeftOver>,
    missing_secrets: Vec<String>,
    impact: Impact,
    recorded: Option<Replay>,
    pub(super) token: String,
    revision: u64,
}

#[derive(Debug, Deserialize)]
struct Difference {
    kind: Kind,
    what: String,
    name: String,
    fields: Vec<FieldChange>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Added,
    Changed,
    Removed,
}

#[derive(Debug, Deserialize)]
struct FieldChange {
    field: String,
    before: Value,
    after: Value,
}

#[derive(Debug, Deserialize)]
struct LeftOver {
    what: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Impact {
    asked: u64,
    of: u64,
    permissions: Vec<Shifted>,
    examples: Vec<Flipped>,
}

#[derive(Debug, Deserialize)]
struct Shifted {
    permission: String,
    gained: u64,
    lost: u64,
}

#[derive(Debug, Deserialize)]
struct Flipped {
    user: String,
    action: String,
    resource: String,
    tenant: String,
    after: String,
    by: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Replay {
    asked: u64,
    left_out: u64,
    not_logged: u64,
    more: bool,
    not_as_logged: u64,
    pub(super) changed: u64,
    changes: Vec<Replayed>,
}

#[derive(Debug, Deserialize)]
struct Replayed {
    user: String,
    action: String,
    resource: String,
    tenant: String,
    before: String,
    after: String,
    by: String,
    times: u64,
    last: String,
}

const UNREADABLE: &str = "the server answered what this command can't read; is it another version?";

impl Plan {
    pub(super) fn read(value: &Value) -> anyhow::Result<Self> {
        Self::deserialize(value).context(UNREADABLE)
    }

    pub(super) fn changes(&self) -> usize {
        self.differences.len()
    }

    pub(super) fn removals(&self) -> usize {
        self.differences.iter().filter(|difference| difference.kind == Kind::Removed).count()
    }

    pub(super) fn lines(&self, style: Style) -> Vec<String> {
        let mut lines = Vec::new();
        for difference in &self.differences {
            difference.tell(style, &mut lines);
        }
        if !self.differences.is_empty() {
            lines.push(String::new());
            self.impact.tell(style, &mut lines);
        }
        if let Some(recorded) = &self.recorded {
            lines.push(String::new());
            lines.extend(recorded.lines(style));
        }
        if !self.left_over.is_empty() {
            lines.push(String::new());
            lines.push("Not in the file, and stays; --prune takes it away:".to_owned());
            let left = |left: &LeftOver| format!("    {} {}", singular(&left.what), plain(&left.name));
            lines.extend(self.left_over.iter().take(SHOWN).map(|one| style.dim(left(one))));
            if self.left_over.len() > SHOWN {
                lines.push(style.dim(format_args!("    and {} more", self.left_over.len() - SHOWN)));
            }
        }
        for name in &self.missing_secrets {
            lines.push(style.attention(format_args!(
                "To apply the file, set the environment variable {} to the token of its webhook.",
                plain(name)
            )));
        }
        lines.push(self.summary());
        lines
    }

    fn summary(&self) -> String {
        let count = |kind| self.differences.iter().filter(|difference| difference.kind == kind).count();
        if self.differences.is_empty() {
            return format!("Nothing to do: all of it holds already, at revision {}.", self.revision);
        }
        format!(
            "Plan at revision {}: {} to add, {} to change, {} to remove; {} unchanged.",
            self.revision,
            count(Kind::Added),
            count(Kind::Changed),
            count(Kind::Removed),
            self.unchanged
        )
    }
}

impl Difference {
    fn tell(&self, style: Style, lines: &mut Vec<String>) {
        let head = format!("{} {}", singular(&self.what), plain(&self.name));
        lines.push(match self.kind {
            Kind::Added => style.good(format_args!("  + {head}")),
            Kind::Changed => style.attention(format_args!("  ~ {head}")),
            Kind::Removed => style.bad(format_args!("  - {head}")),
        });
        for field in &self.fields {
            field.tell(self.kind, style, lines);
        }
    }
}

impl FieldChange {
    fn tell(&self, kind: Kind, style: Style, lines: &mut Vec<String>) {
        let field = plain(&self.field);
        match kind {
            Kind::Added => lines.push(format!("      {field}: {}", shown(&self.after))),
            Kind::Removed => lines.push(style.dim(format_args!("      {field}: {}", shown(&self.before)))),
            Kind::Changed => match (items(&self.before), items(&self.after)) {
                (Some(before), Some(after)) if !same_items(&before, &after) => {
                    let added = after.iter().filter(|item| !before.contains(item));
                    let added = added.map(|item| style.good(format_args!("+{}", shown(item))));
                    let removed = before.iter().filter(|item| !after.contains(item));
                    let removed = removed.map(|item| style.bad(format_args!("-{}", shown(item))));
                    let turned: Vec<String> = added.chain(removed).collect();
                    lines.push(format!("      {field}: {}", turned.join(" ")));
                }
                _ => lines.push(format!("      {field}: {} -> {}", shown(&self.before), shown(&self.after))),
            },
        }
    }
}

/// The items of a list of texts; nothing is an empty one.
fn items(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Array(items) => items.iter().all(Value::is_string).then(|| items.iter().collect()),
        _ => None,
    }
}

fn same_items(one: &[&Value], other: &[&Value]) -> bool {
    one.iter().all(|item| other.contains(item)) && other.iter().all(|item| one.contains(item))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(nothing)".to_owned(),
        Value::String(text) => plain(text),
        other => plain(&other.to_string()),
    }
}

/// A kind of thing in the singular: `set_rules` is `set rule`.
fn singular(what: &str) -> String {
    plain(what).replace('_', " ").strip_suffix('s').map_or_else(|| what.to_owned(), ToOwned::to_owned)
}

impl Impact {
    fn tell(&self, style: Style, lines: &mut Vec<String>) {
        let how = if self.asked == self.of {
            format!("all {} questions", self.of)
        } else {
            format!("{} of {} questions, a sample", self.asked, self.of)
        };
        if self.permissions.is_empty() {
            lines.push(format!("No decision changes (asked {how}, for calls that give no attributes)."));
            return;
        }
        lines.push(format!("Decisions that change (asked {how}, for calls that give no attributes):"));
        for shift in &self.permissions {
            let gained = style.good(format_args!("+{}", shift.gained));
            let lost = style.bad(format_args!("-{}", shift.lost));
            lines.push(format!("    {}  {gained} {lost}", plain(&shift.permission)));
        }
        for flip in self.examples.iter().take(SHOWN) {
            let may = if flip.after == "allow" { style.good("may now") } else { style.bad("may no longer") };
            let mut line = format!(
                "    {} {may} {} {} in {}",
                plain(&flip.user),
                plain(&flip.action),
                plain(&flip.resource),
                plain(&flip.tenant)
            );
            line.push_str(&style.dim(format_args!("  ({})", plain(&flip.by))));
            lines.push(line);
        }
        let all: u64 = self.permissions.iter().map(|shift| shift.gained + shift.lost).sum();
        let told = u64::try_from(self.examples.len().min(SHOWN)).unwrap_or(u64::MAX);
        if all > told {
            lines.push(style.dim(format_args!("    and {} more", all - told)));
        }
    }
}

impl Replay {
    pub(super) fn read(value: &Value) -> anyhow::Result<Self> {
        Self::deserialize(value).context(UNREADABLE)
    }

    pub(super) fn lines(&self, style: Style) -> Vec<String> {
        let mut lines = Vec::new();
        let newest = if self.more { "the newest " } else { "" };
        lines.push(match (self.asked, self.changed) {
            (0, _) => "No decision is recorded that could be asked again.".to_owned(),
            (asked, 0) => format!("Of {newest}{asked} recorded decisions none changes."),
            (asked, changed) => format!("Of {newest}{asked} recorded decisions {changed} change:"),
        });
        if !self.changes.is_empty() {
            let head = ["times", "user", "action", "resource", "tenant", "", "by", "last"];
            let mut rows = vec![head.map(ToOwned::to_owned).to_vec()];
            rows.extend(self.changes.iter().take(SHOWN).map(|change| {
                let turn = format!("{} -> {}", change.before, change.after);
                let words = [&change.user, &change.action, &change.resource, &change.tenant];
                let mut row = vec![change.times.to_string()];
                row.extend(words.map(|word| plain(word)));
                row.extend([turn, plain(&change.by), plain(&change.last)]);
                row
            }));
            lines.extend(table(style, &rows).into_iter().map(|row| format!("  {row}")));
            if self.changes.len() > SHOWN {
                lines.push(style.dim(format_args!("  and {} more", self.changes.len() - SHOWN)));
            }
        }
        for (count, says) in [
            (
                self.not_as_logged,
                "are answered otherwise today also without the file, as policy or facts have moved",
            ),
            (self.left_out, "could not be asked again, as what their calls said is not in the log"),
            (self.not_logged, "were made in that time and are not in the log"),
        ] {
            if count > 0 {
                lines.push(style.dim(format_args!("{count} {says}.")));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plan_reads_without_colours() {
        let plan = json!({
            "differences": [
                {"kind": "changed", "what": "roles", "name": "doc#editor", "fields": [
                    {"field": "permissions", "before": ["read", "drop"], "after": ["read", "write"]},
                    {"field": "extends", "before": ["a", "b"], "after": ["b", "a"]},
                    {"field": "name", "before": null, "after": "Ed\u{1b}[2Jitor"},
                ]},
                {"kind": "added", "what": "set_rules", "name": "user_set a, permission doc:read", "fields": []},
                {"kind": "removed", "what": "users", "name": "max", "fields": [
                    {"field": "email", "before": "max@x.io", "after": null},
                ]},
            ],
            "unchanged": 4,
            "left_over": [{"what": "resources", "name": "cars"}],
            "missing_secrets": ["HOOK"],
            "impact": {
                "asked": 20, "of": 900,
                "permissions": [{"permission": "doc:write", "gained": 30, "lost": 1}],
                "examples": [
                    {"user": "joe", "action": "write", "resource": "doc:a", "tenant": "default", "before": "deny",
                     "after": "allow", "by": "doc:a#editor"},
                    {"user": "ann", "action": "write", "resource": "doc", "tenant": "acme", "before": "allow",
                     "after": "deny", "by": "the rule of all on doc"},
                ],
            },
            "recorded": {
                "asked": 12, "left_out": 2, "not_logged": 3, "more": true, "not_as_logged": 4, "changed": 5,
                "changes": [{"user": "joe", "action": "write", "resource": "doc:a", "tenant": "default",
                    "before": "deny", "after": "allow", "by": "doc:a#editor", "times": 5, "last": "id-1"}],
            },
            "token": "T", "revision": 7,
        });
        let plan = Plan::read(&plan).unwrap();
        assert_eq!((plan.changes(), plan.removals()), (3, 1));
        insta::assert_snapshot!(plan.lines(Style::none()).join("\n"));
    }

    #[test]
    fn nothing_to_do_is_said_in_a_line() {
        let plan = json!({
            "differences": [], "unchanged": 4, "left_over": [], "missing_secrets": [],
            "impact": {"asked": 0, "of": 0, "permissions": [], "examples": []},
            "recorded": null, "token": "T", "revision": 7,
        });
        let lines = Plan::read(&plan).unwrap().lines(Style::none());
        assert_eq!(lines, ["Nothing to do: all of it holds already, at revision 7."]);
    }
}
