//! The chain of custody: who ran what, where and when. It is written into the recording when a run starts, and
//! once more when an interrupted run is resumed; what AWS says of the same run stands in its answers.

use super::recording::Entry;
use super::timestamp::Timestamp;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All starts of a run: the first, and one for each time that it was resumed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custody {
    /// In the order of time.
    pub runs: Vec<Start>,
}

/// One start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The local clock's time when the first request was about to be sent.
    pub started: Timestamp,
    /// The program's arguments, with secrets removed.
    pub command: Vec<String>,
    /// The program's version.
    pub version: String,
    /// The SHA-256 of the program's file; null if it could not be read.
    pub program_sha256: Option<String>,
    /// The machine; null if the user kept it out.
    pub host: Option<Host>,
    /// Who AWS says asks from here on, where a run was resumed: an ARN. The answers have it of the first start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
}

/// What an auditor asks about a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its name.
    pub name: Option<String>,
    /// The user who was logged in.
    pub user: Option<String>,
    /// The operating system.
    pub system: String,
    /// The processor's architecture.
    pub architecture: String,
}

/// When AWS answered a request, by its own clock: the answer's `Date`.
pub fn server_time(entry: &Entry) -> Option<Timestamp> {
    stated_time(&entry.response.as_ref()?.headers)
}

/// The time that the headers of an answer state.
pub fn stated_time(headers: &BTreeMap<String, String>) -> Option<Timestamp> {
    DateTime::parse_from_rfc2822(headers.get("date")?).ok().map(|time| Timestamp(time.with_timezone(&chrono::Utc)))
}

/// How many seconds the clock of AWS was ahead of the local one when a run started: what its first answer states,
/// less the local time just before the request. The request's own duration is in it, and both have whole seconds.
pub fn clock_skew(custody: &Custody, first_answer: Timestamp) -> Option<i64> {
    let started = custody.runs.first()?.started;
    Some((first_answer.0 - started.0).num_seconds())
}
