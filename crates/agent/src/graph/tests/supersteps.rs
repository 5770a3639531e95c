use super::*;
use futures::StreamExt;
use tokio::sync::Barrier;

#[tokio::test]
async fn parallel_writes_apply_by_name_and_not_by_finish() {
    // Each node waits until the one after it in the alphabet has finished.
    let order = Arc::new([tokio::sync::Semaphore::new(0), tokio::sync::Semaphore::new(0)]);
    let finish = Arc::new(Mutex::new(Vec::new()));
    let node = |waits: Option<usize>, frees: Option<usize>| {
        let (order, finish) = (order.clone(), finish.clone());
        move |_: Notes, cx: NodeContext| {
            let (order, finish) = (order.clone(), finish.clone());
            async move {
                if let Some(i) = waits {
                    order[i].acquire().await?.forget();
                }
                finish.lock().unwrap().push(cx.node().to_owned());
                if let Some(i) = frees {
                    order[i].add_permits(1);
                }
                Ok(Command::update(note(cx.node())))
            }
        }
    };
    let graph = StateGraph::<Notes>::new()
        .add_node("c", node(None, Some(1)))
        .add_node("a", node(Some(0), None))
        .add_node("b", node(Some(1), Some(0)))
        .add_edge(START, "c")
        .add_edge(START, "a")
        .add_edge(START, "b")
        .compile(options())
        .unwrap();
    let outcome = graph.invoke(&thread(), Input::New(Note::default())).await.unwrap();
    assert_eq!(*finish.lock().unwrap(), ["c", "b", "a"]);
    assert_eq!(log(&outcome), ["a", "b", "c"]);
}

#[tokio::test]
async fn nodes_of_one_step_really_run_at_the_same_time() {
    let meet = Arc::new(Barrier::new(2));
    let node = move |_: Notes, _: NodeContext| {
        let meet = meet.clone();
        async move {
            meet.wait().await;
            Ok(Command::nothing())
        }
    };
    let graph = StateGraph::<Notes>::new()
        .add_node("a", node.clone())
        .add_node("b", node)
        .add_edge(START, "a")
        .add_edge(START, "b")
        .compile(options())
        .unwrap();
    graph.invoke(&thread(), Input::New(Note::default())).await.unwrap();
}

#[tokio::test]
async fn two_writers_of_a_last_value_channel_are_refused() {
    let own = |_: Notes, cx: NodeContext| async move {
        Ok(Command::update(Note { log: vec![], owner: Some(cx.node().to_owned()) }))
    };
    let both = StateGraph::<Notes>::new().add_node("a", own).add_node("b", own).add_edge(START, "a");
    let graph = both.add_edge(START, "b").compile(options()).unwrap();
    let error = graph.invoke(&thread(), Input::New(Note::default())).await.unwrap_err();
    assert!(
        matches!(&error, RunError::ConcurrentWrite { channel, first, second }
            if channel == "owner" && first == "a" && second == "b"),
        "{error}"
    );
    let line = StateGraph::<Notes>::new().add_node("a", own).add_node("b", own).add_edge(START, "a");
    let graph = line.add_edge("a", "b").compile(options()).unwrap();
    let outcome = graph.invoke(&thread(), Input::New(Note::default())).await.unwrap();
    assert_eq!(outcome.state().owner.as_deref(), Some("b"), "one after the other is fine");
}

#[tokio::test]
async fn goto_runs_besides_static_edges_and_shared_targets_run_once() {
    let jump =
        |_: Notes, _: NodeContext| async { Ok(Command::update(note("x")).and_goto("z").and_goto("y")) };
    let graph = StateGraph::<Notes>::new()
        .add_node("x", jump)
        .add_node("y", noted)
        .add_node("z", noted)
        .add_edge(START, "x")
        .add_edge("x", "y")
        .compile(options())
        .unwrap();
    let outcome = graph.invoke(&thread(), Input::New(Note::default())).await.unwrap();
    assert_eq!(log(&outcome), ["x", "y", "z"]);
}

