//! A second parser reads the same text, and has to find the same values.
//!
//! YAML is read differently by different programs. Whoever reviews a document reads it with libyaml (`kubectl`, Flux,
//! linters), which is also what `serde_yaml` is made of. A document that means one thing there and another here is refused:
//! nobody could know which of the two they have approved. Called last, on a document that has no other problem.

use serde_yaml::Value as Second;

use super::problems::{Place, Position, Problem, path_of_item, path_of_key};
use super::text::within;
use super::yaml::{Node, Value};

/// Compares the second reading with the first; what differs is a problem.
pub(super) fn compare(text: &str, first: &Node, problems: &mut Vec<Problem>) {
    match serde_yaml::from_str::<Second>(text) {
        Ok(second) => {
            if let Some(place) = difference(first, &second, "") {
                let message = "other YAML parsers read this differently";
                problems.push(Problem::new(&place, message).help("put it in quotes, or write it more plainly"));
            }
        }
        Err(error) => {
            let position = error.location().map(|at| within(text, Position { line: at.line(), column: at.column() }));
            let place = Place { path: String::new(), position };
            problems.push(Problem::new(&place, format!("other YAML parsers refuse this: {error}")));
        }
    }
}

/// Where the two readings first differ. Aliases may make a place come up twice; it is enough to name it once.
fn difference(first: &Node, second: &Second, path: &str) -> Option<Place> {
    let here = || Some(Place { path: path.to_owned(), position: Some(first.position) });
    match (&*first.value, second) {
        (Value::Map(entries), Second::Mapping(others)) if entries.len() == others.len() => entries.iter().find_map(|entry| {
            let path = path_of_key(path, &entry.key);
            match others.get(entry.key.as_str()) {
                Some(other) => difference(&entry.node, other, &path),
                None => Some(Place { path, position: Some(entry.key_position) }),
            }
        }),
        (Value::List(items), Second::Sequence(others)) if items.len() == others.len() => items
            .iter()
            .zip(others)
            .enumerate()
            .find_map(|(index, (item, other))| difference(item, other, &path_of_item(path, index))),
        (Value::Null, Second::Null) | (Value::Boolean(_), Second::Bool(_)) | (Value::Number(_), Second::Number(_)) => None,
        (Value::Text(text) | Value::Number(text) | Value::Boolean(text), Second::String(other)) if text == other => None,
        _ => here(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml::parse;
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let first = parse(text, &mut problems).unwrap();
        compare(text, &first, &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn documents_that_both_read_alike_pass() {
        for text in [
            include_str!("../../config/minimal.yaml"),
            include_str!("../../config/example.yaml"),
            include_str!("../../config/organization.yaml"),
            "a: &x [1, yes, ~, '']\nb: *x\n",
            "a: |\n  text\n  more\nb: >-\n  folded\n  text\n",
            "{a: 'it''s', b: \"\\u00e9\", c: 0123, d: 1e3}",
            "",
        ] {
            assert_eq!(told(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_value_that_is_read_differently_is_named_with_its_place() {
        let second: Second = serde_yaml::from_str("{a: {b: [x, y]}}").unwrap();
        let mut problems = Vec::new();
        let first = parse("a:\n  b:\n    - x\n    - z\n", &mut problems).unwrap();
        let place = difference(&first, &second, "").unwrap();
        assert_eq!((place.path.as_str(), place.position.map(|at| at.line)), ("a.b[1]", Some(4)));
    }

    #[test]
    fn a_key_that_only_one_of_them_finds_is_named() {
        let second: Second = serde_yaml::from_str("{a: 1, c: 2}").unwrap();
        let mut problems = Vec::new();
        let first = parse("a: 1\nb: 2\n", &mut problems).unwrap();
        assert_eq!(difference(&first, &second, "").unwrap().path, "b");
    }
}
