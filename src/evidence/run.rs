//! The facts of one run: what was asked, when, of whom, by whom.

use super::event_scope::EventScope;
use super::slicing::Slicing;
use super::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// A span of time, both ends included, as LookupEvents takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub to: Timestamp,
}

impl Period {
    /// The length in whole days, rounded up.
    pub fn days(self) -> i64 {
        ((self.to.0 - self.from.0).num_seconds() + 86_399).div_euclid(86_400)
    }
}

/// How long it takes until CloudTrail's event history is complete. AWS says about five minutes and
/// promises nothing; a live measurement found an event absent after 25 minutes and present after 85.
pub const SETTLING: chrono::TimeDelta = chrono::TimeDelta::hours(2);

/// What a run was asked to do. It is written first, into the recording, so that a replay asks the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The version of the recording's format.
    pub format: u32,
    /// The version of auditpack that collected.
    pub version: String,
    /// The as-of time: the one reading of the clock. Everything that is "so many days ago" is so before this,
    /// or before the time that its source states.
    pub as_of: Timestamp,
    /// The period whose events were asked for.
    pub period: Period,
    /// The Regions named by the user; `None` is "all that are enabled".
    pub regions: Option<Vec<String>>,
    /// The Region that the credentials' configuration names; global services are asked through it.
    pub home_region: String,
    /// The frameworks selected, by id.
    pub frameworks: Vec<String>,
    /// The operations planned, as `service:Operation`.
    pub operations: Vec<String>,
    /// Which events were asked for, and where they come from.
    #[serde(default, skip_serializing_if = "EventScope::is_default")]
    pub events: EventScope,
    /// How the event history is cut into requests.
    #[serde(default)]
    pub slicing: Slicing,
    /// Of how many resources of a Region AWS Config is asked the history of its verdicts at most.
    #[serde(default = "config_history")]
    pub config_history: u32,
}

fn config_history() -> u32 {
    Run::CONFIG_HISTORY
}

impl Run {
    /// Of how many resources of a Region the compliance history is asked, if the user does not say: some minutes.
    pub const CONFIG_HISTORY: u32 = 1_000;

    /// The version of the recording's format that this program writes.
    pub const FORMAT: u32 = 1;

    /// Until when the period's events can be believed to be complete.
    pub fn settled_through(&self) -> Timestamp {
        Timestamp((self.as_of.0 - SETTLING).min(self.period.to.0))
    }
}
