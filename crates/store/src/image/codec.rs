//! How an image spells changes: bytes in their order, each key and id that comes again as a number.
//!
//! Facts have a form of their own; the few other things stand as in the change log. What was written by another
//! [`FORMAT`] is never read.

use super::{bytes::Bytes, pack::Pack};
use crate::{StoreError, sql::payload};
use askfirst_domain::{
    change::Change,
    facts::{Attributes, Instance, InstanceLink, RelationshipTuple, RoleAssignment, Tenant, User},
};

/// Another number for each other spelling.
pub(crate) const FORMAT: i64 = 1;

const OTHER: u8 = 0;
const USER: u8 = 1;
const TENANT: u8 = 2;
const INSTANCE: u8 = 3;
const ASSIGNMENT: u8 = 4;
const TUPLE: u8 = 5;

/// Spells changes one after the other.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    pack: Pack,
}

impl Encoder {
    /// How many bytes there are so far.
    pub(crate) fn len(&self) -> usize {
        self.pack.len()
    }

    /// The bytes, and a new beginning.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pack).into_bytes()
    }

    /// Adds a change.
    ///
    /// # Errors
    /// When it does not serialise.
    pub(crate) fn add(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::PutUser(user) => self.user(user),
            Change::PutTenant(tenant) => self.tenant(tenant),
            Change::PutInstance(instance) => self.instance(instance),
            Change::PutAssignment(assignment) => {
                self.assignment(assignment);
                Ok(())
            }
            Change::PutTuple(tuple) => {
                self.tuple(tuple);
                Ok(())
            }
            other => {
                let (kind, payload) = payload::encode(other)?;
                self.pack.byte(OTHER);
                self.pack.text(kind);
                self.pack.text(&payload);
                Ok(())
            }
        }
    }

    fn user(&mut self, user: &User) -> Result<(), StoreError> {
        self.pack.byte(USER);
        self.pack.id(user.id.uuid());
        self.pack.user_key(&user.key);
        self.pack.optional_text(user.email.as_deref());
        self.pack.optional_text(user.first_name.as_deref());
        self.pack.optional_text(user.last_name.as_deref());
        self.attributes(&user.attributes)?;
        self.pack.at(user.created_at);
        self.pack.at(user.updated_at);
        Ok(())
    }

    fn tenant(&mut self, tenant: &Tenant) -> Result<(), StoreError> {
        self.pack.byte(TENANT);
        self.pack.id(tenant.id.uuid());
        self.pack.key(&tenant.key);
        self.pack.text(&tenant.name);
        self.pack.optional_text(tenant.description.as_deref());
        self.attributes(&tenant.attributes)?;
        self.pack.at(tenant.created_at);
        self.pack.at(tenant.updated_at);
        self.pack.at(tenant.last_action_at);
        Ok(())
    }

    fn instance(&mut self, instance: &Instance) -> Result<(), StoreError> {
        self.pack.byte(INSTANCE);
        self.pack.id(instance.id.uuid());
        self.pack.key(&instance.key);
        self.pack.key(&instance.resource);
        self.pack.id(instance.resource_id.uuid());
        self.pack.key(&instance.tenant);
        self.pack.id(instance.tenant_id.uuid());
        self.attributes(&instance.attributes)?;
        self.pack.at(instance.created_at);
        self.pack.at(instance.updated_at);
        Ok(())
    }

    fn assignment(&mut self, assignment: &RoleAssignment) {
        self.pack.byte(ASSIGNMENT);
        self.pack.fresh_id(assignment.id.uuid());
        self.pack.user_key(&assignment.user);
        self.pack.id(assignment.user_id.uuid());
        self.pack.key(&assignment.role);
        self.pack.id(assignment.role_id.uuid());
        self.pack.key(&assignment.tenant);
        self.pack.id(assignment.tenant_id.uuid());
        self.pack.optional(assignment.instance.as_ref(), link);
        self.pack.optional(assignment.expires_at, Pack::at);
        self.pack.optional(assignment.origin, |pack, origin| pack.fresh_id(origin.uuid()));
        self.pack.at(assignment.created_at);
    }

    fn tuple(&mut self, tuple: &RelationshipTuple) {
        self.pack.byte(TUPLE);
        self.pack.fresh_id(tuple.id.uuid());
        link(&mut self.pack, &tuple.subject);
        self.pack.key(&tuple.relation);
        self.pack.id(tuple.relation_id.uuid());
        link(&mut self.pack, &tuple.object);
        self.pack.key(&tuple.tenant);
        self.pack.id(tuple.tenant_id.uuid());
        self.pack.at(tuple.created_at);
        self.pack.at(tuple.updated_at);
    }

    /// Most have none.
    fn attributes(&mut self, attributes: &Attributes) -> Result<(), StoreError> {
        if attributes.is_empty() {
            self.pack.text("");
        } else {
            self.pack.text(&payload::json(attributes)?);
        }
        Ok(())
    }
}

