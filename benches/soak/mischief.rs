//! What goes wrong: faults of AWS for a while, and people who change things, some of whom change them back.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_sandbox::{AccountHandle, Fault, FaultKind, RegionStatus, Role, SSM_TRUST_POLICY, Sandbox};
use fastrand::Rng;

use crate::cast::{ACCESS_ROLE, Cast, REGIONS, ROLE, VALUE, let_in};

/// How long what is bounded lasts at most.
const LONGEST: Duration = Duration::from_secs(12);
const EC2_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const DENYING_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const OPERATIONS: [&str; 12] = [
    "GetServiceSetting",
    "UpdateServiceSetting",
    "ResetServiceSetting",
    "GetCallerIdentity",
    "AssumeRole",
    "GetRole",
    "CreateRole",
    "UpdateAssumeRolePolicy",
    "ListAttachedRolePolicies",
    "AttachRolePolicy",
    "DetachRolePolicy",
    "TagRole",
];

/// What was done, line by line.
pub(crate) struct Trace {
    file: File,
    began: Instant,
}

impl Trace {
    pub(crate) fn new(path: &Path) -> Self {
        Self { file: File::create(path).unwrap(), began: Instant::now() }
    }

    pub(crate) fn line(&mut self, text: &str) {
        writeln!(self.file, "{:8.3} {text}", self.began.elapsed().as_secs_f64()).unwrap();
    }
}

/// How much of it there was.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) faults: u32,
    pub(crate) sabotages: u32,
}

/// Something that is undone later.
struct Undo {
    due: Instant,
    what: String,
    act: Box<dyn FnOnce()>,
}

/// Whoever does it.
pub(crate) struct Mischief {
    sandbox: Sandbox,
    accounts: Vec<AccountHandle>,
    members: Vec<AccountHandle>,
    dice: Rng,
    undos: Vec<Undo>,
    pub(crate) counts: Counts,
}

