//! Rules by template: `https://api.example.com/customers/{id}/payments?limit={limit}`.

use super::decoded;
use askfirst_domain::facts::Attributes;

#[derive(Debug)]
pub(super) struct Template {
    /// What stands between the slashes, scheme and host included.
    segments: Vec<Segment>,
    query: Vec<(String, Segment)>,
}

#[derive(Debug)]
enum Segment {
    Exactly(String),
    /// Scheme and host: the same in any case.
    Place(String),
    /// Anything that is not empty, under this name.
    Variable(String),
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (path, query) = parts(text);
        // `https:`, ``, `host`
        let place = if path.contains("://") { 3 } else { 0 };
        let segments = path.split('/').enumerate().map(|(at, part)| match variable(part)? {
            Some(name) => Ok(Segment::Variable(name)),
            None if at < place => Ok(Segment::Place(part.to_owned())),
            None => Ok(Segment::Exactly(part.to_owned())),
        });
        let query = pairs(query).map(|(name, value)| {
            let wanted = match variable(&value)? {
                Some(variable) => Segment::Variable(variable),
                None => Segment::Exactly(value),
            };
            Ok((name, wanted))
        });
        Ok(Self {
            segments: segments.collect::<Result<_, String>>()?,
            query: query.collect::<Result<_, String>>()?,
        })
    }

    /// What the URL says for the variables, if it is one of these. It may have more in its query than the template.
    pub(super) fn read(&self, url: &str) -> Option<Attributes> {
        let (path, query) = parts(url);
        let mut said = Attributes::new();
        let mut segments = path.split('/');
        for wanted in &self.segments {
            wanted.take(segments.next()?, &mut said, |raw| decoded(raw).into_owned())?;
        }
        if segments.next().is_some() {
            return None;
        }
        let given: Vec<_> = if self.query.is_empty() { Vec::new() } else { pairs(query).collect() };
        for (name, wanted) in &self.query {
            let mut values = given.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
            let value = values.next()?;
            // Readers differ in which of several they take.
            if values.any(|other| other != value) {
                return None;
            }
            wanted.take(value, &mut said, str::to_owned)?;
        }
        Some(said)
    }
}

impl Segment {
    fn take(&self, found: &str, said: &mut Attributes, read: impl Fn(&str) -> String) -> Option<()> {
        match self {
            Self::Exactly(text) => (text == found).then_some(()),
            Self::Place(text) => text.eq_ignore_ascii_case(found).then_some(()),
            Self::Variable(_) if found.is_empty() => None,
            Self::Variable(name) => {
                let value = read(found).into();
                // A variable that stands twice stands for one value.
                if let Some(known) = said.get(name) {
                    return (*known == value).then_some(());
                }
                said.insert(name.clone(), value);
                Some(())
            }
        }
    }
}

/// The name in `{name}`.
fn variable(part: &str) -> Result<Option<String>, String> {
    let inner = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match inner {
        None if part.contains(['{', '}']) => Err(format!(
            "in its `url`, `{part}` mixes text and a variable; a variable stands alone between slashes"
        )),
        None => Ok(None),
        Some(name) if name.is_empty() || name.contains(['{', '}']) => {
            Err(format!("in its `url`, `{part}` is not a variable; write it as `{{name}}`"))
        }
        Some(name) => Ok(Some(name.to_owned())),
    }
}

/// What is before the query, and the query; the fragment never leaves a browser.
fn parts(url: &str) -> (&str, &str) {
    let url = url.split('#').next().unwrap_or_default();
    url.split_once('?').unwrap_or((url, ""))
}

fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let read = |text: &str| decoded(&text.replace('+', " ")).into_owned();
        (read(name), read(value))
    })
}
