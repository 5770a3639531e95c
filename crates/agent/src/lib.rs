//! askfirst agent
