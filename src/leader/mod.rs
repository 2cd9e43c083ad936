//! Which of several replicas may write.
//!
//! A Lease of Kubernetes decides, by the rules of client-go that every Kubernetes controller keeps (`terms`): whoever holds it renews it, and
//! everybody else may take it once they have seen no renewal for its whole duration, by a clock of their own that nobody sets. `election` keeps
//! to them, `lease` calls the API server with kube's client, and `herald` tells what came of it. What they come to is a [`Fence`], which is open
//! until a moment well before the lease can be taken; [`Fenced`] lets no call of AWS through but by it.

pub mod election;
pub mod fence;
pub mod fenced;
mod herald;
mod lease;
pub mod terms;

pub use election::{Election, ElectionOptions};
pub use fence::Fence;
pub use fenced::Fenced;
