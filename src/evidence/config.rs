//! Documents of AWS Config, in the shape that `aws configservice ...` prints. Some of its operations
//! write their members in camel case, as here.

use super::document::json_documents;
use super::iam::{is_empty, shapes};
use super::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

macro_rules! camel_shapes {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)* })*) => {
        $($(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $($(#[$field_meta])* #[allow(missing_docs)] #[serde(default, skip_serializing_if = "is_empty")] pub $field: $kind,)*
        })*
    };
}

shapes! {
    /// DescribeConfigurationRecorders.
    DescribeConfigurationRecorders { configuration_recorders: Vec<ConfigurationRecorder>, }

    /// DescribeConfigurationRecorderStatus.
    DescribeConfigurationRecorderStatus { configuration_recorders_status: Vec<ConfigurationRecorderStatus>, }

    /// DescribeDeliveryChannels.
    DescribeDeliveryChannels { delivery_channels: Vec<DeliveryChannel>, }

    /// DescribeDeliveryChannelStatus.
    DescribeDeliveryChannelStatus { delivery_channels_status: Vec<DeliveryChannelStatus>, }

    /// DescribeConfigRules, all pages together.
    DescribeConfigRules { config_rules: Vec<ConfigRule>, }

    /// A Config rule. Its name is free text; what it is, the source identifier says.
    ConfigRule {
        config_rule_name: Option<String>,
        config_rule_arn: Option<String>,
        config_rule_id: Option<String>,
        description: Option<String>,
        scope: Option<RuleScope>,
        source: Option<RuleSource>,
        /// JSON in a text.
        input_parameters: Option<String>,
        maximum_execution_frequency: Option<String>,
        config_rule_state: Option<String>,
        created_by: Option<String>,
        evaluation_modes: Vec<EvaluationMode>,
        rule_evaluation_visibility: Option<String>,
    }

    /// What a rule looks at.
    RuleScope {
        compliance_resource_types: Vec<String>,
        tag_key: Option<String>,
        tag_value: Option<String>,
        compliance_resource_id: Option<String>,
    }

    /// Who wrote a rule, and which it is.
    RuleSource { owner: Option<String>, source_identifier: Option<String>, }

    /// DETECTIVE or PROACTIVE.
    EvaluationMode { mode: Option<String>, }

    /// DescribeComplianceByConfigRule, all pages together.
    DescribeComplianceByConfigRule { compliance_by_config_rules: Vec<ComplianceByConfigRule>, }

    /// A rule's verdict.
    ComplianceByConfigRule { config_rule_name: Option<String>, compliance: Option<Compliance>, }

    /// COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE or INSUFFICIENT_DATA, with a count that AWS caps.
    Compliance { compliance_type: Option<String>, compliance_contributor_count: Option<ContributorCount>, }

    /// How many resources a verdict rests on, up to a cap.
    ContributorCount { capped_count: Option<i64>, cap_exceeded: Option<bool>, }

    /// GetComplianceDetailsByConfigRule, all pages together.
    ComplianceDetails { evaluation_results: Vec<EvaluationResult>, }

    /// GetConformancePackComplianceDetails, all pages together.
    ConformancePackComplianceDetails {
        conformance_pack_name: Option<String>,
        conformance_pack_rule_evaluation_results: Vec<EvaluationResult>,
    }

    /// A rule's verdict on one resource, now. Results of deleted resources vanish.
    EvaluationResult {
        evaluation_result_identifier: Option<EvaluationResultIdentifier>,
        compliance_type: Option<String>,
        result_recorded_time: Option<Timestamp>,
        config_rule_invoked_time: Option<Timestamp>,
        annotation: Option<String>,
    }

    /// Which rule and which resource.
    EvaluationResultIdentifier {
        evaluation_result_qualifier: Option<EvaluationResultQualifier>,
        ordering_timestamp: Option<Timestamp>,
        resource_evaluation_id: Option<String>,
    }

    /// Which rule and which resource.
    EvaluationResultQualifier {
        config_rule_name: Option<String>,
        resource_type: Option<String>,
        resource_id: Option<String>,
        evaluation_mode: Option<String>,
    }

    /// DescribeConfigRuleEvaluationStatus, all pages together.
    DescribeConfigRuleEvaluationStatus { config_rules_evaluation_status: Vec<RuleEvaluationStatus>, }

    /// When a rule ran and whether it could.
    RuleEvaluationStatus {
        config_rule_name: Option<String>,
        config_rule_arn: Option<String>,
        config_rule_id: Option<String>,
        last_successful_invocation_time: Option<Timestamp>,
        last_failed_invocation_time: Option<Timestamp>,
        last_successful_evaluation_time: Option<Timestamp>,
        last_failed_evaluation_time: Option<Timestamp>,
        first_activated_time: Option<Timestamp>,
        last_deactivated_time: Option<Timestamp>,
        last_error_code: Option<String>,
        last_error_message: Option<String>,
        first_evaluation_started: Option<bool>,
    }

    /// DescribeRemediationConfigurations, of all rules.
    DescribeRemediationConfigurations { remediation_configurations: Vec<RemediationConfiguration>, }

    /// What AWS Config runs where a rule finds a resource that does not comply.
    RemediationConfiguration {
        config_rule_name: Option<String>,
        /// SSM_DOCUMENT.
        target_type: Option<String>,
        /// The document's name.
        target_id: Option<String>,
        target_version: Option<String>,
        resource_type: Option<String>,
        automatic: Option<bool>,
        maximum_automatic_attempts: Option<i64>,
        retry_attempt_seconds: Option<i64>,
        arn: Option<String>,
        created_by_service: Option<String>,
    }

    /// SelectResourceConfig, all pages together. Each result is JSON in a text.
    SelectResourceConfig { results: Vec<String>, }

    /// DescribeConformancePacks, all pages together.
    DescribeConformancePacks { conformance_pack_details: Vec<ConformancePack>, }

    /// A conformance pack.
    ConformancePack {
        conformance_pack_name: Option<String>,
        conformance_pack_arn: Option<String>,
        conformance_pack_id: Option<String>,
        delivery_s3_bucket: Option<String>,
        delivery_s3_key_prefix: Option<String>,
        conformance_pack_input_parameters: Vec<PackParameter>,
        last_update_requested_time: Option<Timestamp>,
        created_by: Option<String>,
    }

    /// A parameter of a conformance pack.
    PackParameter { parameter_name: Option<String>, parameter_value: Option<String>, }

    /// DescribeConformancePackCompliance, all pages together.
    ConformancePackCompliance {
        conformance_pack_name: Option<String>,
        conformance_pack_rule_compliance_list: Vec<PackRuleCompliance>,
    }

    /// The verdict of one rule of a conformance pack.
    PackRuleCompliance {
        config_rule_name: Option<String>,
        compliance_type: Option<String>,
        controls: Vec<String>,
    }

    /// DescribeRetentionConfigurations.
    DescribeRetentionConfigurations { retention_configurations: Vec<RetentionConfiguration>, }

    /// How long AWS Config keeps configuration items.
    RetentionConfiguration { name: Option<String>, retention_period_in_days: Option<i64>, }
}

camel_shapes! {
    /// A configuration recorder.
    ConfigurationRecorder {
        arn: Option<String>,
        name: Option<String>,
        #[serde(rename = "roleARN")]
        role_arn: Option<String>,
        recording_group: Option<RecordingGroup>,
        recording_mode: Option<RecordingMode>,
        recording_scope: Option<String>,
        service_principal: Option<String>,
    }

    /// What is recorded.
    RecordingGroup {
        all_supported: Option<bool>,
        include_global_resource_types: Option<bool>,
        resource_types: Vec<String>,
        exclusion_by_resource_types: Option<Exclusion>,
        recording_strategy: Option<RecordingStrategy>,
    }

    /// What is left out.
    Exclusion { resource_types: Vec<String>, }

    /// ALL_SUPPORTED_RESOURCE_TYPES, INCLUSION_BY_RESOURCE_TYPES or EXCLUSION_BY_RESOURCE_TYPES.
    RecordingStrategy { use_only: Option<String>, }

    /// How often is recorded.
    RecordingMode { recording_frequency: Option<String>, recording_mode_overrides: Vec<RecordingModeOverride>, }

    /// Types that are recorded at another frequency.
    RecordingModeOverride {
        description: Option<String>,
        resource_types: Vec<String>,
        recording_frequency: Option<String>,
    }

    /// Whether a recorder runs.
    ConfigurationRecorderStatus {
        arn: Option<String>,
        name: Option<String>,
        last_start_time: Option<Timestamp>,
        last_stop_time: Option<Timestamp>,
        recording: Option<bool>,
        /// Pending, Success, Failure or NotApplicable.
        last_status: Option<String>,
        last_error_code: Option<String>,
        last_error_message: Option<String>,
        last_status_change_time: Option<Timestamp>,
        service_principal: Option<String>,
    }

    /// Where AWS Config delivers to.
    DeliveryChannel {
        name: Option<String>,
        s3_bucket_name: Option<String>,
        s3_key_prefix: Option<String>,
        s3_kms_key_arn: Option<String>,
        #[serde(rename = "snsTopicARN")]
        sns_topic_arn: Option<String>,
        config_snapshot_delivery_properties: Option<SnapshotDelivery>,
    }

    /// How often snapshots are delivered.
    SnapshotDelivery { delivery_frequency: Option<String>, }

    /// Whether AWS Config delivers.
    DeliveryChannelStatus {
        name: Option<String>,
        config_snapshot_delivery_info: Option<DeliveryInfo>,
        config_history_delivery_info: Option<DeliveryInfo>,
        config_stream_delivery_info: Option<StreamDeliveryInfo>,
    }

    /// The last delivery to the bucket.
    DeliveryInfo {
        last_status: Option<String>,
        last_error_code: Option<String>,
        last_error_message: Option<String>,
        last_attempt_time: Option<Timestamp>,
        last_successful_time: Option<Timestamp>,
        next_delivery_time: Option<Timestamp>,
    }

    /// GetResourceConfigHistory, all pages together.
    ResourceConfigHistory { configuration_items: Vec<ConfigurationItem>, }

    /// What AWS Config recorded of a resource at a time.
    ConfigurationItem {
        version: Option<String>,
        account_id: Option<String>,
        configuration_item_capture_time: Option<Timestamp>,
        configuration_item_status: Option<String>,
        configuration_state_id: Option<String>,
        resource_type: Option<String>,
        resource_id: Option<String>,
        aws_region: Option<String>,
        related_events: Vec<String>,
        /// JSON in a text.
        configuration: Option<String>,
    }

    /// The last delivery to the topic.
    StreamDeliveryInfo {
        last_status: Option<String>,
        last_error_code: Option<String>,
        last_error_message: Option<String>,
        last_status_change_time: Option<Timestamp>,
    }
}

json_documents! {
    DescribeConfigurationRecorders => ConfigDescribeConfigurationRecorders ["ConfigurationRecorders"],
    DescribeConfigurationRecorderStatus => ConfigDescribeConfigurationRecorderStatus ["ConfigurationRecordersStatus"],
    DescribeDeliveryChannels => ConfigDescribeDeliveryChannels ["DeliveryChannels"],
    DescribeDeliveryChannelStatus => ConfigDescribeDeliveryChannelStatus ["DeliveryChannelsStatus"],
    DescribeConfigRules => ConfigDescribeConfigRules ["ConfigRules"],
    DescribeComplianceByConfigRule => ConfigDescribeComplianceByConfigRule ["ComplianceByConfigRules"],
    ComplianceDetails => ConfigGetComplianceDetailsByConfigRule ["EvaluationResults"],
    DescribeConfigRuleEvaluationStatus => ConfigDescribeConfigRuleEvaluationStatus ["ConfigRulesEvaluationStatus"],
    DescribeRemediationConfigurations => ConfigDescribeRemediationConfigurations ["RemediationConfigurations"],
    SelectResourceConfig => ConfigSelectResourceConfig ["Results"],
    ResourceConfigHistory => ConfigGetResourceConfigHistory ["configurationItems"],
    DescribeConformancePacks => ConfigDescribeConformancePacks ["ConformancePackDetails"],
    ConformancePackCompliance => ConfigDescribeConformancePackCompliance ["ConformancePackRuleComplianceList"],
    ConformancePackComplianceDetails => ConfigGetConformancePackComplianceDetails ["ConformancePackRuleEvaluationResults"],
    DescribeRetentionConfigurations => ConfigDescribeRetentionConfigurations ["RetentionConfigurations"],
}
