//! "Did you mean": the known word nearest to an unknown one, if it is near enough to be meant.
//!
//! Used for keys, values and regions alike, so that all suggestions are equally bold.

/// Texts longer than this are nobody's typing error; comparing them would only cost time.
const LONGEST: usize = 64;

/// The candidate nearest to `text`, or `None` if all of them are something else. Of equally near ones, the first.
pub(super) fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = text.chars().count();
    if length > LONGEST {
        return None;
    }
    let text = text.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (candidate, tolerance(candidate)))
        .filter(|(candidate, tolerance)| candidate.len().abs_diff(length) <= *tolerance)
        .map(|(candidate, tolerance)| (candidate, tolerance, strsim::osa_distance(&text, &candidate.to_lowercase())))
        .filter(|(_, tolerance, distance)| distance <= tolerance)
        .min_by_key(|(_, _, distance)| *distance)
        .map(|(candidate, ..)| candidate)
}

/// How many slips of the finger a word of this length may have suffered.
fn tolerance(candidate: &str) -> usize {
    match candidate.len() {
        0..=3 => 1,
        4..=7 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_find_their_word() {
        let keys = ["regions", "otherRegions", "policies", "permissionsBoundary"];
        let cases = [
            ("region", Some("regions")),
            ("Regions", Some("regions")),
            ("other_regions", Some("otherRegions")),
            ("policy", Some("policies")),
            ("permissionBoundary", Some("permissionsBoundary")),
            ("account", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(nearest(text, keys), expected, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_compared_with_nothing() {
        assert_eq!(nearest(&"x".repeat(LONGEST + 1), [&*"x".repeat(LONGEST)]), None);
    }
}
