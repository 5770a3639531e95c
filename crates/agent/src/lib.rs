//! A graph of steps that can stop for a human and go on later.
pub mod canonical;
pub mod chat;
pub mod checkpoint;
pub mod draw;
pub mod graph;
pub mod ids;
pub mod interrupt;
pub mod messages;
pub mod model;
pub mod tools;
