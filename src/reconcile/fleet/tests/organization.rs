//! The fleet under an organization: who is managed, what a failed or shrunken list changes, what happens to who leaves.

use super::*;
use crate::desired::access::AssumeRole;
use crate::desired::levels::{Level, RegionLevel};
use crate::desired::names::UnitId;
use crate::desired::organization::{DesiredOrganization, Membership, Override, Selection};
use crate::desired::{Mode, SettingState};

const QUARTER: Duration = Duration::from_mins(17);

pub(super) fn id(number: usize) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn unit(name: &str) -> UnitId {
    format!("ou-ab12-{name:1>8}").parse().unwrap()
}

fn member(units: &[&str]) -> Member {
    let units = units.iter().map(|name| unit(name)).collect();
    Member { name: Arc::from("a name"), membership: Membership::Active, units }
}

pub(super) fn members(numbers: std::ops::Range<usize>) -> BTreeMap<AccountId, Member> {
    numbers.map(|number| (id(number), member(&[]))).collect()
}

/// us-east-1, enabled.
pub(super) fn level() -> Level {
    let enabled = RegionLevel { state: Some(SettingState::Enabled), mode: None };
    Level { regions: BTreeMap::from([("us-east-1".parse().unwrap(), enabled)]), ..Level::default() }
}

pub(super) fn organization() -> DesiredOrganization {
    let access = AssumeRole {
        name: "dhmc-controller".parse().unwrap(),
        path: "/".parse().unwrap(),
        external_id: None,
        session_tags: BTreeMap::new(),
    };
    DesiredOrganization {
        access: Arc::new(access),
        include: None,
        exclude: Selection::default(),
        defaults: level(),
        overrides: Vec::new(),
    }
}

pub(super) fn desired(organization: DesiredOrganization) -> Arc<DesiredState> {
    Arc::new(DesiredState { organization: Some(Arc::new(organization)), ..DesiredState::default() })
}

fn start(prepare: impl FnOnce(&FakeCloud)) -> Running {
    run_state(desired(organization()), prepare)
}

impl Running {
    fn accounts(&self) -> BTreeSet<Account> {
        let mut accounts = BTreeSet::new();
        self.board.each(|_, target, _| {
            if target.resource == Resource::Account {
                accounts.insert(target.account);
            }
        });
        accounts
    }

    fn reason_of(&self, name: &str) -> String {
        let mut found = String::new();
        self.board.each(|_, target, status| {
            if target.resource_label() == name {
                found = status.reason.as_deref().unwrap_or_default().to_owned();
            }
        });
        found
    }
}

