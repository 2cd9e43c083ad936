//! The document as a JSON Schema, which editors check and complete with.
//!
//! It knows what a document looks like, not what it means: [`super::load`] decides, and nothing is read through these types.
//! `config/schema.json` is made of them; a test keeps it fresh, others hold it against what `load` says.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, schema_for};
use serde_json::{Value, json};

use super::regions;

/// The schema of a document.
#[must_use]
pub fn json() -> Value {
    let mut schema = schema_for!(Document).to_value();
    without_null(&mut schema);
    schema
}

/// A key without a value is refused: what may be left out may not be null.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|one| one != "null");
                if let [only] = types.as_slice() {
                    fields["type"] = only.clone();
                }
            }
            if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
                choices.retain(|one| *one != json!({ "type": "null" }));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    fields.remove("anyOf");
                    fields.extend(only);
                }
            }
            fields.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// The desired state of Default Host Management Configuration. The reference is docs/CONFIG.md.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// Version of this format.
    pub api_version: ApiVersion,
    /// What kind of document this is.
    pub kind: Kind,
    /// Tells people which document this is.
    pub metadata: Option<Metadata>,
    /// What is wanted.
    pub spec: Spec,
}

/// Version of this format.
#[derive(Debug, JsonSchema)]
pub enum ApiVersion {
    /// The only one.
    #[schemars(rename = "dhmc.dev/v1alpha1")]
    V1Alpha1,
}

/// What kind of document this is.
#[derive(Debug, JsonSchema)]
pub enum Kind {
    /// The only one.
    HostManagement,
}

/// Tells people which document this is.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Metadata {
    /// Lower-case letters, digits, `-` and `.`.
    #[schemars(extend("pattern" = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", "maxLength" = 253))]
    pub name: Option<String>,
}

/// What is wanted: of one account, or by default of every account.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("not" = { "anyOf": [{ "required": ["account", "accounts"] }, { "required": ["account", "organization"] }] }))]
pub struct Spec {
    /// The account that all of this is about; without it, that of the credentials. Not with accounts or organization.
    pub account: Option<AccountId>,
    /// Correct drift, or only report it.
    pub mode: Option<Mode>,
    /// The role that enabled settings point to.
    pub role: Option<Role>,
    /// Each region by its name.
    pub regions: Option<Regions>,
    /// Every region that is open to the account and not under regions.
    pub other_regions: Option<Region>,
    /// Accounts, each with what is wanted of it.
    #[schemars(extend("minItems" = 1))]
    pub accounts: Option<Vec<ListedAccount>>,
    /// The accounts of an AWS organization.
    pub organization: Option<Organization>,
    /// How much one change may take away before somebody has to confirm it.
    pub guard: Option<Guard>,
}

/// How much one change may take away before somebody has to confirm it.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Guard {
    /// For settings that are reset.
    pub resets: Option<Limit>,
    /// For policies that `exclusivePolicies` detaches.
    pub detachments: Option<Limit>,
    /// The held change that is meant, as the log and the status name it.
    #[schemars(extend("pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9a-f]{10}$"))]
    pub confirm: Option<String>,
}

/// More than both of these is held.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Limit {
    /// So many. Default: 2.
    #[schemars(range(max = 1_000_000))]
    pub count: Option<u32>,
    /// This part of those that there are. Default: 20.
    #[schemars(range(max = 100))]
    pub percent: Option<u32>,
}

/// An AWS account id: twelve digits, in quotes.
#[derive(Debug, JsonSchema)]
#[schemars(extend("pattern" = "^[0-9]{12}$"))]
pub struct AccountId(pub String);

/// Correct drift, or only report it.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Mode {
    /// Correct what drifted.
    Enforce,
    /// Report what drifted; write nothing.
    Observe,
}

/// The role that enabled settings point to.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// Unique in the account, whatever the path. Default: `AWSSystemsManagerDefaultEC2InstanceManagementRole`.
    pub name: Option<RoleName>,
    /// Where the role is, but not under `/aws-service-role/`. Default: `/service-role/`, or any path if external.
    #[schemars(extend("not" = { "pattern": "^/aws-service-role/" }))]
    pub path: Option<RolePath>,
    /// Who creates and repairs it.
    pub management: Option<Management>,
    /// The service that has to be able to assume it. Default: `ssm.amazonaws.com`.
    pub trust_principal: Option<String>,
    /// Policies that have to be attached: names of AWS managed policies, or ARNs.
    #[schemars(extend("maxItems" = 10, "uniqueItems" = true))]
    pub policies: Option<Vec<String>>,
    /// true: every other managed policy is detached.
    pub exclusive_policies: Option<bool>,
    /// Tags that have to be there; others are left alone.
    pub tags: Option<Tags>,
    /// The role's description, in the characters of Latin-1.
    #[schemars(extend("pattern" = "^[\\t\\n\\r -~\u{a1}-\u{ff}]*$", "maxLength" = 1000))]
    pub description: Option<String>,
    /// The role's permissions boundary: the name of an AWS managed policy, or an ARN.
    pub permissions_boundary: Option<String>,
    /// For the role alone.
    pub mode: Option<Mode>,
}

