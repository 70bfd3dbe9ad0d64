//! Reviews that somebody tampers with: in the workbook, in the folder, in the frozen population, after the closing.

mod common;
#[path = "common/review.rs"]
mod reviewing;

use auditpack::review::Frozen;
use auditpack::review::answers::{self, Answers, Window};
use common::{auditpack, run};
use reviewing::{Table, book, book_bytes, column, fill, fill_book, opened, recording, review, set, text};
use rust_xlsxwriter::{Format, Formula, Worksheet, XlsxError};
use std::path::{Path, PathBuf};

/// What a workbook beside the population says.
fn read(dir: &Path, path: &str, bytes: Vec<u8>) -> Answers {
    let population = std::fs::read(dir.join("population.json")).unwrap();
    let digest = std::fs::read_to_string(dir.join("population.sha256")).unwrap()[..64].to_owned();
    let window = Window { from: "2026-10-01".parse().unwrap(), to: "2026-10-14".parse().unwrap() };
    answers::read(&Frozen::read(&population).unwrap(), &digest, &[(path.to_owned(), bytes)], window)
}

/// The workbook of a review, with everything kept.
fn kept(dir: &Path) -> Vec<(String, Table)> {
    fill_book(&dir.join("access-review.xlsx"), |_, _| None);
    book(&std::fs::read(dir.join("access-review.xlsx")).unwrap())
}

fn close(dir: &Path, with: &Path, more: &[&str]) -> common::Ran {
    review(&[&["close", text(dir), "--with", text(with)], more].concat())
}

/// The recorded account two weeks later, unchanged: as files that the AWS CLI printed, which have the time that is said.
fn later(dir: &Path) -> PathBuf {
    let (from, package, folder) = (recording(), dir.join("now.zip"), dir.join("cli"));
    let args = ["collect", "--replay", text(&from), "--quiet", "--frameworks", "soc2", "--out", text(&package)];
    assert_eq!(run(auditpack().args(args)).code, 1);
    std::fs::create_dir_all(&folder).unwrap();
    let files = common::files(&package);
    for name in [
        "iam/get-account-authorization-details.json",
        "iam/get-credential-report.csv",
        "iam/get-account-summary.json",
        "sts/get-caller-identity.json",
    ] {
        std::fs::write(folder.join(name.rsplit('/').next().unwrap()), &files[&format!("evidence/{name}")]).unwrap();
    }
    folder
}

const LATER: &str = "2026-10-14T09:00:00Z";

