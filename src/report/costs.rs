//! Gaps and what each costs: the findings that are unknown for it, their checks, and the requirements they speak to.
//!
//! Nothing here is listed by hand: checks name fields, fields name calls, requirements name checks and calls.

use super::Audit;
use super::words::{count, first, visible};
use crate::evidence::{CallId, Gap, GapKind, Operation, Scope};
use crate::finding::{Finding, Status};
use std::collections::{BTreeMap, BTreeSet};

/// Calls of one operation that have no complete answer for the same reason, and what is not known for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapCost {
    /// The operation.
    pub operation: Operation,
    /// Why there is no complete answer.
    pub gap: Gap,
    /// The calls, sorted, and of each whether some pages did arrive and are in the package.
    pub calls: Vec<(CallId, bool)>,
    /// Checks with findings that are unknown for it, and how many: by check id.
    pub unknown: BTreeMap<String, u64>,
    /// Requirements that those checks speak to: framework id and requirement id.
    pub touched: BTreeSet<(String, String)>,
    /// Requirements that lack the document as evidence, by their checks or by their own word, touched ones included.
    pub requirements: BTreeSet<(String, String)>,
}

/// Calls about a whole Region that are made only if its Config rules have results.
const FOLLOWS_RULES: [Operation; 2] =
    [Operation::ConfigSelectResourceConfig, Operation::ConfigDescribeRemediationConfigurations];

impl GapCost {
    /// How many findings are unknown for it.
    pub fn findings(&self) -> u64 {
        self.unknown.values().sum()
    }

    /// What else is lost, where it is more than fields and documents.
    pub fn consequence(&self) -> Option<&'static str> {
        match self.operation {
            Operation::AccountListRegions => Some("the account may use Regions that were not looked at"),
            Operation::StsGetCallerIdentity => {
                Some("nobody but the recording says which account this is, and who asked")
            }
            _ => None,
        }
    }

    /// Whether some pages of a call did arrive.
    pub fn partial(&self) -> bool {
        self.calls.iter().any(|(_, partial)| *partial)
    }
}

/// How many calls a list of gaps is about.
pub fn gap_count(costs: &[GapCost]) -> u64 {
    costs.iter().map(|cost| cost.calls.len() as u64).sum()
}

/// Every call without a complete answer: those that were made, and those that the controls need and nobody made.
/// Sorted by call.
pub fn gaps(audit: &Audit<'_>) -> BTreeMap<CallId, Gap> {
    let mut gaps: BTreeMap<CallId, Gap> =
        audit.evidence.gaps().map(|(call, gap)| (call.clone(), gap.clone())).collect();
    let made: BTreeSet<&CallId> = audit.evidence.calls().map(|(call, _)| call).collect();
    for operation in audit.controls.operations() {
        // Which Regions are in scope needs no call where the user has said so.
        if operation == Operation::AccountListRegions && audit.evidence.run.regions.is_some() {
            continue;
        }
        let planned: Vec<CallId> = match operation.scope() {
            // Made only where the rules of a Region found something, and missed by the population where it should have been.
            Scope::Regional if FOLLOWS_RULES.contains(&operation) => Vec::new(),
            Scope::Global => vec![CallId::global(operation)],
            Scope::Regional if audit.evidence.regions.is_empty() => vec![CallId::global(operation)],
            Scope::Regional => {
                audit.evidence.regions.iter().map(|region| CallId::regional(operation, region.as_str())).collect()
            }
            // Made only for resources that another call has listed: where that call failed, it is the gap.
            Scope::PerGlobalResource | Scope::PerRegionalResource => Vec::new(),
        };
        for call in planned {
            if !made.contains(&call) {
                let reason = match call.region {
                    None if operation.scope().is_regional() => "no Region in scope is known",
                    _ => "the call was not made and its document was not supplied",
                };
                gaps.insert(call, Gap::not_collected(reason));
            }
        }
    }
    gaps
}

