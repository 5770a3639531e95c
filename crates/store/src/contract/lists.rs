//! Look-ups, lists, filters and pages.

use super::{
    Failure, Outcome, Things, World,
    things::{at, fresh},
};
use crate::{
    AssignmentFilter, InstanceFilter, InstanceIdent, InviteFilter, Page, RequestFilter, Standing, Store,
    TenantFilter, TupleFilter, UserFilter,
};
use askfirst_domain::{
    Ident, Span, Timestamp,
    change::Change,
    facts::{Instance, RelationshipTuple, RoleAssignment, Tenant, User},
    grant::{Grant, Offer},
    invite::{Invite, InviteStatus},
    request::{Request, RequestKind, Status},
};
use std::sync::Arc;

const FIRST: Page = Page { offset: 0, limit: 1000 };

/// Whatever a key may hold, the thing is found by it, by its id in both spellings, and by nothing that is only like it.
pub async fn keys_of_every_alphabet_are_found(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let keys = ["a|b@c+d.e-f_g", "joe", "Joe", "1", "%", "_", "a_c", "abc", "x".repeat(128).as_str()]
        .map(str::to_owned)
        .into_iter()
        .filter(|key| key.parse::<askfirst_domain::UserKey>().is_ok());
    let tenant = Things::tenant("acme")?;
    let resource = Things::resource("file")?;
    let mut users: Vec<User> = Vec::new();
    for key in keys {
        users.push(Things::user(&key)?);
    }
    // A key that reads as the id of somebody else: the id goes first.
    let joe = users.iter().find(|u| u.key.as_str() == "joe").ok_or("joe is there")?.clone();
    users.push(Things::user(&joe.id.to_string())?);
    users.push(Things::user(&fresh::<()>().to_string())?);
    let instance = Things::instance(&resource, "joe", &tenant)?;
    let mut changes: Vec<_> = users.iter().cloned().map(Change::PutUser).collect();
    changes.extend([
        Change::PutTenant(tenant.clone()),
        Change::PutResource(resource),
        Change::PutInstance(instance.clone()),
    ]);
    world.commit(changes).await?;

    let user = |ident: Ident| {
        let world = &world;
        async move { world.store.user(world.env, &ident).await }
    };
    for wanted in &users {
        let by_id = user(Ident::new(wanted.id.uuid().simple().to_string())).await?;
        assert_eq!(by_id.map(|v| v.value).as_ref(), Some(wanted));
        let by_key = user(Ident::new(wanted.key.as_str())).await?.ok_or("found by key")?;
        let first = if wanted.key.as_str() == joe.id.to_string() { &joe } else { wanted };
        assert_eq!(&by_key.value, first);
        assert_eq!(by_key.revision, 1);
    }
    for missing in ["JOE", "a%", "jo", "' OR 1=1 --", ""] {
        assert_eq!(user(Ident::new(missing)).await?, None, "{missing}");
    }
    let elsewhere = world.store.user(fresh(), &Ident::new("joe")).await?;
    assert_eq!(elsewhere, None, "another environment has other users");

    let found = world.store.tenant(world.env, &Ident::new("acme")).await?;
    assert_eq!(found.map(|v| v.value), Some(tenant));
    let by_id = world.store.instance(world.env, &InstanceIdent::Id(instance.id)).await?;
    let ident = |resource: &str| InstanceIdent::Key { resource: resource.to_owned(), key: "joe".to_owned() };
    let by_key = world.store.instance(world.env, &ident("file")).await?;
    assert_eq!(by_id.as_ref().map(|v| &v.value), Some(&instance));
    assert_eq!(by_key, by_id);
    assert_eq!(world.store.instance(world.env, &ident("folder")).await?, None);
    Ok(())
}

