//! The whole program over HTTP, against a synthetic AWS that answers, denies, throttles, and breaks off.

mod common;

use auditpack::evidence::Operation;
use auditpack::evidence::Operation as Op;
use common::{auditpack, collect, controls, files, findings, json, package, run, server, with_credentials};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use synthetic_aws::Account;
use tempfile::tempdir;

#[test]
fn a_clean_account_gives_a_package_and_exit_0() {
    let server = server(Account::clean(), &[]);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &[]);
    let files = files(&package(out.path()));
    let bad: Vec<_> = findings(&files).into_iter().filter(|f| f.1 == "fail" || f.1 == "unknown").collect();
    assert!(bad.iter().all(|f| f.1 == "fail"), "{bad:#?}");
    assert_eq!(ran.code, 0, "{}\n{}\n{bad:#?}", ran.stdout, ran.stderr);
    assert_eq!(json(&files, "manifest.json")["gaps"].as_array().map(Vec::len), Some(0));
    // Nothing but the package is left.
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1);
}

#[test]
fn every_call_denied_gives_a_package_with_no_pass_a_reason_for_each_gap_and_exit_3() {
    let server = server(Account::rich(), &["deny"]);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &[]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let files = files(&package(out.path()));
    let findings = findings(&files);
    assert!(!findings.is_empty());
    let controls = controls();
    for (check, status, _, message) in &findings {
        // Which vendors there are, and whether access was reviewed, is the user's to say: that there are none is known
        // without AWS.
        let expected = match controls.checks[check].resource {
            auditpack::resource::Kind::Vendor => "not-applicable",
            auditpack::resource::Kind::AccessReview if check == "access-review-recent" => "fail",
            auditpack::resource::Kind::AccessReview => "not-applicable",
            _ => "unknown",
        };
        assert_eq!(status, expected, "{check}: {message}");
        assert!(!message.is_empty());
    }
    let judged: BTreeSet<&str> = findings.iter().map(|f| f.0.as_str()).collect();
    assert_eq!(judged, controls.checks.keys().map(String::as_str).collect());
    let manifest = json(&files, "manifest.json");
    let gaps = manifest["gaps"].as_array().unwrap();
    assert!(gaps.len() >= 20, "{gaps:#?}");
    for gap in gaps {
        assert!(gap["reason"].as_str().is_some_and(|reason| reason.contains("AccessDenied")), "{gap}");
    }
    assert_eq!(server.stats().requests, manifest["calls"].as_array().unwrap().len() as u64 + 1);
}

/// Takes each operation away in turn. What rests on it must become unknown; nothing may become a pass, and nothing
/// that passed before by itself may fail.
#[test]
fn a_denied_operation_leaves_no_pass_that_rests_on_it() {
    let whole = {
        let server = server(Account::clean(), &[]);
        let out = tempdir().unwrap();
        collect(&server, out.path(), &[]);
        findings(&files(&package(out.path())))
    };
    // An account that does not say its name is still the same one.
    let named = |resource: String| {
        if resource.starts_with("arn:") { resource } else { resource.replace("unknown account", "111122223333") }
    };
    let before: BTreeMap<(String, String), String> =
        whole.into_iter().map(|(check, status, resource, _)| ((check, named(resource)), status)).collect();
    let controls = controls();
    let optional = [
        // Only asked where the authorization details leave a policy out, or where there is a provider or pack.
        Op::IamGetPolicy,
        Op::IamGetPolicyVersion,
        Op::IamGetOpenIdConnectProvider,
        // Only asked where events come from a trail's log files.
        Op::CloudTrailListPublicKeys,
        // Only asked where a Config rule found something or changed its mind: tests/config_history.rs denies them.
        Op::ConfigGetResourceConfigHistory,
        Op::ConfigDescribeRemediationConfigurations,
    ];
    let queue: Mutex<Vec<Operation>> = Mutex::new(Operation::ALL.to_vec());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(denied) = { queue.lock().unwrap().pop() } {
                    let rule = format!("deny:{}:{}", denied.service().prefix(), denied.name());
                    let server = server(Account::clean(), &[&rule]);
                    let out = tempdir().unwrap();
                    let ran = collect(&server, out.path(), &[]);
                    if optional.contains(&denied) && ran.code == 0 {
                        continue;
                    }
                    assert_eq!(ran.code, 3, "{denied}: {}\n{}", ran.stdout, ran.stderr);
                    let files = files(&package(out.path()));
                    let text = serde_json::to_string(&json(&files, "manifest.json")["gaps"]).unwrap();
                    assert!(text.contains("AccessDenied") && text.contains(denied.name()), "{denied}: {text}");
                    for (check, status, resource, message) in findings(&files) {
                        let was = before.get(&(check.clone(), named(resource.clone()))).map_or("", String::as_str);
                        match status.as_str() {
                            "unknown" => assert!(!message.is_empty()),
                            // Losing an answer may not turn into another answer.
                            "pass" | "not-applicable" => assert_eq!(status, was, "{denied}: {check} {resource}: {message}"),
                            "fail" => assert_eq!(was, "fail", "{denied}: {check} {resource}: {message}"),
                            other => panic!("{other}"),
                        }
                        let fields = controls.checks[&check].fields();
                        if status == "pass" {
                            let rests = fields.flat_map(|field| field.calls).any(|call| *call == denied);
                            assert!(!rests || denied.scope().is_per_resource() || denied == Op::AccountListRegions,
                                "{denied}: {check} passes for {resource}, though it reads a field that this call supplies");
                        }
                    }
                }
            });
        }
    });
}

