//! The three protocols and how an operation's result or error is written in each.

use axum::body::Body;
use hyper::header::{CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::ServiceError;

/// How a service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// AWS JSON 1.1: the operation is in `X-Amz-Target`.
    Json,
    /// awsQuery: the operation is the form's `Action`, answers are XML of this namespace.
    Query { namespace: &'static str },
    /// REST JSON: the operation is the path.
    RestJson,
}

/// What an operation answers.
#[derive(Debug)]
pub(crate) enum Answer {
    Json(Value),
    /// The inside of the `…Response` element; empty for operations that answer nothing.
    Xml(String),
}

impl Answer {
    /// An XML answer: the `…Result` element of an operation.
    pub(crate) fn xml(element: &str, result: &impl Serialize) -> Result<Self, ServiceError> {
        quick_xml::se::to_string_with_root(element, result)
            .map(Self::Xml)
            .map_err(|error| ServiceError::new(500, "ServiceFailure", error.to_string()))
    }

    pub(crate) fn empty_xml() -> Self {
        Self::Xml(String::new())
    }

    pub(crate) fn into_response(self, protocol: Protocol, operation: &str, request_id: &str) -> Response<Body> {
        match self {
            Self::Json(value) => respond(200, protocol, request_id, value.to_string()),
            Self::Xml(result) => {
                let Protocol::Query { namespace } = protocol else {
                    return respond(500, protocol, request_id, String::new());
                };
                let body = format!(
                    "<{operation}Response xmlns=\"{namespace}\">{result}<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
                );
                respond(200, protocol, request_id, body)
            }
        }
    }
}

/// An error in the words of its protocol.
pub(crate) fn refuse(error: &ServiceError, protocol: Protocol, request_id: &str) -> Response<Body> {
    let code: &str = &error.code;
    let body = match protocol {
        Protocol::Json => {
            let mut body = json!({"__type": code, error.member(): error.message});
            if let Some(reason) = error.reason {
                body["Reason"] = reason.into();
            }
            body.to_string()
        }
        Protocol::RestJson => json!({"message": error.message}).to_string(),
        Protocol::Query { namespace } => {
            let fault = if error.status < 500 { "Sender" } else { "Receiver" };
            let message = quick_xml::escape::escape(&error.message);
            format!(
                "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            )
        }
    };
    let mut response = respond(error.status, protocol, request_id, body);
    if protocol == Protocol::RestJson
        && let Ok(code) = HeaderValue::from_str(code)
    {
        let name = HeaderName::from_static("x-amzn-errortype");
        response.headers_mut().insert(name, code);
    }
    response
}

/// What a proxy's error page does to a client: 200 and no document of any protocol.
pub(crate) fn garbage(protocol: Protocol, request_id: &str) -> Response<Body> {
    respond(200, protocol, request_id, "<html><body>{\"oops".to_owned())
}

fn respond(status: u16, protocol: Protocol, request_id: &str, body: String) -> Response<Body> {
    let content_type = match protocol {
        Protocol::Json => "application/x-amz-json-1.1",
        Protocol::RestJson => "application/json",
        Protocol::Query { .. } => "text/xml",
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response
}

/// Clients correct their clock by this header, so it must tell the sandbox's time and not the machine's.
pub(crate) fn set_date(response: &mut Response<Body>, now: Timestamp) {
    if let Ok(text) = DateTimePrinter::new().timestamp_to_rfc9110_string(&now)
        && let Ok(value) = HeaderValue::from_str(&text)
    {
        response.headers_mut().insert(DATE, value);
    }
}

/// A request id of the usual shape.
pub(crate) fn request_id() -> String {
    let (high, low) = (fastrand::u64(..), fastrand::u64(..));
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}
