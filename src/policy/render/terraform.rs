//! Terraform, as HCL: policies as `aws_iam_policy_document`, which reviewers know, which says what it means block by block, and
//! which can be merged with others (`source_policy_documents`). What is left open is filled in by data sources and variables.

use std::borrow::Cow;

use hcl::expr::{FuncCall, TemplateExpr, Traversal, Variable};
use hcl::structure::BlockBuilder;
use hcl::{Block, Body, Expression, Identifier};

use super::{Attached, Deployment, InstanceProfile, ManagedPolicy, Named, Role, alignment};
use crate::policy::document::{Condition, Effect, PolicyDocument, Statement};
use crate::policy::text::{Piece, Text};

/// What a policy is called beside a role's `trust`.
const TRUST: &str = "dhmc_trust";
/// The variable of the external id.
const EXTERNAL_ID: &str = "external_id";
/// The variable of what a service control policy is attached to.
const TARGETS: &str = "target_ids";
/// What a role is called.
const ROLE: &str = "dhmc";

pub(super) fn render(deployment: &Deployment) -> Result<String, hcl::Error> {
    let mut file = File::default();
    match deployment {
        Deployment::Policy(policy) => file.add_policy(policy)?,
        Deployment::ServiceControlPolicy(policy) => file.add_service_control_policy(policy)?,
        Deployment::Role(role) => file.add_role(role)?,
    }
    Ok(alignment::aligned(&hcl::to_string(&file.body())?))
}

#[derive(Default)]
struct File {
    /// What the rest refers to.
    given: Vec<Block>,
    blocks: Vec<Block>,
}

impl File {
    fn body(self) -> Body {
        self.given.into_iter().chain(self.blocks).collect()
    }

    fn add_policy(&mut self, policy: &ManagedPolicy) -> Result<(), hcl::Error> {
        let role = match &policy.attached {
            Attached::ToRole(usual) => {
                let variable = Block::builder("variable").add_label("role_name").add_attribute(("type", path(&["string"])?));
                let variable = variable.add_attribute(("description", "The role that the policy is attached to."));
                let variable = usual.iter().fold(variable, |variable, name| variable.add_attribute(("default", name.as_str())));
                self.given.push(variable.build());
                Some(path(&["var", "role_name"])?)
            }
            Attached::ByHand => None,
        };
        self.add_managed(&policy.named, role)
    }

    fn add_managed(&mut self, policy: &Named, role: Option<Expression>) -> Result<(), hcl::Error> {
        let name = policy.name.replace('-', "_");
        self.add_document(&name, &policy.document)?;
        let block = resource("aws_iam_policy", &name)
            .add_attribute(("name", policy.name))
            .add_attribute(("description", policy.description))
            .add_attribute(("policy", path(&["data", "aws_iam_policy_document", &name, "json"])?));
        self.blocks.push(block.build());
        if let Some(role) = role {
            let attachment = resource("aws_iam_role_policy_attachment", &name).add_attribute(("role", role));
            let arn = path(&["aws_iam_policy", &name, "arn"])?;
            self.blocks.push(attachment.add_attribute(("policy_arn", arn)).build());
        }
        Ok(())
    }

    fn add_service_control_policy(&mut self, policy: &Named) -> Result<(), hcl::Error> {
        let name = policy.name.replace('-', "_");
        self.add_document(&name, &policy.document)?;
        let block = resource("aws_organizations_policy", &name)
            .add_attribute(("name", policy.name))
            .add_attribute(("description", policy.description))
            .add_attribute(("type", "SERVICE_CONTROL_POLICY"))
            // Organizations counts the white space that it is given.
            .add_attribute(("content", path(&["data", "aws_iam_policy_document", &name, "minified_json"])?));
        self.blocks.push(block.build());
        let kind = FuncCall::builder("set").arg(path(&["string"])?).build();
        let targets = Block::builder("variable").add_label(TARGETS).add_attribute(("type", kind));
        let targets = targets.add_attribute(("description", "The root, units and accounts that it is attached to."));
        self.given.push(targets.build());
        let attachment = resource("aws_organizations_policy_attachment", &name)
            .add_attribute(("for_each", path(&["var", TARGETS])?))
            .add_attribute(("policy_id", path(&["aws_organizations_policy", &name, "id"])?))
            .add_attribute(("target_id", path(&["each", "value"])?));
        self.blocks.push(attachment.build());
        Ok(())
    }

