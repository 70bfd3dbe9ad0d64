//! The customer-managed policies of the rich account.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::ACCOUNT;
use super::super::build::{Maker, document, pretty};
use crate::account::iam::{Document, Policy};

fn statements(list: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": list})
}

fn allow(actions: Value, resources: Value) -> Value {
    statements(json!([{"Effect": "Allow", "Action": actions, "Resource": resources}]))
}

pub(super) fn policies(make: Maker) -> Vec<Policy> {
    let mut policies = administrators(make);
    policies.extend(guards(make));
    policies.extend(vendor(make));
    policies.extend(applications(make));
    policies.extend(oddities(make));
    policies
}

/// All the ways to be an administrator.
fn administrators(make: Maker) -> Vec<Policy> {
    let p = |name: &str, age: i64, value: Value| make.policy("/", name, age, document(&value));
    vec![
        // attached to nobody
        p("admin-unattached", 1500, allow(json!("*"), json!("*"))),
        p("admin-in-arrays", 1200, allow(json!(["*"]), json!(["*"]))),
        p("admin-star-colon-star", 1100, allow(json!("*:*"), json!("*"))),
        // together with iam-operators this is everything
        p(
            "everything-but-iam",
            1000,
            statements(json!([{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}])),
        ),
        p("iam-operators", 900, allow(json!("iam:*"), json!("*"))),
        // each harmless alone, together a way to any role
        p("pass-any-role", 800, allow(json!(["iam:PassRole", "iam:ListRoles"]), json!("*"))),
        p(
            "lambda-authors",
            800,
            allow(json!(["lambda:CreateFunction", "lambda:InvokeFunction", "lambda:UpdateFunctionCode"]), json!("*")),
        ),
        p(
            "admin-with-mfa",
            500,
            statements(json!([{"Effect": "Allow", "Action": "*", "Resource": "*",
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}])),
        ),
        p(
            "admin-except-logs",
            450,
            statements(json!([
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail"], "Resource": "*"}])),
        ),
        p("policy-version-author", 300, allow(json!("iam:CreatePolicyVersion"), json!("*"))),
    ]
}

fn guards(make: Maker) -> Vec<Policy> {
    let mfa = |operator: &str| {
        statements(json!([{
            "Sid": "DenyAllExceptMFASetup",
            "Effect": "Deny",
            "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "iam:ListMFADevices", "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken"],
            "Resource": "*",
            "Condition": {operator: {"aws:MultiFactorAuthPresent": "false"}},
        }]))
    };
    vec![
        make.policy("/", "enforce-mfa", 700, pretty(&mfa("BoolIfExists"))),
        // Bool: requests with long-term keys have no such key and are not denied
        make.policy("/", "enforce-mfa-broken", 700, pretty(&mfa("Bool"))),
        make.policy(
            "/boundaries/",
            "boundary-developer",
            600,
            document(&allow(json!(["s3:*", "dynamodb:*", "lambda:*", "logs:*"]), json!("*"))),
        ),
        make.policy("/", "boundary-support", 300, document(&allow(json!(["iam:GetUser", "iam:ListUsers", "support:*", "ec2:Describe*"]), json!("*")))),
        make.policy("/boundaries/", "boundary-anything", 600, document(&allow(json!("*"), json!("*")))),
        make.policy(
            "/",
            "region-lock",
            650,
            document(&statements(json!([{
                "Effect": "Deny", "NotAction": ["iam:*", "sts:*", "support:*", "cloudfront:*"], "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1", "ap-southeast-2"]}}}]))),
        ),
        make.policy(
            "/",
            "log-tamper-guard",
            400,
            document(&statements(json!([{
                "Sid": "KeepTheLogs", "Effect": "Deny",
                "Action": ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors", "s3:DeleteBucket*", "s3:PutLifecycleConfiguration", "kms:ScheduleKeyDeletion", "config:StopConfigurationRecorder"],
                "Resource": "*"}]))),
        ),
    ]
}

