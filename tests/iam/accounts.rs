//! Whole accounts: who is an administrator, by itself or through others.

use auditpack::iam::admin::{self, AdminReport, AdminVerdict};
use auditpack::iam::analysis::{Account, Library};
use auditpack::iam::escalation::Certainty;
use auditpack::iam::principal::{Content, Kind, PolicySource, Principal};

const ID: &str = "111122223333";

fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#)
}

fn arn(kind: Kind, name: &str) -> String {
    let kind = match kind {
        Kind::User => "user",
        Kind::Role => "role",
        Kind::Group => "group",
    };
    format!("arn:aws:iam::{ID}:{kind}/{name}")
}

fn principal(kind: Kind, name: &str, statements: &str) -> Principal {
    Principal::new(kind, &arn(kind, name), ID).with(PolicySource::inline("inline", &document(statements)))
}

fn user(statements: &str) -> Principal {
    principal(Kind::User, "ann", statements)
}

fn allow(actions: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":{actions},"Resource":"{resource}"}}"#)
}

const ADMIN: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
const TRUST_ACCOUNT: &str = r#"{"AWS":"arn:aws:iam::111122223333:root"}"#;

/// An account with one administrator role, beside the principals given.
struct Builder(Account);

impl Builder {
    fn new() -> Self {
        Self(Account { id: ID.into(), complete: true, ..Account::default() })
    }

    fn with(mut self, principal: Principal) -> Self {
        self.0.principals.push(principal);
        self
    }

