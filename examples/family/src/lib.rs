//! The family example: a food server.
