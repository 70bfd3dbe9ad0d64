//! Configuration items of AWS::Config::ResourceCompliance, and the resources that Config knows.
//!
//! "Each call to the API is limited to span a duration of seven days": a longer range is answered
//! seven days at a time, newest first by default, and a page may be empty and still have a token
//! (<https://docs.aws.amazon.com/config/latest/APIReference/API_GetResourceConfigHistory.html>).

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::super::cloudtrail::epoch;
use super::page;
use crate::account::config::ConfigRegion;
use crate::ids;
use crate::server::Context;
use crate::wire::token::{self, Position};
use crate::wire::{AwsError, Call};

const COMPLIANCE: &str = "AWS::Config::ResourceCompliance";

fn no_recorder() -> AwsError {
    AwsError::json(
        "NoAvailableConfigurationRecorderException",
        "There are no configuration recorders available to provide the role needed to describe your resources.",
    )
}

/// The instants at which a resource's verdicts changed: each rule's first evaluation, then its current
/// verdict.
fn changes(config: &ConfigRegion, id: &str) -> BTreeSet<DateTime<Utc>> {
    let mut times = BTreeSet::new();
    for rule in config.rules.iter().filter(|r| !r.internal) {
        for r in rule.results.iter().filter(|r| key(r) == id) {
            times.insert(rule.activated + TimeDelta::minutes(3));
            times.extend(r.since);
        }
    }
    times
}

fn key(result: &crate::account::config::RuleResult) -> String {
    format!("{}/{}", result.resource_type, result.resource_id)
}

fn item(context: &Context, call: &Call, config: &ConfigRegion, id: &str, at: DateTime<Utc>) -> Value {
    let mut rules = Vec::new();
    for rule in config.rules.iter().filter(|r| !r.internal) {
        for r in rule.results.iter().filter(|r| key(r) == id) {
            if rule.activated > at {
                continue;
            }
            // before `since` the verdict was the other one
            let compliant = r.compliant == r.since.is_none_or(|since| at >= since);
            let verdict = if compliant { "COMPLIANT" } else { "NON_COMPLIANT" };
            rules.push(json!({
                "configRuleArn": rule.arn,
                "configRuleId": rule.id,
                "configRuleName": rule.name,
                "complianceType": verdict,
            }));
        }
    }
    let bad = rules.iter().any(|r| r["complianceType"] == "NON_COMPLIANT");
    let configuration = json!({
        "targetResourceId": id.split_once('/').map_or(id, |(_, id)| id),
        "targetResourceType": id.split_once('/').map_or("", |(kind, _)| kind),
        "configRuleList": rules,
        "complianceType": if bad { "NON_COMPLIANT" } else { "COMPLIANT" },
    });
    let seed = ids::hash(format!("{id}{at}").as_bytes());
    json!({
        "version": "1.3",
        "accountId": context.account.id,
        "configurationItemCaptureTime": epoch(at),
        "configurationItemStatus": "OK",
        "configurationStateId": (at.timestamp_millis()).to_string(),
        "configurationItemMD5Hash": "",
        "resourceType": COMPLIANCE,
        "resourceId": id,
        "awsRegion": call.region,
        "tags": {},
        "relatedEvents": [ids::uuid(seed)],
        "relationships": [],
        // a string that holds JSON
        "configuration": configuration.to_string(),
        "supplementaryConfiguration": {},
        "recordingFrequency": "CONTINUOUS",
    })
}

