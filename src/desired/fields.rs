//! Reads the fields of a mapping one by one: whoever takes a field says which type it has.
//!
//! Every failure becomes a problem and `None`, so that reading goes on and finds the rest. The keys that were asked for
//! are the keys there are: what nobody asked for is unknown. Called by [`super::document`].

use std::collections::HashMap;
use std::collections::hash_map;
use std::str::FromStr;

use super::names::InvalidName;
use super::problems::{Place, Position, Problem, Quoted, is_secret, path_of_item, path_of_key};
use super::suggest;
use super::yaml::{Node, Value};

/// What to do about something else altogether.
const BEGINNING: &str = "begin with apiVersion, kind and spec";

/// A value that was read, and where.
#[derive(Debug, Clone)]
pub struct Written<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub place: Place,
}

/// A closed set of values, each with the word for it in a document.
pub(super) trait Word: Copy + 'static {
    /// All of them, the usual one first.
    const WORDS: &'static [(&'static str, Self)];

    /// What to write instead of a word that is close in meaning rather than in spelling.
    fn meant_by(_text: &str) -> Option<&'static str> {
        None
    }
}

/// A value that is yet to be read.
#[derive(Debug, Clone)]
pub(super) struct Field<'n> {
    path: String,
    /// Of the key, or of the item in a list: where a value that is not there would be.
    start: Position,
    node: &'n Node,
}

impl<'n> Field<'n> {
    /// The document itself.
    pub(super) fn root(node: &'n Node) -> Self {
        Self { path: String::new(), start: node.position, node }
    }

    /// The place of the value.
    pub(super) fn place(&self) -> Place {
        Place { path: self.path.clone(), position: Some(self.node.position) }
    }

    /// The place of the key: the value itself may begin on a later line.
    pub(super) fn key_place(&self) -> Place {
        Place { path: self.path.clone(), position: Some(self.start) }
    }

    fn written<T>(&self, value: T) -> Written<T> {
        Written { value, place: self.place() }
    }

    fn expected(&self, what: &str, problems: &mut Vec<Problem>) {
        problems.push(match (&*self.node.value, self.path.as_str()) {
            (Value::Null, "") => Problem::new(&Place::whole_document(), "the document is empty").help(BEGINNING),
            (other, "") => Problem::new(&self.place(), format!("expected {what}, found {}", other.describe())).help(BEGINNING),
            // An empty value has no place of its own.
            (Value::Null, _) => Problem::new(&self.key_place(), "there is no value").help(format!("write {what}")),
            (other, _) => Problem::new(&self.place(), format!("expected {what}, found {}", other.describe())),
        });
    }

    /// Text; a number has to be in quotes, lest its leading zeros are lost on somebody.
    pub(super) fn text(&self, problems: &mut Vec<Problem>) -> Option<Written<String>> {
        match &*self.node.value {
            Value::Text(text) => return Some(self.written(text.clone())),
            other @ (Value::Number(text) | Value::Boolean(text)) => {
                let why = if text.starts_with('0') { ", because a number loses its leading zeros" } else { "" };
                let problem = Problem::new(&self.place(), format!("expected text, found {}", other.describe()));
                let text = self.quotable(text);
                problems.push(problem.help(format!("put it in quotes{why}: {text}")));
            }
            Value::Null | Value::List(_) | Value::Map(_) => self.expected("text", problems),
        }
        None
    }

    /// A number or boolean as it would be in quotes. Numbers have no end of digits; messages have.
    fn quotable(&self, text: &str) -> String {
        if text.len() <= 40 && !is_secret(&self.path) { format!("\"{text}\"") } else { "\"...\"".to_owned() }
    }

    /// A name that checks itself.
    pub(super) fn name<T: FromStr<Err = InvalidName>>(&self, problems: &mut Vec<Problem>) -> Option<Written<T>> {
        let text = self.text(problems)?;
        match text.value.parse() {
            Ok(value) => Some(Written { value, place: text.place }),
            Err(InvalidName(message)) => {
                problems.push(Problem::new(&text.place, message));
                None
            }
        }
    }

    /// A name that checks itself, and that no problem may repeat any of.
    pub(super) fn secret_name<T: FromStr<Err = InvalidName>>(&self, problems: &mut Vec<Problem>) -> Option<Written<T>> {
        if let Value::Number(_) | Value::Boolean(_) = &*self.node.value {
            let message = format!("expected text, found {}", self.node.value.describe());
            problems.push(Problem::new(&self.place(), message).help("put it in quotes"));
            return None;
        }
        self.name(problems)
    }