    fn role(mut self, name: &str, statements: &str, trusts: &str) -> Self {
        let trust = document(&format!(r#"{{"Effect":"Allow","Principal":{trusts},"Action":"sts:AssumeRole"}}"#));
        self.0.trusts.push((arn(Kind::Role, name), Content::read(&trust)));
        self.with(principal(Kind::Role, name, statements))
    }

    /// The report on the first principal.
    fn first(self) -> AdminReport {
        self.0.administrators().remove(0)
    }
}

fn path(report: &AdminReport) -> (&'static str, Certainty) {
    match &report.verdict {
        AdminVerdict::AdminEquivalent { path } => (path.id, path.certainty),
        other => panic!("{other:?}"),
    }
}

#[test]
fn privileges_add_up_over_the_policies_of_a_principal() {
    let apart = user(&allow(r#""iam:PassRole""#, "*"))
        .with(PolicySource::inline("b", &document(&allow(r#""lambda:CreateFunction""#, "*"))))
        .with(PolicySource::inline("c", &document(&allow(r#""lambda:Invoke*""#, "*"))).via("g"));
    assert_eq!(path(&admin::verdict(&apart)), ("pass-role-lambda-invoke", Certainty::Potential));
    let two_halves = user(r#"[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]"#)
        .with(PolicySource::inline("b", &document(&allow(r#""iam:*""#, "*"))));
    assert_eq!(admin::verdict(&two_halves).verdict, AdminVerdict::Admin);
}

#[test]
fn what_one_may_do_to_oneself_counts_only_if_it_adds_something() {
    let own = "arn:aws:iam::*:user/${aws:username}";
    for action in ["iam:CreateAccessKey", "iam:UpdateLoginProfile", "iam:CreateLoginProfile"] {
        let report = admin::verdict(&user(&allow(&format!("{action:?}"), own)));
        assert_eq!(report.verdict, AdminVerdict::NotAdmin, "{action}");
    }
    let report = admin::verdict(&user(&allow(r#""iam:PutUserPolicy""#, own)));
    assert_eq!(path(&report), ("iam-put-user-policy", Certainty::Certain));
    // The same without a name to put in for the variable.
    let unnamed = Principal::new(Kind::User, "", ID)
        .with(PolicySource::inline("p", &document(&allow(r#""iam:CreateAccessKey""#, own))));
    assert_eq!(admin::verdict(&unnamed).verdict, AdminVerdict::NotAdmin);
}

#[test]
fn a_policy_of_ones_own_can_be_rewritten() {
    let mine = "arn:aws:iam::111122223333:policy/mine";
    let rewriting = document(&allow(r#""iam:CreatePolicyVersion""#, mine));
    let principal =
        Principal::new(Kind::Role, &arn(Kind::Role, "r"), ID).with(PolicySource::managed(mine, Some(&rewriting)));
    assert_eq!(path(&admin::verdict(&principal)), ("iam-create-policy-version", Certainty::Certain));
    let other = Principal::new(Kind::Role, &arn(Kind::Role, "r"), ID)
        .with(PolicySource::managed("arn:aws:iam::111122223333:policy/other", Some(&rewriting)));
    assert_eq!(admin::verdict(&other).verdict, AdminVerdict::NotAdmin);
}

#[test]
fn conditions_on_what_is_attached_are_not_ignored() {
    let attach = |condition: &str| {
        let statement = format!(
            r#"{{"Effect":"Allow","Action":["iam:AttachUserPolicy","iam:PutUserPolicy"],"Resource":"*","Condition":{condition}}}"#
        );
        admin::verdict(&user(&statement)).verdict.id()
    };
    assert_eq!(
        attach(r#"{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/ReadOnlyAccess"}}"#),
        "conditional-admin"
    );
    let only = |condition: &str| {
        let statement =
            format!(r#"{{"Effect":"Allow","Action":"iam:AttachUserPolicy","Resource":"*","Condition":{condition}}}"#);
        admin::verdict(&user(&statement)).verdict.id()
    };
    assert_eq!(only(r#"{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/ReadOnlyAccess"}}"#), "not-admin");
    assert_eq!(
        only(r#"{"ArnNotEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AdministratorAccess"}}"#),
        "admin-equivalent"
    );
    // Whoever may only make bounded users has no way out.
    assert_eq!(
        attach(r#"{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111122223333:policy/boundary"}}"#),
        "not-admin"
    );
    assert_eq!(attach(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#), "conditional-admin");
}

#[test]
fn a_deny_that_hangs_on_a_condition_makes_the_path_conditional() {
    let deny = |condition: &str| {
        let grant = allow(r#""iam:PutUserPolicy""#, "*");
        let statements =
            format!(r#"[{grant},{{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{condition}}}]"#);
        admin::verdict(&user(&statements))
    };
    let report = deny(r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#);
    assert_eq!(report.verdict, AdminVerdict::ConditionalAdmin);
    assert_eq!(report.keys, ["aws:multifactorauthpresent"]);
    // What follows from the principal itself is no open condition.
    let me = deny(r#"{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/ann"}}"#);
    assert_eq!(me.verdict.id(), "admin-equivalent");
    let not_me = deny(r#"{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/bob"}}"#);
    assert_eq!(not_me.verdict, AdminVerdict::NotAdmin);
}

#[test]
fn a_deny_of_everything_but_something_is_a_cap() {
    let but = |element: &str, list: &str| {
        let other = if element == "NotAction" { r#""Resource":"*""# } else { r#""Action":"*""# };
        let deny = format!(r#"{{"Effect":"Deny","{element}":{list},{other}}}"#);
        admin::verdict(&user(&format!("[{ADMIN},{deny}]"))).verdict.id()
    };
    assert_eq!(but("NotAction", r#"["s3:*","ec2:Describe*"]"#), "not-admin");
    assert_eq!(but("NotAction", r#"["s3:*","iam:*"]"#), "admin-equivalent");
    assert_eq!(but("NotAction", r#""*""#), "admin");
    assert_eq!(but("NotResource", r#""arn:aws:s3:::b/*""#), "not-admin");
    assert_eq!(but("NotResource", r#""arn:aws:iam::*:*""#), "admin-equivalent");
    assert_eq!(but("NotResource", r#""*""#), "admin");
}

#[test]
fn roles_that_aws_keeps_to_itself_are_no_way_in() {
    let rewrite = || user(&allow(r#""iam:UpdateAssumeRolePolicy""#, "arn:aws:iam::111122223333:role/aws-*"));
    for (name, verdict) in [
        ("aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM", "not-admin"),
        ("aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1", "not-admin"),
        ("aws-admin", "admin-equivalent"),
    ] {
        let trusts = r#"{"Service":"ssm.amazonaws.com"}"#;
        let report = Builder::new().with(rewrite()).role(name, ADMIN, trusts).first();
        assert_eq!(report.verdict.id(), verdict, "{name}");
    }
}

#[test]
fn a_service_has_one_name_in_every_region_and_partition() {
    let passer = user(&allow(r#"["iam:PassRole","states:CreateStateMachine","states:StartExecution"]"#, "*"));
    let trusts = r#"{"Service":"states.eu-west-1.amazonaws.com"}"#;
    let report = Builder::new().with(passer).role("admin", ADMIN, trusts).first();
    assert_eq!(path(&report), ("pass-role-step-functions", Certainty::Certain));
}

#[test]
fn a_boundary_holds_until_it_can_be_taken_off() {
    let bounded = |boundary: &str| {
        let principal = user(ADMIN).bounded_by(PolicySource::inline("b", &document(boundary)));
        admin::verdict(&principal)
    };
    assert_eq!(bounded(&allow(r#"["s3:*","ec2:*"]"#, "*")).verdict, AdminVerdict::NotAdmin);
    let own = allow(r#"["s3:*","iam:PutUserPolicy"]"#, "arn:aws:iam::111122223333:user/ann");
    assert_eq!(bounded(&own).verdict, AdminVerdict::NotAdmin);
    let off = allow(r#"["s3:*","iam:DeleteUserPermissionsBoundary"]"#, "arn:aws:iam::111122223333:user/ann");
    assert_eq!(path(&bounded(&off)), ("iam-delete-user-permissions-boundary", Certainty::Certain));
    let safe = format!(r#"[{ADMIN},{{"Effect":"Deny","Action":"iam:*","Resource":"*"}}]"#);
    assert_eq!(bounded(&safe).verdict, AdminVerdict::AdminExceptDeny);
}

#[test]
fn a_role_can_be_passed_only_if_it_is_worth_it() {
    let passer = || user(&allow(r#"["iam:PassRole","lambda:CreateFunction","lambda:InvokeFunction"]"#, "*"));
    let lambda = r#"{"Service":"lambda.amazonaws.com"}"#;
    let report = Builder::new().with(passer()).role("admin", ADMIN, lambda).first();
    assert_eq!(path(&report), ("pass-role-lambda-invoke", Certainty::Certain));
    let poor = Builder::new().with(passer()).role("poor", &allow(r#""s3:*""#, "*"), lambda).first();
    assert_eq!(poor.verdict, AdminVerdict::NotAdmin);
    assert!(!poor.latent.is_empty());
    let other = Builder::new().with(passer()).role("admin", ADMIN, r#"{"Service":"ec2.amazonaws.com"}"#).first();
    assert_eq!(other.verdict, AdminVerdict::NotAdmin);
    let scoped = allow(r#""iam:PassRole""#, "arn:aws:iam::111122223333:role/app-*");
    let passer = user(&scoped).with(PolicySource::inline(
        "l",
        &document(&allow(r#"["lambda:CreateFunction","lambda:InvokeFunction"]"#, "*")),
    ));
    let report = Builder::new().with(passer).role("admin", ADMIN, lambda).first();
    assert_eq!(report.verdict, AdminVerdict::NotAdmin);
    let to_glue = r#"[{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"glue.amazonaws.com"}}},{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:InvokeFunction"],"Resource":"*"}]"#;
    let report = Builder::new().with(user(to_glue)).role("admin", ADMIN, lambda).first();
    assert_eq!(report.verdict, AdminVerdict::NotAdmin);
}

#[test]
fn taking_over_what_runs_with_an_administrator_role_is_potential() {
    let coder = || user(&allow(r#""lambda:UpdateFunctionCode""#, "*"));
    let lambda = r#"{"Service":"lambda.amazonaws.com"}"#;
    let report = Builder::new().with(coder()).role("admin", ADMIN, lambda).first();
    assert_eq!(path(&report), ("existing-lambda-code", Certainty::Potential));
    let report = Builder::new().with(coder()).role("poor", "[]", lambda).first();
    assert_eq!(report.verdict, AdminVerdict::NotAdmin);
}

#[test]
fn roles_are_assumed_along_chains() {
    let assume = |role: &str| allow(r#""sts:AssumeRole""#, &arn(Kind::Role, role));
    let report = Builder::new()
        .with(user(&assume("one")))
        .role("one", &assume("two"), TRUST_ACCOUNT)
        .role("two", &assume("admin"), TRUST_ACCOUNT)
        .role("admin", ADMIN, r#"{"AWS":"arn:aws:iam::111122223333:role/two"}"#)
        .first();
    assert_eq!(path(&report), ("sts-assume-role", Certainty::Certain));
    // Trust without permission, and permission without trust, are not enough.
    let report = Builder::new().with(user("[]")).role("admin", ADMIN, TRUST_ACCOUNT).first();
    assert_eq!(report.verdict, AdminVerdict::NotAdmin);
    let report = Builder::new()
        .with(user(&assume("admin")))
        .role("admin", ADMIN, r#"{"AWS":"arn:aws:iam::111122223333:user/bob"}"#)
        .first();
    assert_eq!(report.verdict, AdminVerdict::NotAdmin);
    // By name, no permission is needed; but a Deny still holds.
    let by_name = r#"{"AWS":"arn:aws:iam::111122223333:user/ann"}"#;
    let report = Builder::new().with(user("[]")).role("admin", ADMIN, by_name).first();
    assert_eq!(path(&report), ("sts-assume-role", Certainty::Certain));
    let denied = user(r#"{"Effect":"Deny","Action":"sts:*","Resource":"*"}"#);
    let report = Builder::new().with(denied).role("admin", ADMIN, by_name).first();
    assert_eq!(report.verdict, AdminVerdict::NotAdmin);
}

#[test]
fn a_condition_in_the_trust_makes_the_chain_conditional() {
    let mut builder = Builder::new().with(user(&allow(r#""sts:AssumeRole""#, "*"))).role("admin", ADMIN, TRUST_ACCOUNT);
    builder.0.trusts[0].1 = Content::read(&document(&format!(
        r#"{{"Effect":"Allow","Principal":{TRUST_ACCOUNT},"Action":"sts:AssumeRole","Condition":{{"Bool":{{"aws:MultiFactorAuthPresent":"true"}}}}}}"#
    )));
    assert_eq!(builder.first().verdict, AdminVerdict::ConditionalAdmin);
}

#[test]
fn a_chain_names_the_conditions_of_the_trust_that_it_hangs_on() {
    let keys = |condition: &str| {
        let assume = user(&allow(r#""sts:AssumeRole""#, "*"));
        let mut builder = Builder::new().with(assume).role("admin", ADMIN, TRUST_ACCOUNT);
        builder.0.trusts[0].1 = Content::read(&document(&format!(
            r#"{{"Effect":"Allow","Principal":{TRUST_ACCOUNT},"Action":"sts:AssumeRole","Condition":{condition}}}"#
        )));
        let report = builder.first();
        assert_eq!(report.verdict, AdminVerdict::ConditionalAdmin);
        assert_eq!(report.keys, report.paths[0].keys);
        report.keys
    };
    assert_eq!(keys(r#"{"StringEquals":{"sts:ExternalId":"b7c0c0ffee-0001-4711"}}"#), ["sts:externalid"]);
    assert_eq!(keys(r#"{"StringEquals":{"aws:PrincipalTag/team":"x"}}"#), ["aws:principaltag/team"]);
    assert_eq!(
        keys(r#"{"StringEquals":{"aws:RequestTag/a":"${aws:PrincipalTag/a}"}}"#),
        ["aws:principaltag/a", "aws:requesttag/a"]
    );
    // Whoever can become an administrator that hangs on a condition hangs on the same.
    let mfa =
        r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#;
    let assume = user(&allow(r#""sts:AssumeRole""#, "*"));
    let report = Builder::new().with(assume).role("admin", mfa, TRUST_ACCOUNT).first();
    assert_eq!(report.keys, ["aws:multifactorauthpresent"]);
}

#[test]
fn conditions_on_the_time_are_decided_as_of_a_time() {
    // 2026-01-01T00:00:00Z.
    const NOW: i64 = 1_767_225_600;
    let admin = |condition: &str, as_of: Option<i64>| {
        let statement = format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#);
        let mut user = user(&statement);
        user.as_of = as_of;
        admin::verdict(&user).verdict.id()
    };
    for (condition, then) in [
        (r#"{"DateLessThan":{"aws:CurrentTime":"2025-12-31T23:59:59Z"}}"#, "not-admin"),
        (r#"{"DateLessThan":{"aws:CurrentTime":"2030-01-01"}}"#, "admin"),
        (r#"{"DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}"#, "not-admin"),
        (
            r#"{"DateGreaterThan":{"aws:EpochTime":"1700000000"},"DateLessThan":{"aws:EpochTime":"1800000000"}}"#,
            "admin",
        ),
        (r#"{"NumericLessThan":{"aws:EpochTime":"1700000000"}}"#, "not-admin"),
    ] {
        assert_eq!(admin(condition, Some(NOW)), then, "{condition}");
        assert_eq!(admin(condition, None), "conditional-admin", "{condition}");
    }
    let open = |as_of: Option<i64>| {
        let mut account = Account { id: ID.into(), complete: true, as_of, ..Account::default() };
        let trust = format!(
            r#"{{"Effect":"Allow","Principal":{TRUST_ACCOUNT},"Action":"sts:AssumeRole","Condition":{{"DateLessThan":{{"aws:CurrentTime":"2025-01-01"}}}}}}"#
        );
        account.trusts.push((arn(Kind::Role, "old"), Content::read(&document(&trust))));
        format!("{:?}", account.analyse().roles[0].paths[0].open)
    };
    assert_eq!(open(Some(NOW)), "False");
    assert_eq!(open(None), "Maybe");
}

#[test]
fn whoever_assumes_a_role_names_its_session() {
    let session = r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/mid/deploy"}"#;
    let with = |trusts: &str, condition: &str| {
        let mut builder = Builder::new()
            .with(principal(Kind::Role, "team/mid", "[]"))
            .with(user(&allow(r#""sts:AssumeRole""#, "*")))
            .role("admin", ADMIN, session);
        let trust = document(&format!(
            r#"{{"Effect":"Allow","Principal":{trusts},"Action":["sts:AssumeRole","sts:AssumeRoleWithSAML"],"Condition":{condition}}}"#
        ));
        builder.0.trusts.push((arn(Kind::Role, "team/mid"), Content::read(&trust)));
        let reports = builder.0.administrators();
        (reports[0].clone(), reports[1].clone())
    };
    let (mid, ann) = with(TRUST_ACCOUNT, "{}");
    assert_eq!(path(&mid), ("sts-assume-role", Certainty::Certain));
    assert_eq!(path(&ann), ("sts-assume-role", Certainty::Certain));
    let (mid, _) = with(TRUST_ACCOUNT, r#"{"StringEquals":{"sts:RoleSessionName":"deploy"}}"#);
    assert_eq!(path(&mid), ("sts-assume-role", Certainty::Certain));
    let (mid, ann) = with(TRUST_ACCOUNT, r#"{"StringEquals":{"sts:RoleSessionName":"other"}}"#);
    assert_eq!(mid.verdict, AdminVerdict::NotAdmin);
    assert_eq!(ann.verdict, AdminVerdict::NotAdmin);
    let (mid, _) = with(TRUST_ACCOUNT, r#"{"StringEquals":{"sts:RoleSessionName":"${aws:username}"}}"#);
    assert_eq!(mid.verdict, AdminVerdict::ConditionalAdmin);
    assert_eq!(mid.keys, ["sts:rolesessionname"]);
    // A service and a SAML provider choose for themselves.
    for trusts in
        [r#"{"Service":"lambda.amazonaws.com"}"#, r#"{"Federated":"arn:aws:iam::111122223333:saml-provider/Okta"}"#]
    {
        assert_eq!(with(trusts, "{}").0.verdict, AdminVerdict::ConditionalAdmin, "{trusts}");
    }
}

#[test]
fn what_is_not_known_of_a_role_is_not_known_of_whoever_can_assume_it() {
    let assume = allow(r#""sts:AssumeRole""#, "*");
    let mut builder = Builder::new().with(user(&assume)).role("dark", "[]", TRUST_ACCOUNT);
    builder.0.principals[1].policies[0].content = Content::Missing;
    assert_eq!(builder.first().verdict.id(), "unknown");
    let mut builder = Builder::new().with(user(&assume)).role("admin", ADMIN, TRUST_ACCOUNT);
    builder.0.trusts[0].1 = Content::Missing;
    assert_eq!(builder.first().verdict.id(), "unknown");
    let mut builder = Builder::new().with(user(&assume));
    builder.0.complete = false;
    assert_eq!(builder.first().verdict.id(), "unknown");
}

#[test]
fn keys_and_groups_of_administrators_are_ways_in() {
    let boss = principal(Kind::User, "boss", ADMIN);
    let key = |who: &str| user(&allow(r#""iam:CreateAccessKey""#, &arn(Kind::User, who)));
    let report = Builder::new().with(key("boss")).with(boss.clone()).first();
    assert_eq!(path(&report), ("iam-create-access-key", Certainty::Certain));
    let report = Builder::new().with(key("bob")).with(boss).first();
    assert_eq!(report.verdict, AdminVerdict::NotAdmin);
    let join = user(&allow(r#""iam:AddUserToGroup""#, &arn(Kind::Group, "admins")));
    let report = Builder::new().with(join).with(principal(Kind::Group, "admins", ADMIN)).first();
    assert_eq!(path(&report), ("iam-add-user-to-group", Certainty::Certain));
    let trust = user(&allow(r#""iam:UpdateAssumeRolePolicy""#, &arn(Kind::Role, "admin")));
    let report = Builder::new().with(trust).role("admin", ADMIN, r#"{"Service":"ec2.amazonaws.com"}"#).first();
    assert_eq!(path(&report), ("iam-update-assume-role-policy", Certainty::Certain));
}

#[test]
fn a_role_that_can_be_rewritten_and_assumed_is_a_way_in() {
    let scoped = arn(Kind::Role, "app-*");
    let both = allow(r#"["iam:PutRolePolicy","sts:AssumeRole"]"#, &scoped);
    let report = Builder::new().with(user(&both)).role("app-1", "[]", TRUST_ACCOUNT).first();
    assert_eq!(path(&report), ("iam-put-role-policy", Certainty::Certain));
    let report = Builder::new().with(user(&both)).role("web-1", "[]", TRUST_ACCOUNT).first();
    assert_eq!(report.verdict, AdminVerdict::NotAdmin);
    let rewrite = allow(r#""iam:PutRolePolicy""#, &scoped);
    let report = Builder::new().with(user(&rewrite)).role("app-1", "[]", TRUST_ACCOUNT).first();
    assert_eq!(report.verdict, AdminVerdict::NotAdmin);
}

#[test]
fn everything_of_an_account_is_reported() {
    let mut library = Library::new();
    library.add_managed("arn:aws:iam::111122223333:policy/shared", &document(ADMIN));
    let external = document(
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"sts:AssumeRole",
        "Condition":{"StringEquals":{"sts:ExternalId":"b7c0c0ffee-0001-4711"}}}"#,
    );
    let mut account = Account { id: ID.into(), complete: true, ..Account::default() };
    for name in ["ce-sre", "ce-admin"] {
        let role = Principal::new(Kind::Role, &arn(Kind::Role, name), ID)
            .with(library.managed("arn:aws:iam::111122223333:policy/shared"));
        account.trusts.push((role.arn.clone(), library.read(&external)));
        account.principals.push(role);
    }
    account.principals.push(user("[]"));
    let analysis = account.analyse();
    assert_eq!(analysis.principals.len(), 3);
    assert_eq!(analysis.external.len(), 1);
    assert_eq!(analysis.external[0].principal, "999988887777");
    assert_eq!(analysis.external[0].entries.len(), 2);
    let findings = &analysis.roles[0].paths[0].findings;
    assert!(findings.iter().any(|finding| finding.id == "external-id-shared"));
    assert_eq!(analysis.principals[2].mfa.as_ref().map(|mfa| mfa.verdict.id()), Some("no-permissions"));
    assert!(!analysis.principals[0].tampering.is_empty());
    let json = serde_json::to_value(&analysis).expect("json");
    assert_eq!(json["principals"][0]["admin"]["verdict"], "admin");
    assert_eq!(json["roles"][0]["external_id"]["requirement"], "required");
}

#[test]
fn a_group_that_can_be_rewritten_and_joined_is_a_way_in() {
    let both = allow(r#"["iam:PutGroupPolicy","iam:AddUserToGroup"]"#, &arn(Kind::Group, "dev/*"));
    assert_eq!(path(&admin::verdict(&user(&both))), ("iam-put-group-policy-and-join", Certainty::Potential));
    let one = allow(r#""iam:PutGroupPolicy""#, &arn(Kind::Group, "dev/*"));
    assert_eq!(admin::verdict(&user(&one)).verdict, AdminVerdict::NotAdmin);
}

#[test]
fn a_thousand_resources_are_not_forgotten() {
    // The one that counts comes last, and all before it are denied.
    let many: Vec<String> = (0..300).map(|index| format!("\"arn:aws:lambda:*:*:function:a{index}\"")).collect();
    let statements = format!(
        r#"[{{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:InvokeFunction"],"Resource":[{},"arn:aws:lambda:*:*:function:z"]}},
        {{"Effect":"Deny","Action":"lambda:*","Resource":"arn:aws:lambda:*:*:function:a*"}},
        {{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}}]"#,
        many.join(",")
    );
    assert_ne!(admin::verdict(&user(&statements)).verdict, AdminVerdict::NotAdmin);
}
