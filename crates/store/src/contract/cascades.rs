//! What a delete takes along, and what it leaves.

use super::{Failure, Model, Outcome, Things, World};
use crate::Store;
use askfirst_domain::{
    change::Change,
    facts::{Instance, Tenant, User},
    schema::{Relation, Resource, Role},
};
use std::sync::Arc;

/// Two of everything, tied to each other in every way there is.
struct Town {
    world: World,
    users: [User; 2],
    tenants: [Tenant; 2],
    resources: [Resource; 2],
    roles: Vec<Role>,
    relations: Vec<Relation>,
    instances: Vec<Instance>,
}

impl Town {
    async fn build(store: Arc<dyn Store>) -> Result<Self, Failure> {
        let world = World::start(store).await?;
        let users = [Things::user("joe")?, Things::user("jane")?];
        let tenants = [Things::tenant("acme")?, Things::tenant("bolt")?];
        let resources = [Things::resource("file")?, Things::resource("folder")?];
        let mut roles = vec![Things::role(None, "member")?];
        let mut relations = Vec::new();
        let mut instances = Vec::new();
        for resource in &resources {
            roles.push(Things::role(Some(resource), "owner")?);
            for other in &resources {
                relations.push(Things::relation(resource, &format!("of-{}", resource.key), other)?);
            }
            for tenant in &tenants {
                instances.push(Things::instance(resource, &format!("in-{}", tenant.key), tenant)?);
            }
        }
        let mut changes: Vec<Change> = Vec::new();
        changes.extend(resources.iter().cloned().map(Change::PutResource));
        changes.extend(roles.iter().cloned().map(Change::PutRole));
        changes.extend(relations.iter().cloned().map(Change::PutRelation));
        for role in &roles {
            let key = format!("element-{}", changes.len());
            changes.push(Change::PutElement(Things::element(&key, role)?));
        }
        changes.extend(users.iter().cloned().map(Change::PutUser));
        changes.extend(tenants.iter().cloned().map(Change::PutTenant));
        changes.extend(instances.iter().cloned().map(Change::PutInstance));
        for user in &users {
            for role in &roles {
                for tenant in &tenants {
                    if role.resource.is_none() {
                        let assignment = Things::assignment(user, role, tenant, None);
                        changes.push(Change::PutAssignment(assignment));
                    }
                    // Also across tenants: whatever stands on a thing goes with it.
                    for on in instances.iter().filter(|i| Some(&i.resource) == role.resource.as_ref()) {
                        let assignment = Things::assignment(user, role, tenant, Some(on));
                        changes.push(Change::PutAssignment(assignment));
                    }
                }
            }
        }
        for relation in &relations {
            for subject in instances.iter().filter(|i| i.resource == relation.subject_resource) {
                for object in instances.iter().filter(|i| i.resource == relation.object_resource) {
                    changes.push(Change::PutTuple(Things::tuple(subject, relation, object)));
                }
            }
        }
        world.commit(changes).await?;
        Ok(Self { world, users, tenants, resources, roles, relations, instances })
    }

    /// Deletes, and compares with the model; gives the state before and after.
    async fn delete(&self, change: Change) -> Result<(Model, Model), Failure> {
        let before = self.world.loaded().await?;
        let mut expected = before.clone();
        assert!(expected.apply(&change).is_ok());
        self.world.commit(vec![change]).await?;
        let after = self.world.loaded().await?;
        assert_eq!(after, expected);
        Ok((before, after))
    }
}

/// The user's assignments go, other people's stay.
pub async fn deleting_a_user(store: Arc<dyn Store>) -> Outcome {
    let town = Town::build(store).await?;
    let [joe, jane] = &town.users;
    let (before, after) = town.delete(Change::DeleteUser { id: joe.id, key: joe.key.clone() }).await?;
    assert!(before.assignments.values().any(|a| a.user_id == joe.id));
    assert!(!after.assignments.is_empty());
    assert!(after.assignments.values().all(|a| a.user_id == jane.id));
    assert_eq!(after.tuples, before.tuples);

    // A key that is used again is another user: nothing comes back.
    town.world.commit(vec![Change::PutUser(Things::user("joe")?)]).await?;
    assert_eq!(town.world.loaded().await?.assignments, after.assignments);
    Ok(())
}

