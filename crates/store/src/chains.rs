//! The ends of the chains that a transaction appends to.

use crate::{
    StoreError,
    body::{Session, failed},
    sql::{
        self, Cells,
        audit::{self, Linked},
    },
};
use askfirst_domain::{
    audit::{AuditEvent, ChainHead, ChainId, Salt},
    id::EnvId,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many events from before there were chains get their places in one transaction.
const OLD_AT_ONCE: u32 = 500;

/// The ends of chains, held until the transaction ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chains {
    heads: BTreeMap<ChainId, ChainHead>,
    moved: BTreeSet<ChainId>,
}

impl Chains {
    /// Takes the ends of these chains, sorted, each once: everybody asks in the same order.
    pub(crate) async fn take<S: Session>(session: &mut S, chains: &[ChainId]) -> Result<Self, sqlx::Error> {
        let corrupt = |e: StoreError| sqlx::Error::Decode(e.into());
        if chains.is_empty() {
            return Ok(Self::default());
        }
        let rows = session.rows(audit::take_heads(S::DIALECT, chains)).await?;
        let mut heads = audit::read_heads(&rows).map_err(corrupt)?;
        if heads.len() < chains.len() {
            // Made first and taken then, so that of two who are the first one waits for the other.
            for statement in audit::new_heads(S::DIALECT, chains) {
                session.execute(statement).await?;
            }
            let rows = session.rows(audit::take_heads(S::DIALECT, chains)).await?;
            heads = audit::read_heads(&rows).map_err(corrupt)?;
        }
        Ok(Self { heads, moved: BTreeSet::new() })
    }

    /// Gives an event the next place in its chain.
    pub(crate) fn append<'e>(
        &mut self,
        env: Option<EnvId>,
        event: &'e AuditEvent,
    ) -> Result<Linked<'e>, StoreError> {
        let chain = ChainId::new(env);
        let head = self.heads.get_mut(&chain).ok_or_else(|| StoreError::Corrupt {
            what: "head of an audit log",
            detail: format!("nobody has taken that of {chain}"),
        })?;
        let sealed = audit::sealed(event)?;
        *head = head.next(chain, &sealed.body);
        self.moved.insert(chain);
        Ok(Linked { chain, event, sealed, head: *head })
    }

    /// Writes how far the chains have come.
    pub(crate) async fn write<S: Session>(&self, session: &mut S) -> Result<(), sqlx::Error> {
        let moved = self.heads.iter().filter(|(chain, _)| self.moved.contains(chain));
        for statement in audit::put_heads(S::DIALECT, moved) {
            session.execute(statement).await?;
        }
        Ok(())
    }
}

/// Gives events from before there were chains their places, in the order in which they were written. Stopped in the
/// middle, it goes on where it was at the next start.
pub(crate) async fn chain_old<S: Session>(session: &mut S) -> Result<(), StoreError> {
    const DOING: &str = "chaining the audit log";
    let mut done = 0_usize;
    loop {
        session.begin().await.map_err(failed(DOING))?;
        let chained = chain_page(session).await;
        let ended = match chained {
            Ok(rows) => session.commit().await.map(|()| rows).map_err(failed(DOING)),
            Err(error) => Err(error),
        };
        match ended {
            Ok(0) => break,
            Ok(rows) => done += rows,
            Err(error) => {
                session.roll_back().await;
                return Err(error);
            }
        }
    }
    if done > 0 {
        tracing::info!(events = done, "events of the audit log from before were put into its chain");
    }
    Ok(())
}

async fn chain_page<S: Session>(session: &mut S) -> Result<usize, StoreError> {
    const DOING: &str = "chaining the audit log";
    // Of several servers that start at once, one does it: this one's end is taken before it is looked what there is.
    let rows = session.rows(audit::unchained(1)).await.map_err(failed(DOING))?;
    if rows.is_empty() {
        return Ok(0);
    }
    Chains::take(session, &[ChainId::INSTALLATION]).await.map_err(failed(DOING))?;
    let rows = session.rows(audit::unchained(OLD_AT_ONCE)).await.map_err(failed(DOING))?;
    let mut old = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut c = Cells::of("audit event", row);
        let (seq, env) = (c.int()?, c.opt_id()?);
        let mut event: AuditEvent = c.json()?;
        event.salt = fresh_salt(session).await?;
        old.push((seq, env, event));
    }
    let chains: BTreeSet<_> = old.iter().map(|(_, env, _)| ChainId::new(*env)).collect();
    let chains: Vec<_> = chains.into_iter().collect();
    let mut chains = Chains::take(session, &chains).await.map_err(failed(DOING))?;
    for (seq, env, event) in &old {
        let linked = chains.append(*env, event)?;
        session.execute(audit::put_linked(*seq, &linked)?).await.map_err(failed(DOING))?;
    }
    chains.write(session).await.map_err(failed(DOING))?;
    Ok(old.len())
}

/// A salt of the database's randomness.
async fn fresh_salt<S: Session>(session: &mut S) -> Result<Salt, StoreError> {
    let mut random = [0; 32];
    for half in random.chunks_mut(16) {
        let statement = sql::Statement::new(S::DIALECT.fresh(), Vec::new());
        let rows = session.rows(statement).await.map_err(failed("making a salt"))?;
        let row = rows.first().ok_or(StoreError::Closed)?;
        half.copy_from_slice(Cells::of("salt", row).uuid()?.as_bytes());
    }
    Ok(Salt::new(random))
}
