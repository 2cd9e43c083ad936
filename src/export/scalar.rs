//! Text of others as a YAML scalar, or within a comment, whatever is in it.
//!
//! Without quotes only where every YAML parser takes it for text; else in double quotes, all that is not plainly printable
//! escaped. Our own parser and libyaml have to read it alike (`desired/second_reading.rs`).

use std::fmt::Write;

/// What some YAML parser or other takes for something else than text, in lower case.
const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

/// The text as a value.
pub(super) fn value(text: &str) -> String {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"_./+=@,:-".contains(&byte);
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && text.bytes().all(inside);
    if plain && !text.ends_with(':') && !is_a_word(text) { text.to_owned() } else { quoted(text) }
}

/// The text as a key.
pub(super) fn key(text: &str) -> String {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(inside);
    if plain && !is_a_word(text) { text.to_owned() } else { quoted(text) }
}

/// The text within a comment, or on a terminal: on its line, and without anything that a terminal would obey.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| if is_plain(c) { out.push(c) } else { out.extend(c.escape_unicode()) });
    out
}

fn is_a_word(text: &str) -> bool {
    WORDS.contains(&text.to_ascii_lowercase().as_str())
}

fn is_plain(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric()
}

/// In double quotes, also where nothing would need them.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_plain(c) => out.push(c),
            // Writing to a string cannot fail.
            c => drop(write!(out, "\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// As libyaml reads it. How our own parser does is for the documents to show.
    fn read_back(text: &str) -> (Value, Value) {
        let yaml = format!("{}: 1\n{}: {}\n", quoted("first"), key(text), value(text));
        let read: Value = serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{error}: {yaml}"));
        let (key, value) = read.as_object().unwrap().iter().find(|(key, _)| *key != "first").unwrap();
        (Value::from(key.as_str()), value.clone())
    }

    #[test]
    fn what_needs_no_quotes_has_none() {
        for text in ["AWSRole", "/service-role/", "arn:aws:iam::111122223333:policy/a+b=c,d.e@f_g-h"] {
            assert_eq!(value(text), text);
        }
        assert_eq!(key("cost-center"), "cost-center");
    }

    #[test]
    fn what_would_be_something_else_than_text_is_in_quotes() {
        for text in [
            "", "~", "yes", "No", "null", "012", "1e3", ".inf", "-", "a: b", "a #b", "a:", " a", "a ", "!x", "*x", "&x", "=",
            "<<",
        ] {
            assert!(value(text).starts_with('"'), "{text}");
        }
        for text in ["a:b", "a.b", "on", "1"] {
            assert!(key(text).starts_with('"'), "{text}");
        }
    }

    #[test]
    fn a_comment_stays_on_its_line_and_tells_a_terminal_nothing() {
        assert_eq!(shown("a\nb\u{1b}[31m\u{2028}ü"), "a\\u{a}b\\u{1b}[31m\\u{2028}ü");
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_as_it_was(text in any::<String>()) {
            prop_assume!(text != "first");
            let expected = Value::from(text.as_str());
            prop_assert_eq!(read_back(&text), (expected.clone(), expected));
        }

        #[test]
        fn so_is_any_text_that_looks_like_yaml(text in "[-a-z0-9:#'\"\\\\&*!|>{}\\[\\],.~%@` \t\n]{0,12}") {
            prop_assume!(text != "first");
            let expected = Value::from(text.as_str());
            prop_assert_eq!(read_back(&text), (expected.clone(), expected));
        }
    }
}
