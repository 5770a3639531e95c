//! The file that says what a hook asks about, where and as whom. A word that is not known here is an error: a misspelt
//! setting must not leave a gate open.

use anyhow::{Context as _, bail};
use askfirst_domain::Span;
use askfirst_engine::Secret;
use askfirst_mcp::bridge::{BridgeConfig, Mode};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a decision is waited for, unless the file says otherwise.
const WAIT: Duration = Duration::from_mins(5);
/// The longest that a hook may wait: programs give their hooks up after ten minutes, and then run the tool.
const LONGEST: Duration = Duration::from_mins(9);

/// What a hook does.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) server: BridgeConfig,
    /// The thing whose reviewers decide, as `type:key`.
    pub(crate) instance: String,
    pub(crate) wait: Duration,
    pub(crate) undecided: Otherwise,
    pub(crate) unavailable: Otherwise,
    ask: Vec<Pattern>,
    pass: Vec<Pattern>,
}

/// What to answer where no reviewer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Otherwise {
    /// The call is not made.
    #[default]
    Deny,
    /// The program asks whoever sits in front of it.
    Ask,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    server: String,
    key_file: PathBuf,
    #[serde(rename = "as")]
    user: Option<String>,
    project: Option<String>,
    env: Option<String>,
    tenant: Option<String>,
    element: Option<String>,
    resource_instance: String,
    #[serde(default = "everything")]
    ask: Vec<String>,
    #[serde(default)]
    pass: Vec<String>,
    wait: Option<String>,
    #[serde(default)]
    undecided: Otherwise,
    #[serde(default)]
    unavailable: Otherwise,
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

/// A tool's name, or how several begin.
#[derive(Debug, PartialEq, Eq)]
enum Pattern {
    Exactly(String),
    Beginning(String),
}

impl Pattern {
    fn read(text: &str) -> anyhow::Result<Self> {
        let pattern = match text.strip_suffix('*') {
            Some(beginning) => Self::Beginning(beginning.to_owned()),
            None => Self::Exactly(text.to_owned()),
        };
        let (Self::Exactly(name) | Self::Beginning(name)) = &pattern;
        let is_name = name.chars().all(|c| !c.is_whitespace() && !"*?|()[]^$,".contains(c));
        if text.is_empty() || !is_name {
            bail!("`{text}` is no tool; write a tool's name, or the beginning of several followed by `*`");
        }
        Ok(pattern)
    }

    fn fits(&self, tool: &str) -> bool {
        match self {
            Self::Exactly(name) => name == tool,
            Self::Beginning(beginning) => tool.starts_with(beginning),
        }
    }
}

impl Config {
    /// Reads the file and the key that it names.
    ///
    /// # Errors
    /// One sentence: what in which file is wrong.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
        let settings: Settings = toml::from_str(&text).map_err(|error| {
            let line =
                error.span().map(|span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1);
            let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
            anyhow::anyhow!("{}{line}: {}", path.display(), error.message())
        })?;
        Self::of(settings, path).with_context(|| format!("{} can't be right", path.display()))
    }

    fn of(settings: Settings, path: &Path) -> anyhow::Result<Self> {
        let patterns =
            |texts: &[String]| texts.iter().map(|text| Pattern::read(text)).collect::<Result<_, _>>();
        let (ask, pass): (Vec<Pattern>, Vec<Pattern>) =
            (patterns(&settings.ask).context("`ask`")?, patterns(&settings.pass).context("`pass`")?);
        if ask.is_empty() {
            bail!("`ask` is empty, so nothing would ever be asked; leave it out to ask about every tool");
        }
        let wait = match &settings.wait {
            Some(text) => text.parse::<Span>().context("`wait`")?.duration(),
            None => WAIT,
        };
        if wait > LONGEST {
            bail!("`wait` may be 9m at most; a program that gives its hook up runs the tool");
        }
        if settings.project.is_some() != settings.env.is_some() {
            bail!("`project` and `env` belong together; give both or neither");
        }
        if !settings.resource_instance.contains(':') {
            bail!("`resource_instance` is written as type:key");
        }
        let key = key(&path.parent().unwrap_or(Path::new("")).join(&settings.key_file))?;
        let server = BridgeConfig {
            url: settings.server,
            api_key: key,
            mode: settings.user.map_or(Mode::ByKey, Mode::As),
            project: settings.project,
            env: settings.env,
            tenant: settings.tenant,
            resource: None,
            access_element: None,
            operation_element: settings.element,
        };
        let (undecided, unavailable) = (settings.undecided, settings.unavailable);
        Ok(Self { server, instance: settings.resource_instance, wait, undecided, unavailable, ask, pass })
    }

    /// Whether calls of a tool are put before a reviewer.
    pub(crate) fn asks_about(&self, tool: &str) -> bool {
        self.ask.iter().any(|pattern| pattern.fits(tool))
            && !self.pass.iter().any(|pattern| pattern.fits(tool))
    }
}

