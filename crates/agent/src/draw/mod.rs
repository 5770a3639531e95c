//! Pictures of a graph: Mermaid text, SVG, and PNG without any network or outside program.

mod layout;
mod mermaid;
mod png;
mod svg;

pub use png::DrawError;

use crate::graph::{END, Graph, START, State};

/// What is drawn of a graph. START is the first node; END is the last, if any path ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    nodes: Vec<String>,
    edges: Vec<Edge>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Edge {
    /// Place in `nodes`.
    from: usize,
    /// Place in `nodes`.
    to: usize,
    line: Line,
    label: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Always taken.
    Solid,
    /// Taken when a condition or the node itself says so.
    Dashed,
}

impl Drawing {
    /// The picture of a compiled graph.
    pub fn of<S: State>(graph: &Graph<S>) -> Self {
        let plan = graph.plan();
        let mut nodes = vec![START.to_owned()];
        nodes.extend(plan.nodes);
        let mut edges: Vec<(String, String, Line, Option<String>)> = Vec::new();
        edges.extend(plan.fixed.into_iter().map(|(from, to)| (from, to, Line::Solid, None)));
        edges.extend(plan.possible.into_iter().map(|(from, to, label)| (from, to, Line::Dashed, label)));
        edges.sort_by(|a, b| (&a.0, &a.3, &a.1).cmp(&(&b.0, &b.3, &b.1)));
        // A node without a way out ends the graph.
        let last: Vec<&String> =
            nodes.iter().skip(1).filter(|node| !edges.iter().any(|(from, ..)| from == *node)).collect();
        let ends: Vec<_> =
            last.into_iter().map(|node| (node.clone(), END.to_owned(), Line::Solid, None)).collect();
        edges.extend(ends);
        if edges.iter().any(|(_, to, ..)| to == END) {
            nodes.push(END.to_owned());
        }
        let place = |name: &str| nodes.iter().position(|node| node == name);
        let edges = edges
            .iter()
            .filter_map(|(from, to, line, label)| {
                Some(Edge { from: place(from)?, to: place(to)?, line: *line, label: label.clone() })
            })
            .collect();
        Self { nodes, edges }
    }

    /// The picture as Mermaid text, as `LangGraph` writes it.
    pub fn mermaid(&self) -> String {
        mermaid::text(self)
    }

    /// The picture as SVG. Same graph, same bytes.
    pub fn svg(&self) -> String {
        svg::text(&layout::lay_out(self))
    }

    /// The picture as PNG, in twice the size of the SVG. Same graph, same bytes.
    ///
    /// # Errors
    /// The picture is too large to be painted.
    pub fn png(&self) -> Result<Vec<u8>, DrawError> {
        png::paint(&self.svg())
    }
}

/// Position of a node that has a special look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Start,
    Step,
    End,
}

fn look(name: &str) -> Look {
    match name {
        START => Look::Start,
        END => Look::End,
        _ => Look::Step,
    }
}

#[cfg(test)]
mod tests;
