//! Whose the credentials are: the controller's own, and those for an account. Pure.

use super::finding::{Check, Finding};
use crate::cloud::CloudError;
use crate::desired::access::Access;
use crate::desired::names::{Account, Partition, RoleName};
use crate::observed::Identity;
use crate::reconcile::account::{NOTHING_WRITTEN, doubt};

/// Whom IAM's policy simulator is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// This one.
    Known(String),
    /// A role of the account whose path is not in the session's ARN.
    Role(RoleName),
    /// The account's root user, whom no policy of the account binds.
    Root,
    /// Somebody the simulator does not know, such as a federated user.
    Other,
}

/// Judges the controller's own credentials.
#[must_use]
pub fn judge_own(answer: &Result<Identity, CloudError>) -> Finding {
    let identity = match answer {
        Ok(identity) => identity,
        Err(error) => return Finding::unread(Check::Credentials, error),
    };
    match principal(identity, &Access::Own) {
        Principal::Root => Finding::warning(
            Check::Credentials,
            format!("{} is the account's root user, who may do anything", identity.arn),
            "give the controller a role with the policies that `policy controller` and `policy hub` print, and delete the root user's access keys",
        ),
        Principal::Known(user) => Finding::note(
            Check::Credentials,
            format!("{user} is a user, whose access keys are good until somebody deletes them"),
            "give the controller a role where you can (web identity, Pod Identity, container or instance)",
        ),
        Principal::Role(_) | Principal::Other => Finding::ok(Check::Credentials, identity.arn.clone()),
    }
}

/// Judges the credentials for an account. `Err`: the controller would not touch it.
pub fn judge_for(
    account: Account,
    partition: Option<Partition>,
    answer: Result<Identity, CloudError>,
) -> Result<(Identity, Finding), Finding> {
    let identity = answer.map_err(|error| Finding::unread(Check::Access, &error))?;
    if let Some(why) = doubt(account, None, partition, &identity) {
        let (found, advice) = why.split_once(NOTHING_WRITTEN).unwrap_or((&why, "correct the document or the credentials"));
        return Err(Finding::problem(Check::Access, found, advice));
    }
    let finding = Finding::ok(Check::Access, identity.arn.clone());
    Ok((identity, finding))
}

/// Who the simulator has to be asked about, of these credentials.
#[must_use]
pub fn principal(identity: &Identity, access: &Access) -> Principal {
    if let Access::Assume(role) = access {
        return Principal::Known(role.arn(identity.partition, identity.account));
    }
    let resource = identity.arn.splitn(6, ':').nth(5).unwrap_or_default();
    let mut parts = resource.split('/');
    match (parts.next(), parts.next()) {
        (Some("root"), None) => Principal::Root,
        (Some("user"), Some(_)) => Principal::Known(identity.arn.clone()),
        (Some("assumed-role"), Some(name)) => name.parse().map_or(Principal::Other, Principal::Role),
        _ => Principal::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    fn identity(arn: &str) -> Identity {
        Identity { account: "111122223333".parse().unwrap(), partition: Partition::Aws, arn: arn.to_owned() }
    }

    #[test]
    fn root_and_users_are_told_and_roles_are_fine() {
        for (arn, level) in [
            ("arn:aws:sts::111122223333:assumed-role/dhmc-controller/pod", Level::Ok),
            ("arn:aws:iam::111122223333:user/ci", Level::Note),
            ("arn:aws:iam::111122223333:root", Level::Warning),
        ] {
            assert_eq!(judge_own(&Ok(identity(arn))).level, level, "{arn}");
        }
    }

    #[test]
    fn the_simulator_is_asked_about_the_role_and_not_about_its_session() {
        let of = |arn: &str| principal(&identity(arn), &Access::Own);
        assert_eq!(of("arn:aws:sts::111122223333:assumed-role/r/s"), Principal::Role("r".parse().unwrap()));
        assert_eq!(of("arn:aws:iam::111122223333:user/a/b"), Principal::Known("arn:aws:iam::111122223333:user/a/b".to_owned()));
        assert_eq!(of("arn:aws:sts::111122223333:federated-user/f"), Principal::Other);
        assert_eq!(of("nonsense"), Principal::Other);
    }

    #[test]
    fn credentials_of_another_account_are_a_problem_that_says_what_to_do() {
        let arn = "arn:aws:sts::111122223333:assumed-role/r/s";
        let other = Account::Id("222233334444".parse().unwrap());
        let finding = judge_for(other, None, Ok(identity(arn))).unwrap_err();
        assert_eq!(finding.level, Level::Problem);
        assert!(finding.advice.unwrap().contains("declare `assumeRole` for it"));
        assert!(judge_for(Account::Own, Some(Partition::AwsCn), Ok(identity(arn))).is_err());
        assert!(judge_for(Account::Own, Some(Partition::Aws), Ok(identity(arn))).is_ok());
    }
}