/// A search finds parts of keys, addresses and names, in any case and alphabet, and takes no character for a wildcard.
pub async fn users_and_tenants_are_searched(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (acme, default) = (Things::tenant("acme")?, Things::tenant("default")?);
    let role = Things::role(None, "member")?;
    let mut joe = Things::user("joe_1")?;
    joe.email = Some("Joe@Example.org".to_owned());
    let mut umit = Things::user("u-2")?;
    umit.first_name = Some("ÜMİT".to_owned());
    umit.last_name = Some("Öz 100%".to_owned());
    let jane = Things::user("jane")?;
    let bolt = Tenant { name: "Größe & Söhne".to_owned(), ..Things::tenant("bolt")? };
    world
        .commit(vec![
            Change::PutTenant(acme.clone()),
            Change::PutTenant(default.clone()),
            Change::PutTenant(bolt.clone()),
            Change::PutRole(role.clone()),
            Change::PutUser(joe.clone()),
            Change::PutUser(umit.clone()),
            Change::PutUser(jane.clone()),
            Change::PutAssignment(Things::assignment(&jane, &role, &acme, None)),
            Change::PutAssignment(Things::assignment(&umit, &role, &bolt, None)),
        ])
        .await?;
    let users = |filter: UserFilter| {
        let world = &world;
        async move {
            let listed = world.store.users(world.env, &filter, FIRST).await?;
            assert_eq!(listed.total, listed.items.len() as u64);
            Ok::<_, Failure>(listed.items)
        }
    };
    let search = |text: &str| UserFilter { search: Some(text.to_owned()), ..UserFilter::default() };
    assert_eq!(users(UserFilter::default()).await?, [joe.clone(), umit.clone(), jane.clone()]);
    assert_eq!(users(search("j")).await?, [joe.clone(), jane.clone()]);
    assert_eq!(users(search("EXAMPLE")).await?, [joe.clone()]);
    assert_eq!(users(search("ümi")).await?, [umit.clone()]);
    assert_eq!(users(search("ö")).await?, [umit.clone()]);
    assert_eq!(users(search("%")).await?, [umit.clone()], "a percent sign is a percent sign");
    assert_eq!(users(search("_")).await?, [joe.clone()], "an underscore is an underscore");
    assert_eq!(users(search("nobody")).await?, []);
    let ids = |ids: Vec<_>| UserFilter { ids: Some(ids), ..UserFilter::default() };
    assert_eq!(users(ids(vec![jane.id, fresh(), joe.id])).await?, [joe.clone(), jane.clone()]);
    assert_eq!(users(ids(vec![jane.id])).await?, [jane.clone()]);
    assert_eq!(users(ids(Vec::new())).await?, []);
    let of = |tenant| UserFilter { tenant: Some(tenant), ..UserFilter::default() };
    assert_eq!(users(of(acme.id)).await?, [jane.clone()]);
    assert_eq!(users(of(default.id)).await?, [joe, umit.clone(), jane]);
    assert_eq!(users(of(fresh())).await?, []);
    assert_eq!(users(UserFilter { tenant: Some(bolt.id), ..search("100") }).await?, [umit]);

    let tenants = |text: Option<&str>| {
        let (world, filter) = (&world, TenantFilter { search: text.map(str::to_owned) });
        async move { Ok::<_, Failure>(world.store.tenants(world.env, &filter, FIRST).await?.items) }
    };
    assert_eq!(tenants(None).await?, [acme.clone(), default, bolt.clone()]);
    assert_eq!(tenants(Some("GRÖSSE")).await?, [], "no letter stands for two");
    assert_eq!(tenants(Some("SÖHNE")).await?, [bolt]);
    assert_eq!(tenants(Some("ACM")).await?, [acme]);
    Ok(())
}

