//! Tenants: listed, created, changed, deleted, one or many at once. `default` always stays.

use super::{FactNote, MAX_TENANTS, bounded};
use crate::{
    EnvScope, Patch,
    commit::{Draft, Outcome, Tries},
    error::{Error, Result},
};
use askfirst_domain::{
    Ident, Key,
    change::{Change, Expect, ObjectRef},
    facts::{Attributes, DEFAULT_TENANT, Tenant},
};
use askfirst_store::{Listed, Page, TenantFilter};
use std::collections::HashSet;

/// A tenant to be made.
#[derive(Debug, Clone)]
pub struct NewTenant {
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub attributes: Attributes,
}

/// What is said about a tenant.
#[derive(Debug, Clone, Default)]
pub struct TenantEdit {
    pub name: Option<String>,
    pub description: Patch<String>,
    pub attributes: Patch<Attributes>,
}

impl EnvScope {
    /// Tenants, in the order of their creation.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_tenants(&self, search: Option<String>, page: Page) -> Result<Listed<Tenant>> {
        Ok(self.engine.store().tenants(self.env.id, &TenantFilter { search }, page).await?)
    }

    /// One tenant.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn tenant(&self, ident: &Ident) -> Result<Tenant> {
        Ok(self.find_tenant(ident).await?.value)
    }

    /// Creates a tenant.
    ///
    /// # Errors
    /// [`crate::Kind::Duplicate`].
    pub async fn create_tenant(&self, new: &NewTenant) -> Result<Tenant> {
        let made = self.create_tenants(std::slice::from_ref(new)).await?;
        made.into_iter().next().ok_or_else(|| Error::not_found("tenant", &new.key))
    }

    /// Creates many tenants; when one is there already, none.
    ///
    /// # Errors
    /// [`crate::Kind::Duplicate`], [`crate::Kind::TooLarge`].
    pub async fn create_tenants(&self, new: &[NewTenant]) -> Result<Vec<Tenant>> {
        bounded("tenants", new.len(), MAX_TENANTS)?;
        let mut draft = Draft::default();
        let mut made = Vec::with_capacity(new.len());
        for new in new {
            let tenant = Tenant {
                id: self.engine.fresh_id(&self.op)?,
                key: new.key.clone(),
                name: new.name.clone(),
                description: new.description.clone(),
                attributes: new.attributes.clone(),
                created_at: self.op.now,
                updated_at: self.op.now,
                last_action_at: self.op.now,
            };
            draft.facts.push(FactNote::new("tenant.created", &tenant.key));
            draft.changes.push(Change::PutTenant(tenant.clone()));
            made.push(tenant);
        }
        if made.is_empty() {
            return Ok(made);
        }
        match self.commit(draft).await? {
            Outcome::Done(_) => Ok(made),
            // Nothing was expected, so nothing can have been in the way.
            Outcome::Again => Err(Error::conflict("Somebody else wrote at the same moment; try again.")),
        }
    }

    /// Changes what is said about a tenant.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn update_tenant(&self, ident: &Ident, edit: &TenantEdit) -> Result<Tenant> {
        let mut tries = Tries::default();
        loop {
            let found = self.find_tenant(ident).await?;
            let old = found.value;
            let tenant = Tenant {
                name: edit.name.clone().unwrap_or(old.name),
                description: edit.description.clone().over(old.description),
                attributes: edit.attributes.clone().over(Some(old.attributes)).unwrap_or_default(),
                updated_at: self.op.now,
                last_action_at: self.op.now,
                ..old
            };
            let draft = Draft {
                expects: vec![Expect::AtRevision(ObjectRef::Tenant(tenant.id), found.revision)],
                facts: vec![FactNote::new("tenant.updated", &tenant.key)],
                changes: vec![Change::PutTenant(tenant.clone())],
                ..Draft::default()
            };
            if self.settled(draft).await? {
                return Ok(tenant);
            }
            tries.again()?;
        }
    }

    /// Deletes a tenant with its instances, and all that is assigned in it.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`]; [`crate::Kind::Forbidden`] for `default`.
    pub async fn delete_tenant(&self, ident: &Ident) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            let tenant = self.find_tenant(ident).await?.value;
            if self.settled(Self::tenant_removal([tenant])?).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    /// Deletes many tenants; those that are not there are passed over.
    ///
    /// # Errors
    /// [`crate::Kind::TooLarge`]; [`crate::Kind::Forbidden`] for `default`, then none is deleted.
    pub async fn delete_tenants(&self, idents: &[Ident]) -> Result<()> {
        bounded("tenants", idents.len(), MAX_TENANTS)?;
        let mut tries = Tries::default();
        loop {
            let mut seen = HashSet::new();
            let mut gone = Vec::new();
            for ident in idents {
                if let Some(found) = self.engine.store().tenant(self.env.id, ident).await?
                    && seen.insert(found.value.id)
                {
                    gone.push(found.value);
                }
            }
            if self.settled(Self::tenant_removal(gone)?).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    fn tenant_removal(gone: impl IntoIterator<Item = Tenant>) -> Result<Draft> {
        let mut draft = Draft::default();
        for tenant in gone {
            if tenant.key.as_str() == DEFAULT_TENANT {
                return Err(Error::forbidden(
                    "The tenant `default` can't be deleted: every user belongs to it.",
                ));
            }
            draft.expects.push(Expect::Exists(ObjectRef::Tenant(tenant.id)));
            draft.facts.push(FactNote::new("tenant.deleted", &tenant.key));
            draft.changes.push(Change::DeleteTenant { id: tenant.id, key: tenant.key });
        }
        Ok(draft)
    }
}
