//! The environment: variables of the process, then those of a file `.env` in the working directory. Nothing else in the
//! product reads them.

use anyhow::{Context as _, bail};
use std::{collections::BTreeMap, path::Path};

/// The variables that are set. An empty one counts as not set.
#[derive(Default)]
pub(crate) struct Env {
    process: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
}

impl std::fmt::Debug for Env {
    // Values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env").field("file", &self.file.keys()).finish_non_exhaustive()
    }
}

impl Env {
    /// Reads both.
    pub(crate) fn read() -> anyhow::Result<Self> {
        // A variable that is not UTF-8 is none of ours.
        let process = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let path = Path::new(".env");
        let file = match std::fs::read_to_string(path) {
            Ok(text) => parse(&text)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(e).context("can't read the file .env in the working directory"),
        };
        Ok(Self { process, file })
    }

    /// Of these variables.
    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        let process = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { process, file: BTreeMap::new() }
    }

    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        [&self.process, &self.file]
            .into_iter()
            .find_map(|variables| variables.get(name).map(String::as_str).filter(|value| !value.is_empty()))
    }

    /// The value of the first of these variables that is set.
    pub(crate) fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// All variables that are set, those of the process over those of the file.
    pub(crate) fn all(&self) -> BTreeMap<String, String> {
        let mut all = self.file.clone();
        all.extend(self.process.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| (n.clone(), v.clone())));
        all.retain(|_, value| !value.is_empty());
        all
    }

    /// The names of our own variables of the process, which no other program is given.
    pub(crate) fn own_variables(&self) -> impl Iterator<Item = &str> {
        self.process.keys().map(String::as_str).filter(|name| name.starts_with("ASKFIRST_"))
    }

    /// Whether colours are wanted, as far as the environment says.
    pub(crate) fn wants_colour(&self) -> bool {
        self.get("NO_COLOR").is_none() && self.get("TERM") != Some("dumb")
    }
}

/// Lines `NAME=value`. `export` before it, blank lines and `#` comments are fine. A value in single quotes is taken as
/// it is; in double quotes `\n`, `\t`, `\"`, `\\` and `\$` mean what they mean in a shell; without quotes it ends
/// before ` #`. Nothing is substituted.
fn parse(text: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let named = line.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
        let entry =
            named.filter(|(name, _)| is_name(name)).and_then(|(name, value)| Some((name, unquoted(value)?)));
        // The line itself may be a secret, so it is not shown.
        let Some((name, value)) = entry else {
            bail!("line {} of the file .env does not read; write NAME=value", number + 1);
        };
        variables.insert(name.to_owned(), value);
    }
    Ok(variables)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The value without its quotes and comment; none when a quote is not closed or something follows it.
fn unquoted(value: &str) -> Option<String> {
    if let Some(inner) = value.strip_prefix('\'') {
        let (text, rest) = inner.split_once('\'')?;
        return is_comment(rest).then(|| text.to_owned());
    }
    if let Some(inner) = value.strip_prefix('"') {
        let mut text = String::new();
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => return is_comment(chars.as_str()).then_some(text),
                '\\' => match chars.next()? {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    escaped @ ('"' | '\\' | '$') => text.push(escaped),
                    other => text.extend(['\\', other]),
                },
                c => text.push(c),
            }
        }
        return None;
    }
    if value.starts_with('#') {
        return Some(String::new());
    }
    let end = value.split_once(" #").map_or(value, |(text, _)| text);
    Some(end.trim_end().to_owned())
}

fn is_comment(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Option<String> {
        parse(line).ok()?.remove("A")
    }

    #[test]
    fn values_are_read_as_a_shell_would() {
        assert_eq!(one("A=b").as_deref(), Some("b"));
        assert_eq!(one("export A = b c # d").as_deref(), Some("b c"));
        assert_eq!(one("A=b#c").as_deref(), Some("b#c"));
        assert_eq!(one("A=").as_deref(), Some(""));
        assert_eq!(one("A= # e.g. default").as_deref(), Some(""));
        assert_eq!(one("A='b # \\n $c' # d").as_deref(), Some("b # \\n $c"));
        assert_eq!(one(r#"A="b \"c\"\n\\ # d" # e"#).as_deref(), Some("b \"c\"\n\\ # d"));
        assert_eq!(one("A=x=y").as_deref(), Some("x=y"));
    }

    #[test]
    fn comments_and_blank_lines_are_nothing() {
        let variables = parse("# first\n\n  # second\nA=1\r\nB=2\n").unwrap();
        assert_eq!(
            variables.into_iter().collect::<Vec<_>>(),
            [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())]
        );
    }

    #[test]
    fn a_line_that_does_not_read_is_named_and_not_shown() {
        for line in ["sk-secret", "A B=sk-secret", "1A=sk-secret", "A='sk-secret", "A=\"sk-secret\" more"] {
            let error = parse(&format!("OK=1\n{line}")).unwrap_err().to_string();
            assert_eq!(error, "line 2 of the file .env does not read; write NAME=value", "{line}");
        }
    }

    #[test]
    fn the_process_wins_and_empty_means_not_set() {
        let set =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let env =
            Env { process: set(&[("A", "1"), ("B", "")]), file: set(&[("A", "2"), ("B", "3"), ("C", "")]) };
        assert_eq!(env.get("A"), Some("1"));
        assert_eq!(env.get("B"), Some("3"));
        assert_eq!(env.get("C"), None);
        assert_eq!(env.first(&["C", "B"]), Some("3"));
        assert_eq!(env.all(), set(&[("A", "1"), ("B", "3")]));
    }
}
