//! Images: what is read from one, and from the log behind it, is what the tables hold.

use super::{Model, Outcome, Things, World, things::at};
use crate::{Head, Store, StoreError};
use askfirst_domain::{
    Id,
    change::Change,
    facts::{Instance, RoleAssignment, Tenant, User},
    id::EnvId,
};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Enough for several parts, with every kind of thing and every shape of each.
async fn fill(world: &World) -> Result<(), super::Failure> {
    let (folder, file) = (Things::resource("folder")?, Things::resource("file")?);
    let parent = Things::relation(&folder, "parent", &file)?;
    let (member, owner) = (Things::role(None, "member")?, Things::role(Some(&file), "owner")?);
    let tenant = Tenant {
        description: Some("ünder".to_owned()),
        attributes: json!({"plan": {"seats": 1.5}}).as_object().cloned().unwrap_or_default(),
        ..Things::tenant("acme")?
    };
    let set = Things::user_set("adults")?;
    let mut changes = vec![
        Change::PutResource(folder.clone()),
        Change::PutResource(file.clone()),
        Change::PutRole(member.clone()),
        Change::PutRole(owner.clone()),
        Change::PutRelation(parent.clone()),
        Change::PutElement(Things::element("form", &owner)?),
        Change::PutSetRule(Things::set_rule(&set, &file)?),
        Change::PutConditionSet(set),
        Change::PutTenant(tenant.clone()),
    ];
    for n in 0..800 {
        let user = User {
            email: n_th(n, 3).then(|| format!("user-{n}@example.com")),
            first_name: n_th(n, 2).then(String::new),
            attributes: if n_th(n, 5) { attributes(n) } else { serde_json::Map::new() },
            updated_at: at(-n),
            ..Things::user(&format!("user-{n}"))?
        };
        let on = Instance { attributes: attributes(n), ..Things::instance(&file, &format!("{n}"), &tenant)? };
        let within = Things::instance(&folder, &format!("{n}"), &tenant)?;
        let held = RoleAssignment {
            expires_at: n_th(n, 4).then(|| at(n)),
            origin: n_th(n, 7).then(|| Id::new(Uuid::from_u128(9))),
            ..Things::assignment(&user, &owner, &tenant, Some(&on))
        };
        changes.extend([
            Change::PutAssignment(Things::assignment(&user, &member, &tenant, None)),
            Change::PutAssignment(held),
            Change::PutTuple(Things::tuple(&within, &parent, &on)),
            Change::PutUser(user),
            Change::PutInstance(on),
            Change::PutInstance(within),
        ]);
    }
    world.commit(changes).await?;
    Ok(())
}

fn n_th(n: i64, of: i64) -> bool {
    n.rem_euclid(of) == 0
}

fn attributes(n: i64) -> askfirst_domain::facts::Attributes {
    json!({"n": n, "text": "ü\n\"", "list": [null, true, 0.1]}).as_object().cloned().unwrap_or_default()
}

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
    fill(&world).await?;
    let before = load(store, env).await?;
    assert_eq!(store.write_image(env).await?, before.1);
    assert_eq!(load(store, env).await?, before, "change by change");

    let joe = Things::user("joe")?;
    let role = Things::role(None, "boss")?;
    let (acme, form) = (Things::tenant("bolt")?, Things::element("other-form", &role)?);
    let asked = Things::request(&form, &joe, &role, &acme, None);
    world.commit(vec![Change::PutUser(joe.clone()), Change::PutRole(role)]).await?;
    world.commit(vec![Change::PutRequest(asked)]).await?;
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
