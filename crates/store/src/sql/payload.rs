//! How a change stands in the log: its kind in a column, the rest as JSON. The spelling is the log's own and stays,
//! whatever becomes of the types; a kind that is here is never taken away.

pub(crate) use super::put::json;
use crate::StoreError;
use askfirst_domain::{Key, UserKey, change::Change};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What a delete names.
#[derive(Serialize, Deserialize)]
struct Gone<I, K> {
    id: I,
    key: K,
}

/// What a delete names that belongs to a resource.
#[derive(Serialize, Deserialize)]
struct GoneFrom<I, R> {
    id: I,
    key: Key,
    resource: R,
}

#[derive(Serialize, Deserialize)]
struct GoneId<I> {
    id: I,
}

/// The kind and the payload of a change.
pub(crate) fn encode(change: &Change) -> Result<(&'static str, String), StoreError> {
    Ok(match change {
        Change::PutResource(x) => ("put_resource", json(x)?),
        Change::DeleteResource { id, key } => ("delete_resource", json(&Gone { id, key })?),
        Change::PutRole(x) => ("put_role", json(x)?),
        Change::DeleteRole { id, key, resource } => {
            ("delete_role", json(&GoneFrom { id, key: key.clone(), resource })?)
        }
        Change::PutRelation(x) => ("put_relation", json(x)?),
        Change::DeleteRelation { id, key, object_resource } => {
            ("delete_relation", json(&GoneFrom { id, key: key.clone(), resource: object_resource })?)
        }
        Change::PutElement(x) => ("put_element", json(x)?),
        Change::DeleteElement { id } => ("delete_element", json(&GoneId { id })?),
        Change::PutConditionSet(x) => ("put_condition_set", json(x)?),
        Change::DeleteConditionSet { id, key } => ("delete_condition_set", json(&Gone { id, key })?),
        Change::PutSetRule(x) => ("put_set_rule", json(x)?),
        Change::DeleteSetRule { id } => ("delete_set_rule", json(&GoneId { id })?),
        Change::PutProxyConfig(x) => ("put_proxy_config", json(x)?),
        Change::DeleteProxyConfig { id } => ("delete_proxy_config", json(&GoneId { id })?),
        Change::PutAgent(x) => ("put_agent", json(x)?),
        Change::PutDelegation(x) => ("put_delegation", json(x)?),
        Change::DeleteDelegation { id } => ("delete_delegation", json(&GoneId { id })?),
        Change::PutUser(x) => ("put_user", json(x)?),
        Change::DeleteUser { id, key } => ("delete_user", json(&Gone { id, key })?),
        Change::PutTenant(x) => ("put_tenant", json(x)?),
        Change::DeleteTenant { id, key } => ("delete_tenant", json(&Gone { id, key })?),
        Change::PutInstance(x) => ("put_instance", json(x)?),
        Change::DeleteInstance { id, resource, key } => {
            ("delete_instance", json(&GoneFrom { id, key: key.clone(), resource })?)
        }
        Change::PutAssignment(x) => ("put_assignment", json(x)?),
        Change::DeleteAssignment(x) => ("delete_assignment", json(x)?),
        Change::PutTuple(x) => ("put_tuple", json(x)?),
        Change::DeleteTuple(x) => ("delete_tuple", json(x)?),
        Change::PutRequest(x) => ("put_request", json(x)?),
        Change::PutInvite(x) => ("put_invite", json(x)?),
        Change::DeleteInvite { id } => ("delete_invite", json(&GoneId { id })?),
    })
}

/// The change that was encoded so.
pub(crate) fn decode(kind: &str, payload: &str) -> Result<Change, StoreError> {
    Ok(match kind {
        "put_resource" => Change::PutResource(read(payload)?),
        "delete_resource" => {
            let Gone { id, key } = read(payload)?;
            Change::DeleteResource { id, key }
        }
        "put_role" => Change::PutRole(read(payload)?),
        "delete_role" => {
            let GoneFrom { id, key, resource } = read(payload)?;
            Change::DeleteRole { id, key, resource }
        }
        "put_relation" => Change::PutRelation(read(payload)?),
        "delete_relation" => {
            let GoneFrom { id, key, resource } = read(payload)?;
            Change::DeleteRelation { id, key, object_resource: resource }
        }
        "put_element" => Change::PutElement(read(payload)?),
        "delete_element" => Change::DeleteElement { id: read::<GoneId<_>>(payload)?.id },
        "put_condition_set" => Change::PutConditionSet(read(payload)?),
        "delete_condition_set" => {
            let Gone { id, key } = read(payload)?;
            Change::DeleteConditionSet { id, key }
        }
        "put_set_rule" => Change::PutSetRule(read(payload)?),
        "delete_set_rule" => Change::DeleteSetRule { id: read::<GoneId<_>>(payload)?.id },
        "put_proxy_config" => Change::PutProxyConfig(read(payload)?),
        "delete_proxy_config" => Change::DeleteProxyConfig { id: read::<GoneId<_>>(payload)?.id },
        "put_agent" => Change::PutAgent(read(payload)?),
        "put_delegation" => Change::PutDelegation(read(payload)?),
        "delete_delegation" => Change::DeleteDelegation { id: read::<GoneId<_>>(payload)?.id },
        "put_user" => Change::PutUser(read(payload)?),
        "delete_user" => {
            let Gone { id, key } = read::<Gone<_, UserKey>>(payload)?;
            Change::DeleteUser { id, key }
        }
        "put_tenant" => Change::PutTenant(read(payload)?),
        "delete_tenant" => {
            let Gone { id, key } = read(payload)?;
            Change::DeleteTenant { id, key }
        }
        "put_instance" => Change::PutInstance(read(payload)?),
        "delete_instance" => {
            let GoneFrom { id, key, resource } = read(payload)?;
            Change::DeleteInstance { id, resource, key }
        }
        "put_assignment" => Change::PutAssignment(read(payload)?),
        "delete_assignment" => Change::DeleteAssignment(read(payload)?),
        "put_tuple" => Change::PutTuple(read(payload)?),
        "delete_tuple" => Change::DeleteTuple(read(payload)?),
        "put_request" => Change::PutRequest(read(payload)?),
        "put_invite" => Change::PutInvite(read(payload)?),
        "delete_invite" => Change::DeleteInvite { id: read::<GoneId<_>>(payload)?.id },
        other => return Err(corrupt(format!("this version does not know the kind `{other}`"))),
    })
}

fn read<T: DeserializeOwned>(payload: &str) -> Result<T, StoreError> {
    serde_json::from_str(payload).map_err(|e| corrupt(e.to_string()))
}

fn corrupt(detail: String) -> StoreError {
    StoreError::Corrupt { what: "change", detail }
}
