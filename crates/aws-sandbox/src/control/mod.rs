//! The control path `/_sandbox/…`: what the library's handles do, for people and scripts. Unsigned JSON; only for a
//! sandbox that listens on a loopback address; elsewhere it is not there.

mod organizations;
mod policies;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::{Fault, FaultId};
use crate::identity::{Credentials, DEFAULT_IDENTITY, Denial};
use crate::journal::{Call, Filter};
use crate::knobs::Knobs;
use crate::partition::{Partition, RegionStatus};
use crate::role::Role;
use crate::setting::Setting;
use crate::world::{Account, World};

type Shared = State<Arc<World>>;

pub(crate) fn routes(world: Arc<World>) -> Router {
    Router::new()
        .route("/_sandbox/health", get(async || Json(json!({"status": "ok"}))))
        .route("/_sandbox/journal", get(journal).delete(clear_journal))
        .route("/_sandbox/counts", get(counts))
        .route("/_sandbox/faults", get(faults).put(set_faults).post(add_fault).delete(clear_faults))
        .route("/_sandbox/faults/{id}", delete(clear_fault))
        .route("/_sandbox/knobs", get(knobs).put(set_knobs))
        .route("/_sandbox/reset", post(reset))
        .route("/_sandbox/accounts/{account}/credentials", get(credentials))
        .route("/_sandbox/accounts/{account}/denials", post(deny).delete(allow_all))
        .route("/_sandbox/accounts/{account}/regions", get(regions))
        .route("/_sandbox/accounts/{account}/regions/{region}", put(set_region))
        .route("/_sandbox/accounts/{account}/regions/{region}/setting", get(setting).put(set_setting).delete(reset_setting))
        .route("/_sandbox/accounts/{account}/roles/{role}", get(role).put(put_role).delete(delete_role).patch(edit_role))
        .merge(organizations::routes())
        .merge(policies::routes())
        .with_state(world)
}

async fn journal(State(world): Shared, Query(filter): Query<Filter>) -> Json<Vec<Call>> {
    Json(world.journal.matching(&filter))
}

async fn clear_journal(State(world): Shared) -> StatusCode {
    world.journal.clear();
    StatusCode::NO_CONTENT
}

async fn counts(State(world): Shared) -> Json<Value> {
    let counts = world.journal.counts();
    let counts = counts.into_iter().map(|((service, operation), count)| (format!("{service}:{operation}"), count.into()));
    Json(Value::Object(counts.collect()))
}

async fn faults(State(world): Shared) -> Json<Value> {
    let faults = world.faults.list();
    let faults = faults.into_iter().map(|(id, fault)| json!({"id": id, "fault": fault}));
    Json(faults.collect())
}

async fn set_faults(State(world): Shared, Json(faults): Json<Vec<Fault>>) -> Json<Vec<FaultId>> {
    world.faults.clear_all();
    let ids = faults.into_iter().map(|fault| world.faults.inject(fault));
    Json(ids.collect())
}

async fn add_fault(State(world): Shared, Json(fault): Json<Fault>) -> Json<FaultId> {
    Json(world.faults.inject(fault))
}

async fn clear_faults(State(world): Shared) -> StatusCode {
    world.faults.clear_all();
    StatusCode::NO_CONTENT
}

async fn clear_fault(State(world): Shared, Path(id): Path<u64>) -> StatusCode {
    world.faults.clear(FaultId(id));
    StatusCode::NO_CONTENT
}

async fn knobs(State(world): Shared) -> Json<Knobs> {
    Json((*world.knobs()).clone())
}

async fn set_knobs(State(world): Shared, Json(new): Json<Knobs>) -> StatusCode {
    world.configure(|knobs| *knobs = new);
    StatusCode::NO_CONTENT
}

async fn reset(State(world): Shared) -> StatusCode {
    world.reset();
    StatusCode::NO_CONTENT
}

/// Accounts of the control path are created in `aws`, unless they exist or the query says otherwise.
#[derive(Deserialize)]
struct Who {
    #[serde(default = "default_identity")]
    identity: String,
    #[serde(default = "commercial")]
    partition: Partition,
}

