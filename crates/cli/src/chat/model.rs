//! Which model talks.

use super::script;
use crate::env::Env;
use anyhow::{Context as _, bail};
use askfirst_agent::model::{ChatModel, GenaiModel, ModelKeys};
use std::{path::Path, sync::Arc};

/// The model that is taken when one of these variables holds a key and nobody names another, best first.
const DEFAULTS: [(&[&str], &str); 3] = [
    (&["GEMINI_API_KEY", "GOOGLE_API_KEY"], "gemini-2.5-flash"),
    (&["ANTHROPIC_API_KEY"], "claude-sonnet-4-5"),
    (&["OPENAI_API_KEY"], "gpt-5-mini"),
];

/// How a script is named instead of a model.
const SCRIPT: &str = "script:";

/// The model that was named: on the command line, in `ASKFIRST_MODEL`, or by the key that is set.
///
/// # Errors
/// When there is none, or its key is missing.
pub(crate) fn choose(named: Option<&str>, env: &Env) -> anyhow::Result<Arc<dyn ChatModel>> {
    if let Some(file) = named.and_then(|name| name.strip_prefix(SCRIPT)) {
        return Ok(Arc::new(script::read(Path::new(file))?));
    }
    let Some(name) = named.or(env.get("ASKFIRST_MODEL")).or_else(|| by_key(env)) else {
        let variables: Vec<&str> = DEFAULTS.iter().flat_map(|(names, _)| names.iter().copied()).collect();
        bail!(
            "there is no model to talk to; set one of {}, or name a local one with --model",
            variables.join(", ")
        );
    };
    let keys: ModelKeys = env.all().into_iter().filter(|(name, _)| name.ends_with("_KEY")).collect();
    let model = GenaiModel::new(name, &keys).with_context(|| format!("can't use the model {name}"))?;
    Ok(Arc::new(model))
}

/// The default model of the first model key that is set.
pub(crate) fn by_key(env: &Env) -> Option<&'static str> {
    DEFAULTS.iter().find(|(names, _)| env.first(names).is_some()).map(|(_, model)| *model)
}
