use super::*;
use crate::evidence::cloudtrail::{DescribeTrails, LookupEvents, TrailStatus};
use crate::evidence::config::ComplianceDetails;
use crate::evidence::credential_report::CredentialReport;
use crate::evidence::iam::{AccountSummary, AuthorizationDetails, GetAccountPasswordPolicy, ListRoles};
use crate::evidence::{CallId, Document, Period, Timestamp};
use std::fs;

const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";
const TRAILS: &str = r#"{"trailList": [{"Name": "main", "HomeRegion": "eu-west-1", "IsMultiRegionTrail": true,
    "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}]}"#;
const DETAILS: &str = r#"{"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [{"RoleName": "r",
    "Arn": "arn:aws:iam::111122223333:role/r", "AssumeRolePolicyDocument": "%7B%22Statement%22%3A%5B%5D%7D"}], "Policies": []}"#;
const SUMMARY: &str = r#"{"SummaryMap": {"Users": 1}}"#;

/// A folder of files, and the folder for events, which must outlive the evidence.
struct Files {
    dir: tempfile::TempDir,
    scratch: tempfile::TempDir,
}

impl Files {
    fn of(files: &[(&str, &str)]) -> Self {
        let files: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
        Self::of_bytes(&files)
    }

    fn of_bytes(files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        Self { dir, scratch: tempfile::tempdir().unwrap() }
    }

    fn read(&self) -> Evidence {
        self.read_as(run())
    }

    fn read_as(&self, run: Run) -> Evidence {
        read(self.dir.path(), run, self.scratch.path()).unwrap()
    }
}

fn run() -> Run {
    let time = |text| Timestamp::parse(text).unwrap();
    Run {
        format: Run::FORMAT,
        version: "0".into(),
        as_of: time("2026-10-01T00:00:00Z"),
        period: Period { from: time("2026-07-03T00:00:00Z"), to: time("2026-10-01T00:00:00Z") },
        regions: None,
        home_region: "us-east-1".into(),
        frameworks: vec![],
        operations: Operation::ALL.iter().map(ToString::to_string).collect(),
        events: Default::default(),
        slicing: Default::default(),
        config_history: Run::CONFIG_HISTORY,
    }
}

fn reason<D: Document>(outcome: &Outcome<&D>) -> String {
    outcome.gap().map(|gap| gap.to_string()).unwrap_or_default()
}

fn incomplete_notes(evidence: &Evidence) -> Vec<&str> {
    evidence.notes.iter().filter(|note| note.incomplete).map(|note| note.text.as_str()).collect()
}