    /// One of a closed set of words.
    pub(super) fn word<W: Word>(&self, problems: &mut Vec<Problem>) -> Option<Written<W>> {
        let words = || W::WORDS.iter().map(|(word, _)| *word);
        let (Value::Text(text) | Value::Boolean(text) | Value::Number(text)) = &*self.node.value else {
            self.expected(&one_of(words()), problems);
            return None;
        };
        if let Some((_, value)) = W::WORDS.iter().find(|(word, _)| word == text) {
            return Some(self.written(*value));
        }
        let quoted = if is_secret(&self.path) { "the value".to_owned() } else { Quoted(text).to_string() };
        problems.push(if let [(only, _)] = W::WORDS {
            Problem::new(&self.place(), format!("{quoted} is not supported")).help(format!("write {only}"))
        } else {
            let near = W::meant_by(text).or_else(|| suggest::nearest(text, words()));
            let message = format!("{quoted} is not {}", one_of(words()));
            Problem::new(&self.place(), message).maybe_help(near.map(|word| format!("did you mean {word}?")))
        });
        None
    }

    /// A whole number from 0 up.
    pub(super) fn count(&self, most: u32, problems: &mut Vec<Problem>) -> Option<Written<u32>> {
        let Value::Number(text) = &*self.node.value else {
            self.expected("a number", problems);
            return None;
        };
        // Digits alone: what else YAML calls a number, its readers disagree about.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        let value = text.parse().ok().filter(|value| digits && *value <= most);
        if value.is_none() {
            let message = format!("{} is not a whole number from 0 to {most}", Quoted(text));
            problems.push(Problem::new(&self.place(), message));
        }
        value.map(|value| self.written(value))
    }

    /// The items of a list.
    pub(super) fn list(&self, problems: &mut Vec<Problem>) -> Option<Vec<Field<'n>>> {
        let node = self.node;
        let Value::List(items) = &*node.value else {
            self.expected("a list", problems);
            return None;
        };
        let item = |(index, node): (usize, &'n Node)| Field { path: path_of_item(&self.path, index), start: node.position, node };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// Whether the value is a mapping, for fields that may also be a word.
    pub(super) fn is_mapping(&self) -> bool {
        matches!(*self.node.value, Value::Map(_))
    }

    /// The entries of a mapping whose keys are up to the writer, each key once.
    pub(super) fn entries(&self, problems: &mut Vec<Problem>) -> Option<Vec<(Written<&'n str>, Field<'n>)>> {
        let node = self.node;
        let Value::Map(entries) = &*node.value else {
            self.expected("a mapping", problems);
            return None;
        };
        let mut first_lines: HashMap<&str, usize> = HashMap::new();
        let mut found = Vec::with_capacity(entries.len());
        for entry in entries {
            let path = path_of_key(&self.path, &entry.key);
            let field = Field { path, start: entry.key_position, node: &entry.node };
            match first_lines.entry(&entry.key) {
                hash_map::Entry::Occupied(first) => {
                    let message = match (*first.get(), entry.key_position.line) {
                        (first, again) if first == again => format!("written twice on line {again}"),
                        (first, again) => format!("written twice: on line {first} and again on line {again}"),
                    };
                    problems.push(Problem::new(&field.key_place(), message).help("keep one of them"));
                }
                hash_map::Entry::Vacant(vacant) => {
                    vacant.insert(entry.key_position.line);
                    found.push((Written { value: entry.key.as_str(), place: field.key_place() }, field));
                }
            }
        }
        Some(found)
    }

    /// The fields of a mapping whose keys are known.
    pub(super) fn fields(&self, problems: &mut Vec<Problem>) -> Option<Fields<'n>> {
        let entries = self.entries(problems)?;
        Some(Fields { place: self.key_place(), entries, asked: Vec::new() })
    }
}

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// The fields of a mapping whose keys are known.
#[derive(Debug)]
pub(super) struct Fields<'n> {
    place: Place,
    entries: Vec<(Written<&'n str>, Field<'n>)>,
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The place of the mapping: its key.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The field under a key, if it is there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Field<'n>> {
        self.asked.push(key);
        let index = self.entries.iter().position(|(written, _)| written.value == key)?;
        Some(self.entries.swap_remove(index).1)
    }

    /// The field under a key, which has to be there. The example tells what to add.
    pub(super) fn require(&mut self, key: &'static str, example: &str, problems: &mut Vec<Problem>) -> Option<Field<'n>> {
        let field = self.take(key);
        if field.is_none() {
            let place = Place { path: path_of_key(&self.place.path, key), position: self.place.position };
            problems.push(Problem::new(&place, "missing").help(format!("add `{key}: {example}`")));
        }
        field
    }

    /// Ends the reading where a secret is written: `externalId:s3cr3t` without its space is a key, and not to be repeated.
    pub(super) fn close_discreetly(mut self, problems: &mut Vec<Problem>) {
        let own = &self.place.path;
        for (key, _) in &mut self.entries {
            if !key.value.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                key.place.path.clone_from(own);
            }
        }
        self.close(problems);
    }

    /// Ends the reading: whatever is left was not asked for. Tells whether nothing was.
    pub(super) fn close(self, problems: &mut Vec<Problem>) -> bool {
        let nothing_left = self.entries.is_empty();
        for (key, _) in self.entries {
            let help = match suggest::nearest(key.value, self.asked.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known keys: {}", self.asked.join(", ")),
            };
            problems.push(Problem::new(&key.place, "unknown key").help(help));
        }
        nothing_left
    }
}
