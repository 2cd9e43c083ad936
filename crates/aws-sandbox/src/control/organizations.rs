//! Organizations over the control path: put them together, see what they are.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shared, commercial};
use crate::organization::{AccountStatus, Member, Organizations};
use crate::partition::Partition;
use crate::world::World;

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/organizations/{management}", get(show).put(create))
        .route("/_sandbox/organizations/{management}/units", post(add_unit))
        .route("/_sandbox/organizations/{management}/accounts", get(accounts))
        .route("/_sandbox/organizations/{management}/accounts/{account}", put(add).patch(edit).delete(remove))
}

#[derive(Deserialize)]
struct Place {
    #[serde(default = "commercial")]
    partition: Partition,
}

async fn show(State(world): Shared, Path(management): Path<String>) -> Result<Json<Value>, StatusCode> {
    let organizations = world.organizations.read();
    let own = organizations.owned_by(&management).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({"id": own.id, "root": &*own.root, "accounts": own.accounts("").count()})))
}

async fn create(
    State(world): Shared,
    Path(management): Path<String>,
    Query(place): Query<Place>,
) -> Result<Json<Value>, StatusCode> {
    world.create_organization(&management, place.partition);
    show(State(world), Path(management)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUnit {
    name: String,
    /// The root when absent.
    parent: Option<String>,
}

async fn add_unit(
    State(world): Shared,
    Path(management): Path<String>,
    Json(unit): Json<NewUnit>,
) -> Result<Json<Value>, StatusCode> {
    let id = change(&world, |organizations| {
        let own = organizations.owned_by_mut(&management)?;
        let parent = unit.parent.unwrap_or_else(|| own.root.to_string());
        own.add_unit(&parent, &unit.name)
    })?;
    Ok(Json(json!({"id": &*id})))
}

async fn accounts(State(world): Shared, Path(management): Path<String>) -> Result<Json<Vec<Member>>, StatusCode> {
    let organizations = world.organizations.read();
    let own = organizations.owned_by(&management).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(own.accounts("").collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    name: String,
    /// The root when absent.
    parent: Option<String>,
}

async fn add(
    State(world): Shared,
    Path((management, account)): Path<(String, String)>,
    Json(new): Json<NewAccount>,
) -> Result<StatusCode, StatusCode> {
    let now = world.now();
    change(&world, |organizations| {
        let parent = new.parent.or_else(|| Some(organizations.owned_by(&management)?.root.to_string()))?;
        organizations.add(&management, &account, &new.name, &parent, now)
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// A change of a member; what is not named stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberEdit {
    parent: Option<String>,
    status: Option<AccountStatus>,
    delegated: Option<bool>,
}

async fn edit(
    State(world): Shared,
    Path((management, account)): Path<(String, String)>,
    Json(edit): Json<MemberEdit>,
) -> Result<StatusCode, StatusCode> {
    change(&world, |organizations| {
        let own = organizations.owned_by_mut(&management)?;
        own.account(&account)?;
        if let Some(parent) = edit.parent {
            own.move_to(&account, &parent)?;
        }
        if let Some(status) = edit.status {
            own.set_status(&account, status)?;
        }
        match edit.delegated {
            Some(true) => own.delegate(&account)?,
            Some(false) => own.revoke(&account),
            None => {}
        }
        Some(())
    })?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(State(world): Shared, Path((management, account)): Path<(String, String)>) -> Result<StatusCode, StatusCode> {
    change(&world, |organizations| {
        organizations.owned_by(&management)?.account(&account)?;
        organizations.remove(&account)
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is not there cannot be changed.
fn change<T>(world: &World, edit: impl FnOnce(&mut Organizations) -> Option<T>) -> Result<T, StatusCode> {
    let edited = edit(&mut world.organizations.write());
    world.changed();
    edited.ok_or(StatusCode::NOT_FOUND)
}
