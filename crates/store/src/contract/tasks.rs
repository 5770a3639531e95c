//! Submitted tasks, their names, and the keys of tokens.

use super::{
    Outcome, World,
    things::{at, fresh},
};
use crate::{Store, StoreError, TaskName};
use askfirst_domain::{
    audit::SigningKey,
    task::{Callback, Shape, Task, TaskItem, TaskStatus},
};
use serde_json::json;
use std::sync::Arc;

fn task(id: &str, kept_until: i64) -> Task {
    Task {
        id: id.to_owned(),
        caller: Some(fresh()),
        shape: Shape::Bundle,
        items: vec![TaskItem {
            request: fresh(),
            resource: json!({"type": "doc", "id": "1"}),
            action: json!({"name": "read"}),
        }],
        created_at: at(0),
        kept_until: at(kept_until),
        callback: Some(Callback {
            endpoint: "https://pep.example/told".to_owned(),
            state: Some(json!([1, null])),
            events: Some(vec![TaskStatus::Denied]),
        }),
    }
}

fn name(name: &str, task: &str) -> TaskName {
    TaskName { name: name.to_owned(), task: task.to_owned(), digest: "d".to_owned(), kept_until: at(5) }
}

/// A task is kept as it was first, in its environment; a name is taken once, and may stand for another task later; all of it is
/// gone once its time is over.
pub async fn tasks_and_their_names_are_kept(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (store, env) = (&world.store, world.env);
    let first = task("t-1", 5);
    assert!(store.put_task(env, &first).await?);
    assert!(!store.put_task(env, &task("t-1", 9)).await?, "the first stays");
    assert_eq!(store.task(env, "t-1").await?, Some(first));
    assert_eq!(store.task(env, "t-2").await?, None);
    assert_eq!(store.task(fresh(), "t-1").await?, None, "of another environment");
    let mut unkept = task("t-3", 5);
    unkept.callback = Some(Callback { endpoint: "\0".to_owned(), state: None, events: None });
    assert!(matches!(store.put_task(env, &unkept).await, Err(StoreError::Nul)));

    assert!(store.take_task_name(env, &name("k", "t-1")).await?);
    assert!(!store.take_task_name(env, &name("k", "t-2")).await?);
    assert_eq!(store.task_name(env, "k").await?, Some(name("k", "t-1")));
    assert_eq!(store.task_name(env, "l").await?, None);
    let taken = futures::future::join_all(
        (0..10).map(|n| async move { store.take_task_name(env, &name("many", &n.to_string())).await }),
    );
    let taken = taken.await.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1, "one gets it");
    store.rename_task(env, "t-1", "t-9").await?;
    assert_eq!(store.task_name(env, "k").await?, Some(name("k", "t-9")));

    assert_eq!(store.purge_expired(at(4), 10).await?, 0);
    assert_eq!(store.purge_expired(at(5), 10).await?, 3);
    assert_eq!((store.task(env, "t-1").await?, store.task_name(env, "k").await?), (None, None));
    Ok(())
}

/// The public keys of tokens are there until their time is over.
pub async fn keys_of_tokens_are_kept(store: Arc<dyn Store>) -> Outcome {
    let [one, two] = [1, 2].map(|seed| SigningKey::from_seed(&[seed; 32]).public());
    store.put_token_key(&one, at(5)).await?;
    store.put_token_key(&two, at(9)).await?;
    assert_eq!(store.token_keys(at(4)).await?, [one, two]);
    assert_eq!(store.token_keys(at(5)).await?, [two]);
    store.put_token_key(&one, at(7)).await?;
    assert_eq!(store.token_keys(at(5)).await?, [one, two]);
    assert_eq!(store.purge_expired(at(7), 10).await?, 1);
    assert_eq!(store.token_keys(at(0)).await?, [two]);
    Ok(())
}
