//! Where everything goes: nodes in layers from top to bottom, few crossings, edges bent around nodes.
//!
//! The usual four steps: turn around the edges that close a cycle, give each node a layer, order each
//! layer, and then choose positions. An edge over several layers gets an invisible cell in each layer on
//! its way, so that it has room of its own; so does a label.

use super::{Drawing, Line, Look, look};

pub(super) const FONT_SIZE: f32 = 16.0;
pub(super) const LABEL_SIZE: f32 = 13.0;
const NODE_HEIGHT: f32 = 42.0;
const LABEL_HEIGHT: f32 = 22.0;
const LAYER_GAP: f32 = 52.0;
const CELL_GAP: f32 = 28.0;
const EDGE_WIDTH: f32 = 18.0;
const LOOP_WIDTH: f32 = 36.0;
const MARGIN: f32 = 16.0;

/// A picture with positions.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) boxes: Vec<NodeBox>,
    pub(super) edges: Vec<Route>,
}

#[derive(Debug)]
pub(super) struct NodeBox {
    pub(super) name: String,
    pub(super) look: Look,
    pub(super) center: (f32, f32),
    pub(super) width: f32,
    pub(super) height: f32,
}

#[derive(Debug)]
pub(super) struct Route {
    pub(super) line: Line,
    /// From the tail to the head. Between two points the edge is a straight line where the x is the
    /// same, and a curve with vertical ends otherwise.
    pub(super) points: Vec<(f32, f32)>,
    pub(super) shape: Shape,
    pub(super) label: Option<(String, (f32, f32), f32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Between layers.
    Fall,
    /// From a node to itself, at its right side.
    Loop,
}

/// A node, or the place where an edge passes a layer.
#[derive(Debug)]
struct Cell {
    layer: usize,
    width: f32,
    x: f32,
}

/// An edge between layers: the cells it passes from the upper node to the lower one.
#[derive(Debug)]
struct Chain {
    edge: usize,
    cells: Vec<usize>,
    points: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Down,
    Up,
}

pub(super) fn lay_out(drawing: &Drawing) -> Plan {
    let directions = directions(drawing);
    let layers_of = layers(drawing, &directions);
    let mut cells: Vec<Cell> = Vec::new();
    for (node, name) in drawing.nodes.iter().enumerate() {
        let own = drawing.edges.iter().filter(|edge| edge.from == node && edge.to == node);
        // Room at both sides, so that the node itself stays in the middle.
        let room =
            own.map(|edge| 2.0 * (LOOP_WIDTH + label_width(edge.label.as_deref()))).fold(0.0, f32::max);
        let layer = layers_of.get(node).copied().unwrap_or(0);
        cells.push(Cell { layer, width: box_width(name) + room, x: 0.0 });
    }
    let chains = chains(drawing, &directions, &mut cells);
    let rows = order(&cells, &chains);
    place(&mut cells, &chains, &rows);
    draw(drawing, &cells, &chains, rows.len())
}

/// Which edges point down, found by walking from the start: an edge back to a node on the current path is
/// turned around.
fn directions(drawing: &Drawing) -> Vec<Direction> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        OnPath,
        Done,
    }
    let mut seen = vec![Seen::No; drawing.nodes.len()];
    let mut directions = vec![Direction::Down; drawing.edges.len()];
    for root in 0..drawing.nodes.len() {
        if seen.get(root) != Some(&Seen::No) {
            continue;
        }
        let mut path: Vec<(usize, usize)> = vec![(root, 0)];
        set(&mut seen, root, Seen::OnPath);
        while let Some((node, from_edge)) = path.pop() {
            let next = drawing.edges.iter().enumerate().skip(from_edge).find(|(_, edge)| edge.from == node);
            let Some((index, edge)) = next else {
                set(&mut seen, node, Seen::Done);
                continue;
            };
            path.push((node, index + 1));
            match seen.get(edge.to) {
                Some(Seen::OnPath) => set(&mut directions, index, Direction::Up),
                Some(Seen::No) => {
                    set(&mut seen, edge.to, Seen::OnPath);
                    path.push((edge.to, 0));
                }
                Some(Seen::Done) | None => {}
            }
        }
    }
    directions
}

