//! From rows to the words of the domain. Each function reads the columns that its table names.

use super::{Cells, Row, payload};
use crate::{ChangeRecord, Head, Placed, Position, StoreError, Unsigned, Versioned};
use askfirst_domain::{
    audit::{AuditEvent, ChainHead, ChainId, Entry, HeadStatement, PublicKey, SignedHead},
    change::Change,
    facts::{Instance, InstanceLink, RelationshipTuple, RoleAssignment, Tenant, User},
    invite::Invite,
    request::Request,
    scope::{ApiKey, OpenedWith, PasswordHash, Session, SessionKind, SignInLink},
    webhook::{Webhook, WebhookSecret},
};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

pub(crate) fn user<R: Row>(row: &R) -> Result<Versioned<User>, StoreError> {
    let mut c = Cells::of("user", row);
    let value = User {
        id: c.id()?,
        key: c.parsed()?,
        email: c.opt_text()?,
        first_name: c.opt_text()?,
        last_name: c.opt_text()?,
        attributes: c.attributes()?,
        created_at: c.at()?,
        updated_at: c.at()?,
    };
    Ok(Versioned { value, revision: c.whole()? })
}

pub(crate) fn tenant<R: Row>(row: &R) -> Result<Versioned<Tenant>, StoreError> {
    let mut c = Cells::of("tenant", row);
    let value = Tenant {
        id: c.id()?,
        key: c.parsed()?,
        name: c.text()?,
        description: c.opt_text()?,
        attributes: c.attributes()?,
        created_at: c.at()?,
        updated_at: c.at()?,
        last_action_at: c.at()?,
    };
    Ok(Versioned { value, revision: c.whole()? })
}

pub(crate) fn instance<R: Row>(row: &R) -> Result<Versioned<Instance>, StoreError> {
    let mut c = Cells::of("instance", row);
    let value = Instance {
        id: c.id()?,
        key: c.parsed()?,
        resource: c.parsed()?,
        resource_id: c.id()?,
        tenant: c.parsed()?,
        tenant_id: c.id()?,
        attributes: c.attributes()?,
        created_at: c.at()?,
        updated_at: c.at()?,
    };
    Ok(Versioned { value, revision: c.whole()? })
}

pub(crate) fn assignment<R: Row>(row: &R) -> Result<Versioned<RoleAssignment>, StoreError> {
    let mut c = Cells::of("role assignment", row);
    let value = RoleAssignment {
        id: c.id()?,
        user: c.parsed()?,
        user_id: c.id()?,
        role: c.parsed()?,
        role_id: c.id()?,
        tenant: c.parsed()?,
        tenant_id: c.id()?,
        instance: match (c.opt_id()?, c.opt_parsed()?, c.opt_parsed()?) {
            (Some(id), Some(resource), Some(key)) => Some(InstanceLink { id, resource, key }),
            _ => None,
        },
        expires_at: c.opt_at()?,
        origin: c.opt_id()?,
        created_at: c.at()?,
    };
    Ok(Versioned { value, revision: c.whole()? })
}

pub(crate) fn tuple<R: Row>(row: &R) -> Result<Versioned<RelationshipTuple>, StoreError> {
    let mut c = Cells::of("relationship tuple", row);
    let value = RelationshipTuple {
        id: c.id()?,
        subject: InstanceLink { id: c.id()?, resource: c.parsed()?, key: c.parsed()? },
        relation: c.parsed()?,
        relation_id: c.id()?,
        object: InstanceLink { id: c.id()?, resource: c.parsed()?, key: c.parsed()? },
        tenant: c.parsed()?,
        tenant_id: c.id()?,
        created_at: c.at()?,
        updated_at: c.at()?,
    };
    Ok(Versioned { value, revision: c.whole()? })
}

pub(crate) fn request<R: Row>(row: &R) -> Result<Versioned<Request>, StoreError> {
    let mut c = Cells::of("request", row);
    Ok(Versioned { value: c.json()?, revision: c.whole()? })
}

