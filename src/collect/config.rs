//! AWS Config in one Region: recorder, delivery, rules, verdicts, conformance packs.

use super::caller::{Caller, Next};
use super::config_history;
use super::convert::{Convert, convert, words};
use super::iam::{Insert, extend};
use crate::evidence::compliance_history::rules_that_found;
use crate::evidence::{CallId, Evidence, Operation, Outcome, Run, config};
use aws_sdk_configservice::Client;
use aws_sdk_configservice::types as sdk;
use futures_util::StreamExt;
use futures_util::stream;
use std::collections::BTreeSet;

/// The largest page of compliance details.
const DETAILS_PAGE: i32 = 100;
/// How many rules are asked about at a time; the pace is the limiter's.
const RULES_AT_A_TIME: usize = 8;

convert! {
    sdk::ConfigurationRecorder => config::ConfigurationRecorder {
        arn, name, role_arn, recording_group, recording_mode, recording_scope, service_principal,
    }
    sdk::RecordingGroup => config::RecordingGroup {
        all_supported, include_global_resource_types, resource_types, exclusion_by_resource_types, recording_strategy,
    }
    sdk::ExclusionByResourceTypes => config::Exclusion { resource_types }
    sdk::RecordingStrategy => config::RecordingStrategy { use_only }
    sdk::RecordingMode => config::RecordingMode { recording_frequency, recording_mode_overrides }
    sdk::RecordingModeOverride => config::RecordingModeOverride { description, resource_types, recording_frequency }
    sdk::ConfigurationRecorderStatus => config::ConfigurationRecorderStatus {
        arn, name, last_start_time, last_stop_time, recording, last_status, last_error_code, last_error_message,
        last_status_change_time, service_principal,
    }
    sdk::DeliveryChannel => config::DeliveryChannel {
        name, s3_bucket_name, s3_key_prefix, s3_kms_key_arn, sns_topic_arn, config_snapshot_delivery_properties,
    }
    sdk::ConfigSnapshotDeliveryProperties => config::SnapshotDelivery { delivery_frequency }
    sdk::DeliveryChannelStatus => config::DeliveryChannelStatus {
        name, config_snapshot_delivery_info, config_history_delivery_info, config_stream_delivery_info,
    }
    sdk::ConfigExportDeliveryInfo => config::DeliveryInfo {
        last_status, last_error_code, last_error_message, last_attempt_time, last_successful_time, next_delivery_time,
    }
    sdk::ConfigStreamDeliveryInfo => config::StreamDeliveryInfo {
        last_status, last_error_code, last_error_message, last_status_change_time,
    }
    sdk::ConfigRule => config::ConfigRule {
        config_rule_name, config_rule_arn, config_rule_id, description, scope, source, input_parameters,
        maximum_execution_frequency, config_rule_state, created_by, evaluation_modes, rule_evaluation_visibility,
    }
    sdk::Scope => config::RuleScope { compliance_resource_types, tag_key, tag_value, compliance_resource_id }
    sdk::Source => config::RuleSource { owner, source_identifier }
    sdk::EvaluationModeConfiguration => config::EvaluationMode { mode }
    sdk::ComplianceByConfigRule => config::ComplianceByConfigRule { config_rule_name, compliance }
    sdk::Compliance => config::Compliance { compliance_type, compliance_contributor_count }
    sdk::ComplianceContributorCount => config::ContributorCount { capped_count, cap_exceeded }
    sdk::EvaluationResult => config::EvaluationResult {
        evaluation_result_identifier, compliance_type, result_recorded_time, config_rule_invoked_time, annotation,
    }
    sdk::ConformancePackEvaluationResult => config::EvaluationResult {
        evaluation_result_identifier, compliance_type, result_recorded_time, config_rule_invoked_time, annotation,
    }
    sdk::EvaluationResultIdentifier => config::EvaluationResultIdentifier {
        evaluation_result_qualifier, ordering_timestamp, resource_evaluation_id,
    }
    sdk::EvaluationResultQualifier => config::EvaluationResultQualifier {
        config_rule_name, resource_type, resource_id, evaluation_mode,
    }
    sdk::ConfigRuleEvaluationStatus => config::RuleEvaluationStatus {
        config_rule_name, config_rule_arn, config_rule_id, last_successful_invocation_time, last_failed_invocation_time,
        last_successful_evaluation_time, last_failed_evaluation_time, first_activated_time, last_deactivated_time,
        last_error_code, last_error_message, first_evaluation_started,
    }
    sdk::ConformancePackDetail => config::ConformancePack {
        conformance_pack_name, conformance_pack_arn, conformance_pack_id, delivery_s3_bucket, delivery_s3_key_prefix,
        conformance_pack_input_parameters, last_update_requested_time, created_by,
    }
    sdk::ConformancePackInputParameter => config::PackParameter { parameter_name, parameter_value }
    sdk::ConformancePackRuleCompliance => config::PackRuleCompliance { config_rule_name, compliance_type, controls }
    sdk::RetentionConfiguration => config::RetentionConfiguration { name, retention_period_in_days }
}

