//! askfirst store
