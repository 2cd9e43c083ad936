//! Policies that keep others away: a service control policy, and a denial for principals of the account.

use aws_sandbox::{Credentials, Filter, Role, Sandbox};
use dhmc_controller::app::PassResult;
use dhmc_controller::policy::principal::Allowed;
use dhmc_controller::policy::{self, Scope};
use serde_json::{Value, json};

use super::changes::{HOSTS, attempt, attempt_on};
use super::stage::{
    MANAGEMENT, MEMBER, MEMBER_ROLE, Written, actions, desired_state, give, grants, pass, refusals, sandbox, set, wrong_role,
};
use crate::referee::{ACCOUNT, sdk_credentials};
use crate::sdk::{Admin, POLICY, ROLE, VALUE};

/// Guards settings, the role with tags and description, and the passing of the role, in the own account and in another.
const SPEC: &str = "{role: {tags: {team: platform}, description: kept by dhmc}, regions: {us-east-1: enabled, eu-west-1: disabled}, \
    accounts: [{id: '111122223333'}, {id: '222233334444', assumeRole: {name: dhmc-member, path: /platform/, externalId: sesame}}]}";

/// Whatever changes what hosts can do, or what is declared of the role.
const GUARDED: [&str; 16] = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
    "ssm:ResetServiceSetting",
    "ssm:UpdateServiceSetting",
];

fn exempt() -> Allowed {
    Allowed { controllers: vec!["arn:aws:iam::*:role/dhmc-controller".parse().unwrap()], deployers: Vec::new() }
}

fn everything() -> String {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}).to_string()
}

/// Two accounts that another one's organization has, as the controller leaves them, with inline policy and boundary besides.
async fn kept() -> Sandbox {
    let state = desired_state(SPEC);
    let sandbox = sandbox(&state, &[MEMBER], MANAGEMENT).await;
    give(&sandbox, &grants(&state, &[MEMBER], Written::ForEach));
    assert_eq!(pass(&sandbox, SPEC).await, PassResult::InSync);
    for account in [ACCOUNT, MEMBER] {
        sandbox.account(account).edit_role(ROLE, |role| {
            role.inline.insert("own".to_owned(), everything());
            role.permissions_boundary = Some("arn:aws:iam::aws:policy/PowerUserAccess".to_owned());
        });
    }
    sandbox
}

/// What changes of an account would show.
fn shown(sandbox: &Sandbox, account: &str) -> (Option<Role>, Vec<Option<String>>) {
    let account = sandbox.account(account);
    let settings = ["us-east-1", "eu-west-1", "ap-south-1"].map(|region| account.setting(region).value);
    (account.role(ROLE), settings.to_vec())
}

/// Tries every change that a policy guards, and expects each to be refused for the reason given.
async fn refused_all(sandbox: &Sandbox, account: &str, policy: &Value, credentials: Credentials, reason: &str) {
    let before = shown(sandbox, account);
    let admin = Admin::at(&sandbox.url(), &sdk_credentials(credentials));
    for action in actions(policy) {
        let tried = attempt(&admin, &action).await.unwrap_or_else(|| panic!("nobody here knows how to try {action}"));
        let why = tried.expect_err(&action);
        assert!(why.contains(&action) && why.contains(reason), "{action}: {why}");
    }
    assert_eq!(shown(sandbox, account), before);
}

/// Spoils what the controller keeps, and has it mended by the controller.
async fn the_controller_goes_on(sandbox: &Sandbox) {
    for account in [ACCOUNT, MEMBER] {
        sandbox.account(account).put_role(wrong_role("/service-role/", ROLE));
        set(sandbox, account, "eu-west-1");
    }
    let before = refusals(sandbox).len();
    assert_eq!(pass(sandbox, SPEC).await, PassResult::InSync);
    assert_eq!(refusals(sandbox).len(), before, "{:#?}", refusals(sandbox));
    for account in [ACCOUNT, MEMBER] {
        let (role, settings) = shown(sandbox, account);
        assert!(role.unwrap().attached.iter().any(|arn| arn == POLICY));
        assert_eq!(settings[..2], [Some(VALUE.to_owned()), None]);
    }
}

