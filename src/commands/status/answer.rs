//! The answer of `/api/v1/status`, as much of it as people are told. The controller may be of another version than this program:
//! what it says beyond this is left alone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::api::{Api, AskError};
use crate::target::State;
use crate::terminal::plain_line;

/// An answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) version: String,
    /// Whether it works on the targets. One that does not say so does.
    #[serde(default = "yes")]
    pub(super) leads: bool,
    /// Which replica does.
    pub(super) leader: Option<String>,
    pub(super) configuration: Configuration,
    /// By the word for a state.
    pub(super) summary: BTreeMap<String, usize>,
    pub(super) held: Option<Held>,
    pub(super) matching: usize,
    pub(super) left_out: usize,
    pub(super) targets: Vec<Target>,
}

fn yes() -> bool {
    true
}

/// The desired state in force.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Configuration {
    pub(super) in_force: bool,
    pub(super) hash: String,
    pub(super) loaded_at: Timestamp,
    pub(super) problem: Option<String>,
}

/// What the guard holds.
#[derive(Debug, Deserialize)]
pub(super) struct Held {
    pub(super) resets: usize,
    pub(super) detachments: usize,
    pub(super) confirm: String,
}

/// One target.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    pub(super) account: String,
    pub(super) account_name: Option<String>,
    pub(super) region: String,
    pub(super) resource: String,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) since: Timestamp,
    pub(super) last_changed_by: Option<String>,
}

impl Answer {
    pub(super) fn read(value: &Value, api: &Api) -> Result<Self, AskError> {
        let answer =
            Self::deserialize(value).map_err(|error| AskError::Foreign { url: api.to_string(), reason: error.to_string() })?;
        if answer.leads {
            return Ok(answer);
        }
        Err(AskError::StandsBy {
            url: api.to_string(),
            leader: match answer.leader {
                Some(leader) => {
                    format!("{} leads; ask that one (in Kubernetes, its name begins with its pod's)", plain_line(&leader))
                }
                None => "it does not know who leads; its log says why".to_owned(),
            },
        })
    }

    /// How many targets are not in sync.
    pub(super) fn not_in_sync(&self) -> usize {
        self.summary.iter().filter(|(state, _)| *state != State::InSync.label()).map(|(_, count)| count).sum()
    }
}
