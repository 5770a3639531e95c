//! Policy: who may do what to which thing, why, why not, and which role would change that.
//!
//! A [`Snapshot`] holds the schema and the facts of one environment at one moment. It is immutable: changes give a new
//! one that shares whatever they did not touch, so readers take no lock. It answers [`Snapshot::check`] and
//! [`Snapshot::is_allowed`] for one question, and [`Snapshot::roles_on`], [`Snapshot::holders`] and
//! [`Snapshot::places`] for lists. A [`Schema`] is the directory inside it, and says what may be written.
//!
//! # What a check means
//!
//! - **The tenant.** A known instance has one tenant, and that is the question's. A question that names another is
//!   denied ([`DenialCause::TenantMismatch`]). Without an instance, or with one that is not known (yet), the tenant is
//!   the one that the question names, or `default`.
//! - **Tenant roles** permit `resource:action` for everything in that tenant, known or not.
//! - **Resource roles** permit actions of their resource on the instance where they are held.
//! - **`extends`** gives a role all that another role of the same scope has, through any number of steps: whoever holds
//!   `owner`, which extends `editor`, effectively holds `editor` too, also as the source of a derivation.
//! - **Derivations.** When a role D on resource O is granted to role R on resource S over relation r, then whoever
//!   effectively holds R on `s` effectively holds D on `o` for every tuple `s r o`. Derived roles derive further.
//! - **`no_direct_roles_on_object`**, on a derivation block or on one rule, switches that off for users who were given
//!   any role on `o` itself (one that has not ended). Tenant roles are not roles on `o`.
//! - **Expiry.** An assignment whose `expires_at` is `now` or earlier counts for nothing, not even against
//!   `no_direct_roles_on_object`.
//! - **Cycles** in tuples and in `extends` are legal and walked once. A chain has at most
//!   [`Snapshot::with_max_depth`] derivations (32 by default); a walk that was cut off there without finding a grant
//!   denies with [`DenialCause::TooDeep`].
//! - **Rules over condition sets** are asked when no role allows. A rule allows its action to the users in its user set
//!   (or with its role) on what is in its resource set (or on all of the resource); a set holds what meets its
//!   [`condition`] and those of all its ancestors. Attributes that the call gives go before stored ones. What is not
//!   known for sure allows nothing, and neither does a rule allow anything to a user that is not there. The lists
//!   ([`Snapshot::roles_on`], [`Snapshot::holders`], [`Snapshot::places`]) and the roles that a denial names are about
//!   roles alone.
//! - **A denial** names the roles that would allow it: on the instance, then on what it is related to (nearest first),
//!   then in the tenant; in each place least privilege first.
//!
//! [`DenialCause::TenantMismatch`]: askfirst_domain::decision::DenialCause::TenantMismatch
//! [`DenialCause::TooDeep`]: askfirst_domain::decision::DenialCause::TooDeep

mod compiled;
pub mod condition;
pub mod file;
#[cfg(test)]
mod fixture;
mod graph;
#[cfg(test)]
mod naive;
#[cfg(test)]
mod oracle_tests;
mod question;
#[cfg(test)]
mod reverse_tests;
pub mod schema;
#[cfg(test)]
mod semantics_tests;
#[cfg(test)]
mod sets_tests;
mod snapshot;
mod url_mapping;

pub use question::{
    CallAttributes, EffectiveRole, Explained, Holding, HoldingFilter, InstancePage, Nearness, Part, PlaceRef,
    Question, ReachedInstance, Reaching, RuleTrace, RulesTold, SetTrace, Stats, TENANT_TYPE, TenantView,
};
pub use schema::{RoleName, Schema, SchemaError, parse_permission, parse_permissions};
pub use snapshot::{
    Bounds, Comparison, DEFAULT_MAX_DEPTH, Flip, Limits, Loader, MAX_RULES_TOLD, MAX_SUGGESTIONS, Shift,
    Snapshot, Turn,
};
pub use url_mapping::{MAX_RULES, MAX_URL, MappedUrl};
