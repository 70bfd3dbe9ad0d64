//! How AWS Config's verdicts changed over the period: for each rule and resource, from when to when it did not comply,
//! and did.
//!
//! AWS Config's lists tell today's verdicts only. The history is read from the configuration items that it records
//! whenever a verdict changes; where nothing changed in the period, today's verdict is that of the whole period.

use super::build::{Row, Source, population};
use super::input::Input;
use super::{Kind, Population, Unknown};
use crate::evidence::compliance_history::{LastChanges, subject, subjects, verdicts};
use crate::evidence::config::{
    ComplianceDetails, ConfigurationItem, DescribeConfigRules, DescribeRemediationConfigurations,
    ResourceConfigHistory, SelectResourceConfig,
};
use crate::evidence::{CallId, Operation, Period, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long a verdict held.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Interval {
    verdict: String,
    from: Timestamp,
    /// Whether it is recorded that it began then; else it is known to have held from then on.
    begins: bool,
    /// When it ended, if that is recorded.
    to: Option<Timestamp>,
    /// Whether it still holds.
    lasts: bool,
}

/// Today's verdict of a rule, and when it was recorded.
type Today<'a> = BTreeMap<&'a str, (&'a str, Option<Timestamp>)>;

/// The intervals of all rules and resources that are or were not in compliance in the period.
pub(super) fn intervals(input: &Input<'_>) -> Population {
    let mut all = Intervals {
        input,
        documents: input.regions.source.document().into_iter().collect(),
        gaps: input.regions.gap().into_iter().collect(),
        rows: Vec::new(),
    };
    for region in &input.regions.names {
        all.region(region);
    }
    population(Kind::ComplianceInterval, all.rows, all.gaps, all.documents)
}

struct Intervals<'a> {
    input: &'a Input<'a>,
    documents: Vec<crate::finding::Pointer>,
    gaps: Vec<Arc<Unknown>>,
    rows: Vec<Row>,
}

impl Intervals<'_> {
    fn region(&mut self, region: &str) {
        let evidence = self.input.evidence;
        let rules = Source::<DescribeConfigRules>::regional(evidence, region);
        self.documents.extend(rules.document());
        self.gaps.extend(rules.gap().cloned());
        let shown = (rules.arrived().into_iter().flat_map(|told| &told.config_rules))
            .filter(|rule| rule.rule_evaluation_visibility.as_deref() != Some("INTERNAL"))
            .filter_map(|rule| rule.config_rule_name.as_deref());
        let details: BTreeMap<&str, Source<'_, ComplianceDetails>> = shown
            .map(|name| {
                let call = CallId::regional(Operation::ConfigGetComplianceDetailsByConfigRule, region).about(name);
                (name, Source::of(evidence, call))
            })
            .collect();
        if details.is_empty() {
            return;
        }
        let mut today: BTreeMap<String, Today<'_>> = BTreeMap::new();
        for (rule, source) in &details {
            self.documents.extend(source.document());
            self.gaps.extend(source.gap().cloned());
            for result in source.arrived().into_iter().flat_map(|told| &told.evaluation_results) {
                if let (Some(id), Some(verdict)) = (subject(result), result.compliance_type.as_deref()) {
                    today.entry(id).or_default().insert(rule, (verdict, result.result_recorded_time));
                }
            }
        }
        let selected = Source::<SelectResourceConfig>::regional(evidence, region);
        self.documents.extend(selected.document());
        self.gaps.extend(selected.gap().cloned());
        // Without it, nobody knows whether a verdict of today is that of the whole period.
        let Ok(changes) = selected.whole().map(LastChanges::of) else { return };
        if changes.unreadable > 0 {
            self.gaps.push(selected.unknown(format!("{} of its results cannot be read", changes.unreadable)));
        }
        let period = evidence.run.period;
        let told = details.values().filter_map(Source::arrived);
        let worth = subjects(told, Some(&changes), period);
        let limit = evidence.run.config_history as usize;
        if worth.len() > limit {
            let reason = format!(
                "the history of {} of {} resources was not asked for (--config-history {limit})",
                worth.len() - limit,
                worth.len()
            );
            self.gaps.push(history(evidence, region, "others").unknown(reason));
        }
        let asked: BTreeSet<&str> = worth.iter().take(limit).map(String::as_str).collect();
        let failed = today.iter().filter(|(_, rules)| rules.values().any(|(verdict, _)| *verdict == "NON_COMPLIANT"));
        let ids: BTreeSet<&str> = failed.map(|(id, _)| id.as_str()).chain(asked.iter().copied()).collect();
        let remediation = Source::<DescribeRemediationConfigurations>::regional(evidence, region);
        let nothing = Today::new();
        for id in ids {
            let now = today.get(id).unwrap_or(&nothing);
            let steady = changes.at.get(id).is_some_and(|at| *at < period.from);
            let source = history(evidence, region, id);
            let mut items = Vec::new();
            if asked.contains(id) {
                self.documents.extend(source.document());
                if let Some(gap) = source.gap().filter(|_| !source.is_absent()) {
                    self.gaps.push(gap.clone());
                    continue;
                }
                let recorded = source.arrived().map_or(&[][..], |told| &told.configuration_items);
                let read: Result<Vec<Item>, _> = recorded.iter().map(Item::read).collect();
                match read {
                    Ok(read) => items = read,
                    Err(reason) => {
                        self.gaps.push(source.unknown(reason));
                        continue;
                    }
                }
            }
            items.sort_by_key(|item| item.at);
            for (rule, intervals) in over_time(&items, now, steady, period) {
                // Whether a verdict lasts, only the whole list of today's tells; that there is no rule of the name any
                // more, only the whole list of rules.
                let told = details.get(rule.as_str()).map_or(rules.gap().is_none(), |source| source.whole().is_ok());
                if told && intervals.iter().any(|interval| interval.verdict == "NON_COMPLIANT") {
                    let place = Place { region, rule: &rule, id };
                    let rows = intervals.iter().map(|interval| {
                        let mut row = place.row(interval, self.input.as_of(), &remediation);
                        row.seen_in(&source);
                        if let Some(source) = details.get(rule.as_str()) {
                            row.seen_in(source);
                        }
                        row
                    });
                    self.rows.extend(rows.collect::<Vec<_>>());
                }
            }
        }
    }
}

