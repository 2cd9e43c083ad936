//! Templates of `CloudFormation`, as JSON: what is left open is filled in by pseudo parameters and parameters.

use std::borrow::Cow;

use super::{Attached, Deployment, InstanceProfile, ManagedPolicy, Named, Role};
use crate::policy::document::{PolicyDocument, Tree};
use crate::policy::text::{Piece, Text};

/// The parameter of the external id.
const EXTERNAL_ID: &str = "ExternalId";
/// The parameter of the role that a policy is attached to.
const ROLE_NAME: &str = "RoleName";
const ROLE: &str = "Role";
const POLICY: &str = "Policy";
/// What the policy is called for the account of the own credentials, beside the one that reaches others.
const SECOND_POLICY: &str = "OwnAccountPolicy";
/// The parameter of what a service control policy is attached to.
const TARGETS: &str = "TargetIds";
/// The parameter of the units whose accounts get a role.
const UNITS: &str = "OrganizationalUnitIds";
/// The parameter of who deploys a stack set.
const CALL_AS: &str = "CallAs";

pub(super) fn render(deployment: &Deployment) -> Result<String, serde_json::Error> {
    let mut template = Template::default();
    let description = match deployment {
        Deployment::Policy(policy) => template.add_policy(policy),
        Deployment::ServiceControlPolicy(policy) => template.add_service_control_policy(policy),
        Deployment::Role(role) => template.add_role(role),
    };
    Ok(serde_json::to_string_pretty(&template.tree(description))? + "\n")
}

/// The template of a stack set of a role's template, by which Organizations brings the role into accounts, those that join later
/// too. `None`, where there is no role.
pub(super) fn render_stack_set(deployment: &Deployment) -> Result<Option<String>, serde_json::Error> {
    let Deployment::Role(role) = deployment else { return Ok(None) };
    let mut inner = Template::default();
    let description = inner.add_role(role);
    let mut template = Template { parameters: inner.parameters.clone(), ..Template::default() };
    let body = serde_json::to_string(&inner.tree(description))?;
    template.add_stack_set(role, body);
    Ok(Some(serde_json::to_string_pretty(&template.tree("Brings the role of dhmc-controller into accounts."))? + "\n"))
}

#[derive(Default)]
struct Template {
    parameters: Vec<(String, Tree)>,
    resources: Vec<(String, Tree)>,
    outputs: Vec<(String, Tree)>,
}

impl Template {
    fn tree(self, description: &'static str) -> Tree {
        let head = vec![
            ("AWSTemplateFormatVersion".to_owned(), Tree::literal("2010-09-09")),
            ("Description".to_owned(), Tree::literal(description)),
        ];
        let parts = [("Parameters", self.parameters), ("Resources", self.resources), ("Outputs", self.outputs)];
        let parts = parts.into_iter().filter(|(_, entries)| !entries.is_empty());
        Tree::Map(head.into_iter().chain(parts.map(|(name, entries)| (name.to_owned(), Tree::Map(entries)))).collect())
    }

