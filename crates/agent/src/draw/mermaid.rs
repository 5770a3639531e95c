//! Mermaid text.

use super::{Drawing, Line, Look, look};
use std::fmt::Write as _;

pub(super) fn text(drawing: &Drawing) -> String {
    let mut text = String::from("---\nconfig:\n  flowchart:\n    curve: linear\n---\ngraph TD;\n");
    for name in &drawing.nodes {
        let id = safe_id(name);
        // Writing to a string does not fail.
        let _ = match look(name) {
            Look::Start => writeln!(text, "\t{id}([<p>{name}</p>]):::first"),
            Look::End => writeln!(text, "\t{id}([<p>{name}</p>]):::last"),
            Look::Step => writeln!(text, "\t{id}({name})"),
        };
    }
    let id = |place: usize| drawing.nodes.get(place).map(|name| safe_id(name)).unwrap_or_default();
    for edge in &drawing.edges {
        let arrow = match (&edge.label, edge.line) {
            (Some(label), Line::Solid) => format!("-- &nbsp;{label}&nbsp; -->"),
            (Some(label), Line::Dashed) => format!("-. &nbsp;{label}&nbsp; .->"),
            (None, Line::Solid) => "-->".to_owned(),
            (None, Line::Dashed) => "-.->".to_owned(),
        };
        let _ = writeln!(text, "\t{} {arrow} {};", id(edge.from), id(edge.to));
    }
    text.push_str("\tclassDef default fill:#f2f0ff,line-height:1.2\n");
    text.push_str("\tclassDef first fill-opacity:0\n\tclassDef last fill:#bfb6fc\n");
    text
}

/// Mermaid ids take letters, digits, `_` and `-`; anything else is written as its number.
fn safe_id(name: &str) -> String {
    let mut id = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            id.push(c);
        } else {
            let _ = write!(id, "\\{:02x}", u32::from(c));
        }
    }
    id
}
