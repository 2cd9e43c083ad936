//! What ships, with the tools that its users have: `make release-check`. Takes minutes, and root.

#![expect(unreachable_pub, reason = "a binary has no inside and outside")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so by ending")]

mod alerts;
mod cluster;
mod image;
mod sbom;
