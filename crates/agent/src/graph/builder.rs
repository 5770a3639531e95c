//! Putting a graph together, and checking it before anything runs.

use super::error::CompileError;
use super::node::Node;
use super::{Graph, State};
use crate::checkpoint::Checkpointer;
use crate::ids::{IdSource, RandomIds};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where every graph begins. Edges may leave it.
pub const START: &str = "__start__";
/// Where every path may stop. Edges may lead to it.
pub const END: &str = "__end__";

/// Default of [`CompileOptions::recursion_limit`].
pub const DEFAULT_RECURSION_LIMIT: u32 = 25;

pub(crate) type Router<S> = Arc<dyn Fn(&S) -> Vec<String> + Send + Sync>;

/// What a node declares about itself besides its code.
#[derive(Debug, Clone, Default)]
pub struct NodeOptions {
    pub(crate) interrupts: bool,
    pub(crate) destinations: Option<Vec<String>>,
}

impl NodeOptions {
    /// Nothing special.
    pub fn new() -> Self {
        Self::default()
    }

    /// The node may stop for a human; the graph then compiles only with a checkpointer.
    #[must_use]
    pub fn interrupts(mut self) -> Self {
        self.interrupts = true;
        self
    }

    /// The nodes that the node's own `goto` may name. They are drawn, and any other target is an error.
    #[must_use]
    pub fn goes_to<T: Into<String>>(mut self, nodes: impl IntoIterator<Item = T>) -> Self {
        self.destinations = Some(nodes.into_iter().map(Into::into).collect());
        self
    }
}

pub(crate) struct NodeEntry<S: State> {
    pub(crate) name: String,
    pub(crate) node: Arc<dyn Node<S>>,
    pub(crate) options: NodeOptions,
}

pub(crate) struct Branch<S> {
    pub(crate) router: Router<S>,
    /// Target and, where it differs from the target, the label in drawings.
    pub(crate) destinations: Vec<(String, Option<String>)>,
}

/// A graph under construction. Nodes are named; `START` and `END` are its borders.
#[must_use = "a graph does nothing until it is compiled and invoked"]
pub struct StateGraph<S: State> {
    pub(crate) nodes: Vec<NodeEntry<S>>,
    pub(crate) edges: Vec<(String, String)>,
    pub(crate) branches: BTreeMap<String, Vec<Branch<S>>>,
}

impl<S: State> std::fmt::Debug for StateGraph<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.nodes.iter().map(|n| n.name.as_str()).collect();
        f.debug_struct("StateGraph")
            .field("nodes", &names)
            .field("edges", &self.edges)
            .finish_non_exhaustive()
    }
}

/// How a graph is run.
#[derive(Debug, Clone)]
pub struct CompileOptions {
    /// Where threads are kept; without one a graph can neither stop nor go on.
    pub checkpointer: Option<Arc<dyn Checkpointer>>,
    /// Names messages and checkpoints.
    pub ids: Arc<dyn IdSource>,
    /// Supersteps that one run may take.
    pub recursion_limit: u32,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { checkpointer: None, ids: Arc::new(RandomIds), recursion_limit: DEFAULT_RECURSION_LIMIT }
    }
}

impl CompileOptions {
    /// Random ids, the default limit, and this checkpointer.
    pub fn with_checkpointer(checkpointer: Arc<dyn Checkpointer>) -> Self {
        Self { checkpointer: Some(checkpointer), ..Self::default() }
    }
}

impl<S: State> Default for StateGraph<S> {
    fn default() -> Self {
        Self { nodes: Vec::new(), edges: Vec::new(), branches: BTreeMap::new() }
    }
}

impl<S: State> StateGraph<S> {
    /// No nodes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node.
    pub fn add_node(self, name: impl Into<String>, node: impl Node<S> + 'static) -> Self {
        self.add_node_with(name, NodeOptions::new(), node)
    }

