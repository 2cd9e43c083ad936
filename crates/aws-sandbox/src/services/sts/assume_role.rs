//! `AssumeRole`: a session of a role, if the caller's policies allow it and the role's trust policy lets it in. A role that is not there is refused
//! in the same words as one that does not trust: AWS does not tell.

use jiff::Timestamp;
use serde::Serialize;

use super::session_request::{SessionRequest, invalid};
use crate::identity::{Identity, Session};
use crate::services::Context;
use crate::services::authorize::Resource;
use crate::trust::{self, Caller};
use crate::wire::answer::Answer;
use crate::wire::error::{ServiceError, Shared};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Opened<'a> {
    assumed_role_user: AssumedRoleUser<'a>,
    credentials: Keys<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser<'a> {
    assumed_role_id: String,
    arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Keys<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    expiration: String,
}

pub(super) fn assume_role(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let request = SessionRequest::read(call)?;
    if request.has_tags {
        call.authorize("sts:TagSession", role_to_assume)?;
    }
    let (key, identity) = open(call, &request)?;
    let expiration = identity.expires().unwrap_or(call.now);
    let answer = Opened {
        assumed_role_user: AssumedRoleUser { assumed_role_id: identity.user_id(), arn: &identity.arn },
        credentials: Keys {
            access_key_id: &key,
            secret_access_key: &identity.secret,
            session_token: identity.session_token.as_deref().unwrap_or_default(),
            expiration: expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        },
    };
    let answer = Answer::xml("AssumeRoleResult", &answer)?;
    call.world.keys.open(&key, identity, call.now);
    Ok(answer)
}

/// The role as the caller names it. `TagSession` does not list the external id and the session's name; that they can be asked
/// about there as well is a guess.
pub(super) fn role_to_assume(call: &Context<'_>) -> Resource {
    let keys = ["ExternalId", "RoleSessionName"].map(|param| (format!("sts:{param}"), call.params.text(param)));
    let arn = call.params.text("RoleArn").unwrap_or("*");
    let organization = arn.split(':').nth(4).and_then(|account| call.world.organization_id_of(account));
    let role = Resource::new(arn).with_tags(&call.params.tags()).with("aws:ResourceOrgID", organization.as_deref());
    let role = keys.into_iter().fold(role, |role, (key, value)| role.with(&key, value));
    let transitive = call.params.texts("TransitiveTagKeys").into_iter();
    transitive.fold(role, |role, key| role.with("sts:TransitiveTagKeys", Some(key)))
}

fn open(call: &Context<'_>, request: &SessionRequest<'_>) -> Result<(String, Identity), ServiceError> {
    let caller = caller(call);
    let refuse = |action: &str| Err(refused(call, action, request.role_arn));
    let account = call.world.known_account(request.account);
    let of_here = call.account.partition.as_str() == request.partition;
    let Some(account) = account.filter(|known| of_here && known.partition == call.account.partition) else {
        return refuse("sts:AssumeRole");
    };
    let state = account.state.lock();
    let Some(role) = state.roles.assumable(request.role_arn) else {
        return refuse("sts:AssumeRole");
    };
    let tags = request.has_tags || call.identity.transitive_tags;
    let needed = if tags { &["sts:AssumeRole", "sts:TagSession"][..] } else { &["sts:AssumeRole"] };
    for action in needed {
        if !trust::admits(&role.trust_policy, action, &caller) {
            return refuse(action);
        }
    }
    if request.seconds > u64::from(role.max_session_duration) {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(invalid(call, message.to_owned()));
    }
    let session = Session {
        role,
        name: request.session_name,
        expires: expiry(call, request.seconds),
        transitive_tags: request.transitive_tags || call.identity.transitive_tags,
    };
    Ok(Identity::open(&account, &session))
}

/// The caller's own account is left before the role's is entered: they may be the same.
fn caller<'a>(call: &'a Context<'_>) -> Caller<'a> {
    let principal = call.principal();
    Caller {
        arn: &call.identity.arn,
        account: &call.account.id,
        root: call.account.iam_arn("root"),
        keys: call.keys(&principal, &role_to_assume(call)),
        role: call.identity.role_name().map(|_| principal),
    }
}

/// Whole seconds, as the answer tells them.
fn expiry(call: &Context<'_>, seconds: u64) -> Timestamp {
    let seconds = call.knobs.session_seconds.map_or(seconds, u64::from);
    let end = call.now.as_second().saturating_add_unsigned(seconds);
    Timestamp::from_second(end).unwrap_or(Timestamp::MAX)
}

fn refused(call: &Context<'_>, action: &str, role_arn: &str) -> ServiceError {
    let arn = &call.identity.arn;
    let message = format!("User: {arn} is not authorized to perform: {action} on resource: {role_arn}");
    Shared::AccessDenied.in_words(call.protocol, message)
}
