//! Texts that no database would keep, or not all.

use super::{Outcome, Things, World};
use crate::{CommitError, InstanceIdent, Page, Store, StoreError, UserFilter};
use askfirst_domain::{Ident, audit::AuditEvent, change::Change, facts::User, scope::Project};
use serde_json::json;
use std::sync::Arc;

/// NUL is refused wherever it stands, with nothing written, and nothing is found by it.
pub async fn nul_is_refused(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let user = Things::user("joe")?;
    let named = User { first_name: Some("j\0e".to_owned()), ..user.clone() };
    let deep = json!({"a": [{"b\0": 1}]}).as_object().cloned().unwrap_or_default();
    let described = User { attributes: deep, ..user.clone() };
    for change in [named, described].map(Change::PutUser) {
        let refused = world.commit(vec![Change::PutTenant(Things::tenant("acme")?), change]).await;
        assert!(matches!(refused, Err(CommitError::Store(StoreError::Nul))), "{refused:?}");
    }
    let mut draft = world.draft(Vec::new(), vec![Change::PutUser(user.clone())]);
    draft.audit = vec![AuditEvent { object: Some("\0".to_owned()), ..World::event("users.created") }];
    let refused = world.store.commit(draft).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Nul))), "{refused:?}");
    let project = Project { name: "\0".to_owned(), ..world.project.clone() };
    let refused = world.admin(vec![crate::AdminOp::PutProject(project)]).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Nul))), "{refused:?}");
    assert_eq!(world.revision().await?, 0);

    assert_eq!(world.commit(vec![Change::PutUser(user)]).await?.revision, 1);
    assert_eq!(world.store.user(world.env, &Ident::new("joe\0")).await?, None);
    let by_key = InstanceIdent::Key { resource: "\0".to_owned(), key: "1".to_owned() };
    assert_eq!(world.store.instance(world.env, &by_key).await?, None);
    let filter = UserFilter { search: Some("\0".to_owned()), ..UserFilter::default() };
    assert_eq!(world.store.users(world.env, &filter, Page::ALL).await?.total, 0);
    Ok(())
}
