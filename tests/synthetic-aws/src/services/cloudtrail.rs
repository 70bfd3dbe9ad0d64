//! CloudTrail: <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/Welcome.html>.

mod lookup;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{Answer, Operation, page};
use crate::account::trail::{Selectors, Trail};
use crate::server::Context;
use crate::wire::xml::iso;
use crate::wire::{AwsError, Call};

pub(super) const OPERATIONS: &[Operation] = &[
    ("DescribeTrails", describe_trails),
    ("ListTrails", list_trails),
    ("GetTrail", |context, call| Ok(json!({ "Trail": describe(find(context, call, "Name")?) }).to_string())),
    ("GetTrailStatus", trail_status),
    ("GetEventSelectors", event_selectors),
    ("GetInsightSelectors", insight_selectors),
    ("LookupEvents", lookup::answer),
    ("ListPublicKeys", public_keys),
];

/// JSON protocol timestamps are seconds since the epoch, with a fraction.
pub(super) fn epoch(time: DateTime<Utc>) -> Value {
    json!(time.timestamp_millis() as f64 / 1000.0)
}

/// The trails of the Region, and with shadow trails (the default) the multi-Region ones of others.
fn describe_trails(context: &Context, call: &Call) -> Answer {
    let shadows = call.flag("includeShadowTrails").unwrap_or(true);
    let names = call.texts("trailNameList");
    let trails: Vec<Value> = context
        .account
        .trails
        .iter()
        .filter(|t| t.home == call.region || (t.multi_region && shadows))
        .filter(|t| names.is_empty() || names.contains(&t.name) || names.contains(&t.arn))
        .map(describe)
        .collect();
    Ok(json!({ "trailList": trails }).to_string())
}

/// The trails of all Regions, on one page.
fn list_trails(context: &Context, _: &Call) -> Answer {
    let head = |t: &Trail| json!({"TrailARN": t.arn, "Name": t.name, "HomeRegion": t.home});
    let trails: Vec<Value> = context.account.trails.iter().map(head).collect();
    Ok(json!({ "Trails": trails }).to_string())
}

fn describe(trail: &Trail) -> Value {
    let mut out = Map::new();
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            out.insert(name.to_owned(), value);
        }
    };
    set("Name", json!(trail.name));
    set("S3BucketName", json!(trail.bucket));
    set("S3KeyPrefix", json!(trail.prefix));
    let topic = trail.sns_topic.as_deref();
    set("SnsTopicName", json!(topic));
    set("SnsTopicARN", json!(topic));
    set("IncludeGlobalServiceEvents", json!(trail.global_events));
    set("IsMultiRegionTrail", json!(trail.multi_region));
    set("HomeRegion", json!(trail.home));
    set("TrailARN", json!(trail.arn));
    set("LogFileValidationEnabled", json!(trail.validation));
    set("CloudWatchLogsLogGroupArn", json!(trail.log_group));
    set("CloudWatchLogsRoleArn", json!(trail.log_role));
    set("KmsKeyId", json!(trail.kms_key));
    let custom = match &trail.selectors {
        Selectors::Advanced(_) => true,
        Selectors::Basic(value) => *value != default_selectors(),
    };
    set("HasCustomEventSelectors", json!(custom));
    set("HasInsightSelectors", json!(trail.insight));
    set("IsOrganizationTrail", json!(trail.organization));
    Value::Object(out)
}

/// What a trail has that nobody configured.
pub(crate) fn default_selectors() -> Value {
    json!([{
        "ReadWriteType": "All",
        "IncludeManagementEvents": true,
        "DataResources": [],
        "ExcludeManagementEventSources": [],
    }])
}

/// A trail by name only in its home Region; by ARN wherever it works.
fn find<'a>(context: &'a Context, call: &Call, parameter: &str) -> Result<&'a Trail, AwsError> {
    let name = call.text(parameter).unwrap_or_default();
    let trails = &context.account.trails;
    let found = trails.iter().find(|t| {
        (t.name == name && t.home == call.region) || (t.arn == name && (t.home == call.region || t.multi_region))
    });
    found.ok_or_else(|| {
        AwsError::json("TrailNotFoundException", format!("Unknown trail: {name} for the user: {}", context.account.id))
    })
}

