//! Which key a model needs. This crate reads no environment; the caller does and hands the keys in.

use super::ModelError;
use genai::adapter::AdapterKind;
use std::collections::HashMap;
use std::fmt;

/// Keys of model providers, by the name of the variable that usually holds them.
#[derive(Clone, Default)]
pub struct ModelKeys(HashMap<String, String>);

impl fmt::Debug for ModelKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl ModelKeys {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key; an empty one is ignored.
    #[must_use]
    pub fn with(mut self, variable: impl Into<String>, key: impl Into<String>) -> Self {
        let key = key.into();
        if !key.trim().is_empty() {
            self.0.insert(variable.into(), key);
        }
        self
    }

    /// The first of `variables` that has a key.
    pub(super) fn first_of(&self, variables: &[&'static str]) -> Option<&str> {
        variables.iter().find_map(|variable| self.0.get(*variable)).map(String::as_str)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for ModelKeys {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        pairs.into_iter().fold(Self::new(), |keys, (variable, key)| keys.with(variable, key))
    }
}

/// The variables of which one must hold a key for this model, best first; empty when the model needs none
/// (a local Ollama).
///
/// # Errors
/// No provider is known for the name.
pub fn key_variables(model: &str) -> Result<Vec<&'static str>, ModelError> {
    Ok(variables_of(kind_of(model)?))
}

pub(super) fn kind_of(model: &str) -> Result<AdapterKind, ModelError> {
    let unknown = || ModelError::UnknownModel(model.to_owned());
    if model.trim().is_empty() {
        return Err(unknown());
    }
    match AdapterKind::from_model(model).map_err(|_| unknown())? {
        // Its address would come from the environment.
        AdapterKind::Custom(_) => Err(unknown()),
        kind => Ok(kind),
    }
}

pub(super) fn variables_of(kind: AdapterKind) -> Vec<&'static str> {
    match kind {
        // Google's own tools and tutorials use either name.
        AdapterKind::Gemini | AdapterKind::GeminiIx => vec!["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        other => other.default_key_env_name().into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_variables() {
        assert_eq!(key_variables("gemini-2.0-flash").unwrap(), ["GEMINI_API_KEY", "GOOGLE_API_KEY"]);
        assert_eq!(key_variables("gpt-5-mini").unwrap(), ["OPENAI_API_KEY"]);
        assert_eq!(key_variables("claude-sonnet-4-5").unwrap(), ["ANTHROPIC_API_KEY"]);
        assert_eq!(key_variables("groq::llama-3.3-70b").unwrap(), ["GROQ_API_KEY"]);
        assert_eq!(key_variables("llama3.2").unwrap(), Vec::<&str>::new(), "a local model");
        assert!(matches!(key_variables("genai_1::x"), Err(ModelError::UnknownModel(_))));
        assert!(matches!(key_variables(" "), Err(ModelError::UnknownModel(_))));
    }

    #[test]
    fn keys_are_not_shown() {
        let keys = ModelKeys::new().with("OPENAI_API_KEY", "sk-secret").with("EMPTY", " ");
        assert_eq!(format!("{keys:?}"), r#"{"OPENAI_API_KEY"}"#);
    }
}