/// The role's assignments go.
pub async fn deleting_a_role(store: Arc<dyn Store>) -> Outcome {
    let town = Town::build(store).await?;
    for role in &town.roles {
        let (id, key, resource) = (role.id, role.key.clone(), role.resource.clone());
        let (before, after) = town.delete(Change::DeleteRole { id, key, resource }).await?;
        assert!(before.assignments.values().any(|a| a.role_id == id));
        assert!(after.assignments.values().all(|a| a.role_id != id));
        assert_eq!(after.elements, before.elements, "who changes the elements says so by a change of theirs");
    }
    Ok(())
}

/// The relation's tuples go; those of the relation of the same name elsewhere stay.
pub async fn deleting_a_relation(store: Arc<dyn Store>) -> Outcome {
    let town = Town::build(store).await?;
    let relation = town.relations.first().ok_or("a town has relations")?;
    let (id, key, object_resource) = (relation.id, relation.key.clone(), relation.object_resource.clone());
    let (before, after) = town.delete(Change::DeleteRelation { id, key, object_resource }).await?;
    assert!(before.tuples.len() > after.tuples.len());
    assert!(after.tuples.values().any(|t| t.relation == relation.key));
    assert!(after.tuples.values().all(|t| t.relation_id != id));
    Ok(())
}

/// Its instances go, with all that stands on them, and all else that is in the tenant.
pub async fn deleting_a_tenant(store: Arc<dyn Store>) -> Outcome {
    let town = Town::build(store).await?;
    let [acme, bolt] = &town.tenants;
    let (_, after) = town.delete(Change::DeleteTenant { id: acme.id, key: acme.key.clone() }).await?;
    assert!(!after.instances.is_empty() && !after.assignments.is_empty() && !after.tuples.is_empty());
    assert!(after.instances.values().all(|i| i.tenant_id == bolt.id));
    assert!(after.assignments.values().all(|a| {
        a.tenant_id == bolt.id && a.instance.as_ref().is_none_or(|i| after.instances.contains_key(&i.id))
    }));
    assert!(after.tuples.values().all(|t| {
        after.instances.contains_key(&t.subject.id) && after.instances.contains_key(&t.object.id)
    }));
    assert_eq!(after.users.len(), 2);
    Ok(())
}

/// Assignments on it go, and tuples on either side.
pub async fn deleting_an_instance(store: Arc<dyn Store>) -> Outcome {
    let town = Town::build(store).await?;
    let instance = town.instances.first().ok_or("a town has instances")?;
    let (id, resource, key) = (instance.id, instance.resource.clone(), instance.key.clone());
    let (before, after) = town.delete(Change::DeleteInstance { id, resource, key }).await?;
    assert!(before.tuples.values().any(|t| t.subject.id == id && t.object.id != id));
    assert!(before.tuples.values().any(|t| t.object.id == id && t.subject.id != id));
    assert!(after.tuples.values().all(|t| t.subject.id != id && t.object.id != id));
    assert!(after.assignments.values().all(|a| a.instance.as_ref().is_none_or(|i| i.id != id)));
    assert!(!after.tuples.is_empty() && !after.assignments.is_empty());
    Ok(())
}

/// Roles, relations on either side, instances, and all their assignments and tuples.
pub async fn deleting_a_resource(store: Arc<dyn Store>) -> Outcome {
    let town = Town::build(store).await?;
    let [file, folder] = &town.resources;
    let (before, after) = town.delete(Change::DeleteResource { id: file.id, key: file.key.clone() }).await?;
    assert!(after.roles.values().all(|r| r.resource.as_ref() != Some(&file.key)));
    assert_eq!(after.relations.len(), 1, "folder of folder");
    assert!(after.instances.values().all(|i| i.resource == folder.key));
    assert!(
        after.tuples.values().all(|t| t.subject.resource == folder.key && t.object.resource == folder.key)
    );
    assert!(after.assignments.values().any(|a| a.instance.is_none()), "tenant roles stay");
    assert_eq!(after.elements, before.elements);

    let (_, after) = town.delete(Change::DeleteResource { id: folder.id, key: folder.key.clone() }).await?;
    assert!(after.tuples.is_empty() && after.instances.is_empty() && after.relations.is_empty());
    assert_eq!(after.roles.len(), 1, "the tenant role stays");
    Ok(())
}
