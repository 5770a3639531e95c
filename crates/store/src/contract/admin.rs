//! Organisation, projects, environments, keys, sessions, links.

use super::{
    Outcome, Things, World,
    things::{at, fresh},
    world::{environment, project},
};
use crate::{AdminCommit, AdminOp, AuditFilter, CommitError, Head, Page, Store};
use askfirst_domain::{
    change::Change,
    id::ProjectId,
    scope::{ApiKey, Environment, KeyScope, OpenedWith, PasswordHash, Session, SessionKind, SignInLink},
    webhook::{Webhook, WebhookSecret},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use uuid::Uuid;

fn api_key(world: &World, scope: KeyScope, hash: &str) -> ApiKey {
    ApiKey {
        id: fresh(),
        org: world.org.id,
        scope,
        name: Some("a key".to_owned()),
        secret_hash: hash.to_owned(),
        created_at: at(0),
        expires_at: Some(at(100)),
        revoked_at: None,
    }
}

fn session(world: &World, hash: &str) -> Session {
    Session {
        id: fresh(),
        env: world.env,
        kind: SessionKind::Element,
        user: fresh(),
        tenant: Some(fresh()),
        token_hash: hash.to_owned(),
        opened_with: None,
        created_at: at(0),
        expires_at: at(-1),
    }
}

fn sign_in_link(world: &World, hash: &str) -> SignInLink {
    SignInLink {
        id: fresh(),
        env: world.env,
        user: fresh(),
        token_hash: hash.to_owned(),
        created_at: at(0),
        expires_at: at(60),
    }
}

fn webhook(env: askfirst_domain::id::EnvId, name: &str) -> Webhook {
    Webhook {
        id: askfirst_domain::Id::new(Uuid::from_u128(77)),
        env,
        url: format!("https://example.org/{name}"),
        description: None,
        events: vec!["request".to_owned()],
        created_at: at(0),
        updated_at: at(1),
        secret: WebhookSecret::new("whsec_x"),
    }
}

/// Each write of the directory gives it another version, and whoever waits for that hears of it. Sessions, links and what
/// happens within an environment are no part of it.
pub async fn the_directory_has_versions(store: Arc<dyn Store>) -> Outcome {
    const LONG: Duration = Duration::from_secs(20);
    let world = World::start(store).await?;
    let mut position = world.store.position().await?;
    assert_eq!(position.heads, [(world.env, Head { epoch: world.epoch, revision: 0 })].into());

    world.commit(vec![Change::PutUser(Things::user("joe")?)]).await?;
    world
        .admin(vec![AdminOp::PutSession(session(&world, "s")), AdminOp::PutLink(sign_in_link(&world, "l"))])
        .await?;
    let next = world.store.position().await?;
    let head = next.heads.get(&world.env).map(|head| head.revision);
    assert_eq!((next.directory, head), (position.directory, Some(1)));

    let key = api_key(&world, KeyScope::Organization, "k");
    let second = project(&world.org, "second")?;
    let inside = environment(&second, "inside")?;
    for op in [
        AdminOp::PutOrganization(world.org.clone()),
        AdminOp::PutApiKey(key.clone()),
        AdminOp::RevokeApiKey { id: key.id, at: at(0) },
        AdminOp::PutProject(second.clone()),
        AdminOp::PutEnvironment { environment: inside.clone(), epoch: Uuid::from_u128(5) },
        AdminOp::PutWebhook(webhook(world.env, "here")),
        AdminOp::DeleteWebhook(webhook(world.env, "here").id),
        AdminOp::PutWebhook(webhook(inside.id, "inside")),
        AdminOp::DeleteEnvironment(inside.id),
        AdminOp::DeleteProject(second.id),
    ] {
        let waiting = timeout(LONG, world.store.directory_moved(position.directory));
        let (moved, written) = futures::join!(waiting, world.admin(vec![op.clone()]));
        written?;
        moved??;
        let next = world.store.position().await?;
        assert!(next.directory > position.directory, "{op:?}");
        position = next;
        match &op {
            AdminOp::PutWebhook(webhook) => assert_eq!(world.store.webhooks().await?, [webhook.clone()]),
            AdminOp::DeleteWebhook(_) | AdminOp::DeleteEnvironment(_) => {
                assert_eq!(world.store.webhooks().await?, []);
            }
            _ => {}
        }
    }
    assert_eq!(position.heads.into_keys().collect::<Vec<_>>(), [world.env]);
    Ok(())
}

/// Projects and environments come in the order in which they were made, rewritten or not.
pub async fn scopes_are_listed_in_order(store: Arc<dyn Store>) -> Outcome {
    assert_eq!(store.organization().await?, None);
    store.ping().await?;
    let world = World::start(store).await?;
    let second = project(&world.org, "a-second")?;
    let mut staging = environment(&world.project, "a-staging")?;
    let elsewhere = environment(&second, "env")?;
    let put =
        |environment: &_, epoch| AdminOp::PutEnvironment { environment: Clone::clone(environment), epoch };
    world
        .admin(vec![
            AdminOp::PutProject(second.clone()),
            put(&staging, Uuid::from_u128(1)),
            put(&elsewhere, Uuid::from_u128(2)),
        ])
        .await?;
    world.commit(vec![Change::PutUser(Things::user("joe")?)]).await?;

    // Writing an environment again changes what it says, never its revision or epoch.
    let renamed = Environment { name: "Renamed".to_owned(), ..world.environment.clone() };
    world.admin(vec![put(&renamed, Uuid::from_u128(3))]).await?;
    let head = world.store.head(world.env).await?.ok_or("the environment is there")?;
    assert_eq!((head.epoch, head.revision), (world.epoch, 1));

    assert_eq!(world.store.organization().await?, Some(world.org.clone()));
    assert_eq!(world.store.projects().await?, [world.project.clone(), second.clone()]);
    let all = [renamed.clone(), staging.clone(), elsewhere.clone()];
    assert_eq!(world.store.environments(None).await?, all);
    assert_eq!(world.store.environments(Some(second.id)).await?, [elsewhere.clone()]);
    assert_eq!(world.store.environments(Some(fresh())).await?, []);

    staging.id = fresh();
    let refused = world.admin(vec![put(&staging, Uuid::nil())]).await;
    let named = "an environment with the key `a-staging`";
    assert!(matches!(&refused, Err(CommitError::Duplicate { what }) if what == named), "{refused:?}");
    let refused = world.admin(vec![AdminOp::PutProject(project(&world.org, "a-second")?)]).await;
    let named = "a project with the key `a-second`";
    assert!(matches!(&refused, Err(CommitError::Duplicate { what }) if what == named), "{refused:?}");
    Ok(())
}

/// One refused operation refuses all of them, and the audit events with them.
pub async fn admin_commits_are_whole(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let ops = vec![
        AdminOp::PutProject(project(&world.org, "new")?),
        AdminOp::PutProject(project(&world.org, "project")?),
    ];
    let audit =
        vec![(None, World::event("project.created")), (Some(world.env), World::event("project.created"))];
    let refused = world.store.commit_admin(AdminCommit { ops, audit: audit.clone() }).await;
    assert!(matches!(refused, Err(CommitError::Duplicate { .. })), "{refused:?}");
    assert_eq!(world.store.projects().await?, [world.project.clone()]);
    let events = |env| {
        let world = &world;
        async move { world.store.audit_events(env, &AuditFilter::default(), Page::ALL).await }
    };
    assert_eq!(events(None).await?.total, 0);

    let ops = vec![AdminOp::PutProject(project(&world.org, "new")?)];
    world.store.commit_admin(AdminCommit { ops, audit }).await?;
    assert_eq!(world.store.projects().await?.len(), 2);
    assert_eq!((events(None).await?.total, events(Some(world.env)).await?.total), (1, 1));
    Ok(())
}

/// Keys of every scope and sessions read back as they were written, revoked and expired ones too.
pub async fn keys_and_sessions_are_found_by_hash(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (project, env) = (world.project.id, world.env);
    let agent =
        KeyScope::Agent { project, env, user: fresh(), user_key: "joe@x.io".parse()?, agent: Some(fresh()) };
    let scopes = [
        KeyScope::Organization,
        KeyScope::Project { project },
        KeyScope::Environment { project, env },
        agent,
    ];
    let mut keys = Vec::new();
    for (n, scope) in scopes.into_iter().enumerate() {
        keys.push(api_key(&world, scope, &format!("hash-{n}")));
    }
    world.admin(keys.iter().cloned().map(AdminOp::PutApiKey).collect()).await?;
    assert_eq!(world.store.api_keys().await?, keys);
    let first = keys.first().ok_or("there are keys")?.clone();
    for key in &keys {
        assert_eq!(world.store.api_key(key.id).await?.as_ref(), Some(key));
        assert_eq!(world.store.api_key_by_hash(&key.secret_hash).await?.as_ref(), Some(key));
    }
    assert_eq!(world.store.api_key(fresh()).await?, None);
    assert_eq!(world.store.api_key_by_hash("hash").await?, None);
    let again = api_key(&world, KeyScope::Organization, "hash-0");
    assert!(matches!(world.admin(vec![AdminOp::PutApiKey(again)]).await, Err(CommitError::Duplicate { .. })));

    world.admin(vec![AdminOp::RevokeApiKey { id: first.id, at: at(7) }]).await?;
    world.admin(vec![AdminOp::RevokeApiKey { id: first.id, at: at(9) }]).await?;
    let revoked = world.store.api_key_by_hash("hash-0").await?.and_then(|key| key.revoked_at);
    assert_eq!(revoked, Some(at(7)), "the first revocation counts");

    let element = session(&world, "token-1");
    let browser = Session { kind: SessionKind::Browser, tenant: None, ..session(&world, "token-2") };
    world.admin(vec![AdminOp::PutSession(element.clone()), AdminOp::PutSession(browser.clone())]).await?;
    assert_eq!(world.store.session_by_hash("token-1").await?, Some(element.clone()));
    assert_eq!(world.store.session_by_hash("token-2").await?, Some(browser.clone()));
    world.admin(vec![AdminOp::DeleteSession(element.id)]).await?;
    assert_eq!(world.store.session_by_hash("token-1").await?, None);
    assert_eq!(world.store.session_by_hash("token-2").await?, Some(browser));
    Ok(())
}

/// A user has one password; the sessions of a browser end together, but for one, and those of elements stay.
pub async fn humans_have_passwords_and_sessions(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let joe = Things::user("joe")?;
    let (env, user) = (world.env, joe.id);
    world.commit(vec![Change::PutUser(joe.clone())]).await?;
    assert_eq!(world.store.password(env, user).await?, None);
    let put = |hash: &str, user| PasswordHash { env, user, hash: hash.to_owned(), changed_at: at(1) };
    for hash in ["one", "two"] {
        world.admin(vec![AdminOp::PutPassword(put(hash, user))]).await?;
        assert_eq!(world.store.password(env, user).await?, Some(put(hash, user)));
    }
    let ann = Things::user("ann")?;
    world.commit(vec![Change::PutUser(ann.clone())]).await?;
    world.admin(vec![AdminOp::PutPassword(put("anns", ann.id))]).await?;
    world.commit(vec![Change::DeleteUser { id: ann.id, key: ann.key }]).await?;
    assert_eq!(world.store.password(env, ann.id).await?, None, "it goes with its user");
    assert!(world.store.password(env, user).await?.is_some());

    let browser = |hash: &str, opened_with| Session {
        kind: SessionKind::Browser,
        user,
        tenant: None,
        opened_with,
        ..session(&world, hash)
    };
    let (old, new) = (browser("old", Some(OpenedWith::Link)), browser("new", Some(OpenedWith::Password)));
    let element = Session { user, ..session(&world, "element") };
    world.admin([&old, &new, &element].map(|one| AdminOp::PutSession(one.clone())).into()).await?;
    assert_eq!(world.store.browser_sessions(env, user).await?, [new.clone(), old.clone()]);
    world.admin(vec![AdminOp::DeleteSessionsOf { env, user, but: Some(new.id) }]).await?;
    assert_eq!(world.store.browser_sessions(env, user).await?, [new]);
    world
        .admin(vec![
            AdminOp::DeleteSessionsOf { env, user, but: None },
            AdminOp::DeletePassword { env, user },
        ])
        .await?;
    assert_eq!(world.store.browser_sessions(env, user).await?, []);
    assert_eq!(world.store.password(env, user).await?, None);
    assert_eq!(world.store.session_by_hash("element").await?, Some(element));
    Ok(())
}

/// A link works once, for one of all who try at once; an expired one for nobody, and not later either.
pub async fn one_caller_takes_a_link(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (link, late) = (sign_in_link(&world, "good"), sign_in_link(&world, "late"));
    world.admin(vec![AdminOp::PutLink(link.clone()), AdminOp::PutLink(late.clone())]).await?;
    assert_eq!(world.store.take_link("bad", at(1)).await?, None);
    let mut tasks = Vec::new();
    for _ in 0..32 {
        let store = Arc::clone(&world.store);
        tasks.push(tokio::spawn(async move { store.take_link("good", at(59)).await }));
    }
    let mut taken = Vec::new();
    for task in tasks {
        taken.extend(task.await??);
    }
    assert_eq!(taken, [link]);
    assert_eq!(world.store.take_link("late", late.expires_at).await?, None, "from then on it is expired");
    assert_eq!(world.store.take_link("late", at(0)).await?, None, "and gone");
    Ok(())
}

/// Sessions and links that have ended are removed, a few at a time, those first that ended first; the others stay.
pub async fn what_has_ended_is_purged(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let mut ops = Vec::new();
    for n in 1..=5 {
        let ends = at(i64::from(n));
        ops.push(AdminOp::PutSession(Session {
            expires_at: ends,
            ..session(&world, &format!("session-{n}"))
        }));
        ops.push(AdminOp::PutLink(SignInLink {
            expires_at: ends,
            ..sign_in_link(&world, &format!("link-{n}"))
        }));
    }
    world.admin(ops).await?;
    let there = async || {
        let mut there = Vec::new();
        for n in 1..=5 {
            if world.store.session_by_hash(&format!("session-{n}")).await?.is_some() {
                there.push(n);
            }
        }
        Ok::<_, super::Failure>(there)
    };
    assert_eq!(world.store.purge_expired(at(0), 10).await?, 0);
    assert_eq!(world.store.purge_expired(at(3), 2).await?, 4);
    assert_eq!(there().await?, [3, 4, 5]);
    assert_eq!(world.store.purge_expired(at(3), 2).await?, 2, "the end is past at its very moment");
    assert_eq!(world.store.purge_expired(at(3), 2).await?, 0);
    assert_eq!(there().await?, [4, 5]);
    assert!(world.store.take_link("link-4", at(3)).await?.is_some());
    assert_eq!(world.store.take_link("link-3", at(0)).await?, None);
    Ok(())
}

/// Deleting an environment or project takes along all inside and the keys that open it, and leaves the neighbours.
pub async fn deleting_takes_along_what_is_inside(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let mut staging = environment(&world.project, "staging")?;
    let other = project(&world.org, "other")?;
    let abroad = environment(&other, "env")?;
    let epoch = Uuid::from_u128(5);
    let put = |e: &_| AdminOp::PutEnvironment { environment: Clone::clone(e), epoch };
    let in_env = |project: ProjectId, env| KeyScope::Environment { project, env };
    let keys = [
        api_key(&world, KeyScope::Organization, "org"),
        api_key(&world, KeyScope::Project { project: world.project.id }, "project"),
        api_key(&world, in_env(world.project.id, world.env), "env"),
        api_key(&world, in_env(world.project.id, staging.id), "staging"),
        api_key(&world, in_env(other.id, abroad.id), "abroad"),
    ];
    let mut ops = vec![AdminOp::PutProject(other.clone()), put(&staging), put(&abroad)];
    ops.extend(keys.iter().cloned().map(AdminOp::PutApiKey));
    ops.extend([AdminOp::PutSession(session(&world, "s")), AdminOp::PutLink(sign_in_link(&world, "l"))]);
    world.admin(ops).await?;
    for env in [world.env, staging.id, abroad.id] {
        let mut draft = world.draft(Vec::new(), vec![Change::PutUser(Things::user("joe")?)]);
        draft.env = env;
        draft.audit.push(World::event("user.created"));
        world.store.commit(draft).await?;
    }
    let key_names = || {
        let world = &world;
        async move {
            let keys = world.store.api_keys().await?;
            Ok::<_, super::Failure>(keys.into_iter().map(|key| key.secret_hash).collect::<Vec<_>>())
        }
    };

    world.admin(vec![AdminOp::DeleteEnvironment(world.env)]).await?;
    assert_eq!(world.store.head(world.env).await?, None);
    assert_eq!(world.log().await?, Vec::new());
    assert_eq!(world.store.users(world.env, &crate::UserFilter::default(), Page::ALL).await?.total, 0);
    assert_eq!(world.store.session_by_hash("s").await?, None);
    assert_eq!(world.store.take_link("l", at(0)).await?, None);
    assert_eq!(key_names().await?, ["org", "project", "staging", "abroad"]);
    let refused = world.commit(vec![Change::PutUser(Things::user("jane")?)]).await;
    assert!(matches!(refused, Err(CommitError::NoSuchEnvironment(_))), "{refused:?}");
    let history = world.store.audit_events(Some(world.env), &AuditFilter::default(), Page::ALL).await?;
    assert_eq!(history.total, 1, "what happened stays known");

    world.admin(vec![AdminOp::DeleteProject(world.project.id)]).await?;
    assert_eq!(world.store.projects().await?, [other]);
    assert_eq!(world.store.environments(None).await?, [abroad.clone()]);
    assert_eq!(key_names().await?, ["org", "abroad"]);
    assert_eq!(world.store.head(staging.id).await?, None);
    assert_eq!(world.store.users(abroad.id, &crate::UserFilter::default(), Page::ALL).await?.total, 1);

    // A new environment in the old one's place starts anew.
    staging.project = abroad.project;
    world.admin(vec![put(&staging)]).await?;
    assert_eq!(world.store.head(staging.id).await?.map(|head| head.revision), Some(0));
    Ok(())
}
