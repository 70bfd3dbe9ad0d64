//! Events as a function of their number, so that a million of them cost no memory.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::Facts;
use crate::ids;

/// `count` events, spread evenly over `span` before `newest`.
#[derive(Clone, Debug)]
pub struct Generated {
    pub account: String,
    pub region: String,
    pub count: u64,
    pub newest: DateTime<Utc>,
    pub span: TimeDelta,
    pub seed: u64,
    /// The roles that act; none means `service`.
    pub roles: Arc<[String]>,
}

/// Name, source, read-only, share of 64.
const KINDS: [(&str, &str, bool, u64); 14] = [
    ("DescribeInstances", "ec2.amazonaws.com", true, 14),
    ("AssumeRole", "sts.amazonaws.com", true, 12),
    ("GetBucketAcl", "s3.amazonaws.com", true, 7),
    ("Decrypt", "kms.amazonaws.com", true, 8),
    ("ListRoles", "iam.amazonaws.com", true, 4),
    ("DescribeLogGroups", "logs.amazonaws.com", true, 4),
    ("CreateLogStream", "logs.amazonaws.com", false, 5),
    ("RunInstances", "ec2.amazonaws.com", false, 2),
    ("TerminateInstances", "ec2.amazonaws.com", false, 2),
    ("CreateTags", "ec2.amazonaws.com", false, 2),
    ("GetParameter", "ssm.amazonaws.com", true, 1),
    ("UpdateFunctionCode20150331v2", "lambda.amazonaws.com", false, 1),
    ("PutMetricAlarm", "monitoring.amazonaws.com", false, 1),
    ("CreateLogGroup", "logs.amazonaws.com", false, 1),
];

impl Generated {
    pub fn len(&self) -> u64 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn time(&self, i: u64) -> DateTime<Utc> {
        let seconds = i128::from(self.span.num_seconds()) * i128::from(i) / i128::from(self.count.max(1));
        // cannot overflow: i < count, so this is at most the span
        self.newest - TimeDelta::try_seconds(seconds as i64).unwrap_or_default()
    }

    fn bits(&self, i: u64) -> u64 {
        ids::mix(self.seed ^ ids::mix(i))
    }

    fn kind(&self, i: u64) -> (&'static str, &'static str, bool) {
        let mut share = self.bits(i) & 63;
        for (name, source, read, weight) in KINDS {
            if share < weight {
                return (name, source, read);
            }
            share -= weight;
        }
        (KINDS[0].0, KINDS[0].1, KINDS[0].2)
    }

    fn role(&self, i: u64) -> &str {
        let count = self.roles.len().max(1) as u64;
        let role = self.roles.get(((self.bits(i) >> 8) % count) as usize);
        role.map_or("service", String::as_str)
    }

    pub(super) fn facts(&self, i: u64) -> Facts {
        let (name, source, read) = self.kind(i);
        let role = self.role(i);
        let session = format!("i-{:012x}", ids::mix(ids::hash(role.as_bytes())) >> 16);
        let resources = match name {
            "AssumeRole" => vec![
                (Some("AWS::IAM::Role".to_owned()), role.to_owned()),
                (Some("AWS::IAM::Role".to_owned()), format!("arn:aws:iam::{}:role/{role}", self.account)),
            ],
            "RunInstances" | "TerminateInstances" => {
                vec![(Some("AWS::EC2::Instance".to_owned()), format!("i-{:017x}", self.bits(i)))]
            }
            _ => Vec::new(),
        };
        Facts {
            id: ids::uuid(self.seed ^ i),
            name: name.to_owned(),
            source: source.to_owned(),
            username: (name != "AssumeRole").then_some(session),
            access_key: (name != "AssumeRole").then(|| ids::access_key("ASIA", role)),
            read_only: Some(read),
            resources,
        }
    }

    /// Written by hand: this runs a million times in a benchmark.
    pub(super) fn record(&self, i: u64) -> String {
        let facts = self.facts(i);
        let role = self.role(i);
        let bits = self.bits(i);
        let time = self.time(i).to_rfc3339_opts(SecondsFormat::Secs, true);
        let Generated { account, region, .. } = self;
        let Facts { id, name, source, .. } = &facts;
        let read = facts.read_only.unwrap_or_default();
        let ip = format!("10.{}.{}.{}", bits >> 40 & 31, bits >> 48 & 255, bits >> 56 & 255);
        let request_id = ids::uuid(bits);
        let (identity, elements) = if name == "AssumeRole" {
            let expires = (self.time(i) + TimeDelta::hours(1)).format("%b %-d, %Y, %-I:%M:%S %p");
            let key = ids::access_key("ASIA", role);
            (
                r#"{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#.to_owned(),
                format!(
                    r#""requestParameters":{{"roleArn":"arn:aws:iam::{account}:role/{role}","roleSessionName":"i-{:012x}"}},"responseElements":{{"credentials":{{"accessKeyId":"{key}","sessionToken":"FAKE//session//token//{bits:016x}//not//a//secret","expiration":"{expires}"}}}}"#,
                    bits >> 16
                ),
            )
        } else {
            let (session, key) =
                (facts.username.as_deref().unwrap_or_default(), facts.access_key.as_deref().unwrap_or_default());
            let role_id = ids::unique_id("AROA", role);
            (
                format!(
                    r#"{{"type":"AssumedRole","principalId":"{role_id}:{session}","arn":"arn:aws:sts::{account}:assumed-role/{role}/{session}","accountId":"{account}","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"{role_id}","arn":"arn:aws:iam::{account}:role/{role}","accountId":"{account}","userName":"{role}"}},"attributes":{{"creationDate":"{time}","mfaAuthenticated":"false"}}}}}}"#
                ),
                format!(
                    r#""requestParameters":{{"maxResults":{},"filterSet":{{}}}},"responseElements":null"#,
                    bits % 1000
                ),
            )
        };
        format!(
            r#"{{"eventVersion":"1.11","userIdentity":{identity},"eventTime":"{time}","eventSource":"{source}","eventName":"{name}","awsRegion":"{region}","sourceIPAddress":"{ip}","userAgent":"aws-sdk-rust/1.3.9 os/linux lang/rust/1.95.0",{elements},"requestID":"{request_id}","eventID":"{id}","readOnly":{read},"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{account}","eventCategory":"Management"}}"#
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::EventStore;

    fn store(count: u64) -> EventStore {
        EventStore::Generated(Generated {
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            count,
            newest: "2026-10-01T06:00:00Z".parse().unwrap(),
            span: TimeDelta::days(89),
            seed: 7,
            roles: Arc::from([]),
        })
    }

    #[test]
    fn generated_events_are_newest_first_and_windows_do_not_lose_any() {
        let store = store(1_000_000);
        let noon: DateTime<Utc> = "2026-09-01T12:00:00Z".parse().unwrap();
        let split = store.first_at_or_before(noon);
        assert!(store.time(split) <= noon && store.time(split - 1) > noon);
        let end = store.first_before(noon);
        assert!(store.time(end) < noon && store.time(end - 1) >= noon);
        assert!(store.time(0) > store.time(999_999));
    }

    #[test]
    fn a_generated_record_is_json_and_says_what_the_facts_say() {
        let store = store(200);
        for i in 0..200 {
            let record: serde_json::Value = serde_json::from_str(&store.record(i)).unwrap();
            let facts = store.facts(i);
            assert_eq!(record["eventID"], facts.id);
            assert_eq!(record["eventName"], facts.name);
            assert_eq!(Some(record["readOnly"].as_bool().unwrap()), facts.read_only);
        }
    }
}
