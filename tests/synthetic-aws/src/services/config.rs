//! AWS Config: <https://docs.aws.amazon.com/config/latest/APIReference/Welcome.html>.

mod history;
mod packs;
mod recorder;
mod rules;

use serde_json::{Value, json};

use super::page::{self, Page};
use super::{Answer, Operation};
use crate::account::config::ConfigRegion;
use crate::server::Context;
use crate::wire::{AwsError, Call};

pub(super) const OPERATIONS: &[Operation] = &[
    ("DescribeConfigurationRecorders", |x, call| of(x, call, recorder::recorders)),
    ("DescribeConfigurationRecorderStatus", |x, call| of(x, call, recorder::recorder_status)),
    ("DescribeDeliveryChannels", |x, call| of(x, call, |_, call, config| recorder::channels(call, config))),
    ("DescribeDeliveryChannelStatus", |x, call| of(x, call, |_, call, config| recorder::channel_status(call, config))),
    ("DescribeRetentionConfigurations", |x, call| of(x, call, |_, _, config| Ok(recorder::retention(config)))),
    ("DescribeConfigRules", |x, call| of(x, call, rules::describe)),
    ("DescribeComplianceByConfigRule", |x, call| of(x, call, rules::compliance)),
    ("GetComplianceDetailsByConfigRule", |x, call| of(x, call, rules::details)),
    ("DescribeConfigRuleEvaluationStatus", |x, call| of(x, call, rules::status)),
    ("DescribeRemediationConfigurations", |x, call| {
        of(x, call, |x, call, config| Ok(rules::remediation(x, call, config)))
    }),
    ("DescribeConformancePacks", |x, call| of(x, call, packs::describe)),
    ("DescribeConformancePackCompliance", |x, call| of(x, call, packs::compliance)),
    ("GetConformancePackComplianceDetails", |x, call| of(x, call, packs::details)),
    ("GetResourceConfigHistory", |x, call| of(x, call, history::history)),
    ("ListDiscoveredResources", |x, call| of(x, call, history::discovered)),
    ("SelectResourceConfig", |x, call| of(x, call, history::select)),
];

/// What `answer` says of Config in the Region of the call.
fn of(
    context: &Context,
    call: &Call,
    answer: impl Fn(&Context, &Call, &ConfigRegion) -> Result<Value, AwsError>,
) -> Answer {
    let never_set_up = ConfigRegion::default();
    let config = context.account.config.get(&call.region).unwrap_or(&never_set_up);
    Ok(answer(context, call, config)?.to_string())
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