pub(super) fn history(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    if config.recorder.is_none() {
        return Err(no_recorder());
    }
    let size = page::size(call, "limit", 10, 100, context.pages.config_history, "InvalidLimitException")?;
    let id = call.text("resourceId").unwrap_or_default();
    let kind = call.text("resourceType").unwrap_or_default();
    let changes = if kind == COMPLIANCE { changes(config, id) } else { BTreeSet::new() };
    let Some(first) = changes.first() else {
        return Err(AwsError::json(
            "ResourceNotDiscoveredException",
            format!("Resource {id} of resourceType:{kind} is unknown or has not been discovered"),
        ));
    };
    let later = call.time("laterTime").unwrap_or_else(|| context.now());
    let earlier = call.time("earlierTime").unwrap_or(*first);
    if earlier > later {
        return Err(AwsError::json(
            "InvalidTimeRangeException",
            "The specified time range is not valid. The earlier time is not chronologically before the later time.",
        ));
    }
    let forward = call.text("chronologicalOrder") == Some("Forward");
    let at = page::position(call)?;
    let week = TimeDelta::days(7);
    let offset = TimeDelta::days(7 * i64::from(at.page.min(10_000)));
    // the span of this page: (from, to], or [earlier, to] for the oldest
    let (from, to) = if forward {
        (earlier + offset, (earlier + offset + week).min(later))
    } else {
        ((later - offset - week).max(earlier), later - offset)
    };
    let oldest = from <= earlier;
    let mut inside: Vec<_> = changes.iter().filter(|t| (**t > from || (oldest && **t >= from)) && **t <= to).collect();
    if !forward {
        inside.reverse();
    }
    let done = at.item as usize;
    let size = if call.empty_page { 0 } else { size };
    let items: Vec<Value> = inside.iter().skip(done).take(size).map(|t| item(context, call, config, id, **t)).collect();
    let next = if done + items.len() < inside.len() || call.empty_page {
        Some(Position { item: (done + items.len()) as u64, page: at.page })
    } else if (forward && to < later) || (!forward && from > earlier) {
        Some(Position { item: 0, page: at.page + 1 })
    } else {
        None
    };
    let mut body = json!({ "configurationItems": items });
    if let Some(next) = next {
        body["nextToken"] = token::encode(call.scope(), next).into();
    }
    Ok(body)
}

/// The resources of a type that rules have results for.
pub(super) fn discovered(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    if config.recorder.is_none() {
        return Err(no_recorder());
    }
    let kind = call.text("resourceType").unwrap_or_default();
    let ids: BTreeSet<String> = config
        .rules
        .iter()
        .flat_map(|r| &r.results)
        .filter_map(|r| {
            if kind == COMPLIANCE { Some(key(r)) } else { (r.resource_type == kind).then(|| r.resource_id.clone()) }
        })
        .collect();
    let size = page::size(call, "limit", 100, 100, context.pages.config_details, "InvalidLimitException")?;
    let page = page::of(call, ids, size)?;
    let items: Vec<Value> = page.items.iter().map(|id| json!({"resourceType": kind, "resourceId": id})).collect();
    let mut body = json!({ "resourceIdentifiers": items });
    if let Some(next) = page.next {
        body["nextToken"] = next.into();
    }
    Ok(body)
}

/// The advanced query for when each resource's verdicts last changed, the only one that is understood. A result is JSON
/// in a text (<https://docs.aws.amazon.com/config/latest/APIReference/API_SelectResourceConfig.html>).
pub(super) fn select(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    let expression = call.text("Expression").unwrap_or_default();
    let understood = expression.starts_with("SELECT resourceId, configurationItemCaptureTime")
        && expression.ends_with(&format!("WHERE resourceType = '{COMPLIANCE}'"));
    if !understood {
        return Err(AwsError::json("InvalidExpressionException", "The syntax of the query is incorrect."));
    }
    let results = config.rules.iter().filter(|r| !r.internal).flat_map(|r| &r.results);
    let ids: BTreeSet<String> = results.map(key).collect();
    // Without a recorder nothing is recorded, and nothing is found.
    let ids = if config.recorder.is_some() { ids } else { BTreeSet::new() };
    let size = page::size(call, "Limit", 25, 100, context.pages.config_details, "InvalidLimitException")?;
    let page = page::of(call, ids, size)?;
    let mut results = Vec::new();
    for id in page.items {
        if let Some(last) = changes(config, &id).last() {
            let at = last.format("%Y-%m-%dT%H:%M:%S.000Z").to_string();
            let verdict = item(context, call, config, &id, *last)["configuration"].clone();
            let verdict: Value = serde_json::from_str(verdict.as_str().unwrap_or_default()).unwrap_or_default();
            let result = json!({"resourceId": id, "configurationItemCaptureTime": at,
                "configuration": {"complianceType": verdict["complianceType"]}});
            results.push(result.to_string());
        }
    }
    let fields = ["resourceId", "configurationItemCaptureTime", "configuration.complianceType"];
    let fields: Vec<Value> = fields.iter().map(|name| json!({"Name": name})).collect();
    let mut body = json!({"Results": results, "QueryInfo": {"SelectFields": fields}});
    if let Some(next) = page.next {
        body["NextToken"] = next.into();
    }
    Ok(body)
}