fn set<T>(list: &mut [T], at: usize, value: T) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}

/// Upper and lower node of an edge.
fn ends(drawing: &Drawing, edge: usize, direction: Direction) -> Option<(usize, usize)> {
    let edge = drawing.edges.get(edge)?;
    Some(match direction {
        Direction::Down => (edge.from, edge.to),
        Direction::Up => (edge.to, edge.from),
    })
}

/// The layer of each node: the longest way from the top. The end is alone at the bottom.
fn layers(drawing: &Drawing, directions: &[Direction]) -> Vec<usize> {
    // With labels every edge passes at least one layer between its nodes, where the label has room.
    let span = if drawing.edges.iter().any(|edge| edge.label.is_some()) { 2 } else { 1 };
    let mut layers = vec![0_usize; drawing.nodes.len()];
    // Without cycles the longest way has fewer steps than there are nodes.
    for _ in 0..drawing.nodes.len() {
        for (index, direction) in directions.iter().enumerate() {
            let Some((upper, lower)) = ends(drawing, index, *direction) else { continue };
            let least = layers.get(upper).copied().unwrap_or(0) + span;
            if upper != lower && layers.get(lower).is_some_and(|layer| *layer < least) {
                set(&mut layers, lower, least);
            }
        }
    }
    let deepest = layers.iter().copied().max().unwrap_or(0);
    if let Some(end) = drawing.nodes.iter().position(|name| look(name) == Look::End) {
        let alone = layers.iter().enumerate().all(|(node, layer)| node == end || *layer < deepest);
        set(&mut layers, end, if alone { deepest } else { deepest + span });
    }
    layers
}

fn chains(drawing: &Drawing, directions: &[Direction], cells: &mut Vec<Cell>) -> Vec<Chain> {
    let mut chains = Vec::new();
    for (index, edge) in drawing.edges.iter().enumerate() {
        let Some(direction) = directions.get(index).copied().filter(|_| edge.from != edge.to) else {
            continue;
        };
        let Some((upper, lower)) = ends(drawing, index, direction) else { continue };
        let layer_of = |cells: &[Cell], cell: usize| cells.get(cell).map_or(0, |cell| cell.layer);
        let (top, bottom) = (layer_of(cells, upper), layer_of(cells, lower));
        let mut passed = vec![upper];
        for layer in top + 1..bottom {
            // The label sits on the first layer that the edge passes on its way from its tail.
            let labelled = layer == if direction == Direction::Down { top + 1 } else { bottom - 1 };
            let label = edge.label.as_deref().filter(|_| labelled);
            let width = label_width(label).max(EDGE_WIDTH);
            passed.push(cells.len());
            cells.push(Cell { layer, width, x: 0.0 });
        }
        passed.push(lower);
        chains.push(Chain { edge: index, cells: passed, points: direction });
    }
    chains
}

/// Pairs of neighbouring cells, upper first.
fn links(chains: &[Chain]) -> Vec<(usize, usize)> {
    let pairs = chains.iter().flat_map(|chain| chain.cells.windows(2));
    pairs.filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect()
}

/// The cells of each layer from left to right, so that few edges cross.
fn order(cells: &[Cell], chains: &[Chain]) -> Vec<Vec<usize>> {
    let deepest = cells.iter().map(|cell| cell.layer).max().unwrap_or(0);
    let row =
        |layer| cells.iter().enumerate().filter(move |(_, c)| c.layer == layer).map(|(i, _)| i).collect();
    let mut rows: Vec<Vec<usize>> = (0..=deepest).map(row).collect();
    let links = links(chains);
    let mut best = rows.clone();
    for sweep in 0..12 {
        let down = sweep % 2 == 0;
        for step in 0..rows.len() {
            let layer = if down { step } else { rows.len() - 1 - step };
            let position: Vec<f32> = positions(&rows, cells.len());
            let weight = |cell: usize| {
                let near = links.iter().filter_map(|(upper, lower)| {
                    let other = if down && *lower == cell {
                        *upper
                    } else if !down && *upper == cell {
                        *lower
                    } else {
                        return None;
                    };
                    position.get(other).copied()
                });
                mean(near).or_else(|| position.get(cell).copied()).unwrap_or(0.0)
            };
            if let Some(row) = rows.get_mut(layer) {
                row.sort_by(|a, b| weight(*a).total_cmp(&weight(*b)));
            }
        }
        if crossings(&rows, &links, cells.len()) < crossings(&best, &links, cells.len()) {
            best.clone_from(&rows);
        }
    }
    best
}

