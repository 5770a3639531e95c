//! What every saver must do; run for each of them.

use super::*;
use crate::canonical::Digest;
use serde_json::json;
use std::sync::Arc;

fn checkpoint(id: &str, parent: Option<&str>) -> Checkpoint {
    Checkpoint {
        id: CheckpointId::from(id),
        parent: parent.map(CheckpointId::from),
        step: 0,
        source: CheckpointSource::Step,
        state: json!({"id": id}),
        next: vec!["node".to_owned()],
    }
}

fn question(id: &str, at: &str, occurrence: u32) -> Interrupt {
    let payload = json!({"question": id});
    Interrupt {
        id: InterruptId::from(id),
        checkpoint: CheckpointId::from(at),
        task: TaskId::from("task"),
        node: "node".to_owned(),
        key: "key".to_owned(),
        occurrence,
        digest: Digest::of(&payload).unwrap(),
        payload,
        mismatch: None,
    }
}

fn asks(interrupts: Vec<Interrupt>) -> TaskWrite {
    TaskWrite { task: TaskId::from("task"), result: None, interrupts }
}

async fn pending(saver: &dyn Checkpointer, thread: &ThreadId) -> Vec<String> {
    let head = saver.head(thread).await.unwrap().unwrap();
    head.pending().iter().map(|i| i.id.to_string()).collect()
}

async fn line_and_conflicts(saver: Arc<dyn Checkpointer>) {
    let t = ThreadId::from("line");
    assert!(saver.head(&t).await.unwrap().is_none());
    saver.append(&t, &checkpoint("a", None)).await.unwrap();
    saver.append(&t, &checkpoint("b", Some("a"))).await.unwrap();
    for late in [checkpoint("c", Some("a")), checkpoint("c", None)] {
        let error = saver.append(&t, &late).await.unwrap_err();
        assert!(matches!(error, CheckpointError::Conflict { .. }), "{error}");
    }
    let error = saver.put_writes(&t, &"a".into(), &[asks(vec![])]).await.unwrap_err();
    assert!(matches!(error, CheckpointError::Conflict { .. }), "{error}");
    let history = saver.history(&t, 10).await.unwrap();
    let ids: Vec<&str> = history.iter().map(|s| s.checkpoint.id.as_str()).collect();
    assert_eq!(ids, ["b", "a"], "newest first");
    assert_eq!(history.last().unwrap().checkpoint, checkpoint("a", None));
    assert_eq!(saver.history(&t, 1).await.unwrap().len(), 1);
    assert!(saver.head(&"other".into()).await.unwrap().is_none(), "threads do not see each other");
    saver.delete_thread(&t).await.unwrap();
    assert!(saver.head(&t).await.unwrap().is_none());
}

async fn writes(saver: Arc<dyn Checkpointer>) {
    let t = ThreadId::from("writes");
    saver.append(&t, &checkpoint("a", None)).await.unwrap();
    let result = |message: &str| TaskWrite {
        task: TaskId::from("task"),
        result: Some(TaskResult::Failed { message: message.to_owned() }),
        interrupts: vec![],
    };
    saver.put_writes(&t, &"a".into(), &[result("one")]).await.unwrap();
    saver.put_writes(&t, &"a".into(), &[result("two")]).await.unwrap();
    let head = saver.head(&t).await.unwrap().unwrap();
    assert_eq!(head.results, [(TaskId::from("task"), TaskResult::Failed { message: "two".to_owned() })]);
    saver.put_writes(&t, &"a".into(), &[asks(vec![question("q", "a", 0)])]).await.unwrap();
    let head = saver.head(&t).await.unwrap().unwrap();
    assert_eq!(head.results, [], "a task that asks has no result any more");
    assert_eq!(head.pending(), [question("q", "a", 0)]);
}

