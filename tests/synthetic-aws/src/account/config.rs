//! AWS Config in one Region.

use chrono::{DateTime, Utc};
use serde_json::Value;

#[derive(Clone, Debug, Default)]
pub struct ConfigRegion {
    pub recorder: Option<Recorder>,
    pub channel: Option<Channel>,
    pub rules: Vec<Rule>,
    pub packs: Vec<Pack>,
    pub retention_days: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct Recorder {
    pub name: String,
    pub role_arn: String,
    /// recordingGroup, as DescribeConfigurationRecorders has it.
    pub group: Value,
    /// recordingMode.
    pub mode: Value,
    pub recording: bool,
    /// Pending, Success or Failure.
    pub last_status: String,
    pub error: Option<(String, String)>,
    pub started: Option<DateTime<Utc>>,
    pub stopped: Option<DateTime<Utc>>,
    pub changed: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub struct Channel {
    pub name: String,
    pub bucket: String,
    pub topic: Option<String>,
    pub frequency: String,
    pub delivered: Option<DateTime<Utc>>,
    pub error: Option<(String, String)>,
}

#[derive(Clone, Debug)]
pub enum Source {
    /// An AWS-managed rule, by its identifier.
    Managed(String),
    /// A custom rule: the function's ARN.
    Lambda(String),
    /// A custom rule in Guard.
    Guard(String),
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub name: String,
    pub id: String,
    pub arn: String,
    pub description: Option<String>,
    pub source: Source,
    /// The JSON text of InputParameters.
    pub parameters: Option<String>,
    pub frequency: Option<String>,
    pub resource_types: Vec<String>,
    /// ACTIVE, DELETING, DELETING_RESULTS or EVALUATING.
    pub state: String,
    pub created_by: Option<String>,
    pub internal: bool,
    pub proactive: bool,
    pub verdict: Verdict,
    pub results: Vec<RuleResult>,
    pub activated: DateTime<Utc>,
    pub evaluated: Option<DateTime<Utc>>,
    pub failed: Option<(DateTime<Utc>, String, String)>,
    pub remediation: Option<Remediation>,
}

/// What DescribeComplianceByConfigRule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What follows from the results.
    FromResults,
    InsufficientData,
    /// The rule is not in the answer at all: it has no result yet, or shows none.
    Missing,
}

#[derive(Clone, Debug)]
pub struct RuleResult {
    pub resource_type: String,
    pub resource_id: String,
    pub compliant: bool,
    pub annotation: Option<String>,
    pub recorded: DateTime<Utc>,
    /// When the resource got this verdict; before, it had the other one.
    pub since: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug)]
pub struct Remediation {
    pub document: String,
    pub automatic: bool,
}

#[derive(Clone, Debug)]
pub struct Pack {
    pub name: String,
    pub id: String,
    pub arn: String,
    pub parameters: Vec<(String, String)>,
    pub updated: DateTime<Utc>,
    pub created_by: Option<String>,
    /// Names of rules of the Region.
    pub rules: Vec<String>,
}
