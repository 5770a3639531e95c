//! Lists where there is much.

use super::Home;
use askfirst_domain::{
    Id,
    change::Change,
    principal::Principal,
    request::{Request, Status},
};
use askfirst_engine::{
    Page,
    requests::{AskAccess, COUNTED, RequestQuery, RequestView, Times},
};
use askfirst_store::Commit;
use uuid::Uuid;

const PAGE: Page = Page { offset: 0, limit: 30 };

async fn ask(home: &Home, user: &str, place: &str) -> RequestView {
    let wish = AskAccess {
        element: "restaurant-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some(place.to_owned()),
        role: "child-can-order".into(),
        reason: String::new(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
    };
    home.as_user(user).await.request_access(wish).await.unwrap().view
}

/// The same request once more, as many times, as if others had asked too.
async fn repeated(home: &Home, request: &Request, times: u64) {
    let copies = (0..times).map(|n| {
        let copy = Request {
            id: Id::new(Uuid::from_u128(request.id.uuid().as_u128() + u128::from(n) + 1)),
            wish: format!("copy {n}"),
            ..request.clone()
        };
        Change::PutRequest(Box::new(copy))
    });
    let commit = Commit {
        env: home.env().await,
        at: request.created_at,
        actor: Principal::System { name: "test".to_owned() },
        call: None,
        expects: Vec::new(),
        changes: copies.collect(),
        audit: Vec::new(),
        outbox: Vec::new(),
    };
    home.store.commit(commit).await.unwrap();
}

#[tokio::test]
async fn a_list_is_counted_up_to_a_bound_behind_its_page() {
    let home = Home::family().await;
    // The only one that jane may decide is the oldest of all.
    let hers = ask(&home, "henry", "pizza-palace").await.request;
    let other = ask(&home, "rose", "burger-barn").await.request;
    repeated(&home, &other, COUNTED + 40).await;
    let all = COUNTED + 42;
    let (joe, jane) = (home.as_user("joe").await, home.as_user("jane").await);

    let inbox = joe.inbox(PAGE).await.unwrap();
    assert_eq!((inbox.items.len(), inbox.total), (30, COUNTED + 31), "one more than is counted");
    let next = joe.inbox(Page { offset: 30, ..PAGE }).await.unwrap();
    assert_eq!((next.items.len(), next.total), (30, all), "exact as soon as it is near");
    let last = joe.inbox(Page { offset: COUNTED + 30, ..PAGE }).await.unwrap();
    assert_eq!((last.items.len(), last.total), (12, all));
    assert_eq!(last.items.last().unwrap().request.id, hers.id);
    let beyond = joe.inbox(Page { offset: all + 1, ..PAGE }).await.unwrap();
    assert_eq!((beyond.items.len(), beyond.total), (0, all));

    let listed = joe.requests(RequestQuery::default(), PAGE).await.unwrap();
    assert_eq!((listed.items.len(), listed.total), (30, COUNTED + 31));
    let narrowed = RequestQuery { statuses: Some(vec![Status::Approved]), ..RequestQuery::default() };
    assert_eq!(joe.requests(narrowed, PAGE).await.unwrap().total, 0);

    for found in [jane.inbox(PAGE).await, jane.requests(RequestQuery::default(), PAGE).await] {
        let found = found.unwrap();
        assert_eq!((found.items.len(), found.total), (1, 1), "however much others have to decide");
        assert_eq!(found.items[0].request.id, hers.id);
    }
    let own = home.as_user("rose").await.requests(RequestQuery::default(), PAGE).await.unwrap();
    assert_eq!((own.items.len(), own.total), (30, COUNTED + 31), "all of these are hers");
}
