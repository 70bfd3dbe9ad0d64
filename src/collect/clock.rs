//! The time that requests are signed with: this computer's, or AWS's where the two differ too much.
//!
//! AWS refuses a request whose time is more than five minutes off (a laptop that slept, a virtual machine that was
//! suspended). Its answers say what time it takes for now, so that the request can be signed again.

use aws_smithy_async::time::TimeSource;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

/// The clock of one run.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Seconds by which requests are signed later than this computer's time.
    offset: AtomicI64,
    /// By how much AWS's last answer was later.
    observed: AtomicI64,
}

impl Clock {
    /// Notes the time in AWS's answer.
    pub(super) fn observe(&self, date: &str) {
        let Ok(aws) = DateTime::from_str(date, Format::HttpDate) else { return };
        let here = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.observed.store(aws.secs().saturating_sub_unsigned(here), Ordering::Relaxed);
    }

    /// Signs from now on with AWS's time; by how many seconds it differs from this computer's.
    pub(super) fn correct(&self) -> i64 {
        let observed = self.observed.load(Ordering::Relaxed);
        self.offset.store(observed, Ordering::Relaxed);
        observed
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        let offset = self.offset.load(Ordering::Relaxed);
        let by = Duration::from_secs(offset.unsigned_abs());
        let now = SystemTime::now();
        let shifted = if offset < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        shifted.unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_corrected_shows_what_aws_said() {
        let clock = Clock::default();
        clock.observe("Thu, 01 Oct 2026 09:00:00 GMT");
        assert!(clock.now().duration_since(SystemTime::now()).unwrap_or_default() < Duration::from_secs(2));
        clock.correct();
        let shown = DateTime::from(clock.now()).secs();
        assert!((shown - 1_790_845_200).abs() <= 2, "{shown}");
        clock.observe("no date");
        clock.correct();
        assert!((DateTime::from(clock.now()).secs() - 1_790_845_200).abs() <= 2);
    }
}
