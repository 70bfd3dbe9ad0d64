//! Globbing, as IAM does it: `*` is any run of characters, `?` is exactly one.
//!
//! Nothing here recurses and nothing is exponential: matching keeps one backtracking point (the last
//! `*`), the two-pattern questions are bounded tables.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>

/// One element of a pattern. Patterns are compared byte by byte; `One` takes a whole character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tok {
    Byte(u8),
    One,
    Star,
}

/// Larger tables than this are not computed: the answer is then the cautious one.
const MAX_TABLE: usize = 4_000_000;

/// Reads `*` and `?` as wildcards.
pub(crate) fn tokens(pattern: &str) -> Vec<Tok> {
    pattern.bytes().map(tok).collect()
}

fn tok(byte: u8) -> Tok {
    match byte {
        b'*' => Tok::Star,
        b'?' => Tok::One,
        other => Tok::Byte(other),
    }
}

/// True if the text has a wildcard in it.
pub(crate) fn is_glob(text: &str) -> bool {
    text.bytes().any(|byte| byte == b'*' || byte == b'?')
}

/// Does the pattern match the whole text?
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern = pattern.as_bytes();
    run(pattern.len(), |index| tok(pattern[index]), text.as_bytes())
}

/// The same without regard to ASCII case; the text must be in lower case already.
pub(crate) fn matches_lower(pattern: &str, lower_case_text: &str) -> bool {
    let pattern = pattern.as_bytes();
    run(pattern.len(), |index| tok(pattern[index].to_ascii_lowercase()), lower_case_text.as_bytes())
}

/// The same for a pattern already taken apart.
pub(crate) fn matches_tokens(pattern: &[Tok], text: &str) -> bool {
    run(pattern.len(), |index| pattern[index], text.as_bytes())
}

fn run(length: usize, at: impl Fn(usize) -> Tok, text: &[u8]) -> bool {
    let (mut position, mut cursor) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while cursor < text.len() {
        if position < length {
            match at(position) {
                Tok::Star => {
                    last_star = Some((position + 1, cursor));
                    position += 1;
                    continue;
                }
                Tok::One => {
                    position += 1;
                    cursor += character(text, cursor);
                    continue;
                }
                Tok::Byte(byte) if byte == text[cursor] => {
                    position += 1;
                    cursor += 1;
                    continue;
                }
                Tok::Byte(_) => {}
            }
        }
        let Some((after, from)) = last_star else {
            return false;
        };
        let next = from + character(text, from);
        last_star = Some((after, next));
        position = after;
        cursor = next;
    }
    (position..length).all(|index| at(index) == Tok::Star)
}

/// The length in bytes of the character that starts at `index`.
fn character(text: &[u8], index: usize) -> usize {
    let mut length = 1;
    while index + length < text.len() && text[index + length] & 0xC0 == 0x80 {
        length += 1;
    }
    length
}

/// Is every text that `narrow` matches also matched by `wide`? *No* may also mean "not shown".
///
/// The wildcards of `narrow` are treated as characters that only a wildcard of `wide` can match,
/// which is sound: whatever they stand for, that wildcard takes it.
pub(crate) fn covers(wide: &[Tok], narrow: &[Tok]) -> bool {
    let (mut position, mut cursor) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while cursor < narrow.len() {
        if position < wide.len() {
            let step = match (wide[position], narrow[cursor]) {
                (Tok::Star, _) => {
                    last_star = Some((position + 1, cursor));
                    position += 1;
                    continue;
                }
                (Tok::One, Tok::One) => true,
                (Tok::One, Tok::Byte(byte)) => byte.is_ascii(),
                (Tok::Byte(left), Tok::Byte(right)) => left == right,
                _ => false,
            };
            if step {
                position += 1;
                cursor += 1;
                continue;
            }
        }
        let Some((after, from)) = last_star else {
            return false;
        };
        last_star = Some((after, from + 1));
        position = after;
        cursor = from + 1;
    }
    wide[position..].iter().all(|tok| *tok == Tok::Star)
}

