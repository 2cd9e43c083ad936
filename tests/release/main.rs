//! What ships, with the tools that its users have: `make release-check`. Takes minutes, and root.

mod alerts;
