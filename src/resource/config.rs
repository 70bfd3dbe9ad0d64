//! AWS Config: the recorder of each Region, and the Config rules.

use super::build::{Fact, Row, Source, population, sorted};
use super::document;
use super::input::Input;
use super::{Kind, Population};
use crate::evidence::config::{
    ComplianceByConfigRule, ComplianceDetails, ConfigRule, ConfigurationRecorder, DeliveryChannel,
    DeliveryChannelStatus, DescribeComplianceByConfigRule, DescribeConfigRuleEvaluationStatus, DescribeConfigRules,
    DescribeConfigurationRecorderStatus, DescribeConfigurationRecorders, DescribeDeliveryChannelStatus,
    DescribeDeliveryChannels, DescribeRetentionConfigurations, EvaluationResult, RecordingGroup, RuleEvaluationStatus,
};
use crate::evidence::{CallId, Document, Operation};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// IAM's resource types, which are global.
const IAM_TYPES: [&str; 4] = ["AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::Policy"];

/// Where AWS Config can record IAM's types: the Regions that it served before February 2022
/// (<https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html>). Regions that came later cannot.
const RECORDS_IAM: [&str; 26] = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ca-central-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// One row for each Region, whether it has a recorder or not.
pub(super) fn recorders(input: &Input<'_>) -> Population {
    let mut documents: Vec<_> = input.regions.source.document().into_iter().collect();
    let mut rows = Vec::new();
    for region in &input.regions.names {
        let source = Source::<DescribeConfigurationRecorders>::regional(input.evidence, region);
        documents.extend(source.document());
        rows.push(recorder(input, region, &source));
    }
    population(Kind::Recorder, rows, input.regions.gap(), documents)
}

fn recorder(input: &Input<'_>, region: &str, source: &Source<'_, DescribeConfigurationRecorders>) -> Row {
    // Recorders that other services keep for themselves are not the customer's.
    let own = source.whole().map(|told| {
        let mut list = told.configuration_recorders.iter().enumerate();
        list.find(|(_, recorder)| {
            recorder.service_principal.is_none() && recorder.recording_scope.as_deref() != Some("INTERNAL")
        })
    });
    let name = own.as_ref().ok().and_then(|own| own.and_then(|(_, recorder)| recorder.name.as_deref()));
    let title = name.map_or_else(|| format!("AWS Config in {region}"), |name| format!("{name} in {region}"));
    let mut row = Row::new(Kind::Recorder, region, Some(&title), Some(region));
    match &own {
        Ok(Some((at, _))) => {
            row.seen(
                Operation::ConfigDescribeConfigurationRecorders,
                source.at(format!("/ConfigurationRecorders/{at}")),
            );
        }
        _ => row.seen_in(source),
    }
    let own = own.map(|own| own.map(|(_, recorder)| recorder));
    row.set("exists", own.clone().map(|own| own.is_some()));
    row.set("name", own.clone().map(|own| own.and_then(|recorder| recorder.name.as_deref())));
    let group = |judge: &dyn Fn(&RecordingGroup) -> bool| match own.clone()? {
        None => Ok(false),
        Some(ConfigurationRecorder { recording_group: Some(group), .. }) => Ok(judge(group)),
        Some(_) => Err(source.unknown("the answer does not tell what the recorder records")),
    };
    row.set("all_types", group(&records_all));
    row.set("global_types", group(&|group| records_iam(group) && RECORDS_IAM.contains(&region)));
    let frequency = |recorder: &'_ ConfigurationRecorder| {
        recorder.recording_mode.as_ref().and_then(|mode| mode.recording_frequency.clone())
    };
    row.set("daily", own.clone().map(|own| own.and_then(frequency).as_deref() == Some("DAILY")));

    let status = Source::<DescribeConfigurationRecorderStatus>::regional(input.evidence, region);
    let state = status.whole().map(|told| {
        told.configuration_recorders_status.iter().enumerate().find(|(_, state)| state.service_principal.is_none())
    });
    if let Ok(Some((at, _))) = state {
        let place = status.at(format!("/ConfigurationRecordersStatus/{at}"));
        row.seen(Operation::ConfigDescribeConfigurationRecorderStatus, place);
    }
    row.set(
        "recording",
        own.and_then(|own| match (own, state.clone()?) {
            (None, _) => Ok(false),
            (Some(_), Some((_, state))) => status.told(state.recording, "whether the recorder runs"),
            (Some(_), None) => Err(status.not_listed("the recorder")),
        }),
    );
    row.set(
        "last_status",
        state.map(|state| state.and_then(|(_, state)| state.last_status.as_deref()).map(str::to_lowercase)),
    );
    delivery(input, region, &mut row);
    row
}

