//! What the policy's refusals of a schema write are to a caller.

use crate::error::{Error, Kind, sentence};
use askfirst_domain::schema::Role;
use askfirst_policy::SchemaError;

impl From<SchemaError> for Error {
    fn from(error: SchemaError) -> Self {
        Self::new(kind_of(&error), sentence(&error.to_string()))
    }
}

/// As the conversion; a resource that only a permission of the role names is a missing permission.
pub(crate) fn of_role(role: &Role, error: SchemaError) -> Error {
    if let SchemaError::UnknownResource { resource, .. } = &error
        && role.permissions.iter().any(|p| p.resource == *resource)
    {
        return Error::new(Kind::MissingPermissions, sentence(&error.to_string()));
    }
    error.into()
}

fn kind_of(error: &SchemaError) -> Kind {
    match error {
        SchemaError::MissingPermissions { .. }
        | SchemaError::PrefixedPermission { .. }
        | SchemaError::ForeignPermission { .. } => Kind::MissingPermissions,
        SchemaError::BarePermission { .. } | SchemaError::MalformedPermission { .. } => {
            Kind::PermissionFormat
        }
        SchemaError::UnknownResource { .. }
        | SchemaError::UnknownExtendedRole { .. }
        | SchemaError::UnknownSourceRole { .. }
        | SchemaError::UnknownRelation { .. }
        | SchemaError::UnknownSubject { .. }
        | SchemaError::UnknownLevelRole { .. }
        | SchemaError::UnknownParentSet { .. }
        | SchemaError::UnknownRuleAction { .. }
        | SchemaError::UnknownRuleSet { .. }
        | SchemaError::UnknownRuleRole { .. }
        | SchemaError::UnknownGroupAction { .. } => Kind::NotFound,
        SchemaError::ForeignRelation { .. } => Kind::RelationMismatch,
        _ => Kind::Invalid,
    }
}
