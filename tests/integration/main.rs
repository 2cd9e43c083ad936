//! The controller against AWS as two independent referees play it: the sandbox of this project, and ministack.

#![expect(unreachable_pub, reason = "a binary has no inside and outside")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so by ending")]

mod accounts;
mod binary;
mod chain;
mod clock;
mod convergence;
mod crash;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod endpoints;
mod export;
mod fault_matrix;
mod faults;
mod golden;
mod harness;
mod http_load;
mod identity;
mod leader;
mod least_privilege;
mod metrics;
mod organization;
mod partitions;
mod plan;
mod policy;
mod printed;
mod referee;
mod regions;
mod reload;
mod reload_storm;
mod restraint;
mod roles_across_accounts;
mod scenarios;
mod sdk;
mod secrets;
mod settings;
mod shutdown;
mod slow_clients;
mod status;
mod storm;
mod tls;
mod validate;
