//! manifest.json: what a package says about itself. Types of the file format, version 1.
//!
//! They are specified in docs/package-format.md and are not the program's own types, so that those can change.
//! A member is never removed or given another meaning within a version; members may be added, and readers pass
//! over those that they do not know.

use crate::evidence::custody::Start;
use crate::evidence::{CallId, Text, Timestamp};
use crate::resource::access_review::RecordOrigin;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The version of the format that this program writes.
pub const FORMAT: u32 = 1;

/// The manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the package format.
    pub format: u32,
    /// What wrote the package.
    pub tool: Tool,
    /// What the evidence was made from.
    pub source: Source,
    /// Whose evidence it is.
    pub account: Account,
    /// Who collected it.
    pub caller: Callers,
    /// Who ran what, where and when.
    #[serde(default)]
    pub custody: Custody,
    /// What was asked for.
    pub scope: Scope,
    /// The as-of time.
    pub as_of: Timestamp,
    /// Which time the events cover.
    pub period: Period,
    /// What was judged by.
    pub controls: Controls,
    /// Each accepted risk, and what became of it.
    #[serde(default)]
    pub exceptions: Vec<ExceptionState>,
    /// Files that people attached to requirements.
    #[serde(default)]
    pub manual: Vec<Manual>,
    /// The last access review, if its record is in the package.
    #[serde(default)]
    pub review: Option<Review>,
    /// How the run ended.
    pub conclusion: Conclusion,
    /// Each call with its outcome.
    pub calls: Vec<Call>,
    /// Each population with its size.
    pub populations: Vec<Population>,
    /// What independent sources count of the same population.
    pub reconciliation: Vec<Reconciliation>,
    /// What is in scope and could not be collected or evaluated.
    pub gaps: Vec<Gap>,
    /// What else a reader must know.
    pub notes: Vec<Note>,
    /// Where secrets were taken out.
    pub redactions: Vec<Redaction>,
    /// What is not in scope.
    pub exclusions: Vec<Exclusion>,
    /// What seals the package.
    #[serde(default)]
    pub seals: DeclaredSeals,
    /// Each file but this one, SHA256SUMS and the seals, sorted by path.
    pub files: Vec<FileRecord>,
}

/// What wrote the package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `auditpack`.
    pub name: String,
    /// The version that evaluated and packed.
    pub version: String,
    /// The version that collected.
    pub collected_by: String,
}

/// The last access review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The as-of time of the frozen population.
    pub opened: Timestamp,
    /// The as-of time of the evidence that it was closed with.
    pub closed: Timestamp,
    /// The last day for decisions and follow-up.
    pub due: NaiveDate,
    /// The SHA-256 of the frozen population.
    pub population_sha256: String,
    /// The file that the checks on the review rest on.
    pub register: String,
    /// The package that the register was taken from; null if the review was closed with this package's evidence.
    pub record: Option<RecordOrigin>,
}

/// What the evidence was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The responses of AWS, which are in `raw/`: the evidence can be made from them again.
    Recording,
    /// Files that somebody supplied, as the AWS CLI prints them. There is no `raw/`.
    Files,
}

/// Whose evidence it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Twelve digits; null if it is not known.
    pub id: Option<String>,
    /// The alias; null if there is none, or it was not collected.
    pub alias: Option<String>,
    /// `aws`, `aws-cn`, `aws-us-gov`, ...; null if it is not known.
    pub partition: Option<String>,
}

/// Who collected it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callers {
    /// At the start of the run.
    pub start: Option<Caller>,
    /// At its end.
    pub end: Option<Caller>,
}

/// An identity, as STS tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The account.
    pub account: Option<String>,
    /// The ARN.
    pub arn: Option<String>,
    /// The unique id.
    pub user_id: Option<String>,
}

/// Who ran what, where and when, and what AWS's answers say about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custody {
    /// Each start of the run: the first, and one for each time that it was resumed. Empty if nobody wrote it down.
    pub runs: Vec<Start>,
    /// Requests sent, each attempt counted.
    pub requests: u64,
    /// Requests that AWS answered with an id, by which CloudTrail's records of them can be found.
    pub with_request_id: u64,
    /// The server's time of the first answer.
    pub first_answer: Option<Timestamp>,
    /// The server's time of the last answer.
    pub last_answer: Option<Timestamp>,
    /// How many seconds the clock of AWS was ahead of the local one; the first request's own time is in it.
    pub clock_skew_seconds: Option<i64>,
}