fn history<'a>(evidence: &'a crate::evidence::Evidence, region: &str, id: &str) -> Source<'a, ResourceConfigHistory> {
    Source::of(evidence, CallId::regional(Operation::ConfigGetResourceConfigHistory, region).about(id))
}

/// What a configuration item says of a resource's verdicts at a time; none where the resource or its recording ended.
struct Item {
    at: Timestamp,
    rules: BTreeMap<String, String>,
}

impl Item {
    fn read(item: &ConfigurationItem) -> Result<Self, String> {
        let at = item.configuration_item_capture_time.ok_or("an item does not tell when it was captured")?;
        let status = item.configuration_item_status.as_deref().unwrap_or_default();
        let ends = matches!(status, "ResourceDeleted" | "ResourceNotRecorded" | "ResourceDeletedNotRecorded");
        let rules = match item.configuration.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            _ if ends => BTreeMap::new(),
            Some(text) => verdicts(text).map_err(|e| format!("the item of {at} cannot be read: {e}"))?,
            None => return Err(format!("the item of {at} tells no configuration")),
        };
        Ok(Self { at, rules })
    }
}

/// The intervals of each rule, oldest first, from the items in the order of time and today's verdicts.
fn over_time(items: &[Item], today: &Today<'_>, steady: bool, period: Period) -> BTreeMap<String, Vec<Interval>> {
    let mut all: BTreeMap<String, Vec<Interval>> = BTreeMap::new();
    for (number, item) in items.iter().enumerate() {
        for (rule, intervals) in &mut all {
            // A rule that an item does not name has no verdict any more.
            if let Some(open) = intervals.last_mut().filter(|open| open.lasts)
                && item.rules.get(rule) != Some(&open.verdict)
            {
                open.to = Some(item.at);
                open.lasts = false;
            }
        }
        for (rule, verdict) in &item.rules {
            let intervals = all.entry(rule.clone()).or_default();
            if intervals.last().is_none_or(|open| !open.lasts) {
                // Of what was before the first item, nothing is told.
                let begins = number > 0;
                let from = item.at;
                intervals.push(Interval { verdict: verdict.clone(), from, begins, to: None, lasts: true });
            }
        }
    }
    for (rule, (verdict, recorded)) in today {
        let intervals = all.entry((*rule).to_owned()).or_default();
        match intervals.last_mut() {
            Some(open) if open.lasts && open.verdict == *verdict => continue,
            Some(open) if open.lasts => {
                // Recorded later than the last item.
                open.lasts = false;
                open.to = *recorded;
            }
            _ => {}
        }
        let earliest = intervals.last().map_or(period.from, |last| last.to.unwrap_or(last.from));
        let from = match recorded {
            // Nothing changed in the period.
            _ if steady => period.from,
            Some(recorded) => (*recorded).max(earliest),
            None => earliest,
        };
        let verdict = (*verdict).to_owned();
        intervals.push(Interval { verdict, from, begins: false, to: None, lasts: true });
    }
    for (rule, intervals) in &mut all {
        // A verdict that is no longer listed has ended, nobody says when.
        if let Some(open) = intervals.last_mut().filter(|open| open.lasts && !today.contains_key(rule.as_str())) {
            open.lasts = false;
        }
        intervals.retain(|interval| interval.from <= period.to);
    }
    all
}

