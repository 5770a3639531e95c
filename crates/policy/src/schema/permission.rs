//! How permissions are written: `action` on a resource role, `resource:action` on a tenant role.

use super::{RoleName, SchemaError};
use askfirst_domain::{Key, schema::Permission};

/// Reads one permission of `role`.
///
/// # Errors
/// [`SchemaError::PrefixedPermission`], [`SchemaError::BarePermission`], [`SchemaError::MalformedPermission`].
pub fn parse_permission(role: &RoleName, text: &str) -> Result<Permission, SchemaError> {
    let key = |part: &str| {
        part.parse::<Key>()
            .map_err(|cause| SchemaError::MalformedPermission { permission: text.to_owned(), cause })
    };
    match (&role.resource, text.split_once(':')) {
        (Some(resource), None) => Ok(Permission { resource: resource.clone(), action: key(text)? }),
        (Some(resource), Some((_, action))) => Err(SchemaError::PrefixedPermission {
            role: role.clone(),
            permission: text.to_owned(),
            bare: action.to_owned(),
            resource: resource.clone(),
        }),
        (None, Some((resource, action))) => Ok(Permission { resource: key(resource)?, action: key(action)? }),
        (None, None) => Err(SchemaError::BarePermission { role: role.clone(), permission: text.to_owned() }),
    }
}

/// Reads all permissions of `role`, without repeats, in the order in which they are written.
///
/// # Errors
/// As [`parse_permission`], for the first that is wrong.
pub fn parse_permissions<S: AsRef<str>>(
    role: &RoleName,
    texts: &[S],
) -> Result<Vec<Permission>, SchemaError> {
    let mut permissions = Vec::with_capacity(texts.len());
    for text in texts {
        let permission = parse_permission(role, text.as_ref())?;
        if !permissions.contains(&permission) {
            permissions.push(permission);
        }
    }
    Ok(permissions)
}
