//! Which resources AWS Config is asked the compliance history of.
//!
//! AWS Config records a resource's verdicts as configuration items of a type of their own, a new one whenever a verdict
//! changes (<https://docs.aws.amazon.com/config/latest/developerguide/view-compliance-history.html>). A call for them
//! spans seven days at most, thirteen calls for a quarter, so that only those resources are asked about whose verdicts
//! changed in the period, or which do not comply and of which nothing tells since when.

use super::config::{ComplianceDetails, EvaluationResult, ResourceConfigHistory, SelectResourceConfig};
use super::run::Period;
use super::timestamp::Timestamp;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The type of the configuration items that hold verdicts.
pub const RESOURCE_COMPLIANCE: &str = "AWS::Config::ResourceCompliance";

/// The advanced query for the time of each resource's last change of a verdict
/// (<https://docs.aws.amazon.com/config/latest/developerguide/querying-AWS-resources.html>).
pub const EXPRESSION: &str = "SELECT resourceId, configurationItemCaptureTime, configuration.complianceType \
                              WHERE resourceType = 'AWS::Config::ResourceCompliance'";

/// When the verdicts on each resource last changed, by `type/id`.
#[derive(Debug, Default)]
pub struct LastChanges {
    /// The times.
    pub at: BTreeMap<String, Timestamp>,
    /// How many results of the query cannot be read.
    pub unreadable: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selected {
    resource_id: String,
    configuration_item_capture_time: Timestamp,
}

impl LastChanges {
    /// What the query told.
    pub fn of(selected: &SelectResourceConfig) -> Self {
        let mut changes = Self::default();
        for result in &selected.results {
            match serde_json::from_str::<Selected>(result) {
                Ok(Selected { resource_id, configuration_item_capture_time: at }) => {
                    let last = changes.at.entry(resource_id).or_insert(at);
                    *last = at.max(*last);
                }
                Err(_) => changes.unreadable += 1,
            }
        }
        changes
    }
}

/// The resource that a result is about, as its compliance history is named: `AWS::IAM::User/AIDAEXAMPLE`.
/// Nothing for what is only about to be deployed.
pub fn subject(result: &EvaluationResult) -> Option<String> {
    let which = result.evaluation_result_identifier.as_ref()?.evaluation_result_qualifier.as_ref()?;
    let deployed = which.evaluation_mode.as_deref() != Some("PROACTIVE");
    deployed.then_some(())?;
    Some(format!("{}/{}", which.resource_type.as_deref()?, which.resource_id.as_deref()?))
}

/// What a configuration item says of a resource: the verdict of each rule.
pub fn verdicts(configuration: &str) -> Result<BTreeMap<String, String>, String> {
    let told: Configuration = serde_json::from_str(configuration).map_err(|e| e.to_string())?;
    Ok(told.config_rule_list.into_iter().map(|of_rule| (of_rule.config_rule_name, of_rule.compliance_type)).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    #[serde(default)]
    config_rule_list: Vec<RuleVerdict>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleVerdict {
    config_rule_name: String,
    compliance_type: String,
}

/// The rules that find or found a resource that does not comply.
pub fn rules_that_found<'a>(
    details: impl IntoIterator<Item = &'a ComplianceDetails>,
    histories: impl IntoIterator<Item = &'a ResourceConfigHistory>,
) -> BTreeSet<String> {
    let now = (details.into_iter().flat_map(|told| &told.evaluation_results))
        .filter(|result| result.compliance_type.as_deref() == Some("NON_COMPLIANT"))
        .filter_map(|result| result.evaluation_result_identifier.as_ref()?.evaluation_result_qualifier.as_ref())
        .filter_map(|which| which.config_rule_name.clone());
    let before = (histories.into_iter().flat_map(|told| &told.configuration_items))
        .filter_map(|item| verdicts(item.configuration.as_deref()?).ok())
        .flat_map(|verdicts| verdicts.into_iter().filter(|(_, verdict)| verdict == "NON_COMPLIANT"))
        .map(|(rule, _)| rule);
    now.chain(before).collect()
}

/// The resources of a Region whose history is to be asked: those that do not comply first.
pub fn subjects<'a>(
    details: impl IntoIterator<Item = &'a ComplianceDetails>,
    changes: Option<&LastChanges>,
    period: Period,
) -> Vec<String> {
    let failed: BTreeSet<String> = (details.into_iter().flat_map(|told| &told.evaluation_results))
        .filter(|result| result.compliance_type.as_deref() == Some("NON_COMPLIANT"))
        .filter_map(subject)
        .collect();
    let changed_before =
        |id: &String| changes.and_then(|changes| changes.at.get(id)).is_some_and(|last| *last < period.from);
    let changed = changes.into_iter().flat_map(|changes| &changes.at);
    let others = changed.filter(|(id, last)| **last >= period.from && !failed.contains(*id)).map(|(id, _)| id.clone());
    failed.iter().filter(|id| !changed_before(id)).cloned().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_in_the_period_or_failed_for_an_unknown_time_is_asked_about() {
        let time = |text| Timestamp::parse(text).unwrap();
        let period = Period { from: time("2026-07-01T00:00:00Z"), to: time("2026-09-30T00:00:00Z") };
        let result = |id: &str, verdict: &str| {
            format!(
                r#"{{"EvaluationResultIdentifier":{{"EvaluationResultQualifier":{{"ConfigRuleName":"r",
                "ResourceType":"T","ResourceId":"{id}"}}}},"ComplianceType":"{verdict}"}}"#
            )
        };
        let results =
            [("old", "NON_COMPLIANT"), ("new", "NON_COMPLIANT"), ("unheard", "NON_COMPLIANT"), ("ok", "COMPLIANT")];
        let results: Vec<String> = results.iter().map(|(id, verdict)| result(id, verdict)).collect();
        let details: ComplianceDetails =
            serde_json::from_str(&format!(r#"{{"EvaluationResults":[{}]}}"#, results.join(","))).unwrap();
        let selected =
            |id: &str, at: &str| format!(r#"{{"resourceId":"T/{id}","configurationItemCaptureTime":"{at}"}}"#);
        let selected = SelectResourceConfig {
            results: vec![
                selected("old", "2026-01-01T00:00:00.000Z"),
                selected("new", "2026-08-01T00:00:00.000Z"),
                selected("ok", "2026-08-01T00:00:00.000Z"),
                selected("always-ok", "2026-01-01T00:00:00.000Z"),
                "nonsense".to_owned(),
            ],
        };
        let changes = LastChanges::of(&selected);
        assert_eq!(changes.unreadable, 1);
        assert_eq!(subjects([&details], Some(&changes), period), ["T/new", "T/unheard", "T/ok"]);
        assert_eq!(subjects([&details], None, period), ["T/new", "T/old", "T/unheard"]);
    }
}
