//! A quarter of access reviews, played through with the program: opened, filled in, followed up, closed, judged.

mod common;
#[path = "common/review.rs"]
mod reviewing;

use common::{auditpack, run, with_credentials};
use reviewing::{column, fill, opened, recording, review, table, text};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use synthetic_aws::events::{Event, EventStore, Facts};
use synthetic_aws::{Account, BlockingServer, Options};

const LATER: &str = "2026-10-14T09:00:00Z";

/// A package of an account as it is at a time.
fn collected(dir: &Path, name: &str, account: Account, faults: &[&str], more: &[&str]) -> PathBuf {
    let faults = faults.iter().map(|rule| rule.parse().unwrap()).collect();
    let server = BlockingServer::start(account, Options { faults, ..Options::default() }).unwrap();
    let target = dir.join(name);
    let mut command = auditpack();
    with_credentials(&mut command).current_dir(dir).args(["collect", "--quiet", "--as-of", LATER, "--endpoint-url"]);
    let ran = run(command.arg(server.endpoint()).args(more).arg("--out").arg(&target));
    assert!(matches!(ran.code, 0 | 1 | 3), "{}", ran.stderr);
    target
}

/// A change that CloudTrail recorded between opening and closing.
fn happened(account: &mut Account, number: u32, name: &str, parameters: &serde_json::Value) {
    let id = format!("0f0f0f0f-0000-4000-8000-{number:012}");
    let time = format!("2026-10-{:02}T10:00:00Z", 6 + number % 7);
    let record = serde_json::json!({
        "eventVersion": "1.11", "eventID": id, "eventTime": time,
        "eventSource": "iam.amazonaws.com", "eventName": name, "awsRegion": "us-east-1", "readOnly": false,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/rosa.ruiz", "userName": "rosa.ruiz"},
        "requestParameters": parameters,
    });
    let event = Event {
        time: chrono::DateTime::parse_from_rfc3339(&time).unwrap().to_utc(),
        facts: Facts {
            id,
            name: name.to_owned(),
            source: "iam.amazonaws.com".to_owned(),
            username: Some("rosa.ruiz".to_owned()),
            read_only: Some(false),
            ..Facts::default()
        },
        record: record.to_string(),
    };
    let store = account.events.get_mut("us-east-1").unwrap();
    if let EventStore::Listed { events, repeat_every } = store {
        let mut all = events.clone();
        all.push(event);
        *store = EventStore::listed(all, *repeat_every);
    }
}

