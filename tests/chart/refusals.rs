//! Wrong values are refused, in words that help.

use crate::{CHART, helm, said};

const DEFAULTS: &str = "--values=tests/chart/values/defaults.yaml";

/// What is set beside the desired state, and what helm has to say.
const WRONG: [(&str, &str); 23] = [
    ("replcas=3", "additional properties 'replcas' not allowed"),
    ("controller.intervals=5m", "additional properties 'intervals' not allowed"),
    ("controller.interval=5", "at '/controller/interval': got number, want string"),
    ("controller.interval=soon", "at '/controller/interval': 'soon' does not match"),
    ("controller.targetMetrics=yes", "at '/controller/targetMetrics': value must be one of 'auto', 'always', 'never'"),
    ("controller.log.level=verbose", "value must be one of 'error', 'warn', 'info', 'debug', 'trace'"),
    ("controller.awsRps=0.5", "at '/controller/awsRps'"),
    ("controller.listenAddress=0.0.0.0:9000", "at '/controller/listenAddress'"),
    ("leaderElection.enabled=false", "replicas is 2, and leaderElection.enabled is false: they would all write"),
    ("existingConfigMap=other", "more than one desired state: desiredState, existingConfigMap"),
    ("gitSync.enabled=true", "more than one desired state: desiredState, gitSync.enabled"),
    ("desiredState=null", "There is no desired state. Set one of"),
    ("desiredState.spec.regoins=x", "at '/desiredState/spec': additional properties 'regoins' not allowed"),
    ("desiredState.spec.account=111122223333", "at '/desiredState/spec/account': got number, want string"),
    ("desiredState.spec.regions.eu-west-1=enabeld", "at '/desiredState/spec/regions/eu-west-1'"),
    ("image.digest=latest", "at '/image/digest': 'latest' does not match"),
    ("image.repository=registry/dhmc:1", "at '/image/repository'"),
    ("terminationGracePeriodSeconds=20", "at '/terminationGracePeriodSeconds': minimum: got 20, want 30"),
    ("networkPolicy.egress.aws.cidrs={everywhere}", "at '/networkPolicy/egress/aws/cidrs/0'"),
    ("resources.limits.memory=lots", "at '/resources/limits/memory'"),
    ("serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn=dhmc-hub", "role-arn': 'dhmc-hub' does not match"),
    ("probes.liveness.httpGet.path=/", "additional properties 'httpGet' not allowed"),
    ("desiredStates.Readme=x", "at '/desiredStates': additional properties 'Readme' not allowed"),
];

#[test]
fn what_is_wrong_is_refused_and_named() {
    for (set, expected) in WRONG {
        let output = helm(&["template", "x", CHART, DEFAULTS, "--set", set]);
        assert!(!output.status.success(), "{set} is taken");
        assert!(said(&output).contains(expected), "{set}: {}", said(&output));
    }
}

#[test]
fn a_repository_that_is_named_in_part_is_refused_and_what_lacks_is_named() {
    let cases: [(&[&str], &str); 5] = [
        (&[], "without gitSync.repo"),
        (&["gitSync.repo=https://git.example.com/a"], "without gitSync.path"),
        (&["gitSync.repo=https://git.example.com/a", "gitSync.path=../a"], "at '/gitSync/path'"),
        (&["gitSync.repo=https://git.example.com/a", "gitSync.path=a", "gitSync.existingSecret=s"], "without gitSync.username"),
        (&["gitSync.repo=https://git.example.com/a", "gitSync.path=a", "gitSync.username=u"], "without gitSync.existingSecret"),
    ];
    for (sets, expected) in cases {
        let mut arguments = vec!["template", "x", CHART, "--set", "gitSync.enabled=true"];
        arguments.extend(sets.iter().flat_map(|set| ["--set", *set]));
        let output = helm(&arguments);
        assert!(!output.status.success() && said(&output).contains(expected), "{sets:?}: {}", said(&output));
    }
}

/// Helm repeats a value that its schema refuses.
#[test]
fn an_external_id_is_not_shown_where_it_is_refused() {
    let secret = "not an external id";
    let set = format!("desiredState.spec.organization.assumeRole.externalId={secret}");
    let output =
        helm(&["template", "x", CHART, DEFAULTS, "--set", &set, "--set", "desiredState.spec.organization.assumeRole.nme=x"]);
    assert!(!output.status.success());
    assert!(!said(&output).contains(secret), "{}", said(&output));
}
