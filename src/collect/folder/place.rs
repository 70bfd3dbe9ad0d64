//! Which call each file answers: its Region and its resource; and which calls no file answers.

use super::Answer;
use super::recognise::is_region;
use crate::evidence::cloudtrail::{DescribeTrails, EventSelectors};
use crate::evidence::compliance_history::{LastChanges, subjects};
use crate::evidence::config::*;
use crate::evidence::credential_report::CredentialReport;
use crate::evidence::iam::{AuthorizationDetails, GetPolicy, ListOpenIdConnectProviders, OpenIdConnectProvider};
use crate::evidence::identity::ListRegions;
use crate::evidence::{AnyDocument, CallId, Evidence, Gap, Note, Operation, Outcome, Scope};
use percent_encoding::percent_decode_str;
use std::collections::{BTreeMap, BTreeSet};

/// The Region of files of which nobody says where they come from.
const UNKNOWN_REGION: &str = "unknown";

/// A resource that a list names, with the Region in which it is asked about.
struct Candidate {
    resource: String,
    region: Option<String>,
}

/// Puts answers in their places.
pub(super) struct Placing<'a> {
    pub evidence: &'a mut Evidence,
    pub planned: &'a BTreeSet<Operation>,
    /// The file that told each call.
    pub told: BTreeMap<CallId, String>,
}

