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
        "Verdict     admin (an upper bound: service control policies were not given)\n",
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
        "Verdict     admin-equivalent (an upper bound",
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
    assert!(tagged.stdout.contains("Verdict     conditional (an upper bound"), "{}", tagged.stdout);
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

/// A folder with the files of one's organisation.
fn organisation(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

const FULL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const NO_DELETE: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"Keep","Effect":"Deny","Action":"s3:Delete*","Resource":"*"}]}"#;

#[test]
fn service_control_policies_that_are_given_end_the_upper_bound() {
    let described = serde_json::json!({"Policy": {"PolicySummary": {"Name": "keep-objects"}, "Content": NO_DELETE}});
    let folder = organisation(&[("root.json", FULL), ("account.json", &format!("[{FULL},{described}]"))]);
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (root, account) = (file("root.json"), file("account.json"));
    let ask = |arguments: &[&str]| {
        let ran = explain(&[arguments, &["--scp", &root, "--scp", &account, "--format", "json"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        serde_json::from_str::<Value>(&ran.stdout).unwrap()
    };
    let denied = ask(&["svc-terraform", "s3:DeleteObject"]);
    assert_eq!((&denied["verdict"], &denied["upper_bound"]), (&"explicit-deny".into(), &false.into()));
    let statement = &denied["statements"][0];
    assert!(statement["place"].as_str().unwrap().contains("the service control policy keep-objects"), "{statement}");
    assert!(statement["text"].as_str().unwrap().contains("s3:Delete*"), "{statement}");
    assert_eq!(ask(&["svc-terraform", "s3:GetObject"])["verdict"], "allow");
    // Of the principal as a whole, too.
    let whole = ask(&["svc-terraform"]);
    assert_eq!((&whole["verdict"], &whole["upper_bound"]), (&"admin-except-deny".into(), &false.into()));
    let without = explain(&["svc-terraform", "s3:DeleteObject", "--format", "json"]);
    let without: Value = serde_json::from_str(&without.stdout).unwrap();
    assert_eq!((&without["verdict"], &without["upper_bound"]), (&"allow".into(), &true.into()));
}

#[test]
fn a_level_that_cannot_be_one_is_refused() {
    let folder = organisation(&[("deny.json", NO_DELETE), ("text.json", "hello"), ("other.json", r#"{"a": 1}"#)]);
    for (name, part) in [
        ("deny.json", "FullAWSAccess"),
        ("text.json", "not JSON"),
        ("other.json", "not a policy document"),
        ("missing.json", "cannot read"),
    ] {
        let path = folder.path().join(name);
        let ran = explain(&["svc-terraform", "--scp", path.to_str().unwrap()]);
        assert_eq!(ran.code, 2, "{name}: {}", ran.stdout);
        assert!(ran.stderr.contains(part), "{name}: {}", ran.stderr);
    }
}