/// Every gap with its cost: those with the most unknown findings first, then by operation.
pub fn gap_costs(audit: &Audit<'_>) -> Vec<GapCost> {
    let mut unknown_by_operation: BTreeMap<Operation, Vec<&Finding>> = BTreeMap::new();
    for finding in audit.evaluation.findings.iter().filter(|f| f.status == Status::Unknown) {
        for operation in finding.missing.iter().copied().collect::<BTreeSet<_>>() {
            unknown_by_operation.entry(operation).or_default().push(finding);
        }
    }
    let partial: BTreeSet<&CallId> = audit
        .evidence
        .calls()
        .filter(|(_, outcome)| outcome.gap().is_some() && outcome.arrived().is_some())
        .map(|(call, _)| call)
        .collect();
    let mut groups: BTreeMap<(Operation, GapKind, String), Vec<(CallId, bool)>> = BTreeMap::new();
    for (call, gap) in gaps(audit) {
        let arrived = partial.contains(&call);
        groups.entry((call.operation, gap.kind, gap.reason)).or_default().push((call, arrived));
    }
    let cost = |((operation, kind, reason), calls): ((Operation, GapKind, String), Vec<(CallId, bool)>)| {
        let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
        for finding in unknown_by_operation.get(&operation).into_iter().flatten() {
            if calls.iter().any(|(call, _)| concerns(call, finding)) {
                *unknown.entry(finding.check.to_string()).or_default() += 1;
            }
        }
        let (mut touched, mut requirements) = (BTreeSet::new(), BTreeSet::new());
        for framework in audit.controls.frameworks.values() {
            for requirement in &framework.requirements {
                let id = (framework.id.clone(), requirement.id.clone());
                let reads = |id: &String| {
                    audit.controls.checks.get(id).is_some_and(|check| check.operations().contains(&operation))
                };
                if requirement.checks.iter().any(|id| unknown.contains_key(id)) {
                    touched.insert(id.clone());
                    requirements.insert(id);
                } else if requirement.evidence.contains(&operation) || requirement.checks.iter().any(reads) {
                    requirements.insert(id);
                }
            }
        }
        GapCost { operation, gap: Gap::new(kind, reason), calls, unknown, touched, requirements }
    };
    let mut costs: Vec<GapCost> = groups.into_iter().map(cost).collect();
    // The sort keeps the order of operations among equals.
    costs.sort_by_key(|cost| std::cmp::Reverse(cost.findings()));
    costs
}

/// Whether a finding that misses an operation misses this call of it: that of its Region, about its resource.
fn concerns(call: &CallId, finding: &Finding) -> bool {
    let Some(resource) = &finding.resource else { return true };
    let region = match (&call.region, &resource.region) {
        (Some(asked), Some(of)) => asked == of,
        _ => true,
    };
    // Fields of the account are made from the answers about all resources of a kind.
    let about = call
        .resource
        .as_ref()
        .is_none_or(|about| resource.kind == "account" || *about == resource.id || *about == resource.name);
    region && about
}

/// A gap in a sentence: which calls, why, and what it costs.
pub fn gap_words(cost: &GapCost) -> String {
    let place = match cost.calls.as_slice() {
        [(call, _)] => call.to_string(),
        calls => format!("{} ({})", cost.operation, places_words(calls)),
    };
    let mut text = format!("{place}: {}: {}", cost.gap.kind, cost.gap.reason);
    if cost.partial() {
        text.push_str("; the part that did arrive is in the package");
    }
    if let Some(consequence) = cost.consequence() {
        text.push_str(&format!("; {consequence}"));
    }
    let requirements = |n: usize| count(n as u64, "requirement", "requirements");
    match cost.findings() {
        0 if cost.requirements.is_empty() => {
            if cost.consequence().is_none() {
                text.push_str("; nothing rests on it");
            }
        }
        0 => {
            let lacking = requirements(cost.requirements.len());
            text.push_str(&format!("; no finding is unknown for it, but evidence for {lacking} is"));
            text.push_str(if cost.partial() { " not whole" } else { " missing" });
        }
        n => {
            let findings = count(n, "finding", "findings");
            let checks = count(cost.unknown.len() as u64, "check", "checks");
            let touched = requirements(cost.touched.len());
            text.push_str(&format!("; leaves {findings} of {checks} unknown, for {touched}"));
        }
    }
    visible(&text).into_owned()
}

/// Where several calls were made: `3 Regions`, or `40 calls in 2 Regions`.
fn places_words(calls: &[(CallId, bool)]) -> String {
    let regions: Vec<&str> =
        calls.iter().filter_map(|(call, _)| call.region.as_deref()).collect::<BTreeSet<_>>().into_iter().collect();
    match (regions.len(), calls.iter().any(|(call, _)| call.resource.is_some())) {
        (0, _) => count(calls.len() as u64, "call", "calls"),
        (_, false) => format!("in {}", first(&regions, 4)),
        (_, true) => format!("{} in {}", count(calls.len() as u64, "call", "calls"), first(&regions, 4)),
    }
}