impl Placing<'_> {
    pub(super) fn place(mut self, answers: Vec<Answer>) {
        let fallback = self.fallback_region(&answers);
        let (mut of_resources, of_all): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.operation.scope().is_per_resource());
        for answer in of_all {
            let call = match answer.operation.scope() {
                Scope::Regional => CallId::regional(answer.operation, self.region(&answer, &fallback)),
                _ => CallId::global(answer.operation),
            };
            self.tell(call, answer);
        }
        self.find_regions(&fallback);
        // A folder's name says more than there being only one candidate.
        of_resources.sort_by(|a, b| a.file.cmp(&b.file));
        for answer in of_resources {
            match self.resource(&answer, &fallback) {
                Some(call) => self.tell(call, answer),
                None => self.note(&answer.file, "it does not say which resource it is about".to_owned(), true),
            }
        }
        self.leave_out_other_regions();
        self.expect();
    }

    fn note(&mut self, place: &str, text: String, incomplete: bool) {
        self.evidence.notes.push(Note { place: place.to_owned(), text, incomplete });
    }

    /// Records what a file tells, unless another one has told of the same call.
    fn tell(&mut self, call: CallId, answer: Answer) {
        let Some(first) = self.told.get(&call).cloned() else {
            self.told.insert(call.clone(), answer.file);
            self.evidence.insert_any(call, answer.outcome);
            return;
        };
        if call.operation == Operation::IamGetCredentialReport && self.same_report(&call, &answer) {
            return;
        }
        self.note(&answer.file, format!("it answers {call}, as {first} does, and was not used"), true);
    }

    /// The CSV and the JSON around it tell the same; the JSON also tells when the report was made.
    fn same_report(&mut self, call: &CallId, answer: &Answer) -> bool {
        let report = |outcome: &Outcome<AnyDocument>| {
            outcome.collected().and_then(|d| d.downcast::<CredentialReport>()).cloned()
        };
        let known = self.evidence.get::<CredentialReport>(call).collected().copied().cloned();
        let (Some(known), Some(other)) = (known, report(&answer.outcome)) else { return false };
        // Line ends can differ, and do not matter.
        if known.rows != other.rows {
            return false;
        }
        if known.generated.is_none() && other.generated.is_some() {
            self.told.insert(call.clone(), answer.file.clone());
            self.evidence.insert_any(call.clone(), answer.outcome.clone());
        }
        true
    }

    /// The Region of files that do not say theirs: the only one that others say, or that the user named, or the
    /// configured one.
    fn fallback_region(&self, answers: &[Answer]) -> String {
        let named = self.evidence.run.regions.iter().flatten().cloned();
        let told = answers.iter().filter(|answer| answer.operation.scope().is_regional());
        let told = told.filter_map(|answer| answer.region.clone().or_else(|| region_inside(answer)));
        let only = |regions: BTreeSet<String>| regions.first().filter(|_| regions.len() == 1).cloned();
        let configured = Some(self.evidence.run.home_region.clone()).filter(|region| !region.is_empty());
        let any = only(told.collect()).or_else(|| only(named.collect())).or(configured);
        any.unwrap_or_else(|| UNKNOWN_REGION.to_owned())
    }

    fn region(&mut self, answer: &Answer, fallback: &str) -> String {
        if let Some(region) = answer.region.clone().or_else(|| region_inside(answer)) {
            return region;
        }
        self.note(&answer.file, format!("it does not say its Region; taken for one of {fallback}"), false);
        fallback.to_owned()
    }

    /// The Regions in scope: those that the user named; or those that are enabled, and those that there are files of.
    fn find_regions(&mut self, fallback: &str) {
        if let Some(named) = &self.evidence.run.regions {
            self.evidence.regions = named.iter().cloned().collect();
            return;
        }
        let mut regions: BTreeSet<String> = self.evidence.calls().filter_map(|(call, _)| call.region.clone()).collect();
        let listed = self.evidence.global::<ListRegions>();
        regions.extend(listed.arrived().into_iter().flat_map(|list| list.enabled().map(str::to_owned)));
        if regions.is_empty() {
            // So that what was not collected is missing somewhere.
            regions.insert(fallback.to_owned());
        }
        self.evidence.regions = regions;
    }

    /// The call that a file about one resource answers.
    fn resource(&mut self, answer: &Answer, fallback: &str) -> Option<CallId> {
        let operation = answer.operation;
        let regional = operation.scope().is_regional();
        let told = answer.region.clone().or_else(|| region_inside(answer));
        let region = regional.then(|| told.clone().unwrap_or_else(|| fallback.to_owned()));
        let call = |resource: &str, region: Option<String>| {
            Some(CallId { operation, region, resource: Some(resource.to_owned()) })
        };
        let candidates = self.candidates(operation, region.as_deref());
        let inside = answer.outcome.arrived().and_then(|document| resource_inside(document, &candidates));
        if let Some(resource) = inside {
            let known = candidates.iter().find(|candidate| candidate.resource == resource);
            return call(&resource, known.map_or(region, |candidate| candidate.region.clone()));
        }
        for hint in answer.resource_hints.iter().rev() {
            let named = candidates.iter().find(|candidate| is_called(operation, candidate, hint));
            if let Some(candidate) = named {
                return call(&candidate.resource, candidate.region.clone());
            }
        }
        if let [candidate] = candidates.as_slice() {
            self.note(&answer.file, format!("it does not say its resource; taken for {}", candidate.resource), false);
            return call(&candidate.resource, candidate.region.clone());
        }
        // Nothing lists the resources: a folder below that of the service can only be one of them.
        let folders: Vec<&str> = answer.file.split('/').rev().skip(1).take(2).collect();
        match folders.as_slice() {
            [folder, service] if *service == operation.service().cli_name() => {
                let name = percent_decode_str(folder).decode_utf8_lossy().into_owned();
                call(&name, region)
            }
            _ => None,
        }
    }

    /// The resources that an operation is asked about.
    fn candidates(&self, operation: Operation, region: Option<&str>) -> Vec<Candidate> {
        use Operation as Op;
        let global = |resource: String| Candidate { resource, region: None };
        let regional = |resource: String| Candidate { resource, region: region.map(str::to_owned) };
        let evidence = &*self.evidence;
        match operation {
            Op::CloudTrailGetTrailStatus | Op::CloudTrailGetEventSelectors => trails(evidence),
            Op::ConfigGetComplianceDetailsByConfigRule => {
                let rules = evidence.regional::<DescribeConfigRules>(region.unwrap_or_default());
                let rules = rules.arrived().into_iter().flat_map(|list| &list.config_rules);
                rules.filter_map(|rule| rule.config_rule_name.clone()).map(regional).collect()
            }
            Op::ConfigGetResourceConfigHistory => {
                let selected = evidence.regional::<SelectResourceConfig>(region.unwrap_or_default());
                let changes = selected.collected().map(|told| LastChanges::of(told));
                let details: Vec<_> = (evidence.calls_of(Op::ConfigGetComplianceDetailsByConfigRule))
                    .filter(|(call, _)| call.region.as_deref() == region)
                    .map(|(call, _)| evidence.get::<ComplianceDetails>(call))
                    .collect();
                let told = details.iter().filter_map(|outcome| outcome.arrived().copied());
                let limit = evidence.run.config_history as usize;
                subjects(told, changes.as_ref(), evidence.run.period).into_iter().take(limit).map(regional).collect()
            }
            Op::ConfigDescribeConformancePackCompliance | Op::ConfigGetConformancePackComplianceDetails => {
                let packs = evidence.regional::<DescribeConformancePacks>(region.unwrap_or_default());
                let packs = packs.arrived().into_iter().flat_map(|list| &list.conformance_pack_details);
                packs.filter_map(|pack| pack.conformance_pack_name.clone()).map(regional).collect()
            }
            Op::IamGetOpenIdConnectProvider => {
                let providers = evidence.global::<ListOpenIdConnectProviders>();
                let providers = providers.arrived().into_iter().flat_map(|list| &list.open_id_connect_provider_list);
                providers.filter_map(|provider| provider.arn.clone()).map(global).collect()
            }
            Op::IamGetPolicy | Op::IamGetPolicyVersion => {
                let details = evidence.global::<AuthorizationDetails>();
                let left_out = details.arrived().map(|details| details.policies_left_out());
                left_out.into_iter().flatten().map(global).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Takes out what belongs to Regions that the user did not name. A trail is asked about at home, wherever that is.
    fn leave_out_other_regions(&mut self) {
        if self.evidence.run.regions.is_none() {
            return;
        }
        let outside = |call: &CallId| {
            let of_trail = call.operation.scope().is_per_resource()
                && call.operation.service() == crate::evidence::Service::CloudTrail;
            !of_trail && call.region.as_ref().is_some_and(|region| !self.evidence.regions.contains(region))
        };
        let left_out: Vec<CallId> =
            self.evidence.calls().map(|(call, _)| call).filter(|call| outside(call)).cloned().collect();
        for call in left_out {
            self.evidence.remove(&call);
            if let Some(file) = self.told.remove(&call) {
                self.note(&file, "it is of a Region that is not in scope".to_owned(), false);
            }
        }
    }

    /// Every call that was planned and that no file answers is missing.
    fn expect(&mut self) {
        let regions = self.evidence.regions.clone();
        for operation in self.planned.iter().copied() {
            match operation {
                // Whoever has the report has made it.
                Operation::IamGenerateCredentialReport => continue,
                // The user has said which Regions there are to look at.
                Operation::AccountListRegions if self.evidence.run.regions.is_some() => continue,
                _ => {}
            }
            let about_rules = matches!(
                operation,
                Operation::ConfigSelectResourceConfig | Operation::ConfigDescribeRemediationConfigurations
            );
            let calls: Vec<CallId> = match operation.scope() {
                Scope::Global => vec![CallId::global(operation)],
                Scope::Regional => (regions.iter())
                    // Where there are no rules, there is nothing to ask about them.
                    .filter(|region| !about_rules || !self.has_no_rules(region))
                    .map(|region| CallId::regional(operation, region))
                    .collect(),
                Scope::PerGlobalResource => self.expected_resources(operation, None),
                Scope::PerRegionalResource => {
                    let of_region = |region: &String| self.expected_resources(operation, Some(region));
                    let calls: BTreeSet<CallId> = regions.iter().flat_map(of_region).collect();
                    calls.into_iter().collect()
                }
            };
            for call in calls {
                if !self.evidence.holds(&call) {
                    let reason = format!("not among the files: looked for {}", call.document_path());
                    self.evidence.insert_any(call, Outcome::missing(Gap::not_collected(reason)));
                }
            }
        }
    }

    fn has_no_rules(&self, region: &str) -> bool {
        let rules = self.evidence.regional::<DescribeConfigRules>(region);
        rules.collected().is_some_and(|told| told.config_rules.is_empty())
    }

    fn expected_resources(&self, operation: Operation, region: Option<&str>) -> Vec<CallId> {
        let candidates = self.candidates(operation, region).into_iter();
        candidates.map(|c| CallId { operation, region: c.region, resource: Some(c.resource) }).collect()
    }
}

/// All trails, each with its home Region, in which it is asked about.
fn trails(evidence: &Evidence) -> Vec<Candidate> {
    let mut trails = BTreeMap::new();
    for (call, _) in evidence.calls_of(Operation::CloudTrailDescribeTrails) {
        let described = evidence.get::<DescribeTrails>(call);
        for trail in described.arrived().into_iter().flat_map(|list| &list.trail_list) {
            if let Some(arn) = &trail.trail_arn {
                let home = trail.home_region.clone().or_else(|| call.region.clone());
                trails.insert(arn.clone(), home);
            }
        }
    }
    trails.into_iter().map(|(resource, region)| Candidate { resource, region }).collect()
}

/// Whether a folder or a part of a file's name is that of a resource.
fn is_called(operation: Operation, candidate: &Candidate, hint: &str) -> bool {
    let call = CallId { operation, region: candidate.region.clone(), resource: Some(candidate.resource.clone()) };
    let path = call.document_path();
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    let decoded = percent_decode_str(folder).decode_utf8_lossy();
    hint == folder || hint == decoded || hint == candidate.resource
}

/// The Region that a document itself names.
fn region_inside(answer: &Answer) -> Option<String> {
    if answer.region_inside.is_some() {
        return answer.region_inside.clone();
    }
    let document = answer.outcome.arrived()?;
    let of_arn = |arn: &str| arn.split(':').nth(3).filter(|region| is_region(region)).map(str::to_owned);
    if let Some(described) = document.downcast::<DescribeTrails>() {
        // A trail of one Region is told in that Region only; one of all Regions is told in all of them.
        let local = described.trail_list.iter().find(|trail| trail.is_multi_region_trail == Some(false));
        let homes: BTreeSet<&String> = described.trail_list.iter().filter_map(|t| t.home_region.as_ref()).collect();
        let only = homes.first().filter(|_| homes.len() == 1).map(|home| (*home).clone());
        return local.and_then(|trail| trail.home_region.clone()).or(only).filter(|region| is_region(region));
    }
    let arn = if let Some(selectors) = document.downcast::<EventSelectors>() {
        selectors.trail_arn.clone()
    } else if let Some(rules) = document.downcast::<DescribeConfigRules>() {
        rules.config_rules.iter().find_map(|rule| rule.config_rule_arn.clone())
    } else if let Some(status) = document.downcast::<DescribeConfigRuleEvaluationStatus>() {
        status.config_rules_evaluation_status.iter().find_map(|rule| rule.config_rule_arn.clone())
    } else if let Some(recorders) = document.downcast::<DescribeConfigurationRecorders>() {
        recorders.configuration_recorders.iter().find_map(|recorder| recorder.arn.clone())
    } else if let Some(status) = document.downcast::<DescribeConfigurationRecorderStatus>() {
        status.configuration_recorders_status.iter().find_map(|recorder| recorder.arn.clone())
    } else if let Some(packs) = document.downcast::<DescribeConformancePacks>() {
        packs.conformance_pack_details.iter().find_map(|pack| pack.conformance_pack_arn.clone())
    } else {
        None
    };
    of_arn(&arn?)
}

/// The resource that a document itself names.
fn resource_inside(document: &AnyDocument, candidates: &[Candidate]) -> Option<String> {
    if let Some(selectors) = document.downcast::<EventSelectors>() {
        return selectors.trail_arn.clone();
    }
    if let Some(details) = document.downcast::<ComplianceDetails>() {
        let qualifier = |result: &EvaluationResult| {
            let identifier = result.evaluation_result_identifier.as_ref()?;
            identifier.evaluation_result_qualifier.as_ref()?.config_rule_name.clone()
        };
        return details.evaluation_results.iter().find_map(qualifier);
    }
    if let Some(history) = document.downcast::<ResourceConfigHistory>() {
        return history.configuration_items.iter().find_map(|item| item.resource_id.clone());
    }
    if let Some(pack) = document.downcast::<ConformancePackCompliance>() {
        return pack.conformance_pack_name.clone();
    }
    if let Some(pack) = document.downcast::<ConformancePackComplianceDetails>() {
        return pack.conformance_pack_name.clone();
    }
    if let Some(policy) = document.downcast::<GetPolicy>() {
        return policy.policy.arn.clone();
    }
    let provider = document.downcast::<OpenIdConnectProvider>()?;
    let ending = format!(":oidc-provider/{}", provider.url.as_deref()?.trim_start_matches("https://"));
    candidates.iter().find(|candidate| candidate.resource.ends_with(&ending)).map(|c| c.resource.clone())
}
