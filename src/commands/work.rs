//! The work folder: where a recording grows, and what is left of it when a run is interrupted.

use super::CommandError;
use crate::evidence::recording::{create_new_private_dir, create_private_dir, private};
use crate::evidence::{Period, Timestamp};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// A folder of a run's own.
#[derive(Debug)]
pub(super) struct WorkFolder {
    path: PathBuf,
    /// Locked as long as the run lives, where the file system has locks.
    _lock: File,
    /// Left in place when it is dropped.
    pub keep: bool,
}

impl WorkFolder {
    /// Makes a folder beside the package that is to be written: on the same disk, private.
    pub fn create(beside: &Path, as_of: Timestamp) -> Result<Self, CommandError> {
        let stem = format!("auditpack_{}.work", as_of.0.format("%Y%m%dT%H%M%SZ"));
        // A second run within the same second gets a folder of its own.
        for number in 0..1000 {
            let path = beside.join(if number == 0 { stem.clone() } else { format!("{stem}.{number}") });
            match create_new_private_dir(&path).and_then(|()| create_private_dir(&path.join(SCRATCH))) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(error) => {
                    let text = format!("cannot create the work folder {}: {error}", path.display());
                    return Err(CommandError::no_package(text));
                }
            }
            let lock = lock(&path)?;
            return Ok(Self { path, _lock: lock, keep: false });
        }
        Err(CommandError::no_package(format!("too many work folders in {}; remove old ones", beside.display())))
    }

    /// The folder of an interrupted run. What it has left in the making is removed.
    pub fn reopen(path: &Path) -> Result<Self, CommandError> {
        if !path.join(RECORDING).is_dir() {
            let text = format!("{} is not the work folder of an interrupted collection", path.display());
            return Err(CommandError::usage(text));
        }
        let lock = lock(path)?;
        let scratch = path.join(SCRATCH);
        let emptied = match std::fs::remove_dir_all(&scratch) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => create_private_dir(&scratch),
        };
        emptied.map_err(|e| cannot_use(path, &e))?;
        Ok(Self { path: path.to_owned(), _lock: lock, keep: true })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the recording is.
    pub fn recording(&self) -> PathBuf {
        self.path.join(RECORDING)
    }

    /// Where large files are made.
    pub fn scratch(&self) -> PathBuf {
        self.path.join(SCRATCH)
    }
}

/// Takes a work folder for this process, so that no two go on with the same run.
fn lock(path: &Path) -> Result<File, CommandError> {
    let file = private().write(true).create(true).truncate(false).open(path.join(LOCK));
    let file = file.map_err(|e| cannot_use(path, &e))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let text = "another auditpack is at work in it: wait until that has ended";
            Err(cannot_use(path, &text))
        }
        // Where there are no locks, the user has to see to it.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

fn cannot_use(path: &Path, why: &dyn std::fmt::Display) -> CommandError {
    CommandError::no_package(format!("cannot use the work folder {}: {why}", path.display()))
}

const LOCK: &str = "lock";
const RECORDING: &str = "recording";
const SCRATCH: &str = "scratch";

impl Drop for WorkFolder {
    fn drop(&mut self) {
        let gone = if self.keep { self.scratch() } else { self.path.clone() };
        // What cannot be removed is private and named after what it is; there is nothing better to do about it.
        let _ = std::fs::remove_dir_all(gone);
    }
}

/// A point in time as a user writes it: a day or RFC 3339. A day stands for its first second, or its last.
pub(super) fn time(text: &str, last: bool) -> Result<Timestamp, CommandError> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        let first = day.and_time(chrono::NaiveTime::MIN).and_utc();
        return Ok(Timestamp(if last { first + TimeDelta::seconds(86_399) } else { first }));
    }
    DateTime::parse_from_rfc3339(text)
        .map(|time| Timestamp(time.with_timezone(&Utc)))
        .map_err(|_| CommandError::usage(format!("`{text}` is not a time; write 2026-07-01 or 2026-07-01T00:00:00Z")))
}

/// A length of time such as 30d, 12h or 2w.
pub(super) fn length(text: &str) -> Result<TimeDelta, CommandError> {
    let wrong = || CommandError::usage(format!("`{text}` is not a length of time; write 90d, 12h or 4w"));
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i64 = text.strip_suffix(unit).and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
    let unit = match unit {
        'h' => TimeDelta::hours(1),
        'd' => TimeDelta::days(1),
        'w' => TimeDelta::weeks(1),
        _ => return Err(wrong()),
    };
    let longest = TimeDelta::weeks(520).num_seconds();
    match number.checked_mul(unit.num_seconds()) {
        Some(seconds) if (1..=longest).contains(&seconds) => Ok(TimeDelta::seconds(seconds)),
        _ => Err(wrong()),
    }
}

/// The period that the arguments name, which ends at the as-of time unless they say otherwise.
pub(super) fn period(
    length_text: Option<&str>,
    from: Option<&str>,
    to: Option<&str>,
    as_of: Timestamp,
) -> Result<Period, CommandError> {
    let period = match (from, to) {
        (Some(from), Some(to)) => Period { from: time(from, false)?, to: time(to, true)? },
        _ => {
            let length = length(length_text.unwrap_or("90d"))?;
            Period { from: Timestamp(as_of.0 - length), to: as_of }
        }
    };
    // Nothing can be known of what is still to come.
    let period = Period { from: period.from, to: period.to.min(as_of) };
    if period.from > period.to {
        let text = format!("the period starts ({}) after it ends ({})", period.from, period.to);
        return Err(CommandError::usage(text));
    }
    Ok(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_period_is_90_days_up_to_now_unless_told_otherwise() {
        let now = at("2026-10-01T09:00:00Z");
        assert_eq!(period(None, None, None, now).unwrap(), Period { from: at("2026-07-03T09:00:00Z"), to: now });
        assert_eq!(period(Some("2w"), None, None, now).unwrap().from, at("2026-09-17T09:00:00Z"));
        let quarter = period(None, Some("2026-07-01"), Some("2026-09-30"), now).unwrap();
        assert_eq!(quarter, Period { from: at("2026-07-01T00:00:00Z"), to: at("2026-09-30T23:59:59Z") });
        assert_eq!(period(None, Some("2026-07-01"), Some("2027-01-01"), now).unwrap().to, now);
    }

    #[test]
    fn what_is_no_period_is_refused() {
        let now = at("2026-10-01T09:00:00Z");
        for text in ["", "d", "90", "-1d", "0h", "90y", "99999999999999999999d", "9999999999999999d", "é"] {
            assert!(period(Some(text), None, None, now).is_err(), "{text}");
        }
        assert!(period(None, Some("2026-09-02"), Some("2026-09-01"), now).is_err());
        assert!(period(None, Some("yesterday"), Some("2026-09-01"), now).is_err());
    }
}