#[tokio::test(start_paused = true)]
async fn every_account_of_the_organization_is_kept_through_its_own_role() {
    let running = start(|cloud| *cloud.members.lock().unwrap() = members(1..4));
    pass(Duration::from_secs(10)).await;
    assert_eq!(running.accounts().len(), 3);
    assert_eq!((running.state_of("organization"), running.state_of("us-east-1")), (Some(State::InSync), Some(State::InSync)));
    let calls = running.end().await.names();
    assert_eq!(calls[0], "members");
    for number in 1..4 {
        for what in ["create role", "attach policy", "update setting us-east-1"] {
            let call = format!("{} {what}", id(number));
            assert_eq!(calls.iter().filter(|made| **made == call).count(), 1, "{call} in {calls:?}");
        }
    }
    assert!(!calls.contains(&"identity".to_owned()), "the controller's own account is not among them");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_joins_is_managed_and_one_that_leaves_is_forgotten_and_not_reset() {
    let running = start(|cloud| *cloud.members.lock().unwrap() = members(1..11));
    pass(Duration::from_secs(10)).await;
    *running.cloud.members.lock().unwrap() = members(2..12);
    pass(QUARTER).await;
    let accounts = running.accounts();
    assert!(accounts.contains(&Account::Id(id(11))) && !accounts.contains(&Account::Id(id(1))), "{accounts:?}");
    assert!(!running.end().await.names().iter().any(|call| call.contains("reset")));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_leaves_the_last_good_one() {
    let running = start(|cloud| *cloud.members.lock().unwrap() = members(1..4));
    pass(Duration::from_secs(10)).await;
    running.cloud.trouble("members", Trouble::Fails(ErrorKind::Throttled));
    pass(QUARTER).await;
    assert_eq!((running.state_of("organization"), running.accounts().len()), (Some(State::Unknown), 3));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_loses_more_than_a_fifth_is_held_until_they_are_back() {
    let running = start(|cloud| *cloud.members.lock().unwrap() = members(1..11));
    pass(Duration::from_secs(10)).await;
    *running.cloud.members.lock().unwrap() = members(1..8);
    pass(QUARTER).await;
    assert_eq!((running.state_of("organization"), running.accounts().len()), (Some(State::Held), 10));
    let reason = running.reason_of("organization");
    assert!(reason.starts_with("3 of 10 accounts are not in the list any more"), "{reason}");
    *running.cloud.members.lock().unwrap() = members(1..9);
    pass(QUARTER).await;
    assert_eq!((running.state_of("organization"), running.accounts().len()), (Some(State::InSync), 8), "a fifth is believed");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn suspended_accounts_count_as_lost_and_an_empty_list_is_never_believed() {
    let running = start(|cloud| *cloud.members.lock().unwrap() = members(1..4));
    pass(Duration::from_secs(10)).await;
    running.cloud.members.lock().unwrap().values_mut().for_each(|member| member.membership = Membership::Suspended);
    pass(QUARTER).await;
    assert_eq!((running.state_of("organization"), running.accounts().len()), (Some(State::Held), 3));
    running.cloud.members.lock().unwrap().clear();
    pass(QUARTER).await;
    assert_eq!((running.state_of("organization"), running.accounts().len()), (Some(State::Unknown), 3));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_the_list_answers_takes_effect_with_the_list_that_there_is() {
    let running = start(|cloud| *cloud.members.lock().unwrap() = members(1..4));
    pass(Duration::from_secs(10)).await;
    running.cloud.trouble("members", Trouble::Delays(Duration::from_mins(1)));
    let exclude = Selection { accounts: BTreeSet::from([id(2)]), ..Selection::default() };
    running.desired.send(desired(DesiredOrganization { exclude, ..organization() })).unwrap();
    pass(Duration::from_secs(1)).await;
    assert_eq!(running.accounts(), BTreeSet::from([Account::Id(id(1)), Account::Id(id(3))]));
    running.end().await;
}

/// Leaves out a unit that no list has told of yet, and an account.
fn leaves_out_unit_2_and_account_3() -> Arc<DesiredState> {
    let exclude = Selection { units: BTreeSet::from([unit("2")]), accounts: BTreeSet::from([id(3)]) };
    desired(DesiredOrganization { exclude, ..organization() })
}

#[tokio::test(start_paused = true)]
async fn an_edit_about_another_unit_writes_nothing_until_somebody_knows_who_is_in_it() {
    let running = start(|cloud| *cloud.members.lock().unwrap() = members(1..4));
    pass(Duration::from_secs(10)).await;
    running.cloud.trouble("members", Trouble::Fails(ErrorKind::Denied));
    running.desired.send(leaves_out_unit_2_and_account_3()).unwrap();
    pass(Duration::from_secs(10)).await;
    let before = running.cloud.names().len();
    running.cloud.others.lock().unwrap().values_mut().for_each(|kept| kept.settings.clear());
    pass(Duration::from_mins(10)).await;
    assert_eq!((running.state_of("organization"), running.state_of("us-east-1")), (Some(State::Blocked), Some(State::Drifted)));
    assert_eq!(running.accounts(), BTreeSet::from([Account::Id(id(1)), Account::Id(id(2))]), "what it names is left out at once");
    assert!(running.reason_of("organization").ends_with("nothing is written until it can be listed"));
    assert!(!running.cloud.names()[before..].iter().any(|call| call.contains("update") || call.contains("create")));

    running.cloud.trouble.lock().unwrap().clear();
    running.cloud.members.lock().unwrap().insert(id(2), member(&["2"]));
    pass(QUARTER).await;
    assert_eq!(running.accounts(), BTreeSet::from([Account::Id(id(1))]));
    assert_eq!(running.state_of("us-east-1"), Some(State::InSync));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_edit_does_not_make_a_shrunken_list_believed() {
    let running = start(|cloud| *cloud.members.lock().unwrap() = members(1..11));
    pass(Duration::from_secs(10)).await;
    *running.cloud.members.lock().unwrap() = members(1..5);
    running.desired.send(leaves_out_unit_2_and_account_3()).unwrap();
    pass(Duration::from_mins(1)).await;
    assert_eq!((running.state_of("organization"), running.accounts().len()), (Some(State::Held), 9));
    // Whoever has really left can be left out by name.
    let exclude = Selection { units: BTreeSet::from([unit("2")]), accounts: (3..11).map(id).collect() };
    running.desired.send(desired(DesiredOrganization { exclude, ..organization() })).unwrap();
    pass(Duration::from_mins(1)).await;
    assert_eq!(running.accounts(), BTreeSet::from([Account::Id(id(1)), Account::Id(id(2))]));
    assert_eq!(running.state_of("organization"), Some(State::Drifted), "the list is in force, and lacks some of those named");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_named_and_not_there_is_told() {
    let running = start(|cloud| *cloud.members.lock().unwrap() = members(1..4));
    pass(Duration::from_secs(10)).await;
    let exclude = Selection { accounts: BTreeSet::from([id(99)]), ..Selection::default() };
    running.desired.send(desired(DesiredOrganization { exclude, ..organization() })).unwrap();
    pass(Duration::from_secs(10)).await;
    assert_eq!((running.state_of("organization"), running.accounts().len()), (Some(State::Drifted), 3));
    let reason = running.reason_of("organization");
    assert!(reason.contains("not in the organization: 000000000099"), "{reason}");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_unit_without_accounts_is_believed_and_told() {
    let include = Some(Selection { units: BTreeSet::from([unit("2")]), ..Selection::default() });
    let running = run_state(desired(DesiredOrganization { include, ..organization() }), |_| {});
    pass(Duration::from_secs(10)).await;
    assert_eq!(running.state_of("organization"), Some(State::Drifted));
    assert_eq!(running.reason_of("organization"), "the document selects no account of the organization");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_session_has_the_account_looked_at_at_once() {
    let running = start(|cloud| *cloud.members.lock().unwrap() = members(1..2));
    pass(Duration::from_secs(10)).await;
    let looks = running.cloud.times("assume 000000000001").len();
    running.cloud.trouble("000000000001 read us-east-1", Trouble::NoSession(ErrorKind::Throttled));
    running.cloud.trouble("assume 000000000001", Trouble::Fails(ErrorKind::Denied));
    pass(Duration::from_mins(6)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::Blocked), "for the account is");
    let tries = running.cloud.times("assume 000000000001").len() - looks;
    assert!((2..=6).contains(&tries), "{tries} tries");
    running.cloud.trouble.lock().unwrap().clear();
    pass(Duration::from_mins(20)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::InSync));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_override_applies_to_the_accounts_of_its_unit() {
    let running = run_state(
        desired(DesiredOrganization {
            overrides: vec![Override {
                whom: Selection { units: BTreeSet::from([unit("2")]), ..Selection::default() },
                level: Level { mode: Some(Mode::Observe), ..Level::default() },
            }],
            ..organization()
        }),
        |cloud| *cloud.members.lock().unwrap() = BTreeMap::from([(id(2), member(&["2"]))]),
    );
    pass(Duration::from_secs(10)).await;
    assert_eq!(running.state_of("role"), Some(State::Drifted));
    assert!(!running.end().await.names().iter().any(|call| call.contains("create role")));
}

#[tokio::test(start_paused = true)]
async fn an_account_whose_role_cannot_be_assumed_is_blocked_by_itself_at_one_call_a_backoff() {
    let running = start(|cloud| {
        *cloud.members.lock().unwrap() = members(1..3);
        cloud.trouble("assume 000000000002", Trouble::Fails(ErrorKind::Denied));
    });
    pass(Duration::from_hours(1)).await;
    let states = |wanted: Account| {
        let mut states = BTreeSet::new();
        running.board.each(|_, target, status| {
            if target.account == wanted && target.resource != Resource::Organization {
                states.insert(status.state);
            }
        });
        states
    };
    assert_eq!(states(Account::Id(id(1))), BTreeSet::from([State::InSync]));
    assert_eq!(states(Account::Id(id(2))), BTreeSet::from([State::Blocked]));
    let attempts = running.cloud.times("assume 000000000002").len();
    assert!((5..=12).contains(&attempts), "{attempts} attempts in an hour");
    running.cloud.trouble.lock().unwrap().clear();
    pass(Duration::from_mins(20)).await;
    let mut states = BTreeSet::new();
    running.board.each(|_, _, status| {
        states.insert(status.state);
    });
    assert_eq!(states, BTreeSet::from([State::InSync]));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_document_without_the_organization_forgets_its_accounts() {
    let running = start(|cloud| *cloud.members.lock().unwrap() = members(1..4));
    pass(Duration::from_secs(10)).await;
    running.desired.send(state("{regions: {us-east-1: enabled}}")).unwrap();
    pass(Duration::from_secs(10)).await;
    assert_eq!((running.accounts(), running.state_of("organization")), (BTreeSet::from([Account::Own]), None));
    assert!(!running.end().await.names().iter().any(|call| call.contains("reset")));
}

#[tokio::test(start_paused = true)]
async fn a_single_pass_looks_at_the_accounts_that_it_finds() {
    let cloud = Arc::new(FakeCloud::default());
    *cloud.members.lock().unwrap() = members(1..4);
    let board = Arc::new(StatusBoard::default());
    fleet(WORKERS, &cloud, &board, &CancellationToken::new()).run_once(desired(organization()), Purpose::default()).await;
    let mut states = Vec::new();
    board.each(|_, _, status| states.push(status.state));
    // The organization, and three times an account, a role and a setting.
    assert_eq!(states, [State::InSync; 10]);
}
