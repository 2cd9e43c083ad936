//! What Organizations says no with. Codes are the model's; the texts are AWS's where they are known.

use crate::fault::FaultKind;
use crate::wire::error::ServiceError;

pub(super) fn not_in_use() -> ServiceError {
    ServiceError::modelled(400, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
}

pub(super) fn denied() -> ServiceError {
    ServiceError::modelled(400, "AccessDeniedException", "You don't have permissions to access this resource.")
}

pub(super) fn no_parent() -> ServiceError {
    let message = "We can't find a root or OU with the ParentId that you specified.";
    ServiceError::modelled(400, "ParentNotFoundException", message)
}

pub(super) fn no_account() -> ServiceError {
    ServiceError::modelled(400, "AccountNotFoundException", "You specified an account that doesn't exist.")
}

/// What a parameter may be refused for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Invalid {
    Missing,
    Pattern,
    TooSmall,
    TooLarge,
    Token,
}

impl From<Invalid> for ServiceError {
    fn from(why: Invalid) -> Self {
        let (reason, message) = match why {
            Invalid::Missing => ("INPUT_REQUIRED", "You must specify a value for every required parameter."),
            Invalid::Pattern => ("INVALID_PATTERN", "You provided a value that does not match the required pattern."),
            Invalid::TooSmall => ("MIN_VALUE_EXCEEDED", "You provided a value that is lower than the minimum allowed."),
            Invalid::TooLarge => ("MAX_VALUE_EXCEEDED", "You provided a value that is higher than the maximum allowed."),
            Invalid::Token => ("INVALID_NEXT_TOKEN", "The NextToken that you provided is not valid."),
        };
        Self::modelled(400, "InvalidInputException", message).reason(reason)
    }
}

/// The faults that this service words differently from the others.
pub(crate) fn of_fault(kind: &FaultKind) -> Option<ServiceError> {
    match kind {
        FaultKind::Throttled => {
            let message = "AWS Organizations can't complete your request because you have sent too many requests.";
            Some(ServiceError::modelled(400, "TooManyRequestsException", message))
        }
        FaultKind::Internal500 => {
            let message = "AWS Organizations can't complete your request because of an internal service error.";
            Some(ServiceError::modelled(500, "ServiceException", message))
        }
        _ => None,
    }
}
