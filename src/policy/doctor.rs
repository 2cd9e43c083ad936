//! What `doctor` reads besides: the list of its operations, and on what each is.
//!
//! `tests/iam.rs` holds it against the calls in `src/aws/`.

use super::reach::Reach;
use super::rights::Rights;
use super::text::{Place, Whose};
use super::values::Values;
use crate::operations::LIST_REGIONS;

/// Every read that `doctor` makes and the controller does not. Whoever does not allow them is told what could not be checked.
pub const READS: [&str; 8] = [
    GET_POLICY,
    GET_POLICY_VERSION,
    GET_ROLE_POLICY,
    LIST_ROLE_POLICIES,
    "iam:SimulatePrincipalPolicy",
    "ssm-quicksetup:ListConfigurationManagers",
    GET_DOCUMENT,
    "ssm:ListAssociations",
];

const LIST_ROLE_POLICIES: &str = "iam:ListRolePolicies";
const GET_ROLE_POLICY: &str = "iam:GetRolePolicy";
const GET_POLICY: &str = "iam:GetPolicy";
const GET_POLICY_VERSION: &str = "iam:GetPolicyVersion";
const GET_DOCUMENT: &str = "ssm:GetDocument";
/// The document with a region's preferences of Session Manager (Systems Manager user guide, Session document schema).
pub const SESSION_PREFERENCES: &str = "SSM-SessionManagerRunShell";

/// Allows the reads on what they are on. Which policies are attached to the role, and as whom `doctor` runs, only AWS knows: these
/// are reads of any.
pub(super) fn allow(rights: &mut Rights, reach: &Reach, place: &Place) {
    for operation in READS {
        match operation {
            LIST_ROLE_POLICIES | GET_ROLE_POLICY => {
                for resource in reach.roles.iter().flat_map(|role| place.role(role.path.as_ref(), &role.name)) {
                    rights.allow(operation, resource, Values::any());
                }
            }
            GET_POLICY | GET_POLICY_VERSION => {
                rights.allow(operation, Place { account: Whose::Any, ..*place }.policies(), Values::any());
            }
            GET_DOCUMENT => rights.allow(operation, place.ssm_document(SESSION_PREFERENCES), Values::any()),
            _ => rights.allow_everywhere(operation),
        }
    }
    // Whichever regions the document names, they are compared with those of the account.
    rights.allow_everywhere(LIST_REGIONS);
}
