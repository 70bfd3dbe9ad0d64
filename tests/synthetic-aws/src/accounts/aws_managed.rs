//! AWS-managed policies that the accounts use, with documents shortened to what matters.

use chrono::{DateTime, TimeZone, Utc};
use serde_json::{Value, json};

use super::build::document;
use crate::account::iam::{Policy, PolicyVersion};
use crate::ids;

/// Path, name, version and statements. The versions and the documents are invented in the likeness of
/// AWS's, which are longer and change.
fn known(name: &str) -> (&'static str, u32, Value) {
    let allow = |actions: Value, resource: &str| json!([{"Effect": "Allow", "Action": actions, "Resource": resource}]);
    match name {
        "AdministratorAccess" => ("/", 1, allow(json!("*"), "*")),
        "PowerUserAccess" => (
            "/",
            6,
            json!([
                {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
                {"Effect": "Allow", "Action": ["account:GetAccountInformation", "account:ListRegions", "iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles", "organizations:DescribeOrganization"], "Resource": "*"}
            ]),
        ),
        "ReadOnlyAccess" => (
            "/",
            140,
            allow(
                json!([
                    "ec2:Describe*",
                    "s3:Get*",
                    "s3:List*",
                    "iam:Get*",
                    "iam:List*",
                    "cloudtrail:Get*",
                    "cloudtrail:Describe*",
                    "cloudtrail:LookupEvents",
                    "config:Describe*",
                    "config:Get*",
                    "logs:Get*",
                    "logs:Describe*",
                    "rds:Describe*"
                ]),
                "*",
            ),
        ),
        "SecurityAudit" => (
            "/",
            52,
            allow(
                json!([
                    "iam:GenerateCredentialReport",
                    "iam:Get*",
                    "iam:List*",
                    "cloudtrail:DescribeTrails",
                    "cloudtrail:GetTrailStatus",
                    "cloudtrail:GetEventSelectors",
                    "cloudtrail:LookupEvents",
                    "config:Describe*",
                    "config:Get*",
                    "account:ListRegions"
                ]),
                "*",
            ),
        ),
        "IAMFullAccess" => {
            ("/", 2, allow(json!(["iam:*", "organizations:DescribeAccount", "organizations:ListPolicies"]), "*"))
        }
        "IAMUserChangePassword" => (
            "/",
            2,
            json!([
                {"Effect": "Allow", "Action": ["iam:ChangePassword"], "Resource": ["arn:aws:iam::*:user/${aws:username}"]},
                {"Effect": "Allow", "Action": ["iam:GetAccountPasswordPolicy"], "Resource": "*"}
            ]),
        ),
        "Billing" => {
            ("/job-function/", 9, allow(json!(["billing:Get*", "ce:Get*", "cur:Describe*", "budgets:ViewBudget"]), "*"))
        }
        "AWSLambdaBasicExecutionRole" => (
            "/service-role/",
            1,
            allow(json!(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]), "*"),
        ),
        "AWS_ConfigRole" => (
            "/service-role/",
            78,
            allow(
                json!(["config:Put*", "config:Get*", "ec2:Describe*", "iam:Get*", "iam:List*", "s3:GetBucket*"]),
                "*",
            ),
        ),
        "AmazonSSMManagedInstanceCore" => {
            ("/", 2, allow(json!(["ssm:UpdateInstanceInformation", "ssmmessages:*", "ec2messages:*"]), "*"))
        }
        "AWSSupportServiceRolePolicy" => {
            ("/aws-service-role/", 53, allow(json!(["ec2:Describe*", "iam:GetRole", "s3:GetBucketLocation"]), "*"))
        }
        "AWSTrustedAdvisorServiceRolePolicy" => {
            ("/aws-service-role/", 14, allow(json!(["ec2:Describe*", "iam:GetAccountSummary", "s3:GetBucketAcl"]), "*"))
        }
        "AWSConfigServiceRolePolicy" => (
            "/aws-service-role/",
            66,
            allow(json!(["config:BatchGet*", "ec2:Describe*", "iam:GetAccountAuthorizationDetails"]), "*"),
        ),
        "CloudWatchReadOnlyAccess" => {
            ("/", 10, allow(json!(["cloudwatch:Describe*", "cloudwatch:Get*", "logs:FilterLogEvents"]), "*"))
        }
        _ => ("/", 1, allow(json!(["sts:GetCallerIdentity"]), "*")),
    }
}

/// An AWS-managed policy; `listed`: GetAccountAuthorizationDetails returns it.
pub(super) fn policy(name: &str, listed: bool) -> Policy {
    let (path, version, statements) = known(name);
    let day = |y: i32| -> DateTime<Utc> {
        // cannot fail: the date exists
        Utc.with_ymd_and_hms(y, 2, 6, 18, 39, 46).single().unwrap_or_default()
    };
    let (created, updated) = (day(2015), day(2026));
    let version = format!("v{version}");
    Policy {
        path: path.to_owned(),
        name: name.to_owned(),
        id: ids::unique_id("ANPA", name),
        arn: arn(name),
        // GetAccountAuthorizationDetails and ListPolicies leave the description out
        description: None,
        created,
        updated,
        default_version: version.clone(),
        versions: vec![PolicyVersion {
            id: version,
            document: document(&json!({"Version": "2012-10-17", "Statement": statements})),
            created: updated,
        }],
        listed,
    }
}

/// Its ARN, with its path.
pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:iam::aws:policy{}{name}", known(name).0)
}
