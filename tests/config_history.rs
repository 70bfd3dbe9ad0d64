//! AWS Config over the period: how verdicts changed, for whom that is asked, and what it costs.

mod common;

use common::{collect, files, findings, json, package, server};
use std::collections::BTreeMap;
use synthetic_aws::Account;
use tempfile::tempdir;

/// The rows of the history, each by the names of its columns.
fn history(files: &BTreeMap<String, Vec<u8>>) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(&files["populations/config-verdict-history.csv"][..]);
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn verdicts_are_told_as_intervals_over_the_period_and_only_changes_are_asked_about() {
    let server = server(Account::rich(), &[]);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--fail-on", "none"]);
    let files = files(&package(out.path()));
    let rows = history(&files);
    let failed: Vec<_> = rows.iter().filter(|row| row["verdict"] == "NON_COMPLIANT").collect();
    assert!(!failed.is_empty(), "{}", ran.stderr);
    // What changed in the period began, after the other verdict, which ended at the same time.
    let changed: Vec<_> = failed.iter().filter(|row| row["begins"] == "true").collect();
    assert!(!changed.is_empty());
    for row in &changed {
        let before = rows.iter().find(|other| {
            other["rule"] == row["rule"] && other["resource_id"] == row["resource_id"] && other["to"] == row["from"]
        });
        assert_eq!(before.map(|before| before["verdict"].as_str()), Some("COMPLIANT"), "{row:?}");
        assert!(row["lasts"] == "true" && row["days"].parse::<i64>().unwrap() < 90, "{row:?}");
    }
    // What did not change held from the start of the period on, or longer.
    let steady = failed.iter().find(|row| row["begins"] == "false" && row["from"].starts_with("2026-07-03"));
    assert!(steady.is_some_and(|row| row["days"] == "90" || row["days"] == "89"), "{failed:#?}");
    // One resource is one call of many pages, seven days each; what did not change is not asked about.
    let log = String::from_utf8(files["raw/calls.jsonl"].clone()).unwrap();
    let calls: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_history = calls.iter().filter(|call| call["operation"] == "config:GetResourceConfigHistory");
    let asked: std::collections::BTreeSet<_> = of_history.filter_map(|call| call["resource"].as_str()).collect();
    assert!(!asked.is_empty() && asked.len() < failed.len(), "{} of {}", asked.len(), failed.len());
    assert!(findings(&files).iter().any(|f| f.0 == "config-failure-mended" && f.1 == "fail"));
    let remediated: Vec<_> =
        rows.iter().filter(|row| row["remediation"] == "AWS-EnableVpcFlowLogs (automatic)").collect();
    assert!(!remediated.is_empty() && remediated.iter().all(|row| row["rule"] == "vpc-flow-logs-enabled"));
}

#[test]
fn a_limit_and_a_denied_history_are_gaps() {
    for (more, faults, words) in [
        (&["--config-history", "1"][..], &[][..], "--config-history 1"),
        (&[][..], &["deny:config:GetResourceConfigHistory"][..], "AccessDenied"),
        (&[][..], &["deny:config:SelectResourceConfig"][..], "AccessDenied"),
    ] {
        let server = server(Account::rich(), faults);
        let out = tempdir().unwrap();
        let mut arguments = vec!["--fail-on", "none"];
        arguments.extend(more);
        let ran = collect(&server, out.path(), &arguments);
        assert_eq!(ran.code, 3, "{words}: {}", ran.stderr);
        let files = files(&package(out.path()));
        let unknown = findings(&files).into_iter().find(|f| f.0 == "config-failure-mended" && f.1 == "unknown");
        let message = unknown.map(|f| f.3).unwrap_or_default();
        assert!(message.contains(words), "{words}: {message}");
        if faults.iter().any(|fault| fault.contains("Select")) {
            // Without the bulk query, everything that does not comply is asked about.
            assert!(json(&files, "manifest.json")["gaps"].to_string().contains("SelectResourceConfig"));
        }
    }
}

#[test]
fn a_denied_list_of_remediations_is_a_gap() {
    let server = server(Account::rich(), &["deny:config:DescribeRemediationConfigurations"]);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--fail-on", "none"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let files = files(&package(out.path()));
    assert!(json(&files, "manifest.json")["gaps"].to_string().contains("DescribeRemediationConfigurations"));
    // The last row says why there may be more.
    let rows = history(&files);
    let told: Vec<_> = rows.iter().filter(|row| !row["verdict"].is_empty()).map(|row| &row["remediation"]).collect();
    assert!(!told.is_empty() && told.iter().all(|text| text.starts_with("unknown")), "{told:?}");
}
