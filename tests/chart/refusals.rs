//! Wrong values are refused, in words that help.

use clap::CommandFactory;
use dhmc_controller::cli::Cli;
use dhmc_controller::leader::terms::Timing;

use crate::{CHART, helm, said};

const DEFAULTS: &str = "--values=tests/chart/values/defaults.yaml";

/// What is set beside the desired state, and what helm has to say.
const WRONG: [(&str, &str); 46] = [
    ("replcas=3", "additional properties 'replcas' not allowed"),
    ("enabled=false", "at '/enabled': value must be true"),
    ("controller.intervals=5m", "additional properties 'intervals' not allowed"),
    ("controller.interval=5", "at '/controller/interval': got number, want string"),
    ("controller.interval=soon", "at '/controller/interval': 'soon' does not match"),
    ("controller.interval=0s", "controller.interval is 0s: it has to be between 1s and 24h"),
    ("controller.interval=23h60m1s", "controller.interval is 23h60m1s: it has to be between 1s and 24h"),
    ("controller.organizationInterval=48h", "controller.organizationInterval is 48h"),
    ("controller.rivalWindow=999ms", "controller.rivalWindow is 999ms"),
    ("controller.targetMetrics=yes", "at '/controller/targetMetrics': value must be one of 'auto', 'always', 'never'"),
    ("controller.log.level=verbose", "value must be one of 'error', 'warn', 'info', 'debug', 'trace'"),
    ("controller.awsRps=0.5", "at '/controller/awsRps'"),
    ("controller.listenAddress=0.0.0.0:9000", "at '/controller/listenAddress'"),
    ("leaderElection.enabled=false", "replicas is 2, and leaderElection.enabled is false: they would all write"),
    ("leaderElection.enabled=false,replicas=1,strategy.type=RollingUpdate", "during an update, two would write"),
    ("strategy.type=Recreate,strategy.rollingUpdate.maxSurge=1", "strategy.rollingUpdate is set, and the strategy is Recreate"),
    ("leaderElection.leaseDuration=500ms", "leaderElection.leaseDuration is 500ms"),
    ("leaderElection.leaseDuration=15s500ms", "leaderElection.leaseDuration is not in whole seconds"),
    ("leaderElection.renewDeadline=14s1ms", "has to be at least a second shorter than leaderElection.leaseDuration"),
    ("leaderElection.retryPeriod=3334ms", "has to be a third of leaderElection.renewDeadline at most"),
    ("leaderElection.resourceNamespace=kube.system", "at '/leaderElection/resourceNamespace'"),
    ("fullnameOverride=1st", "The name 1st does not begin with a letter"),
    ("existingConfigMap=other", "more than one desired state: desiredState, existingConfigMap"),
    ("gitSync.enabled=true", "more than one desired state: desiredState, gitSync.enabled"),
    ("desiredState=null", "There is no desired state. Set one of"),
    ("desiredState=dhmc.yaml", "desiredState is no document of kind HostManagement. From a file: --set-file desiredState=FILE"),
    ("desiredState=kind: Pod", "desiredState is no document of kind HostManagement"),
    ("desiredState=[", "desiredState is no document of kind HostManagement"),
    (
        "desiredState=null,desiredStates.payments\\.yaml=payments.yaml",
        "desiredStates, payments.yaml, is no document of kind HostManagement. From a file: --set-file 'desiredStates.payments\\.yaml'=FILE",
    ),
    ("desiredState.spec.regoins=x", "at '/desiredState/spec': additional properties 'regoins' not allowed"),
    ("desiredState.spec.account=111122223333", "at '/desiredState/spec/account': got number, want string"),
    ("desiredState.spec.regions.eu-west-1=enabeld", "at '/desiredState/spec/regions/eu-west-1'"),
    ("image.digest=latest", "at '/image/digest': 'latest' does not match"),
    ("image.repository=registry/dhmc:1", "at '/image/repository'"),
    ("terminationGracePeriodSeconds=20", "at '/terminationGracePeriodSeconds': minimum: got 20, want 30"),
    ("networkPolicy.egress.aws.cidrs={everywhere}", "at '/networkPolicy/egress/aws/cidrs/0'"),
    ("resources.limits.memory=lots", "at '/resources/limits/memory'"),
    ("serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn=dhmc-hub", "role-arn': 'dhmc-hub' does not match"),
    (
        "serviceAccount.create=false,serviceAccount.annotations.a=b",
        "serviceAccount.annotations are set, and serviceAccount.create is false",
    ),
    ("probes.liveness.httpGet.path=/", "additional properties 'httpGet' not allowed"),
    ("desiredStates.Readme=x", "at '/desiredStates': additional properties 'Readme' not allowed"),
    ("extraArgs={--once}", "extraArgs has --once: the pod would end"),
    ("extraArgs={--workers=8}", "extraArgs has --workers, which the chart sets"),
    ("extraArgs={--leader-elect=true}", "extraArgs has --leader-elect, which the chart sets"),
    ("gitSync.extraArgs={--http-metrics}", "gitSync.extraArgs has --http-metrics, which the chart sets"),
    (
        "extraEnv[0].name=DHMC_WORKERS,extraEnv[0].value=8",
        "extraEnv has DHMC_WORKERS: the variables of the controller are set by values",
    ),
];

