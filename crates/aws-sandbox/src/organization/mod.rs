//! Organizations: which accounts belong together, and under which root and units. Pure state, as tests build it and
//! `services/organizations` tells it; an account joins without anything of its own being created.

mod handle;
mod member;
mod registry;
mod tree;

pub use handle::OrganizationHandle;
pub use member::{AccountStatus, Member};
pub(crate) use registry::Organizations;
pub(crate) use tree::{Organization, Parent};
