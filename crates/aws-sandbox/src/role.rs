//! An IAM role as plain data: what tests read, put and edit, and what the wire answers from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The trust policy that lets Systems Manager use a role, as the user guide gives it.
pub const SSM_TRUST_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A role. Documents are plain JSON text here; only the wire URL-encodes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// `/` or `/…/`.
    pub path: String,
    /// Unique in the account, whatever the path and the case of letters.
    pub name: String,
    /// Filled in when the role is put.
    #[serde(default)]
    pub arn: String,
    /// `AROA…`; filled in when the role is put.
    #[serde(default)]
    pub id: String,
    /// Who may assume it.
    pub trust_policy: String,
    /// ARNs of the attached managed policies, in the order they came.
    #[serde(default)]
    pub attached: Vec<String>,
    /// Inline policies: name -> document.
    #[serde(default)]
    pub inline: BTreeMap<String, String>,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// ARN of the policy that bounds its permissions.
    #[serde(default)]
    pub permissions_boundary: Option<String>,
    /// Seconds, 3600 to 43200.
    #[serde(default = "one_hour")]
    pub max_session_duration: u32,
    /// When it was created.
    #[serde(default)]
    pub created: Timestamp,
    /// When and where it was last assumed; IAM shows nothing for a role never used.
    #[serde(default)]
    pub last_used: Option<LastUsed>,
}

/// The latest use of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUsed {
    /// When.
    pub at: Timestamp,
    /// In which region.
    pub region: String,
}

fn one_hour() -> u32 {
    3600
}

impl Role {
    /// A role with a trust policy and nothing else.
    #[must_use]
    pub fn new(path: &str, name: &str, trust_policy: &str) -> Self {
        Self {
            path: path.to_owned(),
            name: name.to_owned(),
            arn: String::new(),
            id: String::new(),
            trust_policy: trust_policy.to_owned(),
            attached: Vec::new(),
            inline: BTreeMap::new(),
            description: None,
            tags: BTreeMap::new(),
            permissions_boundary: None,
            max_session_duration: one_hour(),
            created: Timestamp::UNIX_EPOCH,
            last_used: None,
        }
    }

    /// A role that Systems Manager may use.
    #[must_use]
    pub fn trusting_ssm(path: &str, name: &str) -> Self {
        Self::new(path, name, SSM_TRUST_POLICY)
    }

    /// A role that a principal of another account may assume: `principal` is an account's id or an ARN, and must know
    /// the external id if one is given. It may not tag its sessions.
    #[must_use]
    pub fn trusting(path: &str, name: &str, principal: &str, external_id: Option<&str>) -> Self {
        let mut statement = json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"});
        if let Some(external_id) = external_id {
            statement["Condition"] = json!({"StringEquals": {"sts:ExternalId": external_id}});
        }
        Self::new(path, name, &json!({"Version": "2012-10-17", "Statement": [statement]}).to_string())
    }

    /// What a setting must hold to mean this role: path and name without the leading slash.
    #[must_use]
    pub fn setting_value(&self) -> String {
        format!("{}{}", self.path.trim_start_matches('/'), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_value_carries_the_path() {
        assert_eq!(Role::trusting_ssm("/service-role/", "R").setting_value(), "service-role/R");
        assert_eq!(Role::trusting_ssm("/", "R").setting_value(), "R");
    }
}
