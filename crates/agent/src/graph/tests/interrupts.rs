use super::*;
use crate::interrupt::Interrupt;
use serde_json::{Value, json};

/// One node that asks `payload` and notes the answer.
fn asker(options: CompileOptions, payload: &Shared<Value>, runs: &Count) -> Graph<Notes> {
    let (payload, runs) = (payload.clone(), runs.clone());
    let ask = move |_: Notes, cx: NodeContext| {
        runs.up();
        let payload = payload.lock().unwrap().clone();
        async move {
            let answer = cx.interrupt("ask", payload)?;
            Ok(Command::update(note(answer.to_string())))
        }
    };
    StateGraph::new()
        .add_node_with("ask", NodeOptions::new().interrupts(), ask)
        .add_edge(START, "ask")
        .compile(options)
        .unwrap()
}

fn shared(value: Value) -> Shared<Value> {
    Arc::new(Mutex::new(value))
}

async fn start(graph: &Graph<Notes>) -> Vec<Interrupt> {
    graph.invoke(&thread(), Input::New(Note::default())).await.unwrap().interrupts().to_vec()
}

#[tokio::test]
async fn the_node_runs_again_from_its_first_line_and_gets_the_answer() {
    let runs = Count::default();
    let graph = asker(options(), &shared(json!({"question": "sure?"})), &runs);
    let asked = start(&graph).await;
    assert_eq!(asked[0].payload, json!({"question": "sure?"}));
    assert_eq!(graph.status(&"t".into()).await.unwrap(), ThreadStatus::Interrupted(asked.clone()));
    let outcome = graph.invoke(&thread(), Input::answer(&asked[0], json!("yes"))).await.unwrap();
    assert_eq!((log(&outcome), runs.get()), (vec![r#""yes""#], 2));
}

#[tokio::test]
async fn empty_answers_are_answers() {
    for answer in [json!(null), json!({}), json!(""), json!(false), json!(0), json!([])] {
        let graph = asker(options(), &shared(json!(1)), &Count::default());
        start(&graph).await;
        let outcome = graph.invoke(&thread(), Input::scalar(answer.clone())).await.unwrap();
        assert_eq!(log(&outcome), [answer.to_string()]);
    }
}

#[tokio::test]
async fn an_answer_reaches_only_what_was_shown() {
    let (payload, runs) = (shared(json!({"amount": 10})), Count::default());
    let graph = asker(options(), &payload, &runs);
    let first = start(&graph).await.remove(0);
    *payload.lock().unwrap() = json!({"amount": 10_000});
    let outcome = graph.invoke(&thread(), Input::answer(&first, json!("yes"))).await.unwrap();
    let second = outcome.interrupts()[0].clone();
    assert_ne!(second.id, first.id);
    assert_eq!(second.payload, json!({"amount": 10_000}));
    let mismatch = second.mismatch.clone().unwrap();
    assert_eq!(
        (mismatch.shown, mismatch.shown_digest, mismatch.answered),
        (first.id.clone(), first.digest.clone(), true)
    );
    let stale = graph.invoke(&thread(), Input::answer(&first, json!("yes"))).await.unwrap_err();
    assert!(matches!(stale, RunError::Resume(ResumeError::Conflict { .. })), "{stale}");
    // Going back to the first payload is a new question too: the old answer was spent.
    *payload.lock().unwrap() = json!({"amount": 10});
    let outcome = graph.invoke(&thread(), Input::answer(&second, json!("yes"))).await.unwrap();
    let third = outcome.interrupts()[0].clone();
    assert!(third.id != first.id && third.digest == first.digest);
    let outcome = graph.invoke(&thread(), Input::answer(&third, json!("no"))).await.unwrap();
    assert_eq!(log(&outcome), [r#""no""#]);
}

#[tokio::test]
async fn a_branch_that_changes_on_replay_does_not_shift_answers() {
    // On the first run the node asks "extra" and then "main"; on replay it skips "extra".
    let extra = Arc::new(Mutex::new(true));
    let flag = extra.clone();
    let node = move |_: Notes, cx: NodeContext| {
        let extra = *flag.lock().unwrap();
        async move {
            if extra {
                cx.interrupt("q", json!("extra"))?;
            }
            let main = cx.interrupt("q", json!("main"))?;
            Ok(Command::update(note(main.to_string())))
        }
    };
    let graph = StateGraph::new().add_node("n", node).add_edge(START, "n").compile(options()).unwrap();
    let asked = start(&graph).await;
    *extra.lock().unwrap() = false;
    let outcome = graph.invoke(&thread(), Input::answer(&asked[0], json!("for extra"))).await.unwrap();
    assert_eq!(outcome.interrupts()[0].payload, json!("main"), "asked, not answered with the other answer");
}

#[tokio::test]
async fn two_questions_in_one_node() {
    let runs = Count::default();
    let counted = runs.clone();
    let node = move |_: Notes, cx: NodeContext| {
        counted.up();
        async move {
            let a = cx.interrupt("q", json!("same"))?;
            let b = cx.interrupt("q", json!("same"))?;
            Ok(Command::update(note(format!("{a}{b}"))))
        }
    };
    let graph = StateGraph::new().add_node("n", node).add_edge(START, "n").compile(options()).unwrap();
    let first = start(&graph).await.remove(0);
    let second =
        graph.invoke(&thread(), Input::answer(&first, json!(1))).await.unwrap().interrupts()[0].clone();
    assert_ne!(first.id, second.id);
    let outcome = graph.invoke(&thread(), Input::answer(&second, json!(2))).await.unwrap();
    assert_eq!((log(&outcome), runs.get()), (vec!["12"], 3));
}

#[tokio::test]
async fn a_question_cannot_be_swallowed() {
    let node = |_: Notes, cx: NodeContext| async move {
        let answer = cx.interrupt("q", json!("?")).unwrap_or(json!("assumed yes"));
        Ok(Command::update(note(answer.to_string())))
    };
    let graph = StateGraph::new().add_node("n", node).add_edge(START, "n").compile(options()).unwrap();
    let asked = start(&graph).await;
    assert_eq!(asked.len(), 1);
    let outcome = graph.invoke(&thread(), Input::answer(&asked[0], json!("no"))).await.unwrap();
    assert_eq!(log(&outcome), [r#""no""#]);
}

#[tokio::test]
async fn refused_answers_change_nothing() {
    let graph = asker(options(), &shared(json!(1)), &Count::default());
    let resume = |input| {
        let graph = graph.clone();
        async move {
            match graph.invoke(&thread(), input).await.unwrap_err() {
                RunError::Resume(error) => error,
                other => panic!("{other}"),
            }
        }
    };
    assert!(matches!(resume(Input::scalar(json!(1))).await, ResumeError::NoThread));
    let asked = start(&graph).await;
    let unknown = resume(Input::answers([("nobody".into(), json!(1))])).await;
    assert!(matches!(&unknown, ResumeError::Unknown { open, .. } if open[..] == [asked[0].id.clone()]));
    assert!(matches!(resume(Input::answers([])).await, ResumeError::NoAnswer));
    graph.invoke(&thread(), Input::answer(&asked[0], json!(1))).await.unwrap();
    assert!(matches!(resume(Input::scalar(json!(1))).await, ResumeError::Finished));
    assert!(matches!(resume(Input::answer(&asked[0], json!(1))).await, ResumeError::Conflict { .. }));
    assert!(matches!(resume(Input::answers([("nobody".into(), json!(1))])).await, ResumeError::Finished));
}

#[tokio::test]
async fn new_input_does_not_drop_a_question_unless_told_to() {
    let graph = asker(options(), &shared(json!(1)), &Count::default());
    let asked = start(&graph).await;
    let error = graph.invoke(&thread(), Input::New(note("more"))).await.unwrap_err();
    assert!(matches!(&error, RunError::Interrupted { pending } if *pending == asked), "{error}");
    let outcome = graph.invoke(&thread(), Input::AbandonAndStart(note("more"))).await.unwrap();
    assert_ne!(outcome.interrupts()[0].id, asked[0].id);
    let error = graph.invoke(&thread(), Input::answer(&asked[0], json!("late"))).await.unwrap_err();
    assert!(matches!(&error, RunError::Resume(ResumeError::NoLongerAsked { .. })), "{error}");
}

#[tokio::test]
async fn several_questions_may_be_answered_one_by_one() {
    let (left, right) = (Count::default(), Count::default());
    let ask = |runs: &Count| {
        let runs = runs.clone();
        move |_: Notes, cx: NodeContext| {
            runs.up();
            async move {
                let answer = cx.interrupt("q", json!(cx.node()))?;
                Ok(Command::update(note(answer.to_string())))
            }
        }
    };
    let graph = StateGraph::new()
        .add_node("right", ask(&right))
        .add_node("left", ask(&left))
        .add_edge(START, "left")
        .add_edge(START, "right")
        .compile(options())
        .unwrap();
    let asked = start(&graph).await;
    assert_eq!((asked[0].node.as_str(), asked[1].node.as_str()), ("left", "right"));
    let error = graph.invoke(&thread(), Input::scalar(json!(1))).await.unwrap_err();
    assert!(
        matches!(&error, RunError::Resume(ResumeError::SeveralOpen { open }) if open.len() == 2),
        "{error}"
    );
    let outcome = graph.invoke(&thread(), Input::answer(&asked[1], json!("R"))).await.unwrap();
    assert_eq!(outcome.interrupts(), &asked[..1], "the other question stays as it is");
    assert_eq!((left.get(), right.get()), (1, 2), "and its node is not run for nothing");
    let outcome = graph.invoke(&thread(), Input::answer(&asked[0], json!("L"))).await.unwrap();
    assert_eq!(log(&outcome), [r#""L""#, r#""R""#]);
    assert_eq!((left.get(), right.get()), (2, 2));
}

#[tokio::test]
async fn an_answer_is_kept_when_the_run_then_fails() {
    let attempts = Count::default();
    let counted = attempts.clone();
    let node = move |_: Notes, cx: NodeContext| {
        let attempt = counted.up();
        async move {
            let answer = cx.interrupt("q", json!("?"))?;
            if attempt == 2 {
                return Err(NodeStop::failed("network"));
            }
            Ok(Command::update(note(answer.to_string())))
        }
    };
    let graph = StateGraph::new().add_node("n", node).add_edge(START, "n").compile(options()).unwrap();
    let asked = start(&graph).await;
    graph.invoke(&thread(), Input::answer(&asked[0], json!("yes"))).await.unwrap_err();
    assert!(matches!(graph.status(&"t".into()).await.unwrap(), ThreadStatus::Unfinished { .. }));
    let outcome = graph.invoke(&thread(), Input::Continue).await.unwrap();
    assert_eq!(log(&outcome), [r#""yes""#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_answers_at_once_one_counts() {
    for _ in 0..20 {
        let runs = Count::default();
        let graph = asker(options(), &shared(json!(1)), &runs);
        let asked = start(&graph).await;
        let race = (0..8).map(|i| {
            let (graph, question) = (graph.clone(), asked[0].clone());
            tokio::spawn(async move { graph.invoke(&thread(), Input::answer(&question, json!(i))).await })
        });
        let results: Vec<_> = futures::future::join_all(race).await.into_iter().map(Result::unwrap).collect();
        let won = results.iter().filter(|r| r.is_ok()).count();
        let refused = results
            .iter()
            .filter(|r| matches!(r, Err(RunError::Resume(ResumeError::Conflict { .. }))))
            .count();
        assert_eq!((won, refused, runs.get()), (1, 7, 2));
    }
}

#[tokio::test]
async fn asking_without_a_checkpointer_is_an_error() {
    let node = |_: Notes, cx: NodeContext| async move {
        cx.interrupt("q", json!("?"))?;
        Ok(Command::nothing())
    };
    let graph = StateGraph::<Notes>::new().add_node("n", node).add_edge(START, "n");
    let graph = graph.compile(CompileOptions::default()).unwrap();
    let error = graph.invoke(&thread(), Input::New(Note::default())).await.unwrap_err();
    assert!(matches!(&error, RunError::InterruptWithoutCheckpointer { node } if node == "n"), "{error}");
}
