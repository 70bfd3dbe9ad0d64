//! Evaluation: resources and controls in, findings out. It does no I/O and reads no clock.

use crate::controls::Automation;
use crate::finding::{Finding, Severity, Status};
use std::collections::BTreeMap;

/// All findings of one account, and what they say about each requirement.
#[derive(Debug)]
pub struct Evaluation {
    /// Sorted by check, then Region, then resource.
    pub findings: Vec<Finding>,
    /// One for each check, in the order of their ids.
    pub checks: Vec<CheckResult>,
    /// One for each requirement, by framework, in the standard's order.
    pub requirements: Vec<RequirementResult>,
}

/// How many findings of a check have which status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// The check's id.
    pub check: String,
    /// The check's severity.
    pub severity: Severity,
    /// The worst status.
    pub status: Status,
    /// Findings by status. Only statuses that occur.
    pub counts: BTreeMap<Status, u64>,
    /// Failures that a valid exception covers, among the failures.
    pub excepted: u64,
}

/// What the findings say about a requirement. Never that it is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementResult {
    /// The framework's id.
    pub framework: String,
    /// The requirement's id.
    pub requirement: String,
    /// How much of it AWS can evidence.
    pub automation: Automation,
    /// The worst status of its checks; manual if it has none.
    pub status: Status,
    /// Findings of its checks by status. Only statuses that occur.
    pub counts: BTreeMap<Status, u64>,
}