/// A role's name.
#[derive(Debug, JsonSchema)]
#[schemars(extend("pattern" = "^[A-Za-z0-9+=,.@_-]{1,64}$"))]
pub struct RoleName(pub String);

/// A role's path, which begins and ends with a slash.
#[derive(Debug, JsonSchema)]
#[schemars(extend("pattern" = "^/([!-~]+/)?$", "maxLength" = 512))]
pub struct RolePath(pub String);

/// Who creates and repairs the role.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Management {
    /// The controller does.
    Managed,
    /// Somebody else does: it is verified and never written.
    External,
}

/// Tags by their keys.
#[derive(Debug, JsonSchema)]
#[schemars(extend("maxProperties" = 50))]
pub struct Tags(pub BTreeMap<String, String>);

/// Regions by their names.
#[derive(Debug, JsonSchema)]
#[schemars(transform = with_known_regions)]
pub struct Regions(pub BTreeMap<String, Region>);

fn with_known_regions(schema: &mut Schema) {
    let names: Vec<&str> = regions::known().iter().map(|(name, _)| *name).collect();
    schema.insert("propertyNames".to_owned(), json!({ "enum": names }));
}

/// What is wanted of a region: a state, or a state with its mode.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Region {
    /// The state alone.
    State(RegionState),
    /// The state with its mode.
    Block(RegionBlock),
}

/// What is wanted of a region's setting.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum RegionState {
    /// The setting names the role.
    Enabled,
    /// The setting is reset to AWS's default, which is unset.
    Disabled,
    /// The setting is neither read nor written.
    Unmanaged,
}

/// What is wanted of a region, with its mode.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RegionBlock {
    /// What is wanted of the region's setting.
    pub state: RegionState,
    /// For this region alone. Not with unmanaged.
    pub mode: Option<Mode>,
}

/// An account, with what is wanted of it.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListedAccount {
    /// The account.
    pub id: AccountId,
    /// What people call it.
    #[schemars(extend("minLength" = 1, "maxLength" = 50))]
    pub name: Option<String>,
    /// The role by which the account is reached. Without it: the controller's own credentials.
    pub assume_role: Option<AssumeRole>,
    /// Correct drift, or only report it.
    pub mode: Option<Mode>,
    /// The role that enabled settings point to.
    pub role: Option<Role>,
    /// Each region by its name.
    pub regions: Option<Regions>,
    /// Every region that is open to the account and not under regions.
    pub other_regions: Option<Region>,
}

/// A role to assume.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssumeRole {
    /// Its name, which is the same in every account that this is written for.
    pub name: RoleName,
    /// Where it is. Default: `/`.
    pub path: Option<RolePath>,
    /// What its trust policy asks for as `sts:ExternalId`.
    #[schemars(extend("pattern" = "^[A-Za-z0-9+=,.@:/_-]{2,1224}$"))]
    pub external_id: Option<String>,
    /// Tags of the session; the trust policy has to allow `sts:TagSession` then.
    pub session_tags: Option<Tags>,
}

/// The accounts of an AWS organization.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct Organization {
    /// The role by which accounts are reached, of the same name in each.
    pub assume_role: AssumeRole,
    /// Only these. Without it: every account.
    #[schemars(extend("minProperties" = 1))]
    pub include: Option<Selection>,
    /// Not these, though they are included.
    pub exclude: Option<Selection>,
    /// What is different for some; of several that select an account, the later one wins, field by field.
    pub overrides: Option<Vec<Override>>,
}

/// Accounts, by themselves or by the units they are in, nested units included.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selection {
    /// Units, or roots.
    #[schemars(extend("uniqueItems" = true))]
    pub organizational_units: Option<Vec<UnitId>>,
    /// Accounts.
    #[schemars(extend("uniqueItems" = true))]
    pub accounts: Option<Vec<AccountId>>,
}

/// The id of an organizational unit or of a root.
#[derive(Debug, JsonSchema)]
#[schemars(extend("pattern" = "^(r-[a-z0-9]{4,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32})$"))]
pub struct UnitId(pub String);

/// What is different for some accounts of the organization.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("anyOf" = [{ "required": ["organizationalUnits"] }, { "required": ["accounts"] }]))]
pub struct Override {
    /// Whom it is for: units, or roots.
    #[schemars(extend("uniqueItems" = true))]
    pub organizational_units: Option<Vec<UnitId>>,
    /// Whom it is for: accounts.
    #[schemars(extend("uniqueItems" = true))]
    pub accounts: Option<Vec<AccountId>>,
    /// Correct drift, or only report it.
    pub mode: Option<Mode>,
    /// The role that enabled settings point to.
    pub role: Option<Role>,
    /// Each region by its name.
    pub regions: Option<Regions>,
    /// Every region that is open to the account and not under regions.
    pub other_regions: Option<Region>,
}
