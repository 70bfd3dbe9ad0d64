//! What the findings of a check, and the checks of a requirement, come to.

use super::{CheckResult, RequirementResult};
use crate::controls::Controls;
use crate::finding::{Finding, Status};
use std::collections::BTreeMap;

/// One result for each check. The findings are sorted by check.
pub(super) fn checks(findings: &[Finding], controls: &Controls) -> Vec<CheckResult> {
    let mut results: BTreeMap<&str, CheckResult> = BTreeMap::new();
    for check in controls.checks.values() {
        results.insert(
            &check.id,
            CheckResult {
                check: check.id.clone(),
                severity: check.severity,
                // Every check has a finding; if one had none, nothing could be said.
                status: Status::Unknown,
                counts: BTreeMap::new(),
                excepted: 0,
                judged: 0,
            },
        );
    }
    for finding in findings {
        let Some(result) = results.get_mut(&*finding.check) else { continue };
        *result.counts.entry(finding.status).or_default() += 1;
        result.judged += u64::from(finding.resource.is_some() || finding.status == Status::Unknown);
        result.excepted += u64::from(finding.exception.is_some());
    }
    let mut results: Vec<CheckResult> = results.into_values().collect();
    for result in &mut results {
        result.status = worst(&result.counts).unwrap_or(Status::Unknown);
    }
    results
}

/// One result for each requirement, by framework, in the standard's order.
pub(super) fn requirements(checks: &[CheckResult], controls: &Controls) -> Vec<RequirementResult> {
    let checks: BTreeMap<&str, &CheckResult> = checks.iter().map(|result| (result.check.as_str(), result)).collect();
    let mut results = Vec::new();
    for framework in controls.frameworks.values() {
        for requirement in &framework.requirements {
            let mut counts: BTreeMap<Status, u64> = BTreeMap::new();
            let mut excepted = 0;
            let mut without_evidence = Vec::new();
            for check in requirement.checks.iter().filter_map(|id| checks.get(id.as_str())) {
                // A Config rule that is nowhere deployed says nothing about the requirement.
                if check.judged == 0 && controls.checks.get(&check.check).is_some_and(|check| check.rule.is_some()) {
                    without_evidence.push(check.check.clone());
                    continue;
                }
                for (status, count) in &check.counts {
                    *counts.entry(*status).or_default() += count;
                }
                excepted += check.excepted;
            }
            results.push(RequirementResult {
                framework: framework.id.clone(),
                requirement: requirement.id.clone(),
                automation: requirement.automation,
                status: worst(&counts).unwrap_or(Status::Manual),
                counts,
                excepted,
                without_evidence,
            });
        }
    }
    results
}

fn worst(counts: &BTreeMap<Status, u64>) -> Option<Status> {
    counts.keys().next_back().copied()
}
