//! What only the SQLite body promises: files, closing, query plans.

use askfirst_domain::{Ident, Timestamp, change::Change, facts::User, id::*, principal::Principal, scope::*};
use askfirst_store::*;
use uuid::Uuid;

#[tokio::test]
async fn smoke() {
    let store = SqliteStore::open_in_memory().await.unwrap();
    let t = Timestamp::from_micros(1);
    let (o, p, e) =
        (OrgId::new(Uuid::from_u128(1)), ProjectId::new(Uuid::from_u128(2)), EnvId::new(Uuid::from_u128(3)));
    let key = |s: &str| s.parse().unwrap();
    store
        .commit_admin(AdminCommit {
            ops: vec![
                AdminOp::PutOrganization(Organization {
                    id: o,
                    key: key("o"),
                    name: "O".into(),
                    created_at: t,
                    updated_at: t,
                }),
                AdminOp::PutProject(Project {
                    id: p,
                    org: o,
                    key: key("p"),
                    name: "P".into(),
                    urn_namespace: None,
                    description: None,
                    settings: None,
                    created_at: t,
                    updated_at: t,
                }),
                AdminOp::PutEnvironment {
                    epoch: Uuid::from_u128(9),
                    environment: Environment {
                        id: e,
                        project: p,
                        org: o,
                        key: key("e"),
                        name: "E".into(),
                        description: None,
                        custom_branch_name: None,
                        jwks: None,
                        settings: None,
                        created_at: t,
                        updated_at: t,
                    },
                },
            ],
            audit: vec![],
        })
        .await
        .unwrap();
    let user = User {
        id: UserId::new(Uuid::from_u128(5)),
        key: "a|b@c+d.e".parse().unwrap(),
        email: None,
        first_name: Some("Jö".into()),
        last_name: None,
        attributes: Default::default(),
        created_at: t,
        updated_at: t,
    };
    let got = store
        .commit(Commit {
            env: e,
            at: t,
            actor: Principal::System { name: "test".into() },
            call: None,
            expects: vec![],
            changes: vec![Change::PutUser(user.clone())],
            audit: vec![],
            outbox: vec![],
        })
        .await
        .unwrap();
    assert_eq!(got.revision, 1);
    assert_eq!(store.user(e, &Ident::new("a|b@c+d.e")).await.unwrap().unwrap().value, user);
    let found = store
        .users(
            e,
            &UserFilter { search: Some("JÖ".into()), ..Default::default() },
            Page { offset: 0, limit: 10 },
        )
        .await
        .unwrap();
    assert_eq!(found.items, [user]);
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Closed)));
}
