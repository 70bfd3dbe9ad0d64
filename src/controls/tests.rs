//! Tests of the controls as a whole: the embedded ones, and what is said of broken ones.

mod broken;

use super::validate::{self, validate};
use super::*;
use crate::finding::Status;
use crate::resource::Value;
use std::fs;

const CHECK: &str = r#"id: user-console-mfa
title: Console users have MFA
resource: iam.user
scope: password_enabled
scope_reason: the user has no password
pass: mfa_active
severity: high
message: "{name} has no MFA device"
remediation: Give the user a device.
references: [https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html]
cases:
  - {name: device, given: {password_enabled: true, mfa_active: true}, expect: pass}
  - {name: no device, given: {password_enabled: true, mfa_active: false}, expect: fail}
  - {name: denied, given: {}, expect: unknown}
"#;

const FRAMEWORK: &str = r#"id: own
title: Our own standard
edition: "2026"
scope: all of it
notes: [the wording is ours]
requirements:
  - id: 8.3
    group: Access
    title: People use a second factor.
    automation: partial
    checks: [user-console-mfa]
    evidence: [iam:ListVirtualMFADevices]
    manual: Show how devices are handed out.
  - {id: "8.4", group: Access, title: Somebody is responsible., automation: manual, manual: Name them.}
"#;

/// A folder of control files: path below it, and text.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// What is said of a folder of control files, without the folder's own path.
fn errors(files: &[(&str, &str)]) -> String {
    let dir = folder(files);
    let errors = Catalogue::load(Some(dir.path())).expect_err("loads");
    errors.to_string().replace(&format!("{}/", dir.path().display()), "")
}