#[tokio::test]
async fn a_service_control_policy_keeps_others_away_and_lets_the_controller_go_on() {
    let sandbox = kept().await;
    let scp = serde_json::to_value(policy::scp(&desired_state(SPEC), &Scope::default(), &exempt()).unwrap()).unwrap();
    assert_eq!(actions(&scp).iter().map(String::as_str).collect::<Vec<_>>(), GUARDED);
    let organization = sandbox.organization(MANAGEMENT);
    organization.attach_policy(&organization.root(), &scp.to_string()).unwrap();
    for account in [ACCOUNT, MEMBER] {
        for other in ["assumed-role/Administrator/alice", "user/dhmc-controller"] {
            let other = sandbox.account(account).identity(other);
            refused_all(&sandbox, account, &scp, other, "with an explicit deny in a service control policy").await;
        }
    }
    the_controller_goes_on(&sandbox).await;
}

/// Whoever could make a role that stays allowed, or have it trust somebody else, could be it, and change everything.
#[tokio::test]
async fn nobody_becomes_one_of_those_who_stay_allowed_and_what_deploys_them_goes_on() {
    const STACK_SETS: &str = "stacksets-exec-0123456789abcdef0123456789abcdef";
    let sandbox = kept().await;
    let scp = serde_json::to_value(policy::scp(&desired_state(SPEC), &Scope::default(), &exempt()).unwrap()).unwrap();
    let organization = sandbox.organization(MANAGEMENT);
    organization.attach_policy(&organization.root(), &scp.to_string()).unwrap();
    let member = sandbox.account(MEMBER);
    let guarded = actions(&json!({"Statement": [of_controller(&scp)]}));
    let changes: Vec<&String> = guarded.iter().filter(|action| *action != "iam:CreateRole").collect();
    let as_principal = |name: &str| Admin::at(&sandbox.url(), &sdk_credentials(member.identity(name)));
    let alice = as_principal("assumed-role/Administrator/alice");
    for (path, role) in [MEMBER_ROLE, ("/", "dhmc-controller"), ("/", STACK_SETS)] {
        for action in &guarded {
            let why = attempt_on(&alice, path, role, action).await.unwrap().unwrap_err();
            assert!(why.contains("explicit deny in a service control policy"), "{role}: {action}: {why}");
        }
    }
    member.authorize_role(&format!("arn:aws:iam::{MEMBER}:role/{STACK_SETS}"), &everything()).unwrap();
    let stack_sets = as_principal(&format!("assumed-role/{STACK_SETS}/AWSCloudFormation"));
    for action in ["iam:CreateRole"].into_iter().chain(changes.iter().map(|action| action.as_str())) {
        let tried = attempt_on(&stack_sets, "/", "dhmc-controller", action).await.unwrap();
        let denied = tried.is_err_and(|why| why.contains("explicit deny"));
        assert!(!denied, "{action}");
    }
    let refused = attempt(&stack_sets, "ssm:UpdateServiceSetting").await.unwrap().unwrap_err();
    assert!(refused.contains("explicit deny"), "what deploys the roles may not do what they may: {refused}");
    the_controller_goes_on(&sandbox).await;
}

/// What a policy says of the roles that stay allowed.
fn of_controller(policy: &Value) -> Value {
    let statements = policy["Statement"].as_array().unwrap();
    statements.iter().find(|statement| statement["Sid"] == "KeepController").unwrap().clone()
}

/// It binds nobody in the management account: that is AWS's rule, and why the documentation speaks of it.
#[tokio::test]
async fn a_service_control_policy_keeps_nobody_away_from_the_management_account() {
    let state = desired_state("{regions: {us-east-1: enabled}}");
    let sandbox = sandbox(&state, &[], ACCOUNT).await;
    let scp = serde_json::to_string(&policy::scp(&state, &Scope::default(), &exempt()).unwrap()).unwrap();
    let organization = sandbox.organization(ACCOUNT);
    organization.attach_policy(&organization.root(), &scp).unwrap();
    let reset = async |account: &str| {
        let other = sandbox.account(account).identity("user/bob");
        Admin::at(&sandbox.url(), &sdk_credentials(other)).try_reset_setting("us-east-1").await
    };
    assert_eq!(reset(ACCOUNT).await, Ok(()));
    assert!(reset(MEMBER).await.is_err());
}

