//! What a region keeps besides its setting, as far as somebody who looks for trouble reads it: documents of Systems Manager,
//! associations of State Manager, configurations of Quick Setup. Only put there by tests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A State Manager association.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Association {
    /// The document that it runs: a name, or an ARN where another account shares it.
    pub document: String,
    /// What it is called.
    #[serde(default)]
    pub name: Option<String>,
}

/// A configuration manager of Quick Setup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationManager {
    /// What it is called.
    pub name: String,
    /// The types of its definitions, such as `AWSQuickSetupType-DHMC`.
    pub types: Vec<String>,
}

/// What one region keeps.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    /// By name.
    pub(crate) documents: BTreeMap<String, String>,
    pub(crate) associations: Vec<Association>,
    pub(crate) configuration_managers: Vec<ConfigurationManager>,
}
