//! What is wrong with a policy file, and where.

use std::fmt;

/// One thing that is wrong. `line` and `column` count from 1, in characters; 0 when the place is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    pub line: u64,
    pub column: u64,
    pub message: String,
    /// What would be right, when that can be said.
    pub hint: Option<String>,
}

/// `3:7: there is no role `parnet` (did you mean `parent`?)`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// `did you mean ...?` when one of the names is close to what was written, else the names that there are.
pub(super) fn suggest<S: AsRef<str>>(written: &str, names: impl IntoIterator<Item = S>) -> Option<String> {
    let names: Vec<S> = names.into_iter().collect();
    let near = names
        .iter()
        .map(|name| (distance(written, name.as_ref()), name))
        .filter(|(distance, name)| *distance <= name.as_ref().chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((_, name)) => Some(format!("did you mean `{}`?", name.as_ref())),
        None if names.is_empty() => None,
        None => {
            let listed: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
            Some(format!("use one of {}", listed.join(", ")))
        }
    }
}

/// How many characters have to be added, taken away, changed or swapped with their neighbour to make one text of the
/// other; letters' case is free.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut row = vec![i + 1];
        let mut left = None;
        for (j, &y) in b.iter().enumerate() {
            let mut best =
                (at(&last, j) + usize::from(x != y)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if j > 0 && previous == Some(y) && left == Some(x) {
                best = best.min(at(&before_last, j - 1) + 1);
            }
            row.push(best);
            left = Some(y);
        }
        before_last = std::mem::replace(&mut last, row);
        previous = Some(x);
    }
    at(&last, b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_name_is_suggested_and_else_all_are_listed() {
        assert_eq!(suggest("parnet", ["child", "parent"]).as_deref(), Some("did you mean `parent`?"));
        assert_eq!(suggest("Read", ["read"]).as_deref(), Some("did you mean `read`?"));
        assert_eq!(suggest("fly", ["read", "update"]).as_deref(), Some("use one of `read`, `update`"));
        assert_eq!(suggest("fly", Vec::<String>::new()), None);
    }

    #[test]
    fn distances_are_edit_distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("flaw", "lawn"), 2);
        assert_eq!(distance("raed", "read"), 1);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
