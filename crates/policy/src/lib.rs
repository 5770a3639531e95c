//! askfirst policy