fn records_all(group: &RecordingGroup) -> bool {
    match strategy(group) {
        Some("ALL_SUPPORTED_RESOURCE_TYPES") => true,
        Some("EXCLUSION_BY_RESOURCE_TYPES") => excluded(group).is_empty(),
        Some(_) => false,
        // Recorders from before there were strategies.
        None => group.all_supported == Some(true),
    }
}

fn records_iam(group: &RecordingGroup) -> bool {
    match strategy(group) {
        Some("EXCLUSION_BY_RESOURCE_TYPES") => !excluded(group).iter().any(|kind| IAM_TYPES.contains(&kind.as_str())),
        Some("INCLUSION_BY_RESOURCE_TYPES") => names_iam(group),
        _ if group.all_supported == Some(true) => group.include_global_resource_types == Some(true),
        _ => names_iam(group),
    }
}

fn names_iam(group: &RecordingGroup) -> bool {
    IAM_TYPES.iter().all(|iam| group.resource_types.iter().any(|kind| kind == iam))
}

fn strategy(group: &RecordingGroup) -> Option<&str> {
    group.recording_strategy.as_ref().and_then(|strategy| strategy.use_only.as_deref())
}

fn excluded(group: &RecordingGroup) -> &[String] {
    group.exclusion_by_resource_types.as_ref().map_or(&[], |exclusion| &exclusion.resource_types)
}

fn delivery(input: &Input<'_>, region: &str, row: &mut Row) {
    let channels = Source::<DescribeDeliveryChannels>::regional(input.evidence, region);
    // There is at most one in a Region.
    let channel: Fact<Option<&DeliveryChannel>> = channels.whole().map(|told| told.delivery_channels.first());
    row.seen_in(&channels);
    row.set("delivery_channel", channel.clone().map(|channel| channel.and_then(|channel| channel.name.as_deref())));
    row.set("s3_bucket", channel.clone().map(|channel| channel.and_then(|channel| channel.s3_bucket_name.as_deref())));
    row.set("sns_topic", channel.clone().map(|channel| channel.and_then(|channel| channel.sns_topic_arn.as_deref())));
    let status = Source::<DescribeDeliveryChannelStatus>::regional(input.evidence, region);
    row.seen_in(&status);
    row.set(
        "delivering",
        channel.and_then(|channel| {
            let told = status.whole()?;
            let Some(channel) = channel else { return Ok(false) };
            let state = told.delivery_channels_status.iter().find(|state| state.name == channel.name);
            state.map(delivers).ok_or_else(|| status.not_listed("the delivery channel"))
        }),
    );
    let retention = Source::<DescribeRetentionConfigurations>::regional(input.evidence, region);
    row.seen_in(&retention);
    row.set(
        "retention_days",
        retention.whole().and_then(|told| {
            let own = told.retention_configurations.first();
            own.map(|own| retention.told(own.retention_period_in_days, "the days of retention")).transpose()
        }),
    );
}

fn delivers(state: &DeliveryChannelStatus) -> bool {
    let deliveries = [&state.config_history_delivery_info, &state.config_snapshot_delivery_info];
    let last = |word: &str| {
        deliveries.iter().any(|info| {
            let status = info.as_ref().and_then(|info| info.last_status.as_deref());
            status.is_some_and(|status| status.eq_ignore_ascii_case(word))
        })
    };
    last("SUCCESS") && !last("FAILURE")
}

/// What one Region tells about all its rules, by rule name.
struct Verdicts<'a> {
    region: &'a str,
    compliance: Source<'a, DescribeComplianceByConfigRule>,
    by_rule: HashMap<&'a str, (usize, &'a ComplianceByConfigRule)>,
    status: Source<'a, DescribeConfigRuleEvaluationStatus>,
    runs: HashMap<&'a str, (usize, &'a RuleEvaluationStatus)>,
}

