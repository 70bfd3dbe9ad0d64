//! AWS Config's own verdicts: those that stand beside a check's, and how far one may be relied on.

use crate::controls::{Check, Controls};
use crate::evidence::{CallId, Evidence, Operation};
use crate::finding::{ConfigRule, ConfigVerdict, ResourceVerdict, Text};
use crate::resource::{ConfigNames, Field, FieldValue, Kind, Resource, Resources, Unknown, Value, rule_results};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a deployed rule says.
pub(super) struct RuleVerdict {
    rule: Arc<ConfigRule>,
    /// By AWS Config's type and id, or not known.
    results: Option<HashMap<Text, Text>>,
}

impl RuleVerdict {
    /// As it stands beside a finding about a resource, or about a population as a whole.
    fn about(&self, names: &[Text]) -> ConfigVerdict {
        let rule = Arc::clone(&self.rule);
        let Some(first) = names.first() else { return ConfigVerdict { rule, resource: None } };
        let found =
            self.results.as_ref().and_then(|all| names.iter().find_map(|name| Some((name, all.get(name)?.clone()))));
        let (id, compliance) = match (&self.results, found) {
            (_, Some(told)) => told,
            (Some(_), None) => (first, "none".into()),
            (None, None) => (first, "unknown".into()),
        };
        ConfigVerdict { rule, resource: Some(ResourceVerdict { id: id.clone(), compliance }) }
    }
}

/// The rules that are deployed, by what they ask.
pub(super) struct AwsConfig<'a> {
    resources: &'a Resources,
    /// Hours within which a rule must have evaluated.
    max_hours: Option<i64>,
    names: ConfigNames,
    rules: BTreeMap<String, Vec<RuleVerdict>>,
}

impl<'a> AwsConfig<'a> {
    pub(super) fn new(evidence: &Evidence, resources: &'a Resources, controls: &Controls) -> Self {
        let asked = |identifier: &str| {
            controls.checks.values().any(|check| check.config_rules.iter().any(|rule| rule == identifier))
        };
        let mut rules: BTreeMap<String, Vec<RuleVerdict>> = BTreeMap::new();
        let population = resources.populations.get(&Kind::ConfigRule);
        for rule in population.map(|population| population.rows.as_slice()).unwrap_or_default() {
            let Some(identifier) = text(rule, "source_identifier").filter(|id| asked(id)) else { continue };
            let region = rule.region.clone().unwrap_or_default();
            let results = rule_results(evidence, &region, &rule.name).ok();
            let results = results.map(|all| all.into_iter().map(|(id, told)| (id.into(), told.into())).collect());
            let compliance = text(rule, "compliance").unwrap_or("unknown").into();
            let identifier = identifier.to_owned();
            let of = ConfigRule { identifier: identifier.clone(), rule: rule.name.clone(), region, compliance };
            rules.entry(identifier).or_default().push(RuleVerdict { rule: Arc::new(of), results });
        }
        for of_one in rules.values_mut() {
            of_one.sort_by(|a, b| a.rule.cmp(&b.rule));
        }
        let max_hours = match controls.settings.parameters.get("config_rule_max_hours") {
            Some(Value::Int(hours)) => Some(*hours),
            _ => None,
        };
        Self { resources, max_hours, names: ConfigNames::of(evidence), rules }
    }

    /// What the rules that ask the same as a check say about the resource with one of these names, or about all where there
    /// are none, Region by Region.
    pub(super) fn verdicts(&self, check: &Check, names: &[Text]) -> Box<[ConfigVerdict]> {
        let asked = check.config_rules.iter().filter_map(|identifier| self.rules.get(identifier)).flatten();
        let mut verdicts: Vec<ConfigVerdict> = asked.map(|rule| rule.about(names)).collect();
        verdicts.sort();
        verdicts.dedup();
        verdicts.into()
    }

    /// How AWS Config calls a resource, as it may be written; nothing where no rule could say anything about it.
    pub(super) fn names(&self, resource: &Resource) -> Vec<Text> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        self.names.of_resource(resource).into_iter().map(Into::into).collect()
    }

    /// Why COMPLIANT from a rule does not say what it seems to: the verdict may be old, or be of a part only.
    pub(super) fn doubts(&self, rule: &Resource) -> Vec<(String, Unknown)> {
        let doubts = [self.recorder_stopped(rule), self.stale(rule), narrowed(rule)];
        doubts.into_iter().flatten().map(|gap| ("compliance".to_owned(), gap)).collect()
    }

    /// Where the Region's recorder does not run, AWS Config sees no change.
    fn recorder_stopped(&self, rule: &Resource) -> Option<Unknown> {
        let region = rule.region.as_deref()?;
        let recorders = self.resources.populations.get(&Kind::Recorder)?;
        let recorder = recorders.rows.iter().find(|row| row.region.as_deref() == Some(region))?;
        let field: &Field = Kind::Recorder.field("recording")?;
        match recorder.fields.get(field.name) {
            Some(FieldValue::Known(Value::Bool(true))) => None,
            Some(FieldValue::Unknown(unknown)) => Some(Unknown::clone(unknown)),
            _ => Some(Unknown {
                call: CallId::regional(Operation::ConfigDescribeConfigurationRecorderStatus, region),
                reason: "the Region's recorder does not run, so that the verdict may be old".to_owned(),
            }),
        }
    }

    /// A rule that has not evaluated for long. Where only changes trigger it, nothing tells that there was none.
    fn stale(&self, rule: &Resource) -> Option<Unknown> {
        let (max, region) = (self.max_hours?, rule.region.as_deref()?);
        let reason = match rule.fields.get("last_success_hours")? {
            FieldValue::Unknown(unknown) => return Some(Unknown::clone(unknown)),
            FieldValue::Known(Value::Int(hours)) if *hours <= max => return None,
            FieldValue::Known(Value::Int(hours)) => format!(
                "the rule last evaluated {hours} hours ago, so that the verdict may be old (config_rule_max_hours is \
                 {max}; aws configservice start-config-rules-evaluation runs it)"
            ),
            FieldValue::Known(_) => "the rule never evaluated successfully".to_owned(),
        };
        Some(Unknown { call: CallId::regional(Operation::ConfigDescribeConfigRuleEvaluationStatus, region), reason })
    }
}

/// A rule that looks at some resources only says nothing about the others.
fn narrowed(rule: &Resource) -> Option<Unknown> {
    let to = text(rule, "narrowed_to")?;
    let region = rule.region.as_deref()?;
    Some(Unknown {
        call: CallId::regional(Operation::ConfigDescribeConfigRules, region),
        reason: format!("the rule's scope is narrowed to {to}, so that it says nothing about other resources"),
    })
}

fn text<'r>(row: &'r Resource, field: &str) -> Option<&'r str> {
    match row.fields.get(field).and_then(FieldValue::known) {
        Some(Value::Text(text)) => Some(text.as_str()),
        _ => None,
    }
}
