//! Tools that are functions of this process.

use super::{ToolError, ToolOutcome, ToolSet, ToolSpec};
use async_trait::async_trait;
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use std::fmt;
use std::future::Future;

type Function =
    Box<dyn Fn(Map<String, Value>) -> BoxFuture<'static, Result<ToolOutcome, ToolError>> + Send + Sync>;

/// Tools that are functions of this process, for tests and small programs.
#[derive(Default)]
pub struct FunctionTools {
    tools: Vec<(ToolSpec, Function)>,
}

impl fmt::Debug for FunctionTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tools.iter().map(|(spec, _)| &spec.name)).finish()
    }
}

impl FunctionTools {
    /// No tools yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool. A second tool of the same name takes the place of the first.
    #[must_use]
    pub fn with<F, Fut>(mut self, spec: ToolSpec, function: F) -> Self
    where
        F: Fn(Map<String, Value>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ToolOutcome, ToolError>> + Send + 'static,
    {
        self.tools.retain(|(known, _)| known.name != spec.name);
        self.tools.push((spec, Box::new(move |args| Box::pin(function(args)))));
        self
    }
}

#[async_trait]
impl ToolSet for FunctionTools {
    fn specs(&self) -> Vec<ToolSpec> {
        self.tools.iter().map(|(spec, _)| spec.clone()).collect()
    }

    async fn call(&self, name: &str, args: Map<String, Value>) -> Result<ToolOutcome, ToolError> {
        let Some((_, function)) = self.tools.iter().find(|(spec, _)| spec.name == name) else {
            let valid = self.tools.iter().map(|(spec, _)| spec.name.clone()).collect();
            return Err(ToolError::Unknown { name: name.to_owned(), valid });
        };
        function(args).await
    }
}
