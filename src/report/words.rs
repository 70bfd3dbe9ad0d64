//! Words, numbers and layout that all reports share. Everything that came from outside goes through [`visible`].

use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// A text from outside as it may be shown: control characters and characters that have no width or turn the
/// reading direction are written as `⟨U+202E⟩`, so that no name can hide, reorder or break what stands around it.
pub fn visible(text: &str) -> Cow<'_, str> {
    // Most texts are plain, and most bytes of a package are looked at here.
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) || !text.chars().any(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_invisible(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control and format characters: Unicode's Cc, the bidirectional and zero-width ones of Cf, line and paragraph
/// separators, fillers that look like nothing, and tags (<https://www.unicode.org/reports/tr36/>).
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text from outside that has been made visible. Templates take this type, so that none is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown(String);

impl Shown {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> From<T> for Shown {
    fn from(text: T) -> Self {
        Self(visible(text.as_ref()).into_owned())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A number with commas between thousands.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with its noun: `1 role`, `1,204 roles`.
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// The number of items of a list.
pub fn len<T>(items: &[T]) -> u64 {
    items.len() as u64
}

/// A size as people say it: `840 bytes`, `1.2 MB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => count(bytes, "byte", "bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// Items as a sentence has them: `a`, `a and b`, `a, b and c`.
pub fn listing<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [before @ .., last] => {
            let before: Vec<&str> = before.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", before.join(", "), last.as_ref())
        }
    }
}

/// The first items as a sentence has them, and how many more there are.
pub fn first<T: AsRef<str>>(items: &[T], most: usize) -> String {
    if items.len() <= most {
        return listing(items);
    }
    let shown: Vec<&str> = items.iter().take(most).map(AsRef::as_ref).collect();
    format!("{} and {} more", shown.join(", "), number((items.len() - most) as u64))
}

/// A word that is not cut although no line holds it: names, ARNs and digests are copied from texts.
const LONGEST_WORD: usize = 300;

/// A text broken into lines of at most `width` characters, at spaces. A longer word has a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + rest.len() > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        while rest.len() > width.max(LONGEST_WORD) {
            let tail = rest.split_off(width.max(LONGEST_WORD));
            lines.push(rest.into_iter().collect());
            rest = tail;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        used += rest.len();
        line.extend(rest);
    }
    if used > 0 {
        lines.push(line);
    }
    lines
}

/// A paragraph: wrapped lines, the first after `lead`, the others indented as far.
pub fn paragraph(out: &mut String, lead: &str, text: &str, width: usize) {
    let indent = lead.chars().count();
    for (i, line) in wrap(text, width.saturating_sub(indent)).iter().enumerate() {
        let before = if i == 0 { lead.to_owned() } else { " ".repeat(indent) };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{before}{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_reorders_is_shown() {
        assert_eq!(visible("admin\u{202e}nimda"), "admin⟨U+202E⟩nimda");
        assert_eq!(visible("a\r\n\tb\u{0}\u{1b}[31m\u{9b}"), "a⟨U+000D⟩⟨U+000A⟩⟨U+0009⟩b⟨U+0000⟩⟨U+001B⟩[31m⟨U+009B⟩");
        assert_eq!(visible("zero\u{200b}width\u{feff}\u{e0041}"), "zero⟨U+200B⟩width⟨U+FEFF⟩⟨U+E0041⟩");
        assert_eq!(visible("Zoë שלום 山田"), "Zoë שלום 山田");
    }

    #[test]
    fn numbers_and_sizes_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"].map(str::to_owned));
        assert_eq!(count(1, "role", "roles"), "1 role");
        assert_eq!([999, 1_200, 5_300_000].map(size), ["999 bytes", "1.2 kB", "5.3 MB"].map(str::to_owned));
        assert_eq!(first(&["a", "b", "c", "d"], 2), "a, b and 2 more");
    }

    #[test]
    fn no_line_is_longer_than_asked_but_for_a_word_that_is() {
        let lines = wrap("a line with arn:aws:iam::111122223333:role/auditor in it", 12);
        assert_eq!(lines, ["a line with", "arn:aws:iam::111122223333:role/auditor", "in it"]);
        let endless = wrap(&"x".repeat(1000), 12);
        assert!(endless.iter().all(|line| line.len() <= LONGEST_WORD) && endless.concat().len() == 1000);
    }
}
