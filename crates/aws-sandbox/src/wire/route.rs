//! The way of one call: who signs, is the region open, is the signature right, what is asked for, does a fault hit,
//! is it allowed, do it, write it down. Every call that reaches the sandbox ends in the journal.

use std::time::Duration;

use axum::body::Body;
use hyper::Response;
use hyper::http::request::Parts;
use jiff::Timestamp;
use serde_json::Value;

use super::answer::{self, Answer};
use super::error::{ServiceError, Shared, expired_token, unknown_key};
use super::params::Params;
use super::request::Request;
use super::server::Dropped;
use super::signature::Signed;
use crate::fault::{FaultKind, Target};
use crate::identity::{DeniedBy, Identity, token_of_session};
use crate::journal::{Call, Effect, Outcome};
use crate::knobs::{GlobalSigning, Knobs};
use crate::services::{Context, Operation, Service, SignedFor, organizations, ssm};
use crate::world::World;

/// What is sent back, if anything.
enum Reply {
    Answer(Result<Answer, ServiceError>),
    Late(Duration, Result<Answer, ServiceError>),
    Garbage,
    DropUnacted,
    DropActed,
}

/// Answers one call, or drops its connection.
pub(crate) async fn call(world: &World, head: &Parts, body: &[u8]) -> Result<Response<Body>, Dropped> {
    let (knobs, now) = (world.knobs(), world.now());
    let request = Request::read(head, body);
    let identity = request.authorization.and_then(|known| world.keys.find(known.access_key_id));
    let reply = match authenticate(&request, identity.as_deref(), &knobs, now) {
        Ok((service, identity)) => act(world, &request, service, identity, &knobs, now),
        Err(error) => Reply::Answer(Err(error)),
    };
    write_down(world, &request, identity.as_deref(), &knobs, now, &reply);
    world.changed();

    let request_id = answer::request_id();
    let result = match reply {
        Reply::DropUnacted | Reply::DropActed => return Err(Dropped),
        Reply::Garbage => return Ok(answer::garbage(request.protocol, &request_id)),
        Reply::Answer(result) => result,
        Reply::Late(delay, result) => {
            tokio::time::sleep(delay).await;
            result
        }
    };
    let mut response = match result {
        Ok(answer) => answer.into_response(request.protocol, &request.operation, &request_id),
        Err(error) => answer::refuse(&error, request.protocol, &request_id),
    };
    answer::set_date(&mut response, now);
    Ok(response)
}

/// Believes the caller or says why not, in the order AWS does: a closed region does not know any key.
fn authenticate<'i>(
    request: &Request<'_>,
    identity: Option<&'i Identity>,
    knobs: &Knobs,
    now: Timestamp,
) -> Result<(&'static Service, &'i Identity), ServiceError> {
    let protocol = request.protocol;
    let Some(authorization) = request.authorization else {
        let message = "Missing Authentication Token";
        return Err(Shared::MissingAuthentication.in_words(protocol, message));
    };
    let Some(service) = request.service else {
        let message = format!("the sandbox plays no service named {}", authorization.service);
        return Err(Shared::UnknownOperation.in_words(protocol, message));
    };
    let identity = identity.ok_or_else(|| {
        let token = request.header("x-amz-security-token");
        let forgotten = token.is_some_and(|token| token == token_of_session(authorization.access_key_id));
        if forgotten { expired_token(protocol) } else { unknown_key(protocol) }
    })?;
    check_region(service, identity, authorization.region, knobs)?;
    let signed = Signed {
        secret: &identity.secret,
        method: request.head.method.as_str(),
        uri: &request.head.uri,
        headers: &request.head.headers,
        body: request.body,
    };
    let verified = authorization.verify(&signed, now);
    verified.map_err(|why| Shared::BadSignature.in_words(protocol, why.0))?;
    if request.header("x-amz-security-token") != identity.session_token.as_deref() {
        return Err(unknown_key(protocol));
    }
    if identity.is_expired(now) {
        return Err(expired_token(protocol));
    }
    Ok((service, identity))
}

fn check_region(service: &Service, identity: &Identity, region: &str, knobs: &Knobs) -> Result<(), ServiceError> {
    let account = &identity.account;
    match service.signed_for {
        SignedFor::OneRegion(of) if of(account.partition) == region => Ok(()),
        SignedFor::OneRegion(_) if knobs.global_signing == GlobalSigning::AnyRegion => Ok(()),
        SignedFor::OneRegion(_) => {
            let message = format!("Credential should be scoped to a valid region, not '{region}'.");
            Err(Shared::BadSignature.in_words(service.protocol, message))
        }
        SignedFor::EachRegion => match account.region_status(region) {
            Some(status) if status.is_open() => Ok(()),
            Some(_) => Err(region_disabled(service, &account.id)),
            // In AWS such an endpoint has no address, or belongs to a partition that does not know the key.
            None => Err(unknown_key(service.protocol)),
        },
    }
}

/// STS says what is the matter; the other services only say that they do not know the key.
fn region_disabled(service: &Service, account: &str) -> ServiceError {
    if service.name == "sts" {
        let message = format!(
            "STS is not activated in this region for account:{account}. Your account administrator can activate STS in this region using the IAM Console."
        );
        ServiceError::new(403, "RegionDisabledException", message)
    } else {
        unknown_key(service.protocol)
    }
}