#[test]
fn throttling_in_all_its_shapes_changes_nothing_but_the_log() {
    let undisturbed = {
        let server = server(Account::clean(), &[]);
        let out = tempdir().unwrap();
        collect(&server, out.path(), &[]);
        findings(&files(&package(out.path())))
    };
    let faults = [
        "throttle429:cloudtrail:*:times=2",
        "throttle400:iam:*:every=5",
        "throttle503:config:*:every=7",
        "throttle400:sts:*:times=1",
        "error500:iam:ListRoles:nth=1",
        "cut:config:*:nth=3",
        "reset:iam:GetAccountAuthorizationDetails:nth=1",
        "truncate:iam:GetAccountSummary:nth=1",
        "truncate:config:DescribeConfigRules:nth=1",
        "empty-page:cloudtrail:LookupEvents:nth=1",
    ];
    let server = server(Account::clean(), &faults);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &[]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let files = files(&package(out.path()));
    assert_eq!(findings(&files), undisturbed);
    let log = String::from_utf8(files["raw/calls.jsonl"].clone()).unwrap();
    assert!(log.lines().any(|line| line.contains("\"attempt\":2")), "the attempts are in the log");
    assert!(log.contains("the connection was cut"), "{log}");
}

/// An answer that never comes whole is a gap, whatever breaks it, and the SDK's own reader does not hide it.
#[test]
fn an_answer_that_never_comes_whole_is_a_gap() {
    let kinds = ["truncate", "cut", "reset", "error500", "wrong-types"];
    let operations =
        ["iam:GetAccountAuthorizationDetails", "iam:ListRoles", "config:DescribeConfigRules", "account:ListRegions"];
    for kind in kinds {
        let faults: Vec<String> = operations.iter().map(|operation| format!("{kind}:{operation}")).collect();
        let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
        let server = server(Account::clean(), &faults);
        let out = tempdir().unwrap();
        let ran = collect(&server, out.path(), &[]);
        assert_eq!(ran.code, 3, "{kind}: {}\n{}", ran.stdout, ran.stderr);
        let files = files(&package(out.path()));
        let gaps = serde_json::to_string(&json(&files, "manifest.json")["gaps"]).unwrap();
        for operation in operations {
            assert!(gaps.contains(operation.split_once(':').unwrap().1), "{kind} {operation}: {gaps}");
        }
        let users: Vec<_> = findings(&files).into_iter().filter(|f| f.0 == "role-not-stale").collect();
        assert!(users.iter().all(|f| f.1 == "unknown"), "{kind}: {users:#?}");
    }
}

#[test]
fn a_page_that_is_denied_leaves_the_rows_before_it_and_no_whole_population() {
    let server = server(Account::rich(), &["deny:iam:GetAccountAuthorizationDetails:after=1"]);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--fail-on", "none"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let files = files(&package(out.path()));
    let manifest = json(&files, "manifest.json");
    let gap =
        manifest["gaps"].as_array().unwrap().iter().find(|g| g.to_string().contains("AuthorizationDetails")).cloned();
    assert!(gap.is_some_and(|gap| gap.to_string().contains("AccessDenied")), "{manifest}");
    assert!(files.contains_key("evidence/iam/get-account-authorization-details.json"), "what came is kept");
    for check in ["role-not-stale", "policy-no-admin-statement", "group-no-inline-policies"] {
        let unknown = findings(&files).into_iter().any(|f| f.0 == check && f.1 == "unknown");
        assert!(unknown, "{check} must say that there may be more");
    }
}

