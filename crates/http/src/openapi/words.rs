//! The closed sets of words that models have, spelled by the domain itself.

use super::shapes::shape;
use askfirst_domain::{
    element::{ElementType, Level},
    invite::InviteStatus,
    request::{RequestKind, Status},
    schema::{AttributeType, SetKind},
    url_mapping::{AuthMechanism, Method},
};
use serde::Serialize;
use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

fn words<T: Serialize>(all: impl IntoIterator<Item = T>) -> Schema {
    let spelled = all.into_iter().filter_map(|word| serde_json::to_value(word).ok());
    let spelled: Vec<serde_json::Value> = spelled.collect();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(spelled)).build().into()
}

shape!(
    /// The type of an attribute.
    AttributeTypeWord as "AttributeType" = {
        use AttributeType::{Array, Bool, Json, Number, Object, ObjectArray, String, Time};
        words([Bool, Number, String, Time, Array, Json, Object, ObjectArray])
    }
);
shape!(
    /// What a condition set is a set of.
    SetKindWord as "ConditionSetType" = words([SetKind::Userset, SetKind::Resourceset])
);
shape!(
    /// An HTTP method that a mapping rule can be about.
    MethodWord as "Methods" = {
        use Method::{Delete, Get, Head, Options, Patch, Post, Put};
        words([Get, Post, Put, Patch, Delete, Head, Options])
    }
);
shape!(
    /// How a proxy would present its secret.
    AuthMechanismWord as "AuthMechanism" =
        words([AuthMechanism::Bearer, AuthMechanism::Basic, AuthMechanism::Headers])
);
shape!(
    /// Where an invitation stands.
    InviteStatusWord as "UserInviteStatus" = words([InviteStatus::Pending, InviteStatus::Approved])
);
shape!(
    /// What is asked for.
    RequestKindWord as "RequestType" = words([RequestKind::AccessRequest, RequestKind::OperationApproval])
);
shape!(
    /// Where a request stands.
    RequestStatusWord as "RequestStatus" =
        words([Status::Pending, Status::Approved, Status::Denied, Status::Canceled])
);
shape!(
    /// The kind of an element.
    ElementTypeWord as "ElementsType" = {
        use ElementType::{ApprovalFlow, ApprovalManagement, AuditLog, OperationApproval, UserManagement};
        words([UserManagement, AuditLog, ApprovalFlow, OperationApproval, ApprovalManagement])
    }
);
shape!(
    /// What a role may do in an element.
    LevelWord as "ElementsPermissionLevel" = {
        use Level::{Assignable, Hidden, Manager, Owner, Unconfigured, Viewer};
        words([Owner, Manager, Viewer, Assignable, Hidden, Unconfigured])
    }
);
