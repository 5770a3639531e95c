//! The audit log as a chain.

use super::{
    Outcome, Things, World,
    things::{at, fresh},
};
use crate::{AdminCommit, AuditFilter, CommitError, Erasure, Page, Store};
use askfirst_domain::{
    audit::{AuditEvent, ChainHead, ChainId, Entry, Field, HeadStatement, Mentioned, SigningKey, Verifier},
    change::{Change, Expect, ObjectRef},
    id::EnvId,
    principal::Principal,
};
use std::sync::Arc;
use uuid::Uuid;

impl World {
    async fn write_event(&self, event: AuditEvent) -> Outcome {
        let mut draft = self.draft(Vec::new(), Vec::new());
        draft.audit.push(event);
        self.store.commit(draft).await?;
        Ok(())
    }

    /// The whole chain, which has to be sound and to end where the store says.
    async fn chain(&self, env: Option<EnvId>) -> Result<Vec<Entry>, super::Failure> {
        let chain = ChainId::new(env);
        let (mut entries, mut verifier) = (Vec::new(), Verifier::new(chain, None, Vec::new()));
        loop {
            let page = self.store.audit_chain(env, verifier.at().n, 7).await?;
            for entry in &page {
                verifier.take(entry, None);
            }
            if page.is_empty() {
                break;
            }
            entries.extend(page);
        }
        let report = verifier.finish();
        assert_eq!(report.findings, []);
        assert_eq!(report.head, self.store.audit_head(chain).await?);
        assert_eq!(report.head.n, u64::try_from(entries.len())?);
        Ok(entries)
    }
}

