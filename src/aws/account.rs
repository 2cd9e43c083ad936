//! Account Management: which regions are open to the account.

use aws_sdk_account::types::RegionOptStatus;

use super::AwsCloud;
use super::pages::Pages;
use crate::cloud::{Caller, CloudError};
use crate::desired::names::Partition;
use crate::observed::{ListedRegion, RegionAccess};
use crate::operations::LIST_REGIONS;

pub(super) async fn regions(aws: &AwsCloud, caller: &Caller, partition: Partition) -> Result<Vec<ListedRegion>, CloudError> {
    const OPERATION: &str = LIST_REGIONS;
    let client = &aws.clients(caller).account[&partition];
    let (mut listed, mut pages) = (Vec::new(), Pages::new(OPERATION));
    while pages.turn()? {
        let page = aws.call(caller, OPERATION, client.list_regions().set_next_token(pages.token()).send()).await?;
        listed.extend(page.regions().iter().filter_map(|region| {
            // A name that is none cannot be asked for anything; AWS never sends one.
            let name = region.region_name()?.parse().ok()?;
            Some(ListedRegion { region: name, access: access(region.region_opt_status()) })
        }));
        pages.next = page.next_token.filter(|token| !token.is_empty());
    }
    Ok(listed)
}

fn access(status: Option<&RegionOptStatus>) -> RegionAccess {
    match status {
        Some(RegionOptStatus::Enabled | RegionOptStatus::EnabledByDefault) => RegionAccess::Open,
        Some(RegionOptStatus::Enabling) => RegionAccess::Opening,
        Some(RegionOptStatus::Disabling) => RegionAccess::Closing,
        _ => RegionAccess::Closed,
    }
}
