//! The roles of the rich account that its own people and machines use.

use serde_json::{Value, json};

use super::super::ACCOUNT;
use super::super::aws_managed::arn as managed;
use super::super::build::{Maker, arn, document, local};
use super::federated;
use super::vendor;
use crate::account::iam::{Document, Role};

/// A trust policy of one Allow statement.
pub(super) fn trust(principal: Value, action: &str, condition: Option<Value>) -> Document {
    let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": action});
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    document(&json!({"Version": "2012-10-17", "Statement": [statement]}))
}

fn by_service(service: &str) -> Document {
    trust(json!({ "Service": service }), "sts:AssumeRole", None)
}

fn by_service_of_account(service: &str) -> Document {
    let condition = json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}});
    trust(json!({ "Service": service }), "sts:AssumeRole", Some(condition))
}

fn by(principals: Value) -> Document {
    trust(json!({ "AWS": principals }), "sts:AssumeRole", None)
}

pub(super) fn roles(make: Maker) -> Vec<Role> {
    let mut roles = applications(make);
    roles.extend(people(make));
    roles.extend(oddities(make));
    roles.extend(linked(make));
    roles.extend(vendor::roles(make));
    roles.extend(federated::roles(make));
    roles.sort_by_cached_key(|r| r.name.to_lowercase());
    roles
}

/// Name, service, age, last used (days ago), Region, attached policy.
type Application = (&'static str, &'static str, i64, Option<i64>, &'static str, &'static str);

const APPLICATIONS: [Application; 26] = [
    ("orders-api", "lambda.amazonaws.com", 900, Some(0), "us-east-1", "orders-table-access"),
    // one character away, and the one that nobody uses
    ("orders_api", "lambda.amazonaws.com", 880, Some(351), "us-east-1", "orders-table-access"),
    ("orders-worker", "ecs-tasks.amazonaws.com", 900, Some(0), "eu-west-1", "payments-queue"),
    ("payments-api", "ecs-tasks.amazonaws.com", 820, Some(0), "us-east-1", "payments-queue"),
    ("payments-reconcile", "states.amazonaws.com", 500, Some(1), "eu-west-1", "payments-queue"),
    ("ledger-writer", "lambda.amazonaws.com", 430, Some(0), "us-east-1", "my-app-bucket-prod"),
    ("data-lake-loader", "glue.amazonaws.com", 700, Some(0), "eu-west-1", "data-lake-write"),
    ("data-lake-query", "lambda.amazonaws.com", 700, Some(2), "us-east-1", "data-lake-read"),
    ("ml-training", "sagemaker.amazonaws.com", 360, Some(4), "us-east-1", "s3-everything"),
    ("ml-inference", "lambda.amazonaws.com", 340, Some(0), "us-east-1", "data-lake-read"),
    ("search-indexer", "ecs-tasks.amazonaws.com", 610, Some(12), "us-east-1", "data-lake-read"),
    ("mailer", "lambda.amazonaws.com", 1000, Some(3), "us-east-1", "log-shipping"),
    ("log-forwarder", "lambda.amazonaws.com", 930, Some(0), "ap-southeast-2", "log-shipping"),
    ("image-resizer", "lambda.amazonaws.com", 1200, Some(200), "us-east-1", "my-app-bucket-prod"),
    // 179 and 181 days: the two sides of the threshold
    ("invoice-render", "lambda.amazonaws.com", 500, Some(179), "us-east-1", "my-app-bucket-prod"),
    ("invoice-archive", "lambda.amazonaws.com", 500, Some(181), "us-east-1", "my-app-bucket-prod"),
    // never used: old, and too young to say
    ("poc-2022", "ec2.amazonaws.com", 1500, None, "", "s3-everything"),
    ("feature-flags", "lambda.amazonaws.com", 20, None, "", "log-shipping"),
    ("backup-restore-test", "backup.amazonaws.com", 380, Some(95), "us-east-1", "my-app-bucket-prod"),
    ("codebuild-web", "codebuild.amazonaws.com", 760, Some(1), "us-east-1", "log-shipping"),
    ("codebuild-infra", "codebuild.amazonaws.com", 760, Some(6), "us-east-1", "admin-except-logs"),
    ("scheduler", "scheduler.amazonaws.com", 150, Some(0), "us-east-1", "payments-queue"),
    ("bastion", "ec2.amazonaws.com", 1300, Some(30), "us-east-1", "developer-read"),
    ("web-frontend", "ec2.amazonaws.com", 1100, Some(0), "ap-southeast-2", "log-shipping"),
    ("cloudtrail-to-logs", "cloudtrail.amazonaws.com", 1400, Some(0), "us-east-1", "log-shipping"),
    ("imported-2016-reader", "ec2.amazonaws.com", 3600, Some(388), "us-east-1", "imported-2016"),
];