#[test]
fn the_same_files_are_the_same_evidence_wherever_they_lie() {
    let event = r#"{"eventID":"e","eventTime":"2026-09-01T00:00:00Z","awsRegion":"eu-west-1"}"#;
    for layout in [
        [
            "evidence/iam/get-account-authorization-details.json",
            "evidence/eu-west-1/cloudtrail/describe-trails.json",
            "evidence/eu-west-1/cloudtrail/main/get-trail-status.json",
            "evidence/eu-west-1/cloudtrail/events.jsonl",
        ],
        ["account-authorization-details.json", "describe-trails.json", "get-trail-status-main.json", "events.jsonl"],
        ["a.json", "eu-west-1-trails.json", "status.json", "eu-west-1/x.jsonl"],
    ] {
        let [details, trails, status, events] = layout;
        let files =
            Files::of(&[(details, DETAILS), (trails, TRAILS), (status, r#"{"IsLogging": true}"#), (events, event)]);
        let evidence = files.read();
        let details = evidence.global::<AuthorizationDetails>();
        let roles = &details.collected().unwrap().role_detail_list;
        assert_eq!(
            roles[0].assume_role_policy_document.as_ref().unwrap().as_str(),
            r#"{"Statement":[]}"#,
            "{layout:?}"
        );
        assert!(evidence.regional::<DescribeTrails>("eu-west-1").collected().is_some(), "{layout:?}");
        let status = CallId::regional(Operation::CloudTrailGetTrailStatus, "eu-west-1").about(TRAIL);
        assert!(evidence.get::<TrailStatus>(&status).collected().is_some(), "{layout:?}");
        let lookup = evidence.regional::<LookupEvents>("eu-west-1");
        assert_eq!(fs::read_to_string(&lookup.collected().unwrap().file).unwrap(), format!("{event}\n"));
        assert_eq!(evidence.account.as_deref(), Some("111122223333"));
        assert!(evidence.regions.contains("eu-west-1") && evidence.regions.len() == 1, "{:?}", evidence.regions);
        assert_eq!(incomplete_notes(&evidence), Vec::<&str>::new());
    }
}

#[test]
fn what_is_not_there_is_missing_call_by_call() {
    let evidence = Files::of(&[("x/describe-trails.json", TRAILS)]).read();
    let summary = evidence.global::<AccountSummary>();
    assert_eq!(reason(&summary), "not collected: not among the files: looked for iam/get-account-summary.json");
    for (operation, region, resource) in [
        (Operation::CloudTrailGetTrailStatus, "eu-west-1", Some(TRAIL)),
        (Operation::CloudTrailGetEventSelectors, "eu-west-1", Some(TRAIL)),
        (Operation::CloudTrailLookupEvents, "eu-west-1", None),
        (Operation::ConfigDescribeConfigRules, "eu-west-1", None),
    ] {
        let call = CallId { operation, region: Some(region.into()), resource: resource.map(str::to_owned) };
        assert!(evidence.calls().any(|(c, o)| *c == call && o.gap().is_some()), "{call}");
    }
    let evidence = Files::of(&[("get-account-summary.json", SUMMARY)]).read();
    assert!(evidence.regional::<DescribeTrails>("us-east-1").gap().is_some(), "no Region is known: the configured one");
    assert!(evidence.calls_of(Operation::CloudTrailDescribeTrails).next().is_some());
}

#[test]
fn errors_of_the_cli_are_outcomes() {
    let policy = |name: &str, text: &str| {
        let files = Files::of(&[(name, text), ("s.json", SUMMARY)]);
        files.read().global::<GetAccountPasswordPolicy>().map(|_| ()).word()
    };
    let said =
        |code: &str| format!("\nAn error occurred ({code}) when calling the GetAccountPasswordPolicy operation: x\n");
    assert_eq!(policy("get-account-password-policy.json", &said("NoSuchEntity")), "absent");
    assert_eq!(policy("whatever.txt", &said("AccessDenied")), "denied");
    assert_eq!(policy("iam/get-account-password-policy.error.json", r#"{"Code": "AccessDenied"}"#), "denied");
    assert_eq!(policy("account-password-policy.err", &said("Throttling")), "failed");
    assert_eq!(policy("get-account-password-policy.json", "Unable to locate credentials."), "failed");
    assert_eq!(policy("get-account-password-policy.json", ""), "failed");
    assert_eq!(policy("get-account-password-policy.json", r#"{"PasswordPolicy": {"MinimumPasswordLen"#), "failed");
}

#[test]
fn a_part_of_an_answer_is_never_the_whole() {
    for (text, why) in [
        (r#"{"Roles": [{"RoleName": "a"}], "IsTruncated": true, "Marker": "m"}"#, "one page"),
        (r#"{"Roles": [{"RoleName": "a"}], "NextToken": "m"}"#, "one page"),
        (r#"{"Roles": [{"RoleName": "a"}], "Marker": "m"}"#, "one page"),
    ] {
        let evidence = Files::of(&[("list-roles.json", text)]).read();
        let roles = evidence.global::<ListRoles>();
        assert!(reason(&roles).contains(why), "{text}: {}", reason(&roles));
        assert_eq!(roles.arrived().unwrap().roles.len(), 1);
    }
    let whole = r#"{"Roles": [], "IsTruncated": false, "Marker": "m", "NextToken": null}"#;
    assert!(Files::of(&[("list-roles.json", whole)]).read().global::<ListRoles>().collected().is_some());
    let part = Files::of(&[("get-account-authorization-details.json", r#"{"UserDetailList": []}"#)]).read();
    let details = part.global::<AuthorizationDetails>();
    assert!(reason(&details).contains("no GroupDetailList, no RoleDetailList, no Policies"), "{}", reason(&details));
    let records = r#"[{"eventID":"e","eventTime":"2026-09-01T00:00:00Z"}]"#;
    let some = Files::of(&[("eu-west-1/attack.json", records)]);
    let evidence = some.read();
    let events = evidence.regional::<LookupEvents>("eu-west-1");
    assert!(events.collected().is_none() && events.arrived().is_some_and(|events| events.coverage.events == 1));
}

#[test]
fn files_that_are_of_no_use_do_no_harm() {
    let evidence = Files::of(&[
        ("get-account-summary.json", SUMMARY),
        ("list-users.json", r#"{"Users": []}"#),
        ("list-mfa-devices/ann.json", r#"{"MFADevices": []}"#),
        ("notes.md", "# notes"),
        ("regions.json", r#"{"Regions": [{"RegionName": "eu-west-1", "OptInStatus": "opted-in"}]}"#),
        ("policy.json", r#"{"Version": "2012-10-17"}"#),
    ])
    .read();
    assert!(evidence.global::<AccountSummary>().collected().is_some());
    let strangers: Vec<&str> = evidence.notes.iter().map(|note| note.place.as_str()).collect();
    assert_eq!(strangers, ["list-mfa-devices/ann.json", "list-users.json", "notes.md", "policy.json", "regions.json"]);
    assert_eq!(incomplete_notes(&evidence), Vec::<&str>::new());
    let nothing = Files::of(&[("notes.md", "# notes")]);
    assert!(matches!(read(nothing.dir.path(), run(), nothing.scratch.path()), Err(FolderError::Nothing(_))));
}

#[test]
fn contradicting_files_are_not_chosen_between_in_silence() {
    let evidence =
        Files::of(&[("a/get-account-summary.json", SUMMARY), ("b/get-account-summary.json", SUMMARY)]).read();
    assert_eq!(
        incomplete_notes(&evidence),
        ["it answers iam:GetAccountSummary, as a/get-account-summary.json does, and was not used"]
    );
    let other = DETAILS.replace("111122223333", "444455556666");
    let evidence =
        Files::of(&[("get-account-authorization-details.json", &other), ("describe-trails.json", TRAILS)]).read();
    assert!(incomplete_notes(&evidence).concat().contains("several accounts: 111122223333 (cloudtrail:DescribeTrails"));
}

#[test]
fn the_credential_report_with_its_time_is_preferred_to_its_csv() {
    use base64::Engine as _;
    let header = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";
    let csv = format!(
        "{header}\n<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,N/A,not_supported,not_supported,true{}",
        ",N/A".repeat(14)
    );
    let content = base64::engine::general_purpose::STANDARD.encode(&csv);
    let json = format!(
        r#"{{"Content": "{content}", "ReportFormat": "text/csv", "GeneratedTime": "2026-09-30T00:00:00+00:00"}}"#
    );
    let evidence = Files::of(&[("credential-report.csv", &csv), ("get-credential-report.json", &json)]).read();
    let report = evidence.global::<CredentialReport>();
    assert!(report.collected().is_some_and(|report| report.generated.is_some()));
    assert_eq!(incomplete_notes(&evidence), Vec::<&str>::new());
}

#[test]
fn rules_are_told_by_content_folder_or_not_at_all() {
    let rules = r#"{"ConfigRules": [{"ConfigRuleName": "a rule", "ConfigRuleArn": "arn:aws:config:eu-west-1:111122223333:config-rule/x"}, {"ConfigRuleName": "b"}]}"#;
    let inside = r#"{"EvaluationResults": [{"EvaluationResultIdentifier": {"EvaluationResultQualifier": {"ConfigRuleName": "b"}}}]}"#;
    let none = r#"{"EvaluationResults": []}"#;
    let evidence = Files::of(&[
        ("describe-config-rules.json", rules),
        ("details-of-b.json", inside),
        ("a%20rule/get-compliance-details-by-config-rule.json", none),
        ("which/get-compliance-details-by-config-rule.json", none),
    ])
    .read();
    for rule in ["a rule", "b"] {
        let call = CallId::regional(Operation::ConfigGetComplianceDetailsByConfigRule, "eu-west-1").about(rule);
        assert!(evidence.get::<ComplianceDetails>(&call).collected().is_some(), "{rule}");
    }
    assert_eq!(incomplete_notes(&evidence), ["it does not say which resource it is about"]);
}

#[test]
fn regions_that_were_not_asked_for_are_left_out() {
    let files = Files::of(&[("eu-west-1/describe-trails.json", TRAILS), ("us-east-1/describe-trails.json", TRAILS)]);
    let evidence = files.read_as(Run { regions: Some(vec!["us-east-1".into(), "eu-north-1".into()]), ..run() });
    let regions: Vec<_> = evidence
        .calls_of(Operation::CloudTrailDescribeTrails)
        .map(|(call, outcome)| (call.region.clone().unwrap(), outcome.word()))
        .collect();
    assert_eq!(regions, [("eu-north-1".into(), "not collected".into()), ("us-east-1".into(), "collected".to_owned())]);
}

#[cfg(unix)]
#[test]
fn links_and_devices_are_not_followed() {
    let files = Files::of(&[("get-account-summary.json", SUMMARY)]);
    let outside = Files::of(&[("list-roles.json", r#"{"Roles": []}"#)]);
    let target = outside.dir.path().join("list-roles.json");
    std::os::unix::fs::symlink(target, files.dir.path().join("list-roles.json")).unwrap();
    std::os::unix::fs::symlink(files.dir.path(), files.dir.path().join("loop")).unwrap();
    let evidence = files.read();
    let roles = evidence.global::<ListRoles>();
    assert!(reason(&roles).contains("symbolic link"), "{}", reason(&roles));
}

#[test]
fn text_of_powershell_is_read() {
    let utf16: Vec<u8> = format!("\u{feff}{SUMMARY}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let event = "\u{feff}{\"eventID\":\"e\",\"eventTime\":\"2026-09-01T00:00:00Z\"}\r\n";
    let events: Vec<u8> = event.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files = Files::of_bytes(&[("get-account-summary.json", &utf16), ("events.jsonl", &events)]);
    let evidence = files.read();
    assert!(evidence.global::<AccountSummary>().collected().is_some());
    assert!(
        evidence.regional::<LookupEvents>("us-east-1").collected().is_some_and(|events| events.coverage.events == 1)
    );
}
