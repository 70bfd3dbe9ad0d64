//! Roles that are assumed through OIDC and SAML, and the providers.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::aws_managed::arn as managed;
use super::super::build::{Maker, arn, local};
use super::roles::trust;
use crate::account::iam::{OidcProvider, Role, SamlProvider};

const GITHUB: &str = "token.actions.githubusercontent.com";
const CLUSTER: &str = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";

pub(super) fn roles(make: Maker) -> Vec<Role> {
    let mut roles = github(make);
    roles.extend(saml(make));
    let sub = format!("{CLUSTER}:sub");
    let aud = format!("{CLUSTER}:aud");
    roles.push(
        make.role(
            "/eks/",
            "irsa-orders",
            270,
            trust(
                json!({"Federated": arn(&format!("oidc-provider/{CLUSTER}"))}),
                "sts:AssumeRoleWithWebIdentity",
                Some(
                    json!({"StringEquals": {sub: "system:serviceaccount:orders:orders-api", aud: "sts.amazonaws.com"}}),
                ),
            ),
        )
        .attach(local("payments-queue"))
        .used(make, 0, "us-east-1"),
    );
    roles
}

/// How wide each trust is: see the names.
fn github(make: Maker) -> Vec<Role> {
    let role = |name: &str, policy: String, condition: Value| {
        let principal = json!({"Federated": arn(&format!("oidc-provider/{GITHUB}"))});
        make.role("/ci/", name, 420, trust(principal, "sts:AssumeRoleWithWebIdentity", Some(condition)))
            .attach(policy)
            .tag("team", "platform")
    };
    let sub = |value: &str| json!({"token.actions.githubusercontent.com:sub": value});
    let aud = json!({"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"});
    let mut branch = aud.clone();
    branch["token.actions.githubusercontent.com:sub"] = json!("repo:example-corp/orders:ref:refs/heads/main");
    vec![
        // no sub: any repository of anybody
        role("gha-open", managed("ReadOnlyAccess"), json!({"StringEquals": aud})).used(make, 2, "us-east-1"),
        role(
            "gha-org-wide",
            local("log-shipping"),
            json!({"StringEquals": aud, "StringLike": sub("repo:example-corp/*")}),
        )
        .used(make, 0, "us-east-1"),
        role(
            "gha-repo-wide",
            local("my-app-bucket-prod"),
            json!({"StringEquals": aud, "StringLike": sub("repo:example-corp/web:*")}),
        )
        .used(make, 0, "us-east-1"),
        role("gha-branch", local("my-app-bucket-prod"), json!({ "StringEquals": branch })).used(make, 1, "us-east-1"),
        role(
            "gha-environment",
            managed("PowerUserAccess"),
            json!({"StringEquals": sub("repo:example-corp/infra:environment:prod")}),
        )
        .used(make, 4, "eu-west-1"),
        // a star that StringEquals takes literally: nobody can assume it
        role("gha-dead", local("data-lake-write"), json!({"StringEquals": sub("repo:example-corp/etl:*")})),
        role(
            "gha-if-exists",
            local("data-lake-read"),
            json!({"StringEqualsIfExists": sub("repo:example-corp/etl:ref:refs/heads/main")}),
        )
        .used(make, 33, "us-east-1"),
    ]
}

fn saml(make: Maker) -> Vec<Role> {
    let corporate = |name: &str, policy: String, used: i64| {
        make.role(
            "/",
            name,
            880,
            trust(
                json!({"Federated": arn("saml-provider/ExampleCorpIdP")}),
                "sts:AssumeRoleWithSAML",
                Some(json!({"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}})),
            ),
        )
        .attach(policy)
        .used(make, used, "us-east-1")
    };
    let reserved = |set: &str, suffix: &str, policies: &[String], used: Option<i64>| {
        let provider = "saml-provider/AWSSSO_0a1b2c3d4e5f6a7b_DO_NOT_DELETE";
        let mut statement = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": arn(provider)},
            "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
            "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
        }]});
        statement["Statement"][0]["Sid"] = json!("IdentityCenter");
        let mut role = make
            .role(
                "/aws-reserved/sso.amazonaws.com/eu-west-1/",
                &format!("AWSReservedSSO_{set}_{suffix}"),
                500,
                super::super::build::document(&statement),
            )
            .session(43_200);
        role.attached = policies.to_vec();
        match used {
            Some(days) => role.used(make, days, "eu-west-1"),
            None => role,
        }
    };
    vec![
        corporate("saml-developer", managed("ReadOnlyAccess"), 0),
        corporate("saml-finance", managed("Billing"), 7),
        reserved("AdministratorAccess", "1f2e3d4c5b6a7988", &[managed("AdministratorAccess")], Some(14)),
        reserved("ReadOnlyAccess", "2f2e3d4c5b6a7988", &[managed("ReadOnlyAccess")], Some(0)),
        reserved(
            "DeveloperAccess",
            "3f2e3d4c5b6a7988",
            &[local("developers-not-prod"), managed("ReadOnlyAccess")],
            Some(0),
        ),
        reserved("SecurityAuditor", "4f2e3d4c5b6a7988", &[managed("SecurityAudit")], None),
    ]
}

pub(super) fn saml_providers(make: Maker) -> Vec<SamlProvider> {
    let provider = |name: &str, created: i64, valid: i64| SamlProvider {
        arn: arn(&format!("saml-provider/{name}")),
        valid_until: make.now + TimeDelta::days(valid),
        created: make.ago(created, name),
    };
    vec![
        provider("AWSSSO_0a1b2c3d4e5f6a7b_DO_NOT_DELETE", 500, 3000),
        provider("CE-IdP", 540, 200),
        // its certificate has expired
        provider("ExampleCorpIdP", 1500, -12),
    ]
}

pub(super) fn oidc_providers(make: Maker) -> Vec<OidcProvider> {
    [(GITHUB, 430), (CLUSTER, 280)]
        .map(|(url, age)| OidcProvider {
            arn: arn(&format!("oidc-provider/{url}")),
            url: url.to_owned(),
            client_ids: vec!["sts.amazonaws.com".to_owned()],
            thumbprints: vec!["6938fd4d98bab03faadb97b34396831e3780aea1".to_owned()],
            created: make.ago(age, url),
        })
        .to_vec()
}