/// All Config rules of the Regions in scope.
pub(super) fn rules(input: &Input<'_>) -> Population {
    let mut documents: Vec<_> = input.regions.source.document().into_iter().collect();
    let mut gaps: Vec<_> = input.regions.gap().into_iter().collect();
    let mut rows = Vec::new();
    for region in &input.regions.names {
        let source = Source::<DescribeConfigRules>::regional(input.evidence, region);
        documents.extend(source.document());
        gaps.extend(source.gap().cloned());
        let compliance = Source::<DescribeComplianceByConfigRule>::regional(input.evidence, region);
        let status = Source::<DescribeConfigRuleEvaluationStatus>::regional(input.evidence, region);
        let compliances = compliance.arrived().map_or(&[][..], |told| &told.compliance_by_config_rules);
        let runs = status.arrived().map_or(&[][..], |told| &told.config_rules_evaluation_status);
        let verdicts = Verdicts {
            region,
            by_rule: by_name(compliances, |entry| entry.config_rule_name.as_deref()),
            runs: by_name(runs, |entry| entry.config_rule_name.as_deref()),
            compliance,
            status,
        };
        for (at, rule) in source.arrived().map_or(&[][..], |told| &told.config_rules).iter().enumerate() {
            rows.push(rule_row(input, &source, at, rule, &verdicts));
        }
    }
    population(Kind::ConfigRule, rows, gaps, documents)
}

fn by_name<'a, T>(list: &'a [T], name: impl Fn(&'a T) -> Option<&'a str>) -> HashMap<&'a str, (usize, &'a T)> {
    list.iter().enumerate().filter_map(|(at, entry)| Some((name(entry)?, (at, entry)))).collect()
}

fn rule_row(
    input: &Input<'_>,
    source: &Source<'_, DescribeConfigRules>,
    at: usize,
    rule: &ConfigRule,
    verdicts: &Verdicts<'_>,
) -> Row {
    let region = verdicts.region;
    let name = rule.config_rule_name.as_deref();
    let id = rule.config_rule_arn.clone().unwrap_or_else(|| match name {
        Some(name) => format!("{region}/{name}"),
        None => format!("{region}, rule without name, number {at}"),
    });
    let mut row = Row::new(Kind::ConfigRule, &id, name, Some(region));
    row.seen(Operation::ConfigDescribeConfigRules, source.at(format!("/ConfigRules/{at}")));
    row.set("name", source.told(name, "the rule's name"));
    let origin = rule.source.as_ref();
    row.known("owner", origin.and_then(|origin| origin.owner.as_deref()));
    row.known("source_identifier", origin.and_then(|origin| origin.source_identifier.as_deref()));
    row.known("state", rule.config_rule_state.as_deref());
    row.known("created_by", rule.created_by.as_deref());
    row.set(
        "input_parameters",
        match rule.input_parameters.as_deref() {
            None | Some("") => Ok(BTreeMap::new()),
            Some(text) => document::parameters(text)
                .map_err(|e| source.unknown(format!("the rule's parameters cannot be read: {e}"))),
        },
    );
    row.known("narrowed_to", narrowed_to(rule));
    let internal = rule.rule_evaluation_visibility.as_deref() == Some("INTERNAL");
    row.known("internal", internal);
    // Rules from before there were modes evaluate what is deployed.
    let modes = &rule.evaluation_modes;
    row.known("detective", modes.is_empty() || modes.iter().any(|mode| mode.mode.as_deref() == Some("DETECTIVE")));

    let verdict = name.and_then(|name| verdicts.by_rule.get(name));
    if let Some((at, _)) = verdict {
        let place = verdicts.compliance.at(format!("/ComplianceByConfigRules/{at}"));
        row.seen(Operation::ConfigDescribeComplianceByConfigRule, place);
    }
    row.set("compliance", compliance(&verdicts.compliance, rule, verdict.map(|(_, verdict)| *verdict)));
    details(input, rule, region, internal, &mut row);

    let run = name.and_then(|name| verdicts.runs.get(name));
    if let Some((at, _)) = run {
        let place = verdicts.status.at(format!("/ConfigRulesEvaluationStatus/{at}"));
        row.seen(Operation::ConfigDescribeConfigRuleEvaluationStatus, place);
    }
    let run = run.map(|(_, run)| *run).ok_or_else(|| verdicts.status.not_listed("the rule"));
    let as_of = input.as_of();
    let success = |run: &RuleEvaluationStatus| {
        let time = run.last_successful_evaluation_time;
        time.map(|time| verdicts.status.hours(time, as_of, "the last evaluation")).transpose()
    };
    row.set("last_success_hours", run.clone().and_then(success));
    row.set("last_error", run.clone().map(|run| run.last_error_code.clone().filter(|code| !code.is_empty())));
    let activated = |run: &RuleEvaluationStatus| {
        let time = run.first_activated_time;
        time.map(|time| verdicts.status.days(time, as_of, "the rule's activation")).transpose()
    };
    row.set("first_activated_days", run.and_then(activated));
    row
}

