//! The sandbox as a process: an organization of so many accounts, all as declared. Answers `counts` on its standard input.

use std::io::BufRead;

use aws_sandbox::{Options, Record, Role, Sandbox};

use crate::fleet::{HUB, REGIONS};

/// The role that the controller assumes.
pub(crate) const ACCESS_ROLE: &str = "dhmc-controller";
const ROLE: &str = "AWSSystemsManagerDefaultEC2InstanceManagementRole";
const VALUE: &str = "service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole";
const POLICY: &str = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy";

/// `sandbox ACCOUNTS`: prints one line, the environment for a client, and serves until its standard input ends.
pub(crate) async fn serve(arguments: &[String]) {
    let accounts: usize = arguments[0].parse().unwrap();
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.configure(|knobs| knobs.record = Record::CountsOnly);
    let organization = sandbox.organization(HUB);
    let ids: Vec<String> = (1..=accounts).map(|number| format!("2{number:011}")).collect();
    organization.add_many(ids.iter().map(|id| (id.as_str(), "member")), &organization.root());
    // The hub is a member as well, and managed like any other.
    for id in ids.iter().map(String::as_str).chain([HUB]) {
        let account = sandbox.account(id);
        account.trust(ACCESS_ROLE, "/", HUB, None);
        let mut role = Role::trusting_ssm("/service-role/", ROLE);
        role.attached.push(POLICY.to_owned());
        account.put_role(role);
        for region in REGIONS {
            account.set_setting(region, VALUE, "somebody");
        }
    }
    let credentials = sandbox.account(HUB).credentials();
    let token = credentials.session_token.unwrap_or_default();
    println!("{} {} {} {token}", sandbox.url(), credentials.access_key_id, credentials.secret_access_key);
    let journal = sandbox.clone();
    tokio::task::spawn_blocking(move || {
        for _ in std::io::stdin().lock().lines().map_while(Result::ok) {
            let journal = journal.journal();
            println!("{} {} {}", journal.count("ssm", "GetServiceSetting"), journal.total(), journal.writes().len());
        }
    })
    .await
    .unwrap();
}
