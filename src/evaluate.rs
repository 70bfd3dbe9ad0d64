//! Evaluation: resources and controls in, findings out. It does no I/O and reads no clock.
//!
//! A finding is pass only if every field that its check reads is known. A population that may have more rows
//! than are known has a finding of its own that says so, beside those of its rows.

mod config_verdicts;
mod exception;
mod judge;
mod summary;
#[cfg(test)]
mod tests;

pub use exception::ExceptionResult;

use crate::controls::{Automation, Check, Controls};
use crate::evidence::Evidence;
use crate::finding::{Finding, Severity, Status};
use crate::resource::{Kind, Population, Resources};
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
    /// What became of each exception, in the order of the settings.
    pub exceptions: Vec<ExceptionResult>,
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
    /// Findings about a resource, or that say that something is not known. A check on a Config rule that is not deployed
    /// has none.
    pub judged: u64,
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
    /// Failures that a valid exception covers, among the failures. They remain failures: an exception accepts
    /// a risk and does not mend it, so that the status stays fail, with this number beside it.
    pub excepted: u64,
    /// Checks that gave no evidence, because no Config rule of theirs is deployed. Their findings are not counted.
    pub without_evidence: Vec<String>,
}

/// Judges the resources by the controls.
pub fn evaluate(evidence: &Evidence, resources: &Resources, controls: &Controls) -> Evaluation {
    let mut by_kind: BTreeMap<Kind, Vec<&Check>> = BTreeMap::new();
    for check in controls.checks.values() {
        by_kind.entry(check.resource).or_default().push(check);
    }
    let judge = judge::Judge::new(evidence, resources, controls);
    // A list that grows would be there twice.
    let most = by_kind.iter().map(|(kind, checks)| most(checks, resources.populations.get(kind))).sum();
    let mut findings: Vec<Finding> = Vec::with_capacity(most);
    for (kind, checks) in by_kind {
        judge.population(kind, &checks, &mut findings);
    }
    // No two have the same key: of a check, one at most is about the population. So none need be kept in their order, for
    // which room would be needed.
    findings.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
    debug_assert!(findings.is_sorted_by(|a, b| key(a) < key(b)), "two findings of a check are about the same");
    let checks = summary::checks(&findings, controls);
    let requirements = summary::requirements(&checks, controls);
    let exceptions = exception::results(&findings, resources, controls, evidence.as_of());
    Evaluation { findings, checks, requirements, exceptions }
}

/// How many findings the checks of a kind have at most: one for each row, or where each row is a rule that a check selects,
/// one for each rule, and one about the population.
fn most(checks: &[&Check], population: Option<&Population>) -> usize {
    let rows = population.map_or(0, |population| population.rows.len());
    match checks.iter().any(|check| check.rule.is_some()) {
        true => rows + checks.len(),
        false => checks.len() * (rows + 1),
    }
}

/// The order of findings: by check, then Region, then resource; what is about the population stands first.
fn key(finding: &Finding) -> (&str, Option<(Option<&str>, &str)>) {
    let resource = finding.resource.as_ref();
    (&finding.check, resource.map(|resource| (resource.region.as_deref(), resource.id.as_str())))
}