/// What a rule's scope is narrowed to, besides types of resources, which every rule names.
fn narrowed_to(rule: &ConfigRule) -> Option<String> {
    let scope = rule.scope.as_ref()?;
    let resource = scope.compliance_resource_id.as_deref().filter(|id| !id.is_empty());
    let tag = scope.tag_key.as_deref().filter(|key| !key.is_empty());
    match (resource, tag, scope.tag_value.as_deref().filter(|value| !value.is_empty())) {
        (Some(id), ..) => Some(format!("the resource {id}")),
        (None, Some(key), Some(value)) => Some(format!("resources with the tag {key}={value}")),
        (None, Some(key), None) => Some(format!("resources with the tag {key}")),
        (None, None, _) => None,
    }
}

/// A rule's verdict, if AWS Config shows one that it stands by now.
fn compliance(
    source: &Source<'_, DescribeComplianceByConfigRule>,
    rule: &ConfigRule,
    verdict: Option<&ComplianceByConfigRule>,
) -> Fact<String> {
    // A call that was not answered is the first thing to say.
    if let (Some(gap), None) = (source.gap(), verdict) {
        return Err(gap.clone());
    }
    match rule.config_rule_state.as_deref() {
        Some("ACTIVE") => {}
        Some(state) => return Err(source.unknown(format!("the rule's state is {state}, not ACTIVE"))),
        None => return Err(source.unknown("the rule's state is not told")),
    }
    if rule.rule_evaluation_visibility.as_deref() == Some("INTERNAL") {
        return Err(source.unknown("AWS Config does not show the evaluations of the rule (visibility INTERNAL)"));
    }
    let verdict = verdict.ok_or_else(|| source.not_listed("the rule"))?;
    let word = verdict.compliance.as_ref().and_then(|compliance| compliance.compliance_type.as_deref());
    match word {
        Some(word @ ("COMPLIANT" | "NON_COMPLIANT" | "NOT_APPLICABLE")) => Ok(word.to_owned()),
        Some("INSUFFICIENT_DATA") => {
            Err(source
                .unknown("AWS Config has insufficient data: the rule was not evaluated, or no resource matches it"))
        }
        Some(word) => Err(source.unknown(format!("`{word}` is no verdict that auditpack knows"))),
        None => Err(source.unknown("the answer tells no verdict")),
    }
}

/// The resources that do not comply, of a list of results.
pub(super) fn noncompliant<D: Document>(source: &Source<'_, D>, results: &[EvaluationResult]) -> Fact<Results> {
    let mut resources = BTreeMap::new();
    for result in results {
        let identifier = result.evaluation_result_identifier.as_ref();
        let which = identifier.and_then(|which| which.evaluation_result_qualifier.as_ref());
        let which = source.told(which, "which resource a result is about")?;
        // What is only about to be deployed is not there.
        if which.evaluation_mode.as_deref() == Some("PROACTIVE") {
            continue;
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "(not told)".to_owned());
        let verdict = source.told(result.compliance_type.as_deref(), "the verdict on a resource")?;
        let failed = resources.entry(format!("{} {}", text(&which.resource_type), text(&which.resource_id)));
        *failed.or_insert(false) |= verdict == "NON_COMPLIANT";
    }
    Ok(resources)
}

/// Type and id of resources, and whether each failed.
pub(super) type Results = BTreeMap<String, bool>;

fn details(input: &Input<'_>, rule: &ConfigRule, region: &str, internal: bool, row: &mut Row) {
    let name = rule.config_rule_name.as_deref().unwrap_or("");
    let call = CallId::regional(Operation::ConfigGetComplianceDetailsByConfigRule, region).about(name);
    let source = Source::<ComplianceDetails>::of(input.evidence, call);
    row.seen_in(&source);
    let results: Fact<Results> = source.whole().and_then(|told| {
        if internal {
            return Err(source.unknown("AWS Config does not show the evaluations of the rule (visibility INTERNAL)"));
        }
        noncompliant(&source, &told.evaluation_results)
    });
    row.set("evaluated_resources", results.as_ref().map_err(Arc::clone).map(|all| all.len() as i64));
    row.set(
        "noncompliant_resources",
        results.map(|all| sorted(all.into_iter().filter_map(|(resource, failed)| failed.then_some(resource)))),
    );
}