/// Place of each cell in its row, as a share of the row's length.
fn positions(rows: &[Vec<usize>], count: usize) -> Vec<f32> {
    let mut position = vec![0.0; count];
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            set(&mut position, *cell, (number(at) + 0.5) / number(row.len().max(1)));
        }
    }
    position
}

fn crossings(rows: &[Vec<usize>], links: &[(usize, usize)], count: usize) -> usize {
    let position = positions(rows, count);
    let layer = |cell: usize| rows.iter().position(|row| row.contains(&cell));
    let at = |cell: usize| position.get(cell).copied().unwrap_or(0.0);
    let cross = |a: &(usize, usize), b: &(usize, usize)| {
        layer(a.0) == layer(b.0) && (at(a.0) - at(b.0)) * (at(a.1) - at(b.1)) < 0.0
    };
    links.iter().enumerate().map(|(i, a)| links.iter().skip(i + 1).filter(|b| cross(a, b)).count()).sum()
}

/// Chooses the x of each cell: near the cells it is joined to, without overlap.
fn place(cells: &mut [Cell], chains: &[Chain], rows: &[Vec<usize>]) {
    let links = links(chains);
    let nodes = cells.len() - chains.iter().map(|chain| chain.cells.len().saturating_sub(2)).sum::<usize>();
    // Long edges are kept straight: where two of their cells meet, the pull is stronger than at a node.
    let pull = |a: usize, b: usize| if a < nodes || b < nodes { 1.0 } else { 6.0 };
    for row in rows {
        let wanted: Vec<(f32, f32)> = row.iter().map(|&cell| (0.0, width_of(cells, cell))).collect();
        put(cells, row, &spread(&wanted));
    }
    for round in 0..24 {
        for step in 0..rows.len() {
            let Some(row) = rows.get(if round % 2 == 0 { step } else { rows.len() - 1 - step }) else {
                continue;
            };
            let wanted: Vec<(f32, f32)> = row
                .iter()
                .map(|&cell| {
                    let near = links.iter().filter_map(|(upper, lower)| {
                        let other = match cell {
                            c if c == *upper => *lower,
                            c if c == *lower => *upper,
                            _ => return None,
                        };
                        cells.get(other).map(|near| (near.x, pull(cell, other)))
                    });
                    let own = cells.get(cell).map_or(0.0, |cell| cell.x);
                    (weighted_mean(near).unwrap_or(own), width_of(cells, cell))
                })
                .collect();
            put(cells, row, &spread(&wanted));
        }
    }
    for chain in chains {
        straighten(cells, chain, rows);
    }
    let left = cells.iter().map(|cell| cell.x - cell.width / 2.0).fold(f32::INFINITY, f32::min);
    for cell in cells {
        cell.x += MARGIN - left;
    }
}

/// Puts the places where a long edge passes layers under each other, at the first x of theirs that has room
/// in all of these layers.
fn straighten(cells: &mut [Cell], chain: &Chain, rows: &[Vec<usize>]) {
    let passed = chain.cells.get(1..chain.cells.len().saturating_sub(1)).unwrap_or_default();
    let xs: Vec<f32> = passed.iter().filter_map(|&cell| cells.get(cell)).map(|cell| cell.x).collect();
    let fits = |x: f32| {
        passed.iter().all(|&cell| {
            let Some(own) = cells.get(cell) else { return false };
            let row = rows.get(own.layer).map_or(&[][..], Vec::as_slice);
            row.iter().filter(|other| **other != cell).filter_map(|&other| cells.get(other)).all(|other| {
                let room = f32::midpoint(own.width, other.width) + CELL_GAP / 2.0;
                // On the same side as before, and not too near.
                (x - other.x).abs() >= room && (x < other.x) == (own.x < other.x)
            })
        })
    };
    let middle = mean(xs.iter().copied());
    if let Some(x) = middle.into_iter().chain(xs).find(|x| fits(*x)) {
        for &cell in passed {
            if let Some(cell) = cells.get_mut(cell) {
                cell.x = x;
            }
        }
    }
}

