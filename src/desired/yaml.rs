//! Text -> a tree of YAML values, each with its line and column. The only user of the YAML parser.
//!
//! One parser gives values and places, so the two cannot disagree. Nothing recurses, and aliases share what they stand for,
//! so that neither deep nesting nor an alias bomb costs stack or memory. Knows nothing of what a document means; called by
//! [`super::load`], read through [`super::fields`].

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use super::problems::{Place, Position, Problem, path_of_item, path_of_key};
use super::text::within;

/// How many values a document may hold, counted as if every alias were written out. Ten bytes each fill the size limit.
const MAX_VALUES: usize = 250_000;
/// How deep values may be nested: several times of what a document needs.
const MAX_DEPTH: usize = 32;

/// A value and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) position: Position,
    pub(super) value: Arc<Value>,
}

/// What YAML makes of a value (core schema of YAML 1.2).
#[derive(Debug)]
pub(super) enum Value {
    Null,
    /// `true`, `True`, `TRUE`, `false`, ... as written.
    Boolean(String),
    /// As written: `012345678901` keeps its zero.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In the order of the text, with duplicate keys.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_position: Position,
    pub(super) node: Node,
}

impl Value {
    /// For messages: "expected text, found a list".
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads the one document of a text; one without values is `Null`. `None` if the text is not YAML, a problem by then.
pub(super) fn parse(text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut builder = Builder { problems, open: Vec::new(), anchors: HashMap::new(), values: 0, root: None };
    let mut parser = Parser::new_from_str(text);
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        let step = match event {
            Ok((Event::DocumentStart(_), span)) => {
                documents += 1;
                if documents > 1 {
                    let problem = Problem::new(&place("", span.start), "a second document starts here");
                    builder.problems.push(problem.help("keep one document in one file"));
                    break;
                }
                Ok(())
            }
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(not_yaml(&error, text)),
        };
        if let Err(problem) = step {
            builder.problems.push(problem);
            return None;
        }
    }
    let nothing = || Node { position: Position { line: 1, column: 1 }, value: Arc::new(Value::Null) };
    Some(builder.root.unwrap_or_else(nothing))
}

fn not_yaml(error: &ScanError, text: &str) -> Problem {
    let place = Place { path: String::new(), position: Some(within(text, position(*error.marker()))) };
    if error.info() == "recursion limit exceeded" {
        return too_deep(&place);
    }
    let line = text.lines().nth(error.marker().line().saturating_sub(1)).unwrap_or_default();
    let tab_indents = line.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t');
    let help = tab_indents.then(|| "indent with spaces: YAML takes no tabs".to_owned());
    Problem::new(&place, format!("not YAML: {}", error.info())).maybe_help(help)
}

fn too_deep(place: &Place) -> Problem {
    Problem::new(place, "nested too deep: nothing in a document is deeper than a few levels")
}

fn place(path: &str, marker: Marker) -> Place {
    Place { path: path.to_owned(), position: Some(position(marker)) }
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

/// Puts the parser's events together into a tree.
struct Builder<'p> {
    problems: &'p mut Vec<Problem>,
    /// The lists and mappings that are not closed yet, outermost first.
    open: Vec<Open>,
    /// What each anchor stands for, and how many values that is.
    anchors: HashMap<usize, (Arc<Value>, usize)>,
    /// How many values there are, as if every alias were written out.
    values: usize,
    root: Option<Node>,
}

/// A list or mapping that is not closed yet.
struct Open {
    position: Position,
    anchor: usize,
    values_before: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Key },
}

