//! As much of a Kubernetes API server as leader election needs: one lease, with the versions by which the real one refuses an overtaken write.
//! Each replica comes through a door of its own, at which it can be cut off or made to wait.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// From when on who held the lease.
#[derive(Debug, Clone)]
pub struct Term {
    pub since: Timestamp,
    /// Empty while nobody did.
    pub holder: String,
    pub transitions: i64,
    /// By hand, so that whoever held it before does not know yet.
    pub is_by_hand: bool,
}

/// A write of a replica, in its own name, that was accepted.
#[derive(Debug)]
struct Renewal {
    /// When it arrived. Whoever sent it counts from an earlier moment.
    at: Timestamp,
    holder: String,
}

/// How a replica's calls fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Fine,
    /// Nothing arrives, and nothing is answered.
    CutOff,
    /// Calls arrive, and no answer comes back.
    Deaf,
    /// Every call takes so long to arrive, and the answer as long to come back. It arrives even where nobody waits for the answer any more.
    Slow(Duration),
}

#[derive(Debug, Default)]
struct Kept {
    lease: Option<Value>,
    version: u64,
    terms: Vec<Term>,
    renewals: Vec<Renewal>,
    conflicts: usize,
}

/// The API server.
#[derive(Debug, Clone, Default)]
pub struct Leases {
    kept: Arc<Mutex<Kept>>,
}

/// One replica's way to it.
pub struct Door {
    pub url: String,
    weather: Arc<Mutex<Weather>>,
}

impl Door {
    pub fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap() = weather;
    }
}

impl Leases {
    /// Another way in.
    pub async fn door(&self) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let weather = Arc::new(Mutex::new(Weather::Fine));
        let router = Router::new().fallback(called).with_state((self.clone(), Arc::clone(&weather)));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Door { url, weather }
    }

    /// Every change of the holder so far.
    pub fn terms(&self) -> Vec<Term> {
        self.kept.lock().unwrap().terms.clone()
    }

    /// Every renewal of this replica so far, with how it took the lease.
    pub fn renewals_of(&self, holder: &str) -> Vec<Timestamp> {
        let kept = self.kept.lock().unwrap();
        kept.renewals.iter().filter(|renewal| renewal.holder == holder).map(|renewal| renewal.at).collect()
    }

    /// Who holds the lease.
    pub fn holder(&self) -> Option<String> {
        self.kept.lock().unwrap().terms.last().map(|term| term.holder.clone()).filter(|holder| !holder.is_empty())
    }

    /// How often a write was refused because another had come first.
    pub fn conflicts(&self) -> usize {
        self.kept.lock().unwrap().conflicts
    }

    /// The lease, as it is.
    pub fn lease(&self) -> Value {
        self.kept.lock().unwrap().lease.clone().unwrap_or_default()
    }

    /// Somebody edits the lease by hand. Tells when that was.
    pub fn edit(&self, edit: impl FnOnce(&mut Value)) -> Timestamp {
        let mut kept = self.kept.lock().unwrap();
        let mut lease = kept.lease.take().unwrap();
        edit(&mut lease);
        kept.keep(lease, true);
        Timestamp::now()
    }

    /// Somebody deletes the lease.
    pub fn delete(&self) {
        self.kept.lock().unwrap().lease = None;
    }
}

impl Kept {
    fn keep(&mut self, mut lease: Value, is_by_hand: bool) -> Value {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned();
        let at = Timestamp::now();
        if !is_by_hand && !holder.is_empty() {
            self.renewals.push(Renewal { at, holder: holder.clone() });
        }
        if self.terms.last().is_none_or(|term| term.holder != holder) {
            let transitions = lease["spec"]["leaseTransitions"].as_i64().unwrap_or_default();
            self.terms.push(Term { since: at, holder, transitions, is_by_hand });
        }
        self.lease = Some(lease.clone());
        lease
    }

    fn answer(&mut self, method: &Method, body: &[u8]) -> (StatusCode, Value) {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        match (method.as_str(), self.lease.clone()) {
            ("GET", Some(lease)) => (StatusCode::OK, lease),
            ("POST", None) => (StatusCode::CREATED, self.keep(sent, false)),
            ("POST", Some(_)) => self.refuse(StatusCode::CONFLICT, "AlreadyExists"),
            ("PUT", Some(lease)) if sent["metadata"]["resourceVersion"] == lease["metadata"]["resourceVersion"] => {
                (StatusCode::OK, self.keep(sent, false))
            }
            ("PUT", Some(_)) => self.refuse(StatusCode::CONFLICT, "Conflict"),
            ("GET" | "PUT", None) => self.refuse(StatusCode::NOT_FOUND, "NotFound"),
            _ => self.refuse(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        }
    }

    fn refuse(&mut self, status: StatusCode, reason: &str) -> (StatusCode, Value) {
        self.conflicts += usize::from(status == StatusCode::CONFLICT);
        let code = status.as_u16();
        (
            status,
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason, "reason": reason, "code": code}),
        )
    }
}

async fn called(State((leases, weather)): State<(Leases, Arc<Mutex<Weather>>)>, method: Method, body: Bytes) -> Response {
    let now = *weather.lock().unwrap();
    let slowness = match now {
        Weather::CutOff => return std::future::pending().await,
        Weather::Slow(time) => time,
        Weather::Fine | Weather::Deaf => Duration::ZERO,
    };
    // This handler ends when the client hangs up. What the client has sent is on its way all the same.
    let landing = tokio::spawn(async move {
        tokio::time::sleep(slowness).await;
        leases.kept.lock().unwrap().answer(&method, &body)
    });
    let (status, answer) = landing.await.unwrap();
    if now == Weather::Deaf {
        return std::future::pending().await;
    }
    tokio::time::sleep(slowness).await;
    (status, [(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}