/// A request behind its place.
pub(crate) fn placed_request<R: Row>(row: &R) -> Result<Placed, StoreError> {
    let mut c = Cells::of("request", row);
    Ok(Placed { place: c.whole()?, request: c.json()? })
}

pub(crate) fn invite<R: Row>(row: &R) -> Result<Versioned<Invite>, StoreError> {
    let mut c = Cells::of("invite", row);
    Ok(Versioned { value: c.json()?, revision: c.whole()? })
}

/// A resource, role, relation, element, condition set, set rule, proxy config, agent or stand-in, as the change that puts it there.
pub(crate) fn schema_object<R: Row>(row: &R) -> Result<Change, StoreError> {
    let mut c = Cells::of("schema object", row);
    match c.text()?.as_str() {
        "resource" => c.json().map(Change::PutResource),
        "role" => c.json().map(Change::PutRole),
        "relation" => c.json().map(Change::PutRelation),
        "element" => c.json().map(Change::PutElement),
        "condition_set" => c.json().map(Change::PutConditionSet),
        "set_rule" => c.json().map(Change::PutSetRule),
        "proxy_config" => c.json().map(Change::PutProxyConfig),
        "agent" => c.json().map(Change::PutAgent),
        "delegation" => c.json().map(Change::PutDelegation),
        other => Err(StoreError::Corrupt { what: "schema object", detail: format!("the kind is `{other}`") }),
    }
}

/// `body, secret`.
pub(crate) fn webhook<R: Row>(row: &R) -> Result<Webhook, StoreError> {
    let mut c = Cells::of("webhook", row);
    let webhook: Webhook = c.json()?;
    Ok(Webhook { secret: WebhookSecret::new(c.text()?), ..webhook })
}

/// `epoch, head_revision`.
pub(crate) fn head<R: Row>(row: &R) -> Result<Head, StoreError> {
    let mut c = Cells::of("head", row);
    Ok(Head { epoch: c.uuid()?, revision: c.whole()? })
}

/// `id, epoch, number, events`; see `read::position`.
pub(crate) fn position<R: Row>(rows: &[R]) -> Result<Position, StoreError> {
    let mut position = Position { directory: 0, heads: BTreeMap::new(), events: BTreeMap::new() };
    for row in rows {
        let mut c = Cells::of("position", row);
        match (c.opt_id()?, c.opt_uuid()?) {
            (Some(env), Some(epoch)) => {
                position.heads.insert(env, Head { epoch, revision: c.whole()? });
                position.events.insert(env, c.whole()?);
            }
            _ => position.directory = c.whole()?,
        }
    }
    Ok(position)
}

/// `version` of the directory.
pub(crate) fn directory<R: Row>(row: &R) -> Result<u64, StoreError> {
    Cells::of("directory", row).whole()
}

/// `revision, seq, at, actor, kind, payload`.
pub(crate) fn change<R: Row>(row: &R) -> Result<ChangeRecord, StoreError> {
    let mut c = Cells::of("change", row);
    Ok(ChangeRecord {
        revision: c.whole()?,
        seq: u32::try_from(c.int()?)
            .map_err(|e| StoreError::Corrupt { what: "change", detail: e.to_string() })?,
        at: c.at()?,
        actor: c.json()?,
        change: payload::decode(c.str()?, c.str()?)?,
    })
}

/// `n, hash, body, private`, of an audit event.
pub(crate) fn audit_entry<R: Row>(row: &R) -> Result<Entry, StoreError> {
    let mut c = Cells::of("audit event", row);
    Ok(Entry { n: c.whole()?, hash: c.hash()?, body: c.text()?, private: c.json()? })
}

/// As [`audit_entry`], for reading.
pub(crate) fn audit_event<R: Row>(row: &R) -> Result<AuditEvent, StoreError> {
    let event = audit_entry(row)?.event();
    event.map_err(|e| StoreError::Corrupt { what: "audit event", detail: e.to_string() })
}

