//! Changes: the only way in which an environment's state moves.
//!
//! The store writes them to the change log and to its tables in one transaction; every reader of the log (the live
//! snapshot, another replica) applies the same ones in the same order. A delete takes along what cannot stand without
//! the deleted thing, in the tables as in the graph, and says so here.

use crate::{
    Key, UserKey,
    agent::Agent,
    delegation::Delegation,
    element::Element,
    facts::{Instance, RelationshipTuple, RoleAssignment, Tenant, User},
    id::{
        AssignmentId, ConditionSetId, DelegationId, ElementId, InstanceId, InviteId, ProxyConfigId,
        RelationId, ResourceId, RoleId, SetRuleId, TenantId, TupleId, UserId,
    },
    invite::Invite,
    request::Request,
    schema::{ConditionSet, Relation, Resource, Role, SetRule},
    url_mapping::ProxyConfig,
};
use serde::{Deserialize, Serialize};

/// One change of one thing. `Put` writes the whole new state, whether or not the thing was there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    PutResource(Resource),
    /// Takes along its roles, relations (as object or subject), instances, and all their assignments and tuples.
    DeleteResource {
        id: ResourceId,
        key: Key,
    },
    PutRole(Role),
    /// Takes along its assignments. `resource` as in [`Role::resource`].
    DeleteRole {
        id: RoleId,
        key: Key,
        resource: Option<Key>,
    },
    PutRelation(Relation),
    /// Takes along its tuples.
    DeleteRelation {
        id: RelationId,
        key: Key,
        object_resource: Key,
    },
    PutElement(Element),
    DeleteElement {
        id: ElementId,
    },
    PutConditionSet(ConditionSet),
    /// Takes nothing along: a writer deletes what names it in the same commit.
    DeleteConditionSet {
        id: ConditionSetId,
        key: Key,
    },
    PutSetRule(SetRule),
    DeleteSetRule {
        id: SetRuleId,
    },
    PutProxyConfig(ProxyConfig),
    DeleteProxyConfig {
        id: ProxyConfigId,
    },
    /// An agent stays: what it has done names it.
    PutAgent(Agent),
    PutDelegation(Delegation),
    DeleteDelegation {
        id: DelegationId,
    },
    PutUser(User),
    /// Takes along the user's assignments.
    DeleteUser {
        id: UserId,
        key: UserKey,
    },
    PutTenant(Tenant),
    /// Takes along its instances, assignments and tuples.
    DeleteTenant {
        id: TenantId,
        key: Key,
    },
    PutInstance(Instance),
    /// Takes along assignments on it and tuples with it on either side.
    DeleteInstance {
        id: InstanceId,
        resource: Key,
        key: Key,
    },
    PutAssignment(RoleAssignment),
    /// Carries the whole assignment: readers of the log need its keys.
    DeleteAssignment(RoleAssignment),
    PutTuple(RelationshipTuple),
    /// Carries the whole tuple: readers of the log need its keys.
    DeleteTuple(RelationshipTuple),
    PutRequest(Box<Request>),
    PutInvite(Invite),
    DeleteInvite {
        id: InviteId,
    },
}

impl Change {
    /// Whether it is one of the schema, as [`Expect::SchemaAt`] means it.
    pub fn is_schema(&self) -> bool {
        matches!(
            self,
            Self::PutResource(_)
                | Self::DeleteResource { .. }
                | Self::PutRole(_)
                | Self::DeleteRole { .. }
                | Self::PutRelation(_)
                | Self::DeleteRelation { .. }
                | Self::PutElement(_)
                | Self::DeleteElement { .. }
                | Self::PutConditionSet(_)
                | Self::DeleteConditionSet { .. }
                | Self::PutSetRule(_)
                | Self::DeleteSetRule { .. }
                | Self::PutProxyConfig(_)
                | Self::DeleteProxyConfig { .. }
                | Self::PutAgent(_)
                | Self::PutDelegation(_)
                | Self::DeleteDelegation { .. }
        )
    }
}

/// What a writer believes about the state; a commit whose beliefs do not hold is refused whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// The thing is there (a user that a new assignment names).
    Exists(ObjectRef),
    /// The thing is there and was last written at this revision.
    AtRevision(ObjectRef, u64),
    /// The pending wish is not there yet: no pending request has this wish.
    NoPendingRequest { wish: String },
    /// No assignment of this role to this user in this tenant and on this instance is there.
    NoAssignment { user: UserId, role: RoleId, tenant: TenantId, instance: Option<InstanceId> },
    /// Nothing that the user's rights may rest on was taken away after this revision: none of their assignments was
    /// written, and no tuple, instance, tenant, resource or user was deleted. Whatever else was written only adds to them, or
    /// is of the schema.
    NothingTakenSince { user: UserId, revision: u64 },
    /// The schema (resources, roles, relations, elements, condition sets, set rules, agents, stand-ins) was last written at or before this revision.
    SchemaAt(u64),
}

/// A thing that an [`Expect`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectRef {
    User(UserId),
    Tenant(TenantId),
    Instance(InstanceId),
    Assignment(AssignmentId),
    Tuple(TupleId),
    Role(RoleId),
    Element(ElementId),
    Request(crate::id::RequestId),
    Invite(InviteId),
}
