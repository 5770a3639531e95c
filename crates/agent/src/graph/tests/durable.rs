//! Threads that outlive the runtime that began them.

use super::*;
use crate::checkpoint::{CallState, SqliteSaver};
use futures::StreamExt;
use serde_json::json;
use std::path::Path;

/// a -> ask -> b, on a file.
async fn open(path: &Path, prefix: &str, runs: &[Count; 3]) -> Graph<Notes> {
    let saver = SqliteSaver::open(path).await.unwrap();
    let [a, ask, b] = runs.clone();
    let noting = |count: Count| {
        move |_: Notes, cx: NodeContext| {
            count.up();
            async move { Ok(Command::update(note(cx.node()))) }
        }
    };
    let asking = move |_: Notes, cx: NodeContext| {
        ask.up();
        async move {
            let answer = cx.interrupt("q", json!({"sure": true}))?;
            Ok(Command::update(note(answer.to_string())))
        }
    };
    let options = CompileOptions { ids: Arc::new(SequentialIds::new(prefix)), ..with_saver(Arc::new(saver)) };
    StateGraph::new()
        .add_node("a", noting(a))
        .add_node_with("ask", NodeOptions::new().interrupts(), asking)
        .add_node("b", noting(b))
        .add_edge(START, "a")
        .add_edge("a", "ask")
        .add_edge("ask", "b")
        .compile(options)
        .unwrap()
}

#[test]
fn a_thread_goes_on_in_another_runtime() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("threads.db");
    let runs = [Count::default(), Count::default(), Count::default()];
    let on_new_runtime = |prefix: &'static str, step: fn(Graph<Notes>) -> Step| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { step(open(&path, prefix, &runs).await).await });
        // Everything in memory is gone with the runtime, as after a kill.
        runtime.shutdown_background();
    };
    on_new_runtime("one", |graph| {
        Box::pin(async move {
            // Dropped after the first node's update, before the next superstep.
            let mut stream = graph.stream(thread(), Input::New(Note::default()));
            assert!(matches!(stream.next().await, Some(Ok(Event::Update { node, .. })) if node == "a"));
        })
    });
    on_new_runtime("two", |graph| {
        Box::pin(async move {
            assert!(matches!(graph.status(&"t".into()).await.unwrap(), ThreadStatus::Unfinished { .. }));
            let outcome = graph.invoke(&thread(), Input::Continue).await.unwrap();
            assert_eq!(outcome.interrupts().len(), 1);
        })
    });
    on_new_runtime("three", |graph| {
        Box::pin(async move {
            let ThreadStatus::Interrupted(asked) = graph.status(&"t".into()).await.unwrap() else { panic!() };
            // Only the answer is stored, then the process ends: nothing polls the run any further.
            let saver = graph.saver().unwrap().clone();
            saver.answer(&"t".into(), &[(asked[0].id.clone(), json!(null))]).await.unwrap();
        })
    });
    on_new_runtime("four", |graph| {
        Box::pin(async move {
            let next = vec!["ask".to_owned()];
            assert_eq!(graph.status(&"t".into()).await.unwrap(), ThreadStatus::Unfinished { next });
            let outcome = graph.invoke(&thread(), Input::Continue).await.unwrap();
            assert_eq!(outcome.state().log[outcome.state().log.len() - 2..], ["null", "b"]);
            assert_eq!(graph.status(&"t".into()).await.unwrap(), ThreadStatus::Finished);
        })
    });
    assert_eq!((runs[1].get(), runs[2].get()), (2, 1));
}

type Step = std::pin::Pin<Box<dyn Future<Output = ()>>>;

#[tokio::test]
async fn a_call_is_known_to_later_runs_of_its_task() {
    let seen: Shared<Vec<CallState>> = Arc::default();
    let notes = seen.clone();
    let node = move |_: Notes, cx: NodeContext| {
        let notes = notes.clone();
        async move {
            let known = cx.begin_call("order").await?;
            let first = matches!(known, CallState::New);
            notes.lock().unwrap().push(known);
            if first {
                return Err(NodeStop::failed("died in the middle"));
            }
            cx.finish_call("order", json!("done")).await?;
            cx.interrupt("q", json!(0))?;
            Ok(Command::nothing())
        }
    };
    let graph =
        StateGraph::<Notes>::new().add_node("n", node).add_edge(START, "n").compile(options()).unwrap();
    graph.invoke(&thread(), Input::New(Note::default())).await.unwrap_err();
    graph.invoke(&thread(), Input::Continue).await.unwrap();
    graph.invoke(&thread(), Input::scalar(json!(1))).await.unwrap();
    let expected = [CallState::New, CallState::Begun, CallState::Finished(json!("done"))];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_that_answer_at_once_one_is_heard() {
    for round in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("threads.db");
        let runs = [Count::default(), Count::default(), Count::default()];
        let graphs = [open(&path, "one", &runs).await, open(&path, "two", &runs).await];
        let asked =
            graphs[0].invoke(&thread(), Input::New(Note::default())).await.unwrap().interrupts().to_vec();
        let race = graphs.map(|graph| {
            let question = asked[0].clone();
            tokio::spawn(async move { graph.invoke(&thread(), Input::answer(&question, json!("yes"))).await })
        });
        let results: Vec<_> = futures::future::join_all(race).await.into_iter().map(Result::unwrap).collect();
        let refused =
            |r: &Result<_, RunError>| matches!(r, Err(RunError::Resume(ResumeError::Conflict { .. })));
        assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1, "round {round}: {results:?}");
        assert_eq!(results.iter().filter(|r| refused(r)).count(), 1, "round {round}: {results:?}");
        assert_eq!((runs[1].get(), runs[2].get()), (2, 1));
    }
}
