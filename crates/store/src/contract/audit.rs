//! Audit events stand and fall with their commit.

use super::{
    Outcome, Things, World,
    things::{at, fresh},
};
use crate::{AdminCommit, AuditFilter, CommitError, Page, Store};
use askfirst_domain::{
    audit::OutboxItem,
    change::{Change, Expect, ObjectRef},
};
use std::sync::Arc;

/// A commit's events are there when it is answered; a refused one leaves none, and none of its outbox rows.
pub async fn a_refused_commit_leaves_no_audit_event(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let all = AuditFilter::default();
    let item = OutboxItem {
        id: fresh::<()>().uuid(),
        topic: "element.webhook".to_owned(),
        receiver: None,
        payload: serde_json::json!({ "n": 1 }),
        created_at: at(0),
    };
    let event = World::event("user.created");
    let change = Change::PutUser(Things::user("joe")?);
    let mut refused = world.draft(vec![Expect::Exists(ObjectRef::User(fresh()))], vec![change.clone()]);
    refused.audit.push(event.clone());
    refused.outbox.push(item.clone());
    let outcome = world.store.commit(refused.clone()).await;
    assert!(matches!(outcome, Err(CommitError::Conflict(_))), "{outcome:?}");
    assert_eq!(world.store.audit_events(Some(world.env), &all, Page::ALL).await?.items, Vec::new());

    // The ids of the event and of the outbox row are still free, so neither was left behind.
    refused.expects.clear();
    world.store.commit(refused).await?;
    assert_eq!(world.store.audit_events(Some(world.env), &all, Page::ALL).await?.items, [event.clone()]);

    // An event that can't be written takes its change along.
    let mut torn = world.draft(Vec::new(), vec![Change::PutUser(Things::user("jane")?)]);
    torn.audit.push(event.clone());
    assert!(world.store.commit(torn).await.is_err(), "one event can't be written twice");
    let mut torn = world.draft(Vec::new(), vec![Change::PutUser(Things::user("jane")?)]);
    torn.outbox.push(item);
    assert!(world.store.commit(torn).await.is_err(), "one outbox row can't be written twice");
    assert_eq!(world.loaded().await?.users.len(), 1);
    assert_eq!(world.revision().await?, 1);
    Ok(())
}

/// Events are given newest first, by environment, request, code and the part of the code before the dot.
pub async fn audit_events_are_filtered_newest_first(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let request = fresh();
    let codes = ["request.created", "request.approved", "user.created", "request.created", "requests.listed"];
    let mut events = Vec::new();
    for (n, code) in codes.into_iter().enumerate() {
        let mut event = World::event(code);
        event.object = Some(format!("thing {n}"));
        event.request = (n < 2).then_some(request);
        event.on_behalf_of = Some("joe".to_owned());
        event.model_named_user = n == 1;
        let mut draft = world.draft(Vec::new(), Vec::new());
        draft.audit.push(event.clone());
        world.store.commit(draft).await?;
        events.insert(0, event);
    }
    let installed = World::event("installation.started");
    let elsewhere = World::event("environment.created");
    let audit = vec![(None, installed.clone()), (Some(fresh()), elsewhere)];
    world.store.commit_admin(AdminCommit { ops: Vec::new(), audit }).await?;

    let list = |filter: AuditFilter, page| {
        let world = &world;
        async move { world.store.audit_events(Some(world.env), &filter, page).await }
    };
    let code = |code: &str| AuditFilter { code: Some(code.to_owned()), ..AuditFilter::default() };
    let with = |wanted: &[&str]| -> Vec<_> {
        events.iter().filter(|e| wanted.contains(&e.code.as_str())).cloned().collect()
    };
    assert_eq!(list(AuditFilter::default(), Page::ALL).await?.items, events);
    assert_eq!(list(code("request"), Page::ALL).await?.items, with(&["request.created", "request.approved"]));
    assert_eq!(list(code("request.created"), Page::ALL).await?.items, with(&["request.created"]));
    assert_eq!(list(code("request.cre"), Page::ALL).await?.total, 0);
    let of_request = AuditFilter { request: Some(request), ..code("request") };
    assert_eq!(list(of_request, Page::ALL).await?.total, 2);

    let page = list(AuditFilter::default(), Page { offset: 1, limit: 2 }).await?;
    assert_eq!((page.total, page.items), (5, events.into_iter().skip(1).take(2).collect()));
    let of_installation = world.store.audit_events(None, &AuditFilter::default(), Page::ALL).await?;
    assert_eq!(of_installation.items, [installed]);
    assert_eq!(world.store.position().await?.events, [(world.env, 5)].into());
    Ok(())
}
