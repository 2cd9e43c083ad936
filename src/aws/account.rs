//! Account Management: which regions are open to the account.

use aws_sdk_account::types::RegionOptStatus;

use super::AwsCloud;
use crate::cloud::{Caller, CloudError};
use crate::desired::names::Partition;
use crate::observed::{ListedRegion, RegionAccess};

pub(super) async fn regions(aws: &AwsCloud, caller: &Caller, partition: Partition) -> Result<Vec<ListedRegion>, CloudError> {
    let client = &aws.clients(caller).account[&partition];
    let mut listed = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let page = aws.call(caller, "account:ListRegions", client.list_regions().set_next_token(next).send()).await?;
        listed.extend(page.regions().iter().filter_map(|region| {
            // A name that is none cannot be asked for anything; AWS never sends one.
            let name = region.region_name()?.parse().ok()?;
            Some(ListedRegion { region: name, access: access(region.region_opt_status()) })
        }));
        next = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if next.is_none() {
            return Ok(listed);
        }
    }
}

fn access(status: Option<&RegionOptStatus>) -> RegionAccess {
    match status {
        Some(RegionOptStatus::Enabled | RegionOptStatus::EnabledByDefault) => RegionAccess::Open,
        Some(RegionOptStatus::Enabling) => RegionAccess::Opening,
        Some(RegionOptStatus::Disabling) => RegionAccess::Closing,
        _ => RegionAccess::Closed,
    }
}
