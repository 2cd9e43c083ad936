//! What ships, with the tools that its users have: `make release-check`. Takes minutes, and root.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by ending")]

mod sbom;
