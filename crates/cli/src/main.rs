//! The askfirst binary.
fn main() {}
