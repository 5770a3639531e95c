//! Looking at elements.

use crate::{
    Acting, EnvScope,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident,
    element::{Element, Level},
    id::{ResourceId, RoleId},
    schema::Role,
};
use askfirst_policy::PlaceRef;
use askfirst_store::{AssignmentFilter, Page};
use std::{collections::HashSet, sync::Arc};

/// A role with its level in an element.
#[derive(Debug, Clone)]
pub struct RoleLevel {
    pub level: Level,
    pub role: Arc<Role>,
    /// The resource that the role is held on; none for a tenant role.
    pub resource: Option<ResourceId>,
}

impl EnvScope {
    /// All elements, in the order of their creation.
    pub fn elements(&self) -> Vec<Arc<Element>> {
        self.state().snapshot.schema().elements().cloned().collect()
    }

    /// The element with this key or id.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub fn element(&self, ident: &Ident) -> Result<Arc<Element>> {
        let state = self.state();
        state.snapshot.schema().element(ident).cloned().ok_or_else(|| Error::not_found("element", ident))
    }

    /// The roles that have a level in an element, strongest level first. A role that was deleted meanwhile is left out.
    pub fn element_roles(&self, element: &Element) -> Vec<RoleLevel> {
        let state = self.state();
        let schema = state.snapshot.schema();
        let levels = element.roles_to_levels.iter();
        levels
            .flat_map(|(level, ids)| ids.iter().map(|id| (*level, *id)))
            .filter_map(|(level, id)| {
                let role = Arc::clone(schema.role_by_id(id)?);
                let resource = role.resource.as_ref().and_then(|key| schema.resource_by_key(key.as_str()));
                Some(RoleLevel { level, resource: resource.map(|r| r.id), role })
            })
            .collect()
    }
}

impl Acting {
    /// An element and the strongest level that the person has in it anywhere they can reach.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an unknown element.
    pub async fn element_level(&self, ident: &Ident) -> Result<(Arc<Element>, Level)> {
        let element = self.scope.element(ident)?;
        let mut held = self.direct_roles().await?;
        let state = self.scope.state();
        if let Some(id) = self.tenant {
            let tenant = self.scope.find_tenant(&Ident::from(id.uuid())).await?.value;
            let place = PlaceRef::Tenant(tenant.key.as_str());
            let roles = state.snapshot.roles_on(self.person.key.as_str(), &place, self.scope.op.now);
            held.extend(roles.into_iter().map(|role| role.id));
        }
        let schema = state.snapshot.schema();
        let extended: Vec<RoleId> = held
            .iter()
            .filter_map(|id| schema.role_by_id(*id))
            .flat_map(|role| schema.extended(role).into_iter().map(|r| r.id))
            .collect();
        let best =
            extended.into_iter().map(|role| element.level_of(role)).min().unwrap_or(Level::Unconfigured);
        Ok((element, best))
    }

    /// The roles that the person was given and that have not ended.
    async fn direct_roles(&self) -> Result<HashSet<RoleId>> {
        let filter = AssignmentFilter {
            users: Some(vec![self.person.id]),
            tenants: self.tenant.map(|tenant| vec![tenant]),
            ..Default::default()
        };
        let now = self.scope.op.now;
        let listed = self.scope.engine.store().assignments(self.scope.env.id, &filter, Page::ALL).await?;
        let live = listed.items.into_iter().filter(|a| a.expires_at.is_none_or(|end| end > now));
        Ok(live.map(|a| a.role_id).collect())
    }

    /// Who the call is for, with the tenant that the credential is bound to.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the user or tenant was deleted meanwhile.
    pub async fn whoami(
        &self,
    ) -> Result<(askfirst_domain::facts::User, Option<askfirst_domain::facts::Tenant>)> {
        let user = self.scope.find_user(&Ident::from(self.person.id.uuid())).await?.value;
        let tenant = match self.tenant {
            Some(id) => Some(self.scope.find_tenant(&Ident::from(id.uuid())).await?.value),
            None => None,
        };
        if user.id == self.person.id {
            Ok((user, tenant))
        } else {
            Err(Error::new(Kind::NotFound, "The user of this credential does not exist any more."))
        }
    }
}
