//! STS: who am I, and sessions of roles. awsQuery, botocore's `sts` model of 2011-06-15.

mod assume_role;
mod session_request;

use serde::Serialize;

use super::authorize::Resource;
use super::{Context, Operation, Service, SignedFor};
use crate::journal::Effect;
use crate::wire::answer::{Answer, Protocol};
use crate::wire::error::ServiceError;

pub(crate) const SERVICE: Service = Service {
    name: "sts",
    protocol: Protocol::Query { namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
    signed_for: SignedFor::EachRegion,
    operations: &[
        Operation { name: "GetCallerIdentity", effect: Effect::Read, on: |_| Resource::any(), run: get_caller_identity },
        // A session changes nothing that anybody could read back: no write, as CloudTrail sees it too.
        Operation { name: "AssumeRole", effect: Effect::Read, on: assume_role::role_to_assume, run: assume_role::assume_role },
    ],
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CallerIdentity<'a> {
    arn: &'a str,
    user_id: String,
    account: &'a str,
}

fn get_caller_identity(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let identity = CallerIdentity { arn: &call.identity.arn, user_id: call.identity.user_id(), account: &call.account.id };
    Answer::xml("GetCallerIdentityResult", &identity)
}
