//! Policies over the control path: give them to principals and organizations, take them back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::{Shared, account};
use crate::access::InvalidPolicy;
use crate::organization::Organization;
use crate::world::World;

/// What could not be given, and why.
type Refused = (StatusCode, String);

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/accounts/{account}/policies", post(grant).delete(forget))
        .route("/_sandbox/organizations/{management}/policies", post(attach).delete(detach))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPolicy {
    policy: Value,
    /// The ARN of a role or user; everybody in the account when absent.
    principal: Option<String>,
}

async fn grant(State(world): Shared, Path(id): Path<String>, Json(new): Json<NewPolicy>) -> Result<StatusCode, Refused> {
    answer(world.grant(&account(&world, &id), new.principal.as_deref(), &new.policy.to_string()))
}

async fn forget(State(world): Shared, Path(id): Path<String>) -> StatusCode {
    world.forget_policies(&account(&world, &id));
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAttachment {
    policy: Value,
    /// The root, a unit or an account; the root when absent.
    target: Option<String>,
}

async fn attach(
    State(world): Shared,
    Path(management): Path<String>,
    Json(new): Json<NewAttachment>,
) -> Result<StatusCode, Refused> {
    let root = world.organizations.read().owned_by(&management).map(|own| own.root.to_string());
    let target = new.target.or(root).unwrap_or_default();
    answer(world.attach_policy(&management, &target, &new.policy.to_string()))
}

async fn detach(State(world): Shared, Path(management): Path<String>) -> StatusCode {
    world.organizations.write().owned_by_mut(&management).map(Organization::detach_all);
    world.changed();
    StatusCode::NO_CONTENT
}

fn answer(given: Result<(), InvalidPolicy>) -> Result<StatusCode, Refused> {
    given.map(|()| StatusCode::NO_CONTENT).map_err(|why| (StatusCode::BAD_REQUEST, why.to_string()))
}