fn width_of(cells: &[Cell], cell: usize) -> f32 {
    cells.get(cell).map_or(0.0, |cell| cell.width)
}

fn put(cells: &mut [Cell], row: &[usize], xs: &[f32]) {
    for (cell, x) in row.iter().zip(xs) {
        if let Some(cell) = cells.get_mut(*cell) {
            cell.x = *x;
        }
    }
}

/// Centers near the wanted ones, in order and apart: the mean of pushing to the right and pushing to the
/// left, both of which keep the distances.
fn spread(wanted: &[(f32, f32)]) -> Vec<f32> {
    let push = |items: &mut dyn Iterator<Item = (f32, f32)>| {
        let mut edge = f32::NEG_INFINITY;
        let mut placed = Vec::new();
        for (x, width) in items {
            let center = x.max(edge + width / 2.0);
            edge = center + width / 2.0 + CELL_GAP;
            placed.push(center);
        }
        placed
    };
    let right = push(&mut wanted.iter().copied());
    let mut left = push(&mut wanted.iter().rev().map(|(x, width)| (-x, *width)));
    left.reverse();
    right.iter().zip(left).map(|(r, l)| f32::midpoint(*r, -l)).collect()
}

fn draw(drawing: &Drawing, cells: &[Cell], chains: &[Chain], rows: usize) -> Plan {
    let is_node = |layer: usize| cells.iter().take(drawing.nodes.len()).any(|cell| cell.layer == layer);
    let mut middles = Vec::with_capacity(rows);
    let mut y = MARGIN;
    for layer in 0..rows {
        let height = if is_node(layer) { NODE_HEIGHT } else { LABEL_HEIGHT };
        middles.push((y + height / 2.0, height));
        y += height + if is_node(layer) && is_node(layer + 1) { LAYER_GAP } else { LAYER_GAP * 0.6 };
    }
    let middle = |cell: usize| {
        let layer = cells.get(cell).map_or(0, |cell| cell.layer);
        middles.get(layer).copied().unwrap_or((0.0, 0.0))
    };
    let x = |cell: usize| cells.get(cell).map_or(0.0, |cell| cell.x);
    let boxes: Vec<NodeBox> = drawing
        .nodes
        .iter()
        .enumerate()
        .map(|(node, name)| NodeBox {
            name: name.clone(),
            look: look(name),
            center: (x(node), middle(node).0),
            width: box_width(name),
            height: NODE_HEIGHT,
        })
        .collect();
    let mut edges: Vec<Route> = Vec::new();
    for (number_of_chain, chain) in chains.iter().enumerate() {
        let Some(edge) = drawing.edges.get(chain.edge) else { continue };
        let mut points = Vec::new();
        let last = chain.cells.len() - 1;
        for (step, &cell) in chain.cells.iter().enumerate() {
            let (center, height) = middle(cell);
            if step == 0 {
                let port = port(chains, cells, &boxes, number_of_chain, Side::Bottom);
                points.push((x(cell) + port, center + NODE_HEIGHT / 2.0));
            } else if step == last {
                let port = port(chains, cells, &boxes, number_of_chain, Side::Top);
                points.push((x(cell) + port, center - NODE_HEIGHT / 2.0));
            } else {
                points.push((x(cell), center - height / 2.0));
                points.push((x(cell), center + height / 2.0));
            }
        }
        let label_step = if chain.points == Direction::Down { 1 } else { last - 1 };
        let label = edge.label.clone().and_then(|label| {
            let cell = *chain.cells.get(label_step)?;
            let width = text_width(&label, LABEL_SIZE);
            Some((label, (x(cell), middle(cell).0), width))
        });
        if chain.points == Direction::Up {
            points.reverse();
        }
        edges.push(Route { line: edge.line, points, shape: Shape::Fall, label });
    }
    edges.extend(loops(drawing, &boxes));
    let right = cells.iter().map(|cell| cell.x + cell.width / 2.0).fold(0.0, f32::max);
    let bottom = middles.last().map_or(0.0, |(middle, height)| middle + height / 2.0);
    Plan { width: right + MARGIN, height: bottom + MARGIN, boxes, edges }
}

