//! Names of things, and where new names come from.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_id!(
    /// One conversation, chosen by the caller. Everything durable belongs to a thread.
    ThreadId
);
text_id!(
    /// One saved state of a thread.
    CheckpointId
);
text_id!(
    /// One node to run from one checkpoint. The same after a restart, so results can be kept under it.
    TaskId
);
text_id!(
    /// One question to a human. It is made from the task, the key and the digest of what was shown:
    /// a changed question has another id, and an answer to the old one does not fit it.
    InterruptId
);

/// Where fresh ids come from: messages without an id and new checkpoints take one.
pub trait IdSource: Send + Sync + fmt::Debug {
    /// An id that this source has not given before.
    fn next_id(&self) -> String;
}

/// Random ids (UUID version 4), for production.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the agent's one source of random ids, injected by the caller"
    )]
    fn next_id(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }
}

/// `prefix-1`, `prefix-2`, ...: for tests and goldens. Two sources that write to one thread need
/// different prefixes.
#[derive(Debug)]
pub struct SequentialIds {
    prefix: String,
    last: AtomicU64,
}

impl SequentialIds {
    /// Starts at `prefix-1`.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), last: AtomicU64::new(0) }
    }
}

impl IdSource for SequentialIds {
    fn next_id(&self) -> String {
        format!("{}-{}", self.prefix, self.last.fetch_add(1, Ordering::Relaxed) + 1)
    }
}
