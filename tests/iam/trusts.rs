//! Who can become a role.

use auditpack::iam::policy::Document;
use auditpack::iam::trust::{self, PathKind, Surroundings, TrustReport};

const ROLE: &str = "arn:aws:iam::111122223333:role/vendor";
const ACCOUNT: &str = "111122223333";
const VENDOR: &str = r#"{"AWS":"arn:aws:iam::999988887777:root"}"#;

fn report(statements: &str) -> TrustReport {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
    let document = Document::parse(&text).expect("a policy");
    trust::report(ROLE, ACCOUNT, &document, &Surroundings::default())
}

fn allow(principal: &str, action: &str, condition: &str) -> String {
    format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Condition":{condition}}}"#)
}

fn findings(report: &TrustReport) -> Vec<&'static str> {
    report.paths.iter().flat_map(|path| path.findings.iter().map(|finding| finding.id)).collect()
}

#[test]
fn every_kind_of_principal_is_told_apart() {
    for (principal, action, kind) in [
        (VENDOR, "sts:AssumeRole", PathKind::CrossAccount),
        (r#"{"AWS":"999988887777"}"#, "sts:AssumeRole", PathKind::CrossAccount),
        (r#"{"AWS":"111122223333"}"#, "sts:*", PathKind::SameAccount),
        (r#""*""#, "sts:AssumeRole", PathKind::Public),
        (r#"{"AWS":"*"}"#, "sts:AssumeRole", PathKind::Public),
        (r#"{"AWS":"AIDACKCEVSQ6C2EXAMPLE"}"#, "sts:AssumeRole", PathKind::Orphan),
        (r#"{"Service":"ec2.amazonaws.com"}"#, "sts:AssumeRole", PathKind::Service),
        (r#"{"Federated":"arn:aws:iam::111122223333:saml-provider/Okta"}"#, "sts:AssumeRoleWithSAML", PathKind::Saml),
        (r#"{"Federated":"cognito-identity.amazonaws.com"}"#, "sts:AssumeRoleWithWebIdentity", PathKind::Oidc),
        (r#"{"AWS":"arn:aws:iam::111122223333:role/*"}"#, "sts:AssumeRole", PathKind::Unclear),
    ] {
        let report = report(&allow(principal, action, "{}"));
        let kinds: Vec<_> = report.paths.iter().map(|path| path.kind).collect();
        assert_eq!(kinds, [kind], "{principal}");
    }
    assert!(report(&allow(VENDOR, "sts:TagSession", "{}")).paths.is_empty());
}

#[test]
fn anybody_narrowed_to_an_account_is_that_account() {
    let own = report(&allow(r#""*""#, "sts:AssumeRole", r#"{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}"#));
    assert_eq!(own.paths[0].kind, PathKind::SameAccount);
    let theirs = report(&allow(
        r#""*""#,
        "sts:AssumeRole",
        r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::999988887777:role/ci-*"}}"#,
    ));
    assert_eq!(theirs.paths[0].kind, PathKind::CrossAccount);
    assert_eq!(theirs.paths[0].account.as_deref(), Some("999988887777"));
    let not =
        report(&allow(r#""*""#, "sts:AssumeRole", r#"{"StringNotEquals":{"aws:PrincipalAccount":"999988887777"}}"#));
    assert_eq!(not.paths[0].kind, PathKind::Public);
}

#[test]
fn weak_external_ids_are_noted() {
    let with = |id: &str| {
        findings(&report(&allow(VENDOR, "sts:AssumeRole", &format!(r#"{{"StringEquals":{{"sts:ExternalId":{id}}}}}"#))))
    };
    assert!(with(r#""999988887777""#).contains(&"external-id-is-account-id"));
    assert!(with(r#""vendor""#).contains(&"external-id-is-a-name"));
    assert!(with(r#""short""#).contains(&"external-id-short"));
    assert!(with(r#"["b7c0c0ffee-0001-4711","b7c0c0ffee-0002-4711"]"#).contains(&"several-external-ids"));
    assert!(with(r#""b7c0c0ffee-0001-4711""#).is_empty());
    assert!(with(r#""acme-*""#).contains(&"wildcard-taken-literally"));
}

#[test]
fn mfa_on_a_federated_path_closes_it() {
    let report = report(&allow(
        r#"{"Federated":"arn:aws:iam::111122223333:saml-provider/Okta"}"#,
        "sts:AssumeRoleWithSAML",
        r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
    ));
    assert!(findings(&report).contains(&"mfa-on-federated-path"), "{report:?}");
    assert_eq!(report.mfa.id(), "required");
}

#[test]
fn a_session_name_is_pinned_only_by_what_the_caller_cannot_choose() {
    let named = |value: &str| {
        let condition = format!(r#"{{"StringLike":{{"sts:RoleSessionName":"{value}"}}}}"#);
        report(&allow(VENDOR, "sts:AssumeRole", &condition)).paths[0].requirements.session_name.id()
    };
    assert_eq!(named("${aws:username}"), "required");
    assert_eq!(named("eng-*"), "required-but-pattern");
    assert_eq!(named("*"), "not-required");
    let source = |condition: &str| {
        report(&allow(VENDOR, "sts:AssumeRole", condition)).paths[0].requirements.source_identity.id()
    };
    assert_eq!(source(r#"{"StringEquals":{"sts:SourceIdentity":"${aws:username}"}}"#), "required");
    assert_eq!(source(r#"{"Null":{"sts:SourceIdentity":"false"}}"#), "required-but-any-value");
    assert_eq!(source("{}"), "not-required");
}

#[test]
fn a_statement_that_cannot_be_read_leaves_weaknesses_open() {
    let weak = allow(VENDOR, "sts:AssumeRole", "{}");
    let unread = |effect: &str| {
        report(&format!(r#"[{weak},{{"Effect":"{effect}","NotPrincipal":{{"AWS":"*"}},"Action":"sts:AssumeRole"}}]"#))
    };
    // A Deny might make up for it, an Allow cannot.
    assert_eq!(unread("Deny").external_id.id(), "unknown");
    assert_eq!(unread("Allow").external_id.id(), "not-required");
    let strong = allow(VENDOR, "sts:AssumeRole", r#"{"StringEquals":{"sts:ExternalId":"b7c0c0ffee-0001"}}"#);
    let report = report(&format!(r#"[{strong},{{"Effect":"Allow","Action":"sts:AssumeRole"}}]"#));
    assert_eq!(report.external_id.id(), "unknown");
}

#[test]
fn a_deny_counts_only_for_those_whom_it_certainly_covers() {
    let with = |principal: &str, condition: &str| {
        report(&format!(
            r#"[{},{{"Effect":"Deny","Principal":{principal},"Action":"sts:AssumeRole","Condition":{condition}}}]"#,
            allow(VENDOR, "sts:AssumeRole", "{}")
        ))
        .external_id
        .id()
    };
    let absent = r#"{"StringNotEquals":{"sts:ExternalId":"b7c0c0ffee"}}"#;
    assert_eq!(with(VENDOR, absent), "required");
    assert_eq!(with(r#"{"AWS":"999988887777"}"#, absent), "required");
    assert_eq!(with(r#"{"AWS":"arn:aws:iam::999988887777:role/one"}"#, absent), "not-required");
    assert_eq!(with(r#"{"AWS":"222222222222"}"#, absent), "not-required");
    let also = r#"{"StringNotEquals":{"sts:ExternalId":"b7c0c0ffee","aws:PrincipalTag/team":"x"}}"#;
    assert_eq!(with(r#""*""#, also), "not-required");
}

fn width(provider: &str, condition: &str) -> &'static str {
    let principal = format!(r#"{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{provider}"}}"#);
    let report = report(&allow(&principal, "sts:AssumeRoleWithWebIdentity", condition));
    report.oidc.expect("a provider").id()
}

#[test]
fn github_is_as_wide_as_its_claims() {
    let github = |condition: &str| {
        width("token.actions.githubusercontent.com", &condition.replace('@', "token.actions.githubusercontent.com:"))
    };
    for (condition, expected) in [
        (r#"{"StringLike":{"@sub":"*"}}"#, "open"),
        (r#"{"StringLike":{"@sub":"?*"}}"#, "open"),
        (r#"{"StringLike":{"@sub":"repo:acme*"}}"#, "open"),
        (r#"{"StringLike":{"@sub":"repo:*:environment:prod"}}"#, "open"),
        (r#"{"StringLike":{"@sub":"repo:acme/*:environment:prod"}}"#, "org-wide"),
        (r#"{"StringLike":{"@sub":"repo:acme/app:ref:refs/heads/*"}}"#, "repo-wide"),
        (r#"{"StringLike":{"@sub":"repo:acme/app:ref:refs/heads/release-*"}}"#, "branch"),
        (r#"{"StringEquals":{"@sub":"repo:acme/app:pull_request"}}"#, "repo-wide"),
        (r#"{"StringEquals":{"@sub":["repo:acme/app:environment:prod","repo:acme/b:ref:refs/heads/main"]}}"#, "branch"),
        (r#"{"StringEquals":{"@repository":"acme/app"}}"#, "repo-wide"),
        (r#"{"StringEquals":{"@repository_owner_id":"12345"}}"#, "org-wide"),
        (r#"{"StringNotEquals":{"@sub":"repo:acme/app:ref:refs/heads/main"}}"#, "open"),
        (r#"{"ForAnyValue:StringLike":{"@sub":"repo:acme/app:*"}}"#, "repo-wide"),
        (r#"{"StringLike":{"@sub":"repo:*"},"StringEquals":{"@repository":"acme/app"}}"#, "repo-wide"),
        (r#"{"StringEquals":{"@aud":"https://github.com/acme","@sub":"repo:acme/app:ref:refs/heads/main"}}"#, "branch"),
    ] {
        assert_eq!(github(condition), expected, "{condition}");
    }
}

#[test]
fn other_providers_have_their_own_shapes() {
    for (provider, condition, expected) in [
        (
            "gitlab.com",
            r#"{"StringLike":{"gitlab.com:sub":"project_path:acme/*:ref_type:branch:ref:main"}}"#,
            "org-wide",
        ),
        ("gitlab.com", r#"{"StringLike":{"gitlab.com:sub":"project_path:acme/app:*"}}"#, "repo-wide"),
        (
            "gitlab.com",
            r#"{"StringEquals":{"gitlab.com:sub":"project_path:acme/app:ref_type:branch:ref:main"}}"#,
            "branch",
        ),
        ("gitlab.com", "{}", "open"),
        ("app.terraform.io", r#"{"StringLike":{"app.terraform.io:sub":"organization:acme:*"}}"#, "org-wide"),
        ("app.terraform.io", r#"{"StringLike":{"app.terraform.io:sub":"organization:*"}}"#, "open"),
        (
            "agent.buildkite.com",
            r#"{"StringLike":{"agent.buildkite.com:sub":"organization:acme:pipeline:app:*"}}"#,
            "repo-wide",
        ),
        ("oidc.eks.eu-west-1.amazonaws.com/id/ABC", "{}", "issuer-wide"),
        (
            "oidc.eks.eu-west-1.amazonaws.com/id/ABC",
            r#"{"StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub":"system:serviceaccount:prod:app"}}"#,
            "subject",
        ),
        (
            "oidc.eks.eu-west-1.amazonaws.com/id/ABC",
            r#"{"StringLike":{"oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub":"system:serviceaccount:prod:*"}}"#,
            "repo-wide",
        ),
        ("login.example.com", "{}", "issuer-wide"),
        ("login.example.com", r#"{"StringEquals":{"login.example.com:sub":"ann"}}"#, "subject"),
    ] {
        assert_eq!(width(provider, condition), expected, "{provider} {condition}");
    }
}

#[test]
fn a_service_that_can_carry_a_guard_should() {
    let guard = |service: &str, condition: &str| {
        let report = report(&allow(&format!(r#"{{"Service":"{service}"}}"#), "sts:AssumeRole", condition));
        report.paths[0].guard.as_ref().map(|guard| guard.id())
    };
    let source = r#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#;
    assert_eq!(guard("config.amazonaws.com", source), Some("guarded"));
    assert_eq!(guard("config.amazonaws.com", "{}"), Some("unguarded"));
    assert_eq!(guard("ec2.amazonaws.com", "{}"), Some("not-supported"));
    assert_eq!(guard("something.amazonaws.com", "{}"), Some("unknown-service"));
    let if_exists = r#"{"StringEqualsIfExists":{"aws:SourceAccount":"111122223333"}}"#;
    assert_eq!(guard("config.amazonaws.com", if_exists), Some("unguarded"));
}