/// Events get their places in the order of their commits, without gaps; refused commits leave none, also in the middle of
/// others; each environment and the installation has a chain of its own.
pub async fn audit_events_are_chained(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    assert_eq!(world.store.audit_head(ChainId::new(Some(world.env))).await?, ChainHead::default());
    let mut tasks = Vec::new();
    for task in 0..4 {
        let world = world.clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..10 {
                let mut draft =
                    world.draft(Vec::new(), vec![Change::PutUser(Things::user(&format!("u{task}-{n}"))?)]);
                draft.audit = vec![World::event("user.created"), World::event("user.seen")];
                if n % 3 == 0 {
                    draft.expects = vec![Expect::Exists(ObjectRef::User(fresh()))];
                    let outcome = world.store.commit(draft).await;
                    assert!(matches!(outcome, Err(CommitError::Conflict(_))), "{outcome:?}");
                } else {
                    world.store.commit(draft).await?;
                }
                let audit = vec![
                    (None, World::event("key.created")),
                    (Some(world.env), World::event("session.opened")),
                ];
                world.store.commit_admin(AdminCommit { ops: Vec::new(), audit }).await?;
            }
            Ok::<_, super::Failure>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let entries = world.chain(Some(world.env)).await?;
    assert_eq!(entries.len(), 4 * (6 * 2 + 10));
    assert_eq!(world.chain(None).await?.len(), 40);
    // Both events of a commit stand side by side.
    let codes: Vec<_> = entries.iter().map(|e| e.event().map(|e| e.code)).collect::<Result<_, _>>()?;
    for (n, code) in codes.iter().enumerate().filter(|(_, code)| *code == "user.created") {
        assert_eq!(codes.get(n + 1).map(String::as_str), Some("user.seen"), "after {code} at {n}");
    }
    let page = Page { offset: 0, limit: 1 };
    let newest = world.store.audit_entries(Some(world.env), &AuditFilter::default(), page).await?;
    assert_eq!(newest.items, entries.last().cloned().into_iter().collect::<Vec<_>>());
    let third = entries.get(2).ok_or("there are more")?;
    let id = third.event()?.id;
    assert_eq!(world.store.audit_entry(Some(world.env), id).await?.as_ref(), Some(third));
    assert_eq!(world.store.audit_entry(None, id).await?, None, "it is of another chain");
    Ok(())
}

/// What is erased is gone, also from reading, and the chain is what it was.
pub async fn erasing_leaves_the_chain_sound(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    let joe = Things::user("joe")?;
    let agent =
        Principal::Agent { env: world.env, user: joe.id, key: joe.key.clone(), via: fresh(), agent: None };
    let mut asked = World::event("request.created");
    asked.actor = agent;
    asked.on_behalf_of = Some("joe".to_owned());
    asked.details.insert("reason".to_owned(), "joe's secret reason".into());
    let mut about = World::event("user.updated");
    about.object = Some("user:joe".to_owned());
    about.details.insert("role".to_owned(), "cook".into());
    let mut other = World::event("user.updated");
    other.object = Some("user:joel".to_owned());
    for event in [&asked, &about, &other] {
        world.write_event(event.clone()).await?;
    }
    let before = world.chain(Some(world.env)).await?;
    let joe = Mentioned::new(["joe".to_owned(), joe.id.to_string()]);
    let mut parts = Vec::new();
    for entry in &before {
        if let Some(left) = joe.without(entry) {
            let gone = Field::ALL.into_iter().filter(|field| !left.contains_key(field));
            parts.push((entry.event()?.id, gone.collect()));
        }
    }
    assert_eq!(parts, [(asked.id, Field::ALL.to_vec()), (about.id, vec![Field::Object])]);
    let event = World::event("audit.erased");
    world.store.erase_audit(Erasure { env: world.env, parts, event: event.clone() }).await?;

    let after = world.chain(Some(world.env)).await?;
    assert_eq!(after.len(), 4);
    let hashes =
        |entries: &[Entry]| entries.iter().take(3).map(|e| (e.hash, e.body.clone())).collect::<Vec<_>>();
    assert_eq!(hashes(&before), hashes(&after));
    let all = world.store.audit_events(Some(world.env), &AuditFilter::default(), Page::ALL).await?.items;
    assert!(!format!("{all:?} {after:?}").contains("joe's"), "it is still there");
    let empty = AuditEvent {
        actor: Principal::Erased,
        on_behalf_of: None,
        details: serde_json::Map::new(),
        erased: Field::ALL.to_vec(),
        ..asked
    };
    let nameless = AuditEvent { object: None, erased: vec![Field::Object], ..about };
    assert_eq!(all, [event, other, nameless, empty]);
    assert!(after.iter().take(3).all(|entry| joe.without(entry).is_none()), "nothing is left to erase");
    Ok(())
}

/// Heads that were signed are kept with what they say, once for each event and epoch; so are the keys.
pub async fn signed_heads_are_kept(store: Arc<dyn Store>) -> Outcome {
    let world = World::start(store).await?;
    for _ in 0..7 {
        world.write_event(World::event("user.seen")).await?;
    }
    let chain = ChainId::new(Some(world.env));
    let key = SigningKey::from_seed(&[1; 32]);
    world.store.put_audit_key(&key.public(), at(1)).await?;
    world.store.put_audit_key(&key.public(), at(2)).await?;
    let second = SigningKey::from_seed(&[2; 32]);
    world.store.put_audit_key(&second.public(), at(3)).await?;
    assert_eq!(world.store.audit_keys().await?, [key.public(), second.public()]);

    let [unsigned] = world.store.unsigned_audit().await?.try_into().map_err(|_| "one chain has events")?;
    assert_eq!((unsigned.chain, unsigned.signed, unsigned.head.n), (chain, 0, 7));
    let heads = world.store.audit_heads_at(chain, 0, 7, 3).await?;
    assert_eq!(heads.iter().map(|head| head.n).collect::<Vec<_>>(), [3, 6, 7]);
    let mut signed = Vec::new();
    for head in heads {
        let ChainHead { n, hash } = head;
        let installation = Uuid::from_u128(1);
        signed.push(key.sign(HeadStatement {
            installation,
            env: chain,
            epoch: unsigned.epoch,
            n,
            hash,
            at: at(9),
        }));
    }
    for head in signed.iter().chain(signed.first()) {
        world.store.put_signed_head(head).await?;
    }
    assert_eq!(world.store.signed_heads(chain, 0, 10).await?, signed);
    assert_eq!(world.store.signed_heads(chain, 4, 1).await?, signed.get(1..2).unwrap_or_default());
    assert_eq!(world.store.signed_heads(ChainId::INSTALLATION, 0, 10).await?, []);
    assert_eq!(world.store.unsigned_audit().await?, []);
    world.write_event(World::event("user.seen")).await?;
    assert_eq!(
        world.store.unsigned_audit().await?.iter().map(|u| (u.signed, u.head.n)).collect::<Vec<_>>(),
        [(7, 8)]
    );
    signed.iter().try_for_each(|head| head.verify(&[second.public(), key.public()]))?;
    Ok(())
}