/// Where an interval belongs.
struct Place<'a> {
    region: &'a str,
    rule: &'a str,
    id: &'a str,
}

impl Place<'_> {
    fn row(
        &self,
        interval: &Interval,
        as_of: Timestamp,
        remediation: &Source<'_, DescribeRemediationConfigurations>,
    ) -> Row {
        let Place { region, rule, id } = self;
        let from = interval.from.zulu();
        let label = format!("{id} by {rule} from {from}");
        let mut row =
            Row::new(Kind::ComplianceInterval, &format!("{region} {rule} {id} {from}"), Some(&label), Some(region));
        let (kind, resource) = id.split_once('/').unwrap_or(("", id));
        row.known("rule", *rule);
        row.known("resource_type", kind);
        row.known("resource_id", resource);
        row.known("verdict", interval.verdict.as_str());
        row.known("from", from);
        row.known("begins", interval.begins);
        row.known("to", interval.to.map(Timestamp::zulu));
        row.known("lasts", interval.lasts);
        row.known("days", interval.from.days_until(interval.to.unwrap_or(as_of)).max(0));
        row.set("remediation", document(remediation, rule));
        row
    }
}

/// The document that AWS Config runs where a rule finds a resource that does not comply.
fn document(source: &Source<'_, DescribeRemediationConfigurations>, rule: &str) -> super::build::Fact<Option<String>> {
    let told = source.whole()?;
    let mut of_rule = told.remediation_configurations.iter().filter(|r| r.config_rule_name.as_deref() == Some(rule));
    Ok(of_rule.next().map(|remediation| {
        let by_itself = if remediation.automatic == Some(true) { "automatic" } else { "by hand" };
        format!("{} ({by_itself})", remediation.target_id.as_deref().unwrap_or("a document without a name"))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn item(at: &str, rules: &[(&str, &str)]) -> Item {
        let list: Vec<_> = rules
            .iter()
            .map(|(name, verdict)| serde_json::json!({"configRuleName": name, "complianceType": verdict}))
            .collect();
        let status = if rules.is_empty() { "ResourceDeleted" } else { "OK" };
        Item::read(&ConfigurationItem {
            configuration_item_capture_time: Some(time(at)),
            configuration_item_status: Some(status.to_owned()),
            configuration: Some(serde_json::json!({"configRuleList": list}).to_string()),
            ..Default::default()
        })
        .unwrap()
    }

    fn told(all: &BTreeMap<String, Vec<Interval>>, rule: &str) -> Vec<String> {
        let word = |i: &Interval| {
            let to = i.to.map_or("?".to_owned(), |to| to.zulu()[5..10].to_owned());
            let (begins, lasts) = (if i.begins { "" } else { "<" }, if i.lasts { ">" } else { "" });
            format!("{} {begins}{} {to}{lasts}", i.verdict, &i.from.zulu()[5..10])
        };
        all.get(rule).into_iter().flatten().map(word).collect()
    }

    const PERIOD: fn() -> Period = || Period { from: time("2026-07-01T00:00:00Z"), to: time("2026-09-30T00:00:00Z") };

    #[test]
    fn each_change_of_a_verdict_ends_an_interval_and_begins_another() {
        let items = [
            item("2026-07-10T00:00:00Z", &[("mfa", "COMPLIANT"), ("keys", "NON_COMPLIANT")]),
            item("2026-08-01T00:00:00Z", &[("mfa", "NON_COMPLIANT"), ("keys", "NON_COMPLIANT")]),
            item("2026-08-20T00:00:00Z", &[("mfa", "COMPLIANT")]),
        ];
        let today = Today::from([("mfa", ("COMPLIANT", Some(time("2026-09-29T00:00:00Z"))))]);
        let all = over_time(&items, &today, false, PERIOD());
        assert_eq!(told(&all, "mfa"), ["COMPLIANT <07-10 08-01", "NON_COMPLIANT 08-01 08-20", "COMPLIANT 08-20 ?>"]);
        assert_eq!(told(&all, "keys"), ["NON_COMPLIANT <07-10 08-20"], "an item that names it no more ends it");
    }

    #[test]
    fn what_never_changed_held_for_the_whole_period_and_what_nobody_recorded_from_its_last_result_on() {
        let today = Today::from([("mfa", ("NON_COMPLIANT", Some(time("2026-09-29T00:00:00Z"))))]);
        assert_eq!(told(&over_time(&[], &today, true, PERIOD()), "mfa"), ["NON_COMPLIANT <07-01 ?>"]);
        assert_eq!(told(&over_time(&[], &today, false, PERIOD()), "mfa"), ["NON_COMPLIANT <09-29 ?>"]);
    }

    #[test]
    fn a_deleted_resource_a_vanished_verdict_and_a_verdict_after_the_last_item_end_what_held() {
        let failed = |at: &str| item(at, &[("mfa", "NON_COMPLIANT")]);
        let deleted = [failed("2026-07-10T00:00:00Z"), item("2026-08-01T00:00:00Z", &[])];
        let none = Today::new();
        assert_eq!(told(&over_time(&deleted, &none, false, PERIOD()), "mfa"), ["NON_COMPLIANT <07-10 08-01"]);
        let vanished = [failed("2026-07-10T00:00:00Z")];
        assert_eq!(told(&over_time(&vanished, &none, false, PERIOD()), "mfa"), ["NON_COMPLIANT <07-10 ?"]);
        let today = Today::from([("mfa", ("COMPLIANT", Some(time("2026-08-05T00:00:00Z"))))]);
        let all = over_time(&vanished, &today, false, PERIOD());
        assert_eq!(told(&all, "mfa"), ["NON_COMPLIANT <07-10 08-05", "COMPLIANT <08-05 ?>"]);
    }

    #[test]
    fn an_item_that_cannot_be_read_is_said() {
        let broken = ConfigurationItem {
            configuration_item_capture_time: Some(time("2026-07-10T00:00:00Z")),
            configuration: Some("{\"configRuleList\": [{}]}".to_owned()),
            ..Default::default()
        };
        assert!(Item::read(&broken).is_err_and(|reason| reason.contains("configRuleName")));
        assert!(Item::read(&ConfigurationItem::default()).is_err());
    }
}
