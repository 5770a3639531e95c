//! askfirst mcp