/// The key in a file, alone on its last line, as `askfirst key create` prints it.
fn key(path: &Path) -> anyhow::Result<Secret> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("can't read the key in {}", path.display()))?;
    let key = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    match key {
        Some(key) if !key.contains(char::is_whitespace) => Ok(Secret::presented(key.to_owned())),
        _ => bail!("{} holds no key on its last line", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("agent.key"), "A key. It is shown this once:\naskfirst_key_1\n")
            .unwrap();
        let path = folder.path().join("hook.toml");
        std::fs::write(&path, text).unwrap();
        let shown = folder.path().to_string_lossy().into_owned();
        Config::read(&path).map_err(|e| format!("{e:#}").replace(&shown, "DIR"))
    }

    const LEAST: &str =
        "server = 'http://127.0.0.1:7766'\nkey_file = 'agent.key'\nresource_instance = 'machines:laptop'\n";

    #[test]
    fn the_least_asks_about_everything_and_denies() {
        let config = read(LEAST).unwrap();
        assert!(config.asks_about("Bash") && config.asks_about("mcp__bank__pay"));
        assert_eq!(
            (config.wait, config.undecided, config.unavailable),
            (WAIT, Otherwise::Deny, Otherwise::Deny)
        );
        assert_eq!(config.server.api_key.reveal(), "askfirst_key_1");
        assert_eq!(config.server.mode, Mode::ByKey);
    }

    #[test]
    fn what_passes_is_not_asked_about() {
        let config = read(&format!("{LEAST}ask = ['Bash', 'mcp__*']\npass = ['mcp__docs__*']\n")).unwrap();
        for (tool, asks) in [
            ("Bash", true),
            ("BashOutput", false),
            ("mcp__bank__pay", true),
            ("mcp__docs__find", false),
            ("Read", false),
        ] {
            assert_eq!(config.asks_about(tool), asks, "{tool}");
        }
    }

    #[test]
    fn f3_whatever_is_misspelt_is_an_error() {
        for (more, sentence) in [
            ("asks = ['Bash']", "DIR/hook.toml (line 4): unknown field `asks`"),
            ("undecided = 'alow'", "unknown variant `alow`, expected `deny` or `ask`"),
            ("unavailable = 'allow'", "unknown variant `allow`"),
            ("ask = []", "nothing would ever be asked"),
            ("ask = ['Bash|Write']", "`Bash|Write` is no tool"),
            ("pass = ['B*sh']", "`B*sh` is no tool"),
            ("pass = ['']", "`` is no tool"),
            ("wait = '5 minutes'", "`wait`"),
            ("wait = '10m'", "9m at most"),
            ("project = 'default'", "belong together"),
        ] {
            let refused = read(&format!("{LEAST}{more}\n")).unwrap_err();
            assert!(refused.contains(sentence), "{more}: {refused}");
        }
        assert!(read(&LEAST.replace("machines:laptop", "laptop")).unwrap_err().contains("type:key"));
        let keyless = read(&LEAST.replace("agent.key", "other.key")).unwrap_err();
        assert!(keyless.contains("can't read the key in DIR/other.key"), "{keyless}");
    }
}
