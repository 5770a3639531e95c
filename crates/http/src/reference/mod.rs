//! The reference for people, at `/docs`: the description of the API as pages. They are made of the same document as
//! `/openapi.json`, work without JavaScript and carry none.

mod kinds;
mod model;
mod pages;
mod sample;

pub(crate) use pages::router;
