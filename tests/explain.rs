//! `auditpack explain` on the recorded account: the verdict, the statement that decides, who can come in, and what is
//! out of sight.

mod common;

use common::{Ran, auditpack, run};
use serde_json::Value;
use std::path::PathBuf;

fn explain(arguments: &[&str]) -> Ran {
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/example-corp");
    run(auditpack().arg("explain").args(arguments).arg("--from").arg(fixture))
}

#[test]
fn a_verdict_names_the_statement_and_shows_its_text() {
    let ran = explain(&["svc-terraform"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in [
        "Verdict     admin\n",
        "statement 1 of the policy deploy-anything through the group ci-admins",
        r#"{"Action": ["*"], "Effect": "Allow", "Resource": ["*"]}"#,
        "service control policies",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}

#[test]
fn the_ways_into_a_role_have_their_counter_examples() {
    let ran = explain(&["role/CE-DevOps"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in [
        "Verdict     admin-equivalent",
        "iam:PassRole and lambda:CreateFunction",
        "external id required-but-pattern; MFA not-required",
        "gets in: a request that does not carry aws:MultiFactorAuthPresent",
        "Can it touch the records of what was done?  can",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}

#[test]
fn a_question_about_an_action_is_answered_for_programs_too() {
    let ran = explain(&["CE-SRE", "cloudtrail:StopLogging", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(answer["verdict"], "explicit-deny");
    assert_eq!(answer["statements"][0]["place"], "statement 1 (KeepTheLogs) of the policy log-tamper-guard");
    assert!(answer["statements"][0]["text"].as_str().unwrap().contains(r#""Effect": "Deny""#));
    let tagged = explain(&["CE-Data", "ssm:StartSession", "arn:aws:ec2:eu-west-1:111122223333:instance/i-1"]);
    assert!(tagged.stdout.contains("Verdict     conditional\n"), "{}", tagged.stdout);
    assert!(tagged.stdout.contains("Hangs on    ssm:resourcetag/ce-data"), "{}", tagged.stdout);
    let nothing = explain(&["CE-Data", "s3:DeleteBucket"]);
    assert!(nothing.stdout.contains("Verdict     implicit-deny\n"), "{}", nothing.stdout);
}

#[test]
fn a_document_that_cannot_be_read_leaves_the_question_open() {
    let ran = explain(&["duplicate-keys-reader", "s3:GetObject"]);
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    assert!(ran.stdout.contains("Verdict     unknown\n") && ran.stdout.contains("duplicate key"), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_answered_says_what_would_be() {
    for (arguments, part) in [
        (&["CE-Admn"][..], "did you mean arn:aws:iam::111122223333:role/CE-Admin?"),
        (&["nobody-at-all-like-this"], "populations/users.csv"),
        (&["CE-Admin", "stop"], "write service:Name"),
        (&["CE-Admin", "s3:GetObject", "bucket"], "write its ARN"),
        (&["CE-Admin", "--format", "csv"], "text or json"),
    ] {
        let ran = explain(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stdout);
        assert!(ran.stdout.is_empty() && ran.stderr.contains(part), "{arguments:?}: {}", ran.stderr);
    }
}
