//! The one error of the use cases: a kind, and one sentence for whoever asked. Transports translate the kind; what went
//! wrong inside is kept for the log and never shown.

use askfirst_domain::{KeyError, request::Refusal};
use askfirst_store::{CommitError, StoreError};
use std::fmt;

/// What kind of failure it is; each transport has its own code for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No credential, or one that opens nothing.
    Unauthenticated,
    /// A good credential that does not reach this.
    Forbidden,
    /// A signed-in user whose level in an element is too weak for this.
    PermissionLevel,
    /// There is no such thing (or it is not to be known).
    NotFound,
    /// The key is taken.
    Duplicate,
    /// The state does not allow it (any more).
    Conflict,
    /// The input is wrong.
    Invalid,
    /// A permission that the policy does not know.
    MissingPermissions,
    /// A permission that is not written as it must be.
    PermissionFormat,
    /// An environment without keys that tokens of front-ends could be held against.
    Jwks,
    /// Two instances of different tenants.
    TenantMismatch,
    /// A tuple that does not fit its relation.
    RelationMismatch,
    /// A page or a bulk operation that is too large.
    TooLarge,
    /// Try again later.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// A failed use case.
pub struct Error {
    kind: Kind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What every use case answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of a kind with its sentence.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// There is no such thing in the environment; `what` is its kind, `ident` what the caller wrote.
    pub fn not_found(what: &str, ident: impl fmt::Display) -> Self {
        Self::new(Kind::NotFound, format!("There is no {what} `{ident}` in this environment."))
    }

    /// Wrong input.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// Not allowed.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, message)
    }

    /// The state does not allow it.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// A key is taken.
    pub fn duplicate(what: &str, key: impl fmt::Display) -> Self {
        let article = if what.starts_with(['a', 'e', 'i', 'o']) { "An" } else { "A" };
        Self::new(Kind::Duplicate, format!("{article} {what} with the key `{key}` already exists."))
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The sentence for the caller. Holds nothing of the inside.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            kind: Kind::Internal,
            message:
                "Something failed on our side; nothing was changed. Try again, and look at the server's log."
                    .to_owned(),
            source: Some(Box::new(source)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("source", &self.source)
            .finish()
    }
}
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Nul => Self::invalid(sentence(&error.to_string())),
            other => Self::internal(other),
        }
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            // The connection may have been lost while the database wrote.
            CommitError::Store(StoreError::Database { .. }) => Self {
                message: "The database failed, and it is not known whether this was written; read it again before you \
                          write it again."
                    .to_owned(),
                ..Self::internal(error)
            },
            CommitError::Duplicate { what } => {
                Self::new(Kind::Duplicate, sentence(&format!("{what} already exists")))
            }
            CommitError::NoSuchEnvironment(env) => {
                Self::new(Kind::NotFound, format!("There is no environment `{env}`."))
            }
            CommitError::Conflict(_) => {
                Self::conflict("Somebody else changed this at the same moment; read it again and retry.")
            }
            CommitError::Store(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::invalid(sentence(&error.to_string()))
    }
}

impl From<askfirst_domain::delegation::DelegationError> for Error {
    fn from(error: askfirst_domain::delegation::DelegationError) -> Self {
        Self::invalid(sentence(&error.to_string()))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let kind = match &refusal {
            Refusal::AlreadyDecided { .. }
            | Refusal::Expired { .. }
            | Refusal::NotApproved { .. }
            | Refusal::Uncounted { .. }
            | Refusal::TooManyQuestions
            | Refusal::LookedAt { .. }
            | Refusal::NothingAsked(_)
            | Refusal::Over { .. }
            | Refusal::OutcomeKnown(_) => Kind::Conflict,
            Refusal::NoSuchUse(_) => Kind::NotFound,
            Refusal::SelfReview { .. } | Refusal::NotTheRequester { .. } | Refusal::NotAsked { .. } => {
                Kind::Forbidden
            }
            Refusal::FixedRole
            | Refusal::UnknownStatus(_)
            | Refusal::NotSpendable
            | Refusal::LongerThanAsked { .. }
            | Refusal::NoCall
            | Refusal::NoEmergency { .. }
            | Refusal::Call(_) => Kind::Invalid,
        };
        Self::new(kind, sentence(&refusal.to_string()))
    }
}

/// Makes a message of the inner crates (lower case, no full stop) into a sentence.
pub(crate) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let head: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{head}{}.", chars.as_str().trim_end_matches('.'))
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::internal(error)
    }
}

impl From<askfirst_domain::binding::CallError> for Error {
    fn from(error: askfirst_domain::binding::CallError) -> Self {
        Self::from(Refusal::from(error))
    }
}

impl From<crate::context::EntropyError> for Error {
    fn from(error: crate::context::EntropyError) -> Self {
        Self::internal(error)
    }
}
