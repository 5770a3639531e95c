//! Typed ids: a UUID that knows what it names, so that a user's id can't be given where a role's is wanted.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, marker::PhantomData, str::FromStr};
use uuid::Uuid;

/// The id of a `K`: a UUID on the wire (hyphenated), typed in the code.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// Takes a UUID as the id of a `K`; the caller says that it is one.
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The bare UUID.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<K> FromStr for Id<K> {
    type Err = uuid::Error;
    /// Reads a UUID, hyphenated or as 32 hexadecimal digits.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self::new)
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}
impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Uuid::deserialize(d).map(Self::new)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $alias:ident;)*) => {
        /// What an [`Id`] can name. The kinds have no values.
        pub mod kind {
            $($(#[$doc])* #[derive(Debug)] pub enum $kind {})*
        }
        $($(#[$doc])* pub type $alias = Id<kind::$kind>;)*
    };
}

kinds! {
    /// A role's derivation block or an action inside a resource.
    Action = ActionId;
    /// A named list of actions of a resource.
    ActionGroup = ActionGroupId;
    /// A registered agent.
    Agent = AgentId;
    /// An API key.
    ApiKey = ApiKeyId;
    /// A role assignment.
    Assignment = AssignmentId;
    /// A user set or a resource set.
    ConditionSet = ConditionSetId;
    /// Somebody who stands in for somebody.
    Delegation = DelegationId;
    /// A logged decision.
    Decision = DecisionId;
    /// A resource attribute.
    Attribute = AttributeId;
    /// An audit event.
    AuditEvent = AuditEventId;
    /// An element configuration.
    Element = ElementId;
    /// An environment.
    Env = EnvId;
    /// A resource instance.
    Instance = InstanceId;
    /// An invitation to become a user.
    Invite = InviteId;
    /// A one-time sign-in link.
    Link = LinkId;
    /// An organisation.
    Org = OrgId;
    /// A project.
    Project = ProjectId;
    /// A named list of URL mapping rules.
    ProxyConfig = ProxyConfigId;
    /// A relation between two resources.
    Relation = RelationId;
    /// An access request or operation approval.
    Request = RequestId;
    /// A resource (a type of thing).
    Resource = ResourceId;
    /// A tenant role or a resource role.
    Role = RoleId;
    /// A signed-in human's or element's session.
    Session = SessionId;
    /// A rule over condition sets.
    SetRule = SetRuleId;
    /// A tenant.
    Tenant = TenantId;
    /// A relationship tuple.
    Tuple = TupleId;
    /// A user.
    User = UserId;
    /// A webhook that an environment sets by itself.
    Webhook = WebhookId;
}
