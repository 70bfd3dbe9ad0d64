//! AWS Config: <https://docs.aws.amazon.com/config/latest/APIReference/Welcome.html>.

mod history;
mod packs;
mod recorder;
mod rules;

use serde_json::{Value, json};

use super::page::{self, Page};
use super::{Answer, unknown};
use crate::account::config::ConfigRegion;
use crate::server::Context;
use crate::wire::{AwsError, Call};

pub(super) fn answer(context: &Context, call: &Call) -> Answer {
    let empty = ConfigRegion::default();
    let config = context.account.config.get(&call.region).unwrap_or(&empty);
    let body = match call.operation.as_str() {
        "DescribeConfigurationRecorders" => recorder::recorders(context, call, config)?,
        "DescribeConfigurationRecorderStatus" => recorder::recorder_status(context, call, config)?,
        "DescribeDeliveryChannels" => recorder::channels(call, config)?,
        "DescribeDeliveryChannelStatus" => recorder::channel_status(call, config)?,
        "DescribeRetentionConfigurations" => recorder::retention(config),
        "DescribeConfigRules" => rules::describe(context, call, config)?,
        "DescribeComplianceByConfigRule" => rules::compliance(context, call, config)?,
        "GetComplianceDetailsByConfigRule" => rules::details(context, call, config)?,
        "DescribeConfigRuleEvaluationStatus" => rules::status(context, call, config)?,
        "DescribeRemediationConfigurations" => rules::remediation(context, call, config),
        "DescribeConformancePacks" => packs::describe(context, call, config)?,
        "DescribeConformancePackCompliance" => packs::compliance(context, call, config)?,
        "GetConformancePackComplianceDetails" => packs::details(context, call, config)?,
        "GetResourceConfigHistory" => history::history(context, call, config)?,
        "ListDiscoveredResources" => history::discovered(context, call, config)?,
        "SelectResourceConfig" => history::select(context, call, config)?,
        _ => return Err(unknown(call)),
    };
    Ok(body.to_string())
}

/// A body with one list and, if there is more, a token.
fn listing<T>(name: &str, page: Page<T>, each: impl FnMut(T) -> Value) -> Value {
    let items: Vec<Value> = page.items.into_iter().map(each).collect();
    let mut body = json!({ name: items });
    if let Some(next) = page.next {
        body["NextToken"] = next.into();
    }
    body
}

/// Refuses names that do not exist, as Config does for lists of names.
fn check_names<'a>(
    asked: &[String],
    known: impl Iterator<Item = &'a str> + Clone,
    code: &str,
    what: &str,
) -> Result<(), AwsError> {
    for name in asked {
        if !known.clone().any(|k| k == name) {
            return Err(AwsError::json(code, format!("Cannot find {what} with the specified name '{name}'.")));
        }
    }
    Ok(())
}
