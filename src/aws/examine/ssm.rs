//! Systems Manager: Session Manager's preferences, and what State Manager keeps doing.

use super::incomplete;
use crate::aws::AwsCloud;
use crate::aws::pages::Pages;
use crate::cloud::{Caller, CloudError, ErrorKind};
use crate::desired::names::Region;
use crate::doctor::examined::Association;
use crate::policy::doctor::SESSION_PREFERENCES;

pub(super) async fn session_preferences(aws: &AwsCloud, caller: &Caller, region: &Region) -> Result<Option<String>, CloudError> {
    const OPERATION: &str = "ssm:GetDocument";
    let request = aws.clients(caller).ssm(region).get_document().name(SESSION_PREFERENCES);
    match aws.call_in(caller, Some(region), OPERATION, request.send()).await {
        Ok(answer) => answer.content.map(Some).ok_or_else(|| incomplete(OPERATION, "no Content")),
        Err(error) if error.kind == ErrorKind::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn associations(aws: &AwsCloud, caller: &Caller, region: &Region) -> Result<Vec<Association>, CloudError> {
    const OPERATION: &str = "ssm:ListAssociations";
    let client = aws.clients(caller).ssm(region);
    let (mut found, mut pages) = (Vec::new(), Pages::new(OPERATION));
    while pages.turn()? {
        let request = client.list_associations().set_next_token(pages.token());
        let page = aws.call_in(caller, Some(region), OPERATION, request.send()).await?;
        found.extend(page.associations().iter().filter_map(|one| {
            Some(Association { document: one.name()?.to_owned(), name: one.association_name().map(str::to_owned) })
        }));
        pages.next = page.next_token.filter(|token| !token.is_empty());
    }
    Ok(found)
}
