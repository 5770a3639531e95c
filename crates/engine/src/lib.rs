//! askfirst engine