/// What is known of the entry that is being read.
enum Key {
    Awaited,
    Read(String, Position),
    /// A problem by now; its value is dropped.
    Unusable,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = Arc::new(self.scalar(text.into_owned(), style, tag.as_deref(), span));
                self.count(1, span)?;
                self.remember(anchor, &value, 1);
                self.attach(Node { position: position(span.start), value });
            }
            Event::Alias(anchor) => {
                // The parser knows every anchor that has begun; here are those that have ended.
                let Some((value, values)) = self.anchors.get(&anchor).cloned() else {
                    return Err(Problem::new(&self.place(span), "this alias stands for a value that it is itself part of"));
                };
                self.count(values, span)?;
                self.attach(Node { position: position(span.start), value });
            }
            Event::SequenceStart(anchor, tag) => self.begin(Content::List(Vec::new()), anchor, tag.as_deref(), span)?,
            Event::MappingStart(anchor, tag) => {
                self.begin(Content::Map { entries: Vec::new(), key: Key::Awaited }, anchor, tag.as_deref(), span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Value {
        match tag {
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => return Value::Text(text),
            Some(_) => self.refuse_tag(span),
            None => {}
        }
        if style == ScalarStyle::Plain { resolve(text) } else { Value::Text(text) }
    }

    fn begin(&mut self, content: Content, anchor: usize, tag: Option<&Tag>, span: Span) -> Result<(), Problem> {
        if tag.is_some() {
            self.refuse_tag(span);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(&place("", span.start)));
        }
        let values_before = self.values;
        self.count(1, span)?;
        self.open.push(Open { position: position(span.start), anchor, values_before, content });
        Ok(())
    }

    fn end(&mut self) {
        let Some(Open { position, anchor, values_before, content }) = self.open.pop() else { return };
        let value = Arc::new(match content {
            Content::List(items) => Value::List(items),
            Content::Map { entries, .. } => Value::Map(entries),
        });
        self.remember(anchor, &value, self.values - values_before);
        self.attach(Node { position, value });
    }

    /// Puts a finished node where it belongs.
    fn attach(&mut self, node: Node) {
        let path = self.path();
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key }) => match std::mem::replace(key, Key::Awaited) {
                Key::Awaited => *key = read_key(&node, &path, self.problems),
                Key::Read(key, key_position) => entries.push(Entry { key, key_position, node }),
                Key::Unusable => {}
            },
        }
    }

    fn remember(&mut self, anchor: usize, value: &Arc<Value>, values: usize) {
        // The parser counts anchors from 1; 0 is none.
        if anchor > 0 {
            self.anchors.insert(anchor, (Arc::clone(value), values));
        }
    }

    fn count(&mut self, values: usize, span: Span) -> Result<(), Problem> {
        self.values += values;
        if self.values <= MAX_VALUES {
            return Ok(());
        }
        let message = format!("the document stands for more than {MAX_VALUES} values, aliases written out");
        Err(Problem::new(&place("", span.start), message).help("use fewer aliases, several documents, or spec.organization"))
    }

    fn refuse_tag(&mut self, span: Span) {
        // Not quoted: a secret that begins with `!` and lacks its quotes is a tag.
        self.problems.push(Problem::new(&self.place(span), "YAML tags are not supported here").help("leave it out"));
    }

    fn place(&self, span: Span) -> Place {
        place(&self.path(), span.start)
    }

    /// The path of the value that is being read.
    fn path(&self) -> String {
        self.open.iter().fold(String::new(), |path, open| match &open.content {
            Content::List(items) => path_of_item(&path, items.len()),
            Content::Map { key: Key::Read(key, _), .. } => path_of_key(&path, key),
            Content::Map { .. } => path,
        })
    }
}

fn read_key(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Key {
    let place = Place { path: path.to_owned(), position: Some(node.position) };
    match &*node.value {
        Value::Text(text) if text == "<<" => {
            problems.push(Problem::new(&place, "merge keys (`<<`) are not supported").help("write the keys out"));
            Key::Unusable
        }
        Value::Text(text) | Value::Boolean(text) | Value::Number(text) => Key::Read(text.clone(), node.position),
        other @ (Value::Null | Value::List(_) | Value::Map(_)) => {
            problems.push(Problem::new(&place, format!("a key has to be text, and this is {}", other.describe())));
            Key::Unusable
        }
    }
}

/// What a text without quotes is.
fn resolve(text: String) -> Value {
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Value::Boolean(text),
        _ if is_number(&text) => Value::Number(text),
        _ => Value::Text(text),
    }
}

