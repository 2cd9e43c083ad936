//! Reads a request as far as it can be read before anybody is believed: scope, service, operation, parameters.

use hyper::http::request::Parts;

use super::answer::Protocol;
use super::error::ServiceError;
use super::params::Params;
use super::signature::Authorization;
use crate::services::{self, Service};

/// A request, not yet authenticated.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) head: &'a Parts,
    pub(crate) body: &'a [u8],
    pub(crate) authorization: Option<Authorization<'a>>,
    pub(crate) service: Option<&'static Service>,
    pub(crate) protocol: Protocol,
    /// What it asks for; empty when it names nothing.
    pub(crate) operation: String,
    pub(crate) params: Result<Params, ServiceError>,
}

impl<'a> Request<'a> {
    pub(crate) fn read(head: &'a Parts, body: &'a [u8]) -> Self {
        let authorization = Authorization::of(&head.headers);
        let service = authorization.and_then(|known| services::find(known.service));
        let protocol = service.map_or_else(|| guess_protocol(head), |service| service.protocol);
        let params = Params::read(protocol, body);
        let operation = match protocol {
            Protocol::Json => target(head).unwrap_or_default().to_owned(),
            Protocol::RestJson => capitalized(head.uri.path().trim_start_matches('/')),
            Protocol::Query { .. } => {
                let action = params.as_ref().ok().and_then(|params| params.text("Action"));
                action.unwrap_or_default().to_owned()
            }
        };
        Self { head, body, authorization, service, protocol, operation, params }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.head.headers.get(name)?.to_str().ok()
    }
}

/// The operation of `AmazonSSM.GetServiceSetting`.
fn target(head: &Parts) -> Option<&str> {
    let target = head.headers.get("x-amz-target")?.to_str().ok()?;
    target.rsplit('.').next()
}

/// For requests that name no service: the answer should at least be readable to the client.
fn guess_protocol(head: &Parts) -> Protocol {
    if head.headers.contains_key("x-amz-target") {
        Protocol::Json
    } else if head.uri.path() == "/" {
        services::iam::SERVICE.protocol
    } else {
        Protocol::RestJson
    }
}

/// `listRegions` is the path of `ListRegions`; so it is for every operation of the Account model.
fn capitalized(path: &str) -> String {
    let mut letters = path.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
