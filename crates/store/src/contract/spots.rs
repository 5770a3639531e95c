//! Requests by the places where they are.

use super::{
    Failure, Outcome, Things, World,
    things::{at, fresh},
};
use crate::{Emergencies, Older, RequestFilter, Spot, Standing, Store};
use askfirst_domain::{
    change::Change,
    element::Element,
    facts::{InstanceRef, Tenant},
    request::{Request, RequestKind, Status},
    review::{AfterVerdict, Emergency, Look},
};
use std::sync::Arc;

/// Requests are found in the places that are named, each once, newest first, in parts that fit together.
pub async fn requests_are_found_where_they_are(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let (joe, jane) = (Things::user("joe")?, Things::user("jane")?);
    let (acme, bolt) = (Things::tenant("acme")?, Things::tenant("bolt")?);
    let file = Things::resource("file")?;
    let (member, owner) = (Things::role(None, "member")?, Things::role(Some(&file), "owner")?);
    let (form, other) = (Things::element("form", &owner)?, Things::element("other", &member)?);
    let on_file = Things::instance(&file, "f", &acme)?;
    world
        .commit(vec![
            Change::PutTenant(acme.clone()),
            Change::PutTenant(bolt.clone()),
            Change::PutInstance(on_file.clone()),
        ])
        .await?;
    let elsewhere = Things::request(&other, &jane, &member, &bolt, None);
    let all = seven(elsewhere, &Things::request(&form, &joe, &owner, &acme, Some(&on_file)));
    for request in &all {
        world.commit(vec![Change::PutRequest(Box::new(request.clone()))]).await?;
    }
    let (world, all) = (&world, &all);
    let found = |filter: RequestFilter, spots: Vec<Spot>, most: u32| async move {
        let (mut than, mut found) = (None, Vec::new());
        loop {
            let older = Older { than, most };
            let part = world.store.newest_requests(world.env, &filter, &spots, older).await?;
            than = part.last().map(|last| last.place);
            found.extend(part.iter().filter_map(|one| all_index(all, &one.request)));
            if part.len() < most as usize {
                return Ok::<_, Failure>(found);
            }
        }
    };
    let instance = InstanceRef { resource: file.key.clone(), key: on_file.key.clone() };
    let through = |element: &Element| Spot::OnInstance { element: element.id, instance: instance.clone() };
    let in_tenant = |element: &Element, tenant: &Tenant| Spot::InTenant {
        element: element.id,
        tenant: tenant.key.clone(),
    };
    let operations = Spot::Operations { instance: instance.clone() };
    let standing = |statuses: &[Status]| {
        let standing = Some(Standing { statuses: statuses.to_vec(), now: at(5) });
        RequestFilter { standing, ..RequestFilter::default() }
    };
    let none = RequestFilter::default;
    let gone = Spot::InTenant { element: form.id, tenant: "gone".parse()? };
    let unlooked = || RequestFilter { emergencies: Emergencies::Unlooked, ..none() };
    for (filter, spots, expected) in [
        (none(), vec![], vec![6, 5, 4, 3, 2, 1, 0]),
        (none(), vec![in_tenant(&other, &bolt)], vec![0]),
        (none(), vec![in_tenant(&form, &bolt), gone], vec![]),
        (none(), vec![in_tenant(&form, &acme), through(&form), operations.clone()], vec![6, 5, 4, 3, 2, 1]),
        (none(), vec![operations.clone()], vec![2]),
        (none(), vec![through(&other), Spot::AskedBy(jane.id)], vec![0]),
        (none(), vec![Spot::AskedBy(jane.id), operations.clone()], vec![2, 0]),
        (standing(&[Status::Pending]), vec![through(&form), Spot::AskedBy(joe.id)], vec![2, 1]),
        (standing(&[Status::Expired]), vec![through(&form)], vec![3]),
        (standing(&[Status::Expired, Status::Pending]), vec![through(&form)], vec![3, 2, 1]),
        (standing(&[Status::Denied, Status::Pending]), vec![Spot::AskedBy(joe.id)], vec![4, 2, 1]),
        (standing(&[]), vec![through(&form)], vec![]),
        (RequestFilter { tenant: Some(bolt.id), ..none() }, vec![through(&form)], vec![]),
        (RequestFilter { elements: Some(vec![]), ..none() }, vec![through(&form)], vec![]),
        (unlooked(), vec![], vec![5]),
    ] {
        for most in [1, 2, 100] {
            assert_eq!(found(filter.clone(), spots.clone(), most).await?, expected, "{filter:?} {spots:?}");
        }
    }
    // So many places that it takes several statements.
    let many = (0..150).map(|_| Spot::AskedBy(fresh())).chain([operations, Spot::AskedBy(jane.id)]);
    assert_eq!(found(none(), many.collect(), 1).await?, [2, 0]);
    Ok(())
}

/// One elsewhere, and six on the file: to be decided, of the other kind, ended, denied, taken in an emergency, looked at.
fn seven(elsewhere: Request, file_request: &Request) -> [Request; 7] {
    let asked = |n: i64, base: Request| Request { id: fresh(), wish: format!("wish {n}"), ..base };
    let mut taken = asked(5, Request { status: Status::Approved, ..file_request.clone() });
    taken.course.emergency = Some(Emergency::default());
    let looked = Look { by: taken.requester.clone(), verdict: AfterVerdict::Fine, comment: None, at: at(6) };
    let mut seen = Request { id: fresh(), ..taken.clone() };
    seen.course.emergency = Some(Emergency { looked_at: Some(looked) });
    [
        asked(0, elsewhere),
        asked(1, file_request.clone()),
        asked(2, Request { kind: RequestKind::OperationApproval, ..file_request.clone() }),
        asked(3, Request { deadline: Some(at(5)), ..file_request.clone() }),
        asked(4, Request { status: Status::Denied, ..file_request.clone() }),
        taken,
        seen,
    ]
}

fn all_index(all: &[Request], request: &Request) -> Option<usize> {
    all.iter().position(|one| one.id == request.id)
}
