//! Recorders, delivery channels, retention.

use serde_json::{Value, json};

use super::super::cloudtrail::epoch;
use super::check_names;
use crate::account::config::ConfigRegion;
use crate::server::Context;
use crate::wire::{AwsError, Call};

fn check_recorders(call: &Call, config: &ConfigRegion) -> Result<(), AwsError> {
    check_names(
        &call.texts("ConfigurationRecorderNames"),
        config.recorder.iter().map(|r| r.name.as_str()),
        "NoSuchConfigurationRecorderException",
        "configuration recorder",
    )
}

fn arn(context: &Context, call: &Call, name: &str) -> String {
    format!(
        "arn:aws:config:{}:{}:configuration-recorder/{name}/{}",
        call.region,
        context.account.id,
        &crate::ids::uuid(crate::ids::hash(format!("{name}{}", call.region).as_bytes()))[..8]
    )
}

pub(super) fn recorders(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    check_recorders(call, config)?;
    let recorders: Vec<Value> = config
        .recorder
        .iter()
        .map(|r| {
            json!({
                "arn": arn(context, call, &r.name),
                "name": r.name,
                "roleARN": r.role_arn,
                "recordingGroup": r.group,
                "recordingMode": r.mode,
                "recordingScope": "PAID",
            })
        })
        .collect();
    Ok(json!({ "ConfigurationRecorders": recorders }))
}

pub(super) fn recorder_status(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    check_recorders(call, config)?;
    let states: Vec<Value> = config
        .recorder
        .iter()
        .map(|r| {
            let mut state = json!({
                "arn": arn(context, call, &r.name),
                "name": r.name,
                "recording": r.recording,
                "lastStatus": r.last_status,
                "lastStatusChangeTime": epoch(r.changed),
            });
            if let Some(at) = r.started {
                state["lastStartTime"] = epoch(at);
            }
            if let Some(at) = r.stopped {
                state["lastStopTime"] = epoch(at);
            }
            if let Some((code, message)) = &r.error {
                state["lastErrorCode"] = json!(code);
                state["lastErrorMessage"] = json!(message);
            }
            state
        })
        .collect();
    Ok(json!({ "ConfigurationRecordersStatus": states }))
}

fn check_channels(call: &Call, config: &ConfigRegion) -> Result<(), AwsError> {
    check_names(
        &call.texts("DeliveryChannelNames"),
        config.channel.iter().map(|c| c.name.as_str()),
        "NoSuchDeliveryChannelException",
        "delivery channel",
    )
}

pub(super) fn channels(call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    check_channels(call, config)?;
    let channels: Vec<Value> = config
        .channel
        .iter()
        .map(|c| {
            let mut channel = json!({
                "name": c.name,
                "s3BucketName": c.bucket,
                "configSnapshotDeliveryProperties": {"deliveryFrequency": c.frequency},
            });
            if let Some(topic) = &c.topic {
                channel["snsTopicARN"] = json!(topic);
            }
            channel
        })
        .collect();
    Ok(json!({ "DeliveryChannels": channels }))
}

pub(super) fn channel_status(call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    check_channels(call, config)?;
    let states: Vec<Value> = config
        .channel
        .iter()
        .map(|c| {
            let mut delivery = json!({});
            if let Some(at) = c.delivered {
                delivery["lastAttemptTime"] = epoch(at);
                delivery["lastSuccessfulTime"] = epoch(at);
                delivery["lastStatus"] = json!("SUCCESS");
            }
            let mut stream = json!({"lastStatus": "SUCCESS"});
            if let Some(at) = c.delivered {
                stream["lastStatusChangeTime"] = epoch(at);
            }
            if let Some((code, message)) = &c.error {
                delivery["lastStatus"] = json!("FAILURE");
                delivery["lastErrorCode"] = json!(code);
                delivery["lastErrorMessage"] = json!(message);
                stream["lastStatus"] = json!("FAILURE");
                stream["lastErrorCode"] = json!(code);
            }
            json!({
                "name": c.name,
                "configSnapshotDeliveryInfo": delivery,
                "configHistoryDeliveryInfo": delivery,
                "configStreamDeliveryInfo": stream,
            })
        })
        .collect();
    Ok(json!({ "DeliveryChannelsStatus": states }))
}

/// An account without a retention configuration keeps items for 2,557 days.
pub(super) fn retention(config: &ConfigRegion) -> Value {
    let configurations: Vec<Value> =
        config.retention_days.iter().map(|days| json!({"Name": "default", "RetentionPeriodInDays": days})).collect();
    json!({ "RetentionConfigurations": configurations })
}
