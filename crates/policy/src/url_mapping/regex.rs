//! Rules by regular expression. Matching takes time in proportion to the URL, whatever the expression.

use super::decoded;
use ::regex::{Regex, RegexBuilder};
use askfirst_domain::facts::Attributes;

/// How large a compiled expression may be, in bytes.
const MAX_COMPILED: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let compiled = RegexBuilder::new(text).size_limit(MAX_COMPILED).build();
        compiled.map(Self).map_err(|error| match error {
            ::regex::Error::CompiledTooBig(_) => "its expression is too large; use several rules".to_owned(),
            // The last line says what is wrong, those before it draw where.
            other => {
                let told = other.to_string();
                let reason = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("its expression can't be read ({reason})")
            }
        })
    }

    /// The named groups of a match that starts with the URL; groups that took no part are left out.
    pub(super) fn read(&self, url: &str) -> Option<Attributes> {
        // Of several matches the one that starts first is found, so one further on means that there is none here.
        let captures =
            self.0.captures(url).filter(|found| found.get(0).is_some_and(|all| all.start() == 0))?;
        let named = self.0.capture_names().flatten();
        let said = named.filter_map(|name| {
            let value = captures.name(name)?;
            Some((name.to_owned(), decoded(value.as_str()).into_owned().into()))
        });
        Some(said.collect())
    }
}