/// `n, hash`.
pub(crate) fn chain_head<R: Row>(row: &R) -> Result<ChainHead, StoreError> {
    let mut c = Cells::of("head of an audit log", row);
    Ok(ChainHead { n: c.whole()?, hash: c.hash()? })
}

/// `env, n, epoch, installation, hash, at, key, signature`.
pub(crate) fn signed_head<R: Row>(row: &R) -> Result<SignedHead, StoreError> {
    let mut c = Cells::of("signed head", row);
    let (env, n, epoch, installation) = (c.uuid()?, c.whole()?, c.uuid()?, c.uuid()?);
    let (hash, at) = (c.hash()?, c.at()?);
    let env = ChainId::from_uuid(env);
    let statement = HeadStatement { installation, env, epoch, n, hash, at };
    Ok(SignedHead { statement, key: c.text()?.into(), signature: c.text()? })
}

/// `public`.
pub(crate) fn audit_key<R: Row>(row: &R) -> Result<PublicKey, StoreError> {
    let bytes = Cells::of("audit key", row).bytes()?;
    PublicKey::from_bytes(&bytes)
        .map_err(|e| StoreError::Corrupt { what: "audit key", detail: e.to_string() })
}

/// `env, n, hash, signed, epoch`; see `audit::unsigned`.
pub(crate) fn unsigned<R: Row>(row: &R) -> Result<Unsigned, StoreError> {
    let mut c = Cells::of("head of an audit log", row);
    Ok(Unsigned {
        chain: ChainId::from_uuid(c.uuid()?),
        head: ChainHead { n: c.whole()?, hash: c.hash()? },
        signed: c.whole()?,
        epoch: c.opt_uuid()?.unwrap_or_default(),
    })
}

/// `body`, of whatever is kept whole.
pub(crate) fn body<T: DeserializeOwned, R: Row>(what: &'static str, row: &R) -> Result<T, StoreError> {
    Cells::of(what, row).json()
}

pub(crate) fn api_key<R: Row>(row: &R) -> Result<ApiKey, StoreError> {
    let mut c = Cells::of("API key", row);
    Ok(ApiKey {
        id: c.id()?,
        org: c.id()?,
        scope: c.json()?,
        name: c.opt_text()?,
        secret_hash: c.text()?,
        created_at: c.at()?,
        expires_at: c.opt_at()?,
        revoked_at: c.opt_at()?,
    })
}

pub(crate) fn session<R: Row>(row: &R) -> Result<Session, StoreError> {
    let mut c = Cells::of("session", row);
    Ok(Session {
        id: c.id()?,
        env: c.id()?,
        kind: match c.text()?.as_str() {
            "browser" => SessionKind::Browser,
            "element" => SessionKind::Element,
            other => {
                return Err(StoreError::Corrupt {
                    what: "session",
                    detail: format!("the kind is `{other}`"),
                });
            }
        },
        user: c.id()?,
        tenant: c.opt_id()?,
        token_hash: c.text()?,
        opened_with: match c.opt_text()?.as_deref() {
            None => None,
            Some("link") => Some(OpenedWith::Link),
            Some("password") => Some(OpenedWith::Password),
            Some("oidc") => Some(OpenedWith::Oidc),
            Some(other) => {
                return Err(StoreError::Corrupt {
                    what: "session",
                    detail: format!("it was opened with `{other}`"),
                });
            }
        },
        created_at: c.at()?,
        expires_at: c.at()?,
    })
}

pub(crate) fn password<R: Row>(row: &R) -> Result<PasswordHash, StoreError> {
    let mut c = Cells::of("password", row);
    Ok(PasswordHash { env: c.id()?, user: c.id()?, hash: c.text()?, changed_at: c.at()? })
}

pub(crate) fn link<R: Row>(row: &R) -> Result<SignInLink, StoreError> {
    let mut c = Cells::of("sign-in link", row);
    Ok(SignInLink {
        id: c.id()?,
        env: c.id()?,
        user: c.id()?,
        token_hash: c.text()?,
        created_at: c.at()?,
        expires_at: c.at()?,
    })
}