#[tokio::test]
async fn conditions_choose_by_state_and_by_label() {
    let graph = || StateGraph::<Notes>::new().add_node("a", noted).add_node("b", noted);
    let by_state = graph()
        .add_conditional_edges(START, |s: &Notes| vec![s.log.last().cloned().unwrap_or_default()], ["a", "b"])
        .compile(options())
        .unwrap();
    let outcome = by_state.invoke(&thread(), Input::New(note("b"))).await.unwrap();
    assert_eq!(log(&outcome), ["b", "b"]);
    let error = by_state.invoke(&RunConfig::thread("u"), Input::New(note("c"))).await.unwrap_err();
    assert!(matches!(&error, RunError::UnknownDestination { to, .. } if to == "c"), "{error}");
    let by_label = graph()
        .add_edge(START, "a")
        .add_labelled_edges("a", |_| vec!["enough".to_owned()], [("more", "b"), ("enough", END)])
        .compile(options())
        .unwrap();
    let outcome = by_label.invoke(&thread(), Input::New(Note::default())).await.unwrap();
    assert_eq!(log(&outcome), ["a"]);
}

#[tokio::test]
async fn goto_to_nowhere_is_an_error() {
    let jump = |_: Notes, _: NodeContext| async { Ok(Command::goto("nowhere")) };
    let graph =
        StateGraph::<Notes>::new().add_node("x", jump).add_edge(START, "x").compile(options()).unwrap();
    let error = graph.invoke(&thread(), Input::New(Note::default())).await.unwrap_err();
    assert!(
        matches!(&error, RunError::UnknownDestination { from, to, .. } if from == "x" && to == "nowhere")
    );
    let jump = |_: Notes, _: NodeContext| async { Ok(Command::goto("z")) };
    let graph = StateGraph::<Notes>::new()
        .add_node_with("x", NodeOptions::new().goes_to(["y"]), jump)
        .add_node("y", noted)
        .add_node("z", noted)
        .add_edge(START, "x")
        .compile(options())
        .unwrap();
    let error = graph.invoke(&thread(), Input::New(Note::default())).await.unwrap_err();
    assert!(error.to_string().contains("it may go to: y"), "{error}");
}

#[test]
fn compile_finds_mistakes() {
    let one = || StateGraph::<Notes>::new().add_node("a", noted);
    let error = |graph: StateGraph<Notes>| graph.compile(options()).unwrap_err();
    let unknown = |from: &str, to: &str| CompileError::UnknownNode { from: from.into(), to: to.into() };
    assert_eq!(error(one()), CompileError::NoStart);
    assert_eq!(error(one().add_edge(START, "b")), unknown(START, "b"));
    assert_eq!(error(one().add_edge(START, "a").add_edge("b", "a")), unknown("b", "b"));
    assert_eq!(error(one().add_edge(START, "a").add_edge("a", START)), unknown("a", START));
    assert_eq!(error(one().add_conditional_edges(START, |_| vec![], ["b"])), unknown(START, "b"));
    let lost = NodeOptions::new().goes_to(["c"]);
    assert_eq!(error(one().add_edge(START, "a").add_node_with("b", lost, noted)), unknown("b", "c"));
    assert_eq!(error(one().add_node("a", noted)), CompileError::DuplicateNode("a".into()));
    assert_eq!(error(one().add_node(END, noted)), CompileError::ReservedName(END.into()));
    let asks = one().add_edge(START, "a").add_node_with("b", NodeOptions::new().interrupts(), noted);
    assert_eq!(
        asks.compile(CompileOptions::default()).unwrap_err(),
        CompileError::NeedsCheckpointer("b".into())
    );
    let zero = CompileOptions { recursion_limit: 0, ..options() };
    assert_eq!(one().add_edge(START, "a").compile(zero).unwrap_err(), CompileError::ZeroRecursionLimit);
}

#[tokio::test]
async fn a_loop_stops_at_the_limit_and_can_go_on() {
    let graph = StateGraph::<Notes>::new()
        .add_node("a", noted)
        .add_edge(START, "a")
        .add_conditional_edges(
            "a",
            |s: &Notes| vec![if s.log.len() < 30 { "a" } else { END }.into()],
            ["a", END],
        )
        .compile(options())
        .unwrap();
    let error = graph.invoke(&thread(), Input::New(Note::default())).await.unwrap_err();
    assert!(matches!(error, RunError::RecursionLimit { limit: 25 }), "{error}");
    assert_eq!(graph.snapshot(&"t".into()).await.unwrap().unwrap().state.log.len(), 25);
    let short = RunConfig { recursion_limit: Some(2), ..thread() };
    let error = graph.invoke(&short, Input::Continue).await.unwrap_err();
    assert!(matches!(error, RunError::RecursionLimit { limit: 2 }), "{error}");
    let outcome = graph.invoke(&thread(), Input::Continue).await.unwrap();
    assert_eq!(outcome.state().log.len(), 30);
}