fn loops(drawing: &Drawing, boxes: &[NodeBox]) -> Vec<Route> {
    let own = drawing.edges.iter().filter(|edge| edge.from == edge.to);
    own.filter_map(|edge| {
        let node = boxes.get(edge.from)?;
        let (x, y) = (node.center.0 + node.width / 2.0, node.center.1);
        let label = edge.label.clone().map(|label| {
            let width = text_width(&label, LABEL_SIZE);
            (label, (x + LOOP_WIDTH + width / 2.0, y), width)
        });
        let points = vec![(x, y + 9.0), (x, y - 9.0)];
        Some(Route { line: edge.line, points, shape: Shape::Loop, label })
    })
    .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Top,
    Bottom,
}

/// How far from the middle of its node an edge begins or ends, so that edges at one side do not lie on each
/// other. They are in the order of where they go.
fn port(chains: &[Chain], cells: &[Cell], boxes: &[NodeBox], chain: usize, side: Side) -> f32 {
    let ends = |chain: &Chain| match side {
        Side::Bottom => Some((*chain.cells.first()?, *chain.cells.get(1)?)),
        Side::Top => Some((*chain.cells.last()?, *chain.cells.get(chain.cells.len().checked_sub(2)?)?)),
    };
    let Some((node, _)) = chains.get(chain).and_then(ends) else { return 0.0 };
    let mut neighbours: Vec<(f32, usize)> = chains
        .iter()
        .enumerate()
        .filter_map(|(index, other)| {
            let (at, near) = ends(other)?;
            (at == node).then(|| (cells.get(near).map_or(0.0, |cell| cell.x), index))
        })
        .collect();
    neighbours.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let count = number(neighbours.len());
    let index = number(neighbours.iter().position(|(_, index)| *index == chain).unwrap_or(0));
    let width = boxes.get(node).map_or(0.0, |node| node.width);
    let apart = ((width - 24.0) / count).clamp(4.0, 26.0);
    (index - (count - 1.0) / 2.0) * apart
}

/// Room that a label takes, with a little air; none without a label.
fn label_width(label: Option<&str>) -> f32 {
    label.map_or(0.0, |label| text_width(label, LABEL_SIZE) + 12.0)
}

fn box_width(name: &str) -> f32 {
    (text_width(name, FONT_SIZE) + 32.0).max(72.0)
}

fn mean(values: impl Iterator<Item = f32>) -> Option<f32> {
    weighted_mean(values.map(|value| (value, 1.0)))
}

fn weighted_mean(values: impl Iterator<Item = (f32, f32)>) -> Option<f32> {
    let (sum, weight) =
        values.fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + value * weight, all + weight));
    (weight > 0.0).then(|| sum / weight)
}

/// Small counts as numbers for geometry.
fn number(count: usize) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

/// Width of text in the embedded font.
fn text_width(text: &str, size: f32) -> f32 {
    let thousandths: f32 = text.chars().map(|c| f32::from(advance(c))).sum();
    thousandths * size / 1000.0
}

/// Advance widths of the printable ASCII characters in the embedded font, in thousandths of its size.
#[rustfmt::skip]
const ADVANCES: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636,
    636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863,
    748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635,
    615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636,
    337, 636, 838,
];

fn advance(c: char) -> u16 {
    let index = usize::try_from(u32::from(c).saturating_sub(0x20)).unwrap_or(usize::MAX);
    ADVANCES.get(index).copied().unwrap_or(700)
}
