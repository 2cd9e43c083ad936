//! HCL as `terraform fmt` wants it, which knows one rule that the crate does not: the equals signs of attributes on lines next to
//! each other stand in one column.

/// The text with its equals signs in columns. Attributes whose value goes on in the next line stand by themselves.
pub(super) fn aligned(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::with_capacity(text.len() + lines.len());
    for group in lines.chunk_by(|one, other| name_of(one).is_some() && name_of(other).is_some()) {
        let width = group.iter().filter_map(|line| name_of(line)).map(str::len).max().unwrap_or(0);
        for line in group {
            match name_of(line) {
                Some(name) => out.extend([name, &" ".repeat(width - name.len()), &line[name.len()..]]),
                None => out.push_str(line),
            }
            out.push('\n');
        }
    }
    out
}

/// The name of an attribute whose value is on its line, with the indentation before it.
fn name_of(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(" = ")?;
    let is_name = name.trim_start().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && !value.ends_with(['[', '{', '('])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_lines_next_to_each_other_stands_in_one_column() {
        let text = "a {\n  sid = \"x = y\"\n  effect = \"Allow\"\n  actions = [\n    \"b = [\",\n  ]\n  e = 1\n\n  long = 2\n}\n";
        let want =
            "a {\n  sid    = \"x = y\"\n  effect = \"Allow\"\n  actions = [\n    \"b = [\",\n  ]\n  e = 1\n\n  long = 2\n}\n";
        assert_eq!(aligned(text), want);
    }
}
