//! Signing in with an OpenID Connect issuer: the authorization code flow, with PKCE.
//!
//! - **Who says what.** The browser carries a code from the issuer to us, and only for the browser that we sent there: what it
//!   was sent with stands in a cookie. The code is exchanged over our own connection to the issuer.
//! - **What is believed.** An ID token that the issuer's key signed, for us, now, for this very sign-in (`token`). Keys are
//!   the issuer's published ones; the algorithm is that of the key.
//! - **Who it is.** Whoever the issuer's `sub` was linked with. The first time it is the one user with the verified e-mail
//!   address, and the link is kept: an address that changes hands afterwards takes nobody along.

mod fetch;
mod flow;
mod issuer;
mod links;
mod sign_in;
mod token;

pub use flow::{Answer, Begun, FLOW_LASTS};
pub use issuer::{Issuer, IssuerError};