/// A file that somebody attached to requirements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manual {
    /// Its path in the package.
    pub file: String,
    /// The requirements, as `soc2 CC6.1`.
    pub requirements: Vec<String>,
    /// What it is.
    pub description: String,
    /// Who answers for it.
    pub owner: String,
    /// The day it was made or signed.
    pub date: String,
    /// The last day on which it is valid; null if it does not age.
    pub valid_until: Option<String>,
    /// Whether it was out of date at the as-of time.
    pub out_of_date: bool,
}

/// What seals a package: files that are added when all others are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredSeals {
    /// The fingerprint of the key that signs it; null if nobody does.
    pub signed_by: Option<String>,
    /// The address of the authority that stamps it; null if none does.
    pub stamped_by: Option<String>,
}

/// An accepted risk, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionState {
    /// The check's id.
    pub check: String,
    /// The pattern of resources.
    pub resource: String,
    /// Who accepted it.
    pub approver: String,
    /// The first day on which it holds; null if it is not said.
    pub granted: Option<String>,
    /// The last day on which it holds.
    pub expires: String,
    /// Where the decision is recorded; null if it is not said.
    pub ticket: Option<String>,
    /// `in force`, `expired` or `not yet in force`, at the as-of time.
    pub state: String,
    /// Failures that it covers, or would cover were it in force.
    pub failures: u64,
    /// Why somebody should look at it: it is expired, unused, too broad.
    pub remarks: Vec<String>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The Regions in scope.
    pub regions: Vec<String>,
    /// The Regions that the user named; null for "all that are enabled".
    pub regions_asked: Option<Vec<String>>,
    /// The frameworks, by id.
    pub frameworks: Vec<String>,
    /// The operations planned, as `service:Operation`.
    pub operations: Vec<String>,
}

/// Which time the events cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The period asked for.
    pub asked: Span,
    /// Until when events can be believed to have arrived.
    pub settled_through: Timestamp,
    /// What was read, Region by Region.
    pub covered: Vec<Covered>,
}

/// A span of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub to: Timestamp,
}

/// What was read of a Region's event history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The Region.
    pub region: String,
    /// Whether all events of the period asked for were read.
    pub complete: bool,
    /// The part of the period of which all events were read; null if that cannot be said of any.
    pub span: Option<Span>,
    /// Different events.
    pub events: u64,
    /// Events that came more than once; each is kept once.
    pub duplicates: u64,
    /// Records that could not be read.
    pub unreadable: u64,
    /// Pages received.
    pub pages: u64,
    /// The oldest event's time.
    pub oldest: Option<Timestamp>,
    /// The newest event's time.
    pub newest: Option<Timestamp>,
    /// Where the events come from: `event-history` or `trail-logs`.
    #[serde(default)]
    pub source: String,
    /// Every part of the period of which all events were read, newest first; `span` is the first that reaches the end.
    #[serde(default)]
    pub spans: Vec<Span>,
    /// The slices in which the event history was asked for, newest first.
    #[serde(default)]
    pub slices: Vec<Slice>,
}

/// A part of the period that was asked for on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Its first second.
    pub from: Timestamp,
    /// Its last second.
    pub to: Timestamp,
    /// Pages received.
    pub pages: u64,
    /// Events received, before duplicates were removed.
    pub events: u64,
    /// How often it was read again from its start, because a page token had expired.
    pub restarts: u32,
    /// Whether it was read to its end.
    pub complete: bool,
    /// Which of several lookups it belongs to, from 0.
    pub lookup: u32,
}

/// What was judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controls {
    /// The SHA-256 of the lines that `sha256sum` prints, in the folder `controls/`, for its files sorted by path.
    pub sha256: String,
    /// How many files there are in `controls/`.
    pub files: u64,
    /// How many checks.
    pub checks: u64,
    /// How many accepted risks, expired ones too.
    pub exceptions: u64,
}

