//! What is to be told outside waits until it is told.

use super::{
    Failure, Outcome, Things, World,
    things::{at, fresh},
};
use crate::{Attempt, OutboxFilter, Page, Queued, Store};
use askfirst_domain::{audit::OutboxItem, change::Change};
use std::sync::Arc;

/// Writes items, each with a commit of its own, oldest first.
async fn written(world: &World, items: usize) -> Result<Vec<OutboxItem>, Failure> {
    let mut all = Vec::new();
    for n in 0..items {
        let item = OutboxItem {
            id: fresh::<()>().uuid(),
            topic: "element.webhook".to_owned(),
            receiver: (n > 0).then(|| uuid::Uuid::from_u128(n as u128)),
            payload: serde_json::json!({ "n": n }),
            created_at: at(0),
        };
        let user = Things::user(&format!("user-{n}"))?;
        let mut draft = world.draft(Vec::new(), vec![Change::PutUser(user)]);
        draft.outbox.push(item.clone());
        world.store.commit(draft).await?;
        all.push(item);
    }
    Ok(all)
}

async fn due(world: &World, second: i64) -> Result<Vec<Queued>, Failure> {
    Ok(world.store.outbox_due(at(second), 10, &[]).await?)
}

async fn first(world: &World, second: i64) -> Result<Queued, Failure> {
    Ok(due(world, second).await?.into_iter().next().ok_or("nothing is due")?)
}

fn names(found: &[Queued]) -> Vec<uuid::Uuid> {
    found.iter().map(|queued| queued.item.id).collect()
}

/// An item is due at once, set aside while somebody delivers it, due again after a failure or a lost claim, and gone once it
/// was delivered.
pub async fn an_item_waits_until_it_is_delivered(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    assert_eq!(world.store.outbox_next(&[]).await?, None);
    let items = written(&world, 2).await?;
    let found = due(&world, 1).await?;
    assert_eq!(found.iter().map(|queued| queued.item.clone()).collect::<Vec<_>>(), items);
    assert_eq!(world.store.outbox_due(at(1), 1, &[]).await?.len(), 1);
    // Who is busy is passed over; what is for nobody in particular is not.
    let [none, second] = [0_u128, 1].map(uuid::Uuid::from_u128);
    let free = world.store.outbox_due(at(1), 10, &[none, second]).await?;
    assert_eq!(names(&free), items.iter().take(1).map(|item| item.id).collect::<Vec<_>>());
    assert_eq!(world.store.outbox_next(&[second]).await?, world.store.outbox_next(&[]).await?);
    let one = first(&world, 1).await?;
    assert_eq!((one.env, one.attempts, &one.failure, one.dead_at), (world.env, 0, &None, None));

    assert!(world.store.outbox_claim(&one, at(10)).await?);
    assert!(!world.store.outbox_claim(&one, at(10)).await?, "somebody was faster");
    let other = first(&world, 9).await?;
    assert_eq!(other.item.id, items.last().ok_or("two were written")?.id);

    let failed = Attempt::Failed { failure: "it answered 503\0".to_owned(), due_at: at(30) };
    assert!(world.store.outbox_settle(one.item.id, at(10), &failed).await?);
    assert!(
        !world.store.outbox_settle(one.item.id, at(10), &Attempt::Delivered).await?,
        "that claim is over"
    );
    assert!(world.store.outbox_claim(&other, at(20)).await?);
    assert!(due(&world, 19).await?.is_empty());
    assert_eq!(world.store.outbox_next(&[]).await?, Some(at(20)));

    // Nobody heard of the second claim any more: another one takes it.
    let lost = first(&world, 20).await?;
    assert_eq!((lost.item.id, lost.due_at), (other.item.id, at(20)));
    assert!(world.store.outbox_claim(&lost, at(40)).await?);
    assert!(!world.store.outbox_settle(other.item.id, at(20), &Attempt::Delivered).await?);
    assert!(world.store.outbox_settle(other.item.id, at(40), &Attempt::Delivered).await?);

    let again = first(&world, 30).await?;
    assert_eq!((again.item.id, again.attempts), (one.item.id, 1));
    assert_eq!(again.failure.as_deref(), Some("it answered 503\u{fffd}"));
    assert!(world.store.outbox_claim(&again, at(50)).await?);
    assert!(world.store.outbox_settle(again.item.id, at(50), &Attempt::Delivered).await?);
    assert_eq!(world.store.outbox_next(&[]).await?, None);
    assert_eq!(world.store.outbox(world.env, OutboxFilter::All, Page::ALL).await?.total, 0);
    Ok(())
}

/// Of many who want an item at once, one gets it.
pub async fn an_item_is_claimed_by_one(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    written(&world, 1).await?;
    let seen = first(&world, 1).await?;
    let claims = (0..16).map(|n| world.store.outbox_claim(&seen, at(10 + n)));
    let claimed = futures::future::try_join_all(claims).await?;
    assert_eq!(claimed.iter().filter(|claimed| **claimed).count(), 1, "{claimed:?}");
    Ok(())
}

/// What was given up is not tried again by itself; it is listed, and can be revived or dropped.
pub async fn items_that_were_given_up_are_listed(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let items = written(&world, 3).await?;
    for item in items.iter().take(2) {
        let seen = due(&world, 1).await?.into_iter().find(|queued| queued.item.id == item.id);
        let seen = seen.ok_or("it is due")?;
        assert!(world.store.outbox_claim(&seen, at(10)).await?);
        let given_up = Attempt::GivenUp { failure: "nobody is there".to_owned(), at: at(2) };
        assert!(world.store.outbox_settle(item.id, at(10), &given_up).await?);
    }
    let [first, second, third] = items.as_slice() else { return Err("three were written".into()) };
    assert_eq!(names(&due(&world, 1000).await?), [third.id]);
    let list = async |filter| world.store.outbox(world.env, filter, Page::ALL).await;
    let dead = list(OutboxFilter::Dead).await?;
    assert_eq!((dead.total, names(&dead.items)), (2, vec![first.id, second.id]));
    assert!(dead.items.iter().all(|queued| queued.dead_at == Some(at(2)) && queued.attempts == 1));
    assert_eq!(names(&list(OutboxFilter::Waiting).await?.items), [third.id]);
    assert_eq!(names(&list(OutboxFilter::All).await?.items), [first.id, second.id, third.id]);

    let elsewhere = fresh();
    let one = async |env| world.store.outbox_item(env, first.id).await;
    assert_eq!(one(world.env).await?.as_ref(), dead.items.first());
    assert_eq!(one(elsewhere).await?, None);
    assert!(!world.store.outbox_revive(elsewhere, first.id, at(3)).await?, "of another environment");
    assert!(!world.store.outbox_revive(world.env, third.id, at(3)).await?, "it waits as it is");
    assert!(world.store.outbox_revive(world.env, first.id, at(3)).await?);
    assert!(!world.store.outbox_revive(world.env, first.id, at(3)).await?);
    let revived = due(&world, 3).await?.into_iter().find(|queued| queued.item.id == first.id);
    assert_eq!(revived.map(|queued| (queued.attempts, queued.dead_at)), Some((0, None)));
    assert!(!world.store.outbox_drop(world.env, third.id).await?, "it may be under way");
    assert!(!world.store.outbox_drop(elsewhere, second.id).await?);
    assert!(world.store.outbox_drop(world.env, second.id).await?);
    assert_eq!(names(&list(OutboxFilter::All).await?.items), [first.id, third.id]);
    Ok(())
}
