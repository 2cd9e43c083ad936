//! All faults, with what each is and which calls it does not hit.

use aws_sandbox::FaultKind;

use super::calls::{Call, Effect, Place};
use super::lab::too_slow;
use super::troubles::{Kind, Trouble};

const EVERY: fn(&Call) -> bool = |_| true;
const WRITES_TO_SSM: fn(&Call) -> bool = |call| call.service == "ssm" && call.effect == Effect::Write;

fn is(call: &Call, names: &[&str]) -> bool {
    names.contains(&call.operation)
}

fn own(title: &'static str, about: &'static str, kind: Kind, hits: fn(&Call) -> bool) -> Trouble {
    Trouble { title, about, kind, hits, place: Place::Own }
}

fn custom(code: &str, message: &str) -> Kind {
    Kind::Call(FaultKind::Custom { status: 400, code: code.to_owned(), message: message.to_owned() })
}

/// In the order of the page.
pub fn all() -> Vec<Trouble> {
    [outages(), rights(), refusals()].concat()
}

/// No answer, or none to be used.
fn outages() -> Vec<Trouble> {
    vec![
        own("Throttled", "AWS answers that there are too many calls. Hits every call.", Kind::Call(FaultKind::Throttled), EVERY),
        own("500", "The service's own internal error. Hits every call.", Kind::Call(FaultKind::Internal500), EVERY),
        own("503", "`ServiceUnavailable`. Hits every call.", Kind::Call(FaultKind::Unavailable503), EVERY),
        own(
            "Slow past the timeout",
            "AWS acts at once and answers after the timeout of an attempt. Hits every call.",
            Kind::Call(FaultKind::Slow(too_slow())),
            EVERY,
        ),
        own(
            "Connection dropped before AWS acted",
            "The connection is closed without an answer, and nothing was done. Hits every call.",
            Kind::Call(FaultKind::DropBeforeActing),
            EVERY,
        ),
        own(
            "Connection dropped after AWS acted",
            "The connection is closed without an answer, and AWS has carried the call out. Hits every call; of a read, nobody can \
             tell it from the one above.",
            Kind::Call(FaultKind::DropAfterActing),
            EVERY,
        ),
        own(
            "Garbage",
            "AWS carries the call out; the answer is 200 with a body that is neither JSON nor XML. Hits every call.",
            Kind::Call(FaultKind::Garbage),
            EVERY,
        ),
    ]
}

/// Credentials and rights.
fn rights() -> Vec<Trouble> {
    vec![
        own(
            "Access denied",
            "No policy allows the call. Hits every call but `sts:GetCallerIdentity`, which AWS lets nobody forbid.",
            Kind::Call(FaultKind::AccessDenied),
            |call| !is(call, &["GetCallerIdentity"]),
        ),
        own(
            "iam:PassRole denied",
            "The setting may be written and the role may not be passed to Systems Manager. `ssm:UpdateServiceSetting` is the one \
             call that passes a role.",
            Kind::PassRole,
            |call| is(call, &["UpdateServiceSetting"]),
        ),
        own(
            "Expired credentials",
            "The controller's own credentials have run out, and nothing has renewed them. Hits every call.",
            Kind::Call(FaultKind::ExpiredCredentials),
            EVERY,
        ),
        Trouble {
            place: Place::Member,
            ..own(
                "Expired session in another account",
                "A session that has just been opened in an account is not taken there. Hits every call in such an account; STS and \
                 Organizations are called with the controller's own credentials.",
                Kind::Call(FaultKind::ExpiredCredentials),
                |call| ["iam", "ssm", "account"].contains(&call.service),
            )
        },
        own(
            "Clock skew",
            "The clock of this machine is a quarter of an hour behind AWS's, for every call. The SDK reads off the first answer of \
             each service how far the clocks are apart, and signs accordingly from then on.",
            Kind::ClockSkew,
            EVERY,
        ),
        own(
            "Clock skew that is not to be seen",
            "AWS finds the signature's time too far off, and the answer's `Date` does not say so: something on the way has an opinion \
             of its own. Hits every call.",
            Kind::Call(FaultKind::ClockSkew),
            EVERY,
        ),
        own(
            "Region disabled",
            "The account has closed the region. Hits STS and Systems Manager, the services that are called in a region; the others \
             are called in one that no account can close. `ssm:GetServiceSetting` meets a region that really is closed; the writes \
             meet one that is closed between the read and the write, and for a moment longer is still listed as open.",
            Kind::RegionDisabled,
            |call| ["sts", "ssm"].contains(&call.service),
        ),
    ]
}

/// What one of the services says of what it was asked.
fn refusals() -> Vec<Trouble> {
    vec![
        own(
            "TooManyUpdates",
            "Somebody else's update of the setting is not finished. Only writes of Systems Manager are answered so.",
            Kind::Call(FaultKind::TooManyUpdates),
            WRITES_TO_SSM,
        ),
        own(
            "PendingUpdate for a minute",
            "The write is accepted, and the setting is `PendingUpdate` afterwards. Only writes of Systems Manager begin one.",
            Kind::PendingUpdate,
            WRITES_TO_SSM,
        ),
        own(
            "Role not known to Systems Manager yet",
            "A role that IAM has is not seen by Systems Manager, or not with its new trust policy. Only the one call that names a \
             role is answered so.",
            custom(
                "ValidationException",
                "Nonexistent role or missing ssm service principal in trust policy: arn:aws:iam::111122223333:role/R",
            ),
            |call| is(call, &["UpdateServiceSetting"]),
        ),
        own(
            "Role invisible after CreateRole",
            "The role was created, and IAM says for a while that there is none. Only what follows a `iam:CreateRole` is like that.",
            Kind::RoleInvisible,
            |call| is(call, &["CreateRole"]),
        ),
        own(
            "EntityAlreadyExists on a race",
            "Somebody else has created the role between the controller's look and its write, and it is not visible yet. Only \
             `iam:CreateRole` is answered so.",
            Kind::Race,
            |call| is(call, &["CreateRole"]),
        ),
        own(
            "LimitExceeded",
            "A quota of IAM. Hits the writes for which IAM's API declares it, which are all but `iam:PutRolePermissionsBoundary` and \
             `iam:UpdateRoleDescription`.",
            Kind::Call(FaultKind::LimitExceeded),
            |call| {
                let has_none = is(call, &["PutRolePermissionsBoundary", "UpdateRoleDescription"]);
                call.service == "iam" && call.effect == Effect::Write && !has_none
            },
        ),
        own(
            "MalformedPolicyDocument, invalid principal",
            "IAM does not know a principal of the trust policy, as it may for a while of a new one. Hits the two calls that carry a \
             trust policy.",
            Kind::Call(FaultKind::MalformedPolicyDocument),
            |call| is(call, &["CreateRole", "UpdateAssumeRolePolicy"]),
        ),
        own(
            "MalformedPolicyDocument, anything else",
            "IAM does not take the trust policy. Hits the same two calls.",
            custom("MalformedPolicyDocument", "Syntax errors in policy."),
            |call| is(call, &["CreateRole", "UpdateAssumeRolePolicy"]),
        ),
    ]
}
