//! What AWS and networks do wrong: each leaves a package whose gaps say so, or a state that can be resumed.

mod common;

use common::{AS_OF, auditpack, collect, files, findings, json, package, run, server, with_credentials};
use synthetic_aws::Account;
use tempfile::tempdir;

/// Every kind of failure that lasts, on calls of all three protocols.
#[test]
fn a_failure_that_lasts_is_a_gap_with_its_reason_and_the_work_folder_is_kept_where_it_may_pass() {
    let operations = ["iam:ListRoles", "config:DescribeConfigRules", "cloudtrail:LookupEvents:us-east-1"];
    // The fault, words of the reason, and whether a later attempt may go better.
    let cases = [
        ("stall", "no complete answer came within 2 seconds", true),
        ("hang", "no complete answer came within 2 seconds", true),
        ("cut", "the connection was cut", true),
        ("reset", "the connection was cut", true),
        ("truncate", "", true),
        ("drip=400", "no complete answer came within 2 seconds", true),
        ("throttle429", "throttled", true),
        ("throttle503", "throttled", true),
        ("error503", "unavailable: ", true),
        ("error500", "", true),
        ("skew", "clock", true),
        ("too-skewed", "clock", true),
        ("expired-token", "renew them", true),
        ("region-disabled", "not accepted", false),
        ("opt-in-required", "not enabled", false),
    ];
    std::thread::scope(|scope| {
        for (kind, words, may_pass) in cases {
            scope.spawn(move || {
                let faults: Vec<String> = operations.iter().map(|operation| format!("{kind}:{operation}")).collect();
                let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
                let server = server(Account::clean(), &faults);
                let out = tempdir().unwrap();
                // A busy machine takes its time; only where nothing comes is it waited for.
                let timeout = if words.contains("within 2 seconds") { "2" } else { "60" };
                let ran = collect(&server, out.path(), &["--timeout", timeout, "--fail-on", "none"]);
                assert_eq!(ran.code, 3, "{kind}: {}\n{}", ran.stdout, ran.stderr);
                let files = files(&package(out.path()));
                let gaps = json(&files, "manifest.json")["gaps"].as_array().unwrap().clone();
                for operation in operations {
                    let name = operation.split(':').nth(1).unwrap();
                    let gap = gaps.iter().find(|gap| gap["place"].as_str().unwrap().contains(name));
                    let reason = gap.map(|gap| gap["reason"].as_str().unwrap()).unwrap_or_default();
                    assert!(!reason.is_empty() && reason.contains(words), "{kind} {operation}: {reason}");
                }
                for (check, status, _, message) in findings(&files) {
                    if check == "root-no-events" || check == "role-session-duration" {
                        assert_ne!(status, "pass", "{kind}: {check}: {message}");
                    }
                }
                let kept = std::fs::read_dir(out.path()).unwrap().count() == 2;
                assert_eq!(kept, may_pass, "{kind}: {:?}", gaps);
            });
        }
    });
}

#[test]
fn what_passes_in_time_leaves_no_gap() {
    let faults = [
        "error503:*:*:every=6",
        "drip=5:iam:GetAccountAuthorizationDetails",
        "stall:config:DescribeConfigRules:nth=1",
        "hang:iam:ListRoles:nth=1",
        "date=-900:sts",
        "skew:iam:GetAccountSummary:nth=1",
        "too-skewed:config:DescribeConformancePacks:nth=1",
    ];
    let server = server(Account::clean(), &faults);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--timeout", "2"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1, "nothing is kept but the package");
}

#[test]
fn a_gap_that_may_pass_is_closed_by_resuming() {
    let server = server(Account::clean(), &["cut:iam:ListRoles", "truncate:config:DescribeConfigRules"]);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &[]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let work = std::fs::read_dir(out.path()).unwrap().map(|e| e.unwrap().path()).find(|path| path.is_dir()).unwrap();
    server.clear_faults();
    let before = server.stats();
    let mut command = auditpack();
    with_credentials(&mut command)
        .args(["collect", "--quiet", "--force", "--endpoint-url", &server.endpoint(), "--out"])
        .arg(out.path())
        .arg("--resume")
        .arg(&work);
    let ran = run(&mut command);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(json(&files(&package(out.path())), "manifest.json")["gaps"].as_array().map(Vec::len), Some(0));
    // What was answered is not asked again: only who is asking, at the start, and what had failed.
    let after = server.stats();
    for operation in ["GetAccountAuthorizationDetails", "GetAccountSummary", "ListAccountAliases"] {
        assert_eq!(after.requests_to("iam", operation), before.requests_to("iam", operation), "{operation}");
    }
    assert_eq!(after.requests_to("cloudtrail", "LookupEvents"), before.requests_to("cloudtrail", "LookupEvents"));
}

#[test]
fn nobody_at_the_address_is_one_error_with_its_cause_and_exit_4() {
    let out = tempdir().unwrap();
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = auditpack();
    with_credentials(&mut command)
        .args(["collect", "--quiet", "--as-of", AS_OF, "--timeout", "2", "--endpoint-url"])
        .arg(format!("http://{free}"))
        .arg("--out")
        .arg(out.path());
    let ran = run(&mut command);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("no connection"), "{}", ran.stderr);
    assert_eq!(ran.stderr.trim().lines().count(), 1, "{}", ran.stderr);
}

