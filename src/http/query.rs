//! What `/api/v1/status` is asked for: `?account=`, `?region=`, `?state=`, `?limit=`.
//!
//! An unknown word is refused: an answer to another question than the one asked would be believed.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

use crate::status::Filter;
use crate::target::UnknownState;

/// How many targets an answer has when nobody says.
const USUAL_LIMIT: usize = 1_000;
/// How many it has at most: an answer is built in memory, in one go.
const MOST: usize = 10_000;

/// A question that cannot be answered.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadQuery {
    /// No such parameter.
    #[error("there is no parameter {0:?}; there are account, region, state and limit")]
    Unknown(String),
    /// The same again: which is meant?
    #[error("{0} is given twice; several states are written state=drifted,held")]
    Twice(&'static str),
    /// Not a state.
    #[error(transparent)]
    State(#[from] UnknownState),
    /// Not a number, or too large.
    #[error("a limit is a number of targets from 0 to {MOST}; ask for one account or region to see all of it")]
    Limit,
    /// Not text.
    #[error("a value is not UTF-8")]
    NotText,
}

/// Reads a query string.
pub(super) fn read(query: &str) -> Result<Filter, BadQuery> {
    let (mut account, mut region, mut states, mut limit) = (None, None, None, None);
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = decode(value)?;
        match name {
            "account" => once("account", &mut account, value)?,
            "region" => once("region", &mut region, value)?,
            "state" => once("state", &mut states, value.split(',').map(str::parse).collect::<Result<BTreeSet<_>, _>>()?)?,
            "limit" => once("limit", &mut limit, value.parse().ok().filter(|limit| *limit <= MOST).ok_or(BadQuery::Limit)?)?,
            other => return Err(BadQuery::Unknown(other.to_owned())),
        }
    }
    Ok(Filter { account, region, states: states.unwrap_or_default().into_iter().collect(), limit: limit.unwrap_or(USUAL_LIMIT) })
}

fn once<T>(name: &'static str, place: &mut Option<T>, value: T) -> Result<(), BadQuery> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(BadQuery::Twice(name)),
    }
}

/// A value as forms write it: names of accounts have spaces.
fn decode(value: &str) -> Result<String, BadQuery> {
    let spaced = value.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map(Into::into).map_err(|_| BadQuery::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::State;

    #[test]
    fn nothing_asked_is_everything_up_to_the_usual_limit() {
        assert_eq!(read(""), Ok(Filter::everything(1_000)));
    }

    #[test]
    fn each_parameter_narrows_the_question() {
        let filter = read("account=Shop+%26%20Pay&region=eu-west-1&state=held,drifted,held&limit=0").unwrap();
        let expected = Filter {
            account: Some("Shop & Pay".to_owned()),
            region: Some("eu-west-1".to_owned()),
            states: vec![State::Drifted, State::Held],
            limit: 0,
        };
        assert_eq!(filter, expected);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert_eq!(read("accounts=1"), Err(BadQuery::Unknown("accounts".to_owned())));
        assert_eq!(read("state=InSync"), Err(BadQuery::State(UnknownState)));
        assert_eq!(read("state="), Err(BadQuery::State(UnknownState)));
        assert_eq!(read("state=held&state=drifted"), Err(BadQuery::Twice("state")));
        assert_eq!(read("account=%ff"), Err(BadQuery::NotText));
        for limit in ["-1", "ten", "10001", ""] {
            assert_eq!(read(&format!("limit={limit}")), Err(BadQuery::Limit), "{limit}");
        }
    }
}