#[test]
fn credentials_that_expire_half_way_never_give_a_pass_for_what_came_after() {
    let server = server(Account::clean(), &["expired-token:*:*:after=6"]);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &[]);
    assert_eq!(ran.code, 3, "{}\n{}", ran.stdout, ran.stderr);
    let files = files(&package(out.path()));
    let gaps = json(&files, "manifest.json")["gaps"].to_string();
    assert!(gaps.contains("ExpiredToken") && gaps.contains("renew"), "{gaps}");
    let manifest = json(&files, "manifest.json");
    let calls = manifest["calls"].as_array().unwrap();
    let answered: BTreeSet<&str> = calls
        .iter()
        .filter(|call| ["collected", "absent"].contains(&call["outcome"].as_str().unwrap()))
        .map(|call| call["operation"].as_str().unwrap())
        .collect();
    assert!(answered.len() <= 6, "more was answered than the credentials were good for: {answered:?}");
    let controls = controls();
    for (check, _, resource, _) in findings(&files).iter().filter(|f| f.1 == "pass") {
        let silent: Vec<String> = controls.checks[check]
            .fields()
            .flat_map(|field| field.calls)
            .map(ToString::to_string)
            // Needed only for policies that the authorization details leave out.
            .filter(|call| !["iam:GetPolicy", "iam:GetPolicyVersion"].contains(&call.as_str()))
            .filter(|call| !answered.contains(call.as_str()))
            .collect();
        assert!(silent.is_empty(), "{check} passes for {resource} without an answer to {silent:?}");
    }
}

#[test]
fn the_replay_of_a_run_gives_the_same_bytes() {
    let server =
        server(Account::rich(), &["throttle400:iam:*:every=4", "deny:iam:ListSAMLProviders", "cut:config:*:every=9"]);
    let out = tempdir().unwrap();
    collect(&server, out.path(), &[]);
    let first = package(out.path());
    let again = tempdir().unwrap();
    let requests = server.stats().requests;
    let ran = run(auditpack()
        .current_dir(again.path())
        .arg("collect")
        .arg("--replay")
        .arg(&first)
        .arg("--out")
        .arg(again.path()));
    assert!([1, 3].contains(&ran.code), "{}", ran.stderr);
    assert_eq!(server.stats().requests, requests, "a replay asks nobody");
    assert!(std::fs::read(&first).unwrap() == std::fs::read(package(again.path())).unwrap(), "the packages differ");
}

#[test]
fn no_credentials_give_one_message_with_the_remedy_and_exit_4() {
    let out = tempdir().unwrap();
    let ran = run(auditpack().current_dir(out.path()).args(["collect", "--out"]).arg(out.path()));
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("no usable AWS credentials") && ran.stderr.contains("AWS_PROFILE"), "{}", ran.stderr);
    assert_eq!(ran.stderr.trim().lines().count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn another_account_is_refused_before_a_further_call() {
    let server = server(Account::clean(), &[]);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--expect-account", "444455556666"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("111122223333") && ran.stderr.contains("444455556666"), "{}", ran.stderr);
    assert_eq!(server.stats().requests, 1);
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn a_role_is_assumed_and_its_secrets_are_written_nowhere() {
    let server = server(Account::clean(), &[]);
    let out = tempdir().unwrap();
    let role = "arn:aws:iam::111122223333:role/AuditpackReader";
    let mfa = "arn:aws:iam::111122223333:mfa/ada";
    let ran = collect(
        &server,
        out.path(),
        &["--role-arn", role, "--mfa-serial", mfa, "--mfa-code", "123456", "--external-id", "abc", "--keep-work"],
    );
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(server.stats().requests_to("sts", "AssumeRole") >= 1);
    for file in walk(out.path()) {
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("AssumeRoleResponse") && !text.contains("123456"), "{}", file.display());
        assert!(!text.contains("Signature="), "{}", file.display());
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_anything_is_asked() {
    let server = server(Account::clean(), &[]);
    let out = tempdir().unwrap();
    let target = out.path().join("there.zip");
    std::fs::write(&target, "mine").unwrap();
    let mut command = auditpack();
    with_credentials(&mut command)
        .args(["collect", "--quiet", "--endpoint-url", &server.endpoint(), "--out"])
        .arg(&target);
    let ran = run(&mut command);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!(server.stats().requests, 0);
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "mine");
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}