#[test]
fn what_is_done_to_a_workbook_is_harmless_or_refused_with_the_cell() {
    let (_dir, q1) = opened(&[]);
    let honest = kept(&q1);
    let read = |sheets: &[(String, Table)], more: &dyn Fn(&mut Worksheet) -> Result<(), XlsxError>| {
        read(&q1, "access-review.xlsx", book_bytes(sheets, more))
    };
    let on_users = |page: &Worksheet| page.name() == "users";
    let letter = |name: &str| column(&honest[1].1, name);
    let (decision, date) = (u16::try_from(letter("decision")).unwrap(), u16::try_from(letter("date")).unwrap());

    // Hidden rows and columns, a filter, other order, notes above and beside: nothing of it hides a row from review.
    let mut sorted = honest.clone();
    sorted[1].1[1..].reverse();
    for row in &mut sorted[1].1 {
        row.insert(0, "mine".to_owned());
    }
    sorted[1].1.insert(0, vec!["Quarter 4".to_owned()]);
    let hidden = read(&sorted, &|page| {
        if on_users(page) {
            page.set_row_hidden(5)?.set_column_hidden(3)?.autofilter(1, 0, 48, 10)?;
        }
        Ok(())
    });
    assert!(hidden.refusals.0.is_empty() && hidden.rows.len() == 201, "{}", hidden.refusals);

    // Of merged cells only the first holds anything: the rows below are undecided.
    let merged = read(&honest, &|page| {
        if on_users(page) {
            page.merge_range(1, decision, 3, decision, "keep", &Format::new())?;
        }
        Ok(())
    });
    assert!(merged.refusals.0.is_empty() && merged.rows.len() == 199, "{}", merged.refusals);

    // Formulas say something else tomorrow, whatever they showed today.
    let computed = read(&honest, &|page| {
        if on_users(page) {
            page.write_formula(1, decision, Formula::new("=IF(TRUE,\"keep\",\"remove\")").set_result("keep"))?;
            page.write_formula(2, date, Formula::new("=TODAY()").set_result("46300"))?;
            page.write_formula(3, decision, Formula::new("=NA()").set_result(""))?;
        }
        Ok(())
    });
    let refused = computed.refusals.to_string();
    for words in ["users!P2: the decision is a formula", "users!R3: the date is a formula", "users!P4: the decision is"]
    {
        assert!(refused.contains(words), "{words}: {refused}");
    }

    // A copied sheet, a sheet that was deleted, a workbook of another population, an acknowledgement of something else.
    let mut copied = honest.clone();
    copied.push(("users (2)".to_owned(), honest[1].1.clone()));
    let mut deleted = honest.clone();
    deleted.retain(|(name, _)| name != "privileged access");
    let mut exchanged = honest.clone();
    for cell in exchanged[0].1.iter_mut().flatten().filter(|cell| cell.starts_with("SHA-256 ")) {
        *cell = format!("SHA-256 {}", "0".repeat(64));
    }
    let acknowledging = |change: &dyn Fn(&mut Table)| {
        let mut sheets = honest.clone();
        change(&mut sheets.iter_mut().find(|(name, _)| name == "acknowledgement").unwrap().1);
        sheets
    };
    let cases = [
        (copied, "access-review.xlsx users (2)!V2: the row `U-9f9415d5f6c3` is there twice, first in"),
        (deleted, "access-review.xlsx: 46 rows were removed from it: CE-Admin of privileged access"),
        (exchanged, "access-review.xlsx instructions!B7: the workbook was handed out with the population 0000"),
        (
            acknowledging(&|t| set(t, 1, "statement", "I have seen nothing.")),
            "acknowledgement!A2: the statement was alt",
        ),
        (acknowledging(&|t| set(t, 1, "position", "")), "acknowledgement!C2: the position of whoever"),
        (acknowledging(&|t| set(t, 1, "acknowledged by", "")), "acknowledgement!B2: who acknowledges"),
        (acknowledging(&|t| set(t, 1, "acknowledged on", "2026-09-01")), "acknowledgement!D2: 2026-09-01 is outside"),
    ];
    for (sheets, expected) in cases {
        let refused = read(&sheets, &|_| Ok(())).refusals.to_string();
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
}

#[test]
fn a_workbook_and_a_table_of_one_folder_that_differ_contradict_each_other() {
    let (_dir, q1) = opened(&[]);
    fill_book(&q1.join("access-review.xlsx"), |_, name| (name == "rosa.ruiz").then_some("remove"));
    fill(&q1, |_, _| None);
    let status = review(&["status", text(&q1), "--as-of", "2026-10-06"]);
    let words = "rosa.ruiz is decided twice: remove in access-review.xlsx users!P";
    assert!(status.code == 1 && status.stdout.contains(words), "{}", status.stdout);
}

#[test]
fn workbooks_of_owners_are_merged_and_nobody_decides_in_anothers() {
    let (dir, q1) = opened(&["--by-owner"]);
    let folder = q1.join("by-owner");
    let paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(paths.len() > 2);
    for path in &paths {
        fill_book(path, |_, name| (name == "gha-dead").then_some("remove"));
    }
    let status = review(&["status", text(&q1), "--as-of", "2026-10-06"]);
    assert!(status.code == 0 && !status.stdout.contains("Refused"), "all decided, together: {}", status.stdout);
    let (later, record) = (later(dir.path()), dir.path().join("record.zip"));
    let ran = close(&q1, &later, &["--as-of", LATER, "--out", text(&record)]);
    assert!(ran.code == 1 && ran.stdout.contains("decided       201 of 201"), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("not done  remove gha-dead (roles)"), "{}", ran.stdout);
    let register = String::from_utf8(common::files(&record)["review/register.csv"].clone()).unwrap();
    assert!(register.contains("by-owner/platform.xlsx roles!"), "where each was decided");

    // A row that was copied into the workbook of another owner.
    let (platform, nobody) = (folder.join("platform.xlsx"), folder.join("no-owner.xlsx"));
    let before = std::fs::read(&platform).unwrap();
    let mut sheets = book(&before);
    let copied = book(&std::fs::read(&nobody).unwrap())[2].1[1].clone();
    sheets[2].1.push(copied.clone());
    std::fs::write(&platform, book_bytes(&sheets, |_| Ok(()))).unwrap();
    let status = review(&["status", text(&q1), "--as-of", "2026-10-06"]);
    let words = format!("{} of roles, was not handed out in this file", copied[0]);
    assert!(status.code == 1 && status.stdout.contains(&words), "{words}: {}", status.stdout);
    std::fs::write(&platform, before).unwrap();

    // A workbook that never came back leaves its rows open.
    std::fs::rename(&platform, dir.path().join("platform.xlsx")).unwrap();
    let status = review(&["status", text(&q1), "--as-of", "2026-10-06"]);
    assert!(status.code == 3 && status.stdout.contains("platform"), "{}", status.stdout);
}

/// Writes another population into a review's folder, and its digest, as a forger would.
fn forge(q1: &Path, forged: &str) {
    let digest = auditpack::evidence::digest::sha256(forged.as_bytes());
    std::fs::write(q1.join("population.json"), forged).unwrap();
    std::fs::write(q1.join("population.sha256"), format!("{digest}  population.json\n")).unwrap();
}

#[test]
fn a_population_that_was_exchanged_with_its_digest_is_found_out() {
    let (dir, q1) = opened(&[]);
    fill(&q1, |_, _| None);
    let (later, record) = (later(dir.path()), dir.path().join("record.zip"));
    let close = |more: &[&str]| close(&q1, &later, &[&["--as-of", LATER, "--out", text(&record)], more].concat());
    let honest = std::fs::read_to_string(q1.join("population.json")).unwrap();
    let kept = std::fs::read_to_string(q1.join("population.sha256")).unwrap()[..64].to_owned();
    let without: String = honest
        .lines()
        .filter(|line| !line.contains("\"U-") || !line.contains("rosa.ruiz"))
        .map(|l| l.to_owned() + "\n")
        .collect();
    assert_eq!(honest.lines().count() - without.lines().count(), 1);

    // The row is taken out, and the digest written anew: the population contradicts itself.
    forge(&q1, &without);
    let ran = close(&[]);
    let words = "though population.sha256 fits it: it says that it has 47 users and has 46";
    assert!(ran.code == 2 && ran.stderr.contains(words), "{}", ran.stderr);
    forge(&q1, &honest.replacen("user/people/rosa.ruiz", "user/people/rosa.riuz", 1));
    assert!(close(&[]).stderr.contains("is not that of arn:aws:iam::111122223333:user/people/rosa.riuz"));

    // The count is forged too: the workbook tells another digest than the population has.
    forge(&q1, &without.replacen("\"rows\": 47", "\"rows\": 46", 1));
    let ran = close(&[]);
    assert!(
        ran.code == 2 && ran.stderr.contains("instructions!C7: the workbook was handed out with"),
        "{}",
        ran.stderr
    );

    // All files are forged: whoever kept the digest sees it.
    std::fs::remove_file(q1.join("access-review.xlsx")).unwrap();
    let users = q1.join("csv/users.csv");
    let rows: Vec<String> = std::fs::read_to_string(&users)
        .unwrap()
        .lines()
        .filter(|line| !line.contains("rosa.ruiz,"))
        .map(str::to_owned)
        .collect();
    std::fs::write(&users, rows.join("\n")).unwrap();
    let ran = close(&["--population-sha256", &kept]);
    assert!(ran.code == 2 && ran.stderr.contains("was exchanged after the review was opened"), "{}", ran.stderr);

    // Nobody kept it: the later evidence still knows who is older than the review.
    let ran = close(&[]);
    assert_eq!(ran.code, 1, "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("fail            access-review-population-complete"), "{}", ran.stdout);
    assert!(ran.stdout.contains("not all access: 1 users and roles that"), "{}", ran.stdout);
    let register = common::json(&common::files(&record), "review/register.json");
    let missing = register["missing"][0].as_str().unwrap();
    assert!(missing.starts_with("arn:aws:iam::111122223333:user/people/rosa.ruiz of users is not in"), "{missing}");
}

#[test]
fn a_review_is_closed_only_with_later_evidence_of_its_account_and_not_decided_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (later, q1, record) = (later(dir.path()), dir.path().join("q1"), dir.path().join("q1"));
    let ran = review(&["open", text(&later), "--as-of", LATER, "--out", text(&q1)]);
    assert!(matches!(ran.code, 0 | 3), "{}", ran.stderr);
    let ran = close(&q1, &recording(), &[]);
    assert!(
        ran.code == 2 && ran.stderr.contains("before the review was opened (2026-10-14T09:00:00Z)"),
        "{}",
        ran.stderr
    );
    let other = dir.path().join("other");
    std::fs::create_dir(&other).unwrap();
    for file in std::fs::read_dir(&later).unwrap() {
        let file = file.unwrap();
        let bytes = std::fs::read_to_string(file.path()).unwrap().replace("111122223333", "444455556666");
        std::fs::write(other.join(file.file_name()), bytes).unwrap();
    }
    let ran = close(&q1, &other, &["--as-of", "2026-10-28T09:00:00Z"]);
    assert!(ran.code == 2 && ran.stderr.contains("evidence of the same account"), "{}", ran.stderr);

    // Closed once, with two weeks more; then a decision is turned round, and the review closed again.
    let fill = |other: &dyn Fn(&str, &str) -> Option<&'static str>| {
        fill(&q1, other);
        for sheet in reviewing::SHEETS {
            let path = q1.join(format!("csv/{sheet}.csv"));
            let text = std::fs::read_to_string(&path).unwrap().replace("2026-10-05", "2026-10-20");
            std::fs::write(&path, text).unwrap();
        }
        let path = q1.join("csv/acknowledgement.csv");
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap().replace("2026-10-06", "2026-10-21")).unwrap();
    };
    fill(&|_, name| (name == "gha-dead").then_some("remove"));
    let ran = close(&q1, &later, &["--as-of", "2026-10-28T09:00:00Z", "--out", text(&record)]);
    assert_eq!(ran.code, 1, "{} {}", ran.stdout, ran.stderr);
    let again = ["--as-of", "2026-10-30T09:00:00Z", "--out", text(&record)];
    assert_eq!(close(&q1, &later, &again).code, 1, "closing again proves what was followed up since");
    fill(&|_, _| None);
    let ran = close(&q1, &later, &["--as-of", "2026-10-31T09:00:00Z", "--out", text(&record)]);
    let words = "gha-dead of roles was decided when the review was closed as of 2026-10-30T09:00:00Z: remove by Rita Reviewer on 2026-10-20; now it says keep";
    assert!(ran.code == 2 && ran.stderr.contains(words), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("csv/roles.csv N"), "with its cell: {}", ran.stderr);
}