words! {
    sdk::RecordingScope, sdk::ResourceType, sdk::RecordingStrategyType, sdk::RecordingFrequency, sdk::RecorderStatus,
    sdk::MaximumExecutionFrequency, sdk::DeliveryStatus, sdk::ConfigRuleState, sdk::Owner, sdk::EvaluationMode,
    sdk::RuleEvaluationVisibility, sdk::ComplianceType, sdk::ConformancePackComplianceType,
}

/// Makes the planned calls of AWS Config in one Region. What it gives is put into the evidence by the caller, so
/// that Regions can be asked side by side.
pub(super) async fn collect(
    caller: &Caller,
    client: &Client,
    region: &str,
    planned: &BTreeSet<Operation>,
    run: &Run,
) -> Vec<Insert> {
    use Operation as Op;
    let mut inserts: Vec<Insert> = Vec::new();
    macro_rules! insert {
        ($call:expr, $outcome:expr) => {{
            let (call, outcome) = ($call, $outcome);
            inserts.push(Box::new(move |evidence: &mut Evidence| evidence.insert(call, outcome)));
        }};
    }
    // An answer in one piece.
    macro_rules! once {
        ($operation:ident, $send:ident, $document:ident { $ours:ident: $theirs:ident }) => {
            if planned.contains(&Op::$operation) {
                let call = CallId::regional(Op::$operation, region);
                let answer = caller.once(&call, || client.$send().send()).await;
                insert!(call, answer.map(|o| config::$document { $ours: o.$theirs.convert() }));
            }
        };
    }
    // An answer in pages.
    macro_rules! pages {
        ($call:expr, $request:expr, $document:ident { $ours:ident: $theirs:ident }) => {{
            let send = |token| $request.set_next_token(token).send();
            caller
                .pages(&$call, config::$document::default(), send, |all, page| {
                    (extend(&mut all.$ours, page.$theirs), Next::token(page.next_token))
                })
                .await
        }};
    }
    once!(
        ConfigDescribeConfigurationRecorders,
        describe_configuration_recorders,
        DescribeConfigurationRecorders { configuration_recorders: configuration_recorders }
    );
    once!(
        ConfigDescribeConfigurationRecorderStatus,
        describe_configuration_recorder_status,
        DescribeConfigurationRecorderStatus { configuration_recorders_status: configuration_recorders_status }
    );
    once!(
        ConfigDescribeDeliveryChannels,
        describe_delivery_channels,
        DescribeDeliveryChannels { delivery_channels: delivery_channels }
    );
    once!(
        ConfigDescribeDeliveryChannelStatus,
        describe_delivery_channel_status,
        DescribeDeliveryChannelStatus { delivery_channels_status: delivery_channels_status }
    );
    if planned.contains(&Op::ConfigDescribeRetentionConfigurations) {
        let call = CallId::regional(Op::ConfigDescribeRetentionConfigurations, region);
        let outcome = pages!(
            call,
            client.describe_retention_configurations(),
            DescribeRetentionConfigurations { retention_configurations: retention_configurations }
        );
        insert!(call, outcome);
    }
    if planned.contains(&Op::ConfigDescribeComplianceByConfigRule) {
        let call = CallId::regional(Op::ConfigDescribeComplianceByConfigRule, region);
        let outcome = pages!(
            call,
            client.describe_compliance_by_config_rule(),
            DescribeComplianceByConfigRule { compliance_by_config_rules: compliance_by_config_rules }
        );
        insert!(call, outcome);
    }
    if planned.contains(&Op::ConfigDescribeConfigRuleEvaluationStatus) {
        let call = CallId::regional(Op::ConfigDescribeConfigRuleEvaluationStatus, region);
        let outcome = pages!(
            call,
            client.describe_config_rule_evaluation_status(),
            DescribeConfigRuleEvaluationStatus { config_rules_evaluation_status: config_rules_evaluation_status }
        );
        insert!(call, outcome);
    }
    if planned.contains(&Op::ConfigDescribeConfigRules) {
        let call = CallId::regional(Op::ConfigDescribeConfigRules, region);
        let rules = pages!(call, client.describe_config_rules(), DescribeConfigRules { config_rules: config_rules });
        if planned.contains(&Op::ConfigGetComplianceDetailsByConfigRule) {
            let names: Vec<String> = askable_rules(&rules);
            let details = stream::iter(names).map(async |name| {
                let call = CallId::regional(Op::ConfigGetComplianceDetailsByConfigRule, region).about(&name);
                let request =
                    || client.get_compliance_details_by_config_rule().config_rule_name(&name).limit(DETAILS_PAGE);
                let outcome = pages!(call, request(), ComplianceDetails { evaluation_results: evaluation_results });
                (call, outcome)
            });
            let details: Vec<(CallId, Outcome<config::ComplianceDetails>)> =
                details.buffer_unordered(RULES_AT_A_TIME).collect().await;
            let told: Vec<_> = details.iter().filter_map(|(_, outcome)| outcome.arrived()).collect();
            let mut histories = Vec::new();
            if planned.contains(&Op::ConfigSelectResourceConfig) && !details.is_empty() {
                let call = CallId::regional(Op::ConfigSelectResourceConfig, region);
                let selected = config_history::last_changes(caller, client, &call).await;
                if planned.contains(&Op::ConfigGetResourceConfigHistory) {
                    // Half an answer may leave out what changed: then all that does not comply is asked about.
                    let changes = selected.collected();
                    histories = config_history::histories(caller, client, region, &told, changes, run).await;
                }
                insert!(call, selected);
            }
            let found = histories.iter().filter_map(|(_, outcome)| outcome.arrived());
            let found: Vec<String> = rules_that_found(told.iter().copied(), found).into_iter().collect();
            if planned.contains(&Op::ConfigDescribeRemediationConfigurations) && !found.is_empty() {
                let call = CallId::regional(Op::ConfigDescribeRemediationConfigurations, region);
                let outcome = config_history::remediation(caller, client, &call, &found).await;
                insert!(call, outcome);
            }
            for (call, outcome) in histories {
                insert!(call, outcome);
            }
            for (call, outcome) in details {
                insert!(call, outcome);
            }
        }
        insert!(call, rules);
    }
    if planned.contains(&Op::ConfigDescribeConformancePacks) {
        let call = CallId::regional(Op::ConfigDescribeConformancePacks, region);
        let packs = pages!(
            call,
            client.describe_conformance_packs(),
            DescribeConformancePacks { conformance_pack_details: conformance_pack_details }
        );
        let names: Vec<String> = (packs.arrived().into_iter().flat_map(|packs| &packs.conformance_pack_details))
            .filter_map(|pack| pack.conformance_pack_name.clone())
            .collect();
        for name in names {
            if planned.contains(&Op::ConfigDescribeConformancePackCompliance) {
                let call = CallId::regional(Op::ConfigDescribeConformancePackCompliance, region).about(&name);
                let request = || client.describe_conformance_pack_compliance().conformance_pack_name(&name);
                let outcome = pages!(
                    call,
                    request(),
                    ConformancePackCompliance {
                        conformance_pack_rule_compliance_list: conformance_pack_rule_compliance_list
                    }
                );
                insert!(
                    call,
                    outcome
                        .map(|o| config::ConformancePackCompliance { conformance_pack_name: Some(name.clone()), ..o })
                );
            }
            if planned.contains(&Op::ConfigGetConformancePackComplianceDetails) {
                let call = CallId::regional(Op::ConfigGetConformancePackComplianceDetails, region).about(&name);
                let request = || {
                    client.get_conformance_pack_compliance_details().conformance_pack_name(&name).limit(DETAILS_PAGE)
                };
                let outcome = pages!(
                    call,
                    request(),
                    ConformancePackComplianceDetails {
                        conformance_pack_rule_evaluation_results: conformance_pack_rule_evaluation_results
                    }
                );
                insert!(
                    call,
                    outcome.map(|o| config::ConformancePackComplianceDetails {
                        conformance_pack_name: Some(name.clone()),
                        ..o
                    })
                );
            }
        }
        insert!(call, packs);
    }
    inserts
}

/// The rules whose results can be asked for: those of internal visibility give none
/// (<https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigRule.html>).
fn askable_rules(rules: &Outcome<config::DescribeConfigRules>) -> Vec<String> {
    (rules.arrived().into_iter().flat_map(|rules| &rules.config_rules))
        .filter(|rule| rule.rule_evaluation_visibility.as_deref() != Some("INTERNAL"))
        .filter_map(|rule| rule.config_rule_name.clone())
        .collect()
}
