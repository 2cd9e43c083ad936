//! `policy`: the least that AWS has to allow for a document, and what keeps others away from it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;

use super::failed;
use crate::cli::policy::{
    ControllerArgs, DenialArgs, HubArgs, MemberArgs, OwnRoleArgs, PolicyArgs, PolicyCommand, TermsArgs, TrustArgs, Trusted,
};
use crate::desired::DesiredState;
use crate::desired::access::AssumeRole;
use crate::desired::names::RolePath;
use crate::policy::document::PolicyDocument;
use crate::policy::principal::{OidcProvider, RoleArn};
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
/// The command line has seen to all that is needed.
const INCOMPLETE: &str = "something is missing; `dhmc-controller policy trust --help` tells what each needs";
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
    let named = of_own_account(&*read(args.document.config, &scope).await?, &scope)?;
    let deployment = with_own_role(args.role, "dhmc-controller", vec![named], format, &scope)?;
    Ok(Made { deployment, format, advice: ASK_ONE_BY_ONE })
}

fn of_own_account(state: &DesiredState, scope: &Scope) -> Result<Named, Unfit> {
    Ok(Named {
        name: "dhmc-controller",
        description: "What dhmc-controller needs in the account of its own credentials.",
        document: policy::controller(state, scope)?,
    })
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
        Some(hub) => Deployment::Role(member_role(role?, hub, args.terms, vec![named])),
        None => attached_to(role.ok().map(|role| role.name.to_string()), named),
    };
    Ok(Made { deployment, format, advice: ASK_ONE_BY_ONE })
}

async fn hub(args: HubArgs) -> Result<Made, Error> {
    let scope = Scope { partition: args.format.partition, ..Scope::default() };
    let (state, format) = (read(args.config, &scope).await?, args.format.format());
    let document = policy::hub(&state, &scope, args.tags.session_tags(), args.organization_id.as_ref())?;
    let named = Named { name: "dhmc-hub", description: "What dhmc-controller needs to reach other accounts.", document };
    let mut policies = vec![named];
    if args.role.place.is_some() {
        // A hub need not keep an account of its own.
        match of_own_account(&state, &scope) {
            Ok(own) => policies.push(own),
            Err(Unfit::NothingOwn) => {}
            Err(other) => return Err(other.into()),
        }
    }
    let deployment = with_own_role(args.role, "dhmc-hub", policies, format, &scope)?;
    Ok(Made { deployment, format, advice: ONE_ROLE })
}

/// The first policy alone, or where it is known where the controller runs, its role with all of them.
fn with_own_role(
    role: OwnRoleArgs,
    usual: &str,
    mut policies: Vec<Named>,
    format: Format,
    scope: &Scope,
) -> Result<Deployment, Error> {
    let Some(place) = role.place else { return Ok(attached_to(None, policies.swap_remove(0))) };
    if format == Format::Json {
        return Err(Error::Usage(
            "--for adds the role, and JSON is one policy alone; add --format terraform or cloudformation, or ask for `policy trust`",
        ));
    }
    let account = role.namespace.zip(role.service_account).map(|(namespace, name)| ServiceAccount { namespace, name });
    let trust = own_trust(place.into(), role.oidc_provider.as_ref(), account.as_ref(), scope).ok_or(Error::Usage(INCOMPLETE))?;
    let name = role.role_name.map_or_else(|| usual.to_owned(), |name| name.to_string());
    Ok(Deployment::Role(own_role(name, trust, policies)))
}

/// Who may be the controller where it runs, and whether instances get the role. `None` where something is missing.
fn own_trust(
    whom: Trusted,
    provider: Option<&OidcProvider>,
    account: Option<&ServiceAccount>,
    scope: &Scope,
) -> Option<(PolicyDocument, InstanceProfile)> {
    match (whom, provider, account) {
        (Trusted::Ec2, ..) => Some((trust::ec2(), InstanceProfile::Needed)),
        (Trusted::PodIdentity, _, account) => Some((trust::pod_identity(account), InstanceProfile::NotNeeded)),
        (Trusted::Irsa, Some(provider), Some(account)) => {
            Some((trust::irsa(provider, account, scope), InstanceProfile::NotNeeded))
        }
        (Trusted::Irsa | Trusted::Hub, ..) => None,
    }
}

fn own_role(name: String, (trust, profile): (PolicyDocument, InstanceProfile), policies: Vec<Named>) -> Role {
    Role { name, path: RolePath::root().to_string(), description: "What dhmc-controller runs as.", trust, policies, profile }
}

async fn scp(args: DenialArgs) -> Result<Made, Error> {
    let (scope, format, allowed) = (args.scope(), args.document.format.format(), args.allowed.allowed());
    let document = policy::scp(&*read(args.document.config, &scope).await?, &scope, &allowed)?;
    let named = Named {
        name: "dhmc-guard",
        description: "Keeps everybody but dhmc-controller from Default Host Management Configuration.",
        document,
    };
    Ok(Made { deployment: Deployment::ServiceControlPolicy(named), format, advice: FEWER_ROLES })
}

async fn deny(args: DenialArgs) -> Result<Made, Error> {
    let (scope, format, allowed) = (args.scope(), args.document.format.format(), args.allowed.allowed());
    let document = policy::deny(&*read(args.document.config, &scope).await?, &scope, &allowed)?;
    let named =
        Named { name: "dhmc-deny", description: "Keeps whoever has it from Default Host Management Configuration.", document };
    let deployment = Deployment::Policy(ManagedPolicy { named, attached: Attached::ByHand });
    Ok(Made { deployment, format, advice: FEWER_ROLES })
}

async fn trust(args: TrustArgs) -> Result<Made, Error> {
    let format = args.format.format();
    let account = args.namespace.zip(args.service_account).map(|(namespace, name)| ServiceAccount { namespace, name });
    let scope = Scope { partition: args.format.partition, account: args.account, ..Scope::default() };
    if format == Format::Json
        && args.whom == Trusted::Irsa
        && scope.account.is_none()
        && args.oidc_provider.as_ref().is_some_and(|provider| !provider.has_account())
    {
        return Err(Error::Usage("the account of the OIDC provider is not known; add --account, or write the provider's ARN"));
    }
    let role = match (args.whom, args.hub_role_arn, args.config) {
        (Trusted::Hub, Some(hub), Some(config)) => {
            let state = read(config, &scope).await?;
            member_role(policy::assumed_role(&state, args.account)?, hub, args.terms, Vec::new())
        }
        (whom, ..) => {
            let trust = own_trust(whom, args.oidc_provider.as_ref(), account.as_ref(), &scope);
            own_role(args.role_name.to_string(), trust.ok_or(Error::Usage(INCOMPLETE))?, Vec::new())
        }
    };
    Ok(Made { deployment: Deployment::Role(role), format, advice: SHORTER_NAMES })
}

fn attached_to(role: Option<String>, named: Named) -> Deployment {
    Deployment::Policy(ManagedPolicy { named, attached: Attached::ToRole(role) })
}

/// The role that is assumed in an account.
fn member_role(role: &AssumeRole, hub: RoleArn, terms: TermsArgs, policies: Vec<Named>) -> Role {
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
        policies,
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
