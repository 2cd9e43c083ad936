//! The reads that only an examination makes, one file a service. None of them writes.

mod clock;
mod iam;
mod quick_setup;
mod simulator;
mod ssm;

use std::collections::BTreeMap;

use super::AwsCloud;
use crate::cloud::{Caller, CloudError, ErrorKind};
use crate::desired::names::{Partition, Region, RoleName};
use crate::doctor::examined::{Association, ClockReading, Examined, QuickSetup, Simulated, Simulation};

impl Examined for AwsCloud {
    async fn clock(&self) -> Result<ClockReading, CloudError> {
        clock::reading(self).await
    }

    async fn managed_policy(&self, caller: &Caller, partition: Partition, arn: &str) -> Result<Option<String>, CloudError> {
        iam::managed_policy(self, caller, partition, arn).await
    }

    async fn inline_policies(
        &self,
        caller: &Caller,
        partition: Partition,
        role: &RoleName,
    ) -> Result<BTreeMap<String, String>, CloudError> {
        iam::inline_policies(self, caller, partition, role).await
    }

    async fn simulate(
        &self,
        caller: &Caller,
        partition: Partition,
        principal: &str,
        simulation: &Simulation,
    ) -> Result<Vec<Simulated>, CloudError> {
        simulator::simulate(self, caller, partition, principal, simulation).await
    }

    async fn session_preferences(&self, caller: &Caller, region: &Region) -> Result<Option<String>, CloudError> {
        ssm::session_preferences(self, caller, region).await
    }

    async fn associations(&self, caller: &Caller, region: &Region) -> Result<Vec<Association>, CloudError> {
        ssm::associations(self, caller, region).await
    }

    async fn quick_setups(&self, caller: &Caller, region: &Region) -> Result<Vec<QuickSetup>, CloudError> {
        quick_setup::quick_setups(self, caller, region).await
    }
}

fn incomplete(operation: &'static str, what: &str) -> CloudError {
    CloudError {
        operation,
        kind: ErrorKind::Unavailable,
        code: None,
        message: format!("an answer with {what} in it"),
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::doctor::READS;

    #[test]
    fn the_list_of_extra_reads_has_every_call_that_is_made_here_and_no_other() {
        let files = [
            include_str!("examine/iam.rs"),
            include_str!("examine/quick_setup.rs"),
            include_str!("examine/simulator.rs"),
            include_str!("examine/ssm.rs"),
        ];
        let is_call = |word: &&str| {
            let parts = word.split_once(':');
            parts.is_some_and(|(service, _)| ["iam", "ssm", "ssm-quicksetup"].contains(&service))
        };
        let code = files.iter().filter_map(|file| file.split("#[cfg(test)]").next());
        let mut made: Vec<&str> = code.flat_map(|file| file.split('"')).filter(is_call).collect();
        made.sort_unstable();
        made.dedup();
        assert_eq!(made, READS);
    }
}
