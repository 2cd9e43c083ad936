//! `policy`: the least that AWS has to allow for a document, and what keeps others away from it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;

use super::failed;
use crate::cli::policy::{
    ControllerArgs, DenialArgs, HubArgs, MemberArgs, PolicyArgs, PolicyCommand, TermsArgs, TrustArgs, Trusted,
};
use crate::desired::DesiredState;
use crate::desired::access::AssumeRole;
use crate::desired::names::RolePath;
use crate::policy::document::PolicyDocument;
use crate::policy::principal::RoleArn;
use crate::policy::quota::TooLong;
use crate::policy::render::{Attached, Deployment, Format, InstanceProfile, ManagedPolicy, Named, RenderError, Role};
use crate::policy::text::{EXTERNAL_ID, Piece, Text};
use crate::policy::trust::{self, HubTerms, ServiceAccount};
use crate::policy::{self, Scope, Unfit};
use crate::source::{Source, SourceError};
use crate::terminal;

/// Where a policy is too long that is for several accounts.
const ASK_ONE_BY_ONE: &str = "ask for accounts one by one (--account), or for settings of every region (--any-region)";
/// Where the roles of single accounts are named.
const ONE_ROLE: &str = "give the role the same name in every account and declare them by spec.organization, which is one pattern";
/// Where roles stay allowed.
const FEWER_ROLES: &str =
    "name fewer roles with --controller-role-arn, with wildcards; or ask for accounts one by one (--account)";
/// Where somebody is trusted.
const SHORTER_NAMES: &str = "use shorter names";

/// Prints the policy.
pub async fn policy(args: PolicyArgs) -> ExitCode {
    match print(args.which).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error.to_string()),
    }
}

