//! Keeps AWS Systems Manager's Default Host Management Configuration (DHMC) in the declared state.
//!
//! What it does:
//! - reads a desired state, edited in Git, from a YAML file ([`desired`], [`source`]);
//! - compares it over and over with what AWS has: one service setting a region, one IAM role an account ([`plan`]);
//! - corrects what drifted and reads back whether that worked ([`reconcile`]);
//! - tells all of it in metrics, logs and a status API ([`metrics`], [`gauges`], [`status`], [`http`]).
//!
//! The route of one setting: [`source`] publishes a [`desired::DesiredState`]; [`reconcile::fleet`] turns it into
//! [`target`]s on a [`reconcile::queue`]; a worker reads AWS through the [`cloud`] seam, asks [`plan`] what differs, writes
//! through [`aws`], reads back, and brings home an [`outcome`]; [`reconcile::schedule`] says when to look again.
//! `docs/ARCHITECTURE.md` has the picture.

pub mod app;
pub mod aws;
pub mod cause;
pub mod cli;
pub mod cloud;
pub mod commands;
pub mod desired;
pub mod doctor;
pub mod export;
pub mod gauges;
pub mod http;
pub mod leader;
pub mod metrics;
pub mod observed;
pub mod operations;
pub mod outcome;
pub mod plan;
pub mod policy;
pub mod reconcile;
pub mod shutdown;
pub mod source;
pub mod status;
pub mod target;
pub mod telemetry;
pub mod terminal;
pub mod version;