fn link(pack: &mut Pack, link: &InstanceLink) {
    pack.id(link.id.uuid());
    pack.key(&link.resource);
    pack.key(&link.key);
}

/// The changes that were spelled so.
///
/// # Errors
/// When the bytes are not what an [`Encoder`] gave.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Change>, StoreError> {
    let mut from = Bytes::new(bytes);
    let mut changes = Vec::new();
    while !from.is_empty() {
        changes.push(change(&mut from)?);
    }
    Ok(changes)
}

fn change(from: &mut Bytes<'_>) -> Result<Change, StoreError> {
    Ok(match from.byte()? {
        OTHER => {
            let kind = from.text()?;
            payload::decode(kind, from.text()?)?
        }
        USER => Change::PutUser(User {
            id: from.id()?,
            key: from.user_key()?,
            email: from.optional_text()?,
            first_name: from.optional_text()?,
            last_name: from.optional_text()?,
            attributes: attributes(from)?,
            created_at: from.at()?,
            updated_at: from.at()?,
        }),
        TENANT => Change::PutTenant(Tenant {
            id: from.id()?,
            key: from.key()?,
            name: from.text()?.to_owned(),
            description: from.optional_text()?,
            attributes: attributes(from)?,
            created_at: from.at()?,
            updated_at: from.at()?,
            last_action_at: from.at()?,
        }),
        INSTANCE => Change::PutInstance(Instance {
            id: from.id()?,
            key: from.key()?,
            resource: from.key()?,
            resource_id: from.id()?,
            tenant: from.key()?,
            tenant_id: from.id()?,
            attributes: attributes(from)?,
            created_at: from.at()?,
            updated_at: from.at()?,
        }),
        ASSIGNMENT => Change::PutAssignment(RoleAssignment {
            id: from.fresh_id()?,
            user: from.user_key()?,
            user_id: from.id()?,
            role: from.key()?,
            role_id: from.id()?,
            tenant: from.key()?,
            tenant_id: from.id()?,
            instance: from.optional(read_link)?,
            expires_at: from.optional(Bytes::at)?,
            origin: from.optional(Bytes::fresh_id)?,
            created_at: from.at()?,
        }),
        TUPLE => Change::PutTuple(RelationshipTuple {
            id: from.fresh_id()?,
            subject: read_link(from)?,
            relation: from.key()?,
            relation_id: from.id()?,
            object: read_link(from)?,
            tenant: from.key()?,
            tenant_id: from.id()?,
            created_at: from.at()?,
            updated_at: from.at()?,
        }),
        other => return Err(super::spoiled(format!("the kind is {other}"))),
    })
}

fn read_link(from: &mut Bytes<'_>) -> Result<InstanceLink, StoreError> {
    Ok(InstanceLink { id: from.id()?, resource: from.key()?, key: from.key()? })
}

fn attributes(from: &mut Bytes<'_>) -> Result<Attributes, StoreError> {
    match from.text()? {
        "" => Ok(Attributes::new()),
        text => serde_json::from_str(text).map_err(|e| super::spoiled(e.to_string())),
    }
}
