//! One page of a list, as IAM pages: `MaxItems`, `Marker`, `IsTruncated`. A page may be shorter than asked for and
//! still not be the last; the page-size knob makes that happen.

use crate::services::Context;
use crate::wire::error::{ServiceError, Shared};

/// A page and where the next one starts.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) entries: Vec<T>,
    pub(super) marker: Option<String>,
}

/// The entries of a list in the order of their keys, from the call's marker on. The marker is the key of the page's
/// last entry, so that a change between two pages neither repeats nor skips the others.
pub(super) fn page<T>(call: &Context<'_>, mut entries: Vec<(String, T)>) -> Result<Page<T>, ServiceError> {
    let wanted = call.params.number("MaxItems")?.unwrap_or(100);
    if !(1..=1000).contains(&wanted) {
        let rule = "Member must have value between 1 and 1000";
        return Err(call.params.invalid("MaxItems", &wanted.to_string(), rule));
    }
    let size = usize::try_from(wanted).unwrap_or(usize::MAX);
    let size = size.min(call.knobs.page_size).max(1);
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(marker) = call.params.text("Marker") {
        let bytes = hex::decode(marker).ok();
        let after = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let after = after.ok_or_else(|| Shared::Invalid.in_words(call.protocol, format!("Invalid Marker: {marker}")))?;
        entries.retain(|(key, _)| *key > after);
    }
    let truncated = entries.len() > size;
    entries.truncate(size);
    let last = entries.last().map(|(key, _)| hex::encode(key));
    Ok(Page { entries: entries.into_iter().map(|(_, entry)| entry).collect(), marker: last.filter(|_| truncated) })
}
