//! A quarter of access reviews, played through with the program: opened, filled in, cheated, followed up, closed.

mod common;

use common::{AS_OF, Ran, auditpack, run, with_credentials};
use std::path::{Path, PathBuf};
use synthetic_aws::events::{Event, EventStore, Facts};
use synthetic_aws::{Account, BlockingServer, Options};
use tempfile::{TempDir, tempdir};

const LATER: &str = "2026-10-14T09:00:00Z";

/// A package of an account as it is at a time.
fn collected(dir: &Path, name: &str, account: Account, as_of: &str) -> PathBuf {
    let server = BlockingServer::start(account, Options::default()).unwrap();
    let target = dir.join(name);
    let mut command = auditpack();
    with_credentials(&mut command).current_dir(dir).args(["collect", "--quiet", "--as-of", as_of, "--endpoint-url"]);
    let ran = run(command.arg(server.endpoint()).arg("--out").arg(&target));
    assert!(matches!(ran.code, 0 | 1 | 3), "{}", ran.stderr);
    target
}

fn review(args: &[&str]) -> Ran {
    run(auditpack().arg("review").args(args))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

type Table = Vec<Vec<String>>;

fn table(path: &Path) -> Table {
    let bytes = std::fs::read(path).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn save(path: &Path, table: &Table, separator: u8) {
    let mut writer = csv::WriterBuilder::new().delimiter(separator).flexible(true).from_path(path).unwrap();
    for row in table {
        writer.write_record(row).unwrap();
    }
    writer.flush().unwrap();
}

fn column(table: &Table, name: &str) -> usize {
    table[0].iter().position(|cell| cell == name).unwrap_or_else(|| panic!("no column {name}"))
}

/// Fills in every row of every CSV: `keep`, save what `other` decides by sheet and name.
fn fill(dir: &Path, other: impl Fn(&str, &str) -> Option<&'static str>) {
    for sheet in ["users", "roles", "access-keys", "external-principals", "privileged-access"] {
        let path = dir.join(format!("csv/{sheet}.csv"));
        let mut table = table(&path);
        let columns: Vec<usize> =
            ["decision", "reviewer", "date", "justification"].iter().map(|name| column(&table, name)).collect();
        for row in table.iter_mut().skip(1) {
            let decision = other(sheet, row[0].as_str()).unwrap_or("keep");
            for (at, value) in columns.iter().zip([decision, "Rita Reviewer", "2026-10-05", "needed for the work"]) {
                row[*at] = value.to_owned();
            }
        }
        save(&path, &table, b',');
    }
    let path = dir.join("csv/acknowledgement.csv");
    let mut table = table(&path);
    for (at, value) in ["Mo Manager", "CISO", "2026-10-06"].iter().enumerate() {
        table[1][at + 1] = (*value).to_owned();
    }
    save(&path, &table, b',');
}

/// An opened review of the rich account.
fn opened() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempdir().unwrap();
    let package = collected(dir.path(), "open.zip", Account::rich(), AS_OF);
    let out = dir.path().join("q1");
    let ran = review(&["open", text(&package), "--out", text(&out)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("privileged access"), "{}", ran.stdout);
    (dir, package, out)
}

/// The account two weeks later: one user is gone, another is not.
fn later_account() -> Account {
    let mut account = Account::rich();
    account.iam.users.retain(|user| user.name != "svc-backup");
    let record = serde_json::json!({
        "eventVersion": "1.11", "eventID": "0f0f0f0f-0000-4000-8000-000000000001", "eventTime": "2026-10-10T10:00:00Z",
        "eventSource": "iam.amazonaws.com", "eventName": "DeleteUser", "awsRegion": "us-east-1", "readOnly": false,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/rosa.ruiz", "userName": "rosa.ruiz"},
        "requestParameters": {"userName": "svc-backup"},
    });
    let at = chrono::DateTime::parse_from_rfc3339("2026-10-10T10:00:00Z").unwrap().to_utc();
    let event = Event {
        time: at,
        facts: Facts {
            id: "0f0f0f0f-0000-4000-8000-000000000001".to_owned(),
            name: "DeleteUser".to_owned(),
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
    account
}

/// What somebody does to a table between opening and closing.
type Alteration = Box<dyn Fn(&mut Table)>;

#[test]
fn a_quarter_is_opened_decided_followed_up_closed_and_read_by_the_next_one() {
    let (dir, _, q1) = opened();
    let status = review(&["status", text(&q1), "--as-of", "2026-10-06"]);
    assert_eq!(status.code, 3, "{}", status.stdout);
    assert!(status.stdout.contains("in 25 days"), "{}", status.stdout);
    fill(&q1, |sheet, name| match (sheet, name) {
        ("users", "svc-backup" | "svc-jenkins") => Some("remove"),
        ("access-keys", name) if name.starts_with("svc-backup,") => Some("remove"),
        _ => None,
    });
    let status = review(&["status", text(&q1), "--as-of", "2026-10-06"]);
    assert!(status.stdout.contains("acknowledged"), "{}", status.stdout);
    let later = collected(dir.path(), "later.zip", later_account(), LATER);
    let record = dir.path().join("record.zip");
    let ran = review(&["close", text(&q1), "--with", text(&later), "--out", text(&record)]);
    assert_eq!(ran.code, 1, "svc-jenkins is still there: {} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("not done  remove svc-jenkins"), "{}", ran.stdout);

    let files = common::files(&record);
    let closure = String::from_utf8(files["review/closure.csv"].clone()).unwrap();
    let gone = closure.lines().find(|line| line.contains("users,svc-backup,")).unwrap();
    assert!(gone.contains("done") && gone.contains("DeleteUser") && gone.contains("rosa.ruiz"), "{gone}");
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
    let all = common::findings(&files);
    let status = |check: &str| all.iter().find(|finding| finding.0 == check).map(|finding| finding.1.clone());
    assert_eq!(status("access-review-followed-up").as_deref(), Some("fail"));
    assert_eq!(common::json(&files, "manifest.json")["review"]["register"], "review/register.json");
    let page = String::from_utf8(files["review/attestation.html"].clone()).unwrap();
    assert!(page.contains("Mo Manager, CISO") && page.contains("Rita Reviewer"), "{page}");
    let verified = run(auditpack().args(["verify", text(&record)]));
    assert!(!verified.stdout.to_lowercase().contains("not re-derive"), "{}", verified.stdout);
    assert_ne!(verified.code, 5, "{} {}", verified.stdout, verified.stderr);

    // Later runs judge how old it is.
    let judged = dir.path().join("judged.zip");
    let ran = run(auditpack().args(["collect", "--replay", text(&later), "--review", text(&record)]).args([
        "--quiet",
        "--out",
        text(&judged),
    ]));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let files = common::files(&judged);
    assert_eq!(common::json(&files, "manifest.json")["review"]["record"]["name"], "record.zip");
    let all = common::findings(&files);
    let status = |check: &str| all.iter().find(|finding| finding.0 == check).map(|finding| finding.1.clone());
    assert_eq!(status("access-review-recent").as_deref(), Some("pass"));
    assert_eq!(status("access-review-followed-up").as_deref(), Some("fail"));
    for more in [vec![], vec!["--review", text(&record)]] {
        let verified = run(auditpack().args(["verify", text(&judged)]).args(&more));
        assert_eq!(verified.code, 0, "{}", verified.stdout);
        assert_eq!(verified.stdout.contains("follows from that package's evidence"), !more.is_empty());
    }
    let verified = run(auditpack().args(["verify", text(&judged), "--review", text(&judged)]));
    assert_eq!(verified.code, 5, "another package is not the record's: {}", verified.stdout);

    // The next quarter knows what was decided, and answers nothing by it.
    let q2 = dir.path().join("q2");
    let ran = review(&["open", text(&later), "--out", text(&q2), "--previous", text(&record)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let users = table(&q2.join("csv/users.csv"));
    let row = users.iter().find(|row| row[0] == "svc-jenkins").unwrap();
    assert_eq!(row[column(&users, "last review")], "2026-10-01: remove by Rita Reviewer, not done");
    assert_eq!(row[column(&users, "change")], "unchanged");
    assert!(users.iter().skip(1).all(|row| row[column(&users, "decision")].is_empty()));
    let population = std::fs::read_to_string(q2.join("population.json")).unwrap();
    assert!(population.contains("remove by Rita Reviewer, done"), "the user that is gone is listed with its decision");
    for (day, code) in [("2027-01-10", 0), ("2027-02-01", 1)] {
        let age = review(&["status", text(&record), "--as-of", day]);
        assert_eq!(age.code, code, "{day}: {}", age.stdout);
    }
}

#[test]
fn what_is_undecided_is_never_a_pass() {
    let (dir, package, q1) = opened();
    let record = dir.path().join("record.zip");
    let ran = review(&["close", text(&q1), "--with", text(&package), "--out", text(&record)]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("201 of 201 rows were not decided"), "{}", ran.stdout);
    assert!(ran.stdout.contains("fail            access-review-followed-up"), "{}", ran.stdout);
}

#[test]
fn cheating_is_refused_with_the_address_of_the_cell() {
    let (dir, package, q1) = opened();
    let later = collected(dir.path(), "later.zip", Account::rich(), LATER);
    fill(&q1, |_, _| None);
    let users = q1.join("csv/users.csv");
    let honest = table(&users);
    let at = |name: &str| column(&honest, name);
    let letter = |name: &str| char::from(b'A' + u8::try_from(at(name)).unwrap());
    let person = honest.iter().position(|row| row[0] == "rosa.ruiz").unwrap();
    let cases: Vec<(&str, Alteration, String)> = vec![
        (
            "unknown",
            Box::new(move |t| set(t, 1, "decision", "mayb")),
            format!("csv/users.csv {}2: `mayb` is no decision", letter("decision")),
        ),
        (
            "nobody",
            Box::new(move |t| set(t, 1, "reviewer", "")),
            format!("csv/users.csv {}2: the reviewer", letter("reviewer")),
        ),
        (
            "why",
            Box::new(move |t| set(t, 1, "justification", " - ")),
            format!("csv/users.csv {}2: the justification", letter("justification")),
        ),
        (
            "early",
            Box::new(move |t| set(t, 1, "date", "2026-09-30")),
            format!("csv/users.csv {}2: 2026-09-30 is outside", letter("date")),
        ),
        (
            "self",
            Box::new(move |t| set(t, person, "reviewer", "Rosa Ruiz")),
            "would decide about their own access (rosa.ruiz)".into(),
        ),
        (
            "altered",
            Box::new(move |t| set(t, person, "administrator", "none at all")),
            "`administrator` of rosa.ruiz was altered".into(),
        ),
        (
            "added",
            Box::new(|t| {
                let mut row = t[1].clone();
                *row.last_mut().unwrap() = "U-0123456789ab".into();
                t.push(row);
            }),
            "rows cannot be added".into(),
        ),
        (
            "twice",
            Box::new(|t| {
                let row = t[1].clone();
                t.push(row);
            }),
            "is there twice".into(),
        ),
        (
            "removed",
            Box::new(move |t| {
                t.remove(person);
            }),
            "csv/users.csv: 1 row was removed from it: rosa.ruiz".into(),
        ),
        (
            "column",
            Box::new(|t| {
                let at = column(t, "flags");
                for row in t {
                    row.remove(at);
                }
            }),
            "the column `flags` is missing".into(),
        ),
    ];
    for (name, cheat, expected) in cases {
        let mut cheated = honest.clone();
        cheat(&mut cheated);
        save(&users, &cheated, b',');
        let record = dir.path().join("record.zip");
        let ran = review(&["close", text(&q1), "--with", text(&later), "--out", text(&record)]);
        assert_eq!(ran.code, 2, "{name}: {} {}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(&expected), "{name}: {}", ran.stderr);
        assert!(!record.exists(), "{name}");
    }
    // The population itself, and evidence from before it.
    save(&users, &honest, b',');
    let population = q1.join("population.json");
    let bytes = std::fs::read_to_string(&population).unwrap();
    std::fs::write(&population, bytes.replacen("rosa.ruiz", "rosa.riuz", 1)).unwrap();
    let ran = review(&["close", text(&q1), "--with", text(&package)]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("population.json was altered"), "{}", ran.stderr);
}

fn set(table: &mut Table, row: usize, name: &str, value: &str) {
    let at = column(table, name);
    table[row][at] = value.to_owned();
}

#[test]
fn what_a_spreadsheet_does_by_itself_is_accepted() {
    let (dir, _, q1) = opened();
    let later = collected(dir.path(), "later.zip", Account::rich(), LATER);
    fill(&q1, |_, _| None);
    for sheet in ["users", "roles"] {
        let path = q1.join(format!("csv/{sheet}.csv"));
        let mut table = table(&path);
        // Sorted, reversed columns, one more column, semicolons, German dates, words in capitals.
        let (created, date, decision) = (column(&table, "created"), column(&table, "date"), column(&table, "decision"));
        table[1..].reverse();
        for (at, row) in table.iter_mut().enumerate() {
            if at > 0 {
                row[date] = "05.10.2026".to_owned();
                row[decision] = row[decision].to_uppercase();
                if let [year, month, day] = row[created].split('-').collect::<Vec<_>>()[..] {
                    row[created] = format!("{day}.{month}.{year}");
                }
            }
            row.push(if at == 0 { "my notes".to_owned() } else { "ask Bob".to_owned() });
            row.reverse();
        }
        save(&path, &table, b';');
    }
    let record = dir.path().join("record.zip");
    let ran = review(&["close", text(&q1), "--with", text(&later), "--out", text(&record)]);
    assert_eq!(ran.code, 0, "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("decided       201 of 201"), "{}", ran.stdout);
}

#[test]
fn one_workbook_for_each_owner_and_the_same_bytes_again() {
    let (dir, package, q1) = opened();
    let again = dir.path().join("again");
    assert_eq!(review(&["open", text(&package), "--out", text(&again)]).code, 0);
    for file in ["access-review.xlsx", "population.json", "csv/users.csv"] {
        assert!(std::fs::read(q1.join(file)).unwrap() == std::fs::read(again.join(file)).unwrap(), "{file}");
    }
    let owners = dir.path().join("owners.csv");
    std::fs::write(&owners, "resource,owner\nsvc-*,ops@example.com\n").unwrap();
    let split = dir.path().join("split");
    let ran = review(&["open", text(&package), "--out", text(&split), "--by-owner", "--owners", text(&owners)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(split.join("by-owner/ops@example.com.xlsx").is_file() && split.join("by-owner/no-owner.xlsx").is_file());
    assert!(!split.join("access-review.xlsx").exists());
    let status = review(&["status", text(&split), "--as-of", "2026-10-06"]);
    assert_eq!(status.code, 3, "no workbook is taken for altered: {}", status.stdout);
    assert!(status.stdout.contains("ops@example.com"), "{}", status.stdout);
}
