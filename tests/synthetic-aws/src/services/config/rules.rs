//! Rules, their verdicts, results and health.

use serde_json::{Map, Value, json};

use super::super::cloudtrail::epoch;
use super::{check_names, listing, page};
use crate::account::config::{ConfigRegion, Rule, RuleResult, Source, Verdict};
use crate::server::Context;
use crate::wire::{AwsError, Call};

/// The rules that the request names, or all.
fn asked<'a>(call: &Call, config: &'a ConfigRegion) -> Result<Vec<&'a Rule>, AwsError> {
    let names = call.texts("ConfigRuleNames");
    check_names(&names, config.rules.iter().map(|r| r.name.as_str()), "NoSuchConfigRuleException", "a rule")?;
    let rules = config.rules.iter();
    Ok(rules.filter(|r| names.is_empty() || names.contains(&r.name)).collect())
}

pub(super) fn describe(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    let page = page::of(call, asked(call, config)?, context.pages.config_rules)?;
    Ok(listing("ConfigRules", page, rule))
}

fn rule(rule: &Rule) -> Value {
    let source = match &rule.source {
        Source::Managed(identifier) => json!({"Owner": "AWS", "SourceIdentifier": identifier}),
        Source::Lambda(arn) => json!({
            "Owner": "CUSTOM_LAMBDA",
            "SourceIdentifier": arn,
            "SourceDetails": [{
                "EventSource": "aws.config",
                "MessageType": "ScheduledNotification",
                "MaximumExecutionFrequency": rule.frequency.as_deref().unwrap_or("TwentyFour_Hours"),
            }],
        }),
        // the policy text is not returned by DescribeConfigRules; GetCustomRulePolicy has it
        Source::Guard(_) => json!({
            "Owner": "CUSTOM_POLICY",
            "SourceDetails": [{
                "EventSource": "aws.config",
                "MessageType": "ConfigurationItemChangeNotification",
            }],
            "CustomPolicyDetails": {
                "PolicyRuntime": "guard-2.x.x",
                "EnableDebugLogDelivery": false,
            },
        }),
    };
    let mode = if rule.proactive {
        json!([{"Mode": "DETECTIVE"}, {"Mode": "PROACTIVE"}])
    } else {
        json!([{"Mode": "DETECTIVE"}])
    };
    let mut out = Map::new();
    out.insert("ConfigRuleName".to_owned(), json!(rule.name));
    out.insert("ConfigRuleArn".to_owned(), json!(rule.arn));
    out.insert("ConfigRuleId".to_owned(), json!(rule.id));
    let mut optional = |name: &str, value: Option<&String>| {
        if let Some(value) = value {
            out.insert(name.to_owned(), json!(value));
        }
    };
    optional("Description", rule.description.as_ref());
    optional("InputParameters", rule.parameters.as_ref());
    optional("MaximumExecutionFrequency", rule.frequency.as_ref());
    optional("CreatedBy", rule.created_by.as_ref());
    if !rule.resource_types.is_empty() {
        let scope = json!({"ComplianceResourceTypes": rule.resource_types});
        out.insert("Scope".to_owned(), scope);
    }
    out.insert("Source".to_owned(), source);
    out.insert("ConfigRuleState".to_owned(), json!(rule.state));
    out.insert("EvaluationModes".to_owned(), mode);
    if rule.internal {
        out.insert("RuleEvaluationVisibility".to_owned(), json!("INTERNAL"));
    }
    Value::Object(out)
}

/// A rule's verdict; `None`: it is not listed.
pub(super) fn verdict(rule: &Rule) -> Option<&'static str> {
    if rule.internal {
        return None;
    }
    match rule.verdict {
        Verdict::Missing => None,
        Verdict::InsufficientData => Some("INSUFFICIENT_DATA"),
        Verdict::FromResults if rule.results.is_empty() => Some("INSUFFICIENT_DATA"),
        Verdict::FromResults if rule.results.iter().all(|r| r.compliant) => Some("COMPLIANT"),
        Verdict::FromResults => Some("NON_COMPLIANT"),
    }
}

pub(super) fn compliance(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    let types = call.texts("ComplianceTypes");
    let verdicts: Vec<(&Rule, &str)> = asked(call, config)?
        .into_iter()
        .filter_map(|r| Some((r, verdict(r)?)))
        .filter(|(_, v)| types.is_empty() || types.iter().any(|t| t == v))
        .collect();
    let page = page::of(call, verdicts, context.pages.config_compliance)?;
    Ok(listing("ComplianceByConfigRules", page, |(rule, verdict)| {
        let mut compliance = json!({ "ComplianceType": verdict });
        if verdict == "NON_COMPLIANT" {
            // the count is capped: at 25 here
            let count = rule.results.iter().filter(|r| !r.compliant).count();
            compliance["ComplianceContributorCount"] = json!({"CappedCount": count.min(25), "CapExceeded": count > 25});
        }
        json!({"ConfigRuleName": rule.name, "Compliance": compliance})
    }))
}

