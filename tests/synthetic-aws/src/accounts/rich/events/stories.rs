//! What auditors look for in an event history: vendor sessions, root, sign-ins, changes to trails and
//! to who has access.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::super::super::ACCOUNT;
use super::super::vendor::{CE, EXTERNAL_ID};
use super::super::{EUROPE, HOME, SYDNEY, trails};
use super::draft::{Draft, Identity};
use crate::ids;

const STS: &str = "sts.amazonaws.com";
const IAM: &str = "iam.amazonaws.com";

/// So many days (and minutes) ago.
fn at(now: DateTime<Utc>, days: i64, minutes: i64) -> DateTime<Utc> {
    now - TimeDelta::days(days) - TimeDelta::minutes(minutes)
}

pub(super) fn stories(now: DateTime<Utc>) -> Vec<Draft> {
    let mut all = vendor(now);
    all.extend(federation(now));
    all.extend(root(now));
    all.extend(sign_ins(now));
    all.extend(logging(now));
    all.extend(access(now));
    all.extend(services(now));
    all.extend(weakenings(now));
    all
}

/// responseElements of the AssumeRole family. The token is made up, and still must never be kept.
fn issued(role: &str, session: &str, expires: DateTime<Utc>) -> Value {
    json!({
        "credentials": {
            "accessKeyId": ids::access_key("ASIA", &format!("{role}/{session}")),
            "sessionToken": format!("FAKE-SESSION-TOKEN//{role}//{session}//{}", "not-a-secret/".repeat(12)),
            "expiration": expires.format("%b %-d, %Y, %-I:%M:%S %p").to_string(),
        },
        "assumedRoleUser": {
            "assumedRoleId": format!("{}:{session}", ids::unique_id("AROA", role)),
            "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"),
        },
    })
}

