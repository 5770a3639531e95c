//! Expectations: checked in the transaction, each of them both ways.

use super::{Outcome, Things, World, things::fresh};
use crate::{CommitError, Store};
use askfirst_domain::{
    change::{Change, Expect, ObjectRef},
    facts::User,
    request::Status,
};
use std::sync::Arc;

/// Every kind of expectation lets a commit through when it holds and refuses it, naming itself, when it does not.
pub async fn each_expectation_holds_or_refuses(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (user, tenant) = (Things::user("joe")?, Things::tenant("acme")?);
    let resource = Things::resource("folder")?;
    let role = Things::role(Some(&resource), "editor")?;
    let element = Things::element("form", &role)?;
    let relation = Things::relation(&resource, "parent", &resource)?;
    let (a, b) = (Things::instance(&resource, "a", &tenant)?, Things::instance(&resource, "b", &tenant)?);
    let assignment = Things::assignment(&user, &role, &tenant, Some(&a));
    let tuple = Things::tuple(&a, &relation, &b);
    let request = Things::request(&element, &user, &role, &tenant, Some(&b));
    world
        .commit(vec![
            Change::PutUser(user.clone()),
            Change::PutTenant(tenant.clone()),
            Change::PutResource(resource.clone()),
            Change::PutRole(role.clone()),
            Change::PutElement(element.clone()),
            Change::PutRelation(relation.clone()),
        ])
        .await?;
    world
        .commit(vec![
            Change::PutInstance(a.clone()),
            Change::PutInstance(b.clone()),
            Change::PutAssignment(assignment.clone()),
            Change::PutTuple(tuple.clone()),
            Change::PutRequest(Box::new(request.clone())),
        ])
        .await?;

    let here = [
        (ObjectRef::User(user.id), ObjectRef::User(fresh()), 1),
        (ObjectRef::Tenant(tenant.id), ObjectRef::Tenant(fresh()), 1),
        (ObjectRef::Role(role.id), ObjectRef::Role(fresh()), 1),
        (ObjectRef::Element(element.id), ObjectRef::Element(fresh()), 1),
        (ObjectRef::Instance(a.id), ObjectRef::Instance(fresh()), 2),
        (ObjectRef::Assignment(assignment.id), ObjectRef::Assignment(fresh()), 2),
        (ObjectRef::Tuple(tuple.id), ObjectRef::Tuple(fresh()), 2),
        (ObjectRef::Request(request.id), ObjectRef::Request(fresh()), 2),
    ];
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for (there, not_there, revision) in here {
        good.extend([Expect::Exists(there), Expect::AtRevision(there, revision)]);
        bad.extend([
            Expect::Exists(not_there),
            Expect::AtRevision(not_there, revision),
            Expect::AtRevision(there, revision - 1),
            Expect::AtRevision(there, revision + 1),
        ]);
    }
    let no = |user, instance| Expect::NoAssignment { user, role: role.id, tenant: tenant.id, instance };
    good.extend([no(fresh(), Some(a.id)), no(user.id, Some(b.id)), no(user.id, None)]);
    bad.push(no(user.id, Some(a.id)));
    good.push(Expect::NoPendingRequest { wish: "another".to_owned() });
    bad.push(Expect::NoPendingRequest { wish: request.wish.clone() });
    good.extend([Expect::SchemaAt(1), Expect::SchemaAt(9)]);
    bad.push(Expect::SchemaAt(0));
    good.push(Expect::NothingTakenSince { user: user.id, revision: 2 });
    bad.push(Expect::NothingTakenSince { user: user.id, revision: 1 });
    good.push(Expect::NothingTakenSince { user: fresh(), revision: 1 });
    expect_all(&world, good, bad).await?;

    // Once decided, a request is no longer in the way of another; an assignment in a tenant is none on an instance.
    let in_tenant = Things::assignment(&user, &role, &tenant, None);
    let mut decided = request.clone();
    decided.status = Status::Denied;
    world.commit(vec![Change::PutRequest(Box::new(decided)), Change::PutAssignment(in_tenant)]).await?;
    let good = vec![Expect::NoPendingRequest { wish: request.wish.clone() }, no(user.id, Some(b.id))];
    expect_all(&world, good, vec![no(user.id, None)]).await?;

    // Facts leave the schema where it was; deleting a part of it does not.
    world.commit_if(Expect::SchemaAt(1), vec![Change::DeleteElement { id: element.id }]).await?;
    let gone = Expect::Exists(ObjectRef::Element(element.id));
    expect_all(&world, vec![Expect::SchemaAt(u64::MAX)], vec![Expect::SchemaAt(1), gone]).await
}

