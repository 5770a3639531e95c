//! Managing people through a `user_management` element: what a signed-in user does in a tenant, or on one instance.
//!
//! What the user may do is the level that their roles have in the element *there*: [`Level::Owner`] does all of it,
//! [`Level::Manager`] gives and takes the roles of weaker levels, [`Level::Viewer`] looks, everybody else is refused. Roles
//! that the element hides, or says nothing about, are neither shown nor touched.

mod people;
mod roles;
mod told;

pub use people::{Added, NewPerson};

use super::RoleLevel;
use crate::{
    Acting, EnvScope, LiveState, Via,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident,
    element::{Element, ElementType, Level},
    facts::{Instance, InstanceRef, Tenant},
    id::RoleId,
    schema::Role,
};
use askfirst_policy::PlaceRef;
use std::sync::Arc;

/// Where people are managed.
#[derive(Debug, Clone)]
pub struct ManagedPlace {
    pub element: Ident,
    /// For an element on the roles of a resource: which instance, by key, `type:key` or id. For one on tenant roles none:
    /// there the place is the tenant of the session.
    pub instance: Option<String>,
}

/// One person at one place, with the level that they have there; made anew for each try of a write, since it holds for one
/// state.
#[derive(Debug)]
pub(super) struct Desk<'a> {
    acting: &'a Acting,
    state: Arc<LiveState>,
    element: Arc<Element>,
    tenant: Tenant,
    instance: Option<Instance>,
    level: Level,
}

impl Acting {
    /// The desk at a place, for somebody who may at least look.
    async fn desk(&self, place: &ManagedPlace) -> Result<Desk<'_>> {
        let desk = self.any_desk(place).await?;
        desk.needs(Level::Viewer)?;
        Ok(desk)
    }

    /// An element and the level that the person has in it at one place.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an element or instance that the session does not reach, [`Kind::Invalid`] for an instance
    /// that is missing or too many, [`Kind::Forbidden`] without a session in a tenant.
    pub async fn element_level_at(&self, place: &ManagedPlace) -> Result<(Arc<Element>, Level)> {
        let desk = self.any_desk(place).await?;
        Ok((Arc::clone(&desk.element), desk.level))
    }

    async fn any_desk(&self, place: &ManagedPlace) -> Result<Desk<'_>> {
        let scope = &self.scope;
        let state = scope.state();
        let tenant = match (self.via, self.tenant) {
            (Via::Session, Some(id)) => scope.find_tenant(&Ident::from(id.uuid())).await?.value,
            _ => {
                return Err(Error::forbidden("This call needs an element session, which is for one tenant."));
            }
        };
        let element = managing(&state, &place.element)?;
        let instance = self.instance(&element, &tenant, place.instance.as_deref()).await?;
        let at = instance.as_ref().map_or(PlaceRef::Tenant(tenant.key.as_str()), |on| PlaceRef::Instance {
            resource: on.resource.as_str(),
            key: on.key.as_str(),
        });
        let held = state.snapshot.roles_on(self.person.key.as_str(), &at, scope.op.now);
        let level = held.iter().map(|role| element.level_of(role.id)).min().unwrap_or(Level::Unconfigured);
        Ok(Desk { acting: self, state, element, tenant, instance, level })
    }

    /// The instance that an element on the roles of a resource is used on. One of another resource or tenant is not there.
    async fn instance(
        &self,
        element: &Element,
        tenant: &Tenant,
        named: Option<&str>,
    ) -> Result<Option<Instance>> {
        match (&element.resource, named.filter(|text| !text.is_empty())) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Error::invalid(format!(
                "The element `{}` is about roles in the tenant; leave `resource_instance_id` out.",
                element.key
            ))),
            (Some(on), None) => Err(Error::invalid(format!(
                "The element `{}` is about roles on instances of `{on}`; say on which in `resource_instance_id`.",
                element.key
            ))),
            (Some(on), Some(text)) => {
                let found = self.scope.find_instance(text, Some(on.as_str())).await?.value;
                if found.resource == *on && found.tenant_id == tenant.id {
                    Ok(Some(found))
                } else {
                    Err(Error::not_found("resource instance", text))
                }
            }
        }
    }
}

