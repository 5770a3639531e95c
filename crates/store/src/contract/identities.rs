//! Who users are elsewhere.

use super::{
    Outcome, Things, World,
    things::{at, fresh},
};
use crate::Store;
use askfirst_domain::{change::Change, scope::Identity};
use std::sync::Arc;

/// Somebody at an issuer is one user, and a user one person at an issuer; of many who link at once, one does. A link goes with
/// its user.
pub async fn identities_are_linked_once(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (joe, ann) = (Things::user("joe")?, Things::user("ann")?);
    let env = world.env;
    world.commit(vec![Change::PutUser(joe.clone()), Change::PutUser(ann.clone())]).await?;
    let link = |user, issuer: &str, subject: &str| Identity {
        env,
        user,
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        linked_at: at(1),
    };
    let (joes, other) = (link(joe.id, "https://a", "1"), link(joe.id, "https://b", "1"));
    assert_eq!(world.store.identity(env, "https://a", "1").await?, None);
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (store, joes) = (Arc::clone(&world.store), joes.clone());
        tasks.push(tokio::spawn(async move { store.link_identity(&joes).await }));
    }
    let mut linked = 0;
    for task in tasks {
        linked += usize::from(task.await??);
    }
    assert_eq!(linked, 1);
    assert_eq!(world.store.identity(env, "https://a", "1").await?, Some(joes.clone()));
    for refused in
        [link(ann.id, "https://a", "1"), link(joe.id, "https://a", "2"), link(fresh(), "https://a", "3")]
    {
        assert!(!world.store.link_identity(&refused).await?, "{refused:?}");
    }
    assert_eq!(world.store.identity(env, "https://a", "2").await?, None);
    assert_eq!(world.store.identity(fresh(), "https://a", "1").await?, None);
    assert_eq!(world.store.identity(env, "https://a\0", "1").await?, None);
    assert!(world.store.link_identity(&other).await?);
    assert_eq!(world.store.identities(env, joe.id).await?, [joes.clone(), other]);
    let anns = link(ann.id, "https://a", "ann");
    assert!(world.store.link_identity(&anns).await?);
    assert_eq!(world.store.unlink_identities(env, joe.id).await?, 2);
    assert_eq!(world.store.identities(env, joe.id).await?, []);
    assert_eq!(world.store.unlink_identities(env, joe.id).await?, 0);

    assert!(world.store.link_identity(&joes).await?);
    world.commit(vec![Change::DeleteUser { id: joe.id, key: joe.key }]).await?;
    assert_eq!(world.store.identity(env, "https://a", "1").await?, None, "it goes with its user");
    assert!(!world.store.link_identity(&joes).await?, "nobody is there");
    assert_eq!(world.store.identities(env, ann.id).await?, [anns]);
    world.admin(vec![crate::AdminOp::DeleteEnvironment(env)]).await?;
    assert_eq!(world.store.identity(env, "https://a", "ann").await?, None, "and with its environment");
    Ok(())
}

/// An address is found in whatever case, and only as a whole.
pub async fn users_are_found_by_email(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let mut changes = Vec::new();
    for (key, email) in [
        ("joe", Some("Joe@Family.example")),
        ("ann", Some("ann@family.example")),
        ("anna", Some("ANN@family.example")),
        ("long", Some("big.joe@family.example")),
        ("none", None),
    ] {
        let mut user = Things::user(key)?;
        user.email = email.map(str::to_owned);
        changes.push(Change::PutUser(user));
    }
    world.commit(changes).await?;
    for (email, keys) in [
        ("joe@family.example", ["joe"].as_slice()),
        ("JOE@FAMILY.EXAMPLE", &["joe"]),
        ("ann@family.example", &["ann", "anna"]),
        ("family.example", &[]),
        ("%@family.example", &[]),
        ("\u{212a}oe@family.example", &[]),
        ("joe@family.example\0", &[]),
        ("", &[]),
    ] {
        let found = world.store.users_with_email(world.env, email).await?;
        let mut found: Vec<_> = found.iter().map(|user| user.key.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, keys, "{email}");
    }
    assert!(world.store.users_with_email(fresh(), "joe@family.example").await?.is_empty());
    Ok(())
}
