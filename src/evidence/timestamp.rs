//! Points in time as AWS states them.

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A point in time, in UTC. Written as the AWS CLI (version 2) prints it, `2026-10-01T09:00:00+00:00`;
/// read from that, from `...Z`, and from seconds since 1970, which version 1 prints for some services.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub DateTime<Utc>);

impl Timestamp {
    /// The time that a text in RFC 3339 states.
    pub fn parse(text: &str) -> Result<Self, chrono::ParseError> {
        Ok(Self(DateTime::parse_from_rfc3339(text)?.with_timezone(&Utc)))
    }

    /// The time so many seconds (with fraction) after 1970, if that is a time at all.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        if !seconds.is_finite() || seconds.abs() > 1e12 {
            return None;
        }
        // Within the bound just checked, the product fits.
        Utc.timestamp_millis_opt((seconds * 1000.0).round() as i64).single().map(Self)
    }

    /// The time as `2026-10-01T09:00:00Z`, for people and file contents of our own.
    pub fn zulu(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }

    /// Whole days from `self` to `later`; negative when `later` is earlier.
    pub fn days_until(self, later: Timestamp) -> i64 {
        (later.0 - self.0).num_seconds().div_euclid(86_400)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.zulu())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.zulu())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, false))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as 2026-10-01T09:00:00+00:00, or seconds since 1970")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
                Timestamp::from_seconds(seconds).ok_or_else(|| E::invalid_value(de::Unexpected::Float(seconds), &self))
            }
            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
                self.visit_f64(seconds as f64)
            }
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
                self.visit_f64(seconds as f64)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_time_are_read() {
        let expected = Timestamp::parse("2026-10-01T09:00:00Z").unwrap();
        for json in ["\"2026-10-01T09:00:00+00:00\"", "\"2026-10-01T11:00:00+02:00\"", "1790845200", "1790845200.0"] {
            assert_eq!(serde_json::from_str::<Timestamp>(json).unwrap(), expected, "{json}");
        }
        assert_eq!(serde_json::to_string(&expected).unwrap(), "\"2026-10-01T09:00:00+00:00\"");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for json in ["\"yesterday\"", "1e300", "-1e300", "null", "true"] {
            assert!(serde_json::from_str::<Timestamp>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn days_are_whole_and_round_towards_the_past() {
        let start = Timestamp::parse("2026-01-01T12:00:00Z").unwrap();
        let days = |text| start.days_until(Timestamp::parse(text).unwrap());
        assert_eq!(days("2026-01-02T11:59:59Z"), 0);
        assert_eq!(days("2026-01-02T12:00:00Z"), 1);
        assert_eq!(days("2026-01-01T11:59:59Z"), -1);
    }
}