fn trail_status(context: &Context, call: &Call) -> Answer {
    let status = &find(context, call, "Name")?.status;
    let mut out = Map::new();
    out.insert("IsLogging".to_owned(), json!(status.logging));
    let times = [
        ("LatestDeliveryTime", status.delivered),
        ("StartLoggingTime", status.started),
        ("StopLoggingTime", status.stopped),
        ("LatestCloudWatchLogsDeliveryTime", status.logs_delivered),
        ("LatestDigestDeliveryTime", status.digest),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            out.insert(name.to_owned(), epoch(time));
        }
    }
    let errors = [
        ("LatestDeliveryError", &status.delivery_error),
        ("LatestCloudWatchLogsDeliveryError", &status.logs_error),
        ("LatestDigestDeliveryError", &status.digest_error),
    ];
    for (name, error) in errors {
        if let Some(error) = error {
            out.insert(name.to_owned(), json!(error));
        }
    }
    // the old text fields: present, empty when there is nothing to say
    let text = |time: Option<DateTime<Utc>>| json!(time.map(iso).unwrap_or_default());
    let ok = status.delivery_error.is_none();
    out.insert("LatestDeliveryAttemptTime".to_owned(), text(status.delivered));
    out.insert("LatestNotificationAttemptTime".to_owned(), json!(""));
    out.insert("LatestNotificationAttemptSucceeded".to_owned(), json!(""));
    let succeeded = if ok { text(status.delivered) } else { json!("") };
    out.insert("LatestDeliveryAttemptSucceeded".to_owned(), succeeded);
    out.insert("TimeLoggingStarted".to_owned(), text(status.started));
    out.insert("TimeLoggingStopped".to_owned(), text(status.stopped));
    Ok(Value::Object(out).to_string())
}

/// "If your trail has advanced event selectors, EventSelectors is not returned", and the reverse.
fn event_selectors(context: &Context, call: &Call) -> Answer {
    let trail = find(context, call, "TrailName")?;
    let body = match &trail.selectors {
        Selectors::Basic(value) => json!({"TrailARN": trail.arn, "EventSelectors": value}),
        Selectors::Advanced(value) => {
            json!({"TrailARN": trail.arn, "AdvancedEventSelectors": value})
        }
    };
    Ok(body.to_string())
}

fn insight_selectors(context: &Context, call: &Call) -> Answer {
    let trail = find(context, call, "TrailName")?;
    if !trail.insight {
        return Err(AwsError::json(
            "InsightNotEnabledException",
            format!("Trail {} does not have Insights enabled.", trail.arn),
        ));
    }
    let selectors = json!([{"InsightType": "ApiCallRateInsight"}]);
    Ok(json!({"TrailARN": trail.arn, "InsightSelectors": selectors}).to_string())
}

/// The keys whose validity meets the time range; without one, the current key.
fn public_keys(context: &Context, call: &Call) -> Answer {
    let now = context.now();
    let from = call.time("StartTime").unwrap_or(now);
    let to = call.time("EndTime").unwrap_or(now);
    if from > to {
        return Err(AwsError::json("InvalidTimeRangeException", "The start time occurs after the end time."));
    }
    let keys = context.account.public_keys.iter().filter(|k| k.from <= to && k.to >= from);
    let page = page::of(call, keys, context.pages.public_keys)?;
    let keys: Vec<Value> = page
        .items
        .iter()
        .map(|k| {
            json!({
                "Value": k.value,
                "Fingerprint": k.fingerprint,
                "ValidityStartTime": epoch(k.from),
                "ValidityEndTime": epoch(k.to),
            })
        })
        .collect();
    let mut body = json!({ "PublicKeyList": keys });
    if let Some(next) = page.next {
        body["NextToken"] = next.into();
    }
    Ok(body.to_string())
}
