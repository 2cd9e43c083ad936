//! An embedded AWS for tests and demos: the SSM service setting of Default Host Management, IAM roles, STS, Account and
//! Organizations, over real HTTP with real signatures, in memory.
//!
//! - [`Sandbox`] starts it; [`AccountHandle`] issues credentials and looks at, or sabotages, one account;
//!   [`OrganizationHandle`] puts accounts together.
//! - [`Fault`] makes chosen calls go wrong; [`Knobs`] turn what is unknown or varies in real AWS.
//! - [`Journal`] tells every call.
//!
//! ```text
//! socket -> wire/server -> wire/route: signature, region, fault, denial, access -> services/{ssm,iam,sts,…}
//!                               |                                                       |
//!                            journal                                       world: accounts, roles, …
//! ```
//!
//! It shares no code with the controller it tests, so that both cannot be wrong in the same way.

mod access;
mod account;
mod control;
mod fault;
mod identity;
mod journal;
mod keyring;
mod knobs;
mod managed_policies;
mod organization;
mod partition;
mod pattern;
mod policy_document;
mod role;
mod role_store;
mod sabotage;
mod sandbox;
mod services;
mod setting;
mod trust;
mod upkeep;
mod wire;
mod world;

pub use access::InvalidPolicy;
pub use account::AccountHandle;
pub use fault::{Fault, FaultId, FaultKind};
pub use identity::{Credentials, Denial, DeniedBy};
pub use journal::{Call, Effect, Filter, Journal, Outcome};
pub use knobs::{ConcurrentWrites, GlobalSigning, Knobs, Options, PendingShows, Record, ResetShows, RoleCheck, StatusShown};
pub use organization::{AccountStatus, Member, OrganizationHandle};
pub use partition::{Partition, RegionStatus};
pub use role::{LastUsed, Role, SSM_TRUST_POLICY};
pub use sandbox::Sandbox;
pub use setting::{SETTING_ID, Setting, UNSET};
pub use tokio::time::error::Elapsed;
pub use upkeep::{Association, ConfigurationManager};
