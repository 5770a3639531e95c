//! Tests of the use cases on a real database. One binary, so that it links once: add a module here.

#[cfg(test)]
mod evening;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod reverse;
#[cfg(test)]
mod support;
