//! Tests of the routes on a real database. One binary, so that it links once: add a module here.

#[cfg(test)]
mod abac;
#[cfg(test)]
mod agents;
#[cfg(test)]
mod asking;
#[cfg(test)]
mod assignments;
#[cfg(test)]
mod authzen;
#[cfg(test)]
mod authzen_profile;
#[cfg(test)]
mod conforms;
#[cfg(test)]
mod copies;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod invites;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod models;
#[cfg(test)]
mod nul;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod pdp;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod revisions;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod scope;
#[cfg(test)]
mod short;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tuples;
#[cfg(test)]
mod urls;
#[cfg(test)]
mod webhooks;