/// By tenant, resource, part of the key, and ids.
pub async fn instances_are_filtered(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (acme, bolt) = (Things::tenant("acme")?, Things::tenant("bolt")?);
    let (file, folder) = (Things::resource("file")?, Things::resource("folder")?);
    let mut all: Vec<Instance> = Vec::new();
    for n in 0..4 {
        for (resource, tenant) in [(&file, &acme), (&folder, &bolt), (&file, &bolt)] {
            all.push(Things::instance(resource, &format!("Thing-{}-{n}", tenant.key), tenant)?);
        }
    }
    world.commit(all.iter().cloned().map(Change::PutInstance).collect()).await?;
    let list = |filter: InstanceFilter| {
        let world = &world;
        async move { Ok::<_, Failure>(world.store.instances(world.env, &filter, FIRST).await?.items) }
    };
    let none = InstanceFilter::default;
    let those =
        |keep: &dyn Fn(&Instance) -> bool| -> Vec<_> { all.iter().filter(|i| keep(i)).cloned().collect() };
    assert_eq!(list(none()).await?, all);
    let filter = InstanceFilter { tenant: Some(acme.id), ..none() };
    assert_eq!(list(filter).await?, those(&|i| i.tenant_id == acme.id));
    let filter = InstanceFilter { resource: Some(file.key.clone()), ..none() };
    assert_eq!(list(filter).await?, those(&|i| i.resource == file.key));
    let filter = InstanceFilter {
        resource: Some(file.key.clone()),
        tenant: Some(bolt.id),
        search: Some("ING-BOLT-2".into()),
        ..none()
    };
    assert_eq!(list(filter).await?, those(&|i| i.resource == file.key && i.key.as_str() == "Thing-bolt-2"));
    let ids: Vec<_> = all.iter().rev().step_by(5).map(|i| i.id).collect();
    let filter = InstanceFilter { ids: Some(ids.clone()), ..none() };
    assert_eq!(list(filter).await?, those(&|i| ids.contains(&i.id)));
    Ok(())
}

/// By users, roles, tenants, resource and instance, alone and together; ended ones are given.
pub async fn assignments_are_filtered(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let users = [Things::user("a")?, Things::user("b")?, Things::user("c")?];
    let tenants = [Things::tenant("acme")?, Things::tenant("bolt")?];
    let (file, folder) = (Things::resource("file")?, Things::resource("folder")?);
    let roles = [
        Things::role(None, "member")?,
        Things::role(Some(&file), "owner")?,
        Things::role(Some(&folder), "owner")?,
    ];
    let [acme, bolt] = &tenants;
    let instances = [Things::instance(&file, "f", acme)?, Things::instance(&folder, "d", acme)?];
    let [member, file_owner, folder_owner] = &roles;
    let [on_file, on_folder] = &instances;
    let mut all: Vec<RoleAssignment> = Vec::new();
    for user in &users {
        all.push(Things::assignment(user, member, acme, None));
        all.push(Things::assignment(user, file_owner, acme, Some(on_file)));
        all.push(Things::assignment(user, member, bolt, None));
        let mut ended = Things::assignment(user, folder_owner, acme, Some(on_folder));
        ended.expires_at = Some(at(-5));
        ended.origin = Some(fresh());
        all.push(ended);
    }
    world.commit(all.iter().cloned().map(Change::PutAssignment).collect()).await?;
    for wanted in &all {
        let found = world.store.assignment(world.env, wanted.id).await?;
        assert_eq!(found.map(|v| (v.value, v.revision)), Some((wanted.clone(), 1)));
    }
    assert_eq!(world.store.assignment(world.env, fresh()).await?, None);

    let list = |filter: AssignmentFilter| {
        let world = &world;
        async move { Ok::<_, Failure>(world.store.assignments(world.env, &filter, FIRST).await?.items) }
    };
    let none = AssignmentFilter::default;
    let those = |keep: &dyn Fn(&RoleAssignment) -> bool| -> Vec<_> {
        all.iter().filter(|a| keep(a)).cloned().collect()
    };
    let [a, b, _] = users.each_ref().map(|u| u.id);
    assert_eq!(list(none()).await?, all);
    assert_eq!(list(AssignmentFilter { users: Some(vec![b]), ..none() }).await?, those(&|x| x.user_id == b));
    let filter = AssignmentFilter { users: Some(vec![b, a, a]), ..none() };
    assert_eq!(list(filter).await?, those(&|x| x.user_id == a || x.user_id == b));
    assert_eq!(list(AssignmentFilter { users: Some(Vec::new()), ..none() }).await?, []);
    let owners = vec![folder_owner.id, file_owner.id];
    let filter = AssignmentFilter { roles: Some(owners), ..none() };
    assert_eq!(list(filter).await?, those(&|x| x.role_id != member.id));
    let filter = AssignmentFilter { tenants: Some(vec![bolt.id, fresh()]), ..none() };
    assert_eq!(list(filter).await?, those(&|x| x.tenant_id == bolt.id));
    let filter = AssignmentFilter { resource: Some(file.key.clone()), ..none() };
    assert_eq!(list(filter).await?, those(&|x| x.role_id == file_owner.id));
    let filter = AssignmentFilter { instance: Some(on_folder.id), users: Some(vec![a]), ..none() };
    assert_eq!(list(filter).await?, those(&|x| x.role_id == folder_owner.id && x.user_id == a));
    Ok(())
}

