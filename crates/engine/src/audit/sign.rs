//! Signing where the chains end: beside the calls, some at a time, and when somebody asks for it.

use super::AuditLog;
use crate::{
    Engine,
    error::{Error, Kind, Result},
};
use askfirst_domain::audit::{ChainHead, HeadStatement, JwkSet, PublicKey, SignedHead, SigningKey};
use askfirst_store::Unsigned;
use std::{convert::Infallible, time::Duration};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

/// How often it is looked whether there is something to sign: so much of the newest past can be rewritten unseen.
const EVERY: Duration = Duration::from_secs(5);
/// Every so many events there is a signed head, so that a receipt holds fewer hashes than this.
const STEP: u64 = 64;

impl Engine {
    /// Signs audit logs with this key from now on. The second call on one engine changes nothing.
    ///
    /// # Errors
    /// When the public key can't be kept.
    pub async fn sign_audit_with(&self, key: SigningKey) -> Result<()> {
        let public = key.public();
        if self.0.signing.set(key).is_ok() {
            self.store().put_audit_key(&public, self.0.clock.now()).await?;
        }
        Ok(())
    }

    /// Signs what is new in all chains, again and again, until it is dropped.
    pub async fn keep_signing(self) -> Infallible {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.sign_all().await {
                tracing::warn!(?error, "the audit log could not be signed; trying again later");
            }
        }
    }

    /// Signs what is new in all chains. Gives how many heads that were.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] without a key; when the store fails.
    pub async fn sign_all(&self) -> Result<u64> {
        let mut signed = 0;
        for unsigned in self.store().unsigned_audit().await? {
            signed += self.sign_chain(unsigned).await?;
        }
        Ok(signed)
    }

    /// The public keys with which heads were ever signed. Open to everybody.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_keys(&self) -> Result<JwkSet> {
        let keys = self.store().audit_keys().await?;
        Ok(JwkSet { keys: keys.iter().map(PublicKey::jwk).collect() })
    }

    pub(super) fn installation(&self) -> Result<Uuid> {
        Ok(self.directory().get().organization()?.id.uuid())
    }

    async fn sign_chain(&self, unsigned: Unsigned) -> Result<u64> {
        let Unsigned { chain, head, mut signed, epoch } = unsigned;
        let mut made = 0;
        while signed < head.n {
            let heads = self.store().audit_heads_at(chain, signed, head.n, STEP).await?;
            let Some(last) = heads.last() else { break };
            signed = last.n;
            let statements = heads.iter().map(|head| self.statement(unsigned, *head));
            let heads = statements.map(|statement| self.sign(statement?)).collect::<Result<Vec<_>>>()?;
            made += heads.len() as u64;
            // Handed in together, so that they are written together.
            let written = heads.iter().map(|head| self.store().put_signed_head(head));
            futures::future::try_join_all(written).await?;
        }
        tracing::debug!(%chain, made, epoch = %epoch, "signed heads of the audit log");
        Ok(made)
    }

    fn statement(&self, of: Unsigned, head: ChainHead) -> Result<HeadStatement> {
        let ChainHead { n, hash } = head;
        let (installation, at) = (self.installation()?, self.0.clock.now());
        Ok(HeadStatement { installation, env: of.chain, epoch: of.epoch, n, hash, at })
    }

    fn sign(&self, statement: HeadStatement) -> Result<SignedHead> {
        let key = self.0.signing.get();
        let key =
            key.ok_or_else(|| Error::new(Kind::Unavailable, "This server does not sign its audit log."))?;
        Ok(key.sign(statement))
    }
}

impl AuditLog {
    /// Signs where the chain ends now; gives none when it has no event yet.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when this server does not sign; when the store fails.
    pub async fn sign(&self) -> Result<Option<SignedHead>> {
        let (store, chain) = (self.engine.store(), self.chain());
        let head = store.audit_head(chain).await?;
        if head.n == 0 {
            return Ok(None);
        }
        let unsigned = store.unsigned_audit().await?;
        if let Some(unsigned) = unsigned.into_iter().find(|unsigned| unsigned.chain == chain) {
            self.engine.sign_chain(unsigned).await?;
        }
        // Where somebody else has signed meanwhile, it may be the head of a later event.
        let signed = store.signed_heads(chain, head.n, 1).await?;
        if signed
            .first()
            .is_some_and(|signed| signed.statement.n == head.n && signed.statement.hash != head.hash)
        {
            let message = "The audit log is not the one that was signed; its operator has to look at it with `store check`.";
            return Err(Error::new(Kind::Conflict, message));
        }
        Ok(signed.into_iter().next())
    }
}