    fn add_role(&mut self, role: &Role) -> Result<(), hcl::Error> {
        self.add_document(TRUST, &role.trust)?;
        let trust = path(&["data", "aws_iam_policy_document", TRUST, "json"])?;
        let block = resource("aws_iam_role", ROLE)
            .add_attribute(("name", role.name.as_str()))
            .add_attribute(("path", role.path.as_str()))
            .add_attribute(("description", role.description))
            .add_attribute(("assume_role_policy", trust));
        self.blocks.push(block.build());
        let name = || path(&["aws_iam_role", ROLE, "name"]);
        if role.profile == InstanceProfile::Needed {
            let profile = resource("aws_iam_instance_profile", ROLE)
                .add_attribute(("name", role.name.as_str()))
                .add_attribute(("path", role.path.as_str()))
                .add_attribute(("role", name()?));
            self.blocks.push(profile.build());
        }
        for policy in &role.policies {
            self.add_managed(policy, Some(name()?))?;
        }
        let output = Block::builder("output").add_label("role_arn");
        self.blocks.push(output.add_attribute(("value", path(&["aws_iam_role", ROLE, "arn"])?)).build());
        Ok(())
    }

    fn add_document(&mut self, name: &str, document: &PolicyDocument) -> Result<(), hcl::Error> {
        for piece in document.texts().flat_map(Text::pieces) {
            let block = match piece {
                Piece::Literal(_) => continue,
                Piece::Partition => data("aws_partition", "current").build(),
                Piece::Account => data("aws_caller_identity", "current").build(),
                Piece::ExternalId => Block::builder("variable")
                    .add_label(EXTERNAL_ID)
                    .add_attribute(("type", path(&["string"])?))
                    .add_attribute(("sensitive", true))
                    .add_attribute(("description", "The externalId of the document."))
                    .build(),
            };
            if !self.given.contains(&block) {
                self.given.push(block);
            }
        }
        let statements = document.statements.iter().map(statement).collect::<Result<Vec<Block>, _>>()?;
        self.blocks.push(data("aws_iam_policy_document", name).add_blocks(statements).build());
        Ok(())
    }
}

fn statement(statement: &Statement) -> Result<Block, hcl::Error> {
    let effect = match statement.effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    let actions: Vec<Expression> = statement.actions.iter().map(|action| Expression::from(*action)).collect();
    let mut block = Block::builder("statement").add_attribute(("sid", statement.sid.as_str()));
    block = block.add_attribute(("effect", effect)).add_attribute(("actions", actions));
    if !statement.resources.is_empty() {
        block = block.add_attribute(("resources", expressions(&statement.resources)?));
    }
    if let Some(principal) = &statement.principal {
        let identifiers = vec![expression(&principal.name)?];
        let principals = Block::builder("principals").add_attribute(("type", principal.kind));
        block = block.add_block(principals.add_attribute(("identifiers", identifiers)).build());
    }
    for one in &statement.conditions {
        block = block.add_block(condition(one)?);
    }
    Ok(block.build())
}

fn condition(condition: &Condition) -> Result<Block, hcl::Error> {
    Ok(Block::builder("condition")
        .add_attribute(("test", condition.operator))
        .add_attribute(("variable", condition.key.as_str()))
        .add_attribute(("values", expressions(&condition.values)?))
        .build())
}

fn expressions(texts: &[Text]) -> Result<Vec<Expression>, hcl::Error> {
    texts.iter().map(expression).collect()
}

/// A text whose open places are filled in by Terraform.
fn expression(text: &Text) -> Result<Expression, hcl::Error> {
    Ok(match text.pieces() {
        [Piece::Literal(text)] => Expression::from(text.as_ref()),
        // Terraform warns of a template that is nothing but a variable.
        [Piece::ExternalId] => path(&["var", EXTERNAL_ID])?,
        _ => Expression::from(TemplateExpr::from(text.write(interpolated))),
    })
}

fn interpolated(piece: &Piece) -> Cow<'_, str> {
    match piece {
        Piece::Literal(text) => Cow::Owned(text.replace("${", "$${").replace("%{", "%%{")),
        Piece::Partition => Cow::Borrowed("${data.aws_partition.current.partition}"),
        Piece::Account => Cow::Borrowed("${data.aws_caller_identity.current.account_id}"),
        Piece::ExternalId => Cow::Owned(format!("${{var.{EXTERNAL_ID}}}")),
    }
}

fn resource(kind: &str, name: &str) -> BlockBuilder {
    Block::builder("resource").add_labels([kind, name])
}

fn data(kind: &str, name: &str) -> BlockBuilder {
    Block::builder("data").add_labels([kind, name])
}

/// Such as `data.aws_iam_policy_document.dhmc_member.json`.
fn path(names: &[&str]) -> Result<Expression, hcl::Error> {
    let (first, rest) = names.split_first().unwrap_or((&"null", &[]));
    let variable = Variable::new(*first)?;
    if rest.is_empty() {
        return Ok(Expression::Variable(variable));
    }
    let rest = rest.iter().map(|name| Identifier::new(*name)).collect::<Result<Vec<_>, _>>()?;
    Ok(Expression::from(Traversal::new(variable, rest)))
}
