//! What an operator may switch of Permit's routes.

use anyhow::Context as _;
use askfirst_http::{KongRoutes, Options, RateLimits};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct PermitArgs {
    /// Answer lists of requests in the way that Permit's own MCP server can read
    #[arg(long)]
    permit_mcp_compat: bool,
    /// Limit the calls of each credential to Permit's REST API: `permit` for the limits that Permit has, or such as
    /// `all=1000/1m,writes=300/1m,schema-writes=40/1m,deletes=60/1m,bulk=100/10m`; decisions are not limited
    #[arg(long, value_name = "LIMITS")]
    rate_limits: Option<RateLimits>,
    /// Answer Kong's OPA plugin at /kong, with this table of routes in JSON: [["^/orders", "orders"], ["^/(\\w+)/", 0]]
    #[arg(long, value_name = "FILE")]
    kong_routes: Option<PathBuf>,
}

impl PermitArgs {
    /// Reads the table of routes, too.
    pub(super) fn options(self) -> anyhow::Result<Options> {
        let kong_routes = match self.kong_routes {
            Some(file) => {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("can't read {}", file.display()))?;
                let read: KongRoutes =
                    text.parse().map_err(|e| anyhow::anyhow!("in {}: {e}", file.display()))?;
                Some(read)
            }
            None => None,
        };
        Ok(Options { permit_mcp_compat: self.permit_mcp_compat, kong_routes, rate_limits: self.rate_limits })
    }
}
