//! The shape of a graph, for those who draw it.

use super::run::Graph;
use super::state::State;

/// Nodes in the order in which they were added, and the edges between them.
#[derive(Debug)]
pub(crate) struct GraphPlan {
    pub(crate) nodes: Vec<String>,
    /// Edges that are always taken.
    pub(crate) fixed: Vec<(String, String)>,
    /// Edges that a condition or the node itself chooses, with a label where it says more than the target.
    pub(crate) possible: Vec<(String, String, Option<String>)>,
}

impl<S: State> Graph<S> {
    pub(crate) fn plan(&self) -> GraphPlan {
        let graph = &self.inner.graph;
        let mut possible = Vec::new();
        for (from, branches) in &graph.branches {
            for (to, label) in branches.iter().flat_map(|branch| &branch.destinations) {
                possible.push((from.clone(), to.clone(), label.clone()));
            }
        }
        for entry in &graph.nodes {
            for to in entry.options.destinations.iter().flatten() {
                possible.push((entry.name.clone(), to.clone(), None));
            }
        }
        GraphPlan {
            nodes: graph.nodes.iter().map(|entry| entry.name.clone()).collect(),
            fixed: graph.edges.clone(),
            possible,
        }
    }
}
