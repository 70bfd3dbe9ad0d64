//! Secrets are taken out of a response before it is first written.
//!
//! CloudTrail records of role assumptions can carry the session token that was handed out. A token is
//! replaced by a fixed text; the recording says how many were, and the SHA-256 of the response as it came.

use regex::bytes::{Captures, Regex};
use std::borrow::Cow;
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
}