/// One evaluation result, as both details operations have it.
pub(super) fn result(rule: &Rule, result: &RuleResult) -> Value {
    let mut out = json!({
        "EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {
                "ConfigRuleName": rule.name,
                "ResourceType": result.resource_type,
                "ResourceId": result.resource_id,
                "EvaluationMode": "DETECTIVE",
            },
            "OrderingTimestamp": epoch(result.recorded),
        },
        "ComplianceType": if result.compliant { "COMPLIANT" } else { "NON_COMPLIANT" },
        "ResultRecordedTime": epoch(result.recorded),
        "ConfigRuleInvokedTime": epoch(result.recorded - chrono::TimeDelta::seconds(2)),
    });
    if let Some(annotation) = &result.annotation {
        out["Annotation"] = json!(annotation);
    }
    out
}

/// Results are per page at most 100, 10 by default.
pub(super) fn details(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    let name = call.text("ConfigRuleName").unwrap_or_default();
    let Some(rule) = config.rules.iter().find(|r| r.name == name) else {
        return Err(AwsError::json(
            "NoSuchConfigRuleException",
            format!("The ConfigRule '{name}' provided in the request is invalid. Please check the configRule name."),
        ));
    };
    let types = call.texts("ComplianceTypes");
    let results = rule.results.iter().filter(|_| !rule.internal && rule.verdict != Verdict::Missing).filter(|r| {
        let name = if r.compliant { "COMPLIANT" } else { "NON_COMPLIANT" };
        types.is_empty() || types.iter().any(|t| t == name)
    });
    let size = page::size(call, "Limit", 10, 100, context.pages.config_details, "InvalidLimitException")?;
    let page = page::of(call, results, size)?;
    Ok(listing("EvaluationResults", page, |r| result(rule, r)))
}

pub(super) fn status(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    let size = page::size(call, "Limit", 50, 50, context.pages.config_status, "InvalidParameterValueException")?;
    let page = page::of(call, asked(call, config)?, size)?;
    Ok(listing("ConfigRulesEvaluationStatus", page, |rule| {
        let mut out = json!({
            "ConfigRuleName": rule.name,
            "ConfigRuleArn": rule.arn,
            "ConfigRuleId": rule.id,
            "FirstActivatedTime": epoch(rule.activated),
            "FirstEvaluationStarted": rule.evaluated.is_some() || rule.failed.is_some(),
        });
        if let Some(at) = rule.evaluated {
            out["LastSuccessfulInvocationTime"] = epoch(at);
            out["LastSuccessfulEvaluationTime"] = epoch(at);
        }
        if let Some((at, code, message)) = &rule.failed {
            out["LastFailedInvocationTime"] = epoch(*at);
            out["LastFailedEvaluationTime"] = epoch(*at);
            out["LastErrorCode"] = json!(code);
            out["LastErrorMessage"] = json!(message);
        }
        out
    }))
}

/// ConfigRuleNames is required; rules without remediation are left out of the answer.
pub(super) fn remediation(context: &Context, call: &Call, config: &ConfigRegion) -> Value {
    let names = call.texts("ConfigRuleNames");
    let found: Vec<Value> = config
        .rules
        .iter()
        .filter(|r| names.contains(&r.name))
        .filter_map(|r| Some((r, r.remediation.as_ref()?)))
        .map(|(rule, remediation)| {
            json!({
                "ConfigRuleName": rule.name,
                "TargetType": "SSM_DOCUMENT",
                "TargetId": remediation.document,
                "Parameters": {"ResourceId": {"ResourceValue": {"Value": "RESOURCE_ID"}}},
                "Automatic": remediation.automatic,
                "MaximumAutomaticAttempts": 5,
                "RetryAttemptSeconds": 60,
                "Arn": format!(
                    "arn:aws:config:{}:{}:remediation-configuration/{}/{}",
                    call.region,
                    context.account.id,
                    rule.name,
                    crate::ids::uuid(crate::ids::hash(rule.name.as_bytes()))
                ),
            })
        })
        .collect();
    json!({ "RemediationConfigurations": found })
}
