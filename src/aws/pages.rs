//! Turning the pages of a list, to the last and no further.

use std::collections::HashSet;

use crate::cloud::{CloudError, ErrorKind};

/// Which page comes next. A page may be empty and not the last one (Organizations API reference).
#[derive(Debug)]
pub(super) struct Pages {
    operation: &'static str,
    pub(super) next: Option<String>,
    seen: HashSet<String>,
    is_first: bool,
}

impl Pages {
    pub(super) fn new(operation: &'static str) -> Self {
        Self { operation, next: None, seen: HashSet::new(), is_first: true }
    }

    /// Whether there is another page. One that was there before would have us turn pages forever.
    pub(super) fn turn(&mut self) -> Result<bool, CloudError> {
        let goes_on = std::mem::take(&mut self.is_first) || self.next.is_some();
        match &self.next {
            Some(token) if !self.seen.insert(token.clone()) => Err(CloudError {
                operation: self.operation,
                kind: ErrorKind::Unavailable,
                code: None,
                message: "the same page over and over".to_owned(),
                source: None,
            }),
            _ => Ok(goes_on),
        }
    }

    pub(super) fn token(&self) -> Option<String> {
        self.next.clone()
    }
}