/// Is there a text that both patterns match? *Yes* may also mean "too large to tell".
pub(crate) fn overlaps(left: &[Tok], right: &[Tok]) -> bool {
    // Most pairs differ in their literal beginnings: no table needed.
    for (a, b) in left.iter().zip(right) {
        match (a, b) {
            (Tok::Byte(x), Tok::Byte(y)) if x == y => {}
            (Tok::Byte(x), Tok::Byte(y)) if x != y => return false,
            _ => break,
        }
    }
    let wide_character = |toks: &[Tok]| toks.iter().any(|tok| matches!(tok, Tok::Byte(byte) if !byte.is_ascii()));
    if wide_character(left) || wide_character(right) {
        // `One` takes several bytes then, which the table does not model.
        return true;
    }
    let width = right.len() + 1;
    if (left.len() + 1).saturating_mul(width) > MAX_TABLE {
        return true;
    }
    // row[j]: left[..i] and right[..j] share a text.
    let mut row = vec![false; width];
    row[0] = true;
    for j in 1..width {
        row[j] = row[j - 1] && right[j - 1] == Tok::Star;
    }
    for a in left {
        let mut next = vec![false; width];
        next[0] = row[0] && *a == Tok::Star;
        for j in 1..width {
            let b = right[j - 1];
            next[j] = match (*a, b) {
                // A star stands for nothing, or takes one more of what the other gives.
                (Tok::Star, _) | (_, Tok::Star) => row[j] || next[j - 1],
                (Tok::Byte(x), Tok::Byte(y)) => row[j - 1] && x == y,
                _ => row[j - 1],
            };
        }
        row = next;
    }
    row[width - 1]
}

/// A text that both patterns match, if there is one; nothing where that is too large to be worked out, or not ASCII.
pub(crate) fn common(left: &[Tok], right: &[Tok]) -> Option<String> {
    let ascii = |toks: &[Tok]| !toks.iter().any(|tok| matches!(tok, Tok::Byte(byte) if !byte.is_ascii()));
    let (rows, width) = (left.len() + 1, right.len() + 1);
    if !ascii(left) || !ascii(right) || rows.saturating_mul(width) > MAX_TABLE / 16 {
        return None;
    }
    // shared[i][j]: left[i..] and right[j..] share a text.
    let mut shared = vec![false; rows * width];
    let at = |i: usize, j: usize| i * width + j;
    for i in (0..rows).rev() {
        for j in (0..width).rev() {
            shared[at(i, j)] = match (left.get(i), right.get(j)) {
                (None, None) => true,
                (Some(Tok::Star), None) => shared[at(i + 1, j)],
                (None, Some(Tok::Star)) => shared[at(i, j + 1)],
                (None, Some(_)) | (Some(_), None) => false,

                (Some(Tok::Star), Some(_)) => shared[at(i + 1, j)] || shared[at(i, j + 1)],
                (Some(_), Some(Tok::Star)) => shared[at(i, j + 1)] || shared[at(i + 1, j)],
                (Some(Tok::Byte(a)), Some(Tok::Byte(b))) => a == b && shared[at(i + 1, j + 1)],
                (Some(_), Some(_)) => shared[at(i + 1, j + 1)],
            };
        }
    }
    if !shared[0] {
        return None;
    }
    let mut text = String::new();
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        // A star stands for nothing where that leads on, and takes what the other gives where it must.
        match (left.get(i), right.get(j)) {
            (Some(Tok::Star), _) if shared[at(i + 1, j)] => i += 1,
            (_, Some(Tok::Star)) if shared[at(i, j + 1)] => j += 1,
            (Some(Tok::Star), Some(tok)) => {
                text.extend(sample(*tok));
                j += 1;
            }
            (Some(tok), Some(Tok::Star)) => {
                text.extend(sample(*tok));
                i += 1;
            }
            (Some(Tok::One), Some(tok)) | (Some(tok), Some(_)) => {
                text.extend(sample(*tok));
                i += 1;
                j += 1;
            }
            // The table says that there is a text, so that one of the above applies.
            _ => return None,
        }
    }
    Some(text)
}

fn sample(tok: Tok) -> Option<char> {
    match tok {
        Tok::Byte(byte) => Some(char::from(byte)),
        Tok::One => Some('q'),
        Tok::Star => None,
    }
}

