//! Tests of the use cases on a real database. One binary, so that it links once: add a module here.

mod evening;
mod requests;
mod support;
