//! `export`: what an account has now, as the document that says so. Reads, and writes at most one file.

mod file;
mod reading;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anstyle::Style;

use super::ended::unless_interrupted;
use super::failed;
use crate::aws::{AwsCloud, OpenError};
use crate::cli::export::{ExportArgs, RoleToAssume};
use crate::cli::output::Output;
use crate::cloud::Caller;
use crate::desired::Problems;
use crate::desired::access::{Access, AssumeRole};
use crate::desired::names::{Account, AccountId, InvalidName};
use crate::export::report::Report;
use crate::export::{Export, Kind, Said, export};
use crate::metrics::Metrics;
use crate::terminal::{self, FAINT, Progress, WARNING, styled};
use crate::version::VERSION;
use file::Overwrite;
use reading::ReadError;

/// There is no document, or nobody has got it.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("--external-id: {0}")]
    ExternalId(InvalidName),
    #[error("--assume-role has to be said of an account: add --account, or give the role's ARN")]
    NoAccount,
    #[error("--account is {account}, and the ARN of --assume-role is of account {role}: leave one of them out")]
    TwoAccounts { account: AccountId, role: AccountId },
    #[error("{} exists already; --force replaces it", .0.display())]
    Exists(PathBuf),
    #[error(transparent)]
    Aws(#[from] OpenError),
    #[error("the metrics cannot be registered; this is a defect, please report it")]
    Metrics(#[from] prometheus::Error),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("what was read came to a document that is not valid; this is a defect, please report it: {0}")]
    Invalid(#[from] Problems),
    #[error("{}: {error}", .file.display())]
    File { file: PathBuf, error: io::Error },
    #[error("standard output: {0}")]
    Print(io::Error),
}

/// Exports one account.
pub async fn run(args: ExportArgs) -> ExitCode {
    match unless_interrupted(try_run(&args)).await {
        Ok(Ok(export)) => tell_what_is_missing(&export),
        Ok(Err(error)) => failed(&error.to_string()),
        Err(ended) => ended.tell(),
    }
}

async fn try_run(args: &ExportArgs) -> Result<Export, ExportError> {
    let caller = caller(args)?;
    let overwrite = if args.force { Overwrite::Allowed } else { Overwrite::Refused };
    if let Some(file) = args.file.as_ref().filter(|file| overwrite == Overwrite::Refused && file.symlink_metadata().is_ok()) {
        return Err(ExportError::Exists(file.clone()));
    }
    let metrics = Metrics::new(VERSION)?;
    let cloud = Arc::new(AwsCloud::open(args.aws.options(), metrics.aws.clone()).await?);
    let progress = Progress::begin("reading AWS");
    let seen = reading::read(&cloud, &caller, &progress).await?;
    drop(progress);
    let export = export(&seen, args.unset.into())?;
    if let Some(file) = &args.file {
        file::write(file, &export.document(), overwrite).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists if overwrite == Overwrite::Refused => ExportError::Exists(file.clone()),
            _ => ExportError::File { file: file.clone(), error },
        })?;
    }
    let printed = match (args.output.output, &args.file) {
        (Output::Json, _) => terminal::print_json(&Report::new(&seen, &export)),
        (Output::Text, None) => terminal::print(&coloured(&export)),
        (Output::Text, Some(file)) => terminal::print(&summary(&export, &file.display().to_string())),
    };
    printed.map_err(ExportError::Print)?;
    Ok(export)
}

/// Whose account is read, and how.
fn caller(args: &ExportArgs) -> Result<Caller, ExportError> {
    let Some(role) = args.assume_role.clone() else {
        return Ok(Caller { account: args.account.map_or(Account::Own, Account::Id), access: Access::Own });
    };
    let RoleToAssume { account: of_role, path, name } = role;
    let account = match (args.account, of_role) {
        (Some(account), Some(role)) if account != role => return Err(ExportError::TwoAccounts { account, role }),
        (None, None) => return Err(ExportError::NoAccount),
        (account, of_role) => account.or(of_role).ok_or(ExportError::NoAccount)?,
    };
    let external_id = args.external_id.clone().map(|given| given.0).transpose().map_err(ExportError::ExternalId)?;
    let role = AssumeRole { name, path, external_id, session_tags: BTreeMap::new() };
    Ok(Caller { account: Account::Id(account), access: Access::Assume(Arc::new(role)) })
}

/// The document with its comments set apart, where somebody looks.
fn coloured(export: &Export) -> String {
    let style = |kind| match kind {
        Kind::Said => Style::new(),
        Kind::Remark => FAINT,
        Kind::Odd => WARNING,
    };
    let mut text = String::new();
    for line in &export.lines {
        text.push_str(&styled(style(line.kind), &line.to_string()));
        text.push('\n');
    }
    text
}

/// What was written, where the document itself is in a file.
fn summary(export: &Export, file: &str) -> String {
    let [enabled, disabled, unmanaged] = [Said::Enabled, Said::Disabled, Said::Unmanaged].map(|said| export.count(said));
    let mut text = format!("{file}: regions enabled: {enabled}, disabled: {disabled}, unmanaged: {unmanaged}\n");
    for oddity in &export.oddities {
        text.push_str(&styled(WARNING, &format!("  {}", oddity.told())));
        text.push('\n');
    }
    text
}

/// The exit code; and why, where there is something that could not be read.
fn tell_what_is_missing(export: &Export) -> ExitCode {
    let missing: Vec<String> = export.unread().map(crate::export::oddity::Oddity::told).collect();
    if missing.is_empty() {
        return ExitCode::SUCCESS;
    }
    failed(&format!("the document says only what could be read:\n  {}", missing.join("\n  ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};

    fn caller_of(arguments: &[&str]) -> Result<Caller, String> {
        let arguments = ["dhmc-controller", "export"].iter().chain(arguments).map(Into::into);
        let Command::Export(args) = Cli::read(arguments).unwrap().command else { panic!("another command") };
        caller(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn an_account_is_the_own_one_or_reached_through_a_role() {
        assert_eq!(caller_of(&[]).unwrap(), Caller { account: Account::Own, access: Access::Own });
        let own = caller_of(&["--account", "111122223333"]).unwrap();
        assert_eq!((own.account.to_string().as_str(), own.access), ("111122223333", Access::Own));
        let by_arn = caller_of(&["--assume-role", "arn:aws:iam::222233334444:role/platform/reach"]).unwrap();
        let by_both = caller_of(&["--assume-role", "platform/reach", "--account", "222233334444"]).unwrap();
        assert_eq!(by_arn, by_both);
        assert_eq!(by_arn.account.to_string(), "222233334444");
    }

    #[test]
    fn a_role_in_no_account_or_in_two_is_refused() {
        assert!(caller_of(&["--assume-role", "reach"]).unwrap_err().contains("--account"));
        let arn = "arn:aws:iam::222233334444:role/reach";
        assert!(caller_of(&["--assume-role", arn, "--account", "111122223333"]).unwrap_err().contains("leave one of them out"));
    }
}