    fn add_policy(&mut self, policy: &ManagedPolicy) -> &'static str {
        let roles = match &policy.attached {
            Attached::ToRole(usual) => {
                let mut parameter = vec![("Type", Tree::literal("String"))];
                parameter.push(("Description", Tree::literal("The role that the policy is attached to.")));
                parameter.extend(usual.clone().map(|name| ("Default", Tree::literal(name))));
                self.parameters.push((ROLE_NAME.to_owned(), map(parameter)));
                Some(reference(ROLE_NAME))
            }
            Attached::ByHand => None,
        };
        self.add_managed(&policy.named, roles);
        policy.named.description
    }

    fn add_managed(&mut self, policy: &Named, role: Option<Tree>) {
        let mut properties =
            vec![("Description", Tree::literal(policy.description)), ("PolicyDocument", self.filled_in(&policy.document))];
        properties.extend(role.map(|role| ("Roles", Tree::List(vec![role]))));
        let name = if self.resources.iter().any(|(name, _)| name == POLICY) { SECOND_POLICY } else { POLICY };
        self.add(name, "AWS::IAM::ManagedPolicy", properties);
        self.outputs.push((format!("{name}Arn"), map([("Value", reference(name))])));
    }

    fn add_service_control_policy(&mut self, policy: &Named) -> &'static str {
        let properties = vec![
            ("Name", Tree::literal(policy.name)),
            ("Description", Tree::literal(policy.description)),
            ("Type", Tree::literal("SERVICE_CONTROL_POLICY")),
            ("Content", self.filled_in(&policy.document)),
            ("TargetIds", reference(TARGETS)),
        ];
        self.add_list(TARGETS, "The root, units and accounts that it is attached to, with commas between.");
        self.add(POLICY, "AWS::Organizations::Policy", properties);
        self.outputs.push(("PolicyId".to_owned(), map([("Value", reference(POLICY))])));
        policy.description
    }

    fn add_role(&mut self, role: &Role) -> &'static str {
        let properties = vec![
            ("RoleName", Tree::literal(role.name.clone())),
            ("Path", Tree::literal(role.path.clone())),
            ("Description", Tree::literal(role.description)),
            ("AssumeRolePolicyDocument", self.filled_in(&role.trust)),
        ];
        self.add(ROLE, "AWS::IAM::Role", properties);
        if role.profile == InstanceProfile::Needed {
            let properties = vec![
                ("InstanceProfileName", Tree::literal(role.name.clone())),
                ("Path", Tree::literal(role.path.clone())),
                ("Roles", Tree::List(vec![reference(ROLE)])),
            ];
            self.add("InstanceProfile", "AWS::IAM::InstanceProfile", properties);
        }
        for policy in &role.policies {
            self.add_managed(policy, Some(reference(ROLE)));
        }
        let arn = Tree::List(vec![Tree::literal(ROLE), Tree::literal("Arn")]);
        self.outputs.push(("RoleArn".to_owned(), map([("Value", map([("Fn::GetAtt", arn)]))])));
        role.description
    }

    /// One stack in each account, in one region: roles are of all regions (`CloudFormation` template reference,
    /// `AWS::CloudFormation::StackSet`).
    fn add_stack_set(&mut self, role: &Role, body: String) {
        let asked: Vec<Tree> = self
            .parameters
            .iter()
            .map(|(name, _)| Tree::literal(name.clone()))
            .map(|name| map([("ParameterKey", name.clone()), ("ParameterValue", map([("Ref", name)]))]))
            .collect();
        self.add_list(UNITS, "The root or the units whose accounts get the role, with commas between.");
        let call_as = map([
            ("Type", Tree::literal("String")),
            ("Description", Tree::literal("DELEGATED_ADMIN where it is not deployed in the management account.")),
            ("Default", Tree::literal("SELF")),
            ("AllowedValues", Tree::List(vec![Tree::literal("SELF"), Tree::literal("DELEGATED_ADMIN")])),
        ]);
        self.parameters.push((CALL_AS.to_owned(), call_as));
        let units = map([("OrganizationalUnitIds", reference(UNITS))]);
        let instances = map([("DeploymentTargets", units), ("Regions", Tree::List(vec![reference("AWS::Region")]))]);
        let on = || Tree::literal("true");
        let mut properties = vec![
            ("StackSetName", Tree::literal(format!("{}-role", role.name))),
            ("Description", Tree::literal(role.description)),
            ("PermissionModel", Tree::literal("SERVICE_MANAGED")),
            ("CallAs", reference(CALL_AS)),
            // An account that leaves has no use for the role, and should not let anybody in any more.
            ("AutoDeployment", map([("Enabled", on()), ("RetainStacksOnAccountRemoval", Tree::literal("false"))])),
            ("ManagedExecution", map([("Active", on())])),
            ("Capabilities", Tree::List(vec![Tree::literal("CAPABILITY_NAMED_IAM")])),
            // One account that refuses keeps no other from its role.
            (
                "OperationPreferences",
                map([("FailureTolerancePercentage", Tree::literal("100")), ("MaxConcurrentPercentage", Tree::literal("100"))]),
            ),
        ];
        if !asked.is_empty() {
            properties.push(("Parameters", Tree::List(asked)));
        }
        properties.push(("StackInstancesGroup", Tree::List(vec![instances])));
        properties.push(("TemplateBody", Tree::literal(body)));
        self.add("StackSet", "AWS::CloudFormation::StackSet", properties);
        self.outputs.push(("StackSetId".to_owned(), map([("Value", reference("StackSet"))])));
    }

    fn add_list(&mut self, name: &str, description: &'static str) {
        let parameter = map([("Type", Tree::literal("CommaDelimitedList")), ("Description", Tree::literal(description))]);
        self.parameters.push((name.to_owned(), parameter));
    }

    fn add(&mut self, name: &str, kind: &'static str, properties: Vec<(&'static str, Tree)>) {
        let resource = map([("Type", Tree::literal(kind)), ("Properties", map(properties))]);
        self.resources.push((name.to_owned(), resource));
    }

    /// A policy in which nothing is left open.
    fn filled_in(&mut self, document: &PolicyDocument) -> Tree {
        let asks = document.texts().any(|text| text.pieces().contains(&Piece::ExternalId));
        if asks {
            let parameter = map([
                ("Type", Tree::literal("String")),
                // Whoever may see the stack need not see this.
                ("NoEcho", Tree::literal("true")),
                ("Description", Tree::literal("The externalId of the document.")),
                ("MinLength", Tree::literal("2")),
                ("MaxLength", Tree::literal("1224")),
            ]);
            self.parameters.push((EXTERNAL_ID.to_owned(), parameter));
        }
        document.tree().replaced(&substituted)
    }
}

/// A text whose open places are filled in by `CloudFormation`.
fn substituted(text: &Text) -> Tree {
    match text.pieces() {
        [Piece::Literal(_)] => Tree::Text(text.clone()),
        [Piece::ExternalId] => reference(EXTERNAL_ID),
        _ => map([("Fn::Sub", Tree::literal(text.write(pseudo_parameter)))]),
    }
}

fn pseudo_parameter(piece: &Piece) -> Cow<'_, str> {
    match piece {
        Piece::Literal(text) => Cow::Owned(text.replace("${", "${!")),
        Piece::Partition => Cow::Borrowed("${AWS::Partition}"),
        Piece::Account => Cow::Borrowed("${AWS::AccountId}"),
        Piece::ExternalId => Cow::Owned(format!("${{{EXTERNAL_ID}}}")),
    }
}

fn reference(name: &'static str) -> Tree {
    map([("Ref", Tree::literal(name))])
}

fn map(entries: impl IntoIterator<Item = (&'static str, Tree)>) -> Tree {
    Tree::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}
