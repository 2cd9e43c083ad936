//! The environment's AWS variables, looked at before the SDK does: some values make it panic at the first request, others
//! are told only after a minute of retries. Never says a value that may be secret.

use http::Uri;

use crate::desired::names::Region;

/// Where all services are, and each by itself (`AWS_ENDPOINT_URL_SSM`).
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// Where STS is asked.
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
/// What goes into headers as it is.
const CREDENTIALS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// A variable that cannot be meant as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// An endpoint that is none.
    #[error("{name} is `{value}`, which is no endpoint: write it like https://host:port, or unset it")]
    Endpoint {
        /// The variable.
        name: String,
        /// What it says.
        value: String,
    },
    /// A region that is none.
    #[error("{name} is `{value}`, which is no region: write it like eu-west-1, or unset it")]
    Region {
        /// The variable.
        name: String,
        /// What it says.
        value: String,
    },
    /// A credential with a space or a newline in it.
    #[error(
        "{name} has white space or a control character in it, often a newline at its end that came along from `echo`: set it \
         anew without (printf, or echo -n)"
    )]
    Credential {
        /// The variable.
        name: String,
    },
}

/// Finds the first variable that cannot be meant.
pub(super) fn check(variables: impl Iterator<Item = (String, String)>) -> Result<(), EnvironmentError> {
    for (name, value) in variables {
        if (name == ENDPOINT || name.starts_with("AWS_ENDPOINT_URL_")) && !is_endpoint(&value) {
            let value = if value.contains('@') { "...".to_owned() } else { value };
            return Err(EnvironmentError::Endpoint { name, value });
        }
        if REGIONS.contains(&name.as_str()) && value.parse::<Region>().is_err() && !value.is_empty() {
            return Err(EnvironmentError::Region { name, value });
        }
        if CREDENTIALS.contains(&name.as_str()) && value.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(EnvironmentError::Credential { name });
        }
    }
    Ok(())
}

fn is_endpoint(value: &str) -> bool {
    value
        .parse::<Uri>()
        .is_ok_and(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, value: &str) -> Option<String> {
        check([(name.to_owned(), value.to_owned())].into_iter()).err().map(|error| error.to_string())
    }

    #[test]
    fn endpoints_that_are_none_are_named() {
        for value in ["", "nonsense", "http://", "ftp://host", "file:///etc/passwd", "http://host ", "http://host\n"] {
            for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM"] {
                let told = told(name, value).unwrap_or_else(|| panic!("{value:?} passes"));
                assert!(told.starts_with(&format!("{name} is `{value}`, which is no endpoint")), "{told}");
            }
        }
        for value in ["http://127.0.0.1:4566", "https://vpce-1.ssm.eu-west-1.vpce.amazonaws.com", "http://localhost/path"] {
            assert_eq!(told("AWS_ENDPOINT_URL", value), None);
        }
    }

    #[test]
    fn a_password_in_an_endpoint_is_not_shown() {
        let told = told("AWS_ENDPOINT_URL", "http//user:hush@host:1").unwrap();
        assert!(!told.contains("hush"), "{told}");
    }

    #[test]
    fn regions_that_are_none_are_named_and_an_empty_one_is_not_set() {
        let told = |value| told("AWS_REGION", value);
        assert!(told("eu west 1").unwrap().starts_with("AWS_REGION is `eu west 1`, which is no region"));
        assert_eq!((told(""), told("eu-west-1")), (None, None));
    }

    #[test]
    fn credentials_that_carry_white_space_are_named_and_not_shown() {
        for name in CREDENTIALS {
            let told = told(name, "hush\n").unwrap();
            assert!(told.starts_with(name) && !told.contains("hush"), "{told}");
            assert_eq!(super::check([(name.to_owned(), "fine+/=".to_owned())].into_iter()), Ok(()));
        }
    }
}
