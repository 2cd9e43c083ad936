//! One page of a list: `MaxResults`, `NextToken`. AWS may send an empty page and say that there is more; the knob
//! `empty_pages` makes it do so before every page that holds something.

use serde_json::Value;

use super::refusal::Invalid;
use crate::services::Context;
use crate::wire::error::ServiceError;

/// The most entries AWS puts on a page.
const LARGEST: u64 = 20;

/// Where a page starts and how much it may hold.
#[derive(Debug)]
pub(super) struct Start {
    /// The id of the last entry told.
    pub(super) after: String,
    size: usize,
    empty: bool,
}

impl Start {
    pub(super) fn read(call: &Context<'_>) -> Result<Self, ServiceError> {
        let wanted = call.params.number("MaxResults")?.unwrap_or(LARGEST);
        if wanted < 1 {
            return Err(Invalid::TooSmall.into());
        }
        if wanted > LARGEST {
            return Err(Invalid::TooLarge.into());
        }
        let size = usize::try_from(wanted).unwrap_or(usize::MAX).min(call.knobs.organizations_page).max(1);
        let (was_empty, after) = match call.params.text("NextToken") {
            Some(token) => decode(token).ok_or(Invalid::Token)?,
            None => (false, String::new()),
        };
        Ok(Self { after, size, empty: call.knobs.empty_pages && !was_empty })
    }

    /// The page, under the name its list has, with the token of the next one. `entries` begin behind `after`.
    pub(super) fn page(self, name: &str, entries: impl Iterator<Item = (String, Value)>) -> Value {
        let mut entries = entries.peekable();
        let mut page = Vec::new();
        let mut last = self.after;
        if !self.empty {
            for (id, entry) in entries.by_ref().take(self.size) {
                last = id;
                page.push(entry);
            }
        }
        let more = entries.peek().is_some();
        let mut answer = serde_json::Map::new();
        answer.insert(name.to_owned(), page.into());
        if more {
            let token = encode(self.empty, &last);
            answer.insert("NextToken".to_owned(), token.into());
        }
        Value::Object(answer)
    }
}

/// The token is the last id told and whether the page was an empty one; hexadecimal, so that nobody reads it.
fn encode(was_empty: bool, last: &str) -> String {
    hex::encode(format!("{}{last}", if was_empty { '0' } else { '1' }))
}

fn decode(token: &str) -> Option<(bool, String)> {
    let text = String::from_utf8(hex::decode(token).ok()?).ok()?;
    let was_empty = match text.get(..1)? {
        "0" => true,
        "1" => false,
        _ => return None,
    };
    Some((was_empty, text.get(1..)?.to_owned()))
}
