//! From bytes to an operation and back: sockets, signatures, protocols, faults, journal.
//! Knows no service by name; the services register their operations in `services`.

pub(crate) mod answer;
pub(crate) mod error;
pub(crate) mod params;
pub(crate) mod request;
pub(crate) mod route;
pub(crate) mod server;
pub(crate) mod signature;