/// What the CE roles of the vendor may do.
fn vendor(make: Maker) -> Vec<Policy> {
    let p = |name: &str, value: Value| make.policy("/vendors/ce/", name, 540, pretty(&value));
    vec![
        // "read-only", with one write action among the reads
        p(
            "CE-ReadOnly-Extra",
            allow(
                json!(["ec2:Describe*", "logs:FilterLogEvents", "s3:ListAllMyBuckets", "ec2:CreateTags"]),
                json!("*"),
            ),
        ),
        p(
            "CE-SRE",
            statements(json!([
                {"Sid": "Operate", "Effect": "Allow", "Action": ["ec2:RebootInstances", "ec2:StartInstances", "ec2:StopInstances", "ssm:StartSession", "autoscaling:SetDesiredCapacity"], "Resource": "*"},
                {"Sid": "NoSecrets", "Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}])),
        ),
        p(
            "CE-DevOps",
            allow(json!(["cloudformation:*", "codebuild:StartBuild", "ecr:*", "iam:PassRole", "lambda:*"]), json!("*")),
        ),
        // StringEqualsIfExists: instances without the tag are in scope too
        p(
            "CE-Data",
            statements(json!([
                {"Sid": "Tagged", "Effect": "Allow", "Action": ["ssm:StartSession", "ec2:GetConsoleOutput"], "Resource": format!("arn:aws:ec2:*:{ACCOUNT}:instance/*"),
                 "Condition": {"StringEqualsIfExists": {"ssm:resourceTag/ce-data": "allowed"}}},
                {"Sid": "Buckets", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::example-corp-ml-training/*",
                 "Condition": {"StringEquals": {"s3:ExistingObjectTag/ce-data": "allowed"}}}])),
        ),
    ]
}

fn applications(make: Maker) -> Vec<Policy> {
    let p = |name: &str, age: i64, value: Value| make.policy("/", name, age, document(&value));
    let table = |name: &str| format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{name}");
    vec![
        // default v2 is narrow, the newest version v4 is everything
        p("orders-table-access", 900, allow(json!("dynamodb:*"), json!(table("orders"))))
            .version(make, 700, document(&allow(json!(["dynamodb:GetItem", "dynamodb:Query"]), json!(table("orders")))))
            .version(make, 400, document(&allow(json!(["dynamodb:*"]), json!("*"))))
            .version(make, 30, document(&allow(json!("*"), json!("*"))))
            .default("v2"),
        // the other way round: default v1 is everything, the newest version is narrow
        p("reporting-access", 500, allow(json!("*"), json!("*")))
            .version(make, 100, document(&allow(json!(["s3:GetObject"]), json!("arn:aws:s3:::example-corp-reports/*"))))
            .default("v1"),
        p("payments-queue", 820, allow(json!(["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"]), json!(format!("arn:aws:sqs:*:{ACCOUNT}:payments-*"))))
            .version(make, 200, document(&allow(json!(["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "kms:Decrypt"]), json!([format!("arn:aws:sqs:*:{ACCOUNT}:payments-*"), format!("arn:aws:kms:*:{ACCOUNT}:key/*")])))),
        make.policy(
            "/",
            "my-app-bucket-prod",
            620,
            pretty(&statements(json!([
                {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": "arn:aws:s3:::my-app-bucket-prod/*"},
                {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::my-app-bucket-prod"}]))),
        ),
        p("data-lake-read", 700, allow(json!(["s3:GetObject", "s3:ListBucket", "athena:StartQueryExecution", "glue:GetTable*"]), json!(["arn:aws:s3:::example-corp-lake", "arn:aws:s3:::example-corp-lake/*", format!("arn:aws:athena:*:{ACCOUNT}:workgroup/primary"), format!("arn:aws:glue:*:{ACCOUNT}:*")]))),
        p("data-lake-write", 700, allow(json!(["s3:PutObject", "s3:AbortMultipartUpload"]), json!("arn:aws:s3:::example-corp-lake/*"))),
        p("s3-everything", 640, allow(json!("s3:*"), json!("*"))),
        p(
            "developers-not-prod",
            660,
            statements(json!([
                {"Sid": "Dev", "Effect": "Allow", "Action": ["ec2:*", "lambda:*", "dynamodb:*", "logs:*"], "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/env": ["dev", "staging"]}}},
                {"Sid": "NotProd", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/env": "prod"}}}])),
        ),
        p("developer-read", 400, allow(json!(["s3:GetObject", "logs:GetLogEvents"]), json!(["arn:aws:s3:::example-corp-artifacts/*", format!("arn:aws:logs:*:{ACCOUNT}:log-group:*")]))),
        p("chain-to-middle", 520, allow(json!("sts:AssumeRole"), json!(format!("arn:aws:iam::{ACCOUNT}:role/chain-middle")))),
        p("chain-to-admin", 520, allow(json!("sts:AssumeRole"), json!(format!("arn:aws:iam::{ACCOUNT}:role/chain-admin")))),
        p("assume-anything", 310, allow(json!("sts:AssumeRole"), json!("*"))),
        make.policy("/", "log-shipping", 930, long()),
        make.policy("/teams,finance/\"quoted\"/", "finance-exports", 210, document(&allow(json!("ce:GetCostAndUsage"), json!("*"))))
            .about("=cmd|' /C calc'!A0 , \"quoted\", naïve – 経費"),
    ]
}

fn oddities(make: Maker) -> Vec<Policy> {
    vec![
        // JSON with a key twice: parsers keep the last Action, readers see the first
        make.policy(
            "/",
            "duplicate-keys",
            1700,
            Arc::from(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Action":"s3:GetObject","Resource":"*"}]}"#),
        ),
        // not JSON at all: the end is missing
        make.policy(
            "/",
            "imported-2016",
            3600,
            Arc::from(r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","#),
        ),
        // Statement as an object, an old version, a variable that this version does not know
        make.policy(
            "/",
            "home-folders",
            2900,
            Arc::from("{\n  \"Version\": \"2008-10-17\",\n  \"Statement\": {\n    \"Sid\": \"Plus+and space%20\",\n    \"Effect\": \"Allow\",\n    \"Action\": \"s3:*\",\n    \"Resource\": \"arn:aws:s3:::example-corp-home/${aws:username}/*\"\n  }\n}\n"),
        ),
    ]
}

/// Close to the limit of 6,144 characters (whitespace not counted).
fn long() -> Document {
    let groups = [
        "api", "web", "worker", "batch", "stream", "cron", "proxy", "cache", "search", "mail", "auth", "audit",
        "billing", "orders", "payments", "ledger", "reports", "mobile", "push",
    ];
    let list: Vec<Value> = groups
        .iter()
        .map(|g| {
            json!({
                "Sid": format!("Ship{g}"),
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                "Resource": [
                    format!("arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/example/{g}:*"),
                    format!("arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/example/{g}:*"),
                ],
            })
        })
        .collect();
    document(&statements(json!(list)))
}