/// Matches a resource pattern segment by segment: a `*` or `?` stays inside its colon-separated
/// segment of the ARN, except that a `*` that ends a segment may run on past the colon.
///
/// `None` if that is too large to decide.
pub(crate) fn matches_segments(pattern: &[Tok], text: &str) -> Option<bool> {
    if !text.is_ascii() || pattern.len().saturating_mul(text.len()) > MAX_TABLE {
        return None;
    }
    let ends_segment = |index: usize| matches!(pattern.get(index + 1), None | Some(Tok::Byte(b':')) | Some(Tok::Star));
    let mut states = vec![false; pattern.len() + 1];
    states[0] = true;
    skip_stars(pattern, &mut states);
    let mut colons = 0;
    for byte in text.bytes() {
        // The resource part, after the fifth colon, is one segment whatever it contains.
        let border = byte == b':' && colons < 5;
        colons += usize::from(border);
        let mut next = vec![false; states.len()];
        for (index, tok) in pattern.iter().enumerate() {
            if !states[index] {
                continue;
            }
            match tok {
                Tok::Byte(expected) if *expected == byte => next[index + 1] = true,
                Tok::One if !border => next[index + 1] = true,
                Tok::Star if !border || ends_segment(index) => next[index] = true,
                _ => {}
            }
        }
        states = next;
        skip_stars(pattern, &mut states);
    }
    Some(states[pattern.len()])
}

fn skip_stars(pattern: &[Tok], states: &mut [bool]) {
    for (index, tok) in pattern.iter().enumerate() {
        if states[index] && *tok == Tok::Star {
            states[index + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The obvious recursive definition.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skip| slow(rest, &text[skip..])),
            Some(('?', rest)) => !text.is_empty() && slow(rest, &text[1..]),
            Some((first, rest)) => text.first() == Some(first) && slow(rest, &text[1..]),
        }
    }

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    proptest! {
        #[test]
        fn matching_equals_the_definition(pattern in "[ab*?é]{0,8}", text in "[abé]{0,8}") {
            prop_assert_eq!(matches(&pattern, &text), slow(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn covering_is_sound(wide in "[ab*?]{0,6}", narrow in "[ab*?]{0,6}", text in "[ab]{0,7}") {
            if covers(&tokens(&wide), &tokens(&narrow)) && matches(&narrow, &text) {
                prop_assert!(matches(&wide, &text), "{} {} {}", wide, narrow, text);
            }
        }

        #[test]
        fn a_common_text_is_one(left in "[ab*?]{0,7}", right in "[ab*?]{0,7}") {
            let (a, b) = (tokens(&left), tokens(&right));
            let found = common(&a, &b);
            prop_assert_eq!(found.is_some(), overlaps(&a, &b), "{} {}", left, right);
            if let Some(text) = found {
                prop_assert!(matches(&left, &text) && matches(&right, &text), "{} {} {}", left, right, text);
            }
        }

        #[test]
        fn overlapping_misses_nothing(left in "[ab*?]{0,6}", right in "[ab*?]{0,6}", text in "[ab]{0,7}") {
            if matches(&left, &text) && matches(&right, &text) {
                prop_assert!(overlaps(&tokens(&left), &tokens(&right)));
            }
        }
    }

    #[test]
    fn only_a_star_covers_a_star() {
        for (wide, narrow) in [("?", "*"), ("a?", "a*"), ("a*b", "a*"), ("a?c", "a*c"), ("ab", "a?")] {
            assert!(!covers(&tokens(wide), &tokens(narrow)), "{wide} {narrow}");
        }
        for (wide, narrow) in [("*", ""), ("*", "?*"), ("a*b*", "a?b*"), ("a*", "a*b*"), ("s3:*", "s3:get*")] {
            assert!(covers(&tokens(wide), &tokens(narrow)), "{wide} {narrow}");
        }
    }

    #[test]
    fn overlap_is_not_claimed_for_disjoint_patterns() {
        for (left, right) in [("a*b", "a*c"), ("a?", "a"), ("x*", "y*"), ("a", "a?*")] {
            assert!(!overlaps(&tokens(left), &tokens(right)), "{left} {right}");
        }
        for (left, right) in [("a*", "*b"), ("a?c", "ab*"), ("*", ""), ("s3:g*", "s3:*t")] {
            assert!(overlaps(&tokens(left), &tokens(right)), "{left} {right}");
        }
    }

    #[test]
    fn stars_cross_a_colon_only_at_the_end_of_a_segment() {
        let arn = "arn:aws:iam::111122223333:user/ann";
        for (pattern, expected) in [
            ("arn:aws:iam::*:user/ann", true),
            ("arn:aws:*", true),
            ("arn:aws:i*n", false),
            ("arn:*:user/ann", true),
            ("arn:aws:iam?:111122223333:user/ann", false),
            ("*", true),
        ] {
            assert_eq!(matches_segments(&tokens(pattern), arn), Some(expected), "{pattern}");
        }
    }

    #[test]
    fn hostile_patterns_end_quickly() {
        let pattern = "*a".repeat(2000) + "b";
        assert!(!matches(&pattern, &"a".repeat(20_000)));
    }
}
