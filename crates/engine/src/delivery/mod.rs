//! Telling others: what commits have left in the outbox is carried to where it belongs, at least once.
//!
//! An item is claimed, sent, and gone once somebody took it. Whatever fails is tried again, later and later (see
//! [`backoff`](self)), and is given up in the end: then it stands among the dead letters until somebody has it tried again or
//! drops it. A process that dies in the middle leaves a claim that runs out, and another one sends the item again, with the
//! same `webhook-id`: receivers drop what they have seen. Items may overtake each other. A
//! receiver that is slow has a few of the places and leaves the others to the others.
//!
//! People are told by e-mail what waits for them and what became of what they asked for.
//!
//! Three others are told: an element's webhook gets what Permit sends, with its bearer token; the webhooks that an environment has set
//! by itself, and the installation's webhook, if an operator has set one, get the events of requests and of what approvals gave,
//! signed as the Standard Webhooks specification says.

mod address;
mod backoff;
mod callback;
mod courier;
mod dead;
mod hook;
mod keep;
mod letter;
mod mail;
mod post;
mod signature;
mod webhooks;

pub use address::Reach;
pub use callback::Callbacks;
pub use courier::{Courier, CourierError};
pub use hook::Hook;
pub use post::{PlainMail, Post, PostError};
pub use signature::{BadSecret, SigningSecret};
pub use webhooks::{MOST_WEBHOOKS, NewWebhook, WebhookPatch};

pub(crate) use callback::call_back;
pub(crate) use hook::{TOPIC as HOOK_TOPIC, WEBHOOK_TOPIC, event_of, told};
pub(crate) use mail::{Occasion, letters, mails};
pub(crate) use post::is_this_machine;