async fn print(which: PolicyCommand) -> Result<(), Error> {
    let Made { deployment, format, advice } = made(which).await?;
    for (quota, document) in deployment.policies() {
        quota.check(document, advice)?;
    }
    terminal::print(&deployment.render(format)?)?;
    for note in notes(&deployment, format) {
        // Nobody can be told that nobody can be told.
        let _ = writeln!(io::stderr(), "dhmc-controller: {note}");
    }
    Ok(())
}

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error(transparent)]
    TooLong(#[from] TooLong),
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error("the policy cannot be printed: {0}")]
    Print(#[from] io::Error),
    #[error("{0}")]
    Usage(&'static str),
}

/// A policy, how it is written down, and what to do if it is too long.
struct Made {
    deployment: Deployment,
    format: Format,
    advice: &'static str,
}

async fn made(which: PolicyCommand) -> Result<Made, Error> {
    match which {
        PolicyCommand::Controller(args) => controller(args).await,
        PolicyCommand::Member(args) => member(args).await,
        PolicyCommand::Hub(args) => hub(args).await,
        PolicyCommand::Scp(args) => scp(args).await,
        PolicyCommand::Deny(args) => deny(args).await,
        PolicyCommand::Trust(args) => trust(args).await,
    }
}

/// Reads the document as `run` does.
async fn read(config: PathBuf, scope: &Scope) -> Result<Arc<DesiredState>, Error> {
    let source = Source::open(config, Timestamp::now).await?;
    let loaded = source.loaded();
    let state = Arc::clone(&loaded.borrow().state);
    scope.check(&state)?;
    Ok(state)
}

async fn controller(args: ControllerArgs) -> Result<Made, Error> {
    let scope = args.document.scope(args.width);
    let format = args.document.format.format();
    let document = policy::controller(&*read(args.document.config, &scope).await?, &scope)?;
    let named = Named {
        name: "dhmc-controller",
        description: "What dhmc-controller needs in the account of its own credentials.",
        document,
    };
    Ok(Made { deployment: attached_to(None, named), format, advice: ASK_ONE_BY_ONE })
}

async fn member(args: MemberArgs) -> Result<Made, Error> {
    let (scope, format) = (args.document.scope(args.width), args.document.format.format());
    if format == Format::Json && args.hub_role_arn.is_some() {
        return Err(Error::Usage(
            "--hub-role-arn adds the role, and JSON is one policy alone; add --format terraform or cloudformation, or ask for \
             `policy trust --for hub`",
        ));
    }
    let state = read(args.document.config, &scope).await?;
    let named = Named {
        name: "dhmc-member",
        description: "What dhmc-controller needs in an account that it reaches by assuming a role.",
        document: policy::member(&state, &scope)?,
    };
    let role = policy::assumed_role(&state, scope.account);
    let deployment = match args.hub_role_arn {
        Some(hub) => Deployment::Role(member_role(role?, hub, args.terms, Some(named))),
        None => attached_to(role.ok().map(|role| role.name.to_string()), named),
    };
    Ok(Made { deployment, format, advice: ASK_ONE_BY_ONE })
}

async fn hub(args: HubArgs) -> Result<Made, Error> {
    let scope = Scope { partition: args.format.partition, ..Scope::default() };
    let document = policy::hub(&*read(args.config, &scope).await?, &scope, args.tags.session_tags())?;
    let named = Named { name: "dhmc-hub", description: "What dhmc-controller needs to reach other accounts.", document };
    Ok(Made { deployment: attached_to(None, named), format: args.format.format(), advice: ONE_ROLE })
}

async fn scp(args: DenialArgs) -> Result<Made, Error> {
    let (scope, format) = (args.scope(), args.document.format.format());
    let document = policy::scp(&*read(args.document.config, &scope).await?, &scope, &args.controller_role_arn)?;
    let named = Named {
        name: "dhmc-guard",
        description: "Keeps everybody but dhmc-controller from Default Host Management Configuration.",
        document,
    };
    Ok(Made { deployment: Deployment::ServiceControlPolicy(named), format, advice: FEWER_ROLES })
}

async fn deny(args: DenialArgs) -> Result<Made, Error> {
    let (scope, format) = (args.scope(), args.document.format.format());
    let document = policy::deny(&*read(args.document.config, &scope).await?, &scope, &args.controller_role_arn)?;
    let named =
        Named { name: "dhmc-deny", description: "Keeps whoever has it from Default Host Management Configuration.", document };
    let deployment = Deployment::Policy(ManagedPolicy { named, attached: Attached::ByHand });
    Ok(Made { deployment, format, advice: FEWER_ROLES })
}

async fn trust(args: TrustArgs) -> Result<Made, Error> {
    let format = args.format.format();
    let account = args.namespace.zip(args.service_account).map(|(namespace, name)| ServiceAccount { namespace, name });
    let own = |trust: PolicyDocument, profile: InstanceProfile| Role {
        name: args.role_name.to_string(),
        path: RolePath::root().to_string(),
        description: "What dhmc-controller runs as.",
        trust,
        policy: None,
        profile,
    };
    let scope = Scope { partition: args.format.partition, account: args.account, ..Scope::default() };
    let role = match (args.whom, args.oidc_provider, account, args.hub_role_arn, args.config) {
        (Trusted::Ec2, ..) => own(trust::ec2(), InstanceProfile::Needed),
        (Trusted::PodIdentity, _, account, ..) => own(trust::pod_identity(account.as_ref()), InstanceProfile::NotNeeded),
        (Trusted::Irsa, Some(provider), Some(account), ..) => {
            if format == Format::Json && !provider.has_account() && scope.account.is_none() {
                return Err(Error::Usage(
                    "the account of the OIDC provider is not known; add --account, or write the provider's ARN",
                ));
            }
            own(trust::irsa(&provider, &account, &scope), InstanceProfile::NotNeeded)
        }
        (Trusted::Hub, _, _, Some(hub), Some(config)) => {
            let state = read(config, &scope).await?;
            member_role(policy::assumed_role(&state, args.account)?, hub, args.terms, None)
        }
        // The command line has seen to all that is needed.
        _ => return Err(Error::Usage("something is missing; `dhmc-controller policy trust --help` tells what each needs")),
    };
    Ok(Made { deployment: Deployment::Role(role), format, advice: SHORTER_NAMES })
}

fn attached_to(role: Option<String>, named: Named) -> Deployment {
    Deployment::Policy(ManagedPolicy { named, attached: Attached::ToRole(role) })
}

/// The role that is assumed in an account.
fn member_role(role: &AssumeRole, hub: RoleArn, terms: TermsArgs, policy: Option<Named>) -> Role {
    let terms = HubTerms {
        role: hub,
        organization: terms.organization_id,
        placeholder: terms.external_id_placeholder,
        tags: terms.tags.session_tags(),
    };
    Role {
        name: role.name.to_string(),
        path: role.path.to_string(),
        description: "What dhmc-controller assumes to keep this account.",
        trust: trust::hub(&terms, role),
        policy,
        profile: InstanceProfile::NotNeeded,
    }
}

/// What people have to know to use what was printed.
fn notes(deployment: &Deployment, format: Format) -> Vec<String> {
    let policies = deployment.policies();
    let open = |piece: &Piece| policies.iter().flat_map(|(_, one)| one.texts()).flat_map(Text::pieces).any(|one| one == piece);
    let mut notes = Vec::new();
    if format == Format::Json && open(&Piece::ExternalId) {
        notes.push(format!("write the document's externalId in place of {EXTERNAL_ID}; it is shown to nobody"));
    }
    if format == Format::Json && open(&Piece::Partition) {
        notes.push("nothing in the document tells the partition, so this is for aws; --partition names another".to_owned());
    }
    if matches!(deployment, Deployment::ServiceControlPolicy(_)) {
        notes.push("service control policies do not bind the management account; `policy deny` is for that".to_owned());
    }
    notes
}
