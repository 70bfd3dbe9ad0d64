//! What is told of single events: whether a change weakens, what it opens, how long a session lasts, and which members
//! of the record are missing.

use super::what::{iam_subject, kinds, shared_with_all, unblocks, weakens, world_rules};
use super::*;
use serde_json::json;

fn record(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn kept() -> Kept {
    Kept { buckets: BTreeSet::from(["logs".to_owned()]), log_groups: BTreeSet::from(["trail".to_owned()]) }
}

#[test]
fn a_change_of_logging_weakens_or_it_does_not() {
    let management = json!([{"fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]}]);
    let data = json!([{"fieldSelectors": [{"field": "eventCategory", "equals": ["Data"]}]}]);
    let reads_left_out = json!([{"fieldSelectors": [
        {"field": "eventCategory", "equals": ["Management"]}, {"field": "readOnly", "equals": ["false"]}]}]);
    for (event, parameters, expected) in [
        ("StopLogging", json!({"name": "t"}), true),
        ("StartLogging", json!({"name": "t"}), false),
        ("DeleteTrail", json!({"name": "t"}), true),
        ("CreateTrail", json!({"name": "t", "isMultiRegionTrail": false}), false),
        ("UpdateTrail", json!({"name": "t", "isMultiRegionTrail": true}), false),
        ("UpdateTrail", json!({"name": "t", "isMultiRegionTrail": false}), true),
        ("UpdateTrail", json!({"name": "t", "includeGlobalServiceEvents": false}), true),
        ("UpdateTrail", json!({"name": "t", "enableLogFileValidation": false}), true),
        ("UpdateTrail", json!({"name": "t", "kmsKeyId": ""}), true),
        ("UpdateTrail", json!({"name": "t", "cloudWatchLogsLogGroupArn": ""}), true),
        ("UpdateTrail", json!({"name": "t", "s3BucketName": "logs"}), false),
        ("UpdateTrail", json!({"name": "t", "s3BucketName": "elsewhere"}), true),
        (
            "PutEventSelectors",
            json!({"eventSelectors": [{"readWriteType": "All", "includeManagementEvents": true}]}),
            false,
        ),
        ("PutEventSelectors", json!({"eventSelectors": [{"readWriteType": "WriteOnly"}]}), true),
        ("PutEventSelectors", json!({"eventSelectors": [{"includeManagementEvents": false}]}), true),
        (
            "PutEventSelectors",
            json!({"eventSelectors": [{"excludeManagementEventSources": ["kms.amazonaws.com"]}]}),
            true,
        ),
        ("PutEventSelectors", json!({"eventSelectors": []}), true),
        ("PutEventSelectors", json!({ "advancedEventSelectors": management }), false),
        ("PutEventSelectors", json!({ "advancedEventSelectors": data }), true),
        ("PutEventSelectors", json!({ "advancedEventSelectors": reads_left_out }), true),
        ("PutInsightSelectors", json!({"insightSelectors": []}), true),
        ("PutInsightSelectors", json!({"insightSelectors": [{"insightType": "ApiCallRateInsight"}]}), false),
        ("StopConfigurationRecorder", json!({}), true),
        ("StartConfigurationRecorder", json!({}), false),
        ("DeleteDeliveryChannel", json!({}), true),
        (
            "PutConfigurationRecorder",
            json!({"configurationRecorder": {"recordingGroup": {"allSupported": true}}}),
            false,
        ),
        (
            "PutConfigurationRecorder",
            json!({"configurationRecorder": {"recordingGroup": {"allSupported": false}}}),
            true,
        ),
        ("PutRetentionConfiguration", json!({"retentionPeriodInDays": 365}), false),
        ("PutRetentionConfiguration", json!({"retentionPeriodInDays": 30}), true),
        ("PutRetentionPolicy", json!({"retentionInDays": 7}), true),
        ("PutRetentionPolicy", json!({"retentionInDays": 400}), false),
        ("PutBucketVersioning", json!({"VersioningConfiguration": {"Status": "Enabled"}}), false),
        ("PutBucketVersioning", json!({"VersioningConfiguration": {"Status": "Suspended"}}), true),
        ("PutBucketVersioning", json!({}), true),
        ("DeleteBucketPolicy", json!({"bucketName": "logs"}), true),
        ("PutBucketEncryption", json!({"bucketName": "logs"}), false),
        ("UpdateDetector", json!({"enable": false}), true),
        ("UpdateDetector", json!({"enable": true}), false),
        ("DisableSecurityHub", json!({}), true),
        ("CreateArchiveRule", json!({}), true),
    ] {
        let record = record(json!({"eventName": event, "requestParameters": parameters}));
        assert_eq!(weakens(Record(&record), &kept()), expected, "{event} {parameters}");
    }
}

#[test]
fn what_lets_the_world_in_is_told_in_every_form_of_the_request() {
    let said =
        |parameters: &Value| -> Vec<String> { world_rules(Some(parameters)).iter().map(ToString::to_string).collect() };
    for (parameters, expected) in [
        (
            json!({"ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
                "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}),
            vec!["tcp 22-22 from 0.0.0.0/0"],
        ),
        (
            json!({"ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443,
                "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]},
                "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}}]}}),
            vec!["tcp 443-443 from ::/0"],
        ),
        (
            json!({"ipPermissions": {"items": [{"ipProtocol": "-1", "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}),
            vec!["everything from 0.0.0.0/0"],
        ),
        (
            json!({"cidrIp": "0.0.0.0/0", "ipProtocol": "tcp", "fromPort": "3389", "toPort": "3389"}),
            vec!["tcp 3389-3389 from 0.0.0.0/0"],
        ),
        (
            json!({"ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
            "groups": {"items": [{"groupId": "sg-1"}]}}]}}),
            vec![],
        ),
        (
            json!({"cidrBlock": "0.0.0.0/0", "aclProtocol": "6", "portRange": {"from": 0, "to": 65535}}),
            vec!["6 0-65535 from 0.0.0.0/0"],
        ),
    ] {
        assert_eq!(said(&parameters), expected, "{parameters}");
    }
    let admin = |protocol: &str, from: i64, to: i64| {
        let rule = json!({"ipProtocol": protocol, "fromPort": from, "toPort": to, "cidrIp": "0.0.0.0/0"});
        world_rules(Some(&rule)).iter().any(super::what::Rule::is_admin)
    };
    assert!(admin("tcp", 22, 22) && admin("tcp", 0, 65535) && admin("-1", -1, -1) && admin("tcp", 3000, 4000));
    assert!(!admin("tcp", 443, 443) && !admin("udp", 22, 22));
}

#[test]
fn public_access_and_sharing_are_told() {
    let block = |all: bool, last: Value| {
        let of = json!({"PublicAccessBlockConfiguration": {"BlockPublicAcls": all, "IgnorePublicAcls": all,
            "BlockPublicPolicy": all, "RestrictPublicBuckets": last}});
        unblocks(Record(&record(json!({ "requestParameters": of }))))
    };
    assert!(!block(true, true.into()) && !block(true, "true".into()));
    assert!(block(true, false.into()) && block(false, true.into()));
    assert!(unblocks(Record(&record(json!({"requestParameters": {}})))), "what is not told is open");
    let shared =
        |parameters: Value| !shared_with_all(Record(&record(json!({ "requestParameters": parameters })))).is_empty();
    assert!(shared(json!({"snapshotId": "snap-1", "createVolumePermission": {"add": {"items": [{"group": "all"}]}}})));
    assert!(!shared(
        json!({"snapshotId": "snap-1", "createVolumePermission": {"remove": {"items": [{"group": "all"}]}}})
    ));
    assert!(!shared(json!({"snapshotId": "snap-1", "createVolumePermission": {"add": {"items": [{"userId": "1"}]}}})));
    assert!(shared(json!({"dBSnapshotIdentifier": "db", "valuesToAdd": ["all"]})));
}

#[test]
fn a_session_lasts_from_the_event_to_its_expiration() {
    let seconds = |expiration: Value| {
        let record = record(json!({"responseElements": {"credentials": {"expiration": expiration}}}));
        session_seconds(Record(&record), Timestamp::parse("2026-07-30T06:55:00Z").ok())
    };
    assert_eq!(seconds("Jul 30, 2026, 7:55:00 AM".into()), Ok(Some(3600)));
    assert_eq!(seconds("Jul 30, 2026 6:55:00 PM".into()), Ok(Some(43_200)));
    assert_eq!(seconds("2026-07-30T10:55:00Z".into()), Ok(Some(14_400)));
    assert_eq!(seconds(Value::Null), Ok(None));
    assert!(seconds("tomorrow".into()).unwrap_err().contains("`tomorrow` is no time"));
    let record = record(json!({"responseElements": {"credentials": {"expiration": "2026-07-30T10:55:00Z"}}}));
    assert!(session_seconds(Record(&record), None).is_err());
}

/// PCI DSS 10.2.2: who, what kind, when, with what result, from where, to what.
#[test]
fn each_member_that_an_audit_log_must_have_is_missed() {
    let whole = json!({
        "eventName": "CreateUser", "eventType": "AwsApiCall", "eventSource": "iam.amazonaws.com",
        "awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.1", "responseElements": null,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/a"},
        "requestParameters": {"userName": "b"},
    });
    let gaps = |without: &[&str], time: bool| {
        let mut record = record(whole.clone());
        without.iter().for_each(|name| drop(record.remove(*name)));
        let time = Timestamp::parse("2026-07-30T06:55:00Z").ok().filter(|_| time);
        let record = Record(&record);
        record.gaps(time, &record.targets())
    };
    assert!(gaps(&[], true).is_empty());
    for (without, gap) in [
        (&["userIdentity"][..], "user"),
        (&["eventName"], "type"),
        (&["eventType"], "type"),
        (&["responseElements"], "result"),
        (&["sourceIPAddress"], "origin"),
        (&["requestParameters", "awsRegion"], "target"),
    ] {
        assert_eq!(gaps(without, true), [gap], "{without:?}");
    }
    assert_eq!(gaps(&[], false), ["time"]);
}

#[test]
fn an_event_is_of_the_populations_that_it_concerns() {
    let of = |service: &str, event: &str, identity: &str| {
        let service = format!("{service}.amazonaws.com");
        kinds(Glance { service: &service, event, identity, by_service: false })
    };
    assert_eq!(of("signin", "ConsoleLogin", "IAMUser"), [Kind::SignIn]);
    assert_eq!(of("signin", "ConsoleLogin", "Root"), [Kind::SignIn, Kind::RootEvent]);
    assert_eq!(of("iam", "CreateAccessKey", "Root"), [Kind::RootEvent, Kind::IamChange]);
    assert_eq!(of("iam", "GetUser", "IAMUser"), []);
    assert_eq!(of("cloudtrail", "StopLogging", "AssumedRole"), [Kind::LoggingChange]);
    assert_eq!(of("cloudtrail", "LookupEvents", "AssumedRole"), []);
    assert_eq!(of("config", "StopConfigurationRecorder", "AssumedRole"), [Kind::LoggingChange]);
    assert_eq!(of("config", "PutEvaluations", "AssumedRole"), []);
    assert_eq!(of("kms", "ScheduleKeyDeletion", "IAMUser"), [Kind::KeyChange]);
    assert_eq!(of("kms", "Decrypt", "IAMUser"), []);
    assert_eq!(of("sts", "AssumeRole", "AWSAccount"), [Kind::RoleAssumption]);
    assert_eq!(of("sts", "AssumeRole", "IAMUser"), []);
    assert_eq!(of("ec2", "AuthorizeSecurityGroupIngress", "IAMUser"), [Kind::PerimeterChange]);
    assert_eq!(of("s3", "PutBucketPolicy", "IAMUser"), [Kind::LoggingChange, Kind::PerimeterChange]);
    let by_service = Glance { service: "iam.amazonaws.com", event: "CreateRole", identity: "Root", by_service: true };
    assert_eq!(kinds(by_service), [Kind::IamChange], "what a service does for root is not root's doing");
    for (event, subject) in [
        ("CreateUser", "user"),
        ("CreateAccessKey", "credential"),
        ("UploadSSHPublicKey", "credential"),
        ("DeactivateMFADevice", "mfa"),
        ("UpdateAssumeRolePolicy", "trust"),
        ("AttachRolePolicy", "policy"),
        ("DeleteRolePermissionsBoundary", "boundary"),
        ("UpdateAccountPasswordPolicy", "password-policy"),
        ("DeleteSAMLProvider", "provider"),
        ("AddUserToGroup", "group"),
        ("AddRoleToInstanceProfile", "role"),
    ] {
        assert_eq!(iam_subject(event), subject, "{event}");
    }
}
