//! What lists can be narrowed by. An empty filter lists everything.

use askfirst_domain::{
    Key, Timestamp,
    facts::InstanceRef,
    id::{ElementId, InstanceId, RequestId, RoleId, TenantId, UserId},
    invite::InviteStatus,
    request::{Request, RequestKind, Status},
};

/// Which part of a list: skips `offset`, gives `limit` at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub offset: u64,
    pub limit: u32,
}

impl Page {
    /// Everything. For lists that are known to be short.
    pub const ALL: Self = Self { offset: 0, limit: u32::MAX };
}

/// Part of a list, and how long the whole is.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    pub total: u64,
}

/// Narrows users.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Part of the key, e-mail address or name, in any case.
    pub search: Option<String>,
    /// Who has an assignment in the tenant; with the tenant `default` everybody.
    pub tenant: Option<TenantId>,
    pub ids: Option<Vec<UserId>>,
}

/// Narrows tenants.
#[derive(Debug, Clone, Default)]
pub struct TenantFilter {
    /// Part of the key or name, in any case.
    pub search: Option<String>,
}

/// Narrows instances.
#[derive(Debug, Clone, Default)]
pub struct InstanceFilter {
    pub tenant: Option<TenantId>,
    pub resource: Option<Key>,
    /// Part of the key, in any case.
    pub search: Option<String>,
    pub ids: Option<Vec<InstanceId>>,
}

/// Narrows role assignments. Each list means "one of these"; an empty list matches nothing.
#[derive(Debug, Clone, Default)]
pub struct AssignmentFilter {
    pub users: Option<Vec<UserId>>,
    pub roles: Option<Vec<RoleId>>,
    pub tenants: Option<Vec<TenantId>>,
    /// Assignments on instances of this resource.
    pub resource: Option<Key>,
    pub instance: Option<InstanceId>,
}

/// Narrows relationship tuples.
#[derive(Debug, Clone, Default)]
pub struct TupleFilter {
    pub tenant: Option<TenantId>,
    pub subject: Option<InstanceId>,
    pub relation: Option<Key>,
    pub object: Option<InstanceId>,
    /// The object's resource.
    pub object_resource: Option<Key>,
    /// The subject's resource.
    pub subject_resource: Option<Key>,
}

/// Narrows requests.
#[derive(Debug, Clone, Default)]
pub struct RequestFilter {
    pub kind: Option<RequestKind>,
    pub elements: Option<Vec<ElementId>>,
    pub standing: Option<Standing>,
    /// Those that end by themselves, or what they gave does, at this moment or before; the first to end first.
    pub ends_by: Option<Timestamp>,
    /// Those of which further reviewers are to be told at this moment or before; the first to be told first. Not with `ends_by`.
    pub escalates_by: Option<Timestamp>,
    pub requester: Option<UserId>,
    pub tenant: Option<TenantId>,
    pub role: Option<RoleId>,
    pub resource: Option<Key>,
    pub instance: Option<InstanceId>,
    /// Those that were taken in an emergency and that nobody has looked at since, or all.
    pub emergencies: Emergencies,
}

/// Whether a list holds nothing but what was taken in an emergency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Emergencies {
    #[default]
    AndOthers,
    /// What nobody has looked at yet.
    Unlooked,
}

/// A place where requests are looked for. One that is not there (any more) holds none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Spot {
    /// What this user asked for.
    AskedBy(UserId),
    /// What was asked for through the element in the tenant.
    InTenant { element: ElementId, tenant: Key },
    /// What was asked for through the element about the instance.
    OnInstance { element: ElementId, instance: InstanceRef },
    /// Operation approvals about the instance, through whichever element.
    Operations { instance: InstanceRef },
}

/// Which part of requests that are read newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Older {
    /// Those older than the one at this place; none: from the newest.
    pub than: Option<u64>,
    pub most: u32,
}

/// A request and its place in the order of creation.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub place: u64,
    pub request: Request,
}

/// Requests that stand in one of these ways at a moment; an empty list matches nothing.
#[derive(Debug, Clone)]
pub struct Standing {
    pub statuses: Vec<Status>,
    /// What is pending and has ended by then counts as expired.
    pub now: Timestamp,
}

impl Standing {
    /// Requests of one status.
    pub fn only(status: Status, now: Timestamp) -> Self {
        Self { statuses: vec![status], now }
    }
}

/// Narrows invitations.
#[derive(Debug, Clone, Default)]
pub struct InviteFilter {
    pub status: Option<InviteStatus>,
    pub role: Option<RoleId>,
    pub tenant: Option<TenantId>,
}

/// Narrows audit events.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub request: Option<RequestId>,
    /// A code such as `request.approved`, or the part before the dot.
    pub code: Option<String>,
}
