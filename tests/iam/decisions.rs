//! Can it do X on Y: the rules, one test each.

use auditpack::iam::analysis::Library;
use auditpack::iam::compare::{NameHeuristic, ReadOnly, difference, not_tied_to_tag, read_only};
use auditpack::iam::context::Context;
use auditpack::iam::mfa::{ListedClass, enforcement};
use auditpack::iam::policy::{Document, MAX_DOCUMENT_BYTES, decode_document};
use auditpack::iam::principal::{Content, Kind, PolicySource, Principal, Scps};
use auditpack::iam::tamper::{EvidenceResources, tampering};
use auditpack::iam::{Decision, Outcome, can};

const ACCOUNT: &str = "111122223333";

fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#)
}

fn inline(statements: &str) -> PolicySource {
    PolicySource::inline("inline", &document(statements))
}

fn user(statements: &str) -> Principal {
    Principal::new(Kind::User, "arn:aws:iam::111122223333:user/team/ann", ACCOUNT).with(inline(statements))
}

fn ask(principal: &Principal, action: &str, resource: &str) -> Decision {
    can(principal, action, resource, &Context::new())
}

fn id(principal: &Principal, action: &str, resource: &str) -> &'static str {
    ask(principal, action, resource).outcome.id()
}

const ALLOW_ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

#[test]
fn documents_are_decoded_once_and_only_if_they_need_it() {
    let encoded = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D";
    assert!(Document::parse(&decode_document(encoded)).is_ok());
    let plain = document(r#"[{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::b/%2B+"}]"#);
    assert_eq!(decode_document(&plain), plain);
}

#[test]
fn what_was_encoded_twice_is_no_document() {
    let encode = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let admin = document(ALLOW_ALL);
    let twice = user("[]").with(PolicySource::inline("twice", &encode(&encode(&admin))));
    assert_eq!(id(&twice, "s3:GetObject", "*"), "unknown");
    // A library is given what has been decoded.
    let mut library = Library::new();
    assert_eq!(id(&user("[]").with(library.inline("plain", &admin)), "s3:GetObject", "*"), "allow");
    assert_eq!(id(&user("[]").with(library.inline("once", &encode(&admin))), "s3:GetObject", "*"), "unknown");
}

#[test]
fn what_iam_refuses_is_refused() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"Version":"2012-10-18","Statement":[]}"#,
        r#"{"Statement":[],"Statement":[]}"#,
        r#"{"Statement":[],"Extra":1}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"*","Action":"s3:*","Resource":"*"}]}"#,
        r#"{"Statement":[]} trailing"#,
    ] {
        assert!(Document::parse(text).is_err(), "{text}");
    }
    let deep = format!(r#"{{"Statement":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert!(Document::parse(&deep).is_err());
    // AWS's own policies can have more than 70 KB; nothing has more than a mebibyte.
    let padded = |bytes: usize| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}}]{}}}"#,
            " ".repeat(bytes)
        )
    };
    assert!(Document::parse(&padded(80_000)).is_ok());
    let huge = padded(MAX_DOCUMENT_BYTES);
    assert!(Document::parse(&huge).is_err());
}

