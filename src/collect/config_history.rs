//! AWS Config over the period: what it runs to remediate, and how its verdicts on resources changed.

use super::caller::{Caller, Next};
use super::convert::{convert, words};
use super::iam::extend;
use crate::evidence::compliance_history::{EXPRESSION, LastChanges, RESOURCE_COMPLIANCE, subjects};
use crate::evidence::{CallId, Operation, Outcome, Run, config};
use aws_sdk_configservice::Client;
use aws_sdk_configservice::operation::get_resource_config_history::GetResourceConfigHistoryOutput;
use aws_sdk_configservice::operation::select_resource_config::SelectResourceConfigOutput;
use aws_sdk_configservice::types as sdk;
use aws_smithy_types::DateTime;
use futures_util::StreamExt;
use futures_util::stream;

/// How many rules DescribeRemediationConfigurations takes
/// (<https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeRemediationConfigurations.html>).
const RULES_A_REQUEST: usize = 25;
/// The largest page.
const PAGE: i32 = 100;
/// How many resources are asked about at a time; the pace is the limiter's.
const RESOURCES_AT_A_TIME: usize = 8;

convert! {
    sdk::RemediationConfiguration => config::RemediationConfiguration {
        config_rule_name, target_type, target_id, target_version, resource_type, automatic, maximum_automatic_attempts,
        retry_attempt_seconds, arn, created_by_service,
    }
    sdk::ConfigurationItem => config::ConfigurationItem {
        version, account_id, configuration_item_capture_time, configuration_item_status, configuration_state_id,
        resource_type, resource_id, aws_region, related_events, configuration,
    }
}

words! { sdk::RemediationTargetType, sdk::ConfigurationItemStatus }

/// What AWS Config runs to remediate what the rules find. It must be asked by the names of the rules.
pub(super) async fn remediation(
    caller: &Caller,
    client: &Client,
    call: &CallId,
    rules: &[String],
) -> Outcome<config::DescribeRemediationConfigurations> {
    let groups: Vec<&[String]> = rules.chunks(RULES_A_REQUEST).collect();
    let group = |token: &Option<String>| token.as_deref().map_or(0, |at| at.parse().unwrap_or(0));
    let asked = std::cell::Cell::new(0);
    let send = |token: Option<String>| {
        asked.set(group(&token));
        let names = groups.get(asked.get()).map(|names| names.to_vec());
        client.describe_remediation_configurations().set_config_rule_names(names).send()
    };
    let none = config::DescribeRemediationConfigurations::default();
    let pages = caller.pages(call, none, send, |all, page| {
        extend(&mut all.remediation_configurations, page.remediation_configurations);
        // The number of the next group stands for a token. A group without any is no page that leads nowhere.
        let next = asked.get() + 1;
        (1, if next < groups.len() { Next::Token(next.to_string()) } else { Next::Last })
    });
    pages.await
}

/// Since when each resource has its verdicts.
pub(super) async fn last_changes(
    caller: &Caller,
    client: &Client,
    call: &CallId,
) -> Outcome<config::SelectResourceConfig> {
    let send = |token| client.select_resource_config().expression(EXPRESSION).limit(PAGE).set_next_token(token).send();
    let none = config::SelectResourceConfig::default();
    let add = |all: &mut config::SelectResourceConfig, page: SelectResourceConfigOutput| {
        (extend(&mut all.results, page.results), Next::token(page.next_token))
    };
    caller.pages(call, none, send, add).await
}

/// The history of the verdicts on each resource that is worth asking about, up to the run's limit.
pub(super) async fn histories(
    caller: &Caller,
    client: &Client,
    region: &str,
    details: &[&config::ComplianceDetails],
    selected: Option<&config::SelectResourceConfig>,
    run: &Run,
) -> Vec<(CallId, Outcome<config::ResourceConfigHistory>)> {
    let changes = selected.map(LastChanges::of);
    let mut asked = subjects(details.iter().copied(), changes.as_ref(), run.period);
    asked.truncate(run.config_history as usize);
    let (from, to) = (time(run.period.from), time(run.as_of));
    let asked = stream::iter(asked).map(async |id| {
        let call = CallId::regional(Operation::ConfigGetResourceConfigHistory, region).about(&id);
        let send = |token| {
            let request = client.get_resource_config_history().resource_type(RESOURCE_COMPLIANCE.into());
            request.resource_id(&id).earlier_time(from).later_time(to).limit(PAGE).set_next_token(token).send()
        };
        let add = |all: &mut config::ResourceConfigHistory, page: GetResourceConfigHistoryOutput| {
            (extend(&mut all.configuration_items, page.configuration_items), Next::token(page.next_token))
        };
        let outcome = caller.pages(&call, config::ResourceConfigHistory::default(), send, add).await;
        (call, outcome)
    });
    asked.buffer_unordered(RESOURCES_AT_A_TIME).collect().await
}

fn time(at: crate::evidence::Timestamp) -> DateTime {
    DateTime::from_secs(at.0.timestamp())
}
