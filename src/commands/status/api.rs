//! Asks the controller's API over HTTP: one GET at a time, bounded in time and size.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::cause::innermost;
use crate::terminal::plain_line;

const PATH: &str = "/api/v1/status";
/// From the first packet to the last. An answer of an organization takes the controller a second.
const PATIENCE: Duration = Duration::from_secs(30);
/// Several times what 10,000 targets take.
const MOST_BYTES: usize = 64 << 20;
/// How much of a refusal is repeated.
const LONGEST_REFUSAL: usize = 300;

/// Why there is no answer, and what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// Nothing that could be asked.
    #[error("--url (or DHMC_URL) is no address of a controller: {0}; it is like http://127.0.0.1:8080")]
    Address(&'static str),
    /// No TLS.
    #[error(
        "https needs certificate authorities to trust, and there are none: {0}; install ca-certificates, or set SSL_CERT_FILE"
    )]
    Authorities(String),
    /// Nobody there, or nobody who finishes.
    #[error("cannot ask {url}: {reason}; is the controller running there? Name its address with --url or DHMC_URL")]
    Unreachable { url: String, reason: String },
    /// Somebody there, who says no.
    #[error("{url} refuses: {status}: {text}")]
    Refused { url: String, status: StatusCode, text: String },
    /// Somebody else is there.
    #[error(
        "what answers at {url} is no dhmc-controller that this program understands: {reason}; name another with --url or DHMC_URL"
    )]
    Foreign { url: String, reason: String },
    /// A replica that knows of no targets, because another one works on them.
    #[error("{url} is a replica that stands by: {leader}")]
    StandsBy { url: String, leader: String },
    /// The controller knows of no such targets.
    #[error("the controller has no target of {0}; `dhmc-controller status --all` lists those that it has")]
    Nothing(String),
}

/// Where to ask.
#[derive(Debug)]
pub(super) struct Api {
    scheme: Scheme,
    authority: String,
    /// What a proxy may have before the API's own paths.
    prefix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}{}", self.authority, self.prefix)
    }
}

impl Api {
    pub(super) fn at(url: &str) -> Result<Self, AskError> {
        let uri: Uri = url.trim().parse().map_err(|_| AskError::Address("it cannot be read"))?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err(AskError::Address("it does not begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or(AskError::Address("there is no host in it"))?.to_string();
        if authority.contains('@') {
            // Not repeated: it may be a password.
            return Err(AskError::Address("there is a user in it, and the API knows none"));
        }
        if uri.query().is_some() {
            return Err(AskError::Address("there is a query in it; --account, --region and --state ask for a part"));
        }
        let prefix = uri.path().trim_end_matches('/');
        Ok(Self { scheme, authority, prefix: prefix.strip_suffix(PATH).unwrap_or(prefix).to_owned() })
    }

    /// Asks for the status.
    pub(super) async fn ask(&self, query: &str) -> Result<Value, AskError> {
        let uri: Uri = format!("{self}{PATH}?{query}").parse().map_err(|_| AskError::Address("it cannot be read"))?;
        let asking = async {
            match self.scheme {
                Scheme::Http => self.answer(get(HttpConnector::new(), uri).await?).await,
                Scheme::Https => {
                    let tls = HttpsConnectorBuilder::new()
                        .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider())
                        .map_err(|error| Failure::Authorities(error.to_string()))?;
                    self.answer(get(tls.https_only().enable_http1().build(), uri).await?).await
                }
            }
        };
        let timed = tokio::time::timeout(PATIENCE, asking).await;
        timed.unwrap_or_else(|_| Err(Failure::Transport(format!("no answer within {} s", PATIENCE.as_secs())))).map_err(
            |failure| match failure {
                Failure::Transport(reason) => AskError::Unreachable { url: self.to_string(), reason },
                Failure::Authorities(reason) => AskError::Authorities(reason),
                Failure::Refused(status, text) => AskError::Refused { url: self.to_string(), status, text },
                Failure::Foreign(reason) => AskError::Foreign { url: self.to_string(), reason },
            },
        )
    }

    async fn answer(&self, response: Response<Incoming>) -> Result<Value, Failure> {
        let status = response.status();
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Failure::Foreign(format!("its answer is larger than {} MiB", MOST_BYTES >> 20))
            } else {
                Failure::Transport(format!("the answer broke off: {}", innermost(&*error)))
            }
        })?;
        let body = body.to_bytes();
        match status {
            StatusCode::OK => {
                serde_json::from_slice(&body).map_err(|error| Failure::Foreign(format!("its answer is not JSON: {error}")))
            }
            StatusCode::BAD_REQUEST => Err(Failure::Refused(status, printable(&body))),
            other => Err(Failure::Foreign(format!("it answers {other}"))),
        }
    }
}

/// An [`AskError`] that does not know yet who was asked.
#[derive(Debug)]
enum Failure {
    Transport(String),
    Authorities(String),
    Refused(StatusCode, String),
    Foreign(String),
}

async fn get<C: Connect + Clone + Send + Sync + 'static>(connector: C, uri: Uri) -> Result<Response<Incoming>, Failure> {
    let request = Request::get(uri).body(Empty::<Bytes>::new()).map_err(|error| Failure::Transport(error.to_string()))?;
    let client = Client::builder(TokioExecutor::new()).build(connector);
    client.request(request).await.map_err(|error| Failure::Transport(innermost(&error)))
}

/// A text of somebody else on one line.
fn printable(text: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(text).trim().chars().take(LONGEST_REFUSAL).collect();
    plain_line(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_path_before_the_api_s_own_or_be_that_of_the_status_itself() {
        for (url, expected) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://dhmc.internal/", "https://dhmc.internal"),
            (" http://[::1]:8080/dhmc/ ", "http://[::1]:8080/dhmc"),
            ("http://a/api/v1/status", "http://a"),
        ] {
            assert_eq!(Api::at(url).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for url in
            ["", "127.0.0.1:8080", "ftp://a", "http://", "http://u:s3cr3t@a", "http://a?token=s3cr3t", "/api", "http://a b"]
        {
            let told = Api::at(url).unwrap_err().to_string();
            assert!(told.contains("--url") && !told.contains("s3cr3t"), "{told}");
        }
    }
}
