//! The recorded account, replayed: what the policy engine finds of the vendor's roles and the other ways in, as
//! fixtures/README.md says that it must.

mod common;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

/// The names of the resources by check and status.
type Findings = BTreeMap<(String, String), Vec<String>>;

/// The recorded account, judged by the profile that ships; once for all tests.
fn findings() -> &'static Findings {
    static FINDINGS: LazyLock<Findings> = LazyLock::new(|| {
        let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let out = tempfile::tempdir().unwrap();
        let mut command = common::auditpack();
        command
            .arg("evaluate")
            .arg(repository.join("fixtures/example-corp"))
            .arg("--config")
            .arg(repository.join("examples/ce-vendor/auditpack.toml"))
            .arg("--quiet")
            .arg("--out")
            .arg(out.path());
        let ran = common::run(&mut command);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let files = common::files(&common::package(out.path()));
        let mut found = Findings::new();
        for finding in common::json(&files, "findings.json")["findings"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let key = (text(&finding["check"]), text(&finding["status"]));
            found.entry(key).or_default().push(text(&finding["resource"]["name"]));
        }
        found
    });
    &FINDINGS
}

fn assert_names(findings: &Findings, check: &str, status: &str, expected: &[&str]) {
    let key = (check.to_owned(), status.to_owned());
    let mut names = findings.get(&key).cloned().unwrap_or_default();
    names.sort();
    let mut expected: Vec<&str> = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(names, expected, "{check} {status}");
}

#[test]
fn the_vendors_roles_are_found_and_judged() {
    let found = findings();
    assert_names(found, "vendor-role-expected", "fail", &["migration-2023-temp"]);
    assert_names(found, "vendor-role-external-id", "fail", &["CE-Data", "CE-DevOps", "migration-2023-temp"]);
    assert_names(found, "vendor-role-external-id", "pass", &["CE-Admin", "CE-ReadOnly", "CE-SRE"]);
    assert_names(found, "vendor-role-mfa", "fail", &["CE-Data", "CE-DevOps", "migration-2023-temp"]);
    assert_names(found, "vendor-role-mfa-age", "pass", &["CE-Admin", "CE-SRE"]);
    assert_names(found, "vendor-role-session-length", "fail", &["CE-Admin", "migration-2023-temp"]);
    assert_names(found, "vendor-role-individual", "pass", &["CE-SRE"]);
    assert_names(found, "vendor-role-read-only", "fail", &["CE-ReadOnly"]);
    assert_names(found, "vendor-role-tag-scope", "fail", &["CE-Data"]);
    assert_names(found, "vendor-role-consistent", "fail", &["CE-Admin", "CE-Data"]);
    assert_names(found, "vendor-role-not-admin", "not-applicable", &["CE-Admin"]);
    assert_names(found, "vendor-role-not-admin", "pass", &["CE-ReadOnly"]);
    assert_names(found, "vendor-role-no-log-tampering", "pass", &["CE-ReadOnly"]);
    assert_names(found, "vendor-no-users", "fail", &["continuous.engineering"]);
    assert_names(found, "vendor-roles-present", "pass", &["continuous.engineering"]);
    assert_names(found, "vendor-roles-distinct", "pass", &["continuous.engineering"]);
}

#[test]
fn the_vendors_sessions_are_read_from_the_event_history() {
    let found = findings();
    let count = |check: &str, status: &str| found.get(&(check.to_owned(), status.to_owned())).map_or(0, Vec::len);
    // 14 sessions and 2 refusals; of six, the vendor's own MFA is not in the customer's record.
    assert_eq!(count("vendor-session-mfa", "not-applicable"), 2);
    assert_eq!((count("vendor-session-mfa", "pass"), count("vendor-session-mfa", "unknown")), (8, 6));
    assert_eq!(count("vendor-session-mfa", "fail"), 0);
    assert_names(
        found,
        "vendor-session-length",
        "fail",
        &["CE-Admin by kim.k@continuous.example", "migration-2023-temp by session", "migration-2023-temp by session"],
    );
    assert_names(
        found,
        "vendor-session-named",
        "fail",
        &[
            "CE-DevOps by aws-go-sdk-1755500000000000000",
            "CE-DevOps by botocore-session-1758000000",
            "migration-2023-temp by session",
            "migration-2023-temp by session",
        ],
    );
}

#[test]
fn the_other_ways_in_are_judged() {
    let found = findings();
    let github = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com into";
    let into = |role: &str| format!("{github} {role}");
    assert_names(found, "trust-oidc-not-open", "fail", &[&into("gha-if-exists"), &into("gha-open")]);
    assert_names(found, "trust-oidc-narrow", "fail", &[&into("gha-org-wide")]);
    assert_names(found, "trust-not-public", "fail", &["anybody into partner-upload"]);
    let stale = [
        "AIDADELETEDUSREXAMPLE into half-orphan",
        "AROADELETEDROLEXAMPLE into report-reader-orphan",
        "arn:aws:iam::111122223333:saml-provider/CE-IdP into CE-Admin",
        &into("gha-dead"),
    ];
    let names = found.get(&("trust-not-stale".to_owned(), "fail".to_owned())).cloned().unwrap_or_default();
    for name in stale {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
    let ids = found.get(&("trust-external-id".to_owned(), "fail".to_owned())).cloned().unwrap_or_default();
    for role in ["payroll-sync", "org-deployer", "migration-2023-temp", "CE-DevOps"] {
        assert!(ids.iter().any(|name| name.ends_with(&format!(" {role}"))), "{role}: {ids:?}");
    }
    assert!(!ids.iter().any(|name| name.ends_with(" observability-reader") || name.ends_with(" CE-Data")), "{ids:?}");
}

#[test]
fn who_is_an_administrator_is_told_apart_from_who_could_become_one() {
    let found = findings();
    let outright = ["rosa.ruiz", "svc-jenkins", "svc-legacy-sftp", "svc-report-export", "svc-terraform", "tara.tan"];
    assert_names(found, "user-not-admin", "fail", &outright);
    // Two policies together, neither of which is everything.
    assert_names(found, "user-no-escalation", "fail", &["bob.baker"]);
    let roles = ["CE-DevOps", "chain-entry", "chain-middle", "hopper"];
    assert_names(found, "role-no-escalation", "fail", &roles);
    assert_names(found, "role-no-escalation", "unknown", &["duplicate-keys-reader", "imported-2016-reader"]);
    assert_names(found, "user-mfa-enforced", "unknown", &["new.starter"]);
}
