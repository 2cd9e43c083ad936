//! Who may assume a role: the controller's own, by where it runs; the role in a member account, by the hub.

use super::document::{Condition, Effect, PolicyDocument, Principal, Statement};
use super::principal::{OidcProvider, OrganizationId, RoleArn};
use super::text::Text;
use super::{Scope, SessionTags};
use crate::desired::access::AssumeRole;
use crate::operations::{ASSUME_ROLE, TAG_SESSION};

/// The service that hands out roles of instances. In every partition (terraform-provider-aws
/// `service_principal_data_source.go`; pulumi-eks#2341).
const EC2: &str = "ec2.amazonaws.com";
/// The service that hands out roles of pods (EKS user guide, "Pod Identity").
const PODS: &str = "pods.eks.amazonaws.com";

/// A pod's service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// The namespace.
    pub namespace: String,
    /// The name in it.
    pub name: String,
}

/// What a member asks of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubTerms {
    /// The hub's role.
    pub role: RoleArn,
    /// The organization that it has to be of.
    pub organization: Option<OrganizationId>,
    /// What to write for the external id, where the document declares one; without it, it is left open.
    pub placeholder: Option<String>,
    /// Which session tags may come along.
    pub tags: SessionTags,
}

/// Instances of EC2.
#[must_use]
pub fn ec2() -> PolicyDocument {
    let instances = by_service("TheInstanceMayAssumeThisRole", EC2, vec![ASSUME_ROLE], Vec::new());
    PolicyDocument { statements: vec![instances] }
}

/// A pod by a web identity (IAM roles for service accounts).
#[must_use]
pub fn irsa(provider: &OidcProvider, account: &ServiceAccount, scope: &Scope) -> PolicyDocument {
    let name = match &provider.arn {
        Some(arn) => Text::literal(arn.clone()),
        None => scope.place().arn("iam", "", &format!("oidc-provider/{}", provider.address)),
    };
    let equals = |key: &str, value: String| Condition {
        operator: "StringEquals",
        key: format!("{}:{key}", provider.address),
        values: vec![Text::literal(value)],
    };
    let subject = format!("system:serviceaccount:{}:{}", account.namespace, account.name);
    PolicyDocument {
        statements: vec![Statement {
            sid: "TheServiceAccountMayAssumeThisRole".to_owned(),
            effect: Effect::Allow,
            principal: Some(Principal { kind: "Federated", name }),
            actions: vec!["sts:AssumeRoleWithWebIdentity"],
            resources: Vec::new(),
            conditions: vec![equals("aud", "sts.amazonaws.com".to_owned()), equals("sub", subject)],
        }],
    }
}

/// A pod by EKS Pod Identity, which puts tags on the session: those that name the pod can be asked for.
#[must_use]
pub fn pod_identity(account: Option<&ServiceAccount>) -> PolicyDocument {
    let equals = |key: &str, value: &str| Condition {
        operator: "StringEquals",
        key: format!("aws:RequestTag/{key}"),
        values: vec![Text::literal(value.to_owned())],
    };
    let of = |account: &ServiceAccount| {
        vec![equals("kubernetes-namespace", &account.namespace), equals("kubernetes-service-account", &account.name)]
    };
    let conditions = account.map(of).unwrap_or_default();
    let pods = by_service("ThePodMayAssumeThisRole", PODS, vec![ASSUME_ROLE, TAG_SESSION], conditions);
    PolicyDocument { statements: vec![pods] }
}

/// The hub, by the role that it assumes. The external id is a matter of `AssumeRole` alone; `TagSession` does not know it.
#[must_use]
pub fn hub(terms: &HubTerms, role: &AssumeRole) -> PolicyDocument {
    let equals = |key: &str, value: Text| Condition { operator: "StringEquals", key: key.to_owned(), values: vec![value] };
    let of_organization: Vec<Condition> = terms
        .organization
        .iter()
        .map(|organization| equals("aws:PrincipalOrgID", Text::literal(organization.to_string())))
        .collect();
    let external_id = role.external_id.as_ref().map(|_| {
        let text = terms.placeholder.clone().map_or_else(Text::external_id, Text::literal);
        equals("sts:ExternalId", text)
    });
    let statement = |sid: &str, action: &'static str, conditions: Vec<Condition>| Statement {
        sid: sid.to_owned(),
        effect: Effect::Allow,
        principal: Some(Principal { kind: "AWS", name: Text::literal(terms.role.to_string()) }),
        actions: vec![action],
        resources: Vec::new(),
        conditions,
    };
    let conditions = external_id.into_iter().chain(of_organization.clone()).collect();
    let mut statements = vec![statement("TheHubMayAssumeThisRole", ASSUME_ROLE, conditions)];
    if terms.tags == SessionTags::Inherited || !role.session_tags.is_empty() {
        statements.push(statement("ItsSessionTagsMayComeAlong", TAG_SESSION, of_organization));
    }
    PolicyDocument { statements }
}

fn by_service(sid: &str, service: &'static str, actions: Vec<&'static str>, conditions: Vec<Condition>) -> Statement {
    Statement {
        sid: sid.to_owned(),
        effect: Effect::Allow,
        principal: Some(Principal { kind: "Service", name: Text::literal(service) }),
        actions,
        resources: Vec::new(),
        conditions,
    }
}