/// By either side, by relation, by tenant, alone and together.
pub async fn tuples_are_filtered(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (acme, bolt) = (Things::tenant("acme")?, Things::tenant("bolt")?);
    let (file, folder) = (Things::resource("file")?, Things::resource("folder")?);
    let parent = Things::relation(&folder, "parent", &file)?;
    let next = Things::relation(&file, "next", &file)?;
    let mut all: Vec<RelationshipTuple> = Vec::new();
    let mut wanted = None;
    for tenant in [&acme, &bolt] {
        let dir = Things::instance(&folder, "d", tenant)?;
        let (one, two) = (Things::instance(&file, "1", tenant)?, Things::instance(&file, "2", tenant)?);
        all.push(Things::tuple(&dir, &parent, &one));
        all.push(Things::tuple(&one, &next, &two));
        all.push(Things::tuple(&dir, &parent, &two));
        wanted = Some((dir.id, two.id));
    }
    let (dir, two) = wanted.ok_or("there are tenants")?;
    world.commit(all.iter().cloned().map(Change::PutTuple).collect()).await?;
    let first = all.first().ok_or("there are tuples")?;
    let found = world.store.tuple(world.env, first.id).await?;
    assert_eq!(found.map(|v| v.value).as_ref(), Some(first));
    assert_eq!(world.store.tuple(world.env, fresh()).await?, None);

    let list = |filter: TupleFilter| {
        let world = &world;
        async move { Ok::<_, Failure>(world.store.tuples(world.env, &filter, FIRST).await?.items) }
    };
    let none = TupleFilter::default;
    let those = |keep: &dyn Fn(&RelationshipTuple) -> bool| -> Vec<_> {
        all.iter().filter(|t| keep(t)).cloned().collect()
    };
    assert_eq!(list(none()).await?, all);
    let filter = TupleFilter { tenant: Some(acme.id), ..none() };
    assert_eq!(list(filter).await?, those(&|t| t.tenant_id == acme.id));
    let filter = TupleFilter { subject: Some(dir), ..none() };
    assert_eq!(list(filter).await?, those(&|t| t.subject.id == dir));
    let filter = TupleFilter { object: Some(two), ..none() };
    assert_eq!(list(filter).await?, those(&|t| t.object.id == two));
    let filter = TupleFilter { relation: Some(next.key.clone()), ..none() };
    assert_eq!(list(filter).await?, those(&|t| t.relation == next.key));
    let filter = TupleFilter { subject_resource: Some(folder.key.clone()), ..none() };
    assert_eq!(list(filter).await?, those(&|t| t.relation == parent.key));
    let filter = TupleFilter {
        object_resource: Some(file.key.clone()),
        object: Some(two),
        subject: Some(dir),
        ..none()
    };
    assert_eq!(list(filter).await?, those(&|t| t.object.id == two && t.subject.id == dir));
    let filter = TupleFilter { object_resource: Some(folder.key.clone()), ..none() };
    assert_eq!(list(filter).await?, []);
    Ok(())
}

