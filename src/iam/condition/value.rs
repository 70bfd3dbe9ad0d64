//! The types that condition values can have, and how they are read.

use std::net::IpAddr;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::iam::glob;
use crate::iam::truth::Truth;

pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

pub(super) fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A time as one of the W3C profiles of ISO 8601, or as seconds since 1970; in milliseconds.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date>
pub(super) fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    // More than four digits and nothing else: seconds, not a year.
    if text.len() > 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok()?.checked_mul(1000);
    }
    for format in ["%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.fZ"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc().timestamp_millis());
        }
    }
    for padded in [text.to_owned(), format!("{text}-01"), format!("{text}-01-01")] {
        if let Ok(day) = NaiveDate::parse_from_str(&padded, "%Y-%m-%d") {
            return Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis());
        }
    }
    None
}

/// An address range in CIDR notation; a bare address is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Net {
    address: IpAddr,
    prefix: u32,
}

impl FromStr for Net {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().map_err(|_| ())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(widest);
        if prefix > widest {
            return Err(());
        }
        Ok(Self { address, prefix })
    }
}

impl Net {
    /// Is the address (a range of one) inside? A wider request is inside only if all of it is.
    pub(super) fn contains(self, other: Self) -> bool {
        let (mine, theirs, width) = match (self.address, other.address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
            _ => return false,
        };
        if other.prefix < self.prefix {
            return false;
        }
        let shift = width - self.prefix;
        // A shift by the whole width is not defined, and means that every address is inside.
        shift >= 128 || mine >> shift == theirs >> shift
    }
}

/// `ArnEquals` and `ArnLike`: "each of the six colon-delimited components of the ARN is checked
/// separately and each can include multi-character match wildcards (*) or single-character match
/// wildcards (?)".
pub(super) fn arn_like(pattern: &str, actual: &str) -> Truth {
    let wanted: Vec<&str> = pattern.splitn(6, ':').collect();
    let parts: Vec<&str> = actual.splitn(6, ':').collect();
    if wanted.len() == 6 && parts.len() == 6 {
        let mut pairs = wanted.iter().zip(&parts);
        return pairs.all(|(a, b)| glob::matches(a, b)).into();
    }
    // Not six components on one side: AWS documents no meaning, so only *no* is certain.
    match glob::matches(pattern, actual) {
        false => Truth::False,
        true if pattern == "*" || pattern == actual => Truth::True,
        true => Truth::Maybe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_documented_form() {
        let expected = Some(1_767_225_600_000);
        for text in [
            "2026-01-01T00:00:00Z",
            "2026-01-01T01:00:00+01:00",
            "2026-01-01T00:00Z",
            "2026-01-01",
            "2026-01",
            "2026",
            "1767225600",
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
        for text in ["", "soon", "2026-13-01", "99999999999999999999"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn networks_contain_their_addresses_and_no_others() {
        let net = |text: &str| text.parse::<Net>();
        let inside = |range: &str, address: &str| match (net(range), net(address)) {
            (Ok(range), Ok(address)) => range.contains(address),
            _ => panic!("{range} {address}"),
        };
        assert!(inside("10.0.0.0/8", "10.255.0.1"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("0.0.0.0/0", "192.0.2.1"));
        assert!(inside("::/0", "2001:db8::1"));
        assert!(inside("2001:db8::/32", "2001:db8:1::1"));
        assert!(!inside("0.0.0.0/0", "2001:db8::1"));
        assert!(inside("192.0.2.7", "192.0.2.7"));
        assert_eq!(net("192.0.2.7/33"), Err(()));
        assert_eq!(net("somewhere"), Err(()));
    }

    #[test]
    fn arn_parts_are_compared_one_by_one() {
        let actual = "arn:aws:iam::111122223333:role/a/b";
        for (pattern, expected) in [
            ("arn:aws:iam::111122223333:role/a/b", Truth::True),
            ("arn:aws:iam::*:role/*", Truth::True),
            ("arn:aws:iam::111122223333:*", Truth::True),
            ("arn:*:role/a/b", Truth::Maybe),
            ("arn:aws:iam::999988887777:*", Truth::False),
            ("*", Truth::True),
        ] {
            assert_eq!(arn_like(pattern, actual), expected, "{pattern}");
        }
    }
}
