//! What an operator may switch of Permit's routes.

use anyhow::Context as _;
use askfirst_http::{KongRoutes, Options, RateLimits};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct PermitArgs {
    /// Answer lists of requests in the way that Permit's own MCP server can read
    #[arg(long)]
    permit_mcp_compat: bool,
    /// Let pages of this origin, such as `https://app.example.com`, use element sessions by cookie; may be given more than once
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    element_origin: Vec<String>,
    /// Limit the calls of each credential to Permit's REST API: `permit` for the limits that Permit has, or such as
    /// `all=1000/1m,writes=300/1m,schema-writes=40/1m,deletes=60/1m,bulk=100/10m`; decisions are not limited
    #[arg(long, value_name = "LIMITS")]
    rate_limits: Option<RateLimits>,
    /// Answer Kong's OPA plugin at /kong, with this table of routes in JSON: `[["^/orders", "orders"], ["^/(\\w+)/", 0]]`
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
        Ok(Options {
            permit_mcp_compat: self.permit_mcp_compat,
            element_origins: self.element_origin,
            kong_routes,
            rate_limits: self.rate_limits,
            ..Options::default()
        })
    }
}

/// An origin as browsers write it.
fn origin(said: &str) -> Result<String, String> {
    let host = said.strip_prefix("https://").or_else(|| said.strip_prefix("http://")).unwrap_or_default();
    let sound =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if !host.is_empty() && host.chars().all(sound) {
        Ok(said.to_owned())
    } else {
        Err("write scheme, host and port as browsers do: https://app.example.com, without a path".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_and_host() {
        for good in ["https://app.example.com", "http://localhost:3000", "http://[::1]:3000"] {
            assert_eq!(origin(good).as_deref(), Ok(good));
        }
        for bad in
            ["app.example.com", "https://", "https://a/", "https://A.example", "ftp://a", "https://*", "null"]
        {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