/// Each filter of invitations keeps what it says, in the order of creation; one is found by its id, with its revision.
pub async fn invitations_are_filtered(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (acme, bolt) = (Things::tenant("acme")?, Things::tenant("bolt")?);
    let file = Things::resource("file")?;
    let (member, owner) = (Things::role(None, "member")?, Things::role(Some(&file), "owner")?);
    let on_file = Things::instance(&file, "f", &acme)?;
    let first = Things::invite("ann@example.com", &member, &acme, None);
    let second = Things::invite("ann@example.com", &owner, &acme, Some(&on_file));
    let third = Invite { status: InviteStatus::Approved, ..Things::invite("bo@b", &member, &bolt, None) };
    for invite in [&first, &second, &third] {
        world.commit(vec![Change::PutInvite(invite.clone())]).await?;
    }
    let list = |filter: InviteFilter| {
        let world = &world;
        async move { Ok::<_, Failure>(world.store.invites(world.env, &filter, FIRST).await?.items) }
    };
    let none = InviteFilter::default;
    assert_eq!(list(none()).await?, [first.clone(), second.clone(), third.clone()]);
    let filter = InviteFilter { status: Some(InviteStatus::Pending), ..none() };
    assert_eq!(list(filter).await?, [first.clone(), second.clone()]);
    let filter = InviteFilter { role: Some(member.id), ..none() };
    assert_eq!(list(filter).await?, [first.clone(), third.clone()]);
    let filter = InviteFilter { tenant: Some(acme.id), role: Some(owner.id), ..none() };
    assert_eq!(list(filter).await?, [second.clone()]);
    let page = Page { offset: 1, limit: 1 };
    let paged = world.store.invites(world.env, &none(), page).await?;
    assert_eq!((paged.items, paged.total), (vec![second.clone()], 3));

    let found = world.store.invite(world.env, second.id).await?;
    assert_eq!(found.map(|v| (v.value, v.revision)), Some((second.clone(), 2)));
    assert_eq!(world.store.invite(world.env, fresh()).await?, None);
    world.commit(vec![Change::DeleteInvite { id: second.id }]).await?;
    assert_eq!(world.store.invite(world.env, second.id).await?, None);
    Ok(())
}

