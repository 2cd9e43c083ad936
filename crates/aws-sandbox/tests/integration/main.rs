//! The sandbox from outside: real sockets, AWS's own signer, the real AWS CLI. One binary, so that it links once.

#![expect(clippy::unwrap_used, reason = "what the tests share cannot go on without it either")]

mod access;
mod assume_role;
mod aws_cli;
mod client;
mod control;
mod faults;
mod lifecycle;
mod organizations;
mod regions;
mod roles;
mod settings;
mod signatures;
mod upkeep;
