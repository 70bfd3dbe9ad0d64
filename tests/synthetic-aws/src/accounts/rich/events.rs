//! The event history of the rich account: two thousand events in 90 days and three Regions.
//!
//! Most are everyday calls of its roles; the stories that auditors look for are in [`stories`].

mod draft;
mod stories;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{EUROPE, HOME, SYDNEY};
use crate::events::{Event, EventStore};
use crate::ids;
use draft::{Draft, Identity};

/// Everyday calls per Region; with the stories they make two thousand.
const EVERYDAY: [(&str, usize); 3] = [(HOME, 1205), (EUROPE, 440), (SYDNEY, 210)];

pub(super) fn events(now: DateTime<Utc>) -> BTreeMap<String, EventStore> {
    let mut by_region: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    let stories = stories::stories(now);
    let everyday = EVERYDAY.iter().flat_map(|(region, count)| (0..*count).map(move |i| call(now, region, i, *count)));
    for draft in stories.into_iter().chain(everyday) {
        by_region.entry(draft.region.clone()).or_default().push(draft.event());
    }
    by_region.into_iter().map(|(region, events)| (region, EventStore::listed(events, Some(3)))).collect()
}

/// Who, what it calls.
const ACTORS: [(&str, &[(&str, &str)]); 7] = [
    (
        "orders-api",
        &[
            ("dynamodb.amazonaws.com", "DescribeTable"),
            ("kms.amazonaws.com", "Decrypt"),
            ("logs.amazonaws.com", "CreateLogStream"),
        ],
    ),
    (
        "data-lake-loader",
        &[
            ("glue.amazonaws.com", "GetTable"),
            ("s3.amazonaws.com", "GetBucketLocation"),
            ("athena.amazonaws.com", "StartQueryExecution"),
        ],
    ),
    (
        "codebuild-infra",
        &[
            ("cloudformation.amazonaws.com", "DescribeStacks"),
            ("cloudformation.amazonaws.com", "UpdateStack"),
            ("ec2.amazonaws.com", "DescribeSubnets"),
        ],
    ),
    (
        "web-frontend",
        &[("ssm.amazonaws.com", "GetParameter"), ("elasticloadbalancing.amazonaws.com", "DescribeTargetHealth")],
    ),
    (
        "observability-reader",
        &[
            ("monitoring.amazonaws.com", "ListMetrics"),
            ("monitoring.amazonaws.com", "DescribeAlarms"),
            ("ec2.amazonaws.com", "DescribeInstances"),
        ],
    ),
    (
        "AWSReservedSSO_DeveloperAccess_3f2e3d4c5b6a7988",
        &[
            ("ec2.amazonaws.com", "DescribeInstances"),
            ("lambda.amazonaws.com", "ListFunctions20150331"),
            ("logs.amazonaws.com", "FilterLogEvents"),
            ("ec2.amazonaws.com", "CreateTags"),
        ],
    ),
    (
        "AuditpackReader",
        &[
            ("iam.amazonaws.com", "GetAccountAuthorizationDetails"),
            ("iam.amazonaws.com", "GetCredentialReport"),
            ("config.amazonaws.com", "DescribeConfigRules"),
        ],
    ),
];

fn call(now: DateTime<Utc>, region: &str, i: usize, count: usize) -> Draft {
    let bits = ids::mix(ids::hash(region.as_bytes()) ^ ids::mix(i as u64));
    // spread over 90 days less two hours, with some jitter; several share a second
    let minutes = 110 + i as i64 * (90 * 1440 - 240) / count as i64;
    let at = now - TimeDelta::minutes(minutes) - TimeDelta::seconds((bits % 50) as i64);
    let (role, calls) = ACTORS[(bits >> 8) as usize % ACTORS.len()];
    let (source, name) = calls[(bits >> 16) as usize % calls.len()];
    let people = ["fatima.fahmi", "george.garcia", "tara.tan", "victor.vance"];
    let session = match role {
        "AWSReservedSSO_DeveloperAccess_3f2e3d4c5b6a7988" => {
            format!("{}@example.com", people[(bits >> 24) as usize % people.len()])
        }
        "observability-reader" => "collector".to_owned(),
        _ => format!("i-{:012x}", (bits >> 32) & 0xff),
    };
    let read =
        ["Describe", "Get", "List", "Filter", "Decrypt", "StartQuery"].iter().any(|prefix| name.starts_with(prefix));
    let mut draft = Draft::new(at, region, source, name, Identity::role(role, &session))
        .read_only(read)
        .request(json!({"maxResults": bits % 100}));
    if bits.is_multiple_of(41) {
        draft = draft.error("AccessDenied", "User is not authorized to perform this action");
    }
    if name == "FilterLogEvents" {
        draft = draft.request(json!({"logGroupName": "/example/web", "filterPattern": "\"naïve – 経費 🧾\" \\d+"}));
    }
    draft
}