/// By everything a request has, newest first; the pending one by its wish.
pub async fn requests_are_filtered_newest_first(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (joe, jane) = (Things::user("joe")?, Things::user("jane")?);
    let (acme, bolt) = (Things::tenant("acme")?, Things::tenant("bolt")?);
    let (file, folder) = (Things::resource("file")?, Things::resource("folder")?);
    let (member, owner) = (Things::role(None, "member")?, Things::role(Some(&file), "owner")?);
    let (form, other_form) = (Things::element("form", &owner)?, Things::element("other", &member)?);
    let on_file = Things::instance(&file, "f", &acme)?;
    let on_folder = Things::instance(&folder, "d", &acme)?;
    let pending = Things::request(&form, &joe, &owner, &acme, Some(&on_file));
    let mut denied = Request { id: fresh(), status: Status::Denied, ..pending.clone() };
    denied.reviewer_comment = Some("no".to_owned());
    let in_tenant = Things::request(&other_form, &jane, &member, &bolt, None);
    let mut operation = Things::request(&form, &jane, &owner, &acme, Some(&on_folder));
    operation.kind = RequestKind::OperationApproval;
    let mut approved = Request { id: fresh(), status: Status::Approved, ..operation.clone() };
    approved.reviewed_at = Some(at(5));
    let mut all = Vec::new();
    for request in [&denied, &pending, &in_tenant, &operation, &approved] {
        world.commit(vec![Change::PutRequest(Box::new(request.clone()))]).await?;
        all.insert(0, request.clone());
    }
    let found = world.store.pending_request(world.env, &pending.wish).await?;
    assert_eq!(found.map(|v| (v.value, v.revision)), Some((pending.clone(), 2)));
    assert_eq!(world.store.pending_request(world.env, "else").await?, None);
    assert_eq!(world.store.request(world.env, denied.id).await?.map(|v| v.value), Some(denied.clone()));
    assert_eq!(world.store.request(world.env, fresh()).await?, None);

    let list = |filter: RequestFilter| {
        let world = &world;
        async move { Ok::<_, Failure>(world.store.requests(world.env, &filter, FIRST).await?.items) }
    };
    let none = RequestFilter::default;
    let those =
        |keep: &dyn Fn(&Request) -> bool| -> Vec<_> { all.iter().filter(|r| keep(r)).cloned().collect() };
    assert_eq!(list(none()).await?, all);
    let kind = RequestKind::OperationApproval;
    assert_eq!(list(RequestFilter { kind: Some(kind), ..none() }).await?, those(&|r| r.kind == kind));
    let filter = RequestFilter { elements: Some(vec![form.id, fresh()]), ..none() };
    assert_eq!(list(filter).await?, those(&|r| r.element == form.id));
    let is = |status| Some(Standing::only(status, at(5)));
    let filter = RequestFilter { elements: Some(vec![form.id]), standing: is(Status::Pending), ..none() };
    assert_eq!(list(filter).await?, [operation.clone(), pending.clone()]);
    assert_eq!(list(RequestFilter { elements: Some(Vec::new()), ..none() }).await?, []);
    let filter = RequestFilter { requester: Some(jane.id), ..none() };
    assert_eq!(list(filter).await?, those(&|r| r.requester.id == jane.id));
    let filter = RequestFilter { tenant: Some(bolt.id), ..none() };
    assert_eq!(list(filter).await?, std::slice::from_ref(&in_tenant));
    assert_eq!(list(RequestFilter { role: Some(member.id), ..none() }).await?, [in_tenant]);
    let filter = RequestFilter { resource: Some(file.key.clone()), ..none() };
    assert_eq!(list(filter).await?, [pending.clone(), denied.clone()]);
    let filter = RequestFilter { instance: Some(on_file.id), standing: is(Status::Denied), ..none() };
    assert_eq!(list(filter).await?, [denied]);

    // A decision changes the request where it stands.
    let canceled = Request { status: Status::Canceled, ..pending.clone() };
    world.commit(vec![Change::PutRequest(Box::new(canceled.clone()))]).await?;
    assert_eq!(world.store.pending_request(world.env, &pending.wish).await?, None);
    let listed = list(none()).await?;
    assert_eq!(listed.iter().map(|r| r.id).collect::<Vec<_>>(), all.iter().map(|r| r.id).collect::<Vec<_>>());
    assert!(listed.contains(&canceled));
    Ok(())
}

