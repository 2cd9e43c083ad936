//! Quick Setup: what it keeps up in a region's name.

use crate::aws::AwsCloud;
use crate::aws::pages::Pages;
use crate::cloud::{Caller, CloudError};
use crate::desired::names::Region;
use crate::doctor::examined::QuickSetup;

pub(super) async fn quick_setups(aws: &AwsCloud, caller: &Caller, region: &Region) -> Result<Vec<QuickSetup>, CloudError> {
    const OPERATION: &str = "ssm-quicksetup:ListConfigurationManagers";
    let client = aws.clients(caller).quick_setup(region);
    let (mut found, mut pages) = (Vec::new(), Pages::new(OPERATION));
    while pages.turn()? {
        let request = client.list_configuration_managers().set_starting_token(pages.token());
        let page = aws.call_in(caller, Some(region), OPERATION, request.send()).await?;
        found.extend(page.configuration_managers_list().iter().map(|one| QuickSetup {
            name: one.name().unwrap_or(one.manager_arn()).to_owned(),
            types: one.configuration_definition_summaries().iter().filter_map(|of| of.r#type().map(str::to_owned)).collect(),
        }));
        pages.next = page.next_token.filter(|token| !token.is_empty());
    }
    Ok(found)
}