fn applications(make: Maker) -> Vec<Role> {
    APPLICATIONS
        .iter()
        .map(|(name, service, age, used, region, policy)| {
            // some trust their service only for this account, most forgot
            let trust = match age % 3 {
                0 => by_service_of_account(service),
                _ => by_service(service),
            };
            let mut role = make
                .role("/", name, *age, trust)
                .attach(local(policy))
                .tag("service", name.split('-').next().unwrap_or(name));
            if *service == "lambda.amazonaws.com" {
                role = role.attach(managed("AWSLambdaBasicExecutionRole"));
            }
            if *service == "ec2.amazonaws.com" {
                role = role.instance_profile();
            }
            match used {
                Some(days) => role.used(make, *days, region),
                None => role,
            }
        })
        .collect()
}

/// Roles that users and other accounts of the company assume.
fn people(make: Maker) -> Vec<Role> {
    let user = |name: &str| arn(&format!("user/people/{name}"));
    let mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    vec![
        make.role(
            "/",
            "break-glass",
            1900,
            trust(
                json!({"AWS": [user("alice.adams"), user("olga.orlova")]}),
                "sts:AssumeRole",
                Some(json!({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}})),
            ),
        )
        .attach(managed("AdministratorAccess"))
        .used(make, 44, "us-east-1")
        .about("Break glass. MFA within the hour; every use is reviewed"),
        make.role("/", "operator", 1500, trust(json!({"AWS": arn("root")}), "sts:AssumeRole", Some(mfa)))
            .attach(managed("PowerUserAccess"))
            .used(make, 1, "us-east-1")
            .session(28_800),
        // a chain: entry -> middle -> administrator
        make.role("/", "chain-entry", 520, by(json!(user("tara.tan")))).attach(local("chain-to-middle")).used(
            make,
            9,
            "us-east-1",
        ),
        make.role("/", "chain-middle", 520, by(json!(arn("role/chain-entry")))).attach(local("chain-to-admin")).used(
            make,
            9,
            "us-east-1",
        ),
        make.role("/", "chain-admin", 520, by(json!(arn("role/chain-middle"))))
            .attach(managed("AdministratorAccess"))
            .used(make, 9, "us-east-1")
            .session(43_200),
        // another account of the company, no condition
        make.role("/", "org-deployer", 700, by(json!("arn:aws:iam::222233334444:root")))
            .attach(local("admin-in-arrays"))
            .used(make, 2, "eu-west-1"),
        make.role(
            "/",
            "org-reader",
            700,
            trust(
                json!({"AWS": "*"}),
                "sts:AssumeRole",
                Some(json!({"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg1"}})),
            ),
        )
        .attach(managed("ReadOnlyAccess"))
        .used(make, 5, "us-east-1"),
        make.role("/", "AuditpackReader", 60, trust(json!({"AWS": user("olga.orlova")}), "sts:AssumeRole", None))
            .attach(managed("SecurityAudit"))
            .used(make, 0, "us-east-1")
            .about("Read-only evidence collection"),
        // an administrator only on paper: its boundary leaves little
        make.role("/", "sandbox-builder", 300, by(json!(user("tara.tan"))))
            .attach(managed("AdministratorAccess"))
            .boundary(arn("policy/boundaries/boundary-developer"))
            .used(make, 3, "us-east-1"),
        // a boundary that bounds nothing
        make.role("/", "platform-builder", 300, by(json!(user("uma.usman"))))
            .attach(managed("AdministratorAccess"))
            .boundary(arn("policy/boundaries/boundary-anything"))
            .used(make, 3, "us-east-1"),
        make.role("/", "nightly-admin", 620, by_service("lambda.amazonaws.com"))
            .attach(local("admin-star-colon-star"))
            .used(make, 0, "us-east-1"),
        make.role("/", "console-admin-mfa", 480, by(json!(user("bob.baker")))).attach(local("admin-with-mfa")).used(
            make,
            18,
            "us-east-1",
        ),
        make.role("/", "hopper", 310, by_service("ec2.amazonaws.com"))
            .attach(local("assume-anything"))
            .attach(local("policy-version-author"))
            .instance_profile()
            .used(make, 2, "us-east-1"),
    ]
}

