//! Where the lines of a document may hold a secret, so that nobody is shown them.
//!
//! Judged by the text alone, because what is shown is often no YAML at all, and often no document that anybody meant: where it
//! is in doubt, something is hidden. Called by [`super::excerpt`].

use std::collections::BTreeSet;

use super::suggest;

/// The one field whose value is nobody's business.
const SECRET: &str = "externalId";
/// The mapping that it belongs into: what is there under another name may be a slip of the finger.
const ASSUMED_ROLE: &str = "assumeRole";
/// What may be shown of that mapping.
const OF_ASSUMED_ROLE: [&str; 3] = ["name", "path", "sessionTags"];
/// A value of another field that is near to the name of this one.
const NO_SECRET: &str = "external";

/// What tells where a value ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nesting {
    /// Indentation, as YAML has it.
    Indentation,
    /// Brackets that are open from line to line, in which indentation means nothing.
    Brackets,
}

/// Whether the secret may be written elsewhere, under an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchors {
    Harmless,
    Suspect,
}

/// How much of each line may be shown: so many bytes from its beginning.
/// `keys` are those that a document can have.
pub(super) fn fit_to_show(lines: &[&str], keys: &BTreeSet<String>) -> Vec<usize> {
    let opens_more = |line: &&str| line.matches(['{', '[']).count() > line.matches(['}', ']']).count();
    let nesting = if lines.iter().any(opens_more) { Nesting::Brackets } else { Nesting::Indentation };
    let read = |anchors| Reading { keys, nesting, anchors, secret: None, role: None }.of(lines);
    let fit = read(Anchors::Harmless);
    let refers_elsewhere = lines.iter().zip(&fit).any(|(line, fit)| line[*fit..].contains('*'));
    if refers_elsewhere { read(Anchors::Suspect) } else { fit }
}

/// What is known of the text, line after line.
struct Reading<'k> {
    keys: &'k BTreeSet<String>,
    nesting: Nesting,
    anchors: Anchors,
    /// The column of the key of the secret that may go on.
    secret: Option<usize>,
    /// The column of the key of the assumed role that may go on.
    role: Option<usize>,
}

impl Reading<'_> {
    fn of(mut self, lines: &[&str]) -> Vec<usize> {
        lines.iter().map(|line| self.next(line)).collect()
    }

    fn next(&mut self, line: &str) -> usize {
        let key = first_key(line);
        if self.secret.is_some_and(|column| self.has_ended(column, line, |key| self.keys.contains(key))) {
            self.secret = None;
        }
        let is_elsewhere = |key: &str| key != SECRET && !OF_ASSUMED_ROLE.contains(&key) && self.keys.contains(key);
        if self.role.is_some_and(|column| self.has_ended(column, line, is_elsewhere)) {
            self.role = None;
        }
        let mut fit = match (self.secret, self.role) {
            (Some(_), _) => 0,
            (None, Some(_)) if key.is_none() => 0,
            (None, Some(_)) => self.fit_in_role(line, 0),
            (None, None) => line.len(),
        };
        for (start, word) in words(line) {
            if let Some(after) = secret_in(&line[start..], word) {
                fit = fit.min(start + after);
                self.secret.get_or_insert(start);
            } else if self.role.is_none() && is_like(word, ASSUMED_ROLE) {
                let end = start + word.len();
                fit = fit.min(self.fit_in_role(line, end)).min(fit_beside(line, end));
                self.role = Some(start);
            }
        }
        // An escape may spell the name of the secret, or be part of one.
        if let Some(escape) = line.find('\\') {
            fit = fit.min(escape);
            self.secret.get_or_insert(indentation(line));
        }
        if self.anchors == Anchors::Suspect
            && let Some(anchor) = line.find('&')
        {
            fit = fit.min(anchor);
            self.secret.get_or_insert(indentation(line));
        }
        fit
    }

    /// How much of a line may be shown that is about an assumed role from some byte on: up to the value of a key that nobody knows.
    fn fit_in_role(&self, line: &str, from: usize) -> usize {
        let unknown = words(&line[from..]).find_map(|(start, word)| {
            let end = from + start + word.len();
            let is_key = line[end..].trim_start_matches(['"', '\'']).trim_start().starts_with(':');
            (is_key && !self.keys.contains(word)).then(|| after_key(line, end))
        });
        unknown.unwrap_or(line.len())
    }

    /// Whether what began at a column does not go on in this line.
    fn has_ended(&self, column: usize, line: &str, is_end: impl Fn(&str) -> bool) -> bool {
        let text = line.trim_start();
        // The value of a key that has a line of its own (`? key`) begins with a colon.
        if text.is_empty() || text.starts_with(':') || indentation(line) > column {
            return false;
        }
        self.nesting == Nesting::Indentation || first_key(line).is_some_and(is_end)
    }
}

/// How much of a line may be shown whose mapping is no mapping, but a value that somebody wrote in its place.
fn fit_beside(line: &str, end: usize) -> usize {
    let is_key = line[end..].trim_start_matches(['"', '\'']).trim_start().starts_with(':');
    let value = line[after_key(line, end)..].trim_start();
    let is_mapping = !is_key || value.is_empty() || value.starts_with(['{', '#', '&', '*', '|', '>']);
    if is_mapping { line.len() } else { after_key(line, end) }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The key that a line begins with, as far as one can tell.
fn first_key(line: &str) -> Option<&str> {
    let text = line.trim_start_matches(|c: char| c.is_whitespace() || "-{[,\"'".contains(c));
    let end = text.find(|c| !is_of_word(c)).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    let rest = rest.trim_start_matches(['"', '\'']).trim_start();
    (!key.is_empty() && rest.starts_with(':')).then_some(key)
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

/// Words with where they begin.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let pieces = line.split_inclusive(|c| !is_of_word(c)).scan(0, |end, piece| {
        let start = *end;
        *end += piece.len();
        Some((start, piece.trim_end_matches(|c| !is_of_word(c))))
    });
    pieces.filter(|(_, word)| !word.is_empty())
}

fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).collect()
}

fn is_like(word: &str, name: &str) -> bool {
    suggest::nearest(&plain(word), [name]).is_some()
}

/// After how many bytes the secret begins in a text that begins with this word, if the word is the secret's name, or has it in it.
fn secret_in(text: &str, word: &str) -> Option<usize> {
    let name = SECRET.to_lowercase();
    let lower = word.to_ascii_lowercase();
    if let Some(at) = lower.find(&name) {
        let end = at + name.len();
        // `externalIds3cr3t`
        return Some(if end == word.len() { after_key(text, end) } else { end });
    }
    if plain(&lower).contains(&name) {
        // `external_id`, but what of `external_ids3cr3t` is the secret, nobody can tell.
        return Some(if plain(&lower) == name { after_key(text, word.len()) } else { 0 });
    }
    if word != NO_SECRET && is_like(word, SECRET) {
        return Some(after_key(text, word.len()));
    }
    // `external id`, as a comment may say.
    let rest = text[word.len()..].trim_start();
    let next = &rest[..rest.find(|c| !is_of_word(c)).unwrap_or(rest.len())];
    let both = plain(&format!("{lower}{}", next.to_ascii_lowercase()));
    (lower == NO_SECRET && both.starts_with(&name)).then_some(word.len())
}

/// Where the value begins, where a key ends.
fn after_key(text: &str, end: usize) -> usize {
    let rest = &text[end..];
    let value = rest.trim_start_matches(['"', '\'']).trim_start();
    let value = value.strip_prefix(':').map_or(value, |value| value.strip_prefix(' ').unwrap_or(value));
    text.len() - value.len()
}

#[cfg(test)]
mod tests {
    use super::super::keys;
    use super::*;

    /// What is shown of a text, line by line.
    fn shown(text: &str) -> Vec<&str> {
        let lines: Vec<&str> = text.split('\n').collect();
        lines.iter().zip(fit_to_show(&lines, &keys::known())).map(|(line, fit)| &line[..fit]).collect()
    }

    #[test]
    fn of_a_document_without_secrets_all_is_shown() {
        for text in [include_str!("../../config/minimal.yaml"), include_str!("../../config/example.yaml")] {
            assert_eq!(shown(text), text.split('\n').collect::<Vec<_>>());
        }
    }

    #[test]
    fn of_an_example_with_a_secret_only_what_may_be_one_is_hidden() {
        let text = include_str!("../../config/organization.yaml");
        let differing = text.split('\n').zip(shown(text)).filter(|(line, shown)| line != shown);
        assert_eq!(differing.map(|(_, shown)| shown).collect::<Vec<_>>(), ["", "        externalId: ", "", "          team: "]);
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        for text in [
            "externalId: s3cr3t",
            "externalId:s3cr3t",
            "externalIds3cr3t: x",
            "\"externalId\": \"s3cr3t\"",
            "external_id: s3cr3t",
            "external-ids3cr3t",
            "EXTERNALID=s3cr3t",
            "exterrnalId: s3cr3t",
            "exetrnalID: s3cr3t",
            "{ name: a, externalId: s3cr3t, x: y }",
            "# the external id was s3cr3t",
            "externalId:\n  s3cr3t\nname: a",
            "externalId: >-\n  s3cr3t\n\n  s3cr3t\nname: a",
            "externalId: \"a\n  s3cr3t\"\nname: a",
            "externalId:\n  - s3cr3t\n  - s3cr3t: s3cr3t",
            "? externalId\n: s3cr3t",
            "externalId: *x\nname: &x s3cr3t",
            "name: &x\n  s3cr3t\nexternalId: *x",
            "\"external\\u0049d\": s3cr3t",
            "{\nexternalId:\ns3cr3t\n}",
            "{ externalId: a\ns3cr3t,\nname: a }",
            "{\n\"externalId\":\n\"s3cr3t\"\n}",
            "assumeRole: { extId: s3cr3t }",
            "assumeRole:\n  name: a\n  extId: s3cr3t\n  secret:s3cr3t\n  id:\n    s3cr3t\nname: a",
            "- assumeRole:\n    extId: s3cr3t",
            "- assumeRole: s3cr3t",
            "- { id: x, assumeRole: s3cr3t }",
            "assumeeRole: { name: a, extId: s3cr3t }",
            "- { id: x, assumeRole: { name: a,\n    path: /,\n  extId: s3cr3t } }",
        ] {
            let shown = shown(text).join("\n");
            assert!(!shown.contains("s3cr3t"), "{text:?} is shown as {shown:?}");
        }
    }

    #[test]
    fn what_follows_a_secret_is_shown_again() {
        for text in [
            "externalId: x\nname: a",
            "- externalId: x\n  nname: a",
            "externalId:\n  x\n# comment",
            "{\n  \"externalId\": \"x\",\n  \"name\": \"a\"\n}",
            "- { assumeRole: { externalId: x } }\n- { id: y }",
            "assumeRole:\n  externalId: x\n  name: a",
            "role: { management: external }\nregions:",
        ] {
            let last = text.rsplit('\n').find(|line| line.len() > 1).unwrap();
            assert!(shown(text).contains(&last), "{text:?} is shown as {:?}", shown(text));
        }
    }
}