fn assumption(
    time: DateTime<Utc>,
    region: &str,
    name: &str,
    who: Identity,
    role: &str,
    session: &str,
    hours: i64,
) -> Draft {
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
    Draft::new(time, region, STS, name, who)
        .read_only(true)
        .request(json!({"roleArn": arn, "roleSessionName": session, "durationSeconds": hours * 3600}))
        .response(issued(role, session, time + TimeDelta::hours(hours)))
        .resource("AWS::IAM::AccessKey", &ids::access_key("ASIA", &format!("{role}/{session}")))
        .resource("AWS::STS::AssumedRole", session)
        .resource("AWS::IAM::Role", &arn)
        .resource("AWS::IAM::Role", role)
        .extra("resources", json!([{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": arn}]))
}

/// The vendor's engineers: the caller is an account and a principal id, never an ARN.
fn vendor(now: DateTime<Utc>) -> Vec<Draft> {
    // role, session name, days ago, Region, hours, MFA serial in the request
    let sessions: [(&str, &str, i64, &str, i64, bool); 14] = [
        ("CE-ReadOnly", "kim.k@continuous.example", 1, HOME, 4, true),
        ("CE-ReadOnly", "jo.j@continuous.example", 16, EUROPE, 4, true),
        ("CE-ReadOnly", "jo.j@continuous.example", 41, HOME, 2, true),
        ("CE-SRE", "kim.k@continuous.example", 3, EUROPE, 1, true),
        ("CE-SRE", "lu.l@continuous.example", 29, EUROPE, 4, true),
        ("CE-SRE", "lu.l@continuous.example", 63, SYDNEY, 4, true),
        // a name that says nothing about who it was
        ("CE-DevOps", "botocore-session-1758000000", 8, HOME, 1, false),
        ("CE-DevOps", "aws-go-sdk-1755500000000000000", 37, HOME, 1, false),
        // twelve hours of administrator
        ("CE-Admin", "kim.k@continuous.example", 6, HOME, 12, true),
        ("CE-Admin", "lu.l@continuous.example", 52, HOME, 1, true),
        ("CE-Data", "jo.j@continuous.example", 15, HOME, 2, false),
        ("migration-2023-temp", "session", 20, HOME, 12, false),
        ("migration-2023-temp", "session", 58, EUROPE, 12, false),
        ("migration-2023-temp", "rené.o'brien", 77, HOME, 1, false),
    ];
    let mut drafts = Vec::new();
    for (n, (role, session, days, region, hours, mfa)) in sessions.into_iter().enumerate() {
        let time = at(now, days, 300 + n as i64);
        // engineers come from an Identity Center role of the vendor: AROA, and their own session name
        let principal = format!("{}:{session}", ids::unique_id("AROA", "vendor-sso"));
        let mut draft = assumption(time, region, "AssumeRole", Identity::account(CE, &principal), role, session, hours);
        let mut request = json!({
            "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"),
            "roleSessionName": session,
            "durationSeconds": hours * 3600,
        });
        if role != "migration-2023-temp" {
            request["externalId"] = json!(EXTERNAL_ID);
        }
        if mfa {
            let user = session.split('@').next().unwrap_or(session);
            request["serialNumber"] = json!(format!("arn:aws:iam::{CE}:mfa/{user}"));
        }
        draft = draft.request(request).extra("sharedEventID", json!(ids::uuid(9000 + n as u64)));
        drafts.push(draft);
        // what they did with it
        let calls = [
            ("ec2.amazonaws.com", "DescribeInstances", true),
            ("ssm.amazonaws.com", "StartSession", false),
            ("ec2.amazonaws.com", "RebootInstances", false),
        ];
        for (k, (source, name, read)) in calls.into_iter().enumerate() {
            drafts.push(
                Draft::new(
                    time + TimeDelta::minutes(4 + 9 * k as i64),
                    region,
                    source,
                    name,
                    Identity::role(role, session),
                )
                .read_only(read)
                .request(json!({"instanceId": "i-0123456789abcdef0"}))
                .resource("AWS::EC2::Instance", "i-0123456789abcdef0"),
            );
        }
    }
    // refused: no ExternalId
    for days in [5, 22] {
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/CE-Admin");
        drafts.push(
            Draft::new(at(now, days, 411), HOME, STS, "AssumeRole", Identity::account(CE, &format!("{}:unknown", ids::unique_id("AROA", "vendor-sso"))))
                .read_only(true)
                .error("AccessDenied", "User is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/CE-Admin")
                .request(json!({"roleArn": arn, "roleSessionName": "unknown"}))
                .resource("AWS::IAM::Role", &arn)
                .resource("AWS::IAM::Role", "CE-Admin"),
        );
    }
    drafts
}

fn federation(now: DateTime<Utc>) -> Vec<Draft> {
    let saml = |days: i64, role: &str, person: &str| {
        let provider =
            if role.starts_with("AWSReservedSSO") { "AWSSSO_0a1b2c3d4e5f6a7b_DO_NOT_DELETE" } else { "ExampleCorpIdP" };
        assumption(at(now, days, 77), EUROPE, "AssumeRoleWithSAML", Identity::saml(provider, person), role, person, 8)
    };
    let web = |days: i64, role: &str, subject: &str| {
        let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
        assumption(
            at(now, days, 131),
            HOME,
            "AssumeRoleWithWebIdentity",
            Identity::web(&provider, subject),
            role,
            "GitHubActions",
            1,
        )
    };
    let mut drafts: Vec<Draft> = (0..12)
        .map(|n| {
            saml(
                n * 7 + 1,
                "AWSReservedSSO_DeveloperAccess_3f2e3d4c5b6a7988",
                ["fatima.fahmi@example.com", "tara.tan@example.com"][n as usize % 2],
            )
        })
        .collect();
    drafts.push(saml(14, "AWSReservedSSO_AdministratorAccess_1f2e3d4c5b6a7988", "olga.orlova@example.com"));
    drafts.push(saml(7, "saml-finance", "kofi.kamara@example.com"));
    drafts.extend((0..10).map(|n| web(n * 8, "gha-branch", "repo:example-corp/orders:ref:refs/heads/main")));
    // somebody else's repository, through the role that checks no subject
    drafts.push(web(2, "gha-open", "repo:somebody-else/fork:pull_request"));
    // a chain: each session comes from the one before
    let chained = |days: i64, minute: i64, from: Identity, role: &str| {
        assumption(at(now, days, 500 - minute), HOME, "AssumeRole", from, role, "tara.tan", 1)
    };
    drafts.push(chained(9, 0, Identity::user("tara.tan"), "chain-entry"));
    drafts.push(chained(9, 1, Identity::role("chain-entry", "tara.tan"), "chain-middle"));
    drafts.push(chained(9, 2, Identity::role("chain-middle", "tara.tan"), "chain-admin"));
    drafts
}

fn console(time: DateTime<Utc>, region: &str, who: Identity, success: bool, mfa: bool) -> Draft {
    let outcome = if success { "Success" } else { "Failure" };
    let draft = Draft::new(time, region, "signin.amazonaws.com", "ConsoleLogin", who)
        .kind("AwsConsoleSignIn")
        .agent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .response(json!({ "ConsoleLogin": outcome }))
        .extra(
            "additionalEventData",
            json!({
                "LoginTo": format!("https://{region}.console.aws.amazon.com/console/home"),
                "MobileVersion": "No",
                "MFAUsed": if mfa { "Yes" } else { "No" },
            }),
        );
    if success { draft } else { draft.extra("errorMessage", json!("Failed authentication")) }
}

/// Twelve days ago somebody signed in as root and worked.
fn root(now: DateTime<Utc>) -> Vec<Draft> {
    let time = super::super::super::build::ago(now, 12, "root-login");
    let then = |minutes: i64, source: &str, name: &str, read: bool| {
        Draft::new(time + TimeDelta::minutes(minutes), HOME, source, name, Identity::root()).read_only(read)
    };
    vec![
        console(time, HOME, Identity::root(), true, true),
        then(3, "billing.amazonaws.com", "GetAccountInformation", true),
        then(6, IAM, "GetAccountSummary", true),
        then(11, "s3.amazonaws.com", "PutBucketPolicy", false)
            .request(json!({"bucketName": "example-corp-legacy-archive", "bucketPolicy": {"Version": "2012-10-17"}}))
            .resource("AWS::S3::Bucket", "example-corp-legacy-archive"),
        console(at(now, 71, 200), HOME, Identity::root(), false, false),
        // root in a record, but a service acted: nobody's hands
        Draft::new(at(now, 48, 15), HOME, "kms.amazonaws.com", "CreateGrant", Identity::root())
            .request(json!({"keyId": ids::uuid(1001)}))
            .address("ec2-frontend-api.amazonaws.com")
            .agent("ec2-frontend-api.amazonaws.com"),
    ]
}

fn sign_ins(now: DateTime<Utc>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for n in 0..24 {
        let who = ["alice.adams", "bob.baker", "olga.orlova", "maria.moreno"][n as usize % 4];
        let region = if n % 3 == 0 { EUROPE } else { HOME };
        drafts.push(console(at(now, n * 3, 45 + n), region, Identity::user(who), true, true));
    }
    for (who, days) in [("rosa.ruiz", 2), ("dana.dietrich", 1), ("=1+1", 14)] {
        drafts.push(console(at(now, days, 95), HOME, Identity::user(who), true, false));
    }
    // guesses at a password, then a name that does not exist: AWS hides it
    for n in 0..6 {
        drafts.push(
            console(at(now, 19, 600 - n), SYDNEY, Identity::user("peter.popov"), false, false).address("198.51.100.23"),
        );
    }
    drafts.push(
        console(at(now, 19, 590), SYDNEY, Identity::account(ACCOUNT, "HIDDEN_DUE_TO_SECURITY_REASONS"), false, false)
            .address("198.51.100.23"),
    );
    drafts
}

/// Changes to trails and to Config.
fn logging(now: DateTime<Utc>) -> Vec<Draft> {
    const CLOUDTRAIL: &str = "cloudtrail.amazonaws.com";
    let legacy = format!("arn:aws:cloudtrail:{SYDNEY}:{ACCOUNT}:trail/legacy-archive");
    vec![
        Draft::new(trails::stopped(now), SYDNEY, CLOUDTRAIL, "StopLogging", Identity::user("peter.popov"))
            .request(json!({ "name": legacy }))
            .resource("AWS::CloudTrail::Trail", &legacy),
        Draft::new(at(now, 35, 20), SYDNEY, CLOUDTRAIL, "PutEventSelectors", Identity::user("peter.popov"))
            .request(json!({"trailName": legacy, "eventSelectors": [{"readWriteType": "WriteOnly", "includeManagementEvents": true, "excludeManagementEventSources": ["kms.amazonaws.com"]}]}))
            .resource("AWS::CloudTrail::Trail", &legacy),
        Draft::new(at(now, 61, 3), SYDNEY, CLOUDTRAIL, "UpdateTrail", Identity::role("codebuild-infra", "i-00000000002a"))
            .request(json!({"name": "legacy-archive", "s3BucketName": "example-corp-legacy-archive", "enableLogFileValidation": false})),
        Draft::new(at(now, 50, 9), HOME, CLOUDTRAIL, "DeleteTrail", Identity::role("CE-DevOps", "botocore-session-1754000000"))
            .error("AccessDenied", "User is not authorized to perform: cloudtrail:DeleteTrail")
            .request(json!({"name": "management-events"})),
        Draft::new(super::super::super::build::ago(now, 25, "europe-recorder"), EUROPE, "config.amazonaws.com", "StopConfigurationRecorder", Identity::role("codebuild-infra", "i-00000000002b"))
            .request(json!({"configurationRecorderName": "eu-recorder"})),
    ]
}

/// Who was given access.
fn access(now: DateTime<Utc>) -> Vec<Draft> {
    let iam = |days: i64, name: &str, who: Identity, request: Value| {
        Draft::new(at(now, days, 222), HOME, IAM, name, who).request(request)
    };
    let admin = || Identity::user("alice.adams");
    let user = |draft: Draft, name: &str| draft.resource("AWS::IAM::User", name);
    vec![
        user(iam(10, "CreateUser", admin(), json!({"userName": "li.lei"})).response(json!({"user": {"userName": "li.lei", "path": "/people/", "userId": ids::unique_id("AIDA", "li.lei"), "arn": format!("arn:aws:iam::{ACCOUNT}:user/people/li.lei"), "createDate": "Sep 21, 2026, 5:18:00 AM"}})), "li.lei"),
        user(iam(10, "CreateLoginProfile", admin(), json!({"userName": "li.lei", "passwordResetRequired": true})), "li.lei"),
        user(iam(45, "CreateUser", admin(), json!({"userName": "zoe.zimmer", "path": "/teams,finance/\"quoted\"/=x/", "tags": [{"key": "Owner", "value": "Zoë – 経理, \"ops\""}]})), "zoe.zimmer"),
        user(iam(60, "CreateUser", Identity::role("codebuild-infra", "i-00000000002c"), json!({"userName": "svc-bedrock"})), "svc-bedrock"),
        user(iam(45, "CreateAccessKey", Identity::user("svc-terraform"), json!({"userName": "svc-terraform"})).response(json!({"accessKey": {"userName": "svc-terraform", "accessKeyId": ids::user_key("svc-terraform", 1), "status": "Active"}})), "svc-terraform"),
        user(iam(12, "CreateAccessKey", Identity::user("hana.hoshi"), json!({"userName": "hana.hoshi"})), "hana.hoshi"),
        user(iam(33, "AttachUserPolicy", admin(), json!({"userName": "carl.cruz", "policyArn": format!("arn:aws:iam::{ACCOUNT}:policy/pass-any-role")})), "carl.cruz"),
        user(iam(50, "PutUserPolicy", Identity::user("tara.tan"), json!({"userName": "tara.tan", "policyName": "TemporaryAdmin", "policyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"})), "tara.tan"),
        iam(30, "CreatePolicyVersion", Identity::role("hopper", "i-0000000000aa"), json!({"policyArn": format!("arn:aws:iam::{ACCOUNT}:policy/orders-table-access"), "policyDocument": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}", "setAsDefault": false})),
        iam(60, "CreateRole", admin(), json!({"roleName": "AuditpackReader", "assumeRolePolicyDocument": format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"arn:aws:iam::{ACCOUNT}:root\"}},\"Action\":\"sts:AssumeRole\"}}]}}")})),
        user(iam(17, "DeleteUser", admin(), json!({"userName": "temp.tester"})), "temp.tester"),
        user(iam(88, "DeactivateMFADevice", Identity::user("rosa.ruiz"), json!({"userName": "rosa.ruiz", "serialNumber": format!("arn:aws:iam::{ACCOUNT}:mfa/rosa.ruiz")})), "rosa.ruiz"),
        iam(66, "UpdateAccountPasswordPolicy", admin(), json!({"minimumPasswordLength": 10, "maxPasswordAge": 365})),
    ]
}

/// Events that nobody called: key rotation, service-linked work; they have no readOnly or no name.
fn services(now: DateTime<Utc>) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = (0..8)
        .map(|n| {
            Draft::new(
                at(now, n * 11, 12),
                HOME,
                "kms.amazonaws.com",
                "RotateKey",
                Identity::service("kms.amazonaws.com"),
            )
            .kind("AwsServiceEvent")
            .agent("AWS Internal")
            .address("AWS Internal")
            .extra("serviceEventDetails", json!({"keyId": ids::uuid(1001)}))
        })
        .collect();
    drafts.extend((0..6).map(|n| {
        assumption(
            at(now, n * 13, 61),
            EUROPE,
            "AssumeRole",
            Identity::service("ecs-tasks.amazonaws.com"),
            "orders-worker",
            &format!("task-{n:04x}"),
            6,
        )
    }));
    drafts
}

/// What was opened, switched off or taken away for a while, and is as it should be again: only the events tell.
fn weakenings(now: DateTime<Utc>) -> Vec<Draft> {
    let by = || Identity::role("platform-builder", "mallory");
    let did = |days: i64, region: &str, service: &str, name: &str, request: Value| {
        Draft::new(at(now, days, 333), region, &format!("{service}.amazonaws.com"), name, by()).request(request)
    };
    let open = |group: &str, port: u16| {
        json!({"groupId": group, "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": port, "toPort": port,
            "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {}, "prefixListIds": {}, "groups": {}}]}})
    };
    let everyone = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":\"ACTION\",\"Resource\":\"*\"}]}";
    let trust = everyone.replace("ACTION", "sts:AssumeRole").replace(",\"Resource\":\"*\"", "");
    vec![
        did(22, HOME, "ec2", "AuthorizeSecurityGroupIngress", open("sg-0a0000000000000a1", 22)),
        did(22, HOME, "ec2", "RevokeSecurityGroupIngress", open("sg-0a0000000000000a1", 22)),
        did(23, EUROPE, "ec2", "AuthorizeSecurityGroupIngress", open("sg-0a0000000000000a2", 5432)),
        did(
            24,
            HOME,
            "ec2",
            "DeleteFlowLogs",
            json!({"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": "fl-0a0000000000000a3"}}}),
        ),
        did(25, HOME, "s3", "DeleteBucketPublicAccessBlock", json!({"bucketName": "example-corp-exports"})),
        did(
            26,
            HOME,
            "ec2",
            "ModifySnapshotAttribute",
            json!({"snapshotId": "snap-0a0000000000000a4", "attributeType": "CREATE_VOLUME_PERMISSION",
            "createVolumePermission": {"add": {"items": [{"group": "all"}]}}}),
        ),
        did(27, HOME, "kms", "ScheduleKeyDeletion", json!({"keyId": ids::uuid(1002), "pendingWindowInDays": 7})),
        did(27, HOME, "kms", "CancelKeyDeletion", json!({"keyId": ids::uuid(1002)})),
        did(28, HOME, "kms", "DisableKey", json!({"keyId": ids::uuid(1003)})),
        did(29, HOME, "kms", "DisableKeyRotation", json!({"keyId": ids::uuid(1003)})),
        did(
            31,
            HOME,
            "kms",
            "PutKeyPolicy",
            json!({"keyId": ids::uuid(1003), "policyName": "default", "policy": everyone.replace("ACTION", "kms:Decrypt")}),
        ),
        did(32, HOME, "guardduty", "DeleteDetector", json!({"detectorId": "12abc34d567e8fa901bc2d34e56789f0"})),
        did(
            36,
            HOME,
            "logs",
            "DeleteMetricFilter",
            json!({"logGroupName": "cloudtrail/management", "filterName": "root-use"}),
        ),
        did(37, HOME, "iam", "UpdateAssumeRolePolicy", json!({"roleName": "partner-upload", "policyDocument": trust})),
        did(
            38,
            HOME,
            "iam",
            "UpdateSAMLProvider",
            json!({"sAMLProviderArn": format!("arn:aws:iam::{ACCOUNT}:saml-provider/Workforce")}),
        ),
        did(39, HOME, "iam", "DeleteRolePermissionsBoundary", json!({"roleName": "sandbox-builder"})),
        did(
            40,
            HOME,
            "iam",
            "AttachRolePolicy",
            json!({"roleName": "sandbox-builder", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ),
        did(41, HOME, "iam", "CreateAccessKey", json!({"userName": "svc-terraform"}))
            .error("AccessDenied", "User is not authorized to perform: iam:CreateAccessKey"),
    ]
}