#[test]
fn what_is_wrong_is_refused_and_named() {
    for (set, expected) in WRONG {
        let output = helm(&["template", "x", CHART, DEFAULTS, "--set", set]);
        assert!(!output.status.success(), "{set} is taken");
        assert!(said(&output).contains(expected), "{set}: {}", said(&output));
    }
}

/// So that none is ignored, and none ends the controller by coming twice. What has no value of its own is left to them.
#[test]
fn flags_that_the_chart_sets_and_all_variables_of_the_controller_are_refused_beside_them() {
    let run = Cli::command().find_subcommand("run").unwrap().clone();
    let mut seen = 0;
    for argument in run.get_arguments().filter(|argument| argument.get_long().is_some_and(|long| long != "help")) {
        let (flag, variable) = (argument.get_long().unwrap(), argument.get_env().unwrap().to_str().unwrap());
        let set = format!("extraArgs={{--{flag}=x}},extraEnv[0].name={variable},extraEnv[0].value=x");
        let taken = helm(&["template", "x", CHART, DEFAULTS, "--set", &set]).status.success();
        assert_eq!(taken, flag == "ca-bundle", "--{flag}, {variable}");
        let variable_alone = variable.starts_with("DHMC_");
        assert_eq!(variable_alone, flag != "ca-bundle", "{variable}");
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}

/// The longest and the shortest that the chart takes.
#[test]
fn times_of_the_lease_that_the_chart_takes_the_controller_takes() {
    for times in [["15s", "10s", "2s"], ["15s", "14s", "4s"], ["1m30s", "30s", "10s"], ["24h", "1h", "1s"], ["4s", "3s", "1s"]] {
        let [lease, renew, retry] = times;
        let set = format!(
            "leaderElection.leaseDuration={lease},leaderElection.renewDeadline={renew},leaderElection.retryPeriod={retry}"
        );
        let output = helm(&["template", "x", CHART, DEFAULTS, "--set", &set]);
        assert!(output.status.success(), "{times:?}: {}", said(&output));
        let [lease_duration, renew_deadline, retry_period] = times.map(|time| humantime::parse_duration(time).unwrap());
        Timing { lease_duration, renew_deadline, retry_period }.check().unwrap();
    }
}

/// Nothing reads them.
#[test]
fn times_of_what_is_not_there_are_not_held() {
    let alone = "replicas=1,leaderElection.enabled=false,leaderElection.retryPeriod=5s,leaderElection.leaseDuration=500ms";
    let output = helm(&["template", "x", CHART, DEFAULTS, "--set", alone, "--set", "gitSync.period=500ms"]);
    assert!(output.status.success(), "{}", said(&output));
}

const REPOSITORY: &str = "gitSync.repo=https://git.example.com/a";

#[test]
fn a_repository_that_is_named_in_part_is_refused_and_what_lacks_is_named() {
    let cases: [(&[&str], &str); 10] = [
        (&[], "without gitSync.repo"),
        (&[REPOSITORY], "without gitSync.path"),
        (&[REPOSITORY, "gitSync.path=../a"], "at '/gitSync/path'"),
        (&[REPOSITORY, "gitSync.path=a", "gitSync.period=500ms"], "gitSync.period is 500ms"),
        (&[REPOSITORY, "gitSync.path=/a"], "at '/gitSync/path'"),
        (&[REPOSITORY, "gitSync.path=a", "gitSync.existingSecret=s"], "without gitSync.username"),
        (&[REPOSITORY, "gitSync.path=a", "gitSync.username=u"], "without gitSync.existingSecret"),
        (&["gitSync.repo=git@git.example.com:a", "gitSync.path=a"], "over SSH, without gitSync.existingSecret"),
        (&["gitSync.repo=ssh://git@git.example.com/a", "gitSync.path=a"], "over SSH, without gitSync.existingSecret"),
        (
            &["gitSync.repo=git@git.example.com:a", "gitSync.path=a", "gitSync.existingSecret=s", "gitSync.username=u"],
            "gitSync.username is set, and gitSync.repo is reached over SSH",
        ),
    ];
    for (sets, expected) in cases {
        let mut arguments = vec!["template", "x", CHART, "--set", "gitSync.enabled=true"];
        arguments.extend(sets.iter().flat_map(|set| ["--set", *set]));
        let output = helm(&arguments);
        assert!(!output.status.success() && said(&output).contains(expected), "{sets:?}: {}", said(&output));
    }
}

#[test]
fn a_password_in_the_address_of_the_repository_is_refused_and_not_repeated() {
    for address in
        ["https://dhmc:s3cret@git.example.com/a", "https://s3cret@git.example.com/a", "ssh://dhmc:s3cret@git.example.com/a"]
    {
        let repository = format!("gitSync.repo={address},gitSync.path=a,gitSync.existingSecret=s");
        let output = helm(&["template", "x", CHART, "--set", "gitSync.enabled=true", "--set", &repository]);
        assert!(!output.status.success() && said(&output).contains("has a user or a password in it"), "{}", said(&output));
        assert!(!said(&output).contains("s3cret"), "{}", said(&output));
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

#[test]
fn a_text_that_is_no_document_is_not_shown_where_it_is_refused() {
    let secret = "externalId=not-for-the-log";
    for text in [secret.to_owned(), format!("{secret}: [")] {
        let output = helm(&["template", "x", CHART, "--set-literal", &format!("desiredState={text}")]);
        assert!(!output.status.success() && said(&output).contains("no document of kind HostManagement"), "{}", said(&output));
        assert!(!said(&output).contains("not-for-the-log"), "{}", said(&output));
    }
}
