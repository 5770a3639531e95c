//! Finding what a caller named: by key or by id, or one sentence that says what is missing.

use crate::{
    access::EnvScope,
    error::{Error, Result},
};
use askfirst_domain::{
    Ident,
    facts::{Instance, Tenant, User},
};
use askfirst_store::{InstanceIdent, Versioned};

impl EnvScope {
    /// The user with this key or id.
    pub(crate) async fn find_user(&self, ident: &Ident) -> Result<Versioned<User>> {
        let found = self.engine.store().user(self.env.id, ident).await?;
        found.ok_or_else(|| Error::not_found("user", ident))
    }

    /// The tenant with this key or id.
    pub(crate) async fn find_tenant(&self, ident: &Ident) -> Result<Versioned<Tenant>> {
        let found = self.engine.store().tenant(self.env.id, ident).await?;
        found.ok_or_else(|| Error::not_found("tenant", ident))
    }

    /// The instance that a text names: `type:key`, an id, or a bare key of `resource` where the caller has said which
    /// resource it is about.
    pub(crate) async fn find_instance(
        &self,
        text: &str,
        resource: Option<&str>,
    ) -> Result<Versioned<Instance>> {
        self.look_up_instance(text, resource)
            .await?
            .ok_or_else(|| Error::not_found("resource instance", text))
    }

    /// As [`EnvScope::find_instance`]; not-found is none, a text that can name no instance is an error.
    pub(crate) async fn look_up_instance(
        &self,
        text: &str,
        resource: Option<&str>,
    ) -> Result<Option<Versioned<Instance>>> {
        let store = self.engine.store();
        if let Some((resource, key)) = text.split_once(':') {
            let ident = InstanceIdent::Key { resource: resource.to_owned(), key: key.to_owned() };
            return Ok(store.instance(self.env.id, &ident).await?);
        }
        if let Some(uuid) = Ident::new(text).uuid()
            && let Some(found) =
                store.instance(self.env.id, &InstanceIdent::Id(askfirst_domain::Id::new(uuid))).await?
        {
            return Ok(Some(found));
        }
        match resource {
            Some(resource) => {
                let ident = InstanceIdent::Key { resource: resource.to_owned(), key: text.to_owned() };
                Ok(store.instance(self.env.id, &ident).await?)
            }
            None if Ident::new(text).uuid().is_some() => Ok(None),
            None => Err(Error::invalid(format!(
                "`{text}` does not name a resource instance; write it as `type:key`, for example `restaurants:{text}`, or give its id."
            ))),
        }
    }
}
