//! Role assignments, read.

use crate::{EnvScope, error::Result, schema};
use askfirst_domain::{
    Ident,
    facts::{Instance, RoleAssignment, Tenant, User},
    id::{InstanceId, TenantId, UserId},
    schema::Role,
};
use askfirst_store::{AssignmentFilter, InstanceFilter, Listed, Page, UserFilter};
use std::{collections::HashMap, sync::Arc};

/// Narrows a list of assignments. An empty list of names means any.
#[derive(Debug, Clone, Default)]
pub struct AssignmentQuery {
    pub users: Vec<Ident>,
    /// A key means every role of that key, in tenants and on any resource.
    pub roles: Vec<Ident>,
    pub tenants: Vec<Ident>,
    pub resource: Option<Ident>,
    /// `type:key` or an id.
    pub instance: Option<String>,
}

/// An assignment with all that it names.
#[derive(Debug, Clone)]
pub struct AssignmentDetails {
    pub assignment: RoleAssignment,
    pub role: Arc<Role>,
    pub user: User,
    pub tenant: Tenant,
    pub instance: Option<Instance>,
}

impl EnvScope {
    /// Role assignments, in the order of their creation. Ended ones are listed until something removes them.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`] for a name that means nothing, [`crate::Kind::Invalid`] for an instance that is not `type:key`.
    pub async fn list_assignments(
        &self,
        query: &AssignmentQuery,
        page: Page,
    ) -> Result<Listed<RoleAssignment>> {
        let filter = self.assignment_filter(query).await?;
        Ok(self.engine.store().assignments(self.env.id, &filter, page).await?)
    }

    async fn assignment_filter(&self, query: &AssignmentQuery) -> Result<AssignmentFilter> {
        let state = self.state();
        let schema = state.snapshot.schema();
        let mut filter = AssignmentFilter::default();
        for ident in &query.users {
            filter.users.get_or_insert_default().push(self.find_user(ident).await?.value.id);
        }
        for ident in &query.tenants {
            filter.tenants.get_or_insert_default().push(self.find_tenant(ident).await?.value.id);
        }
        if let Some(ident) = &query.resource {
            filter.resource = Some(schema::resource(schema, ident)?.key.clone());
        }
        for ident in &query.roles {
            let named =
                |r: &&Arc<Role>| ident.uuid() == Some(r.id.uuid()) || r.key.as_str() == ident.as_str();
            let found: Vec<_> = schema.roles().filter(named).map(|r| r.id).collect();
            if found.is_empty() {
                let all = schema.roles().map(|r| r.key.to_string());
                return Err(schema::missing("role", ident, "the roles are", all));
            }
            filter.roles.get_or_insert_default().extend(found);
        }
        if let Some(text) = &query.instance {
            filter.instance = Some(self.find_instance(text, None).await?.value.id);
        }
        Ok(filter)
    }

    /// Adds what assignments name. One whose user, role, tenant or instance went away meanwhile is left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn assignment_details(
        &self,
        assignments: Vec<RoleAssignment>,
    ) -> Result<Vec<AssignmentDetails>> {
        let state = self.state();
        let store = self.engine.store();
        let ids = assignments.iter().map(|a| a.user_id).collect();
        let filter = UserFilter { ids: Some(ids), ..UserFilter::default() };
        let users = store.users(self.env.id, &filter, Page::ALL).await?.items;
        let users: HashMap<UserId, User> = users.into_iter().map(|u| (u.id, u)).collect();
        let ids = assignments.iter().filter_map(|a| a.instance.as_ref()).map(|i| i.id).collect();
        let filter = InstanceFilter { ids: Some(ids), ..InstanceFilter::default() };
        let instances = store.instances(self.env.id, &filter, Page::ALL).await?.items;
        let instances: HashMap<InstanceId, Instance> = instances.into_iter().map(|i| (i.id, i)).collect();
        let mut tenants: HashMap<TenantId, Tenant> = HashMap::new();
        for id in assignments.iter().map(|a| a.tenant_id) {
            if !tenants.contains_key(&id)
                && let Some(found) = store.tenant(self.env.id, &Ident::from(id.uuid())).await?
            {
                tenants.insert(id, found.value);
            }
        }
        let details = assignments.into_iter().filter_map(|assignment| {
            let instance = match &assignment.instance {
                Some(on) => Some(instances.get(&on.id)?.clone()),
                None => None,
            };
            Some(AssignmentDetails {
                role: state.snapshot.schema().role_by_id(assignment.role_id)?.clone(),
                user: users.get(&assignment.user_id)?.clone(),
                tenant: tenants.get(&assignment.tenant_id)?.clone(),
                instance,
                assignment,
            })
        });
        Ok(details.collect())
    }
}
