//! Every call that the controller makes, each with a state of AWS in which it makes it.

use aws_sandbox::{AccountHandle, Filter, RegionStatus, Role, Sandbox};

use crate::referee::ACCOUNT;
use crate::sdk::{EC2_TRUST, POLICY, ROLE, VALUE};

pub const MEMBER: &str = "222233334444";
/// Where faults of Systems Manager hit.
pub const REGION: &str = "eu-west-1";
/// Where they do not.
pub const BYSTANDER: &str = "us-east-1";
/// Who spoils things.
pub const MALLORY: &str = "arn:aws:iam::111122223333:user/mallory";

const SETTINGS: &str = "regions: {us-east-1: enabled, eu-west-1: enabled}";
const EXTRA_POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// A call, and how to have it made.
#[derive(Debug)]
pub struct Call {
    pub service: &'static str,
    pub operation: &'static str,
    pub effect: Effect,
    /// Which target it is made for: a region, or a kind.
    pub target: &'static str,
    pub place: Place,
    /// What is declared, and what of it is not so.
    spec: &'static str,
    spoil: fn(&AccountHandle),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Read,
    Write,
}

/// Which account it is made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The one of the controller's own credentials.
    Own,
    /// One whose role is assumed.
    Member,
}

pub fn all() -> Vec<Call> {
    use Effect::{Read, Write};
    let nothing: fn(&AccountHandle) = |_| {};
    let call = |service, operation, effect, target, spec, spoil| Call {
        service,
        operation,
        effect,
        target,
        place: Place::Own,
        spec,
        spoil,
    };
    vec![
        call("sts", "GetCallerIdentity", Read, "account", SETTINGS, nothing),
        Call { place: Place::Member, ..call("sts", "AssumeRole", Read, "account", SETTINGS, nothing) },
        call("organizations", "ListAccounts", Read, "organization", ORGANIZATION, nothing),
        call("organizations", "ListAccountsForParent", Read, "organization", UNITS, nothing),
        call("organizations", "ListOrganizationalUnitsForParent", Read, "organization", UNITS, nothing),
        call("account", "ListRegions", Read, "account", "otherRegions: enabled", nothing),
        call("iam", "GetRole", Read, "role", SETTINGS, nothing),
        call("iam", "ListAttachedRolePolicies", Read, "role", SETTINGS, nothing),
        call("iam", "CreateRole", Write, "role", SETTINGS, |account| account.delete_role(ROLE)),
        call("iam", "UpdateAssumeRolePolicy", Write, "role", SETTINGS, |account| {
            account.edit_role(ROLE, |role| EC2_TRUST.clone_into(&mut role.trust_policy));
        }),
        call("iam", "PutRolePermissionsBoundary", Write, "role", BOUNDARY, nothing),
        call("iam", "AttachRolePolicy", Write, "role", SETTINGS, |account| {
            account.edit_role(ROLE, |role| role.attached.clear());
        }),
        call("iam", "DetachRolePolicy", Write, "role", EXCLUSIVE, |account| {
            account.edit_role(ROLE, |role| role.attached.push(EXTRA_POLICY.to_owned()));
        }),
        call("iam", "TagRole", Write, "role", TAGS, nothing),
        call("iam", "UpdateRoleDescription", Write, "role", DESCRIPTION, nothing),
        call("ssm", "GetServiceSetting", Read, REGION, SETTINGS, nothing),
        call("ssm", "UpdateServiceSetting", Write, REGION, SETTINGS, |account| account.reset_setting(REGION, MALLORY)),
        call("ssm", "ResetServiceSetting", Write, REGION, "regions: {us-east-1: enabled, eu-west-1: disabled}", nothing),
    ]
}

const ORGANIZATION: &str = "regions: {us-east-1: enabled}, organization: {assumeRole: {name: dhmc-controller}}";
/// `UNIT` is a unit of the organization.
const UNITS: &str =
    "regions: {us-east-1: enabled}, organization: {assumeRole: {name: dhmc-controller}, include: {organizationalUnits: [UNIT]}}";
const BOUNDARY: &str =
    "regions: {us-east-1: enabled, eu-west-1: enabled}, role: {permissionsBoundary: AmazonSSMManagedEC2InstanceDefaultPolicy}";
const EXCLUSIVE: &str = "regions: {us-east-1: enabled, eu-west-1: enabled}, role: {exclusivePolicies: true}";
const TAGS: &str = "regions: {us-east-1: enabled, eu-west-1: enabled}, role: {tags: {team: platform}}";
const DESCRIPTION: &str = "regions: {us-east-1: enabled, eu-west-1: enabled}, role: {description: kept by dhmc-controller}";

impl Call {
    /// In the words of an IAM policy.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// The calls of it in the journal that a fault of it hits.
    pub fn filter(&self) -> Filter {
        let filter = Filter::any().service(self.service).operation(self.operation);
        if self.service == "ssm" { filter.region(REGION) } else { filter }
    }

    pub fn account<'a>(&self) -> &'a str {
        match self.place {
            Place::Own => ACCOUNT,
            Place::Member => MEMBER,
        }
    }

    /// Brings AWS into the state in which this call is made, and says what to declare.
    pub fn prepare(&self, sandbox: &Sandbox) -> String {
        for id in [ACCOUNT, MEMBER] {
            let account = sandbox.account(id);
            account.trust("dhmc-controller", "/", ACCOUNT, None);
            let role = Role { attached: vec![POLICY.to_owned()], ..Role::trusting_ssm("/service-role/", ROLE) };
            account.put_role(role);
            for region in account.regions().into_keys().filter(|region| ![REGION, BYSTANDER].contains(&region.as_str())) {
                account.set_region(&region, RegionStatus::Disabled);
            }
            for region in [REGION, BYSTANDER] {
                account.set_setting(region, VALUE, MALLORY);
            }
        }
        (self.spoil)(&sandbox.account(self.account()));
        let mut spec = self.spec.to_owned();
        if self.service == "organizations" {
            let organization = sandbox.organization(ACCOUNT);
            let unit = organization.unit(&organization.root(), "workloads");
            organization.add(MEMBER, "member", &unit);
            spec = spec.replace("UNIT", &unit);
        }
        if self.place == Place::Member {
            spec = format!("{spec}, accounts: [{{id: '{MEMBER}', assumeRole: {{name: dhmc-controller}}}}]");
        }
        format!("{{{spec}}}")
    }

    /// The same in an account whose role is assumed.
    pub fn in_member(self) -> Self {
        Self { place: Place::Member, ..self }
    }
}

/// What AWS has in the end, without what nobody declares.
pub fn aws(sandbox: &Sandbox) -> Vec<String> {
    let of_account = |id: &str| {
        let account = sandbox.account(id);
        let settings = [REGION, BYSTANDER].map(|region| format!("{id} {region} {:?}", account.setting(region).value));
        let role = account.role(ROLE).map(|role| {
            // Whoever wrote it, in the same order.
            let trust: serde_json::Value = serde_json::from_str(&role.trust_policy).unwrap();
            format!(
                "{id} {}{} {} {:?} {:?} {:?} {:?}",
                role.path, role.name, trust, role.attached, role.tags, role.description, role.permissions_boundary
            )
        });
        settings.into_iter().chain(role).collect::<Vec<_>>()
    };
    [ACCOUNT, MEMBER].into_iter().flat_map(of_account).collect()
}