/// A pending request whose time is over is found among the expired ones, whether or not that was written; what has ended is
/// found in the order of its ends.
pub async fn requests_end_when_they_are_looked_at(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (joe, acme) = (Things::user("joe")?, Things::tenant("acme")?);
    let role = Things::role(None, "member")?;
    let form = Things::element("form", &role)?;
    let base = Things::request(&form, &joe, &role, &acme, None);
    let pending = |n: i64, deadline: Option<i64>| Request {
        id: fresh(),
        wish: format!("wish {n}"),
        deadline: deadline.map(at),
        ..base.clone()
    };
    let (endless, late, soon) = (pending(0, None), pending(1, Some(9)), pending(2, Some(5)));
    let written = Request { status: Status::Expired, ..pending(3, Some(1)) };
    let offer = Offer { lasts: Some(Span::try_from(20)?), uses: Some(1) };
    let given =
        Request { status: Status::Approved, grant: Some(Grant::new(offer, at(0))), ..pending(4, Some(2)) };
    let all = [&endless, &late, &soon, &written, &given];
    world.commit(all.map(|request| Change::PutRequest(Box::new(request.clone()))).into()).await?;
    let list = |filter: RequestFilter| {
        let world = &world;
        async move { Ok::<_, Failure>(world.store.requests(world.env, &filter, FIRST).await?) }
    };
    let standing = |statuses: &[Status], now: i64| {
        let standing = Some(Standing { statuses: statuses.to_vec(), now: at(now) });
        RequestFilter { standing, ..RequestFilter::default() }
    };
    let (open, over) = (Status::Pending, Status::Expired);
    for (filter, expected) in [
        (standing(&[open], 4), vec![&soon, &late, &endless]),
        (standing(&[open], 5), vec![&late, &endless]),
        (standing(&[open], 9), vec![&endless]),
        (standing(&[over], 4), vec![&written]),
        (standing(&[over], 5), vec![&written, &soon]),
        (standing(&[over, Status::Canceled], 9), vec![&written, &soon, &late]),
        (standing(&[over, open], 5), vec![&written, &soon, &late, &endless]),
        (standing(&[Status::Approved, open], 9), vec![&given, &endless]),
        (standing(&[], 5), vec![]),
    ] {
        let found = list(filter.clone()).await?;
        assert_eq!(found.items.iter().collect::<Vec<_>>(), expected, "{filter:?}");
        assert_eq!(found.total, expected.len() as u64);
    }
    let ends = |by: Timestamp| RequestFilter { ends_by: Some(by), ..RequestFilter::default() };
    assert_eq!(list(ends(at(8))).await?.items, std::slice::from_ref(&soon));
    assert_eq!(list(ends(at(9))).await?.items, [soon.clone(), late.clone()]);
    let end = given.ends_at().ok_or("a grant with an end")?;
    assert_eq!(list(ends(end)).await?.items, [soon, late, given.clone()]);
    let ended = given.lapse(end).ok_or("it has ended")?;
    world.commit(vec![Change::PutRequest(Box::new(ended))]).await?;
    assert_eq!(list(ends(end)).await?.total, 2);
    Ok(())
}

/// Requests of which further reviewers are to be told are found when it is time, the first first, as long as they wait.
pub async fn escalations_are_found_when_it_is_time(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (joe, acme) = (Things::user("joe")?, Things::tenant("acme")?);
    let role = Things::role(None, "member")?;
    let base = Things::request(&Things::element("form", &role)?, &joe, &role, &acme, None);
    let waits = |n: i64, escalates: Option<i64>| {
        let mut request = Request { id: fresh(), wish: format!("wish {n}"), ..base.clone() };
        request.course.escalates_at = escalates.map(at);
        request
    };
    let (second, never, first, last) =
        (waits(0, Some(7)), waits(1, None), waits(2, Some(5)), waits(3, Some(9)));
    let made = [&second, &never, &first, &last];
    world.commit(made.map(|one| Change::PutRequest(Box::new(one.clone()))).into()).await?;
    let due = async |by: i64| {
        let filter = RequestFilter { escalates_by: Some(at(by)), ..RequestFilter::default() };
        world.store.requests(world.env, &filter, FIRST).await.map(|listed| listed.items)
    };
    assert_eq!(due(4).await?, []);
    assert_eq!(due(7).await?, [first.clone(), second.clone()]);
    let decided = Request { status: Status::Canceled, ..first };
    world.commit(vec![Change::PutRequest(Box::new(decided))]).await?;
    assert_eq!(due(9).await?, [second, last]);
    Ok(())
}

