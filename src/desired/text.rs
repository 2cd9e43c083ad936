//! Bytes -> text that a YAML parser may see: of bounded size, UTF-8, without control characters.
//!
//! What fails here is not worth reading on for, so there is one problem at most. Called by [`super::load`].

use super::problems::{Place, Position, Problem};

/// The largest document that is read. An organization of 10,000 accounts stays below it.
pub const MAX_BYTES: usize = 1 << 20;

const BOM: char = '\u{feff}';

/// The text of a document, without a byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(Problem::new(&Place::whole_document(), "larger than 1 MiB, which no desired state is"));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Problem::new(&Place::whole_document(), "the text is UTF-16").help("save it as UTF-8"));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => without_mark(text),
        Err(error) => return Err(not_utf8(bytes, error.valid_up_to())),
    };
    // The parser takes a NUL for the end of the text, and would silently ignore what follows.
    let forbidden = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    match text.char_indices().find(|(_, c)| forbidden(*c)) {
        None => Ok(text),
        Some((offset, character)) => {
            let place = position_after(&text[..offset]);
            let message = format!("the control character U+{:04X} is not allowed in YAML", u32::from(character));
            Err(Problem::new(&place, message).help("remove it, or write an escape in double quotes"))
        }
    }
}

fn not_utf8(bytes: &[u8], offset: usize) -> Problem {
    let before = String::from_utf8_lossy(&bytes[..offset]);
    let byte = bytes.get(offset).copied().unwrap_or_default();
    let message = format!("byte 0x{byte:02X} at offset {offset} is not UTF-8");
    Problem::new(&position_after(without_mark(&before)), message).help("save the text as UTF-8")
}

/// A text without its byte order mark.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix(BOM).unwrap_or(text)
}

/// The lines of a text as YAML and editors count them: they end with LF, CR or both.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// The last position of a text.
fn end_of(text: &str) -> Position {
    let (line, last) = lines(text).enumerate().last().unwrap_or_default();
    Position { line: line + 1, column: last.chars().count() + 1 }
}

/// The same position, or the end of the text where it lies behind that: parsers place what is missing where it would be.
pub(super) fn within(text: &str, position: Position) -> Position {
    let end = end_of(text);
    if position.line > end.line { end } else { position }
}

/// The place right after a text.
fn position_after(before: &str) -> Place {
    Place { path: String::new(), position: Some(end_of(before)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_as_it_is_but_for_its_byte_order_mark() {
        assert_eq!(decode("\u{feff}a: ü\r\n\tb".as_bytes()), Ok("a: ü\r\n\tb"));
        assert_eq!(decode(b""), Ok(""));
    }

    #[test]
    fn bytes_that_are_no_text_are_told_with_their_place() {
        let cases: [(&[u8], &str); 6] = [
            (b"\xef\xbb\xbfab\nc\xc3\xbc\xff", "2:3: byte 0xFF at offset 9 is not UTF-8; save the text as UTF-8"),
            (b"a\rb\r\nc\n\xff", "4:1: byte 0xFF at offset 7 is not UTF-8; save the text as UTF-8"),
            (b"a\xe2\x82", "1:2: byte 0xE2 at offset 1 is not UTF-8; save the text as UTF-8"),
            (b"\xff\xfea\0", "the text is UTF-16; save it as UTF-8"),
            (
                b"a: b\nc\0",
                "2:2: the control character U+0000 is not allowed in YAML; remove it, or write an escape in double quotes",
            ),
            (b"\x1b", "1:1: the control character U+001B is not allowed in YAML; remove it, or write an escape in double quotes"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(decode(bytes).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_size_limit_is_exact() {
        assert!(decode(&vec![b'#'; MAX_BYTES]).is_ok());
        assert_eq!(decode(&vec![b'#'; MAX_BYTES + 1]).unwrap_err().message, "larger than 1 MiB, which no desired state is");
    }
}