/// The account two weeks later, with every way in which a decision can be followed up, or not.
fn later_account() -> Account {
    let mut account = Account::rich();
    let iam = &mut account.iam;
    iam.users.retain(|user| !["svc-backup", "peter.popov"].contains(&user.name.as_str()));
    for user in &mut iam.users {
        match user.name.as_str() {
            // Another user of the same name.
            "nils.nielsen" => user.id = "AIDANEWNEWNEWNEWNEWNE".to_owned(),
            // The same user under another name.
            "lee,ann" => {
                user.name = "ann.lee".to_owned();
                user.arn = user.arn.replace("lee,ann", "ann.lee");
            }
            "kofi.kamara" => user.password = None,
            "erik.eriksson" => user.keys = user.keys.clone().map(|key| key.map(|key| deactivated(&key))),
            "maria.moreno" => user.inline.clear(),
            "alice.adams1" => user.groups.push("support".to_owned()),
            "svc-mailer" => user.keys = [None, None],
            "svc-legacy-sftp" => user.attached.clear(),
            _ => {}
        }
    }
    for group in iam.groups.iter_mut().filter(|group| group.name == "contractors") {
        group.attached.clear();
    }
    let read = iam.policies.iter_mut().find(|policy| policy.name == "data-lake-write").unwrap();
    let narrower = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::lake/in/*\"}]}";
    read.versions.iter_mut().for_each(|version| version.document = narrower.into());
    iam.roles.retain(|role| role.name != "poc-2022");
    for role in &mut iam.roles {
        match role.name.as_str() {
            "bastion" => role.id = "AROANEWNEWNEWNEWNEWNE".to_owned(),
            "nightly-admin" => role.attached = vec!["arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()],
            "payroll-sync" => {
                role.trust =
                    role.trust.replace("arn:aws:iam::777788880000:root", "arn:aws:iam::111122223333:root").into();
            }
            _ => {}
        }
    }
    for (number, (name, parameters)) in [
        ("DeleteUser", serde_json::json!({"userName": "svc-backup"})),
        ("DeleteLoginProfile", serde_json::json!({"userName": "kofi.kamara"})),
        ("DeleteUserPolicy", serde_json::json!({"userName": "maria.moreno", "policyName": "reset-passwords"})),
        ("DetachGroupPolicy", serde_json::json!({"groupName": "contractors"})),
        ("DeleteRole", serde_json::json!({"roleName": "poc-2022"})),
        ("UpdateAccessKey", serde_json::json!({"userName": "erik.eriksson", "status": "Inactive"})),
        ("UpdateAssumeRolePolicy", serde_json::json!({"roleName": "payroll-sync"})),
    ]
    .iter()
    .enumerate()
    {
        happened(&mut account, u32::try_from(number).unwrap(), name, parameters);
    }
    account
}

fn deactivated(key: &synthetic_aws::account::iam::AccessKey) -> synthetic_aws::account::iam::AccessKey {
    let mut key = key.clone();
    key.active = false;
    key
}

/// What is decided, and what the later evidence shows of it: sheet, name, decision, outcome, words of the reason.
const DECIDED: &[(&str, &str, &str, &str, &str)] = &[
    ("users", "svc-backup", "remove", "done", "DeleteUser"),
    ("users", "peter.popov", "remove", "done", "when and by whom is not in the events"),
    ("users", "svc-jenkins", "remove", "not done", "still there"),
    ("users", "nils.nielsen", "remove", "not done", "another one of the same name"),
    ("users", "lee,ann", "remove", "not done", "renamed to ann.lee"),
    ("users", "kofi.kamara", "disable", "done", "DeleteLoginProfile"),
    ("users", "wanda.weiss", "disable", "not done", "can still be used"),
    ("users", "maria.moreno", "reduce", "done", "DeleteUserPolicy"),
    ("users", "'=1+1", "reduce", "done", "DetachGroupPolicy"),
    ("users", "svc-etl-nightly", "reduce", "unknown", "rewritten"),
    ("users", "alice.adams1", "reduce", "not done", "more access"),
    ("users", "victor.vance", "reduce", "not done", "what it was"),
    ("roles", "poc-2022", "remove", "done", "DeleteRole"),
    ("roles", "bastion", "remove", "not done", "another one of the same name"),
    ("roles", "nightly-admin", "reduce", "unknown", "taken away and added"),
    ("access-keys", "erik.eriksson, key 1", "disable", "done", "UpdateAccessKey"),
    ("access-keys", "svc-jenkins, key 1", "disable", "not done", "still"),
    ("access-keys", "svc-inactive, key 1", "remove", "not done", "inactive, but still there"),
    ("access-keys", "svc-mailer, key 1", "remove", "unknown", "need not list inactive ones"),
    ("access-keys", "peter.popov, key 1", "remove", "done", "its user is not there"),
    ("external-principals", "account 777788880000", "remove", "done", "UpdateAssumeRolePolicy"),
    ("external-principals", "account 222233334444", "remove", "not done", "still there"),
    ("privileged-access", "svc-legacy-sftp", "remove", "done", "not privileged any more"),
    ("privileged-access", "chain-admin", "remove", "not done", "still privileged"),
];

/// closure.csv by sheet and name: follow-up and reason with all other columns.
fn closure(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<(String, String), (String, String)> {
    let text = std::str::from_utf8(&files["review/closure.csv"]).unwrap().trim_start_matches('\u{feff}');
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    let (sheet, name, outcome) = (at("sheet"), at("name"), at("follow_up"));
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let all = record.iter().collect::<Vec<_>>().join(" | ");
            ((record[sheet].replace(' ', "-"), record[name].to_owned()), (record[outcome].to_owned(), all))
        })
        .collect()
}

fn status_of(files: &BTreeMap<String, Vec<u8>>, check: &str) -> Option<String> {
    common::findings(files).into_iter().find(|finding| finding.0 == check).map(|finding| finding.1)
}

fn decide(sheet: &str, name: &str) -> Option<&'static str> {
    DECIDED.iter().find(|of| of.0 == sheet && of.1 == name).map(|of| of.2)
}

#[test]
fn a_quarter_is_opened_decided_followed_up_closed_judged_and_read_by_the_next_one() {
    let (dir, q1) = opened(&[]);
    let status = review(&["status", text(&q1), "--as-of", "2026-10-06"]);
    assert_eq!(status.code, 3, "{}", status.stdout);
    assert!(status.stdout.contains("in 25 days"), "{}", status.stdout);
    fill(&q1, decide);
    let status = review(&["status", text(&q1), "--as-of", "2026-10-06"]);
    assert!(status.stdout.contains("acknowledged"), "{}", status.stdout);
    let later = collected(dir.path(), "later.zip", later_account(), &[], &["--events", "write"]);
    let record = dir.path().join("record.zip");
    let ran = review(&["close", text(&q1), "--with", text(&later), "--out", text(&record)]);
    assert_eq!(ran.code, 1, "svc-jenkins is still there: {} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("not done  remove svc-jenkins"), "{}", ran.stdout);

    let files = common::files(&record);
    let closure = closure(&files);
    for (sheet, name, decision, outcome, words) in DECIDED {
        let (found, row) = &closure[&((*sheet).to_owned(), (*name).to_owned())];
        assert_eq!(found, outcome, "{decision} {name} of {sheet}: {row}");
        assert!(row.contains(words), "{decision} {name} of {sheet}: {row}");
    }
    assert_eq!(closure.len(), DECIDED.len());
    let done = &closure[&("users".to_owned(), "svc-backup".to_owned())].1;
    assert!(done.contains("2026-10-06T10:00:00Z") && done.contains("user/rosa.ruiz"), "{done}");

    let findings = String::from_utf8(files["review/findings.csv"].clone()).unwrap();
    for line in [
        "pci-dss,7.2.4,access-review-acknowledged,pass",
        "soc2,CC6.2,access-review-all-decided,pass",
        "iso27001,A.5.18,access-review-in-time,pass",
        "hipaa,164.308(a)(4)(ii)(C),access-review-followed-up,fail",
        "soc2,CC6.3,access-review-periodic,not-applicable",
        "soc2,CC6.3,access-review-recent,pass",
    ] {
        assert!(findings.contains(line), "{line}: {findings}");
    }
    // They are findings of the package like any others.
    assert_eq!(status_of(&files, "access-review-followed-up").as_deref(), Some("fail"));
    assert_eq!(common::json(&files, "manifest.json")["review"]["register"], "review/register.json");
    let page = String::from_utf8(files["review/attestation.html"].clone()).unwrap();
    assert!(page.contains("Mo Manager, CISO") && page.contains("Rita Reviewer"), "{page}");
    let verified = run(auditpack().args(["verify", text(&record)]));
    assert_eq!(verified.code, 0, "{} {}", verified.stdout, verified.stderr);

    // Later runs judge how old it is.
    let judged = dir.path().join("judged.zip");
    let args = ["collect", "--replay", text(&later), "--review", text(&record), "--quiet", "--out", text(&judged)];
    let ran = run(auditpack().args(args));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let files = common::files(&judged);
    assert_eq!(common::json(&files, "manifest.json")["review"]["record"]["name"], "record.zip");
    assert_eq!(status_of(&files, "access-review-recent").as_deref(), Some("pass"));
    assert_eq!(status_of(&files, "access-review-followed-up").as_deref(), Some("fail"));
    let verified = run(auditpack().args(["verify", text(&judged), "--review", text(&record)]));
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert!(verified.stdout.contains("is that of record.zip"), "{}", verified.stdout);
    let args = ["verify", text(&judged), "--no-derivation", "--review", text(&judged)];
    let verified = run(auditpack().args(args));
    assert_eq!(verified.code, 5, "another package is not the record's: {}", verified.stdout);

    // The next quarter knows what was decided, and answers nothing by it.
    let q2 = dir.path().join("q2");
    let ran = review(&["open", text(&later), "--out", text(&q2), "--previous", text(&record)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let users = table(&q2.join("csv/users.csv"));
    let row = |name: &str| users.iter().find(|row| row[0] == name).unwrap();
    let (history, change) = (column(&users, "last review"), column(&users, "change"));
    assert_eq!(row("svc-jenkins")[history], "2026-10-01: remove by Rita Reviewer, not done");
    // A name that was changed loses no history.
    assert_eq!(row("ann.lee")[history], "2026-10-01: remove by Rita Reviewer, not done (then named lee,ann)");
    for (name, word) in [
        ("svc-jenkins", "unchanged"),
        ("nils.nielsen", "new"),
        ("ann.lee", "unchanged"),
        ("maria.moreno", "less access"),
        ("alice.adams1", "more access"),
        ("svc-etl-nightly", "changed access"),
    ] {
        assert_eq!(row(name)[change], word, "{name}");
    }
    assert!(users.iter().skip(1).all(|row| row[column(&users, "decision")].is_empty()));
    let population = std::fs::read_to_string(q2.join("population.json")).unwrap();
    assert!(population.contains("remove by Rita Reviewer, done"), "the user that is gone is listed with its decision");
    for (day, code) in [("2027-01-10", 0), ("2027-02-01", 1)] {
        let age = review(&["status", text(&record), "--as-of", day]);
        assert_eq!(age.code, code, "{day}: {}", age.stdout);
    }
}

#[test]
fn what_later_evidence_does_not_show_is_never_done() {
    let (dir, q1) = opened(&[]);
    fill(&q1, decide);
    let faults = ["deny:iam:GetAccountAuthorizationDetails", "deny:iam:GetCredentialReport", "deny:iam:ListRoles"];
    let later = collected(dir.path(), "later.zip", later_account(), &faults, &["--events", "none"]);
    let record = dir.path().join("record.zip");
    let ran = review(&["close", text(&q1), "--with", text(&later), "--out", text(&record)]);
    assert_eq!(ran.code, 3, "{} {}", ran.stdout, ran.stderr);
    let files = common::files(&record);
    for ((sheet, name), (outcome, row)) in closure(&files) {
        assert_eq!(outcome, "unknown", "{name} of {sheet}: {row}");
    }
    assert_eq!(status_of(&files, "access-review-followed-up").as_deref(), Some("unknown"));
    assert_eq!(status_of(&files, "access-review-all-decided").as_deref(), Some("pass"));
}

#[test]
fn what_is_undecided_is_never_a_pass() {
    let (dir, q1) = opened(&[]);
    let record = dir.path().join("record.zip");
    let ran = review(&["close", text(&q1), "--with", text(&recording()), "--out", text(&record)]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("201 of 201 rows were not decided"), "{}", ran.stdout);
    assert!(ran.stdout.contains("fail            access-review-followed-up"), "{}", ran.stdout);
    assert!(ran.stdout.contains("fail            access-review-acknowledged"), "{}", ran.stdout);
}

#[test]
fn a_review_is_opened_and_closed_on_a_live_account_and_what_is_refused_is_refused_before() {
    let server = BlockingServer::start(Account::clean(), Options::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let q1 = dir.path().join("q1");
    let live = |args: &[&str], as_of: &str| {
        let mut command = auditpack();
        with_credentials(&mut command).current_dir(dir.path()).arg("review").args(args);
        let more = ["--quiet", "--events", "none", "--frameworks", "pci-dss", "--as-of", as_of, "--endpoint-url"];
        run(command.args(more).arg(server.endpoint()))
    };
    let ran = live(&["open", "--out", text(&q1)], common::AS_OF);
    assert_eq!(ran.code, 0, "{} {}", ran.stdout, ran.stderr);
    assert!(q1.join("opened-with.zip").is_file() && q1.join("access-review.xlsx").is_file());
    fill(&q1, |_, _| None);
    let users = q1.join("csv/users.csv");
    let honest = std::fs::read(&users).unwrap();
    std::fs::write(&users, String::from_utf8(honest.clone()).unwrap().replacen("keep", "perhaps", 1)).unwrap();
    let requests = server.stats().requests;
    let ran = live(&["close", text(&q1), "--live"], LATER);
    assert_eq!(ran.code, 2, "{} {}", ran.stdout, ran.stderr);
    assert_eq!(server.stats().requests, requests, "AWS was asked for nothing");
    std::fs::write(&users, honest).unwrap();
    let ran = live(&["close", text(&q1), "--live"], LATER);
    assert_eq!(ran.code, 0, "{} {}", ran.stdout, ran.stderr);
    let left: Vec<String> =
        std::fs::read_dir(&q1).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.contains(&"access-review_111122223333_20261014T090000Z.zip".to_owned()), "{left:?}");
    assert!(!left.iter().any(|name| name.starts_with("closed-with")), "the record holds it: {left:?}");
}

#[test]
fn what_the_aws_cli_printed_opens_and_closes_a_review_too() {
    let (dir, package) = (tempfile::tempdir().unwrap(), recording());
    let out = dir.path().join("a.zip");
    let args = ["collect", "--replay", text(&package), "--quiet", "--frameworks", "soc2", "--out", text(&out)];
    assert_eq!(run(auditpack().args(args)).code, 1);
    let cli = dir.path().join("cli");
    std::fs::create_dir_all(&cli).unwrap();
    let files = common::files(&out);
    for name in ["get-account-authorization-details.json", "get-credential-report.csv", "get-account-summary.json"] {
        std::fs::write(cli.join(name), &files[&format!("evidence/iam/{name}")]).unwrap();
    }
    std::fs::write(cli.join("get-caller-identity.json"), &files["evidence/sts/get-caller-identity.json"]).unwrap();
    let q1 = dir.path().join("q1");
    let ran = review(&["open", text(&cli), "--as-of", common::AS_OF, "--out", text(&q1)]);
    assert!(matches!(ran.code, 0 | 3), "{} {}", ran.stdout, ran.stderr);
    fill(&q1, |_, _| None);
    let record = dir.path().join("record.zip");
    let args = ["close", text(&q1), "--with", text(&cli), "--as-of", LATER, "--out", text(&record)];
    let ran = review(&args);
    assert!(matches!(ran.code, 0 | 3), "{} {}", ran.stdout, ran.stderr);
    let files = common::files(&record);
    assert_eq!(status_of(&files, "access-review-all-decided").as_deref(), Some("pass"));
    assert!(!files.keys().any(|path| path.starts_with("raw/")));
    // There are no answers of AWS in it, but the documents that the record was made from.
    let verified = run(auditpack().args(["verify", text(&record)]));
    let words = "the record of the access review follows from the documents";
    assert_eq!(verified.code, 0, "{} {}", verified.stdout, verified.stderr);
    assert!(verified.stdout.replace(&format!("\n{}", " ".repeat(29)), " ").contains(words), "{}", verified.stdout);
    let out = dir.path().join("judged.zip");
    let args = ["evaluate", text(&cli), "--as-of", LATER, "--review", text(&record), "--out", text(&out)];
    let judged = run(auditpack().args(args));
    assert!(matches!(judged.code, 1 | 3), "{}", judged.stderr);
    assert_eq!(status_of(&common::files(&out), "access-review-recent").as_deref(), Some("pass"));
}
