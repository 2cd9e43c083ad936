//! A refusal, and the refusals every service shares with the code and status each protocol gives them.
//! Sources: botocore 1.43's models; the JSON and query codes of closed regions from aws-nuke#774, `ScoutSuite`#1389.

use std::borrow::Cow;

use super::answer::Protocol;

/// What a call is refused with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    /// `Reason` of Organizations' `InvalidInputException`.
    pub(crate) reason: Option<&'static str>,
    modelled: Modelled,
}

/// Errors of a service's own model spell their text `Message`, the shared ones `message`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Modelled {
    Yes,
    No,
}

impl ServiceError {
    pub(crate) fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), reason: None, modelled: Modelled::No }
    }

    pub(crate) fn modelled(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { modelled: Modelled::Yes, ..Self::new(status, code, message) }
    }

    pub(crate) fn reason(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    pub(crate) fn member(&self) -> &'static str {
        match self.modelled {
            Modelled::Yes => "Message",
            Modelled::No => "message",
        }
    }
}

/// Refusals that any service may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shared {
    MissingAuthentication,
    UnknownKey,
    ExpiredToken,
    BadSignature,
    AccessDenied,
    UnknownOperation,
    Throttled,
    Internal,
    Unavailable,
    LimitExceeded,
    Invalid,
}

impl Shared {
    /// The code and status of this refusal, with the message given.
    pub(crate) fn in_words(self, protocol: Protocol, message: impl Into<String>) -> ServiceError {
        let [query, json, rest] = self.codes();
        let (status, code) = match protocol {
            Protocol::Query { .. } => query,
            Protocol::Json => json,
            Protocol::RestJson => rest,
        };
        ServiceError::new(status, code, message)
    }

    /// (query, JSON 1.1, REST JSON). That REST JSON says 403 where JSON 1.1 says 400 is inferred from other
    /// REST services.
    fn codes(self) -> [(u16, &'static str); 3] {
        match self {
            Self::MissingAuthentication => [
                (403, "MissingAuthenticationToken"),
                (400, "MissingAuthenticationTokenException"),
                (403, "MissingAuthenticationTokenException"),
            ],
            Self::UnknownKey => {
                [(403, "InvalidClientTokenId"), (400, "UnrecognizedClientException"), (403, "UnrecognizedClientException")]
            }
            Self::ExpiredToken => [(403, "ExpiredToken"), (400, "ExpiredTokenException"), (403, "ExpiredTokenException")],
            Self::BadSignature => {
                [(403, "SignatureDoesNotMatch"), (400, "InvalidSignatureException"), (403, "InvalidSignatureException")]
            }
            Self::AccessDenied => [(403, "AccessDenied"), (400, "AccessDeniedException"), (403, "AccessDeniedException")],
            Self::UnknownOperation => {
                [(400, "InvalidAction"), (400, "UnknownOperationException"), (404, "UnknownOperationException")]
            }
            Self::Throttled => [(400, "Throttling"), (400, "ThrottlingException"), (429, "TooManyRequestsException")],
            Self::Internal => [(500, "ServiceFailure"), (500, "InternalServerError"), (500, "InternalServerException")],
            Self::Unavailable => [(503, "ServiceUnavailable"), (503, "ServiceUnavailable"), (503, "ServiceUnavailable")],
            Self::LimitExceeded => [(409, "LimitExceeded"), (400, "LimitExceededException"), (400, "LimitExceededException")],
            Self::Invalid => [(400, "ValidationError"), (400, "ValidationException"), (400, "ValidationException")],
        }
    }
}

/// What AWS says of a key it does not know, and of every key in a closed region.
pub(crate) fn unknown_key(protocol: Protocol) -> ServiceError {
    let message = "The security token included in the request is invalid.";
    Shared::UnknownKey.in_words(protocol, message)
}

pub(crate) fn expired_token(protocol: Protocol) -> ServiceError {
    let message = "The security token included in the request is expired";
    Shared::ExpiredToken.in_words(protocol, message)
}
