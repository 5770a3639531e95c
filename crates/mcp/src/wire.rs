//! What both ends of `/mcp` must agree on: the headers that say for whom and where.

/// The path of the MCP endpoint.
pub(crate) const PATH: &str = "/mcp";

/// The user whose agent this is (bound mode).
pub(crate) const AS: &str = "x-askfirst-as";
/// `true` when the model names the user of each call.
pub(crate) const TRUST_USER_ID: &str = "x-askfirst-trust-user-id";
/// The project and the environment, for a key that opens more than one.
pub(crate) const PROJECT: &str = "x-askfirst-project";
pub(crate) const ENV: &str = "x-askfirst-env";
/// What the tools are about, where the environment leaves a choice.
pub(crate) const TENANT: &str = "x-askfirst-tenant";
pub(crate) const RESOURCE: &str = "x-askfirst-resource";
pub(crate) const ACCESS_ELEMENT: &str = "x-askfirst-access-element";
pub(crate) const OPERATION_ELEMENT: &str = "x-askfirst-operation-element";

/// The revision at which a call has to be answered at least.
pub(crate) const AT_LEAST: &str = "askfirst-at-least";
/// The revision of an answer, in the `_meta` of a tool's result.
pub(crate) const REVISION: &str = "askfirst/revision";

/// In the data of an error with which the server refuses a connection, so that the bridge knows it from other servers'.
pub(crate) const REFUSED: &str = "askfirst_refused";

/// The longest wait, in seconds: below the minute after which common clients give a call up.
pub(crate) const LONGEST_WAIT: u64 = 50;