impl Desk<'_> {
    fn scope(&self) -> &EnvScope {
        &self.acting.scope
    }

    /// Refuses whoever has no level as strong as this one.
    fn needs(&self, weakest: Level) -> Result<()> {
        if self.level <= weakest {
            return Ok(());
        }
        let schema = self.state.snapshot.schema();
        let enough = self.element.roles_to_levels.range(..=weakest).flat_map(|(_, roles)| roles);
        let names: Vec<String> =
            enough.filter_map(|id| schema.role_by_id(*id)).map(|role| format!("`{}`", role.key)).collect();
        let takes = if names.is_empty() {
            format!("no role of `{}` can", self.element.key)
        } else {
            format!("it takes the role {}", names.join(" or "))
        };
        let (who, place) = (&self.acting.person.key, self.place());
        Err(Error::new(Kind::PermissionLevel, format!("{who} may not do this {place}; {takes}.")))
    }

    /// `on restaurants:pizza-palace`, or `in the tenant default`.
    fn place(&self) -> String {
        match &self.instance {
            Some(on) => format!("on {}:{}", on.resource, on.key),
            None => format!("in the tenant {}", self.tenant.key),
        }
    }

    /// Where as others point to it; none is the tenant.
    fn reference(&self) -> Option<InstanceRef> {
        let on = self.instance.as_ref()?;
        Some(InstanceRef { resource: on.resource.clone(), key: on.key.clone() })
    }

    /// The roles that are managed here, strongest level first: those that are held at such a place and that the element
    /// shows.
    fn roles(&self) -> Vec<RoleLevel> {
        let schema = self.state.snapshot.schema();
        let shown = self.element.roles_to_levels.range(..=Level::Assignable);
        shown
            .flat_map(|(level, ids)| ids.iter().map(|id| (*level, *id)))
            .filter_map(|(level, id)| {
                let role = schema.role_by_id(id).filter(|role| role.resource == self.element.resource)?;
                let on = role.resource.as_ref().and_then(|key| schema.resource_by_key(key.as_str()));
                Some(RoleLevel { level, resource: on.map(|r| r.id), role: Arc::clone(role) })
            })
            .collect()
    }

    fn role_ids(&self) -> Vec<RoleId> {
        self.roles().iter().map(|held| held.role.id).collect()
    }

    /// The role that an ident names, if the person may give and take it here.
    fn may_change(&self, ident: &Ident) -> Result<Arc<Role>> {
        self.needs(Level::Manager)?;
        let roles = self.roles();
        let named = |held: &&RoleLevel| {
            ident.uuid() == Some(held.role.id.uuid()) || held.role.key.as_str() == ident.as_str()
        };
        let changeable = |held: &RoleLevel| changes(self.level, self.strength(&held.role));
        if let Some(found) = roles.iter().find(named) {
            if changeable(found) {
                return Ok(Arc::clone(&found.role));
            }
            return Err(Error::new(
                Kind::PermissionLevel,
                format!(
                    "{} may not give or take the role `{}` {}: it is no weaker than their own.",
                    self.acting.person.key,
                    found.role.key,
                    self.place()
                ),
            ));
        }
        let offer: Vec<String> =
            roles.iter().filter(|held| changeable(held)).map(|held| format!("`{}`", held.role.key)).collect();
        let offer = if offer.is_empty() { "no role can".to_owned() } else { offer.join(", ") };
        Err(Error::new(
            Kind::NotFound,
            format!(
                "There is no role `{ident}` that can be given through `{}`; what can is: {offer}.",
                self.element.key
            ),
        ))
    }

    /// The strongest level that comes with a role, with all that it extends.
    fn strength(&self, role: &Arc<Role>) -> Level {
        let extended = self.state.snapshot.schema().extended(role);
        extended.iter().map(|role| self.element.level_of(role.id)).min().unwrap_or(Level::Unconfigured)
    }
}

/// Whether somebody of a level gives and takes roles of another one.
fn changes(own: Level, role: Level) -> bool {
    match own {
        Level::Owner => role <= Level::Assignable,
        Level::Manager => role > Level::Manager && role <= Level::Assignable,
        _ => false,
    }
}

/// The active `user_management` element that an ident stands for.
fn managing(state: &LiveState, ident: &Ident) -> Result<Arc<Element>> {
    let element = state.snapshot.schema().element(ident).filter(|element| element.is_active);
    let element = element.ok_or_else(|| Error::not_found("element", ident))?;
    if element.kind != ElementType::UserManagement {
        return Err(Error::invalid(format!(
            "People are managed through a user_management element; `{}` is another kind of element.",
            element.key
        )));
    }
    Ok(Arc::clone(element))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_what() {
        use Level::{Assignable, Hidden, Manager, Owner, Unconfigured, Viewer};
        let all = [Owner, Manager, Viewer, Assignable, Hidden, Unconfigured];
        let gives = |own: Level| all.into_iter().filter(|role| changes(own, *role)).collect::<Vec<_>>();
        assert_eq!(gives(Owner), [Owner, Manager, Viewer, Assignable]);
        assert_eq!(gives(Manager), [Viewer, Assignable]);
        for nobody in [Viewer, Assignable, Hidden, Unconfigured] {
            assert_eq!(gives(nobody), []);
        }
    }
}
