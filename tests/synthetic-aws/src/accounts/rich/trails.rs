//! Three trails: a healthy one of all Regions, one of Europe that records data events only, and one of
//! Sydney that was stopped and cannot deliver.

use chrono::TimeDelta;
use serde_json::json;

use super::super::ACCOUNT;
use super::super::build::{Maker, arn};
use super::{EUROPE, HOME, SYDNEY};
use crate::account::trail::{Selectors, Trail, TrailStatus};
use crate::ids;

/// When the trail of Sydney was stopped: the StopLogging event has the same time.
pub(super) fn stopped(now: chrono::DateTime<chrono::Utc>) -> chrono::DateTime<chrono::Utc> {
    now - TimeDelta::days(34) - TimeDelta::minutes(7)
}

fn trail(name: &str, home: &str, bucket: &str, status: TrailStatus, selectors: Selectors) -> Trail {
    Trail {
        name: name.to_owned(),
        arn: format!("arn:aws:cloudtrail:{home}:{ACCOUNT}:trail/{name}"),
        home: home.to_owned(),
        multi_region: false,
        global_events: false,
        organization: false,
        bucket: bucket.to_owned(),
        prefix: None,
        sns_topic: None,
        validation: false,
        log_group: None,
        log_role: None,
        kms_key: None,
        insight: false,
        status,
        selectors,
    }
}

pub(super) fn trails(make: Maker) -> Vec<Trail> {
    let now = make.now;
    let healthy = TrailStatus {
        logging: true,
        started: Some(make.ago(1400, "trail")),
        delivered: Some(now - TimeDelta::minutes(6)),
        digest: Some(now - TimeDelta::minutes(33)),
        logs_delivered: Some(now - TimeDelta::minutes(4)),
        ..TrailStatus::default()
    };
    let mut management = trail(
        "management-events",
        HOME,
        "example-corp-cloudtrail",
        healthy,
        Selectors::Basic(crate::services::default_selectors()),
    );
    management.multi_region = true;
    management.global_events = true;
    management.validation = true;
    management.prefix = Some("prod".to_owned());
    management.kms_key = Some(format!("arn:aws:kms:{HOME}:{ACCOUNT}:key/{}", ids::uuid(1001)));
    management.log_group = Some(format!("arn:aws:logs:{HOME}:{ACCOUNT}:log-group:cloudtrail/management:*"));
    management.log_role = Some(arn("role/cloudtrail-to-logs"));
    management.sns_topic = Some(format!("arn:aws:sns:{HOME}:{ACCOUNT}:cloudtrail-deliveries"));

    // advanced selectors: EventSelectors is empty, management events are not recorded
    let data = trail(
        "payments-data-events",
        EUROPE,
        "example-corp-payments-audit",
        TrailStatus {
            logging: true,
            started: Some(make.ago(610, "data-trail")),
            delivered: Some(now - TimeDelta::minutes(12)),
            ..TrailStatus::default()
        },
        Selectors::Advanced(json!([{
            "Name": "objects of the payments bucket",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
                {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::example-corp-payments/"]},
            ],
        }])),
    );

    let broken = trail(
        "legacy-archive",
        SYDNEY,
        "example-corp-legacy-archive",
        TrailStatus {
            logging: false,
            started: Some(make.ago(1900, "legacy")),
            stopped: Some(stopped(now)),
            delivered: Some(now - TimeDelta::days(61)),
            delivery_error: Some("AccessDenied".to_owned()),
            ..TrailStatus::default()
        },
        Selectors::Basic(json!([{
            "ReadWriteType": "WriteOnly",
            "IncludeManagementEvents": true,
            "DataResources": [],
            "ExcludeManagementEventSources": ["kms.amazonaws.com"],
        }])),
    );
    vec![management, data, broken]
}
