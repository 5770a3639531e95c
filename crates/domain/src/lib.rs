//! askfirst domain
