//! Conformance packs.

use serde_json::{Value, json};

use super::super::cloudtrail::epoch;
use super::rules::{result, verdict};
use super::{check_names, listing, page};
use crate::account::config::{ConfigRegion, Pack, Rule};
use crate::server::Context;
use crate::wire::{AwsError, Call};

pub(super) fn describe(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    let names = call.texts("ConformancePackNames");
    check_names(
        &names,
        config.packs.iter().map(|p| p.name.as_str()),
        "NoSuchConformancePackException",
        "conformance pack",
    )?;
    let packs = config.packs.iter().filter(|p| names.is_empty() || names.contains(&p.name));
    let size = limit(call, 20, context.pages.conformance_packs)?;
    let page = page::of(call, packs, size)?;
    Ok(listing("ConformancePackDetails", page, |pack| {
        let parameters: Vec<Value> = pack
            .parameters
            .iter()
            .map(|(name, value)| json!({"ParameterName": name, "ParameterValue": value}))
            .collect();
        let mut out = json!({
            "ConformancePackName": pack.name,
            "ConformancePackArn": pack.arn,
            "ConformancePackId": pack.id,
            "ConformancePackInputParameters": parameters,
            "LastUpdateRequestedTime": epoch(pack.updated),
        });
        if let Some(by) = &pack.created_by {
            out["CreatedBy"] = json!(by);
        }
        out
    }))
}

fn limit(call: &Call, most: i64, cap: usize) -> Result<usize, AwsError> {
    page::size(call, "Limit", most as usize, most, cap, "InvalidLimitException")
}

fn find<'a>(call: &Call, config: &'a ConfigRegion) -> Result<(&'a Pack, Vec<&'a Rule>), AwsError> {
    let name = call.text("ConformancePackName").unwrap_or_default();
    let Some(pack) = config.packs.iter().find(|p| p.name == name) else {
        return Err(AwsError::json(
            "NoSuchConformancePackException",
            format!("You specified one or more conformance packs that do not exist: {name}"),
        ));
    };
    let filters = call.value("Filters");
    let names: Vec<&str> = filters
        .and_then(|f| f.get("ConfigRuleNames")?.as_array())
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let rules = config
        .rules
        .iter()
        .filter(|r| pack.rules.contains(&r.name))
        .filter(|r| names.is_empty() || names.contains(&r.name.as_str()))
        .collect();
    Ok((pack, rules))
}

fn wanted_type(call: &Call) -> Option<&str> {
    call.value("Filters")?.get("ComplianceType")?.as_str()
}

pub(super) fn compliance(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    let (pack, rules) = find(call, config)?;
    let wanted = wanted_type(call);
    let verdicts: Vec<(&Rule, &str)> = rules
        .into_iter()
        .map(|r| (r, verdict(r).unwrap_or("INSUFFICIENT_DATA")))
        .filter(|(_, v)| wanted.is_none_or(|w| w == *v))
        .collect();
    let size = limit(call, 1000, context.pages.conformance_pack_compliance)?;
    let page = page::of(call, verdicts, size)?;
    let mut body = listing(
        "ConformancePackRuleComplianceList",
        page,
        |(rule, verdict)| json!({"ConfigRuleName": rule.name, "ComplianceType": verdict, "Controls": []}),
    );
    body["ConformancePackName"] = json!(pack.name);
    Ok(body)
}

pub(super) fn details(context: &Context, call: &Call, config: &ConfigRegion) -> Result<Value, AwsError> {
    let (pack, rules) = find(call, config)?;
    let wanted = wanted_type(call);
    let results: Vec<_> = rules
        .into_iter()
        .filter(|r| !r.internal)
        .flat_map(|rule| rule.results.iter().map(move |r| (rule, r)))
        .filter(|(_, r)| match wanted {
            None => true,
            Some("COMPLIANT") => r.compliant,
            Some("NON_COMPLIANT") => !r.compliant,
            Some(_) => false,
        })
        .collect();
    let size = limit(call, 100, context.pages.conformance_pack_details)?;
    let page = page::of(call, results, size)?;
    let mut body = listing("ConformancePackRuleEvaluationResults", page, |(rule, r)| result(rule, r));
    body["ConformancePackName"] = json!(pack.name);
    Ok(body)
}
