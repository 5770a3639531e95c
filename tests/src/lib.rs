//! Whole-product tests live in `tests/tests`; this library is what they share.