/// What a user's rights rest on may be added to; what is taken from it is seen, whoever's it was where that can't be told.
pub async fn what_is_taken_away_is_seen(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (joe, jane) = (Things::user("joe")?, Things::user("jane")?);
    let tenant = Things::tenant("acme")?;
    let resource = Things::resource("folder")?;
    let role = Things::role(Some(&resource), "editor")?;
    let relation = Things::relation(&resource, "parent", &resource)?;
    let (a, b) = (Things::instance(&resource, "a", &tenant)?, Things::instance(&resource, "b", &tenant)?);
    let of = |user| Things::assignment(user, &role, &tenant, Some(&a));
    let (joes, janes, tuple) = (of(&joe), of(&jane), Things::tuple(&a, &relation, &b));
    let start = world
        .commit(vec![
            Change::PutResource(resource.clone()),
            Change::PutRole(role.clone()),
            Change::PutRelation(relation.clone()),
            Change::PutTenant(tenant.clone()),
            Change::PutUser(joe.clone()),
            Change::PutUser(jane.clone()),
            Change::PutInstance(a.clone()),
            Change::PutInstance(b.clone()),
            Change::PutAssignment(janes.clone()),
        ])
        .await?
        .revision;
    let still = |user: &User, revision| Expect::NothingTakenSince { user: user.id, revision };
    let added = world.commit(vec![Change::PutTuple(tuple.clone())]).await?.revision;
    expect_all(&world, vec![still(&joe, start), still(&jane, start)], Vec::new()).await?;
    let given = world.commit(vec![Change::PutAssignment(joes.clone())]).await?.revision;
    expect_all(&world, vec![still(&jane, added), still(&joe, given)], vec![still(&joe, added)]).await?;
    let taken = world.commit(vec![Change::DeleteAssignment(janes)]).await?.revision;
    expect_all(&world, vec![still(&joe, given), still(&jane, taken)], vec![still(&jane, given)]).await?;
    let cut = world.commit(vec![Change::DeleteTuple(tuple)]).await?.revision;
    let gone = vec![still(&joe, taken), still(&jane, taken)];
    expect_all(&world, vec![still(&joe, cut), still(&jane, cut)], gone).await
}

/// What one commit takes away is seen by the next, also where both are written in one transaction.
pub async fn what_a_neighbour_takes_is_seen(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (joe, tenant) = (Things::user("joe")?, Things::tenant("acme")?);
    let role = Things::role(None, "editor")?;
    let joes = Things::assignment(&joe, &role, &tenant, None);
    let changes = vec![
        Change::PutRole(role.clone()),
        Change::PutTenant(tenant.clone()),
        Change::PutUser(joe.clone()),
        Change::PutAssignment(joes.clone()),
    ];
    let start = world.commit(changes).await?.revision;
    let still = Expect::NothingTakenSince { user: joe.id, revision: start };
    let many: Result<Vec<_>, _> =
        (0..2000).map(|n| Things::user(&format!("user-{n}")).map(Change::PutUser)).collect();
    let put = |key: &str| Things::user(key).map(|user| vec![Change::PutUser(user)]);
    // The others wait together while the first is written.
    let drafts = [
        world.draft(Vec::new(), many?),
        world.draft(vec![still.clone()], put("before")?),
        world.draft(Vec::new(), vec![Change::DeleteAssignment(joes)]),
        world.draft(vec![still.clone()], put("after")?),
        world.draft(Vec::new(), put("another")?),
    ];
    let outcomes = futures::future::join_all(drafts.into_iter().map(|draft| world.store.commit(draft))).await;
    let [many, before, taken, after, another] = outcomes.as_slice() else {
        return Err("each is answered".into());
    };
    for good in [many, before, taken, another] {
        assert!(good.is_ok(), "{good:?}");
    }
    assert!(matches!(after, Err(CommitError::Conflict(e)) if *e == still), "{after:?}");
    assert_eq!(world.revision().await?, start + 4);
    assert_eq!(world.log().await?.iter().map(|record| record.revision).max(), Some(start + 4));
    Ok(())
}

/// Tries each expectation with a change that shows whether it went through, by itself and among many others.
async fn expect_all(world: &World, good: Vec<Expect>, bad: Vec<Expect>) -> Outcome {
    let many: Vec<_> = good.iter().cycle().take(100).cloned().collect();
    for expects in good.into_iter().map(|expect| vec![expect]).chain([many.clone()]) {
        let user = Things::user(&format!("witness-{}", world.revision().await?))?;
        let outcome = world.store.commit(world.draft(expects.clone(), vec![Change::PutUser(user)])).await;
        assert!(outcome.is_ok(), "{expects:?}: {outcome:?}");
    }
    let before = (world.loaded().await?, world.revision().await?);
    for expect in bad {
        let nobody = vec![Change::PutUser(Things::user("nobody")?)];
        let outcome = world.commit_if(expect.clone(), nobody.clone()).await;
        assert!(matches!(&outcome, Err(CommitError::Conflict(e)) if *e == expect), "{expect:?}: {outcome:?}");
        let (before, after) = many.split_at(many.len() / 2);
        let among = [before, &[expect.clone()], after].concat();
        let outcome = world.store.commit(world.draft(among, nobody)).await;
        assert!(matches!(&outcome, Err(CommitError::Conflict(e)) if *e == expect), "{expect:?}: {outcome:?}");
    }
    assert_eq!((world.loaded().await?, world.revision().await?), before);
    Ok(())
}

/// Of fifty writers that have read the same state, one gets through; the others are told and have written nothing.
pub async fn one_of_many_conflicting_commits_wins(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let user = Things::user("joe")?;
    let read = world.commit(vec![Change::PutUser(user.clone())]).await?.revision;
    let mut tasks = Vec::new();
    for n in 0..50 {
        let (world, mut user) = (world.clone(), user.clone());
        tasks.push(tokio::spawn(async move {
            user.first_name = Some(format!("name {n}"));
            let expect = Expect::AtRevision(ObjectRef::User(user.id), read);
            world.commit_if(expect, vec![Change::PutUser(user)]).await
        }));
    }
    let mut won = Vec::new();
    for (n, task) in tasks.into_iter().enumerate() {
        match task.await? {
            Ok(_) => won.push(format!("name {n}")),
            Err(error) => assert!(matches!(error, CommitError::Conflict(_)), "{error:?}"),
        }
    }
    let written: Vec<_> = world.loaded().await?.users.into_values().filter_map(|u| u.first_name).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(written, won);
    assert_eq!(world.revision().await?, read + 1);
    Ok(())
}