    /// Adds a node that declares something about itself.
    pub fn add_node_with(
        mut self,
        name: impl Into<String>,
        options: NodeOptions,
        node: impl Node<S> + 'static,
    ) -> Self {
        self.nodes.push(NodeEntry { name: name.into(), node: Arc::new(node), options });
        self
    }

    /// After `from`, always run `to`.
    pub fn add_edge(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.edges.push((from.into(), to.into()));
        self
    }

    /// After `from`, run what `router` names; it may name any of `destinations`, or nothing.
    pub fn add_conditional_edges<T: Into<String>>(
        mut self,
        from: impl Into<String>,
        router: impl Fn(&S) -> Vec<String> + Send + Sync + 'static,
        destinations: impl IntoIterator<Item = T>,
    ) -> Self {
        let destinations = destinations.into_iter().map(|d| (d.into(), None)).collect();
        let branch = Branch { router: Arc::new(router), destinations };
        self.branches.entry(from.into()).or_default().push(branch);
        self
    }

    /// The same, where the router answers with labels and `destinations` says where each label leads.
    pub fn add_labelled_edges<L: Into<String>, T: Into<String>>(
        mut self,
        from: impl Into<String>,
        router: impl Fn(&S) -> Vec<String> + Send + Sync + 'static,
        destinations: impl IntoIterator<Item = (L, T)>,
    ) -> Self {
        let pairs: Vec<(String, String)> =
            destinations.into_iter().map(|(label, to)| (label.into(), to.into())).collect();
        let drawn = pairs.iter().map(|(l, to)| (to.clone(), (l != to).then(|| l.clone()))).collect();
        let router = move |state: &S| {
            let named = router(state);
            // A label that leads nowhere stays as it is and is refused as an unknown destination.
            let target =
                |label: String| pairs.iter().find(|(l, _)| *l == label).map_or(label, |(_, to)| to.clone());
            named.into_iter().map(target).collect()
        };
        let branch = Branch { router: Arc::new(router), destinations: drawn };
        self.branches.entry(from.into()).or_default().push(branch);
        self
    }

    /// Checks the graph and makes it runnable.
    ///
    /// # Errors
    /// See [`CompileError`]; nothing has run.
    pub fn compile(self, options: CompileOptions) -> Result<Graph<S>, CompileError> {
        if options.recursion_limit == 0 {
            return Err(CompileError::ZeroRecursionLimit);
        }
        let mut names: Vec<&str> = Vec::new();
        for entry in &self.nodes {
            if entry.name == START || entry.name == END {
                return Err(CompileError::ReservedName(entry.name.clone()));
            }
            if names.contains(&entry.name.as_str()) {
                return Err(CompileError::DuplicateNode(entry.name.clone()));
            }
            if entry.options.interrupts && options.checkpointer.is_none() {
                return Err(CompileError::NeedsCheckpointer(entry.name.clone()));
            }
            names.push(&entry.name);
        }
        let is_source = |name: &str| name == START || names.contains(&name);
        let is_target = |name: &str| name == END || names.contains(&name);
        let unknown =
            |from: &str, to: &str| CompileError::UnknownNode { from: from.to_owned(), to: to.to_owned() };
        for (from, to) in &self.edges {
            if !is_source(from) || !is_target(to) {
                return Err(unknown(from, if is_target(to) { from } else { to }));
            }
        }
        for (from, branches) in &self.branches {
            if !is_source(from) {
                return Err(unknown(from, from));
            }
            if let Some((to, _)) =
                branches.iter().flat_map(|b| &b.destinations).find(|(to, _)| !is_target(to))
            {
                return Err(unknown(from, to));
            }
        }
        for entry in &self.nodes {
            if let Some(to) = entry.options.destinations.iter().flatten().find(|to| !is_target(to)) {
                return Err(unknown(&entry.name, to));
            }
        }
        if !self.branches.contains_key(START) && !self.edges.iter().any(|(from, _)| from == START) {
            return Err(CompileError::NoStart);
        }
        Ok(Graph::new(self, options))
    }
}
