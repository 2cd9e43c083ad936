//! Patterns of policies, where `*` stands for any letters and `?` for one. `${*}`, `${?}` and `${$}` stand for themselves
//! (IAM User Guide, policy variables); other variables are not played.

/// A pattern, or a text that is to be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Letter(char),
    One,
    Any,
}

impl Pattern {
    /// Reads a pattern; the error names a variable that is not played.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        tokens(text, |letter| match letter {
            '*' => Token::Any,
            '?' => Token::One,
            other => Token::Letter(other),
        })
    }

    /// Reads a text in which `*` and `?` mean nothing else.
    pub(crate) fn exactly(text: &str) -> Result<Self, String> {
        tokens(text, Token::Letter)
    }

    pub(crate) fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut read) = (0, 0);
        // Where the latest `*` is, and how far it reaches: the place to go back to.
        let mut star = None;
        while read < text.len() {
            match self.0.get(at) {
                Some(Token::Any) => {
                    star = Some((at, read));
                    at += 1;
                }
                Some(Token::One) => (at, read) = (at + 1, read + 1),
                Some(Token::Letter(letter)) if *letter == text[read] => (at, read) = (at + 1, read + 1),
                _ => match star {
                    Some((place, reach)) => {
                        star = Some((place, reach + 1));
                        (at, read) = (place + 1, reach + 1);
                    }
                    None => return false,
                },
            }
        }
        self.0[at..].iter().all(|token| *token == Token::Any)
    }
}

fn tokens(text: &str, of: impl Fn(char) -> Token) -> Result<Pattern, String> {
    let mut tokens = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let Some(variable) = rest.strip_prefix("${") else {
            tokens.push(of(letter));
            rest = &rest[letter.len_utf8()..];
            continue;
        };
        let named = variable.split_once('}').filter(|(name, _)| ["*", "?", "$"].contains(name));
        let (name, behind) = named.ok_or_else(|| format!("the sandbox does not play policy variables: {text}"))?;
        tokens.extend(name.chars().map(Token::Letter));
        rest = behind;
    }
    Ok(Pattern(tokens))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::read(pattern).unwrap().fits(text)
    }

    #[test]
    fn a_star_stands_for_any_letters_and_a_question_mark_for_one() {
        for (pattern, text) in [("*", ""), ("sts:*", "sts:tagsession"), ("a*b*c", "aXbbYc"), ("a?c", "abc"), ("abc", "abc")] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a?c", "ac"), ("a*b", "abc"), ("abc", "ab"), ("abc", "abcd")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn wildcards_in_braces_stand_for_themselves_and_other_variables_are_refused() {
        assert!(fits("a${*}b${?}${$}*", "a*b?$xyz"));
        assert!(!fits("a${*}", "abc"));
        assert!(Pattern::exactly("a*${?}").unwrap().fits("a*?"));
        assert!(!Pattern::exactly("a*").unwrap().fits("abc"));
        for text in ["${aws:username}", "${", "${}", "${**}"] {
            assert!(Pattern::read(text).is_err(), "{text}");
        }
    }
}