#[tokio::test]
async fn a_failed_node_keeps_its_siblings_work() {
    let (good, bad) = (Count::default(), Count::default());
    let (g, b) = (good.clone(), bad.clone());
    let graph = StateGraph::<Notes>::new()
        .add_node("good", move |_: Notes, _: NodeContext| {
            g.up();
            async { Ok(Command::update(note("good"))) }
        })
        .add_node("bad", move |_: Notes, _: NodeContext| {
            let attempt = b.up();
            async move {
                if attempt == 1 { Err(NodeStop::failed("no luck")) } else { Ok(Command::update(note("bad"))) }
            }
        })
        .add_edge(START, "good")
        .add_edge(START, "bad")
        .compile(options())
        .unwrap();
    let error = graph.invoke(&thread(), Input::New(Note::default())).await.unwrap_err();
    assert!(
        matches!(&error, RunError::NodeFailed { node, message, .. } if node == "bad" && message == "no luck")
    );
    let snapshot = graph.snapshot(&"t".into()).await.unwrap().unwrap();
    assert_eq!(snapshot.failures, ["no luck"]);
    let again = graph.invoke(&thread(), Input::New(Note::default())).await.unwrap_err();
    assert!(matches!(&again, RunError::Unfinished { next } if *next == ["bad", "good"]), "{again}");
    let outcome = graph.invoke(&thread(), Input::Continue).await.unwrap();
    assert_eq!(log(&outcome), ["bad", "good"]);
    assert_eq!((good.get(), bad.get()), (1, 2));
    let error = graph.invoke(&thread(), Input::Continue).await.unwrap_err();
    assert!(matches!(error, RunError::NothingToContinue), "{error}");
}

#[tokio::test]
async fn a_stream_tells_updates_and_the_end() {
    let graph = StateGraph::<Notes>::new()
        .add_node("a", noted)
        .add_node("b", noted)
        .add_edge(START, "a")
        .add_edge("a", "b")
        .compile(options())
        .unwrap();
    let events: Vec<String> = graph
        .stream(thread(), Input::New(Note::default()))
        .map(|event| match event.unwrap() {
            Event::Update { node, update } => format!("{node}: {:?}", update.unwrap().log),
            Event::Finished(state) => format!("finished: {:?}", state.log),
            Event::Interrupted(_) => "interrupted".to_owned(),
        })
        .collect()
        .await;
    assert_eq!(events, [r#"a: ["a"]"#, r#"b: ["b"]"#, r#"finished: ["a", "b"]"#]);
    let mut broken = graph.stream(thread(), Input::Continue);
    assert!(matches!(broken.next().await, Some(Err(RunError::NothingToContinue))));
    assert!(broken.next().await.is_none());
}

#[tokio::test]
async fn history_is_newest_first_and_threads_are_apart() {
    let graph =
        StateGraph::<Notes>::new().add_node("a", noted).add_edge(START, "a").compile(options()).unwrap();
    graph.invoke(&thread(), Input::New(note("in"))).await.unwrap();
    graph.invoke(&RunConfig::thread("u"), Input::New(note("other"))).await.unwrap();
    graph.invoke(&thread(), Input::New(note("again"))).await.unwrap();
    let history = graph.history(&"t".into(), 10).await.unwrap();
    let logs: Vec<usize> = history.iter().map(|s| s.state.log.len()).collect();
    assert_eq!(logs, [4, 3, 2, 1]);
    assert_eq!(history[0].parent.as_ref(), Some(&history[1].checkpoint));
    assert_eq!(history[3].next, ["a"]);
    assert_eq!(graph.status(&"t".into()).await.unwrap(), ThreadStatus::Finished);
    assert_eq!(graph.status(&"nobody".into()).await.unwrap(), ThreadStatus::New);
}
