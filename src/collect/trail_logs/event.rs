//! One CloudTrail record, as far as this program reads it.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

use std::borrow::Cow;

use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;

/// One event, on its way to the sink.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// The record's JSON in one line, without a line end, after redaction. The bytes are AWS's own unless
    /// the file was pretty-printed, which AWS does not do.
    pub raw: &'a [u8],
    /// `eventTime`, in milliseconds since 1970.
    pub time_ms: i64,
    /// `eventID`; a record without one gets `sha256:` and its hash, so that no two are taken for the same.
    pub id: &'a str,
    /// `eventName`.
    pub name: Option<&'a str>,
    /// `eventSource`.
    pub source: Option<&'a str>,
    /// `awsRegion`.
    pub region: Option<&'a str>,
    /// `readOnly`.
    pub read_only: Option<bool>,
    /// `recipientAccountId`; where a record has none, the account in the file's name.
    pub account: Option<&'a str>,
    /// `userIdentity.type`.
    pub user_type: Option<&'a str>,
    /// The file, below the root.
    pub file: &'a str,
}

/// The fields, borrowed from the record. serde borrows a `Cow` in a newtype, but not within an `Option`.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fields<'a> {
    #[serde(rename = "eventID", borrow)]
    pub(super) event_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) event_time: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) event_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) event_source: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) aws_region: Option<Text<'a>>,
    pub(super) read_only: Option<bool>,
    #[serde(borrow)]
    pub(super) recipient_account_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) user_identity: Option<UserIdentity<'a>>,
}

#[derive(Deserialize)]
pub(super) struct UserIdentity<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Option<Text<'a>>,
}

impl Fields<'_> {
    /// What can be read of a record that has a field of the wrong type, or one twice. Slow, and rare.
    pub(super) fn salvage(record: &[u8]) -> Option<Fields<'static>> {
        let Value::Object(mut record) = serde_json::from_slice(record).ok()? else {
            return None;
        };
        let mut text = |name: &str| match record.remove(name) {
            Some(Value::String(text)) => Some(Text(Cow::Owned(text))),
            _ => None,
        };
        Some(Fields {
            event_id: text("eventID"),
            event_time: text("eventTime"),
            event_name: text("eventName"),
            event_source: text("eventSource"),
            aws_region: text("awsRegion"),
            recipient_account_id: text("recipientAccountId"),
            user_identity: None,
            read_only: None,
        })
    }
}

/// Reads `2026-01-02T03:04:05Z`, which is what CloudTrail writes, quickly; other forms of ISO 8601 slowly.
pub(super) fn time_ms(text: &str) -> Option<i64> {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'Z'] = text.as_bytes()
    else {
        return DateTime::parse_from_rfc3339(text).ok().map(|t| t.timestamp_millis());
    };
    let two = |a: u8, b: u8| {
        (a.is_ascii_digit() && b.is_ascii_digit()).then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'))
    };
    let year = two(y0, y1)? * 100 + two(y2, y3)?;
    let (month, day) = (two(m0, m1)?, two(d0, d1)?);
    let (hour, minute, second) = (two(h0, h1)?, two(n0, n1)?, two(s0, s1)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=month_days).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970-03-01 in the proleptic Gregorian calendar, years beginning in March.
    let shifted = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted.div_euclid(4) - shifted.div_euclid(100) + shifted.div_euclid(400) + day_of_year
        - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_reading_of_times_agrees_with_the_slow_one() {
        let mut seconds = -62_000_000_000_i64;
        while seconds < 200_000_000_000 {
            let text = DateTime::from_timestamp(seconds, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string();
            assert_eq!(time_ms(&text), Some(seconds * 1000), "{text}");
            seconds += 86_400 * 11 + 3_607;
        }
        assert_eq!(time_ms("2026-02-29T00:00:00Z"), None);
        assert_eq!(time_ms("2024-02-29T00:00:00Z"), Some(1_709_164_800_000));
        assert_eq!(time_ms("2026-13-01T00:00:00Z"), None);
        assert_eq!(time_ms("2026-01-01T00:00:00.250Z"), Some(1_767_225_600_250));
        assert_eq!(time_ms("2026-01-01T01:00:00+01:00"), Some(1_767_225_600_000));
        assert_eq!(time_ms("yesterday"), None);
    }
}
