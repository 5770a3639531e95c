//! SVG of a laid-out graph.

use super::layout::{FONT_SIZE, LABEL_SIZE, NodeBox, Plan, Route, Shape};
use super::{Line, Look};
use std::fmt::Write as _;

const INK: &str = "#4b3f72";
const BORDER: &str = "#9370db";
const HEAD: f32 = 8.0;

pub(super) fn text(plan: &Plan) -> String {
    let (w, h) = (plan.width, plan.height);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{h:.0}\" viewBox=\"0 0 {w:.0} {h:.0}\" \
         font-family=\"DejaVu Sans, Verdana, sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for route in &plan.edges {
        edge(&mut svg, route);
    }
    for node in &plan.boxes {
        node_box(&mut svg, node);
    }
    // Labels come last, so that no edge runs over one.
    for route in &plan.edges {
        label(&mut svg, route);
    }
    svg.push_str("</svg>\n");
    svg
}

// Writing to a string does not fail, so its results are dropped below.

fn edge(svg: &mut String, route: &Route) {
    let dash = if route.line == Line::Dashed { " stroke-dasharray=\"5 4\"" } else { "" };
    let (path, head) = match route.shape {
        Shape::Fall => fall(&route.points),
        Shape::Loop => bulge(&route.points),
    };
    let _ = writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"1.5\"{dash}/>");
    let _ = writeln!(svg, "<path d=\"{head}\" fill=\"{INK}\"/>");
}

/// The line and its arrow head. All ends are vertical, so the head points straight up or down.
fn fall(points: &[(f32, f32)]) -> (String, String) {
    let mut points = points.to_vec();
    let tail = points.first().copied().unwrap_or_default();
    let tip = points.last().copied().unwrap_or_default();
    let before = points.len().checked_sub(2).and_then(|i| points.get(i)).copied().unwrap_or(tail);
    let back = if before.1 < tip.1 { -HEAD } else { HEAD };
    if let Some(last) = points.last_mut() {
        last.1 += back;
    }
    let mut path = format!("M{:.1} {:.1}", tail.0, tail.1);
    let mut at = tail;
    for &(x, y) in points.iter().skip(1) {
        if (x - at.0).abs() < 0.05 {
            let _ = write!(path, " L{x:.1} {y:.1}");
        } else {
            let middle = f32::midpoint(at.1, y);
            let _ = write!(path, " C{:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}", at.0);
        }
        at = (x, y);
    }
    let base = tip.1 + back;
    let (left, right) = (tip.0 - 4.5, tip.0 + 4.5);
    (path, format!("M{:.1} {:.1} L{left:.1} {base:.1} L{right:.1} {base:.1} Z", tip.0, tip.1))
}

/// A loop at the right side of a node.
fn bulge(points: &[(f32, f32)]) -> (String, String) {
    let from = points.first().copied().unwrap_or_default();
    let to = points.last().copied().unwrap_or_default();
    let out = from.0 + 40.0;
    let path = format!(
        "M{:.1} {:.1} C{out:.1} {:.1} {out:.1} {:.1} {:.1} {:.1}",
        from.0,
        from.1,
        from.1 + 12.0,
        to.1 - 12.0,
        to.0 + HEAD,
        to.1 - 2.0
    );
    let base = to.0 + HEAD;
    let head =
        format!("M{:.1} {:.1} L{base:.1} {:.1} L{base:.1} {:.1} Z", to.0, to.1, to.1 - 6.5, to.1 + 2.5);
    (path, head)
}

fn node_box(svg: &mut String, node: &NodeBox) {
    let (x, y) = (node.center.0 - node.width / 2.0, node.center.1 - node.height / 2.0);
    let (radius, fill) = match node.look {
        Look::Start => (node.height / 2.0, "#ffffff"),
        Look::End => (node.height / 2.0, "#bfb6fc"),
        Look::Step => (7.0, "#f2f0ff"),
    };
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{radius:.1}\" fill=\"{fill}\" \
         stroke=\"{BORDER}\" stroke-width=\"1.2\"/>",
        node.width, node.height
    );
    centered(svg, &node.name, node.center, FONT_SIZE, "#1f1a33");
}

fn label(svg: &mut String, route: &Route) {
    let Some((text, (x, y), width)) = &route.label else { return };
    let (left, top) = (x - width / 2.0 - 4.0, y - LABEL_SIZE * 0.75);
    let _ = writeln!(
        svg,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"3\" fill=\"#ffffff\"/>",
        width + 8.0,
        LABEL_SIZE * 1.5
    );
    centered(svg, text, (*x, *y), LABEL_SIZE, INK);
}

fn centered(svg: &mut String, text: &str, (x, y): (f32, f32), size: f32, color: &str) {
    let baseline = y + size * 0.35;
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{baseline:.1}\" font-size=\"{size}\" text-anchor=\"middle\" fill=\"{color}\">{}</text>",
        escaped(text)
    );
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            c if c.is_control() => safe.push('\u{FFFD}'),
            c => safe.push(c),
        }
    }
    safe
}