/// How the run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conclusion {
    /// `clean`, `failed` or `incomplete`.
    pub outcome: String,
    /// The exit code: 0, 1 or 3.
    pub exit_code: u8,
    /// The least severity of an open failure that makes the run fail, or `none`.
    pub fail_on: String,
    /// Findings by status. Only statuses that occur.
    pub findings: BTreeMap<String, u64>,
    /// Failures that an accepted risk covers, among the failures.
    pub excepted: u64,
}

/// The identity of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallRef {
    /// As `service:Operation`.
    pub operation: Text,
    /// The Region; null for global services.
    pub region: Option<Text>,
    /// The resource asked about; null for operations that ask about none.
    pub resource: Option<Text>,
}

impl From<&CallId> for CallRef {
    fn from(call: &CallId) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(Text::from);
        Self {
            operation: call.operation.to_string().into(),
            region: text(&call.region),
            resource: text(&call.resource),
        }
    }
}

impl fmt::Display for CallRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.operation)?;
        if let Some(resource) = &self.resource {
            write!(f, " of {resource}")?;
        }
        if let Some(region) = &self.region {
            write!(f, " in {region}")?;
        }
        Ok(())
    }
}

/// A call with its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Which call.
    #[serde(flatten)]
    pub call: CallRef,
    /// `collected`, `absent`, `denied`, `failed` or `not collected`.
    pub outcome: String,
    /// Why there is no complete answer; null if there is.
    pub reason: Option<String>,
    /// The document's path; null if there is none.
    pub document: Option<String>,
    /// The document holds only what arrived before the call broke off.
    pub partial: bool,
    /// The recorded responses, in the order of requests and attempts.
    pub responses: Vec<Text>,
}

/// A population with its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// The kind of resource, such as `iam.user`.
    pub kind: String,
    /// In words.
    pub title: String,
    /// The file with all of it; null if the package has none.
    pub file: Option<String>,
    /// Its size, as far as it is known.
    pub rows: u64,
    /// Whether that is all of it.
    pub complete: bool,
    /// Why there may be more.
    pub incomplete: Vec<String>,
    /// Where it was read from: paths, with `#` and a place where there is one.
    pub sources: Vec<String>,
}

/// What independent sources count of the same population.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// The kind of resource.
    pub population: String,
    /// The counts, by source.
    pub counts: Vec<SourceCount>,
    /// Whether the sources agree, or all differences are explained.
    pub agrees: bool,
    /// The differences in words.
    pub differences: Vec<String>,
}

/// What one source counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCount {
    /// The source.
    pub source: String,
    /// Its count; null if it was not collected.
    pub count: Option<i64>,
}

/// Something in scope that could not be collected or evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The call, or the place where there is no single call.
    pub place: String,
    /// `denied`, `failed`, `not collected` or `incomplete`.
    pub kind: String,
    /// Why.
    pub reason: String,
}

/// Something that a reader must know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// Where.
    pub place: String,
    /// What.
    pub text: String,
}

/// Secrets that were taken out of a response before it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// The response's path.
    pub file: String,
    /// How many values were replaced.
    pub count: u64,
    /// The SHA-256 of the response as it came.
    pub original_sha256: String,
}

/// Something that is not in scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// What.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// A file of the package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its path.
    pub path: Text,
    /// Its SHA-256.
    pub sha256: Text,
    /// Its size in bytes.
    pub size: u64,
    /// The call whose document or response it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallRef>,
    /// The files that it was made from: recorded responses, or the document that it is an extract of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Text>,
    /// It holds only what arrived before the call broke off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

impl Manifest {
    /// Reads a manifest.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let malformed = |e: serde_json::Error| format!("manifest.json is not a manifest: {e}");
        let Version { format } = serde_json::from_slice(bytes).map_err(malformed)?;
        if format != FORMAT {
            return Err(format!(
                "it has format {format}, this version of auditpack reads format {FORMAT}: use a newer version"
            ));
        }
        serde_json::from_slice(bytes).map_err(malformed)
    }
}
