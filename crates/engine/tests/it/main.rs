//! Tests of the use cases on a real database. One binary, so that it links once: add a module here.

#[cfg(test)]
mod bulk;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod evening;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod follow;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod policy_file;
#[cfg(test)]
#[path = "../../../policy/tests/support/random_policy.rs"]
mod random_policy;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod reverse;
#[cfg(test)]
mod smtp;
#[cfg(test)]
mod support;
#[cfg(test)]
mod webhooks;