/// Pages cut one list into pieces; each says how long the whole is; rewriting a thing does not move it.
pub async fn pages_are_stable(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let mut users = Vec::new();
    for n in 0..25 {
        users.push(Things::user(&format!("user-{}", (n * 7) % 25))?);
    }
    world.commit(users.iter().cloned().map(Change::PutUser).collect()).await?;
    for user in users.iter_mut().step_by(3) {
        user.email = Some("new@example.org".to_owned());
        world.commit(vec![Change::PutUser(user.clone())]).await?;
    }
    let filter = UserFilter::default();
    for limit in [1_u32, 4, 5, 24, 25, 26] {
        let mut seen = Vec::new();
        while seen.len() < users.len() {
            let page = Page { offset: seen.len() as u64, limit };
            let listed = world.store.users(world.env, &filter, page).await?;
            assert_eq!(listed.total, 25);
            assert!(listed.items.len() <= limit as usize && !listed.items.is_empty());
            seen.extend(listed.items);
        }
        assert_eq!(seen, users);
    }
    for page in
        [Page { offset: 25, limit: 5 }, Page { offset: u64::MAX, limit: 5 }, Page { offset: 0, limit: 0 }]
    {
        let listed = world.store.users(world.env, &filter, page).await?;
        assert_eq!((listed.items.len(), listed.total), (0, 25), "{page:?}");
    }
    let some = UserFilter { search: Some("user-1".to_owned()), ..filter };
    let listed = world.store.users(world.env, &some, Page { offset: 2, limit: 3 }).await?;
    assert_eq!((listed.items.len(), listed.total), (3, 11));
    Ok(())
}

/// Many things are found at once, by key or by what they are between; those that are not there are passed over.
pub async fn many_are_found_at_once(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (file, folder) = (Things::resource("file")?, Things::resource("folder")?);
    let parent = Things::relation(&folder, "parent", &file)?;
    let tenant = Things::tenant("acme")?;
    let (joe, jane) = (Things::user("joe")?, Things::user("auth0|jane")?);
    let (one, two) = (Things::instance(&file, "1", &tenant)?, Things::instance(&file, "2", &tenant)?);
    let other = Things::instance(&folder, "1", &tenant)?;
    let tuple = Things::tuple(&other, &parent, &one);
    world
        .commit(vec![
            Change::PutUser(joe.clone()),
            Change::PutUser(jane.clone()),
            Change::PutInstance(one.clone()),
            Change::PutInstance(two.clone()),
            Change::PutInstance(other.clone()),
            Change::PutTuple(tuple.clone()),
        ])
        .await?;
    let (store, env) = (&world.store, world.env);
    let mut users = store.users_by_key(env, &["auth0|jane", "nobody", "joe", "j\"oe", "\0", "joe"]).await?;
    users.sort_by(|a, b| a.value.key.cmp(&b.value.key));
    let users: Vec<_> = users.into_iter().map(|user| (user.value, user.revision)).collect();
    assert_eq!(users, [(jane, 1), (joe, 1)]);
    assert_eq!(store.users_by_key(env, &[]).await?, []);
    let mut files = store.instances_by_key(env, "file", &["2", "1", "3"]).await?;
    files.sort_by(|a, b| a.value.key.cmp(&b.value.key));
    assert_eq!(files.into_iter().map(|file| file.value).collect::<Vec<_>>(), [one.clone(), two.clone()]);
    let folders = store.instances_by_key(env, "folder", &["2", "1"]).await?;
    assert_eq!(folders.into_iter().map(|folder| folder.value).collect::<Vec<_>>(), [other.clone()]);
    assert_eq!(store.instances_by_key(env, "\0", &["1"]).await?, []);
    let between =
        [(other.id, parent.id, one.id), (other.id, parent.id, two.id), (one.id, parent.id, other.id)];
    assert_eq!(store.tuples_between(env, &between).await?, [tuple]);
    assert_eq!(store.tuples_between(env, &[]).await?, []);
    Ok(())
}