#[test]
fn what_is_not_understood_makes_the_answer_unknown() {
    for statement in [
        r#"{"Effect":"allow","Action":"s3:*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":"s3:*"}"#,
        r#"{"Effect":"Allow","Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":"s3:*","NotAction":"iam:*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}"#,
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Colour":"red"}"#,
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringMatches":{"a":"b"}}}"#,
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NullIfExists":{"a":"true"}}}"#,
        r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericEquals":{"a":"many"}}}"#,
        r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":7,"Resource":"*"}"#,
    ] {
        let principal = user(&format!("[{ALLOW_ALL},{statement}]"));
        assert_eq!(id(&principal, "s3:GetObject", "arn:aws:s3:::b/x"), "unknown", "{statement}");
        // But a Deny that can be read decides.
        let denied = principal.with(inline(r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#));
        assert_eq!(id(&denied, "s3:GetObject", "arn:aws:s3:::b/x"), "explicit-deny", "{statement}");
    }
}

#[test]
fn a_policy_that_was_not_collected_makes_the_answer_unknown() {
    let missing = |arn: &str| user("[]").with(PolicySource::missing(arn));
    let role = missing("arn:aws:iam::aws:policy/ReadOnlyAccess");
    let Outcome::Unknown { reason } = ask(&role, "s3:GetObject", "*").outcome else { panic!("an answer") };
    assert!(reason.contains("ReadOnlyAccess"), "{reason}");
    let admin = missing("arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(id(&admin, "s3:GetObject", "*"), "allow");
    let forged = missing("arn:aws:iam::111122223333:policy/AdministratorAccess");
    assert_eq!(id(&forged, "s3:GetObject", "*"), "unknown");
    let unbounded = user(ALLOW_ALL).bounded_by(PolicySource::missing("arn:aws:iam::111122223333:policy/b"));
    assert_eq!(id(&unbounded, "s3:GetObject", "*"), "unknown");
    // A boundary grants nothing, so without a grant it does not matter.
    let nothing = user("[]").bounded_by(PolicySource::missing("arn:aws:iam::111122223333:policy/b"));
    assert_eq!(id(&nothing, "s3:GetObject", "*"), "implicit-deny");
}

#[test]
fn the_deciding_statements_are_named() {
    let principal =
        user(&format!(r#"[{ALLOW_ALL},{{"Sid":"NoDelete","Effect":"Deny","Action":"s3:Delete*","Resource":"*"}}]"#));
    let decision = ask(&principal, "s3:DeleteObject", "arn:aws:s3:::b/x");
    assert_eq!(decision.outcome, Outcome::ExplicitDeny);
    assert_eq!(decision.statements.len(), 1);
    assert_eq!(decision.statements[0].sid.as_deref(), Some("NoDelete"));
    assert_eq!((decision.statements[0].policy.as_str(), decision.statements[0].index), ("inline", 1));
    assert!(decision.upper_bound);
}

#[test]
fn variables_are_replaced_by_what_is_known_of_the_principal() {
    let own =
        r#"{"Effect":"Allow","Action":"iam:CreateAccessKey","Resource":"arn:aws:iam::*:user/team/${aws:username}"}"#;
    let ann = user(own);
    assert_eq!(id(&ann, "iam:CreateAccessKey", "arn:aws:iam::111122223333:user/team/ann"), "allow");
    assert_eq!(id(&ann, "iam:CreateAccessKey", "arn:aws:iam::111122223333:user/team/bob"), "implicit-deny");
    // Roles have no user name, so the variable matches nothing.
    let role = Principal::new(Kind::Role, "arn:aws:iam::111122223333:role/r", ACCOUNT).with(inline(own));
    assert_eq!(id(&role, "iam:CreateAccessKey", "arn:aws:iam::111122223333:user/team/r"), "implicit-deny");
    // In the older language it is literal text.
    let old = Principal::new(Kind::User, &ann.arn, ACCOUNT)
        .with(PolicySource::inline("old", &format!(r#"{{"Statement":{own}}}"#)));
    assert_eq!(id(&old, "iam:CreateAccessKey", "arn:aws:iam::111122223333:user/team/ann"), "implicit-deny");
    let default = user(
        r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team, 'none'}/${$}"}"#,
    );
    let context = Context::new().without("aws:PrincipalTag/team");
    assert_eq!(can(&default, "s3:GetObject", "arn:aws:s3:::b/none/$", &context).outcome.id(), "allow");
    assert_eq!(id(&default, "s3:GetObject", "arn:aws:s3:::b/none/x"), "implicit-deny");
}

#[test]
fn service_control_policies_must_allow_at_every_level() {
    let full = || PolicySource::inline("FullAWSAccess", &document(ALLOW_ALL));
    let no_lambda =
        || PolicySource::inline("no-lambda", &document(r#"{"Effect":"Deny","Action":"lambda:*","Resource":"*"}"#));
    let only_s3 = || PolicySource::inline("s3", &document(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#));
    for (levels, lambda, s3) in [
        (vec![vec![full()], vec![full()]], "allow", "allow"),
        (vec![vec![full(), no_lambda()], vec![full()]], "explicit-deny", "allow"),
        (vec![vec![full()], vec![only_s3()]], "implicit-deny", "allow"),
        (vec![vec![full()], vec![]], "implicit-deny", "implicit-deny"),
        (vec![vec![full()], vec![PolicySource::missing("p-1")]], "unknown", "unknown"),
    ] {
        let mut principal = user(ALLOW_ALL);
        principal.scps = Scps::Levels(levels);
        assert_eq!(id(&principal, "lambda:InvokeFunction", "*"), lambda);
        assert_eq!(id(&principal, "s3:GetObject", "*"), s3);
        assert!(!ask(&principal, "s3:GetObject", "*").upper_bound);
    }
}

#[test]
fn a_question_about_any_resource_is_conditional_if_only_some_are_allowed() {
    let principal = user(r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}"#);
    assert_eq!(ask(&principal, "s3:GetObject", "*").outcome, Outcome::Conditional { keys: vec!["resource".into()] });
    assert_eq!(id(&principal, "s3:GetObject", "arn:aws:s3:::b/logs/*"), "allow");
    assert_eq!(id(&principal, "s3:GetObject", "arn:aws:s3:::c/*"), "implicit-deny");
    assert_eq!(id(&principal, "iam:*", "*"), "implicit-deny");
}

#[test]
fn operators_compare_in_their_own_type() {
    for (operator, value, actual, expected) in [
        ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", true),
        ("DateGreaterThan", "1767225600", "2026-01-01T00:00:01Z", true),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", true),
        ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", false),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", true),
        ("ArnLike", "arn:aws:iam::*:role/ops-*", "arn:aws:iam::111122223333:role/ops-1", true),
        ("ArnNotEquals", "arn:aws:iam::*:role/ops-*", "arn:aws:iam::111122223333:role/ops-1", false),
        ("StringEqualsIgnoreCase", "ABC", "abc", true),
        ("StringEquals", "a*", "abc", false),
        ("StringLike", "a*", "abc", true),
        ("NumericLessThanEquals", "10", "10.0", true),
        ("Bool", "True", "true", true),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", true),
    ] {
        let principal = user(&format!(
            r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{"{operator}":{{"aws:Key":"{value}"}}}}}}"#
        ));
        let context = Context::new().with("AWS:key", actual);
        let allowed = can(&principal, "s3:GetObject", "*", &context).outcome == Outcome::Allow;
        assert_eq!(allowed, expected, "{operator} {value} {actual}");
    }
}

#[test]
fn log_tampering_is_more_than_deleting_objects() {
    let principal = user(
        r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}]"#,
    );
    let found = tampering(&principal, &EvidenceResources::default());
    let actions: Vec<_> = found.iter().map(|one| one.action).collect();
    assert!(actions.contains(&"s3:PutLifecycleConfiguration"));
    assert!(!actions.contains(&"s3:DeleteObject") && !actions.contains(&"cloudtrail:StopLogging"));
    let elsewhere = EvidenceResources { by_kind: vec![("bucket".into(), vec!["arn:aws:s3:::trail-logs".into()])] };
    let scoped = user(r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::data/*"}"#);
    let found = tampering(&scoped, &elsewhere);
    assert!(found.iter().all(|one| one.action != "s3:PutBucketPolicy"), "{found:?}");
}

const SETUP: &str = r#"["iam:CreateVirtualMFADevice","iam:EnableMFADevice","iam:GetUser","iam:ListMFADevices",
    "iam:ListVirtualMFADevices","iam:ResyncMFADevice","sts:GetSessionToken"]"#;

fn mfa(statements: &str) -> &'static str {
    enforcement(&user(statements)).verdict.id()
}

#[test]
fn mfa_is_enforced_only_if_nothing_else_works_without_it() {
    let allow = r#"{"Effect":"Allow","Action":["s3:*","iam:*"],"Resource":"*"}"#;
    let deny = |operator: &str, list: &str| {
        format!(
            r#"[{allow},{{"Effect":"Deny","NotAction":{list},"Resource":"*","Condition":{{"{operator}":{{"aws:MultiFactorAuthPresent":"false"}}}}}}]"#
        )
    };
    assert_eq!(mfa(&deny("BoolIfExists", SETUP)), "enforced");
    assert_eq!(mfa(&deny("Bool", SETUP)), "not-enforced");
    assert_eq!(mfa(&deny("BoolIfExists", r#"["iam:*"]"#)), "not-enforced");
    assert_eq!(mfa(&deny("BoolIfExists", r#""sts:*""#)), "enforced");
    assert_eq!(mfa(&format!("[{allow}]")), "not-enforced");
    assert_eq!(mfa("[]"), "no-permissions");
    let by_allow = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#;
    assert_eq!(mfa(by_allow), "enforced-by-allow");
    let scoped = format!(
        r#"[{allow},{{"Effect":"Deny","NotAction":{SETUP},"Resource":"arn:aws:s3:::b","Condition":{{"BoolIfExists":{{"aws:MultiFactorAuthPresent":"false"}}}}}}]"#
    );
    assert_eq!(mfa(&scoped), "not-enforced");
    // One Deny for each kind of request without MFA does what one for both does.
    let split = |first: &str, second: &str| {
        let one = |condition: &str| {
            format!(r#"{{"Effect":"Deny","NotAction":{SETUP},"Resource":"*","Condition":{condition}}}"#)
        };
        format!("[{allow},{},{}]", one(first), one(second))
    };
    let no_mfa = r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#;
    let no_key = r#"{"Null":{"aws:MultiFactorAuthPresent":"true"}}"#;
    assert_eq!(mfa(&split(no_mfa, no_key)), "enforced");
    assert_eq!(enforcement(&user(&split(no_mfa, no_key))).statements.len(), 2);
    assert_eq!(mfa(&split(no_mfa, no_mfa)), "not-enforced");
    assert!(enforcement(&user(&split(no_mfa, no_mfa))).statements.is_empty());
    let report = enforcement(&user(&deny("BoolIfExists", SETUP)));
    assert_eq!(report.may_lock_out, ["iam:ChangePassword", "iam:GetMFADevice"]);
    assert!(report.allow_list.iter().all(|entry| entry.class == ListedClass::MfaSetup), "{report:?}");
    let missing = user(&deny("BoolIfExists", SETUP)).with(PolicySource::new("x", Content::Missing));
    assert_eq!(enforcement(&missing).verdict.id(), "unknown");
}

#[test]
fn reading_and_writing_are_told_apart_after_denies_and_boundaries() {
    let reads = user(r#"{"Effect":"Allow","Action":["s3:Get*","s3:List*","ec2:DescribeInstances"],"Resource":"*"}"#);
    assert_eq!(read_only(&reads, &NameHeuristic), ReadOnly::Yes);
    let writes = user(r#"{"Effect":"Allow","Action":["s3:Get*","s3:Put*"],"Resource":"*"}"#);
    assert!(matches!(read_only(&writes, &NameHeuristic), ReadOnly::No { .. }));
    let denied = writes.clone().with(inline(r#"{"Effect":"Deny","NotAction":["*:Get*","*:List*"],"Resource":"*"}"#));
    assert_eq!(read_only(&denied, &NameHeuristic), ReadOnly::Yes);
    let bounded = writes.clone().bounded_by(inline(r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#));
    assert_eq!(read_only(&bounded, &NameHeuristic), ReadOnly::Yes);
    let both = difference(&reads, &writes).expect("documents");
    assert_eq!(both.only_first.len(), 2, "{both:?}");
    assert_eq!(both.only_second[0].actions, "s3:put*");
    assert!(difference(&reads, &reads).expect("documents").is_empty());
}

#[test]
fn a_tag_condition_with_if_exists_ties_nothing() {
    let tied = |operator: &str| {
        let principal = user(&format!(
            r#"[{{"Effect":"Allow","Action":"ssm:StartSession","Resource":"*","Condition":{{"{operator}":{{"ssm:resourceTag/CE":"true"}}}}}},
            {{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}}]"#
        ));
        not_tied_to_tag(&principal, &["ssm:resourceTag/CE"], &NameHeuristic).expect("documents").is_empty()
    };
    assert!(tied("StringEquals"));
    assert!(!tied("StringEqualsIfExists"));
    assert!(!tied("StringNotEquals"));
}

#[test]
fn a_variable_without_a_value_never_makes_a_statement_apply_for_certain() {
    let role = |statement: &str| {
        Principal::new(Kind::Role, "arn:aws:iam::111122223333:role/r", ACCOUNT)
            .with(inline(&format!("[{ALLOW_ALL},{statement}]")))
    };
    let not_mine = role(r#"{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::b/${aws:username}/*"}"#);
    assert_eq!(id(&not_mine, "s3:GetObject", "arn:aws:s3:::b/ann/x"), "conditional");
    let not_me = role(
        r#"{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"s3:prefix":"${aws:username}"}}}"#,
    );
    let context = Context::new().with("s3:prefix", "x");
    assert_eq!(can(&not_me, "s3:GetObject", "arn:aws:s3:::b", &context).outcome.id(), "conditional");
}

#[test]
fn a_tag_can_be_demanded_by_a_deny_and_reading_data_needs_one_too() {
    let keys = ["aws:ResourceTag/CE"];
    let found = |statements: &str| {
        let found = not_tied_to_tag(&user(statements), &keys, &NameHeuristic).expect("documents");
        found.iter().map(|one| one.index).collect::<Vec<_>>()
    };
    let write = r#"{"Effect":"Allow","Action":"ec2:*","Resource":"arn:aws:ec2:*:*:instance/*"}"#;
    let deny = |operator: &str, resource: &str| {
        format!(
            r#"{{"Effect":"Deny","Action":"ec2:*","Resource":"{resource}","Condition":{{"{operator}":{{"aws:ResourceTag/CE":"true"}}}}}}"#
        )
    };
    assert_eq!(found(&format!("[{write}]")), [0]);
    assert!(found(&format!("[{write},{}]", deny("StringNotEquals", "*"))).is_empty());
    assert!(found(&format!("[{write},{}]", deny("StringNotEquals", "arn:aws:ec2:*:*:instance/*"))).is_empty());
    // On other resources, or only where there is a tag, it takes nothing away.
    assert_eq!(found(&format!("[{write},{}]", deny("StringNotEquals", "arn:aws:ec2:*:*:volume/*"))), [0]);
    assert_eq!(found(&format!("[{write},{}]", deny("StringNotEqualsIfExists", "*"))), Vec::<usize>::new());
    assert_eq!(found(&format!("[{write},{}]", deny("StringEquals", "*"))), [0]);
    let looks = r#"{"Effect":"Allow","Action":["s3:ListAllMyBuckets","ec2:Describe*"],"Resource":"*"}"#;
    assert!(found(&format!("[{looks}]")).is_empty());
    assert_eq!(found(&format!(r#"[{looks},{{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}]"#)), [1]);
    let bounded = user(&format!("[{write}]")).bounded_by(inline(looks));
    assert!(not_tied_to_tag(&bounded, &keys, &NameHeuristic).expect("documents").is_empty());
}

#[test]
fn what_hands_out_credentials_does_not_only_read() {
    let only_reads = |action: &str| {
        let statement = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
        read_only(&user(&statement), &NameHeuristic) == ReadOnly::Yes
    };
    for action in
        ["logs:FilterLogEvents", "logs:StartQuery", "dynamodb:Scan", "iam:GenerateCredentialReport", "s3:Get*"]
    {
        assert!(only_reads(action), "{action}");
    }
    for action in
        ["redshift:GetClusterCredentials", "redshift:Get*", "sts:GetFederationToken", "ec2:get*", "*:Get*", "*"]
    {
        assert!(!only_reads(action), "{action}");
    }
}