#[test]
#[cfg(unix)]
fn a_target_that_cannot_be_written_is_told_before_anything_is_asked() {
    let server = server(Account::clean(), &[]);
    let mut command = auditpack();
    // /proc takes no files from anybody, not even from root, as whom tests may run.
    with_credentials(&mut command).args([
        "collect",
        "--quiet",
        "--endpoint-url",
        &server.endpoint(),
        "--out",
        "/proc/package.zip",
    ]);
    let ran = run(&mut command);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("/proc"), "{}", ran.stderr);
    assert_eq!(server.stats().requests, 0);
}

#[test]
fn pages_with_nothing_on_them_and_a_token_are_followed_to_an_end() {
    let operations = ["cloudtrail:LookupEvents:us-east-1", "config:DescribeConfigRules:us-east-1"];
    let faults = operations.map(|operation| format!("empty-page:{operation}"));
    let server = server(Account::clean(), &faults.each_ref().map(String::as_str));
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--no-pacing", "--fail-on", "none"]);
    assert_eq!(ran.code, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert!(server.stats().requests_to("cloudtrail", "LookupEvents") < 500, "it is given up");
    let gaps = json(&files(&package(out.path())), "manifest.json")["gaps"].as_array().unwrap().clone();
    for operation in operations {
        let name = operation.split(':').nth(1).unwrap();
        let gap = gaps.iter().find(|gap| gap["place"].as_str().unwrap().contains(name)).unwrap();
        assert!(gap["reason"].as_str().unwrap().contains("nothing on them"), "{gap}");
    }
}

#[test]
fn pages_that_lead_to_each_other_are_given_up() {
    let mut account = Account::clean();
    account.pages = synthetic_aws::PageSizes::uniform(2);
    let operations = [
        "iam:ListRoles",
        "iam:GetAccountAuthorizationDetails",
        "cloudtrail:LookupEvents:us-east-1",
        "config:DescribeConfigRules",
    ];
    let faults = operations.map(|operation| format!("loop-pages:{operation}"));
    let server = server(account, &faults.each_ref().map(String::as_str));
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--no-pacing", "--fail-on", "none", "--deadline", "1"]);
    assert_eq!(ran.code, 3, "{}\n{}", ran.stdout, ran.stderr);
    let gaps = json(&files(&package(out.path())), "manifest.json")["gaps"].as_array().unwrap().clone();
    for operation in operations {
        let name = operation.split(':').nth(1).unwrap();
        let gap = gaps.iter().find(|gap| gap["place"].as_str().unwrap().contains(name)).unwrap();
        assert!(gap["reason"].as_str().unwrap().contains("again"), "{gap}");
    }
}

/// A list that ends too early looks whole: only another source shows that it is not.
#[test]
fn a_list_that_says_too_early_that_it_ends_does_not_agree_with_other_sources() {
    // What is cut short, what is counted differently for it, and a check that may not pass everywhere.
    let cases = [
        ("iam:ListRoles", "iam.role", "role-session-length"),
        ("iam:GetAccountAuthorizationDetails", "iam.role", ""),
        ("config:DescribeConfigRules", "config.rule", ""),
    ];
    std::thread::scope(|scope| {
        for (operation, population, check) in cases {
            scope.spawn(move || {
                let mut account = Account::clean();
                account.pages = synthetic_aws::PageSizes::uniform(2);
                let server = server(account, &[&format!("last-page:{operation}")]);
                let out = tempdir().unwrap();
                let ran = collect(&server, out.path(), &["--fail-on", "none", "--no-pacing"]);
                assert_eq!(ran.code, 3, "{operation}: {}\n{}", ran.stdout, ran.stderr);
                assert!(ran.stdout.contains("differ ("), "{operation}: {}", ran.stdout);
                let files = files(&package(out.path()));
                let manifest = json(&files, "manifest.json");
                let all = manifest["reconciliation"].as_array().unwrap();
                let of = all.iter().find(|of| of["population"] == population).unwrap();
                assert_eq!(of["agrees"], false, "{of}");
                assert!(of["differences"].to_string().contains("nothing collected explains it"), "{of}");
                let page = String::from_utf8_lossy(&files["report.html"]);
                assert!(page.contains("do not bear each other out") && page.contains("not explained"), "{operation}");
                let unknown = findings(&files).iter().any(|f| f.0 == check && f.1 == "unknown");
                assert!(check.is_empty() || unknown, "{operation}: {check}");
            });
        }
    });
}

#[test]
fn denied_half_way_through_the_pages_is_no_shorter_list() {
    let mut account = Account::clean();
    account.pages = synthetic_aws::PageSizes::uniform(2);
    let faults = ["deny:iam:ListRoles:*:after=1", "deny:config:DescribeConfigRules:us-east-1:after=1"];
    let server = server(account, &faults);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--fail-on", "none", "--no-pacing"]);
    assert_eq!(ran.code, 3, "{}\n{}", ran.stdout, ran.stderr);
    let files = files(&package(out.path()));
    let gaps = json(&files, "manifest.json")["gaps"].to_string();
    assert!(gaps.contains("ListRoles") && gaps.contains("DescribeConfigRules"), "{gaps}");
    // What depends on the lists that were cut off is unknown for at least one resource.
    for check in ["role-session-length", "config-rule-evaluated"] {
        assert!(findings(&files).iter().any(|f| f.0 == check && f.1 == "unknown"), "{check}");
    }
}
