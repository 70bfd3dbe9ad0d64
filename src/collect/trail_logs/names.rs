//! What the names of CloudTrail's files say.
//!
//! Log files: `<account>_CloudTrail_<region>_<YYYYMMDDTHHmmZ>_<unique>.json.gz`
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html>).
//! Digests: `<account>_CloudTrail-Digest_<region>_<trail>_<home region>_<YYYYMMDDTHHmmssZ>.json.gz`, with
//! `_backfill` before the extension where CloudTrail caught up on files that it had left out
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>).

use chrono::{DateTime, NaiveDateTime, Utc};

/// The suffix of the file that holds what `aws s3api head-object` printed for a digest.
pub(super) const SIDECAR_SUFFIX: &str = ".metadata.json";

/// The parts of a digest's file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DigestName {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) trail: String,
    pub(super) home_region: String,
    pub(super) end: DateTime<Utc>,
    pub(super) backfill: bool,
}

/// The parts of a log's file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogName {
    pub(super) account: String,
    pub(super) region: String,
    /// To the minute.
    pub(super) delivered: DateTime<Utc>,
}

/// The last component of an object key or of a path with `/`.
pub(super) fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// The name without `.gz`: a copy that was decompressed in place keeps its identity.
pub(super) fn without_gz(name: &str) -> &str {
    name.strip_suffix(".gz").unwrap_or(name)
}

/// Reads a digest's file name.
pub(super) fn parse_digest_name(name: &str) -> Option<DigestName> {
    let stem = without_gz(name).strip_suffix(".json")?;
    let (account, rest) = stem.split_once("_CloudTrail-Digest_")?;
    let (stem, backfill) = match rest.strip_suffix("_backfill") {
        Some(stem) => (stem, true),
        None => (rest, false),
    };
    // A trail's name may hold underscores, a Region's cannot: take the Regions from both ends.
    let (region, rest) = stem.split_once('_')?;
    let (rest, end) = rest.rsplit_once('_')?;
    let (trail, home_region) = rest.rsplit_once('_')?;
    let sound = is_account(account) && is_region(region) && is_region(home_region) && !trail.is_empty();
    sound.then_some(())?;
    Some(DigestName {
        account: account.to_owned(),
        region: region.to_owned(),
        trail: trail.to_owned(),
        home_region: home_region.to_owned(),
        end: stamp(end, "%Y%m%dT%H%M%SZ")?,
        backfill,
    })
}

/// Reads a log's file name. Insights and network activity files, which are named
/// `CloudTrail-Insight` and the like, are logs too: digests list them.
pub(super) fn parse_log_name(name: &str) -> Option<LogName> {
    let stem = without_gz(name).strip_suffix(".json")?;
    let mut parts = stem.splitn(5, '_');
    let (account, kind) = (parts.next()?, parts.next()?);
    let (region, delivered, unique) = (parts.next()?, parts.next()?, parts.next()?);
    let kind_fits = kind == "CloudTrail" || (kind.starts_with("CloudTrail-") && kind != "CloudTrail-Digest");
    (kind_fits && is_account(account) && is_region(region) && !unique.is_empty()).then_some(())?;
    Some(LogName {
        account: account.to_owned(),
        region: region.to_owned(),
        delivered: stamp(delivered, "%Y%m%dT%H%MZ")?,
    })
}

/// Whether a file at `path` (below the root) lies where CloudTrail delivered `key`.
///
/// A copy may be flattened, may lie below other folders and may be decompressed. But where it kept the
/// layout (`AWSLogs/…`, or at least `<region>/YYYY/MM/DD`), those folders must be the key's: a file that
/// was moved is not where AWS put it.
pub(super) fn lies_at(path: &str, key: &str) -> bool {
    if without_gz(file_name(path)) != without_gz(file_name(key)) {
        return false;
    }
    let (path, key) = (folders(path), folders(key));
    let kept = match path.iter().rposition(|f| *f == "AWSLogs") {
        Some(anchor) if anchor + 1 < path.len() => path.len() - anchor,
        _ => dated_folders(&path),
    };
    key.ends_with(path.get(path.len() - kept..).unwrap_or_default())
}

/// How many of the last folders are those of a day, with the Region before it if there is one.
fn dated_folders(folders: &[&str]) -> usize {
    let is_number = |text: &str, len| text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    let [before @ .., year, month, day] = folders else {
        return 0;
    };
    if !(is_number(year, 4) && is_number(month, 2) && is_number(day, 2)) {
        return 0;
    }
    let is_region = |f: &&&str| is_region(f) && f.contains('-') && f.ends_with(|c: char| c.is_ascii_digit());
    3 + usize::from(before.last().filter(is_region).is_some())
}