fn default_identity() -> String {
    DEFAULT_IDENTITY.to_owned()
}

fn commercial() -> Partition {
    Partition::Aws
}

async fn credentials(State(world): Shared, Path(account): Path<String>, Query(who): Query<Who>) -> Json<Credentials> {
    let account = world.account(&account, who.partition);
    Json(world.keys.issue(&account, &who.identity))
}

fn account(world: &World, id: &str) -> Arc<Account> {
    world.account(id, Partition::Aws)
}

async fn deny(State(world): Shared, Path(id): Path<String>, Json(denial): Json<Denial>) -> StatusCode {
    world.deny(&account(&world, &id), denial);
    StatusCode::NO_CONTENT
}

async fn allow_all(State(world): Shared, Path(id): Path<String>) -> StatusCode {
    world.allow(&account(&world, &id), |_| true);
    StatusCode::NO_CONTENT
}

async fn regions(State(world): Shared, Path(id): Path<String>) -> Json<Value> {
    let regions = account(&world, &id).regions();
    Json(regions.into_iter().map(|(name, status)| (name, json!(status))).collect())
}

async fn set_region(
    State(world): Shared,
    Path((id, region)): Path<(String, String)>,
    Json(status): Json<RegionStatus>,
) -> StatusCode {
    world.set_region(&account(&world, &id), &region, status);
    StatusCode::NO_CONTENT
}

async fn setting(State(world): Shared, Path((id, region)): Path<(String, String)>) -> Json<Setting> {
    let knobs = world.knobs();
    let account = account(&world, &id);
    let state = account.state.lock();
    Json(state.settings.show(&region, &knobs))
}

/// Who does it, and what the new value is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingEdit {
    value: String,
    #[serde(default = "somebody")]
    by: String,
}

fn somebody() -> String {
    "arn:aws:sts::000000000000:assumed-role/sandbox/control".to_owned()
}

async fn set_setting(
    State(world): Shared,
    Path((id, region)): Path<(String, String)>,
    Json(edit): Json<SettingEdit>,
) -> StatusCode {
    let account = account(&world, &id);
    world.write_setting(&account, &region, Some(&edit.value), &edit.by);
    StatusCode::NO_CONTENT
}

async fn reset_setting(State(world): Shared, Path((id, region)): Path<(String, String)>) -> StatusCode {
    world.write_setting(&account(&world, &id), &region, None, &somebody());
    StatusCode::NO_CONTENT
}

async fn role(State(world): Shared, Path((id, name)): Path<(String, String)>) -> Result<Json<Role>, StatusCode> {
    let account = account(&world, &id);
    let role = account.state.lock().roles.truth(&name).cloned();
    role.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn put_role(State(world): Shared, Path((id, name)): Path<(String, String)>, Json(role): Json<Role>) -> StatusCode {
    if role.name != name {
        return StatusCode::BAD_REQUEST;
    }
    world.put_role(&account(&world, &id), role);
    StatusCode::NO_CONTENT
}

/// A change of a role; what is not named stays.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RoleEdit {
    trust_policy: Option<String>,
    attach: Vec<String>,
    detach: Vec<String>,
    tags: BTreeMap<String, String>,
    permissions_boundary: Option<String>,
}

async fn edit_role(State(world): Shared, Path((id, name)): Path<(String, String)>, Json(edit): Json<RoleEdit>) -> StatusCode {
    let edited = world.edit_role(&account(&world, &id), &name, |role| {
        if let Some(document) = edit.trust_policy {
            role.trust_policy = document;
        }
        role.attached.retain(|arn| !edit.detach.contains(arn));
        role.attached.extend(edit.attach);
        role.tags.extend(edit.tags);
        if edit.permissions_boundary.is_some() {
            role.permissions_boundary = edit.permissions_boundary;
        }
    });
    edited.map_or(StatusCode::NOT_FOUND, |()| StatusCode::NO_CONTENT)
}

async fn delete_role(State(world): Shared, Path((id, name)): Path<(String, String)>) -> StatusCode {
    let deleted = world.delete_role(&account(&world, &id), &name);
    deleted.map_or(StatusCode::NOT_FOUND, |_| StatusCode::NO_CONTENT)
}
