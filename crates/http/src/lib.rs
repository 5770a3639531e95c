//! askfirst http
