//! What is asked of `/api/v1/status`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::cli::status::StatusArgs;
use crate::target::State;

/// As many targets as one answer can have.
const MOST: usize = 10_000;
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A question.
#[derive(Debug)]
pub(super) struct Question {
    part: Part,
    states: Vec<State>,
}

/// A part of all targets.
#[derive(Debug)]
pub(super) struct Part {
    account: Option<String>,
    region: Option<String>,
}

impl Question {
    pub(super) fn of(args: StatusArgs) -> Self {
        let states = match (args.all, args.states) {
            (true, _) => State::ALL.to_vec(),
            (false, states) if states.is_empty() => unwell(),
            (false, states) => states,
        };
        Self { part: Part { account: args.account, region: args.region }, states }
    }

    /// The states that are asked for.
    pub(super) fn states(&self) -> &[State] {
        &self.states
    }

    /// Which targets are asked about, unless it is all of them.
    pub(super) fn of_some(&self) -> Option<&Part> {
        (self.part.account.is_some() || self.part.region.is_some()).then_some(&self.part)
    }

    pub(super) fn query(&self) -> String {
        self.part.query(&self.states, MOST)
    }
}

impl Part {
    /// How many targets there are.
    pub(super) fn count_query(&self) -> String {
        self.query(&State::ALL, 0)
    }

    /// How many of them are not in sync.
    pub(super) fn count_query_of_unwell(&self) -> String {
        self.query(&unwell(), 0)
    }

    fn query(&self, states: &[State], limit: usize) -> String {
        let words: Vec<&str> = states.iter().map(|state| state.label()).collect();
        let mut query = format!("state={}&limit={limit}", words.join(","));
        for (name, value) in [("account", &self.account), ("region", &self.region)] {
            if let Some(value) = value {
                query = format!("{name}={}&{query}", utf8_percent_encode(value, PLAIN));
            }
        }
        query
    }

    /// For people.
    pub(super) fn described(&self) -> String {
        match (&self.account, &self.region) {
            (Some(account), Some(region)) => format!("account {account:?} and region {region:?}"),
            (Some(account), None) => format!("account {account:?}"),
            (None, Some(region)) => format!("region {region:?}"),
            (None, None) => "anything".to_owned(),
        }
    }
}

fn unwell() -> Vec<State> {
    State::ALL.into_iter().filter(|state| *state != State::InSync).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_so_that_they_stay_one_value() {
        let part = Part { account: Some("Shop & Pay=ü".to_owned()), region: Some("eu-west-1".to_owned()) };
        assert_eq!(
            part.query(&[State::InSync, State::Held], 7),
            "region=eu-west-1&account=Shop%20%26%20Pay%3D%C3%BC&state=in_sync,held&limit=7"
        );
    }

    #[test]
    fn what_is_in_sync_is_not_unwell() {
        let part = Part { account: None, region: None };
        assert_eq!(part.count_query_of_unwell(), "state=drifted,held,contended,blocked,unknown&limit=0");
    }
}
