//! The invariants of `ARCHITECTURE.md` that the dependency graph and the sources can show.

#[cfg(test)]
mod invariants;
