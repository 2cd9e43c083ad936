//! Which build this is.

use std::sync::LazyLock;

/// The version of the crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit that was built, as whoever built it said.
pub const COMMIT: &str = match told(option_env!("DHMC_COMMIT")) {
    Some(commit) => commit,
    None => "unknown",
};
/// What `--version` tells.
pub static LONG: LazyLock<String> = LazyLock::new(|| long(option_env!("DHMC_COMMIT"), option_env!("DHMC_BUILT")));

/// A build argument that was not given is an empty variable to some builders.
const fn told(variable: Option<&str>) -> Option<&str> {
    match variable {
        Some(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn long(commit: Option<&str>, built: Option<&str>) -> String {
    let commit = told(commit).unwrap_or("unknown: DHMC_COMMIT was not set for the build");
    let built = told(built).unwrap_or("unknown: DHMC_BUILT was not set for the build");
    format!("{VERSION}\ncommit: {commit}\nbuilt:  {built}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_version_tells_commit_and_date() {
        let told = long(Some("4c3f0a1"), Some("2026-11-24T10:00:00Z"));
        assert_eq!(told, format!("{VERSION}\ncommit: 4c3f0a1\nbuilt:  2026-11-24T10:00:00Z"));
    }

    #[test]
    fn a_build_that_was_told_nothing_says_so_and_not_something_empty() {
        let unknown = format!(
            "{VERSION}\ncommit: unknown: DHMC_COMMIT was not set for the build\nbuilt:  unknown: DHMC_BUILT was not set for the build"
        );
        assert_eq!(long(None, None), unknown);
        assert_eq!(long(Some(""), Some("")), unknown);
    }
}
