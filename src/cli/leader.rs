//! How replicas agree which of them writes: flags of `run`, by the names that Kubernetes gives them.

use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use k8s_openapi::jiff::Timestamp;

use super::interval;
use crate::leader::ElectionOptions;
use crate::leader::terms::Timing;

/// Under which these flags stand in `--help`.
const HEADING: &str = "Leader election";

/// How replicas agree which of them writes.
#[derive(Debug, Clone, Args)]
pub struct LeaderArgs {
    /// Where several replicas run, one of them works on the targets, and the others stand by: they keep the document checked, and call no AWS.
    #[arg(long, help_heading = HEADING, env = "DHMC_LEADER_ELECT", action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", hide_default_value = true, hide_possible_values = true,
          value_name = "BOOL", value_parser = BoolishValueParser::new())]
    pub leader_elect: bool,
    /// How long a leader that is not heard of any more is waited for, in whole seconds.
    #[arg(long, help_heading = HEADING, env = "DHMC_LEADER_ELECT_LEASE_DURATION", default_value = "15s", value_parser = interval, value_name = "TIME")]
    pub leader_elect_lease_duration: Duration,
    /// For how long after its last renewal a leader writes.
    #[arg(long, help_heading = HEADING, env = "DHMC_LEADER_ELECT_RENEW_DEADLINE", default_value = "10s", value_parser = interval, value_name = "TIME")]
    pub leader_elect_renew_deadline: Duration,
    /// How often the lease is renewed, or looked at.
    #[arg(long, help_heading = HEADING, env = "DHMC_LEADER_ELECT_RETRY_PERIOD", default_value = "2s", value_parser = interval, value_name = "TIME")]
    pub leader_elect_retry_period: Duration,
    /// The Lease that they agree by.
    #[arg(long, help_heading = HEADING, env = "DHMC_LEADER_ELECT_RESOURCE_NAME", default_value = "dhmc-controller", value_name = "NAME")]
    pub leader_elect_resource_name: String,
    /// The namespace that it is in. Without it, the pod's own.
    #[arg(long, help_heading = HEADING, env = "DHMC_LEADER_ELECT_RESOURCE_NAMESPACE", value_name = "NAMESPACE")]
    pub leader_elect_resource_namespace: Option<String>,
}

impl LeaderArgs {
    /// What the flags mean for a replica that is called like this where it is in no pod.
    #[must_use]
    pub fn options(&self, instance: &str) -> Option<ElectionOptions> {
        self.leader_elect.then(|| ElectionOptions {
            name: self.leader_elect_resource_name.clone(),
            namespace: self.leader_elect_resource_namespace.clone(),
            // As client-go does: the pod's name, and a replica that starts again is another one.
            identity: format!("{}_{:016x}", pod().as_deref().unwrap_or(instance), fastrand::u64(..)),
            timing: Timing {
                lease_duration: self.leader_elect_lease_duration,
                renew_deadline: self.leader_elect_renew_deadline,
                retry_period: self.leader_elect_retry_period,
            },
            cluster: None,
            clock: Timestamp::now,
            random: fastrand::f64,
        })
    }
}

/// Kubernetes calls the host of a pod as the pod.
fn pod() -> Option<String> {
    std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        leader: LeaderArgs,
    }

    #[test]
    fn an_election_is_asked_for_as_manifests_of_kubernetes_do() {
        let elects = |more: &[&str]| {
            let flags = Flags::try_parse_from([&["dhmc"], more].concat()).map_err(|error| error.kind())?;
            Ok::<_, clap::error::ErrorKind>(flags.leader.options("dhmc").is_some())
        };
        assert_eq!(elects(&[]), Ok(false));
        assert_eq!(elects(&["--leader-elect"]), Ok(true));
        assert_eq!(elects(&["--leader-elect=true"]), Ok(true));
        assert_eq!(elects(&["--leader-elect=false"]), Ok(false));
        assert_eq!(elects(&["--leader-elect=perhaps"]), Err(clap::error::ErrorKind::ValueValidation));
        assert_eq!(elects(&["--leader-elect", "true"]), Err(clap::error::ErrorKind::UnknownArgument));
    }
}
