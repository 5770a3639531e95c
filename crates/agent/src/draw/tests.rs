use super::*;
use crate::chat::{ChatSetup, ReviewPolicy, chat_graph};
use crate::checkpoint::MemorySaver;
use crate::graph::{Command, CompileOptions, NodeContext, NodeResult, StateGraph};
use crate::messages::MessagesState;
use crate::model::ScriptedModel;
use crate::tools::FunctionTools;
use std::sync::Arc;

fn tutorial() -> Drawing {
    let setup = ChatSetup::new(
        Arc::new(ScriptedModel::new()),
        Arc::new(FunctionTools::new()),
        ReviewPolicy::default(),
    );
    let options = CompileOptions::with_checkpointer(Arc::new(MemorySaver::new()));
    Drawing::of(&chat_graph(setup).compile(options).unwrap())
}

async fn nothing(_: MessagesState, _: NodeContext) -> NodeResult<MessagesState> {
    Ok(Command::nothing())
}

/// Labels, a space in a name, a self-loop, a long edge and a node from which nothing leads on.
fn busy() -> Drawing {
    let graph = StateGraph::<MessagesState>::new()
        .add_node("c", nothing)
        .add_node("a b", nothing)
        .add_node("b", nothing)
        .add_edge(START, "c")
        .add_edge(START, "b")
        .add_labelled_edges("c", |_| vec!["x".to_owned()], [("x", "a b"), ("stop", END), ("once more", "c")])
        .add_edge("a b", "b");
    Drawing::of(&graph.compile(CompileOptions::default()).unwrap())
}

#[test]
fn mermaid_of_the_reviewed_chat() {
    let expected = "---\nconfig:\n  flowchart:\n    curve: linear\n---\ngraph TD;\n\
        \t__start__([<p>__start__</p>]):::first\n\
        \tcall_llm(call_llm)\n\
        \trun_tool(run_tool)\n\
        \thuman_review_node(human_review_node)\n\
        \t__end__([<p>__end__</p>]):::last\n\
        \t__start__ --> call_llm;\n\
        \tcall_llm -.-> __end__;\n\
        \tcall_llm -.-> human_review_node;\n\
        \thuman_review_node -.-> call_llm;\n\
        \thuman_review_node -.-> run_tool;\n\
        \trun_tool --> call_llm;\n\
        \tclassDef default fill:#f2f0ff,line-height:1.2\n\
        \tclassDef first fill-opacity:0\n\
        \tclassDef last fill:#bfb6fc\n";
    assert_eq!(tutorial().mermaid(), expected);
}

#[test]
fn mermaid_of_labels_and_odd_names() {
    let text = busy().mermaid();
    let lines: Vec<&str> = text.lines().skip(6).map(str::trim).collect();
    assert_eq!(
        lines[..11],
        [
            "__start__([<p>__start__</p>]):::first",
            "c(c)",
            r"a\20b(a b)",
            "b(b)",
            "__end__([<p>__end__</p>]):::last",
            "__start__ --> b;",
            "__start__ --> c;",
            r"a\20b --> b;",
            "c -. &nbsp;once more&nbsp; .-> c;",
            "c -. &nbsp;stop&nbsp; .-> __end__;",
            r"c -. &nbsp;x&nbsp; .-> a\20b;",
        ]
    );
    assert_eq!(lines[11], "b --> __end__;");
}

#[test]
fn boxes_and_labels_do_not_overlap_and_stay_inside() {
    for drawing in [tutorial(), busy()] {
        let plan = layout::lay_out(&drawing);
        let mut areas: Vec<(f32, f32, f32, f32)> = Vec::new();
        for node in &plan.boxes {
            areas.push((node.center.0, node.center.1, node.width, node.height));
        }
        for (_, (x, y), width) in plan.edges.iter().filter_map(|route| route.label.clone()) {
            areas.push((x, y, width, 14.0));
        }
        for (i, a) in areas.iter().enumerate() {
            assert!(a.0 - a.2 / 2.0 >= 0.0 && a.0 + a.2 / 2.0 <= plan.width, "{a:?} in {}", plan.width);
            assert!(a.1 - a.3 / 2.0 >= 0.0 && a.1 + a.3 / 2.0 <= plan.height, "{a:?} in {}", plan.height);
            for b in &areas[i + 1..] {
                let apart = (a.0 - b.0).abs() >= f32::midpoint(a.2, b.2)
                    || (a.1 - b.1).abs() >= f32::midpoint(a.3, b.3);
                assert!(apart, "{a:?} and {b:?} overlap");
            }
        }
    }
}

#[test]
fn the_png_is_a_picture_and_always_the_same() {
    let first = tutorial().png().unwrap();
    assert_eq!(first, tutorial().png().unwrap());
    let picture = resvg::tiny_skia::Pixmap::decode_png(&first).unwrap();
    assert!(picture.width() > 300 && picture.height() > 300, "{}x{}", picture.width(), picture.height());
    // Text was painted: a drawing without its text has fewer dark pixels.
    let svg = tutorial().svg();
    let without: String = svg.lines().filter(|line| !line.starts_with("<text")).collect();
    let bare = resvg::tiny_skia::Pixmap::decode_png(&png::paint(&without).unwrap()).unwrap();
    let dark = |p: &resvg::tiny_skia::Pixmap| p.pixels().iter().filter(|pixel| pixel.red() < 0x40).count();
    assert!(dark(&picture) > dark(&bare) + 500, "{} {}", dark(&picture), dark(&bare));
}
