//! One look at whether this can work, for the document at hand: what stands in the way is found before the controller does.
//!
//! [`examination`] reads, by the calls of the controller and those of [`examined`] besides; everything else judges what was read
//! and is pure. It writes nothing.

pub mod account;
pub mod broad_policies;
pub mod clock;
pub mod examination;
pub mod examined;
pub mod finding;
pub mod identity;
pub mod policies;
pub mod report;
pub mod rivals;
pub mod role;
pub mod sample;
pub mod session_preferences;
pub mod settings;
pub mod writes;
