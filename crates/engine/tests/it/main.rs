//! Tests of the use cases on a real database. One binary, so that it links once: add a module here.

mod evening;
#[cfg(test)]
mod requests;
mod support;
