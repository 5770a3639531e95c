//! The MCP servers that an agent is given, and what they may see of the environment.

use crate::{client::Server, env::Env};
use anyhow::{Context as _, bail};
use askfirst_agent::tools::McpServer;

/// Variables without which programs do not start well. None of them is a secret.
const HARMLESS: [&str; 8] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "NO_COLOR"];
/// The variables of `askfirst mcp` that say what requests are about.
const MCP: [&str; 6] = [
    "TENANT",
    "RESOURCE_KEY",
    "ACCESS_ELEMENTS_CONFIG_ID",
    "OPERATION_ELEMENTS_CONFIG_ID",
    "PROJECT_ID",
    "ENV_ID",
];

/// `askfirst mcp --as USER`, the agent's way to ask.
pub(crate) fn own(server: &Server, user: &str, env: &Env) -> anyhow::Result<McpServer> {
    let program = std::env::current_exe().context("can't find this program")?;
    let mut variables = harmless(env);
    variables.extend(passed(MCP, env));
    variables.push(("ASKFIRST_URL".to_owned(), server.url.clone()));
    variables.push(("ASKFIRST_API_KEY".to_owned(), server.key.clone()));
    Ok(McpServer::child("askfirst", program, ["mcp", "--as", user], variables))
}

/// A server of the user's choice. It gets no key but those that are named.
pub(crate) fn other(command: &str, named: &[String], env: &Env) -> anyhow::Result<McpServer> {
    let words =
        split(command).with_context(|| format!("the command `{command}` has a quote that is not closed"))?;
    let Some((program, arguments)) = words.split_first() else { bail!("--mcp wants a command") };
    let mut variables = harmless(env);
    for name in named {
        let Some(value) = env.get(name) else { bail!("--mcp-env {name}: this variable is not set") };
        variables.push((name.clone(), value.to_owned()));
    }
    Ok(McpServer::child(command, program, arguments.iter().cloned(), variables))
}

/// The harmless variables that are set.
pub(crate) fn harmless(env: &Env) -> Vec<(String, String)> {
    passed(HARMLESS, env).collect()
}

fn passed<'a>(
    names: impl IntoIterator<Item = &'static str> + 'a,
    env: &'a Env,
) -> impl Iterator<Item = (String, String)> + 'a {
    names.into_iter().filter_map(|name| Some((name.to_owned(), env.get(name)?.to_owned())))
}

/// The words of a command: at blanks, but not inside quotes. None when a quote is not closed.
fn split(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_split_at_blanks_outside_quotes() {
        assert_eq!(split("a  'b c' d\"e f\" ''").unwrap(), ["a", "b c", "de f", ""]);
        assert_eq!(split(" ").unwrap(), Vec::<String>::new());
        assert_eq!(split("a 'b"), None);
    }
}