fn only(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

const FILES: [(&str, &str); 3] = [
    ("checks/iam/user-console-mfa.yaml", CHECK),
    ("frameworks/own.yaml", FRAMEWORK),
    ("parameters.yaml", "parameters: []\n"),
];

#[test]
fn the_embedded_controls_load_and_every_case_comes_out() {
    let validation = validate(None).unwrap_or_else(|errors| panic!("{errors}"));
    let failures: Vec<String> = validation.failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(validation.cases > 150);
}

/// Ids are public API: whoever renames one meets this test.
#[test]
fn the_ids_of_checks_and_parameters_do_not_change() {
    let catalogue = Catalogue::load(None).unwrap();
    let checks = catalogue.checks.values().map(|c| format!("{} {} {}\n", c.id, c.resource.id(), c.severity));
    let parameters = catalogue.parameters.values().map(|p| format!("{} {}\n", p.name, p.default));
    insta::assert_snapshot!(checks.chain(parameters).collect::<String>());
}

#[test]
fn a_folder_extends_and_overrides_and_only_selected_frameworks_are_kept() {
    let dir = folder(&[
        ("checks/own/user-console-mfa.yaml", &CHECK.replace("severity: high", "severity: low")),
        ("frameworks/own.yaml", FRAMEWORK),
        (
            "parameters.yaml",
            "parameters:\n  - {name: patience, type: int, default: 5, minimum: 1, maximum: 9, meaning: days}\n",
        ),
    ]);
    let controls = Controls::load(Some(dir.path()), Settings::default(), &["own".to_owned()]).unwrap();
    assert_eq!(controls.checks.keys().collect::<Vec<_>>(), ["user-console-mfa"]);
    assert_eq!(controls.checks["user-console-mfa"].severity, crate::finding::Severity::Low);
    assert_eq!(controls.frameworks["own"].requirements[0].id, "8.3");
    assert_eq!(controls.settings.parameters["patience"], Value::Int(5));
    assert_eq!(controls.settings.parameters["access_key_max_age_days"], Value::Int(90));
    let operations = controls.operations();
    assert!(operations.contains(&Operation::IamListVirtualMfaDevices));
    assert!(!operations.contains(&Operation::CloudTrailLookupEvents));
    let paths: Vec<&String> = controls.files.keys().collect();
    assert_eq!(paths, ["checks/own/user-console-mfa.yaml", "frameworks/own.yaml", "parameters.yaml"]);

    // What the package keeps is enough to judge by again.
    let again = Controls::from_files(&controls.files).unwrap();
    assert_eq!(again.files, controls.files);
    assert_eq!(again.settings.parameters, controls.settings.parameters);
    assert_eq!(again.operations(), operations);
}

#[test]
fn an_unknown_framework_is_refused_with_those_that_there_are() {
    let catalogue = Catalogue::from_files(&only(&FILES)).unwrap();
    let error = catalogue.select(Settings::default(), &["sox".to_owned()]).unwrap_err().to_string();
    assert!(error.contains("there is no framework `sox`") && error.contains("the frameworks are: own"), "{error}");
}

#[test]
fn every_error_of_every_file_is_reported_at_once() {
    let check = CHECK
        .replace("scope: password_enabled", "scope: password_enabld")
        .replace("pass: mfa_active", "pass: \"mfa_active && (\"")
        .replace("{name} has", "{nme} {parameters.x} has }")
        .replace("severity: high", "severity: severe\nseverty: high")
        .replace("https:", "http:")
        .replace("mfa_active: true}, expect: pass", "mfa_active: yes please}, expect: good");
    insta::assert_snapshot!(errors(&[
        ("checks/iam/user-console-mfa.yaml", &check),
        ("checks/iam/second.yaml", "id: second\ntitle: [unclosed\n"),
        ("checks/iam/third.yaml", &CHECK.replace("iam.user", "iam.usr")),
        ("frameworks/own.yaml", &FRAMEWORK.replace("[user-console-mfa]", "[user-consle-mfa]").replace("List", "Lst")),
    ]));
}

#[test]
fn what_a_check_must_have_is_asked_for() {
    let cases = CHECK.replace("expect: unknown", "expect: fail");
    let text = errors(&[("checks/iam/user-console-mfa.yaml", &cases)]);
    assert!(text.contains("there is no case that expects unknown") && text.contains(":12:3"), "{text}");
    for (without, message) in [
        ("title: Console users have MFA\n", "a check needs `title`"),
        ("scope_reason: the user has no password\n", "a check with `scope` needs `scope_reason`"),
        ("severity: high\n", "a check needs `severity`"),
        ("remediation: Give the user a device.\n", "a check needs `remediation`"),
        ("pass: mfa_active\n", "a check needs `pass`"),
        ("message: \"{name} has no MFA device\"\n", "a check needs `message`"),
        ("scope: password_enabled\n", "`scope_reason` without `scope`"),
    ] {
        let text = errors(&[("checks/iam/user-console-mfa.yaml", &CHECK.replace(without, ""))]);
        assert!(text.contains(message), "{text}");
    }
    let text = errors(&[("checks/iam/other-name.yaml", CHECK)]);
    assert!(text.contains("the file must be named after the id: `user-console-mfa.yaml`"), "{text}");
}

#[test]
fn an_id_cannot_be_there_twice() {
    let text = errors(&[("checks/a/user-console-mfa.yaml", CHECK), ("checks/b/user-console-mfa.yaml", CHECK)]);
    assert!(text.contains("check `user-console-mfa` is there twice"), "{text}");
    assert!(
        text.contains("checks/b/user-console-mfa.yaml:1:5") && text.contains("checks/a/user-console-mfa.yaml"),
        "{text}"
    );
    let text = errors(&[("frameworks/own.yaml", &FRAMEWORK.replace("\"8.4\"", "8.3"))]);
    assert!(text.contains("requirement `8.3` stands here a second time"), "{text}");
}

#[test]
fn what_a_framework_must_have_is_asked_for() {
    for (from, to, message) in [
        ("    manual: Show how devices are handed out.\n", "", "automation partial needs `manual`"),
        ("automation: partial", "automation: manual", "automation manual has no checks"),
        ("automation: partial", "automation: mostly", "`mostly` is no level of automation"),
        (
            "    checks: [user-console-mfa]\n    evidence: [iam:ListVirtualMFADevices]\n",
            "",
            "automation partial needs a check or an item of evidence",
        ),
        ("iam:ListVirtualMFADevices", "iam:ListVirtualMFADevice", "did you mean `iam:ListVirtualMFADevices`?"),
        ("edition", "editon", "did you mean `edition`?"),
    ] {
        assert!(FRAMEWORK.contains(from));
        let text = errors(&[("frameworks/own.yaml", &FRAMEWORK.replace(from, to))]);
        assert!(text.contains(message), "{text}");
    }
}

#[test]
fn a_check_that_cannot_be_read_is_not_reported_again_where_it_is_named() {
    let text = errors(&[
        (
            "checks/own/own-check.yaml",
            &CHECK.replace("user-console-mfa", "own-check").replace("pass: mfa_active", "pass: x"),
        ),
        ("frameworks/own.yaml", &FRAMEWORK.replace("user-console-mfa", "own-check")),
    ]);
    assert!(text.contains("no field `x`") && !text.contains("there is no check"), "{text}");
}

#[test]
fn a_place_is_found_in_every_way_to_write_a_text() {
    for (written, place) in [
        ("pass: password_enabled && mfa_activ", "6:27"),
        ("pass: \"password_enabled && mfa_activ\"", "6:28"),
        ("pass: |\n  password_enabled &&\n    mfa_activ", "8:5"),
        ("pass: >-\n  password_enabled\n  && mfa_activ", "8:6"),
        ("pass:\n  password_enabled\n  && mfa_activ", "8:6"),
        ("pass: 'name != \"é\" && mfa_activ'", "6:23"),
    ] {
        let text = errors(&[("checks/iam/user-console-mfa.yaml", &CHECK.replace("pass: mfa_active", written))]);
        assert!(text.contains(&format!("user-console-mfa.yaml:{place}")), "{written}: {text}");
    }
}

#[test]
fn hostile_folders_are_refused() {
    let huge = "#".repeat(1_100_000);
    let text = errors(&[("checks/iam/user-console-mfa.yaml", &huge)]);
    assert!(text.contains("is larger than 1 MiB"), "{text}");
    let text = errors(&[("checks/a/b/c/d/e/f/g/h/i/user-console-mfa.yaml", CHECK)]);
    assert!(text.contains("lies deeper than 8 folders"), "{text}");
    let text = errors(&[("checks/iam/user-console-mfa.yml", CHECK)]);
    assert!(text.contains("control files end in .yaml"), "{text}");
    let text = errors(&[("check/iam/user-console-mfa.yaml", CHECK)]);
    assert!(text.contains("the folder holds no control file"), "{text}");
    let missing = Catalogue::load(Some(Path::new("no/such/folder"))).unwrap_err().to_string();
    assert!(missing.contains("no/such/folder") && missing.contains("there is no such folder"), "{missing}");

    let dir = folder(&[("checks/iam/latin.yaml", "")]);
    fs::write(dir.path().join("checks/iam/latin.yaml"), b"id: \xe9\n").unwrap();
    let text = Catalogue::load(Some(dir.path())).unwrap_err().to_string();
    assert!(text.contains("is not UTF-8 text"), "{text}");
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_not_followed() {
    let dir = folder(&[("checks/iam/user-console-mfa.yaml", CHECK)]);
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("checks/iam/x.yaml")).unwrap();
    std::os::unix::fs::symlink("..", dir.path().join("checks/loop")).unwrap();
    let text = Catalogue::load(Some(dir.path())).unwrap_err().to_string();
    assert_eq!(text.matches("is a symbolic link, which is not followed").count(), 2, "{text}");
}

#[test]
fn a_case_that_comes_out_otherwise_is_reported_with_its_place() {
    let text = CHECK.replace("mfa_active: false}, expect: fail", "mfa_active: true}, expect: fail");
    let catalogue = Catalogue::from_files(&only(&[("checks/iam/user-console-mfa.yaml", &text)])).unwrap();
    let validation = validate::run(catalogue);
    assert_eq!(validation.failures.len(), 1);
    let failure = validation.failures[0].to_string();
    assert!(failure.contains("case `no device` expects fail and comes out pass"), "{failure}");
    assert!(failure.contains("user-console-mfa.yaml:13:5"), "{failure}");
    assert_eq!(validation.warnings, ["no framework names the check `user-console-mfa`: it is never run"]);
}

/// The law on which all rests, for every embedded check and every way to take fields away from its cases.
#[test]
fn taking_a_field_away_never_turns_fail_or_unknown_into_pass() {
    let catalogue = Catalogue::load(None).unwrap();
    let rank = |status: Status| matches!(status, Status::Pass | Status::NotApplicable);
    for check in catalogue.checks.values() {
        for case in &check.cases {
            let before = case.run(check, &catalogue.parameters).0;
            let names: Vec<&String> = case.given.keys().collect();
            assert!(names.len() < 10, "too many fields to try all subsets");
            for kept in 0..1_u32 << names.len() {
                let mut less = case.clone();
                for (i, name) in names.iter().enumerate().filter(|(i, _)| kept & 1 << i == 0) {
                    let _ = i;
                    less.given.remove(*name);
                }
                let after = less.run(check, &catalogue.parameters).0;
                assert!(
                    after == before || after == Status::Unknown,
                    "{} {}: {before} becomes {after}",
                    check.id,
                    case.name
                );
                assert!(!rank(after) || rank(before), "{} {}", check.id, case.name);
            }
        }
    }
}

/// The worked example of docs/controls.md, as a reader would copy it.
#[test]
fn the_example_of_the_documentation_works() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/controls.md")).unwrap();
    let blocks: Vec<&str> = page.split("```yaml\n# ").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let files: Vec<(&str, &str)> = blocks.iter().filter_map(|block| block.split_once('\n')).collect();
    assert_eq!(files.len(), 5);
    let dir = folder(&files);
    let validation = validate(Some(dir.path())).unwrap_or_else(|errors| panic!("{errors}"));
    let failures: Vec<String> = validation.failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let toml = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    // The page names a framework that is not among the controls of this test's build.
    let settings = Settings::parse("auditpack.toml", &toml.replace("\"soc2\", ", "")).unwrap();
    let controls = Controls::load(Some(dir.path()), settings, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(
        controls.checks.keys().collect::<Vec<_>>(),
        ["group-is-small", "user-has-team", "user-no-attached-policies"]
    );
    assert_eq!(controls.settings.parameters["most_team_members"], Value::Int(20));
    let unknown = page.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|line| line.split('`').next());
    for key in unknown.filter(|key| !key.contains(' ')) {
        assert!(
            include_str!("check/read.rs").contains(&format!("\"{key}\""))
                || include_str!("framework.rs").contains(&format!("\"{key}\""))
                || include_str!("managed_rule.rs").contains(&format!("\"{key}\""))
                || ["scope"].contains(&key),
            "the page explains `{key}`, which no file has"
        );
    }
}

/// Whoever has to mend something finds the place in the console and the command.
#[test]
fn every_check_says_why_and_how_to_mend_it_in_the_console_and_by_command() {
    let catalogue = Catalogue::load(None).unwrap();
    for check in catalogue.checks.values() {
        let remediation = &check.remediation;
        // A review is mended by reviewing, which no console of AWS does.
        let review = check.resource == crate::resource::Kind::AccessReview;
        assert!(review || remediation.contains("onsole"), "{}: no place in the console: {remediation}", check.id);
        assert!(review || remediation.contains("aws "), "{}: no command: {remediation}", check.id);
        assert!(check.rationale.is_some() && check.severity_reason.is_some(), "{} does not say why", check.id);
        let aws = check.references.iter().any(|page| page.starts_with("https://docs.aws.amazon.com/"));
        assert!(aws, "{} names no page of AWS", check.id);
        assert!(
            check.config_rules.is_empty() || check.config_rules_note.is_some(),
            "{}: why may they differ?",
            check.id
        );
    }
}