/// The folders of a path or key.
fn folders(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    parts
}

/// Whether a key could be one that CloudTrail wrote: hostile keys are shown, and never become a path.
pub(super) fn is_sound_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 1024
        && !key.starts_with('/')
        && !key.contains('\\')
        && !key.chars().any(char::is_control)
        && key.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn stamp(text: &str, format: &str) -> Option<DateTime<Utc>> {
    // chrono would take signs and years of six digits here.
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'T' || b == b'Z');
    if !is_plain || text.len() > 16 {
        return None;
    }
    if format.contains("%S") {
        return Some(NaiveDateTime::parse_from_str(text, format).ok()?.and_utc());
    }
    // chrono does not take a time without seconds.
    let padded = format!("{}00Z", text.strip_suffix('Z')?);
    Some(NaiveDateTime::parse_from_str(&padded, "%Y%m%dT%H%M%SZ").ok()?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_names_are_read_from_both_ends() {
        let name = "111122223333_CloudTrail-Digest_us-east-2_my_own_trail_eu-west-1_20150817T150131Z.json.gz";
        let parsed = parse_digest_name(name).unwrap();
        assert_eq!(parsed.trail, "my_own_trail");
        assert_eq!((parsed.region.as_str(), parsed.home_region.as_str()), ("us-east-2", "eu-west-1"));
        assert_eq!(parsed.end.to_rfc3339(), "2015-08-17T15:01:31+00:00");
        assert!(!parsed.backfill);
        let name = "111122223333_CloudTrail-Digest_us-east-2_t_us-east-2_20150817T150131Z_backfill.json";
        assert!(parse_digest_name(name).unwrap().backfill);
        assert!(parse_digest_name("1_CloudTrail-Digest_us-east-2_t_us-east-2_20150817T150131Z.json").is_none());
        assert!(parse_log_name(name).is_none());
    }

    #[test]
    fn log_names_are_read_and_digests_are_not_logs() {
        let parsed =
            parse_log_name("111122223333_CloudTrail_us-east-2_20150817T1445Z_9nYN7gp2eWAJHIfT.json.gz").unwrap();
        assert_eq!(parsed.delivered.to_rfc3339(), "2015-08-17T14:45:00+00:00");
        assert!(parse_log_name("111122223333_CloudTrail-Insight_us-east-2_20150817T1445Z_x.json.gz").is_some());
        assert!(parse_log_name("111122223333_CloudTrail_us-east-2_2015.json.gz").is_none());
        assert!(parse_log_name("événement.json.gz").is_none());
    }

    #[test]
    fn a_place_is_held_against_the_key_only_where_the_layout_was_kept() {
        let key = "prefix/AWSLogs/1/CloudTrail/us-east-1/2026/01/02/a.json.gz";
        assert!(lies_at("AWSLogs/1/CloudTrail/us-east-1/2026/01/02/a.json.gz", key));
        assert!(lies_at("bucket/prefix/AWSLogs/1/CloudTrail/us-east-1/2026/01/02/a.json", key));
        assert!(lies_at("CloudTrail/us-east-1/2026/01/02/a.json.gz", key));
        assert!(lies_at("CloudTrail/a.json.gz", key));
        assert!(lies_at("AWSLogs/a.json.gz", key));
        assert!(lies_at("CloudTrail-copies/2026/01/02/a.json.gz", key));
        assert!(!lies_at("us-east-2/2026/01/02/a.json.gz", key));
        assert!(!lies_at("2026/01/03/a.json.gz", key));
        assert!(lies_at("a.json.gz", key));
        assert!(lies_at("us-east-1/a.json.gz", key));
        assert!(!lies_at("AWSLogs/1/CloudTrail/us-east-1/2026/01/03/a.json.gz", key));
        assert!(!lies_at("b.json.gz", key));
    }

    #[test]
    fn keys_that_climb_are_not_sound() {
        for key in ["../../etc/passwd", "/etc/passwd", "a/../b", "a//b", "a\\b", "", "a\nb"] {
            assert!(!is_sound_key(key), "{key:?}");
        }
        assert!(is_sound_key("AWSLogs/1/CloudTrail/a.json.gz"));
    }
}
