//! Images: what is read from one, and from the log behind it, is what the tables hold.

use super::{Model, Outcome, Things, World, everything};
use crate::{Head, Store, StoreError};
use askfirst_domain::{change::Change, id::EnvId};
use std::sync::Arc;
use uuid::Uuid;

async fn load(store: &dyn Store, env: EnvId) -> Result<(Vec<Change>, Head), StoreError> {
    let mut loaded = Vec::new();
    let head = store.load(env, &mut |chunk| loaded.extend(chunk)).await?;
    Ok((loaded, head))
}

fn model(changes: &[Change]) -> Model {
    let mut model = Model::default();
    for change in changes {
        model.put_or_delete(change);
    }
    model
}

/// What a start reads is the same with an image and without, and whatever was written after the image comes after it.
pub async fn an_image_and_the_log_behind_it_are_the_state(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (store, env) = (world.store.as_ref(), world.env);
    everything(&world, 800).await?;
    let before = load(store, env).await?;
    assert_eq!(store.write_image(env).await?, before.1);
    assert_eq!(load(store, env).await?, before, "change by change");

    let joe = Things::user("late")?;
    let role = Things::role(None, "boss")?;
    let (acme, form) = (Things::tenant("bolt")?, Things::element("other-form", &role)?);
    let asked = Things::request(&form, &joe, &role, &acme, None);
    world.commit(vec![Change::PutUser(joe.clone()), Change::PutRole(role)]).await?;
    world.commit(vec![Change::PutRequest(Box::new(asked))]).await?;
    let gone = Change::DeleteUser { id: joe.id, key: joe.key.clone() };
    world.commit(vec![gone.clone()]).await?;
    let (after, head) = load(store, env).await?;
    assert_eq!(head.revision, before.1.revision + 3);
    assert!(after.contains(&gone), "it was read from the image and the log");
    assert!(!after.iter().any(|change| matches!(change, Change::PutRequest(_))));
    let with_image = model(&after);

    // A newer one takes its place, at once and whole.
    assert_eq!(store.write_image(env).await?, head);
    let (again, _) = load(store, env).await?;
    assert!(!again.contains(&gone));
    assert!(model(&again) == with_image, "an image of the present is the older one with what came after it");
    assert!(matches!(
        store.write_image(EnvId::new(Uuid::from_u128(1))).await,
        Err(StoreError::NoSuchEnvironment(_))
    ));
    Ok(())
}

/// Images are written while others write, and each holds one moment.
pub async fn an_image_is_of_one_moment(store: Arc<dyn Store>) -> Outcome {
    const COMMITS: usize = 150;
    let world = World::start(store).await?;
    let writing = tokio::spawn({
        let world = world.clone();
        async move {
            for n in 0..COMMITS {
                let two = [format!("a-{n}"), format!("b-{n}")].map(|key| Things::user(&key));
                let [one, other] = two;
                world.commit(vec![Change::PutUser(one?), Change::PutUser(other?)]).await?;
            }
            Ok::<_, super::Failure>(())
        }
    });
    while !writing.is_finished() {
        let at = world.store.write_image(world.env).await?;
        let (loaded, head) = load(world.store.as_ref(), world.env).await?;
        assert!(head.revision >= at.revision);
        assert_eq!(loaded.len() as u64, head.revision * 2, "two users a commit, none by half");
    }
    writing.await??;
    assert_eq!(load(world.store.as_ref(), world.env).await?.0.len(), COMMITS * 2);
    Ok(())
}
