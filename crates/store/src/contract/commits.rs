//! Revisions, the log, and what is refused.

use super::{Outcome, Things, World, things::fresh};
use crate::{AdminOp, CommitError, Page, Store, UserFilter};
use askfirst_domain::{
    Ident,
    change::{Change, Expect, ObjectRef},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::timeout;

/// However many tasks write, revisions are given once each, without gaps, and stand in the log in their order.
pub async fn many_tasks_get_gap_free_revisions(store: Arc<dyn Store>) -> Outcome {
    const TASKS: usize = 8;
    const EACH: usize = 12;
    let world = World::start(store).await?;
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let world = world.clone();
        tasks.push(tokio::spawn(async move {
            let mut got = Vec::new();
            for n in 0..EACH {
                let user = Things::user(&format!("user-{task}-{n}"))?;
                let committed = world.commit(vec![Change::PutUser(user.clone())]).await?;
                assert_eq!(committed.epoch, world.epoch);
                // What is answered can be read at once.
                let read = world.store.user(world.env, &Ident::from(user.id.uuid())).await?;
                assert_eq!(read.map(|v| (v.value, v.revision)), Some((user, committed.revision)));
                got.push(committed.revision);
            }
            Ok::<_, super::Failure>(got)
        }));
    }
    let mut revisions = BTreeSet::new();
    for task in tasks {
        let got = task.await??;
        assert!(got.is_sorted(), "a task's later commit has a later revision: {got:?}");
        for revision in got {
            assert!(revisions.insert(revision), "revision {revision} was given twice");
        }
    }
    let last = (TASKS * EACH) as u64;
    assert_eq!(revisions, (1..=last).collect());
    let log = world.log().await?;
    assert_eq!(log.iter().map(|record| record.revision).collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
    assert_eq!(world.revision().await?, last);
    Ok(())
}

/// The log gives back what was written, revision by revision and never a part of one.
pub async fn changes_come_in_whole_revisions(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let mut written = Vec::new();
    for (revision, size) in (1_u64..).zip([3_u32, 1, 40, 2]) {
        let mut changes = Vec::new();
        for n in 0..size {
            changes.push(Change::PutUser(Things::user(&format!("user-{revision}-{n}"))?));
        }
        assert_eq!(world.commit(changes.clone()).await?.revision, revision);
        written.extend((0..size).zip(changes).map(|(seq, change)| (revision, seq, change)));
    }
    let after = |from, limit| {
        let world = &world;
        async move { world.store.changes_after(world.env, from, limit).await }
    };
    let all = after(0, usize::MAX).await?;
    let seen: Vec<_> = all.iter().map(|r| (r.revision, r.seq, r.change.clone())).collect();
    assert_eq!(seen, written);
    assert!(all.iter().all(|r| r.actor == Things::actor() && r.at == super::things::at(0)));

    assert_eq!(after(0, 1).await?.len(), 3, "at least one revision");
    assert_eq!(after(0, 0).await?.len(), 3, "at least one revision, whatever the limit");
    assert_eq!(after(0, 3).await?.len(), 3);
    assert_eq!(after(0, 4).await?.len(), 4);
    assert_eq!(after(0, 5).await?.len(), 44, "a revision is given whole");
    assert_eq!(after(2, 10).await?.len(), 40);
    assert_eq!(after(3, 10).await?.len(), 2);
    assert_eq!(after(4, 10).await?, Vec::new());
    assert_eq!(world.store.changes_after(fresh(), 0, 10).await?, Vec::new(), "no environment, no changes");
    Ok(())
}

/// Nothing to change, nothing to number.
pub async fn a_commit_without_changes_takes_no_revision(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let first = world.commit(vec![Change::PutUser(Things::user("joe")?)]).await?;
    let mut draft = world.draft(Vec::new(), Vec::new());
    draft.audit.push(World::event("decision.denied"));
    assert_eq!(world.store.commit(draft).await?, first);
    let events = world.store.audit_events(Some(world.env), &crate::AuditFilter::default(), Page::ALL).await?;
    assert_eq!(events.total, 1);
    assert_eq!(world.log().await?.len(), 1);
    Ok(())
}

/// An environment that is not there takes nothing.
pub async fn a_missing_environment_is_refused(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let mut draft = world.draft(Vec::new(), vec![Change::PutUser(Things::user("joe")?)]);
    draft.env = fresh();
    let (env, refused) = (draft.env, world.store.commit(draft).await);
    assert!(matches!(&refused, Err(CommitError::NoSuchEnvironment(e)) if *e == env), "{refused:?}");
    assert_eq!(world.store.head(env).await?, None);
    let loaded = world.store.load(env, &mut |_| {}).await;
    assert!(matches!(&loaded, Err(crate::StoreError::NoSuchEnvironment(e)) if *e == env), "{loaded:?}");
    Ok(())
}

/// Each uniqueness is kept, and its breach says what is there already.
pub async fn duplicates_are_named(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (user, tenant) = (Things::user("joe")?, Things::tenant("acme")?);
    let resource = Things::resource("folder")?;
    let (tenant_role, role) = (Things::role(None, "admin")?, Things::role(Some(&resource), "admin")?);
    let relation = Things::relation(&resource, "parent", &resource)?;
    let element = Things::element("form", &role)?;
    let set = Things::user_set("adults")?;
    let rule = Things::set_rule(&set, &resource)?;
    let (a, b) = (Things::instance(&resource, "a", &tenant)?, Things::instance(&resource, "b", &tenant)?);
    let in_tenant = Things::assignment(&user, &tenant_role, &tenant, None);
    let on_instance = Things::assignment(&user, &role, &tenant, Some(&a));
    let tuple = Things::tuple(&a, &relation, &b);
    let request = Things::request(&element, &user, &role, &tenant, Some(&b));
    let invite = Things::invite("ann@example.com", &tenant_role, &tenant, None);
    let all = vec![
        (Change::PutUser(user.clone()), "a user with the key `joe`"),
        (Change::PutTenant(tenant.clone()), "a tenant with the key `acme`"),
        (Change::PutResource(resource.clone()), "a resource with the key `folder`"),
        (Change::PutRole(tenant_role.clone()), "a role with the key `admin`"),
        (Change::PutRole(role.clone()), "a role of `folder` with the key `admin`"),
        (Change::PutRelation(relation.clone()), "a relation of `folder` with the key `parent`"),
        (Change::PutElement(element.clone()), "an element with the key `form`"),
        (Change::PutConditionSet(set), "a condition set with the key `adults`"),
        (Change::PutSetRule(rule), "this rule over condition sets"),
        (Change::PutProxyConfig(Things::proxy_config("api")?), "a proxy config with the key `api`"),
        (Change::PutAgent(Things::agent("bot", &user)?), "an agent with the key `bot`"),
        (Change::PutInvite(invite), "a pending invitation to the same"),
        (Change::PutInstance(a.clone()), "an instance of `folder` with the key `a`"),
        (Change::PutInstance(b.clone()), "an instance of `folder` with the key `b`"),
        (Change::PutAssignment(in_tenant), "this role assignment"),
        (Change::PutAssignment(on_instance), "this role assignment"),
        (Change::PutTuple(tuple), "this relationship tuple"),
        (Change::PutRequest(Box::new(request)), "a pending request for the same"),
    ];
    world.commit(all.iter().map(|(change, _)| change.clone()).collect()).await?;
    let before = world.loaded().await?;
    for (change, name) in all {
        let refused = world.commit(vec![with_another_id(change)]).await;
        assert!(
            matches!(&refused, Err(CommitError::Duplicate { what }) if what == name),
            "{name}: {refused:?}"
        );
    }
    assert_eq!(world.revision().await?, 1, "a refused commit takes no revision");
    assert_eq!(world.loaded().await?, before);
    Ok(())
}

fn with_another_id(change: Change) -> Change {
    let mut change = change;
    match &mut change {
        Change::PutUser(x) => x.id = fresh(),
        Change::PutTenant(x) => x.id = fresh(),
        Change::PutResource(x) => x.id = fresh(),
        Change::PutRole(x) => x.id = fresh(),
        Change::PutRelation(x) => x.id = fresh(),
        Change::PutElement(x) => x.id = fresh(),
        Change::PutConditionSet(x) => x.id = fresh(),
        Change::PutSetRule(x) => x.id = fresh(),
        Change::PutProxyConfig(x) => x.id = fresh(),
        Change::PutAgent(x) => x.id = fresh(),
        Change::PutInvite(x) => {
            x.id = fresh();
            x.email = x.email.to_uppercase();
        }
        Change::PutInstance(x) => x.id = fresh(),
        Change::PutAssignment(x) => x.id = fresh(),
        Change::PutTuple(x) => x.id = fresh(),
        Change::PutRequest(x) => x.id = fresh(),
        _ => {}
    }
    change
}

/// A large commit is written whole, a later put in it wins, and one bad line refuses all of it by name.
pub async fn bulk_commits_name_the_duplicate(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let mut users = Vec::new();
    for n in 0..300 {
        users.push(Things::user(&format!("user-{n}"))?);
    }
    let puts: Vec<_> = users.iter().cloned().map(Change::PutUser).collect();
    assert_eq!(world.commit(puts).await?.revision, 1);

    let mut again = Vec::new();
    for user in &users {
        for name in ["Ann", "Bo"] {
            again.push(Change::PutUser(askfirst_domain::facts::User {
                first_name: Some(name.to_owned()),
                ..user.clone()
            }));
        }
    }
    assert_eq!(world.commit(again).await?.revision, 2);
    let listed = world.store.users(world.env, &UserFilter::default(), Page::ALL).await?;
    assert_eq!(
        listed.items.iter().map(|u| u.id).collect::<Vec<_>>(),
        users.iter().map(|u| u.id).collect::<Vec<_>>()
    );
    assert!(listed.items.iter().all(|u| u.first_name.as_deref() == Some("Bo")));

    let mut bad = Vec::new();
    for n in 0..100 {
        bad.push(Change::PutUser(Things::user(&if n == 77 {
            "user-5".to_owned()
        } else {
            format!("new-{n}")
        })?));
    }
    let refused = world.commit(bad).await;
    let named = "a user with the key `user-5`";
    assert!(matches!(&refused, Err(CommitError::Duplicate { what }) if what == named), "{refused:?}");
    assert_eq!(world.store.users(world.env, &UserFilter::default(), Page::ALL).await?.total, 300);
    assert_eq!(world.revision().await?, 2);
    Ok(())
}

/// Commits that are handed in at once may share a transaction, but not a fate.
pub async fn a_batch_shields_neighbours(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    world.commit(vec![Change::PutUser(Things::user("taken")?)]).await?;
    let mut drafts = Vec::new();
    for n in 0..60 {
        let good = Change::PutUser(Things::user(&format!("user-{n}"))?);
        drafts.push(match n % 3 {
            0 => world.draft(Vec::new(), vec![good]),
            // Refused after its first change was written.
            1 => world.draft(Vec::new(), vec![good, Change::PutUser(Things::user("taken")?)]),
            _ => world.draft(vec![Expect::Exists(ObjectRef::User(fresh()))], vec![good]),
        });
    }
    let outcomes = futures::future::join_all(drafts.into_iter().map(|draft| world.store.commit(draft))).await;
    for (n, outcome) in outcomes.iter().enumerate() {
        match n % 3 {
            0 => assert!(outcome.is_ok(), "{n}: {outcome:?}"),
            1 => assert!(matches!(outcome, Err(CommitError::Duplicate { .. })), "{n}: {outcome:?}"),
            _ => assert!(matches!(outcome, Err(CommitError::Conflict(_))), "{n}: {outcome:?}"),
        }
    }
    let keys: BTreeSet<_> = world.loaded().await?.users.into_values().map(|u| u.key.to_string()).collect();
    let expected = (0..60).step_by(3).map(|n| format!("user-{n}")).chain(["taken".to_owned()]).collect();
    assert_eq!(keys, expected);
    assert_eq!(world.revision().await?, 21);
    assert_eq!(world.log().await?.len(), 21);
    Ok(())
}

/// Who waits for an environment to move is not woken too late, and does not wait for what is there already.
pub async fn whoever_waits_hears_of_a_commit(store: Arc<dyn Store>) -> Outcome {
    const LONG: Duration = Duration::from_secs(20);
    let world = World::start(store).await?;
    let follower = {
        let world = world.clone();
        tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < 50 {
                let last = seen.last().copied().unwrap_or(0);
                world.store.moved(world.env, last).await?;
                let log = world.store.changes_after(world.env, last, 10).await?;
                seen.extend(log.iter().map(|record| record.revision));
            }
            Ok::<_, super::Failure>(seen)
        })
    };
    for n in 0..50 {
        world.commit(vec![Change::PutUser(Things::user(&format!("user-{n}"))?)]).await?;
    }
    let seen = timeout(LONG, follower).await???;
    assert_eq!(seen, (1..=50).collect::<Vec<_>>());
    timeout(LONG, world.store.moved(world.env, 0)).await??;
    timeout(LONG, world.store.moved(fresh(), 7)).await??;

    // Nothing more happens, so whoever has seen all goes on waiting, until something does.
    let mut waiting = std::pin::pin!(world.store.moved(world.env, 50));
    assert!(timeout(Duration::from_millis(600), &mut waiting).await.is_err());
    let joe = world.commit(vec![Change::PutUser(Things::user("joe")?)]);
    let (moved, committed) = futures::join!(timeout(LONG, waiting), joe);
    moved??;
    assert_eq!(committed?.revision, 51);

    let waiting = world.store.moved(world.env, 51);
    let (moved, deleted) =
        futures::join!(timeout(LONG, waiting), world.admin(vec![AdminOp::DeleteEnvironment(world.env)]));
    deleted?;
    moved??;
    Ok(())
}
