//! The vendors' roles. CE is the vendor of the source document 000: five roles that it asked for, a
//! sixth that everybody forgot, and claims that cannot all be true.

use serde_json::{Value, json};

use super::super::aws_managed::arn as managed;
use super::super::build::{Maker, arn, document};
use super::roles::trust;
use crate::account::iam::Role;

/// The vendor's account.
pub(super) const CE: &str = "999988887777";
pub(super) const EXTERNAL_ID: &str = "ce-4711-example-corp-Zx9";

fn ce_root() -> Value {
    json!({"AWS": format!("arn:aws:iam::{CE}:root")})
}

fn ce_policy(name: &str) -> String {
    arn(&format!("policy/vendors/ce/{name}"))
}

pub(super) fn roles(make: Maker) -> Vec<Role> {
    let ce = |name: &str, trust| {
        make.role("/", name, 540, trust)
            .tag("vendor", "continuous-engineering")
            .tag("aws:cloudformation:stack-name", "ce-access")
    };
    let saml = json!({"Federated": arn("saml-provider/CE-IdP")});
    let id = json!({"sts:ExternalId": EXTERNAL_ID});
    vec![
        // as it should be: ExternalId and MFA
        ce("CE-ReadOnly", trust(ce_root(), "sts:AssumeRole", Some(json!({"StringEquals": id, "Bool": {"aws:MultiFactorAuthPresent": "true"}}))))
            .attach(managed("ReadOnlyAccess"))
            .attach(ce_policy("CE-ReadOnly-Extra"))
            .session(14_400)
            .used(make, 1, "us-east-1"),
        // as it should be: MFA within the hour, and the session name pinned
        ce("CE-SRE", trust(ce_root(), "sts:AssumeRole", Some(json!({
            "StringEquals": id,
            "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
            "StringLike": {"sts:RoleSessionName": "*@continuous.example"},
        }))))
            .attach(ce_policy("CE-SRE"))
            .attach(arn("policy/log-tamper-guard"))
            .session(14_400)
            .used(make, 3, "eu-west-1"),
        // a pattern for an id, and MFA that is not required: BoolIfExists in an Allow
        ce("CE-DevOps", trust(ce_root(), "sts:AssumeRole", Some(json!({
            "StringLike": {"sts:ExternalId": "ce-*"},
            "BoolIfExists": {"aws:MultiFactorAuthPresent": "true"},
        }))))
            .attach(ce_policy("CE-DevOps"))
            .session(7200)
            .used(make, 8, "us-east-1"),
        // federated AND MFA age: the SAML path can never be taken; twelve hours instead of four
        ce("CE-Admin", document(&json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "Direct", "Effect": "Allow", "Principal": ce_root(), "Action": "sts:AssumeRole",
             "Condition": {"StringEquals": id, "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}},
            {"Sid": "Federated", "Effect": "Allow", "Principal": saml, "Action": "sts:AssumeRoleWithSAML",
             "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}}]})))
            .attach(managed("AdministratorAccess"))
            .session(43_200)
            .used(make, 6, "us-east-1"),
        // federated with IfExists: enforces nothing, and goes around the ExternalId
        ce("CE-Data", document(&json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": ce_root(), "Action": "sts:AssumeRole", "Condition": {"StringEquals": id}},
            {"Effect": "Allow", "Principal": saml, "Action": "sts:AssumeRoleWithSAML",
             "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}, "NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}}]})))
            .attach(ce_policy("CE-Data"))
            .session(7200)
            .used(make, 15, "us-east-1"),
        // not named CE-*: found only by whom it trusts
        make.role("/", "migration-2023-temp", 1010, trust(ce_root(), "sts:AssumeRole", None))
            .attach(managed("PowerUserAccess"))
            .session(43_200)
            .used(make, 20, "us-east-1")
            .about("Temporary, for the migration. Delete after 2023-12-31"),
        // another vendor, done right
        make.role("/vendors/", "observability-reader", 800, trust(
            json!({"AWS": "arn:aws:iam::777788889999:role/collector"}),
            "sts:AssumeRole",
            Some(json!({"StringEquals": {"sts:ExternalId": "4f6e1c7a-2b7e-4f0e-9a54-2f7f3f1f3a10"}})),
        ))
            .attach(managed("CloudWatchReadOnlyAccess"))
            .used(make, 0, "us-east-1"),
        // a third one, whose condition is the wrong way round: StringNotEquals is true without the key
        make.role("/vendors/", "payroll-sync", 640, trust(
            json!({"AWS": "arn:aws:iam::777788880000:root"}),
            "sts:AssumeRole",
            Some(json!({"StringNotEquals": {"sts:ExternalId": "unknown"}})),
        ))
            .attach(arn("policy/developer-read"))
            .used(make, 28, "eu-west-1"),
    ]
}
