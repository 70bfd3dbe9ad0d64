//! Secrets are taken out of a response before it is first written.
//!
//! CloudTrail records of role assumptions can carry the session token that was handed out. A token is
//! replaced by a fixed text; the recording says how many were, and the SHA-256 of the response as it came.

use regex::bytes::{Captures, Regex};
use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::LazyLock;

/// What stands in place of a session token.
pub const REDACTED: &str = "REDACTED-BY-AUDITPACK";

/// A member named sessionToken with a text, at any depth of JSON in JSON: each depth escapes the quotes
/// of the one below it with more backslashes. The value ends at the first quote that is escaped no deeper.
static SESSION_TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    // The pattern is a constant that the tests compile.
    #[allow(clippy::expect_used)]
    Regex::new(r#"(?i-u)("sessionToken\\*"\s*:\s*\\*")((?:[^"\\]|\\+[^"\\])+)"#).expect("a constant pattern")
});

/// A response without session tokens, and how many were taken out.
pub fn redact(body: &[u8]) -> (Cow<'_, [u8]>, u64) {
    let mut count = 0;
    let redacted = SESSION_TOKEN.replace_all(body, |found: &Captures<'_>| {
        if &found[2] == REDACTED.as_bytes() {
            return found[0].to_vec();
        }
        count += 1;
        [&found[1], REDACTED.as_bytes()].concat()
    });
    (redacted, count)
}

/// How much of a content that comes in pieces is held back: more than a member's name, and what can stand between it
/// and its value in a record that a machine wrote.
const HELD_BACK: usize = 64 << 10;
/// A token that does not end within so many bytes is none.
const LONGEST_TOKEN: usize = 16 << 20;

/// Takes session tokens out of a content that comes in pieces, as [`redact`] does out of a whole one.
pub struct Redactor<W: Write> {
    out: W,
    held: Vec<u8>,
    count: u64,
}

impl<W: Write> Redactor<W> {
    /// A redactor that writes what it is given, without tokens, to `out`.
    pub fn new(out: W) -> Self {
        Self { out, held: Vec::new(), count: 0 }
    }

    /// Takes a piece.
    pub fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        self.held.extend_from_slice(piece);
        if self.held.len() < 4 * HELD_BACK { Ok(()) } else { self.emit(false) }
    }

    /// Writes the rest; how many tokens were taken out, and where everything was written to.
    pub fn finish(mut self) -> io::Result<(u64, W)> {
        self.emit(true)?;
        Ok((self.count, self.out))
    }

    fn emit(&mut self, last: bool) -> io::Result<()> {
        let mut safe = if last { self.held.len() } else { self.held.len().saturating_sub(HELD_BACK) };
        let mut written = 0;
        let text = |from: usize, to: usize| self.held.get(from..to).unwrap_or_default();
        for found in SESSION_TOKEN.captures_iter(&self.held) {
            let (Some(all), Some(name), Some(token)) = (found.get(0), found.get(1), found.get(2)) else { continue };
            // A token that reaches the end of what is here may go on in the next piece.
            if !last && (all.end() == self.held.len() || all.start() >= safe) {
                if token.len() > LONGEST_TOKEN {
                    return Err(io::Error::other("a session token does not end"));
                }
                safe = safe.min(all.start());
                break;
            }
            self.out.write_all(text(written, name.end()))?;
            self.out.write_all(REDACTED.as_bytes())?;
            self.count += u64::from(token.as_bytes() != REDACTED.as_bytes());
            written = all.end();
        }
        let safe = safe.max(written);
        self.out.write_all(text(written, safe))?;
        self.held.drain(..safe);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "FwoGZXIvYXdzEJr//////////wEaDH+abc/def==";

    fn record() -> serde_json::Value {
        serde_json::json!({"responseElements": {"credentials": {
            "accessKeyId": "ASIAEXAMPLE", "sessionToken": TOKEN, "expiration": "Oct 1, 2026 10:00:00 AM"
        }}})
    }

    #[test]
    fn a_token_is_taken_out_at_every_depth_and_nothing_else() {
        let once = record().to_string();
        let twice = serde_json::json!({"Events": [{"CloudTrailEvent": once}]}).to_string();
        let thrice = serde_json::json!({"page": twice}).to_string();
        for text in [once, twice, thrice] {
            let (redacted, count) = redact(text.as_bytes());
            let redacted = String::from_utf8(redacted.into_owned()).unwrap();
            assert_eq!(count, 1);
            assert_eq!(redacted, text.replace(TOKEN, REDACTED));
            assert_eq!(redact(redacted.as_bytes()).1, 0, "a second pass finds nothing");
        }
    }

    #[test]
    fn an_escaped_slash_does_not_end_the_token() {
        let text = r#"{"sessionToken":"abc\/def","next":"kept"}"#;
        let (redacted, count) = redact(text.as_bytes());
        assert_eq!(count, 1);
        assert_eq!(redacted.as_ref(), br#"{"sessionToken":"REDACTED-BY-AUDITPACK","next":"kept"}"#);
    }

    #[test]
    fn a_body_without_tokens_is_not_copied() {
        let (body, count) = redact(br#"{"sessionToken":null,"accessKeyId":"x"}"#);
        assert!(matches!(body, Cow::Borrowed(_)) && count == 0);
    }

    #[test]
    fn pieces_of_any_size_give_what_the_whole_gives() {
        let filler = "x".repeat(HELD_BACK - 100);
        let mut text = String::new();
        for n in 0..12 {
            let record = record().to_string().replace(TOKEN, &format!("{TOKEN}{n}{}", "t".repeat(n * 9000)));
            text.push_str(&format!("{{\"filler\":\"{filler}\",\"n\":{n},\"r\":{record}}}\n"));
        }
        let (whole, count) = redact(text.as_bytes());
        for size in [1009, HELD_BACK - 1, 300_001, text.len()] {
            let mut redactor = Redactor::new(Vec::new());
            text.as_bytes().chunks(size).for_each(|piece| redactor.push(piece).unwrap());
            let (counted, out) = redactor.finish().unwrap();
            assert_eq!(counted, count);
            assert!(out == whole.as_ref(), "pieces of {size}");
        }
    }
}
