//! CloudTrail: trails, their status and selectors, and the events of the period.

use super::caller::{Caller, Next};
use super::convert::{Convert, convert, words};
use crate::evidence::{CallId, Evidence, Operation, Outcome, Period, cloudtrail};
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types as sdk;
use aws_smithy_types::DateTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

convert! {
    sdk::Trail => cloudtrail::Trail {
        name, s3_bucket_name, s3_key_prefix, sns_topic_arn, include_global_service_events,
        is_multi_region_trail, home_region, trail_arn, log_file_validation_enabled, cloud_watch_logs_log_group_arn,
        cloud_watch_logs_role_arn, kms_key_id, has_custom_event_selectors, has_insight_selectors, is_organization_trail,
    }
    sdk::EventSelector => cloudtrail::EventSelector {
        read_write_type, include_management_events, data_resources, exclude_management_event_sources,
    }
    sdk::DataResource => cloudtrail::DataResource { kind: r#type, values }
    sdk::AdvancedEventSelector => cloudtrail::AdvancedEventSelector { name, field_selectors }
    sdk::AdvancedFieldSelector => cloudtrail::FieldSelector {
        field, equals, starts_with, ends_with, not_equals, not_starts_with, not_ends_with,
    }
}

words! { sdk::ReadWriteType }

/// Asks for the trails that log the Region.
pub(super) async fn describe_trails(
    caller: &Caller,
    client: &Client,
    region: &str,
) -> Outcome<cloudtrail::DescribeTrails> {
    let call = CallId::regional(Operation::CloudTrailDescribeTrails, region);
    caller
        .once(&call, || client.describe_trails().include_shadow_trails(true).send())
        .await
        .map(|o| cloudtrail::DescribeTrails { trail_list: o.trail_list.convert() })
}

/// Asks for the keys that CloudTrail signed digests with, from some time before the period to some time after: a digest
/// is signed after the hour that it is about, and keys are told by the time of their use.
pub(super) async fn public_keys(
    caller: &Caller,
    client: &Client,
    region: &str,
    period: Period,
) -> Outcome<cloudtrail::ListPublicKeys> {
    let call = CallId::regional(Operation::CloudTrailListPublicKeys, region);
    let margin = TimeDelta::days(2);
    let (from, to) = (period.from.0 - margin, period.to.0 + margin);
    let send = |token| {
        let request = client.list_public_keys().start_time(DateTime::from_secs(from.timestamp()));
        request.end_time(DateTime::from_secs(to.timestamp())).set_next_token(token).send()
    };
    caller
        .pages(&call, cloudtrail::ListPublicKeys::default(), send, |all, page| {
            let keys = page.public_key_list.unwrap_or_default();
            let count = keys.len();
            all.public_key_list.extend(keys.into_iter().map(|key| cloudtrail::PublicKey {
                value: key.value.map(|der| STANDARD.encode(der)),
                validity_start_time: key.validity_start_time.convert(),
                validity_end_time: key.validity_end_time.convert(),
                fingerprint: key.fingerprint,
            }));
            (count, Next::token(page.next_token))
        })
        .await
}

/// Asks for status and selectors of each trail once, in its home Region, however many Regions show it.
pub(super) async fn trail_details(
    caller: &Caller,
    clients: &BTreeMap<String, Client>,
    make: impl Fn(&str) -> Client,
    planned: &BTreeSet<Operation>,
    evidence: &mut Evidence,
) {
    let mut trails: BTreeMap<String, String> = BTreeMap::new();
    for region in clients.keys() {
        let seen = evidence.regional::<cloudtrail::DescribeTrails>(region);
        for trail in seen.arrived().into_iter().flat_map(|seen| &seen.trail_list) {
            if let Some(arn) = &trail.trail_arn {
                trails.insert(arn.clone(), trail.home_region.clone().unwrap_or_else(|| region.clone()));
            }
        }
    }
    for (arn, home) in trails {
        let client = clients.get(&home).cloned().unwrap_or_else(|| make(&home));
        if planned.contains(&Operation::CloudTrailGetTrailStatus) {
            let call = CallId::regional(Operation::CloudTrailGetTrailStatus, &home).about(&arn);
            let outcome = caller.once(&call, || client.get_trail_status().name(&arn).send()).await;
            let outcome = outcome.map(|o| cloudtrail::TrailStatus {
                is_logging: o.is_logging,
                latest_delivery_error: o.latest_delivery_error,
                latest_notification_error: o.latest_notification_error,
                latest_delivery_time: o.latest_delivery_time.convert(),
                latest_notification_time: o.latest_notification_time.convert(),
                start_logging_time: o.start_logging_time.convert(),
                stop_logging_time: o.stop_logging_time.convert(),
                latest_cloud_watch_logs_delivery_error: o.latest_cloud_watch_logs_delivery_error,
                latest_cloud_watch_logs_delivery_time: o.latest_cloud_watch_logs_delivery_time.convert(),
                latest_digest_delivery_time: o.latest_digest_delivery_time.convert(),
                latest_digest_delivery_error: o.latest_digest_delivery_error,
            });
            evidence.insert(call, outcome);
        }
        if planned.contains(&Operation::CloudTrailGetEventSelectors) {
            let call = CallId::regional(Operation::CloudTrailGetEventSelectors, &home).about(&arn);
            let outcome = caller.once(&call, || client.get_event_selectors().trail_name(&arn).send()).await;
            let outcome = outcome.map(|o| cloudtrail::EventSelectors {
                trail_arn: o.trail_arn,
                event_selectors: o.event_selectors.convert(),
                advanced_event_selectors: o.advanced_event_selectors.convert(),
            });
            evidence.insert(call, outcome);
        }
    }
}