#[tokio::test]
async fn a_denial_keeps_those_away_who_have_it_and_nobody_who_is_exempt() {
    let sandbox = kept().await;
    let state = desired_state(SPEC);
    for account in [ACCOUNT, MEMBER] {
        let scope = Scope::of(account.parse().unwrap());
        let denial = serde_json::to_value(policy::deny(&state, &scope, &exempt()).unwrap()).unwrap();
        assert_eq!(actions(&denial).iter().map(String::as_str).collect::<Vec<_>>(), GUARDED);
        // Everybody has it, and may do everything else.
        let handle = sandbox.account(account);
        handle.authorize(&denial.to_string()).unwrap();
        let other = handle.identity("assumed-role/Administrator/alice");
        handle.authorize_role(&format!("arn:aws:iam::{account}:role/Administrator"), &everything()).unwrap();
        refused_all(&sandbox, account, &denial, other, "with an explicit deny in an identity-based policy").await;
    }
    the_controller_goes_on(&sandbox).await;
}

/// Whoever may change a policy that hosts have by the role need not touch the role.
#[tokio::test]
async fn policies_of_the_account_are_kept_as_well_and_could_be_changed_without_the_guard() {
    let spec = format!("{{role: {{policies: ['{HOSTS}']}}, regions: {{us-east-1: enabled}}}}");
    let state = desired_state(&spec);
    let scp = serde_json::to_value(policy::scp(&state, &Scope::default(), &exempt()).unwrap()).unwrap();
    for guarded in [true, false] {
        let sandbox = sandbox(&state, &[], MANAGEMENT).await;
        give(&sandbox, &grants(&state, &[], Written::ForEach));
        let credentials = || sandbox.account(ACCOUNT).identity("user/bob");
        let bob = Admin::at(&sandbox.url(), &sdk_credentials(credentials()));
        bob.iam.create_policy().policy_name("hosts").policy_document(everything()).send().await.unwrap();
        bob.iam.create_policy_version().policy_arn(HOSTS).policy_document(everything()).send().await.unwrap();
        assert_eq!(pass(&sandbox, &spec).await, PassResult::InSync);
        if guarded {
            let organization = sandbox.organization(MANAGEMENT);
            organization.attach_policy(&organization.root(), &scp.to_string()).unwrap();
            refused_all(&sandbox, ACCOUNT, &scp, credentials(), "with an explicit deny in a service control policy").await;
        } else {
            for action in ["iam:SetDefaultPolicyVersion", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion"] {
                assert!(actions(&scp).contains(action), "{action} is not guarded");
                attempt(&bob, action).await.unwrap().unwrap();
            }
            let refused = attempt(&bob, "iam:DeletePolicy").await.unwrap().unwrap_err();
            assert!(actions(&scp).contains("iam:DeletePolicy") && refused.contains("attached"), "{refused}");
        }
        let policy = bob.iam.get_policy().policy_arn(HOSTS).send().await.unwrap().policy.unwrap();
        assert_eq!(policy.default_version_id.unwrap(), if guarded { "v1" } else { "v3" });
        assert_eq!(pass(&sandbox, &spec).await, PassResult::InSync);
    }
}

/// What is not guarded is not kept from anybody: reads, other roles, other settings' roles.
#[tokio::test]
async fn a_denial_is_about_the_role_and_the_settings_alone() {
    let sandbox = kept().await;
    let denial = serde_json::to_string(&policy::deny(&desired_state(SPEC), &Scope::default(), &exempt()).unwrap()).unwrap();
    let account = sandbox.account(ACCOUNT);
    let bob = "arn:aws:iam::111122223333:user/bob";
    account.authorize_role(bob, &denial).unwrap();
    account.authorize_role(bob, &everything()).unwrap();
    let admin = Admin::at(&sandbox.url(), &sdk_credentials(account.identity("user/bob")));
    admin.create_role("Other", "/service-role/", crate::sdk::TRUST).await;
    admin.attach("Other", POLICY).await;
    admin.set_setting("ap-south-1", "service-role/Other").await;
    assert_eq!(admin.setting("us-east-1").await, VALUE);
    assert!(admin.role_exists(ROLE).await);
    let refused = sandbox
        .journal()
        .matching(&Filter::any())
        .iter()
        .filter(|call| call.principal == bob && call.error_code().is_some())
        .count();
    assert_eq!(refused, 0);
}