/// Does what a believed caller asks for, unless a fault or a denial is in the way.
fn act(
    world: &World,
    request: &Request<'_>,
    service: &'static Service,
    identity: &Identity,
    knobs: &Knobs,
    now: Timestamp,
) -> Reply {
    let region = request.authorization.map_or("", |known| known.region);
    let Some(operation) = service.operation(&request.operation) else {
        let message = format!("Could not find operation {}", request.operation);
        let error = Shared::UnknownOperation.in_words(request.protocol, message);
        return Reply::Answer(Err(error));
    };
    let params = match &request.params {
        Ok(params) => params,
        Err(error) => return Reply::Answer(Err(error.clone())),
    };
    let context = Context { world, identity, account: &identity.account, region, params, knobs, now, protocol: request.protocol };
    let action = format!("{}:{}", service.name, operation.name);
    let run = || run(&context, operation, &action);
    let fault =
        world.faults.hit(&Target { service: service.name, operation: operation.name, account: &identity.account.id, region });
    // The two faults that only look like an answer have not acted; those that lose the answer have.
    match fault {
        None => Reply::Answer(run()),
        Some(FaultKind::Slow(delay)) => Reply::Late(delay, run()),
        Some(FaultKind::DropBeforeActing) => Reply::DropUnacted,
        Some(FaultKind::DropAfterActing) => run().map_or_else(|e| Reply::Answer(Err(e)), |_| Reply::DropActed),
        Some(FaultKind::Garbage) => run().map_or_else(|e| Reply::Answer(Err(e)), |_| Reply::Garbage),
        Some(kind) => Reply::Answer(Err(fault_error(kind, &context, service, operation, &action))),
    }
}

fn run(context: &Context<'_>, operation: &Operation, action: &str) -> Result<Answer, ServiceError> {
    // AWS lets nobody forbid this one.
    if action != "sts:GetCallerIdentity" {
        context.authorize(action, operation.on)?;
    }
    (operation.run)(context)
}

fn fault_error(kind: FaultKind, context: &Context<'_>, service: &Service, operation: &Operation, action: &str) -> ServiceError {
    let protocol = service.protocol;
    if service.name == organizations::SERVICE.name
        && let Some(error) = organizations::of_fault(&kind)
    {
        return error;
    }
    match kind {
        FaultKind::Throttled => Shared::Throttled.in_words(protocol, "Rate exceeded"),
        FaultKind::Unavailable503 => Shared::Unavailable.in_words(protocol, "Service is unable to handle request."),
        FaultKind::AccessDenied => context.access_denied(action, &(operation.on)(context), DeniedBy::MissingAllow),
        FaultKind::ExpiredCredentials => expired_token(protocol),
        FaultKind::ClockSkew => {
            let now = context.now.strftime("%Y%m%dT%H%M%SZ");
            let message = format!("Signature expired: 20000101T000000Z is now earlier than {now} ({now} - 5 min.)");
            Shared::BadSignature.in_words(protocol, message)
        }
        FaultKind::RegionDisabled => region_disabled(service, &context.account.id),
        FaultKind::TooManyUpdates => ssm::too_many_updates(),
        FaultKind::LimitExceeded => Shared::LimitExceeded.in_words(protocol, "Cannot exceed quota."),
        FaultKind::MalformedPolicyDocument => {
            let message = "Invalid principal in policy: \"SERVICE\":\"ssm.amazonaws.com\"";
            ServiceError::new(400, "MalformedPolicyDocument", message)
        }
        FaultKind::EntityAlreadyExists => ServiceError::new(409, "EntityAlreadyExists", "The entity already exists."),
        FaultKind::Custom { status, code, message } => ServiceError::new(status, code, message),
        // All but the first are played before an error is asked for.
        FaultKind::Internal500
        | FaultKind::Slow(_)
        | FaultKind::DropBeforeActing
        | FaultKind::DropAfterActing
        | FaultKind::Garbage => Shared::Internal.in_words(protocol, "An internal error occurred."),
    }
}

fn write_down(world: &World, request: &Request<'_>, identity: Option<&Identity>, knobs: &Knobs, now: Timestamp, reply: &Reply) {
    let authorization = request.authorization;
    let service = authorization.map_or("", |known| known.service);
    let known = request.service.and_then(|service| service.operation(&request.operation));
    let outcome = || match reply {
        Reply::Answer(Ok(_)) | Reply::Late(_, Ok(_)) => Outcome::Answered { status: 200 },
        Reply::Answer(Err(error)) | Reply::Late(_, Err(error)) => {
            Outcome::Failed { status: error.status, code: error.code.to_string() }
        }
        Reply::Garbage => Outcome::Garbled,
        Reply::DropUnacted => Outcome::DroppedBeforeActing,
        Reply::DropActed => Outcome::DroppedAfterActing,
    };
    world.journal.write(knobs.record, service, &request.operation, |sequence| Call {
        sequence,
        at: now,
        account: identity.map_or("", |known| &known.account.id).to_owned(),
        region: authorization.map_or("", |known| known.region).to_owned(),
        service: service.to_owned(),
        operation: request.operation.clone(),
        principal: identity.map_or("", |known| &*known.arn).to_owned(),
        parameters: request.params.as_ref().map_or(Value::Null, Params::to_json),
        outcome: outcome(),
        effect: known.map_or(Effect::Read, |operation| operation.effect),
        user_agent: request.header("user-agent").map(str::to_owned),
    });
}