async fn answers(saver: Arc<dyn Checkpointer>) {
    let t = ThreadId::from("answers");
    let unknown = saver.answer(&t, &[("q".into(), json!(1))]).await.unwrap_err();
    assert!(matches!(unknown, CheckpointError::UnknownInterrupt { .. }), "{unknown}");
    saver.append(&t, &checkpoint("a", None)).await.unwrap();
    let empty = [json!(null), json!({}), json!(""), json!(false)];
    let questions: Vec<Interrupt> = (0..4).map(|i| question(&format!("q{i}"), "a", i)).collect();
    saver.put_writes(&t, &"a".into(), &[asks(questions.clone())]).await.unwrap();
    let all: Vec<(InterruptId, Value)> =
        questions.iter().zip(&empty).map(|(q, v)| (q.id.clone(), v.clone())).collect();
    let mut with_unknown = all.clone();
    with_unknown.push(("nobody".into(), json!(1)));
    saver.answer(&t, &with_unknown).await.unwrap_err();
    assert_eq!(pending(&*saver, &t).await.len(), 4, "all or nothing");
    saver.answer(&t, &all).await.unwrap();
    let head = saver.head(&t).await.unwrap().unwrap();
    let values: Vec<Value> =
        head.interrupts.iter().filter_map(|r| r.answer.clone()).map(|a| a.value).collect();
    assert_eq!(values, empty, "empty answers are answers");
    assert!(head.pending().is_empty());
    let again = saver.answer(&t, &all).await.unwrap_err();
    assert!(matches!(again, CheckpointError::AlreadyAnswered { .. }), "{again}");
    // asking the same again keeps the answer
    saver.put_writes(&t, &"a".into(), &[asks(questions)]).await.unwrap();
    assert_eq!(pending(&*saver, &t).await, Vec::<String>::new());
    saver.append(&t, &checkpoint("b", Some("a"))).await.unwrap();
    let later = saver.answer(&t, &all).await.unwrap_err();
    assert!(matches!(later, CheckpointError::AlreadyAnswered { .. }), "{later}");
}

async fn replaced_and_abandoned(saver: Arc<dyn Checkpointer>) {
    let t = ThreadId::from("replaced");
    saver.append(&t, &checkpoint("a", None)).await.unwrap();
    saver.put_writes(&t, &"a".into(), &[asks(vec![question("old", "a", 0)])]).await.unwrap();
    saver.put_writes(&t, &"a".into(), &[asks(vec![question("new", "a", 0)])]).await.unwrap();
    assert_eq!(pending(&*saver, &t).await, ["new"]);
    let error = saver.answer(&t, &[("old".into(), json!("yes"))]).await.unwrap_err();
    assert!(matches!(error, CheckpointError::NoLongerAsked { .. }), "{error}");
    saver.append(&t, &checkpoint("b", Some("a"))).await.unwrap();
    let error = saver.answer(&t, &[("new".into(), json!("yes"))]).await.unwrap_err();
    assert!(matches!(error, CheckpointError::NoLongerAsked { .. }), "{error}");
}

async fn ledger(saver: Arc<dyn Checkpointer>) {
    let (t, task) = (ThreadId::from("calls"), TaskId::from("task"));
    assert_eq!(saver.begin_call(&t, &task, "c").await.unwrap(), CallState::New);
    assert_eq!(saver.begin_call(&t, &task, "c").await.unwrap(), CallState::Begun);
    saver.finish_call(&t, &task, "c", &json!(null)).await.unwrap();
    assert_eq!(saver.begin_call(&t, &task, "c").await.unwrap(), CallState::Finished(json!(null)));
    assert_eq!(saver.begin_call(&t, &TaskId::from("other"), "c").await.unwrap(), CallState::New);
}

/// Many at once answer one question; one of them is heard.
async fn answer_race(saver: Arc<dyn Checkpointer>) {
    let t = ThreadId::from("race");
    saver.append(&t, &checkpoint("a", None)).await.unwrap();
    saver.put_writes(&t, &"a".into(), &[asks(vec![question("q", "a", 0)])]).await.unwrap();
    let racers = (0..20).map(|i| {
        let (saver, t) = (saver.clone(), t.clone());
        tokio::spawn(async move { saver.answer(&t, &[("q".into(), json!(i))]).await.is_ok().then_some(i) })
    });
    let won: Vec<i32> =
        futures::future::join_all(racers).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(won.len(), 1);
    let head = saver.head(&t).await.unwrap().unwrap();
    assert_eq!(head.interrupts[0].answer.clone().unwrap().value, json!(won[0]));
}

async fn contract(saver: Arc<dyn Checkpointer>) {
    line_and_conflicts(saver.clone()).await;
    writes(saver.clone()).await;
    answers(saver.clone()).await;
    replaced_and_abandoned(saver.clone()).await;
    ledger(saver.clone()).await;
    answer_race(saver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory() {
    contract(Arc::new(MemorySaver::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let saver = SqliteSaver::open(dir.path().join("threads.db")).await.unwrap();
    contract(Arc::new(saver)).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let saver = SqliteSaver::open(dir.path().join("threads.db")).await.unwrap();
    saver.append(&"t".into(), &checkpoint("a", None)).await.unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
    }
}

#[tokio::test]
async fn a_newer_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("threads.db");
    let saver = SqliteSaver::open(&path).await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 2").execute(&saver_pool(&saver)).await.unwrap();
    saver.close().await;
    let error = SqliteSaver::open(&path).await.unwrap_err();
    assert!(error.to_string().contains("version 2"), "{error}");
}

fn saver_pool(saver: &SqliteSaver) -> sqlx::SqlitePool {
    saver.pool()
}