/// Whether YAML takes it for a number. Rust's own numbers are nearly those of YAML, which has `0x`, `0o`, `.inf` and
/// `.nan` instead of `inf` and `nan`.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let based = |prefix: &str, radix: u32| {
        text.strip_prefix(prefix).is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
    };
    let decimal = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') && text.parse::<f64>().is_ok();
    decimal
        || based("0x", 16)
        || based("0o", 8)
        || matches!(unsigned, ".inf" | ".Inf" | ".INF")
        || matches!(text, ".nan" | ".NaN" | ".NAN")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        parse(text, &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    fn read(text: &str) -> Node {
        let mut problems = Vec::new();
        let node = parse(text, &mut problems);
        assert_eq!(problems, [], "{text}");
        node.unwrap()
    }

    #[test]
    fn a_scalar_is_what_yaml_1_2_says_it_is() {
        let cases = [
            ("~", "nothing"),
            ("null", "nothing"),
            ("true", "a boolean"),
            ("on", "text"),
            ("yes", "text"),
            ("012345678901", "a number"),
            ("111122223333", "a number"),
            ("-1.5e3", "a number"),
            ("0x1F", "a number"),
            (".inf", "a number"),
            ("inf", "text"),
            ("1111-2222-3333", "text"),
            ("'12'", "text"),
            ("!!str 12", "text"),
            ("|\n 12", "text"),
            ("[]", "a list"),
            ("{}", "a mapping"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).value.describe(), expected, "{text}");
        }
    }

    #[test]
    fn keys_and_values_know_their_line_and_column() {
        let node = read("# comment\na:\n  ü: x\n  b: [y, z]\n");
        let Value::Map(entries) = &*node.value else { panic!("{node:?}") };
        assert_eq!(entries[0].key_position, Position { line: 2, column: 1 });
        let Value::Map(entries) = &*entries[0].node.value else { panic!("{node:?}") };
        assert_eq!(entries[0].node.position, Position { line: 3, column: 6 });
        let Value::List(items) = &*entries[1].node.value else { panic!("{node:?}") };
        assert_eq!(items[1].position, Position { line: 4, column: 10 });
    }

    #[test]
    fn an_alias_has_the_value_of_its_anchor_and_its_own_place() {
        let node = read("a: &x [1]\nb: *x\n");
        let Value::Map(entries) = &*node.value else { panic!("{node:?}") };
        assert!(Arc::ptr_eq(&entries[0].node.value, &entries[1].node.value));
        assert_eq!(entries[1].node.position, Position { line: 2, column: 4 });
    }

    #[test]
    fn what_yaml_can_do_and_a_document_cannot_is_told_with_its_place() {
        let cases = [
            ("a: &x [*x]", "1:8: a[0]: this alias stands for a value that it is itself part of"),
            ("a: {<<: b}", "1:5: a: merge keys (`<<`) are not supported; write the keys out"),
            ("a: !thing b", "1:4: a: YAML tags are not supported here; leave it out"),
            ("[a, {[b]: c}]", "1:6: [1]: a key has to be text, and this is a list"),
            ("a: b\n---\nc: d", "2:1: a second document starts here; keep one document in one file"),
            ("a: *b", "1:4: not YAML: while parsing node, found unknown anchor"),
            (
                "a:\n\tb: c",
                "2:2: not YAML: tabs disallowed within this context (block indentation); indent with spaces: YAML takes no tabs",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(problems_of(text), [expected], "{text}");
        }
    }

    #[test]
    fn an_alias_bomb_ends_at_the_limit_without_being_unfolded() {
        let levels = (1..30).map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", ")));
        let bomb: Vec<String> = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned()).chain(levels).collect();
        let problems = problems_of(&bomb.concat());
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("stands for more than 250000 values, aliases written out"), "{problems:?}");
    }

    #[test]
    fn deep_nesting_of_every_kind_is_refused() {
        for text in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000), "? ".repeat(100_000)] {
            let problems = problems_of(&text);
            assert!(problems[0].ends_with("nested too deep: nothing in a document is deeper than a few levels"), "{problems:?}");
        }
    }
}
