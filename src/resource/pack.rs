//! Conformance packs, rule by rule.

use super::build::{Fact, Row, Source, population, sorted};
use super::config::noncompliant;
use super::input::Input;
use super::{Kind, Population};
use crate::evidence::config::{
    ConfigRule, ConformancePack, ConformancePackCompliance, ConformancePackComplianceDetails, DescribeConfigRules,
    DescribeConformancePacks, EvaluationResult, PackRuleCompliance,
};
use crate::evidence::{CallId, Operation};
use std::collections::HashMap;
use std::sync::Arc;

/// All rules of all conformance packs of the Regions in scope.
pub(super) fn rules(input: &Input<'_>) -> Population {
    let mut documents: Vec<_> = input.regions.source.document().into_iter().collect();
    let mut gaps: Vec<_> = input.regions.gap().into_iter().collect();
    let mut rows = Vec::new();
    for region in &input.regions.names {
        let packs = Source::<DescribeConformancePacks>::regional(input.evidence, region);
        documents.extend(packs.document());
        gaps.extend(packs.gap().cloned());
        let list = packs.arrived().map_or(&[][..], |told| &told.conformance_pack_details);
        if list.is_empty() {
            continue;
        }
        let rules = Source::<DescribeConfigRules>::regional(input.evidence, region);
        let by_name: HashMap<&str, &ConfigRule> = rules.arrived().map_or_else(HashMap::new, |told| {
            told.config_rules.iter().filter_map(|rule| Some((rule.config_rule_name.as_deref()?, rule))).collect()
        });
        for (at, pack) in list.iter().enumerate() {
            let Some(name) = pack.conformance_pack_name.as_deref() else {
                gaps.push(packs.unknown(format!("the answer does not tell the name of pack number {at}")));
                continue;
            };
            let call = CallId::regional(Operation::ConfigDescribeConformancePackCompliance, *region).about(name);
            let verdicts = Source::<ConformancePackCompliance>::of(input.evidence, call);
            let call = CallId::regional(Operation::ConfigGetConformancePackComplianceDetails, *region).about(name);
            let details = Source::<ConformancePackComplianceDetails>::of(input.evidence, call);
            documents.extend(verdicts.document());
            gaps.extend(verdicts.gap().cloned());
            let pack = Pack { region, name, pack, place: packs.at(format!("/ConformancePackDetails/{at}")), details };
            let told = verdicts.arrived().map_or(&[][..], |told| &told.conformance_pack_rule_compliance_list);
            rows.extend(told.iter().enumerate().map(|(at, rule)| pack.row(&verdicts, at, rule, &rules, &by_name)));
        }
    }
    population(Kind::PackRule, rows, gaps, documents)
}

struct Pack<'a> {
    region: &'a str,
    name: &'a str,
    pack: &'a ConformancePack,
    place: crate::finding::Pointer,
    details: Source<'a, ConformancePackComplianceDetails>,
}

impl Pack<'_> {
    fn row(
        &self,
        verdicts: &Source<'_, ConformancePackCompliance>,
        at: usize,
        told: &PackRuleCompliance,
        rules: &Source<'_, DescribeConfigRules>,
        by_name: &HashMap<&str, &ConfigRule>,
    ) -> Row {
        let rule = told.config_rule_name.as_deref();
        let title = rule.map_or_else(|| format!("rule number {at}"), str::to_owned);
        let pack = self.pack.conformance_pack_arn.as_deref().unwrap_or(self.name);
        let label = format!("{title} of pack {}", self.name);
        let mut row = Row::new(Kind::PackRule, &format!("{pack} {title}"), Some(&label), Some(self.region));
        row.seen(Operation::ConfigDescribeConformancePacks, self.place.clone());
        let place = verdicts.at(format!("/ConformancePackRuleComplianceList/{at}"));
        row.seen(Operation::ConfigDescribeConformancePackCompliance, place);
        row.seen_in(&self.details);
        row.known("pack", self.name);
        row.set("rule", verdicts.told(rule, "the rule's name"));
        row.known("created_by", self.pack.created_by.as_deref());
        row.set(
            "source_identifier",
            match rule.and_then(|rule| by_name.get(rule)) {
                Some(rule) => Ok(rule.source.as_ref().and_then(|source| source.source_identifier.as_deref())),
                None => Err(rules.not_listed("the rule")),
            },
        );
        row.set("compliance", compliance(verdicts, told.compliance_type.as_deref()));
        let failed: Fact<Vec<String>> = self.details.whole().and_then(|all| {
            let own = |result: &&EvaluationResult| {
                let identifier = result.evaluation_result_identifier.as_ref();
                let qualifier = identifier.and_then(|which| which.evaluation_result_qualifier.as_ref());
                qualifier.and_then(|qualifier| qualifier.config_rule_name.as_deref()) == rule
            };
            let own: Vec<EvaluationResult> =
                all.conformance_pack_rule_evaluation_results.iter().filter(own).cloned().collect();
            Ok(sorted(noncompliant(&self.details, &own)?.into_iter().filter_map(|(id, failed)| failed.then_some(id))))
        });
        row.set("noncompliant_resources", failed);
        row
    }
}

fn compliance(source: &Source<'_, ConformancePackCompliance>, word: Option<&str>) -> Fact<String> {
    let because = |reason: &str| Err::<String, Arc<_>>(source.unknown(reason));
    match word {
        Some(word @ ("COMPLIANT" | "NON_COMPLIANT")) => Ok(word.to_owned()),
        Some("INSUFFICIENT_DATA") => {
            because("AWS Config has insufficient data: the rule was not evaluated, or no resource matches it")
        }
        Some(word) => because(&format!("`{word}` is no verdict that auditpack knows")),
        None => because("the answer tells no verdict"),
    }
}