impl Mischief {
    pub(crate) fn new(sandbox: &Sandbox, cast: &Cast, seed: u64) -> Self {
        Self {
            sandbox: sandbox.clone(),
            accounts: cast.accounts.clone(),
            members: cast.members().to_vec(),
            dice: Rng::with_seed(seed.wrapping_add(1)),
            undos: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// What happens in a second.
    pub(crate) fn act(&mut self, trace: &mut Trace) {
        self.undo_until(Instant::now(), trace);
        if self.dice.bool() {
            self.fault(trace);
        }
        for _ in 0..self.dice.u8(1..4) {
            self.sabotage(trace);
        }
    }

    /// Everything bounded is over.
    pub(crate) fn end(&mut self, trace: &mut Trace) {
        self.undo_until(Instant::now() + LONGEST * 2, trace);
        self.sandbox.clear_faults();
    }

    fn undo_until(&mut self, now: Instant, trace: &mut Trace) {
        let (due, later) = std::mem::take(&mut self.undos).into_iter().partition(|undo| undo.due <= now);
        self.undos = later;
        for Undo { what, act, .. } in due {
            trace.line(&format!("over: {what}"));
            act();
        }
    }

    fn later(&mut self, what: String, undo: impl FnOnce() + 'static) {
        let lasts = LONGEST.mul_f64(self.dice.f64());
        self.undos.push(Undo { due: Instant::now() + lasts, what, act: Box::new(undo) });
    }

    fn fault(&mut self, trace: &mut Trace) {
        let kind = match self.dice.u8(0..16) {
            0 => FaultKind::Throttled,
            1 => FaultKind::Internal500,
            2 => FaultKind::Unavailable503,
            3 => FaultKind::Slow(Duration::from_millis(self.dice.u64(50..15_000))),
            4 => FaultKind::DropBeforeActing,
            5 => FaultKind::DropAfterActing,
            6 => FaultKind::Garbage,
            7 => FaultKind::AccessDenied,
            8 => FaultKind::ExpiredCredentials,
            9 => FaultKind::ClockSkew,
            10 => FaultKind::RegionDisabled,
            11 => FaultKind::TooManyUpdates,
            12 => FaultKind::LimitExceeded,
            13 => FaultKind::MalformedPolicyDocument,
            14 => FaultKind::EntityAlreadyExists,
            _ => FaultKind::Custom { status: 418, code: "NobodyKnows".to_owned(), message: "a new error".to_owned() },
        };
        let mut fault = Fault::new(kind).chance(self.dice.u16(200..1000), self.dice.u64(..));
        // Mostly of one operation; else of a whole service.
        fault = if self.dice.u8(0..4) == 0 {
            fault.service(self.one_of(&["ssm", "iam", "sts"]))
        } else {
            fault.operation(self.one_of(&OPERATIONS))
        };
        if self.dice.bool() {
            fault = fault.account(self.account().id());
        }
        if self.dice.bool() {
            fault = fault.region(self.one_of(&REGIONS));
        }
        let what = format!("{fault:?}");
        trace.line(&what);
        let (id, sandbox) = (self.sandbox.inject(fault), self.sandbox.clone());
        self.later(what, move || sandbox.clear(id));
        self.counts.faults += 1;
    }

    fn sabotage(&mut self, trace: &mut Trace) {
        let (account, region) = (self.account(), self.one_of(&REGIONS));
        let who = format!("arn:aws:iam::{}:user/mallory", account.id());
        let act = self.dice.u8(0..20);
        let what = match act {
            0..5 => {
                account.reset_setting(region, &who);
                "resets the setting"
            }
            5..9 => {
                account.set_setting(region, "QuickSetupLeftover", &who);
                "sets another role"
            }
            9..11 => {
                account.set_setting(region, VALUE, &who);
                "sets the declared role"
            }
            11 => {
                account.delete_role(ROLE);
                "deletes the role"
            }
            12 => {
                account.edit_role(ROLE, |role| EC2_TRUST.clone_into(&mut role.trust_policy));
                "takes the trust away"
            }
            13 => {
                account.edit_role(ROLE, |role| role.attached.clear());
                "detaches the policies"
            }
            14 => {
                let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned();
                account.edit_role(ROLE, |role| role.attached.push(policy));
                "attaches a policy"
            }
            15 => {
                account.edit_role(ROLE, |role| role.tags.clear());
                "removes the tags"
            }
            _ => return self.bounded(act, &account, region, trace),
        };
        self.counts.sabotages += 1;
        trace.line(&format!("sabotage: {} {region}: {what}", account.id()));
    }

    /// What the controller does not mend by itself, and people have to.
    fn bounded(&mut self, act: u8, account: &AccountHandle, region: &'static str, trace: &mut Trace) {
        let (what, undo): (_, Box<dyn FnOnce()>) = match act {
            16 => {
                account.edit_role(ROLE, |role| DENYING_TRUST.clone_into(&mut role.trust_policy));
                let account = account.clone();
                (
                    "denies Systems Manager",
                    Box::new(move || {
                        account.edit_role(ROLE, |role| SSM_TRUST_POLICY.clone_into(&mut role.trust_policy));
                    }),
                )
            }
            17 => {
                account.put_role(Role::trusting_ssm("/elsewhere/", ROLE));
                let account = account.clone();
                (
                    "puts the role elsewhere",
                    Box::new(move || {
                        if account.role(ROLE).is_some_and(|role| role.path == "/elsewhere/") {
                            account.delete_role(ROLE);
                        }
                    }),
                )
            }
            18 => {
                account.set_region(region, RegionStatus::Disabling);
                let account = account.clone();
                ("closes the region", Box::new(move || account.set_region(region, RegionStatus::EnabledByDefault)))
            }
            _ => {
                let account = self.members[self.dice.usize(..self.members.len())].clone();
                account.delete_role(ACCESS_ROLE);
                ("locks the controller out of a member", Box::new(move || let_in(&account)))
            }
        };
        self.counts.sabotages += 1;
        let what = format!("sabotage: {} {region}: {what}", account.id());
        trace.line(&what);
        self.later(what, undo);
    }

    fn account(&mut self) -> AccountHandle {
        self.accounts[self.dice.usize(..self.accounts.len())].clone()
    }

    fn one_of(&mut self, of: &[&'static str]) -> &'static str {
        of[self.dice.usize(..of.len())]
    }
}