fn oddities(make: Maker) -> Vec<Role> {
    let inline = |actions: Value| {
        document(&json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "=SUM(1,2)", "Effect": "Allow", "Action": actions, "Resource": "*"}]}))
    };
    vec![
        // IAM shows a principal that was deleted by its unique id
        make.role("/", "report-reader-orphan", 1250, by(json!("AROADELETEDROLEXAMPLE"))).attach(managed("ReadOnlyAccess")).used(make, 333, "us-east-1"),
        make.role("/", "half-orphan", 1250, by(json!(["AIDADELETEDUSREXAMPLE", arn("user/people/alice.adams")]))).attach(local("developer-read")).used(make, 60, "us-east-1"),
        // anybody who knows the id, which is no secret
        make.role("/", "partner-upload", 410, trust(json!({"AWS": "*"}), "sts:AssumeRole", Some(json!({"StringEquals": {"sts:ExternalId": "example-upload-2025"}}))))
            .inline("upload", inline(json!("s3:PutObject")))
            .used(make, 17, "us-east-1"),
        make.role("/", "duplicate-keys-reader", 1700, by_service("ec2.amazonaws.com")).attach(local("duplicate-keys")).instance_profile().used(make, 200, "us-east-1"),
        make.role("/", "lambda,edge", 230, trust(json!({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}), "sts:AssumeRole", None))
            .inline("logs, \"all\"", inline(json!("logs:*")))
            .used(make, 0, "us-east-1"),
        make.role("/", "=cmd", 225, by_service("lambda.amazonaws.com")).inline("x", inline(json!("logs:PutLogEvents"))).about("=cmd|' /C calc'!A0"),
        make.role("/teams,data/\"quoted\"/", "@home-folders", 900, by_service("transfer.amazonaws.com")).attach(local("home-folders")).used(make, 40, "eu-west-1").about("Ordner für SFTP – 転送"),
        make.role("/application/abcdefghijklmnop/component/qrstuvwxyz/", "a-role-name-with-the-greatest-length-that-iam-accepts-64-chars-x", 100, by_service("ecs-tasks.amazonaws.com")).inline("logs", inline(json!("logs:CreateLogStream"))).used(make, 1, "us-east-1"),
        // a Deny on top of an Allow for everybody of the account
        make.role(
            "/",
            "account-wide-no-mfa-check",
            260,
            document(&json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": arn("root")}, "Action": "sts:AssumeRole"},
                {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}]})),
        )
        .attach(local("data-lake-write"))
        .used(make, 71, "eu-west-1"),
    ]
}

/// Service-linked roles: AWS writes them, nobody can edit them.
fn linked(make: Maker) -> Vec<Role> {
    [
        ("AWSServiceRoleForConfig", "config.amazonaws.com", Some("AWSConfigServiceRolePolicy"), Some(0)),
        ("AWSServiceRoleForSupport", "support.amazonaws.com", Some("AWSSupportServiceRolePolicy"), None),
        (
            "AWSServiceRoleForTrustedAdvisor",
            "trustedadvisor.amazonaws.com",
            Some("AWSTrustedAdvisorServiceRolePolicy"),
            Some(210),
        ),
        ("AWSServiceRoleForECS", "ecs.amazonaws.com", None, Some(0)),
        ("AWSServiceRoleForSSO", "sso.amazonaws.com", None, Some(1)),
        ("AWSServiceRoleForAutoScaling", "autoscaling.amazonaws.com", None, Some(0)),
    ]
    .into_iter()
    .map(|(name, service, policy, used)| {
        let path = format!("/aws-service-role/{service}/");
        let mut role = make.role(&path, name, 1800, by_service(service));
        if let Some(policy) = policy {
            role = role.attach(managed(policy));
        }
        match used {
            Some(days) => role.used(make, days, "us-east-1"),
            None => role,
        }
    })
    .collect()
}
